//! What updates leave of an item, and updates that are refused.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::members::Member;
use crate::table::value;

fn item() -> Attributes {
    let item = json!({
        "id": { "S": "a" }, "n": { "N": "0.1" }, "pair": { "SS": ["a", "b"] }, "word": { "S": "t" },
        "m": { "M": { "x": { "N": "1" }, "below": { "M": {} } } },
    });
    value::attributes(&Member::body(&item)).expect("a sound item")
}

fn read(text: &str) -> Result<Update, String> {
    let body: Value = json!({
        "ExpressionAttributeNames": { "#s": "status" },
        "ExpressionAttributeValues": {
            ":s": { "S": "x" }, ":2": { "N": "0.2" }, ":b": { "SS": ["b", "c"] },
            ":ab": { "SS": ["a", "b"] }, ":big": { "N": "9e125" },
        },
    });
    Placeholders::read(&Member::body(&body), true)
        .and_then(|mut placeholders| Update::read(text, &mut placeholders))
        .map_err(|refusal| refusal.message())
}

/// What is at the place in the item after the update.
fn after(text: &str, place: &str) -> Value {
    let changed = read(text).expect(text).apply(&item()).expect(text);
    let path = Path(place.split('.').map(str::to_owned).collect());
    path.find(&changed)
        .map_or(Value::Null, AttributeValue::to_plain)
}

#[test]
fn what_an_update_leaves() {
    for (text, place, left) in [
        ("SET #s = :s", "status", json!("x")),
        ("set #s=:s", "status", json!("x")),
        ("SET #s = id", "status", json!("a")),
        ("SET n = n + :2", "n", json!(0.3)),
        ("SET n = :2 + n", "n", json!(0.3)),
        ("SET n = n - :2", "n", json!(-0.1)),
        ("SET n = if_not_exists(z, :2) + n", "n", json!(0.3)),
        ("SET z = if_not_exists(z, :s)", "z", json!("x")),
        ("SET id2 = if_not_exists(id, :s)", "id2", json!("a")),
        (
            "SET z = if_not_exists(z, if_not_exists(y, id))",
            "z",
            json!("a"),
        ),
        ("SET m.#s = :s", "m.status", json!("x")),
        ("SET m.below.#s = m.x", "m.below.status", json!(1)),
        ("SET m = :s", "m", json!("x")),
        ("REMOVE n, z", "n", Value::Null),
        ("REMOVE m.x", "m", json!({ "below": {} })),
        ("REMOVE m.z", "m", json!({ "x": 1, "below": {} })),
        ("REMOVE n SET z = n", "z", json!(0.1)),
        ("SET z = n, n = id", "z", json!(0.1)),
        ("ADD n :2", "n", json!(0.3)),
        ("ADD z :2", "z", json!(0.2)),
        ("ADD pair :b", "pair", json!(["a", "b", "c"])),
        ("ADD z :b", "z", json!(["b", "c"])),
        ("DELETE pair :b", "pair", json!(["a"])),
        ("DELETE pair :ab", "set", Value::Null),
        ("DELETE z :b", "z", Value::Null),
        (
            "SET #s = :s REMOVE n ADD z :2 DELETE pair :b",
            "pair",
            json!(["a"]),
        ),
    ] {
        assert_eq!(after(text, place), left, "{text}");
    }
}

#[test]
fn updates_that_are_refused_as_they_are() {
    for (text, message) in [
        ("", "can not be empty"),
        ("n = :2", "token: \"n\""),
        ("SET", "token: \"<EOF>\""),
        ("SET n", "token: \"<EOF>\""),
        ("SET n = ", "token: \"<EOF>\""),
        ("SET n = :2,", "token: \"<EOF>\""),
        ("SET n = :2 SET z = :2", "can only be used once"),
        ("SET n = :2 REMOVE z SET y = :2", "can only be used once"),
        ("SET n = :2 REMOVE n", "paths overlap"),
        ("SET m.x = :2, m = :2", "path one: [m, x], path two: [m]"),
        ("SET n = n + :2 + :2", "token: \"+\""),
        ("SET n = n + :s", "operand type: S"),
        ("SET n = :b - n", "operand type: SS"),
        ("SET :s = n", "token: \":s\""),
        ("SET status = :s", "reserved keyword: status"),
        ("SET n = :1", "not defined; attribute value: :1"),
        ("SET #n = :2", "not defined; attribute name: #n"),
        ("SET l = list_append(l, :2)", "list_append is not supported"),
        (
            "SET l[0] = :2",
            "list's element in a document path is not supported",
        ),
        ("SET n = size(n)", "not allowed in an update"),
        ("SET n = sum(n)", "Invalid function name"),
        ("SET n = if_not_exists(n)", "token: \")\""),
        ("SET n = if_not_exists(:2, :2)", "token: \":2\""),
        ("ADD n = :2", "token: \"=\""),
        ("ADD n :s", "operator or function: ADD, operand type: S"),
        ("ADD m.x :2", "ADD below the top level is not supported"),
        (
            "DELETE pair :2",
            "operator or function: DELETE, operand type: N",
        ),
        ("DELETE pair", "token: \"<EOF>\""),
        ("REMOVE n :2", "token: \":2\""),
    ] {
        let refusal = read(text).expect_err(text);
        assert!(refusal.contains(message), "{text}: {refusal}");
    }
}

#[test]
fn updates_that_are_refused_for_the_item() {
    for (text, message) in [
        ("SET z = y", "does not exist in the item"),
        ("SET x = :2, z = x", "does not exist in the item"),
        ("SET n = z + :2", "does not exist in the item"),
        ("SET n = word + :2", "incorrect data type"),
        ("ADD word :2", "incorrect data type"),
        ("ADD n :b", "incorrect data type"),
        ("DELETE n :b", "incorrect data type"),
        ("SET z.x = :2", "invalid for update"),
        ("SET word.x = :2", "invalid for update"),
        ("REMOVE z.x", "invalid for update"),
        ("SET n = :big + :big", "overflow"),
        ("ADD n :big", "38 significant digits"),
    ] {
        let refusal = read(text).expect(text).apply(&item()).expect_err(text);
        assert!(refusal.message().contains(message), "{text}");
    }
}

#[test]
fn what_was_updated() {
    for (text, updated) in [
        ("SET m.x = :2, z = :2", json!({ "m": { "x": 1 } })),
        ("SET m.x = :2, m.below.y = :2", json!({ "m": { "x": 1 } })),
        ("REMOVE n, #s", json!({ "n": 0.1 })),
    ] {
        let update = read(text).expect(text);
        let projected = project(&item(), update.paths());
        assert_eq!(value::to_plain(&projected), updated, "{text}");
    }
}

proptest! {
    #[test]
    fn additions_add_up(numbers in prop::collection::vec(-1_000_000_i64..1_000_000, 1..20)) {
        let mut item = Attributes::new();
        let mut sum = 0;
        for (index, number) in numbers.into_iter().enumerate() {
            let text = if index % 2 == 0 { "ADD n :n" } else { "SET n = n + :n" };
            let body = json!({ "ExpressionAttributeValues": { ":n": { "N": number.to_string() } } });
            let item_after = Placeholders::read(&Member::body(&body), true)
                .and_then(|mut placeholders| Update::read(text, &mut placeholders))
                .and_then(|update| update.apply(&item));
            item = item_after.map_err(|refusal| TestCaseError::fail(refusal.message()))?;
            sum += number;
            prop_assert_eq!(value::to_plain(&item), json!({ "n": sum }));
        }
    }
}
