//! From the tree to the mapping: every key, name, expression and pattern checked, every fault kept.

mod case;
mod fields;
mod group;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use self::group::Group;
use super::expression::{Item, SyntaxFault, Template};
use super::fault::{Fault, Faults, listed, suggest};
use super::filter::{Table, Tables};
use super::keys::Place;
use super::pattern::{self, Pattern};
use super::tree::{Kind, Literal, Node, Position, Scalar, Span};
use super::{Mapping, PerformedBy, expression, json, yaml};
use crate::domain::Domain;

/// What a mapping is loaded against.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The domain snapshot; without one, fields need explicit types and templates their ids.
    pub domain: Option<&'a Domain>,
    /// What every custom entity begins with.
    pub entity_prefix: &'a str,
}

impl Mapping {
    /// Reads a mapping: JSON when the file's name ends in `.json`, else YAML.
    ///
    /// # Errors
    /// All faults of the file together, each at its place; a syntax fault alone.
    pub fn load(file: &str, text: &str, setting: Setting<'_>) -> Result<Self, Faults> {
        let is_json = std::path::Path::new(file)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let root = if is_json {
            json::parse(text).map_err(|fault| vec![fault])
        } else {
            yaml::parse(text)
        };
        let root = root.map_err(|list| Faults::new(file, text, list))?;
        let mut decoder = Decoder {
            text,
            setting,
            tables: Tables::new(),
            table_entries: HashMap::new(),
            faults: Vec::new(),
        };
        let mapping = decoder.file(&root);
        match mapping {
            Some(mapping) if decoder.faults.is_empty() => Ok(mapping),
            _ => Err(Faults::new(file, text, decoder.faults)),
        }
    }
}

struct Decoder<'a> {
    text: &'a str,
    setting: Setting<'a>,
    tables: Tables,
    /// Where each table's values stand, for faults that only show once a field uses the table.
    table_entries: HashMap<String, Vec<(Span, Item<'static>)>>,
    faults: Vec<Fault>,
}

/// What the file gives every case mapping.
struct Defaults {
    performed_by: Option<PerformedBy>,
    tags: Vec<(String, Template)>,
}

impl Decoder<'_> {
    fn file(&mut self, root: &Node) -> Option<Mapping> {
        let group = self.group(root, Place::File)?;
        if let Some(node) = group.get("version") {
            self.version(node);
        }
        if let Some(node) = group.get("tables") {
            self.tables(node);
        }
        let defaults = Defaults {
            performed_by: group
                .get("performed_by")
                .and_then(|node| self.performed_by(node)),
            tags: group
                .get("tags")
                .map(|node| self.tags(node))
                .unwrap_or_default(),
        };
        let items = self.list(group.get("cases")?, "`cases` is a list of case mappings")?;
        if items.is_empty() {
            self.fault::<()>(
                group.get("cases")?.span,
                "`cases` is empty: no event would become a case",
                None,
            );
        }
        let mut names: BTreeMap<String, Span> = BTreeMap::new();
        let mut cases = Vec::with_capacity(items.len());
        for item in items {
            let Some((case, span)) = self.case(item, &defaults) else {
                continue;
            };
            if let Some(first) = names.insert(case.name.clone(), span) {
                let message = format!(
                    "the name `{}` is given twice; the first is on line {}",
                    case.name, first.start.line
                );
                self.fault::<()>(
                    span,
                    message,
                    Some("a name is part of every key: each case mapping needs its own".to_owned()),
                );
            }
            cases.push(case);
        }
        Some(Mapping { cases })
    }

    fn version(&mut self, node: &Node) {
        if !matches!(&node.kind, Kind::Scalar(scalar) if scalar.literal() == Literal::Number("1")) {
            self.fault::<()>(
                node.span,
                "this release reads version 1 of the mapping language",
                Some("write `version: 1`".to_owned()),
            );
        }
    }

    fn tables(&mut self, node: &Node) {
        for (name, table) in self.named(node, "`tables` holds tables by name") {
            let entries = self.named(table, "a table gives a scalar for each text");
            let mut rows = Table::new();
            let mut places = Vec::new();
            for (key, value) in entries {
                let Some(item) = self.constant(value) else {
                    continue;
                };
                places.push((value.span, item.clone()));
                rows.insert(key.to_owned(), item);
            }
            self.table_entries.insert(name.to_owned(), places);
            self.tables.insert(name.to_owned(), Arc::new(rows));
        }
    }

    /// A scalar that stands for itself: in a table or as a `default`.
    fn constant(&mut self, node: &Node) -> Option<Item<'static>> {
        let Kind::Scalar(scalar) = &node.kind else {
            return self.fault(
                node.span,
                format!(
                    "expected text, a number or a boolean, found {}",
                    node.describe()
                ),
                None,
            );
        };
        match scalar.literal() {
            Literal::Empty | Literal::Null => self.fault(
                node.span,
                format!(
                    "expected text, a number or a boolean, found {}",
                    node.describe()
                ),
                None,
            ),
            Literal::Boolean(boolean) => Some(Item::Boolean(boolean)),
            Literal::Number(text) => Some(Item::Number(text.to_owned().into())),
            Literal::Text("") => self.fault(node.span, "empty text is the same as no value", None),
            Literal::Text(text) => Some(Item::Text(text.to_owned().into())),
        }
    }

    /// A scalar that an event gives a value to.
    fn value(&mut self, node: &Node) -> Option<Template> {
        let Kind::Scalar(scalar) = &node.kind else {
            let help = matches!(node.kind, Kind::Map(_)).then(|| {
                "a value that begins with `{{` has to stand in quotes: \"{{ $.source }}\""
                    .to_owned()
            });
            return self.fault(
                node.span,
                format!("expected a value, found {}", node.describe()),
                help,
            );
        };
        match scalar.literal() {
            Literal::Empty => self.fault(node.span, "a value is missing here", None),
            Literal::Null => self.fault(
                node.span,
                "`null` stands only for a whole field, and sends it empty",
                None,
            ),
            Literal::Boolean(boolean) => Some(Template::Boolean(boolean)),
            Literal::Number(text) => Some(Template::Number(text.to_owned())),
            Literal::Text("") => self.fault(
                node.span,
                "empty text is the same as no value",
                Some("`null` sends a field empty".to_owned()),
            ),
            Literal::Text(text) => match expression::parse(text, &self.tables) {
                Ok(template) => Some(template),
                Err(SyntaxFault { at, message, help }) => {
                    let span = self.locate(node.span, scalar, at);
                    self.fault(span, message, help)
                }
            },
        }
    }

    fn pattern(&mut self, node: &Node) -> Option<Pattern> {
        self.faults.extend(pattern::unquoted_ids(node));
        match Pattern::compile(node) {
            Ok(pattern) => Some(pattern),
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }

    /// One of a few words.
    fn word<T: Copy>(&mut self, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let names = || words.iter().map(|(name, _)| *name);
        let Kind::Scalar(Scalar { text, .. }) = &node.kind else {
            return self.fault(
                node.span,
                format!("expected {}, found {}", either(names()), node.describe()),
                None,
            );
        };
        let found = words
            .iter()
            .find(|(name, _)| name == text)
            .map(|(_, value)| *value);
        found.or_else(|| {
            self.fault(
                node.span,
                format!("expected {}, found `{text}`", either(names())),
                suggest(text, names()),
            )
        })
    }

    fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        match &node.kind {
            Kind::List(items) => Some(items),
            _ => self.fault(
                node.span,
                format!("{what}, found {}", node.describe()),
                None,
            ),
        }
    }

    /// A group whose keys the author chooses; one given twice is a fault.
    fn named<'n>(&mut self, node: &'n Node, what: &str) -> Vec<(&'n str, &'n Node)> {
        let Kind::Map(entries) = &node.kind else {
            return self
                .fault(
                    node.span,
                    format!("{what}, found {}", node.describe()),
                    None,
                )
                .unwrap_or_default();
        };
        let mut first: HashMap<&str, Span> = HashMap::new();
        let mut named = Vec::with_capacity(entries.len());
        for entry in entries {
            match first.get(entry.key.text.as_str()) {
                Some(earlier) => {
                    let message = format!(
                        "`{}` is given twice; the first is on line {}",
                        entry.key.text, earlier.start.line
                    );
                    self.fault(entry.key.span, message, Some("keep one of them".to_owned()))
                }
                None => {
                    first.insert(&entry.key.text, entry.key.span);
                    named.push((entry.key.text.as_str(), &entry.value));
                    Some(())
                }
            };
        }
        named
    }

    fn group<'n>(&mut self, node: &'n Node, place: Place) -> Option<Group<'n>> {
        let (group, faults) = Group::new(node, place);
        self.faults.extend(faults);
        group
    }

    /// Keeps a fault. Always gives nothing, so that `return self.fault(…)` reads well.
    fn fault<T>(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Option<T> {
        let fault = Fault::new(span, message);
        self.faults.push(match help {
            Some(help) => fault.help(help),
            None => fault,
        });
        None
    }

    /// The place in the file of some bytes of a scalar's text.
    ///
    /// YAML's quotes, escapes, folding and indentation lie between the two, so the text is walked along the source: white space matches any
    /// run of white space, everything else the next equal character.
    fn locate(&self, span: Span, scalar: &Scalar, at: std::ops::Range<usize>) -> Span {
        let mut source = Walk::new(self.text, span);
        let mut start = None;
        for (index, character) in scalar.text.char_indices() {
            if index >= at.end {
                break;
            }
            let Some(place) = source.find(character) else {
                return span;
            };
            if index >= at.start && start.is_none() {
                start = Some(place);
            }
        }
        match start {
            Some(start) => Span {
                start,
                end: source.at,
            },
            None => Span {
                start: source.at,
                end: Position {
                    column: source.at.column + 1,
                    ..source.at
                },
            },
        }
    }
}

/// A walk along the characters of a span.
struct Walk<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    at: Position,
    end: Position,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str, span: Span) -> Self {
        let mut walk = Self {
            rest: text.chars().peekable(),
            at: Position { line: 1, column: 1 },
            end: span.end,
        };
        while walk.at < span.start && walk.step().is_some() {}
        walk
    }

    fn step(&mut self) -> Option<char> {
        let character = self.rest.next()?;
        self.at = match character {
            '\n' => Position {
                line: self.at.line + 1,
                column: 1,
            },
            _ => Position {
                column: self.at.column + 1,
                ..self.at
            },
        };
        Some(character)
    }

    /// Steps behind the next place that shows the character, and gives that place.
    fn find(&mut self, character: char) -> Option<Position> {
        if character.is_whitespace() {
            let place = self.at;
            while self.rest.peek().is_some_and(|next| next.is_whitespace()) {
                self.step();
            }
            return Some(place);
        }
        while self.at < self.end {
            let place = self.at;
            if self.step()? == character {
                return Some(place);
            }
        }
        None
    }
}

/// "`a`, `b` or `c`".
fn either<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    listed(names).replace(" and ", " or ")
}
