//! Scalars: values that an event gives, constants, words.

use super::{Decoder, locate};
use crate::Content;
use crate::diagnostic::{Code, Diagnostic, alternatives, suggest};
use crate::expression::{self, SyntaxError, ValueExpr};
use crate::tree::{Kind, Literal, Node, Scalar};
use crate::value::Value;

impl Decoder<'_> {
    /// A scalar that an event gives a value to.
    pub(super) fn value(&mut self, node: &Node) -> Option<ValueExpr> {
        let Kind::Scalar(scalar) = &node.kind else {
            let interpolations =
                "a text with interpolations makes one value of several: \"{{ $.a }} {{ $.b }}\"";
            let help = matches!(node.kind, Kind::List(_)).then(|| interpolations.to_owned());
            let message = format!("expected a value, found {}", node.describe());
            return self.refuse(Diagnostic::new(node.span, message).maybe_help(help));
        };
        match scalar.literal() {
            Literal::Empty => self.refuse(Diagnostic::new(node.span, "a value is missing here")),
            Literal::Null => {
                let message = "`null` stands only for a whole field, and sends it empty";
                self.refuse(Diagnostic::new(node.span, message))
            }
            Literal::Boolean(boolean) => Some(ValueExpr::Boolean(boolean)),
            Literal::Number(text) => Some(ValueExpr::Number(text.to_owned())),
            Literal::Text("") => {
                let diagnostic = Diagnostic::new(node.span, "empty text is the same as no value");
                self.refuse(diagnostic.help("`null` sends a field empty"))
            }
            Literal::Text(text) => match expression::parse(text, &self.tables) {
                _ if scalar.plain && self.is_cut_short(node) => {
                    let message = "this text ends at ` #`, where YAML begins a comment";
                    let diagnostic = Diagnostic::new(node.span, message);
                    self.refuse(
                        diagnostic
                            .help("put all of it in quotes")
                            .code(Code::Expression),
                    )
                }
                Ok(expr) => {
                    self.look_at_references(&expr, node.span, scalar);
                    Some(expr)
                }
                Err(SyntaxError { at, message, help }) => {
                    let span = locate::locate(&self.source, node.span, &scalar.text, &at);
                    let diagnostic = Diagnostic::new(span, message).maybe_help(help);
                    self.refuse(diagnostic.code(Code::Expression))
                }
            },
        }
    }

    /// Whether what stands behind a plain scalar is a comment by mistake: `Order #{{ $.id }}`, `default('Order #1')`.
    fn is_cut_short(&self, node: &Node) -> bool {
        let behind = self.source.behind(node.span.end);
        let mut behind = behind.skip_while(|c| c.is_whitespace());
        if behind.next() != Some('#') {
            return false;
        }
        let comment: String = behind.collect();
        !comment.starts_with([' ', '#'])
            && ["{{", "')", "}}"].iter().any(|sign| comment.contains(sign))
    }

    /// What a field is filled with: a value, or nothing where plain `null` stands.
    pub(super) fn content(&mut self, node: &Node) -> Option<Content> {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.literal() == Literal::Null => Some(Content::Empty),
            _ => self.value(node).map(Content::Value),
        }
    }

    /// A scalar of a table, which stands for itself.
    pub(super) fn constant(&mut self, node: &Node) -> Option<Value<'static>> {
        let literal = match &node.kind {
            Kind::Scalar(scalar) => scalar.literal(),
            Kind::List(_) | Kind::Map(_) => Literal::Empty,
        };
        match literal {
            Literal::Boolean(boolean) => Some(Value::Boolean(boolean)),
            Literal::Number(text) => Some(Value::Number(text.to_owned().into())),
            Literal::Text(text) if !text.is_empty() => Some(Value::Text(text.to_owned().into())),
            Literal::Text(_) => self.refuse(Diagnostic::new(
                node.span,
                "empty text is the same as no value",
            )),
            Literal::Empty | Literal::Null => {
                let found = node.describe();
                let message = format!("expected text, a number or a boolean, found {found}");
                self.refuse(Diagnostic::new(node.span, message))
            }
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let names = || words.iter().map(|(name, _)| *name);
        let Kind::Scalar(Scalar { text, .. }) = &node.kind else {
            let (expected, found) = (alternatives(names()), node.describe());
            let message = format!("expected {expected}, found {found}");
            return self.refuse(Diagnostic::new(node.span, message));
        };
        let found = words.iter().find(|(name, _)| name == text);
        found.map(|(_, value)| *value).or_else(|| {
            let message = format!("expected {}, found `{text}`", alternatives(names()));
            let diagnostic = Diagnostic::new(node.span, message).maybe_help(suggest(text, names()));
            self.refuse(diagnostic.code(Code::UnknownWord))
        })
    }
}
