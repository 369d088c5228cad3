//! From an event and its case mapping to the request: what `CreateCase` is sent.
//!
//! Pure: the same event, mapping and configuration always give the same request, byte for byte. Everything that Cases would refuse and that
//! can be known here is refused here, with the field, the rule and the length found.

mod additions;
mod customer;
mod fields;

use std::borrow::Cow;

pub use self::customer::{CustomerSearch, IfNoProfile, ProfileToCreate, SearchKey};
use crate::arn;
use crate::error::{ErrorCode, Failure};
use crate::field::FieldValue;
use crate::key;
use crate::limits;
use crate::mapping::expression::{Operand, Reference, Scope, Step, Template};

use crate::mapping::{CaseMapping, LedgerUse, PerformedBy};
use crate::outcome::CaseReference;
use crate::trigger::Event;

/// What a request is made in.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The Cases domain.
    pub domain_id: String,
    /// Its ARN, where the snapshot tells it.
    pub domain_arn: Option<String>,
    /// What every custom entity begins with.
    pub entity_prefix: String,
    /// Where profiles are, for ARNs assembled from a profile's id.
    pub profiles: Option<ProfilesDomain>,
}

impl Surroundings {
    /// A case of this domain by its id: a search answers without ARNs, and a case's is the domain's with the id behind it.
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

/// The Customer Profiles domain, with what its ARNs begin with.
#[derive(Clone, Debug)]
pub struct ProfilesDomain {
    /// The Region of the domain.
    pub region: String,
    /// The account of the domain.
    pub account: String,
    /// The domain's name.
    pub name: String,
}

/// `CreateCaseRequest`. No `Debug`: it holds what customers said.
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
    /// `tags`, the key's among them.
    pub tags: Vec<(String, String)>,
    /// The customer who has to be found first; `customer_id` then joins the fields.
    pub customer: Option<CustomerSearch>,
    /// The ARN of the contact to link to the case, or why there is none although one was asked for.
    pub contact: Option<Result<String, Failure>>,
    /// The comments to add to the case, or why one cannot be.
    pub comments: Vec<Result<String, Failure>>,
    /// Whether the answer holds the reference number.
    pub return_reference: bool,
    /// How the ledger is used.
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
    /// The value of `customer_id`, if it is sent.
    #[must_use]
    pub fn customer_arn(&self) -> Option<&str> {
        self.fields.iter().find_map(|(id, value)| match value {
            FieldValue::String(arn) if id == "customer_id" => Some(arn.as_str()),
            _ => None,
        })
    }

    /// The request with the client token of this use of its key.
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

    /// The request with the customer who was found.
    pub fn set_customer(&mut self, arn: String) {
        self.fields
            .push(("customer_id".to_owned(), FieldValue::String(arn)));
    }
}

impl CaseMapping {
    /// Assembles the request for an event that this case mapping takes.
    ///
    /// # Errors
    /// A permanent failure: a value is missing or unfit, a required field is not sent, a part of the key is missing.
    pub fn assemble(
        &self,
        event: &Event,
        surroundings: &Surroundings,
    ) -> Result<CaseRequest, Failure> {
        let scope = self.scope(event, surroundings);
        let mut fields = Vec::with_capacity(self.fields.len() + 1);
        let mut comments = Vec::new();
        for field in &self.fields {
            if let Some(value) = field.evaluate(&scope, surroundings, &mut comments)? {
                fields.push((field.field.id.clone(), value));
            }
        }
        let customer = match &self.find_customer {
            Some(find) => find.evaluate(&scope)?,
            None => None,
        };
        self.check_required(&fields, customer.is_some())?;
        comments.extend(self.comments(&scope));
        let client_token = self.client_token(event, &scope)?;
        let mut tags = self.evaluate_tags(&scope)?;
        tags.push((limits::KEY_TAG.to_owned(), client_token.clone()));
        Ok(CaseRequest {
            domain_id: surroundings.domain_id.clone(),
            template_id: self.template_id.clone(),
            fields,
            client_token,
            performed_by: self.performed_by.evaluate(&scope, surroundings)?,
            tags,
            customer,
            contact: self.link_contact.evaluate(event, &scope),
            comments,
            return_reference: self.return_reference,
            ledger: self.ledger,
        })
    }

    /// Checks that every field which the template requires is there, but for the customer while that is still to be found.
    ///
    /// # Errors
    /// `FieldRequired`: one is not.
    pub fn check_required(
        &self,
        fields: &[(String, FieldValue)],
        finds_customer: bool,
    ) -> Result<(), Failure> {
        for required in &self.required_fields {
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

    /// The client token of an event that this case mapping takes: its key's hash.
    ///
    /// # Errors
    /// `KeyMissing`: a part of the key is missing.
    pub fn key(&self, event: &Event, surroundings: &Surroundings) -> Result<String, Failure> {
        self.client_token(event, &self.scope(event, surroundings))
    }

    /// Whether the key can be computed without what `enrich` reads of the contact.
    #[must_use]
    pub fn key_needs_no_contact(&self) -> bool {
        let mut expressions = self.key.iter().flat_map(Template::expressions);
        !expressions.any(|expression| match &expression.operand {
            Operand::Reference(Reference::Event(steps)) => matches!(
                steps.first(),
                Some(Step::Member(name)) if name == "contact" || name == "Attributes"
            ),
            _ => false,
        })
    }

    fn scope<'a>(&'a self, event: &'a Event, surroundings: &'a Surroundings) -> Scope<'a> {
        Scope {
            event: &event.root,
            mapping: &self.name,
            trigger: event.trigger.name(),
            domain: &surroundings.domain_id,
        }
    }

    fn client_token(&self, event: &Event, scope: &Scope<'_>) -> Result<String, Failure> {
        let parts = if self.key.is_empty() {
            key::natural(event)?
        } else {
            self.key
                .iter()
                .map(|part| key_part(part, scope))
                .collect::<Result<_, _>>()?
        };
        Ok(key::client_token(
            scope.domain,
            &self.name,
            parts.iter().map(AsRef::as_ref),
        ))
    }

    fn evaluate_tags(&self, scope: &Scope<'_>) -> Result<Vec<(String, String)>, Failure> {
        let mut tags = Vec::with_capacity(self.tags.len() + 1);
        for (name, template) in &self.tags {
            let invalid = |message: String| {
                Failure::new(ErrorCode::TagInvalid, message).of(format!("tags.{name}"))
            };
            let value = template.evaluate_text(scope).map_err(|wrong| {
                invalid(format!("the tag `{name}` cannot be computed: {wrong}"))
            })?;
            if let Some(value) = value {
                limits::tag_value(&value)
                    .map_err(|rule| invalid(format!("the tag `{name}` {rule}")))?;
                tags.push((name.clone(), value.into_owned()));
            }
        }
        Ok(tags)
    }
}

fn key_part<'a>(part: &'a Template, scope: &Scope<'a>) -> Result<Cow<'a, str>, Failure> {
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
    /// The ARN of a profile in this domain.
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

impl PerformedBy {
    fn evaluate(&self, scope: &Scope<'_>, surroundings: &Surroundings) -> Result<User, Failure> {
        match self {
            // An audit label never costs a case: without a value it is the case mapping's name, and what it may not hold becomes `_`.
            Self::CustomEntity(template) => {
                let label = template.evaluate_text(scope).ok().flatten();
                let label = label.unwrap_or_else(|| {
                    format!("{}{}", surroundings.entity_prefix, scope.mapping).into()
                });
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
            Self::UserArn(template) => {
                let invalid = |found: String| {
                    let message = format!(
                        "`performed_by` takes a user ARN (arn:aws:connect:REGION:ACCOUNT:instance/ID/agent/ID), {found}"
                    );
                    Failure::new(ErrorCode::FieldInvalid, message).of("performed_by")
                };
                match template.evaluate_text(scope) {
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
}
