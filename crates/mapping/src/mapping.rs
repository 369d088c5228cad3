//! The compiled mapping: the content of `mapping.yaml`, with all names resolved.
//!
//! Templates, fields, options and tables are resolved, with the domain snapshot if there is one. Expressions and event patterns are parsed.

use std::sync::Arc;
use std::time::Duration;

use crate::customer::FindCustomer;
use crate::expression::{Expression, Scope, ValueExpr, Variable};
use crate::field::Field;
use crate::filter::Table;
use crate::pattern::Pattern;
use crate::reference::Reference;
use crate::trigger::Trigger;
use crate::zone::Zone;

/// A valid mapping.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The case mappings, in the order written.
    pub cases: Vec<CaseMapping>,
}

/// One entry of `cases`: the rules that turn an event into a case.
#[derive(Clone, Debug)]
pub struct CaseMapping {
    /// The name, which is a part of every key.
    pub name: String,
    /// The trigger whose events it accepts.
    pub trigger: Trigger,
    /// The condition on the trigger's events. If absent, all of them are accepted.
    pub when: Option<Pattern>,
    /// The file's variables and then its own. A variable reads only those before it.
    pub variables: Vec<Arc<Variable>>,
    /// The zone of times without an offset.
    pub zone: Option<Zone>,
    /// The action for a tag whose value is invalid.
    pub if_tag_invalid: IfInvalid,
    /// `templateId`.
    pub template_id: String,
    /// The fields that the template requires, and `title`.
    pub required_fields: Vec<Arc<Field>>,
    /// The parts of the key. If empty, the key is the event's natural key.
    pub key: Vec<ValueExpr>,
    /// `performedBy`.
    pub performed_by: PerformedBy,
    /// Tags by key.
    pub tags: Vec<(String, ValueExpr)>,
    /// `fields`, and the customer's field if no search is needed for its ARN.
    pub fields: Vec<FieldMapping>,
    /// The search for the customer's profile.
    pub find_customer: Option<FindCustomer>,
    /// Set when the contact is read first, for data that a contact event does not contain.
    pub enrich: bool,
    /// The contact to link to the case.
    pub link_contact: LinkContact,
    /// A comment to add to the case.
    pub comment: Option<ValueExpr>,
    /// Set when the response contains the reference number.
    pub return_reference: bool,
    /// The use of the ledger.
    pub ledger: LedgerUse,
    /// Set when it accepts events of Cases about cases that others created or changed.
    pub on_case_events: bool,
}

/// A case mapping's use of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerUse {
    /// The time for which a key identifies one case. If absent, there is no limit.
    pub window: Option<Duration>,
    /// The action when the key's case exists.
    pub on_existing: OnExisting,
    /// The action when the ledger is unavailable.
    pub unavailable: LedgerUnavailable,
    /// Set when a run without the ledger checks for existing items before it adds one to the case.
    ///
    /// On for events: a redelivery looks the same as the first delivery.
    /// Off for flows: a caller waits, and only a repetition needs the call.
    pub repeats_unseen: bool,
}

/// The action when the key's case exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExisting {
    /// The response contains the existing case.
    #[default]
    Return,
    /// The contact is linked to the existing case and the comment is added, once for each occurrence.
    Attach,
}

/// The action when the ledger is unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerUnavailable {
    /// No case is created. The event is delivered again.
    Fail,
    /// The case is created. Only its client token prevents duplicates.
    Proceed,
}

/// The contact that is linked to the case.
#[derive(Clone, Debug)]
pub enum LinkContact {
    /// No contact is linked.
    Never,
    /// The contact of the event.
    Current,
    /// The contact with the id or ARN that this expression gives, such as `$.InitialContactId`.
    Named(ValueExpr),
}

/// `UserUnion`: the actor that the audit history shows.
#[derive(Clone, Debug)]
pub enum PerformedBy {
    /// `customEntity`. It starts with the entity prefix for every event.
    CustomEntity(ValueExpr),
    /// `userArn`
    UserArn(ValueExpr),
}

/// The mapping of one field, computed in this order: `when`, the source, `lookup`, `overflow`, the field's type, `if_invalid`, `default`,
/// `if_missing`.
#[derive(Clone, Debug)]
pub struct FieldMapping {
    /// The field.
    pub field: Arc<Field>,
    /// The condition on events for which the field is sent. If absent, it is sent for all.
    pub when: Option<Pattern>,
    /// The source of its value.
    pub source: FieldSource,
    /// The table in which the value is looked up.
    pub lookup: Option<Arc<Table>>,
    /// The value that replaces a missing one.
    pub default: Option<ValueExpr>,
    /// The action when the value is still missing.
    pub if_missing: IfMissing,
    /// The action when the field does not accept the value, or it cannot be computed.
    pub if_invalid: IfInvalid,
    /// The action for text that is too long.
    pub overflow: Overflow,
}

impl CaseMapping {
    /// Returns the value expressions of the case mapping, in the order of its keys.
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
            .chain(self.variables.iter().map(|variable| &variable.value))
    }

    /// Returns the names of the variables, in their order.
    #[must_use]
    pub fn variable_names(&self) -> Vec<String> {
        let names = self.variables.iter().map(|variable| variable.name.clone());
        names.collect()
    }

    /// Returns true if the event and the case mapping's condition match.
    #[must_use]
    pub fn accepts(&self, scope: &Scope<'_>) -> bool {
        self.when.as_ref().is_none_or(|when| scope.matches(when))
    }
}

impl CaseMapping {
    /// Returns true if the key does not depend on the contact data that `enrich` reads.
    #[must_use]
    pub fn key_needs_no_contact(&self) -> bool {
        let mut references = self
            .key
            .iter()
            .flat_map(ValueExpr::expressions)
            .flat_map(Expression::references);
        !references.any(|reference| self.reads_contact(reference))
    }

    /// Returns true if the reference may lead to a member that `enrich` adds.
    fn reads_contact(&self, reference: &Reference) -> bool {
        match reference {
            Reference::Event(_) => reads_contact(reference.first_member().unwrap_or("")),
            Reference::Variable(variable, _) => {
                let variable = self.variables.get(variable.index);
                variable.is_some_and(|variable| variable.reads_contact())
            }
            Reference::Mapping | Reference::Trigger | Reference::Domain => false,
        }
    }
}

impl Variable {
    /// Returns true if the value may depend on a member that `enrich` adds.
    #[must_use]
    pub fn reads_contact(&self) -> bool {
        self.members.iter().any(|member| reads_contact(member))
    }
}

/// Returns true for a member that `enrich` adds, and for the whole event, whose name is empty.
fn reads_contact(member: &str) -> bool {
    matches!(member, "contact" | "Attributes" | "")
}

impl FieldMapping {
    /// Returns the value expressions of the field mapping.
    pub fn value_exprs(&self) -> impl Iterator<Item = &ValueExpr> {
        let profile = match &self.source {
            FieldSource::ProfileId(expr) => Some(expr),
            FieldSource::Value(_) | FieldSource::Choose(_) => None,
        };
        let contents = self.source.contents().filter_map(Content::value_expr);
        contents.chain(profile).chain(&self.default)
    }

    /// Returns true if the field is sent empty for every event.
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
    /// The id of a profile. The profile's ARN is sent.
    ProfileId(ValueExpr),
}

/// An entry of `choose`.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The condition on events for which the choice is used. If absent, it is used for all.
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
    /// Returns true if the choice can be used for this event.
    #[must_use]
    pub fn takes(&self, scope: &Scope<'_>) -> bool {
        self.when.as_ref().is_none_or(|when| scope.matches(when))
    }
}

/// The content of a field.
#[derive(Clone, Debug)]
pub enum Content {
    /// Plain `null`: the field is sent with `emptyValue`.
    Empty,
    /// The value of an expression.
    Value(ValueExpr),
}

impl Content {
    /// Returns the value expression, if there is one.
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

/// The action for a value that its field does not accept, or that cannot be computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfInvalid {
    /// No case is created.
    #[default]
    Fail,
    /// The value is missing.
    Missing,
    /// The field is not sent, and a comment on the case names the field and the rule.
    Comment,
}

/// The action for text that is too long for its field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// No case is created.
    #[default]
    Fail,
    /// The text is cut back to a grapheme boundary.
    Truncate,
    /// The text is cut, and the full text is added as a comment on the case.
    Comment,
}

impl Mapping {
    /// Returns true if the function needs the Customer Profiles domain.
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

    /// Returns true if at least one case mapping calls Customer Profiles.
    #[must_use]
    pub fn searches_profiles(&self) -> bool {
        self.cases.iter().any(|case| case.find_customer.is_some())
    }

    /// Returns true if every case mapping calls Customer Profiles.
    #[must_use]
    pub fn always_searches_profiles(&self) -> bool {
        self.cases.iter().all(|case| case.find_customer.is_some())
    }

    /// Returns the name of a case mapping that uses a feature of the ledger.
    #[must_use]
    pub fn needs_ledger(&self) -> Option<&str> {
        let needs = |case: &&CaseMapping| {
            let policy = &case.ledger;
            policy.window.is_some() || policy.on_existing == OnExisting::Attach
        };
        self.cases.iter().find(needs).map(|case| case.name.as_str())
    }

    /// Returns true if at least one case mapping reads contacts from Connect.
    #[must_use]
    pub fn enriches(&self) -> bool {
        self.cases.iter().any(|case| case.enrich)
    }
}
