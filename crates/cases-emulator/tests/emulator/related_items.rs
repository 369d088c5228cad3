//! Related items: made, found, listed by contact, and seen in the audit history.

use std::time::Duration;

use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::types::{
    AuditEventType, CommentBodyTextType, CommentContent, CommentFilter, ConnectCaseInputContent,
    Contact, ContactFilter, CustomFieldsFilter, CustomFilter, CustomInputContent, FieldFilter,
    FieldValueUnion, FileContent, RelatedItemContent, RelatedItemInputContent, RelatedItemType,
    RelatedItemTypeFilter, SearchRelatedItemsResponseItem, SlaFilter, SlaInputConfiguration,
    SlaInputContent, SlaStatus, SlaType, UserUnion,
};
use cases_emulator::{DuplicateContact, Emulator};
use serde_json::json;

use crate::{CONTACTS, client, emulator, field, make, post, text};

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

fn file(arn: &str) -> RelatedItemInputContent {
    let file = FileContent::builder().file_arn(arn).build();
    RelatedItemInputContent::File(file.expect("a file has an ARN"))
}

fn sla(name: &str) -> RelatedItemInputContent {
    let sla = SlaInputConfiguration::builder()
        .name(name)
        .r#type(SlaType::CaseField)
        .field_id("status")
        .target_field_values(FieldValueUnion::StringValue("closed".to_owned()))
        .target_sla_minutes(30)
        .build();
    let sla = sla.expect("an agreement has a name, a type and a time");
    RelatedItemInputContent::Sla(SlaInputContent::SlaInputConfiguration(sla))
}

fn other_case(id: &str) -> RelatedItemInputContent {
    let case = ConnectCaseInputContent::builder().case_id(id).build();
    RelatedItemInputContent::ConnectCase(case.expect("a case has an id"))
}

fn custom(number: &str, total: f64) -> RelatedItemInputContent {
    let custom = CustomInputContent::builder()
        .fields(text("f-number", number))
        .fields(field("f-total", FieldValueUnion::DoubleValue(total)))
        .build();
    RelatedItemInputContent::Custom(custom.expect("a custom item has fields"))
}

fn kind(content: &RelatedItemInputContent) -> RelatedItemType {
    match content {
        RelatedItemInputContent::Contact(_) => RelatedItemType::Contact,
        RelatedItemInputContent::Comment(_) => RelatedItemType::Comment,
        RelatedItemInputContent::File(_) => RelatedItemType::File,
        RelatedItemInputContent::Sla(_) => RelatedItemType::Sla,
        RelatedItemInputContent::ConnectCase(_) => RelatedItemType::ConnectCase,
        _ => RelatedItemType::Custom,
    }
}

/// Attaches the content to the case; gives the item's id.
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

async fn ids(client: &Client, case: &str, filter: RelatedItemTypeFilter) -> Vec<String> {
    let found = search(client, case, vec![filter]).await;
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
async fn each_type_is_found_by_its_filter() {
    let emulator = emulator();
    let client = client(&emulator);
    let case = make(&client, "a").await;
    let other = make(&client, "b").await;
    let linked = attach(&client, &case, contact("c-1")).await;
    let said = attach(&client, &case, comment("called back")).await;
    let filed = attach(&client, &case, file("arn:aws:connect:file/f")).await;
    let agreed = attach(&client, &case, sla("first answer")).await;
    let related = attach(&client, &case, other_case(&other)).await;
    let booked = attach(&client, &case, custom("A-1", 12.5)).await;
    attach(&client, &case, custom("A-2", 2.5)).await;

    let contact = |builder: fn(_) -> _| {
        let filter: aws_sdk_connectcases::types::builders::ContactFilterBuilder =
            builder(ContactFilter::builder());
        RelatedItemTypeFilter::Contact(filter.build())
    };
    let voice = contact(|filter| filter.channel("VOICE").contact_arn(contact_arn("c-1")));
    assert_eq!(ids(&client, &case, voice).await, [linked.as_str()]);
    let chat = contact(|filter| filter.channel("CHAT"));
    assert!(ids(&client, &case, chat).await.is_empty());
    let comments = RelatedItemTypeFilter::Comment(CommentFilter::builder().build());
    assert_eq!(ids(&client, &case, comments.clone()).await, [said.as_str()]);
    let active = SlaFilter::builder().status(SlaStatus::Active).build();
    let active = RelatedItemTypeFilter::Sla(active);
    assert_eq!(ids(&client, &case, active.clone()).await, [agreed.as_str()]);
    let dear = FieldFilter::GreaterThan(field("f-total", FieldValueUnion::DoubleValue(10.0)));
    let dear = CustomFilter::builder().fields(CustomFieldsFilter::Field(dear));
    let dear = RelatedItemTypeFilter::Custom(dear.build());
    assert_eq!(ids(&client, &case, dear.clone()).await, [booked.as_str()]);

    let two = search(&client, &case, vec![comments, dear]).await;
    let two: Vec<_> = two.into_iter().map(|item| item.related_item_id).collect();
    assert_eq!(
        two,
        [booked.as_str(), &said],
        "any filter, the newest first"
    );
    let all = search(&client, &case, Vec::new()).await;
    assert_eq!(all.len(), 7);
    assert_eq!(all[2].related_item_id, related);
    assert_eq!(all[4].related_item_id, filed);

    let Some(RelatedItemContent::Sla(shown)) = &all[3].content else {
        panic!("an agreement");
    };
    let shown = shown.sla_configuration().expect("its configuration");
    assert_eq!(shown.target_time.to_string(), "2026-01-01T00:30:00Z");
    tokio::time::advance(Duration::from_mins(30)).await;
    assert!(ids(&client, &case, active).await.is_empty(), "overdue");
    assert!(search(&client, &other, Vec::new()).await.is_empty());
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

/// Attaches so many and is refused the next.
async fn fills(emulator: &Emulator, most: usize, content: fn(usize) -> RelatedItemInputContent) {
    let client = client(emulator);
    let case = make(&client, "a").await;
    for n in 0..most {
        attach(&client, &case, content(n)).await;
    }
    let (last, kind) = (content(most), kind(&content(most)));
    let item = client.create_related_item().domain_id("d-1").case_id(&case);
    let error = item.r#type(kind).content(last).send().await;
    let error = error.expect_err("over the quota");
    let status = error.raw_response().map(|raw| raw.status().as_u16());
    assert_eq!(status, Some(402));
    assert!(
        error
            .into_service_error()
            .is_service_quota_exceeded_exception()
    );
}

#[tokio::test(start_paused = true)]
async fn quotas_of_a_case() {
    let emulator = emulator();
    fills(&emulator, 200, |n| comment(&format!("{n}"))).await;
    fills(&emulator, 50, |n| file(&format!("f-{n}"))).await;
    fills(&emulator, 10, |n| sla(&format!("{n}"))).await;
}

#[tokio::test(start_paused = true)]
async fn the_audit_history_has_an_event_for_each_item() {
    let emulator = emulator();
    let client = client(&emulator);
    let case = make(&client, "a").await;
    tokio::time::advance(Duration::from_secs(2)).await;
    attach(&client, &case, comment("a word")).await;
    attach(&client, &case, custom("A-1", 1.0)).await;
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
    let [Some(custom)] = rest.as_slice() else {
        panic!("one event, not {}", rest.len());
    };
    let fields = custom.fields.iter().flatten();
    let ids: Vec<&str> = fields.map(|field| field.event_field_id.as_str()).collect();
    assert_eq!(ids, ["f-number", "f-total"]);
}

#[tokio::test(start_paused = true)]
async fn published_rates() {
    let emulator = emulator();
    emulator.set_rate_limits(true);
    let client = client(&emulator);
    let list = || {
        let list = client.list_cases_for_contact().domain_id("d-1");
        list.contact_arn(contact_arn("c-1")).send()
    };
    for _ in 0..2 {
        list().await.expect("within the burst");
    }
    let error = list().await.expect_err("throttled").into_service_error();
    assert!(error.is_throttling_exception(), "{error:?}");
    tokio::time::advance(Duration::from_millis(500)).await;
    list().await.expect("half a second, one request");
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
