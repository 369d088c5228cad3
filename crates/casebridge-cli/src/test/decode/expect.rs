//! `expect` of a test: what becomes of its event. Expected values are read by the very rules that fill the field, so that `629.90` is
//! `629.9`, an option goes by label or value, and a time by any way to write it.

use casebridge::error::ErrorCode;
use casebridge::outcome::Skip;
use mapping::diagnostic::{Code, Diagnostic, nearest, suggest};
use mapping::field::{Field, FieldValue};
use mapping::object::Object;
use mapping::tree::{Entry, Kind, Literal, Node, Span};
use mapping::value::Value;

use super::super::expectation::{Expectation, ExpectedCase};
use super::super::schema;
use super::Decoder;

/// Why an event can be left alone.
pub(super) const SKIPS: [Skip; 3] = [
    Skip::NoCaseMapping,
    Skip::OwnCaseEvent,
    Skip::InactiveRegion,
];

/// Why an event can be refused before anything is sent.
pub(super) const CODES: [ErrorCode; 9] = [
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

/// Keys that speak of a case.
const OF_A_CASE: [&str; 7] = [
    "fields",
    "not_sent",
    "tags",
    "performed_by",
    "customer",
    "contact",
    "comments",
];

impl Decoder<'_> {
    pub(super) fn expect(&mut self, node: &Node) -> Option<Expectation> {
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
                let message =
                    "`expect` says what becomes of the event: `case`, `skipped` or `refused`";
                let help = "such as `expect: { case: order-failed }`";
                let diagnostic = Diagnostic::new(node.span.first_character(), message).help(help);
                return self.refuse(diagnostic.code(Code::MissingKey));
            }
            (_, Some(_), Some(_)) => Some(("refused", "an event is skipped or refused, not both")),
            (Some(_), Some(_), None) => {
                let message = "an event that is skipped is taken by no case mapping";
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
        let case = match case {
            Some(case) => Some(case?),
            None => None,
        };
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

    /// The error code, and what the error is about where the test says it.
    fn refused(&mut self, node: &Node) -> Option<(ErrorCode, Option<String>)> {
        let object = self.object(node, &schema::REFUSED)?;
        let code = object
            .get("code")
            .and_then(|node| self.word(node, &CODES, ErrorCode::name));
        let about = object.get("field").map(|node| self.about(node));
        let about = match about {
            Some(about) => Some(about?),
            None => None,
        };
        Some((code?, about))
    }

    /// What an error is about, as the answer's `errorField` says it: a field by its name in the domain.
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
        expected.performed_by = object
            .get("performed_by")
            .and_then(|node| {
                self.text(
                    node,
                    "`performed_by` is the name of an entity, or a user's ARN",
                )
            })
            .map(str::to_owned);
        expected.additions = self.expected_additions(object);
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
        field.coerce(item.clone()).map_or_else(
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
}

/// Whether an object has no keys at all.
fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, Kind::Map(entries) if entries.is_empty())
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
    fn the_words_that_are_read_are_those_of_the_table() {
        assert_eq!(words(&schema::EXPECT, "skipped"), SKIPS.map(Skip::name));
        assert_eq!(words(&schema::REFUSED, "code"), CODES.map(ErrorCode::name));
    }

    #[test]
    fn no_event_is_refused_for_what_a_retry_cures() {
        assert!(CODES.iter().all(|code| !code.is_transient()));
    }
}
