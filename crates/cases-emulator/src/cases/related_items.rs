//! The contacts and comments of cases. AWS knows further types of related items; they are refused.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::case::UserUnion;
use super::patterns::is_contact_arn;
use crate::clock::{Clock, has_passed, now};
use crate::connect::Contacts;
use crate::identifiers::{fingerprint, uuid};
use crate::member::Member;
use crate::operation::Operation;
use crate::paging::{Page, Scope};
use crate::service::Refusal;

/// The most related items of a case.
/// <https://docs.aws.amazon.com/connect/latest/adminguide/amazon-connect-service-limits.html>
const ITEMS: usize = 200;

/// The members of content and of filters.
const MEMBERS: &[&str] = &["contact", "comment"];

/// The channel of a contact that is not in the seed.
const UNKNOWN_CHANNEL: &str = "VOICE";

/// The answer of `CreateRelatedItem` to a second Contact item of one contact on one case. AWS does not
/// publish it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DuplicateContact {
    /// A second item is stored, and tests see that a contact was linked twice.
    #[default]
    Stored,
    /// `ConflictException`, 409.
    Conflict,
}

/// The related items of all cases, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct RelatedItems {
    pub(crate) duplicate_contacts: DuplicateContact,
    /// The age from which on an item is found.
    pub(crate) lag: Duration,
    items: Vec<RelatedItem>,
}

/// A related item.
#[derive(Debug)]
pub(super) struct RelatedItem {
    id: String,
    case_id: String,
    content: Content,
    pub(super) performed_by: Option<UserUnion>,
    created: Instant,
    pub(super) created_time: String,
    pub(super) event_id: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Content {
    Contact { arn: String },
    Comment { body: String },
}

/// `RelatedItemTypeFilter` of the service model.
enum Filter<'a> {
    Contact { arn: Option<&'a str> },
    Comment,
}

impl RelatedItems {
    /// Returns all items, the oldest first, each with its content as the request had it.
    pub(crate) fn show(&self) -> Vec<Value> {
        let show = |item: &RelatedItem| {
            json!({
                "caseId": item.case_id,
                "relatedItemId": item.id,
                "type": item.kind(),
                "content": item.content.to_json(),
                "performedBy": item.performed_by.as_ref().map(UserUnion::to_json),
            })
        };
        self.items.iter().map(show).collect()
    }

    /// Returns the items of a case, the oldest first.
    pub(super) fn of<'a>(&'a self, case_id: &'a str) -> impl Iterator<Item = &'a RelatedItem> {
        let items = self.items.iter();
        items.filter(move |item| item.case_id == case_id)
    }

    fn found(&self, now: Instant) -> impl Iterator<Item = &RelatedItem> {
        let items = self.items.iter();
        items.filter(move |item| has_passed(item.created, now, self.lag))
    }

    /// Stores one more item of the case. The API has no client token.
    pub(super) fn create(
        &mut self,
        (domain_id, case_id, case_arn): (&str, &str, &str),
        new: NewItem,
        clock: &Clock,
    ) -> Result<Value, Refusal> {
        if self.duplicate_contacts == DuplicateContact::Conflict
            && let Content::Contact { arn } = &new.content
            && self.of(case_id).any(|item| item.content == new.content)
        {
            return Err(Refusal::Conflict(format!(
                "case '{case_id}' already has a related item of the contact '{arn}'"
            )));
        }
        if self.of(case_id).count() >= ITEMS {
            return Err(Refusal::ServiceQuotaExceeded(format!(
                "case '{case_id}' already has {ITEMS} related items, the most it may have"
            )));
        }
        let sequence = u64::try_from(self.items.len()).unwrap_or(u64::MAX);
        let id = uuid(&format!("{domain_id}/related-item"), sequence);
        let now = now();
        self.items.push(RelatedItem {
            id: id.clone(),
            case_id: case_id.to_owned(),
            content: new.content,
            performed_by: new.performed_by,
            created: now,
            created_time: clock.timestamp(now),
            event_id: uuid(&format!("{domain_id}/related-item-event"), sequence),
        });
        Ok(json!({
            "relatedItemId": id,
            "relatedItemArn": format!("{case_arn}/related-item/{id}"),
        }))
    }

    /// Returns a page of the items that any of the filters accepts, or of all without filters, the
    /// newest first.
    pub(super) fn search(
        &self,
        scope: &str,
        case_id: &str,
        value: &Value,
        contacts: &Contacts,
    ) -> Result<Value, Refusal> {
        let search = fingerprint(value, &["nextToken", "maxResults"]);
        let scope = Scope::new(Operation::SearchRelatedItems, &format!("{scope}/{search}"));
        let body = Member::body(value);
        let page = Page::of_body(scope, &body, 25, 25)?;
        let filters = match body.optional("filters")? {
            Some(filters) => filters.items(0..=10)?,
            None => Vec::new(),
        };
        let filters: Result<Vec<_>, _> = filters.iter().map(Filter::read).collect();
        let filters = filters?;
        let mut found: Vec<&RelatedItem> = self
            .found(now())
            .filter(|item| item.case_id == case_id)
            .filter(|item| filters.is_empty() || filters.iter().any(|filter| filter.matches(item)))
            .collect();
        found.reverse();
        let found = found.into_iter().map(|item| item.show(contacts));
        Ok(page.output("relatedItems", found.collect()))
    }

    /// Returns the ids of the cases with a Contact item of this contact, each once, the one that was
    /// linked first in front.
    pub(super) fn cases_of(&self, contact_arn: &str) -> Vec<&str> {
        let mut cases: Vec<&str> = Vec::new();
        for item in self.found(now()) {
            let is_linked = item.content.contact_arn() == Some(contact_arn);
            if is_linked && !cases.contains(&item.case_id.as_str()) {
                cases.push(&item.case_id);
            }
        }
        cases
    }
}

/// The request for a related item.
pub(super) struct NewItem {
    content: Content,
    performed_by: Option<UserUnion>,
}

impl NewItem {
    /// Reads the body of `CreateRelatedItem`; type and content must agree.
    pub(super) fn read(body: &Member<'_>) -> Result<Self, Refusal> {
        let kind = body.required("type")?.text(0..=usize::MAX)?;
        let content = body.required("content")?;
        let (name, value) = match kind {
            "Contact" | "Comment" => content.union(MEMBERS)?,
            other => {
                return Err(Refusal::Validation(format!(
                    "the type '{other}' is not supported by this emulator; it supports Contact and Comment"
                )));
            }
        };
        let content = if name == "contact" {
            Content::Contact {
                arn: contact_arn(&value)?.to_owned(),
            }
        } else {
            value.required("contentType")?.one_of(&["Text/Plain"])?;
            Content::Comment {
                body: value.required("body")?.text(1..=15_000)?.to_owned(),
            }
        };
        if content.kind() != kind {
            return Err(Refusal::Validation(format!(
                "the type is {kind}, and content has the member {name}, which is another type's"
            )));
        }
        Ok(Self {
            content,
            performed_by: UserUnion::read(body)?,
        })
    }
}

impl RelatedItem {
    /// Returns `type`.
    pub(super) fn kind(&self) -> &'static str {
        self.content.kind()
    }

    /// Returns `SearchRelatedItemsResponseItem` of the service model.
    fn show(&self, contacts: &Contacts) -> Value {
        let content = match &self.content {
            Content::Contact { arn } => {
                let (channel, time) = contacts.channel_and_time(arn);
                json!({ "contact": {
                    "contactArn": arn,
                    "channel": channel.unwrap_or(UNKNOWN_CHANNEL),
                    "connectedToSystemTime": time.unwrap_or(&self.created_time),
                } })
            }
            comment @ Content::Comment { .. } => comment.to_json(),
        };
        let mut shown = json!({
            "relatedItemId": self.id,
            "type": self.kind(),
            "associationTime": self.created_time,
            "content": content,
            "tags": {},
        });
        if let (Some(user), Some(shown)) = (&self.performed_by, shown.as_object_mut()) {
            shown.insert("performedBy".to_owned(), user.to_json());
        }
        shown
    }
}

impl Content {
    fn kind(&self) -> &'static str {
        match self {
            Self::Contact { .. } => "Contact",
            Self::Comment { .. } => "Comment",
        }
    }

    fn contact_arn(&self) -> Option<&str> {
        match self {
            Self::Contact { arn } => Some(arn),
            Self::Comment { .. } => None,
        }
    }

    /// Returns `RelatedItemInputContent` of the service model.
    fn to_json(&self) -> Value {
        match self {
            Self::Contact { arn } => json!({ "contact": { "contactArn": arn } }),
            Self::Comment { body } => {
                json!({ "comment": { "body": body, "contentType": "Text/Plain" } })
            }
        }
    }
}

impl<'a> Filter<'a> {
    fn read(member: &Member<'a>) -> Result<Self, Refusal> {
        member.has_only(MEMBERS)?;
        let (name, value) = member.union(MEMBERS)?;
        if name == "comment" {
            value.empty()?;
            return Ok(Self::Comment);
        }
        value.has_only(&["contactArn"])?;
        let arn = value.optional("contactArn")?;
        let arn = arn.map(|arn| arn.text(1..=500)).transpose()?;
        Ok(Self::Contact { arn })
    }

    fn matches(&self, item: &RelatedItem) -> bool {
        match (self, &item.content) {
            (Self::Contact { arn }, Content::Contact { arn: found }) => {
                arn.is_none_or(|arn| arn == found)
            }
            (Self::Comment, Content::Comment { .. }) => true,
            _ => false,
        }
    }
}

/// Reads the member `contactArn`.
pub(super) fn contact_arn<'a>(of: &Member<'a>) -> Result<&'a str, Refusal> {
    let member = of.required("contactArn")?;
    let arn = member.text(1..=500)?;
    if is_contact_arn(arn) {
        return Ok(arn);
    }
    Err(Refusal::Validation(format!(
        "{} must be a contact's ARN, \
         arn:PARTITION:connect:REGION:ACCOUNT:instance/INSTANCE/contact/CONTACT",
        member.path()
    )))
}
