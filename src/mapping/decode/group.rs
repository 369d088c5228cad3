//! A group of keys that the language defines, checked against the table of keys.

use std::collections::HashMap;

use super::super::fault::{Fault, suggest};
use super::super::keys::{Place, Status, keys_of};
use super::super::tree::{Kind, Node, Span};

/// The nodes of a group by key: known keys only, each once.
pub(super) struct Group<'n> {
    /// Where the group stands.
    pub(super) span: Span,
    nodes: HashMap<&'static str, (Span, &'n Node)>,
}

impl<'n> Group<'n> {
    /// Checks a group: its keys are known at this place, built, given once, and the required ones are there.
    pub(super) fn new(node: &'n Node, place: Place) -> (Option<Self>, Vec<Fault>) {
        let Kind::Map(entries) = &node.kind else {
            let message = format!(
                "{} is a group of keys, found {}",
                place.describe(),
                node.describe()
            );
            return (None, vec![Fault::new(node.span, message)]);
        };
        let mut faults = Vec::new();
        let mut nodes: HashMap<&'static str, (Span, &Node)> = HashMap::new();
        for entry in entries {
            let (name, span) = (entry.key.text.as_str(), entry.key.span);
            let Some(known) = keys_of(place).find(|key| key.name == name) else {
                faults.push(unknown(name, span, place));
                continue;
            };
            if let Status::Later(instead) = known.status {
                let message = format!("`{name}` is not available in this release: {instead}");
                faults.push(
                    Fault::new(span, message)
                        .help("leave the key out; it comes with a later release"),
                );
            }
            match nodes.get(known.name) {
                Some((first, _)) => {
                    let message = format!(
                        "`{name}` is given twice; the first is on line {}",
                        first.start.line
                    );
                    faults.push(Fault::new(span, message).help("keep one of them"));
                }
                None => {
                    nodes.insert(known.name, (span, &entry.value));
                }
            }
        }
        for key in keys_of(place)
            .filter(|key| key.status == Status::Required && !nodes.contains_key(key.name))
        {
            let message = format!(
                "{} needs the key `{}`: {}",
                place.describe(),
                key.name,
                key.doc
            );
            faults.push(
                Fault::new(first_line(node.span), message)
                    .help(format!("such as `{}`", key.example)),
            );
        }
        (
            Some(Self {
                span: node.span,
                nodes,
            }),
            faults,
        )
    }

    /// The node of a key.
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        self.nodes.get(name).map(|(_, node)| *node)
    }

    /// Where a key stands, or the group.
    pub(super) fn span_of(&self, name: &str) -> Span {
        self.nodes
            .get(name)
            .map_or(first_line(self.span), |(span, _)| *span)
    }
}

fn unknown(name: &str, span: Span, place: Place) -> Fault {
    let fault = Fault::new(span, format!("{} has no key `{name}`", place.describe()));
    match suggest(name, keys_of(place).map(|key| key.name)) {
        Some(help) => fault.help(help),
        None => fault.help(format!(
            "the keys here are {}",
            super::listed(keys_of(place).map(|key| key.name))
        )),
    }
}

/// A group spans many lines; a fault about all of it points at its first character.
fn first_line(span: Span) -> Span {
    let mut end = span.start;
    end.column += 1;
    Span {
        start: span.start,
        end,
    }
}
