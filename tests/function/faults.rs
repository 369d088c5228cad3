//! Faults between the function and Cases, and the answers to the caller.

use std::time::Duration;

use cases_emulator::{Fault, FaultKind};
use tokio::time::Instant;

use super::{Function, denied, expect_retryable, lost, read, read_json, throttled};

/// A call of the voice flow against a service with a fault, with the time it took.
async fn flow(fault: Fault) -> (Function, serde_json::Value, Duration) {
    let function = Function::shipped();
    function.inject(fault.on("CreateCase"));
    let begun = Instant::now();
    let answer = function
        .handle(&read("events/contact-flow-voice.json"))
        .await;
    (function, answer, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn permanent_refusals_are_answered_at_once() {
    for (status, error_type, code) in [
        (400, "ValidationException", "RequestRefused"),
        (403, "AccessDeniedException", "AccessDenied"),
        (404, "ResourceNotFoundException", "ResourceNotFound"),
        (403, "UnrecognizedClientException", "AccessDenied"),
        (400, "UnrecognizedClientException", "AccessDenied"),
    ] {
        let (function, answer, _) = flow(Fault::status(status, error_type, "no").times(100)).await;
        assert_eq!(
            (answer["errorCode"].as_str(), answer["retryable"].as_str()),
            (Some(code), Some("false")),
            "{answer}"
        );
        assert_eq!(
            function.creations().len(),
            1,
            "{error_type} was tried again"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_is_waited_out_within_the_budget_and_then_said() {
    let (function, answer, took) =
        flow(Fault::status(429, "ThrottlingException", "slow down").times(100)).await;
    expect_retryable(&answer, "Throttled");
    assert!(
        function.creations().len() > 2,
        "{}",
        function.creations().len()
    );
    assert!(took <= Duration::from_millis(2500), "{took:?}");
}

/// A throttled request created nothing. A request without an answer may have created a case.
#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_leaves_the_outcome_unknown() {
    for fault in [
        FaultKind::Hang,
        FaultKind::CloseAfter,
        FaultKind::DelayAfter(Duration::from_secs(30)),
    ] {
        let (_, answer, took) = flow(Fault::new(fault.clone()).times(100)).await;
        assert_eq!(
            (answer["errorCode"].as_str(), answer["retryable"].as_str()),
            (Some("OutcomeUnknown"), Some("true")),
            "{fault:?}: {answer}"
        );
        assert!(took <= Duration::from_millis(2500), "{fault:?}: {took:?}");
    }
    let (_, answer, _) =
        flow(Fault::status_after(500, "InternalServerException", "oh").times(100)).await;
    assert_eq!(answer["errorCode"], "OutcomeUnknown");
}

/// A service, or a proxy before it, that gave up on a request may have begun with it: that is no refusal.
#[tokio::test(start_paused = true)]
async fn a_time_out_that_is_answered_leaves_the_outcome_unknown() {
    for (status, error_type) in [
        (408, "RequestTimeoutException"),
        (408, "Anything"),
        (400, "RequestTimeout"),
        (499, "Anything"),
    ] {
        let (function, answer, _) =
            flow(Fault::status_after(status, error_type, "too slow").times(100)).await;
        assert_eq!(
            (answer["errorCode"].as_str(), answer["retryable"].as_str()),
            (Some("OutcomeUnknown"), Some("true")),
            "{status} {error_type}: {answer}"
        );
        assert_eq!(function.emulator.cases().len(), 1);
    }
}

/// An unanswered attempt stays in doubt, whatever a later one says.
#[tokio::test(start_paused = true)]
async fn a_throttled_repetition_does_not_hide_a_case_that_may_exist() {
    let function = Function::shipped();
    function.inject(lost("CreateCase"));
    function.always(throttled("CreateCase"));
    let answer = function
        .handle(&read("events/contact-flow-voice.json"))
        .await;
    assert_eq!(answer["errorCode"], "OutcomeUnknown", "{answer}");
    assert_eq!(function.emulator.cases().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slow_service_still_answers_in_time() {
    let (function, answer, took) =
        flow(Fault::new(FaultKind::DelayAfter(Duration::from_secs(2))).times(1)).await;
    assert_eq!(answer["status"], "created", "{answer}");
    assert_eq!(function.emulator.cases().len(), 1);
    assert!(took <= Duration::from_millis(2500), "{took:?}");
}

/// The invocation ends before the flow's budget does: the answer leaves before that.
#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_invocation_comes_before_the_budget() {
    let function = Function::shipped();
    function.inject(Fault::new(FaultKind::Hang).times(100));
    let begun = Instant::now();
    let answer = function
        .handle_for(1, &read("events/contact-flow-voice.json"))
        .await;
    assert_eq!(answer["errorCode"], "OutcomeUnknown");
    assert!(begun.elapsed() < Duration::from_secs(1));
    let answer = function
        .handle_within(
            &read("events/contact-flow-voice.json"),
            Duration::from_millis(100),
        )
        .await;
    assert_eq!(answer["errorCode"], "OutOfTime", "{answer}");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_failed_is_an_error_for_lambda_to_retry() {
    let function = Function::shipped();
    function.inject(denied("CreateCase"));
    let error = function.handle(&read("events/order-failed.json")).await;
    assert_eq!(error["errorType"], "AccessDenied");
    assert!(
        error["errorMessage"]
            .as_str()
            .is_some_and(|message| message.contains("cases:CreateCase")),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_batch_names_the_messages_that_failed_and_no_other() {
    let function = Function::shipped();
    let mut batch = read_json("events/sqs-batch-of-two.json");
    let records = batch["Records"].as_array_mut().expect("records");
    let mut poison = records[0].clone();
    poison["messageId"] = "poison".into();
    poison["body"] = "Message Body".into();
    records.insert(1, poison);
    let answer = function.handle(&batch.to_string()).await;
    assert_eq!(
        answer,
        serde_json::json!({ "batchItemFailures": [{ "itemIdentifier": "poison" }] })
    );
    assert_eq!(function.emulator.cases().len(), 2);
}
