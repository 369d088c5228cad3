//! Groups of keys: those that the language defines, checked against the table of keys, and those that the author names.

use super::diagnostic::{Code, Diagnostic, listed, nearest};
use super::keys::{Place, Status};
use super::tree::{Entry, Kind, Node, Span};

/// The entries of a group by key: known keys only, each once.
pub struct Group<'n> {
    span: Span,
    entries: Vec<&'n Entry>,
}

impl<'n> Group<'n> {
    /// Checks a group: its keys are known at this place, built, given once, and the required ones are there.
    #[must_use]
    pub fn new(node: &'n Node, place: &Place) -> (Option<Self>, Vec<Diagnostic>) {
        let Kind::Map(entries) = &node.kind else {
            let message = format!(
                "{} is a group of keys, found {}",
                place.name,
                node.describe()
            );
            return (None, vec![Diagnostic::new(node.span, message)]);
        };
        let (mut entries, mut diagnostics) = once(entries);
        entries.retain(|entry| {
            let diagnostic = check(entry, place);
            let known = diagnostic.as_ref().is_none_or(|(_, known)| *known);
            diagnostics.extend(diagnostic.map(|(diagnostic, _)| diagnostic));
            known
        });
        let group = Self {
            span: node.span.first_character(),
            entries,
        };
        // A group that has nothing but an unknown key has had its diagnostic.
        let misspelt = group.entries.is_empty() && !diagnostics.is_empty();
        for key in place
            .keys
            .iter()
            .filter(|key| key.status == Status::Required)
        {
            if group.get(key.name).is_none() && !misspelt {
                let message = format!("{} needs the key `{}`: {}", place.name, key.name, key.doc);
                let help = format!("such as `{}`", key.example);
                diagnostics.push(
                    Diagnostic::new(group.span, message)
                        .help(help)
                        .code(Code::MissingKey),
                );
            }
        }
        (Some(group), diagnostics)
    }

    /// Whether no key in it is one of the language.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The node of a key.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.entry(name).map(|entry| &entry.value)
    }

    /// Where a key stands, or the group's first character.
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

/// The entries without those whose key was given before.
#[must_use]
pub fn once(entries: &[Entry]) -> (Vec<&Entry>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut once: Vec<(usize, &Entry)> = entries.iter().enumerate().collect();
    // A stable sort: of equal keys, the one that was given first stands in front.
    once.sort_by_key(|(_, entry)| entry.key.text.as_str());
    once.dedup_by(|(_, again), (_, first)| {
        let repeated = again.key.text == first.key.text;
        if repeated {
            let (name, line) = (&again.key.text, first.key.span.start.line);
            let message = format!("`{name}` is given twice; the first is on line {line}");
            diagnostics.push(
                Diagnostic::new(again.key.span, message)
                    .help("keep one of them")
                    .code(Code::DuplicateKey),
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

/// What is wrong with a key, and whether the language has it all the same.
fn check(entry: &Entry, place: &Place) -> Option<(Diagnostic, bool)> {
    let (name, span) = (entry.key.text.as_str(), entry.key.span);
    let Some(known) = place.keys.iter().find(|key| key.name == name) else {
        let built = place
            .keys
            .iter()
            .filter(|key| !matches!(key.status, Status::Later(_)));
        let help = nearest(name, place.keys.iter().map(|key| key.name)).map_or_else(
            || format!("the keys here are {}", listed(built.map(|key| key.name))),
            |key| format!("did you mean `{key}`?"),
        );
        let message = format!("{} has no key `{name}`", place.name);
        return Some((
            Diagnostic::new(span, message)
                .help(help)
                .code(Code::UnknownKey),
            false,
        ));
    };
    let Status::Later(instead) = known.status else {
        return None;
    };
    let message = format!("`{name}` is not available in this release: {instead}");
    let help = "leave the key out; it comes with a later release";
    Some((
        Diagnostic::new(span, message)
            .help(help)
            .code(Code::NotAvailable),
        true,
    ))
}
