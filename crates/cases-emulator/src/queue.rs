//! SQS queues that take messages: `SendMessage` of the service model `sqs` 2012-11-05, for standard and
//! FIFO queues. Nothing receives from them; tests read what was sent.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::clock::has_passed;
use crate::identifiers::uuid;
use crate::member::Member;
use crate::service::Refusal;

/// The most bytes of a message, its attributes included, and the most attributes.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
const MESSAGE_BYTES: usize = 1024 * 1024;
const ATTRIBUTES: usize = 10;

/// How long a FIFO queue knows a message again.
const DEDUPLICATION: Duration = Duration::from_mins(5);

const MEMBERS: [&str; 6] = [
    "QueueUrl",
    "MessageBody",
    "MessageAttributes",
    "DelaySeconds",
    "MessageGroupId",
    "MessageDeduplicationId",
];

/// The queues, by URL.
#[derive(Debug, Default)]
pub(crate) struct Queues(BTreeMap<String, Vec<Message>>);

#[derive(Debug)]
struct Message {
    id: String,
    body: String,
    attributes: BTreeMap<String, Attribute>,
    group: Option<String>,
    deduplication_id: Option<String>,
    sent: Instant,
}

#[derive(Debug)]
struct Attribute {
    data_type: String,
    value: Data,
}

#[derive(Debug)]
enum Data {
    Text(String),
    Binary(Vec<u8>),
}

impl Queues {
    /// An empty queue, in place of any at that URL.
    pub(crate) fn add(&mut self, url: &str) {
        self.0.insert(url.to_owned(), Vec::new());
    }

    /// The messages of the queue, the oldest first.
    pub(crate) fn show(&self, url: &str) -> Vec<Value> {
        let messages = self.0.get(url).into_iter().flatten();
        messages.map(Message::show).collect()
    }
}

impl Message {
    fn show(&self) -> Value {
        let attributes = self.attributes.iter().map(|(name, attribute)| {
            let value = match &attribute.value {
                Data::Text(text) => text.clone(),
                Data::Binary(bytes) => STANDARD.encode(bytes),
            };
            (name.clone(), json!(value))
        });
        let mut shown = json!({
            "messageId": self.id,
            "body": self.body,
            "attributes": attributes.collect::<Map<_, _>>(),
        });
        for (name, value) in [
            ("messageGroupId", &self.group),
            ("messageDeduplicationId", &self.deduplication_id),
        ] {
            if let (Some(shown), Some(value)) = (shown.as_object_mut(), value) {
                shown.insert(name.to_owned(), json!(value));
            }
        }
        shown
    }

    /// What a FIFO queue knows it by; without an id, its body, as with content-based deduplication.
    fn deduplicated_by(&self) -> (bool, &str) {
        match &self.deduplication_id {
            Some(id) => (true, id),
            None => (false, &self.body),
        }
    }

    fn size(&self) -> usize {
        let size = |(name, attribute): (&String, &Attribute)| {
            let value = match &attribute.value {
                Data::Text(text) => text.len(),
                Data::Binary(bytes) => bytes.len(),
            };
            name.len() + attribute.data_type.len() + value
        };
        self.body.len() + self.attributes.iter().map(size).sum::<usize>()
    }
}

/// `SendMessage`: stores the message, or finds the one that a FIFO queue already has.
pub(crate) fn send_message(
    queues: &mut Queues,
    now: Instant,
    body: &Value,
) -> Result<Value, Refusal> {
    let body = Member::body(body);
    body.has_only(&MEMBERS)?;
    let url = body.required("QueueUrl")?.text(0..=usize::MAX)?;
    let messages = queues.0.get_mut(url).ok_or_else(|| Refusal::NotFound {
        resource_type: "Queue",
        resource_id: url.to_owned(),
    })?;
    let is_fifo = url.strip_suffix(".fifo").is_some();
    let mut message = read(&body, is_fifo, now)?;
    let known = messages.iter().enumerate().rev().find(|(_, known)| {
        is_fifo
            && !has_passed(known.sent, now, DEDUPLICATION)
            && known.deduplicated_by() == message.deduplicated_by()
    });
    let position = known.map_or(messages.len(), |(position, _)| position);
    let sequence = u64::try_from(position).unwrap_or(u64::MAX);
    message.id = uuid(url, sequence);

    let mut output = json!({
        "MessageId": message.id,
        "MD5OfMessageBody": hex(&Md5::digest(&message.body)),
    });
    if let Some(output) = output.as_object_mut() {
        if !message.attributes.is_empty() {
            let digest = attributes_digest(&message.attributes);
            output.insert("MD5OfMessageAttributes".to_owned(), json!(digest));
        }
        if is_fifo {
            // Twenty digits, not consecutive, as the service's are.
            let number = format!("{}", 18_000_000_000_000_000_000 + sequence * 256);
            output.insert("SequenceNumber".to_owned(), json!(number));
        }
    }
    if known.is_none() {
        messages.push(message);
    }
    Ok(output)
}

fn read(body: &Member<'_>, is_fifo: bool, now: Instant) -> Result<Message, Refusal> {
    let group = identifier(body, "MessageGroupId")?;
    let deduplication_id = identifier(body, "MessageDeduplicationId")?;
    let delay = match body.optional("DelaySeconds")? {
        Some(delay) => delay.integer(0..=900)?,
        None => 0,
    };
    let other_type = |name: &str| {
        Refusal::Validation(format!(
            "The request include parameter that is not valid for this queue type: {name}"
        ))
    };
    match is_fifo {
        true if group.is_none() => return Err(missing("MessageGroupId")),
        true if delay > 0 => return Err(other_type("DelaySeconds")),
        false if deduplication_id.is_some() => return Err(other_type("MessageDeduplicationId")),
        _ => {}
    }
    let message = Message {
        id: String::new(),
        body: message_body(body)?,
        attributes: attributes(body)?,
        group,
        deduplication_id,
        sent: now,
    };
    if message.size() > MESSAGE_BYTES {
        return Err(Refusal::Validation(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than \
             {MESSAGE_BYTES} bytes."
        )));
    }
    Ok(message)
}

/// `MessageGroupId` or `MessageDeduplicationId`.
fn identifier(body: &Member<'_>, name: &str) -> Result<Option<String>, Refusal> {
    let Some(member) = body.optional(name)? else {
        return Ok(None);
    };
    let text = member.text(1..=128)?;
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Some(text.to_owned()));
    }
    Err(Refusal::Validation(format!(
        "{name} can only include alphanumeric and punctuation characters"
    )))
}

fn message_body(body: &Member<'_>) -> Result<String, Refusal> {
    let text = match body.optional("MessageBody")? {
        Some(text) => text.text(0..=usize::MAX)?,
        None => "",
    };
    if text.is_empty() {
        return Err(missing("MessageBody"));
    }
    check_characters(text)?;
    Ok(text.to_owned())
}

fn missing(name: &str) -> Refusal {
    Refusal::MissingParameter(format!("The request must contain the parameter {name}."))
}

/// Refuses characters that XML does not have: SQS takes no others.
fn check_characters(text: &str) -> Result<(), Refusal> {
    let allowed = |character: char| matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    match text.chars().find(|character| !allowed(*character)) {
        None => Ok(()),
        Some(character) => Err(Refusal::InvalidMessageContents(format!(
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF \
             | #xE000 to #xFFFD | #x10000 to #x10FFFF; found #x{:X}",
            u32::from(character)
        ))),
    }
}

fn attributes(body: &Member<'_>) -> Result<BTreeMap<String, Attribute>, Refusal> {
    let Some(attributes) = body.optional("MessageAttributes")? else {
        return Ok(BTreeMap::new());
    };
    let mut read = BTreeMap::new();
    for (name, member) in attributes.entries(0..=ATTRIBUTES)? {
        check_name(name)?;
        member.has_only(&["DataType", "StringValue", "BinaryValue"])?;
        let data_type = member.required("DataType")?.text(1..=256)?;
        let value =
            match data_type.split('.').next() {
                Some("String" | "Number") => {
                    let text = member.required("StringValue")?.text(1..=usize::MAX)?;
                    check_characters(text)?;
                    Data::Text(text.to_owned())
                }
                Some("Binary") => {
                    let value = member.required("BinaryValue")?;
                    let bytes = STANDARD.decode(value.text(1..=usize::MAX)?);
                    Data::Binary(bytes.map_err(|_| {
                        Refusal::Validation(format!("{} must be Base64", value.path()))
                    })?)
                }
                _ => {
                    return Err(Refusal::Validation(format!(
                        "{}.DataType must be String, Number or Binary",
                        member.path()
                    )));
                }
            };
        let attribute = Attribute {
            data_type: data_type.to_owned(),
            value,
        };
        read.insert(name.to_owned(), attribute);
    }
    Ok(read)
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let characters = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    let lower = name.to_ascii_lowercase();
    let reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    if characters && !reserved && !dots && (1..=256).contains(&name.len()) {
        return Ok(());
    }
    Err(Refusal::Validation(format!(
        "the message attribute name '{name}' must be 1 to 256 letters, digits, '_', '-' and '.', not \
         begin with 'AWS.' or 'Amazon.', and have no '.' at its ends or beside another"
    )))
}

/// `MD5OfMessageAttributes`: over each name, type and value with its length in front, by name.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>
fn attributes_digest(attributes: &BTreeMap<String, Attribute>) -> String {
    let mut parts = Vec::new();
    for (name, attribute) in attributes {
        let (transport, value) = match &attribute.value {
            Data::Text(text) => (1, text.as_bytes()),
            Data::Binary(bytes) => (2, bytes.as_slice()),
        };
        frame(&mut parts, name.as_bytes());
        frame(&mut parts, attribute.data_type.as_bytes());
        parts.push(transport);
        frame(&mut parts, value);
    }
    hex(&Md5::digest(&parts))
}

fn frame(parts: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    parts.extend(length.to_be_bytes());
    parts.extend(bytes);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
