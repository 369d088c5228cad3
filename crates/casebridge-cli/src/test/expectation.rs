//! What a test expects, and where an outcome differs from it.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use casebridge::error::{ErrorCode, Failure};
use casebridge::outcome::Skip;
use casebridge::request::{CaseRequest, CustomerSearch, SearchKey, User};
use mapping::field::{Field, FieldValue};

use super::outcome::Outcome;

/// What becomes of a test's event.
pub(super) enum Expectation {
    /// A case is created.
    Case(ExpectedCase),
    /// The event is left alone.
    Skipped(Skip),
    /// The event is refused.
    Refused {
        /// The case mapping that takes it; any, or none, when absent.
        case: Option<String>,
        code: ErrorCode,
        /// What the error is about; anything when absent.
        about: Option<String>,
    },
}

/// What a test says of a case; what it does not name may be anything.
#[derive(Default)]
pub(super) struct ExpectedCase {
    /// The case mapping that takes the event.
    pub(super) mapping: String,
    pub(super) fields: Vec<(Field, FieldValue)>,
    pub(super) not_sent: Vec<Field>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) performed_by: Option<String>,
    pub(super) additions: ExpectedAdditions,
}

/// Something that is not as expected.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// A field by name, `tags.NAME`, another key of `expect`, or `outcome`.
    pub(super) about: String,
    pub(super) expected: String,
    pub(super) found: String,
    /// The sentence of a refusal.
    pub(super) reason: Option<String>,
}

impl Expectation {
    /// Where the outcome differs. If it is of another kind, or by another case mapping, that alone is told.
    pub(super) fn differences(&self, outcome: &Outcome<'_>) -> Vec<Difference> {
        if let (Self::Case(expected), Outcome::Case { mapping, request }) = (self, outcome)
            && expected.mapping == *mapping
        {
            return expected.differences(request);
        }
        if self.is_met_by(outcome) {
            return Vec::new();
        }
        vec![Difference {
            about: "outcome".to_owned(),
            expected: self.to_string(),
            found: outcome.to_string(),
            reason: match outcome {
                Outcome::Refused { failure, .. } => Some(failure.message.clone()),
                Outcome::Case { .. } | Outcome::Skipped(_) => None,
            },
        }]
    }

    /// Whether an event that makes no case has the outcome expected.
    fn is_met_by(&self, outcome: &Outcome<'_>) -> bool {
        match (self, outcome) {
            (Self::Skipped(expected), Outcome::Skipped(found)) => expected == found,
            (Self::Refused { case, code, about }, Outcome::Refused { mapping, failure }) => {
                *code == failure.code
                    && case.as_deref().is_none_or(|case| *mapping == Some(case))
                    && (about.is_none() || *about == failure.field)
            }
            _ => false,
        }
    }
}

impl ExpectedCase {
    fn differences(&self, request: &CaseRequest) -> Vec<Difference> {
        let sent = |field: &Field| {
            let mut fields = request.fields.iter();
            fields
                .find(|(id, _)| *id == field.id)
                .map(|(_, value)| value)
        };
        let fields = self.fields.iter().map(|(field, value)| {
            let found = sent(field);
            let name = field.name.clone();
            (found != Some(value))
                .then(|| Difference::new(name, show(field, Some(value)), show(field, found)))
        });
        let not_sent = self.not_sent.iter().map(|field| {
            let found = sent(field);
            let name = field.name.clone();
            found.map(|_| Difference::new(name, show(field, None), show(field, found)))
        });
        let tags = self.tags.iter().map(|(key, value)| {
            let mut tags = request.tags.iter();
            let found = tags.find(|(other, _)| other == key).map(|(_, value)| value);
            let shown = found.map_or_else(|| "(no such tag)".to_owned(), |found| visible(found));
            (found != Some(value))
                .then(|| Difference::new(format!("tags.{key}"), visible(value), shown))
        });
        let (User::CustomEntity(user) | User::UserArn(user)) = &request.performed_by;
        let performed_by = self.performed_by.iter().map(|expected| {
            let about = "performed_by".to_owned();
            (expected != user).then(|| Difference::new(about, visible(expected), visible(user)))
        });
        fields
            .chain(not_sent)
            .chain(tags)
            .chain(performed_by)
            .flatten()
            .chain(self.additions.differences(request))
            .collect()
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
}

/// What a test says of a thing that a case may have.
pub(super) enum Expected<T> {
    /// Some such thing, whichever.
    Any,
    /// No such thing.
    None,
    /// This one.
    This(T),
}

/// A customer, as far as it is known without asking Customer Profiles.
pub(super) enum Customer {
    /// A profile, by its ARN or id.
    Profile(String),
    /// The searches for one, in their order.
    Searches(Vec<Search>),
}

/// The keys of a search by name, each with its values: of the function's, any matches; a test names one.
pub(super) type Search = BTreeMap<String, Vec<String>>;

/// What a test says of them; what it does not name may be anything.
#[derive(Default)]
pub(super) struct ExpectedAdditions {
    pub(super) customer: Option<Expected<Customer>>,
    /// The contact that is linked, by its ARN or id.
    pub(super) contact: Option<Expected<String>>,
    pub(super) comments: Option<Expected<Vec<String>>>,
}

impl ExpectedAdditions {
    fn differences(&self, request: &CaseRequest) -> Vec<Difference> {
        let customer = self.customer.iter();
        let contact = self.contact.iter();
        let comments = self.comments.iter();
        customer
            .filter_map(|expected| about_customer(expected, request))
            .chain(contact.filter_map(|expected| about_contact(expected, request)))
            .chain(comments.flat_map(|expected| about_comments(expected, &request.comments)))
            .collect()
    }
}

fn about_customer(expected: &Expected<Customer>, request: &CaseRequest) -> Option<Difference> {
    let found = match (&request.customer, request.customer_arn()) {
        (Some(search), _) => Some(Customer::of(search)),
        (None, arn) => arn.map(|arn| Customer::Profile(arn.to_owned())),
    };
    let is_met = match (expected, &found) {
        (Expected::Any, found) => found.is_some(),
        (Expected::None, found) => found.is_none(),
        (Expected::This(expected), Some(found)) => expected.is_met_by(found),
        (Expected::This(_), None) => false,
    };
    let expected = expected.shown("(any)", ToString::to_string);
    let found = found.map_or_else(|| "(none)".to_owned(), |found| found.to_string());
    (!is_met).then(|| Difference::new("customer".to_owned(), expected, found))
}

fn about_contact(expected: &Expected<String>, request: &CaseRequest) -> Option<Difference> {
    let found = &request.contact;
    let is_met = match (expected, found) {
        (Expected::Any, Some(Ok(_))) | (Expected::None, None) => true,
        (Expected::This(name), Some(Ok(arn))) => is_named(arn, name),
        _ => false,
    };
    let expected = expected.shown("(any)", |name| visible(name));
    (!is_met).then(|| Difference {
        reason: found.as_ref().and_then(reason),
        ..Difference::new(
            "contact".to_owned(),
            expected,
            match found {
                None => "(none)".to_owned(),
                Some(Ok(arn)) => visible(arn),
                Some(Err(_)) => "(not linked)".to_owned(),
            },
        )
    })
}

fn about_comments(
    expected: &Expected<Vec<String>>,
    found: &[Result<String, Failure>],
) -> Vec<Difference> {
    let difference = |about: String, expected: String, found: Option<&Result<String, Failure>>| {
        let shown = match found {
            None => "(none)".to_owned(),
            Some(Ok(text)) => visible(text),
            Some(Err(_)) => "(not added)".to_owned(),
        };
        Difference {
            reason: found.and_then(reason),
            ..Difference::new(about, expected, shown)
        }
    };
    let about = || "comments".to_owned();
    match expected {
        Expected::Any if found.iter().any(Result::is_ok) => Vec::new(),
        Expected::Any => vec![difference(about(), "(any)".to_owned(), found.first())],
        Expected::None => {
            let found = found.iter();
            let found = found.map(|found| difference(about(), "(none)".to_owned(), Some(found)));
            found.collect()
        }
        Expected::This(texts) => (0..texts.len().max(found.len()))
            .filter_map(|at| {
                let (text, found) = (texts.get(at), found.get(at));
                let is_met =
                    matches!((text, found), (Some(text), Some(Ok(found))) if text == found);
                let text = text.map_or_else(|| "(none)".to_owned(), |text| visible(text));
                (!is_met).then(|| difference(format!("comments[{at}]"), text, found))
            })
            .collect(),
    }
}

/// Whether the ARN is this one, or ends in this id.
fn is_named(arn: &str, name: &str) -> bool {
    arn == name || arn.rsplit('/').next() == Some(name)
}

fn reason(found: &Result<String, Failure>) -> Option<String> {
    found.as_ref().err().map(|failure| failure.message.clone())
}

impl Customer {
    fn of(search: &CustomerSearch) -> Self {
        let keys = |keys: &Vec<SearchKey>| {
            let keys = keys.iter();
            keys.map(|key| (key.name.clone(), key.values.clone()))
                .collect()
        };
        Self::Searches(search.searches.iter().map(keys).collect())
    }

    fn is_met_by(&self, found: &Self) -> bool {
        let one_of = |values: &[String], found: &[String]| {
            let mut values = values.iter();
            values.all(|value| found.contains(value))
        };
        match (self, found) {
            (Self::Profile(name), Self::Profile(arn)) => is_named(arn, name),
            (Self::Searches(expected), Self::Searches(found)) => {
                expected.len() == found.len()
                    && expected.iter().zip(found).all(|(expected, found)| {
                        expected.keys().eq(found.keys())
                            && expected
                                .values()
                                .zip(found.values())
                                .all(|(values, found)| one_of(values, found))
                    })
            }
            _ => false,
        }
    }
}

impl<T> Expected<T> {
    fn shown(&self, any: &str, this: impl FnOnce(&T) -> String) -> String {
        match self {
            Self::Any => any.to_owned(),
            Self::None => "(none)".to_owned(),
            Self::This(expected) => this(expected),
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
