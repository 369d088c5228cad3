//! What a test expects, and where an outcome differs from it.

mod additions;

use std::fmt::{self, Display};

use casebridge::error::ErrorCode;
use casebridge::outcome::Skip;
use casebridge::request::{CaseRequest, User};
use mapping::field::{Field, FieldValue};

pub(super) use self::additions::{Customer, Expected, ExpectedAdditions, Search};
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
