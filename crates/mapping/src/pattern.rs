//! Event patterns: EventBridge's conditions on an event, for every `when` of a mapping.
//!
//! [`Pattern::compile`] turns a node of the mapping's tree into a pattern, or into all its diagnostics. [`Pattern::matches`] then gives the
//! result of AWS Event Ruler, the library that EventBridge matches with. The operators are those of
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>.
//!
//! One pattern that Event Ruler accepts is an error here: an integer that a double cannot represent exactly.
//! Only a number with the same digits would equal it.

mod compile;
mod condition;
mod matching;

use serde_json::Value;

use self::condition::Condition;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Format, Source};
use crate::tree::{Entry, Kind, Literal, Node, Span};

/// The key of a list of alternatives.
pub(crate) const OR: &str = "$or";

/// A compiled event pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The names to follow through an event. The first step is the event itself.
    steps: Vec<Step>,
    /// Every field that the pattern names.
    fields: Vec<Field>,
    /// The combinations of `$or`. At least one must match: all its fields must match together. The fields are sorted by path.
    branches: Vec<Vec<usize>>,
    /// Set when empty names in an event are followed.
    empty_names: bool,
    /// The steps of variables, each with the variable's index.
    variables: Vec<(usize, usize)>,
}

/// A part of a path, between two dots.
#[derive(Clone, Debug, Default)]
struct Step {
    /// The steps below, sorted by name.
    below: Vec<(String, usize)>,
    /// The fields whose path ends here.
    fields: Vec<usize>,
}

/// The number of names up to which a linear search is faster than a binary search: most names differ in length.
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

/// A path and the conditions on its values.
#[derive(Clone, Debug)]
struct Field {
    /// The names from the root, joined by dots.
    path: String,
    /// The conditions. One value at the path must meet one of them.
    conditions: Vec<Condition>,
    /// Set when `exists: false` is one of the conditions: the field also matches without a value at the path.
    absent: bool,
}

impl Pattern {
    /// Compiles an event pattern.
    ///
    /// # Errors
    /// All parts that EventBridge would refuse, each at the span of the wrong item.
    pub fn compile(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        compile::compile(node, &[])
    }

    /// Compiles an event pattern that can name these variables at its top: `$total: [{ numeric: [">", 1000] }]`.
    ///
    /// # Errors
    /// As [`compile`](Self::compile), and a name with `$` that is no variable.
    pub fn compile_with(node: &Node, variables: &[String]) -> Result<Self, Vec<Diagnostic>> {
        compile::compile(node, variables)
    }

    /// Returns the indexes of the variables that the pattern names.
    pub fn variables(&self) -> impl Iterator<Item = usize> {
        self.variables.iter().map(|(_, index)| *index)
    }

    /// Reads an event pattern from its own file. A name that ends in `.yaml` or `.yml` means YAML; any other name means JSON.
    ///
    /// # Errors
    /// The diagnostics, in the form that a mapping has.
    pub fn read(name: &str, text: &str) -> Result<Self, Diagnostics> {
        let is_yaml = [".yaml", ".yml"]
            .iter()
            .any(|ending| name.ends_with(ending));
        let format = if is_yaml { Format::Yaml } else { Format::Json };
        let read = format.parse(text);
        let compiled = read.and_then(|Source { root, mut errors }| match Self::compile(&root) {
            Ok(pattern) if errors.is_empty() => Ok(pattern),
            Ok(_) => Err(errors),
            Err(more) => {
                errors.extend(more);
                Err(errors)
            }
        });
        compiled.map_err(|list| Diagnostics::new(name, text, list))
    }

    /// Returns the paths of the fields that prevent a match, for the combination of `$or` with the fewest such fields.
    ///
    /// The list is empty if the event matches. It is also empty if each field matches alone, but no one element of a list matches them all.
    ///
    /// `matches` is the test of a pattern against the event.
    #[must_use]
    pub fn unmet(&self, matches: impl Fn(&Self) -> bool) -> Vec<&str> {
        let holds = |field: usize| {
            let alone = Self {
                branches: vec![vec![field]],
                ..self.clone()
            };
            matches(&alone)
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

    /// Returns true if the event matches. An event that is not an object never matches.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        matching::matches(self, event, &|_| None)
    }

    /// Returns true if the event and the variables match. `variable` returns the value of a variable by its index.
    #[must_use]
    pub fn matches_with<'v>(
        &self,
        event: &Value,
        variable: &dyn Fn(usize) -> Option<&'v Value>,
    ) -> bool {
        matching::matches(self, event, variable)
    }
}

/// Returns the top-level members of the event that a pattern names, each with its span.
#[must_use]
pub fn first_members(node: &Node) -> Vec<(&str, Span)> {
    let mut members = Vec::new();
    if let Kind::Map(entries) = &node.kind {
        for Entry { key, value } in entries {
            match &value.kind {
                Kind::List(branches) if key.text == OR => {
                    members.extend(branches.iter().flat_map(first_members));
                }
                _ if key.text.starts_with('$') => {}
                _ => members.push((key.text.split('.').next().unwrap_or_default(), key.span)),
            }
        }
    }
    members
}

/// Returns a diagnostic for each unquoted number among the values of `account` and `id`.
///
/// These members are text in every event, so the pattern compiles but never matches. Use this for patterns in a mapping.
/// [`Pattern::compile`] accepts such numbers, as EventBridge does.
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
