//! Expressions and interpolated text: the values that a mapping takes from an event.
//!
//! ```ebnf
//! value         = expression | text ;        (* first character "$": always an expression *)
//! text          = { char | interpolation } ; (* a literal "{{" is written {{ '{{' }} *)
//! interpolation = "{{" ws operand { ws "|" ws filter } ws "}}" ;
//! expression    = reference { ws "|" ws filter } ;
//! operand       = reference | quoted | number ;
//! reference     = ( "$" | "$" ident ) { step } | "$$." ( "mapping" | "trigger" | "domain" ) ;
//! step          = "." name | [ "." ] "[" ws ( quoted | index | "*" | "?" or ) ws "]" ;
//! or            = and { "||" and } ;
//! and           = test { "&&" test } ;
//! test          = "!" test | "(" or ")" | side [ ( "==" | "!=" ) side ] ;
//! side          = "@" { step } | reference | literal | "null" ;
//! argument      = literal | reference ;
//! ```
//!
//! [`parse()`] compiles the text of one scalar to a [`ValueExpr`] at load time. [`ValueExpr::evaluate`] then reads an event with it.
//! The work is bounded by the length of the text and the size of the event.

mod parse;

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value as Json;

pub use self::parse::{SyntaxError, parse};
pub use crate::filter::Kind;
use crate::filter::{self, Argument, Filter};
use crate::pattern::Pattern;
use crate::reference::{self, Data, Reference};
use crate::text::{BoundedText, TooLong};
use crate::value::{Value, is_missing};

/// A compiled scalar of the mapping.
#[derive(Clone, Debug)]
pub enum ValueExpr {
    /// A reference without `{{ }}`, with its filters. The value keeps its JSON type.
    Expression(Expression),
    /// Text with or without interpolations. The value is text.
    Interpolated(Vec<Part>),
    /// A plain number of the mapping, in its source text.
    Number(String),
    /// A plain `true` or `false` of the mapping.
    Boolean(bool),
}

/// An operand and the filters that are applied to it, from left to right.
#[derive(Clone, Debug)]
pub struct Expression {
    /// The initial value.
    pub operand: Operand,
    /// The filters, from left to right.
    pub filters: Vec<Filter>,
    /// The expression as the author wrote it, for messages.
    pub text: String,
    /// The type of the value, as far as it is known at load time.
    pub kind: Kind,
}

/// The initial value of an [`Expression`].
#[derive(Clone, Debug)]
pub enum Operand {
    /// A reference to the event or to this run.
    Reference(Reference),
    /// Quoted text in an interpolation.
    Text(String),
    /// A number in an interpolation, in its source text.
    Number(String),
}

/// A part of an interpolated text.
#[derive(Clone, Debug)]
pub enum Part {
    /// Literal text.
    Literal(String),
    /// An interpolation.
    Interpolation(Expression),
}

impl ValueExpr {
    /// Returns the literal text at the start, which no event changes. The prefix of a custom entity is checked against it.
    #[must_use]
    pub fn literal_start(&self) -> &str {
        match self {
            Self::Interpolated(parts) => match parts.first() {
                Some(Part::Literal(text)) => text,
                _ => "",
            },
            Self::Number(text) => text,
            Self::Boolean(_) | Self::Expression(_) => "",
        }
    }

    /// Returns the value if it is the same for every event.
    #[must_use]
    pub fn constant(&self) -> Option<Value<'_>> {
        match self {
            Self::Interpolated(parts) => match parts.as_slice() {
                [Part::Literal(text)] => Value::text(text.as_str()),
                _ => None,
            },
            Self::Number(text) => Some(Value::Number(text.into())),
            Self::Boolean(boolean) => Some(Value::Boolean(*boolean)),
            Self::Expression(_) => None,
        }
    }

    /// Returns the first member of each event reference, with the byte range of its expression in the scalar's text.
    pub(crate) fn first_members<'a>(
        &'a self,
        text: &'a str,
    ) -> impl Iterator<Item = (&'a str, Range<usize>)> {
        self.expressions().flat_map(|expression| {
            let range = expression.range_in(text);
            expression
                .references()
                .into_iter()
                .filter_map(move |reference| Some((reference.first_member()?, range.clone())))
        })
    }

    /// Returns all expressions, in the order written.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let (bare, parts) = match self {
            Self::Expression(expression) => (Some(expression), [].as_slice()),
            Self::Interpolated(parts) => (None, parts.as_slice()),
            Self::Number(_) | Self::Boolean(_) => (None, [].as_slice()),
        };
        let interpolations = parts.iter().filter_map(|part| match part {
            Part::Interpolation(expression) => Some(expression),
            Part::Literal(_) => None,
        });
        bare.into_iter().chain(interpolations)
    }
}

/// An entry of `variables`.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The name, without `$`.
    pub name: String,
    /// The value.
    pub value: ValueExpr,
    /// The members of the event that it reads, also through other variables.
    pub members: Vec<String>,
}

/// The value of a variable, or the reason why it cannot be computed.
type Computed = Result<Option<Json>, EvaluateError>;

/// The values of a case mapping's variables for one event. Each is computed when it is first read.
#[derive(Debug, Default)]
pub struct Variables<'a> {
    definitions: &'a [Arc<Variable>],
    values: Box<[OnceCell<Computed>]>,
    /// The number of values that selectors have visited.
    visited: Cell<usize>,
    /// The size of the values of all variables so far.
    size: Cell<usize>,
}

/// The maximum number of values that the selectors of a case mapping visit in one event.
pub const MAX_VISITS: usize = 1_000_000;

/// The maximum size of the values of all variables together, in bytes. It is twice the largest event.
pub const MAX_VARIABLES_SIZE: usize = 16_000_000;

impl<'a> Variables<'a> {
    /// Creates the variables of a case mapping, without their values.
    #[must_use]
    pub fn new(definitions: &'a [Arc<Variable>]) -> Self {
        Self {
            definitions,
            values: definitions.iter().map(|_| OnceCell::new()).collect(),
            visited: Cell::new(0),
            size: Cell::new(0),
        }
    }

    /// Returns the names of the variables that were read and cannot be computed.
    pub fn invalid(&self) -> impl Iterator<Item = &'a str> {
        let invalid = |(definition, value): (&'a Arc<Variable>, &OnceCell<_>)| {
            matches!(value.get(), Some(Err(_))).then_some(definition.name.as_str())
        };
        self.definitions
            .iter()
            .zip(&self.values)
            .filter_map(invalid)
    }

    fn get(&'a self, index: usize, scope: &Scope<'a>) -> Option<&'a Computed> {
        let (definition, value) = (self.definitions.get(index)?, self.values.get(index)?);
        Some(value.get_or_init(|| {
            let value = match definition.value.node(scope) {
                Some(node) => (!is_missing(node)).then(|| node.clone()),
                None => definition.value.evaluate(scope)?.map(Value::into_json),
            };
            let size = self.size.get() + value.as_ref().map_or(0, size);
            self.size.set(size);
            if size > MAX_VARIABLES_SIZE {
                return Err(EvaluateError {
                    expression: format!("${}", definition.name),
                    message: format!("the variables hold more than {MAX_VARIABLES_SIZE} bytes"),
                });
            }
            Ok(value)
        }))
    }
}

/// Returns the approximate size of a value in memory, in bytes.
fn size(value: &Json) -> usize {
    let content = match value {
        Json::Null | Json::Bool(_) => 0,
        Json::Number(number) => number.as_str().len(),
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(size).sum(),
        Json::Object(members) => members
            .iter()
            .map(|(name, value)| name.len() + size(value))
            .sum(),
    };
    content + 32
}

/// The data that references read.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// `$`: the contact data and its parameters, or the EventBridge event.
    pub event: &'a Json,
    /// `$$.mapping`.
    pub mapping: &'a str,
    /// `$$.trigger`.
    pub trigger: &'static str,
    /// `$$.domain`.
    pub domain: &'a str,
    /// `$name`.
    pub variables: &'a Variables<'a>,
}

impl Scope<'_> {
    /// Returns true if the event and the variables match the pattern. A variable that cannot be computed is missing.
    #[must_use]
    pub fn matches(&self, pattern: &Pattern) -> bool {
        pattern.matches_with(self.event, &|index| {
            let value = self.variables.get(index, self)?;
            value.as_ref().ok()?.as_ref()
        })
    }
}

impl<'a> Data<'a> for Scope<'a> {
    fn event(&self) -> &'a Json {
        self.event
    }

    fn variable(&self, variable: &reference::Variable) -> Result<Option<&'a Json>, String> {
        match self.variables.get(variable.index, self) {
            Some(Ok(value)) => Ok(value.as_ref()),
            Some(Err(error)) => Err(format!("`${}` cannot be computed: {error}", variable.name)),
            None => Ok(None),
        }
    }

    fn run(&self, reference: &Reference) -> &'a str {
        match reference {
            Reference::Mapping => self.mapping,
            Reference::Trigger => self.trigger,
            Reference::Domain => self.domain,
            Reference::Event(_) | Reference::Variable(..) => "",
        }
    }

    fn visit(&self, values: usize) -> Result<(), String> {
        let visited = self.variables.visited.get().saturating_add(values);
        self.variables.visited.set(visited);
        if visited > MAX_VISITS {
            return Err(format!("the selectors visit more than {MAX_VISITS} values"));
        }
        Ok(())
    }
}

/// An error for a value that an expression cannot use: it has the wrong type, or the resulting text is too long.
///
/// The message quotes the author's expression and names types. It never contains a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{expression}`: {message}")]
pub struct EvaluateError {
    /// The expression as written.
    pub expression: String,
    /// The filter and the type it found, such as "`upper` takes text, found a number".
    pub message: String,
}

impl ValueExpr {
    /// Returns the value for this event, or `None` if it is missing.
    ///
    /// A text is missing if one of its interpolations is missing and does not end with `default('')`.
    /// A text of only white space is missing too.
    ///
    /// # Errors
    /// A filter or an interpolation does not accept the type of a value.
    /// The result is too long.
    pub fn evaluate<'a>(&'a self, scope: &Scope<'a>) -> Result<Option<Value<'a>>, EvaluateError> {
        match self {
            Self::Expression(expression) => Ok(expression.evaluate(scope)?.filter(has_content)),
            Self::Number(text) => Ok(Some(Value::Number(text.into()))),
            Self::Boolean(boolean) => Ok(Some(Value::Boolean(*boolean))),
            Self::Interpolated(parts) => match parts.as_slice() {
                [Part::Literal(text)] => Ok(Value::text(text.as_str())),
                parts => {
                    let mut text = BoundedText::default();
                    for part in parts {
                        let filled = match part {
                            Part::Literal(literal) => Some(literal.into()),
                            Part::Interpolation(interpolation) => interpolation.fill(scope)?,
                        };
                        let Some(filled) = filled else {
                            return Ok(None);
                        };
                        text.push(&filled)
                            .map_err(|excess| self.too_long(part, &excess))?;
                    }
                    Ok(Value::text(text.finish()).filter(has_content))
                }
            },
        }
    }

    fn too_long(&self, part: &Part, excess: &TooLong) -> EvaluateError {
        let expression = match part {
            Part::Interpolation(interpolation) => Some(interpolation),
            Part::Literal(_) => self.expressions().next(),
        };
        EvaluateError {
            expression: expression
                .map_or_else(String::new, |interpolation| interpolation.text.clone()),
            message: format!("the text that it stands in {excess}"),
        }
    }

    /// Returns the JSON that a reference without filters leads to. A list keeps its empty texts, which a value has not.
    fn node<'a>(&self, scope: &Scope<'a>) -> Option<&'a Json> {
        match self {
            Self::Expression(expression) if expression.filters.is_empty() => expression.node(scope),
            _ => None,
        }
    }

    /// Returns the value as text, for a tag, a part of a key or an ARN.
    ///
    /// # Errors
    /// The errors of [`evaluate`](Self::evaluate), and a value that is a list or an object.
    pub fn evaluate_text<'a>(
        &'a self,
        scope: &Scope<'a>,
    ) -> Result<Option<Cow<'a, str>>, EvaluateError> {
        match self {
            Self::Expression(expression) => {
                let text = expression.evaluate_text(scope)?;
                Ok(text.filter(|text| !text.trim().is_empty()))
            }
            _ => Ok(self.evaluate(scope)?.and_then(|item| item.into_text().ok())),
        }
    }
}

impl ValueExpr {
    /// Returns the first expression without a value for this event, which makes the whole value missing.
    #[must_use]
    pub fn missing(&self, scope: &Scope<'_>) -> Option<&Expression> {
        let mut missing = self
            .expressions()
            .filter(|expression| matches!(expression.evaluate(scope), Ok(None)));
        let first = missing.next()?;
        if first.may_be_empty() {
            // An expression that may be empty is the cause only if all missing ones may be empty. The whole text is then empty.
            return missing
                .find(|expression| !expression.may_be_empty())
                .or(Some(first));
        }
        Some(first)
    }
}

/// Returns true for every value except text of only white space.
fn has_content(item: &Value<'_>) -> bool {
    !matches!(item, Value::Text(text) if text.trim().is_empty())
}

impl Expression {
    /// Returns the expression's value for this event, or `None` if it is missing.
    ///
    /// # Errors
    /// A filter does not accept the type of a value.
    pub fn evaluate<'a>(&'a self, scope: &Scope<'a>) -> Result<Option<Value<'a>>, EvaluateError> {
        let mut value = match &self.operand {
            Operand::Text(text) => Value::text(text.as_str()),
            Operand::Number(text) => Some(Value::Number(text.into())),
            Operand::Reference(reference) => reference::follow(reference, scope)
                .map_err(|message| self.evaluate_error(message))?,
        };
        let mut filters = self.filters.as_slice();
        if let ([Filter::ToJson, rest @ ..], Some(node)) = (filters, self.node(scope)) {
            let json = value.map(|_| filter::to_json(node)).transpose();
            value = json.map_err(|message| self.evaluate_error(message))?;
            filters = rest;
        }
        for filter in filters {
            value = filter
                .apply(value, scope)
                .map_err(|message| self.evaluate_error(message))?;
        }
        Ok(value)
    }

    /// Returns the JSON that the operand leads to, if it is a path to one place of the event.
    fn node<'a>(&self, scope: &Scope<'a>) -> Option<&'a Json> {
        let Operand::Reference(reference) = &self.operand else {
            return None;
        };
        if reference.is_list() {
            return None;
        }
        let root = reference.root(scope).ok()??;
        let found = reference::nodes(root, reference.steps(), scope).ok()?;
        found.first().copied()
    }

    /// Returns the byte range of the expression in the scalar's text.
    pub(crate) fn range_in(&self, text: &str) -> Range<usize> {
        let start = text.find(&self.text).unwrap_or_default();
        start..start + self.text.len()
    }

    /// Returns the references of the operand, of its selectors and of the filters' arguments.
    #[must_use]
    pub fn references(&self) -> Vec<&Reference> {
        let mut references = Vec::new();
        if let Operand::Reference(reference) = &self.operand {
            reference.each(&mut |reference| references.push(reference));
        }
        for filter in &self.filters {
            filter.each_reference(&mut |reference| references.push(reference));
        }
        references
    }

    /// Returns the text of the interpolation. A missing one that may be empty gives empty text.
    fn fill<'a>(&'a self, scope: &Scope<'a>) -> Result<Option<Cow<'a, str>>, EvaluateError> {
        let text = self.evaluate_text(scope)?;
        Ok(text.or_else(|| self.may_be_empty().then_some(Cow::Borrowed(""))))
    }

    /// Returns true if the expression ends with `default('')`: a missing value is then empty text.
    #[must_use]
    pub fn may_be_empty(&self) -> bool {
        matches!(self.filters.last(), Some(Filter::Default(Argument::Text(text))) if text.is_empty())
    }

    fn evaluate_text<'a>(
        &'a self,
        scope: &Scope<'a>,
    ) -> Result<Option<Cow<'a, str>>, EvaluateError> {
        self.evaluate(scope)?
            .map(|item| {
                item.into_text().map_err(|item| {
                    let help = if matches!(item, Value::List(_)) {
                        ": join it with `join(', ')`"
                    } else {
                        ""
                    };
                    self.evaluate_error(format!(
                        "expected text, a number or a boolean, found {}{help}",
                        item.describe()
                    ))
                })
            })
            .transpose()
    }

    fn evaluate_error(&self, message: String) -> EvaluateError {
        EvaluateError {
            expression: self.text.clone(),
            message,
        }
    }
}
