//! Conditions that hold, that do not, and that are refused.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::members::Member;
use crate::table::value;

fn item() -> Attributes {
    let item = json!({
        "id": { "S": "a" }, "n": { "N": "9" }, "yes": { "BOOL": true }, "nil": { "NULL": true },
        "m": { "M": { "status": { "S": "x" } } }, "pair": { "SS": ["a", "b"] },
        "l": { "L": [{ "N": "1.0" }] },
    });
    value::attributes(&Member::body(&item)).expect("a sound item")
}

fn read(text: &str) -> Result<Condition, String> {
    let body: Value = json!({
        "ExpressionAttributeNames": { "#s": "status" },
        "ExpressionAttributeValues": {
            ":a": { "S": "a" }, ":x": { "S": "x" }, ":9": { "N": "9.00" }, ":10": { "N": "10" },
            ":yes": { "BOOL": true }, ":set": { "SS": ["b", "a"] }, ":l": { "L": [{ "N": "1" }] },
            ":m": { "M": { "status": { "S": "x" } } }, ":nil": { "NULL": true },
        },
    });
    Placeholders::read(&Member::body(&body), true)
        .and_then(|mut placeholders| Condition::read(text, &mut placeholders))
        .map_err(|refusal| refusal.message())
}

#[test]
fn conditions_that_hold_and_that_do_not() {
    for (text, holds) in [
        ("attribute_exists(id)", true),
        ("attribute_exists(z)", false),
        ("attribute_not_exists(z)", true),
        ("attribute_not_exists(m.#s)", false),
        ("attribute_not_exists(id.#s)", true),
        ("id = :a", true),
        ("id = :x", false),
        (":a = id", true),
        ("id <> :x", true),
        ("id <> :9", true),
        ("n = :9", true),
        ("n < :10", true),
        ("n > :10", false),
        ("n <= :9", true),
        ("n >= :10", false),
        ("n < :a", false),
        ("n > :a", false),
        ("id < :x", true),
        ("yes = :yes", true),
        ("nil = :nil", true),
        ("pair = :set", true),
        ("l = :l", true),
        ("m = :m", true),
        ("m.#s = :x", true),
        ("z = :a", false),
        ("z <> :a", true),
        ("z = y", false),
        ("z <> y", true),
        ("z < :9", false),
        ("NOT z < :9", true),
        ("n BETWEEN :9 AND :10", true),
        ("n between :9 and :9", true),
        ("z BETWEEN :9 AND :10", false),
        ("id BETWEEN :9 AND :10", false),
        ("NOT n BETWEEN :9 AND :10", false),
        ("id = :a AND n = :10", false),
        ("id = :a OR n = :10", true),
        ("id = :x AND n = :10 OR yes = :yes", true),
        ("id = :x AND (n = :10 OR yes = :yes)", false),
        ("NOT id = :a AND n = :10 OR yes = :yes", true),
        ("NOT (id = :a AND n = :10)", true),
        ("not NOT id = :a", true),
        ("(id = :a)", true),
        ("(id = :a) AND (n = :9)", true),
        ("((id = :a) AND (n = :9))", true),
        ("attribute_not_exists(id) OR (n < :10 AND m.#s = :x)", true),
    ] {
        let condition = read(text).expect(text);
        assert_eq!(condition.holds(&item()), holds, "{text}");
    }
}

#[test]
fn conditions_that_are_refused() {
    for (text, message) in [
        ("", "can not be empty"),
        ("id", "token: \"<EOF>\""),
        ("id = ", "token: \"<EOF>\""),
        ("id == :a", "token: \"=\""),
        ("id = :a AND", "token: \"<EOF>\""),
        ("id = :a id = :a", "token: \"id\""),
        ("(id = :a", "token: \"<EOF>\""),
        ("id = :a)", "token: \")\""),
        ("((id = :a))", "redundant parentheses"),
        ("NOT ((id = :a))", "redundant parentheses"),
        ("id = :b", "not defined; attribute value: :b"),
        ("#n = :a", "not defined; attribute name: #n"),
        ("status = :a", "reserved keyword: status"),
        ("id = id", "must be distinct"),
        ("n < :yes", "operand type: BOOL"),
        ("n BETWEEN :10 AND :9", "upper bound"),
        ("n BETWEEN :9 AND :a", "same data type"),
        ("n BETWEEN :9", "token: \"<EOF>\""),
        ("n IN (:9)", "IN is not supported"),
        ("contains(pair, :a)", "contains is not supported"),
        ("begins_with(id, :a)", "begins_with is not supported"),
        ("attribute_type(id, :a)", "attribute_type is not supported"),
        ("size(id) > :9", "size is not supported"),
        ("id = size(id)", "size as an operand is not supported"),
        ("exists(id)", "Invalid function name; function: exists"),
        ("if_not_exists(id, :a) = :a", "not allowed in a condition"),
        ("attribute_exists(:a)", "requires a document path"),
        ("attribute_exists(id, n)", "number of operands"),
        ("attribute_exists()", "token: \")\""),
        ("attribute_exists id", "token: \"id\""),
    ] {
        let refusal = read(text).expect_err(text);
        assert!(refusal.contains(message), "{text}: {refusal}");
    }
    let long = format!("id = :a{}", " OR id = :a".repeat(400));
    assert!(
        read(&long)
            .expect_err("too long")
            .contains("maximum allowed size")
    );
}

/// A condition's text, and whether the item meets it.
fn any_condition() -> impl Strategy<Value = (String, bool)> {
    let leaf = prop::sample::select(vec![
        ("id = :a", true),
        ("n > :10", false),
        ("attribute_exists(m.#s)", true),
        ("attribute_exists(z)", false),
        ("n BETWEEN :9 AND :10", true),
    ]);
    let leaf = leaf.prop_map(|(text, holds)| (text.to_owned(), holds));
    leaf.prop_recursive(4, 12, 2, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            inner.prop_map(|(text, holds)| (format!("NOT ({text})"), !holds)),
            pair.clone().prop_map(|((one, a), (other, b))| {
                (format!("NOT ({one}) OR NOT ({other})"), !a || !b)
            }),
            pair.prop_map(|((one, a), (other, b))| {
                (format!("NOT ({one}) AND NOT ({other})"), !a && !b)
            }),
        ]
    })
}

proptest! {
    #[test]
    fn logic_is_that_of_booleans((text, holds) in any_condition()) {
        match read(&text) {
            Ok(condition) => prop_assert_eq!(condition.holds(&item()), holds, "{}", text),
            Err(refusal) => prop_assert!(refusal.contains("maximum allowed size"), "{}", refusal),
        }
    }
}
