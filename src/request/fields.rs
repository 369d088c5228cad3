//! Fields: turns a field's mapping and an event into the value to send.
//!
//! The steps are the source, the table, the default and the field's type.

use crate::error::{ErrorCode, Failure};
use crate::request::{RequestContext, additions};
use mapping::expression::{EvaluateError, Scope};
use mapping::field::{Field, FieldValue};
use mapping::value::Value;
use mapping::{Content, FieldMapping, FieldSource, IfMissing, Overflow, text};

/// One field of the case for one event.
pub(super) struct FieldRequest<'a> {
    pub(super) mapping: &'a FieldMapping,
    pub(super) scope: &'a Scope<'a>,
    pub(super) context: &'a RequestContext,
}

impl<'a> FieldRequest<'a> {
    /// Returns the value to send, or `None` if the field is not sent.
    ///
    /// Text that is too long and goes into a comment is added to `comments`.
    pub(super) fn evaluate(
        &self,
        comments: &mut Vec<Result<String, Failure>>,
    ) -> Result<Option<FieldValue>, Failure> {
        if self
            .mapping
            .when
            .as_ref()
            .is_some_and(|when| !when.matches(self.scope.event))
        {
            return Ok(None);
        }
        let Chosen::Value(item) = self.source().map_err(|wrong| self.wrong_type(&wrong))? else {
            return Ok(Some(FieldValue::Empty));
        };
        let item = match (&self.mapping.lookup, item) {
            (Some(table), Some(item)) => {
                let key = item.into_text().map_err(|item| {
                    self.invalid(&format!(
                        "looks up text, a number or a boolean, found {}",
                        item.describe()
                    ))
                })?;
                table.get(&*key).cloned()
            }
            (_, item) => item,
        };
        let item = match item {
            Some(item) => self.cut(item, comments),
            None => None,
        };
        let item = match (&self.mapping.default, item) {
            (Some(default), None) => default
                .evaluate(self.scope)
                .map_err(|wrong| self.wrong_type(&wrong))?
                .and_then(|item| self.cut(item, comments)),
            (_, item) => item,
        };
        match (item, self.mapping.if_missing) {
            (Some(item), _) => match self.mapping.field.coerce(item) {
                Ok(value) => Ok(Some(value)),
                Err(field_error) => Err(self.invalid(&field_error.to_string())),
            },
            (None, IfMissing::Skip) => Ok(None),
            (None, IfMissing::Empty) => Ok(Some(FieldValue::Empty)),
            (None, IfMissing::Fail) => {
                let name = &self.mapping.field.name;
                let (reason, advice) = (self.why_missing(), self.advice());
                let message = format!("the field `{name}` has no value: {reason}; {advice}");
                Err(Failure::new(ErrorCode::FieldMissing, message).of(name))
            }
        }
    }

    /// Returns the value as `overflow` cuts it.
    ///
    /// Returns `None` if nothing is left, because the first character is longer than the field.
    fn cut<'v>(
        &self,
        item: Value<'v>,
        comments: &mut Vec<Result<String, Failure>>,
    ) -> Option<Value<'v>> {
        if self.mapping.overflow == Overflow::Fail {
            return Some(item);
        }
        let text = match item.into_text() {
            Ok(text) => text,
            Err(item) => return Some(item),
        };
        let cut = text::truncate(&text, self.mapping.field.limit());
        if cut.len() == text.len() {
            return Some(Value::Text(text));
        }
        if self.mapping.overflow == Overflow::Comment {
            let whole = additions::overflow(&self.mapping.field.name, &text);
            comments.extend(whole.into_iter().map(Ok));
        }
        Value::text(cut.to_owned()).filter(|_| !cut.trim().is_empty())
    }

    /// Returns the reference that found nothing, in the author's own words, or another reason.
    fn why_missing(&self) -> String {
        let expr = match &self.mapping.source {
            FieldSource::Choose(choices) => {
                match choices.iter().find(|choice| choice.takes(self.scope.event)) {
                    Some(choice) => choice.value.value_expr(),
                    None => return "no choice is for this event".to_owned(),
                }
            }
            FieldSource::Value(content) => content.value_expr(),
            FieldSource::ProfileId(expr) => Some(expr),
        };
        match expr.and_then(|expr| expr.missing(self.scope)) {
            Some(expression) => format!("`{}` is missing from the event", expression.text),
            None if self.mapping.lookup.is_some() => "the table has no entry for it".to_owned(),
            None => "it is white space alone, or nothing is left of it".to_owned(),
        }
    }

    fn advice(&self) -> &'static str {
        match self.mapping.field.id.as_str() {
            "customer_id" => {
                "where there may be none, set the field `customer_id` with `if_missing: skip`"
            }
            "title" => "give it a `default`",
            _ => "give it a `default`, or `if_missing: skip`",
        }
    }

    fn wrong_type(&self, wrong: &EvaluateError) -> Failure {
        let message = format!(
            "the field `{}` cannot be computed: {wrong}",
            self.mapping.field.name
        );
        Failure::new(ErrorCode::FieldInvalid, message).of(&self.mapping.field.name)
    }

    fn invalid(&self, rule: &str) -> Failure {
        let Field { name, kind, .. } = &*self.mapping.field;
        Failure::new(
            ErrorCode::FieldInvalid,
            format!("the field `{name}` ({}) {rule}", kind.name()),
        )
        .of(name)
    }

    fn source(&self) -> Result<Chosen<'a>, EvaluateError> {
        let scope = self.scope;
        let content = match &self.mapping.source {
            FieldSource::Value(content) => content,
            FieldSource::Choose(choices) => match choices.iter().find(|choice| {
                choice
                    .when
                    .as_ref()
                    .is_none_or(|when| when.matches(scope.event))
            }) {
                Some(choice) => &choice.value,
                None => return Ok(Chosen::Value(None)),
            },
            FieldSource::ProfileId(expr) => {
                let id = expr.evaluate_text(scope)?;
                return Ok(Chosen::Value(
                    id.zip(self.context.profiles.as_ref())
                        .and_then(|(id, profiles)| Value::text(profiles.arn(&id))),
                ));
            }
        };
        match content {
            Content::Value(expr) => expr.evaluate(scope).map(Chosen::Value),
            Content::Empty => Ok(Chosen::Empty),
        }
    }
}

/// The value of a source.
enum Chosen<'a> {
    /// A value, which may be missing.
    Value(Option<Value<'a>>),
    /// `emptyValue`
    Empty,
}
