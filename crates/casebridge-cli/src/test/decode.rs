//! From the text of a test file to its tests, or to all its diagnostics: checked against the mapping and the domain, so that a test can only
//! expect what can be.

mod additions;
mod event;
mod expect;
mod scalars;

use std::collections::HashMap;
use std::path::Path;

use casebridge::error::Failure;
use casebridge::event::Event;
use mapping::diagnostic::{Code, Diagnostic, Diagnostics};
use mapping::domain::Domain;
use mapping::object::{self, Object};
use mapping::schema::ObjectSchema;
use mapping::tree::{Entry, Kind, Literal, Node};
use mapping::{Mapping, json, yaml};

use super::expectation::Expectation;
use super::schema;

/// One test.
pub(super) struct Test {
    pub(super) name: String,
    /// The line that its name stands on, from 1.
    pub(super) line: usize,
    /// The event, changed as the test says, or why the function refuses it.
    pub(super) event: Result<Event, Failure>,
    pub(super) expected: Expectation,
}

/// What a test file is about.
pub(super) struct Subject<'a> {
    pub(super) mapping: &'a Mapping,
    pub(super) domain: &'a Domain,
    /// The test file's folder, which the files of events are named from.
    pub(super) folder: &'a Path,
}

/// Reads a test file: JSON when its name ends in `.json`, else YAML.
///
/// # Errors
/// All diagnostics of the file together; a syntax diagnostic alone.
pub(super) fn tests(
    file: &str,
    text: &str,
    subject: &Subject<'_>,
) -> Result<Vec<Test>, Diagnostics> {
    let is_json = Path::new(file)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let read = if is_json {
        json::parse(text)
            .map(|root| (root, Vec::new()))
            .map_err(|diagnostic| vec![diagnostic])
    } else {
        yaml::parse(text)
    };
    let diagnostics = |list: Vec<Diagnostic>| Diagnostics::new(file, text, list);
    let (root, found) = read.map_err(diagnostics)?;
    let mut decoder = Decoder {
        subject,
        diagnostics: found,
    };
    let tests = decoder.file(&root).unwrap_or_default();
    if decoder.diagnostics.is_empty() {
        Ok(tests)
    } else {
        Err(diagnostics(decoder.diagnostics))
    }
}

struct Decoder<'a> {
    subject: &'a Subject<'a>,
    diagnostics: Vec<Diagnostic>,
}

impl Decoder<'_> {
    fn file(&mut self, root: &Node) -> Option<Vec<Test>> {
        let object = self.object(root, &schema::TEST_FILE)?;
        if let Some(node) = object.get("version") {
            self.version(node);
        }
        let node = object.get("tests")?;
        let items = self.list(node, "`tests` is a list of tests")?;
        if items.is_empty() {
            self.keep(Diagnostic::new(
                node.span,
                "`tests` is empty: it proves nothing",
            ));
        }
        let mut lines: HashMap<String, usize> = HashMap::new();
        let mut tests = Vec::with_capacity(items.len());
        for item in items {
            let Some((test, node)) = self.test(item) else {
                continue;
            };
            if let Some(first) = lines.insert(test.name.clone(), test.line) {
                let name = &test.name;
                let message =
                    format!("the name `{name}` is given twice; the first is on line {first}");
                let help = "say what each of the two is about";
                self.keep(
                    Diagnostic::new(node.span, message)
                        .help(help)
                        .code(Code::Name),
                );
            }
            tests.push(test);
        }
        Some(tests)
    }

    fn version(&mut self, node: &Node) {
        let found = match &node.kind {
            Kind::Scalar(scalar) if scalar.literal() == Literal::Number("1") => return,
            Kind::Scalar(scalar) if scalar.plain => format!("`{}`", scalar.text),
            _ => node.describe().to_owned(),
        };
        let message = format!("this release reads version 1 of test files, found {found}");
        let help = "write `version: 1`, or use the release that the tests were written for";
        self.keep(Diagnostic::new(node.span, message).help(help));
    }

    /// A test, with the node of its name. Every part is read before one that is missing ends it, so that no diagnostic hides another.
    fn test<'n>(&mut self, node: &'n Node) -> Option<(Test, &'n Node)> {
        let object = self.object(node, &schema::TEST)?;
        let name = object
            .get("name")
            .and_then(|node| self.text(node, "a test's name is text"))
            .map(str::to_owned);
        let event = object.get("event").and_then(|node| self.event(node));
        let with = object.get("with").map(|node| self.patch(node));
        let expected = object.get("expect").and_then(|node| self.expect(node));
        let mut event = event?;
        if let (Some(patch), Ok(event)) = (with, &mut event) {
            super::merge_patch::apply(&mut event.root, patch?);
        }
        let node = object.get("name")?;
        let test = Test {
            name: name?,
            line: node.span.start.line,
            event,
            expected: expected?,
        };
        Some((test, node))
    }

    fn object<'n>(&mut self, node: &'n Node, schema: &ObjectSchema) -> Option<Object<'n>> {
        let (object, diagnostics) = Object::new(node, schema);
        self.diagnostics.extend(diagnostics);
        object
    }

    fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        match &node.kind {
            Kind::List(items) => Some(items),
            Kind::Scalar(_) | Kind::Map(_) => self.refuse(Diagnostic::new(
                node.span,
                format!("{what}, found {}", node.describe()),
            )),
        }
    }

    /// A object whose keys the author chooses; one given twice is a diagnostic.
    fn named<'n>(&mut self, node: &'n Node, what: &str) -> Vec<&'n Entry> {
        let Kind::Map(entries) = &node.kind else {
            let message = format!("{what}, found {}", node.describe());
            self.keep(Diagnostic::new(node.span, message));
            return Vec::new();
        };
        let (once, diagnostics) = object::once(entries);
        self.diagnostics.extend(diagnostics);
        once
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
