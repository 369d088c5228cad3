//! The domain's own reads, page by page, and the seeds that are refused.

use std::error::Error;

use aws_sdk_connectcases::types::{
    CaseRuleIdentifier, DomainStatus, FieldNamespace, FieldType, RuleType, TemplateStatus,
};
use cases_emulator::{Emulator, SeedError};
use serde_json::{Value, json};

use crate::{CONTACTS, DOMAIN, PROFILES, client, emulator, identifier, post};

#[tokio::test]
async fn the_domain() {
    let client = client(&emulator());
    let domain = client
        .get_domain()
        .domain_id("d-1")
        .send()
        .await
        .expect("it");
    assert_eq!(
        (domain.domain_id.as_str(), domain.name.as_str()),
        ("d-1", "shop")
    );
    assert_eq!(domain.domain_status, DomainStatus::Active);
    assert_eq!(domain.created_time.to_string(), "2026-01-01T00:00:00Z");

    let domains = client.list_domains().send().await.expect("domains").domains;
    assert_eq!(domains.len(), 1);
    assert_eq!(domains[0].domain_arn, domain.domain_arn);
}

#[tokio::test]
async fn templates() {
    let client = client(&emulator());
    let template = client
        .get_template()
        .domain_id("d-1")
        .template_id("t-order");
    let template = template.send().await.expect("it");
    assert_eq!(template.status, TemplateStatus::Active);
    let required = template.required_fields.expect("required fields");
    assert_eq!(required[1].field_id, "f-number");
    assert_eq!(template.rules.expect("rules")[0].case_rule_id, "r-note");

    let list = client.list_templates().domain_id("d-1").send().await;
    let templates = list.expect("all").templates;
    let names: Vec<&str> = templates.iter().map(|t| t.name.as_str()).collect();
    assert_eq!((names.len(), names[2]), (3, "Old"));
    assert_eq!(templates[2].status, TemplateStatus::Inactive);
}

#[tokio::test]
async fn fields_in_pages() {
    let client = client(&emulator());
    let mut pages = client
        .list_fields()
        .domain_id("d-1")
        .into_paginator()
        .page_size(8)
        .send();
    let mut fields = Vec::new();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.expect("a page").fields;
        sizes.push(page.len());
        fields.extend(page);
    }
    assert_eq!(sizes, [8, 8, 3], "the deleted field is left out");
    let note = fields
        .iter()
        .find(|field| field.field_id == "f-note")
        .expect("it");
    assert_eq!(note.r#type, FieldType::Text);
    assert_eq!(note.namespace, FieldNamespace::Custom);
    let multiline = note.attributes.as_ref().and_then(|a| a.as_text().ok());
    assert!(multiline.is_some_and(|text| text.is_multiline));
}

#[tokio::test]
async fn a_batch_of_fields_has_an_error_for_each_unknown_one() {
    let client = client(&emulator());
    let batch = client
        .batch_get_field()
        .domain_id("d-1")
        .fields(identifier("f-total"))
        .fields(identifier("f-none"))
        .send()
        .await
        .expect("a batch");
    assert_eq!(batch.fields.len(), 1);
    assert_eq!(batch.fields[0].r#type, FieldType::Number);
    assert_eq!(batch.errors.len(), 1);
    assert_eq!(batch.errors[0].id, "f-none");
    assert_eq!(batch.errors[0].error_code, "ResourceNotFoundException");
}

#[tokio::test]
async fn options() {
    let client = client(&emulator());
    let list = client
        .list_field_options()
        .domain_id("d-1")
        .field_id("f-priority");
    let all = list.send().await.expect("options").options;
    let shown: Vec<_> = all.iter().map(|o| (o.value.as_str(), o.active)).collect();
    assert_eq!(shown, [("high", true), ("low", true), ("urgent", false)]);
    assert_eq!(all[1].name, "Low");

    let none = client
        .list_field_options()
        .domain_id("d-1")
        .field_id("title");
    let error = none
        .send()
        .await
        .expect_err("no options")
        .into_service_error();
    assert!(error.is_validation_exception());
}

#[tokio::test]
async fn rules() {
    let client = client(&emulator());
    let list = client
        .list_case_rules()
        .domain_id("d-1")
        .send()
        .await
        .expect("rules");
    let types: Vec<_> = list
        .case_rules
        .iter()
        .map(|rule| rule.rule_type.clone())
        .collect();
    assert_eq!(types, [RuleType::Required, RuleType::Hidden]);

    let id = |id: &str| CaseRuleIdentifier::builder().id(id).build().expect("an id");
    let batch = client
        .batch_get_case_rule()
        .domain_id("d-1")
        .case_rules(id("r-hide"))
        .case_rules(id("r-none"))
        .send()
        .await
        .expect("a batch");
    let rule = batch.case_rules[0].rule.as_ref().expect("a rule");
    assert!(rule.as_hidden().is_ok_and(|hidden| hidden.default_value));
    assert_eq!(batch.errors[0].id, "r-none");
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
