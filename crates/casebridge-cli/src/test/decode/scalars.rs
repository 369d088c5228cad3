//! Scalars of a test file: text, constants, words.

use mapping::diagnostic::{Code, Diagnostic, alternatives, nearest};
use mapping::tree::{Kind, Literal, Node, Scalar};
use mapping::value::Value;

use super::Decoder;

impl Decoder<'_> {
    /// Text that stands for itself, and is not empty; `what` says what takes it.
    pub(super) fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.kind {
            Kind::Scalar(scalar)
                if !matches!(
                    scalar.literal(),
                    Literal::Empty | Literal::Null | Literal::Text("")
                ) =>
            {
                Some(&scalar.text)
            }
            _ => {
                let message = format!("{what}, found {}", describe(node));
                self.refuse(Diagnostic::new(node.span, message))
            }
        }
    }

    /// A number, a boolean or text, as it stands in the file.
    pub(super) fn constant(&mut self, node: &Node) -> Option<Value<'static>> {
        let literal = match &node.kind {
            Kind::Scalar(scalar) => scalar.literal(),
            Kind::List(_) | Kind::Map(_) => Literal::Empty,
        };
        match literal {
            Literal::Boolean(boolean) => Some(Value::Boolean(boolean)),
            Literal::Number(text) => Some(Value::Number(text.to_owned().into())),
            Literal::Text(text) if !text.is_empty() => Some(Value::Text(text.to_owned().into())),
            Literal::Text(_) | Literal::Empty | Literal::Null => {
                let found = describe(node);
                let message = format!("expected text, a number or a boolean, found {found}");
                self.refuse(Diagnostic::new(node.span, message))
            }
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        node: &Node,
        words: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let names = || words.iter().map(|word| name(*word));
        let expected = alternatives(names());
        let Kind::Scalar(Scalar { text, .. }) = &node.kind else {
            let message = format!("expected {expected}, found {}", node.describe());
            return self.refuse(Diagnostic::new(node.span, message).code(Code::UnknownWord));
        };
        let found = words.iter().find(|word| name(**word) == text);
        found.copied().or_else(|| {
            let near = nearest(text, names()).map(|near| format!("did you mean `{near}`?"));
            let message = format!("expected {expected}, found `{text}`");
            let diagnostic = Diagnostic::new(node.span, message).maybe_help(near);
            self.refuse(diagnostic.code(Code::UnknownWord))
        })
    }
}

fn describe(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.literal() == Literal::Text("") => "empty text",
        _ => node.describe(),
    }
}
