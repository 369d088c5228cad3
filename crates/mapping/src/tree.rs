//! The mapping's text as a tree in which every node knows its place.
//!
//! YAML ([`yaml`](super::yaml)) and JSON ([`json`](super::json)) both become this tree, so a JSON mapping means what the same YAML means.
//! Scalars keep their source text: nothing is resolved to a number or a boolean until a decoder asks ([`Scalar::literal`]), and then only
//! by JSON's own grammar, so that `no` stays a word, `1.10` keeps its zero and `012345679012` is an account id.

use crate::value::is_json_number;

/// A place in a text: line and column, both from 1, the column in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The place behind a character that stands here.
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

/// A stretch of a text; the end is exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first character.
    pub start: Position,
    /// The place behind the last character.
    pub end: Position,
}

impl Span {
    /// The first character alone: what a diagnostic about an object of many lines points at.
    #[must_use]
    pub fn first_character(self) -> Self {
        let end = Position {
            column: self.start.column + 1,
            ..self.start
        };
        Self { end, ..self }
    }
}

/// More nodes, keys among them, are refused: a hundred case mappings of 220 fields each stay far below.
const MAX_NODES: usize = 400_000;

/// More bytes of text are refused.
const MAX_TEXT: usize = 4_000_000;

/// The size of a tree so far, against its limits. YAML's aliases can make a tree of any size from a small file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SizeBudget {
    /// Nodes and keys.
    pub(super) nodes: usize,
    /// Bytes of their texts.
    pub(super) text: usize,
}

impl SizeBudget {
    /// The room of a scalar or a key.
    pub(super) fn of(text: &str) -> Self {
        Self {
            nodes: 1,
            text: text.len(),
        }
    }

    /// The room of both.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(other.nodes),
            text: self.text.saturating_add(other.text),
        }
    }

    /// Takes more.
    ///
    /// # Errors
    /// The limit that is exceeded, to follow "the file holds".
    pub(super) fn take(&mut self, more: Self) -> Result<(), String> {
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
    /// The place in the file.
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
    /// A YAML mapping or a JSON object, in the order written; a key may stand in it twice.
    Map(Vec<Entry>),
}

impl Node {
    /// Returns the entry of a key, where the node is an object that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key.text == key),
            Kind::List(_) | Kind::Scalar(_) => None,
        }
    }

    /// Returns the entries of the object that a key holds; none where it holds no object.
    pub(crate) fn entries(&self, key: &str) -> &[Entry] {
        match self.get(key).map(|entry| &entry.value.kind) {
            Some(Kind::Map(entries)) => entries,
            _ => &[],
        }
    }

    /// Returns the items of the list that a key holds; none where it holds no list.
    pub(crate) fn items(&self, key: &str) -> &[Node] {
        match self.get(key).map(|entry| &entry.value.kind) {
            Some(Kind::List(items)) => items,
            _ => &[],
        }
    }

    /// Returns the kind of the node in words that a reader of YAML knows: `a list`, `text`, ….
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
    /// The place in the file.
    pub span: Span,
    /// Its text.
    pub text: String,
}

/// A scalar as written.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The text, after YAML or JSON has read quotes, escapes and folding.
    pub text: String,
    /// True if it stood without quotes and outside a block: only then can it be a number, a boolean or null.
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
    /// Nothing at all was written after the key.
    Empty,
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number, in its source text.
    Number(&'a str),
    /// Anything else, and everything quoted.
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
