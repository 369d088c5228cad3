//! From the tree to the mapping: every key, name, expression and pattern checked, every diagnostic kept.

mod case;
mod constants;
mod contact;
mod customer;
mod fields;
mod known_members;
mod ledger;
mod locate;
mod scalars;
mod template;
mod warnings;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use self::locate::Source;
use crate::Trigger;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::domain::Domain;
use crate::expression::ValueExpr;
use crate::filter::{Table, Tables};
use crate::object::{self, Object};
use crate::pattern::{self, Pattern};
use crate::phone::Country;
use crate::schema::{self, ObjectSchema};
use crate::tree::{Entry, Kind, Literal, Node, Span};
use crate::value::Value;
use crate::{CaseMapping, Mapping, PerformedBy, json, yaml};

/// What a mapping is loaded against.
#[derive(Clone, Copy, Debug)]
pub struct LoadContext<'a> {
    /// The domain snapshot; without one, fields need explicit types and templates their ids.
    pub domain: Option<&'a Domain>,
    /// What every custom entity begins with.
    pub entity_prefix: &'a str,
}

/// What there is to say about a mapping file.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// The mapping, unless there is an error in it.
    pub mapping: Option<Mapping>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

impl Mapping {
    /// Reads a mapping: JSON when the file's name ends in `.json`, else YAML.
    ///
    /// # Errors
    /// All diagnostics of the file together, each at its place; a syntax diagnostic alone. Warnings stop nothing and are left out.
    pub fn load(file: &str, text: &str, context: LoadContext<'_>) -> Result<Self, Diagnostics> {
        let CheckReport {
            mapping,
            mut diagnostics,
        } = Self::examine(file, text, context);
        mapping.ok_or_else(|| {
            diagnostics.list.retain(Diagnostic::is_error);
            diagnostics
        })
    }

    /// Reads a mapping and says everything there is to say about it, warnings too.
    #[must_use]
    pub fn examine(file: &str, text: &str, context: LoadContext<'_>) -> CheckReport {
        let extension = std::path::Path::new(file).extension();
        let read = if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            json::parse(text)
                .map(|root| (root, Vec::new()))
                .map_err(|diagnostic| vec![diagnostic])
        } else {
            yaml::parse(text)
        };
        let syntax = |diagnostics: Vec<Diagnostic>| {
            diagnostics
                .into_iter()
                .map(|diagnostic| diagnostic.code(Code::Syntax))
                .collect()
        };
        let (root, diagnostics) = match read {
            Ok((root, diagnostics)) => (root, syntax(diagnostics)),
            Err(diagnostics) => {
                let diagnostics = Diagnostics::new(file, text, syntax(diagnostics));
                return CheckReport {
                    mapping: None,
                    diagnostics,
                };
            }
        };
        let mut decoder = Decoder {
            source: Source::new(text),
            context,
            trigger: None,
            enriched: false,
            phone_country: None,
            tables: Tables::new(),
            table_entries: HashMap::new(),
            diagnostics,
            warnings: Vec::new(),
        };
        let mapping = decoder.file(&root);
        decoder.diagnostics.append(&mut decoder.warnings);
        let diagnostics = Diagnostics::new(file, text, decoder.diagnostics);
        let mapping = mapping.filter(|_| !diagnostics.has_errors());
        CheckReport {
            mapping,
            diagnostics,
        }
    }
}

fn pattern_diagnostics(diagnostics: Vec<Diagnostic>) -> impl Iterator<Item = Diagnostic> {
    diagnostics
        .into_iter()
        .map(|diagnostic| diagnostic.code(Code::Pattern))
}

struct Decoder<'a> {
    source: Source<'a>,
    context: LoadContext<'a>,
    /// The trigger of the case mapping that is being read: it says what references find.
    trigger: Option<Trigger>,
    /// Whether references of that case mapping see what was read from the contact.
    enriched: bool,
    /// The file's `phone_country`.
    phone_country: Option<Country>,
    tables: Tables,
    /// Where each table's values stand, for diagnostics that only show once a field uses the table.
    table_entries: HashMap<String, Vec<(Span, Value<'static>)>>,
    diagnostics: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

/// What the file gives every case mapping.
struct Defaults {
    performed_by: Option<PerformedBy>,
    tags: Vec<(String, ValueExpr)>,
}

impl Decoder<'_> {
    fn file(&mut self, root: &Node) -> Option<Mapping> {
        let object = self.object(root, &schema::FILE)?;
        if let Some(node) = object.get("version") {
            self.version(node);
        }
        if let Some(node) = object.get("tables") {
            self.tables(node);
        }
        self.phone_country = object
            .get("phone_country")
            .and_then(|node| self.country(node));
        let defaults = Defaults {
            performed_by: object
                .get("performed_by")
                .and_then(|node| self.performed_by(node)),
            tags: object
                .get("tags")
                .map(|node| self.tags(node))
                .unwrap_or_default(),
        };
        let node = object.get("cases")?;
        let items = self.list(node, "`cases` is a list of case mappings")?;
        if items.is_empty() {
            self.keep(Diagnostic::new(
                node.span,
                "`cases` is empty: no event would become a case",
            ));
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
                self.keep(
                    Diagnostic::new(span, message)
                        .help("a name is part of every key: each case mapping needs its own")
                        .code(Code::Name),
                );
            }
            cases.push((case, span));
        }
        self.refuse_loops(&cases);
        self.warn_of_unreachable(&cases);
        // A field with a diagnostic has let go of its table.
        if let Some(tables) = object.get("tables").filter(|_| self.diagnostics.is_empty()) {
            self.warn_of_unused_tables(tables);
        }
        let cases = cases.into_iter().map(|(case, _)| case).collect();
        Some(Mapping { cases })
    }

    /// Cases that are made in a user's name cannot be told from that user's own, so their events would come back as new cases.
    fn refuse_loops(&mut self, cases: &[(CaseMapping, Span)]) {
        if !cases.iter().any(|(case, _)| case.on_case_events) {
            return;
        }
        for (case, span) in cases {
            if let PerformedBy::UserArn(_) = case.performed_by {
                let message = "this case mapping's cases are performed by a user, and another takes events of Cases: the events of its own cases would come back to it";
                let help = "let a custom entity perform it, or leave `on_case_events` out";
                self.keep(
                    Diagnostic::new(*span, message)
                        .help(help)
                        .code(Code::PerformedBy),
                );
            }
        }
    }

    fn version(&mut self, node: &Node) {
        let found = match &node.kind {
            Kind::Scalar(scalar) if scalar.literal() == Literal::Number("1") => return,
            Kind::Scalar(scalar) if scalar.plain => format!("`{}`", scalar.text),
            _ => node.describe().to_owned(),
        };
        let message =
            format!("this release reads version 1 of the mapping language, found {found}");
        let help = "write `version: 1`, or use the release that the mapping was written for";
        self.keep(Diagnostic::new(node.span, message).help(help));
    }

    fn tables(&mut self, node: &Node) {
        for Entry { key, value } in self.named(node, "`tables` holds tables by name") {
            let mut rows = Table::new();
            let mut places = Vec::new();
            for row in self.named(value, "a table gives a scalar for each text") {
                let Some(item) = self.constant(&row.value) else {
                    continue;
                };
                places.push((row.value.span, item.clone()));
                rows.insert(row.key.text.clone(), item);
            }
            self.table_entries.insert(key.text.clone(), places);
            self.tables.insert(key.text.clone(), Arc::new(rows));
        }
    }

    fn pattern(&mut self, node: &Node) -> Option<Pattern> {
        self.look_at_pattern(node);
        self.diagnostics
            .extend(pattern_diagnostics(pattern::unquoted_ids(node)));
        Pattern::compile(node)
            .map_err(|diagnostics| self.diagnostics.extend(pattern_diagnostics(diagnostics)))
            .ok()
    }

    fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        match &node.kind {
            Kind::List(items) => Some(items),
            _ => self.refuse(Diagnostic::new(
                node.span,
                format!("{what}, found {}", node.describe()),
            )),
        }
    }

    /// A object whose keys the author chooses; one given twice is a diagnostic.
    fn named<'n>(&mut self, node: &'n Node, what: &str) -> Vec<&'n Entry> {
        let Kind::Map(entries) = &node.kind else {
            self.keep(Diagnostic::new(
                node.span,
                format!("{what}, found {}", node.describe()),
            ));
            return Vec::new();
        };
        let (once, diagnostics) = object::once(entries);
        self.diagnostics.extend(diagnostics);
        once
    }

    fn object<'n>(&mut self, node: &'n Node, schema: &ObjectSchema) -> Option<Object<'n>> {
        let (object, diagnostics) = Object::new(node, schema);
        self.diagnostics.extend(diagnostics);
        object
    }

    fn keep(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Keeps a diagnostic in place of a value, so that `return self.refuse(…)` reads well.
    fn refuse<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.keep(diagnostic);
        None
    }
}
