//! The keys of a world, their events, and the case that each must have in the end.

use std::fmt;

use serde_json::{Value, json};

use crate::case_events;

/// The instance that contacts and contact events come from.
const INSTANCE: &str =
    "arn:aws:connect:us-east-1:111122223333:instance/6b1f6f0e-3c2a-4a57-9a0c-5d1e2f7a8b90";

/// The instance's id.
pub(crate) const INSTANCE_ID: &str = "6b1f6f0e-3c2a-4a57-9a0c-5d1e2f7a8b90";

/// The beginning of the ARNs of profiles.
const PROFILES: &str =
    "arn:aws:profile:us-east-1:111122223333:domains/amazon-connect-example/profiles";

/// Message groups of a FIFO queue.
const MESSAGE_GROUPS: usize = 2;

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
    /// An event's `key: [$.detail.order]`, with the customer's profile in it.
    Account,
    /// The natural key of an event that makes nothing but a case, so that the quota for cases alone counts.
    Backlog,
}

/// The reason why a key can never have a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Poison {
    /// The event lacks a field that the mapping needs.
    Incomplete,
    /// The event is none.
    Unrecognizable,
    /// The customer's profile is gone for good.
    Gone,
}

/// A key.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each of them is drawn independently"
)]
pub(crate) struct Key {
    /// Its place among the world's keys.
    pub(crate) number: usize,
    pub(crate) kind: Kind,
    pub(crate) poison: Option<Poison>,
    /// The number of different contacts or events of the key.
    pub(crate) occurrences: usize,
    /// The key whose contact this one shares.
    pub(crate) contact_of: usize,
    /// The key whose event ids this one shares, with another content under them.
    pub(crate) event_of: usize,
    /// Each occurrence has a contact of its own.
    pub(crate) own_contacts: bool,
    /// The comments of all occurrences have the same words.
    pub(crate) same_words: bool,
    /// Each occurrence asks for another case: with another tag.
    pub(crate) varies: bool,
    /// A field is too long, and continues in a comment.
    pub(crate) overflows: bool,
}

/// One contact or event of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Occurrence {
    /// The key's place.
    pub(crate) key: usize,
    /// The place among the key's contacts or events.
    pub(crate) number: usize,
}

impl Key {
    /// A key with one occurrence and nothing special.
    pub(crate) fn plain(number: usize, kind: Kind) -> Self {
        Self {
            number,
            kind,
            poison: None,
            occurrences: 1,
            contact_of: number,
            event_of: number,
            own_contacts: false,
            same_words: false,
            varies: false,
            overflows: false,
        }
    }

    pub(crate) fn occurrence(&self, number: usize) -> Occurrence {
        Occurrence {
            key: self.number,
            number,
        }
    }

    /// Its name, which is also the title of its case.
    pub(crate) fn name(&self) -> String {
        format!("K{}", self.number)
    }

    pub(crate) fn is_flow(&self) -> bool {
        matches!(
            self.kind,
            Kind::Contact | Kind::RequestKey | Kind::Conversation
        )
    }

    /// The contact of one occurrence, by its ARN, where one is to be linked.
    pub(crate) fn contact_arn(&self, occurrence: usize) -> Option<String> {
        let links = !matches!(
            self.kind,
            Kind::Notice | Kind::CaseEvent | Kind::Account | Kind::Backlog
        );
        links.then(|| format!("{INSTANCE}/contact/{}", self.contact(occurrence)))
    }

    /// The comment of one occurrence.
    pub(crate) fn note(&self, occurrence: usize) -> String {
        if self.occurrences > 1 && !self.same_words {
            format!("note {occurrence} of {}", self.name())
        } else {
            format!("note of {}", self.name())
        }
    }

    /// The beginning of the comment in which a field continues.
    pub(crate) fn overflow(&self) -> Option<String> {
        self.overflows
            .then(|| format!("Overflow of {}.", self.name()))
    }

    /// Returns true when contact or comment identifies the occurrence.
    pub(crate) fn identifies_occurrences(&self) -> bool {
        self.own_contacts || !self.same_words
    }

    /// The phone number of the profile that is found or created, where one is.
    pub(crate) fn phone(&self) -> Option<String> {
        let number = match self.kind {
            Kind::Contact | Kind::Order => self.number,
            Kind::RequestKey => self.contact_of,
            _ => return None,
        };
        Some(format!("+1555010{number:04}"))
    }

    /// The id of an occurrence's contact.
    pub(crate) fn contact(&self, occurrence: usize) -> String {
        let number = if self.own_contacts { occurrence } else { 0 };
        format!("c{}-{number}", self.contact_of)
    }

    /// The id of the profile that the event names.
    pub(crate) fn profile_id(&self) -> String {
        format!("{:032x}", self.number)
    }

    fn event_id(&self, occurrence: usize) -> String {
        format!("e{}-{occurrence}", self.event_of)
    }

    /// The event; for SQS, the message's body.
    pub(crate) fn payload(&self, occurrence: usize) -> String {
        if self.poison == Some(Poison::Unrecognizable) {
            return json!({ "order": self.name() }).to_string();
        }
        let title = match self.poison {
            None | Some(Poison::Gone) => json!(self.name()),
            Some(_) => Value::Null,
        };
        let payload = match self.kind {
            Kind::Contact | Kind::RequestKey => self.flow(occurrence, "natural", &title),
            Kind::Conversation => self.flow(occurrence, "conversation", &title),
            Kind::Order => json!({
                "source": "com.example.orders",
                "detail-type": "Order Failed",
                "id": self.event_id(occurrence),
                "detail": {
                    "order": self.name(),
                    "variant": self.varies.then(|| occurrence.to_string()),
                    "title": title,
                    "note": self.note(occurrence),
                    "phone": self.phone(),
                    "contactArn": self.contact_arn(occurrence),
                },
            }),
            Kind::ContactEvent => json!({
                "source": "aws.connect",
                "detail-type": "Amazon Connect Contact Event",
                "id": self.event_id(occurrence),
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
                "id": self.event_id(0),
                "detail": {
                    "title": title,
                    "note": self.note(occurrence),
                    "number": self.overflow().map(|begin| format!("{begin:x<600}")),
                },
            }),
            Kind::Account => json!({
                "source": "com.example.accounts",
                "detail-type": "Account Closed",
                "id": self.event_id(0),
                "detail": {
                    "order": self.name(),
                    "title": title,
                    "note": self.note(occurrence),
                    "profile": format!("{PROFILES}/{}", self.profile_id()),
                },
            }),
            Kind::Backlog => json!({
                "source": "com.example.backlog",
                "detail-type": "Entry",
                "id": self.event_id(0),
                "detail": { "title": title },
            }),
            Kind::CaseEvent => {
                case_events::created(&self.event_id(0), self.performer().as_ref(), &title)
            }
        };
        payload.to_string()
    }

    /// The creator in a case event: an agent, another function, or none.
    fn performer(&self) -> Option<Value> {
        match self.number % 3 {
            0 => Some(json!({ "userArn": format!("{INSTANCE}/agent/a-1") })),
            1 => Some(json!({ "customEntity": "another-function" })),
            _ => None,
        }
    }

    fn flow(&self, occurrence: usize, key: &str, title: &Value) -> Value {
        let note = self.note(occurrence);
        let mut parameters = json!({ "key": key, "title": title, "note": note });
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
            Kind::Account => "event, by order, that names the profile",
            Kind::Backlog => "event of a backlog, by its id",
        };
        write!(f, "{:<4} {rule}", self.name())?;
        if self.kind == Kind::RequestKey {
            write!(f, ", contact of K{}", self.contact_of)?;
        }
        if self.event_of != self.number {
            write!(f, ", event ids of K{}", self.event_of)?;
        }
        let traits = [
            (
                self.own_contacts && self.occurrences > 1,
                "contacts of their own",
            ),
            (self.same_words && self.occurrences > 1, "the same words"),
            (self.varies, "each asks for another case"),
            (self.overflows, "a field goes on in a comment"),
        ];
        for (_, name) in traits.iter().filter(|(holds, _)| *holds) {
            write!(f, ", {name}")?;
        }
        match self.poison {
            None => Ok(()),
            Some(Poison::Incomplete) => f.write_str("; a field is missing, so it can have no case"),
            Some(Poison::Unrecognizable) => f.write_str("; it is no event, so it can have no case"),
            Some(Poison::Gone) => f.write_str("; its customer is gone, so it can have no case"),
        }
    }
}

impl Occurrence {
    /// Its message group in a FIFO queue.
    pub(crate) fn group(self) -> usize {
        self.key % MESSAGE_GROUPS
    }
}

impl fmt::Display for Occurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "K{}", self.key)?;
        if self.number > 0 {
            write!(f, " (its other one)")?;
        }
        Ok(())
    }
}
