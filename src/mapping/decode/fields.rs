//! `fields` and `customer`.

use super::super::expression::{Item, Template};
use super::super::fault::suggest;
use super::super::keys::Place;
use super::super::tree::{Kind, Literal, Node, Span};
use super::super::{Choice, FieldMapping, IfMissing, Overflow, Source};
use super::case::{is_null, is_uuid};
use super::group::Group;
use super::{Decoder, listed};
use crate::field::{Field, FieldType, Misfit};
use crate::limits;

/// The keys that give a field's type, for fields that no snapshot knows.
const TYPES: [(&str, FieldType); 7] = [
    ("text", FieldType::Text),
    ("number", FieldType::Number),
    ("boolean", FieldType::Boolean),
    ("date_time", FieldType::DateTime),
    ("option", FieldType::SingleSelect),
    ("url", FieldType::Url),
    ("user", FieldType::User),
];

impl Decoder<'_> {
    /// The field mappings with the place of each.
    pub(super) fn fields(&mut self, node: &Node) -> Vec<(FieldMapping, Span)> {
        let mut fields: Vec<(FieldMapping, Span)> = Vec::new();
        for (name, value) in self.named(node, "`fields` gives a value for each field") {
            let Some(field) = self.field_mapping(name, value) else {
                continue;
            };
            if let Some((_, first)) = fields
                .iter()
                .find(|(other, _)| other.field.id == field.field.id)
            {
                let message = format!(
                    "the field `{name}` is set twice, by name and by id; the first is on line {}",
                    first.start.line
                );
                self.fault::<()>(value.span, message, Some("keep one of them".to_owned()));
            }
            fields.push((field, value.span));
        }
        if fields.len() > limits::FIELDS {
            self.fault::<()>(
                node.span,
                format!(
                    "a case is created with at most {} fields, found {}",
                    limits::FIELDS,
                    fields.len()
                ),
                None,
            );
        }
        fields
    }

    fn field_mapping(&mut self, name: &str, node: &Node) -> Option<FieldMapping> {
        let Kind::Map(_) = node.kind else {
            let field = self.field(name, None, node.span);
            let source = Source::Value(self.nullable(node)?);
            return self.checked(FieldMapping::new(field?, source), node, None);
        };
        let group = self.group(node, Place::Field)?;
        let explicit = TYPES.into_iter().find(|(key, _)| group.get(key).is_some());
        let field = match group.get("empty") {
            Some(_) if self.setting.domain.is_none() && Field::system(name).is_none() => {
                self.field(name, Some(("empty", FieldType::Text)), node.span)
            }
            _ => self.field(name, explicit, node.span),
        };
        let source = self.source(&group, node.span);
        let when = group.get("when").map(|node| self.pattern(node));
        let lookup = group.get("lookup").map(|node| self.table(node));
        let default = group.get("default").map(|node| self.value(node));
        let if_missing = group.get("if_missing").map(|node| {
            self.word(
                node,
                &[
                    ("fail", IfMissing::Fail),
                    ("skip", IfMissing::Skip),
                    ("empty", IfMissing::Empty),
                ],
            )
        });
        let overflow = group.get("overflow").map(|node| self.overflow(node));
        let mut mapping = FieldMapping::new(field?, source?);
        if let Some(when) = when {
            mapping.when = Some(when?);
        }
        let table = match lookup {
            None => None,
            Some(name) => Some(name?),
        };
        mapping.lookup = table
            .as_ref()
            .and_then(|name| self.tables.get(name).cloned());
        if let Some(default) = default {
            mapping.default = Some(default?);
        }
        if let Some(if_missing) = if_missing {
            mapping.if_missing = if_missing?;
        }
        if let Some(overflow) = overflow {
            mapping.overflow = overflow?;
        }
        self.checked(mapping, node, table.as_deref())
    }

    /// The field of this name or id, and of the type that is given explicitly, if one is.
    fn field(
        &mut self,
        name: &str,
        explicit: Option<(&str, FieldType)>,
        span: Span,
    ) -> Option<Field> {
        let known = match self.setting.domain {
            Some(domain) => match domain.field(name).cloned().or_else(|| Field::system(name)) {
                Some(field) => field,
                None => {
                    let help = suggest(
                        name,
                        domain
                            .fields
                            .iter()
                            .filter(|field| field.is_writable())
                            .map(|field| field.name.as_str()),
                    );
                    return self.fault(span, format!("the domain has no field `{name}`"), help);
                }
            },
            None => {
                match (Field::system(name), explicit) {
                    (Some(field), _) => field,
                    (None, Some((_, kind))) if is_uuid(name) => Field {
                        id: name.to_owned(),
                        name: name.to_owned(),
                        kind,
                        multiline: true,
                        options: None,
                    },
                    (None, Some(_)) => {
                        let help = "write the field's id, or put domain.json beside the mapping";
                        return self.fault(
                            span,
                            format!("there is no domain snapshot to find a field `{name}` in"),
                            Some(help.to_owned()),
                        );
                    }
                    (None, None) => {
                        let help = "write the id with a type, such as `{ number: $.detail.n }`, or put domain.json beside the mapping";
                        return self.fault(span, format!("the type of field `{name}` is not known: there is no domain snapshot"), Some(help.to_owned()));
                    }
                }
            }
        };
        if !known.is_writable() {
            return self.fault(
                span,
                format!("the field `{}` is written by Cases itself", known.name),
                Some("remove it".to_owned()),
            );
        }
        match explicit {
            Some((word, kind)) if kind != known.kind && word != "empty" => self.fault(
                span,
                format!(
                    "the field `{}` is of type {}, not `{word}`",
                    known.name,
                    known.kind.name()
                ),
                Some("write `value:` and the type is the domain's".to_owned()),
            ),
            _ => Some(known),
        }
    }

    /// Exactly one of `value`, `choose`, `empty` and the explicit types.
    fn source(&mut self, group: &Group<'_>, span: Span) -> Option<Source> {
        let names: Vec<&str> = ["value", "choose", "empty"]
            .into_iter()
            .chain(TYPES.map(|(name, _)| name))
            .filter(|name| group.get(name).is_some())
            .collect();
        match names.as_slice() {
            ["choose"] => self.choices(group.get("choose")?).map(Source::Choose),
            ["empty"] => match &group.get("empty")?.kind {
                Kind::Scalar(scalar) if scalar.literal() == Literal::Boolean(true) => {
                    Some(Source::Value(None))
                }
                _ => self.fault(
                    group.get("empty")?.span,
                    "`empty` takes `true`: the field is sent empty",
                    None,
                ),
            },
            [name] => self.nullable(group.get(name)?).map(Source::Value),
            [] => self.fault(
                Span {
                    end: span.start,
                    ..span
                },
                "a field needs `value`, `choose` or a type such as `number`",
                None,
            ),
            [first, rest @ ..] => {
                let message = format!(
                    "a field takes one of {}",
                    listed(std::iter::once(*first).chain(rest.iter().copied()))
                        .replace(" and ", " or ")
                );
                self.fault(
                    group.span_of(rest.first()?),
                    message,
                    Some("keep one of them".to_owned()),
                )
            }
        }
    }

    fn choices(&mut self, node: &Node) -> Option<Vec<Choice>> {
        let items = self.list(node, "`choose` is a list of choices")?;
        let mut choices = Vec::with_capacity(items.len());
        let mut complete = true;
        for (index, item) in items.iter().enumerate() {
            let Some(group) = self.group(item, Place::Choice) else {
                continue;
            };
            let when = group.get("when").map(|node| self.pattern(node));
            let value = group.get("value").and_then(|node| self.nullable(node));
            if when.is_none() && index + 1 < items.len() {
                self.fault::<()>(
                    item.span,
                    "this choice has no `when`, so those after it are never taken",
                    Some("make it the last".to_owned()),
                );
            }
            match (when, value) {
                (None, Some(value)) => choices.push(Choice { when: None, value }),
                (Some(Some(when)), Some(value)) => choices.push(Choice {
                    when: Some(when),
                    value,
                }),
                _ => complete = false,
            }
        }
        if items.is_empty() {
            return self.fault(node.span, "`choose` needs at least one choice", None);
        }
        complete.then_some(choices)
    }

    /// A value, or plain `null` for an empty field.
    fn nullable(&mut self, node: &Node) -> Option<Option<Template>> {
        if is_null(node) {
            Some(None)
        } else {
            self.value(node).map(Some)
        }
    }

    fn table(&mut self, node: &Node) -> Option<String> {
        match &node.kind {
            Kind::Scalar(scalar) if self.tables.contains_key(&scalar.text) => {
                Some(scalar.text.clone())
            }
            Kind::Scalar(scalar) => {
                let help = suggest(&scalar.text, self.tables.keys().map(String::as_str));
                self.fault(
                    node.span,
                    format!("there is no table `{}`", scalar.text),
                    help,
                )
            }
            _ => self.fault(
                node.span,
                format!("`lookup` takes a table's name, found {}", node.describe()),
                None,
            ),
        }
    }

    fn overflow(&mut self, node: &Node) -> Option<Overflow> {
        if matches!(&node.kind, Kind::Scalar(scalar) if scalar.text == "comment") {
            let help = "write `truncate`, or leave it out to refuse text that is too long";
            return self.fault(
                node.span,
                "`overflow: comment` is not available in this release: no comment is added",
                Some(help.to_owned()),
            );
        }
        self.word(
            node,
            &[("fail", Overflow::Fail), ("truncate", Overflow::Truncate)],
        )
    }

    /// `customer:` is the system field `customer_id`, as a ready ARN or assembled from a profile's id.
    pub(super) fn customer(&mut self, node: &Node, fields: &mut Vec<(FieldMapping, Span)>) {
        let source = match node.kind {
            Kind::Map(_) => {
                self.group(node, Place::Customer)
                    .and_then(|group| match group.get("profile_id") {
                        Some(node) => self.value(node).map(Source::ProfileId),
                        None if group.get("find").is_some() => None,
                        None => self.fault(
                            node.span,
                            "`customer` takes a profile ARN, or `profile_id`",
                            Some("such as `customer: $.Parameters.profile_arn`".to_owned()),
                        ),
                    })
            }
            Kind::Scalar(_) | Kind::List(_) => self
                .value(node)
                .map(|template| Source::Value(Some(template))),
        };
        if let Some((_, first)) = fields
            .iter()
            .find(|(mapping, _)| mapping.field.id == "customer_id")
        {
            let message = format!(
                "the customer is set twice, by `customer` and by the field `customer_id` on line {}",
                first.start.line
            );
            self.fault::<()>(node.span, message, Some("keep one of them".to_owned()));
        }
        let field = self
            .setting
            .domain
            .and_then(|domain| domain.field("customer_id").cloned())
            .or_else(|| Field::system("customer_id"));
        if let (Some(field), Some(source)) = (field, source) {
            let mapping = self.checked(FieldMapping::new(field, source), node, None);
            fields.extend(mapping.map(|mapping| (mapping, node.span)));
        }
    }

    /// Checks what no event changes: a value, default or table entry that the field can never take.
    fn checked(
        &mut self,
        mapping: FieldMapping,
        node: &Node,
        table: Option<&str>,
    ) -> Option<FieldMapping> {
        let before = self.faults.len();
        let values: Vec<(&Template, Span)> = match &mapping.source {
            Source::Value(Some(template)) => vec![(template, value_span(node))],
            Source::Choose(choices) => choices
                .iter()
                .filter_map(|choice| choice.value.as_ref())
                .map(|template| (template, value_span(node)))
                .collect(),
            Source::Value(None) | Source::ProfileId(_) => Vec::new(),
        };
        let constants: Vec<(Item<'_>, Span)> = values
            .iter()
            .filter_map(|(template, span)| Some((template.constant()?, *span)))
            .collect();
        match table {
            None => constants
                .into_iter()
                .for_each(|(item, span)| self.fits(&mapping, item, span)),
            Some(table) => {
                for (span, item) in self.table_entries.get(table).cloned().unwrap_or_default() {
                    self.fits(&mapping, item, span);
                }
            }
        }
        if let Some(item) = mapping.default.as_ref().and_then(Template::constant) {
            self.fits(&mapping, item, entry_span(node, "default"));
        }
        let empties = matches!(&mapping.source, Source::Value(None))
            || matches!(&mapping.source, Source::Choose(choices) if choices.iter().any(|choice| choice.value.is_none()));
        if mapping.field.id == "title" && (empties || mapping.if_missing != IfMissing::Fail) {
            self.fault::<()>(
                node.span,
                "a case needs a title: it cannot be skipped or sent empty",
                Some("give it a `default`".to_owned()),
            );
        }
        (self.faults.len() == before).then_some(mapping)
    }

    fn fits(&mut self, mapping: &FieldMapping, item: Item<'_>, span: Span) {
        let fault = match mapping.field.coerce(item) {
            Ok(_) => None,
            Err(Misfit::TooLong { .. }) if mapping.overflow == Overflow::Truncate => None,
            Err(misfit) => Some(misfit),
        };
        if let Some(misfit) = fault {
            let field = &mapping.field;
            let options = field
                .options
                .iter()
                .flatten()
                .filter(|option| option.active)
                .map(|option| option.name.as_str());
            let help = (field.kind == FieldType::SingleSelect && field.options.is_some())
                .then(|| format!("its options are {}", listed(options)));
            self.fault::<()>(
                span,
                format!(
                    "the field `{}` ({}) {misfit}",
                    field.name,
                    field.kind.name()
                ),
                help,
            );
        }
    }
}

impl FieldMapping {
    fn new(field: Field, source: Source) -> Self {
        Self {
            field,
            when: None,
            source,
            lookup: None,
            default: None,
            if_missing: IfMissing::default(),
            overflow: Overflow::default(),
        }
    }
}

/// Where the value of a field stands: the node, or its `value` or type in the long form.
fn value_span(node: &Node) -> Span {
    let Kind::Map(entries) = &node.kind else {
        return node.span;
    };
    let value = entries.iter().find(|entry| {
        entry.key.text == "value"
            || entry.key.text == "choose"
            || TYPES.iter().any(|(name, _)| *name == entry.key.text)
    });
    value.map_or(node.span, |entry| entry.value.span)
}

fn entry_span(node: &Node, key: &str) -> Span {
    let Kind::Map(entries) = &node.kind else {
        return node.span;
    };
    entries
        .iter()
        .find(|entry| entry.key.text == key)
        .map_or(node.span, |entry| entry.value.span)
}
