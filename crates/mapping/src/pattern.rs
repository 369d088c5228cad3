//! Event patterns: EventBridge's conditions over an event, for every `when` of a mapping.
//!
//! [`Pattern::compile`] turns a node of the mapping's tree into a pattern, or into all its diagnostics at their places; [`Pattern::matches`] then
//! gives the verdict of AWS Event Ruler, the library that EventBridge matches with, on any event. The operators are those of
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>.
//!
//! One pattern is refused that Event Ruler takes: an integer that a double cannot hold exactly, because no number in an event would equal it
//! except one written with the same digits.

mod compile;
mod condition;
mod matching;

use serde_json::Value;

use self::condition::Condition;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::tree::{Entry, Kind, Literal, Node, Span};
use crate::{json, yaml};

/// The key whose value is a list of alternatives.
const OR: &str = "$or";

/// A compiled event pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The names to follow through an event; the first step is the event itself.
    steps: Vec<Step>,
    /// Every field that the pattern names.
    fields: Vec<Field>,
    /// The combinations that `$or` makes, each as the fields that must all hold, ordered by path; one of them has to match.
    branches: Vec<Vec<usize>>,
    /// True if an empty name in an event is followed.
    empty_names: bool,
}

/// A part of a path, between two dots.
#[derive(Clone, Debug, Default)]
struct Step {
    /// The steps below, ordered by name.
    below: Vec<(String, usize)>,
    /// The fields whose path ends here.
    fields: Vec<usize>,
}

/// So few names are looked through faster than they are searched: most differ in length.
const FEW: usize = 8;

impl Step {
    fn below(&self, name: &str) -> Option<usize> {
        let found = if self.below.len() <= FEW {
            self.below.iter().find(|(other, _)| other == name)
        } else {
            let place = self
                .below
                .binary_search_by(|(other, _)| other.as_str().cmp(name));
            self.below.get(place.ok()?)
        };
        found.map(|(_, step)| *step)
    }

    fn add_below(&mut self, name: &str, step: usize) {
        let place = self
            .below
            .partition_point(|(other, _)| other.as_str() < name);
        self.below.insert(place, (name.to_owned(), step));
    }
}

/// A path and what the values there have to be.
#[derive(Clone, Debug)]
struct Field {
    /// The names from the root on, joined by dots.
    path: String,
    /// One value at the path has to meet one of these.
    conditions: Vec<Condition>,
    /// `exists: false` is among them: no value at the path will do too.
    absent: bool,
}

impl Pattern {
    /// Compiles an event pattern.
    ///
    /// # Errors
    /// Everything that EventBridge would refuse, each at the item that is wrong.
    pub fn compile(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        compile::compile(node)
    }

    /// Reads an event pattern from a file of its own: YAML when the name ends in `.yaml` or `.yml`, else JSON.
    ///
    /// # Errors
    /// Its diagnostics, as those of a mapping.
    pub fn read(name: &str, text: &str) -> Result<Self, Diagnostics> {
        let is_yaml = [".yaml", ".yml"]
            .iter()
            .any(|ending| name.ends_with(ending));
        let read = if is_yaml {
            yaml::parse(text)
        } else {
            json::parse(text)
                .map(|node| (node, Vec::new()))
                .map_err(|diagnostic| vec![diagnostic])
        };
        let compiled = read.and_then(|(node, mut diagnostics)| match Self::compile(&node) {
            Ok(pattern) if diagnostics.is_empty() => Ok(pattern),
            Ok(_) => Err(diagnostics),
            Err(more) => {
                diagnostics.extend(more);
                Err(diagnostics)
            }
        });
        compiled.map_err(|list| Diagnostics::new(name, text, list))
    }

    /// The fields that keep the event from matching, by path, in the combination of `$or` that comes nearest. Empty where the event
    /// matches, and where each field holds by itself but no one element of a list holds them all.
    #[must_use]
    pub fn unmet(&self, event: &Value) -> Vec<&str> {
        let holds = |field: usize| {
            let alone = Self {
                branches: vec![vec![field]],
                ..self.clone()
            };
            alone.matches(event)
        };
        let unmet = |branch: &Vec<usize>| -> Vec<&str> {
            let fields = branch.iter().filter(|field| !holds(**field));
            fields
                .filter_map(|field| self.fields.get(*field))
                .map(|field| field.path.as_str())
                .collect()
        };
        self.branches
            .iter()
            .map(unmet)
            .min_by_key(Vec::len)
            .unwrap_or_default()
    }

    /// Returns true if the event matches. An event that is not an object never does.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        matching::matches(self, event)
    }
}

/// Returns the members of the event that a pattern names at its top, each with its place.
#[must_use]
pub fn first_members(node: &Node) -> Vec<(&str, Span)> {
    let mut members = Vec::new();
    if let Kind::Map(entries) = &node.kind {
        for Entry { key, value } in entries {
            match &value.kind {
                Kind::List(branches) if key.text == OR => {
                    members.extend(branches.iter().flat_map(first_members));
                }
                _ => members.push((key.text.split('.').next().unwrap_or_default(), key.span)),
            }
        }
    }
    members
}

/// The unquoted numbers among the values of `account` and `id`, which are text in every event: such a pattern compiles and never matches.
///
/// Meant for patterns that a mapping's author writes; [`Pattern::compile`] leaves them to be, as EventBridge does.
#[must_use]
pub fn unquoted_ids(node: &Node) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    if let Kind::Map(entries) = &node.kind {
        for Entry { key, value } in entries {
            match (key.text.as_str(), &value.kind) {
                (OR, Kind::List(branches)) => {
                    diagnostics.extend(branches.iter().flat_map(unquoted_ids));
                }
                (name @ ("account" | "id"), Kind::List(values)) => {
                    for value in values {
                        unquoted_id(name, value, &mut diagnostics);
                    }
                }
                _ => {}
            }
        }
    }
    diagnostics
}

fn unquoted_id(name: &str, value: &Node, diagnostics: &mut Vec<Diagnostic>) {
    match &value.kind {
        Kind::Scalar(scalar) => {
            if let Literal::Number(number) = scalar.literal() {
                let message = format!("`{name}` is text in every event, found a number");
                diagnostics.push(
                    Diagnostic::new(value.span, message)
                        .help(format!("write it in quotes: \"{number}\"")),
                );
            }
        }
        Kind::Map(entries) => {
            for entry in entries.iter().filter(|entry| entry.key.text != "numeric") {
                unquoted_id(name, &entry.value, diagnostics);
            }
        }
        Kind::List(values) => {
            for value in values {
                unquoted_id(name, value, diagnostics);
            }
        }
    }
}
