//! The Cases template of a case mapping.

use std::sync::Arc;

use super::Decoder;
use super::fields::Fields;
use crate::FieldMapping;
use crate::customer::{FindCustomer, IfNone};
use crate::diagnostic::{Code, Diagnostic, suggest};
use crate::field::Field;
use crate::tree::{Kind, Node, Scalar, Span};

/// A template by its id, with the fields it requires.
pub(super) struct ResolvedTemplate {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) required_fields: Vec<Arc<Field>>,
}

impl Decoder<'_> {
    pub(super) fn template(&mut self, node: &Node) -> Option<ResolvedTemplate> {
        let Kind::Scalar(Scalar { text, .. }) = &node.kind else {
            let message = format!(
                "a template is given by its name or id, found {}",
                node.describe()
            );
            return self.refuse(Diagnostic::new(node.span, message));
        };
        let Some(domain) = self.context.domain else {
            return self.template_id(text, node.span);
        };
        let Some(template) = domain.template(text) else {
            let active = domain.templates.iter().filter(|template| template.active);
            let help = suggest(text, active.map(|template| template.name.as_str()));
            let diagnostic =
                Diagnostic::new(node.span, format!("the domain has no template `{text}`"));
            return self.refuse(diagnostic.maybe_help(help).code(Code::UnknownTemplate));
        };
        if !template.active {
            let message =
                format!("the template `{text}` is inactive: no case can be created from it");
            let help = "activate it in Amazon Connect, or take another one";
            return self.refuse(
                Diagnostic::new(node.span, message)
                    .help(help)
                    .code(Code::InactiveTemplate),
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
        let later = ids.iter().find_map(|id| domain.later_type(id));
        if let Some(kind) = later {
            let message = format!(
                "the template `{text}` requires a field of type `{kind}`, which this release of Casebridge does not know"
            );
            let help = "take a newer release, or a template that does not require it";
            return self.refuse(
                Diagnostic::new(node.span, message)
                    .help(help)
                    .code(Code::RequiredField),
            );
        }
        let field = |id: &str| {
            domain
                .field(id)
                .cloned()
                .or_else(|| Field::system(id).map(Arc::new))
        };
        Some(ResolvedTemplate {
            id: template.id.clone(),
            name: template.name.clone(),
            required_fields: ids.into_iter().filter_map(field).collect(),
        })
    }

    /// Without a snapshot a template is what the author says it is.
    fn template_id(&mut self, id: &str, span: Span) -> Option<ResolvedTemplate> {
        if !is_uuid(id) {
            let message = format!("there is no domain snapshot to find a template `{id}` in");
            let help = "write the template's id, or put domain.json beside the mapping";
            return self.refuse(
                Diagnostic::new(span, message)
                    .help(help)
                    .code(Code::UnknownTemplate),
            );
        }
        let required_fields = Field::system("title").map(Arc::new).into_iter().collect();
        Some(ResolvedTemplate {
            id: id.to_owned(),
            name: id.to_owned(),
            required_fields,
        })
    }

    /// Reports the fields that the template requires and nothing sets.
    pub(super) fn missing_required(
        &mut self,
        template: &ResolvedTemplate,
        fields: &Fields,
        span: Span,
    ) {
        for required in &template.required_fields {
            if fields.set.contains_key(&required.id) {
                let sound = fields
                    .sound
                    .iter()
                    .find(|(mapping, _)| mapping.field.id == required.id);
                if let Some((mapping, span)) = sound {
                    self.required(template, mapping, *span);
                }
                continue;
            }
            let message = format!(
                "the template `{}` requires the field `{}`, and nothing sets it",
                template.name, required.name
            );
            let help = match required.id.as_str() {
                "customer_id" => "add `customer:` to the case mapping".to_owned(),
                "title" => "add `title:` to the fields".to_owned(),
                _ => format!("add `{}:` to the fields", required.name),
            };
            self.keep(
                Diagnostic::new(span, message)
                    .help(help)
                    .code(Code::RequiredField),
            );
        }
    }
}

impl Decoder<'_> {
    /// A customer that the template requires and that a search need not find.
    pub(super) fn warn_of_skipped_customer(
        &mut self,
        template: &ResolvedTemplate,
        find: &FindCustomer,
        span: Span,
    ) {
        let required = template
            .required_fields
            .iter()
            .find(|field| field.id == "customer_id");
        if let (IfNone::Skip, Some(field)) = (&find.if_none, required) {
            let (template, field) = (&template.name, &field.name);
            let message = format!(
                "the template `{template}` requires the field `{field}`: with `if_none: skip`, an event without a profile makes no case"
            );
            let warning = Diagnostic::warning(span, Code::RequiredField, message);
            self.warn(warning.help("write `if_none: fail`, which says so at once, or `create`"));
        }
    }

    /// A required field that is set: it must not be sent empty, and should not be left out.
    fn required(&mut self, template: &ResolvedTemplate, mapping: &FieldMapping, span: Span) {
        if !mapping.is_always_empty() {
            return self.warn_of_required(template, mapping, span);
        }
        let (template, field) = (&template.name, &mapping.field.name);
        let message = format!(
            "the template `{template}` requires the field `{field}`, and this sends it empty"
        );
        let diagnostic = Diagnostic::new(span, message).help("give it a value");
        self.keep(diagnostic.code(Code::RequiredField));
    }
}

/// Whether the text has the shape of the ids that Cases gives.
pub(super) fn is_uuid(text: &str) -> bool {
    let legal = |(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => u8::is_ascii_hexdigit(&byte),
    };
    text.len() == 36 && text.bytes().enumerate().all(legal)
}
