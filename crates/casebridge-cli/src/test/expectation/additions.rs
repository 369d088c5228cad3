//! What a test expects beside the case's own members: its customer, its contact, its comments.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use casebridge::error::Failure;
use casebridge::request::{CaseRequest, CustomerSearch, SearchKey};

use super::{Difference, visible};

/// What a test says of a thing that a case may have.
pub(in super::super) enum Expected<T> {
    /// Some such thing, whichever.
    Any,
    /// No such thing.
    None,
    /// This one.
    This(T),
}

/// A customer, as far as it is known without asking Customer Profiles.
pub(in super::super) enum Customer {
    /// A profile, by its ARN or id.
    Profile(String),
    /// The searches for one, in their order.
    Searches(Vec<Search>),
}

/// The keys of a search by name, each with its values: of the function's, any matches; a test names one.
pub(in super::super) type Search = BTreeMap<String, Vec<String>>;

/// What a test says of them; what it does not name may be anything.
#[derive(Default)]
pub(in super::super) struct ExpectedAdditions {
    pub(in super::super) customer: Option<Expected<Customer>>,
    /// The contact that is linked, by its ARN or id.
    pub(in super::super) contact: Option<Expected<String>>,
    pub(in super::super) comments: Option<Expected<Vec<String>>>,
}

impl ExpectedAdditions {
    pub(super) fn differences(&self, request: &CaseRequest) -> Vec<Difference> {
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
