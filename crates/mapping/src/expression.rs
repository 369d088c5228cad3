//! Expressions and interpolated text: the values that a mapping takes from an event.
//!
//! ```ebnf
//! value         = expression | text ;        (* first character "$": always an expression *)
//! text          = { char | interpolation } ; (* a literal "{{" is written {{ '{{' }} *)
//! interpolation = "{{" ws operand { ws "|" ws filter } ws "}}" ;
//! expression    = reference { ws "|" ws filter } ;
//! operand       = reference | quoted | number ;
//! ```
//!
//! [`parse()`] compiles the text of one scalar to a [`ValueExpr`] at load time. [`ValueExpr::evaluate`] then reads an event with it.
//! The work is bounded by the length of the text and the size of the event.

mod parse;
mod reference;

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value as Json;

pub use self::parse::{SyntaxError, parse};
pub use self::reference::{Reference, Step, UnknownMember, unknown_member};
use crate::filter::{Argument, Filter};
use crate::text::{BoundedText, TooLong};
use crate::value::Value;

/// A compiled scalar of the mapping.
#[derive(Clone, Debug)]
pub enum ValueExpr {
    /// A reference without `{{ }}`, with its filters. The value keeps its JSON type.
    Expression(Expression),
    /// Text with or without interpolations. The value is text.
    Interpolated(Vec<Part>),
    /// A plain number of the mapping, in its source text.
    Number(String),
    /// A plain `true` or `false` of the mapping.
    Boolean(bool),
}

/// An operand and the filters that are applied to it, from left to right.
#[derive(Clone, Debug)]
pub struct Expression {
    /// The initial value.
    pub operand: Operand,
    /// The filters, from left to right.
    pub filters: Vec<Filter>,
    /// The expression as the author wrote it, for messages.
    pub text: String,
}

/// The initial value of an [`Expression`].
#[derive(Clone, Debug)]
pub enum Operand {
    /// A reference to the event or to this run.
    Reference(Reference),
    /// Quoted text in an interpolation.
    Text(String),
    /// A number in an interpolation, in its source text.
    Number(String),
}

/// A part of an interpolated text.
#[derive(Clone, Debug)]
pub enum Part {
    /// Literal text.
    Literal(String),
    /// An interpolation.
    Interpolation(Expression),
}

impl ValueExpr {
    /// Returns the literal text at the start, which no event changes. The prefix of a custom entity is checked against it.
    #[must_use]
    pub fn literal_start(&self) -> &str {
        match self {
            Self::Interpolated(parts) => match parts.first() {
                Some(Part::Literal(text)) => text,
                _ => "",
            },
            Self::Number(text) => text,
            Self::Boolean(_) | Self::Expression(_) => "",
        }
    }

    /// Returns the value if it is the same for every event.
    #[must_use]
    pub fn constant(&self) -> Option<Value<'_>> {
        match self {
            Self::Interpolated(parts) => match parts.as_slice() {
                [Part::Literal(text)] => Value::text(text.as_str()),
                _ => None,
            },
            Self::Number(text) => Some(Value::Number(text.into())),
            Self::Boolean(boolean) => Some(Value::Boolean(*boolean)),
            Self::Expression(_) => None,
        }
    }

    /// Returns the first member of each event reference, with the byte range of its expression in the scalar's text.
    pub(crate) fn first_members<'a>(
        &'a self,
        text: &'a str,
    ) -> impl Iterator<Item = (&'a str, Range<usize>)> {
        self.expressions().filter_map(|expression| {
            let Operand::Reference(Reference::Event(steps)) = &expression.operand else {
                return None;
            };
            let Some(Step::Member(name)) = steps.first() else {
                return None;
            };
            let at = text.find(&expression.text).unwrap_or_default();
            Some((name.as_str(), at..at + expression.text.len()))
        })
    }

    /// Returns all expressions, in the order written.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let (bare, parts) = match self {
            Self::Expression(expression) => (Some(expression), [].as_slice()),
            Self::Interpolated(parts) => (None, parts.as_slice()),
            Self::Number(_) | Self::Boolean(_) => (None, [].as_slice()),
        };
        let interpolations = parts.iter().filter_map(|part| match part {
            Part::Interpolation(expression) => Some(expression),
            Part::Literal(_) => None,
        });
        bare.into_iter().chain(interpolations)
    }
}

/// The data that references read.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// `$`: the contact data and its parameters, or the EventBridge event.
    pub event: &'a Json,
    /// `$$.mapping`.
    pub mapping: &'a str,
    /// `$$.trigger`.
    pub trigger: &'static str,
    /// `$$.domain`.
    pub domain: &'a str,
}

/// An error for a value that an expression cannot use: it has the wrong type, or the resulting text is too long.
///
/// The message quotes the author's expression and names types. It never contains a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{expression}`: {message}")]
pub struct EvaluateError {
    /// The expression as written.
    pub expression: String,
    /// The filter and the type it found, such as "`upper` takes text, found a number".
    pub message: String,
}

impl ValueExpr {
    /// Returns the value for this event, or `None` if it is missing.
    ///
    /// A text is missing if one of its interpolations is missing and does not end with `default('')`.
    /// A text of only white space is missing too.
    ///
    /// # Errors
    /// A filter or an interpolation does not accept the type of a value.
    /// The result is too long.
    pub fn evaluate<'a>(&'a self, scope: &Scope<'a>) -> Result<Option<Value<'a>>, EvaluateError> {
        match self {
            Self::Expression(expression) => Ok(expression.evaluate(scope)?.filter(has_content)),
            Self::Number(text) => Ok(Some(Value::Number(text.into()))),
            Self::Boolean(boolean) => Ok(Some(Value::Boolean(*boolean))),
            Self::Interpolated(parts) => match parts.as_slice() {
                [Part::Literal(text)] => Ok(Value::text(text.as_str())),
                parts => {
                    let mut text = BoundedText::default();
                    for part in parts {
                        let filled = match part {
                            Part::Literal(literal) => Some(literal.into()),
                            Part::Interpolation(interpolation) => interpolation.fill(scope)?,
                        };
                        let Some(filled) = filled else {
                            return Ok(None);
                        };
                        text.push(&filled)
                            .map_err(|excess| self.too_long(part, &excess))?;
                    }
                    Ok(Value::text(text.finish()).filter(has_content))
                }
            },
        }
    }

    fn too_long(&self, part: &Part, excess: &TooLong) -> EvaluateError {
        let expression = match part {
            Part::Interpolation(interpolation) => Some(interpolation),
            Part::Literal(_) => self.expressions().next(),
        };
        EvaluateError {
            expression: expression
                .map_or_else(String::new, |interpolation| interpolation.text.clone()),
            message: format!("the text that it stands in {excess}"),
        }
    }

    /// Returns the value as text, for a tag, a part of a key or an ARN.
    ///
    /// # Errors
    /// The errors of [`evaluate`](Self::evaluate), and a value that is a list or an object.
    pub fn evaluate_text<'a>(
        &'a self,
        scope: &Scope<'a>,
    ) -> Result<Option<Cow<'a, str>>, EvaluateError> {
        match self {
            Self::Expression(expression) => {
                let text = expression.evaluate_text(scope)?;
                Ok(text.filter(|text| !text.trim().is_empty()))
            }
            _ => Ok(self.evaluate(scope)?.and_then(|item| item.into_text().ok())),
        }
    }
}

impl ValueExpr {
    /// Returns the first expression without a value for this event, which makes the whole value missing.
    #[must_use]
    pub fn missing(&self, scope: &Scope<'_>) -> Option<&Expression> {
        let mut missing = self
            .expressions()
            .filter(|expression| matches!(expression.evaluate(scope), Ok(None)));
        let first = missing.next()?;
        if first.may_be_empty() {
            // An expression that may be empty is the cause only if all missing ones may be empty. The whole text is then empty.
            return missing
                .find(|expression| !expression.may_be_empty())
                .or(Some(first));
        }
        Some(first)
    }
}

/// Returns true for every value except text of only white space.
fn has_content(item: &Value<'_>) -> bool {
    !matches!(item, Value::Text(text) if text.trim().is_empty())
}

impl Expression {
    /// Returns the expression's value for this event, or `None` if it is missing.
    ///
    /// # Errors
    /// A filter does not accept the type of a value.
    pub fn evaluate<'a>(&'a self, scope: &Scope<'a>) -> Result<Option<Value<'a>>, EvaluateError> {
        let mut value = match &self.operand {
            Operand::Text(text) => Value::text(text.as_str()),
            Operand::Number(text) => Some(Value::Number(text.into())),
            Operand::Reference(Reference::Event(steps)) => reference::follow(scope.event, steps),
            Operand::Reference(Reference::Mapping) => Value::text(scope.mapping),
            Operand::Reference(Reference::Trigger) => Value::text(scope.trigger),
            Operand::Reference(Reference::Domain) => Value::text(scope.domain),
        };
        for filter in &self.filters {
            value = filter
                .apply(value)
                .map_err(|message| self.evaluate_error(message))?;
        }
        Ok(value)
    }

    /// Returns the text of the interpolation. A missing one that may be empty gives empty text.
    fn fill<'a>(&'a self, scope: &Scope<'a>) -> Result<Option<Cow<'a, str>>, EvaluateError> {
        let text = self.evaluate_text(scope)?;
        Ok(text.or_else(|| self.may_be_empty().then_some(Cow::Borrowed(""))))
    }

    /// Returns true if the expression ends with `default('')`: a missing value is then empty text.
    #[must_use]
    pub fn may_be_empty(&self) -> bool {
        matches!(self.filters.last(), Some(Filter::Default(Argument::Text(text))) if text.is_empty())
    }

    fn evaluate_text<'a>(
        &'a self,
        scope: &Scope<'a>,
    ) -> Result<Option<Cow<'a, str>>, EvaluateError> {
        self.evaluate(scope)?
            .map(|item| {
                item.into_text().map_err(|item| {
                    let help = if matches!(item, Value::List(_)) {
                        ": join it with `join(', ')`"
                    } else {
                        ""
                    };
                    self.evaluate_error(format!(
                        "expected text, a number or a boolean, found {}{help}",
                        item.describe()
                    ))
                })
            })
            .transpose()
    }

    fn evaluate_error(&self, message: String) -> EvaluateError {
        EvaluateError {
            expression: self.text.clone(),
            message,
        }
    }
}
