//! Case fields: each [`Value`] becomes the member of the API's `FieldValueUnion` that the field's type needs, or an error.
//!
//! The error names the broken rule. Every rule is checked here, because Cases describes a broken rule only in prose.
//! Lengths are Unicode scalar values.
//!
//! Limits: `FieldValueUnion`, `CreateCaseRequest` (API model 2022-10-03) and the administrator guide's page on case fields.

use std::borrow::Cow;

use crate::value::{Value, is_json_number};
use crate::zone::Zone;
use crate::{arn, timestamp};

/// `FieldType` of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the API's own")]
pub enum FieldType {
    Text,
    Number,
    Boolean,
    DateTime,
    SingleSelect,
    Url,
    User,
}

impl FieldType {
    /// All types with their API names.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("Text", Self::Text),
        ("Number", Self::Number),
        ("Boolean", Self::Boolean),
        ("DateTime", Self::DateTime),
        ("SingleSelect", Self::SingleSelect),
        ("Url", Self::Url),
        ("User", Self::User),
    ];

    /// Returns the type with this API name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, kind)| *kind)
    }

    /// Returns the API name of the type.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }
}

/// A field of the domain.
#[derive(Clone, Debug)]
pub struct Field {
    /// `fieldId`.
    pub id: String,
    /// `name`, the label that agents see.
    pub name: String,
    /// `type`.
    pub kind: FieldType,
    /// `attributes.text.isMultiline`.
    pub multiline: bool,
    /// The options of a `SingleSelect` field, if they are known.
    pub options: Option<Vec<FieldOption>>,
}

/// An option of a `SingleSelect` field (`ListFieldOptions`).
#[derive(Clone, Debug)]
pub struct FieldOption {
    /// The label that agents see.
    pub name: String,
    /// The value in a request.
    pub value: String,
    /// True if a new value may use the option.
    pub active: bool,
}

/// A `FieldValueUnion` with exactly one member.
#[derive(Clone, PartialEq)]
pub enum FieldValue {
    /// `stringValue`
    String(String),
    /// `doubleValue`, finite.
    Double(f64),
    /// `booleanValue`
    Boolean(bool),
    /// `emptyValue`
    Empty,
    /// `userArnValue`
    UserArn(String),
}

/// The rule that a value breaks. The text names types, lengths and the domain's own labels, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Text that is longer than the field allows.
    #[error("takes at most {limit} characters, found {length}")]
    TooLong {
        /// The field's limit, in characters.
        limit: usize,
        /// The length of the text, in characters.
        length: usize,
    },
    /// Any other rule: "takes …, found …".
    #[error("{0}")]
    Other(String),
}

/// The system fields of every domain: id, name, type, multi-line. Source: administrator guide, "System case fields".
const SYSTEM: [(&str, &str, FieldType, bool); 15] = [
    ("title", "Title", FieldType::Text, false),
    ("summary", "Summary", FieldType::Text, true),
    ("status", "Status", FieldType::SingleSelect, false),
    ("case_reason", "Case Reason", FieldType::SingleSelect, false),
    ("customer_id", "Customer", FieldType::Text, false),
    ("assigned_queue", "Assigned Queue", FieldType::Text, false),
    ("assigned_user", "Assigned User", FieldType::User, false),
    (
        "reference_number",
        "Reference number",
        FieldType::Text,
        false,
    ),
    ("reference_id", "Reference id", FieldType::Text, false),
    ("case_id", "Case ID", FieldType::Text, false),
    ("created_by", "Created by", FieldType::User, false),
    (
        "created_datetime",
        "Date/Time Opened",
        FieldType::DateTime,
        false,
    ),
    (
        "last_closed_datetime",
        "Date/Time Closed",
        FieldType::DateTime,
        false,
    ),
    (
        "last_updated_datetime",
        "Date/Time Last Updated",
        FieldType::DateTime,
        false,
    ),
    (
        "last_updated_user",
        "Last Updated User",
        FieldType::User,
        false,
    ),
];

/// The system fields that only Cases writes.
const READ_ONLY: [&str; 6] = [
    "case_id",
    "created_by",
    "created_datetime",
    "last_closed_datetime",
    "last_updated_datetime",
    "last_updated_user",
];

impl Field {
    /// Returns the system field with this id.
    #[must_use]
    pub fn system(id: &str) -> Option<Self> {
        let (id, name, kind, multiline) = SYSTEM.iter().find(|(known, ..)| *known == id)?;
        Some(Self {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            kind: *kind,
            multiline: *multiline,
            options: None,
        })
    }

    /// Creates a custom field with the type that the author states.
    #[must_use]
    pub fn explicit(id: &str, kind: FieldType) -> Self {
        Self {
            id: id.to_owned(),
            name: id.to_owned(),
            kind,
            multiline: true,
            options: None,
        }
    }

    /// Returns true if a request may set the field.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        !READ_ONLY.contains(&self.id.as_str())
    }

    /// Returns the maximum length of the field's text, in characters.
    #[must_use]
    pub fn limit(&self) -> usize {
        match (self.id.as_str(), self.kind) {
            ("summary", _) => 3000,
            ("reference_number" | "reference_id", _) => 50,
            (_, FieldType::SingleSelect) => 100,
            (_, FieldType::Text) if !self.multiline => 500,
            (_, FieldType::User) => 500,
            _ => 4100,
        }
    }

    /// Converts a value to the union member that the field's type needs.
    ///
    /// With a zone, a time without an offset is that zone's.
    ///
    /// # Errors
    /// The value has a type that the field does not accept, or it breaks a rule of the field.
    pub fn coerce(&self, item: Value<'_>, zone: Option<&Zone>) -> Result<FieldValue, FieldError> {
        match self.kind {
            FieldType::Text => self.text(item),
            FieldType::Number => number(&item).map(FieldValue::Double),
            FieldType::Boolean => match item.as_boolean() {
                Some(boolean) => Ok(FieldValue::Boolean(boolean)),
                None => Err(takes("a boolean or the text `true` or `false`", &item)),
            },
            FieldType::DateTime => {
                let moment = timestamp::read(&item, zone).map_err(|found| {
                    field_error(format!(
                        "takes a time (RFC 3339, RFC 2822, or seconds, milliseconds or microseconds since 1970), {found}"
                    ))
                })?;
                let text = timestamp::rfc3339(moment);
                text.map(FieldValue::String)
                    .ok_or_else(|| field_error("takes a time between the years 0 and 9999"))
            }
            FieldType::SingleSelect => self.option_value(item).map(FieldValue::String),
            FieldType::Url => {
                let text = self.bounded(scalar(item, "a URL")?)?;
                if is_url(&text) {
                    Ok(FieldValue::String(text))
                } else {
                    Err(field_error(
                        "takes a URL such as https://example.com/orders, found other text",
                    ))
                }
            }
            FieldType::User => {
                let text = self.bounded(scalar(item, "a user ARN")?)?;
                if arn::is_connect(&text, &["agent", "user"]) {
                    Ok(FieldValue::UserArn(text))
                } else {
                    Err(field_error(
                        "takes a user ARN (arn:aws:connect:REGION:ACCOUNT:instance/ID/agent/ID), found other text",
                    ))
                }
            }
        }
    }

    fn text(&self, item: Value<'_>) -> Result<FieldValue, FieldError> {
        let text = self.bounded(scalar(item, "text")?)?;
        match self.id.as_str() {
            "assigned_queue" if !arn::is_connect(&text, &["queue"]) => Err(field_error(
                "takes a queue ARN (arn:aws:connect:REGION:ACCOUNT:instance/ID/queue/ID), found other text",
            )),
            "customer_id" if !arn::is_profile(&text) => Err(field_error(
                "takes a profile ARN (arn:aws:profile:REGION:ACCOUNT:domains/NAME/profiles/ID), found other text",
            )),
            "assigned_user" if !arn::is_connect(&text, &["agent", "user"]) => Err(field_error(
                "takes a user ARN (arn:aws:connect:REGION:ACCOUNT:instance/ID/agent/ID), found other text",
            )),
            "reference_number" | "reference_id"
                if !text.chars().all(|c| c.is_ascii_alphanumeric()) =>
            {
                Err(field_error(
                    "takes letters and digits only, found other characters",
                ))
            }
            _ => Ok(FieldValue::String(text)),
        }
    }

    /// Returns the option with this value, or else with this label.
    ///
    /// The spelling must be exactly that of the domain. Among equal labels, an active option takes precedence.
    #[must_use]
    pub fn option(&self, text: &str) -> Option<&FieldOption> {
        let options = || self.options.iter().flatten();
        options().find(|option| option.value == text).or_else(|| {
            let named = || options().filter(|option| option.name == text);
            named()
                .find(|option| option.active)
                .or_else(|| named().next())
        })
    }

    fn option_value(&self, item: Value<'_>) -> Result<String, FieldError> {
        let text = scalar(item, "one of its options")?;
        if self.options.is_none() {
            let text = self.bounded(text)?;
            let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            return if text.chars().all(legal) {
                Ok(text)
            } else {
                let rule = "takes an option's value (letters, digits, `-` and `_`), found other characters";
                Err(field_error(rule))
            };
        }
        match self.option(&text) {
            Some(option) if option.active => Ok(option.value.clone()),
            Some(option) => Err(field_error(format!(
                "takes an active option, and `{}` is inactive",
                option.name
            ))),
            None => Err(field_error(
                "takes one of its options, found text that is neither the label nor the value of any",
            )),
        }
    }

    fn bounded(&self, text: Cow<'_, str>) -> Result<String, FieldError> {
        let (limit, length) = (self.limit(), text.chars().count());
        if length > limit {
            Err(FieldError::TooLong { limit, length })
        } else {
            Ok(text.into_owned())
        }
    }
}

fn field_error(message: impl Into<String>) -> FieldError {
    FieldError::Other(message.into())
}

fn takes(what: &str, item: &Value<'_>) -> FieldError {
    field_error(format!("takes {what}, found {}", item.describe_refused()))
}

fn scalar<'a>(item: Value<'a>, what: &str) -> Result<Cow<'a, str>, FieldError> {
    item.into_text().map_err(|item| {
        let help = if matches!(item, Value::List(_)) {
            ": join it with `join(', ')`"
        } else {
            ""
        };
        field_error(format!("takes {what}, found {}{help}", item.describe()))
    })
}

/// Returns true for a scheme, a colon and more text, without white space or control characters.
///
/// This is a loose reading of RFC 3986, because Cases states no rule.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !rest.trim_start_matches('/').is_empty()
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Returns the number as the double that Cases stores, if the double has the same value.
fn number(item: &Value<'_>) -> Result<f64, FieldError> {
    let text = match item {
        Value::Number(text) => text,
        Value::Text(text) if is_json_number(text) => text,
        _ => return Err(takes("a number or text that is exactly one", item)),
    };
    let value: f64 = text
        .parse()
        .map_err(|_| takes("a number or text that is exactly one", item))?;
    if !value.is_finite() {
        return Err(field_error(
            "takes a finite number, found one beyond what a double holds",
        ));
    }
    if significant(text) == significant(&format!("{value:e}")) {
        Ok(value)
    } else {
        Err(field_error(
            "takes a number that a double holds, found one with more digits: use a Text field for an id",
        ))
    }
}

/// Returns a decimal number's digits without leading and trailing zeros, and the power of ten of the first digit.
///
/// The sign is ignored. Equal numbers give equal results.
fn significant(text: &str) -> (String, i64) {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let trimmed = digits.trim_matches('0').to_owned();
    if trimmed.is_empty() {
        return (trimmed, 0);
    }
    let exponent: i64 = exponent.parse().unwrap_or(i64::MAX / 2);
    let magnitude =
        i64::try_from(whole.len()).unwrap_or(i64::MAX / 4) - i64::try_from(leading).unwrap_or(0);
    (trimmed, magnitude.saturating_add(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_a_scheme() {
        for url in [
            "https://example.com/a?b=c",
            "mailto:x@example.com",
            "http://10.0.0.1",
        ] {
            assert!(is_url(url), "{url}");
        }
        for other in ["example.com", "https://", "https://a b", "://x", "1a:b", ""] {
            assert!(!is_url(other), "{other}");
        }
    }
}

#[cfg(test)]
mod number_tests {
    use super::*;

    fn coerce(item: Value<'_>) -> Result<FieldValue, FieldError> {
        Field::explicit("f", FieldType::Number).coerce(item, None)
    }

    #[test]
    fn numbers_keep_their_digits_or_are_refused() {
        let coerce = |text: &str| coerce(Value::Number(text.to_owned().into()));
        for (text, value) in [
            ("629.90", 629.9),
            ("0", 0.0),
            ("-0.0", 0.0),
            ("1e3", 1000.0),
            ("9007199254740992", 9_007_199_254_740_992.0),
            ("100e-2", 1.0),
        ] {
            assert!(coerce(text) == Ok(FieldValue::Double(value)), "{text}");
        }
        for text in [
            "9007199254740993",
            "12345678901234567890123",
            "1e400",
            "1e-400",
            "0.12345678901234567890",
            "NaN",
            "1e99999999999999999999",
            "0.001e-9223372036854775808",
        ] {
            assert!(coerce(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_finite_double_is_taken_as_it_prints(value in proptest::num::f64::NORMAL) {
            let text = value.to_string();
            proptest::prop_assert!(coerce(Value::Text(text.into())) == Ok(FieldValue::Double(value)));
        }
    }
}
