//! The failures that a retry can cure, service by service: the table of `docs/exactly-once.md`, measured.
//!
//! `UPDATE_DOCS=1 cargo test --test function verdicts` writes it.

use std::fmt::Write as _;

use cases_emulator::{Fault, FaultKind};
use serde_json::{Value, json};

use super::{FAILURES, Function, generated};

const MAPPING: &str = "
version: 1
cases:
  - name: flow
    trigger: contact-flow
    template: Contact follow-up
    ledger_unavailable: fail
    customer:
      find: [{ _phone: $.CustomerEndpoint.Address }]
      if_none: { create: { PhoneNumber: $.CustomerEndpoint.Address } }
    comment: Please call
    fields: { title: Call back }
  - name: event
    trigger: eventbridge
    template: Contact follow-up
    enrich: true
    ledger_unavailable: fail
    customer:
      find: [{ _phone: $.contact.CustomerEndpoint.Address }]
      if_none: { create: { PhoneNumber: $.contact.CustomerEndpoint.Address } }
    link_contact: true
    fields: { title: Call back }
";

const PHONE: &str = "+15550100199";

const INSTANCE: &str = "0f3c9a52-7d0e-4c1b-9d0a-6a1f0c2b7e11";
const CONTACT: &str = "5d7b2f40-91c3-4e68-8a2b-c4e1f07a9d36";

/// The calls that an event may wait for.
const OPERATIONS: [&str; 6] = [
    "DescribeContact",
    "SearchProfiles",
    "DynamoDB.PutItem",
    "CreateProfile",
    "CreateCase",
    "CreateRelatedItem",
];

/// The faults that a call meets each time it is made.
fn faults() -> [(&'static str, Fault); 7] {
    [
        ("throttled", Fault::status(429, "ThrottlingException", "no")),
        (
            "a fault of the service (5xx)",
            Fault::status(500, "InternalServerError", "no"),
        ),
        ("the connection is cut", Fault::new(FaultKind::CloseBefore)),
        ("no answer", Fault::new(FaultKind::Hang)),
        (
            "refused (400)",
            Fault::status(400, "ValidationException", "no"),
        ),
        (
            "denied (403)",
            Fault::status(403, "AccessDeniedException", "no"),
        ),
        (
            "not found (404)",
            Fault::status(404, "ResourceNotFoundException", "no"),
        ),
    ]
}

fn function() -> Function {
    let function = Function::of(MAPPING).with_ledger().with_failure_queue();
    let contact = json!({
        "Id": CONTACT,
        "Channel": "VOICE",
        "CustomerEndpoint": { "Address": PHONE, "Type": "TELEPHONE_NUMBER" },
    });
    let contacts = json!({ "instanceId": INSTANCE, "contacts": [{ "Contact": contact }] });
    let set = function.emulator.set_contacts(&contacts.to_string());
    set.expect("sound");

    function
}

fn instance() -> String {
    format!("arn:aws:connect:us-east-1:111122223333:instance/{INSTANCE}")
}

fn flow() -> Value {
    json!({ "Details": { "ContactData": {
        "ContactId": CONTACT,
        "InstanceARN": instance(),
        "CustomerEndpoint": { "Address": PHONE, "Type": "TELEPHONE_NUMBER" },
    } } })
}

fn event() -> Value {
    let detail =
        json!({ "eventType": "DISCONNECTED", "contactId": CONTACT, "instanceArn": instance() });
    json!({ "source": "aws.connect", "detail-type": "Amazon Connect Contact Event", "id": "e-1", "detail": detail })
}

fn batch() -> Value {
    json!({ "Records": [{ "messageId": "m-1", "eventSource": "aws:sqs", "body": event().to_string() }] })
}

async fn run(operation: &str, fault: &Fault, payload: &Value) -> (Function, Value) {
    let function = function();
    function.always(fault.clone().on(operation));
    let answer = function.handle_for(30, &payload.to_string()).await;
    (function, answer)
}

async fn heard_by_the_flow(operation: &str, fault: &Fault) -> String {
    let (function, answer) = run(operation, fault, &flow()).await;
    if !function.calls().iter().any(|call| call == operation) {
        return "–".to_owned();
    }
    let text = |member: &str| answer[member].as_str().unwrap_or_default();
    let again = if text("retryable") == "true" {
        ", retryable"
    } else {
        ""
    };
    format!("`{}`, `{}`{again}", text("status"), text("errorCode"))
}

async fn end_of_the_event(operation: &str, fault: &Fault) -> String {
    let (_, answer) = run(operation, fault, &event()).await;
    match answer["errorType"].as_str() {
        Some(code) => format!("error `{code}`"),
        None => format!("`{}`", answer["status"].as_str().unwrap_or_default()),
    }
}

async fn end_of_the_message(operation: &str, fault: &Fault) -> String {
    let (function, answer) = run(operation, fault, &batch()).await;
    let kept = answer["batchItemFailures"].as_array().expect("a list");
    let aside = function.emulator.messages(FAILURES).len();
    match (kept.len(), aside) {
        (0, 0) => "done",
        (1, 0) => "kept",
        (0, 1) => "put aside",
        other => panic!("{operation}: {other:?}"),
    }
    .to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_table_of_the_documentation_is_what_happens() {
    let mut table = String::from(
        "| call | what happens, each time | the flow hears | EventBridge gets | SQS |\n| --- | --- | --- | --- | --- |\n",
    );
    for operation in OPERATIONS {
        for (what, fault) in faults() {
            let flow = heard_by_the_flow(operation, &fault).await;
            let event = end_of_the_event(operation, &fault).await;
            let message = end_of_the_message(operation, &fault).await;
            let name = operation.trim_start_matches("DynamoDB.");
            let _ = writeln!(
                table,
                "| `{name}` | {what} | {flow} | {event} | {message} |"
            );
        }
    }
    generated("docs/exactly-once.md", "verdicts", &table);
}
