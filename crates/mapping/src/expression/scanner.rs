//! A walk along the text of a scalar: characters, runs of them, quoted text, numbers.

use std::ops::Range;

use super::super::filter::Tables;
use super::super::tree::is_json_number;
use super::SyntaxError;

/// Where the walk is.
pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) tables: &'a Tables,
}

impl<'a> Scanner<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    pub(super) fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// The longest prefix whose characters all satisfy the test.
    pub(super) fn run(&mut self, test: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let run = rest
            .get(..rest.find(|c| !test(c)).unwrap_or(rest.len()))
            .unwrap_or_default();
        self.at += run.len();
        run
    }

    pub(super) fn diagnostic<T>(
        &self,
        at: Range<usize>,
        message: impl Into<String>,
        help: Option<&str>,
    ) -> Result<T, SyntaxError> {
        let end = at.end.max(
            at.start
                + self
                    .text
                    .get(at.start..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(0, char::len_utf8),
        );
        Err(SyntaxError {
            at: at.start..end,
            message: message.into(),
            help: help.map(str::to_owned),
        })
    }

    /// Whether one more may begin here.
    pub(super) fn room(
        &self,
        count: usize,
        limit: usize,
        who: &str,
        what: &str,
    ) -> Result<(), SyntaxError> {
        if count < limit {
            return Ok(());
        }
        let message = format!("{who} at most {limit} {what}, found more");
        self.diagnostic(self.at..self.at, message, None)
    }

    pub(super) fn expected<T>(&self, what: &str) -> Result<T, SyntaxError> {
        let found = match self.peek() {
            Some(character) => format!("found `{character}`"),
            None => "the text ends here".to_owned(),
        };
        self.diagnostic(self.at..self.at, format!("expected {what}, {found}"), None)
    }

    /// Reads quoted text; a quote inside is written twice.
    pub(super) fn quoted(&mut self) -> Result<String, SyntaxError> {
        let open = self.at;
        let quote = self.peek().unwrap_or('\'');
        self.at += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.run(|c| c != quote));
            self.at += 1;
            if self.at > self.text.len() {
                self.at = self.text.len();
                return self.diagnostic(
                    open..open + 1,
                    format!("this `{quote}` has no closing `{quote}`"),
                    None,
                );
            }
            if self.peek() != Some(quote) {
                return Ok(text);
            }
            text.push(quote);
            self.at += 1;
        }
    }

    pub(super) fn number(&mut self) -> Result<String, SyntaxError> {
        let start = self.at;
        let text = self.run(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        if is_json_number(text) {
            Ok(text.to_owned())
        } else {
            self.diagnostic(
                start..self.at,
                "this is not a number as JSON writes it",
                None,
            )
        }
    }
}
