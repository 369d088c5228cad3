//! The text as the parser reads it: one character after the other, with nothing copied.
//!
//! The parser's own input of this kind has it reserve 128 bytes with every word of a scalar, a fifth of what a large mapping takes; its
//! other one moves every character through a buffer.

use std::str::Chars;

use saphyr_parser::Input;
use saphyr_parser::input::is_breakz;

/// A text and how far into it the parser has read.
pub(super) struct Characters<'t> {
    next: Option<char>,
    rest: Chars<'t>,
    /// How many characters the parser has asked to look ahead: all of them are there.
    ahead: usize,
}

impl<'t> Characters<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let mut rest = text.chars();
        Self {
            next: rest.next(),
            rest,
            ahead: 0,
        }
    }
}

/// Neither an end of the line or the text nor a byte order mark.
fn is_of_line(character: char) -> bool {
    !is_breakz(character) && character != '\u{FEFF}'
}

impl Input for Characters<'_> {
    fn lookahead(&mut self, count: usize) {
        self.ahead = self.ahead.max(count);
    }

    fn buflen(&self) -> usize {
        self.ahead
    }

    /// What the parser reserves with every word.
    fn bufmaxlen(&self) -> usize {
        16
    }

    fn raw_read_ch(&mut self) -> char {
        let character = self.peek();
        self.skip();
        character
    }

    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        let character = self.next.filter(|c| is_of_line(*c))?;
        self.skip();
        Some(character)
    }

    #[inline]
    fn skip(&mut self) {
        self.next = self.rest.next();
    }

    /// What the parser does with a comment.
    fn skip_while_non_breakz(&mut self) -> usize {
        let mut skipped = 0;
        while self.next.is_some_and(is_of_line) {
            self.skip();
            skipped += 1;
        }
        skipped
    }

    fn skip_n(&mut self, count: usize) {
        (0..count).for_each(|_| self.skip());
    }

    #[inline]
    fn peek(&self) -> char {
        self.next.unwrap_or('\0')
    }

    #[inline]
    fn peek_nth(&self, n: usize) -> char {
        let character = match n.checked_sub(1) {
            Some(skipped) => self.rest.clone().nth(skipped),
            None => self.next,
        };
        character.unwrap_or('\0')
    }

    #[inline]
    fn peek_opt(&self) -> Option<char> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use saphyr_parser::{Event, Parser, ScanError, Span};

    use super::*;

    /// Everything that a parser says of its text, to the first error.
    fn events<I: Input>(mut parser: Parser<'_, I>) -> (Vec<(Event<'_>, Span)>, Option<ScanError>) {
        let mut events = Vec::new();
        while let Some(event) = parser.next_event() {
            match event {
                Ok(event) => events.push(event),
                Err(error) => return (events, Some(error)),
            }
        }
        (events, None)
    }

    proptest::proptest! {
        #[test]
        fn the_parser_reads_it_as_it_reads_its_own_input(text in "([-a:?é\u{FEFF}#'\"\\\\|>&*<!%\\[\\]{},.\0\t\r\n]| |\n {0,20}|: |- |\\\\u00e9){0,40}") {
            let own = events(Parser::new_from_iter(text.chars()));
            proptest::prop_assert_eq!(events(Parser::new(Characters::of(&text))), own);
        }
    }
}
