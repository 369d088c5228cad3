//! Snapshots, profiles and contacts that cannot seed an emulator, and the sentence for each.

use std::error::Error;

use cases_emulator::{Emulator, SeedError};
use serde_json::{Value, json};

use crate::{CONTACTS, DOMAIN, PROFILES, emulator};

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let mut snapshot: Value = serde_json::from_str(DOMAIN).expect("JSON");
    change(&mut snapshot);
    sentence(&snapshot.to_string())
}

fn sentence(snapshot: &str) -> String {
    told(&Emulator::from_snapshot(snapshot).expect_err("a wrong snapshot"))
}

fn told(error: &SeedError) -> String {
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

/// The sentence for the seed with a change made to it, and that nothing of it is served.
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
    told(&error)
}

#[test]
fn each_wrong_profile_has_its_sentence() {
    let sentence = |change: fn(&mut Value)| seeded(PROFILES, Emulator::set_profiles, change);
    let sentences = [
        told(&emulator().set_profiles("").expect_err("no JSON")),
        sentence(|s| *s = Value::Null),
        sentence(|s| s["profile"] = Value::Null),
        sentence(|s| s["domain"] = "d".into()),
        sentence(|s| s["domain"]["DomainName"] = "a b".into()),
        sentence(|s| s["domain"]["CreatedAt"] = "yesterday".into()),
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
        told(&emulator().set_contacts("").expect_err("no JSON")),
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
