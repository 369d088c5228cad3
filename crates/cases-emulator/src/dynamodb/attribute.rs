//! Attribute values: text (`S`) and whole numbers (`N`), the two types that the ledger stores.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::member::Member;
use crate::service::Refusal;

/// The most digits of a number.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const DIGITS: u32 = 38;

const TYPES: &[&str] = &["S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"];

/// The attributes of an item or a key, by name.
pub(super) type Attributes = BTreeMap<String, AttributeValue>;

/// A value of `AttributeValue` in the service model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AttributeValue {
    S(String),
    N(i128),
}

impl AttributeValue {
    /// Reads the union at `member`.
    pub(super) fn read(member: &Member<'_>) -> Result<Self, Refusal> {
        let (kind, member) = member.union(TYPES)?;
        match kind {
            "S" => Ok(Self::S(member.text(0..=usize::MAX)?.to_owned())),
            "N" => number(&member).map(Self::N),
            _ => Err(Refusal::Validation(format!(
                "{}: the type {kind} is not supported by this emulator; it supports S and N",
                member.path()
            ))),
        }
    }

    /// Returns the value as the API writes it.
    fn to_json(&self) -> Value {
        match self {
            Self::S(text) => json!({ "S": text }),
            Self::N(number) => json!({ "N": number.to_string() }),
        }
    }

    fn to_plain(&self) -> Value {
        match self {
            Self::S(text) => json!(text),
            Self::N(number) => serde_json::from_str(&number.to_string()).unwrap_or_default(),
        }
    }

    /// Returns the name of the value's type.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
        }
    }

    /// Returns the order of two values of one type; texts are ordered by their UTF-8 bytes.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::S(one), Self::S(other)) => Some(one.cmp(other)),
            (Self::N(one), Self::N(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }

    /// Returns the size in bytes, as DynamoDB counts it.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
    fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.unsigned_abs().to_string().len().div_ceil(2) + 1,
        }
    }
}

/// Reads the attributes at `member`.
pub(super) fn attributes(member: &Member<'_>) -> Result<Attributes, Refusal> {
    let entries = member.entries(0..=usize::MAX)?.into_iter();
    entries
        .map(|(name, member)| Ok((name.to_owned(), AttributeValue::read(&member)?)))
        .collect()
}

/// Returns the attributes as the API writes them.
pub(super) fn to_json(attributes: &Attributes) -> Value {
    object(attributes, AttributeValue::to_json)
}

/// Returns the attributes as plain JSON: strings and numbers.
pub(super) fn to_plain(attributes: &Attributes) -> Value {
    object(attributes, AttributeValue::to_plain)
}

fn object(attributes: &Attributes, show: fn(&AttributeValue) -> Value) -> Value {
    let member = |(name, value): (&String, &AttributeValue)| (name.clone(), show(value));
    Value::Object(attributes.iter().map(member).collect::<Map<_, _>>())
}

/// Returns the size of names and values in bytes, as DynamoDB counts it.
pub(super) fn size(attributes: &Attributes) -> usize {
    let size = |(name, value): (&String, &AttributeValue)| name.len() + value.size();
    attributes.iter().map(size).sum()
}

fn number(member: &Member<'_>) -> Result<i128, Refusal> {
    let text = member.text(0..=usize::MAX)?;
    let number = text.parse::<i128>().ok();
    number
        .filter(|number| number.unsigned_abs() < 10_u128.pow(DIGITS))
        .ok_or_else(|| {
            Refusal::Validation(format!(
                "{}: '{text}' is no whole number of at most {DIGITS} digits; this emulator supports no other \
                 numbers",
                member.path()
            ))
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: &Value) -> Result<AttributeValue, String> {
        AttributeValue::read(&Member::body(value)).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn numbers_lose_their_spelling() {
        let longest = "9".repeat(38);
        for (text, shown) in [
            ("007", "7"),
            ("+7", "7"),
            ("-0", "0"),
            ("-12", "-12"),
            (&longest, &longest),
        ] {
            let number = read(&json!({ "N": text })).expect(text);
            assert_eq!(number.to_json(), json!({ "N": shown }), "{text}");
        }
        assert_eq!(
            AttributeValue::N(9).order(&AttributeValue::N(10)),
            Some(Ordering::Less)
        );
    }

    #[test]
    fn unsupported_values_are_refused() {
        let too_long = "1".repeat(39);
        for (value, message) in [
            (json!({}), "exactly one of"),
            (json!({ "S": "a", "N": "1" }), "exactly one of"),
            (json!({ "S": 1 }), "must be a string"),
            (json!({ "N": "" }), "no whole number"),
            (json!({ "N": "one" }), "no whole number"),
            (json!({ "N": "1_000" }), "no whole number"),
            (json!({ "N": "1.5" }), "no whole number"),
            (json!({ "N": "1e2" }), "no whole number"),
            (json!({ "N": too_long }), "no whole number"),
            (json!({ "B": "AA==" }), "the type B is not supported"),
            (json!({ "BOOL": true }), "the type BOOL is not supported"),
            (json!({ "M": {} }), "the type M is not supported"),
        ] {
            let refusal = read(&value).expect_err("a refusal");
            assert!(refusal.contains(message), "{value}: {refusal}");
        }
    }

    proptest! {
        #[test]
        fn written_values_read_back(text in ".{0,8}", number in any::<i64>()) {
            for value in [AttributeValue::S(text), AttributeValue::N(number.into())] {
                prop_assert_eq!(read(&value.to_json()), Ok(value));
            }
        }
    }
}
