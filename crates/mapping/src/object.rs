//! Checked objects: from a node of the tree to entries by key, with a diagnostic for each error.
//!
//! [`Object::new`] checks keys of the language against their schema. [`once`] checks keys that the author names.

use crate::diagnostic::{Code, Diagnostic, listed, nearest};
use crate::schema::{ObjectSchema, Status};
use crate::tree::{Entry, Kind, Node, Span};

/// The entries of an object by key. Each key is known and occurs once.
pub struct Object<'n> {
    span: Span,
    entries: Vec<&'n Entry>,
}

impl<'n> Object<'n> {
    /// Checks that all keys are known and given once, and that the required keys are present.
    #[must_use]
    pub fn new(node: &'n Node, schema: &ObjectSchema) -> (Option<Self>, Vec<Diagnostic>) {
        let Kind::Map(entries) = &node.kind else {
            let message = format!("{} is an object, found {}", schema.name, node.describe());
            return (None, vec![Diagnostic::new(node.span, message)]);
        };
        let (mut entries, mut diagnostics) = once(entries);
        entries.retain(|entry| {
            let unknown = unknown_key(entry, schema);
            let is_known = unknown.is_none();
            diagnostics.extend(unknown);
            is_known
        });
        let object = Self {
            span: node.span.first_character(),
            entries,
        };
        // An object that contains only unknown keys already has its diagnostics.
        let misspelt = object.entries.is_empty() && !diagnostics.is_empty();
        for key in schema
            .keys
            .iter()
            .filter(|key| key.status == Status::Required)
        {
            if object.get(key.name).is_none() && !misspelt {
                let message = format!("{} needs the key `{}`: {}", schema.name, key.name, key.doc);
                let help = format!("such as `{}`", key.example);
                diagnostics
                    .push(Diagnostic::error(object.span, Code::MissingKey, message).help(help));
            }
        }
        (Some(object), diagnostics)
    }

    /// Returns true if the object has no key of the language.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the node of a key.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.entry(name).map(|entry| &entry.value)
    }

    /// Returns the span of a key, or of the object's first character if the key is absent.
    #[must_use]
    pub fn span_of(&self, name: &str) -> Span {
        self.entry(name).map_or(self.span, |entry| entry.key.span)
    }

    fn entry(&self, name: &str) -> Option<&'n Entry> {
        self.entries
            .iter()
            .find(|entry| entry.key.text == name)
            .copied()
    }
}

/// Returns the first entry of each key, and a diagnostic for each repeated key.
#[must_use]
pub fn once(entries: &[Entry]) -> (Vec<&Entry>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut once: Vec<(usize, &Entry)> = entries.iter().enumerate().collect();
    // The sort is stable: of equal keys, the first one in the file stays first.
    once.sort_by_key(|(_, entry)| entry.key.text.as_str());
    once.dedup_by(|(_, again), (_, first)| {
        let repeated = again.key.text == first.key.text;
        if repeated {
            let (name, line) = (&again.key.text, first.key.span.start.line);
            let message = format!("`{name}` is given twice; the first is on line {line}");
            diagnostics.push(
                Diagnostic::error(again.key.span, Code::DuplicateKey, message)
                    .help("keep one of them"),
            );
        }
        repeated
    });
    once.sort_unstable_by_key(|(index, _)| *index);
    (
        once.into_iter().map(|(_, entry)| entry).collect(),
        diagnostics,
    )
}

/// Returns the error for a key that the schema does not have.
fn unknown_key(entry: &Entry, schema: &ObjectSchema) -> Option<Diagnostic> {
    let name = entry.key.text.as_str();
    let known = || schema.keys.iter().map(|key| key.name);
    if known().any(|key| key == name) {
        return None;
    }
    let help = nearest(name, known()).map_or_else(
        || format!("the keys here are {}", listed(known())),
        |key| format!("did you mean `{key}`?"),
    );
    let message = format!("{} has no key `{name}`", schema.name);
    let diagnostic = Diagnostic::new(entry.key.span, message).help(help);
    Some(diagnostic.code(Code::UnknownKey))
}
