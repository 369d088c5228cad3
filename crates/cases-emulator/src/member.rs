//! A request's body, read member by member: each read checks JSON type and limits, and its refusal names
//! the member's path. `null` counts as absent. Unknown members are ignored, as the service does.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::service::Refusal;

/// A member of a request with its path, such as `fields[2].value`.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    path: String,
    value: &'a Value,
}

impl<'a> Member<'a> {
    /// Returns the body itself; `null` for an empty one.
    pub(crate) fn body(value: &'a Value) -> Self {
        Self {
            path: String::new(),
            value,
        }
    }

    /// Returns the member's path, for messages.
    pub(crate) fn path(&self) -> &str {
        if self.path.is_empty() {
            "the body"
        } else {
            &self.path
        }
    }

    fn wrong_type(&self, expected: &str) -> Refusal {
        let found = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        Refusal::Validation(format!("{} must be {expected}, not {found}", self.path()))
    }

    fn object(&self) -> Result<&'a Map<String, Value>, Refusal> {
        self.value
            .as_object()
            .ok_or_else(|| self.wrong_type("an object"))
    }

    fn below(&self, name: &str, value: &'a Value) -> Self {
        let path = if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        };
        Self { path, value }
    }

    /// Returns the object's member of that name, if it has one.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<Self>, Refusal> {
        if self.path.is_empty() && self.value.is_null() {
            return Ok(None);
        }
        Ok(self
            .object()?
            .get(name)
            .filter(|value| !value.is_null())
            .map(|value| self.below(name, value)))
    }

    /// Returns the object's member of that name, or refuses.
    pub(crate) fn required(&self, name: &str) -> Result<Self, Refusal> {
        self.optional(name)?.ok_or_else(|| {
            let place = if self.path.is_empty() {
                String::new()
            } else {
                format!(" in {}", self.path)
            };
            Refusal::Validation(format!("the required member {name}{place} is missing"))
        })
    }

    /// Refuses other members than these.
    pub(crate) fn has_only(&self, names: &[&str]) -> Result<(), Refusal> {
        if self.value.is_null() {
            return Ok(());
        }
        let object = self.object()?;
        match object.keys().find(|name| !names.contains(&name.as_str())) {
            None => Ok(()),
            Some(other) => {
                let names = names.join(", ");
                Err(Refusal::Validation(format!(
                    "the member {other} is not supported by this emulator; it supports {names}"
                )))
            }
        }
    }

    /// Returns the one member of a union: exactly one of `names`.
    pub(crate) fn union(
        &self,
        names: &'static [&'static str],
    ) -> Result<(&'static str, Self), Refusal> {
        let object = self.object()?;
        let mut set = names.iter().copied().filter_map(|name| {
            let value = object.get(name).filter(|value| !value.is_null())?;
            Some((name, self.below(name, value)))
        });
        let refusal = |found: &str| {
            let names = names.join(", ");
            let path = self.path();
            Refusal::Validation(format!(
                "{path} must have exactly one of {names}; it has {found}"
            ))
        };
        match (set.next(), set.next()) {
            (Some(member), None) => Ok(member),
            (None, _) => Err(refusal("none")),
            (Some((first, _)), Some((second, _))) => Err(refusal(&format!("{first} and {second}"))),
        }
    }

    /// Reads a string of so many characters (Unicode scalar values).
    pub(crate) fn text(&self, length: RangeInclusive<usize>) -> Result<&'a str, Refusal> {
        let text = self
            .value
            .as_str()
            .ok_or_else(|| self.wrong_type("a string"))?;
        check_length(self.path(), text, length)?;
        Ok(text)
    }

    /// Reads a list of so many items.
    pub(crate) fn items(&self, length: RangeInclusive<usize>) -> Result<Vec<Self>, Refusal> {
        let items = self
            .value
            .as_array()
            .ok_or_else(|| self.wrong_type("a list"))?;
        check_count(self.path(), items.len(), length)?;
        Ok(items
            .iter()
            .enumerate()
            .map(|(index, value)| Self {
                path: format!("{}[{index}]", self.path),
                value,
            })
            .collect())
    }

    /// Reads a map of so many entries, without those that are `null`.
    pub(crate) fn entries(
        &self,
        length: RangeInclusive<usize>,
    ) -> Result<Vec<(&'a str, Self)>, Refusal> {
        let object = self.object()?;
        check_count(self.path(), object.len(), length)?;
        Ok(object
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.as_str(), self.below(key, value)))
            .collect())
    }

    /// Reads a whole number in the range.
    pub(crate) fn integer(&self, range: RangeInclusive<usize>) -> Result<usize, Refusal> {
        let number = self
            .value
            .as_u64()
            .and_then(|number| usize::try_from(number).ok())
            .filter(|number| range.contains(number));
        number.ok_or_else(|| {
            Refusal::Validation(format!(
                "{} must be a whole number from {} to {}",
                self.path(),
                range.start(),
                range.end()
            ))
        })
    }

    /// Reads `true` or `false`.
    pub(crate) fn boolean(&self) -> Result<bool, Refusal> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wrong_type("a boolean"))
    }

    /// Reads a finite double. The protocol's texts for other numbers, `"NaN"`, `"Infinity"` and
    /// `"-Infinity"`, are refused as values rather than as types.
    pub(crate) fn double(&self) -> Result<f64, Refusal> {
        let not_finite = || Refusal::Validation(format!("{} must be a finite number", self.path()));
        match self.value {
            Value::Number(number) => number
                .as_f64()
                .filter(|number| number.is_finite())
                .ok_or_else(not_finite),
            Value::String(text) if matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity") => {
                Err(not_finite())
            }
            _ => Err(self.wrong_type("a number")),
        }
    }

    /// Reads an object with any content, such as `emptyValue`.
    pub(crate) fn empty(&self) -> Result<(), Refusal> {
        self.object().map(|_| ())
    }

    /// Reads one of the words.
    pub(crate) fn one_of(&self, words: &'static [&'static str]) -> Result<&'static str, Refusal> {
        let text = self.text(0..=usize::MAX)?;
        words
            .iter()
            .copied()
            .find(|word| *word == text)
            .ok_or_else(|| {
                Refusal::Validation(format!(
                    "{} must be one of {}",
                    self.path(),
                    words.join(", ")
                ))
            })
    }
}

/// Refuses a text whose length in Unicode scalar values is outside the range.
pub(crate) fn check_length(
    path: &str,
    text: &str,
    length: RangeInclusive<usize>,
) -> Result<(), Refusal> {
    let found = text.chars().count();
    if length.contains(&found) {
        return Ok(());
    }
    let expected = expected(&length);
    Err(Refusal::Validation(format!(
        "{path} must have {expected} characters; it has {found}"
    )))
}

fn check_count(path: &str, found: usize, length: RangeInclusive<usize>) -> Result<(), Refusal> {
    if length.contains(&found) {
        return Ok(());
    }
    let expected = expected(&length);
    Err(Refusal::Validation(format!(
        "{path} must have {expected} entries; it has {found}"
    )))
}

fn expected(length: &RangeInclusive<usize>) -> String {
    match (length.start(), length.end()) {
        (0, most) => format!("at most {most}"),
        (least, &usize::MAX) => format!("at least {least}"),
        (least, most) => format!("{least} to {most}"),
    }
}
