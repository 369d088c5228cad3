//! Fields: turns a field's mapping and an event into the value to send.
//!
//! The steps are the source, the table, the field's type and the default.

use crate::error::{ErrorCode, Failure};
use crate::request::{Extras, RequestContext, additions};
use mapping::expression::{EvaluateError, Scope};
use mapping::field::{Field, FieldValue};
use mapping::value::Value;
use mapping::zone::Zone;
use mapping::{Content, FieldMapping, FieldSource, IfInvalid, IfMissing, Overflow, text};

/// One field of the case for one event.
pub(super) struct FieldRequest<'a> {
    pub(super) mapping: &'a FieldMapping,
    pub(super) scope: &'a Scope<'a>,
    pub(super) context: &'a RequestContext,
    /// The zone of times without an offset.
    pub(super) zone: Option<&'a Zone>,
}

impl<'a> FieldRequest<'a> {
    /// Returns the value to send, or `None` if the field is not sent.
    ///
    /// Text that is too long and goes into a comment is added to `extras`, as is a field that is left out.
    pub(super) fn evaluate(&self, extras: &mut Extras) -> Result<Option<FieldValue>, Failure> {
        let when = self.mapping.when.as_ref();
        if when.is_some_and(|when| !self.scope.matches(when)) {
            return Ok(None);
        }
        let mut invalid = false;
        for compute in [Self::value, Self::default] {
            match (compute(self, extras), self.mapping.if_invalid) {
                (Ok(Some(value)), _) => return Ok(Some(value)),
                (Ok(None), _) => {}
                (Err(failure), IfInvalid::Fail) => return Err(failure),
                (Err(_), IfInvalid::Missing) => invalid = true,
                (Err(failure), rule @ IfInvalid::Comment) => {
                    extras.leave_out(&self.mapping.field.name, &failure, rule);
                    return Ok(None);
                }
            }
        }
        match self.mapping.if_missing {
            IfMissing::Skip => {
                if invalid {
                    extras.left_out.push(self.mapping.field.name.clone());
                }
                Ok(None)
            }
            IfMissing::Empty => Ok(Some(FieldValue::Empty)),
            IfMissing::Fail => {
                let name = &self.mapping.field.name;
                let reason = if invalid {
                    "its value is invalid, and `if_invalid` makes it missing".to_owned()
                } else {
                    self.why_missing()
                };
                let advice = self.advice();
                let message = format!("the field `{name}` has no value: {reason}; {advice}");
                Err(Failure::new(ErrorCode::FieldMissing, message).of(name))
            }
        }
    }

    /// Returns the value of the source, or `None` if it is missing.
    fn value(&self, extras: &mut Extras) -> Result<Option<FieldValue>, Failure> {
        let chosen = self.source().map_err(|wrong| self.wrong_type(&wrong))?;
        let Chosen::Value(item) = chosen else {
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
        self.coerce(item, extras)
    }

    /// Returns the value of `default`, or `None` if it is missing.
    fn default(&self, extras: &mut Extras) -> Result<Option<FieldValue>, Failure> {
        let Some(default) = &self.mapping.default else {
            return Ok(None);
        };
        let item = default.evaluate(self.scope);
        let item = item.map_err(|wrong| self.wrong_type(&wrong))?;
        self.coerce(item, extras)
    }

    /// Returns the value as the field's type needs it, after `overflow`.
    fn coerce(
        &self,
        item: Option<Value<'_>>,
        extras: &mut Extras,
    ) -> Result<Option<FieldValue>, Failure> {
        let Some(item) = item else { return Ok(None) };
        let (item, overflow) = self.cut(item);
        let Some(item) = item else { return Ok(None) };
        let value = self.mapping.field.coerce(item, self.zone);
        let value = value.map_err(|field_error| self.invalid(&field_error.to_string()))?;
        // The whole text of a value that is left out stays out of the comments, too.
        extras.comments.extend(overflow.into_iter().map(Ok));
        Ok(Some(value))
    }

    /// Returns the value as `overflow` cuts it, and the comments with the whole text.
    ///
    /// The value is `None` if nothing is left, because the first character is longer than the field.
    fn cut<'v>(&self, item: Value<'v>) -> (Option<Value<'v>>, Vec<String>) {
        if self.mapping.overflow == Overflow::Fail {
            return (Some(item), Vec::new());
        }
        let text = match item.into_text() {
            Ok(text) => text,
            Err(item) => return (Some(item), Vec::new()),
        };
        let cut = text::truncate(&text, self.mapping.field.limit());
        if cut.len() == text.len() {
            return (Some(Value::Text(text)), Vec::new());
        }
        let comments = match self.mapping.overflow {
            Overflow::Comment => additions::overflow(&self.mapping.field.name, &text),
            Overflow::Truncate | Overflow::Fail => Vec::new(),
        };
        let cut = Value::text(cut.to_owned()).filter(|_| !cut.trim().is_empty());
        (cut, comments)
    }

    /// Returns the reference that found nothing, in the author's own words, or another reason.
    fn why_missing(&self) -> String {
        let expr = match &self.mapping.source {
            FieldSource::Choose(choices) => {
                match choices.iter().find(|choice| choice.takes(self.scope)) {
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
            FieldSource::Choose(choices) => match choices.iter().find(|choice| choice.takes(scope))
            {
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
