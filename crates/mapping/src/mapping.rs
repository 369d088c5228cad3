//! The compiled mapping: what `mapping.yaml` says, with no name left to look up.
//!
//! Templates, fields, options and tables are resolved against the domain snapshot; expressions and event patterns are parsed.

use std::sync::Arc;
use std::time::Duration;

use crate::customer::FindCustomer;
use crate::expression::{Operand, Reference, Step, ValueExpr};
use crate::field::Field;
use crate::filter::Table;
use crate::pattern::Pattern;
use crate::trigger::Trigger;

/// A mapping that is known to be sound.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The case mappings, in the order written.
    pub cases: Vec<CaseMapping>,
}

/// One entry of `cases`: from an event to a case.
#[derive(Clone, Debug)]
pub struct CaseMapping {
    /// Its identity: part of every key.
    pub name: String,
    /// The trigger that it is for.
    pub trigger: Trigger,
    /// Which events of the trigger it takes; all when absent.
    pub when: Option<Pattern>,
    /// `templateId`.
    pub template_id: String,
    /// Fields that the template requires, and `title`.
    pub required_fields: Vec<Arc<Field>>,
    /// The parts of the key; none means the event's natural key.
    pub key: Vec<ValueExpr>,
    /// `performedBy`.
    pub performed_by: PerformedBy,
    /// Tags by key.
    pub tags: Vec<(String, ValueExpr)>,
    /// `fields`, and the customer's when its ARN is known without a search.
    pub fields: Vec<FieldMapping>,
    /// The search for the customer's profile.
    pub find_customer: Option<FindCustomer>,
    /// Whether, before anything else, what a contact event leaves out is read from the contact.
    pub enrich: bool,
    /// The contact to link to the case.
    pub link_contact: LinkContact,
    /// A comment to add to the case.
    pub comment: Option<ValueExpr>,
    /// True if the answer holds the reference number.
    pub return_reference: bool,
    /// The use of the ledger.
    pub ledger: LedgerUse,
    /// True if it takes events of Cases: of cases that others made or changed.
    pub on_case_events: bool,
}

/// A case mapping's use of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerUse {
    /// The time for which a key means one case; no limit when absent.
    pub window: Option<Duration>,
    /// The action when the key's case exists.
    pub on_existing: OnExisting,
    /// The action when the ledger is down.
    pub unavailable: LedgerUnavailable,
    /// Whether, without the ledger, a run looks before it adds anything to the case. Nothing tells the first delivery of an event from a later
    /// one. A caller waits for a flow, so there the call that only a repetition needs is left out.
    pub repeats_unseen: bool,
}

/// The action when the key's case exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExisting {
    /// It is the answer.
    #[default]
    Return,
    /// The contact is linked to it, and the comment added, once for each occurrence.
    Attach,
}

/// The action when the ledger is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerUnavailable {
    /// No case is created; the event comes again.
    Fail,
    /// The case is created with its client token alone.
    Proceed,
}

/// The contact that is linked to the case.
#[derive(Clone, Debug)]
pub enum LinkContact {
    /// None.
    Never,
    /// The one that the event is about.
    Current,
    /// The one whose id or ARN this gives, such as `$.InitialContactId`.
    Named(ValueExpr),
}

/// `UserUnion`: who the audit history names.
#[derive(Clone, Debug)]
pub enum PerformedBy {
    /// `customEntity`; its first characters are the entity prefix, whatever the event holds.
    CustomEntity(ValueExpr),
    /// `userArn`
    UserArn(ValueExpr),
}

/// One field, computed in this order: `when`, the source, `lookup`, `default`, the field's type, `overflow`.
#[derive(Clone, Debug)]
pub struct FieldMapping {
    /// The field.
    pub field: Arc<Field>,
    /// For which events it is sent; all when absent.
    pub when: Option<Pattern>,
    /// The source of its value.
    pub source: FieldSource,
    /// The table its value is looked up in.
    pub lookup: Option<Arc<Table>>,
    /// The value in place of a missing one.
    pub default: Option<ValueExpr>,
    /// The action when the value is still missing.
    pub if_missing: IfMissing,
    /// The action for text that is too long.
    pub overflow: Overflow,
}

impl CaseMapping {
    /// Every value in it, in the order of its keys.
    pub fn value_exprs(&self) -> impl Iterator<Item = &ValueExpr> {
        let (PerformedBy::CustomEntity(performer) | PerformedBy::UserArn(performer)) =
            &self.performed_by;
        let fields = self.fields.iter().flat_map(FieldMapping::value_exprs);
        let tags = self.tags.iter().map(|(_, expr)| expr);
        let customer = self
            .find_customer
            .iter()
            .flat_map(FindCustomer::value_exprs);
        let linked = match &self.link_contact {
            LinkContact::Named(expr) => Some(expr),
            LinkContact::Current | LinkContact::Never => None,
        };
        fields
            .chain(&self.key)
            .chain(tags)
            .chain([performer])
            .chain(customer)
            .chain(linked)
            .chain(&self.comment)
    }
}

impl CaseMapping {
    /// Returns true if the key can be computed without what `enrich` reads of the contact.
    #[must_use]
    pub fn key_needs_no_contact(&self) -> bool {
        let mut expressions = self.key.iter().flat_map(ValueExpr::expressions);
        !expressions.any(|expression| match &expression.operand {
            Operand::Reference(Reference::Event(steps)) => matches!(
                steps.first(),
                Some(Step::Member(name)) if name == "contact" || name == "Attributes"
            ),
            _ => false,
        })
    }
}

impl FieldMapping {
    /// Every value in it.
    pub fn value_exprs(&self) -> impl Iterator<Item = &ValueExpr> {
        let profile = match &self.source {
            FieldSource::ProfileId(expr) => Some(expr),
            FieldSource::Value(_) | FieldSource::Choose(_) => None,
        };
        let contents = self.source.contents().filter_map(Content::value_expr);
        contents.chain(profile).chain(&self.default)
    }

    /// Returns true if the field is sent empty, whatever the event.
    #[must_use]
    pub fn is_always_empty(&self) -> bool {
        matches!(self.source, FieldSource::Value(Content::Empty))
    }
}

/// The source of a field's value.
#[derive(Clone, Debug)]
pub enum FieldSource {
    /// One value.
    Value(Content),
    /// The first choice whose condition matches.
    Choose(Vec<Choice>),
    /// The id of a profile, of which the ARN is sent.
    ProfileId(ValueExpr),
}

/// An entry of `choose`.
#[derive(Clone, Debug)]
pub struct Choice {
    /// For which events it is taken; all when absent.
    pub when: Option<Pattern>,
    /// Its value.
    pub value: Content,
}

impl FieldSource {
    /// Returns the contents that the source may give, in the order written.
    pub fn contents(&self) -> impl Iterator<Item = &Content> {
        let (one, choices) = match self {
            Self::Value(content) => (Some(content), [].as_slice()),
            Self::Choose(choices) => (None, choices.as_slice()),
            Self::ProfileId(_) => (None, [].as_slice()),
        };
        one.into_iter()
            .chain(choices.iter().map(|choice| &choice.value))
    }
}

impl Choice {
    /// Returns true if it is for this event.
    #[must_use]
    pub fn takes(&self, event: &serde_json::Value) -> bool {
        self.when.as_ref().is_none_or(|when| when.matches(event))
    }
}

/// The content of a field.
#[derive(Clone, Debug)]
pub enum Content {
    /// Plain `null`: the field is sent with `emptyValue`.
    Empty,
    /// A value that the event gives.
    Value(ValueExpr),
}

impl Content {
    /// The value, where there is one.
    #[must_use]
    pub fn value_expr(&self) -> Option<&ValueExpr> {
        match self {
            Self::Empty => None,
            Self::Value(expr) => Some(expr),
        }
    }
}

/// The action for a field whose value is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfMissing {
    /// No case is created.
    #[default]
    Fail,
    /// The field is not sent.
    Skip,
    /// The field is sent with `emptyValue`.
    Empty,
}

/// The action for text that is too long for its field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// No case is created.
    #[default]
    Fail,
    /// The text is cut back to a grapheme boundary.
    Truncate,
    /// The text is cut, and all of it goes into a comment on the case.
    Comment,
}

impl Mapping {
    /// Returns true if the function has to know the Customer Profiles domain.
    #[must_use]
    pub fn needs_profiles_domain(&self) -> bool {
        let assembles = |field: &FieldMapping| matches!(field.source, FieldSource::ProfileId(_));
        self.searches_profiles()
            || self
                .cases
                .iter()
                .flat_map(|case| &case.fields)
                .any(assembles)
    }

    /// Returns true if the function calls Customer Profiles.
    #[must_use]
    pub fn searches_profiles(&self) -> bool {
        self.cases.iter().any(|case| case.find_customer.is_some())
    }

    /// Returns true if it does so for every event that becomes a case.
    #[must_use]
    pub fn always_searches_profiles(&self) -> bool {
        self.cases.iter().all(|case| case.find_customer.is_some())
    }

    /// The name of a case mapping that asks for what only the ledger can do.
    #[must_use]
    pub fn needs_ledger(&self) -> Option<&str> {
        let needs = |case: &&CaseMapping| {
            let policy = &case.ledger;
            policy.window.is_some() || policy.on_existing == OnExisting::Attach
        };
        self.cases.iter().find(needs).map(|case| case.name.as_str())
    }

    /// Returns true if the function reads contacts from Connect.
    #[must_use]
    pub fn enriches(&self) -> bool {
        self.cases.iter().any(|case| case.enrich)
    }
}
