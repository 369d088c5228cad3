//! Decodes a test file into its tests, or into all its diagnostics. Every name and value is checked against mapping and
//! domain, so that a test expects only possible outcomes.

use std::collections::HashMap;
use std::path::Path;

use casebridge::error::{ErrorCode, Failure};
use casebridge::event::{Event, Payload};
use casebridge::outcome::Skip;
use mapping::Mapping;
use mapping::diagnostic::{Code, Diagnostic, Diagnostics, alternatives, nearest, suggest};
use mapping::domain::Domain;
use mapping::field::{Field, FieldValue};
use mapping::object::{self, Object};
use mapping::schema::ObjectSchema;
use mapping::source::{Format, Source};
use mapping::tree::{Entry, Kind, Literal, Node, Scalar, Span};
use mapping::value::Value;
use serde_json::{Map, Value as Json};

use super::expectation::{Customer, Expectation, Expected, ExpectedCase, Search};
use super::schema;

/// One test.
pub(super) struct Test {
    pub(super) name: String,
    /// The line that its name stands on, from 1.
    pub(super) line: usize,
    /// The event after the changes of `with`, or the function's reason to refuse it.
    pub(super) event: Result<Event, Failure>,
    pub(super) expected: Expectation,
}

/// The mapping and domain that a test file is for.
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
    let diagnostics = |list: Vec<Diagnostic>| Diagnostics::new(file, text, list);
    let Source { root, errors } = Format::of(file).parse(text).map_err(diagnostics)?;
    let mut decoder = Decoder {
        subject,
        diagnostics: errors,
    };
    let tests = decoder.file(&root).unwrap_or_default();
    if decoder.diagnostics.is_empty() {
        Ok(tests)
    } else {
        Err(diagnostics(decoder.diagnostics))
    }
}

/// The reasons to skip an event.
const SKIPS: [Skip; 4] = [
    Skip::NoCaseMapping,
    Skip::OwnCaseEvent,
    Skip::InactiveRegion,
    Skip::OtherInstance,
];

/// The errors of an event before anything is sent.
const CODES: [ErrorCode; 9] = [
    ErrorCode::UnrecognizedPayload,
    ErrorCode::SourceNotAllowed,
    ErrorCode::KeyMissing,
    ErrorCode::FieldMissing,
    ErrorCode::FieldInvalid,
    ErrorCode::FieldRequired,
    ErrorCode::TagInvalid,
    ErrorCode::CustomerKeyMissing,
    ErrorCode::CustomerKeyInvalid,
];

/// Keys of `expect` for a case.
const OF_A_CASE: [&str; 7] = [
    "fields",
    "not_sent",
    "tags",
    "performed_by",
    "customer",
    "contact",
    "comments",
];

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
            self.wrong::<()>(node, "`tests` is empty: write at least one test");
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
                let help = "give each test its own name";
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
            Kind::Scalar(_) | Kind::Map(_) => {
                self.wrong(node, format!("{what}, found {}", node.describe()))
            }
        }
    }

    /// A object whose keys the author chooses; one given twice is a diagnostic.
    fn named<'n>(&mut self, node: &'n Node, what: &str) -> Vec<&'n Entry> {
        let Kind::Map(entries) = &node.kind else {
            self.wrong::<()>(node, format!("{what}, found {}", node.describe()));
            return Vec::new();
        };
        let (once, diagnostics) = object::once(entries);
        self.diagnostics.extend(diagnostics);
        once
    }

    fn keep(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Keeps a diagnostic with only a message in place of a value.
    fn wrong<T>(&mut self, node: &Node, message: impl Into<String>) -> Option<T> {
        self.refuse(Diagnostic::new(node.span, message))
    }

    /// Keeps a diagnostic in place of a value, so that `return self.refuse(…)` reads well.
    fn refuse<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.keep(diagnostic);
        None
    }

    /// Reads the event as the function does. A refused event is no diagnostic, because a test may expect the refusal.
    fn event(&mut self, node: &Node) -> Option<Result<Event, Failure>> {
        let payload = match &node.kind {
            Kind::Map(_) => self.json(node)?.to_string(),
            Kind::Scalar(_) | Kind::List(_) => self.event_file(node)?,
        };
        match Payload::parse(&payload) {
            Ok(Payload::Event(event)) => Some(Ok(event)),
            Ok(Payload::Events(events)) => {
                self.several(node, "a list", events.len(), "one of the list")
            }
            Ok(Payload::Batch(mut messages)) => match (messages.pop(), messages.len()) {
                (Some(message), 0) => Some(message.event),
                (_, others) => {
                    self.several(node, "a batch", others + 1, "the event of its message")
                }
            },
            Err(failure) => Some(Err(failure)),
        }
    }

    fn several<T>(&mut self, node: &Node, what: &str, count: usize, one: &str) -> Option<T> {
        let message = format!("a test is about one event, and this is {what} of {count}");
        let help = format!("write a test for each, with {one}");
        self.refuse(Diagnostic::new(node.span, message).help(help))
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

    /// Returns the value of `with` as JSON.
    fn patch(&mut self, node: &Node) -> Option<Map<String, Json>> {
        if let Json::Object(patch) = self.json(node)? {
            return Some(patch);
        }
        let found = node.describe();
        self.wrong(
            node,
            format!("`with` is an object of what changes in the event, found {found}"),
        )
    }

    /// The node as JSON; scalars are what JSON's own grammar makes of them, and numbers keep their digits.
    fn json(&mut self, node: &Node) -> Option<Json> {
        match &node.kind {
            Kind::Scalar(scalar) => Some(match scalar.literal() {
                Literal::Null => Json::Null,
                Literal::Boolean(boolean) => Json::Bool(boolean),
                Literal::Number(text) => match text.parse() {
                    Ok(number) => Json::Number(number),
                    Err(_) => return self.wrong(node, "this number cannot stand in an event"),
                },
                Literal::Text(text) => Json::String(text.to_owned()),
                Literal::Empty => {
                    let help = "write a value, `\"\"` for empty text, or `null`";
                    let diagnostic =
                        Diagnostic::new(node.span, "a value is missing here").help(help);
                    return self.refuse(diagnostic);
                }
            }),
            Kind::List(items) => Some(all(items.iter().map(|item| self.json(item)))?.into()),
            Kind::Map(_) => {
                let entries = self.named(node, "an event is an object").into_iter();
                let member =
                    |entry: &Entry| Some((entry.key.text.clone(), self.json(&entry.value)?));
                Some(Json::Object(
                    all(entries.map(member))?.into_iter().collect(),
                ))
            }
        }
    }

    fn expect(&mut self, node: &Node) -> Option<Expectation> {
        let object = self.object(node, &schema::EXPECT)?;
        let case = object.get("case").map(|node| self.case_mapping(node));
        let skipped = object
            .get("skipped")
            .map(|node| self.word(node, &SKIPS, Skip::name));
        let refused = object.get("refused").map(|node| self.refused(node));
        let expected = self.expected_case(&object);
        let contradiction = match (&case, &skipped, &refused) {
            (None, None, None) if object.is_empty() && !is_empty(node) => return None,
            (None, None, None) => {
                let message = "`expect` needs an outcome: `case`, `skipped` or `refused`";
                let help = "such as `expect: { case: order-failed }`";
                let diagnostic = Diagnostic::new(node.span.first_character(), message).help(help);
                return self.refuse(diagnostic.code(Code::MissingKey));
            }
            (_, Some(_), Some(_)) => Some(("refused", "an event is skipped or refused, not both")),
            (Some(_), Some(_), None) => {
                let message = "a skipped event has no case mapping";
                Some(("case", message))
            }
            _ => None,
        };
        if let Some((key, message)) = contradiction {
            let diagnostic = Diagnostic::new(object.span_of(key), message);
            self.keep(diagnostic.help(format!("keep `skipped` or `{key}`")));
        }
        for key in OF_A_CASE {
            if object.get(key).is_some() && (skipped.is_some() || refused.is_some()) {
                let message = format!("`{key}` is about a case, and this event makes none");
                self.keep(Diagnostic::new(object.span_of(key), message));
            }
        }
        // A value that is given and wrong is no expectation.
        let case = case.map_or(Some(None), |case| case.map(Some))?;
        match (skipped, refused) {
            (Some(skip), _) => Some(Expectation::Skipped(skip?)),
            (None, Some(refused)) => {
                let (code, about) = refused?;
                Some(Expectation::Refused { case, code, about })
            }
            (None, None) => Some(Expectation::Case(ExpectedCase {
                mapping: case?,
                ..expected
            })),
        }
    }

    fn case_mapping(&mut self, node: &Node) -> Option<String> {
        let name = self.text(node, "`case` is the name of a case mapping")?;
        let known = || self.subject.mapping.cases.iter().map(|case| &*case.name);
        if known().any(|known| known == name) {
            return Some(name.to_owned());
        }
        let message = format!("the mapping has no case mapping `{name}`");
        let help = suggest(name, known());
        self.refuse(
            Diagnostic::new(node.span, message)
                .maybe_help(help)
                .code(Code::Name),
        )
    }

    /// Returns the error code, and the test's value for `errorField` if it has one.
    fn refused(&mut self, node: &Node) -> Option<(ErrorCode, Option<String>)> {
        let object = self.object(node, &schema::REFUSED)?;
        let code = object
            .get("code")
            .and_then(|node| self.word(node, &CODES, ErrorCode::name));
        let about = object.get("field").map(|node| self.about(node));
        Some((code?, about.map_or(Some(None), |about| about.map(Some))?))
    }

    /// Returns the value of `errorField`: a field goes by its name in the domain.
    fn about(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node, "`field` is the name of what the error is about")?;
        let spelled_out = ["key", "performed_by", "customer"].contains(&text)
            || text.starts_with("tags.")
            || text.starts_with('$');
        if spelled_out {
            return Some(text.to_owned());
        }
        self.field(text, node.span).map(|field| field.name)
    }

    /// All but the case mapping's name.
    fn expected_case(&mut self, object: &Object<'_>) -> ExpectedCase {
        let mut expected = ExpectedCase::default();
        let text = |this: &mut Self, node: &Node, what| this.text(node, what).map(str::to_owned);
        if let Some(node) = object.get("fields") {
            for Entry { key, value } in self.named(node, "`fields` gives a value for each field") {
                let field = self.field(&key.text, key.span);
                let value = field
                    .as_ref()
                    .and_then(|field| self.field_value(field, value));
                expected.fields.extend(field.zip(value));
            }
        }
        if let Some(node) = object.get("not_sent") {
            let items = self.list(node, "`not_sent` is a list of fields");
            for item in items.unwrap_or_default() {
                let name = self.text(item, "a field's name is text");
                let Some(field) = name.and_then(|name| self.field(name, item.span)) else {
                    continue;
                };
                if expected
                    .fields
                    .iter()
                    .any(|(other, _)| other.id == field.id)
                {
                    let message = format!(
                        "the field `{}` is expected with a value as well",
                        field.name
                    );
                    let diagnostic = Diagnostic::new(item.span, message).code(Code::FieldSetTwice);
                    self.keep(diagnostic.help("keep one of them"));
                }
                expected.not_sent.push(field);
            }
        }
        if let Some(node) = object.get("tags") {
            for Entry { key, value } in self.named(node, "`tags` gives a value for each tag") {
                let text = self.constant(value).and_then(|item| item.into_text().ok());
                let tag = text.map(|text| (key.text.clone(), text.into_owned()));
                expected.tags.extend(tag);
            }
        }
        let what = "`performed_by` is the name of an entity, or a user's ARN";
        let performed_by = object.get("performed_by");
        expected.performed_by = performed_by.and_then(|node| text(self, node, what));
        let what = "`contact` is the ARN or id of the contact that is linked, `true` or `false`";
        let customer = object.get("customer");
        expected.customer = customer.and_then(|node| self.either(node, Self::expected_customer));
        let contact = object.get("contact");
        let contact_of = |this: &mut Self, node: &Node| text(this, node, what);
        expected.contact = contact.and_then(|node| self.either(node, contact_of));
        let comments = object.get("comments");
        expected.comments = comments.and_then(|node| self.either(node, Self::expected_comments));
        expected
    }

    fn field(&mut self, name: &str, span: Span) -> Option<Field> {
        let domain = self.subject.domain;
        let known = domain.field(name).map(|field| (**field).clone());
        known.or_else(|| Field::system(name)).or_else(|| {
            let near = nearest(name, domain.fields.iter().map(|field| field.name.as_str()));
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "names and ids are those of the domain snapshot".to_owned(),
            };
            let message = format!("the domain has no field `{name}`");
            self.refuse(
                Diagnostic::new(span, message)
                    .help(help)
                    .code(Code::UnknownField),
            )
        })
    }

    fn field_value(&mut self, field: &Field, node: &Node) -> Option<FieldValue> {
        if let Kind::Scalar(scalar) = &node.kind
            && scalar.literal() == Literal::Null
        {
            return Some(FieldValue::Empty);
        }
        let item: Value<'_> = self.constant(node)?;
        let (name, kind) = (&field.name, field.kind.name());
        field.coerce(item.clone(), None).map_or_else(
            |field_error| {
                let text = item.into_text().unwrap_or_default();
                let options = field.options.iter().flatten();
                let unknown = field.options.is_some() && field.option(&text).is_none();
                self.refuse(if unknown {
                    let active = options.filter(|option| option.active);
                    let help = suggest(&text, active.map(|option| option.name.as_str()));
                    let message = format!("the field `{name}` has no option `{text}`");
                    Diagnostic::new(node.span, message)
                        .maybe_help(help)
                        .code(Code::UnknownOption)
                } else {
                    let message = format!("the field `{name}` ({kind}) {field_error}");
                    Diagnostic::new(node.span, message).code(Code::FieldValue)
                })
            },
            Some,
        )
    }

    /// `true`, `false`, or what `this` reads.
    fn either<T>(
        &mut self,
        node: &Node,
        this: impl FnOnce(&mut Self, &Node) -> Option<T>,
    ) -> Option<Expected<T>> {
        if let Kind::Scalar(scalar) = &node.kind
            && let Literal::Boolean(any) = scalar.literal()
        {
            return Some(if any { Expected::Any } else { Expected::None });
        }
        this(self, node).map(Expected::This)
    }

    fn expected_customer(&mut self, node: &Node) -> Option<Customer> {
        let Kind::List(items) = &node.kind else {
            let what =
                "`customer` is the ARN or id of a profile, a list of searches, `true` or `false`";
            return self
                .text(node, what)
                .map(|name| Customer::Profile(name.to_owned()));
        };
        if items.is_empty() {
            self.wrong::<()>(node, "`customer` is empty: write `false` for no customer");
        }
        let searches = all(items.iter().map(|item| self.expected_search(item)));
        searches.map(Customer::Searches)
    }

    fn expected_search(&mut self, node: &Node) -> Option<Search> {
        let entries = self.named(node, "a search gives a value for each of its keys");
        let keys = all(entries.into_iter().map(|Entry { key, value }| {
            let text = self.constant(value)?.into_text().ok()?;
            Some((key.text.clone(), vec![text.into_owned()]))
        }));
        Some(keys?.into_iter().collect())
    }

    fn expected_comments(&mut self, node: &Node) -> Option<Vec<String>> {
        let items = self.list(node, "`comments` is a list of texts, `true` or `false`")?;
        if items.is_empty() {
            self.wrong::<()>(node, "`comments` is empty: write `false` for no comment");
        }
        let text = |item| self.text(item, "a comment is text").map(str::to_owned);
        all(items.iter().map(text))
    }

    /// Returns text that is not empty; `what` begins the message about any other value.
    fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.kind {
            Kind::Scalar(scalar)
                if !matches!(
                    scalar.literal(),
                    Literal::Empty | Literal::Null | Literal::Text("")
                ) =>
            {
                Some(&scalar.text)
            }
            _ => self.wrong(node, format!("{what}, found {}", describe(node))),
        }
    }

    /// A number, a boolean or text, as it stands in the file.
    fn constant(&mut self, node: &Node) -> Option<Value<'static>> {
        node.constant().or_else(|| {
            let found = describe(node);
            let message = format!("expected text, a number or a boolean, found {found}");
            self.wrong(node, message)
        })
    }

    /// One of a few words.
    fn word<T: Copy>(
        &mut self,
        node: &Node,
        words: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let names = || words.iter().map(|word| name(*word));
        let expected = alternatives(names());
        let Kind::Scalar(Scalar { text, .. }) = &node.kind else {
            let message = format!("expected {expected}, found {}", node.describe());
            return self.refuse(Diagnostic::new(node.span, message).code(Code::UnknownWord));
        };
        let found = words.iter().find(|word| name(**word) == text);
        found.copied().or_else(|| {
            let near = nearest(text, names()).map(|near| format!("did you mean `{near}`?"));
            let message = format!("expected {expected}, found `{text}`");
            let diagnostic = Diagnostic::new(node.span, message).maybe_help(near);
            self.refuse(diagnostic.code(Code::UnknownWord))
        })
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

/// Evaluates all items, so that each is checked, and returns their values if all have one.
fn all<T>(items: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let items: Vec<_> = items.collect();
    items.into_iter().collect()
}

/// Returns whether an object has no keys.
fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, Kind::Map(entries) if entries.is_empty())
}

fn describe(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.literal() == Literal::Text("") => "empty text",
        _ => node.describe(),
    }
}

#[cfg(test)]
mod tests {
    use mapping::schema::{ObjectSchema, Shape};

    use super::*;

    fn words(schema: &ObjectSchema, name: &str) -> Vec<&'static str> {
        let key = schema.keys.iter().find(|key| key.name == name);
        match key.expect("a key").shape {
            Shape::Words(words) => words.to_vec(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn the_decoder_accepts_the_words_of_the_table() {
        assert_eq!(words(&schema::EXPECT, "skipped"), SKIPS.map(Skip::name));
        assert_eq!(words(&schema::REFUSED, "code"), CODES.map(ErrorCode::name));
    }

    #[test]
    fn no_event_is_refused_for_what_a_retry_cures() {
        assert!(CODES.iter().all(|code| !code.is_transient()));
    }
}
