//! What Cases refuses, request by request, with the exception it answers.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::{emulator, post, profile_arn, with_profiles};

const CREATE: &str = "/domains/d-1/cases";

/// A body that is accepted, with `change` made to it.
fn body(change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let mut body = json!({
        "templateId": "t-order",
        "fields": [
            { "id": "title", "value": { "stringValue": "Order A-1 failed" } },
            { "id": "f-number", "value": { "stringValue": "A-1" } },
        ],
        "clientToken": "token",
        "performedBy": { "customEntity": "casebridge/test" },
        "tags": { "team": "orders" },
    });
    change(body.as_object_mut().expect("an object"));
    body.to_string()
}

/// The body with this value of the field, in place of the one it has.
fn with(id: &str, value: Value) -> String {
    body(|body| {
        let fields = body.get_mut("fields").and_then(Value::as_array_mut);
        let fields = fields.expect("fields");
        fields.retain(|field| field.get("id").is_none_or(|other| other != id));
        let field = [("id".to_owned(), json!(id)), ("value".to_owned(), value)];
        fields.push(Value::Object(field.into_iter().collect()));
    })
}

/// The body with a member set.
fn set(name: &str, value: Value) -> String {
    body(|body| {
        body.insert(name.to_owned(), value);
    })
}

fn text(text: &str) -> Value {
    json!({ "stringValue": text })
}

/// A text of so many characters, and twice as many bytes.
fn long(length: usize) -> Value {
    text(&"ä".repeat(length))
}

/// Posts each body in an emulator of its own and lists exception and message.
async fn answers(bodies: &[(&str, String)]) -> String {
    let mut answers = String::new();
    for (name, body) in bodies {
        let emulator = emulator();
        let (status, exception, answer) = post(&emulator, CREATE, body).await;
        let message = answer
            .get("message")
            .and_then(Value::as_str)
            .unwrap_or("accepted");
        let _ = writeln!(answers, "{name}: {status} {exception}: {message}");
        assert_eq!(emulator.cases().is_empty(), status != 200, "{name}");
    }
    answers
}

#[tokio::test]
async fn values_at_their_limits_are_accepted() {
    let profile = profile_arn("1b4e28ba2fa14d2e883f0016d3cca427");
    let queue = "arn:aws:connect:us-east-1:123456789012:instance/i/queue/q";
    let user = "arn:aws:connect:us-east-1:123456789012:instance/i/agent/u";
    let accepted = [
        body(|_| {}),
        with("title", long(500)),
        with("f-number", long(500)),
        with("summary", long(3000)),
        with("f-note", long(4100)),
        with("f-page", long(4100)),
        with("f-note", text("")),
        with("f-priority", text("low")),
        with("status", text("closed")),
        with("f-at", text("2026-11-22T17:37:00.5+01:00")),
        with("f-at", json!({ "emptyValue": {} })),
        with("f-total", json!({ "doubleValue": -1e300 })),
        with("f-total", json!({ "doubleValue": 7, "stringValue": null })),
        with("customer_id", text(&profile)),
        with("assigned_queue", text(queue)),
        with("assigned_user", text(user)),
        with("f-owner", json!({ "userArnValue": user })),
        with("reference_number", text(&"A1".repeat(25))),
        set("clientToken", json!("x".repeat(64))),
        set("performedBy", json!({ "customEntity": "x".repeat(500) })),
        set("performedBy", json!({ "userArn": user })),
        set("tags", json!({ "x".repeat(128): "y".repeat(256) })),
        set("tags", Value::Null),
        set("unknownMember", json!(1)),
    ];
    for body in accepted {
        let (status, _, answer) = post(&with_profiles(), CREATE, &body).await;
        assert_eq!(status, 200, "{body}: {answer}");
    }
}

#[tokio::test]
async fn values_that_are_refused() {
    let arn = |arn: &str| json!({ "userArnValue": arn });
    let number = |number: Value| json!({ "doubleValue": number });
    let refused = [
        ("unknown field", "f-none", text("x")),
        ("deleted field", "f-gone", text("x")),
        ("field that Cases sets", "case_id", text("x")),
        ("user that Cases sets", "created_by", arn("x")),
        ("title of no characters", "title", text("")),
        ("empty title", "title", json!({ "emptyValue": {} })),
        ("title of 501", "title", long(501)),
        (
            "empty required field",
            "f-number",
            json!({ "emptyValue": {} }),
        ),
        ("required field of no characters", "f-number", text("")),
        ("single line of 501", "f-number", long(501)),
        ("summary of 3001", "summary", long(3001)),
        ("multi-line of 4101", "f-note", long(4101)),
        ("number as text", "f-total", text("1")),
        ("text as number", "f-note", number(json!(1))),
        ("boolean as text", "f-vip", text("true")),
        ("user as text", "f-owner", text("u")),
        ("option by name", "f-priority", text("High")),
        ("inactive option", "f-priority", text("urgent")),
        ("NaN", "f-total", number(json!("NaN"))),
        ("-Infinity", "f-total", number(json!("-Infinity"))),
        ("date only", "f-at", text("2026-11-22")),
        ("no profile", "customer_id", text("p-1")),
        (
            "profile of no profiles domain",
            "customer_id",
            text(&profile_arn("p")),
        ),
        ("no queue", "assigned_queue", text("q-1")),
        ("no user", "f-owner", arn("u-1")),
        ("reference of 51", "reference_number", text(&"1".repeat(51))),
        ("reference with a dash", "reference_number", text("A-1")),
        ("no union member", "f-note", json!({})),
        ("unknown union member", "f-note", json!({ "text": "x" })),
        (
            "two union members",
            "f-note",
            json!({ "stringValue": "x", "emptyValue": {} }),
        ),
    ];
    let refused = refused.map(|(name, id, value)| (name, with(id, value)));
    insta::assert_snapshot!(answers(&refused).await);
}

#[tokio::test]
async fn fields_that_are_refused() {
    let field = |id: &str| json!({ "id": id, "value": { "stringValue": "x" } });
    let many: Vec<Value> = (0..221).map(|n| field(&format!("f-{n}"))).collect();
    let refused = [
        ("none", json!([])),
        ("no title", json!([field("f-number")])),
        ("required field missing", json!([field("title")])),
        (
            "field twice",
            json!([field("title"), field("f-number"), field("title")]),
        ),
        ("221 fields", json!(many)),
        ("an object", json!({})),
        ("a text", json!(["title"])),
        ("no id", json!([{ "value": { "stringValue": "x" } }])),
        ("no value", json!([{ "id": "title" }])),
        ("value as text", json!([{ "id": "title", "value": "x" }])),
    ];
    let refused = refused.map(|(name, fields)| (name, set("fields", fields)));
    insta::assert_snapshot!(answers(&refused).await);
}

#[tokio::test]
async fn everything_else_that_is_refused() {
    let without = |name: &str| {
        body(|body| {
            body.remove(name);
        })
    };
    let template = |id: &str| set("templateId", json!(id));
    let entity = |entity: &str| set("performedBy", json!({ "customEntity": entity }));
    let user = |arn: &str| set("performedBy", json!({ "userArn": arn }));
    let both = json!({ "userArn": "a", "customEntity": "a" });
    let tag = |key: &str, value: &str| set("tags", json!({ key: value }));
    let tags: Map<String, Value> = (0..51).map(|n| (format!("k{n}"), json!("v"))).collect();
    let refused = [
        ("no JSON", "{".to_owned()),
        ("no object", "[]".to_owned()),
        ("no body", String::new()),
        ("no template", without("templateId")),
        ("no fields", without("fields")),
        ("null template", set("templateId", Value::Null)),
        ("template as number", set("templateId", json!(1))),
        ("template of no characters", template("")),
        ("template of 501", template(&"t".repeat(501))),
        ("unknown template", template("t-none")),
        ("inactive template", template("t-old")),
        ("token of 65", set("clientToken", json!("x".repeat(65)))),
        ("entity with a plus", entity("a+b")),
        ("entity that ends in a space", entity("a ")),
        ("entity of no characters", entity("")),
        ("entity of 501", entity(&"a".repeat(501))),
        ("user ARN of 501", user(&"a".repeat(501))),
        ("two performers", set("performedBy", both)),
        ("no performer", set("performedBy", json!({}))),
        ("51 tags", set("tags", Value::Object(tags))),
        ("reserved tag", tag("AWS:x", "y")),
        ("tag key with a comma", tag("a,b", "y")),
        ("tag key of no characters", tag("", "y")),
        ("tag key of 129", tag(&"x".repeat(129), "y")),
        ("tag value with a newline", tag("x", "a\nb")),
        ("tag value of 257", tag("x", &"y".repeat(257))),
        ("tag value as number", set("tags", json!({ "x": 1 }))),
    ];
    insta::assert_snapshot!(answers(&refused).await);
}

#[tokio::test]
async fn a_number_beyond_a_double_is_refused() {
    let body = with("f-total", json!({ "doubleValue": 1 })).replace(":1}", ":1e999}");
    let (status, exception, _) = post(&emulator(), CREATE, &body).await;
    assert_eq!((status, exception.as_str()), (400, "ValidationException"));
}

#[tokio::test]
async fn not_found_names_what_was_not_found() {
    let emulator = emulator();
    let fields = r#"{"fields":[{"id":"title"}]}"#;
    for (path, body, resource, id) in [
        ("/domains/d-2", "", "Domain", "d-2"),
        ("/domains/d-2/cases", "{}", "Domain", "d-2"),
        ("/domains/d-1/templates/t-2", "", "Template", "t-2"),
        ("/domains/d-1/cases/c-2", fields, "Case", "c-2"),
        ("/domains/d-1/cases/c-2/audit-history", "{}", "Case", "c-2"),
        ("/domains/d-1/fields/f-2/options-list", "", "Field", "f-2"),
    ] {
        let (status, exception, answer) = post(&emulator, path, body).await;
        assert_eq!(
            (status, exception.as_str()),
            (404, "ResourceNotFoundException"),
            "{path}"
        );
        assert_eq!(answer["resourceType"], resource, "{path}");
        assert_eq!(answer["resourceId"], id, "{path}");
        assert!(
            answer["message"]
                .as_str()
                .is_some_and(|message| message.contains(id))
        );
    }
}

#[tokio::test]
async fn an_unknown_operation_says_what_is_served() {
    let emulator = emulator();
    let (status, exception, answer) = post(&emulator, "/domains/d-1/layouts/l", "").await;
    assert_eq!(
        (status, exception.as_str()),
        (404, "UnknownOperationException")
    );
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(message.contains("CreateCase"), "{message}");
    assert_eq!(emulator.requests()[0].operation, "UnknownOperation");
}
