//! Amazon SQS, limited to sending: `SendMessage` of the service model `sqs` 2012-11-05, for standard and
//! FIFO queues. Nothing receives from a queue; tests read what was sent.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use md5::{Digest, Md5};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::clock::{has_passed, now};
use crate::identifiers::uuid;
use crate::member::Member;
use crate::service::Refusal;

/// The most bytes of a message.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
const MESSAGE_BYTES: usize = 1024 * 1024;

/// The time in which a FIFO queue recognises a repeated message.
const DEDUPLICATION: Duration = Duration::from_mins(5);

/// The queues, by URL.
#[derive(Debug, Default)]
pub(crate) struct Queues(BTreeMap<String, Vec<Message>>);

#[derive(Debug)]
struct Message {
    id: String,
    body: String,
    group: Option<String>,
    deduplication_id: Option<String>,
    sent: Instant,
}

impl Queues {
    /// Adds an empty queue; it replaces a queue at the same URL.
    pub(crate) fn add(&mut self, url: &str) {
        self.0.insert(url.to_owned(), Vec::new());
    }

    /// Returns the messages of the queue, the oldest first.
    pub(crate) fn show(&self, url: &str) -> Vec<Value> {
        let messages = self.0.get(url).into_iter().flatten();
        messages.map(Message::show).collect()
    }

    /// `SendMessage`: stores the message. A FIFO queue returns the one that it already has instead.
    pub(crate) fn send_message(&mut self, body: &Value) -> Result<Value, Refusal> {
        let body = Member::body(body);
        body.has_only(&[
            "QueueUrl",
            "MessageBody",
            "MessageGroupId",
            "MessageDeduplicationId",
        ])?;
        let url = body.required("QueueUrl")?.text(0..=usize::MAX)?;
        let messages = self.0.get_mut(url).ok_or_else(|| Refusal::NotFound {
            resource_type: "Queue",
            resource_id: url.to_owned(),
        })?;
        let is_fifo = url.strip_suffix(".fifo").is_some();
        let mut message = Message::read(&body, is_fifo)?;
        let known = messages.iter().rposition(|known| {
            is_fifo
                && !has_passed(known.sent, message.sent, DEDUPLICATION)
                && known.deduplicated_by() == message.deduplicated_by()
        });
        let sequence = u64::try_from(known.unwrap_or(messages.len())).unwrap_or(u64::MAX);
        message.id = uuid(url, sequence);
        let mut output = json!({
            "MessageId": message.id,
            "MD5OfMessageBody": hex(&Md5::digest(&message.body)),
        });
        if let (true, Some(output)) = (is_fifo, output.as_object_mut()) {
            // Twenty digits, not consecutive, as the service's are.
            let number = 18_000_000_000_000_000_000 + sequence * 256;
            output.insert("SequenceNumber".to_owned(), json!(number.to_string()));
        }
        if known.is_none() {
            messages.push(message);
        }
        Ok(output)
    }
}

impl Message {
    fn read(body: &Member<'_>, is_fifo: bool) -> Result<Self, Refusal> {
        let group = identifier(body, "MessageGroupId")?;
        let deduplication_id = identifier(body, "MessageDeduplicationId")?;
        if is_fifo && group.is_none() {
            return Err(missing("MessageGroupId"));
        }
        if !is_fifo && deduplication_id.is_some() {
            return Err(Refusal::Validation(
                "The request include parameter that is not valid for this queue type: \
                 MessageDeduplicationId"
                    .to_owned(),
            ));
        }
        Ok(Self {
            id: String::new(),
            body: message_body(body)?.to_owned(),
            group,
            deduplication_id,
            sent: now(),
        })
    }

    fn show(&self) -> Value {
        let mut shown = json!({ "messageId": self.id, "body": self.body });
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

    /// Returns the text by which a FIFO queue recognises the message, and true when it is the id.
    /// Without an id it is the body, as with content-based deduplication.
    fn deduplicated_by(&self) -> (bool, &str) {
        match &self.deduplication_id {
            Some(id) => (true, id),
            None => (false, &self.body),
        }
    }
}

/// Reads `MessageGroupId` or `MessageDeduplicationId`.
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

/// Reads `MessageBody`. SQS accepts only the characters that XML has.
fn message_body<'a>(body: &Member<'a>) -> Result<&'a str, Refusal> {
    let text = match body.optional("MessageBody")? {
        Some(text) => text.text(0..=usize::MAX)?,
        None => "",
    };
    if text.is_empty() {
        return Err(missing("MessageBody"));
    }
    if text.len() > MESSAGE_BYTES {
        return Err(Refusal::Validation(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than \
             {MESSAGE_BYTES} bytes."
        )));
    }
    let allowed = |character: char| matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    match text.chars().find(|character| !allowed(*character)) {
        None => Ok(text),
        Some(character) => Err(Refusal::InvalidMessageContents(format!(
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF \
             | #xE000 to #xFFFD | #x10000 to #x10FFFF; found #x{:X}",
            u32::from(character)
        ))),
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::MissingParameter(format!("The request must contain the parameter {name}."))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
