//! The mapping's text as a tree in which every node has a span.
//!
//! YAML ([`yaml`](super::yaml)) and JSON ([`json`](super::json)) both become this tree. So a mapping means the same in both formats.
//! Scalars keep their source text. Only [`Scalar::literal`] converts them to a number or a boolean, and it uses JSON's grammar:
//! `no` stays a word, `1.10` keeps its zero and `012345679012` is an account id.

use crate::value::{Value, is_json_number};

/// A position in a text: line and column, both counted from 1. The column counts characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

impl Position {
    /// Returns the position after a character that is at this position.
    #[must_use]
    pub fn behind(self, character: char) -> Self {
        match character {
            '\n' => Self {
                line: self.line + 1,
                column: 1,
            },
            _ => Self {
                column: self.column + 1,
                ..self
            },
        }
    }
}

/// A range of a text. The end is exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The position of the first character.
    pub start: Position,
    /// The position after the last character.
    pub end: Position,
}

impl Span {
    /// Returns the span of the first character alone. Diagnostics about an object of many lines use it.
    #[must_use]
    pub fn first_character(self) -> Self {
        let end = Position {
            column: self.start.column + 1,
            ..self.start
        };
        Self { end, ..self }
    }
}

/// The maximum number of nodes and keys. A hundred case mappings of 220 fields each have far fewer.
const MAX_NODES: usize = 400_000;

/// The maximum size of all texts in a tree, in bytes.
const MAX_TEXT: usize = 4_000_000;

/// The size of a tree so far. It is limited, because YAML's aliases can expand a small file to any size.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SizeBudget {
    /// The number of nodes and keys.
    pub(crate) nodes: usize,
    /// The size of their texts, in bytes.
    pub(crate) text: usize,
}

impl SizeBudget {
    /// Returns the size of a scalar or a key.
    pub(crate) fn of(text: &str) -> Self {
        Self {
            nodes: 1,
            text: text.len(),
        }
    }

    /// Returns the sum of both sizes.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(other.nodes),
            text: self.text.saturating_add(other.text),
        }
    }

    /// Adds a size and checks the limits.
    ///
    /// # Errors
    /// The limit that is exceeded, worded to follow "the file holds".
    pub(crate) fn take(&mut self, more: Self) -> Result<(), String> {
        *self = self.plus(more);
        if self.nodes > MAX_NODES {
            return Err(format!("more than {MAX_NODES} keys and values"));
        }
        if self.text > MAX_TEXT {
            return Err(format!("more than {MAX_TEXT} bytes of text"));
        }
        Ok(())
    }
}

/// A node of the tree.
#[derive(Clone, Debug)]
pub struct Node {
    /// The span in the file.
    pub span: Span,
    /// The content.
    pub kind: Kind,
}

/// The content of a [`Node`].
#[derive(Clone, Debug)]
pub enum Kind {
    /// A single value.
    Scalar(Scalar),
    /// A YAML sequence or a JSON array.
    List(Vec<Node>),
    /// A YAML mapping or a JSON object, in the order written. It may contain a key twice.
    Map(Vec<Entry>),
}

impl Node {
    /// Returns the entry of a key, if the node is an object with that key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key.text == key),
            Kind::List(_) | Kind::Scalar(_) => None,
        }
    }

    /// Returns the value of a scalar that stands for itself; `None` for nothing, `null`, empty text, a list and an object.
    #[must_use]
    pub fn constant(&self) -> Option<Value<'static>> {
        let Kind::Scalar(scalar) = &self.kind else {
            return None;
        };
        match scalar.literal() {
            Literal::Boolean(boolean) => Some(Value::Boolean(boolean)),
            Literal::Number(text) => Some(Value::Number(text.to_owned().into())),
            Literal::Text(text) => Value::text(text.to_owned()),
            Literal::Empty | Literal::Null => None,
        }
    }

    /// Returns the entries of the object at a key. The result is empty if there is no object.
    #[must_use]
    pub fn entries(&self, key: &str) -> &[Entry] {
        match self.get(key).map(|entry| &entry.value.kind) {
            Some(Kind::Map(entries)) => entries,
            _ => &[],
        }
    }

    /// Returns the items of the list at a key. The result is empty if there is no list.
    #[must_use]
    pub fn items(&self, key: &str) -> &[Node] {
        match self.get(key).map(|entry| &entry.value.kind) {
            Some(Kind::List(items)) => items,
            _ => &[],
        }
    }

    /// Returns the kind of the node in YAML's words: `a list`, `text`, ….
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "an object",
            Kind::Scalar(scalar) => match scalar.literal() {
                Literal::Empty => "nothing",
                Literal::Null => "`null`",
                Literal::Boolean(_) => "a boolean",
                Literal::Number(_) => "a number",
                Literal::Text(_) => "text",
            },
        }
    }
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key, always text.
    pub key: Key,
    /// The value.
    pub value: Node,
}

/// The key of an [`Entry`].
#[derive(Clone, Debug)]
pub struct Key {
    /// The span in the file.
    pub span: Span,
    /// The text of the key.
    pub text: String,
}

/// A scalar as written.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The text, without quotes, escapes and folding.
    pub text: String,
    /// True if it was written without quotes and outside a block. Only then can it be a number, a boolean or null.
    pub plain: bool,
}

impl Scalar {
    /// Returns the scalar's type and value by JSON's grammar.
    #[must_use]
    pub fn literal(&self) -> Literal<'_> {
        if !self.plain {
            return Literal::Text(&self.text);
        }
        match self.text.as_str() {
            "" => Literal::Empty,
            "null" => Literal::Null,
            "true" => Literal::Boolean(true),
            "false" => Literal::Boolean(false),
            text if is_json_number(text) => Literal::Number(text),
            text => Literal::Text(text),
        }
    }
}

/// A scalar's type and value by JSON's grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal<'a> {
    /// Nothing was written after the key.
    Empty,
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number, in its source text.
    Number(&'a str),
    /// Any other text, and all quoted text.
    Text(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_scalars_are_more_than_text() {
        let scalar = |text: &str, plain| Scalar {
            text: text.to_owned(),
            plain,
        };
        assert_eq!(scalar("true", true).literal(), Literal::Boolean(true));
        assert_eq!(scalar("true", false).literal(), Literal::Text("true"));
        assert_eq!(scalar("no", true).literal(), Literal::Text("no"));
        assert_eq!(scalar("~", true).literal(), Literal::Text("~"));
        assert_eq!(scalar("", true).literal(), Literal::Empty);
    }
}
