//! The queues through the official client.

use std::fmt::Write as _;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::MessageAttributeValue;
use cases_emulator::{Emulator, Fault};
use serde_json::{Value, json};

use crate::{emulator, in_process};

const URL: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/failures";
const FIFO: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/failures.fifo";

fn with_queues() -> Emulator {
    let emulator = emulator();
    emulator.add_queue(URL);
    emulator.add_queue(FIFO);
    emulator
}

fn client(emulator: &Emulator) -> Client {
    Client::new(&in_process(emulator))
}

#[tokio::test(start_paused = true)]
async fn messages_are_kept_as_they_were_sent() {
    let emulator = with_queues();
    let client = client(&emulator);
    let send = |body: &str| client.send_message().queue_url(URL).message_body(body);
    let first = send("This is a test message").send().await;
    let first = first.expect("a message");
    assert_eq!(
        first.md5_of_message_body(),
        Some("fafb00f5732ab283681e124bf8747ed1")
    );
    assert_eq!(first.sequence_number(), None);
    let again = send("b").message_group_id("g").send().await;
    let again = again.expect("a second message");
    assert_eq!(
        emulator.messages(URL),
        [
            json!({ "messageId": first.message_id(), "body": "This is a test message" }),
            json!({ "messageId": again.message_id(), "body": "b", "messageGroupId": "g" }),
        ]
    );
    assert_ne!(first.message_id(), again.message_id());
    assert!(emulator.messages(FIFO).is_empty());
    assert_eq!(emulator.requests()[0].operation, "SQS.SendMessage");
}

#[tokio::test(start_paused = true)]
async fn a_fifo_queue_knows_a_message_again_for_five_minutes() {
    let emulator = with_queues();
    let client = client(&emulator);
    let send = async |body: &str, id: Option<&str>| {
        let request = client.send_message().queue_url(FIFO).message_group_id("g");
        let request = request
            .message_body(body)
            .set_message_deduplication_id(id.map(str::to_owned));
        let sent = request.send().await.expect("a message");
        assert!(sent.sequence_number().is_some());
        sent.message_id().expect("an id").to_owned()
    };
    let first = send("a", Some("1")).await;
    assert_eq!(
        send("b", Some("1")).await,
        first,
        "the id counts, not the body"
    );
    assert_ne!(send("a", Some("2")).await, first);
    let by_body = send("a", None).await;
    tokio::time::advance(Duration::from_secs(299)).await;
    assert_eq!(send("a", None).await, by_body);
    assert_eq!(emulator.messages(FIFO).len(), 3);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_ne!(send("b", Some("1")).await, first);
    let bodies: Vec<Value> = emulator
        .messages(FIFO)
        .iter()
        .map(|m| m["body"].clone())
        .collect();
    assert_eq!(bodies, ["a", "a", "a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn messages_that_are_refused() {
    let emulator = with_queues();
    let client = client(&emulator);
    let message = |url: &str, body: &str| client.send_message().queue_url(url).message_body(body);
    let unknown = message(
        "https://sqs.us-east-1.amazonaws.com/123456789012/other",
        "a",
    );
    let attribute = MessageAttributeValue::builder()
        .data_type("String")
        .string_value("x");
    let attribute = attribute.build().expect("an attribute");
    let longest = "x".repeat(1024 * 1024);
    let mut refused = String::new();
    for request in [
        unknown.clone(),
        message(URL, ""),
        message(URL, "a\u{0}"),
        message(URL, &format!("{longest}x")),
        message(URL, "a").message_attributes("a", attribute),
        message(URL, "a").message_deduplication_id("1"),
        message(URL, "a").delay_seconds(1),
        message(FIFO, "a"),
        message(FIFO, "a").message_group_id("g g"),
    ] {
        let error = request.send().await.expect_err("a refusal");
        let (code, message) = (error.code(), error.message());
        let (code, message) = (code.unwrap_or_default(), message.unwrap_or_default());
        let _ = writeln!(refused, "{code}: {message}");
    }
    assert!(emulator.messages(URL).is_empty() && emulator.messages(FIFO).is_empty());
    let error = unknown.send().await.expect_err("no queue");
    assert!(error.into_service_error().is_queue_does_not_exist());
    let sent = message(URL, &longest).send().await;
    sent.expect("1 MiB");
    insta::assert_snapshot!(refused);

    emulator.inject(Fault::status(400, "RequestThrottled", "slow down").on("SQS.SendMessage"));
    let error = message(URL, "a").send().await.expect_err("the fault");
    assert!(error.into_service_error().is_request_throttled());
}
