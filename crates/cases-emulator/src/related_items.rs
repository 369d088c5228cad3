//! What is attached to a case: contacts, comments, files, service level agreements, other cases and
//! custom items. `CreateRelatedItem`, `SearchRelatedItems` and `ListCasesForContact`.

mod content;
mod filter;

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use self::content::Content;
use self::filter::ItemFilter;
use crate::case::UserUnion;
use crate::clock::{has_passed, now};
use crate::create_case::performer;
use crate::domain::Domain;
use crate::field_value::FieldValue;
use crate::fingerprint::fingerprint;
use crate::identifiers::uuid;
use crate::member::Member;
use crate::operation::Operation;
use crate::paging::{Page, Scope};
use crate::patterns::is_contact_arn;
use crate::service::Refusal;
use crate::state::State;

/// Related items a case may have, and how many of them may be files and service level agreements.
/// <https://docs.aws.amazon.com/connect/latest/adminguide/amazon-connect-service-limits.html>
const ITEMS: usize = 200;
const FILES: usize = 50;
const SLAS: usize = 10;

/// What `CreateRelatedItem` answers when the case already has a Contact item of the same contact.
/// AWS publishes neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DuplicateContact {
    /// A second item is stored, and shows that something linked twice.
    #[default]
    Stored,
    /// `ConflictException`, 409.
    Conflict,
}

/// All related items, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct RelatedItems {
    pub(crate) duplicate_contacts: DuplicateContact,
    /// How old an item must be to be found.
    pub(crate) lag: Duration,
    items: Vec<RelatedItem>,
}

/// A related item.
#[derive(Debug)]
pub(crate) struct RelatedItem {
    id: String,
    case_id: String,
    content: Content,
    pub(crate) performed_by: Option<UserUnion>,
    created: Instant,
    pub(crate) created_time: String,
    pub(crate) event_id: String,
}

impl RelatedItems {
    /// Those of one case, the oldest first.
    pub(crate) fn of<'a>(&'a self, case_id: &'a str) -> impl Iterator<Item = &'a RelatedItem> {
        self.items
            .iter()
            .filter(move |item| item.case_id == case_id)
    }

    /// All items, the oldest first, each with its content as it was given.
    pub(crate) fn show(&self) -> Vec<Value> {
        let show = |item: &RelatedItem| {
            json!({
                "caseId": item.case_id,
                "relatedItemId": item.id,
                "type": item.kind(),
                "content": item.content.given(),
                "performedBy": item.performed_by.as_ref().map(UserUnion::to_json),
            })
        };
        self.items.iter().map(show).collect()
    }

    /// Refuses content that the case cannot have beside what it has.
    fn check(&self, case_id: &str, content: &Content) -> Result<(), Refusal> {
        let kind = content.kind();
        let of_kind = || self.of(case_id).filter(|item| item.kind() == kind);
        if let (DuplicateContact::Conflict, Content::Contact { arn }) =
            (self.duplicate_contacts, content)
            && of_kind().any(|item| item.content.contact_arn() == Some(arn))
        {
            return Err(Refusal::Conflict(format!(
                "case '{case_id}' already has a related item of the contact '{arn}'"
            )));
        }
        let quota_of_kind = match content {
            Content::File { .. } => Some((of_kind().count(), FILES, "files")),
            Content::Sla(_) => Some((of_kind().count(), SLAS, "service level agreements")),
            _ => None,
        };
        let quota = (self.of(case_id).count(), ITEMS, "related items");
        for (found, most, what) in quota_of_kind.into_iter().chain([quota]) {
            if found >= most {
                return Err(Refusal::ServiceQuotaExceeded(format!(
                    "case '{case_id}' already has {most} {what}, the most it may have"
                )));
            }
        }
        Ok(())
    }
}

impl RelatedItem {
    /// `type`.
    pub(crate) fn kind(&self) -> &'static str {
        self.content.kind()
    }

    /// Whether searches find it already.
    fn is_found(&self, state: &State, now: Instant) -> bool {
        has_passed(self.created, now, state.related_items.lag)
    }

    /// The field values of a custom item.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&String, &FieldValue)> {
        self.content.custom_values().into_iter().flatten()
    }

    /// `SearchRelatedItemsResponseItem` of the service model.
    fn show(&self, state: &State, now: Instant) -> Value {
        let mut shown = Map::new();
        let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        put("relatedItemId", json!(self.id));
        put("type", json!(self.kind()));
        put("associationTime", json!(self.created_time));
        put("content", self.content.show(state, self, now));
        put("tags", json!({}));
        if let Some(user) = &self.performed_by {
            put("performedBy", user.to_json());
        }
        Value::Object(shown)
    }
}

/// `CreateRelatedItem`: stores one more item of the case. The API has no client token.
pub(crate) fn create_related_item(
    domain: &Domain,
    state: &mut State,
    case_id: &str,
    body: &Value,
) -> Result<Value, Refusal> {
    let body = Member::body(body);
    let content = Content::read(&body.required("type")?, &body.required("content")?)?;
    let performed_by = body.optional("performedBy")?;
    let performed_by = performed_by.map(|user| performer(&user)).transpose()?;

    let case_arn = state.case(case_id)?.arn.clone();
    content.check(domain, state)?;
    state.related_items.check(case_id, &content)?;

    let items = &mut state.related_items.items;
    let sequence = u64::try_from(items.len()).unwrap_or(u64::MAX);
    let id = uuid(&format!("{}/related-item", domain.id), sequence);
    let now = now();
    items.push(RelatedItem {
        id: id.clone(),
        case_id: case_id.to_owned(),
        content,
        performed_by,
        created: now,
        created_time: state.clock.timestamp(now),
        event_id: uuid(&format!("{}/related-item-event", domain.id), sequence),
    });
    Ok(json!({
        "relatedItemId": id,
        "relatedItemArn": format!("{case_arn}/related-item/{id}"),
    }))
}

/// `SearchRelatedItems`: the case's items that any of the filters lets through, all of them without
/// filters, the newest first.
pub(crate) fn search_related_items(
    domain: &Domain,
    state: &State,
    case_id: &str,
    value: &Value,
) -> Result<Value, Refusal> {
    let search = fingerprint(value, &["nextToken", "maxResults"]);
    let scope = format!("{}/{case_id}/{search}", domain.id);
    let scope = Scope::new(Operation::SearchRelatedItems, &scope);
    let body = Member::body(value);
    let page = Page::of_body(scope, &body, 25, 25)?;
    let filters = match body.optional("filters")? {
        Some(filters) => filters.items(0..=10)?,
        None => Vec::new(),
    };
    let filters: Result<Vec<_>, _> = filters
        .iter()
        .map(|filter| ItemFilter::read(domain, filter))
        .collect();
    let filters = filters?;

    state.case(case_id)?;
    let now = now();
    let items = state.related_items.of(case_id);
    let items: Vec<&RelatedItem> = items.filter(|item| item.is_found(state, now)).collect();
    let found = items.into_iter().rev().filter(|item| {
        filters.is_empty()
            || filters
                .iter()
                .any(|filter| filter.matches(item, state, now))
    });
    let found = found.map(|item| item.show(state, now));
    Ok(page.output("relatedItems", found.collect()))
}

/// `ListCasesForContact`: the cases with a Contact item of the contact, each once, the one linked
/// first in front.
pub(crate) fn list_cases_for_contact(
    domain: &Domain,
    state: &State,
    body: &Value,
) -> Result<Value, Refusal> {
    let body = Member::body(body);
    let arn = contact_arn(&body.required("contactArn")?)?;
    let scope = Scope::new(
        Operation::ListCasesForContact,
        &format!("{}/{arn}", domain.id),
    );
    let page = Page::of_body(scope, &body, 10, 10)?;
    let mut cases: Vec<&str> = Vec::new();
    let now = now();
    let items = state.related_items.items.iter();
    for item in items.filter(|item| item.is_found(state, now)) {
        if item.content.contact_arn() == Some(arn) && !cases.contains(&item.case_id.as_str()) {
            cases.push(&item.case_id);
        }
    }
    let cases: Result<Vec<Value>, Refusal> = cases
        .into_iter()
        .map(|id| Ok(json!({ "caseId": id, "templateId": state.case(id)?.template_id })))
        .collect();
    Ok(page.output("cases", cases?))
}

/// A contact's ARN.
fn contact_arn<'a>(member: &Member<'a>) -> Result<&'a str, Refusal> {
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
