//! An attribute's value: from the protocol's form, `{"S": "…"}`, and back, and as plain JSON for tests.
//! Numbers are decimals of up to 38 digits, exact, as in DynamoDB.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use bigdecimal::{BigDecimal, Zero as _};
use serde_json::{Map, Value, json};

use crate::members::Member;
use crate::refusal::Refusal;

/// The most significant digits of a number, and the exponents of the largest and the smallest.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const DIGITS: u64 = 38;
const LARGEST_EXPONENT: i64 = 125;
const SMALLEST_EXPONENT: i64 = -130;

/// How deep maps and lists may stand in one another.
const DEPTH: usize = 32;

const TYPES: &[&str] = &["S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"];

/// An item, or the map of an attribute.
pub(crate) type Attributes = BTreeMap<String, AttributeValue>;

/// `AttributeValue` of the service model, as far as it is served.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AttributeValue {
    S(String),
    N(BigDecimal),
    Bool(bool),
    Null,
    M(Attributes),
    L(Vec<AttributeValue>),
    Ss(BTreeSet<String>),
}

impl AttributeValue {
    /// The value in the protocol's form.
    pub(crate) fn read(member: &Member<'_>) -> Result<Self, Refusal> {
        Self::read_at(member, 0)
    }

    fn read_at(member: &Member<'_>, depth: usize) -> Result<Self, Refusal> {
        if depth > DEPTH {
            return Err(Refusal::Validation(
                "Nesting Levels have exceeded supported limits: Attributes have nested levels beyond \
                 supported limit"
                    .to_owned(),
            ));
        }
        let (kind, member) = member.union(TYPES)?;
        match kind {
            "S" => Ok(Self::S(member.text(0..=usize::MAX)?.to_owned())),
            "N" => number(&member).map(Self::N),
            "BOOL" => member.boolean().map(Self::Bool),
            "NULL" if member.boolean()? => Ok(Self::Null),
            "NULL" => Err(invalid(
                "Null attribute value types must have the value of true",
            )),
            "M" => attributes_at(&member, depth + 1).map(Self::M),
            "L" => {
                let items = member.items(0..=usize::MAX)?;
                let items = items.iter().map(|item| Self::read_at(item, depth + 1));
                items.collect::<Result<_, _>>().map(Self::L)
            }
            "SS" => string_set(&member).map(Self::Ss),
            _ => Err(Refusal::Validation(format!(
                "{}: the type {kind} is not supported by this emulator; it has S, N, BOOL, NULL, M, L and SS",
                member.path()
            ))),
        }
    }

    /// The value in the protocol's form.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::S(text) => json!({ "S": text }),
            Self::N(number) => json!({ "N": number.to_plain_string() }),
            Self::Bool(truth) => json!({ "BOOL": truth }),
            Self::Null => json!({ "NULL": true }),
            Self::M(members) => json!({ "M": to_json(members) }),
            Self::L(items) => json!({ "L": items.iter().map(Self::to_json).collect::<Vec<_>>() }),
            Self::Ss(texts) => json!({ "SS": texts }),
        }
    }

    /// The value as plain JSON, a set as a sorted list.
    pub(crate) fn to_plain(&self) -> Value {
        match self {
            Self::S(text) => json!(text),
            Self::N(number) => serde_json::from_str(&number.to_plain_string()).unwrap_or_default(),
            Self::Bool(truth) => json!(truth),
            Self::Null => Value::Null,
            Self::M(members) => to_plain(members),
            Self::L(items) => items.iter().map(Self::to_plain).collect(),
            Self::Ss(texts) => json!(texts),
        }
    }

    /// The type's name in the protocol.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::M(_) => "M",
            Self::L(_) => "L",
            Self::Ss(_) => "SS",
        }
    }

    /// How two values of one ordered type, `S` or `N`, compare: texts by their bytes in UTF-8.
    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::S(one), Self::S(other)) => Some(one.as_bytes().cmp(other.as_bytes())),
            (Self::N(one), Self::N(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }

    /// Its bytes as DynamoDB counts them.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
    fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => {
                let digits = usize::try_from(number.normalized().digits()).unwrap_or(usize::MAX);
                digits.div_ceil(2) + 1
            }
            Self::Bool(_) | Self::Null => 1,
            Self::M(members) => 3 + members.len() + size(members),
            Self::L(items) => 3 + items.iter().map(|item| 1 + item.size()).sum::<usize>(),
            Self::Ss(texts) => texts.iter().map(String::len).sum(),
        }
    }
}

/// The attributes of an item or a key.
pub(crate) fn attributes(member: &Member<'_>) -> Result<Attributes, Refusal> {
    attributes_at(member, 0)
}

fn attributes_at(member: &Member<'_>, depth: usize) -> Result<Attributes, Refusal> {
    let entries = member.entries(0..=usize::MAX)?;
    let entries = entries
        .iter()
        .map(|(name, member)| Ok(((*name).to_owned(), AttributeValue::read_at(member, depth)?)));
    entries.collect()
}

/// Attributes in the protocol's form.
pub(crate) fn to_json(attributes: &Attributes) -> Value {
    let member = |(name, value): (&String, &AttributeValue)| (name.clone(), value.to_json());
    Value::Object(attributes.iter().map(member).collect::<Map<_, _>>())
}

/// Attributes as plain JSON.
pub(crate) fn to_plain(attributes: &Attributes) -> Value {
    let member = |(name, value): (&String, &AttributeValue)| (name.clone(), value.to_plain());
    Value::Object(attributes.iter().map(member).collect::<Map<_, _>>())
}

/// The attributes' bytes, names and values, as DynamoDB counts them.
pub(crate) fn size(attributes: &Attributes) -> usize {
    let size = |(name, value): (&String, &AttributeValue)| name.len() + value.size();
    attributes.iter().map(size).sum()
}

fn number(member: &Member<'_>) -> Result<BigDecimal, Refusal> {
    let text = member.text(0..=usize::MAX)?;
    let form = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let number = text
        .bytes()
        .all(form)
        .then(|| BigDecimal::from_str(text).ok())
        .flatten();
    let number = number.ok_or_else(|| {
        Refusal::Validation(format!(
            "The parameter cannot be converted to a numeric value: {text}"
        ))
    })?;
    in_range(&number)
}

/// The number in its shortest form, when DynamoDB can hold it.
pub(crate) fn in_range(number: &BigDecimal) -> Result<BigDecimal, Refusal> {
    let number = number.normalized();
    let refusal = |message: &str| Err(Refusal::Validation(message.to_owned()));
    if number.digits() > DIGITS {
        return refusal("Attempting to store more than 38 significant digits in a Number");
    }
    let exponent = number.order_of_magnitude();
    if exponent > LARGEST_EXPONENT {
        return refusal(
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        );
    }
    if exponent < SMALLEST_EXPONENT && !number.is_zero() {
        return refusal(
            "Number underflow. Attempting to store a number with magnitude smaller than supported range",
        );
    }
    Ok(number)
}

fn string_set(member: &Member<'_>) -> Result<BTreeSet<String>, Refusal> {
    let items = member.items(0..=usize::MAX)?;
    let mut texts = BTreeSet::new();
    for item in &items {
        let text = item.text(0..=usize::MAX)?;
        if !texts.insert(text.to_owned()) {
            return Err(invalid(&format!(
                "Input collection {} contains duplicates: {text}",
                member.path()
            )));
        }
    }
    if texts.is_empty() {
        return Err(invalid("An string set  may not be empty"));
    }
    Ok(texts)
}

/// DynamoDB's refusal of a value.
pub(crate) fn invalid(what: &str) -> Refusal {
    Refusal::Validation(format!("One or more parameter values were invalid: {what}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: &Value) -> Result<AttributeValue, String> {
        AttributeValue::read(&Member::body(value)).map_err(|refusal| refusal.message())
    }

    fn number(text: &str) -> Result<AttributeValue, String> {
        read(&json!({ "N": text }))
    }

    #[test]
    fn numbers_are_decimals() {
        for (text, shown) in [
            ("1e2", "100"),
            ("0.10", "0.1"),
            ("-0", "0"),
            ("+7", "7"),
            (
                "12345678901234567890123456789012345678",
                "12345678901234567890123456789012345678",
            ),
            ("1E-3", "0.001"),
        ] {
            let number = number(text).expect("a number");
            assert_eq!(number.to_json(), json!({ "N": shown }), "{text}");
        }
        assert_eq!(number("1.0"), number("1"));
        let (small, large) = (number("9").expect("nine"), number("10").expect("ten"));
        assert_eq!(small.order(&large), Some(Ordering::Less));
    }

    #[test]
    fn what_is_no_number_of_dynamodb_is_refused() {
        for (text, message) in [
            ("", "cannot be converted"),
            ("one", "cannot be converted"),
            ("1_000", "cannot be converted"),
            ("0x10", "cannot be converted"),
            ("NaN", "cannot be converted"),
            ("1e99999999999999999999", "cannot be converted"),
            (
                "123456789012345678901234567890123456789",
                "38 significant digits",
            ),
            ("1e126", "overflow"),
            ("-1e126", "overflow"),
            ("1e-131", "underflow"),
        ] {
            let refusal = number(text).expect_err(text);
            assert!(refusal.contains(message), "{text}: {refusal}");
        }
        for text in ["9.9e125", "1e-130", "0e999"] {
            number(text).expect(text);
        }
    }

    #[test]
    fn values_that_are_refused() {
        let mut deep = json!({ "S": "a" });
        for _ in 0..33 {
            deep = json!({ "L": [deep] });
        }
        for (value, message) in [
            (json!({}), "exactly one of"),
            (json!({ "S": "a", "N": "1" }), "exactly one of"),
            (json!({ "S": 1 }), "must be a string"),
            (json!({ "B": "AA==" }), "type B is not supported"),
            (json!({ "NS": ["1"] }), "type NS is not supported"),
            (json!({ "SS": [] }), "may not be empty"),
            (json!({ "SS": ["a", "a"] }), "duplicates"),
            (json!({ "NULL": false }), "value of true"),
            (deep, "Nesting"),
        ] {
            let refusal = read(&value).expect_err("a refusal");
            assert!(refusal.contains(message), "{refusal}");
        }
    }

    pub(in crate::table) fn any_value() -> impl Strategy<Value = AttributeValue> {
        let leaf = prop_oneof![
            ".{0,8}".prop_map(AttributeValue::S),
            any::<i64>()
                .prop_map(|number| AttributeValue::N(BigDecimal::from(number).normalized())),
            any::<bool>().prop_map(AttributeValue::Bool),
            Just(AttributeValue::Null),
            prop::collection::btree_set(".{0,4}", 1..4).prop_map(AttributeValue::Ss),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
                prop::collection::btree_map(".{0,4}", inner, 0..4).prop_map(AttributeValue::M),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_protocols_form_reads_back(value in any_value()) {
            prop_assert_eq!(read(&value.to_json()), Ok(value));
        }
    }
}
