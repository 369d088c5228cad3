//! Requests that Cases and Customer Profiles refuse, with exception and message.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::{client, emulator, make, post, profile_arn, with_profiles};

const CREATE: &str = "/domains/d-1/cases";
const ATTACH: &str = "/domains/d-1/cases/CASE/related-items/";
const CONTACT: &str = "arn:aws:connect:us-east-1:123456789012:instance/i/contact/c";

/// Returns a body that is accepted, with `change` made to it.
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

/// Returns the accepted body with this value of the field, in place of the one it has.
fn with(id: &str, value: Value) -> String {
    body(|body| {
        let fields = body.get_mut("fields").and_then(Value::as_array_mut);
        let fields = fields.expect("fields");
        fields.retain(|field| field.get("id").is_none_or(|other| other != id));
        let field = [("id".to_owned(), json!(id)), ("value".to_owned(), value)];
        fields.push(Value::Object(field.into_iter().collect()));
    })
}

/// Returns the accepted body with a member set.
fn set(name: &str, value: Value) -> String {
    body(|body| {
        body.insert(name.to_owned(), value);
    })
}

fn text(text: &str) -> Value {
    json!({ "stringValue": text })
}

/// Returns a text of so many characters and twice as many bytes.
fn long(length: usize) -> Value {
    text(&"ä".repeat(length))
}

/// Posts each body to a new emulator and lists exception and message.
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

/// Posts each body to the path of an emulator with a case, and lists exception and message.
async fn answers_at(path: &str, bodies: &[(&str, Value)]) -> String {
    let emulator = with_profiles();
    let case = make(&client(&emulator), "a").await;
    let path = path.replace("CASE", &case);
    let mut answers = String::new();
    for (name, body) in bodies {
        let (status, exception, answer) = post(&emulator, &path, &body.to_string()).await;
        let message = answer.get("message").or_else(|| answer.get("Message"));
        let message = message.and_then(Value::as_str).unwrap_or("accepted");
        let _ = writeln!(answers, "{name}: {status} {exception}: {message}");
    }
    assert!(emulator.related_items().is_empty());
    assert_eq!(emulator.profiles().len(), 3);
    answers
}

fn item(kind: &str, content: &Value) -> Value {
    json!({ "type": kind, "content": content })
}

#[tokio::test]
async fn related_items_that_are_refused() {
    let contact = |arn: &str| item("Contact", &json!({ "contact": { "contactArn": arn } }));
    let comment = |body: &str| {
        let content = json!({ "comment": { "body": body, "contentType": "Text/Plain" } });
        item("Comment", &content)
    };
    let file = json!({ "file": { "fileArn": "f" } });
    let mut nobody = contact(CONTACT);
    nobody["performedBy"] = json!({ "customEntity": "a+b" });
    let words = json!({ "comment": { "body": "x", "contentType": "Text/Html" } });
    let mut two = words.clone();
    two["contact"] = json!({ "contactArn": CONTACT });
    let (instance, _) = CONTACT.split_once("/contact").expect("an ARN");
    let refused = [
        ("nothing", json!({})),
        ("no content", json!({ "type": "Contact" })),
        ("unknown type", item("Task", &json!({}))),
        ("no member", item("Contact", &json!({}))),
        ("two members", item("Contact", &two)),
        (
            "another member",
            item("Comment", &contact(CONTACT)["content"]),
        ),
        ("contact by id", contact("c-1")),
        ("instance for a contact", contact(instance)),
        ("contact of 501", contact(&"x".repeat(501))),
        ("comment of no characters", comment("")),
        ("comment of 15001", comment(&"ä".repeat(15_001))),
        ("comment in HTML", item("Comment", &words)),
        ("file", item("File", &file)),
        ("file as a contact", item("Contact", &file)),
        ("custom entity with a plus", nobody),
    ];
    insta::assert_snapshot!(answers_at(ATTACH, &refused).await);
}

#[tokio::test]
async fn searches_of_related_items_that_are_refused() {
    let filter = |filter: Value| json!({ "filters": [filter] });
    let refused = [
        ("page of 26", json!({ "maxResults": 26 })),
        ("token of nobody", json!({ "nextToken": "nobody" })),
        (
            "11 filters",
            json!({ "filters": vec![json!({ "comment": {} }); 11] }),
        ),
        ("empty filter", filter(json!({}))),
        ("filter of no type", filter(json!({ "task": {} }))),
        ("filter of files", filter(json!({ "file": {} }))),
        (
            "channels",
            filter(json!({ "contact": { "channel": ["CHAT"] } })),
        ),
        (
            "contact as number",
            filter(json!({ "contact": { "contactArn": 1 } })),
        ),
    ];
    let path = "/domains/d-1/cases/CASE/related-items-search";
    let mut refusals = answers_at(path, &refused).await;
    let list = [
        ("no contact", json!({})),
        ("contact by id", json!({ "contactArn": "c-1" })),
        (
            "page of 11",
            json!({ "contactArn": CONTACT, "maxResults": 11 }),
        ),
    ];
    refusals += &answers_at("/domains/d-1/list-cases-for-contact", &list).await;
    let unknown = [("unknown case", json!({}))];
    refusals += &answers_at("/domains/d-1/cases/c-none/related-items-search", &unknown).await;
    insta::assert_snapshot!(refusals);
}

#[tokio::test]
async fn profiles_that_are_refused() {
    let set = |name: &str, value: Value| {
        let mut body = json!({ "FirstName": "Cy" });
        body[name] = value;
        body
    };
    let long: Map<String, Value> = [("x".repeat(256), json!("y"))].into_iter().collect();
    let refused = [
        ("name of no characters", set("FirstName", json!(""))),
        ("name of 256", set("FirstName", json!("x".repeat(256)))),
        ("name as number", set("FirstName", json!(1))),
        (
            "information of 1001",
            set("AdditionalInformation", json!("x".repeat(1001))),
        ),
        ("unknown party", set("PartyType", json!("PERSON"))),
        ("unknown gender", set("Gender", json!("x"))),
        ("address as text", set("Address", json!("1 Example Street"))),
        (
            "city of no characters",
            set("Address", json!({ "City": "" })),
        ),
        (
            "attribute of no characters",
            set("Attributes", json!({ "tier": "" })),
        ),
        (
            "attribute with a key of 256",
            set("Attributes", Value::Object(long)),
        ),
        ("preferences", set("EngagementPreferences", json!({}))),
    ];
    let mut refusals = answers_at("/domains/amazon-connect-example/profiles", &refused).await;
    let nobody = [("unknown domain", json!({}))];
    refusals += &answers_at("/domains/another/profiles", &nobody).await;
    let wrong = [("domain of another form", json!({}))];
    refusals += &answers_at("/domains/a.b/profiles", &wrong).await;
    insta::assert_snapshot!(refusals);
}

#[tokio::test]
async fn searches_of_profiles_that_are_refused() {
    let key = json!({ "KeyName": "_phone", "Values": ["+15550100"] });
    let set = |name: &str, value: Value| {
        let mut body = key.clone();
        body[name] = value;
        body
    };
    let refused = [
        ("nothing", json!({})),
        ("no values", set("Values", Value::Null)),
        ("value as text", set("Values", json!("+15550100"))),
        ("value of no characters", set("Values", json!([""]))),
        ("value of 256", set("Values", json!(["x".repeat(256)]))),
        ("key with a space", set("KeyName", json!("a b"))),
        ("key of 65", set("KeyName", json!("x".repeat(65)))),
        ("no further key", set("AdditionalSearchKeys", json!([]))),
        (
            "5 further keys",
            set("AdditionalSearchKeys", json!(vec![key.clone(); 5])),
        ),
        (
            "further key without values",
            set("AdditionalSearchKeys", json!([{ "KeyName": "_email" }])),
        ),
        ("unknown operator", set("LogicalOperator", json!("XOR"))),
    ];
    let domain = "/domains/amazon-connect-example/profiles";
    let mut refusals = answers_at(&format!("{domain}/search"), &refused).await;
    let page = [("page of 101", key.clone())];
    refusals += &answers_at(&format!("{domain}/search?max-results=101"), &page).await;
    let token = [("token of nobody", key.clone())];
    refusals += &answers_at(&format!("{domain}/search?next-token=nobody"), &token).await;
    insta::assert_snapshot!(refusals);
}
