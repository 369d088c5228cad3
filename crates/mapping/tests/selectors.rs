//! Selectors: the part of RFC 9535 that references accept.
//!
//! `JSONPATH_SUITE=cts.json cargo test -p mapping --test selectors` also runs the compliance suite of
//! <https://github.com/jsonpath-standard/jsonpath-compliance-test-suite>, as far as it keeps to this part:
//!
//! - names, quoted names, indexes, `[*]` over lists, and `[?…]` with `==`, `!=`, `&&`, `||`, `!`, parentheses and existence tests.
//! - Not: `..`, `.*`, slices, several selectors in one bracket, orderings, functions, backslash escapes, white space between steps,
//!   and `[*]` over an object.

#![expect(
    clippy::disallowed_methods,
    reason = "a test ends by panicking, and reads the environment"
)]

use mapping::expression::{Operand, Scope, ValueExpr, Variables, parse};
use mapping::filter::Definitions;
use mapping::reference::nodes;
use serde_json::{Value, json};

/// Returns the node list of a reference, or the message that refuses it.
fn select(reference: &str, event: &Value) -> Result<Vec<Value>, String> {
    let parsed = parse(reference, &Definitions::default()).map_err(|error| error.message)?;
    let ValueExpr::Expression(expression) = parsed else {
        return Err("text".to_owned());
    };
    let Operand::Reference(reference) = expression.operand else {
        return Err("no reference".to_owned());
    };
    let variables = Variables::default();
    let scope = Scope {
        event,
        mapping: "m",
        trigger: "eventbridge",
        domain: "d",
        variables: &variables,
    };
    nodes(event, reference.steps(), &scope).map(|nodes| nodes.into_iter().cloned().collect())
}

#[test]
fn selectors_compare_as_rfc_9535_says() {
    let items = json!([
        { "n": 1, "t": "letter", "v": null }, { "n": 1.0, "t": "Letter" }, { "n": "1", "o": { "a": [1, 2.50] } },
        { "n": true, "o": { "a": [1.0, 2.5] } }, {}, null, 7, "letter",
    ]);
    let event = json!({ "items": items, "wanted": "letter", "list": [1] });
    let picked = |indexes: &[usize]| -> Vec<Value> {
        indexes
            .iter()
            .map(|index| items.get(*index).cloned().expect("an item"))
            .collect()
    };
    for (selector, expected) in [
        ("@.t == 'letter'", &[0][..]),
        ("@.t==$.wanted", &[0]),
        ("@.n == 1", &[0, 1]),
        ("@.n == 1e0 && @.t", &[0, 1]),
        ("@.n == '1'", &[2]),
        ("@.n == true", &[3]),
        ("@.v == null", &[0]),
        ("@.v", &[0]),
        ("!@.v", &[1, 2, 3, 4, 5, 6, 7]),
        ("@.x == @.y", &[0, 1, 2, 3, 4, 5, 6, 7]),
        ("@.x == null", &[]),
        ("@.o == $.items[3].o", &[2, 3]),
        ("@ == 7 || @ == 'letter'", &[6, 7]),
        ("!(@.n || @ == null) && @ != 7", &[4, 7]),
        ("(@.n == 1 || @.n == true) && !@.t", &[3]),
        ("@.o.a[?@ == 2.5]", &[2, 3]),
        ("@ == null", &[5]),
    ] {
        let reference = format!("$.items[?{selector}]");
        assert_eq!(
            select(&reference, &event),
            Ok(picked(expected)),
            "{reference}"
        );
    }
    let members = json!({ "a": { "x": { "k": 1 }, "y": { "k": 2 } } });
    assert_eq!(select("$.a[?@.k == 2].k", &members), Ok(vec![json!(2)]));
}

#[test]
fn what_is_not_supported_says_what_to_write() {
    let refused = |text: &str| {
        let error = parse(text, &Definitions::default()).expect_err(text);
        format!(
            "{text}\n  {}\n  {}",
            error.message,
            error.help.unwrap_or_default()
        )
    };
    let all = [
        "$.a.*",
        "$..a",
        "$.a[1:3]",
        "$.a[:2]",
        "$.a['x', 'y']",
        "$.a[x]",
        "$.a[?@.b > 5]",
        "$.a[?@.b =~ 'x']",
        "$.a[?@.b = 5]",
        "$.a[?match(@.b, 'x')]",
        "$.a[?length(@.b) == 2]",
        "$.a[?b == 5]",
        "$.a[?'x']",
        "$.a[?@.b[*] == 5]",
        "$.a[?(@.b == 5]",
        "$.a + 1",
        "$.a * 2",
        "$.a / 100",
        "$.a == 5",
        "$total",
        "$.a | matches('x')",
        "$.a | toUpperCase",
        "$.a | plus('x')",
        "$.a | times(1e999)",
        "$.a | extract('(')",
        "$.a | extract('(?=x)')",
        "$.a | number(';')",
        "$.a | add_time('1w')",
        "$.a | missing_if",
        "$.a | default($.b | upper)",
    ];
    insta::assert_snapshot!(all.map(refused).join("\n"));
}

/// Returns true if a case of the suite keeps to the part that references accept.
fn is_accepted_part(selector: &str, document: &Value) -> bool {
    let excluded = ["..", ".*", ":", "<", ">", "\\", ",", "\n", "\t", "\r"];
    let functions = ["length(", "count(", "match(", "search(", "value("];
    let spaced = [" .", " [", "$ ", "] ", "@ "].iter().any(|space| {
        // Blanks are accepted inside brackets, around operators.
        selector.contains(space) && !selector.contains("==") && !selector.contains("!=")
    });
    let is_over_object = selector.contains("[*]") && document.to_string().contains('{');
    !excluded
        .iter()
        .chain(&functions)
        .any(|part| selector.contains(part))
        && !spaced
        && !is_over_object
}

#[test]
fn the_compliance_suite_passes_where_it_is_at_hand() {
    let Ok(file) = std::env::var("JSONPATH_SUITE") else {
        return;
    };
    let suite = std::fs::read_to_string(file).expect("the suite");
    let suite: Value = serde_json::from_str(&suite).expect("JSON");
    let cases = suite.get("tests").and_then(Value::as_array).expect("tests");
    let (mut run, mut failed) = (0, Vec::new());
    for case in cases {
        let text = |name: &str| case.get(name).and_then(Value::as_str).unwrap_or_default();
        let Some(document) = case.get("document") else {
            continue;
        };
        let selector = text("selector");
        if !is_accepted_part(selector, document) {
            continue;
        }
        run += 1;
        let found = select(selector, document).map(Value::Array);
        let expected = match case.get("results").and_then(Value::as_array) {
            Some(results) => results.clone(),
            None => case.get("result").cloned().into_iter().collect(),
        };
        if !found.as_ref().is_ok_and(|found| expected.contains(found)) {
            failed.push(format!("{}: {selector}: {found:?}", text("name")));
        }
    }
    println!("{run} of {} cases keep to the accepted part", cases.len());
    assert!(
        failed.is_empty(),
        "{} of {run} failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
}
