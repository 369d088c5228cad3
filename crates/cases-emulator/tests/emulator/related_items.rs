//! Related items: made, found, listed by contact, and seen in the audit history.

use std::time::Duration;

use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::types::{
    AuditEventType, CommentBodyTextType, CommentContent, CommentFilter, Contact, ContactFilter,
    RelatedItemContent, RelatedItemInputContent, RelatedItemType, RelatedItemTypeFilter,
    SearchRelatedItemsResponseItem, UserUnion,
};
use cases_emulator::DuplicateContact;
use serde_json::json;

use crate::{CONTACTS, client, emulator, make, post};

const INSTANCE: &str =
    "arn:aws:connect:us-east-1:123456789012:instance/2c0f3a51-8c0e-4d0f-9a53-3f0b6d1c7e42";

fn contact_arn(id: &str) -> String {
    format!("{INSTANCE}/contact/{id}")
}

fn contact(id: &str) -> RelatedItemInputContent {
    let contact = Contact::builder().contact_arn(contact_arn(id)).build();
    RelatedItemInputContent::Contact(contact.expect("a contact has an ARN"))
}

fn comment(body: &str) -> RelatedItemInputContent {
    let comment = CommentContent::builder()
        .body(body)
        .content_type(CommentBodyTextType::Plaintext)
        .build();
    RelatedItemInputContent::Comment(comment.expect("a comment has a body and a type"))
}

fn kind(content: &RelatedItemInputContent) -> RelatedItemType {
    match content {
        RelatedItemInputContent::Contact(_) => RelatedItemType::Contact,
        _ => RelatedItemType::Comment,
    }
}

/// Attaches the content to the case; returns the item's id.
async fn attach(client: &Client, case: &str, content: RelatedItemInputContent) -> String {
    let item = client.create_related_item().domain_id("d-1").case_id(case);
    let made = item.r#type(kind(&content)).content(content).send().await;
    made.expect("a related item").related_item_id
}

async fn search(
    client: &Client,
    case: &str,
    filters: Vec<RelatedItemTypeFilter>,
) -> Vec<SearchRelatedItemsResponseItem> {
    let search = client.search_related_items().domain_id("d-1").case_id(case);
    let found = search.set_filters(Some(filters)).send().await;
    let found = found.expect("an answer").related_items;
    found.into_iter().flatten().collect()
}

async fn ids(client: &Client, case: &str, filters: Vec<RelatedItemTypeFilter>) -> Vec<String> {
    let found = search(client, case, filters).await;
    found.into_iter().map(|item| item.related_item_id).collect()
}

#[tokio::test(start_paused = true)]
async fn a_linked_contact_is_seen_from_the_case_and_from_the_contact() {
    let emulator = emulator();
    emulator.set_contacts(CONTACTS).expect("contacts");
    let client = client(&emulator);
    let case = make(&client, "a").await;
    tokio::time::advance(Duration::from_secs(1)).await;
    let made = client
        .create_related_item()
        .domain_id("d-1")
        .case_id(&case)
        .r#type(RelatedItemType::Contact)
        .content(contact("c-0001"))
        .performed_by(UserUnion::CustomEntity("casebridge/flow".to_owned()))
        .send()
        .await
        .expect("a related item");
    assert_eq!(
        made.related_item_arn,
        format!(
            "arn:aws:cases:us-east-1:123456789012:domain/d-1/case/{case}/related-item/{}",
            made.related_item_id
        )
    );

    let [item] = search(&client, &case, Vec::new())
        .await
        .try_into()
        .expect("one item");
    assert_eq!(item.related_item_id, made.related_item_id);
    assert_eq!(item.association_time.to_string(), "2026-01-01T00:00:01Z");
    assert_eq!(
        item.performed_by,
        Some(UserUnion::CustomEntity("casebridge/flow".to_owned()))
    );
    let Some(RelatedItemContent::Contact(linked)) = item.content else {
        panic!("a contact");
    };
    assert_eq!(linked.contact_arn, contact_arn("c-0001"));
    assert_eq!(linked.channel, "CHAT");
    assert_eq!(
        linked.connected_to_system_time.to_string(),
        "2026-01-01T09:00:00.25Z"
    );

    assert_eq!(
        emulator.related_items(),
        [json!({
            "caseId": case,
            "relatedItemId": made.related_item_id,
            "type": "Contact",
            "content": { "contact": { "contactArn": contact_arn("c-0001") } },
            "performedBy": { "customEntity": "casebridge/flow" },
        })]
    );
}

#[tokio::test(start_paused = true)]
async fn a_contacts_cases_are_listed_once_each_and_in_pages() {
    let emulator = emulator();
    let client = client(&emulator);
    let mut cases = Vec::new();
    for title in ["a", "b", "c"] {
        let case = make(&client, title).await;
        attach(&client, &case, contact("c-1")).await;
        attach(&client, &case, contact("c-1")).await;
        cases.push(case);
    }
    make(&client, "of another contact").await;
    let list = || {
        let list = client.list_cases_for_contact().domain_id("d-1");
        list.contact_arn(contact_arn("c-1")).max_results(2)
    };
    let first = list().send().await.expect("a page");
    let token = first.next_token().expect("a next page");
    let rest = list().next_token(token).send().await.expect("a page");
    assert_eq!(rest.next_token(), None);
    let listed = first.cases.iter().chain(&rest.cases);
    let listed: Vec<&str> = listed.map(|case| case.case_id.as_str()).collect();
    assert_eq!(listed, cases);
    assert!(first.cases.iter().all(|case| case.template_id == "t-plain"));

    let nobody = client.list_cases_for_contact().domain_id("d-1");
    let none = nobody.contact_arn(contact_arn("c-2")).send().await;
    assert!(none.expect("an answer").cases.is_empty());
}

#[tokio::test(start_paused = true)]
async fn items_are_found_by_any_filter_the_newest_first() {
    let client = client(&emulator());
    let (case, other) = (make(&client, "a").await, make(&client, "b").await);
    let first = attach(&client, &case, contact("c-1")).await;
    let said = attach(&client, &case, comment("called back")).await;
    let second = attach(&client, &case, contact("c-2")).await;
    let contacts = |arn: Option<&str>| {
        let filter = ContactFilter::builder().set_contact_arn(arn.map(contact_arn));
        RelatedItemTypeFilter::Contact(filter.build())
    };
    let comments = || RelatedItemTypeFilter::Comment(CommentFilter::builder().build());
    for (filters, expected) in [
        (vec![], vec![&second, &said, &first]),
        (vec![comments()], vec![&said]),
        (vec![contacts(None)], vec![&second, &first]),
        (vec![contacts(Some("c-1"))], vec![&first]),
        (vec![contacts(Some("c-3"))], vec![]),
        (vec![comments(), contacts(Some("c-1"))], vec![&said, &first]),
    ] {
        let found = ids(&client, &case, filters.clone()).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filters:?}");
    }
    assert!(ids(&client, &other, vec![]).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_case_has_at_most_200_items() {
    let client = client(&emulator());
    let case = make(&client, "a").await;
    for n in 0..200 {
        attach(&client, &case, comment(&format!("{n}"))).await;
    }
    let item = client.create_related_item().domain_id("d-1").case_id(case);
    let last = item.r#type(RelatedItemType::Comment).content(comment("x"));
    let error = last.send().await.expect_err("over the quota");
    let status = error.raw_response().map(|raw| raw.status().as_u16());
    assert_eq!(status, Some(402));
    let error = error.into_service_error();
    assert!(error.is_service_quota_exceeded_exception(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn found_items_come_in_pages() {
    let emulator = emulator();
    let client = client(&emulator);
    let case = make(&client, "a").await;
    for n in 0..27 {
        attach(&client, &case, comment(&format!("{n}"))).await;
    }
    let search = || {
        client
            .search_related_items()
            .domain_id("d-1")
            .case_id(&case)
    };
    let first = search().send().await.expect("a page");
    assert_eq!(first.related_items.len(), 25);
    let token = first.next_token().expect("a next page").to_owned();
    let rest = search().next_token(&token).send().await.expect("a page");
    assert_eq!((rest.related_items.len(), rest.next_token()), (2, None));
    let other = search().filters(RelatedItemTypeFilter::Comment(
        CommentFilter::builder().build(),
    ));
    let error = other.next_token(token).send().await;
    let error = error.expect_err("another search").into_service_error();
    assert!(error.is_validation_exception(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_contact_twice_is_stored_or_a_conflict() {
    let emulator = emulator();
    let client = client(&emulator);
    let (case, other) = (make(&client, "a").await, make(&client, "b").await);
    attach(&client, &case, contact("c-1")).await;
    attach(&client, &case, contact("c-1")).await;
    assert_eq!(emulator.related_items().len(), 2);

    emulator.set_duplicate_contacts(DuplicateContact::Conflict);
    let body = json!({
        "type": "Contact",
        "content": { "contact": { "contactArn": contact_arn("c-1") } },
    });
    let path = format!("/domains/d-1/cases/{case}/related-items/");
    let (status, exception, answer) = post(&emulator, &path, &body.to_string()).await;
    assert_eq!((status, exception.as_str()), (409, "ConflictException"));
    assert!(answer["message"].is_string());
    attach(&client, &case, contact("c-2")).await;
    attach(&client, &other, contact("c-1")).await;
    attach(&client, &case, comment("once")).await;
    attach(&client, &case, comment("once")).await;
}

#[tokio::test(start_paused = true)]
async fn the_audit_history_has_an_event_for_each_item() {
    let emulator = emulator();
    let client = client(&emulator);
    let case = make(&client, "a").await;
    tokio::time::advance(Duration::from_secs(2)).await;
    attach(&client, &case, comment("a word")).await;
    attach(&client, &case, contact("c-1")).await;
    let history = client.get_case_audit_events().domain_id("d-1");
    let history = history.case_id(&case).max_results(2).send().await;
    let history = history.expect("a page");
    let events: Vec<_> = history.audit_events.iter().flatten().collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].r#type, AuditEventType::CaseCreated);
    assert_eq!(events[1].r#type, AuditEventType::RelatedItemCreated);
    assert_eq!(events[1].related_item_type, Some(RelatedItemType::Comment));
    assert_eq!(events[1].performed_time.to_string(), "2026-01-01T00:00:02Z");
    assert_ne!(events[0].event_id, events[1].event_id);

    let rest = client.get_case_audit_events().domain_id("d-1");
    let rest = rest.case_id(&case).set_next_token(history.next_token);
    let rest = rest.send().await.expect("a page").audit_events;
    let [Some(linked)] = rest.as_slice() else {
        panic!("one event, not {}", rest.len());
    };
    assert_eq!(linked.related_item_type, Some(RelatedItemType::Contact));
}

#[tokio::test(start_paused = true)]
async fn young_items_are_not_found_yet() {
    let emulator = emulator();
    emulator.set_related_item_lag(Duration::from_secs(2));
    let client = client(&emulator);
    let case = make(&client, "a").await;
    attach(&client, &case, contact("c")).await;
    let found = async || {
        let items = search(&client, &case, Vec::new()).await.len();
        let cases = client.list_cases_for_contact().domain_id("d-1");
        let cases = cases.contact_arn(contact_arn("c")).send().await;
        (items, cases.expect("an answer").cases().len())
    };
    tokio::time::advance(Duration::from_millis(1999)).await;
    assert_eq!(found().await, (0, 0));
    assert_eq!(emulator.related_items().len(), 1);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(found().await, (1, 1));
}
