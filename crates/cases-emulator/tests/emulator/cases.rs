//! `CreateCase`, and what the other operations on cases show afterwards.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::error::ProvideErrorMetadata;
use aws_sdk_connectcases::types::{
    AuditEventFieldValueUnion, AuditEventType, CaseFilter, TagFilter, TagValue, UserUnion,
};
use cases_emulator::{Emulator, MismatchedToken};
use serde_json::{Value, json};

use crate::{
    client, emulator, identifier, make, plain_case, post, profile_arn, text, with_profiles,
};

const ADA: &str = "1b4e28ba2fa14d2e883f0016d3cca427";

const USER: &str = "arn:aws:connect:us-east-1:123456789012:instance/i/agent/u";

#[tokio::test(start_paused = true)]
async fn a_case_is_shown_as_it_was_made() {
    let emulator = emulator();
    let value = |id: &str, value: Value| json!({ "id": id, "value": value });
    let text = |id: &str, text: &str| value(id, json!({ "stringValue": text }));
    let fields = [
        value("f-vip", json!({ "booleanValue": true })),
        text("title", "Order A-1 failed"),
        value("f-note", json!({ "emptyValue": {} })),
        value("f-total", json!({ "doubleValue": 629.9 })),
        text("f-number", "A-1"),
        value("f-owner", json!({ "userArnValue": USER })),
        text("f-at", "2026-11-22T17:37:00Z"),
        text("f-priority", "high"),
    ];
    let body = json!({
        "templateId": "t-order",
        "fields": fields,
        "tags": { "team": "payments", "casebridge:key": "abc" },
    });
    let (_, _, made) = post(&emulator, "/domains/d-1/cases", &body.to_string()).await;
    let id = made["caseId"].as_str().expect("an id");
    let arn = format!("arn:aws:cases:us-east-1:123456789012:domain/d-1/case/{id}");
    assert_eq!(made["caseArn"], arn);

    let ids = [
        "f-vip", "title", "f-note", "f-page", "f-total", "status", "f-owner",
    ];
    let body = json!({ "fields": ids.map(|id| json!({ "id": id })) }).to_string();
    let (_, _, shown) = post(&emulator, &format!("/domains/d-1/cases/{id}"), &body).await;
    let [vip, title, note, total, _, owner, ..] = fields;
    assert_eq!(
        shown,
        json!({
            "templateId": "t-order",
            "fields": [vip, title, note, total, text("status", "open"), owner],
            // The template has the tags `team` and `cost`; the request's own tag wins.
            "tags": { "team": "payments", "casebridge:key": "abc", "cost": "shop" },
        })
    );
}

#[tokio::test(start_paused = true)]
async fn the_audit_history_says_who_made_it() {
    let emulator = emulator();
    let client = client(&emulator);
    tokio::time::advance(Duration::from_millis(1500)).await;
    let by = UserUnion::CustomEntity("casebridge/order-failed".to_owned());
    let made = plain_case(&client, "a").performed_by(by).send().await;
    let made = made.expect("a case");
    let history = client.get_case_audit_events().domain_id("d-1");
    let history = history.case_id(&made.case_id).send().await;
    let history = history.expect("its history");
    let [Some(event)] = history.audit_events.as_slice() else {
        panic!("one event, not {}", history.audit_events.len());
    };
    assert_eq!(event.r#type, AuditEventType::CaseCreated);
    assert_eq!(event.performed_time.to_string(), "2026-01-01T00:00:01.5Z");
    let by = event.performed_by.as_ref().expect("a performer");
    let role = "arn:aws:iam::123456789012:role/cases-emulator";
    assert_eq!(by.iam_principal_arn, role);
    let entity = by
        .user
        .as_ref()
        .and_then(|user| user.as_custom_entity().ok());
    assert_eq!(entity.map(String::as_str), Some("casebridge/order-failed"));
    let mut fields = event.fields.iter().flatten();
    let title = fields.find(|field| field.event_field_id == "title");
    let title = title.and_then(|field| field.new_value.clone());
    let expected = AuditEventFieldValueUnion::StringValue("a".to_owned());
    assert_eq!(title, Some(expected));
}

#[tokio::test(start_paused = true)]
async fn cases_and_requests_are_kept_for_the_test_to_read() {
    let emulator = emulator();
    let client = client(&emulator);
    let by = UserUnion::UserArn(USER.to_owned());
    let made = plain_case(&client, "a")
        .client_token("t")
        .performed_by(by)
        .send()
        .await;
    let made = made.expect("a case");

    let [case]: [Value; 1] = emulator.cases().try_into().expect("one case");
    assert_eq!(case["caseId"], made.case_id);
    assert_eq!(case["templateId"], "t-plain");
    assert_eq!(case["performedBy"]["user"], json!({ "userArn": USER }));
    let value = |id: &str| {
        let fields = case["fields"].as_array().expect("fields");
        let field = fields.iter().find(|field| field["id"] == id);
        field.map_or(Value::Null, |field| field["value"].clone())
    };
    assert_eq!(value("title"), json!({ "stringValue": "a" }));
    assert_eq!(value("case_id"), json!({ "stringValue": made.case_id }));
    assert_eq!(value("created_by"), json!({ "userArnValue": USER }));
    assert_eq!(
        value("created_datetime"),
        json!({ "stringValue": "2026-01-01T00:00:00.000Z" })
    );
    assert_eq!(
        value("reference_number"),
        json!({ "stringValue": "10000000" })
    );

    let [request]: [_; 1] = emulator.requests().try_into().expect("one request");
    assert_eq!(request.operation, "CreateCase");
    assert_eq!(request.path, "/domains/d-1/cases");
    assert_eq!(request.status, 200);
    assert_eq!(
        request.body,
        json!({
            "templateId": "t-plain",
            "fields": [{ "id": "title", "value": { "stringValue": "a" } }],
            "clientToken": "t",
            "performedBy": { "userArn": USER },
        })
    );
    emulator.clear_requests();
    assert!(emulator.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_token_is_one_case() {
    for (answer, exception) in [
        (None, "ConflictException"),
        (Some(MismatchedToken::Conflict), "ConflictException"),
        (Some(MismatchedToken::Validation), "ValidationException"),
    ] {
        let emulator = emulator();
        if let Some(answer) = answer {
            emulator.set_mismatched_tokens(answer);
        }
        let client = client(&emulator);
        let send = |title: &str| plain_case(&client, title).client_token("t").send();
        let first = send("a").await.expect("a case");
        let again = send("a").await.expect("the case");
        assert_eq!(
            (first.case_id, first.case_arn),
            (again.case_id, again.case_arn)
        );
        let error = send("b").await.expect_err("another body");
        assert_eq!(error.code(), Some(exception));
        assert_eq!(emulator.cases().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_token_every_request_is_a_case() {
    let emulator = emulator();
    let body = r#"{"templateId":"t-plain","fields":[{"id":"title","value":{"stringValue":"a"}}]}"#;
    let mut ids = HashSet::new();
    for _ in 0..3 {
        let (status, _, answer) = post(&emulator, "/domains/d-1/cases", body).await;
        assert_eq!(status, 200);
        ids.insert(answer["caseId"].to_string());
    }
    assert_eq!(ids.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_body_is_compared_by_its_meaning() {
    let emulator = emulator();
    let path = "/domains/d-1/cases";
    let one = r#"{"clientToken":"t","templateId":"t-plain","fields":[
        {"id":"title","value":{"stringValue":"a"}},{"id":"f-total","value":{"doubleValue":1}}]}"#;
    let same = r#"{"fields":[{"value":{"stringValue":"a","doubleValue":null},"id":"title"},
        {"id":"f-total","value":{"doubleValue":1.0}}],"templateId":"t-plain","clientToken":"t","tags":null}"#;
    let (_, _, first) = post(&emulator, path, one).await;
    let (status, _, again) = post(&emulator, path, same).await;
    assert_eq!((status, first), (200, again));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_forgotten_after_its_lifetime() {
    let emulator = emulator();
    emulator.set_token_lifetime(Duration::from_mins(1));
    let client = client(&emulator);
    let send = || plain_case(&client, "a").client_token("t").send();
    let first = send().await.expect("a case").case_id;
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(send().await.expect("the case").case_id, first);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_ne!(send().await.expect("a new case").case_id, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_at_once_with_one_token_are_one_case() {
    let emulator = emulator();
    let client = client(&emulator);
    let sends: Vec<_> = (0..10)
        .map(|_| tokio::spawn(plain_case(&client, "a").client_token("t").send()))
        .collect();
    let mut ids = HashSet::new();
    for send in sends {
        ids.insert(send.await.expect("no panic").expect("a case").case_id);
    }
    assert_eq!((ids.len(), emulator.cases().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn case_ids_repeat_from_run_to_run() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let client = client(&emulator());
        runs.push([make(&client, "a").await, make(&client, "b").await]);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0][0], runs[0][1]);
}

/// Returns the message of the refusal, or none when the case was created.
async fn refusal(client: &Client, customer_id: &str) -> Option<String> {
    let customer = text("customer_id", customer_id);
    let error = plain_case(client, "a")
        .fields(customer)
        .send()
        .await
        .err()?;
    let error = error.into_service_error();
    assert!(error.is_validation_exception(), "{error:?}");
    Some(error.meta().message().unwrap_or_default().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_customer_must_be_a_profile_of_the_domain() {
    let (bare, emulator) = (emulator(), with_profiles());
    let elsewhere = profile_arn(ADA).replace("us-east-1", "us-west-2");
    let another = profile_arn(ADA).replace("123456789012", "210987654321");
    let partition = profile_arn(ADA).replace("arn:aws:", "arn:aws-cn:");
    let domain = profile_arn(ADA).replace("amazon-connect-example", "another");
    let nobody = profile_arn(&"0".repeat(32));
    for (emulator, arn) in [
        (&bare, &profile_arn(ADA)),
        (&emulator, &elsewhere),
        (&emulator, &another),
        (&emulator, &partition),
        (&emulator, &domain),
        (&emulator, &nobody),
    ] {
        let message = refusal(&client(emulator), arn).await.expect("a refusal");
        assert!(message.contains("No customer profile found"), "{message}");
    }
    assert!(bare.cases().is_empty() && emulator.cases().is_empty());
    assert_eq!(refusal(&client(&emulator), &profile_arn(ADA)).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_profile_made_a_moment_ago_is_not_seen_yet() {
    let emulator: Emulator = with_profiles();
    emulator.set_profile_lag(Duration::from_secs(2));
    let made = crate::profiles::client(&emulator)
        .create_profile()
        .domain_name("amazon-connect-example")
        .first_name("Cy")
        .send()
        .await
        .expect("a profile");
    let client = client(&emulator);
    let arn = profile_arn(made.profile_id());
    tokio::time::advance(Duration::from_millis(1999)).await;
    assert!(refusal(&client, &arn).await.is_some());
    assert_eq!(refusal(&client, &profile_arn(ADA)).await, None);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(refusal(&client, &arn).await, None);
}

fn by_tag(key: &str, value: &str) -> CaseFilter {
    let tag = TagValue::builder().key(key).value(value).build();
    CaseFilter::Tag(TagFilter::EqualTo(tag))
}

#[tokio::test(start_paused = true)]
async fn a_case_is_found_once_the_index_has_it() {
    let emulator = emulator();
    emulator.set_search_lag(Duration::from_secs(5));
    let client = client(&emulator);
    let made = plain_case(&client, "a")
        .tags("casebridge:key", "k")
        .send()
        .await
        .expect("a case");
    let search = || {
        let search = client.search_cases().domain_id("d-1");
        search
            .filter(by_tag("casebridge:key", "k"))
            .fields(identifier("title"))
            .send()
    };
    tokio::time::advance(Duration::from_millis(4999)).await;
    assert_eq!(search().await.expect("an answer").total_count, 0);
    tokio::time::advance(Duration::from_millis(1)).await;
    let found = search().await.expect("an answer");
    assert_eq!(found.total_count, 1);
    let case = found.cases[0].as_ref().expect("a case");
    assert_eq!(case.case_id, made.case_id);
    assert_eq!(case.fields, [text("title", "a")]);
}

#[tokio::test(start_paused = true)]
async fn cases_are_found_by_tag_and_in_pages_the_oldest_first() {
    let emulator = emulator();
    let client = client(&emulator);
    for (title, team) in [("a", "orders"), ("b", "desk"), ("c", "orders")] {
        let case = plain_case(&client, title).tags("team", team);
        case.send().await.expect("a case");
    }
    make(&client, "d").await;
    for (filter, titles) in [
        (None, "a b c d"),
        (Some(by_tag("team", "orders")), "a c"),
        (Some(by_tag("team", "order")), ""),
        (Some(by_tag("teams", "orders")), ""),
    ] {
        let pages = client
            .search_cases()
            .domain_id("d-1")
            .set_filter(filter.clone())
            .fields(identifier("title"))
            .into_paginator()
            .page_size(3)
            .send();
        let mut found = Vec::new();
        for page in pages.collect::<Vec<_>>().await {
            for case in page.expect("a page").cases.into_iter().flatten() {
                let title = case.fields[0].value.clone().expect("a title");
                found.push(title.as_string_value().expect("text").clone());
            }
        }
        assert_eq!(found.join(" "), titles, "{filter:?}");
    }
}

#[tokio::test]
async fn searches_that_are_refused() {
    let by_field = json!({ "equalTo": { "id": "title", "value": { "stringValue": "a" } } });
    for (body, message) in [
        (json!({ "filter": {} }), "exactly one of tag"),
        (
            json!({ "filter": { "field": by_field } }),
            "the member field is not supported",
        ),
        (
            json!({ "filter": { "andAll": [] } }),
            "the member andAll is not supported",
        ),
        (
            json!({ "filter": { "tag": { "equalTo": { "key": "team" } } } }),
            "the required member value",
        ),
        (
            json!({ "filter": { "tag": { "equalTo": { "key": "a,b", "value": "c" } } } }),
            "a character that no tag can have",
        ),
        (
            json!({ "searchTerm": "x" }),
            "the member searchTerm is not supported",
        ),
        (json!({ "sorts": [] }), "the member sorts is not supported"),
        (
            json!({ "fields": [{ "id": "f-none" }] }),
            "there is no Field",
        ),
    ] {
        let path = "/domains/d-1/cases-search";
        let (status, exception, answer) = post(&emulator(), path, &body.to_string()).await;
        let expected = match status {
            404 => "ResourceNotFoundException",
            _ => "ValidationException",
        };
        assert_eq!(exception, expected, "{body}");
        let found = answer["message"].as_str().unwrap_or_default();
        assert!(found.contains(message), "{body}: {found}");
    }
}
