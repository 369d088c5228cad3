//! Event patterns compared with the results of AWS Event Ruler, and the messages about wrong patterns.
//!
//! `patterns/hand.jsonl` holds pairs of pattern and event (JSON as text) with the result of Event Ruler at commit 337e8d9: `true`,
//! `false`, or `"error"` with its message. `patterns/more.jsonl` holds pairs in the same form, with results derived from its source.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails"
)]

use std::collections::BTreeMap;

use mapping::diagnostic::Diagnostics;
use mapping::pattern::{Pattern, unquoted_ids};
use mapping::{json, yaml};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Returns the result of the match, or `None` if the pattern is refused.
fn verdict(pattern: &str, event: &Value) -> Option<bool> {
    let node = json::parse(pattern).ok()?;
    Some(Pattern::compile(&node).ok()?.matches(event))
}

/// Returns the patterns whose result differs from Event Ruler's, each with our result.
fn disagreements(pairs: &str) -> Vec<(String, Value)> {
    let pairs = pairs
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a pair"));
    let disagreements = pairs.filter_map(|pair| {
        let text = |name: &str| pair[name].as_str().expect("text").to_owned();
        let event = serde_json::from_str(&text("event")).expect("an event");
        let ours = verdict(&text("pattern"), &event).map_or(json!("error"), Value::from);
        (ours != pair["ruler"]).then(|| (text("pattern"), ours))
    });
    disagreements.collect()
}

#[test]
fn agrees_with_event_ruler() {
    // Integers that a double cannot represent exactly are refused. Event Ruler compares their digits.
    let refused = [
        r#"{"detail": {"big": [123456789012345678]}}"#,
        r#"{"detail": {"big": [123456789012345679]}}"#,
    ];
    let expected = refused.map(|pattern| (pattern.to_owned(), json!("error")));
    assert_eq!(disagreements(include_str!("patterns/hand.jsonl")), expected);
}

#[test]
fn agrees_with_event_rulers_source() {
    assert_eq!(disagreements(include_str!("patterns/more.jsonl")), []);
}

#[test]
fn of_many_names_side_by_side_each_is_found() {
    for count in [1, 8, 9, 40] {
        let names: Vec<String> = (0..count).map(|number| format!("n{number}")).collect();
        let object = |value: &Value| -> Value {
            let members = names.iter().map(|name| (name.clone(), value.clone()));
            Value::Object(members.collect())
        };
        let pattern = json!({ "detail": object(&json!(["yes"])) }).to_string();
        let event = json!({ "detail": object(&json!("yes")) });
        assert_eq!(verdict(&pattern, &event), Some(true), "{count}");
        for name in &names {
            let mut event = event.clone();
            event["detail"][name] = json!("no");
            assert_eq!(verdict(&pattern, &event), Some(false), "{count}: {name}");
        }
    }
}

#[test]
fn a_pattern_in_yaml_means_what_it_means_in_json() {
    let in_json = r#"{"source": ["com.example"], "account": ["012345679012"],
        "detail": {"amount": [{"numeric": [">=", 1.50, "<", 2]}], "note": [null, {"exists": false}], "vip": [true, "no"]}}"#;
    let in_blocks = "
source:
  - com.example
account: [012345679012]
detail:
  amount:
    - numeric: ['>=', 1.50, '<', 2]
  note:
    - null
    - exists: false
  vip: [true, no]
";
    let in_flow = "{source: [com.example], account: [\"012345679012\"], detail: {amount: [{numeric: ['>=', 1.50, '<', 2]}],
  note: [null, {exists: false}], vip: [true, no]}}";
    let compiled = |node| format!("{:?}", Pattern::compile(&node).expect("valid"));
    let expected = compiled(json::parse(in_json).expect("JSON"));
    assert_eq!(compiled(yaml::parse(in_blocks).expect("YAML").0), expected);
    assert_eq!(compiled(yaml::parse(in_flow).expect("YAML").0), expected);
}

#[test]
fn numbers_are_no_account_ids() {
    let text = "
account: [111122223333, '111122223333', 012345679012, {anything-but: [444455556666]}]
detail: { account: [1] }
$or:
  - id: [7, {numeric: ['>', 5]}]
  - source: [x]
";
    let (node, _) = yaml::parse(text).expect("YAML");
    assert!(Pattern::compile(&node).is_ok());
    insta::assert_snapshot!(Diagnostics::new("mapping.yaml", text, unquoted_ids(&node)));
}

#[test]
fn every_fault_is_said_at_its_place() {
    let text = "
source: com.example.orders
account: []
region: {}
time: [[a], ]
id: [{}]
detail:
  regex: [{regex: 'a.*'}]
  misspelt: [{prefixx: a}]
  two: [{prefix: a, suffix: b}]
  prefix: [{prefix: 3}, {prefix: [a, b]}, {prefix: {suffix: a}}, {suffix: {equals-ignore-case: null}}]
  exists: [{exists: 'true'}]
  numeric: [{numeric: 5}, {numeric: ['>']}, {numeric: ['!=', 1]}, {numeric: ['<', '1']}]
  range: [{numeric: ['<', 3, '>', 1]}, {numeric: ['>', 5, '<', 1]}]
  cidr: [{cidr: banana}, {cidr: 10.0.0.33/32}]
  wildcard: [{wildcard: '**'}, {wildcard: 'a\\b'}]
  anything: [{anything-but: null}, {anything-but: [a, 1]}, {anything-but: []}, {anything-but: {prefix: ''}}]
  nothing: [{anything-but: {numeric: ['>', 1]}}]
  long: [123456789012345678, {numeric: ['>', 0.12345678901234567890]}]
  empty:
    -
  a.b: [1]
  a: {b: [2]}
  a.b: [3]
  $or:
    - prefix: [x]
    - text
$or: [{source: [x]}]
";
    insta::assert_snapshot!(Pattern::read("pattern.yaml", text).expect_err("diagnostics"));
}

#[test]
fn combinations_have_a_limit() {
    let two_to_the = |power: usize| {
        let lists =
            (0..power).map(|n| format!(r#""f{n}": {{"$or": [{{"a": [1]}}, {{"b": [1]}}]}}"#));
        format!("{{{}}}", lists.collect::<Vec<_>>().join(", "))
    };
    let event: Value = (0..9).map(|n| (format!("f{n}"), json!({"b": 1}))).collect();
    assert_eq!(verdict(&two_to_the(9), &event), Some(true));
    let node = json::parse(&two_to_the(10)).expect("JSON");
    let diagnostics = Pattern::compile(&node).expect_err("too many");
    assert_eq!(diagnostics.len(), 1);
    assert!(
        diagnostics[0]
            .message
            .ends_with("make at most 1000 combinations, found more"),
        "{}",
        diagnostics[0].message
    );
}

#[test]
fn long_arrays_take_no_time() {
    let elements: Vec<Value> = (0..20_000)
        .map(|n| json!({"a": n, "b": [{"c": 1}, {"d": n}], "e": 1}))
        .collect();
    let event = json!({"x": elements, "y": elements});
    for (pattern, expected) in [
        (
            r#"{"x": {"a": [{"numeric": [">=", 0]}], "e": [1]}, "y": {"a": [19999], "e": [1]}}"#,
            true,
        ),
        (
            r#"{"x": {"a": [{"exists": true}], "b": {"c": [1], "d": [{"exists": true}]}, "e": [1]}}"#,
            false,
        ),
        (
            r#"{"x": {"a": [{"exists": true}], "b": {"c": [1], "d": [{"exists": false}]}}, "y": {"b": {"d": [7]}, "e": [2]}}"#,
            false,
        ),
    ] {
        assert_eq!(verdict(pattern, &event), Some(expected), "{pattern}");
    }
}

/// The definition of patterns without operators.
///
/// A pattern matches if one value can be chosen for each path, with no two from different elements of one array.
mod definition {
    use super::{BTreeMap, Value};

    /// The list of values of each path, including `{"exists": …}`.
    pub(super) type Branch = BTreeMap<String, Vec<Value>>;

    /// Returns the combinations of `$or`, or `None` if one names a path twice.
    pub(super) fn branches(pattern: &Value) -> Option<Vec<Branch>> {
        let mut branches = vec![Branch::new()];
        object(pattern, "", &mut branches)?;
        Some(branches)
    }

    fn object(pattern: &Value, path: &str, branches: &mut Vec<Branch>) -> Option<()> {
        for (name, value) in pattern.as_object().expect("an object") {
            let below = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            match value {
                Value::Array(alternatives) if name == "$or" => {
                    let before = std::mem::take(branches);
                    for alternative in alternatives {
                        let mut next = before.clone();
                        object(alternative, path, &mut next)?;
                        branches.extend(next);
                    }
                }
                Value::Array(values) => {
                    for branch in &mut *branches {
                        if branch.insert(below.clone(), values.clone()).is_some() {
                            return None;
                        }
                    }
                }
                below_it => object(below_it, &below, branches)?,
            }
        }
        Some(())
    }

    type Places = BTreeMap<usize, usize>;

    pub(super) fn flatten(
        value: &Value,
        path: &str,
        places: &Places,
        arrays: &mut usize,
        found: &mut Vec<(String, Value, Places)>,
    ) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    let below = if path.is_empty() {
                        name.clone()
                    } else {
                        format!("{path}.{name}")
                    };
                    flatten(value, &below, places, arrays, found);
                }
            }
            Value::Array(values) => {
                let array = *arrays;
                *arrays += 1;
                for (index, value) in values.iter().enumerate() {
                    let mut inside = places.clone();
                    if value.is_object() || value.is_array() {
                        inside.insert(array, index);
                    }
                    flatten(value, path, &inside, arrays, found);
                }
            }
            leaf => found.push((path.to_owned(), leaf.clone(), places.clone())),
        }
    }

    fn merged(one: &Places, other: &Places) -> Option<Places> {
        let agree = other
            .iter()
            .all(|(array, index)| one.get(array).is_none_or(|found| found == index));
        agree.then(|| {
            one.iter()
                .chain(other)
                .map(|(array, index)| (*array, *index))
                .collect()
        })
    }

    pub(super) fn holds(
        fields: &[(&String, &Vec<Value>)],
        event: &[(String, Value, Places)],
        chosen: &Places,
    ) -> bool {
        let Some(((path, values), rest)) = fields.split_first() else {
            return true;
        };
        let exists = |expected: bool| values.iter().any(|value| value["exists"] == expected);
        let here = || {
            event
                .iter()
                .filter(|(found, ..)| found == *path)
                .filter_map(|(_, value, places)| Some((value, merged(chosen, places)?)))
        };
        let absent = exists(false) && here().next().is_none() && holds(rest, event, chosen);
        absent
            || here().any(|(value, chosen)| {
                (exists(true) || values.contains(value)) && holds(rest, event, &chosen)
            })
    }
}

fn any_event() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![(1..3).prop_map(|number| json!(number)), Just(json!("x"))];
    let value = leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    });
    prop::collection::btree_map("[abc]", value, 0..4).prop_map(|map| map.into_iter().collect())
}

fn any_plain_pattern() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        4 => (1..3).prop_map(|number| json!(number)),
        2 => Just(json!("x")),
        1 => any::<bool>().prop_map(|exists| json!({ "exists": exists })),
    ];
    let field = prop::collection::vec(value, 1..3).prop_map(Value::from);
    let object = field.prop_recursive(4, 16, 3, |inner| {
        let object = prop::collection::btree_map("[abc](\\.[abc])?", inner, 1..4)
            .prop_map(|map| map.into_iter().collect::<Value>());
        let is_group = |value: &Value| value.is_object();
        let or =
            prop::collection::vec(object.clone(), 2..3).prop_map(|groups| json!({ "$or": groups }));
        prop_oneof![3 => object.clone(), 1 => or.prop_filter("an object", is_group)]
    });
    object.prop_filter("an object", Value::is_object)
}

/// Generates patterns that are almost correct: operators with operands of every kind.
fn any_pattern() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |number| serde_json::Number::from_f64(number)
            .map(Value::from)),
        any::<i64>().prop_map(Value::from),
        prop_oneof![
            Just("="),
            Just("<"),
            Just("<="),
            Just(">"),
            Just(">="),
            Just("10.0.0.1"),
            Just("10.0.0.0/8"),
            Just("::1/64"),
            Just("a*b\\*"),
            Just("\"")
        ]
        .prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        "[a-c]",
        Just(String::new()),
        "[a.]{0,4}",
        prop::sample::select(vec![
            "$or",
            "prefix",
            "suffix",
            "equals-ignore-case",
            "anything-but",
            "numeric",
            "exists",
            "cidr",
            "wildcard",
            "exactly",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(6, 48, 4, move |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => prop::collection::btree_map(name.clone(), inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn matches_what_the_definition_matches(pattern in any_plain_pattern(), event in any_event()) {
        let expected = definition::branches(&pattern).map(|branches| {
            let mut found = Vec::new();
            definition::flatten(&event, "", &BTreeMap::new(), &mut 0, &mut found);
            branches.iter().any(|branch| definition::holds(&branch.iter().collect::<Vec<_>>(), &found, &BTreeMap::new()))
        });
        prop_assert_eq!(verdict(&pattern.to_string(), &event), expected);
    }

    #[test]
    fn never_panics(pattern in any_pattern(), event in any_pattern()) {
        verdict(&pattern.to_string(), &event);
        let field = json!({ "a": [pattern] });
        verdict(&field.to_string(), &json!({ "a": event }));
    }
}
