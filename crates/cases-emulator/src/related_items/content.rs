//! A related item's content: `RelatedItemInputContent` read and checked, `RelatedItemContent` shown.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{RelatedItem, contact_arn};
use crate::clock::has_passed;
use crate::create_case::values;
use crate::domain::Domain;
use crate::field_value::{self, FieldValue};
use crate::member::Member;
use crate::service::Refusal;
use crate::state::State;

/// `RelatedItemType`s, each with its member of the content.
const TYPES: [(&str, &str); 6] = [
    ("Contact", "contact"),
    ("Comment", "comment"),
    ("File", "file"),
    ("Sla", "sla"),
    ("ConnectCase", "connectCase"),
    ("Custom", "custom"),
];
const TYPE_NAMES: &[&str] = &["Contact", "Comment", "File", "Sla", "ConnectCase", "Custom"];
pub(super) const MEMBERS: &[&str] = &["contact", "comment", "file", "sla", "connectCase", "custom"];

/// Fields a Custom item may have: an account's default quota, below the model's 50.
const CUSTOM_FIELDS: usize = 5;

/// Where AWS reads a contact's channel from the contact, and the emulator knows no such contact.
const UNKNOWN_CHANNEL: &str = "VOICE";

/// What a related item is about: exactly one member of the union.
#[derive(Debug)]
pub(crate) enum Content {
    Contact {
        arn: String,
    },
    Comment {
        body: String,
    },
    File {
        arn: String,
    },
    Sla(Sla),
    ConnectCase {
        case_id: String,
    },
    Custom {
        values: BTreeMap<String, FieldValue>,
    },
}

/// `SlaInputConfiguration` of the service model.
#[derive(Debug)]
pub(crate) struct Sla {
    pub(super) name: String,
    /// `fieldId` and its one target value.
    target: Option<(String, FieldValue)>,
    minutes: usize,
}

impl Content {
    /// Reads type and content of a request; they must agree.
    pub(super) fn read(kind: &Member<'_>, content: &Member<'_>) -> Result<Self, Refusal> {
        let kind = kind.one_of(TYPE_NAMES)?;
        let (name, value) = content.union(MEMBERS)?;
        if !TYPES.contains(&(kind, name)) {
            return Err(Refusal::Validation(format!(
                "the type is {kind}, and content has the member {name}, which is another type's"
            )));
        }
        Ok(match name {
            "contact" => Self::Contact {
                arn: contact_arn(&value.required("contactArn")?)?.to_owned(),
            },
            "comment" => {
                value.required("contentType")?.one_of(&["Text/Plain"])?;
                Self::Comment {
                    body: value.required("body")?.text(1..=15_000)?.to_owned(),
                }
            }
            "file" => Self::File {
                arn: value.required("fileArn")?.text(1..=500)?.to_owned(),
            },
            "sla" => Self::Sla(Sla::read(&value.union(&["slaInputConfiguration"])?.1)?),
            "connectCase" => Self::ConnectCase {
                case_id: value.required("caseId")?.text(1..=500)?.to_owned(),
            },
            _ => Self::Custom {
                values: values(&value.required("fields")?, 1..=50)?,
            },
        })
    }

    /// Refuses content that names what the domain does not have.
    pub(super) fn check(&self, domain: &Domain, state: &State) -> Result<(), Refusal> {
        match self {
            Self::ConnectCase { case_id } => state.case(case_id).map(|_| ()),
            Self::Sla(Sla {
                target: Some((id, value)),
                ..
            }) => field_value::check(domain.field(id)?, value),
            Self::Custom { values } => {
                for (id, value) in values {
                    let field = domain.field(id)?;
                    if field.system {
                        return Err(Refusal::Validation(format!(
                            "field '{id}' is a system field, and a Custom item has custom fields only"
                        )));
                    }
                    field_value::check(field, value)?;
                }
                if values.len() > CUSTOM_FIELDS {
                    return Err(Refusal::ServiceQuotaExceeded(format!(
                        "a Custom item may have {CUSTOM_FIELDS} fields; it has {}",
                        values.len()
                    )));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// `RelatedItemType`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Contact { .. } => "Contact",
            Self::Comment { .. } => "Comment",
            Self::File { .. } => "File",
            Self::Sla(_) => "Sla",
            Self::ConnectCase { .. } => "ConnectCase",
            Self::Custom { .. } => "Custom",
        }
    }

    pub(super) fn contact_arn(&self) -> Option<&str> {
        match self {
            Self::Contact { arn } => Some(arn),
            _ => None,
        }
    }

    pub(super) fn custom_values(&self) -> Option<&BTreeMap<String, FieldValue>> {
        match self {
            Self::Custom { values } => Some(values),
            _ => None,
        }
    }

    /// `RelatedItemInputContent`, as it was given.
    pub(super) fn given(&self) -> Value {
        match self {
            Self::Contact { arn } => json!({ "contact": { "contactArn": arn } }),
            Self::Comment { body } => {
                json!({ "comment": { "body": body, "contentType": "Text/Plain" } })
            }
            Self::File { arn } => json!({ "file": { "fileArn": arn } }),
            Self::Sla(sla) => {
                let mut configuration = sla.show();
                put(&mut configuration, "targetSlaMinutes", json!(sla.minutes));
                json!({ "sla": { "slaInputConfiguration": configuration } })
            }
            Self::ConnectCase { case_id } => json!({ "connectCase": { "caseId": case_id } }),
            Self::Custom { values } => {
                let field = |(id, value): (&String, &FieldValue)| json!({ "id": id, "value": value.to_json() });
                let fields: Vec<Value> = values.iter().map(field).collect();
                json!({ "custom": { "fields": fields } })
            }
        }
    }

    /// `RelatedItemContent`, as a search shows it.
    pub(super) fn show(&self, state: &State, item: &RelatedItem, now: Instant) -> Value {
        let mut shown = self.given();
        match self {
            Self::Contact { arn } => {
                let contact = state.contacts.as_ref();
                let contact = contact.and_then(|instance| instance.contact_of(arn));
                let channel = contact.and_then(|contact| contact.channel.as_deref());
                let connected = contact.and_then(|contact| contact.connected_time.as_ref());
                let connected = connected.unwrap_or(&item.created_time);
                if let Some(contact) = shown.get_mut("contact") {
                    put(
                        contact,
                        "channel",
                        json!(channel.unwrap_or(UNKNOWN_CHANNEL)),
                    );
                    put(contact, "connectedToSystemTime", json!(connected));
                }
                shown
            }
            Self::Sla(sla) => {
                let mut configuration = sla.show();
                let due = state.clock.timestamp(item.created + sla.time());
                put(&mut configuration, "status", json!(sla.status(item, now)));
                put(&mut configuration, "targetTime", json!(due));
                json!({ "sla": { "slaConfiguration": configuration } })
            }
            _ => shown,
        }
    }

    /// Whether the item's contact is on one of the channels.
    pub(super) fn is_on(&self, channels: &[&str], state: &State) -> bool {
        let Some(arn) = self.contact_arn() else {
            return false;
        };
        let contact = state.contacts.as_ref();
        let contact = contact.and_then(|instance| instance.contact_of(arn));
        let channel = contact.and_then(|contact| contact.channel.as_deref());
        channels.contains(&channel.unwrap_or(UNKNOWN_CHANNEL))
    }
}

impl Sla {
    fn read(member: &Member<'_>) -> Result<Self, Refusal> {
        let name = sla_name(&member.required("name")?)?.to_owned();
        member.required("type")?.one_of(&["CaseField"])?;
        let minutes = member
            .required("targetSlaMinutes")?
            .integer(1..=1_051_200)?;
        let field_id = member.optional("fieldId")?;
        let field_id = field_id.map(|id| id.text(1..=500)).transpose()?;
        let values = match member.optional("targetFieldValues")? {
            Some(values) => values.items(1..=1)?,
            None => Vec::new(),
        };
        let value = values.first().map(FieldValue::read).transpose()?;
        let target = match (field_id, value) {
            (Some(id), Some(value)) => Some((id.to_owned(), value)),
            (None, None) => None,
            _ => {
                return Err(Refusal::Validation(format!(
                    "{} must have both fieldId and targetFieldValues, or neither",
                    member.path()
                )));
            }
        };
        Ok(Self {
            name,
            target,
            minutes,
        })
    }

    /// What `SlaInputConfiguration` and `SlaConfiguration` have in common.
    fn show(&self) -> Value {
        let mut shown = json!({ "name": self.name, "type": "CaseField" });
        if let Some((id, value)) = &self.target {
            put(&mut shown, "fieldId", json!(id));
            put(&mut shown, "targetFieldValues", json!([value.to_json()]));
        }
        shown
    }

    /// `SlaStatus`. No operation of the emulator changes a case, so none is ever met.
    pub(super) fn status(&self, item: &RelatedItem, now: Instant) -> &'static str {
        if has_passed(item.created, now, self.time()) {
            "Overdue"
        } else {
            "Active"
        }
    }

    fn time(&self) -> Duration {
        Duration::from_mins(u64::try_from(self.minutes).unwrap_or(u64::MAX))
    }
}

/// `SlaName` of the service model: `.*[\S]`.
pub(super) fn sla_name<'a>(member: &Member<'a>) -> Result<&'a str, Refusal> {
    let name = member.text(1..=500)?;
    if !name.ends_with(char::is_whitespace) {
        return Ok(name);
    }
    Err(Refusal::Validation(format!(
        "{} must not end in white space",
        member.path()
    )))
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
