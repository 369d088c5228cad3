//! The domain's own reads, page by page, and the seeds that are refused.

use std::error::Error;

use aws_sdk_connectcases::types::{FieldNamespace, FieldType};
use cases_emulator::{Emulator, SeedError};
use serde_json::{Value, json};

use crate::{CONTACTS, DOMAIN, PROFILES, client, emulator, post};

#[tokio::test]
async fn reads_answer_from_the_snapshot() {
    let emulator = emulator();
    let batch = json!({ "fields": [{ "id": "f-total" }, { "id": "f-none" }] });
    let rules = json!({ "caseRules": [{ "id": "r-hide" }, { "id": "r-none" }] });
    let none = Value::Null;
    for (path, body, answer) in [
        (
            "domains/d-1",
            &none,
            json!({
                "/domainId": "d-1", "/name": "shop", "/domainStatus": "Active",
                "/createdTime": "2026-01-01T00:00:00.000Z",
            }),
        ),
        (
            "domains-list",
            &none,
            json!({
                "/domains/0/domainArn": "arn:aws:cases:us-east-1:123456789012:domain/d-1",
                "/domains/1": null, "/nextToken": null,
            }),
        ),
        (
            "domains/d-1/templates/t-order",
            &none,
            json!({
                "/status": "Active", "/requiredFields/1/fieldId": "f-number",
                "/rules/0/caseRuleId": "r-note",
            }),
        ),
        (
            "domains/d-1/templates-list",
            &none,
            json!({
                "/templates/0/status": "Active", "/templates/2/name": "Old",
                "/templates/2/status": "Inactive", "/templates/3": null,
            }),
        ),
        (
            "domains/d-1/fields-batch",
            &batch,
            json!({
                "/fields/0/type": "Number", "/fields/1": null, "/errors/0/id": "f-none",
                "/errors/0/errorCode": "ResourceNotFoundException", "/errors/1": null,
            }),
        ),
        (
            "domains/d-1/fields/f-priority/options-list",
            &none,
            json!({
                "/options/0/value": "high", "/options/0/active": true, "/options/1/name": "Low",
                "/options/2/value": "urgent", "/options/2/active": false, "/options/3": null,
            }),
        ),
        (
            "domains/d-1/rules-list/",
            &none,
            json!({ "/caseRules/0/ruleType": "Required", "/caseRules/1/ruleType": "Hidden" }),
        ),
        (
            "domains/d-1/rules-batch",
            &rules,
            json!({ "/caseRules/0/rule/hidden/defaultValue": true, "/errors/0/id": "r-none" }),
        ),
    ] {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let (status, _, found) = post(&emulator, &format!("/{path}"), &body).await;
        assert_eq!(status, 200, "{path}: {found}");
        for (pointer, expected) in answer.as_object().expect("pointers") {
            let found = found.pointer(pointer).unwrap_or(&Value::Null);
            assert_eq!(found, expected, "{path} {pointer}");
        }
    }
}

#[tokio::test]
async fn fields_in_pages() {
    let client = client(&emulator());
    let pages = client.list_fields().domain_id("d-1").into_paginator();
    let pages = pages.page_size(8).send().collect::<Vec<_>>().await;
    let pages = pages.into_iter().map(|page| page.expect("a page").fields);
    let pages: Vec<_> = pages.collect();
    let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [8, 8, 3], "the deleted field is left out");
    let mut fields = pages.iter().flatten();
    let note = fields.find(|field| field.field_id == "f-note");
    let note = note.expect("the field");
    assert_eq!(note.r#type, FieldType::Text);
    assert_eq!(note.namespace, FieldNamespace::Custom);
    let multiline = note.attributes.as_ref().and_then(|a| a.as_text().ok());
    assert!(multiline.is_some_and(|text| text.is_multiline));
}

#[tokio::test]
async fn pages_that_cannot_be() {
    let emulator = emulator();
    let (_, _, fields) = post(&emulator, "/domains/d-1/fields-list?maxResults=2", "").await;
    let token = fields["nextToken"].as_str().expect("a token");
    let templates_with_its_token = format!("/domains/d-1/templates-list?nextToken={token}");
    let ids: Vec<_> = (0..51).map(|n| json!({ "id": n.to_string() })).collect();
    let too_many = json!({ "fields": ids }).to_string();
    for (path, body) in [
        ("/domains/d-1/fields-list?maxResults=0", ""),
        ("/domains/d-1/fields-list?maxResults=101", ""),
        ("/domains/d-1/fields-list?maxResults=ten", ""),
        ("/domains/d-1/fields-list?nextToken=abc", ""),
        ("/domains-list?maxResults=11", ""),
        (templates_with_its_token.as_str(), ""),
        ("/domains/d-1/templates-list?status=Active", ""),
        ("/domains/d-1/fields/f-priority/options-list?values=a", ""),
        ("/domains/d-1/fields/title/options-list", ""),
        ("/domains/d-1/fields-batch", r#"{"fields":[]}"#),
        ("/domains/d-1/fields-batch", too_many.as_str()),
        ("/domains/d-1/fields-batch", "{}"),
        ("/domains/d-1/rules-batch", r#"{"caseRules":[{"id":""}]}"#),
        ("/domains/d-1/cases-search", r#"{"maxResults":101}"#),
        ("/domains/d-1/cases/c/audit-history", r#"{"maxResults":26}"#),
        ("/domains/d-1/cases/c", r#"{"fields":[]}"#),
        (
            "/domains/d-1/cases/c",
            r#"{"fields":[{"id":"title"}],"nextToken":"abc"}"#,
        ),
    ] {
        let (status, exception, answer) = post(&emulator, path, body).await;
        assert_eq!(
            (status, exception.as_str()),
            (400, "ValidationException"),
            "{path} {body}: {answer}"
        );
    }
}

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let mut snapshot: Value = serde_json::from_str(DOMAIN).expect("JSON");
    change(&mut snapshot);
    sentence(&snapshot.to_string())
}

fn sentence(snapshot: &str) -> String {
    describe(&Emulator::from_snapshot(snapshot).expect_err("a wrong snapshot"))
}

fn describe(error: &SeedError) -> String {
    let cause = error.source().map(|source| format!(": {source}"));
    format!("{error}{}", cause.unwrap_or_default())
}

#[test]
fn each_has_its_sentence() {
    let remove = |value: &mut Value, name: &str| {
        value.as_object_mut().expect("an object").remove(name);
    };
    let sentences = [
        sentence("{"),
        sentence("[]"),
        refusal(|s| remove(s, "templates")),
        refusal(|s| remove(&mut s["domain"], "domainId")),
        refusal(|s| s["domain"]["domainId"] = "d-2".into()),
        refusal(|s| remove(&mut s["fields"][3], "type")),
        refusal(|s| s["fields"][3]["fieldId"] = "case_id".into()),
        refusal(|s| s["fields"][12]["type"] = "Text".into()),
        refusal(|s| s["fields"][12]["options"][1]["value"] = "high".into()),
        refusal(|s| s["fields"][19]["fieldId"] = "heading".into()),
        refusal(|s| s["templates"][0]["requiredFields"][1]["fieldId"] = "f-none".into()),
        refusal(|s| s["templates"][0]["rules"][0]["caseRuleId"] = "r-none".into()),
        refusal(|s| remove(&mut s["rules"][0]["rule"], "required")),
    ];
    insta::assert_snapshot!(sentences.join("\n"));
}

#[test]
fn what_came_later_is_kept() {
    let mut snapshot: Value = serde_json::from_str(DOMAIN).expect("JSON");
    snapshot["fields"][3]["type"] = "Duration".into();
    snapshot["fields"][3]["options"] = json!([{ "name": "A", "value": "a", "active": true }]);
    snapshot["templates"][0]["status"] = "Draft".into();
    snapshot["templates"][0]["later"] = json!({});
    snapshot["domain"]["domainStatus"] = "Moving".into();
    snapshot["rules"][0]["rule"] = json!({ "computed": { "defaultValue": true } });
    Emulator::from_snapshot(&snapshot.to_string()).expect("a snapshot");
}

/// Returns the error of the seed with a change; nothing of the seed is served.
fn seeded(
    seed: &str,
    set: impl Fn(&Emulator, &str) -> Result<(), SeedError>,
    change: impl FnOnce(&mut Value),
) -> String {
    let mut value: Value = serde_json::from_str(seed).expect("JSON");
    change(&mut value);
    let emulator = emulator();
    let error = set(&emulator, &value.to_string()).expect_err("a wrong seed");
    assert!(emulator.profiles().is_empty());
    describe(&error)
}

#[test]
fn each_wrong_profile_has_its_sentence() {
    let sentence = |change: fn(&mut Value)| seeded(PROFILES, Emulator::set_profiles, change);
    let sentences = [
        describe(&emulator().set_profiles("").expect_err("no JSON")),
        sentence(|s| *s = Value::Null),
        sentence(|s| s["profile"] = Value::Null),
        sentence(|s| s["domain"] = "d".into()),
        sentence(|s| s["domain"]["DomainName"] = "a b".into()),
        sentence(|s| s["profiles"][0]["ProfileId"] = Value::Null),
        sentence(|s| s["profiles"][0]["ProfileId"] = "P-1".into()),
        sentence(|s| s["profiles"][1] = s["profiles"][0].clone()),
        sentence(|s| s["profiles"][1]["Phone"] = "+15550100".into()),
        sentence(|s| s["profiles"][1]["FirstName"] = "".into()),
        sentence(|s| s["profiles"][1]["Address"] = "1 Example Street".into()),
        sentence(|s| s["profiles"][1]["Keys"] = "c-1".into()),
        sentence(|s| s["profiles"][0]["Keys"] = json!({ "a b": ["x"] })),
    ];
    insta::assert_snapshot!(sentences.join("\n"));
}

#[test]
fn each_wrong_contact_has_its_sentence() {
    let sentence = |change: fn(&mut Value)| seeded(CONTACTS, Emulator::set_contacts, change);
    let sentences = [
        describe(&emulator().set_contacts("").expect_err("no JSON")),
        sentence(|s| *s = Value::Null),
        sentence(|s| s["instanceId"] = Value::Null),
        sentence(|s| s["contacts"][0] = s["contacts"][0]["Contact"].clone()),
        sentence(|s| s["contacts"][0]["Contact"]["Id"] = Value::Null),
        sentence(|s| s["contacts"][0]["Contact"]["Id"] = "".into()),
        sentence(|s| s["contacts"][1]["Contact"]["Id"] = "c-0001".into()),
        sentence(|s| s["contacts"][0]["Attributes"]["orderId"] = true.into()),
        sentence(|s| s["contacts"][0]["Contact"]["InitiationTimestamp"] = "then".into()),
    ];
    insta::assert_snapshot!(sentences.join("\n"));
}

#[test]
fn rules_may_be_left_out() {
    let mut snapshot: Value = serde_json::from_str(DOMAIN).expect("JSON");
    let members = snapshot.as_object_mut().expect("an object");
    members.remove("rules");
    members["templates"][0]
        .as_object_mut()
        .expect("a template")
        .remove("rules");
    Emulator::from_snapshot(&snapshot.to_string()).expect("an emulator");
}
