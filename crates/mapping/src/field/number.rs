//! Numbers: digits are never lost in silence.

use super::{FieldError, field_error, takes};
use crate::expression::Value;
use crate::tree::is_json_number;

/// The number as the double that Cases keeps, if the double says the same.
pub(super) fn read(item: &Value<'_>) -> Result<f64, FieldError> {
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

/// A decimal number's digits without leading and trailing zeros, with the power of ten of the first: equal for equal numbers.
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
    use super::super::{Field, FieldType, FieldValue};
    use super::*;

    fn coerce(item: Value<'_>) -> Result<FieldValue, FieldError> {
        Field::explicit("f", FieldType::Number).coerce(item)
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
