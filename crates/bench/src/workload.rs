//! What a function is sent: an event of `events/`, made another one for every invocation, so that each makes a case of its own.

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

/// An event and how it is told from its kind.
#[derive(Clone, Debug)]
pub struct Workload {
    event: Value,
    /// JSON pointers to what tells it from others: the event's id, and what the key is made of.
    identity: &'static [&'static str],
}

impl Workload {
    /// Reads an event that is told from others by the texts at `identity`, JSON pointers.
    ///
    /// # Errors
    /// The file cannot be read, is not JSON, or has no text there.
    pub fn read(file: &Path, identity: &'static [&'static str]) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        let event: Value = serde_json::from_str(&text)
            .with_context(|| format!("{} is not JSON", file.display()))?;
        for pointer in identity {
            let text = event.pointer(pointer).and_then(Value::as_str);
            text.with_context(|| format!("{} has no text at {pointer}", file.display()))?;
        }
        Ok(Self { event, identity })
    }

    /// The event of this number: the same size each, and another key.
    #[must_use]
    pub fn payload(&self, number: usize) -> String {
        let mut event = self.event.clone();
        for pointer in self.identity {
            if let Some(text) = event.pointer_mut(pointer) {
                *text = Value::String(format!("00000000-0000-4000-8000-{number:012x}"));
            }
        }
        event.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_payload_has_a_key_of_its_own() {
        let workload = Workload {
            event: serde_json::json!({ "source": "s", "detail": { "id": "x" } }),
            identity: &["/detail/id"],
        };
        assert_eq!(
            workload.payload(26),
            r#"{"source":"s","detail":{"id":"00000000-0000-4000-8000-00000000001a"}}"#
        );
    }
}
