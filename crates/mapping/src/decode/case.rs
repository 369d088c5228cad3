//! One entry of `cases`.

use super::{Decoder, Defaults};
use crate::Trigger;
use crate::diagnostic::{Code, Diagnostic};
use crate::expression::{Operand, Part, Reference, ValueExpr};
use crate::limits;
use crate::schema;
use crate::tree::{Entry, Kind, Literal, Node, Scalar, Span};
use crate::{CaseMapping, PerformedBy};

const TRIGGERS: [(&str, Trigger); 2] = [
    ("contact-flow", Trigger::ContactFlow),
    ("eventbridge", Trigger::EventBridge),
];

impl Decoder<'_> {
    /// The case mapping and the place of its name. Every part is read before one that is missing ends it, so that no diagnostic hides another.
    pub(super) fn case(&mut self, node: &Node, defaults: &Defaults) -> Option<(CaseMapping, Span)> {
        let object = self.object(node, &schema::CASE)?;
        let name = object.get("name").and_then(|node| self.name(node));
        let trigger = object
            .get("trigger")
            .and_then(|node| self.word(node, &TRIGGERS));
        self.trigger = trigger;
        let when = object.get("when").map(|node| self.pattern(node));
        // The event is routed as it came; what is computed then sees what was read.
        let enrich = self.enrich(&object);
        self.enriched = enrich == Some(true);
        let template = object.get("template").and_then(|node| self.template(node));
        let key = object
            .get("key")
            .map(|node| self.key(node))
            .unwrap_or_default();
        let performed_by = match object.get("performed_by") {
            Some(node) => self.performed_by(node),
            None => Some(
                defaults
                    .performed_by
                    .clone()
                    .unwrap_or_else(|| self.default_entity()),
            ),
        };
        let tags = self.merged_tags(defaults, object.get("tags"), object.span_of("tags"));
        let mut fields = object
            .get("fields")
            .map(|node| self.fields(node))
            .unwrap_or_default();
        let find_customer = object
            .get("customer")
            .and_then(|node| self.customer(node, &mut fields));
        let link_contact = self.link_contact(&object);
        let comment = object.get("comment").map(|node| self.value(node));
        let return_reference = self.switch(&object, "return_reference");
        let ledger = self.ledger(&object);
        let on_case_events = self.on_case_events(&object);
        self.enriched = false;
        self.trigger = None;
        let template = template?;
        if let Some(Node {
            kind: Kind::Map(_), ..
        }) = object.get("fields")
        {
            self.missing_required(&template, &fields, object.span_of("fields"));
        }
        if let Some(find) = &find_customer {
            self.warn_of_skipped_customer(&template, find, object.span_of("customer"));
        }
        let case = CaseMapping {
            name: name?,
            trigger: trigger?,
            when: match when {
                Some(pattern) => Some(pattern?),
                None => None,
            },
            template_id: template.id,
            required_fields: template.required_fields,
            key,
            performed_by: performed_by?,
            tags,
            fields: fields.sound.into_iter().map(|(field, _)| field).collect(),
            find_customer,
            enrich: enrich?,
            link_contact: link_contact?,
            comment: match comment {
                Some(comment) => Some(comment?),
                None => None,
            },
            return_reference: return_reference?,
            ledger: ledger?,
            on_case_events: on_case_events?,
        };
        Some((case, object.get("name")?.span))
    }

    fn name(&mut self, node: &Node) -> Option<String> {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.literal() == Literal::Null => {
                let message = "`null` is no name: put it in quotes if it is meant as one";
                self.refuse(Diagnostic::new(node.span, message).code(Code::Name))
            }
            Kind::Scalar(Scalar { text, .. })
                if (1..=limits::NAME).contains(&text.chars().count())
                    && !text.chars().any(char::is_control) =>
            {
                Some(text.clone())
            }
            _ => {
                let limit = limits::NAME;
                let message = format!("a case mapping's name is text of 1 to {limit} characters");
                self.refuse(Diagnostic::new(node.span, message).code(Code::Name))
            }
        }
    }

    fn key(&mut self, node: &Node) -> Vec<ValueExpr> {
        let items = match &node.kind {
            Kind::List(items) => items.as_slice(),
            Kind::Scalar(_) | Kind::Map(_) => std::slice::from_ref(node),
        };
        let parts: Vec<ValueExpr> = items.iter().filter_map(|item| self.value(item)).collect();
        let constant = parts.iter().all(|part| part.expressions().next().is_none());
        if parts.len() == items.len() && constant {
            let message = "this key is the same for every event: there would be one case for ever";
            let help = "name what tells one case from another, such as $.detail.order.id, or leave `key` out for one case per contact or event";
            self.keep(
                Diagnostic::new(node.span, message)
                    .help(help)
                    .code(Code::Key),
            );
        }
        self.warn_of_chosen_key(&parts, node.span);
        parts
    }

    pub(super) fn performed_by(&mut self, node: &Node) -> Option<PerformedBy> {
        if let Kind::Map(_) = node.kind {
            let object = self.object(node, &schema::PERFORMED_BY)?;
            return self
                .value(object.get("user_arn")?)
                .map(PerformedBy::UserArn);
        }
        let expr = self.value(node)?;
        let prefix = self.context.entity_prefix;
        if !expr.literal_start().starts_with(prefix) {
            let message = format!(
                "`performed_by` has to begin with `{prefix}`: that is how events of our own cases are told apart"
            );
            let help =
                format!("write \"{prefix}{{{{ $$.mapping }}}}\", or set CASEBRIDGE_ENTITY_PREFIX");
            return self.refuse(
                Diagnostic::new(node.span, message)
                    .help(help)
                    .code(Code::PerformedBy),
            );
        }
        let illegal = literals(&expr).find(|c| !limits::is_entity_character(*c));
        if let Some(illegal) = illegal {
            let message = format!("`performed_by` cannot hold `{illegal}`");
            let help = "it takes letters without accents, digits, spaces and `_-.@:/`; what comes from the event is cleaned";
            return self.refuse(
                Diagnostic::new(node.span, message)
                    .help(help)
                    .code(Code::PerformedBy),
            );
        }
        Some(PerformedBy::CustomEntity(expr))
    }

    /// `casebridge/{{ $$.mapping }}`, with the prefix that is configured.
    fn default_entity(&self) -> PerformedBy {
        let mapping = super::super::expression::Expression {
            operand: Operand::Reference(Reference::Mapping),
            filters: Vec::new(),
            text: "$$.mapping".to_owned(),
        };
        let prefix = Part::Literal(self.context.entity_prefix.to_owned());
        PerformedBy::CustomEntity(ValueExpr::Interpolated(vec![
            prefix,
            Part::Interpolation(mapping),
        ]))
    }

    pub(super) fn tags(&mut self, node: &Node) -> Vec<(String, ValueExpr)> {
        let mut tags = Vec::new();
        for Entry { key, value } in self.named(node, "`tags` gives a value for each tag key") {
            let name = &key.text;
            if let Err(rule) = limits::tag_key(name) {
                let message = format!("the tag key `{name}` {rule}");
                self.keep(Diagnostic::new(key.span, message).code(Code::Tag));
            }
            let Some(expr) = self.value(value) else {
                continue;
            };
            let constant = expr.constant().and_then(|item| item.into_text().ok());
            if let Some(Err(rule)) = constant.map(|text| limits::tag_value(&text)) {
                let message = format!("the value of tag `{name}` {rule}");
                self.keep(Diagnostic::new(value.span, message).code(Code::Tag));
            }
            self.warn_of_chosen_tag(name, &expr, value.span);
            tags.push((name.clone(), expr));
        }
        tags
    }

    /// The file's tags with the case mapping's own in their place.
    fn merged_tags(
        &mut self,
        defaults: &Defaults,
        node: Option<&Node>,
        span: Span,
    ) -> Vec<(String, ValueExpr)> {
        let own = node.map(|node| self.tags(node)).unwrap_or_default();
        let replaced = |key: &String| own.iter().any(|(mine, _)| mine == key);
        let inherited = defaults.tags.iter().filter(|(key, _)| !replaced(key));
        let mut tags: Vec<_> = inherited.cloned().collect();
        tags.extend(own);
        if tags.len() >= limits::TAGS {
            let (limit, found) = (limits::TAGS, tags.len());
            let message =
                format!("a case takes {limit} tags, and one of them is ours; found {found}");
            self.keep(Diagnostic::new(span, message).code(Code::Tag));
        }
        tags
    }
}

/// The characters of a text that no event gives.
fn literals(expr: &ValueExpr) -> impl Iterator<Item = char> {
    let parts = match expr {
        ValueExpr::Interpolated(parts) => parts.as_slice(),
        _ => &[],
    };
    parts.iter().flat_map(|part| match part {
        Part::Literal(text) => text.chars(),
        Part::Interpolation(_) => "".chars(),
    })
}
