//! Keys: turns an event into its natural key, and a key into a client token.
//!
//! A key identifies one case.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::error::{ErrorCode, Failure};
use crate::event::Event;
use mapping::Trigger;

/// The version of the token's layout. A change of the layout changes every token.
const LAYOUT: &str = "casebridge-1";

/// Returns the natural key of an event, for case mappings without a `key`.
///
/// | event | parts |
/// | --- | --- |
/// | contact flow | instance ARN, contact id, and `Parameters.requestKey` if it is present |
/// | contact event | contact id, event type (not the event's id: linked Regions publish copies with ids of their own) |
/// | Contact Lens rule | contact id, rule, action |
/// | any other event | source, event id |
///
/// # Errors
/// `KeyMissing`: a part is missing.
pub fn natural(event: &Event) -> Result<Vec<Cow<'_, str>>, Failure> {
    match event.trigger {
        Trigger::ContactFlow => {
            let mut parts = vec![part(event, &["InstanceARN"])?, part(event, &["ContactId"])?];
            parts.extend(request_key(event)?);
            Ok(parts)
        }
        Trigger::EventBridge => {
            let text = |path: &[&str]| event.text(path);
            let connect = text(&["source"]) == Some("aws.connect");
            match (
                event.contact_id(),
                text(&["detail", "eventType"]),
                text(&["detail", "ruleName"]),
                text(&["detail", "actionName"]),
            ) {
                (Some(contact), Some(kind), ..) if connect => Ok(vec![contact.into(), kind.into()]),
                (Some(contact), None, Some(rule), Some(action)) if connect => {
                    Ok(vec![contact.into(), rule.into(), action.into()])
                }
                _ => Ok(vec![part(event, &["source"])?, part(event, &["id"])?]),
            }
        }
    }
}

/// Returns `Parameters.requestKey`, which distinguishes several cases of one contact.
fn request_key(event: &Event) -> Result<Option<Cow<'_, str>>, Failure> {
    use mapping::value::Value;
    let value = event
        .root
        .get("Parameters")
        .and_then(|parameters| parameters.get("requestKey"));
    match value.and_then(Value::from_json).map(Value::into_text) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(item)) => {
            let message = format!(
                "the parameter `requestKey` is part of the key and has to be text, found {}",
                item.describe()
            );
            Err(Failure::new(ErrorCode::KeyMissing, message).of("$.Parameters.requestKey"))
        }
    }
}

fn part<'a>(event: &'a Event, path: &[&str]) -> Result<Cow<'a, str>, Failure> {
    let reference = format!("$.{}", path.join("."));
    event.text(path).map(Cow::Borrowed).ok_or_else(|| {
        let message = format!("the event has no `{reference}`, which the key of its case is made of: give the case mapping a `key` of its own");
        Failure::new(ErrorCode::KeyMissing, message).of(reference)
    })
}

/// Returns the identity of an occurrence, or `None` if the contact id or the source is missing.
///
/// An event is identified by its source and its id. Without an id, its content is used instead.
/// A flow is identified by the contact and its `requestKey`.
#[must_use]
pub fn occurrence(event: &Event) -> Option<String> {
    let text = |path: &[&str]| event.text(path).map(str::to_owned);
    let parts = match event.trigger {
        Trigger::ContactFlow => {
            let request_key = request_key(event).ok().flatten();
            let contact = text(&["ContactId"])?;
            vec![contact, request_key.unwrap_or_default().into_owned()]
        }
        Trigger::EventBridge => vec![
            text(&["source"])?,
            text(&["id"]).unwrap_or_else(|| event.root.to_string()),
        ],
    };
    Some(hash(parts.iter().map(String::as_str)))
}

/// Returns the identity of a comment within its occurrence: sixteen hexadecimal digits of its hash.
#[must_use]
pub fn comment(body: &str) -> String {
    let mut hash = hash(["comment", body]);
    hash.truncate(16);
    hash
}

/// Returns the client token of one use of a key that can be used again.
#[must_use]
pub fn token_of_generation(key: &str, generation: &str) -> String {
    hash([key, generation])
}

/// Returns the client token: a SHA-256 hash as 64 lower-case hexadecimal digits.
///
/// The hash covers the layout's version, the domain's id, the case mapping's name and each part of the key.
/// The length of each, in bytes, precedes it as 8 bytes big-endian.
#[must_use]
pub fn client_token<'a>(
    domain_id: &'a str,
    case_mapping: &'a str,
    parts: impl IntoIterator<Item = &'a str>,
) -> String {
    hash([domain_id, case_mapping].into_iter().chain(parts))
}

fn hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in [LAYOUT].into_iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut digits = String::with_capacity(64);
    for byte in hash.finalize() {
        let halves = [byte >> 4, byte & 0xf].map(u32::from);
        digits.extend(
            halves
                .into_iter()
                .filter_map(|half| char::from_digit(half, 16)),
        );
    }
    digits
}
