//! Values between an event and a field: JSON becomes the types that filters and fields accept.
//!
//! A missing value (absent, null, empty text) is `None`.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::text::{BoundedText, TooLong};

/// A value of an event or a mapping, before it is written to a field. A missing value (absent, null, empty text) is `None`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Text, never empty.
    Text(Cow<'a, str>),
    /// A number, in its source text.
    Number(Cow<'a, str>),
    /// A boolean.
    Boolean(bool),
    /// A list. Missing items are [`Value::Null`]; a list from `[*]` omits them.
    List(Vec<Value<'a>>),
    /// A JSON object. Only `to_json` and variables read its content.
    Object(Cow<'a, Json>),
    /// Null or empty text inside a list.
    Null,
}

impl<'a> Value<'a> {
    /// Converts JSON to a value. Null and empty text are missing.
    #[must_use]
    pub fn from_json(value: &'a Json) -> Option<Self> {
        match value {
            Json::Null => None,
            Json::String(text) => Self::text(text.as_str()),
            Json::Number(number) => Some(Self::Number(number.as_str().into())),
            Json::Bool(boolean) => Some(Self::Boolean(*boolean)),
            Json::Array(items) => Some(Self::List(
                items
                    .iter()
                    .map(|item| Self::from_json(item).unwrap_or(Self::Null))
                    .collect(),
            )),
            Json::Object(_) => Some(Self::Object(Cow::Borrowed(value))),
        }
    }

    /// Returns the text as a value. Empty text is missing.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then_some(Self::Text(text))
    }

    /// Returns the same value without borrows from the event or the mapping.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Text(text) => Value::Text(text.into_owned().into()),
            Self::Number(text) => Value::Number(text.into_owned().into()),
            Self::Boolean(boolean) => Value::Boolean(boolean),
            Self::List(items) => Value::List(items.into_iter().map(Value::into_owned).collect()),
            Self::Object(object) => Value::Object(Cow::Owned(object.into_owned())),
            Self::Null => Value::Null,
        }
    }

    /// Converts text, a number or a boolean to text, for an interpolation, a part of a key or a tag.
    ///
    /// # Errors
    /// The value itself, if it is a list, an object or null.
    pub fn into_text(self) -> Result<Cow<'a, str>, Self> {
        match self {
            Self::Text(text) | Self::Number(text) => Ok(text),
            Self::Boolean(boolean) => Ok(Cow::Borrowed(if boolean { "true" } else { "false" })),
            Self::List(_) | Self::Object(_) | Self::Null => Err(self),
        }
    }

    /// Converts the value to JSON. A number keeps its source text.
    #[must_use]
    pub fn into_json(self) -> Json {
        match self {
            Self::Text(text) => Json::String(text.into_owned()),
            Self::Number(text) => text.parse().map_or(Json::Null, Json::Number),
            Self::Boolean(boolean) => Json::Bool(boolean),
            Self::List(items) => Json::Array(items.into_iter().map(Value::into_json).collect()),
            Self::Object(object) => object.into_owned(),
            Self::Null => Json::Null,
        }
    }

    /// Returns a boolean, or the text `true` or `false` in any letter case, as a boolean.
    #[must_use]
    pub fn as_boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            Self::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Self::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// Returns the type in words for a message that refuses this value and accepts some texts.
    #[must_use]
    pub fn describe_refused(&self) -> &'static str {
        match self {
            Self::Text(_) => "other text",
            item => item.describe(),
        }
    }

    /// Returns the type in words, for messages. The result never contains the value.
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(_) => "a number",
            Self::Boolean(_) => "a boolean",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
            Self::Null => "null",
        }
    }
}

/// Returns true for JSON that is a missing value: null and empty text.
#[must_use]
pub(crate) fn is_missing(value: &Json) -> bool {
    value.is_null() || value == ""
}

/// Writes JSON without white space. Members are sorted by code point, and numbers keep their source text.
///
/// # Errors
/// The text is longer than a text may be.
pub(crate) fn write_json(value: &Json, text: &mut BoundedText) -> Result<(), TooLong> {
    match value {
        Json::Null => text.push("null"),
        Json::Bool(boolean) => text.push(if *boolean { "true" } else { "false" }),
        Json::Number(number) => text.push(number.as_str()),
        Json::String(string) => text.push(&quoted(string)),
        Json::Array(items) => {
            text.push("[")?;
            for (index, item) in items.iter().enumerate() {
                text.push(if index > 0 { "," } else { "" })?;
                write_json(item, text)?;
            }
            text.push("]")
        }
        Json::Object(members) => {
            // UTF-8 sorts like code points.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_str());
            text.push("{")?;
            for (index, (name, value)) in members.into_iter().enumerate() {
                text.push(if index > 0 { "," } else { "" })?;
                text.push(&quoted(name))?;
                text.push(":")?;
                write_json(value, text)?;
            }
            text.push("}")
        }
    }
}

/// Returns the text as a JSON string.
fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// Returns true if the text is a number by JSON's grammar: no leading zero, no `+`, no bare `.`, no `Infinity`.
#[must_use]
pub fn is_json_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exactly_those_of_json() {
        for text in [
            "0",
            "-0",
            "1.10",
            "12e3",
            "-1.5E-7",
            "123456789012345678901234567890",
        ] {
            assert!(is_json_number(text), "{text}");
            assert!(
                serde_json::from_str::<serde_json::Value>(text)
                    .is_ok_and(|value| value.is_number()),
                "{text}"
            );
        }
        for text in [
            "",
            "-",
            "01",
            "012345679012",
            "+1",
            ".5",
            "1.",
            "1e",
            "0x1F",
            "1_000",
            "NaN",
            "Infinity",
            "١",
        ] {
            assert!(!is_json_number(text), "{text}");
        }
    }
}
