//! Expressions and texts: how a mapping says where a value comes from.
//!
//! ```ebnf
//! value      = expression | text ;                (* first character "$": always an expression *)
//! text       = { char | hole } ;                  (* a literal "{{" is written {{ '{{' }} *)
//! hole       = "{{" ws operand { ws "|" ws filter } ws "}}" ;
//! expression = reference { ws "|" ws filter } ;
//! operand    = reference | quoted | number ;
//! ```
//!
//! [`parse()`] turns the text of one scalar into a [`Template`] once, at load; [`Template::evaluate`] then reads an event with it.
//! Nothing here loops: the work is bounded by the length of the template and the size of the event.

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
pub enum Template {
    /// A bare reference with its filters: the value keeps its JSON type.
    Expression(Expression),
    /// Text with holes, or without any: the value is text.
    Text(Vec<Part>),
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
    /// Quoted text in a hole.
    Text(String),
    /// A number in a hole, in its source text.
    Number(String),
}

/// A piece of a text.
#[derive(Clone, Debug)]
pub enum Part {
    /// Characters that stand for themselves.
    Literal(String),
    /// A hole to fill.
    Hole(Expression),
}

/// A value on its way from the event to a field. A missing one (absent, null, empty text) is `None` wherever an [`Item`] is optional.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'a> {
    /// Text, never empty.
    Text(Cow<'a, str>),
    /// A number, in its source text.
    Number(Cow<'a, str>),
    /// A boolean.
    Boolean(bool),
    /// A list; items that are missing stand in it as [`Item::Null`] unless `[*]` made it.
    List(Vec<Item<'a>>),
    /// A JSON object. No filter and no field takes one, so its content is left where it is.
    Object,
    /// A null or an empty text inside a list.
    Null,
}

impl<'a> Item<'a> {
    /// The value as an item; null and empty text are missing.
    #[must_use]
    pub fn from_json(value: &'a serde_json::Value) -> Option<Self> {
        use serde_json::Value;
        match value {
            Value::Null => None,
            Value::String(text) => Self::text(text.as_str()),
            Value::Number(number) => Some(Self::Number(number.as_str().into())),
            Value::Bool(boolean) => Some(Self::Boolean(*boolean)),
            Value::Array(items) => Some(Self::List(
                items
                    .iter()
                    .map(|item| Self::from_json(item).unwrap_or(Self::Null))
                    .collect(),
            )),
            Value::Object(_) => Some(Self::Object),
        }
    }

    /// Text, or missing when it is empty.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then_some(Self::Text(text))
    }

    /// The same item, free of the event and the mapping it came from.
    #[must_use]
    pub fn into_owned(self) -> Item<'static> {
        match self {
            Self::Text(text) => Item::Text(text.into_owned().into()),
            Self::Number(text) => Item::Number(text.into_owned().into()),
            Self::Boolean(boolean) => Item::Boolean(boolean),
            Self::List(items) => Item::List(items.into_iter().map(Item::into_owned).collect()),
            Self::Object => Item::Object,
            Self::Null => Item::Null,
        }
    }

    /// Text, a number or a boolean as text: what a hole, a key part or a tag takes.
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

impl Template {
    /// The text at the very start that no event changes: what a custom entity's prefix is checked against.
    #[must_use]
    pub fn literal_start(&self) -> &str {
        match self {
            Self::Text(parts) => match parts.first() {
                Some(Part::Literal(text)) => text,
                _ => "",
            },
            Self::Number(text) => text,
            Self::Boolean(_) | Self::Expression(_) => "",
        }
    }

    /// The value, where it is the same for every event.
    #[must_use]
    pub fn constant(&self) -> Option<Item<'_>> {
        match self {
            Self::Text(parts) => match parts.as_slice() {
                [Part::Literal(text)] => Item::text(text.as_str()),
                _ => None,
            },
            Self::Number(text) => Some(Item::Number(text.into())),
            Self::Boolean(boolean) => Some(Item::Boolean(*boolean)),
            Self::Expression(_) => None,
        }
    }

    /// Every expression in it, in the order written.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let (bare, parts) = match self {
            Self::Expression(expression) => (Some(expression), [].as_slice()),
            Self::Text(parts) => (None, parts.as_slice()),
            Self::Number(_) | Self::Boolean(_) => (None, [].as_slice()),
        };
        let holes = parts.iter().filter_map(|part| match part {
            Part::Hole(expression) => Some(expression),
            Part::Literal(_) => None,
        });
        bare.into_iter().chain(holes)
    }
}
