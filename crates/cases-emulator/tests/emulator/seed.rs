//! Snapshots that cannot seed an emulator, and the sentence for each.

use std::error::Error;

use cases_emulator::Emulator;
use serde_json::Value;

use crate::DOMAIN;

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let mut snapshot: Value = serde_json::from_str(DOMAIN).expect("JSON");
    change(&mut snapshot);
    sentence(&snapshot.to_string())
}

fn sentence(snapshot: &str) -> String {
    let error = Emulator::from_snapshot(snapshot).expect_err("a wrong snapshot");
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
        refusal(|s| s["fields"][3]["type"] = "Date".into()),
        refusal(|s| s["fields"][3]["fieldId"] = "case_id".into()),
        refusal(|s| s["fields"][12]["type"] = "Text".into()),
        refusal(|s| s["fields"][12]["options"][1]["value"] = "high".into()),
        refusal(|s| s["fields"][19]["fieldId"] = "heading".into()),
        refusal(|s| s["templates"][0]["requiredFields"][1]["fieldId"] = "f-none".into()),
        refusal(|s| s["templates"][0]["rules"][0]["caseRuleId"] = "r-none".into()),
        refusal(|s| s["templates"][0]["status"] = "Draft".into()),
        refusal(|s| remove(&mut s["rules"][0]["rule"], "required")),
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
