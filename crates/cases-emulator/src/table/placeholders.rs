//! The placeholders of expressions, `#name` and `:value`, with what the request gives for them. Each that
//! is given has to be used.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ExpressionAttributeNames.html>

use std::collections::{BTreeMap, BTreeSet};

use crate::members::Member;
use crate::refusal::Refusal;
use crate::table::value::AttributeValue;

/// `ExpressionAttributeNames` and `ExpressionAttributeValues`, and which of them were used.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, AttributeValue>,
    used: BTreeSet<String>,
}

impl Placeholders {
    /// Those of a request that has an expression, or has none and so may not have them.
    pub(crate) fn read(body: &Member<'_>, has_expression: bool) -> Result<Self, Refusal> {
        let mut placeholders = Self::default();
        for (member, sign) in [
            ("ExpressionAttributeNames", '#'),
            ("ExpressionAttributeValues", ':'),
        ] {
            let Some(entries) = body.optional(member)? else {
                continue;
            };
            let refusal = |what: &str| Err(Refusal::Validation(format!("{member} {what}")));
            if !has_expression {
                return refusal("can only be specified when using expressions");
            }
            let entries = entries.entries(0..=usize::MAX)?;
            if entries.is_empty() {
                return refusal("must not be empty");
            }
            for (key, value) in entries {
                if !is_placeholder(key, sign) {
                    return refusal(&format!(
                        "contains invalid key: Syntax error; key: \"{key}\""
                    ));
                }
                if sign == '#' {
                    let name = value.text(1..=65535)?.to_owned();
                    placeholders.names.insert(key.to_owned(), name);
                } else {
                    let value = AttributeValue::read(&value)?;
                    placeholders.values.insert(key.to_owned(), value);
                }
            }
        }
        Ok(placeholders)
    }

    /// The name that the placeholder stands for.
    pub(crate) fn name(&mut self, placeholder: &str) -> Option<String> {
        let name = self.names.get(placeholder)?.clone();
        self.used.insert(placeholder.to_owned());
        Some(name)
    }

    /// The value that the placeholder stands for.
    pub(crate) fn value(&mut self, placeholder: &str) -> Option<AttributeValue> {
        let value = self.values.get(placeholder)?.clone();
        self.used.insert(placeholder.to_owned());
        Some(value)
    }

    /// Refuses placeholders that no expression used.
    pub(crate) fn all_used(&self) -> Result<(), Refusal> {
        for (member, mut keys) in [
            ("ExpressionAttributeNames", self.unused(self.names.keys())),
            ("ExpressionAttributeValues", self.unused(self.values.keys())),
        ] {
            if let Some(first) = keys.next() {
                let keys = keys.fold(first.clone(), |keys, key| format!("{keys}, {key}"));
                return Err(Refusal::Validation(format!(
                    "Value provided in {member} unused in expressions: keys: {{{keys}}}"
                )));
            }
        }
        Ok(())
    }

    fn unused<'a>(
        &'a self,
        keys: impl Iterator<Item = &'a String> + 'a,
    ) -> Box<dyn Iterator<Item = &'a String> + 'a> {
        Box::new(keys.filter(|key| !self.used.contains(*key)))
    }
}

fn is_placeholder(key: &str, sign: char) -> bool {
    key.strip_prefix(sign)
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(is_word))
}

/// Whether a word or a placeholder may go on with it.
pub(crate) fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}
