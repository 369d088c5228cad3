//! Amazon Connect Cases: the store of cases and their related items, and the operations on it.

mod case;
mod domain;
mod field_value;
mod patterns;
mod related_items;

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use self::case::{Case, NewCase, UserUnion};
pub(crate) use self::domain::Domain;
use self::field_value::FieldValue;
use self::patterns::{is_tag_key, is_tag_value};
pub use self::related_items::DuplicateContact;
use self::related_items::{NewItem, RelatedItems};
use crate::clock::{Clock, has_passed, now};
use crate::connect::Contacts;
use crate::identifiers::{fingerprint, uuid};
use crate::member::Member;
use crate::operation::Operation;
use crate::paging::{Page, Scope};
use crate::profiles::Profiles;
use crate::service::Refusal;

/// The default lifetime of a client token. AWS does not publish one.
const TOKEN_LIFETIME: Duration = Duration::from_hours(24);

/// The answer of `CreateCase` to a client token that was used with another request. The model has
/// `ConflictException` for it; AWS does not say that it is always used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MismatchedToken {
    /// `ConflictException`, 409.
    #[default]
    Conflict,
    /// `ValidationException`, 400.
    Validation,
}

/// The cases of a domain.
#[derive(Debug)]
pub(crate) struct Cases {
    domain: Arc<Domain>,
    /// The age from which on a case is found.
    pub(crate) search_lag: Duration,
    pub(crate) token_lifetime: Duration,
    pub(crate) mismatched_tokens: MismatchedToken,
    pub(crate) related_items: RelatedItems,
    /// The oldest first.
    stored: Vec<Case>,
    /// Positions in `stored`, by case id.
    positions: HashMap<String, usize>,
    tokens: HashMap<String, TokenUse>,
}

/// The first use of a client token.
#[derive(Debug)]
struct TokenUse {
    at: Instant,
    fingerprint: String,
    position: usize,
}

impl Cases {
    /// Returns an empty store.
    pub(crate) fn new(domain: Arc<Domain>) -> Self {
        Self {
            domain,
            search_lag: Duration::ZERO,
            token_lifetime: TOKEN_LIFETIME,
            mismatched_tokens: MismatchedToken::default(),
            related_items: RelatedItems::default(),
            stored: Vec::new(),
            positions: HashMap::new(),
            tokens: HashMap::new(),
        }
    }

    /// Returns all cases with every field that is set, and with `caseId`, `caseArn` and `performedBy`.
    pub(crate) fn show(&self) -> Vec<Value> {
        let show = |case: &Case| {
            let mut shown = case.show(self.domain.fields.iter().map(|field| field.id.as_str()));
            let performed_by = self.performed_by(case.performed_by.as_ref());
            shown.insert("caseId".to_owned(), json!(case.id));
            shown.insert("caseArn".to_owned(), json!(case.arn));
            shown.insert("performedBy".to_owned(), performed_by);
            Value::Object(shown)
        };
        self.stored.iter().map(show).collect()
    }

    fn case(&self, id: &str) -> Result<&Case, Refusal> {
        let position = self.positions.get(id);
        let case = position.and_then(|position| self.stored.get(*position));
        case.ok_or_else(|| Refusal::NotFound {
            resource_type: "Case",
            resource_id: id.to_owned(),
        })
    }

    /// `CreateCase`: stores the case, or finds the one that the client token already created.
    pub(crate) fn create_case(
        &mut self,
        body: &Value,
        profiles: &Profiles,
        clock: &Clock,
    ) -> Result<Value, Refusal> {
        let new = NewCase::read(&self.domain, body)?;
        if let Some(FieldValue::Text(arn)) = new.values.get("customer_id")
            && self.domain.field("customer_id")?.is_system()
        {
            let (partition, region, account) = self.domain.location();
            profiles.check_customer(&format!("{partition}:profile:{region}:{account}"), arn)?;
        }
        let now = now();
        let position = match self.replayed(&new, now)? {
            Some(position) => position,
            None => self.store(new, now, clock),
        };
        let case = self.stored.get(position).ok_or_else(|| {
            Refusal::Conflict("the client token stands for a case that is gone".to_owned())
        })?;
        Ok(json!({ "caseId": case.id, "caseArn": case.arn }))
    }

    fn replayed(&self, new: &NewCase, now: Instant) -> Result<Option<usize>, Refusal> {
        let known = new
            .client_token
            .as_ref()
            .and_then(|token| self.tokens.get(token))
            .filter(|known| !has_passed(known.at, now, self.token_lifetime));
        match known {
            None => Ok(None),
            Some(known) if known.fingerprint == new.fingerprint => Ok(Some(known.position)),
            Some(_) => {
                let message = "the client token was used before with other parameters".to_owned();
                Err(match self.mismatched_tokens {
                    MismatchedToken::Conflict => Refusal::Conflict(message),
                    MismatchedToken::Validation => Refusal::Validation(message),
                })
            }
        }
    }

    fn store(&mut self, new: NewCase, now: Instant, clock: &Clock) -> usize {
        let position = self.stored.len();
        let sequence = u64::try_from(position).unwrap_or(u64::MAX);
        let id = uuid(&format!("{}/case", self.domain.id), sequence);
        let mut case = Case {
            arn: format!("{}/case/{id}", self.domain.arn),
            template_id: new.template_id,
            values: new.values,
            tags: new.tags,
            performed_by: new.performed_by,
            created: now,
            created_time: clock.timestamp(now),
            event_id: uuid(&format!("{}/event", self.domain.id), sequence),
            id,
        };
        case.set_system_fields(&self.domain, sequence);
        if let Some(token) = new.client_token {
            let used = TokenUse {
                at: now,
                fingerprint: new.fingerprint,
                position,
            };
            self.tokens.insert(token, used);
        }
        self.positions.insert(case.id.clone(), position);
        self.stored.push(case);
        position
    }

    /// `GetCase`: the fields that the request names. All of them fit one page.
    pub(crate) fn get_case(&self, id: &str, body: &Value) -> Result<Value, Refusal> {
        let body = Member::body(body);
        let ids = self.field_ids(&body.required("fields")?, 1..=220)?;
        if let Some(token) = body.optional("nextToken")? {
            token.text(0..=9000)?;
            return Err(Refusal::Validation(
                "nextToken is not one that GetCase gave for this case".to_owned(),
            ));
        }
        Ok(Value::Object(self.case(id)?.show(ids)))
    }

    /// Reads a list of `FieldIdentifier`s: the ids of fields of the domain, each once.
    fn field_ids<'a>(
        &self,
        list: &Member<'a>,
        length: RangeInclusive<usize>,
    ) -> Result<Vec<&'a str>, Refusal> {
        let mut ids = Vec::new();
        for item in list.items(length)? {
            let id = item.required("id")?.text(1..=500)?;
            self.domain.field(id)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    /// `GetCaseAuditEvents`: `Case.Created`, then a `RelatedItem.Created` for each item.
    pub(crate) fn get_case_audit_events(&self, id: &str, body: &Value) -> Result<Value, Refusal> {
        let scope = format!("{}/{id}", self.domain.id);
        let scope = Scope::new(Operation::GetCaseAuditEvents, &scope);
        let page = Page::of_body(scope, &Member::body(body), 25, 25)?;
        let case = self.case(id)?;
        let field = |(id, value): (&String, &FieldValue)| json!({ "eventFieldId": id, "newValue": value.to_json() });
        let created = json!({
            "eventId": case.event_id,
            "type": "Case.Created",
            "performedTime": case.created_time,
            "fields": case.values.iter().map(field).collect::<Vec<_>>(),
            "performedBy": self.performed_by(case.performed_by.as_ref()),
        });
        let attached = self.related_items.of(id).map(|item| {
            json!({
                "eventId": item.event_id,
                "type": "RelatedItem.Created",
                "relatedItemType": item.kind(),
                "performedTime": item.created_time,
                "fields": [],
                "performedBy": self.performed_by(item.performed_by.as_ref()),
            })
        });
        let events = [created].into_iter().chain(attached).collect();
        Ok(page.output("auditEvents", events))
    }

    /// Returns `AuditEventPerformedBy` of the service model. The caller is a fixed IAM role, as the
    /// emulator checks no signature.
    fn performed_by(&self, user: Option<&UserUnion>) -> Value {
        let (partition, _, account) = self.domain.location();
        let principal = format!("arn:{partition}:iam::{account}:role/cases-emulator");
        match user {
            Some(user) => json!({ "user": user.to_json(), "iamPrincipalArn": principal }),
            None => json!({ "iamPrincipalArn": principal }),
        }
    }

    /// `SearchCases`: the cases that are old enough for the index and have the tag of the filter, in
    /// pages, the oldest first.
    pub(crate) fn search_cases(&self, value: &Value) -> Result<Value, Refusal> {
        let body = Member::body(value);
        body.has_only(&["fields", "filter", "maxResults", "nextToken"])?;
        let search = fingerprint(value, &["nextToken", "maxResults"]);
        let scope = format!("{}/{search}", self.domain.id);
        let scope = Scope::new(Operation::SearchCases, &scope);
        let page = Page::of_body(scope, &body, 100, 25)?;
        let filter = body.optional("filter")?;
        let tag = filter.map(|filter| tag(&filter)).transpose()?;
        let fields = match body.optional("fields")? {
            Some(fields) => self.field_ids(&fields, 0..=25)?,
            None => Vec::new(),
        };
        let now = now();
        let has_tag = |case: &&Case| {
            tag.is_none_or(|(key, value)| case.tags.get(key).is_some_and(|found| found == value))
        };
        let found: Vec<Value> = self
            .stored
            .iter()
            .filter(|case| has_passed(case.created, now, self.search_lag))
            .filter(has_tag)
            .map(|case| {
                let mut item = case.show(fields.iter().copied());
                item.insert("caseId".to_owned(), json!(case.id));
                Value::Object(item)
            })
            .collect();
        let total = found.len();
        let mut output = page.output("cases", found);
        if let Some(output) = output.as_object_mut() {
            output.insert("totalCount".to_owned(), json!(total));
        }
        Ok(output)
    }

    /// `CreateRelatedItem`: stores one more item with each call.
    pub(crate) fn create_related_item(
        &mut self,
        case_id: &str,
        body: &Value,
        clock: &Clock,
    ) -> Result<Value, Refusal> {
        let new = NewItem::read(&Member::body(body))?;
        let case_arn = self.case(case_id)?.arn.clone();
        let ids = (self.domain.id.as_str(), case_id, case_arn.as_str());
        self.related_items.create(ids, new, clock)
    }

    /// `SearchRelatedItems`.
    pub(crate) fn search_related_items(
        &self,
        case_id: &str,
        body: &Value,
        contacts: &Contacts,
    ) -> Result<Value, Refusal> {
        self.case(case_id)?;
        let scope = format!("{}/{case_id}", self.domain.id);
        self.related_items.search(&scope, case_id, body, contacts)
    }

    /// `ListCasesForContact`.
    pub(crate) fn list_cases_for_contact(&self, body: &Value) -> Result<Value, Refusal> {
        let body = Member::body(body);
        let arn = related_items::contact_arn(&body)?;
        let scope = format!("{}/{arn}", self.domain.id);
        let scope = Scope::new(Operation::ListCasesForContact, &scope);
        let page = Page::of_body(scope, &body, 10, 10)?;
        let cases = self.related_items.cases_of(arn).into_iter();
        let cases: Result<Vec<Value>, Refusal> = cases
            .map(|id| Ok(json!({ "caseId": id, "templateId": self.case(id)?.template_id })))
            .collect();
        Ok(page.output("cases", cases?))
    }
}

/// Reads a `CaseFilter`, limited to the equality of a tag: its key and value.
fn tag<'a>(filter: &Member<'a>) -> Result<(&'a str, &'a str), Refusal> {
    filter.has_only(&["tag"])?;
    let (_, tag) = filter.union(&["tag"])?;
    let (_, operand) = tag.union(&["equalTo"])?;
    let key = operand.required("key")?.text(1..=128)?;
    let value = operand.required("value")?.text(0..=256)?;
    if is_tag_key(key) && is_tag_value(value) {
        return Ok((key, value));
    }
    Err(Refusal::Validation(format!(
        "{} has a character that no tag can have",
        operand.path()
    )))
}
