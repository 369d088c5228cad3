//! `RelatedItemTypeFilter` of the service model: read from a search, and held against an item. A
//! filter of a type without members lets every item of the type through.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::RelatedItem;
use super::content::{Content, MEMBERS, sla_name};
use crate::domain::Domain;
use crate::member::Member;
use crate::search_filter::Filter;
use crate::service::Refusal;
use crate::state::State;

/// A condition on related items of one type.
pub(super) enum ItemFilter<'a> {
    Contact {
        channels: Vec<&'a str>,
        arn: Option<&'a str>,
    },
    Comment,
    File {
        arn: Option<&'a str>,
    },
    Sla {
        name: Option<&'a str>,
        status: Option<&'static str>,
    },
    ConnectCase {
        case_id: Option<&'a str>,
    },
    Custom {
        fields: Option<Filter>,
    },
}

impl<'a> ItemFilter<'a> {
    /// Reads the union at `member`.
    pub(super) fn read(domain: &Domain, member: &Member<'a>) -> Result<Self, Refusal> {
        let (name, value) = member.union(MEMBERS)?;
        let text = |name: &str| -> Result<Option<&'a str>, Refusal> {
            let text = value.optional(name)?;
            text.map(|text| text.text(1..=500)).transpose()
        };
        Ok(match name {
            "contact" => {
                let channels = match value.optional("channel")? {
                    Some(channels) => channels.items(0..=3)?,
                    None => Vec::new(),
                };
                let channels: Result<Vec<_>, _> = channels
                    .iter()
                    .map(|channel| channel.text(1..=100))
                    .collect();
                Self::Contact {
                    channels: channels?,
                    arn: text("contactArn")?,
                }
            }
            "comment" => {
                value.empty()?;
                Self::Comment
            }
            "file" => Self::File {
                arn: text("fileArn")?,
            },
            "sla" => {
                let name = value.optional("name")?;
                let status = value.optional("status")?;
                let words = &["Active", "Overdue", "Met", "NotMet"];
                Self::Sla {
                    name: name.map(|name| sla_name(&name)).transpose()?,
                    status: status.map(|status| status.one_of(words)).transpose()?,
                }
            }
            "connectCase" => Self::ConnectCase {
                case_id: text("caseId")?,
            },
            _ => {
                let fields = value.optional("fields")?;
                Self::Custom {
                    fields: fields
                        .map(|fields| Filter::read_custom(domain, &fields))
                        .transpose()?,
                }
            }
        })
    }

    /// Whether the item meets the condition.
    pub(super) fn matches(&self, item: &RelatedItem, state: &State, now: Instant) -> bool {
        match (self, &item.content) {
            (Self::Contact { channels, arn }, Content::Contact { arn: found }) => {
                arn.is_none_or(|arn| arn == found)
                    && (channels.is_empty() || item.content.is_on(channels, state))
            }
            (Self::Comment, Content::Comment { .. }) => true,
            (Self::File { arn }, Content::File { arn: found }) => {
                arn.is_none_or(|arn| arn == found)
            }
            (Self::Sla { name, status }, Content::Sla(sla)) => {
                name.is_none_or(|name| name == sla.name)
                    && status.is_none_or(|status| status == sla.status(item, now))
            }
            (Self::ConnectCase { case_id }, Content::ConnectCase { case_id: found }) => {
                case_id.is_none_or(|id| id == found)
            }
            (Self::Custom { fields }, Content::Custom { values }) => fields
                .as_ref()
                .is_none_or(|fields| fields.holds(values, &BTreeMap::new())),
            _ => false,
        }
    }
}
