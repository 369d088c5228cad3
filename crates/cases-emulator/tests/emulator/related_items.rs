//! Related items: created, found, listed by contact, and shown in the audit history.

use std::time::Duration;

use cases_emulator::{DuplicateContact, Emulator};
use serde_json::{Value, json};

use crate::{CONTACTS, client, emulator, make, post};

const INSTANCE: &str =
    "arn:aws:connect:us-east-1:123456789012:instance/2c0f3a51-8c0e-4d0f-9a53-3f0b6d1c7e42";

fn contact_arn(id: &str) -> String {
    format!("{INSTANCE}/contact/{id}")
}

fn contact(id: &str) -> Value {
    json!({ "type": "Contact", "content": { "contact": { "contactArn": contact_arn(id) } } })
}

fn comment(body: &str) -> Value {
    let comment = json!({ "body": body, "contentType": "Text/Plain" });
    json!({ "type": "Comment", "content": { "comment": comment } })
}

/// Returns the member, or null.
fn member(of: &Value, name: &str) -> Value {
    of.get(name).cloned().unwrap_or_default()
}

/// Posts a body to an operation on the case; returns status, exception and answer.
async fn call(
    emulator: &Emulator,
    case: &str,
    operation: &str,
    body: &Value,
) -> (u16, String, Value) {
    let path = format!("/domains/d-1/cases/{case}/{operation}");
    post(emulator, &path, &body.to_string()).await
}

/// Attaches an item to the case; returns its id.
async fn attach(emulator: &Emulator, case: &str, item: Value) -> String {
    let (status, _, answer) = call(emulator, case, "related-items/", &item).await;
    assert_eq!(status, 200, "{answer}");
    let id = member(&answer, "relatedItemId");
    id.as_str().expect("an id").to_owned()
}

/// Returns a page of the search: the items, and the next token or null.
async fn search(emulator: &Emulator, case: &str, body: Value) -> (Vec<Value>, Value) {
    let (status, _, answer) = call(emulator, case, "related-items-search", &body).await;
    assert_eq!(status, 200, "{answer}");
    let items = member(&answer, "relatedItems");
    let items = items.as_array().expect("items").clone();
    (items, member(&answer, "nextToken"))
}

/// Returns a page of the contact's cases: their ids, and the next token or null.
async fn cases_of(emulator: &Emulator, contact: &str, token: &Value) -> (Vec<Value>, Value) {
    let arn = contact_arn(contact);
    let body = json!({ "contactArn": arn, "maxResults": 2, "nextToken": token });
    let path = "/domains/d-1/list-cases-for-contact";
    let (status, _, answer) = post(emulator, path, &body.to_string()).await;
    assert_eq!(status, 200, "{answer}");
    let cases = member(&answer, "cases");
    let cases = cases.as_array().expect("cases").iter();
    let cases = cases.map(|case| {
        assert_eq!(member(case, "templateId"), "t-plain");
        member(case, "caseId")
    });
    (cases.collect(), member(&answer, "nextToken"))
}

#[tokio::test(start_paused = true)]
async fn a_linked_contact_is_seen_from_the_case() {
    let emulator = emulator();
    emulator.set_contacts(CONTACTS).expect("contacts");
    let case = make(&client(&emulator), "a").await;
    tokio::time::advance(Duration::from_secs(1)).await;
    let by = json!({ "customEntity": "casebridge/flow" });
    let mut item = contact("c-0001");
    item["performedBy"] = by.clone();
    let (_, _, made) = call(&emulator, &case, "related-items/", &item).await;
    let id = made["relatedItemId"].as_str().expect("an id");
    let case_arn = format!("arn:aws:cases:us-east-1:123456789012:domain/d-1/case/{case}");
    assert_eq!(
        made["relatedItemArn"],
        format!("{case_arn}/related-item/{id}")
    );

    let stranger = attach(&emulator, &case, contact("c-9")).await;
    let shown = |id: &str, contact: &str, channel: &str, connected: &str| {
        json!({
            "relatedItemId": id,
            "type": "Contact",
            "associationTime": "2026-01-01T00:00:01.000Z",
            "content": { "contact": {
                "contactArn": contact_arn(contact),
                "channel": channel,
                "connectedToSystemTime": connected,
            } },
            "tags": {},
        })
    };
    let mut seeded = shown(id, "c-0001", "CHAT", "2026-01-01T09:00:00.250Z");
    seeded["performedBy"] = by.clone();
    let unknown = shown(&stranger, "c-9", "VOICE", "2026-01-01T00:00:01.000Z");
    let (found, _) = search(&emulator, &case, json!({})).await;
    assert_eq!(found, [unknown, seeded]);
    assert_eq!(
        emulator.related_items()[0],
        json!({
            "caseId": case,
            "relatedItemId": id,
            "type": "Contact",
            "content": item["content"],
            "performedBy": by,
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_contacts_cases_are_listed_once_each_and_in_pages() {
    let emulator = emulator();
    let mut cases = Vec::new();
    for title in ["a", "b", "c"] {
        let case = make(&client(&emulator), title).await;
        attach(&emulator, &case, contact("c-1")).await;
        attach(&emulator, &case, contact("c-1")).await;
        cases.push(case);
    }
    make(&client(&emulator), "of another contact").await;
    let (first, token) = cases_of(&emulator, "c-1", &Value::Null).await;
    let (rest, last) = cases_of(&emulator, "c-1", &token).await;
    assert_eq!((first.len(), last), (2, Value::Null));
    assert_eq!([first, rest].concat(), cases);
    let (none, _) = cases_of(&emulator, "c-2", &Value::Null).await;
    assert!(none.is_empty());
}

#[tokio::test(start_paused = true)]
async fn items_are_found_by_any_filter_the_newest_first() {
    let emulator = emulator();
    let case = make(&client(&emulator), "a").await;
    let other = make(&client(&emulator), "b").await;
    let first = attach(&emulator, &case, contact("c-1")).await;
    let said = attach(&emulator, &case, comment("called back")).await;
    let second = attach(&emulator, &case, contact("c-2")).await;
    let contacts = json!({ "contact": {} });
    let with = |id: &str| json!({ "contact": { "contactArn": contact_arn(id) } });
    let comments = json!({ "comment": {} });
    for (filters, expected) in [
        (Value::Null, vec![&second, &said, &first]),
        (json!([]), vec![&second, &said, &first]),
        (json!([comments]), vec![&said]),
        (json!([contacts]), vec![&second, &first]),
        (json!([with("c-1")]), vec![&first]),
        (json!([with("c-3")]), vec![]),
        (json!([comments, with("c-1")]), vec![&said, &first]),
    ] {
        let (found, _) = search(&emulator, &case, json!({ "filters": filters })).await;
        let found: Vec<_> = found.iter().map(|item| &item["relatedItemId"]).collect();
        assert_eq!(found, expected, "{filters}");
    }
    assert!(search(&emulator, &other, json!({})).await.0.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_case_has_at_most_200_items_and_they_come_in_pages() {
    let emulator = emulator();
    let case = make(&client(&emulator), "a").await;
    for n in 0..200 {
        attach(&emulator, &case, comment(&format!("{n}"))).await;
    }
    let (status, exception, _) = call(&emulator, &case, "related-items/", &comment("x")).await;
    assert_eq!(
        (status, exception.as_str()),
        (402, "ServiceQuotaExceededException")
    );
    let mut token = Value::Null;
    for page in 1..=8 {
        let (found, next) = search(&emulator, &case, json!({ "nextToken": token })).await;
        assert_eq!((found.len(), next.is_null()), (25, page == 8));
        if page == 1 {
            let other = json!({ "nextToken": next, "filters": [{ "comment": {} }] });
            let (status, _, _) = call(&emulator, &case, "related-items-search", &other).await;
            assert_eq!(status, 400, "the token is of another search");
        }
        token = next;
    }
}

#[tokio::test(start_paused = true)]
async fn a_contact_twice_is_stored_or_a_conflict() {
    let emulator = emulator();
    let case = make(&client(&emulator), "a").await;
    let other = make(&client(&emulator), "b").await;
    attach(&emulator, &case, contact("c-1")).await;
    attach(&emulator, &case, contact("c-1")).await;
    assert_eq!(emulator.related_items().len(), 2);

    emulator.set_duplicate_contacts(DuplicateContact::Conflict);
    let again = call(&emulator, &case, "related-items/", &contact("c-1")).await;
    let (status, exception, answer) = again;
    assert_eq!((status, exception.as_str()), (409, "ConflictException"));
    assert!(answer["message"].is_string());
    attach(&emulator, &case, contact("c-2")).await;
    attach(&emulator, &other, contact("c-1")).await;
    attach(&emulator, &case, comment("once")).await;
    attach(&emulator, &case, comment("once")).await;
}

#[tokio::test(start_paused = true)]
async fn the_audit_history_has_an_event_for_each_item() {
    let emulator = emulator();
    let case = make(&client(&emulator), "a").await;
    tokio::time::advance(Duration::from_secs(2)).await;
    attach(&emulator, &case, comment("a word")).await;
    attach(&emulator, &case, contact("c-1")).await;
    let page = json!({ "maxResults": 2 });
    let (_, _, first) = call(&emulator, &case, "audit-history", &page).await;
    let next = json!({ "nextToken": first["nextToken"] });
    let (_, _, rest) = call(&emulator, &case, "audit-history", &next).await;
    let created = &first["auditEvents"][0];
    assert_eq!(created["type"], "Case.Created");
    for (event, kind) in [
        (&first["auditEvents"][1], "Comment"),
        (&rest["auditEvents"][0], "Contact"),
    ] {
        assert_eq!(event["type"], "RelatedItem.Created");
        assert_eq!(event["relatedItemType"], kind);
        assert_eq!(event["performedTime"], "2026-01-01T00:00:02.000Z");
        assert_ne!(event["eventId"], created["eventId"]);
    }
    let events = |page: &Value| page["auditEvents"].as_array().map(Vec::len);
    assert_eq!((events(&first), events(&rest)), (Some(2), Some(1)));
}

#[tokio::test(start_paused = true)]
async fn young_items_are_not_found_yet() {
    let emulator = emulator();
    emulator.set_related_item_lag(Duration::from_secs(2));
    let case = make(&client(&emulator), "a").await;
    attach(&emulator, &case, contact("c")).await;
    let found = async || {
        let (items, _) = search(&emulator, &case, json!({})).await;
        let (cases, _) = cases_of(&emulator, "c", &Value::Null).await;
        (items.len(), cases.len())
    };
    tokio::time::advance(Duration::from_millis(1999)).await;
    assert_eq!(found().await, (0, 0));
    assert_eq!(emulator.related_items().len(), 1);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(found().await, (1, 1));
}
