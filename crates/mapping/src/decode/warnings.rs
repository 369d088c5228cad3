//! What can be used and probably does not say what was meant.

use std::sync::Arc;

use super::Decoder;
use super::template::ResolvedTemplate;
use crate::Trigger;
use crate::diagnostic::{Code, Diagnostic};
use crate::expression::{Expression, Operand, Reference, Step, ValueExpr};
use crate::filter::Filter;
use crate::tree::{Kind, Node, Span};
use crate::{CaseMapping, Content, FieldMapping, IfMissing, Overflow, Source};

impl Decoder<'_> {
    /// Case mappings behind one that takes every event of their trigger.
    pub(super) fn warn_of_unreachable(&mut self, cases: &[(CaseMapping, Span)]) {
        for trigger in [Trigger::ContactFlow, Trigger::EventBridge] {
            let mut of_trigger = cases.iter().filter(|(case, _)| case.trigger == trigger);
            let Some((all, first)) = of_trigger.find(|(case, _)| case.when.is_none()) else {
                continue;
            };
            for (_, span) in of_trigger {
                let (name, line, trigger) = (&all.name, first.start.line, trigger.name());
                let message = format!(
                    "no event gets here: `{name}` on line {line} takes every {trigger} event"
                );
                let help = "put it before that one, or give that one a `when`";
                self.warn(Diagnostic::warning(*span, Code::Unreachable, message).help(help));
            }
        }
    }

    /// Tables that nothing looks anything up in: nothing but the list of tables holds them.
    pub(super) fn warn_of_unused_tables(&mut self, tables: &Node) {
        let Kind::Map(entries) = &tables.kind else {
            return;
        };
        for entry in entries {
            let table = self.tables.get(&entry.key.text);
            if table.is_some_and(|table| Arc::strong_count(table) == 1) {
                let message = format!("the table `{}` is not used", entry.key.text);
                self.warn(Diagnostic::warning(entry.key.span, Code::Unused, message));
            }
        }
    }

    /// Parts of a field's long form that never come into play.
    pub(super) fn warn_of_idle(
        &mut self,
        mapping: &FieldMapping,
        if_missing: Option<Span>,
        overflow: Option<Span>,
    ) {
        let stands_in = mapping
            .default
            .as_ref()
            .and_then(ValueExpr::constant)
            .is_some();
        if let Some(span) = if_missing.filter(|_| stands_in) {
            let message =
                "`if_missing` never comes into play: `default` stands in for a missing value";
            self.warn(Diagnostic::warning(span, Code::Unused, message));
        }
        let fits =
            mapping.overflow != Overflow::Fail && mapping.source.is_within(mapping.field.limit());
        if let Some(span) = overflow.filter(|_| fits) {
            let limit = mapping.field.limit();
            let message = format!(
                "`overflow` never comes into play: the value has at most the field's {limit} characters"
            );
            self.warn(Diagnostic::warning(span, Code::Unused, message));
        }
    }

    /// A field that the template requires and an event may leave out.
    pub(super) fn warn_of_required(
        &mut self,
        template: &ResolvedTemplate,
        mapping: &FieldMapping,
        span: Span,
    ) {
        if mapping.if_missing != IfMissing::Fail || mapping.when.is_some() {
            let (template, field) = (&template.name, &mapping.field.name);
            let message = format!(
                "the template `{template}` requires the field `{field}`: an event that gives it no value makes no case"
            );
            self.warn(
                Diagnostic::warning(span, Code::RequiredField, message)
                    .help("give it a `default`, and no `when`"),
            );
        }
    }

    /// A key that is nothing but the caller's choice.
    pub(super) fn warn_of_chosen_key(&mut self, parts: &[ValueExpr], span: Span) {
        let mut computed = parts.iter().flat_map(ValueExpr::expressions).peekable();
        if computed.peek().is_some() && computed.all(is_chosen_by_caller) {
            let message =
                "callers choose this whole key: one who says another's is given that one's case";
            let help = "add something that they cannot choose, such as $.InitialContactId";
            self.warn(Diagnostic::warning(span, Code::Key, message).help(help));
        }
    }

    /// A tag whose value is the caller's choice.
    pub(super) fn warn_of_chosen_tag(&mut self, name: &str, value: &ValueExpr, span: Span) {
        if value.expressions().any(is_chosen_by_caller) {
            let message = format!(
                "callers choose the value of the tag `{name}`: where access is granted by tags, they choose who sees the case"
            );
            let help = "let it pass a table of the values that may be: `| lookup('table')`";
            self.warn(Diagnostic::warning(span, Code::Tag, message).help(help));
        }
    }

    pub(super) fn warn(&mut self, warning: Diagnostic) {
        self.warnings.push(warning);
    }
}

/// Whether an expression takes over what a contact said or calls from, and no table stands between.
fn is_chosen_by_caller(expression: &Expression) -> bool {
    let Operand::Reference(Reference::Event(steps)) = &expression.operand else {
        return false;
    };
    let chosen = ["Attributes", "CustomerEndpoint"];
    let mut filters = expression.filters.iter();
    matches!(steps.first(), Some(Step::Member(name)) if chosen.contains(&name.as_str()))
        && !filters.any(|filter| matches!(filter, Filter::Lookup(_)))
}

impl Source {
    /// Whether no value of it has more characters, whatever the event.
    fn is_within(&self, limit: usize) -> bool {
        let within = |content: &Content| match content {
            Content::Empty => true,
            Content::Value(ValueExpr::Expression(expression)) => {
                matches!(expression.filters.last(), Some(Filter::Truncate(length)) if *length <= limit)
            }
            Content::Value(expr) => expr
                .constant()
                .and_then(|item| item.into_text().ok())
                .is_some_and(|text| text.chars().count() <= limit),
        };
        !matches!(self, Self::ProfileId(_)) && self.contents().all(within)
    }
}
