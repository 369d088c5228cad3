//! Requests: turns an event and its case mapping into the input of `CreateCase`.
//!
//! This code is pure: the same event, mapping and configuration always give the same request, byte for byte.
//! A value that Cases would refuse is refused here, if that can be known. The failure names the field, the rule and the length found.

mod additions;
mod customer;
mod fields;

use std::borrow::Cow;
use std::mem;

use self::customer::CustomerRequest;
pub use self::customer::{CustomerSearch, IfNoProfile, ProfileToCreate, SearchKey};
use self::fields::FieldRequest;
use crate::error::{ErrorCode, Failure};
use crate::key;
use mapping::arn;
use mapping::expression::{Scope, ValueExpr, Variables};
use mapping::field::FieldValue;
use mapping::limits;

use crate::event::Event;
use crate::outcome::CaseReference;
use mapping::{CaseMapping, IfInvalid, LedgerUse, PerformedBy};

/// The configuration that a request depends on.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The id of the Cases domain.
    pub domain_id: String,
    /// The ARN of the Cases domain, if the snapshot has it.
    pub domain_arn: Option<String>,
    /// The prefix of every custom entity.
    pub entity_prefix: String,
    /// The profiles domain, for ARNs assembled from a profile's id.
    pub profiles: Option<ProfilesDomain>,
}

impl RequestContext {
    /// Returns the case of this domain with the given id.
    ///
    /// A search answers without ARNs. A case's ARN is the domain's ARN followed by the id.
    #[must_use]
    pub fn case(&self, case_id: String) -> CaseReference {
        let case_arn = self
            .domain_arn
            .as_ref()
            .map(|arn| format!("{arn}/case/{case_id}"));
        CaseReference {
            case_id,
            case_arn: case_arn.unwrap_or_default(),
        }
    }
}

/// The Customer Profiles domain, with the parts that its ARNs begin with.
#[derive(Clone, Debug)]
pub struct ProfilesDomain {
    /// The Region of the domain.
    pub region: String,
    /// The account of the domain.
    pub account: String,
    /// The domain's name.
    pub name: String,
}

/// `CreateCaseRequest`. It has no `Debug`, because it contains customers' words.
#[derive(Clone, PartialEq)]
pub struct CaseRequest {
    /// `domainId`
    pub domain_id: String,
    /// `templateId`
    pub template_id: String,
    /// `fields`, by field id.
    pub fields: Vec<(String, FieldValue)>,
    /// `clientToken`: the key's hash.
    pub client_token: String,
    /// `performedBy`
    pub performed_by: User,
    /// `tags`, including the key's tag.
    pub tags: Vec<(String, String)>,
    /// The customer who has to be found first. `customer_id` is then added to the fields.
    pub customer: Option<CustomerSearch>,
    /// The ARN of the contact to link, or the reason why there is none. Absent if no link was requested.
    pub contact: Option<Result<String, Failure>>,
    /// The comments to add to the case, each as text or as the reason why it cannot be added.
    pub comments: Vec<Result<String, Failure>>,
    /// The fields and tags that are not sent because their values are invalid.
    pub left_out: Vec<String>,
    /// The variables that were read and cannot be computed.
    pub invalid_variables: Vec<String>,
    /// True if the answer contains the reference number.
    pub return_reference: bool,
    /// The use of the ledger.
    pub ledger: LedgerUse,
}

/// `UserUnion`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// `customEntity`
    CustomEntity(String),
    /// `userArn`
    UserArn(String),
}

impl CaseRequest {
    /// Returns the value of `customer_id`, if it is sent.
    #[must_use]
    pub fn customer_arn(&self) -> Option<&str> {
        self.fields.iter().find_map(|(id, value)| match value {
            FieldValue::String(arn) if id == "customer_id" => Some(arn.as_str()),
            _ => None,
        })
    }

    /// Sets the client token of this use of the key, also in the key's tag.
    pub fn set_token(&mut self, token: String) {
        for (_, value) in self
            .tags
            .iter_mut()
            .filter(|(key, _)| key == limits::KEY_TAG)
        {
            value.clone_from(&token);
        }
        self.client_token = token;
    }

    /// Adds the customer who was found to the fields.
    pub fn set_customer(&mut self, arn: String) {
        self.fields
            .push(("customer_id".to_owned(), FieldValue::String(arn)));
    }
}

/// The additions of fields and tags to a request, besides their values.
#[derive(Default)]
struct Extras {
    /// The comments to add to the case.
    comments: Vec<Result<String, Failure>>,
    /// The fields and tags that are not sent because their values are invalid.
    left_out: Vec<String>,
    /// The rules that these values break, for one comment about all of them.
    broken: Vec<String>,
}

impl Extras {
    /// Leaves out a field or a tag. With `if_invalid: comment` a comment names the rule, never the value.
    fn leave_out(&mut self, name: &str, failure: &Failure, if_invalid: IfInvalid) {
        self.left_out.push(name.to_owned());
        if if_invalid == IfInvalid::Comment {
            self.broken.push(failure.message.clone());
        }
    }

    /// Returns the comments, with one about everything that is left out.
    fn into_comments(mut self) -> Vec<Result<String, Failure>> {
        if !self.broken.is_empty() {
            let text = format!("Left out:\n{}", self.broken.join("\n"));
            let parts = additions::parts(&text, limits::COMMENT).into_iter();
            self.comments.extend(parts.map(|part| Ok(part.to_owned())));
        }
        self.comments
    }
}

impl CaseRequest {
    /// Assembles the request for an event that a case mapping accepts.
    ///
    /// # Errors
    /// A permanent failure: a value is missing or invalid, a required field is not sent, or the key is incomplete.
    pub fn assemble(
        case: &CaseMapping,
        event: &Event,
        context: &RequestContext,
    ) -> Result<Self, Failure> {
        let variables = Variables::new(&case.variables);
        let scope = &event.scope(case, &context.domain_id, &variables);
        let mut fields = Vec::with_capacity(case.fields.len() + 1);
        let mut extras = Extras::default();
        for mapping in &case.fields {
            let field = FieldRequest {
                mapping,
                scope,
                context,
                zone: case.zone.as_ref(),
            };
            if let Some(value) = field.evaluate(&mut extras)? {
                fields.push((mapping.field.id.clone(), value));
            }
        }
        let customer = match &case.find_customer {
            Some(find) => CustomerRequest { find, scope }.evaluate()?,
            None => None,
        };
        check_required(case, &fields, customer.is_some())?;
        let own = additions::comments(case.comment.as_ref(), scope);
        extras.comments.extend(own);
        let client_token = key_token(case, event, scope)?;
        let mut tags = tags(case, scope, &mut extras)?;
        tags.push((limits::KEY_TAG.to_owned(), client_token.clone()));
        Ok(Self {
            domain_id: context.domain_id.clone(),
            template_id: case.template_id.clone(),
            fields,
            client_token,
            performed_by: performed_by(&case.performed_by, scope, context)?,
            tags,
            customer,
            contact: additions::contact(&case.link_contact, event, scope),
            left_out: mem::take(&mut extras.left_out),
            comments: extras.into_comments(),
            invalid_variables: variables.invalid().map(str::to_owned).collect(),
            return_reference: case.return_reference,
            ledger: case.ledger,
        })
    }
}

/// Returns the client token of an event that a case mapping accepts. It is the key's hash.
///
/// # Errors
/// `KeyMissing`: a part of the key is missing.
pub fn client_token(
    case: &CaseMapping,
    event: &Event,
    context: &RequestContext,
) -> Result<String, Failure> {
    let variables = Variables::new(&case.variables);
    let scope = event.scope(case, &context.domain_id, &variables);
    key_token(case, event, &scope)
}

/// Checks that every field that the template requires is present.
///
/// The customer may be absent while the search for the customer is still to come.
///
/// # Errors
/// `FieldRequired`: a required field is missing.
pub fn check_required(
    case: &CaseMapping,
    fields: &[(String, FieldValue)],
    finds_customer: bool,
) -> Result<(), Failure> {
    for required in &case.required_fields {
        let found_later = finds_customer && required.id == "customer_id";
        if !found_later
            && !fields
                .iter()
                .any(|(id, value)| *id == required.id && *value != FieldValue::Empty)
        {
            let message = format!(
                "the template requires the field `{}`, and this event gives it no value",
                required.name
            );
            return Err(Failure::new(ErrorCode::FieldRequired, message).of(&required.name));
        }
    }
    Ok(())
}

fn key_token(case: &CaseMapping, event: &Event, scope: &Scope<'_>) -> Result<String, Failure> {
    let parts = if case.key.is_empty() {
        key::natural(event)?
    } else {
        case.key
            .iter()
            .map(|part| key_part(part, scope))
            .collect::<Result<_, _>>()?
    };
    Ok(key::client_token(
        scope.domain,
        &case.name,
        parts.iter().map(AsRef::as_ref),
    ))
}

fn tags(
    case: &CaseMapping,
    scope: &Scope<'_>,
    extras: &mut Extras,
) -> Result<Vec<(String, String)>, Failure> {
    let mut tags = Vec::with_capacity(case.tags.len() + 1);
    for (name, expr) in &case.tags {
        match tag(name, expr, scope) {
            Ok(value) => tags.extend(value.map(|value| (name.clone(), value))),
            Err(failure) if case.if_tag_invalid == IfInvalid::Fail => return Err(failure),
            Err(failure) => {
                extras.leave_out(&format!("tags.{name}"), &failure, case.if_tag_invalid);
            }
        }
    }
    Ok(tags)
}

fn tag(name: &str, expr: &ValueExpr, scope: &Scope<'_>) -> Result<Option<String>, Failure> {
    let invalid =
        |message: String| Failure::new(ErrorCode::TagInvalid, message).of(format!("tags.{name}"));
    let value = expr
        .evaluate_text(scope)
        .map_err(|wrong| invalid(format!("the tag `{name}` cannot be computed: {wrong}")))?;
    if let Some(value) = &value {
        limits::tag_value(value).map_err(|rule| invalid(format!("the tag `{name}` {rule}")))?;
    }
    Ok(value.map(Cow::into_owned))
}

fn key_part<'a>(part: &'a ValueExpr, scope: &Scope<'a>) -> Result<Cow<'a, str>, Failure> {
    let missing = |message: String| Failure::new(ErrorCode::KeyMissing, message).of("key");
    match part.evaluate_text(scope) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => {
            let which = part
                .missing(scope)
                .map_or("a part of it", |expression| &expression.text);
            Err(missing(format!(
                "the key cannot be computed: `{which}` is missing from the event"
            )))
        }
        Err(wrong) => Err(missing(format!("the key cannot be computed: {wrong}"))),
    }
}

impl ProfilesDomain {
    /// Returns the ARN of a profile in this domain.
    pub(crate) fn arn(&self, profile_id: &str) -> String {
        let Self {
            region,
            account,
            name,
        } = self;
        format!(
            "arn:{}:profile:{region}:{account}:domains/{name}/profiles/{profile_id}",
            arn::partition(region)
        )
    }
}

fn performed_by(
    performer: &PerformedBy,
    scope: &Scope<'_>,
    context: &RequestContext,
) -> Result<User, Failure> {
    match performer {
        // An audit label must not prevent a case. Without a value it is the case mapping's name, and an invalid character becomes `_`.
        PerformedBy::CustomEntity(expr) => {
            let label = expr.evaluate_text(scope).ok().flatten();
            let label = label
                .unwrap_or_else(|| format!("{}{}", context.entity_prefix, scope.mapping).into());
            let mut entity: String = label
                .chars()
                .map(|c| {
                    if limits::is_entity_character(c) {
                        c
                    } else {
                        '_'
                    }
                })
                .take(limits::USER)
                .collect();
            if entity.ends_with(' ') {
                entity.pop();
                entity.push('_');
            }
            Ok(User::CustomEntity(entity))
        }
        PerformedBy::UserArn(expr) => {
            let invalid = |found: String| {
                let message = format!(
                    "`performed_by` takes a user ARN (arn:aws:connect:REGION:ACCOUNT:instance/ID/agent/ID), {found}"
                );
                Failure::new(ErrorCode::FieldInvalid, message).of("performed_by")
            };
            match expr.evaluate_text(scope) {
                Ok(Some(text))
                    if arn::is_connect(&text, &["agent", "user"])
                        && text.chars().count() <= limits::USER =>
                {
                    Ok(User::UserArn(text.into_owned()))
                }
                Ok(Some(_)) => Err(invalid("found other text".to_owned())),
                Ok(None) => Err(invalid("and it is missing from the event".to_owned())),
                Err(wrong) => Err(invalid(wrong.to_string())),
            }
        }
    }
}
