//! Numbers as Event Ruler compares them.
//!
//! A number is compared as a double, and only if its decimal value is the one that the nearest double is written as; any other number (one
//! with too many digits, or beyond the range of a double) equals nothing but its own spelling.

/// Below this many digits every decimal is the one that its nearest double is written as (`f64::DIGITS`), far from the ends of the range.
const SAFE_DIGITS: usize = 15;

/// The exponents within which [`SAFE_DIGITS`] holds.
const SAFE_EXPONENT: u32 = 200;

/// A number of a pattern.
#[derive(Clone, Debug)]
pub(super) struct Number {
    value: Option<f64>,
    spelling: Option<serde_json::Number>,
}

impl Number {
    /// From the number's text, which is JSON's.
    pub(super) fn new(text: &str) -> Self {
        Self {
            value: comparable(text),
            spelling: text.parse().ok(),
        }
    }

    /// Whether it equals a number of an event, given as it is spelt and as [`comparable`] reads it.
    pub(super) fn equals(&self, spelling: &serde_json::Number, value: Option<f64>) -> bool {
        self.spelling.as_ref() == Some(spelling) || self.value.is_some() && self.value == value
    }
}

/// The value that a number in JSON is compared by, if it can be.
pub(super) fn comparable(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let comparable =
        is_safe(text) || value.is_finite() && decimal(text)? == decimal(&format!("{value:e}"))?;
    // Negative zero becomes zero.
    comparable.then_some(value + 0.0)
}

/// Whether the text is an integer (no fraction, no exponent) that a double cannot hold exactly.
pub(super) fn is_inexact_integer(text: &str) -> bool {
    let is_integer = text
        .bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_digit());
    is_integer
        && text
            .parse()
            .is_ok_and(|value: f64| format!("{value:.0}") != text)
}

fn is_safe(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    mantissa.bytes().filter(u8::is_ascii_digit).count() <= SAFE_DIGITS
        && exponent
            .parse()
            .is_ok_and(|exponent: i32| exponent.unsigned_abs() <= SAFE_EXPONENT)
}

/// Sign, digits without zeros at either end, and the power of ten of the last digit.
fn decimal(text: &str) -> Option<(bool, String, i32)> {
    let (negative, text) = text
        .strip_prefix('-')
        .map_or((false, text), |text| (true, text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let written = format!("{whole}{fraction}");
    let digits = written.trim_end_matches('0');
    if digits.is_empty() {
        return Some((false, String::new(), 0));
    }
    let zeros = i32::try_from(written.len() - digits.len()).ok()?;
    let exponent: i32 = exponent.parse().ok()?;
    let exponent = exponent
        .checked_sub(i32::try_from(fraction.len()).ok()?)?
        .checked_add(zeros)?;
    Some((
        negative,
        digits.trim_start_matches('0').to_owned(),
        exponent,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_compared_only_by_the_value_it_was_written_with() {
        for (text, value) in [
            ("300.00", 300.0),
            ("-0.0", 0.0),
            ("3.018e2", 301.8),
            ("123456789012345680", 123_456_789_012_345_680.0),
            ("0.30000000000000004", 0.300_000_000_000_000_04),
            ("1E+2", 100.0),
            ("0e9", 0.0),
        ] {
            assert_eq!(comparable(text), Some(value), "{text}");
        }
        for text in [
            "123456789012345678",
            "0.1000000000000000055511151231257827",
            "1e400",
            "1e-400",
            "1e99999999999",
        ] {
            assert_eq!(comparable(text), None, "{text}");
        }
        assert!(comparable("-0").is_some_and(f64::is_sign_positive));
    }

    #[test]
    fn integers_beyond_a_double_are_known() {
        for text in [
            "9007199254740993",
            "123456789012345678",
            "-9007199254740993",
            "100000000000000000000000",
        ] {
            assert!(is_inexact_integer(text), "{text}");
        }
        for text in [
            "0",
            "-0",
            "9007199254740992",
            "1152921504606846976",
            "0.1",
            "1e23",
            "-5",
        ] {
            assert!(!is_inexact_integer(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_and_the_long_way_agree(text in "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,2})?") {
            let value: f64 = text.parse().expect("a number");
            proptest::prop_assert!(is_safe(&text));
            proptest::prop_assert_eq!(decimal(&text), decimal(&format!("{value:e}")));
        }
    }
}
