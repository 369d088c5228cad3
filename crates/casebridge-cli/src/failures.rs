//! Messages of a batch that make no case, with the reason. The function sends those that can never succeed to its failure
//! queue.

use casebridge::error::Failure;
use casebridge::event::{Message, Payload};
use serde_json::{Value, json};

/// The URL of the function's failure queue. The function's SDK sends to the emulator, whatever the host.
pub(crate) const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/failures";

/// A message that made no case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageFailure {
    /// Its `messageId`, with the number of the event if it has several.
    pub(crate) message_id: String,
    pub(crate) code: String,
    /// Empty where it is about no single field.
    pub(crate) field: String,
    pub(crate) sentence: String,
}

impl MessageFailure {
    /// The messages in the failure queue, in the order of the batch that they came in.
    pub(crate) fn read(payload: &str, queue: &[Value]) -> Vec<Self> {
        let batch = match Payload::parse(payload) {
            Ok(Payload::Batch(batch)) => batch,
            _ => Vec::new(),
        };
        let bodies = queue
            .iter()
            .filter_map(|message| message.get("body")?.as_str());
        let mut bodies: Vec<Value> = bodies
            .filter_map(|body| serde_json::from_str(body).ok())
            .collect();
        let mut found = Vec::with_capacity(bodies.len());
        for message in &batch {
            if let Some(at) = bodies.iter().position(|body| is_of(message, body)) {
                found.push(Self::of(message.id.clone(), &bodies.remove(at)));
            }
        }
        // A body without a known message is shown all the same.
        found.extend(bodies.iter().map(|body| Self::of("?".to_owned(), body)));
        found
    }

    /// The failure of a message.
    pub(crate) fn new(message_id: &str, failure: &Failure) -> Self {
        Self {
            message_id: message_id.to_owned(),
            code: failure.code.name().to_owned(),
            field: failure.field.clone().unwrap_or_default(),
            sentence: failure.message.clone(),
        }
    }

    fn of(message_id: String, body: &Value) -> Self {
        let text = |name| {
            let text = body.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        Self {
            message_id,
            code: text("errorCode"),
            field: text("errorField"),
            sentence: text("errorMessage"),
        }
    }

    /// `FieldMissing at Title`, or the code alone.
    pub(crate) fn headline(&self) -> String {
        if self.field.is_empty() {
            self.code.clone()
        } else {
            format!("{} at {}", self.code, self.field)
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "messageId": self.message_id,
            "errorCode": self.code,
            "errorField": self.field,
            "errorMessage": self.sentence,
        })
    }
}

/// Returns whether a body of the failure queue is of this message.
fn is_of(message: &Message, body: &Value) -> bool {
    let event = body.get("event");
    let as_json = serde_json::from_str::<Value>(&message.body).ok();
    event.is_some_and(|event| {
        as_json.as_ref() == Some(event) || event.as_str() == Some(&message.body)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_named_by_its_message() {
        let event = json!({ "source": "a", "detail-type": "b" });
        let record = |id: &str, body: &str| json!({ "messageId": id, "eventSource": "aws:sqs", "body": body });
        let batch =
            json!({ "Records": [record("m-1", "no event"), record("m-2", &event.to_string())] });
        let aside = |event: Value, field: &str| {
            let body = json!({ "event": event, "errorCode": "C", "errorField": field, "errorMessage": "why" });
            json!({ "body": body.to_string() })
        };
        let queue = [aside(event, "Title"), aside("no event".into(), "")];
        let found = MessageFailure::read(&batch.to_string(), &queue);
        let named: Vec<_> = found
            .iter()
            .map(|found| (found.message_id.as_str(), found.headline()))
            .collect();
        assert_eq!(
            named,
            [("m-1", "C".to_owned()), ("m-2", "C at Title".to_owned())]
        );
    }
}
