//! From the parser's marks to the places that a reader of the text counts.

use saphyr_parser::{Marker, Span as Marks};

use crate::tree::{Position, Span};

/// Where the lines of a text begin, in characters.
///
/// The parser counts a line more behind the last one, and one at each carriage return; a reader and an editor do not.
pub(super) struct Lines {
    starts: Vec<usize>,
    length: usize,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let mut starts = vec![0];
        let mut length = 0;
        for byte in text.bytes() {
            // Every byte but those that continue a character.
            length += usize::from(byte & 0xc0 != 0x80);
            if byte == b'\n' {
                starts.push(length);
            }
        }
        Self { starts, length }
    }

    /// The place of a character by its number.
    pub(super) fn at(&self, index: usize) -> Position {
        let index = index.min(self.length);
        self.on(self.starts.partition_point(|start| *start <= index), index)
    }

    /// The place of a mark: on the line that the parser counted, where that is right.
    pub(super) fn position(&self, mark: Marker) -> Position {
        let (index, line) = (mark.index(), mark.line());
        let begun = |line: usize| self.starts.get(line).is_some_and(|start| *start <= index);
        let counted_right = line.checked_sub(1).is_some_and(begun) && !begun(line);
        if counted_right && index <= self.length {
            self.on(line, index)
        } else {
            self.at(index)
        }
    }

    /// The place of a character on a line that is counted from 1.
    fn on(&self, line: usize, index: usize) -> Position {
        let start = line.checked_sub(1).and_then(|line| self.starts.get(line));
        let column = index - start.unwrap_or(&0) + 1;
        Position { line, column }
    }

    pub(super) fn span(&self, marks: Marks) -> Span {
        Span {
            start: self.position(marks.start),
            end: self.position(marks.end),
        }
    }
}
