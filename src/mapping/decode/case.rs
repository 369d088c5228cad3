//! One entry of `cases`.

use super::super::expression::Template;
use super::super::fault::suggest;
use super::super::keys::Place;
use super::super::tree::{Kind, Literal, Node, Scalar, Span};
use super::super::{CaseMapping, PerformedBy};
use super::{Decoder, Defaults};
use crate::field::Field;
use crate::limits;
use crate::trigger::TriggerKind;

impl Decoder<'_> {
    /// The case mapping and the place of its name.
    pub(super) fn case(&mut self, node: &Node, defaults: &Defaults) -> Option<(CaseMapping, Span)> {
        let group = self.group(node, Place::Case)?;
        let name = group.get("name").and_then(|node| self.name(node));
        let trigger = group.get("trigger").and_then(|node| {
            self.word(
                node,
                &[
                    ("contact-flow", TriggerKind::ContactFlow),
                    ("eventbridge", TriggerKind::EventBridge),
                ],
            )
        });
        let when = group.get("when").map(|node| self.pattern(node));
        let template = group.get("template").and_then(|node| self.template(node));
        let key = group
            .get("key")
            .map(|node| self.key(node))
            .unwrap_or_default();
        let performed_by = match group.get("performed_by") {
            Some(node) => self.performed_by(node),
            None => Some(
                defaults
                    .performed_by
                    .clone()
                    .unwrap_or_else(|| self.default_entity()),
            ),
        };
        let tags = self.merged_tags(defaults, group.get("tags"), group.span_of("tags"));
        let mut fields = group
            .get("fields")
            .map(|node| self.fields(node))
            .unwrap_or_default();
        if let Some(node) = group.get("customer") {
            self.customer(node, &mut fields);
        }
        let template = template?;
        if group.get("fields").is_some() {
            self.missing_required(&template, &fields, group.span_of("fields"));
        }
        let case = CaseMapping {
            name: name?,
            trigger: trigger?,
            when: match when {
                None => None,
                Some(pattern) => Some(pattern?),
            },
            template_id: template.id,
            required_fields: template.required_fields,
            key,
            performed_by: performed_by?,
            tags,
            fields: fields.into_iter().map(|(field, _)| field).collect(),
        };
        let span = group.get("name").map_or(node.span, |node| node.span);
        Some((case, span))
    }

    fn name(&mut self, node: &Node) -> Option<String> {
        match &node.kind {
            Kind::Scalar(Scalar { text, .. })
                if (1..=limits::NAME).contains(&text.chars().count())
                    && !text.chars().any(char::is_control) =>
            {
                Some(text.clone())
            }
            _ => self.fault(
                node.span,
                format!(
                    "a case mapping's name is text of 1 to {} characters",
                    limits::NAME
                ),
                None,
            ),
        }
    }

    fn template(&mut self, node: &Node) -> Option<ResolvedTemplate> {
        let Kind::Scalar(Scalar { text, .. }) = &node.kind else {
            return self.fault(
                node.span,
                format!(
                    "a template is given by its name or id, found {}",
                    node.describe()
                ),
                None,
            );
        };
        let Some(domain) = self.setting.domain else {
            if !is_uuid(text) {
                let help = "write the template's id, or put domain.json beside the mapping";
                return self.fault(
                    node.span,
                    format!("there is no domain snapshot to find a template `{text}` in"),
                    Some(help.to_owned()),
                );
            }
            return Some(ResolvedTemplate {
                id: text.clone(),
                name: text.clone(),
                required_fields: Field::system("title").into_iter().collect(),
            });
        };
        let Some(template) = domain.template(text) else {
            let help = suggest(
                text,
                domain
                    .templates
                    .iter()
                    .filter(|template| template.active)
                    .map(|template| template.name.as_str()),
            );
            return self.fault(
                node.span,
                format!("the domain has no template `{text}`"),
                help,
            );
        };
        if !template.active {
            let help = "activate it in the agent workspace's administration, or take another; then run `casebridge pull`";
            return self.fault(
                node.span,
                format!("the template `{text}` is inactive: no case can be created from it"),
                Some(help.to_owned()),
            );
        }
        let mut ids: Vec<&str> = template
            .required_fields
            .iter()
            .map(String::as_str)
            .collect();
        if !ids.contains(&"title") {
            ids.insert(0, "title");
        }
        let field = |id: &str| domain.field(id).cloned().or_else(|| Field::system(id));
        Some(ResolvedTemplate {
            id: template.id.clone(),
            name: template.name.clone(),
            required_fields: ids.into_iter().filter_map(field).collect(),
        })
    }

    fn missing_required(
        &mut self,
        template: &ResolvedTemplate,
        fields: &[(super::super::FieldMapping, Span)],
        span: Span,
    ) {
        for required in &template.required_fields {
            if !fields
                .iter()
                .any(|(mapping, _)| mapping.field.id == required.id)
            {
                let message = format!(
                    "template `{}` requires the field `{}`, and nothing sets it",
                    template.name, required.name
                );
                let help = if required.id == "customer_id" {
                    "add `customer:` to the case mapping".to_owned()
                } else {
                    format!("add `{}:` to the fields", required.name)
                };
                self.fault::<()>(span, message, Some(help));
            }
        }
    }

    fn key(&mut self, node: &Node) -> Vec<Template> {
        match &node.kind {
            Kind::List(items) if items.is_empty() => self
                .fault(
                    node.span,
                    "a key has at least one part",
                    Some("leave `key` out for one case per contact or event".to_owned()),
                )
                .unwrap_or_default(),
            Kind::List(items) => items.iter().filter_map(|item| self.value(item)).collect(),
            Kind::Scalar(_) | Kind::Map(_) => self.value(node).into_iter().collect(),
        }
    }

    pub(super) fn performed_by(&mut self, node: &Node) -> Option<PerformedBy> {
        if let Kind::Map(_) = node.kind {
            let group = self.group(node, Place::PerformedBy)?;
            return self.value(group.get("user_arn")?).map(PerformedBy::UserArn);
        }
        let template = self.value(node)?;
        let prefix = self.setting.entity_prefix;
        if !template.literal_start().starts_with(prefix) {
            let message = format!(
                "`performed_by` has to begin with `{prefix}`: that is how events of our own cases are told apart"
            );
            return self.fault(
                node.span,
                message,
                Some(format!(
                    "write \"{prefix}{{{{ $$.mapping }}}}\", or set CASEBRIDGE_ENTITY_PREFIX"
                )),
            );
        }
        if let Some(illegal) = literals(&template)
            .chars()
            .find(|c| !limits::is_entity_character(*c))
        {
            let help = "it takes letters without accents, digits, spaces and `_-.@:/`; what comes from the event is cleaned";
            return self.fault(
                node.span,
                format!("`performed_by` cannot hold `{illegal}`"),
                Some(help.to_owned()),
            );
        }
        Some(PerformedBy::CustomEntity(template))
    }

    /// `casebridge/{{ $$.mapping }}`, with the prefix that is configured.
    fn default_entity(&self) -> PerformedBy {
        let hole = super::expression::parse("{{ $$.mapping }}", &self.tables);
        let mut parts = vec![super::expression::Part::Literal(
            self.setting.entity_prefix.to_owned(),
        )];
        if let Ok(Template::Text(holes)) = hole {
            parts.extend(holes);
        }
        PerformedBy::CustomEntity(Template::Text(parts))
    }

    pub(super) fn tags(&mut self, node: &Node) -> Vec<(String, Template)> {
        let mut tags = Vec::new();
        for (key, value) in self.named(node, "`tags` gives a value for each tag key") {
            if let Err(rule) = limits::tag_key(key) {
                self.fault::<()>(value.span, format!("the tag key `{key}` {rule}"), None);
            }
            let Some(template) = self.value(value) else {
                continue;
            };
            if let Some(Err(rule)) = template
                .constant()
                .and_then(|item| item.into_text().ok())
                .map(|text| limits::tag_value(&text))
            {
                self.fault::<()>(value.span, format!("the value of tag `{key}` {rule}"), None);
            }
            tags.push((key.to_owned(), template));
        }
        tags
    }

    /// The file's tags with the case mapping's own in their place.
    fn merged_tags(
        &mut self,
        defaults: &Defaults,
        node: Option<&Node>,
        span: Span,
    ) -> Vec<(String, Template)> {
        let own = node.map(|node| self.tags(node)).unwrap_or_default();
        let mut tags: Vec<_> = defaults
            .tags
            .iter()
            .filter(|(key, _)| own.iter().all(|(mine, _)| mine != key))
            .cloned()
            .collect();
        tags.extend(own);
        if tags.len() > limits::TAGS - 1 {
            let message = format!(
                "a case takes {} tags, and one of them is ours; found {}",
                limits::TAGS,
                tags.len()
            );
            self.fault::<()>(span, message, None);
        }
        tags
    }
}

/// A template by its id, with the fields it requires.
struct ResolvedTemplate {
    id: String,
    name: String,
    required_fields: Vec<Field>,
}

/// The characters of a text that no event gives.
fn literals(template: &Template) -> String {
    match template {
        Template::Text(parts) => parts
            .iter()
            .filter_map(|part| match part {
                super::expression::Part::Literal(text) => Some(text.as_str()),
                super::expression::Part::Hole(_) => None,
            })
            .collect(),
        _ => String::new(),
    }
}

/// Whether the text has the shape of the ids that Cases gives.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| {
            if matches!(at, 8 | 13 | 18 | 23) {
                byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
}

/// Whether a scalar is plain `null`.
pub(super) fn is_null(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar(scalar) if scalar.literal() == Literal::Null)
}
