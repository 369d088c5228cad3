//! What the wire saw: requests and their effects, whether or not their senders heard of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::items::Items;
use crate::faults::Fault;

/// What the wire saw.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Requests that were sent.
    pub(crate) requests: usize,
    /// Faults that they met.
    pub(crate) faults: BTreeMap<Fault, usize>,
    /// The faults that an invocation met, by operation.
    pub(crate) met: BTreeSet<(usize, &'static str, Fault)>,
    /// Every `CreateCase` that was sent.
    pub(crate) creations: Vec<Creation>,
    /// When each case was created, by its id.
    pub(crate) created: BTreeMap<String, Duration>,
    /// Every `CreateProfile` that was sent.
    pub(crate) profiles: Vec<Profile>,
    /// The invocations that made a profile or something that joins a case.
    pub(crate) additions: BTreeSet<usize>,
    /// Contacts and comments that were refused for good.
    pub(crate) refused: BTreeSet<String>,
    /// Contacts and comments that were refused because their case was being merged, and when they were last.
    pub(crate) merging: BTreeMap<String, Duration>,
    /// The invocations of which a request had its effect when nobody waited for it any more.
    pub(crate) late: BTreeSet<usize>,
    /// What was sent to the failure queue.
    pub(crate) put_aside: Vec<PutAside>,
    /// When an invocation first sent a body to the failure queue, whether or not it arrived.
    first_sent: BTreeMap<(usize, String), Duration>,
    /// The ledger's items.
    pub(crate) items: Items,
}

/// A `CreateCase` that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Creation {
    /// Its field `title`, which names the key.
    pub(crate) title: String,
    pub(crate) invocation: usize,
    pub(crate) sent: Duration,
    /// When it had its effect, and the case that it made or found.
    pub(crate) effect: Option<(Duration, String)>,
    /// Its sender was still there when its answer came.
    pub(crate) heard: bool,
    /// It met a refusal, without effect.
    pub(crate) refused: bool,
}

/// A `CreateProfile` that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) phone: String,
    /// Whether its sender heard that it had no effect.
    pub(crate) harmless: bool,
}

/// A message of the failure queue.
#[derive(Debug, Clone)]
pub(crate) struct PutAside {
    pub(crate) invocation: usize,
    /// When it was first sent: a copy that is sent again, as nobody answered, says no more than that one did.
    pub(crate) at: Duration,
    /// `{event, errorCode, …}`
    pub(crate) body: Value,
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

/// What is written down of a request while it is under way.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry {
    creation: Option<usize>,
    profile: Option<usize>,
}

impl Seen {
    /// A request is sent, and is going to meet this fault.
    pub(super) fn begin(
        &mut self,
        invocation: usize,
        operation: &'static str,
        sent: &Value,
        fault: Option<Fault>,
        at: Duration,
    ) -> Entry {
        self.requests += 1;
        if let Some(fault) = fault {
            *self.faults.entry(fault).or_default() += 1;
            self.met.insert((invocation, operation, fault));
        }
        let mut entry = Entry::default();
        match operation {
            "CreateCase" => {
                entry.creation = Some(self.creations.len());
                self.creations.push(Creation {
                    title: title(sent),
                    invocation,
                    sent: at,
                    effect: None,
                    heard: false,
                    refused: fault.is_some_and(Fault::is_refusal),
                });
            }
            "CreateProfile" => {
                entry.profile = Some(self.profiles.len());
                self.profiles.push(Profile {
                    phone: text(sent, "/PhoneNumber"),
                    harmless: false,
                });
            }
            "SQS.SendMessage" => {
                let body = text(sent, "/MessageBody");
                self.first_sent.entry((invocation, body)).or_insert(at);
            }
            "CreateRelatedItem" if fault == Some(Fault::Merging) => {
                self.merging.insert(item(sent), at);
            }
            "CreateRelatedItem" if fault.is_some_and(Fault::is_refusal) => {
                self.refused.insert(item(sent));
            }
            _ => {}
        }
        entry
    }

    /// The sender of a request was still there when its answer came.
    pub(super) fn heard(&mut self, entry: Entry) {
        let creation = entry.creation.and_then(|at| self.creations.get_mut(at));
        if let Some(creation) = creation {
            creation.heard = true;
        }
    }

    /// The sender of a request has heard that it had no effect.
    pub(super) fn harmless(&mut self, entry: Entry) {
        let profile = entry.profile.and_then(|at| self.profiles.get_mut(at));
        if let Some(profile) = profile {
            profile.harmless = true;
        }
    }

    /// Whether the effect is a case or a related item that was not there before.
    pub(super) fn note(
        &mut self,
        invocation: usize,
        entry: Entry,
        effect: &Effect,
        at: Duration,
    ) -> bool {
        match effect.operation {
            "CreateCase" => {
                let Some(id) = effect.answer.get("caseId").and_then(Value::as_str) else {
                    return false;
                };
                let creation = entry.creation.and_then(|at| self.creations.get_mut(at));
                if let Some(creation) = creation {
                    creation.effect = Some((at, id.to_owned()));
                }
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
            "SQS.SendMessage" => {
                let sent = (invocation, text(&effect.sent, "/MessageBody"));
                let at = self.first_sent.get(&sent).copied().unwrap_or(at);
                let body = serde_json::from_str(&sent.1).ok();
                self.put_aside.extend(body.map(|body| PutAside {
                    invocation,
                    at,
                    body,
                }));
                false
            }
            _ => false,
        }
    }

    /// Whether the invocation had reason to believe that it could not reach the ledger.
    pub(crate) fn missed_the_ledger(&self, invocation: usize) -> bool {
        let mut met = self.of(invocation);
        met.any(|(operation, _)| operation.starts_with("DynamoDB."))
    }

    /// Whether a request of the invocation was refused for good.
    pub(crate) fn was_refused(&self, invocation: usize) -> bool {
        self.of(invocation).any(|(_, fault)| fault.is_refusal())
    }

    /// What the invocation met.
    pub(crate) fn of(&self, invocation: usize) -> impl Iterator<Item = (&'static str, Fault)> {
        let met = self.met.iter().filter(move |(of, ..)| *of == invocation);
        met.map(|(_, operation, fault)| (*operation, *fault))
    }
}

/// `fields` has it by id.
fn title(sent: &Value) -> String {
    let fields = sent.get("fields").and_then(Value::as_array);
    let mut fields = fields.into_iter().flatten();
    let title = fields.find(|field| field.get("id").is_some_and(|id| id == "title"));
    title.map_or_else(String::new, |title| text(title, "/value/stringValue"))
}

/// The contact's ARN, or the comment.
fn item(sent: &Value) -> String {
    match text(sent, "/content/contact/contactArn") {
        arn if arn.is_empty() => text(sent, "/content/comment/body"),
        arn => arn,
    }
}

fn text(value: &Value, path: &str) -> String {
    let text = value.pointer(path).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}
