//! The parser of expressions and interpolated text: from the text of a scalar to a [`ValueExpr`].
//!
//! The parent module documents the grammar.

use std::ops::Range;

use super::{Expression, Operand, Part, Reference, Step, ValueExpr};
use crate::filter::{Argument, Filter, Kind, Tables};
use crate::value::is_json_number;

/// The maximum number of steps in a reference. An event is read 127 levels deep, so another step would never find a value.
const MAX_STEPS: usize = 127;

/// The maximum number of filters in one expression.
const MAX_FILTERS: usize = 100;

/// The maximum number of interpolations in one text.
const MAX_INTERPOLATIONS: usize = 1000;

/// An error in a scalar's text, with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The position, in bytes of the scalar's text.
    pub at: Range<usize>,
    /// The message: the expected and the found.
    pub message: String,
    /// The fix, a sentence in lower case.
    pub help: Option<String>,
}

/// Parses the text of one scalar.
///
/// `tables` holds the tables that `lookup` can name.
///
/// # Errors
/// The first part that the grammar does not allow, or an unknown filter.
/// A filter that does not accept the value before it.
pub fn parse(text: &str, tables: &Tables) -> Result<ValueExpr, SyntaxError> {
    let mut scanner = Scanner {
        text,
        at: 0,
        tables,
    };
    if text.starts_with('$') {
        let expression = scanner
            .expression(true)
            .map_err(|diagnostic| money(text, diagnostic))?;
        return Ok(ValueExpr::Expression(expression));
    }
    let mut parts = Vec::new();
    let mut interpolations = 0;
    while !scanner.rest().is_empty() {
        let literal = scanner.rest().split("{{").next().unwrap_or_default();
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.to_owned()));
            scanner.at += literal.len();
        }
        if scanner.rest().starts_with("{{") {
            scanner.room(
                interpolations,
                MAX_INTERPOLATIONS,
                "a text takes",
                "interpolations",
            )?;
            parts.push(Part::Interpolation(scanner.interpolation()?));
            interpolations += 1;
        }
    }
    Ok(ValueExpr::Interpolated(parts))
}

/// Adds help for text such as `$5 off`, which starts like a reference but is not one.
fn money(text: &str, diagnostic: SyntaxError) -> SyntaxError {
    if ["$.", "$[", "$$"]
        .iter()
        .any(|start| text.starts_with(start))
    {
        return diagnostic;
    }
    let rest = text.strip_prefix('$').unwrap_or(text);
    let help = if rest.contains("{{") {
        format!("begin it with {{{{ '$' }}}}: \"{{{{ '$' }}}}{rest}\"")
    } else if rest.starts_with(|c: char| c.is_alphabetic()) {
        format!("did you mean `$.{rest}`?")
    } else {
        format!(
            "plain text is written \"{{{{ '{}' }}}}\"",
            text.replace('\'', "''")
        )
    };
    SyntaxError {
        at: 0..text.len(),
        message: "a value that begins with `$` is a reference, and this is none: one begins with `$.` or `$[`".to_owned(),
        help: Some(help),
    }
}

impl Scanner<'_> {
    fn interpolation(&mut self) -> Result<Expression, SyntaxError> {
        let open = self.at;
        self.at += 2;
        self.space();
        if self.peek() == Some('}') {
            return self.diagnostic(
                open..self.at,
                "this interpolation is empty",
                Some("put a reference in it: {{ $.detail.order.id }}"),
            );
        }
        let expression = self.expression(false)?;
        if !self.take("}}") {
            if self.rest().is_empty() {
                return self.diagnostic(
                    open..open + 2,
                    "this `{{` has no `}}`",
                    Some("a literal `{{` is written {{ '{{' }}"),
                );
            }
            return self.expected("`|` and a filter, or `}}`");
        }
        Ok(expression)
    }

    /// Reads an operand and its filters. A bare expression starts with a reference and ends with the text.
    fn expression(&mut self, bare: bool) -> Result<Expression, SyntaxError> {
        let start = self.at;
        let operand = match self.peek() {
            Some('$') => Operand::Reference(self.reference()?),
            Some('\'' | '"') if !bare => Operand::Text(self.quoted()?),
            Some('-' | '0'..='9') if !bare => Operand::Number(self.number()?),
            _ => {
                let word = self
                    .rest()
                    .split(['}', '|', ' '])
                    .next()
                    .unwrap_or_default();
                let help = format!("a reference begins with `$.`: did you mean `$.{word}`?");
                let known = !word.is_empty()
                    && word
                        .chars()
                        .all(|c| c.is_alphanumeric() || "._-".contains(c));
                return self.diagnostic(
                    start..start + word.len(),
                    "expected a reference, quoted text or a number",
                    known.then_some(&help),
                );
            }
        };
        let mut kind = match &operand {
            Operand::Reference(reference) if reference.is_list() => Kind::List,
            Operand::Reference(Reference::Event(_)) => Kind::Any,
            Operand::Reference(_) | Operand::Text(_) => Kind::Text,
            Operand::Number(_) => Kind::Number,
        };
        let mut filters = Vec::new();
        let mut end = self.at;
        loop {
            self.space();
            if !self.take("|") {
                break;
            }
            self.space();
            self.room(filters.len(), MAX_FILTERS, "an expression takes", "filters")?;
            let filter = self.filter(kind)?;
            kind = filter.gives(kind);
            filters.push(filter);
            end = self.at;
        }
        if bare && !self.rest().is_empty() {
            let help = "a name with a space is written ['order id']; text around a reference needs {{ … }}";
            return self
                .expected("`|` and a filter, or the end")
                .map_err(|diagnostic| SyntaxError {
                    help: Some(help.to_owned()),
                    ..diagnostic
                });
        }
        Ok(Expression {
            operand,
            filters,
            text: self.text.get(start..end).unwrap_or_default().to_owned(),
        })
    }

    fn reference(&mut self) -> Result<Reference, SyntaxError> {
        let start = self.at;
        self.at += 1;
        if self.take("$") {
            let word = if self.take(".") {
                self.run(is_name)
            } else {
                ""
            };
            return match word {
                "mapping" => Ok(Reference::Mapping),
                "trigger" => Ok(Reference::Trigger),
                "domain" => Ok(Reference::Domain),
                _ => self.diagnostic(
                    start..self.at,
                    "`$$` is this run, and there is no such member in it",
                    Some("there is `$$.mapping`, `$$.trigger` and `$$.domain`"),
                ),
            };
        }
        let mut steps = Vec::new();
        loop {
            if matches!(self.peek(), Some('[' | '.')) {
                self.room(steps.len(), MAX_STEPS, "a reference takes", "steps")?;
            }
            match self.peek() {
                Some('[') => steps.push(self.bracket()?),
                Some('.') => {
                    self.at += 1;
                    match self.peek() {
                        Some('[') => steps.push(self.bracket()?),
                        Some('.') => {
                            return self.diagnostic(
                                self.at - 1..self.at + 1,
                                "`..` is not supported",
                                Some("write the full path"),
                            );
                        }
                        _ => match self.run(is_name) {
                            "" => return self.expected("a member's name after `.`"),
                            name => steps.push(Step::Member(name.to_owned())),
                        },
                    }
                }
                _ if steps.is_empty() => return self.expected("`.` or `[` after `$`"),
                _ => return Ok(Reference::Event(steps)),
            }
        }
    }

    fn bracket(&mut self) -> Result<Step, SyntaxError> {
        let open = self.at;
        self.at += 1;
        let step = match self.peek() {
            Some('*') => {
                self.at += 1;
                Step::Every
            }
            Some('\'' | '"') => Step::Member(self.quoted()?),
            Some('-' | '0'..='9') => {
                let from_end = self.take("-");
                let digits = self.run(|c| c.is_ascii_digit());
                match (digits.parse(), from_end) {
                    (Ok(index), false) => Step::Index(index),
                    (Ok(distance), true) if distance > 0 => Step::FromEnd(distance),
                    _ => {
                        return self.diagnostic(
                            open..self.at,
                            "this is no index of a list",
                            Some("the first item is [0], the last [-1]"),
                        );
                    }
                }
            }
            _ => return self.expected("a quoted name, an index or `*` after `[`"),
        };
        if self.take("]") {
            Ok(step)
        } else {
            self.diagnostic(open..self.at, "this `[` is not closed", None)
        }
    }

    fn filter(&mut self, before: Kind) -> Result<Filter, SyntaxError> {
        let start = self.at;
        let name = self.run(|c| c.is_ascii_alphanumeric() || c == '_');
        if name.is_empty() {
            return self.expected("a filter's name after `|`");
        }
        let mut arguments = Vec::new();
        if self.take("(") {
            self.space();
            while !self.take(")") {
                if !arguments.is_empty() {
                    if !self.take(",") {
                        return self.expected("`,` or `)`");
                    }
                    self.space();
                }
                arguments.push(self.argument()?);
                self.space();
            }
        }
        Filter::new(name, arguments, before, self.tables).map_err(|(message, help)| SyntaxError {
            at: start..self.at,
            message,
            help,
        })
    }

    fn argument(&mut self) -> Result<Argument, SyntaxError> {
        match self.peek() {
            Some('\'' | '"') => Ok(Argument::Text(self.quoted()?)),
            Some('-' | '0'..='9') => Ok(Argument::Number(self.number()?)),
            _ => {
                let start = self.at;
                match self.run(is_name) {
                    "true" => Ok(Argument::Boolean(true)),
                    "false" => Ok(Argument::Boolean(false)),
                    "" => self.expected("quoted text, a number, `true` or `false`"),
                    word => self.diagnostic(
                        start..self.at,
                        "a filter takes quoted text, a number, `true` or `false`",
                        Some(&format!("write '{word}'")),
                    ),
                }
            }
        }
    }
}

/// Returns true for the characters of a name after `.`: all that start nothing else in the grammar.
fn is_name(character: char) -> bool {
    let begins_other = matches!(
        character,
        '.' | '[' | ']' | '{' | '}' | '(' | ')' | '|' | ',' | '\'' | '"'
    );
    !(begins_other || character.is_whitespace())
}

/// A cursor over the text of a scalar.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
    tables: &'a Tables,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Consumes and returns the longest prefix in which every character passes the test.
    fn run(&mut self, test: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let run = rest
            .get(..rest.find(|c| !test(c)).unwrap_or(rest.len()))
            .unwrap_or_default();
        self.at += run.len();
        run
    }

    fn diagnostic<T>(
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

    /// Checks that the limit allows one more.
    fn room(&self, count: usize, limit: usize, who: &str, what: &str) -> Result<(), SyntaxError> {
        if count < limit {
            return Ok(());
        }
        let message = format!("{who} at most {limit} {what}, found more");
        self.diagnostic(self.at..self.at, message, None)
    }

    fn expected<T>(&self, what: &str) -> Result<T, SyntaxError> {
        let found = match self.peek() {
            Some(character) => format!("found `{character}`"),
            None => "the text ends here".to_owned(),
        };
        self.diagnostic(self.at..self.at, format!("expected {what}, {found}"), None)
    }

    /// Reads quoted text. Two quotes inside it mean one quote.
    fn quoted(&mut self) -> Result<String, SyntaxError> {
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

    fn number(&mut self) -> Result<String, SyntaxError> {
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
