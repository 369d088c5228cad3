//! What is refused of related items and of profiles, request by request, with the exception that the
//! service answers.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::{client, make, post, with_profiles};

const CONTACT: &str = "arn:aws:connect:us-east-1:123456789012:instance/i/contact/c";
const ID: &str = "1b4e28ba2fa14d2e883f0016d3cca427";

/// Posts each body below the path and lists exception and message.
async fn answers(path: &str, bodies: &[(&str, Value)]) -> String {
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

const ATTACH: &str = "/domains/d-1/cases/CASE/related-items/";

#[tokio::test]
async fn related_items_that_are_refused() {
    let contact = |arn: &str| item("Contact", &json!({ "contact": { "contactArn": arn } }));
    let comment = |body: &str| {
        let content = json!({ "comment": { "body": body, "contentType": "Text/Plain" } });
        item("Comment", &content)
    };
    let file = |arn: &str| item("File", &json!({ "file": { "fileArn": arn } }));
    let case = |id: &str| item("ConnectCase", &json!({ "connectCase": { "caseId": id } }));
    let mut nobody = contact(CONTACT);
    nobody["performedBy"] = json!({ "customEntity": "a+b" });
    let words = json!({ "comment": { "body": "x", "contentType": "Text/Html" } });
    let two = json!({ "contact": { "contactArn": CONTACT }, "file": { "fileArn": "f" } });
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
        ("file of no characters", file("")),
        ("unknown case", case("c-none")),
        ("custom entity with a plus", nobody),
    ];
    insta::assert_snapshot!(answers(ATTACH, &refused).await);
}

#[tokio::test]
async fn agreements_and_custom_items_that_are_refused() {
    let sla = |name: &str, value: Value| {
        let mut sla = json!({
            "name": "first answer",
            "type": "CaseField",
            "fieldId": "status",
            "targetFieldValues": [{ "stringValue": "closed" }],
            "targetSlaMinutes": 30,
        });
        sla[name] = value;
        item("Sla", &json!({ "sla": { "slaInputConfiguration": sla } }))
    };
    let target = |option: &str| sla("targetFieldValues", json!([{ "stringValue": option }]));
    let custom = |ids: &[&str], value: &Value| {
        let field = |id: &&str| json!({ "id": id, "value": value });
        let fields: Vec<Value> = ids.iter().map(field).collect();
        item("Custom", &json!({ "custom": { "fields": fields } }))
    };
    let (text, empty) = (json!({ "stringValue": "x" }), json!({ "emptyValue": {} }));
    let six = [
        "f-note",
        "f-number",
        "f-page",
        "f-at",
        "f-priority",
        "f-total",
    ];
    let refused = [
        ("agreement without a name", sla("name", Value::Null)),
        ("agreement that ends in a space", sla("name", json!("a "))),
        ("agreement of another type", sla("type", json!("Other"))),
        ("agreement of no time", sla("targetSlaMinutes", json!(0))),
        ("three years", sla("targetSlaMinutes", json!(1_051_201))),
        ("no value", sla("targetFieldValues", Value::Null)),
        ("agreement of an unknown option", target("done")),
        (
            "agreement of an unknown field",
            sla("fieldId", json!("f-none")),
        ),
        ("custom without fields", custom(&[], &text)),
        ("custom with a system field", custom(&["title"], &text)),
        ("custom with an unknown field", custom(&["f-none"], &text)),
        ("custom with a wrong value", custom(&["f-total"], &text)),
        (
            "custom with a field twice",
            custom(&["f-note", "f-note"], &text),
        ),
        ("custom with 6 fields", custom(&six, &empty)),
    ];
    insta::assert_snapshot!(answers(ATTACH, &refused).await);
}

#[tokio::test]
async fn searches_of_related_items_that_are_refused() {
    let filter = |filter: Value| json!({ "filters": [filter] });
    let by_title =
        json!({ "field": { "equalTo": { "id": "f-none", "value": { "stringValue": "x" } } } });
    let refused = [
        ("page of 26", json!({ "maxResults": 26 })),
        ("token of nobody", json!({ "nextToken": "nobody" })),
        (
            "11 filters",
            json!({ "filters": vec![json!({ "comment": {} }); 11] }),
        ),
        ("empty filter", filter(json!({}))),
        ("filter of no type", filter(json!({ "task": {} }))),
        (
            "4 channels",
            filter(json!({ "contact": { "channel": ["A", "B", "C", "D"] } })),
        ),
        (
            "unknown status",
            filter(json!({ "sla": { "status": "Late" } })),
        ),
        (
            "custom by tag",
            filter(json!({ "custom": { "fields": { "tag": {} } } })),
        ),
        (
            "custom by an unknown field",
            filter(json!({ "custom": { "fields": by_title } })),
        ),
    ];
    let path = "/domains/d-1/cases/CASE/related-items-search";
    let mut told = answers(path, &refused).await;
    let list = [
        ("no contact", json!({})),
        ("contact by id", json!({ "contactArn": "c-1" })),
        (
            "page of 11",
            json!({ "contactArn": CONTACT, "maxResults": 11 }),
        ),
    ];
    told += &answers("/domains/d-1/list-cases-for-contact", &list).await;
    let unknown = [("unknown case", json!({}))];
    told += &answers("/domains/d-1/cases/c-none/related-items-search", &unknown).await;
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn profiles_that_are_refused() {
    let set = |name: &str, value: Value| {
        let mut body = json!({ "FirstName": "Cy" });
        body[name] = value;
        body
    };
    let preference = |name: &str, value: &str| json!({ "Phone": [{ name: value }] });
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
        (
            "preference for fax",
            set("EngagementPreferences", preference("ContactType", "Fax")),
        ),
        (
            "preference of a profile",
            set("EngagementPreferences", preference("ProfileId", "p")),
        ),
        (
            "preference by a key",
            set("EngagementPreferences", preference("KeyName", "a b")),
        ),
    ];
    let mut told = answers("/domains/amazon-connect-example/profiles", &refused).await;
    let nobody = [("unknown domain", json!({}))];
    told += &answers("/domains/another/profiles", &nobody).await;
    let wrong = [("domain of another form", json!({}))];
    told += &answers("/domains/a.b/profiles", &wrong).await;
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn searches_and_keys_of_profiles_that_are_refused() {
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
    let mut told = answers(&format!("{domain}/search"), &refused).await;
    let page = [("page of 101", key.clone())];
    told += &answers(&format!("{domain}/search?max-results=101"), &page).await;
    let token = [("token of nobody", key.clone())];
    told += &answers(&format!("{domain}/search?next-token=nobody"), &token).await;
    let keys = [
        ("no profile", key.clone()),
        (
            "profile of another form",
            set("ProfileId", json!(ID.to_uppercase())),
        ),
        ("unknown profile", set("ProfileId", json!("0".repeat(32)))),
        (
            "profile without values",
            json!({ "ProfileId": ID, "KeyName": "_phone" }),
        ),
    ];
    told += &answers(&format!("{domain}/keys"), &keys).await;
    insta::assert_snapshot!(told);
}
