//! Where in the file some part of a scalar's text stands.
//!
//! YAML's quotes, escapes, folding and indentation lie between the text and the file, so the text is walked along the file: white space
//! matches any run of white space, everything else the next equal character.

use std::iter::Peekable;
use std::ops::Range;
use std::str::Chars;

use super::super::tree::{Position, Span};

/// The place in `file` of the bytes `at` of a scalar's `text`, which stands somewhere in `span`.
pub(super) fn locate(file: &str, span: Span, text: &str, at: &Range<usize>) -> Span {
    let mut walk = Walk::new(file, span);
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

/// A walk along the characters of a span.
struct Walk<'a> {
    rest: Peekable<Chars<'a>>,
    at: Position,
    end: Position,
}

impl<'a> Walk<'a> {
    fn new(file: &'a str, span: Span) -> Self {
        let at = Position { line: 1, column: 1 };
        let mut walk = Self {
            rest: file.chars().peekable(),
            at,
            end: span.end,
        };
        while walk.at < span.start && walk.step().is_some() {}
        walk
    }

    fn step(&mut self) -> Option<char> {
        let character = self.rest.next()?;
        self.at = match character {
            '\n' => Position {
                line: self.at.line + 1,
                column: 1,
            },
            _ => Position {
                column: self.at.column + 1,
                ..self.at
            },
        };
        Some(character)
    }

    /// Steps behind the next place that shows the character, and gives that place.
    fn find(&mut self, character: char) -> Option<Position> {
        if character.is_whitespace() {
            let place = self.at;
            while self.rest.peek().is_some_and(|next| next.is_whitespace()) {
                self.step();
            }
            return Some(place);
        }
        while self.at < self.end {
            let place = self.at;
            if self.step()? == character {
                return Some(place);
            }
        }
        None
    }
}
