//! Events: turns the raw payload into events that a mapping can route.
//!
//! The payload is read leniently, as AWS asks of consumers: members may be absent, null, unknown or new.
//! A contact-flow event is recognised by `Details.ContactData`, an EventBridge event by `source` and `detail-type`.
//! An SQS batch is recognised by `Records[].eventSource`.
//! A list of events and an SNS notification are replaced by the events inside. Numbers keep their original digits.

mod wrapped;

use mapping::expression::{Scope, Variables};
use mapping::{CaseMapping, Mapping, Trigger, lenient_json};
use serde_json::Value;

use crate::error::{ErrorCode, Failure};

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// The kind of sender.
    pub trigger: Trigger,
    /// The value of `$`: the contact data with its parameters, or the EventBridge event.
    pub root: Value,
    /// The time when a queue first delivered the event, in milliseconds since 1970. Requests do not depend on it.
    pub first_received: Option<u64>,
}

/// The events of one invocation.
#[derive(Clone, Debug)]
pub enum Payload {
    /// One event.
    Event(Event),
    /// Several events in one list, in the list's order. An element that is no event is replaced by the reason.
    Events(Vec<Result<Event, Failure>>),
    /// A batch from an SQS queue, in its order.
    Batch(Vec<Message>),
}

/// One message of an SQS batch. A message with a list of events becomes several of these.
#[derive(Clone, Debug)]
pub struct Message {
    /// The `messageId`, followed by the event's number if the message contains several events.
    pub id: String,
    /// `messageId`, which identifies the message in `batchItemFailures`.
    pub message_id: String,
    /// True if the queue is FIFO. The order of the messages then matters.
    pub fifo: bool,
    /// The message's body as received. For a list of several events, only this event.
    pub body: String,
    /// The event in the body, or the reason why there is none.
    pub event: Result<Event, Failure>,
}

/// The payloads that the function accepts, for the message that refuses any other payload.
const EXPECTED: &str = "expected a contact-flow event (`Details.ContactData`), an EventBridge event (`source` and `detail-type` as text; an input transformer has to keep both), a list of such events, or an SQS batch of EventBridge events";

/// The message bodies that the function accepts.
const EXPECTED_BODY: &str = "expected an EventBridge event as JSON text in the message's body (`source` and `detail-type` as text), also in a list or in the `Message` of an SNS notification";

impl Payload {
    /// Reads an invocation's payload.
    ///
    /// # Errors
    /// `UnrecognizedPayload`: the payload is not JSON, is too deeply nested, or contains no event.
    pub fn parse(raw: &str) -> Result<Self, Failure> {
        let root = lenient_json::parse(raw).map_err(|error| {
            let reason = lenient_json::reason(&error);
            unrecognized(format!("the payload cannot be read as JSON: {reason}"))
        })?;
        match root {
            Value::Object(mut root) => match root.remove("Records") {
                Some(Value::Array(records)) if !root.contains_key("detail-type") => {
                    Self::of_records(records)
                }
                Some(other) => {
                    root.insert("Records".to_owned(), other);
                    Self::of_events(Value::Object(root))
                }
                None => Self::of_events(Value::Object(root)),
            },
            // EventBridge Pipes send the records of a queue without an object around them.
            Value::Array(items) if items.iter().any(is_of_sqs) => batch(items).map(Self::Batch),
            other => Self::of_events(other),
        }
    }

    /// Reads `Records`: a batch of SQS, or notifications of SNS.
    fn of_records(records: Vec<Value>) -> Result<Self, Failure> {
        let are_of_sns = records
            .iter()
            .all(|record| wrapped::sns_message(record).is_some());
        match records.as_slice() {
            [] => Err(unexpected("`Records` without a record", false)),
            _ if are_of_sns => Self::of_events(Value::Array(records)),
            _ => batch(records).map(Self::Batch),
        }
    }

    /// Reads the events in a value. If there are none, returns the reason for the first candidate.
    fn of_events(value: Value) -> Result<Self, Failure> {
        let is_list = value.is_array();
        let mut events = Vec::new();
        for value in wrapped::values(value) {
            let event = value.and_then(Event::recognize);
            events.push(event.map_err(|found| unexpected(&found, is_list)));
        }
        match events.pop() {
            None => Err(unexpected("an empty list", false)),
            Some(event) if events.is_empty() => event.map(Self::Event),
            Some(last) => {
                events.push(last);
                let has_any = events.iter().any(Result::is_ok);
                let first = events.iter().find_map(|event| event.as_ref().err());
                match first.filter(|_| !has_any) {
                    Some(reason) => Err(reason.clone()),
                    None => Ok(Self::Events(events)),
                }
            }
        }
    }
}

impl Event {
    /// Reads a value as an event. Otherwise returns a description of the value.
    fn recognize(value: Value) -> Result<Self, String> {
        let mut root = match value {
            Value::Object(root) => root,
            Value::Null => return Err("null".to_owned()),
            Value::Array(_) => return Err("a list".to_owned()),
            Value::String(_) => return Err("text".to_owned()),
            Value::Bool(_) | Value::Number(_) => return Err("a single value".to_owned()),
        };
        if let Some(Value::Object(details)) = root.get_mut("Details")
            && let Some(Value::Object(mut contact)) = details.remove("ContactData")
        {
            let parameters = details.remove("Parameters").unwrap_or(Value::Null);
            contact.insert("Parameters".to_owned(), parameters);
            let root = Value::Object(contact);
            return Ok(Self {
                trigger: Trigger::ContactFlow,
                root,
                first_received: None,
            });
        }
        let is_text = |name: &str| root.get(name).is_some_and(Value::is_string);
        let found = match (is_text("source"), is_text("detail-type")) {
            (true, true) => {
                let root = Value::Object(root);
                return Ok(Self {
                    trigger: Trigger::EventBridge,
                    root,
                    first_received: None,
                });
            }
            (true, false) => "an object with `source` and without `detail-type`",
            (false, true) => "an object with `detail-type` and without `source`",
            (false, false) if root.contains_key("Data") || root.contains_key("SystemMetadata") => {
                "an event of the v2 custom event bus: use a rule of the classic event bus"
            }
            (false, false) if root.contains_key("TopicArn") => {
                "an SNS message that is no notification with text in `Message`"
            }
            (false, false) => "an object with none of these",
        };
        Err(found.to_owned())
    }

    /// Returns the text at a path of members, if it is present and not empty.
    #[must_use]
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        path.iter()
            .try_fold(&self.root, |value, name| value.get(name))?
            .as_str()
            .filter(|text| !text.is_empty())
    }

    /// Returns the contact's id for logs and keys, if the event is about a contact.
    #[must_use]
    pub fn contact_id(&self) -> Option<&str> {
        match self.trigger {
            Trigger::ContactFlow => self.text(&["ContactId"]),
            Trigger::EventBridge if self.text(&["source"]) == Some("aws.connect") => self
                .text(&["detail", "contactId"])
                .or_else(|| mapping::arn::contact_id(self.text(&["detail", "contactArn"])?)),
            Trigger::EventBridge => None,
        }
    }

    /// Returns true if Cases sent the event.
    #[must_use]
    pub fn is_of_cases(&self) -> bool {
        self.trigger == Trigger::EventBridge && self.text(&["source"]) == Some("aws.cases")
    }

    /// Returns the id of the Connect instance of an EventBridge event's contact.
    #[must_use]
    pub fn instance_id(&self) -> Option<&str> {
        let arn = self
            .text(&["detail", "instanceArn"])
            .or_else(|| self.text(&["detail", "contactArn"]))?;
        mapping::arn::instance_id(arn)
    }

    /// Returns the first case mapping that accepts the event. `domain` is the id of the Cases domain.
    #[must_use]
    pub fn route<'m>(&self, mapping: &'m Mapping, domain: &str) -> Option<&'m CaseMapping> {
        self.route_with(mapping, domain, &mut Vec::new())
    }

    /// Does the same. If no case mapping accepts the event, adds the names of variables that cannot be computed: they may be the reason.
    pub fn route_with<'m>(
        &self,
        mapping: &'m Mapping,
        domain: &str,
        invalid: &mut Vec<String>,
    ) -> Option<&'m CaseMapping> {
        let found = mapping.cases.iter().find(|case| {
            if case.trigger != self.trigger || !case.on_case_events && self.is_of_cases() {
                return false;
            }
            let variables = Variables::new(&case.variables);
            let accepts = case.accepts(&self.scope(case, domain, &variables));
            invalid.extend(variables.invalid().map(str::to_owned));
            accepts
        });
        if found.is_some() {
            invalid.clear();
        }
        found
    }

    /// Returns the data that the expressions of a case mapping read from this event.
    #[must_use]
    pub fn scope<'a>(
        &'a self,
        case: &'a CaseMapping,
        domain: &'a str,
        variables: &'a Variables<'a>,
    ) -> Scope<'a> {
        Scope {
            event: &self.root,
            mapping: &case.name,
            trigger: self.trigger.name(),
            domain,
            variables,
        }
    }

    /// Returns the event with additional members.
    #[must_use]
    pub fn with(&self, members: Value) -> Self {
        let mut event = self.clone();
        if let (Value::Object(root), Value::Object(members)) = (&mut event.root, members) {
            root.extend(members);
        }
        event
    }
}

/// Reads the messages of a batch. A message without an event in its body fails alone.
fn batch(records: Vec<Value>) -> Result<Vec<Message>, Failure> {
    let mut messages = Vec::with_capacity(records.len());
    for record in records {
        if !is_of_sqs(&record) {
            return Err(unexpected("`Records` of another service", false));
        }
        let text = |name: &str| {
            record
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let Some(id) = text("messageId") else {
            return Err(unrecognized(
                "an SQS record has no `messageId`, so its failure could not be reported",
            ));
        };
        let fifo = text("eventSourceARN").is_some_and(is_fifo);
        let body = text("body").unwrap_or_default();
        let first = messages.len();
        Message::add(id, fifo, body, &mut messages);
        for message in messages.iter_mut().skip(first) {
            if let Ok(event) = &mut message.event {
                event.first_received = first_received(&record);
            }
        }
    }
    Ok(messages)
}

/// Returns `attributes.ApproximateFirstReceiveTimestamp` of a record.
fn first_received(record: &Value) -> Option<u64> {
    let attributes = record.get("attributes")?;
    let received = attributes.get("ApproximateFirstReceiveTimestamp")?;
    received.as_str()?.parse().ok()
}

impl Message {
    /// Adds a message of a queue once for each event in its body, and at least once.
    fn add(id: &str, fifo: bool, body: &str, messages: &mut Vec<Self>) {
        let refused = |found: &str| unrecognized(format!("{EXPECTED_BODY}; found {found}"));
        let recognize = |value: Value| match Event::recognize(value)? {
            event if event.trigger == Trigger::EventBridge => Ok(event),
            _ => Err("a contact-flow event, which no queue answers".to_owned()),
        };
        let mut message = Self {
            id: id.to_owned(),
            message_id: id.to_owned(),
            fifo,
            body: body.to_owned(),
            event: Err(refused("an empty list")),
        };
        let values = match lenient_json::parse(body) {
            _ if body.is_empty() => vec![Err("an empty body".to_owned())],
            Ok(value) => wrapped::values(value),
            Err(error) => vec![Err(format!(
                "text that cannot be read as JSON: {}",
                lenient_json::reason(&error)
            ))],
        };
        let several = values.len() > 1;
        for (number, value) in (1..).zip(values) {
            if several {
                message.id = format!("{id}.{number}");
                message.body = value
                    .as_ref()
                    .map_or_else(|_| body.to_owned(), Value::to_string);
            }
            message.event = value.and_then(recognize).map_err(|found| refused(&found));
            messages.push(message.clone());
        }
        if messages.last().is_none_or(|last| last.message_id != id) {
            messages.push(message);
        }
    }
}

fn is_of_sqs(record: &Value) -> bool {
    record.get("eventSource").and_then(Value::as_str) == Some("aws:sqs")
}

/// Returns true if a queue's ARN or URL is that of a FIFO queue.
#[must_use]
pub fn is_fifo(queue: &str) -> bool {
    queue.strip_suffix(".fifo").is_some()
}

fn unexpected(found: &str, in_list: bool) -> Failure {
    let list = if in_list { "a list with " } else { "" };
    unrecognized(format!("{EXPECTED}; found {list}{found}"))
}

fn unrecognized(message: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::UnrecognizedPayload, message)
}
