//! The expectation of a test, and the differences of an outcome from it.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use casebridge::error::{ErrorCode, Failure};
use casebridge::outcome::Skip;
use casebridge::request::{CaseRequest, SearchKey, User};
use mapping::field::{Field, FieldValue};

use crate::outcome::Outcome;

/// The outcome that a test expects.
pub(super) enum Expectation {
    /// A case is created.
    Case(ExpectedCase),
    /// The event is skipped.
    Skipped(Skip),
    /// The event is refused.
    Refused {
        /// The case mapping that takes it; any, or none, when absent.
        case: Option<String>,
        code: ErrorCode,
        /// The field, key or reference of the error; any when absent.
        about: Option<String>,
    },
}

/// The case that a test expects; members that the test does not name may be anything.
#[derive(Default)]
pub(super) struct ExpectedCase {
    /// The case mapping that takes the event.
    pub(super) mapping: String,
    pub(super) fields: Vec<(Field, FieldValue)>,
    pub(super) not_sent: Vec<Field>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) performed_by: Option<String>,
    pub(super) customer: Option<Expected<Customer>>,
    /// The contact that is linked, by its ARN or id.
    pub(super) contact: Option<Expected<String>>,
    pub(super) comments: Option<Expected<Vec<String>>>,
}

/// An expected customer, contact or list of comments.
pub(super) enum Expected<T> {
    /// Some such thing, whichever.
    Any,
    /// No such thing.
    None,
    /// This one.
    This(T),
}

/// A customer, as far as it is known without Customer Profiles.
pub(super) enum Customer {
    /// A profile, by its ARN or id.
    Profile(String),
    /// The searches for one, in their order.
    Searches(Vec<Search>),
}

/// The keys of a search by name, each with its values: the function's key may have several, of which any matches.
pub(super) type Search = BTreeMap<String, Vec<String>>;

/// A member that is not as expected.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// A field by name, `tags.NAME`, another key of `expect`, or `outcome`.
    pub(super) about: String,
    pub(super) expected: String,
    pub(super) found: String,
    /// The message of a refusal.
    pub(super) reason: Option<String>,
}

impl Expectation {
    /// Returns where the outcome differs: of another kind of outcome, or another case mapping, only that.
    pub(super) fn differences(&self, outcome: &Outcome<'_>) -> Vec<Difference> {
        let is_met = match (self, outcome) {
            (Self::Case(expected), Outcome::Case { mapping, request })
                if expected.mapping == *mapping =>
            {
                return expected.differences(request);
            }
            (Self::Skipped(expected), Outcome::Skipped(found)) => expected == found,
            (Self::Refused { case, code, about }, Outcome::Refused { mapping, failure }) => {
                *code == failure.code
                    && case.as_deref().is_none_or(|case| *mapping == Some(case))
                    && (about.is_none() || *about == failure.field)
            }
            _ => false,
        };
        if is_met {
            return Vec::new();
        }
        let reason = match outcome {
            Outcome::Refused { failure, .. } => Some(failure.message.clone()),
            Outcome::Case { .. } | Outcome::Skipped(_) => None,
        };
        let about = "outcome".to_owned();
        vec![Difference {
            reason,
            ..Difference::new(about, self.to_string(), outcome.to_string())
        }]
    }
}

impl ExpectedCase {
    fn differences(&self, request: &CaseRequest) -> Vec<Difference> {
        let mut list = Vec::new();
        let mut compare = |is_met: bool, about: &str, expected: String, found: String| {
            if !is_met {
                list.push(Difference::new(about.to_owned(), expected, found));
            }
        };
        let sent = |field: &Field| {
            let mut fields = request.fields.iter();
            fields
                .find(|(id, _)| *id == field.id)
                .map(|(_, value)| value)
        };
        let values = self
            .fields
            .iter()
            .map(|(field, value)| (field, Some(value)));
        let not_sent = self.not_sent.iter().map(|field| (field, None));
        for (field, value) in values.chain(not_sent) {
            let found = sent(field);
            compare(
                found == value,
                &field.name,
                show(field, value),
                show(field, found),
            );
        }
        for (key, value) in &self.tags {
            let mut tags = request.tags.iter();
            let found = tags.find(|(other, _)| other == key).map(|(_, value)| value);
            let shown = found.map_or_else(|| "(no such tag)".to_owned(), |found| visible(found));
            compare(
                found == Some(value),
                &format!("tags.{key}"),
                visible(value),
                shown,
            );
        }
        let (User::CustomEntity(user) | User::UserArn(user)) = &request.performed_by;
        if let Some(expected) = &self.performed_by {
            compare(
                expected == user,
                "performed_by",
                visible(expected),
                visible(user),
            );
        }
        if let Some(expected) = &self.customer {
            let found = Customer::of(request);
            let is_met = match (expected, &found) {
                (Expected::Any, found) => found.is_some(),
                (Expected::None, found) => found.is_none(),
                (Expected::This(expected), found) => found
                    .as_ref()
                    .is_some_and(|found| expected.is_met_by(found)),
            };
            let found = found.map_or_else(|| "(none)".to_owned(), |found| found.to_string());
            compare(
                is_met,
                "customer",
                expected.shown(ToString::to_string),
                found,
            );
        }
        if let Some(expected) = &self.contact {
            list.extend(expected.contact_difference(request.contact.as_ref()));
        }
        if let Some(expected) = &self.comments {
            list.extend(expected.comment_differences(&request.comments));
        }
        list
    }
}

impl<T> Expected<T> {
    fn shown(&self, this: impl FnOnce(&T) -> String) -> String {
        match self {
            Self::Any => "(any)".to_owned(),
            Self::None => "(none)".to_owned(),
            Self::This(expected) => this(expected),
        }
    }
}

impl Expected<String> {
    fn contact_difference(&self, found: Option<&Result<String, Failure>>) -> Option<Difference> {
        let is_met = match (self, found) {
            (Self::Any, Some(Ok(_))) | (Self::None, None) => true,
            (Self::This(name), Some(Ok(arn))) => is_named(arn, name),
            _ => false,
        };
        let expected = self.shown(|name| visible(name));
        (!is_met)
            .then(|| Difference::of_result("contact".to_owned(), expected, found, "(not linked)"))
    }
}

impl Expected<Vec<String>> {
    fn comment_differences(&self, found: &[Result<String, Failure>]) -> Vec<Difference> {
        let difference = |about: &str, expected: String, found| {
            Difference::of_result(about.to_owned(), expected, found, "(not added)")
        };
        let expected = self.shown(|_| String::new());
        match self {
            Self::Any if found.iter().any(Result::is_ok) => Vec::new(),
            Self::Any => vec![difference("comments", expected, found.first())],
            Self::None => found
                .iter()
                .map(|found| difference("comments", expected.clone(), Some(found)))
                .collect(),
            Self::This(texts) => (0..texts.len().max(found.len()))
                .filter_map(|at| {
                    let (text, found) = (texts.get(at), found.get(at));
                    let is_met =
                        text.is_some() && text == found.and_then(|found| found.as_ref().ok());
                    let text = text.map_or_else(|| "(none)".to_owned(), |text| visible(text));
                    (!is_met).then(|| difference(&format!("comments[{at}]"), text, found))
                })
                .collect(),
        }
    }
}

impl Difference {
    fn new(about: String, expected: String, found: String) -> Self {
        Self {
            about,
            expected,
            found,
            reason: None,
        }
    }

    /// A difference from a contact or comment, or from the reason why there is none.
    fn of_result(
        about: String,
        expected: String,
        found: Option<&Result<String, Failure>>,
        refused: &str,
    ) -> Self {
        let (found, reason) = match found {
            None => ("(none)".to_owned(), None),
            Some(Ok(found)) => (visible(found), None),
            Some(Err(failure)) => (refused.to_owned(), Some(failure.message.clone())),
        };
        Self {
            reason,
            ..Self::new(about, expected, found)
        }
    }
}

/// Returns whether the ARN is this one, or ends in this id.
fn is_named(arn: &str, name: &str) -> bool {
    arn == name || arn.rsplit('/').next() == Some(name)
}

impl Customer {
    fn of(request: &CaseRequest) -> Option<Self> {
        let Some(customer) = &request.customer else {
            let arn = request.customer_arn();
            return arn.map(|arn| Self::Profile(arn.to_owned()));
        };
        let keys = |keys: &Vec<SearchKey>| {
            let keys = keys.iter();
            keys.map(|key| (key.name.clone(), key.values.clone()))
                .collect()
        };
        Some(Self::Searches(customer.searches.iter().map(keys).collect()))
    }

    fn is_met_by(&self, found: &Self) -> bool {
        match (self, found) {
            (Self::Profile(name), Self::Profile(arn)) => is_named(arn, name),
            (Self::Searches(expected), Self::Searches(found)) => {
                let is_met = |(expected, found): (&Search, &Search)| {
                    let mut keys = expected.iter().zip(found);
                    expected.len() == found.len()
                        && keys.all(|((name, values), (found, of))| {
                            name == found && values.iter().all(|value| of.contains(value))
                        })
                };
                expected.len() == found.len() && expected.iter().zip(found).all(is_met)
            }
            _ => false,
        }
    }
}

impl Display for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(name) => f.write_str(&visible(name)),
            Self::Searches(searches) => {
                let key = |(key, values): (&String, &Vec<String>)| {
                    let values: Vec<String> = values.iter().map(|value| visible(value)).collect();
                    format!("{key} {}", values.join(" or "))
                };
                let search = |keys: &Search| keys.iter().map(key).collect::<Vec<_>>().join(" and ");
                let searches: Vec<String> = searches.iter().map(search).collect();
                write!(f, "by {}", searches.join(", then by "))
            }
        }
    }
}

impl Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Case(expected) => write!(f, "a case by {}", expected.mapping),
            Self::Skipped(skip) => write!(f, "skipped: {}", skip.name()),
            Self::Refused { case, code, about } => {
                refused(f, case.as_deref(), *code, about.as_deref())
            }
        }
    }
}

impl Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Case { mapping, .. } => write!(f, "a case by {mapping}"),
            Self::Skipped(skip) => write!(f, "skipped: {}", skip.name()),
            Self::Refused { mapping, failure } => {
                refused(f, *mapping, failure.code, failure.field.as_deref())
            }
        }
    }
}

fn refused(
    f: &mut fmt::Formatter<'_>,
    mapping: Option<&str>,
    code: ErrorCode,
    about: Option<&str>,
) -> fmt::Result {
    f.write_str("refused")?;
    if let Some(mapping) = mapping {
        write!(f, " by {mapping}")?;
    }
    write!(f, ": {code}")?;
    about.map_or(Ok(()), |about| write!(f, " at {about}"))
}

/// A field's value as people know it: an option by its label. What is no value stands in parentheses.
fn show(field: &Field, value: Option<&FieldValue>) -> String {
    match value {
        None => "(not sent)".to_owned(),
        Some(FieldValue::Empty) => "(sent empty)".to_owned(),
        Some(FieldValue::Double(number)) => number.to_string(),
        Some(FieldValue::Boolean(boolean)) => boolean.to_string(),
        Some(FieldValue::UserArn(text)) => visible(text),
        Some(FieldValue::String(text)) => {
            let option = field.options.as_ref().and_then(|_| field.option(text));
            visible(option.map_or(text, |option| &option.name))
        }
    }
}

/// Text on one line; what would not be seen, or would move a terminal's cursor, is written as an escape between quotes.
fn visible(text: &str) -> String {
    if text.chars().any(char::is_control) || text.trim() != text {
        format!("{text:?}")
    } else {
        text.to_owned()
    }
}
