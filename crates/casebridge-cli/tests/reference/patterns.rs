//! The operators of event patterns, each with a value that matches and one that does not, as the library decides.

use mapping::pattern::Pattern;
use mapping::yaml;
use serde_json::{Value, json};

use super::markdown::{self, code};

/// A pattern over `x`, what it asks for, an `x` that matches and one that does not; null is none at all.
type Row = (&'static str, &'static str, Value, Value);

fn rows() -> Vec<Row> {
    vec![
        (
            "x: [DE, CH]",
            "one of these values; types are never converted",
            json!("CH"),
            json!("AT"),
        ),
        (
            "x: [true]",
            "the boolean; the text of a contact attribute is `[\"true\"]`",
            json!(true),
            json!("true"),
        ),
        (
            "x: [{ prefix: order- }]",
            "text that begins so",
            json!("order-7"),
            json!("my order-7"),
        ),
        (
            "x: [{ suffix: .png }]",
            "text that ends so",
            json!("logo.png"),
            json!("logo.PNG"),
        ),
        (
            "x: [{ prefix: { equals-ignore-case: order } }]",
            "the same in any letter case",
            json!("ORDER-7"),
            json!("7"),
        ),
        (
            "x: [{ equals-ignore-case: voice }]",
            "this text in any letter case",
            json!("Voice"),
            json!("Chat"),
        ),
        (
            "x: [{ wildcard: \"*/tickets/*\" }]",
            "text in which `*` stands for any characters",
            json!("eu/tickets/7"),
            json!("eu/orders/7"),
        ),
        (
            "x: [{ anything-but: [test, demo] }]",
            "any value but these",
            json!("shop"),
            json!("test"),
        ),
        (
            "x: [{ anything-but: { prefix: test } }]",
            "text that does not begin so",
            json!("shop"),
            json!("test-7"),
        ),
        (
            "x: [{ numeric: [\">=\", 100] }]",
            "a number in the range",
            json!(100),
            json!(99.99),
        ),
        (
            "x: [{ numeric: [\">\", 0, \"<\", 5] }]",
            "a range with two ends",
            json!(3),
            json!(5),
        ),
        (
            "x: [{ exists: true }]",
            "any value at all",
            json!("anything"),
            Value::Null,
        ),
        (
            "x: [{ exists: false }]",
            "no value",
            Value::Null,
            json!("anything"),
        ),
        (
            "x: [{ cidr: 10.0.0.0/24 }]",
            "an IP address of the network",
            json!("10.0.0.7"),
            json!("10.0.1.7"),
        ),
        (
            "x: [VOICE, { prefix: TA }]",
            "one of several, of any kind",
            json!("TASK"),
            json!("CHAT"),
        ),
        (
            "x: [kettle]",
            "in a list, one item that matches",
            json!(["toaster", "kettle"]),
            json!(["toaster"]),
        ),
        (
            "$or: [{ x: [{ numeric: [\">\", 500] }] }, { x: [-1] }]",
            "one of these groups",
            json!(501),
            json!(500),
        ),
    ]
}

pub(crate) fn table() -> String {
    let cells: Vec<[String; 4]> = rows()
        .into_iter()
        .map(|(pattern, asks, matching, other)| {
            let (node, _) = yaml::parse(pattern).expect("the pattern is YAML");
            let compiled = Pattern::compile(&node)
                .unwrap_or_else(|diagnostics| panic!("{pattern}: {diagnostics:?}"));
            assert!(
                compiled.matches(&event(&matching)),
                "{pattern} and {matching}"
            );
            assert!(!compiled.matches(&event(&other)), "{pattern} and {other}");
            [
                code(pattern),
                asks.to_owned(),
                shown(&matching),
                shown(&other),
            ]
        })
        .collect();
    let columns = [
        "pattern",
        "asks for",
        "matches where `$.x` is",
        "does not where it is",
    ];
    markdown::table(columns, &cells)
}

fn event(x: &Value) -> Value {
    match x {
        Value::Null => json!({ "y": 1 }),
        x => json!({ "x": x }),
    }
}

fn shown(x: &Value) -> String {
    match x {
        Value::Null => "absent".to_owned(),
        x => code(&x.to_string()),
    }
}
