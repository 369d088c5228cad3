//! The whole function, from payload to answer, through the real SDK against the emulator.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends by panicking, and looks at the clock and the environment"
)]

mod additions;
mod batch;
mod deployed;
mod diagnostics;
mod events;
mod faults;
mod function;
mod ledger;
mod live;
mod matrix;
mod once;
mod output;
mod panics;
mod payloads;
mod privacy;
mod schedules;
mod start;
mod telemetry;
mod verdicts;
mod warm_up;
mod wrapped;

use std::path::Path;
use std::time::Duration;

use cases_emulator::{Fault, FaultKind};
use function::{AMPLE, FAILURES, Function, TABLE, TokioTime, casebridge, emulator, in_test, read};
use serde_json::{Value, json};

/// Lets time pass.
async fn advance(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

// Payloads

/// The Connect instance of the tests.
const INSTANCE: &str = "arn:aws:connect:us-east-1:111122223333:instance/i-1";
/// The phone number of a shipped profile.
const KNOWN: &str = "+15550100142";
/// A phone number that no profile has.
const NOBODY: &str = "+15550100199";

fn flow(phone: &str, parameters: &Value) -> String {
    let endpoint = json!({ "Address": phone, "Type": "TELEPHONE_NUMBER" });
    let contact =
        json!({ "ContactId": "c-1", "InstanceARN": INSTANCE, "CustomerEndpoint": endpoint });
    json!({ "Details": { "ContactData": contact, "Parameters": parameters } }).to_string()
}

fn event(id: &str, detail: &Value) -> String {
    json!({ "source": "com.example.shop", "detail-type": "Order", "id": id, "detail": detail })
        .to_string()
}

/// A message of a queue.
fn message(id: &str, queue: &str, body: &str) -> Value {
    json!({
        "messageId": id,
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:111122223333:{queue}"),
        "body": body,
    })
}

fn batch(messages: &[Value]) -> String {
    json!({ "Records": messages }).to_string()
}

/// The ids of the messages that a batch keeps.
fn kept(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array();
    failures
        .expect("a batch's answer")
        .iter()
        .filter_map(|failure| failure["itemIdentifier"].as_str())
        .collect()
}

// Faults of an operation, by what the function sees of them.

fn throttled(operation: &str) -> Fault {
    Fault::status(429, "ThrottlingException", "slow down").on(operation)
}

fn denied(operation: &str) -> Fault {
    Fault::status(403, "AccessDeniedException", "no").on(operation)
}

fn invalid(operation: &str) -> Fault {
    Fault::status(400, "ValidationException", "no").on(operation)
}

fn conflict(operation: &str) -> Fault {
    Fault::status(409, "ConflictException", "another request").on(operation)
}

fn down(operation: &str) -> Fault {
    Fault::status(500, "InternalServerException", "down").on(operation)
}

/// The request has its effect, and its answer is lost.
fn lost(operation: &str) -> Fault {
    Fault::new(FaultKind::CloseAfter).on(operation)
}

/// The connection is closed before the request has its effect.
fn cut(operation: &str) -> Fault {
    Fault::new(FaultKind::CloseBefore).on(operation)
}

fn hangs(operation: &str) -> Fault {
    Fault::new(FaultKind::Hang).on(operation)
}

/// The request has its effect, and its answer comes after every deadline.
fn answers_late(operation: &str) -> Fault {
    Fault::new(FaultKind::DelayAfter(Duration::from_mins(20))).on(operation)
}

/// The request goes through, in place of the next fault.
fn passes(operation: &str) -> Fault {
    Fault::new(FaultKind::Delay(Duration::ZERO)).on(operation)
}

// Answers

/// The answer to a new case, all of whose items were added.
const CREATED: [&str; 4] = ["created", "true", "true", "false"];
/// The answer to a key that has its case, with all items of this occurrence.
const EXISTING: [&str; 4] = ["existing", "true", "true", "false"];
/// The answer to another occurrence of a key, which adds nothing.
const NOT_REQUESTED: [&str; 4] = ["existing", "not_requested", "not_requested", "false"];

fn status(answer: &Value) -> [&str; 4] {
    members(
        answer,
        ["status", "contactLinked", "commentAdded", "retryable"],
    )
}

fn members<'a, const N: usize>(answer: &'a Value, names: [&str; N]) -> [&'a str; N] {
    names.map(|name| answer[name].as_str().unwrap_or_default())
}

/// The error code of an answer, or of an error; empty where there is none.
fn code(answer: &Value) -> &str {
    let [error_type, error_code] = members(answer, ["errorType", "errorCode"]);
    if error_type.is_empty() {
        error_code
    } else {
        error_type
    }
}

#[track_caller]
fn expect_status(answer: &Value, expected: [&str; 4]) {
    assert_eq!(status(answer), expected, "{answer}");
}

/// Expects the error that makes Lambda deliver an event again.
#[track_caller]
fn expect_error(answer: &Value, expected: &str) {
    assert_eq!(answer["errorType"], expected, "{answer}");
}

/// Expects a flow's answer that asks for another call.
#[track_caller]
fn expect_retryable(answer: &Value, expected: &str) {
    let found = members(answer, ["status", "errorCode", "retryable"]);
    assert_eq!(found, ["failed", expected, "true"], "{answer}");
}

/// The names of the shipped events.
fn shipped_events() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let entries = std::fs::read_dir(folder).expect("events");
    entries
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a name"))
        .filter(|name| {
            name != "expected.json" && Path::new(name).extension() == Some("json".as_ref())
        })
        .collect()
}

fn read_json(path: impl AsRef<Path>) -> Value {
    serde_json::from_str(&read(path)).expect("the file is JSON")
}

/// Holds the part of a page between `<!-- NAME -->` and `<!-- /NAME -->` to what was measured; with `UPDATE_DOCS` set, writes it.
fn generated(page: &str, name: &str, measured: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = read(page);
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&begin).expect("the part begins");
    let (found, after) = rest.split_once(&end).expect("the part ends");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let text = format!("{before}{begin}{measured}{end}{after}");
        std::fs::write(path, text).expect("the page can be written");
    } else {
        assert_eq!(found, measured, "{page}");
    }
}
