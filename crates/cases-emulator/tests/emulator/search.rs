//! `SearchCases`: filters, sorts, pages and the index that lags.

use std::time::Duration;

use aws_sdk_connectcases::types::{
    CaseFilter, FieldFilter, FieldValueUnion, Order, Sort, TagFilter, TagValue,
};
use serde_json::{Value, json};

use crate::{client, emulator, field, identifier, make, plain_case, post, text};

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
async fn sorted_and_in_pages() {
    let emulator = emulator();
    let client = client(&emulator);
    for (title, total) in [("a", 2.0), ("b", 10.0), ("c", 1.0)] {
        let total = field("f-total", FieldValueUnion::DoubleValue(total));
        plain_case(&client, title)
            .fields(total)
            .send()
            .await
            .expect("a case");
    }
    make(&client, "no total").await;
    let sort = Sort::builder()
        .field_id("f-total")
        .sort_order(Order::Descending);
    let cases = client
        .search_cases()
        .domain_id("d-1")
        .fields(identifier("title"))
        .sorts(sort.build().expect("a sort"))
        .into_paginator()
        .page_size(3)
        .send();
    let pages: Vec<_> = cases.collect::<Vec<_>>().await;
    let mut titles = Vec::new();
    for page in pages {
        for case in page.expect("a page").cases.into_iter().flatten() {
            titles.push(case.fields[0].clone());
        }
    }
    assert_eq!(
        titles,
        ["b", "a", "c", "no total"].map(|title| text("title", title))
    );
}

#[tokio::test(start_paused = true)]
async fn filters() {
    let emulator = emulator();
    let client = client(&emulator);
    let total = |n| field("f-total", FieldValueUnion::DoubleValue(n));
    for (title, n, at, team) in [
        ("Order one", 1.0, "2026-11-22T10:00:00Z", "orders"),
        ("Order two", 2.0, "2026-11-22T10:30:00+01:00", "orders"),
        ("Question", 3.0, "2026-11-22T11:00:00Z", "desk"),
    ] {
        let case = plain_case(&client, title)
            .fields(total(n))
            .fields(text("f-at", at));
        case.tags("team", team).send().await.expect("a case");
    }
    make(&client, "bare").await;

    let field = |comparison: &str, id: &str, value: Value| json!({ "field": { comparison: { "id": id, "value": value } } });
    let string = |text: &str| json!({ "stringValue": text });
    let team = |value: &str| json!({ "tag": { "equalTo": { "key": "team", "value": value } } });
    for (filter, expected) in [
        (field("equalTo", "title", string("Question")), "Question"),
        (
            field("contains", "title", string("order")),
            "Order one, Order two",
        ),
        (
            field("greaterThan", "f-total", json!({ "doubleValue": 2 })),
            "Question",
        ),
        (
            field("lessThanOrEqualTo", "f-total", json!({ "doubleValue": 2 })),
            "Order one, Order two",
        ),
        (
            field("lessThan", "f-at", string("2026-11-22T10:00:00Z")),
            "Order two",
        ),
        (
            field("equalTo", "f-total", json!({ "emptyValue": {} })),
            "bare",
        ),
        (team("desk"), "Question"),
        (json!({ "not": team("orders") }), "Question, bare"),
        (
            json!({ "andAll": [team("orders"), field("equalTo", "title", string("Order two"))] }),
            "Order two",
        ),
        (
            json!({ "orAll": [team("desk"), field("equalTo", "title", string("bare"))] }),
            "Question, bare",
        ),
        (
            json!({ "andAll": [] }),
            "Order one, Order two, Question, bare",
        ),
        (json!({ "orAll": [] }), ""),
    ] {
        let body = json!({ "filter": filter, "fields": [{ "id": "title" }] }).to_string();
        let (status, _, answer) = post(&emulator, "/domains/d-1/cases-search", &body).await;
        assert_eq!(status, 200, "{body}: {answer}");
        let cases = answer["cases"].as_array().expect("cases");
        let titles: Vec<&str> = cases
            .iter()
            .filter_map(|case| case["fields"][0]["value"]["stringValue"].as_str())
            .collect();
        assert_eq!(titles.join(", "), expected, "{filter}");
    }
}

#[tokio::test]
async fn a_search_term_looks_into_texts() {
    let emulator = emulator();
    let client = client(&emulator);
    make(&client, "Order failed").await;
    let search = |term: &str| {
        client
            .search_cases()
            .domain_id("d-1")
            .search_term(term)
            .send()
    };
    assert_eq!(search("FAIL").await.expect("an answer").total_count, 1);
    assert_eq!(search("refund").await.expect("an answer").total_count, 0);
}

#[tokio::test]
async fn searches_that_are_refused() {
    let emulator = emulator();
    let client = client(&emulator);
    let customer = FieldFilter::EqualTo(text("customer_id", "p-1"));
    let search = client
        .search_cases()
        .domain_id("d-1")
        .filter(CaseFilter::Field(customer));
    let error = search
        .send()
        .await
        .expect_err("no profile ARN")
        .into_service_error();
    assert!(error.is_validation_exception());

    let eleven: Vec<Value> = (0..11).map(|_| json!({ "andAll": [] })).collect();
    for body in [
        json!({ "filter": {} }),
        json!({ "filter": { "andAll": eleven } }),
        json!({ "filter": { "tag": { "equalTo": { "key": "team" } } } }),
        json!({ "filter": { "field": { "equalTo": { "id": "f-total", "value": { "stringValue": "1" } } } } }),
        json!({ "searchTerm": "x".repeat(256) }),
        json!({ "sorts": [{ "fieldId": "title", "sortOrder": "Up" }] }),
    ] {
        let (status, exception, _) =
            post(&emulator, "/domains/d-1/cases-search", &body.to_string()).await;
        assert_eq!(
            (status, exception.as_str()),
            (400, "ValidationException"),
            "{body}"
        );
    }
}
