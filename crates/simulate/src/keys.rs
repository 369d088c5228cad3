//! The keys of a world: what is sent for each, and what there has to be in the end.

use std::fmt;

use serde_json::{Value, json};

use crate::delivery::case_events;

/// The instance that contacts and contact events come from.
const INSTANCE: &str =
    "arn:aws:connect:us-east-1:111122223333:instance/6b1f6f0e-3c2a-4a57-9a0c-5d1e2f7a8b90";

/// A key, by the rule that makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A flow's natural key: the contact.
    Contact,
    /// A flow's natural key with a `requestKey`: one contact, several cases.
    RequestKey,
    /// A flow's `key: [$.InitialContactId]`: several contacts, one case.
    Conversation,
    /// An event's `key: [$.detail.order]`: several events, one case.
    Order,
    /// The natural key of a contact event.
    ContactEvent,
    /// The natural key of any other event.
    Notice,
    /// The same, of a case that somebody else created.
    CaseEvent,
}

/// Why a key can never have a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Poison {
    /// The event lacks a field that the mapping needs.
    Incomplete,
    /// The event is none.
    Unrecognizable,
}

/// A key.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// Its place among the world's keys.
    pub(crate) number: usize,
    pub(crate) kind: Kind,
    pub(crate) poison: Option<Poison>,
    /// How many different contacts or events stand for it.
    pub(crate) occurrences: usize,
    /// The key whose contact this one shares.
    pub(crate) contact_of: usize,
}

/// One contact or event of a key: what a delivery brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Occurrence {
    /// The key's place.
    pub(crate) key: usize,
    /// Which of its contacts or events.
    pub(crate) number: usize,
}

impl Key {
    /// How it is called, which is also the title of its case.
    pub(crate) fn name(&self) -> String {
        format!("K{}", self.number)
    }

    pub(crate) fn is_flow(&self) -> bool {
        matches!(
            self.kind,
            Kind::Contact | Kind::RequestKey | Kind::Conversation
        )
    }

    /// The contacts that have to be linked to its case.
    pub(crate) fn contacts(&self, delivered: impl Iterator<Item = usize>) -> Vec<String> {
        let contact = |number| format!("{INSTANCE}/contact/{}", self.contact(number));
        match self.kind {
            Kind::Notice | Kind::CaseEvent => Vec::new(),
            Kind::Conversation => delivered.map(contact).collect(),
            _ => vec![contact(0)],
        }
    }

    /// The comment that its case has to have: with several contacts, one of each.
    pub(crate) fn note(&self, occurrence: usize) -> String {
        match self.kind {
            Kind::Conversation => format!("note {occurrence} of {}", self.name()),
            _ => format!("note of {}", self.name()),
        }
    }

    /// The phone number of the profile that is found or created, where one is.
    pub(crate) fn phone(&self) -> Option<String> {
        let number = match self.kind {
            Kind::Contact | Kind::Order => self.number,
            Kind::RequestKey => self.contact_of,
            Kind::Conversation | Kind::ContactEvent | Kind::Notice | Kind::CaseEvent => {
                return None;
            }
        };
        Some(format!("+1555010{number:04}"))
    }

    fn contact(&self, occurrence: usize) -> String {
        format!("c{}-{occurrence}", self.contact_of)
    }

    /// What the function is sent; for SQS, the message's body.
    pub(crate) fn payload(&self, occurrence: usize) -> String {
        if self.poison == Some(Poison::Unrecognizable) {
            return json!({ "order": self.name() }).to_string();
        }
        let title = match self.poison {
            None => json!(self.name()),
            Some(_) => Value::Null,
        };
        let payload = match self.kind {
            Kind::Contact | Kind::RequestKey => self.flow(
                occurrence,
                json!({ "key": "natural", "title": title, "note": self.note(occurrence) }),
            ),
            Kind::Conversation => self.flow(
                occurrence,
                json!({ "key": "conversation", "title": title, "note": self.note(occurrence) }),
            ),
            Kind::Order => json!({
                "source": "com.example.orders",
                "detail-type": "Order Failed",
                "id": format!("e{}-{occurrence}", self.number),
                "detail": {
                    "order": self.name(),
                    "title": title,
                    "note": self.note(occurrence),
                    "phone": self.phone(),
                    "contactArn": format!("{INSTANCE}/contact/{}", self.contact(0)),
                },
            }),
            Kind::ContactEvent => json!({
                "source": "aws.connect",
                "detail-type": "Amazon Connect Contact Event",
                "id": format!("e{}-{occurrence}", self.number),
                "detail": {
                    "contactId": self.contact(0),
                    "instanceArn": INSTANCE,
                    "eventType": "DISCONNECTED",
                    "title": title,
                    "note": self.note(occurrence),
                },
            }),
            Kind::Notice => json!({
                "source": "com.example.notices",
                "detail-type": "Notice",
                "id": format!("e{}-0", self.number),
                "detail": { "title": title, "note": self.note(occurrence) },
            }),
            Kind::CaseEvent => case_events::created(
                &format!("e{}-0", self.number),
                self.performer().as_ref(),
                &title,
            ),
        };
        payload.to_string()
    }

    /// Who created the case of a case event: an agent, another function, or nobody who says so.
    fn performer(&self) -> Option<Value> {
        match self.number % 3 {
            0 => Some(json!({ "userArn": format!("{INSTANCE}/agent/a-1") })),
            1 => Some(json!({ "customEntity": "another-function" })),
            _ => None,
        }
    }

    fn flow(&self, occurrence: usize, mut parameters: Value) -> Value {
        if self.kind == Kind::RequestKey
            && let Some(parameters) = parameters.as_object_mut()
        {
            parameters.insert("requestKey".to_owned(), json!(self.name()));
        }
        json!({
            "Name": "ContactFlowEvent",
            "Details": {
                "ContactData": {
                    "Channel": "VOICE",
                    "ContactId": self.contact(occurrence),
                    "InitialContactId": self.contact(0),
                    "InstanceARN": INSTANCE,
                    "CustomerEndpoint": { "Address": self.phone(), "Type": "TELEPHONE_NUMBER" },
                },
                "Parameters": parameters,
            },
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = match self.kind {
            Kind::Contact => "flow, by contact",
            Kind::RequestKey => "flow, by contact and requestKey",
            Kind::Conversation => "flow, by conversation",
            Kind::Order => "event, by order",
            Kind::ContactEvent => "contact event",
            Kind::Notice => "event, by its id",
            Kind::CaseEvent => "event of somebody else's case",
        };
        write!(f, "{:<4} {rule}", self.name())?;
        if self.kind == Kind::RequestKey {
            write!(f, ", contact of K{}", self.contact_of)?;
        }
        match self.poison {
            None => Ok(()),
            Some(Poison::Incomplete) => f.write_str("; a field is missing, so it can have no case"),
            Some(Poison::Unrecognizable) => f.write_str("; it is no event, so it can have no case"),
        }
    }
}
