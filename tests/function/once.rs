//! One case per key, however often the event comes.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Function, advance, conflict, lost, read, read_json, throttled};

#[tokio::test(start_paused = true)]
async fn ten_times_in_sequence_is_one_case() {
    let function = Function::shipped();
    let payload = read("events/order-failed.json");
    let mut ids = HashSet::new();
    for _ in 0..10 {
        let answer = function.handle(&payload).await;
        assert_eq!(answer["status"], "created");
        ids.insert(answer["caseId"].to_string());
    }
    assert_eq!((ids.len(), function.emulator.cases().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn ten_times_at_once_is_one_case() {
    let function = Function::shipped();
    let payload = read("events/contact-flow-voice.json");
    let answers = futures_util::future::join_all((0..10).map(|_| function.handle(&payload))).await;
    let ids: HashSet<String> = answers
        .iter()
        .map(|answer| answer["caseId"].to_string())
        .collect();
    assert_eq!(
        (ids.len(), function.emulator.cases().len()),
        (1, 1),
        "{answers:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn every_attempt_carries_the_same_token() {
    let function = Function::shipped();
    function.inject(throttled("CreateCase").times(2));
    let answer = function.handle(&read("events/order-failed.json")).await;
    let tokens: HashSet<String> = function
        .creations()
        .iter()
        .map(|body| body["clientToken"].to_string())
        .collect();
    assert_eq!(
        (
            answer["status"].as_str(),
            function.creations().len(),
            tokens.len()
        ),
        (Some("created"), 3, 1)
    );
}

/// The mapping changed between a call and its repetition: the token is known with another body, and the case is found by its tag.
#[tokio::test(start_paused = true)]
async fn a_changed_mapping_finds_the_case_that_is_there() {
    let first = Function::shipped();
    let created = first.handle(&read("events/order-failed.json")).await;
    let changed = read("mapping.yaml").replace("team: orders", "team: disputes");
    let second = first.another(&changed, 0);
    let found = second.handle(&read("events/order-failed.json")).await;
    assert_eq!(found["status"], "existing", "{found}");
    assert_eq!(found["caseId"], created["caseId"]);
    assert_eq!(found["caseArn"], created["caseArn"]);
    assert_eq!(first.emulator.cases().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_that_search_does_not_show_yet_is_transient() {
    let function = Function::shipped();
    function.emulator.set_search_lag(Duration::from_mins(1));
    let payload = read("events/contact-flow-voice.json");
    function.handle(&payload).await;
    function.inject(conflict("CreateCase"));
    let answer = function.handle(&payload).await;
    assert_eq!(answer["errorCode"], "ConflictUnresolved", "{answer}");
    assert_eq!(answer["retryable"], "true");
    advance(61).await;
    function.inject(conflict("CreateCase"));
    assert_eq!(function.handle(&payload).await["status"], "existing");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_fetched_again() {
    let function = Function::shipped();
    function.inject(lost("CreateCase"));
    let answer = function
        .handle(&read("events/contact-flow-voice.json"))
        .await;
    assert_eq!(
        (answer["status"].as_str(), function.emulator.cases().len()),
        (Some("created"), 1)
    );
}

/// Different things get different keys: another contact, another request of one contact, another mapping.
#[tokio::test(start_paused = true)]
async fn request_keys_tell_the_cases_of_a_contact_apart() {
    let mapping = "version: 1\ncases:\n  - name: any\n    trigger: contact-flow\n    template: Contact follow-up\n    fields: { title: A case }\n";
    let function = Function::of(mapping);
    let mut event = read_json("events/contact-flow-voice.json");
    for key in [Value::Null, json!("a"), json!("b"), json!(7), json!("a")] {
        event["Details"]["Parameters"]["requestKey"] = key;
        assert_eq!(
            function.handle(&event.to_string()).await["status"],
            "created"
        );
    }
    assert_eq!(function.emulator.cases().len(), 4);
}

/// The layout of tokens is a promise: an upgrade that changed it would double every case that is retried across it.
#[test]
fn tokens_are_golden() {
    let vectors = read_json("tests/function/tokens.json");
    for vector in vectors.as_array().expect("a list") {
        let text = |name: &str| vector[name].as_str().expect("text");
        let parts = vector["key"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|part| part.as_str().expect("text"));
        let token = casebridge::key::client_token(text("domain"), text("mapping"), parts);
        assert_eq!(token, text("token"), "{vector}");
        assert_eq!(token.len(), 64);
    }
}
