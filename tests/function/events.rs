//! Every shipped event with the shipped mapping.

use serde_json::Value;

use super::{Function, read, read_json, shipped_events};

/// The status that an answer, an error or a batch comes down to.
fn status(answer: &Value) -> &str {
    match (
        answer.get("status"),
        answer.get("batchItemFailures").and_then(Value::as_array),
    ) {
        (Some(status), _) => status.as_str().unwrap_or_default(),
        (None, Some(failures)) if failures.is_empty() => "created",
        _ => "failed",
    }
}

#[tokio::test(start_paused = true)]
async fn every_event_has_the_outcome_that_is_expected() {
    let expected = read_json("events/expected.json");
    let mut seen = 0;
    for name in shipped_events() {
        let function = Function::shipped();
        let answer = function.handle(&read(format!("events/{name}"))).await;
        let wanted = expected
            .get(&name)
            .unwrap_or_else(|| panic!("{name} is not in expected.json"));
        let wanted = wanted
            .get("status")
            .unwrap_or(wanted)
            .as_str()
            .expect("a status");
        assert_eq!(status(&answer), wanted, "{name}: {answer}");
        let performers: Vec<Value> = function
            .emulator
            .cases()
            .into_iter()
            .map(|case| case["performedBy"]["user"]["customEntity"].clone())
            .collect();
        assert!(
            performers.iter().all(|entity| entity
                .as_str()
                .is_some_and(|entity| entity.starts_with("casebridge/"))),
            "{name}: {performers:?}"
        );
        assert_eq!(performers.is_empty(), wanted != "created", "{name}");
        seen += 1;
    }
    assert_eq!(
        seen,
        expected.as_object().expect("an object").len(),
        "expected.json names a file that is not there"
    );
}

/// The reason for reading events ourselves: the crate's type fails on the events that Connect sends for chats and nested parameters.
#[test]
fn the_published_connect_type_cannot_read_what_connect_sends() {
    use aws_lambda_events::connect::ConnectEvent;
    for file in [
        "events/contact-flow-chat.json",
        "events/contact-flow-nested-parameters.json",
    ] {
        assert!(
            serde_json::from_str::<ConnectEvent>(&read(file)).is_err(),
            "{file}"
        );
    }
}
