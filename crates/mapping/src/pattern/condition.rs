//! What one value of an event has to be.
//!
//! A condition meets a single value: text, a number, a boolean or null. Types are never converted, so the text `300` is not the number.

use std::ops::{Bound, RangeBounds};

use serde_json::Value;

use super::network::{Address, Network};
use super::number::{self, Number};
use super::wildcard::Wildcard;

/// A single value of an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leaf<'a> {
    /// Text.
    Text(&'a str),
    /// A number, as it is spelt and as it is compared.
    Number(&'a serde_json::Number, Option<f64>),
    /// A boolean.
    Boolean(bool),
    /// Null.
    Null,
}

impl<'a> Leaf<'a> {
    /// The value, unless it is an object or an array.
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text)),
            Value::Number(number) => {
                Some(Self::Number(number, number::comparable(number.as_str())))
            }
            Value::Bool(boolean) => Some(Self::Boolean(*boolean)),
            Value::Null => Some(Self::Null),
            Value::Object(_) | Value::Array(_) => None,
        }
    }
}

/// An item of a field's list, but for `exists: false`, which no value meets.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// `exists: true`
    Exists,
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number.
    Number(Number),
    /// `numeric`
    Numeric((Bound<f64>, Bound<f64>)),
    /// Text, or an operator on text.
    Text(TextCondition),
    /// An IP address, or `cidr`.
    Address(Network),
    /// `anything-but` with conditions on text: a value that is no text meets it.
    AnythingBut(Vec<TextCondition>),
    /// `anything-but` with numbers: a value that is no number meets it.
    AnythingButNumbers(Vec<Number>),
}

impl Condition {
    /// Whether the value meets the condition.
    pub(super) fn accepts(&self, leaf: Leaf<'_>) -> bool {
        match (self, leaf) {
            (Self::Boolean(expected), Leaf::Boolean(found)) => *expected == found,
            (Self::Number(number), Leaf::Number(spelling, value)) => number.equals(spelling, value),
            (Self::Numeric(range), Leaf::Number(_, Some(value))) => range.contains(&value),
            (Self::Text(condition), Leaf::Text(text)) => condition.accepts(text),
            (Self::Address(network), Leaf::Text(text)) => {
                Address::parse(text).is_some_and(|address| network.contains(address))
            }
            (Self::AnythingBut(but), Leaf::Text(text)) => !but.iter().any(|but| but.accepts(text)),
            (Self::AnythingButNumbers(but), Leaf::Number(spelling, value)) => {
                !but.iter().any(|but| but.equals(spelling, value))
            }
            (Self::Null, Leaf::Null)
            | (Self::Exists | Self::AnythingBut(_) | Self::AnythingButNumbers(_), _) => true,
            _ => false,
        }
    }
}

/// What text has to be.
#[derive(Clone, Debug)]
pub(super) enum TextCondition {
    /// This text.
    Exactly(String),
    /// `equals-ignore-case`
    EqualsIgnoreCase(String),
    /// `prefix`
    Prefix(String),
    /// `prefix` with `equals-ignore-case`
    PrefixIgnoreCase(String),
    /// `suffix`
    Suffix(String),
    /// `suffix` with `equals-ignore-case`
    SuffixIgnoreCase(String),
    /// `wildcard`
    Wildcard(Wildcard),
}

impl TextCondition {
    /// Whether the text meets the condition.
    ///
    /// Event Ruler compares texts with their quotation marks on. Hence a prefix may end in the mark behind the text, and a suffix begin
    /// with the one before it.
    fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Exactly(expected) => text == expected,
            Self::EqualsIgnoreCase(expected) => equals_ignoring_case(text, expected),
            Self::Prefix(prefix) => {
                text.starts_with(prefix.as_str()) || prefix.strip_suffix('"') == Some(text)
            }
            Self::PrefixIgnoreCase(prefix) => {
                strip_prefix_ignoring_case(text, prefix).is_some()
                    || prefix
                        .strip_suffix('"')
                        .is_some_and(|prefix| equals_ignoring_case(text, prefix))
            }
            Self::Suffix(suffix) => {
                text.ends_with(suffix.as_str()) || suffix.strip_prefix('"') == Some(text)
            }
            Self::SuffixIgnoreCase(suffix) => {
                strip_suffix_ignoring_case(text, suffix).is_some()
                    || suffix
                        .strip_prefix('"')
                        .is_some_and(|suffix| equals_ignoring_case(text, suffix))
            }
            Self::Wildcard(wildcard) => wildcard.accepts(text),
        }
    }
}

fn equals_ignoring_case(text: &str, expected: &str) -> bool {
    strip_prefix_ignoring_case(text, expected) == Some("")
}

/// Each character of the prefix stands for its lower case or its upper case, either of which can be several characters.
fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    prefix.chars().try_fold(text, |text, c| {
        let lower = c
            .to_lowercase()
            .try_fold(text, |text, c| text.strip_prefix(c));
        lower.or_else(|| {
            c.to_uppercase()
                .try_fold(text, |text, c| text.strip_prefix(c))
        })
    })
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    suffix.chars().rev().try_fold(text, |text, c| {
        let lower = c
            .to_lowercase()
            .rev()
            .try_fold(text, |text, c| text.strip_suffix(c));
        lower.or_else(|| {
            c.to_uppercase()
                .rev()
                .try_fold(text, |text, c| text.strip_suffix(c))
        })
    })
}
