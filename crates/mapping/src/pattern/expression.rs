//! The list of a field: values and match expressions, such as `["running", {prefix: stop}]`.

use std::ops::Bound;
use std::slice;

use super::condition::{Condition, TextCondition};
use super::network::{Address, Network};
use super::number::{self, Number};
use super::wildcard::Wildcard;
use crate::diagnostic::{Diagnostic, listed, suggest};
use crate::tree::{Entry, Kind, Literal, Node, Scalar, Span};

const OPERATORS: [&str; 9] = [
    "anything-but",
    "cidr",
    "equals-ignore-case",
    "exactly",
    "exists",
    "numeric",
    "prefix",
    "suffix",
    "wildcard",
];

/// What `anything-but` can be combined with.
const NEGATED: [&str; 4] = ["prefix", "suffix", "equals-ignore-case", "wildcard"];

/// A field's list, read.
#[derive(Default)]
pub(super) struct Conditions {
    /// What a value can meet.
    pub(super) list: Vec<Condition>,
    /// Whether `exists: false` is among the items.
    pub(super) absent: bool,
    /// What is wrong with the list.
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Conditions {
    /// Reads the list of the field of that name.
    pub(super) fn read(name: &str, items: &[Node], span: Span) -> Self {
        let mut conditions = Self::default();
        if items.is_empty() {
            let message = format!("`{name}` takes at least one value, found an empty list");
            conditions.diagnostics.push(Diagnostic::new(span, message));
        }
        for item in items {
            let read = match &item.kind {
                Kind::Scalar(scalar) => value(item, scalar).map(Some),
                Kind::Map(entries) => conditions.expression(item, entries),
                Kind::List(_) => Err(found(
                    item,
                    &format!("`{name}` takes values and match expressions"),
                )),
            };
            match read {
                Ok(condition) => conditions.list.extend(condition),
                Err(diagnostic) => conditions.diagnostics.push(diagnostic),
            }
        }
        conditions
    }

    /// Reads a match expression; there is no condition for `exists: false`.
    fn expression(
        &mut self,
        item: &Node,
        entries: &[Entry],
    ) -> Result<Option<Condition>, Diagnostic> {
        let Entry { key, value } = only(item, entries, "a match expression")?;
        Ok(Some(match key.text.as_str() {
            "exists" => match literal(value) {
                Some(Literal::Boolean(true)) => Condition::Exists,
                Some(Literal::Boolean(false)) => {
                    self.absent = true;
                    return Ok(None);
                }
                _ => return Err(found(value, "`exists` takes `true` or `false`")),
            },
            "numeric" => Condition::Numeric(numeric(value)?),
            "cidr" => {
                Condition::Address(Network::parse(text(value, "cidr")?).map_err(|message| {
                    Diagnostic::new(value.span, message)
                        .help("one address alone is a value: [\"10.0.0.33\"]")
                })?)
            }
            "anything-but" => self.anything_but(value)?,
            operator @ ("prefix" | "suffix") => Condition::Text(affix(operator, value)?),
            operator @ ("exactly" | "equals-ignore-case" | "wildcard") => {
                Condition::Text(on_text(operator, value)?)
            }
            other => {
                let diagnostic = Diagnostic::new(
                    key.span,
                    format!("`{other}` is no operator of event patterns"),
                );
                return Err(Diagnostic {
                    help: suggest(other, OPERATORS),
                    ..diagnostic
                });
            }
        }))
    }

    fn anything_but(&mut self, node: &Node) -> Result<Condition, Diagnostic> {
        let Kind::Map(entries) = &node.kind else {
            let (first, values) = one_or_many(node, "anything-but")?;
            return match literal(first) {
                Some(Literal::Number(_)) => {
                    let numbers = values.iter().map(|item| {
                        operand(item, "`anything-but` with a number takes only numbers")
                    });
                    Ok(Condition::AnythingButNumbers(
                        self.all(numbers.map(|number| Ok(Number::new(number?.0)))),
                    ))
                }
                Some(Literal::Text(_)) => {
                    let texts = values.iter().map(|item| match literal(item) {
                        Some(Literal::Text(text)) => Ok(TextCondition::Exactly(text.to_owned())),
                        _ => Err(found(item, "`anything-but` with text takes only text")),
                    });
                    Ok(Condition::AnythingBut(self.all(texts)))
                }
                _ => Err(found(
                    first,
                    &format!(
                        "`anything-but` takes text, numbers or one of {}",
                        listed(NEGATED)
                    ),
                )),
            };
        };
        let Entry { key, value } = only(node, entries, "`anything-but`")?;
        let operator = key.text.as_str();
        if !NEGATED.contains(&operator) {
            let diagnostic = Diagnostic::new(
                key.span,
                format!("`anything-but` does not take `{operator}`"),
            );
            return Err(diagnostic.help(format!("it takes {}", listed(NEGATED))));
        }
        let (_, texts) = one_or_many(value, operator)?;
        let conditions = texts.iter().map(|item| match literal(item) {
            Some(Literal::Text("")) if matches!(operator, "prefix" | "suffix") => {
                Err(Diagnostic::new(
                    item.span,
                    format!("`{operator}` inside `anything-but` takes text that is not empty"),
                ))
            }
            _ => on_text(operator, item),
        });
        Ok(Condition::AnythingBut(self.all(conditions)))
    }

    /// Keeps what could be read, and every diagnostic.
    fn all<T>(&mut self, read: impl Iterator<Item = Result<T, Diagnostic>>) -> Vec<T> {
        read.filter_map(|read| {
            read.map_err(|diagnostic| self.diagnostics.push(diagnostic))
                .ok()
        })
        .collect()
    }
}

fn value(node: &Node, scalar: &Scalar) -> Result<Condition, Diagnostic> {
    Ok(match scalar.literal() {
        Literal::Empty => {
            return Err(
                found(node, "a list of values takes no empty item").help("write `null` or \"\"")
            );
        }
        Literal::Null => Condition::Null,
        Literal::Boolean(boolean) => Condition::Boolean(boolean),
        Literal::Number(text) => {
            refuse_inexact(node, text)?;
            Condition::Number(Number::new(text))
        }
        Literal::Text(text) => match Address::parse(text) {
            Some(address) => Condition::Address(Network::only(address)),
            None => Condition::Text(TextCondition::Exactly(text.to_owned())),
        },
    })
}

fn on_text(operator: &str, node: &Node) -> Result<TextCondition, Diagnostic> {
    let text = text(node, operator)?.to_owned();
    Ok(match operator {
        "prefix" => TextCondition::Prefix(text),
        "suffix" => TextCondition::Suffix(text),
        "equals-ignore-case" => TextCondition::EqualsIgnoreCase(text),
        "wildcard" => TextCondition::Wildcard(
            Wildcard::new(&text).map_err(|message| Diagnostic::new(node.span, message))?,
        ),
        _ => TextCondition::Exactly(text),
    })
}

/// `prefix` or `suffix`, which take text or `equals-ignore-case`.
fn affix(operator: &str, node: &Node) -> Result<TextCondition, Diagnostic> {
    let Kind::Map(entries) = &node.kind else {
        return on_text(operator, node).map_err(|diagnostic| match node.kind {
            Kind::List(_) => {
                diagnostic.help(format!("write one match expression for each {operator}"))
            }
            _ => diagnostic,
        });
    };
    let Entry { key, value } = only(node, entries, &format!("`{operator}`"))?;
    if key.text != "equals-ignore-case" {
        let diagnostic = Diagnostic::new(
            key.span,
            format!("`{operator}` does not take `{}`", key.text),
        );
        return Err(diagnostic.help("it takes text or `equals-ignore-case`"));
    }
    let text = text(value, &key.text)?.to_owned();
    Ok(if operator == "prefix" {
        TextCondition::PrefixIgnoreCase(text)
    } else {
        TextCondition::SuffixIgnoreCase(text)
    })
}

/// `numeric`: `=`, `<`, `<=`, `>` or `>=` with a number, or a lower bound and an upper one.
fn numeric(node: &Node) -> Result<(Bound<f64>, Bound<f64>), Diagnostic> {
    const EXPECTED: &str =
        "`numeric` takes a list of operator and number such as [\">\", 0, \"<=\", 5]";
    let Kind::List(items) = &node.kind else {
        return Err(found(node, EXPECTED));
    };
    let (operator, number, upper) = match items.as_slice() {
        [operator, number] => (operator, number, None),
        [operator, number, upper_operator, upper] => {
            (operator, number, Some((upper_operator, upper)))
        }
        _ => {
            return Err(Diagnostic::new(
                node.span,
                format!("{EXPECTED}, found another"),
            ));
        }
    };
    let kind = text(operator, "the operator of `numeric`")?;
    let (_, value) = operand(number, &format!("`{kind}` takes a number"))?;
    let range = match kind {
        "=" => (Bound::Included(value), Bound::Included(value)),
        "<" => (Bound::Unbounded, Bound::Excluded(value)),
        "<=" => (Bound::Unbounded, Bound::Included(value)),
        ">" => (Bound::Excluded(value), Bound::Unbounded),
        ">=" => (Bound::Included(value), Bound::Unbounded),
        other => {
            let diagnostic = Diagnostic::new(
                operator.span,
                format!("`{other}` is no operator of `numeric`"),
            );
            return Err(diagnostic.help("there is `=`, `<`, `<=`, `>` and `>=`"));
        }
    };
    let Some((upper_operator, upper)) = upper else {
        return Ok(range);
    };
    let upper_kind = text(upper_operator, "the operator of `numeric`")?;
    let (_, top) = operand(upper, &format!("`{upper_kind}` takes a number"))?;
    let upper_bound = match (range, upper_kind) {
        ((_, Bound::Unbounded), "<") => Bound::Excluded(top),
        ((_, Bound::Unbounded), "<=") => Bound::Included(top),
        _ => {
            let message = format!(
                "a range of `numeric` goes from `>` or `>=` to `<` or `<=`, found `{kind}` and `{upper_kind}`"
            );
            return Err(Diagnostic::new(upper_operator.span, message));
        }
    };
    if value >= top {
        return Err(Diagnostic::new(
            upper.span,
            "a range of `numeric` ends above the number it begins with",
        ));
    }
    Ok((range.0, upper_bound))
}

/// A number that has to be comparable, as text and as value.
fn operand<'a>(node: &'a Node, expected: &str) -> Result<(&'a str, f64), Diagnostic> {
    let Some(Literal::Number(text)) = literal(node) else {
        return Err(found(node, expected));
    };
    refuse_inexact(node, text)?;
    let value = number::comparable(text);
    let value = value.ok_or_else(|| {
        Diagnostic::new(
            node.span,
            "this number has more digits than a double can hold",
        )
    })?;
    Ok((text, value))
}

fn refuse_inexact(node: &Node, text: &str) -> Result<(), Diagnostic> {
    if number::is_inexact_integer(text) {
        let diagnostic = Diagnostic::new(
            node.span,
            "a double cannot hold this integer exactly, so no event is sure to match it",
        );
        return Err(diagnostic.help("send such an identifier as text, and write it here in quotes"));
    }
    Ok(())
}

fn text<'a>(node: &'a Node, operator: &str) -> Result<&'a str, Diagnostic> {
    match literal(node) {
        Some(Literal::Text(text)) => Ok(text),
        _ => Err(found(node, &format!("`{operator}` takes text"))),
    }
}

fn literal(node: &Node) -> Option<Literal<'_>> {
    match &node.kind {
        Kind::Scalar(scalar) => Some(scalar.literal()),
        Kind::List(_) | Kind::Map(_) => None,
    }
}

/// The items of a list that is not empty, or the node itself as the only one; with the first of them.
fn one_or_many<'a>(node: &'a Node, operator: &str) -> Result<(&'a Node, &'a [Node]), Diagnostic> {
    match &node.kind {
        Kind::List(items) => match items.first() {
            Some(first) => Ok((first, items)),
            None => Err(Diagnostic::new(
                node.span,
                format!("`{operator}` takes at least one value, found an empty list"),
            )),
        },
        Kind::Scalar(_) | Kind::Map(_) => Ok((node, slice::from_ref(node))),
    }
}

/// The only entry of an object.
fn only<'a>(node: &Node, entries: &'a [Entry], what: &str) -> Result<&'a Entry, Diagnostic> {
    match entries {
        [entry] => Ok(entry),
        [] => Err(Diagnostic::new(
            node.span,
            format!("{what} takes one operator, found none"),
        )),
        [first, second, ..] => {
            let message = format!(
                "{what} takes one operator, found `{}` and `{}`",
                first.key.text, second.key.text
            );
            Err(Diagnostic::new(second.key.span, message))
        }
    }
}

fn found(node: &Node, expected: &str) -> Diagnostic {
    Diagnostic::new(node.span, format!("{expected}, found {}", node.describe()))
}
