//! Expressions and texts: how a mapping says where a value comes from.
//!
//! ```ebnf
//! value      = expression | text ;                (* first character "$": always an expression *)
//! text       = { char | interpolation } ;                  (* a literal "{{" is written {{ '{{' }} *)
//! interpolation       = "{{" ws operand { ws "|" ws filter } ws "}}" ;
//! expression = reference { ws "|" ws filter } ;
//! operand    = reference | quoted | number ;
//! ```
//!
//! [`parse()`] turns the text of one scalar into a [`ValueExpr`] once, at load; [`ValueExpr::evaluate`] then reads an event with it.
//! Nothing here loops: the work is bounded by the length of the text and the size of the event.

mod evaluate;
mod parse;
mod reference;
mod scanner;

use std::borrow::Cow;

pub use evaluate::{EvaluateError, Scope};
pub use parse::{SyntaxError, parse};
pub use reference::{Reference, Step, UnknownMember, unknown_member};

use super::filter::Filter;

/// What a scalar of the mapping computes.
#[derive(Clone, Debug)]
pub enum ValueExpr {
    /// A bare reference with its filters: the value keeps its JSON type.
    Expression(Expression),
    /// Text with interpolations, or without any: the value is text.
    Interpolated(Vec<Part>),
    /// A plain number of the mapping, in its source text.
    Number(String),
    /// A plain `true` or `false` of the mapping.
    Boolean(bool),
}

/// An operand with the filters that its value goes through, left to right.
#[derive(Clone, Debug)]
pub struct Expression {
    /// Where the value begins.
    pub operand: Operand,
    /// What is done to it.
    pub filters: Vec<Filter>,
    /// The author's own text, for messages.
    pub text: String,
}

/// Where an [`Expression`] begins.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A reference into the event, or to this run.
    Reference(Reference),
    /// Quoted text in a interpolation.
    Text(String),
    /// A number in a interpolation, in its source text.
    Number(String),
}

/// A piece of a text.
#[derive(Clone, Debug)]
pub enum Part {
    /// Characters that stand for themselves.
    Literal(String),
    /// A interpolation to fill.
    Interpolation(Expression),
}

/// A value on its way from the event to a field. A missing one (absent, null, empty text) is `None` wherever an [`Value`] is optional.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Text, never empty.
    Text(Cow<'a, str>),
    /// A number, in its source text.
    Number(Cow<'a, str>),
    /// A boolean.
    Boolean(bool),
    /// A list; items that are missing stand in it as [`Value::Null`] unless `[*]` made it.
    List(Vec<Value<'a>>),
    /// A JSON object. No filter and no field takes one, so its content is left where it is.
    Object,
    /// A null or an empty text inside a list.
    Null,
}

impl<'a> Value<'a> {
    /// The value as an item; null and empty text are missing.
    #[must_use]
    pub fn from_json(value: &'a serde_json::Value) -> Option<Self> {
        use serde_json::Value as Json;
        match value {
            Json::Null => None,
            Json::String(text) => Self::text(text.as_str()),
            Json::Number(number) => Some(Self::Number(number.as_str().into())),
            Json::Bool(boolean) => Some(Self::Boolean(*boolean)),
            Json::Array(items) => Some(Self::List(
                items
                    .iter()
                    .map(|item| Self::from_json(item).unwrap_or(Self::Null))
                    .collect(),
            )),
            Json::Object(_) => Some(Self::Object),
        }
    }

    /// Text, or missing when it is empty.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then_some(Self::Text(text))
    }

    /// The same item, free of the event and the mapping it came from.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Text(text) => Value::Text(text.into_owned().into()),
            Self::Number(text) => Value::Number(text.into_owned().into()),
            Self::Boolean(boolean) => Value::Boolean(boolean),
            Self::List(items) => Value::List(items.into_iter().map(Value::into_owned).collect()),
            Self::Object => Value::Object,
            Self::Null => Value::Null,
        }
    }

    /// Text, a number or a boolean as text: what a interpolation, a key part or a tag takes.
    ///
    /// # Errors
    /// The item is a list, an object or null.
    pub fn into_text(self) -> Result<Cow<'a, str>, Self> {
        match self {
            Self::Text(text) | Self::Number(text) => Ok(text),
            Self::Boolean(boolean) => Ok(Cow::Borrowed(if boolean { "true" } else { "false" })),
            Self::List(_) | Self::Object | Self::Null => Err(self),
        }
    }

    /// The item's type, for messages: never its value.
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(_) => "a number",
            Self::Boolean(_) => "a boolean",
            Self::List(_) => "a list",
            Self::Object => "an object",
            Self::Null => "null",
        }
    }
}

impl ValueExpr {
    /// The text at the very start that no event changes: what a custom entity's prefix is checked against.
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

    /// The value, where it is the same for every event.
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

    /// Every expression in it, in the order written.
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
