//! What no event changes is checked when the mapping is loaded: values, defaults and table entries that a field can never take.

use super::Decoder;
use crate::diagnostic::{Code, Diagnostic, suggest};
use crate::expression::ValueExpr;
use crate::field::FieldError;
use crate::tree::Span;
use crate::value::Value;
use crate::{Content, FieldMapping, IfMissing, Overflow};

/// Where the parts of a field mapping stand.
pub(super) struct Places {
    /// The field's name.
    pub(super) field: Span,
    /// Its value, or the value of each choice.
    pub(super) values: Vec<Span>,
    /// Its `default`.
    pub(super) default: Option<Span>,
}

impl Decoder<'_> {
    /// The mapping, if nothing in it is certain to fail.
    pub(super) fn checked(
        &mut self,
        mapping: FieldMapping,
        table: Option<&str>,
        places: &Places,
    ) -> Option<FieldMapping> {
        let before = self.diagnostics.len();
        let constants: Vec<(Span, Value<'static>)> = if let Some(name) = table {
            self.table_entries.get(name).cloned().unwrap_or_default()
        } else {
            let values = places.values.iter().zip(mapping.source.contents());
            let constant = |content: &Content| content.value_expr().and_then(constant);
            values
                .filter_map(|(span, content)| Some((*span, constant(content)?)))
                .collect()
        };
        let default = places
            .default
            .zip(mapping.default.as_ref().and_then(constant));
        for (span, item) in constants.into_iter().chain(default) {
            self.fits(&mapping, item, span);
        }
        let empties = mapping
            .source
            .contents()
            .any(|content| matches!(content, Content::Empty));
        let title = mapping.field.id == "title";
        if title && (empties || mapping.if_missing != IfMissing::Fail) {
            let message = "a case needs a title: it cannot be skipped or sent empty";
            self.keep(
                Diagnostic::new(places.field, message)
                    .help("give it a `default`")
                    .code(Code::RequiredField),
            );
        }
        (self.diagnostics.len() == before).then_some(mapping)
    }

    fn fits(&mut self, mapping: &FieldMapping, item: Value<'_>, span: Span) {
        let field = &mapping.field;
        let field_error = match field.coerce(item.clone()) {
            Ok(_) => return,
            Err(FieldError::TooLong { .. }) if mapping.overflow != Overflow::Fail => return,
            Err(field_error) => field_error,
        };
        let (name, kind) = (&field.name, field.kind.name());
        let diagnostic = match (item.into_text(), &field.options) {
            // What the author wrote may be quoted, as what an event brings may not.
            (Ok(text), Some(options)) if field.option(&text).is_none() => {
                let active = options.iter().filter(|option| option.active);
                let help = suggest(&text, active.map(|option| option.name.as_str()));
                let message = format!("the field `{name}` has no option `{text}`");
                Diagnostic::new(span, message)
                    .maybe_help(help)
                    .code(Code::UnknownOption)
            }
            _ => {
                let message = format!("the field `{name}` ({kind}) {field_error}");
                Diagnostic::new(span, message).code(Code::FieldValue)
            }
        };
        self.keep(diagnostic);
    }
}

fn constant(expr: &ValueExpr) -> Option<Value<'static>> {
    expr.constant().map(Value::into_owned)
}
