//! The JSON reader: from JSON text to the same tree as for YAML, with a span on every node.
//!
//! Text that is not JSON is an error, even if it is valid YAML. `serde_json` decodes each string.
//! It does not report positions, so this module has its own parser for the rest.

use crate::diagnostic::Diagnostic;
use crate::tree::{Entry, Key, Kind, Node, Position, Scalar, SizeBudget, Span};
use crate::value::is_json_number;

/// The maximum nesting depth. It equals the depth to which `serde_json` reads an event.
const MAX_DEPTH: usize = 127;

/// Reads one JSON value.
///
/// # Errors
/// The first position at which the text is not JSON.
pub fn parse(text: &str) -> Result<Node, Diagnostic> {
    let mut reader = Reader {
        rest: text,
        at: Position { line: 1, column: 1 },
        room: SizeBudget::default(),
    };
    let node = reader.value(0)?;
    reader.skip_space();
    if reader.rest.is_empty() {
        Ok(node)
    } else {
        Err(reader.expected("the end of the text"))
    }
}

struct Reader<'a> {
    rest: &'a str,
    at: Position,
    room: SizeBudget,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Node, Diagnostic> {
        self.skip_space();
        let start = self.at;
        if depth == MAX_DEPTH && self.rest.starts_with(['{', '[']) {
            return Err(
                self.diagnostic(format!("this is nested more than {MAX_DEPTH} levels deep"))
            );
        }
        self.take_room(SizeBudget { nodes: 1, text: 0 })?;
        let kind = match self.rest.chars().next() {
            Some('{') => Kind::Map(self.object(depth)?),
            Some('[') => Kind::List(self.array(depth)?),
            Some('"') => Kind::Scalar(Scalar {
                text: self.string()?,
                plain: false,
            }),
            _ => Kind::Scalar(Scalar {
                text: self.word()?.to_owned(),
                plain: true,
            }),
        };
        Ok(Node {
            span: Span {
                start,
                end: self.at,
            },
            kind,
        })
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Entry>, Diagnostic> {
        self.skip(1);
        let mut entries = Vec::new();
        if self.take('}') {
            return Ok(entries);
        }
        loop {
            self.skip_space();
            let start = self.at;
            if !self.rest.starts_with('"') {
                return Err(self.expected("a key in double quotes"));
            }
            self.take_room(SizeBudget { nodes: 1, text: 0 })?;
            let text = self.string()?;
            let key = Key {
                span: Span {
                    start,
                    end: self.at,
                },
                text,
            };
            if !self.take(':') {
                return Err(self.expected("`:` after the key"));
            }
            entries.push(Entry {
                key,
                value: self.value(depth + 1)?,
            });
            if self.take('}') {
                return Ok(entries);
            }
            if !self.take(',') {
                return Err(self.expected("`,` or `}`"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Node>, Diagnostic> {
        self.skip(1);
        let mut items = Vec::new();
        if self.take(']') {
            return Ok(items);
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take(']') {
                return Ok(items);
            }
            if !self.take(',') {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    /// Reads a string from its opening quote. `serde_json` decodes and checks the escapes.
    fn string(&mut self) -> Result<String, Diagnostic> {
        let mut escaped = false;
        let end = self
            .rest
            .char_indices()
            .skip(1)
            .find_map(|(index, character)| match character {
                _ if escaped => {
                    escaped = false;
                    None
                }
                '\\' => {
                    escaped = true;
                    None
                }
                '"' => Some(index + 1),
                _ => None,
            });
        let token = end
            .and_then(|end| self.rest.get(..end))
            .ok_or_else(|| self.diagnostic("this text has no closing quote"))?;
        let text = serde_json::from_str(token).map_err(|_| {
            self.diagnostic(
                "this text holds an escape or a control character that JSON does not allow",
            )
        })?;
        self.take_room(SizeBudget {
            nodes: 0,
            text: token.len(),
        })?;
        self.skip(token.chars().count());
        Ok(text)
    }

    fn word(&mut self) -> Result<&'a str, Diagnostic> {
        let end = self
            .rest
            .find(|c: char| c.is_ascii_whitespace() || ",:[]{}\"".contains(c))
            .unwrap_or(self.rest.len());
        let word = self.rest.get(..end).unwrap_or_default();
        if !(matches!(word, "null" | "true" | "false") || is_json_number(word)) {
            return Err(self.expected("a JSON value"));
        }
        self.skip(word.len());
        Ok(word)
    }

    fn take_room(&mut self, more: SizeBudget) -> Result<(), Diagnostic> {
        let taken = self.room.take(more);
        taken.map_err(|excess| self.diagnostic(format!("the file holds {excess}")))
    }

    /// Skips white space, and the punctuation mark if it comes next. Returns true if it did.
    fn take(&mut self, mark: char) -> bool {
        self.skip_space();
        let found = self.rest.starts_with(mark);
        if found {
            self.skip(1);
        }
        found
    }

    fn skip_space(&mut self) {
        let space = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.skip(space);
    }

    fn skip(&mut self, count: usize) {
        let mut characters = self.rest.chars();
        for character in characters.by_ref().take(count) {
            self.at = self.at.behind(character);
        }
        self.rest = characters.as_str();
    }

    fn expected(&self, what: &str) -> Diagnostic {
        self.diagnostic(format!("this is not valid JSON: expected {what}"))
    }

    fn diagnostic(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(
            Span {
                start: self.at,
                end: Position {
                    column: self.at.column + 1,
                    ..self.at
                },
            },
            message,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(node: &Node) -> serde_json::Value {
        match &node.kind {
            Kind::List(items) => items.iter().map(plain).collect(),
            Kind::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.text.clone(), plain(&entry.value)))
                .collect(),
            Kind::Scalar(scalar) if scalar.plain => {
                serde_json::from_str(&scalar.text).expect("a plain scalar is JSON")
            }
            Kind::Scalar(scalar) => scalar.text.clone().into(),
        }
    }

    #[test]
    fn places_count_lines_and_characters() {
        let node = parse("{\n  \"é\": [1, \"x\"]\n}").expect("valid");
        let Kind::Map(entries) = &node.kind else {
            panic!("an object")
        };
        let entry = entries.first().expect("one entry");
        assert_eq!(entry.key.span.start, Position { line: 2, column: 3 });
        assert_eq!(entry.value.span.start, Position { line: 2, column: 8 });
        assert_eq!(node.span.end, Position { line: 3, column: 2 });
    }

    proptest::proptest! {
        #[test]
        fn reads_what_serde_json_reads(text in r#"[\[\]{}",:0-9a-z\\ .eE+-]{0,24}"#) {
            let expected = serde_json::from_str::<serde_json::Value>(&text);
            match parse(&text) {
                // Objects with a duplicate key are not compared: this reader and serde_json treat them differently.
                Ok(node) => if let Ok(expected) = expected { if !has_duplicates(&node) { proptest::prop_assert_eq!(plain(&node), expected) } } else {
                    proptest::prop_assert!(false, "serde_json refuses {}", text);
                },
                Err(_) => proptest::prop_assert!(expected.is_err(), "serde_json takes {}", text),
            }
        }
    }

    fn has_duplicates(node: &Node) -> bool {
        match &node.kind {
            Kind::Scalar(_) => false,
            Kind::List(items) => items.iter().any(has_duplicates),
            Kind::Map(entries) => {
                let mut keys: Vec<_> = entries.iter().map(|entry| &entry.key.text).collect();
                keys.sort();
                keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
                    || entries.iter().any(|entry| has_duplicates(&entry.value))
            }
        }
    }
}
