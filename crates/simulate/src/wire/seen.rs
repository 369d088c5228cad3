//! What the wire saw: the effects of requests, whether or not their senders heard of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::faults::Fault;

/// What the wire saw.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Requests that were sent.
    pub(crate) requests: usize,
    /// Faults that they met.
    pub(crate) faults: BTreeMap<Fault, usize>,
    /// The invocations whose `CreateCase` had its effect.
    pub(crate) creations: BTreeSet<usize>,
    /// The invocations that made a profile or something that joins a case.
    pub(crate) additions: BTreeSet<usize>,
    /// The invocations that told the ledger of what they were going to add to their case.
    pub(crate) announcements: BTreeSet<usize>,
    /// The invocations that marked their key as done in the ledger.
    pub(crate) completions: BTreeSet<usize>,
    /// The invocations of which a request had its effect when nobody waited for it any more.
    pub(crate) late: BTreeSet<usize>,
    /// When each case was created, by its id.
    pub(crate) created: BTreeMap<String, Duration>,
    /// When the window of each case is over, by its id, in seconds since 1970.
    pub(crate) windows: BTreeMap<String, u64>,
}

/// A request that was carried out.
#[derive(Debug, Clone)]
pub(crate) struct Effect {
    pub(crate) operation: &'static str,
    /// The path of its URI.
    pub(crate) path: String,
    /// Its body.
    pub(crate) sent: Value,
    /// The answer's body.
    pub(crate) answer: Value,
}

impl Seen {
    /// Whether the effect is a case or a related item that was not there before.
    pub(super) fn note(&mut self, invocation: usize, effect: &Effect, at: Duration) -> bool {
        match effect.operation {
            "CreateCase" => {
                self.creations.insert(invocation);
                let Some(id) = effect.answer.get("caseId").and_then(Value::as_str) else {
                    return false;
                };
                // A client token that is known gives the same case again.
                let is_new = !self.created.contains_key(id);
                self.created.entry(id.to_owned()).or_insert(at);
                is_new
            }
            "CreateProfile" => {
                self.additions.insert(invocation);
                false
            }
            "CreateRelatedItem" => {
                self.additions.insert(invocation);
                true
            }
            "DynamoDB.UpdateItem" => {
                self.told(invocation, &effect.sent);
                false
            }
            _ => false,
        }
    }

    /// What an invocation told the ledger.
    fn told(&mut self, invocation: usize, update: &Value) {
        let text = |path: &str| update.pointer(path).and_then(Value::as_str);
        let steps: Value = text("/ExpressionAttributeValues/:data/S")
            .and_then(|steps| serde_json::from_str(steps).ok())
            .unwrap_or_default();
        if steps.get("itemsSentUntil").is_some() {
            self.announcements.insert(invocation);
        }
        if text("/ExpressionAttributeValues/:status/S") != Some("COMPLETED") {
            return;
        }
        self.completions.insert(invocation);
        // What joins a case later has an item of its own, with a dot in its id.
        let is_key = text("/Key/id/S").is_some_and(|id| !id.contains('.'));
        let over = text("/ExpressionAttributeValues/:over/N").and_then(|over| over.parse().ok());
        let case = steps.get("caseId").and_then(Value::as_str);
        if let (true, Some(over), Some(case)) = (is_key, over, case) {
            self.windows.insert(case.to_owned(), over);
        }
    }
}
