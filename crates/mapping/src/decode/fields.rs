//! `fields` and `customer`.

use std::collections::HashMap;
use std::sync::Arc;

use super::Decoder;
use super::constants::Places;
use super::template::is_uuid;
use crate::diagnostic::{Code, Diagnostic, nearest, suggest};
use crate::domain::Domain;
use crate::field::{Field, FieldType};
use crate::limits;
use crate::object::Object;
use crate::schema;
use crate::tree::{Entry, Key, Kind, Node, Span};
use crate::{Choice, FieldMapping, IfMissing, Overflow, Source};

const IF_MISSING: [(&str, IfMissing); 3] = [
    ("fail", IfMissing::Fail),
    ("skip", IfMissing::Skip),
    ("empty", IfMissing::Empty),
];

/// What `fields` and `customer` set.
#[derive(Default)]
pub(super) struct Fields {
    /// The sound field mappings, with the place of each.
    pub(super) sound: Vec<(FieldMapping, Span)>,
    /// The ids of all fields that are set, well or badly, with the line of each: a faulty one is not missing as well.
    pub(super) set: HashMap<String, usize>,
}

impl Decoder<'_> {
    pub(super) fn fields(&mut self, node: &Node) -> Fields {
        let entries = self.named(node, "`fields` gives a value for each field");
        let mut fields = Fields {
            sound: Vec::with_capacity(entries.len()),
            set: HashMap::with_capacity(entries.len()),
        };
        for entry in entries {
            let Some(mapping) = self.field_mapping(entry, &mut fields.set) else {
                continue;
            };
            fields.sound.push((mapping, entry.key.span));
        }
        if fields.set.len() > limits::FIELDS {
            let (limit, found) = (limits::FIELDS, fields.set.len());
            let message = format!("a case is created with at most {limit} fields, found {found}");
            self.keep(Diagnostic::new(node.span.first_character(), message));
        }
        fields
    }

    fn field_mapping(
        &mut self,
        Entry { key, value }: &Entry,
        set: &mut HashMap<String, usize>,
    ) -> Option<FieldMapping> {
        let Kind::Map(_) = value.kind else {
            let field = self.field(key, None);
            self.set_once(field.as_deref(), key, set);
            let content = self.content(value);
            let mapping = FieldMapping::new(field?, Source::Value(content?));
            let places = Places {
                field: key.span,
                values: vec![value.span],
                default: None,
            };
            return self.checked(mapping, None, &places);
        };
        let object = self.object(value, &schema::FIELD)?;
        let explicit = object
            .get("type")
            .map(|node| self.word(node, &FieldType::NAMES));
        let field = match explicit {
            Some(None) => None,
            explicit => self.field(key, explicit.flatten()),
        };
        self.set_once(field.as_deref(), key, set);
        let source = self.source(&object);
        let when = object.get("when").map(|node| self.pattern(node));
        let lookup = object.get("lookup").map(|node| self.table(node));
        let default = object.get("default").map(|node| self.value(node));
        let if_missing = object
            .get("if_missing")
            .map(|node| self.word(node, &IF_MISSING));
        let overflow = object.get("overflow").map(|node| self.overflow(node));
        let (source, values) = source?;
        let mut mapping = FieldMapping::new(field?, source);
        let mut table = None;
        if let Some(when) = when {
            mapping.when = Some(when?);
        }
        if let Some(lookup) = lookup {
            let name = lookup?;
            mapping.lookup = self.tables.get(&name).cloned();
            table = Some(name);
        }
        if let Some(default) = default {
            mapping.default = Some(default?);
        }
        mapping.if_missing = if_missing.unwrap_or(Some(IfMissing::Fail))?;
        mapping.overflow = overflow.unwrap_or(Some(Overflow::Fail))?;
        if mapping.overflow != Overflow::Fail && mapping.field.kind != FieldType::Text {
            let (name, kind) = (&mapping.field.name, mapping.field.kind.name());
            let message = format!(
                "`overflow` is for Text, and the field `{name}` is of type {kind}: cut short, its value would be another"
            );
            let diagnostic = Diagnostic::new(object.span_of("overflow"), message);
            return self.refuse(diagnostic.help("leave it out").code(Code::Overflow));
        }
        let place = |name| object.get(name).map(|node| node.span);
        self.warn_of_idle(&mapping, place("if_missing"), place("overflow"));
        let default = place("default");
        let places = Places {
            field: key.span,
            values,
            default,
        };
        self.checked(mapping, table.as_deref(), &places)
    }

    /// Reports a field that is set by name and by id.
    fn set_once(&mut self, field: Option<&Field>, key: &Key, set: &mut HashMap<String, usize>) {
        let Some(field) = field else { return };
        if let Some(line) = set.get(&field.id) {
            let name = &field.name;
            let message = format!(
                "the field `{name}` is set twice, by name and by id; the first is on line {line}"
            );
            let diagnostic = Diagnostic::new(key.span, message).help("keep one of them");
            self.keep(diagnostic.code(Code::FieldSetTwice));
        } else {
            set.insert(field.id.clone(), key.span.start.line);
        }
    }

    /// The field of this name or id, which has to be of the type that is given explicitly, if one is.
    fn field(&mut self, key: &Key, explicit: Option<FieldType>) -> Option<Arc<Field>> {
        let field = match self.context.domain {
            Some(domain) => self.known_field(key, domain),
            None => Field::system(&key.text)
                .map(Arc::new)
                .or_else(|| self.unknown_field(key, explicit)),
        }?;
        if !field.is_writable() {
            let message = format!("the field `{}` is written by Cases itself", field.name);
            let diagnostic = Diagnostic::new(key.span, message).help("remove it");
            return self.refuse(diagnostic.code(Code::ReadOnlyField));
        }
        let wanted = explicit.filter(|kind| *kind != field.kind);
        if let Some(wanted) = wanted {
            let (name, found) = (&field.name, field.kind.name());
            let message = format!(
                "the field `{name}` is of type {found}, not {}",
                wanted.name()
            );
            let help = "leave `type` out: the domain has the type";
            return self.refuse(
                Diagnostic::new(key.span, message)
                    .help(help)
                    .code(Code::FieldType),
            );
        }
        Some(field)
    }

    /// A field of the snapshot, by name or id.
    fn known_field(&mut self, key: &Key, domain: &Domain) -> Option<Arc<Field>> {
        let name = &key.text;
        if let Some(field) = domain.field(name) {
            return Some(Arc::clone(field));
        }
        if let Some(kind) = domain.later_type(name) {
            let message = format!(
                "the field `{name}` is of type `{kind}`, which this release of Casebridge does not know"
            );
            let help = "take a newer release, or leave the field out";
            return self.refuse(
                Diagnostic::new(key.span, message)
                    .help(help)
                    .code(Code::FieldType),
            );
        }
        Field::system(name).map(Arc::new).or_else(|| {
            let writable = domain.fields.iter().filter(|field| field.is_writable());
            let help = match nearest(name, writable.map(|field| field.name.as_str())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "names and ids are those of domain.json".to_owned(),
            };
            let message = format!("the domain has no field `{name}`");
            self.refuse(
                Diagnostic::new(key.span, message)
                    .help(help)
                    .code(Code::UnknownField),
            )
        })
    }

    /// Without a snapshot a custom field is what the author says it is.
    fn unknown_field(&mut self, key: &Key, explicit: Option<FieldType>) -> Option<Arc<Field>> {
        let name = &key.text;
        let (message, help) = match explicit {
            Some(kind) if is_uuid(name) => return Some(Field::explicit(name, kind).into()),
            Some(_) => (
                format!("there is no domain snapshot to find a field `{name}` in"),
                "write the field's id, or put domain.json beside the mapping",
            ),
            None => (
                format!("the type of field `{name}` is not known: there is no domain snapshot"),
                "write the id with a `type`, such as `{ type: Number, value: $.detail.n }`, or put domain.json beside the mapping",
            ),
        };
        self.refuse(
            Diagnostic::new(key.span, message)
                .help(help)
                .code(Code::UnknownField),
        )
    }

    /// Either `value` or `choose`, with the place of each value in it.
    fn source(&mut self, object: &Object<'_>) -> Option<(Source, Vec<Span>)> {
        match (object.get("value"), object.get("choose")) {
            (Some(node), None) => Some((Source::Value(self.content(node)?), vec![node.span])),
            (None, Some(node)) => self.choices(node),
            (None, None) => {
                let message = "a field needs `value` or `choose`";
                self.refuse(Diagnostic::new(object.span_of(""), message))
            }
            (Some(_), Some(_)) => {
                let message = "a field has `value` or `choose`, not both";
                let diagnostic = Diagnostic::new(object.span_of("choose"), message);
                self.refuse(diagnostic.help("keep one of them"))
            }
        }
    }

    fn choices(&mut self, node: &Node) -> Option<(Source, Vec<Span>)> {
        let items = self.list(node, "`choose` is a list of choices")?;
        if items.is_empty() {
            return self.refuse(Diagnostic::new(
                node.span,
                "`choose` needs at least one choice",
            ));
        }
        let mut choices = Vec::with_capacity(items.len());
        let mut places = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let Some(object) = self.object(item, &schema::CHOICE) else {
                continue;
            };
            let when = object.get("when").map(|node| self.pattern(node));
            let value = object.get("value").and_then(|node| self.content(node));
            if when.is_none() && index + 1 < items.len() {
                let message = "this choice has no `when`, so those after it are never taken";
                let span = item.span.first_character();
                self.keep(
                    Diagnostic::new(span, message)
                        .help("make it the last")
                        .code(Code::Unreachable),
                );
            }
            if let (None | Some(Some(_)), Some(value)) = (&when, value) {
                choices.push(Choice {
                    when: when.flatten(),
                    value,
                });
                places.extend(object.get("value").map(|node| node.span));
            }
        }
        (choices.len() == items.len()).then_some((Source::Choose(choices), places))
    }

    fn table(&mut self, node: &Node) -> Option<String> {
        match &node.kind {
            Kind::Scalar(scalar) if self.tables.contains_key(&scalar.text) => {
                Some(scalar.text.clone())
            }
            Kind::Scalar(scalar) => {
                let help = suggest(&scalar.text, self.tables.keys().map(String::as_str));
                let message = format!("there is no table `{}`", scalar.text);
                let diagnostic = Diagnostic::new(node.span, message).maybe_help(help);
                self.refuse(diagnostic.code(Code::UnknownTable))
            }
            Kind::List(_) | Kind::Map(_) => {
                let message = format!("`lookup` takes a table's name, found {}", node.describe());
                self.refuse(Diagnostic::new(node.span, message))
            }
        }
    }

    fn overflow(&mut self, node: &Node) -> Option<Overflow> {
        let words = [
            ("fail", Overflow::Fail),
            ("truncate", Overflow::Truncate),
            ("comment", Overflow::Comment),
        ];
        self.word(node, &words)
    }
}

impl FieldMapping {
    pub(super) fn new(field: impl Into<Arc<Field>>, source: Source) -> Self {
        Self {
            field: field.into(),
            when: None,
            source,
            lookup: None,
            default: None,
            if_missing: IfMissing::default(),
            overflow: Overflow::default(),
        }
    }
}
