//! The parser of expressions and interpolated text: from the text of a scalar to a [`ValueExpr`].
//!
//! The parent module documents the grammar.

use std::ops::Range;

use super::{Expression, Operand, Part, ValueExpr};
use crate::diagnostic::suggest;
use crate::filter::{Argument, Definitions, Filter, Kind};
use crate::reference::{Path, Reference, Selector, Side, Step, Variable};
use crate::value::is_json_number;

/// The maximum number of steps in a reference. An event is read 127 levels deep, so another step would never find a value.
const MAX_STEPS: usize = 127;

/// The maximum number of filters in one expression.
const MAX_FILTERS: usize = 100;

/// The maximum depth of parentheses and selectors inside one selector.
const MAX_DEPTH: usize = 16;

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
/// `definitions` holds the tables and variables that the text can name.
///
/// # Errors
/// The first part that the grammar does not allow, or an unknown filter.
/// A filter that does not accept the value before it.
pub fn parse(text: &str, definitions: &Definitions) -> Result<ValueExpr, SyntaxError> {
    let mut scanner = Scanner {
        text,
        at: 0,
        definitions,
        depth: 0,
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
    if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') {
        return diagnostic;
    }
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
        self.refuse_curly_quote()?;
        let operand = match self.peek() {
            Some('$') => Operand::Reference(self.reference()?),
            Some('\'' | '"') if !bare => match self.quoted()? {
                text if text.is_empty() => {
                    return self.diagnostic(
                        start..self.at,
                        "empty text is missing, and makes the whole text missing",
                        Some("leave it out"),
                    );
                }
                text => Operand::Text(text),
            },
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
            Operand::Reference(Reference::Event(_) | Reference::Variable(..)) => Kind::Any,
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
            let help = match self.peek() {
                Some('+') => "write `| plus(…)`",
                Some('-') => "write `| minus(…)`",
                Some('*') => "write `| times(…)`",
                Some('/' | '%') => "there is no division: `| times(0.01)` turns cents into units",
                Some('?' | '=' | '!' | '<' | '>' | '&') => {
                    "a condition is an event pattern: see `choose` and `when`"
                }
                _ => {
                    "a name with a space is written ['order id']; text around a reference needs {{ … }}"
                }
            };
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
            kind,
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
        let name = self.run(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            self.at = start + 1;
            return Ok(Reference::Event(self.steps()?));
        }
        let variables = &self.definitions.variables;
        let Some(index) = variables.iter().position(|variable| variable == name) else {
            let marked: Vec<String> = variables.iter().map(|name| format!("${name}")).collect();
            let help = match suggest(&format!("${name}"), marked.iter().map(String::as_str)) {
                Some(help) if !variables.is_empty() => help,
                _ => format!("did you mean `$.{name}`?"),
            };
            let message = format!("there is no variable `{name}` above this line");
            return self.diagnostic(start..self.at, message, Some(&help));
        };
        let variable = Variable {
            name: name.to_owned(),
            index,
        };
        Ok(Reference::Variable(variable, self.steps()?))
    }

    fn steps(&mut self) -> Result<Vec<Step>, SyntaxError> {
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
                        _ => match self.name() {
                            "" => return self.expected("a member's name after `.`"),
                            "*" => {
                                return self.diagnostic(
                                    self.at - 2..self.at,
                                    "`.*` is not supported",
                                    Some("every item of a list is `[*]`; a member of this name is `['*']`"),
                                );
                            }
                            name => steps.push(Step::Member(name.to_owned())),
                        },
                    }
                }
                _ => return Ok(steps),
            }
        }
    }

    /// Reads a name after `.`. In a selector it also ends at the signs of comparisons.
    fn name(&mut self) -> &str {
        let in_selector = self.depth > 0;
        self.run(|c| is_name(c) && !(in_selector && "=!<>&".contains(c)))
    }

    /// Reads the condition of `[?…]`.
    fn selector(&mut self) -> Result<Selector, SyntaxError> {
        self.room(self.depth, MAX_DEPTH, "a selector takes", "levels")?;
        self.depth += 1;
        let selector = self.any();
        self.depth -= 1;
        selector
    }

    fn any(&mut self) -> Result<Selector, SyntaxError> {
        let mut all = vec![self.all()?];
        while self.take("||") {
            all.push(self.all()?);
        }
        match all.pop() {
            Some(one) if all.is_empty() => Ok(one),
            last => {
                all.extend(last);
                Ok(Selector::Or(all))
            }
        }
    }

    fn all(&mut self) -> Result<Selector, SyntaxError> {
        let mut all = vec![self.test()?];
        while self.take("&&") {
            all.push(self.test()?);
        }
        match all.pop() {
            Some(one) if all.is_empty() => Ok(one),
            last => {
                all.extend(last);
                Ok(Selector::And(all))
            }
        }
    }

    /// Reads one test and the white space around it.
    fn test(&mut self) -> Result<Selector, SyntaxError> {
        self.space();
        if self.take("!") {
            self.room(self.depth, MAX_DEPTH, "a selector takes", "levels")?;
            self.depth += 1;
            let test = self.test();
            self.depth -= 1;
            return test.map(|test| Selector::Not(Box::new(test)));
        }
        let start = self.at;
        if self.take("(") {
            let inner = self.selector()?;
            if !self.take(")") {
                return self.expected("`)`");
            }
            self.space();
            self.refuse_ordering()?;
            return Ok(inner);
        }
        let left = self.side()?;
        let end = self.at;
        self.space();
        self.refuse_ordering()?;
        let equal = if self.take("==") {
            true
        } else if self.take("!=") {
            false
        } else if self.rest().starts_with('=') {
            return self.diagnostic(
                self.at..self.at + 1,
                "`=` compares nothing",
                Some("write `==`"),
            );
        } else {
            return match left {
                Side::Path(path) => Ok(Selector::Exists(path)),
                Side::Literal(_) => self.diagnostic(
                    start..end,
                    "a literal alone is no condition",
                    Some("compare it: `@.type == 'letter'`"),
                ),
            };
        };
        self.space();
        let right_start = self.at;
        let right = self.side()?;
        for (side, at) in [(&left, start..end), (&right, right_start..self.at)] {
            if side.is_list() {
                return self.diagnostic(
                    at,
                    "a comparison takes one value, and this is a list",
                    Some("name one item, such as `[0]`"),
                );
            }
        }
        self.space();
        Ok(Selector::Compare { left, right, equal })
    }

    fn refuse_ordering(&self) -> Result<(), SyntaxError> {
        let (sign, help) = match self.peek() {
            Some('<' | '>') => (
                1,
                "compare amounts by an event pattern over a variable: `when: { $total: [{ numeric: ['>', 1000] }] }`",
            ),
            Some('~') => (1, "take a part of a text with `| extract('…')`"),
            _ if self.rest().starts_with("=~") => {
                (2, "take a part of a text with `| extract('…')`")
            }
            _ => return Ok(()),
        };
        let message = "a selector compares with `==` and `!=` only";
        self.diagnostic(self.at..self.at + sign, message, Some(help))
    }

    /// Reads a side of a comparison, or a path alone.
    fn side(&mut self) -> Result<Side, SyntaxError> {
        let start = self.at;
        match self.peek() {
            Some('@') => {
                self.at += 1;
                Ok(Side::Path(Path::Item(self.steps()?)))
            }
            Some('$') => Ok(Side::Path(Path::Reference(self.reference()?))),
            Some('\'' | '"') => Ok(Side::Literal(self.quoted()?.into())),
            Some('-' | '0'..='9') => {
                let number = self.number()?.parse();
                let number = number.map_or(serde_json::Value::Null, serde_json::Value::Number);
                Ok(Side::Literal(number))
            }
            _ => {
                let word = self.run(|c| c.is_alphanumeric() || c == '_' || c == '.');
                match word {
                    "true" => Ok(Side::Literal(true.into())),
                    "false" => Ok(Side::Literal(false.into())),
                    "null" => Ok(Side::Literal(serde_json::Value::Null)),
                    "" => self.expected("`@`, a reference or a literal"),
                    word if self.peek() == Some('(') => {
                        let help = if ["match", "search", "matches"].contains(&word) {
                            "take a part of a text with `| extract('…')`, or use `wildcard` in an event pattern"
                        } else {
                            "a condition compares members: `@.type == 'letter'`"
                        };
                        self.diagnostic(
                            start..self.at,
                            format!("there is no function `{word}` in a selector"),
                            Some(help),
                        )
                    }
                    word => self.diagnostic(
                        start..self.at,
                        "expected `@`, a reference or a literal",
                        Some(&format!(
                            "a member of the item is `@.{word}`, text is '{word}'"
                        )),
                    ),
                }
            }
        }
    }

    fn bracket(&mut self) -> Result<Step, SyntaxError> {
        let open = self.at;
        self.at += 1;
        self.space();
        self.refuse_curly_quote()?;
        let step = match self.peek() {
            Some('?') => {
                self.at += 1;
                Step::Select(self.selector()?)
            }
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
            Some(':') => return self.slice(open),
            Some(character) if character.is_alphabetic() || character == '_' => {
                let start = self.at;
                let name = self.run(is_name);
                let help = format!("a name in brackets has quotes: ['{name}']");
                return self.diagnostic(
                    start..self.at,
                    "expected a quoted name, an index, `*` or `?` after `[`",
                    Some(&help),
                );
            }
            _ => return self.expected("a quoted name, an index, `*` or `?` after `[`"),
        };
        self.space();
        match self.peek() {
            Some(':') => return self.slice(open),
            Some(',') => {
                let help = "write a reference for each of them, or keep the list in a variable";
                return self.diagnostic(
                    open..self.at + 1,
                    "several names or indexes in one `[ ]` are not supported",
                    Some(help),
                );
            }
            _ => {}
        }
        if self.take("]") {
            Ok(step)
        } else {
            let help = match self.rest().split([' ', ']']).next() {
                Some("and") => Some("write `&&`"),
                Some("or") => Some("write `||`"),
                Some("in" | "contains" | "is") => {
                    Some("compare with `==` or `!=`; `||` joins several")
                }
                _ => None,
            };
            self.diagnostic(open..self.at, "this `[` is not closed", help)
        }
    }

    fn slice<T>(&self, open: usize) -> Result<T, SyntaxError> {
        let message = "slices such as [1:3] are not supported";
        let help = "take one item by its index, or all with `[*]`";
        self.diagnostic(open..self.at + 1, message, Some(help))
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
                    if self.peek() == Some('|') {
                        return self.diagnostic(
                            self.at..self.at + 1,
                            "an argument has no filters",
                            Some("keep the value in a variable, and name the variable here"),
                        );
                    }
                    if !self.take(",") {
                        return self.expected("`,` or `)`");
                    }
                    self.space();
                }
                arguments.push(self.argument()?);
                self.space();
            }
        }
        Filter::new(name, arguments, before, self.definitions).map_err(|(message, help)| {
            SyntaxError {
                at: start..self.at,
                message,
                help,
            }
        })
    }

    /// Reports a quote of a word processor.
    fn refuse_curly_quote(&self) -> Result<(), SyntaxError> {
        let Some(quote) = self.peek().filter(|c| "‘’“”‚„«»´`".contains(*c)) else {
            return Ok(());
        };
        let straight = if "“”„«»".contains(quote) {
            '"'
        } else {
            '\''
        };
        let message = format!("`{quote}` is no straight quote");
        let help = format!(
            "write {straight}text{straight}: word processors make curly quotes of straight ones"
        );
        self.diagnostic(self.at..self.at + quote.len_utf8(), message, Some(&help))
    }

    fn argument(&mut self) -> Result<Argument, SyntaxError> {
        self.refuse_curly_quote()?;
        match self.peek() {
            Some('\'' | '"') => Ok(Argument::Text(self.quoted()?)),
            Some('-' | '0'..='9') => Ok(Argument::Number(self.number()?)),
            Some('$') => Ok(Argument::Reference(self.reference()?)),
            _ => {
                let start = self.at;
                match self.run(is_name) {
                    "true" => Ok(Argument::Boolean(true)),
                    "false" => Ok(Argument::Boolean(false)),
                    "" => self.expected("quoted text, a number, `true`, `false` or a reference"),
                    word => self.diagnostic(
                        start..self.at,
                        "a filter takes quoted text, a number, `true`, `false` or a reference",
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
    definitions: &'a Definitions,
    /// The number of open parentheses and selectors.
    depth: usize,
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
