//! The event of a test: the file or the object under `event`, and what `with` changes in it.

use std::path::Path;

use casebridge::error::Failure;
use casebridge::event::{Event, Payload};
use mapping::diagnostic::{Diagnostic, nearest};
use mapping::tree::{Entry, Kind, Literal, Node};
use serde_json::{Map, Number, Value};

use super::Decoder;

impl Decoder<'_> {
    /// The event as the function reads it. One that it refuses is no diagnostic: a test may be about just that.
    pub(super) fn event(&mut self, node: &Node) -> Option<Result<Event, Failure>> {
        let payload = match &node.kind {
            Kind::Map(_) => self.json(node)?.to_string(),
            Kind::Scalar(_) | Kind::List(_) => self.event_file(node)?,
        };
        match Payload::parse(&payload) {
            Ok(Payload::Event(event)) => Some(Ok(event)),
            Ok(Payload::Events(events)) => {
                let count = events.len();
                let message = format!("a test is about one event, and this is a list of {count}");
                let help = "write a test for each, with one of the list";
                self.refuse(Diagnostic::new(node.span, message).help(help))
            }
            Ok(Payload::Batch(mut messages)) => match (messages.pop(), messages.len()) {
                (Some(message), 0) => Some(message.event),
                (_, others) => {
                    let count = others + 1;
                    let message =
                        format!("a test is about one event, and this is a batch of {count}");
                    let help = "write a test for each, with the event of its message";
                    self.refuse(Diagnostic::new(node.span, message).help(help))
                }
            },
            Err(failure) => Some(Err(failure)),
        }
    }

    fn event_file(&mut self, node: &Node) -> Option<String> {
        let name = self.text(node, "an event is the name of a file, or an object")?;
        let path = self.subject.folder.join(name);
        std::fs::read_to_string(&path)
            .map_err(|error| {
                let message = format!("{} cannot be read: {error}", path.display());
                let diagnostic = Diagnostic::new(node.span, message).maybe_help(near(&path));
                self.keep(diagnostic);
            })
            .ok()
    }

    /// What `with` holds, as JSON.
    pub(super) fn patch(&mut self, node: &Node) -> Option<Map<String, Value>> {
        if let Value::Object(patch) = self.json(node)? {
            return Some(patch);
        }
        let found = node.describe();
        let message = format!("`with` is an object of what changes in the event, found {found}");
        self.refuse(Diagnostic::new(node.span, message))
    }

    fn number(&mut self, text: &str, node: &Node) -> Option<Number> {
        text.parse().ok().or_else(|| {
            self.refuse(Diagnostic::new(
                node.span,
                "this number cannot stand in an event",
            ))
        })
    }

    /// The node as JSON; scalars are what JSON's own grammar makes of them, and numbers keep their digits.
    fn json(&mut self, node: &Node) -> Option<Value> {
        match &node.kind {
            Kind::Scalar(scalar) => Some(match scalar.literal() {
                Literal::Null => Value::Null,
                Literal::Boolean(boolean) => Value::Bool(boolean),
                Literal::Number(text) => Value::Number(self.number(text, node)?),
                Literal::Text(text) => Value::String(text.to_owned()),
                Literal::Empty => {
                    let help = "write a value, `\"\"` for empty text, or `null`";
                    let diagnostic =
                        Diagnostic::new(node.span, "a value is missing here").help(help);
                    return self.refuse(diagnostic);
                }
            }),
            Kind::List(items) => {
                let values: Vec<_> = items.iter().map(|item| self.json(item)).collect();
                values.into_iter().collect::<Option<_>>().map(Value::Array)
            }
            Kind::Map(_) => {
                let entries = self.named(node, "an event is an object");
                let members: Vec<_> = entries
                    .into_iter()
                    .map(|Entry { key, value }| Some((key.text.clone(), self.json(value)?)))
                    .collect();
                members
                    .into_iter()
                    .collect::<Option<_>>()
                    .map(Value::Object)
            }
        }
    }
}

/// The file of the same folder whose name is nearly this one's.
fn near(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let entries = path.parent()?.read_dir().ok()?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    let near = nearest(name, names.iter().map(String::as_str))?;
    Some(format!("did you mean `{near}`?"))
}
