//! The limits of the mapping language: no mapping, pattern or event makes the function run forever or fill its memory.
//!
//! Input above a limit is reported with its position. Without the limits, inputs of these sizes would never finish or fill the memory.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails"
)]

use mapping::diagnostic::{Diagnostic, Diagnostics};
use mapping::expression::{self, Scope, Variables};
use mapping::filter::{Definitions, MAX_ITEMS};
use mapping::pattern::Pattern;
use mapping::text::MAX_TEXT;
use mapping::{json, yaml};
use serde_json::{Value, json};

/// Far more items than any mapping has.
const MANY: usize = 20_000;

/// Returns the text of each number, joined by `between`.
fn numbered(count: usize, item: impl Fn(usize) -> String, between: &str) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(between)
}

/// Returns the only diagnostic, as `line:column: message`.
fn only(diagnostics: &[Diagnostic]) -> String {
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    let (start, message) = (diagnostics[0].span.start, &diagnostics[0].message);
    format!("{}:{}: {message}", start.line, start.column)
}

mod files {
    use super::{Diagnostics, MANY, json, numbered, only, yaml};

    fn yaml_fault(text: &str) -> String {
        only(&yaml::parse(text).expect_err("beyond a limit"))
    }

    fn json_fault(text: &str) -> String {
        only(&[json::parse(text).expect_err("beyond a limit")])
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "this is nested more than 64 levels deep";
        assert_eq!(yaml_fault(&"[".repeat(MANY)), format!("1:256: {deep}"));
        assert_eq!(yaml_fault(&"- ".repeat(MANY)), format!("1:129: {deep}"));
        assert_eq!(yaml_fault(&"{a: ".repeat(MANY)), format!("1:1021: {deep}"));
        let deep = "this is nested more than 127 levels deep";
        assert_eq!(json_fault(&"[".repeat(MANY)), format!("1:128: {deep}"));
        let objects = r#"{"a":"#.repeat(MANY);
        assert_eq!(json_fault(&objects), format!("1:636: {deep}"));
        let deepest = format!("{}{}", "[".repeat(127), "]".repeat(127));
        assert!(json::parse(&deepest).is_ok());
    }

    #[test]
    fn aliases_make_nothing_deeper_than_the_limit() {
        let chain = |levels: usize| {
            let links = numbered(levels, |n| format!("- &a{} [*a{n}]", n + 1), "\n");
            format!("- &a0 x\n{links}")
        };
        assert!(yaml::parse(&chain(63)).is_ok());
        let deep = "this is nested more than 64 levels deep";
        assert_eq!(yaml_fault(&chain(64)), format!("65:9: {deep}"));
        assert_eq!(yaml_fault(&chain(MANY)), format!("65:9: {deep}"));
    }

    #[test]
    fn aliases_make_nothing_larger_than_the_limit() {
        let many = "the file holds more than 400000 keys and values, its aliases expanded";
        let nine_of = |n| numbered(9, |_| format!("*a{n}"), ", ");
        let laughs = numbered(9, |n| format!("a{}: &a{0} [{1}]", n + 1, nine_of(n)), "\n");
        let text = format!("a0: &a0 lol\n{laughs}");
        assert_eq!(yaml_fault(&text), format!("7:25: {many}"));

        let long = "the file holds more than 4000000 bytes of text, its aliases expanded";
        let again = numbered(1_000, |_| "*long".to_owned(), ", ");
        let text = format!("long: &long {}\nall: [{again}]", "x".repeat(100_000));
        assert_eq!(yaml_fault(&text), format!("2:266: {long}"));

        let anchors = numbered(60, |n| format!("&a{n} ["), "");
        let text = format!("{anchors}{}{}", "x, ".repeat(MANY), "]".repeat(60));
        assert_eq!(yaml_fault(&text), format!("1:237: {many}"));
    }

    #[test]
    fn merge_keys_make_nothing_larger_than_the_limit() {
        let many = "the file holds more than 400000 keys and values, its aliases expanded";
        let keys = numbered(50, |n| format!("k{n}: v"), ", ");
        let merged = |n| format!("m{}: &m{0} {{ <<: [*m{n}, *m{n}], own{n}: v }}", n + 1);
        let text = format!("m0: &m0 {{ {keys} }}\n{}", numbered(1_000, merged, "\n"));
        assert_eq!(yaml_fault(&text), format!("319:20: {many}"));

        let list = numbered(10_000, |_| "*m".to_owned(), ", ");
        let text = format!("m: &m {{ a: 1, b: 2 }}\nall: {{ <<: [{list}], own: 3 }}");
        let (node, diagnostics) = yaml::parse(&text).expect("within the limits");
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let keys = format!("{node:?}").matches("key: Key").count();
        assert_eq!(keys, 2 + 2 + 3);
    }

    #[test]
    fn size_is_bounded() {
        let long = "the file holds more than 4000000 bytes of text";
        let text = "x".repeat(10_000_000);
        assert_eq!(
            yaml_fault(&format!("title: {text}")),
            format!("1:8: {long}, its aliases expanded")
        );
        assert_eq!(
            json_fault(&format!(r#"{{"title": "{text}"}}"#)),
            format!("1:11: {long}")
        );
        let many = "the file holds more than 400000 keys and values";
        assert_eq!(
            yaml_fault(&"- x\n".repeat(400_100)),
            format!("400000:3: {many}, its aliases expanded")
        );
        let list = numbered(400_100, |_| "1".to_owned(), ",\n");
        assert_eq!(
            json_fault(&format!("[{list}]")),
            format!("400000:1: {many}")
        );
    }

    #[test]
    fn nothing_is_lost_behind_a_nul() {
        let text = "version: 1\ncases: é\0\nmore: x";
        assert_eq!(
            yaml_fault(text),
            "2:9: the character U+0000 cannot stand in YAML"
        );
        assert!(yaml::parse("title: \"\\0\"\r\nmore: x").is_ok());
    }

    #[test]
    fn places_are_in_lines_that_an_editor_shows() {
        let without_a_break = "version: 1\ncases";
        assert_eq!(
            yaml_fault(without_a_break),
            "2:6: this is not valid YAML: simple key expected"
        );
        let carriage_return = "version: 1\rcases: 2\nmore: [";
        let message =
            "this is not valid YAML: while parsing a node, did not find expected node content";
        assert_eq!(yaml_fault(carriage_return), format!("2:8: {message}"));
    }

    #[test]
    fn of_a_long_line_only_what_is_near_is_shown() {
        let text = format!("[{}x]", " ".repeat(1_000_000));
        let diagnostic = json::parse(&text).expect_err("no JSON");
        let printed = Diagnostics::new("mapping.json", &text, vec![diagnostic]).to_string();
        assert!(
            printed.contains("  --> mapping.json:1:1000002\n"),
            "{printed}"
        );
        assert!(
            printed.contains(&format!("1 | {}x]\n  | {0}^\n", " ".repeat(100))),
            "{printed}"
        );
    }

    #[test]
    fn a_hundred_thousand_keys_are_each_looked_at_once() {
        let keys = numbered(100_000, |n| format!("k{n}: v"), "\n");
        let (_, diagnostics) = yaml::parse(&keys).expect("within the limits");
        assert!(diagnostics.is_empty());
        let keys = numbered(100_000, |n| format!(r#""k{n}": [1]"#), ",");
        assert!(json::parse(&format!("{{{keys}}}")).is_ok());
    }
}

mod expressions {
    use std::borrow::Cow;

    use super::{
        Definitions, MANY, MAX_ITEMS, MAX_TEXT, Scope, Value, Variables, expression, json, numbered,
    };

    /// Returns the position in the text and the message.
    fn refusal(text: &str) -> (usize, String) {
        let diagnostic =
            expression::parse(text, &Definitions::default()).expect_err("beyond a limit");
        (diagnostic.at.start, diagnostic.message)
    }

    fn evaluate(text: &str, event: &Value) -> Result<Option<String>, String> {
        let template = expression::parse(text, &Definitions::default()).expect("within the limits");
        let variables = Variables::default();
        let scope = Scope {
            event,
            mapping: "m",
            trigger: "eventbridge",
            domain: "d",
            variables: &variables,
        };
        let text = template.evaluate_text(&scope);
        text.map(|text| text.map(Cow::into_owned))
            .map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn a_reference_takes_no_more_steps_than_an_event_has_levels() {
        let message = "a reference takes at most 127 steps, found more".to_owned();
        assert_eq!(
            refusal(&format!("${}", ".a".repeat(10_000))),
            (1 + 127 * 2, message.clone())
        );
        assert_eq!(
            refusal(&format!("${}", "[*]".repeat(10_000))),
            (1 + 127 * 3, message)
        );
        let event = (0..127).fold(json!("deep"), |inner, _| json!({ "a": inner }));
        let deepest = format!("${}", ".a".repeat(127));
        assert_eq!(evaluate(&deepest, &event), Ok(Some("deep".to_owned())));
    }

    #[test]
    fn filters_and_holes_are_counted() {
        let message = "an expression takes at most 100 filters, found more".to_owned();
        assert_eq!(
            refusal(&format!("$.a{}", "|trim".repeat(10_000))),
            (3 + 100 * 5 + 1, message)
        );
        let message = "a text takes at most 1000 interpolations, found more".to_owned();
        assert_eq!(refusal(&"{{$.a}}".repeat(10_000)), (7_000, message));
        let event = json!({ "a": "x" });
        assert_eq!(
            evaluate(&format!("$.a{}", "|trim".repeat(100)), &event),
            Ok(Some("x".to_owned()))
        );
        assert_eq!(
            evaluate(&"{{$.a}}".repeat(1_000), &event),
            Ok(Some("x".repeat(1_000)))
        );
    }

    #[test]
    fn numbers_beyond_a_machine_are_refused_or_saturate() {
        let index = (1, "this is no index of a list".to_owned());
        assert_eq!(refusal("$[99999999999999999999]"), index);
        assert_eq!(refusal("$[-99999999999999999999]"), index);
        let message =
            "`truncate` takes a whole number of characters above 0, found `18446744073709551616`";
        assert_eq!(
            refusal("$.a | truncate(18446744073709551616)"),
            (6, message.to_owned())
        );
        let event = json!({ "a": "x", "list": [1] });
        assert_eq!(
            evaluate("$.a | truncate(18446744073709551615)", &event),
            Ok(Some("x".to_owned()))
        );
        assert_eq!(evaluate("$.list[18446744073709551615]", &event), Ok(None));
        assert_eq!(evaluate("$.list[-18446744073709551615]", &event), Ok(None));
    }

    #[test]
    fn text_grows_no_further_than_the_limit() {
        let event = json!({ "a": "a", "long": "a".repeat(1_000_000) });
        let limit = format!("gives more than {MAX_TEXT} bytes of text");
        let replaced =
            |times: usize| format!("$.a{}", " | replace('a', 'aaaaaaaaaa')".repeat(times));
        assert_eq!(
            evaluate(&replaced(6), &event),
            Ok(Some("a".repeat(1_000_000)))
        );
        assert_eq!(
            evaluate(&replaced(10), &event),
            Err(format!("`{}`: `replace` {limit}", replaced(10)))
        );

        let joined = format!(
            "$.a{}",
            " | split('b') | join('a') | replace('a', 'ababab')".repeat(30)
        );
        assert_eq!(
            evaluate(&joined, &event),
            Err(format!("`{joined}`: `replace` {limit}"))
        );
        let separated = format!(
            "$.long | truncate(100000) | replace('a', 'b,') | split('b') | join('{}')",
            "a".repeat(100)
        );
        assert_eq!(
            evaluate(&separated, &event),
            Err(format!("`{separated}`: `join` {limit}"))
        );

        let around = "`$.long`: the text that it stands in ".to_owned() + &limit;
        assert_eq!(evaluate(&"{{ $.long }}".repeat(9), &event), Err(around));
        assert_eq!(
            evaluate(&"{{ $.long }}".repeat(8), &event),
            Ok(Some("a".repeat(8_000_000)))
        );
    }

    #[test]
    fn lists_grow_no_further_than_the_limit() {
        let event = json!({ "long": ",".repeat(MAX_ITEMS) });
        let limit =
            format!("`$.long | split(',') | count`: `split` gives more than {MAX_ITEMS} items");
        assert_eq!(evaluate("$.long | split(',') | count", &event), Err(limit));
        let event = json!({ "long": ",".repeat(MAX_ITEMS - 1) });
        assert_eq!(
            evaluate("$.long | split(',') | count", &event),
            Ok(Some(MAX_ITEMS.to_string()))
        );
    }

    #[test]
    fn every_item_of_a_large_event_is_taken_once() {
        let row = json!(vec![json!({ "n": [1, 2], "text": "x".repeat(80) }); 100]);
        let event = json!({ "rows": vec![row; 600] });
        assert!(event.to_string().len() > 6_000_000);
        let count = |reference: &str| evaluate(&format!("{reference} | count"), &event);
        assert_eq!(count("$.rows[*][*].n[*]"), Ok(Some("120000".to_owned())));
        assert_eq!(count("$.rows[*][*][*][*]"), Ok(Some("0".to_owned())));
        assert_eq!(
            count(&format!("$.rows{}", "[*]".repeat(126))),
            Ok(Some("0".to_owned()))
        );
    }

    #[test]
    fn what_is_long_is_read_once() {
        let long = "x".repeat(4_000_000);
        let event = json!({ "a": "x" });
        assert_eq!(
            evaluate(&format!("{long}{{{{ $.a }}}}"), &event),
            Ok(Some(format!("{long}x")))
        );
        assert_eq!(evaluate(&format!("$.{long}"), &event), Ok(None));
        assert_eq!(
            evaluate(&format!("{{{{ '{}' }}}}", "''".repeat(MANY)), &event),
            Ok(Some("'".repeat(MANY)))
        );
        let arguments = numbered(MANY, |n| n.to_string(), ",");
        let message = format!("`truncate` takes one argument, found {MANY}");
        assert_eq!(
            refusal(&format!("$.a | truncate({arguments})")),
            (6, message)
        );
    }
}

mod patterns {
    use super::{MANY, Pattern, Value, json, numbered, only};

    fn pattern(text: &str) -> Pattern {
        Pattern::read("pattern.json", text).expect("within the limits")
    }

    fn diagnostic(text: &str) -> String {
        only(
            &Pattern::read("pattern.json", text)
                .expect_err("beyond a limit")
                .list,
        )
    }

    /// Returns `{"f0": {"$or": […]}, "f1": …}`, with `lists` lists of `each` alternatives.
    fn alternatives(lists: usize, each: usize) -> String {
        let alternatives = numbered(each, |n| format!(r#"{{"a{n}": [1]}}"#), ", ");
        let list = |n| format!(r#""f{n}": {{"$or": [{alternatives}]}}"#);
        format!("{{{}}}", numbered(lists, list, ",\n"))
    }

    #[test]
    fn combinations_are_counted_before_they_are_made() {
        let many = "the `$or` lists of an event pattern make at most 1000 combinations, found more";
        assert_eq!(diagnostic(&alternatives(2, 100)), format!("2:15: {many}"));
        assert_eq!(diagnostic(&alternatives(100, 100)), format!("2:15: {many}"));
        assert_eq!(diagnostic(&alternatives(1, MANY)), format!("1:16: {many}"));
    }

    #[test]
    fn fields_are_counted() {
        let fields = |count: usize| {
            format!(
                "{{{}}}",
                numbered(count, |n| format!(r#""f{n}": [1]"#), ",\n")
            )
        };
        assert!(Pattern::read("pattern.json", &fields(256)).is_ok());
        let many = "an event pattern takes 256 fields, found more";
        assert_eq!(diagnostic(&fields(257)), format!("257:1: {many}"));
        assert_eq!(diagnostic(&fields(100_000)), format!("257:1: {many}"));
    }

    #[test]
    fn a_long_name_does_not_stand_in_every_path() {
        let fields = numbered(200, |n| format!(r#""f{n}": [1]"#), ",\n");
        let text = |length: usize| format!(r#"{{"{}": {{{fields}}}}}"#, "x".repeat(length));
        assert!(Pattern::read("pattern.json", &text(4_000)).is_ok());
        let long =
            "the paths of an event pattern have at most 1000000 characters together, found more";
        assert_eq!(diagnostic(&text(100_000)), format!("9:1: {long}"));
    }

    #[test]
    fn wildcards_take_no_more_steps_than_the_text_has() {
        let wildcard = format!("*{}", "a*".repeat(50_000));
        let pattern = pattern(&format!(r#"{{"t": [{{"wildcard": "{wildcard}b"}}]}}"#));
        let text = "a".repeat(1_000_000);
        assert!(!pattern.matches(&json!({ "t": text })));
        assert!(pattern.matches(&json!({ "t": text + "b" })));
    }

    #[test]
    fn numbers_may_be_long() {
        let digits = "1".repeat(100_000);
        let inexact = "a double cannot hold this integer exactly, so no event is sure to match it";
        assert_eq!(
            diagnostic(&format!(r#"{{"n": [{digits}]}}"#)),
            format!("1:8: {inexact}")
        );
        let beyond = "this number has more digits than a double can hold";
        let numeric = |number: &str| format!(r#"{{"n": [{{"numeric": ["<", {number}]}}]}}"#);
        assert_eq!(
            diagnostic(&numeric(&format!("0.{digits}"))),
            format!("1:26: {beyond}")
        );
        assert_eq!(
            diagnostic(&numeric("1e99999999999999999999")),
            format!("1:26: {beyond}")
        );
        let pattern = pattern(&numeric("10"));
        for number in [&digits, &format!("-0.{digits}"), "1e-99999999999999999999"] {
            let event: Value =
                serde_json::from_str(&format!(r#"{{"n": {number}}}"#)).expect("JSON");
            assert!(!pattern.matches(&event), "not comparable, so never below");
        }
    }

    #[test]
    fn arrays_within_arrays_multiply_no_choices() {
        let inner: Vec<Value> = (0..300).map(|n| json!({ "c": n, "d": n })).collect();
        let outer: Vec<Value> = (0..300).map(|n| json!({ "b": inner, "e": n })).collect();
        let event = json!({ "a": outer });
        let all = r#"{"a": {"b": {"c": [{"exists": true}], "d": [{"exists": true}]}, "e": [299]}}"#;
        assert!(pattern(all).matches(&event));
        // A name with dots makes its own array below a path that is inside another array: three of them multiply.
        let pattern = pattern(
            r#"{"a": {"a": [1], "b": {"a": [1], "b": {"a": [1], "z": [1]}, "z": [1]}, "z": [1]}}"#,
        );
        let event = |length: usize| {
            let list = vec![json!({ "a": 1, "z": 1 }); length];
            json!({ "a": list, "a.b": list, "a.b.b": list })
        };
        assert!(pattern.matches(&event(40)));
        assert!(!pattern.matches(&event(10_000)), "given up");
    }
}
