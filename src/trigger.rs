//! What invoked the function: from the raw payload to an event that a mapping can route.
//!
//! Read leniently, as AWS asks of consumers: members may be absent, null, unknown or new. A contact-flow event is recognised by
//! `Details.ContactData`, an EventBridge event by `source` and `detail-type`, an SQS batch by `Records[].eventSource`. Numbers keep the
//! digits they came with.

use serde_json::{Map, Value};

use crate::error::{ErrorCode, Failure};

/// Who invoked the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerKind {
    /// An Amazon Connect flow, through its `Invoke AWS Lambda function` block.
    ContactFlow,
    /// An EventBridge rule, directly or through SQS.
    EventBridge,
}

impl TriggerKind {
    /// The trigger as the mapping spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ContactFlow => "contact-flow",
            Self::EventBridge => "eventbridge",
        }
    }
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Who sent it.
    pub trigger: TriggerKind,
    /// What `$` is: the contact data with its parameters, or the EventBridge event.
    pub root: Value,
    /// When a queue first handed it out, in milliseconds since 1970. No request is made of it.
    pub first_received: Option<u64>,
}

/// What one invocation brings.
#[derive(Clone, Debug)]
pub enum Payload {
    /// One event.
    Event(Event),
    /// A batch from an SQS queue, in its order.
    Batch(Vec<Message>),
}

/// One message of an SQS batch.
#[derive(Clone, Debug)]
pub struct Message {
    /// `messageId`: how the item is named in `batchItemFailures`.
    pub id: String,
    /// Whether its queue is FIFO: then the order of the messages counts.
    pub fifo: bool,
    /// Its body as it came.
    pub body: String,
    /// The event in its body, or why there is none.
    pub event: Result<Event, Failure>,
}

/// What the function takes, for the sentence that refuses anything else.
const EXPECTED: &str = "expected a contact-flow event (`Details.ContactData`), an EventBridge event (`source` and `detail-type` as text; an input transformer has to keep both) or an SQS batch of EventBridge events";

impl Payload {
    /// Reads an invocation's payload.
    ///
    /// # Errors
    /// `UnrecognizedPayload`: it is not JSON, too deeply nested, or of none of the three shapes.
    pub fn parse(raw: &str) -> Result<Self, Failure> {
        let mut root = match json(raw)? {
            Value::Object(root) => root,
            Value::Array(_) => {
                let found = "a list, as the v2 custom event bus sends it: use a rule of the classic event bus";
                return Err(unexpected(found));
            }
            _ => return Err(unexpected("a single value")),
        };
        match root.remove("Records") {
            Some(Value::Array(records)) if !root.contains_key("detail-type") => {
                batch(records).map(Self::Batch)
            }
            Some(other) => {
                root.insert("Records".to_owned(), other);
                Event::recognize(root).map(Self::Event)
            }
            None => Event::recognize(root).map(Self::Event),
        }
    }
}

impl Event {
    fn recognize(mut root: Map<String, Value>) -> Result<Self, Failure> {
        if let Some(Value::Object(details)) = root.get_mut("Details")
            && let Some(Value::Object(mut contact)) = details.remove("ContactData")
        {
            let parameters = details.remove("Parameters").unwrap_or(Value::Null);
            contact.insert("Parameters".to_owned(), parameters);
            let root = Value::Object(contact);
            return Ok(Self {
                trigger: TriggerKind::ContactFlow,
                root,
                first_received: None,
            });
        }
        let is_text = |name: &str| root.get(name).is_some_and(Value::is_string);
        match (is_text("source"), is_text("detail-type")) {
            (true, true) => {
                let root = Value::Object(root);
                Ok(Self {
                    trigger: TriggerKind::EventBridge,
                    root,
                    first_received: None,
                })
            }
            (true, false) => Err(unexpected("`source` without `detail-type`")),
            (false, true) => Err(unexpected("`detail-type` without `source`")),
            (false, false) => Err(unexpected("an object with none of these")),
        }
    }

    /// The text at a path of members, if it is there and not empty.
    #[must_use]
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        path.iter()
            .try_fold(&self.root, |value, name| value.get(name))?
            .as_str()
            .filter(|text| !text.is_empty())
    }

    /// The contact's id, where the event is about one: for logs and keys.
    #[must_use]
    pub fn contact_id(&self) -> Option<&str> {
        match self.trigger {
            TriggerKind::ContactFlow => self.text(&["ContactId"]),
            TriggerKind::EventBridge if self.text(&["source"]) == Some("aws.connect") => self
                .text(&["detail", "contactId"])
                .or_else(|| crate::arn::contact_id(self.text(&["detail", "contactArn"])?)),
            TriggerKind::EventBridge => None,
        }
    }

    /// Whether Cases sent it.
    #[must_use]
    pub fn is_of_cases(&self) -> bool {
        self.trigger == TriggerKind::EventBridge && self.text(&["source"]) == Some("aws.cases")
    }

    /// The id of the Connect instance of an EventBridge event's contact.
    #[must_use]
    pub fn instance_id(&self) -> Option<&str> {
        let arn = self
            .text(&["detail", "instanceArn"])
            .or_else(|| self.text(&["detail", "contactArn"]))?;
        crate::arn::instance_id(arn)
    }

    /// The event with members beside those that it came with.
    #[must_use]
    pub fn with(&self, members: Value) -> Self {
        let mut event = self.clone();
        if let (Value::Object(root), Value::Object(members)) = (&mut event.root, members) {
            root.extend(members);
        }
        event
    }
}

/// The messages of a batch; one whose body is no EventBridge event fails alone.
fn batch(records: Vec<Value>) -> Result<Vec<Message>, Failure> {
    if records.is_empty() {
        return Err(unexpected("`Records` without a record"));
    }
    let mut messages = Vec::with_capacity(records.len());
    for record in records {
        let text = |name: &str| {
            record
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        if text("eventSource") != Some("aws:sqs") {
            return Err(unexpected("`Records` of another service"));
        }
        let Some(id) = text("messageId") else {
            return Err(unrecognized(
                "an SQS record has no `messageId`, so its failure could not be reported",
            ));
        };
        let body = text("body").unwrap_or_default();
        messages.push(Message {
            id: id.to_owned(),
            fifo: text("eventSourceARN").is_some_and(is_fifo),
            body: body.to_owned(),
            event: message(body).map(|event| Event {
                first_received: first_received(&record),
                ..event
            }),
        });
    }
    Ok(messages)
}

/// `attributes.ApproximateFirstReceiveTimestamp` of a record.
fn first_received(record: &Value) -> Option<u64> {
    let attributes = record.get("attributes")?;
    let received = attributes.get("ApproximateFirstReceiveTimestamp")?;
    received.as_str()?.parse().ok()
}

/// Whether a queue's ARN or URL is that of a FIFO queue.
#[must_use]
pub fn is_fifo(queue: &str) -> bool {
    queue.strip_suffix(".fifo").is_some()
}

fn message(body: &str) -> Result<Event, Failure> {
    let expected = "expected an EventBridge event as JSON text in the message's body (`source` and `detail-type` as text)";
    let Ok(Value::Object(root)) = json(body) else {
        return Err(unrecognized(format!(
            "{expected}; found a body that is no JSON object"
        )));
    };
    match Event::recognize(root) {
        Ok(event) if event.trigger == TriggerKind::EventBridge => Ok(event),
        _ => Err(unrecognized(format!("{expected}; found another object"))),
    }
}

/// Parses JSON. The parser's own message could quote the payload, so only its kind and place are kept.
fn json(raw: &str) -> Result<Value, Failure> {
    serde_json::from_str(raw).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Eof => "it ends too early",
            _ if error.to_string().starts_with("recursion limit") => "it is nested too deeply",
            _ => "it breaks JSON's grammar",
        };
        unrecognized(format!(
            "the payload cannot be read as JSON: {kind} at line {} column {}",
            error.line(),
            error.column()
        ))
    })
}

fn unexpected(found: &str) -> Failure {
    unrecognized(format!("{EXPECTED}; found {found}"))
}

fn unrecognized(message: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::UnrecognizedPayload, message)
}
