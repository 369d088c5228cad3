//! Diagnostics of a mapping for sample events: references that find nothing, and patterns that differ from the events in type or name.

use serde_json::Value as Json;

use super::definitions;
use super::walk::{self, Leaf, Visited};
use crate::diagnostic::{Code, Diagnostic, listed, nearest};
use crate::expression::{self, Scope, Variables};
use crate::filter::Definitions;
use crate::locate::SourceText;
use crate::mapping::{CaseMapping, Mapping};
use crate::reference::{Reference, nodes, unknown_member};
use crate::schema;
use crate::source::Format;
use crate::tree::{Kind, Literal, Node, Position, Scalar, Span};
use crate::value::is_missing;

/// A sample event and the case mapping that accepts it.
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    /// The name of the event's file, for messages.
    pub name: &'a str,
    /// `$`.
    pub event: &'a Json,
    /// The name of the case mapping.
    pub case: &'a str,
}

/// A compiled mapping and the places of its parts, from one reading of its text.
#[derive(Debug)]
pub struct Places<'a> {
    text: &'a str,
    mapping: &'a Mapping,
    root: Option<Node>,
}

impl<'a> Places<'a> {
    /// Reads the text that the mapping was compiled from.
    #[must_use]
    pub fn new(file: &str, text: &'a str, mapping: &'a Mapping) -> Self {
        let source = Format::of(file).parse(text).ok();
        Self {
            text,
            mapping,
            root: source.map(|source| source.root),
        }
    }

    /// Returns the case mappings, each with its node.
    fn cases(&self) -> impl Iterator<Item = (&'a CaseMapping, &Node)> {
        let nodes = self
            .root
            .as_ref()
            .map_or(&[][..], |root| root.items("cases"));
        self.mapping.cases.iter().zip(nodes)
    }

    /// Returns the warnings about references and patterns, each at its place.
    #[must_use]
    pub fn check(&self, samples: &[Sample<'_>]) -> Vec<Diagnostic> {
        let Some(root) = &self.root else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (case, node) in self.cases() {
            let samples = samples.iter().filter(|sample| sample.case == case.name);
            let samples: Vec<&Sample<'_>> = samples.collect();
            if samples.is_empty() {
                continue;
            }
            let mut checker = Checker {
                text: SourceText::new(self.text),
                case,
                definitions: definitions(root, case.variable_names()),
                samples,
                found: Vec::new(),
            };
            // `when` of the case mapping matches: the event was accepted.
            walk::object(node, &schema::CASE, "when", &mut |visited| match visited {
                Visited::Value(span, scalar) => checker.value(span, scalar),
                Visited::Pattern(node) => walk::leaves(node, &mut |leaf| checker.leaf(&leaf)),
            });
            found.append(&mut checker.found);
        }
        found
    }

    /// Returns the place of a case mapping's part: a field by its name in the domain, `key`, `customer`, `tags.NAME`, or the case mapping's
    /// name. Without such a case mapping it is the place of `cases`.
    #[must_use]
    pub fn of(&self, case: &str, part: Option<&str>) -> Span {
        let start = Position { line: 1, column: 1 };
        let top = Span { start, end: start }.first_character();
        let Some((compiled, node)) = self.cases().find(|(compiled, _)| compiled.name == case)
        else {
            let cases = self.root.as_ref().and_then(|root| root.get("cases"));
            return cases.map_or(top, |entry| entry.key.span);
        };
        let name = node.get("name").map_or(node.span, |name| name.value.span);
        let Some(part) = part else { return name };
        let fields = compiled.fields.iter().zip(node.entries("fields"));
        let mut named = fields.filter(|(field, _)| field.field.name == part);
        if let Some((_, entry)) = named.next() {
            return entry.key.span;
        }
        let (key, member) = part.split_once('.').unwrap_or((part, ""));
        let Some(entry) = node.get(key) else {
            return name;
        };
        let member = entry.value.get(member);
        member.map_or(entry.key.span, |member| member.key.span)
    }
}

/// The state of a walk over one case mapping.
struct Checker<'a> {
    text: SourceText<'a>,
    case: &'a CaseMapping,
    definitions: Definitions,
    samples: Vec<&'a Sample<'a>>,
    found: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn value(&mut self, span: Span, scalar: &Scalar) {
        let Literal::Text(text) = scalar.literal() else {
            return;
        };
        let Ok(expr) = expression::parse(text, &self.definitions) else {
            return;
        };
        for expression in expr.expressions() {
            for reference in expression.references() {
                if self.finds_something(reference) {
                    continue;
                }
                let help = self.absent(reference);
                let place = self.text.locate(span, text, &expression.range_in(text));
                let message = format!("`{reference}` finds nothing in {}", self.names());
                let warning = Diagnostic::warning(place, Code::EventMember, message);
                self.found.push(warning.maybe_help(help));
            }
        }
    }

    /// Returns true if the reference has a value in any sample, or if that cannot be known.
    fn finds_something(&self, reference: &Reference) -> bool {
        let Reference::Event(steps) = reference else {
            return true;
        };
        self.samples.iter().any(|sample| {
            let first = reference.first_member().unwrap_or_default();
            // The file has no contact data, which `enrich` reads.
            let is_read_later = self.case.enrich && ["contact", "Attributes"].contains(&first);
            if is_read_later && sample.event.get(first).is_none() {
                return true;
            }
            let variables = Variables::new(&self.case.variables);
            let scope = Scope {
                event: sample.event,
                mapping: &self.case.name,
                trigger: self.case.trigger.name(),
                domain: "",
                variables: &variables,
            };
            let found = nodes(sample.event, steps, &scope).unwrap_or_default();
            !found.into_iter().all(is_missing)
        })
    }

    /// Returns the member that is absent from the samples, in words.
    fn absent(&self, reference: &Reference) -> Option<String> {
        self.samples.iter().find_map(|sample| {
            let unknown = unknown_member(sample.event, reference.steps())?;
            Some(
                match nearest(unknown.name, unknown.members.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => members(unknown.name, unknown.members),
                },
            )
        })
    }

    fn names(&self) -> String {
        match self.samples.as_slice() {
            [one] => one.name.to_owned(),
            several => format!("any of the {} events", several.len()),
        }
    }

    /// Compares the names and types of a pattern's member with those of the samples.
    fn leaf(&mut self, leaf: &Leaf<'_, '_>) {
        let (span, path) = (leaf.key.span, leaf.path);
        if path.first().is_some_and(|name| name.starts_with('$')) {
            return;
        }
        let mut values = Vec::new();
        for sample in &self.samples {
            leaves(sample.event, path, &mut values);
        }
        let shown = format!("$.{}", path.join("."));
        if values.is_empty() {
            let near = self
                .samples
                .iter()
                .find_map(|sample| near_member(sample.event, path));
            if let Some((name, near)) = near {
                let message = format!("no event has `{shown}`: there is no `{name}`");
                let warning = Diagnostic::warning(span, Code::EventMember, message);
                self.found
                    .push(warning.help(format!("did you mean `{near}`?")));
            }
            return;
        }
        let accepted: Vec<&str> = leaf.conditions.iter().filter_map(accepted_type).collect();
        let (Some(accepts), true) = (accepted.first(), accepted.len() == leaf.conditions.len())
        else {
            return;
        };
        let types: Vec<&str> = values.into_iter().map(type_of).collect();
        let Some(holds) = types.first() else { return };
        if accepted.iter().any(|accepts| types.contains(accepts)) {
            return;
        }
        let message = format!(
            "`{shown}` is {holds} in {}, and this accepts {accepts} only",
            self.names()
        );
        let help = match (*holds, *accepts) {
            ("text", "numbers") => {
                "compare a variable: `variables: { amount: … | number }` and `$amount: [{ numeric: … }]`"
            }
            ("text", _) => "write the value in quotes",
            _ => "write the value without quotes",
        };
        self.found
            .push(Diagnostic::warning(span, Code::Pattern, message).help(help));
    }
}

/// Returns the members of an object in words, for a name that is not among them.
fn members(name: &str, mut members: Vec<&str>) -> String {
    const SHOWN: usize = 12;
    if members.is_empty() {
        return format!("there is no `{name}`: the object is empty");
    }
    members.sort_unstable();
    let more = members.len().saturating_sub(SHOWN);
    members.truncate(SHOWN);
    let and_more = if more > 0 {
        format!(", and {more} more")
    } else {
        String::new()
    };
    format!("there is no `{name}` beside {}{and_more}", listed(members))
}

/// Adds the values at a path of names. A list stands for its items.
fn leaves<'v>(value: &'v Json, path: &[&str], found: &mut Vec<&'v Json>) {
    match (value, path) {
        (Json::Array(items), _) => {
            for item in items {
                leaves(item, path, found);
            }
        }
        (value, []) => found.push(value),
        (value, [name, rest @ ..]) => {
            if let Some(value) = value.get(*name) {
                leaves(value, rest, found);
            }
        }
    }
}

/// Returns the first name of the path that is absent, and a similar name at its place.
fn near_member<'a, 'v>(event: &'v Json, path: &[&'a str]) -> Option<(&'a str, &'v str)> {
    let (name, rest) = path.split_first()?;
    let members = match event {
        Json::Array(items) => items.first()?.as_object()?,
        value => value.as_object()?,
    };
    match members.get(*name) {
        Some(value) => near_member(value, rest),
        None => nearest(name, members.keys().map(String::as_str)).map(|near| (*name, near)),
    }
}

/// Returns the type that a condition accepts, or `None` if it accepts several.
fn accepted_type(condition: &Node) -> Option<&'static str> {
    match &condition.kind {
        Kind::Scalar(scalar) => match scalar.literal() {
            Literal::Number(_) => Some("numbers"),
            Literal::Boolean(_) => Some("booleans"),
            Literal::Text(_) => Some("text"),
            Literal::Null | Literal::Empty => None,
        },
        Kind::Map(entries) => match entries.first()?.key.text.as_str() {
            "numeric" => Some("numbers"),
            "prefix" | "suffix" | "wildcard" | "equals-ignore-case" | "cidr" => Some("text"),
            _ => None,
        },
        Kind::List(_) => None,
    }
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::String(_) => "text",
        Json::Number(_) => "numbers",
        Json::Bool(_) => "booleans",
        Json::Object(_) => "an object",
        Json::Null | Json::Array(_) => "null",
    }
}
