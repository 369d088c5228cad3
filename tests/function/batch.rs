//! Batches of a queue: what is kept, what is put aside, in which order.

use std::time::Duration;

use cases_emulator::{Fault, FaultKind};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Function, batch, down, event, kept, message, passes, throttled};

const MAPPING: &str = "
version: 1
cases:
  - name: order
    trigger: eventbridge
    template: Contact follow-up
    fields:
      title: Order {{ $.detail.order }}
";

fn function() -> Function {
    function_with(MAPPING)
}

fn function_with(mapping: &str) -> Function {
    Function::of(mapping).with_failure_queue()
}

/// As many messages, each with an order of its own number.
fn messages(numbers: std::ops::RangeInclusive<u32>, queue: &str) -> Vec<Value> {
    numbers
        .map(|number| message(&format!("m-{number}"), queue, &order(&json!(number))))
        .collect()
}

fn order(order: &Value) -> String {
    event(&format!("e-{order}"), &json!({ "order": order }))
}

#[tokio::test(start_paused = true)]
async fn what_can_never_succeed_is_put_aside_with_its_reason() {
    let function = function();
    let answer = function
        .handle(&batch(&[
            message("sound", "events", &order(&json!(1))),
            message("untitled", "events", &order(&json!(null))),
            message("poison", "events", "no event"),
        ]))
        .await;
    assert_eq!(kept(&answer), [] as [&str; 0]);
    assert_eq!(function.emulator.cases().len(), 1);
    let mut reasons = function.put_aside();
    reasons.sort_by_key(|reason: &Value| reason["errorCode"].to_string());
    let [untitled, poison] = reasons.as_slice() else {
        panic!("{reasons:?}");
    };
    assert_eq!(
        [&untitled["errorCode"], &untitled["errorField"]],
        ["FieldMissing", "Title"]
    );
    assert_eq!(untitled["event"]["detail"]["order"], Value::Null);
    assert_eq!(
        [&poison["errorCode"], &poison["event"]],
        ["UnrecognizedPayload", "no event"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_put_aside_is_kept() {
    let function = function();
    function.inject(Fault::status(403, "AccessDenied", "no").on("SQS.SendMessage"));
    let answer = function
        .handle(&batch(&[message("poison", "events", "no event")]))
        .await;
    assert_eq!(kept(&answer), ["poison"]);
}

#[tokio::test(start_paused = true)]
async fn a_fifo_queue_keeps_all_that_follows_a_failure() {
    let function = function();
    let messages = messages(1..=4, "events.fifo");
    function.inject(passes("CreateCase"));
    function.always(down("CreateCase"));
    let payload = batch(&messages);
    let answer = function.handle_for(20, &payload).await;
    assert_eq!(kept(&answer), ["m-2", "m-3", "m-4"]);
    assert_eq!(function.emulator.cases().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn copies_in_one_batch_are_one_creation() {
    let function = function();
    let copies = ["a", "b", "c"].map(|id| message(id, "events", &order(&json!(7))));
    let answer = function.handle(&batch(&copies)).await;
    assert_eq!(kept(&answer), [] as [&str; 0]);
    assert_eq!(function.creations().len(), 1);

    function.always(down("CreateCase"));
    let copies = ["d", "e"].map(|id| message(id, "events", &order(&json!(8))));
    let answer = function.handle_for(5, &batch(&copies)).await;
    assert_eq!(
        kept(&answer),
        ["d", "e"],
        "copies share the fate of the first"
    );
}

/// A producer may give one id to two events.
#[tokio::test(start_paused = true)]
async fn one_id_and_two_contents_are_two_events() {
    let mapping = MAPPING.replace("template:", "key: $.detail.order\n    template:");
    let function = function_with(&mapping);
    let event = |order: u32| event("e-1", &json!({ "order": order }));
    let messages = [
        ("a", event(1)),
        ("b", event(2)),
        ("copy of a", event(1)),
        ("copy of b", event(2)),
    ];
    let messages = messages.map(|(id, body)| message(id, "events", &body));
    let answer = function.handle(&batch(&messages)).await;
    assert_eq!(kept(&answer), [] as [&str; 0]);
    assert_eq!(function.creations().len(), 2);
    assert_eq!(function.emulator.cases().len(), 2);

    // Without a key of its own the id is the key: both have its one case, and neither is passed over.
    let function = function_with(MAPPING);
    let answer = function.handle(&batch(&messages)).await;
    assert_eq!(kept(&answer), [] as [&str; 0]);
    assert_eq!(function.creations().len(), 2);
    assert_eq!(function.emulator.cases().len(), 1);
}

/// One of two contents fails: the other's message is forgotten all the same.
#[tokio::test(start_paused = true)]
async fn contents_of_one_id_have_fates_of_their_own() {
    let mapping = MAPPING.replace("template:", "key: $.detail.key\n    template:");
    let function = function_with(&mapping);
    let event = |order: Value| event("e-1", &json!({ "order": order, "key": "k" }));
    let messages = [
        message("untitled", "events", &event(json!(null))),
        message("sound", "events", &event(json!(1))),
        message("copy of untitled", "events", &event(json!(null))),
    ];
    let answer = function.handle(&batch(&messages)).await;
    assert_eq!(kept(&answer), [] as [&str; 0]);
    assert_eq!(function.emulator.cases().len(), 1);
    assert_eq!(function.put_aside().len(), 1);
}

/// Side by side, one would wait for the other's claim.
#[tokio::test(start_paused = true)]
async fn messages_of_one_key_run_in_their_order() {
    let mapping = MAPPING.replace("template:", "key: $.detail.key\n    template:");
    let function = function_with(&mapping);
    let slow = Fault::new(FaultKind::Delay(Duration::from_millis(50)));
    function.inject(slow.on("CreateCase").times(1000));
    let event = |number: u32, key: &str| {
        let detail = json!({ "order": number, "key": key });
        let event = event(&format!("e-{number}"), &detail);
        message(&format!("m-{number}"), "events", &event)
    };
    let messages = [
        event(1, "k"),
        event(2, "other"),
        event(3, "k"),
        event(4, "k"),
    ];
    let begun = Instant::now();
    let answer = function.handle(&batch(&messages)).await;
    assert_eq!(kept(&answer), [] as [&str; 0]);
    let titles: Vec<_> = function
        .creations()
        .iter()
        .map(|body| body["fields"][0]["value"]["stringValue"].to_string())
        .collect();
    assert_eq!(
        titles,
        ["\"Order 1\"", "\"Order 2\"", "\"Order 3\"", "\"Order 4\""]
    );
    let took = begun.elapsed();
    let three = Duration::from_millis(150);
    assert!(
        took >= three && took < three + Duration::from_millis(50),
        "{took:?}"
    );
}

/// A key that cannot be known has the event's own identity in its place.
#[tokio::test(start_paused = true)]
async fn copies_without_their_key_are_copies_all_the_same() {
    let mapping = MAPPING.replace("template:", "key: $.detail.missing\n    template:");
    let function = function_with(&mapping);
    let copies = ["a", "b"].map(|id| message(id, "events", &order(&json!(7))));
    let answer = function.handle(&batch(&copies)).await;
    assert_eq!(kept(&answer), [] as [&str; 0]);
    assert_eq!(function.put_aside().len(), 1);
}

/// Ten at once take little longer than one.
#[tokio::test(start_paused = true)]
async fn messages_of_a_standard_queue_are_worked_on_side_by_side() {
    let function = function();
    let slow = Fault::new(FaultKind::Delay(Duration::from_millis(50)));
    function.inject(slow.on("CreateCase").times(1000));
    let messages = messages(1..=10, "events");
    let begun = Instant::now();
    let answer = function.handle(&batch(&messages)).await;
    assert_eq!(kept(&answer), [] as [&str; 0]);
    assert!(
        begun.elapsed() < Duration::from_millis(100),
        "{:?}",
        begun.elapsed()
    );
}

/// The function waits for quota, because returning a message costs one of its receives. Under the published quota it returns none.
#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_the_quota() {
    let function = function();
    function.emulator.set_rate_limits(true);
    let messages = messages(1..=40, "events");
    let answer = function.handle(&batch(&messages)).await;
    assert_eq!(kept(&answer), [] as [&str; 0]);
    assert_eq!(function.emulator.cases().len(), 40);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_begun_that_the_deadline_would_cut() {
    let function = function();
    let messages = [message("late", "events", &order(&json!(1)))];
    let answer = function.handle_for(1, &batch(&messages)).await;
    assert_eq!(kept(&answer), ["late"]);
    assert_eq!(function.creations().len(), 0);
}

/// `Retry-After` is the service's own word.
#[tokio::test(start_paused = true)]
async fn a_service_that_asks_for_time_gets_it() {
    let function = function();
    function.inject(throttled("CreateCase").retry_after(2).times(3));
    let begun = Instant::now();
    function
        .handle(&batch(&[message("m-1", "events", &order(&json!(1)))]))
        .await;
    assert_eq!(function.emulator.cases().len(), 1);
    assert!(
        begun.elapsed() >= Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
}
