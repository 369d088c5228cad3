//! The position in the file of a part of a scalar's text.
//!
//! The text differs from the file by quotes, escapes, folding and indentation, so it is matched along the file. White space matches any
//! run of white space. In double quotes, an escape matches any character. Other characters match the next equal character.

use std::iter::Peekable;
use std::ops::Range;
use std::str::Chars;

use crate::tree::{Position, Span};

/// A file with an index of its lines. A mapping can be a megabyte with a reference on every line.
pub(crate) struct SourceText<'a> {
    text: &'a str,
    /// The start of each line, in bytes.
    starts: Vec<usize>,
}

impl<'a> SourceText<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(breaks).collect(),
        }
    }

    /// Returns the file from the start of a line on. Lines are counted from 1.
    fn rest(&self, line: usize) -> &'a str {
        let start = self.starts.get(line.saturating_sub(1));
        start
            .and_then(|start| self.text.get(*start..))
            .unwrap_or_default()
    }

    /// Returns the position in the file of the bytes `at` of a scalar's `text`. The scalar is in `span`.
    pub(crate) fn locate(&self, span: Span, text: &str, at: &Range<usize>) -> Span {
        let mut walk = Walk::new(self, span);
        let mut start = None;
        for (index, character) in text.char_indices() {
            if index >= at.end {
                break;
            }
            let Some(place) = walk.find(character) else {
                return span;
            };
            if index >= at.start && start.is_none() {
                start = Some(place);
            }
        }
        match start {
            Some(start) => Span {
                start,
                end: walk.at,
            },
            None => Span {
                start: walk.at,
                end: Position {
                    column: walk.at.column + 1,
                    ..walk.at
                },
            },
        }
    }

    /// Returns the rest of the line after a position.
    pub(crate) fn behind(&self, place: Position) -> impl Iterator<Item = char> + use<'a> {
        let line = self.rest(place.line).split('\n').next().unwrap_or_default();
        line.chars().skip(place.column.saturating_sub(1))
    }
}

/// A cursor over the characters of a span.
struct Walk<'a> {
    rest: Peekable<Chars<'a>>,
    at: Position,
    end: Position,
    /// True if the span is in double quotes, where `\` starts an escape.
    escapes: bool,
}

impl<'a> Walk<'a> {
    fn new(file: &SourceText<'a>, span: Span) -> Self {
        let mut walk = Self {
            rest: file.rest(span.start.line).chars().peekable(),
            at: Position {
                column: 1,
                ..span.start
            },
            end: span.end,
            escapes: false,
        };
        while walk.at < span.start && walk.step().is_some() {}
        walk.escapes = walk.rest.peek() == Some(&'"');
        walk
    }

    fn step(&mut self) -> Option<char> {
        let character = self.rest.next()?;
        self.at = self.at.behind(character);
        Some(character)
    }

    /// Moves past the next match of the character and returns the position of the match.
    fn find(&mut self, character: char) -> Option<Position> {
        if let Some(place) = self.escape(character) {
            return Some(place);
        }
        if character.is_whitespace() {
            let place = self.at;
            self.skip_space();
            return Some(place);
        }
        while self.at < self.end {
            if let Some(place) = self.escape(character) {
                return Some(place);
            }
            let place = self.at;
            if self.step()? == character {
                return Some(place);
            }
        }
        None
    }

    /// Moves past an escape that represents the character and returns its position. An escaped line break represents no character.
    fn escape(&mut self, character: char) -> Option<Position> {
        if !self.escapes || self.rest.peek() != Some(&'\\') {
            return None;
        }
        let place = self.at;
        self.step();
        let digits = match self.step()? {
            '\n' => {
                self.skip_space();
                return self.escape(character);
            }
            'x' => 2,
            // JSON writes a character outside the basic plane as two escapes.
            'u' if character > '\u{FFFF}' => 10,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        for _ in 0..digits {
            self.step();
        }
        Some(place)
    }

    fn skip_space(&mut self) {
        while self.rest.peek().is_some_and(|next| next.is_whitespace()) {
            self.step();
        }
    }
}
