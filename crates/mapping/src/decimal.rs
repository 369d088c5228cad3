//! Exact decimals: the arithmetic of `plus`, `minus`, `times` and `sum`, and the comparison of numbers by value.
//!
//! A decimal is a whole coefficient and a power of ten. Both fit machine integers, so no operation rounds and none allocates.
//! An operation whose result needs more than 34 digits, or an exponent beyond ±100, has no result.

use std::fmt;

use crate::value::is_json_number;

/// The maximum number of digits of a decimal, as in IEEE 754 decimal128.
pub const MAX_DIGITS: u32 = 34;

/// The maximum exponent of a decimal in scientific notation, and the negative of the minimum.
pub const MAX_EXPONENT: i64 = 100;

/// The maximum length of a number's text. Zeros need no digit of the coefficient, but reading them takes time.
pub const MAX_LENGTH: usize = 500;

/// The smallest coefficient with too many digits.
const LIMIT: i128 = 10_i128.pow(MAX_DIGITS);

/// A decimal number. Equal numbers have equal parts, because the coefficient has no trailing zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decimal {
    coefficient: i128,
    exponent: i64,
}

impl Decimal {
    /// Reads a number as JSON writes it. Returns `None` for other text, and for a number outside the limits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH || !is_json_number(text) {
            return None;
        }
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let mut digits = format!("{whole}{fraction}");
        let written = digits.len();
        if fraction.is_empty() {
            digits.truncate(digits.trim_end_matches('0').len());
        }
        if !digits.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
            return Some(Self::default());
        }
        let exponent: i64 = exponent.parse().ok()?;
        let zeros = i64::try_from(written - digits.len()).ok()?;
        let places = i64::try_from(fraction.len()).ok()?;
        let exponent = exponent.checked_add(zeros)?.checked_sub(places)?;
        Self::new(digits.parse().ok()?, exponent)
    }

    /// Returns the number without trailing zeros, if it is within the limits.
    fn new(mut coefficient: i128, mut exponent: i64) -> Option<Self> {
        if coefficient == 0 {
            return Some(Self::default());
        }
        while coefficient % 10 == 0 {
            coefficient /= 10;
            exponent = exponent.checked_add(1)?;
        }
        let leading = exponent.checked_add(i64::from(coefficient.unsigned_abs().ilog10()))?;
        let fits = coefficient.abs() < LIMIT && leading.abs() <= MAX_EXPONENT;
        fits.then_some(Self {
            coefficient,
            exponent,
        })
    }

    /// Returns the sum, or `None` if it is outside the limits.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        if self.coefficient == 0 {
            return Some(other);
        }
        if other.coefficient == 0 {
            return Some(self);
        }
        let (high, low) = if self.exponent >= other.exponent {
            (self, other)
        } else {
            (other, self)
        };
        // The last digit of `low` is not zero. So if the coefficient overflows here, the sum has too many digits.
        let shift = u32::try_from(high.exponent - low.exponent).ok()?;
        let coefficient = 10_i128.checked_pow(shift)?.checked_mul(high.coefficient)?;
        Self::new(coefficient.checked_add(low.coefficient)?, low.exponent)
    }

    /// Returns the difference, or `None` if it is outside the limits.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self {
            coefficient: -other.coefficient,
            ..other
        })
    }

    /// Returns the product, or `None` if it is outside the limits.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let (mut left, mut right) = (self.coefficient, other.coefficient);
        if left == 0 || right == 0 {
            return Some(Self::default());
        }
        let mut exponent = self.exponent.checked_add(other.exponent)?;
        // Every factor ten is taken out beforehand. So if the coefficient overflows, the product has too many digits.
        for (two, five) in [(2, 5), (5, 2)] {
            while left % two == 0 && right % five == 0 {
                (left, right) = (left / two, right / five);
                exponent += 1;
            }
        }
        Self::new(left.checked_mul(right)?, exponent)
    }
}

impl fmt::Display for Decimal {
    /// Writes the number as JSON, without an exponent if it has at most 34 digits and zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            coefficient,
            exponent,
        } = *self;
        let sign = if coefficient < 0 { "-" } else { "" };
        let digits = coefficient.unsigned_abs().to_string();
        let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        let most = i64::from(MAX_DIGITS);
        let point = length + exponent;
        if exponent >= 0 && point <= most {
            let zeros = usize::try_from(exponent).unwrap_or(0);
            return write!(f, "{sign}{digits}{}", "0".repeat(zeros));
        }
        if exponent < 0 && -exponent <= most {
            if point <= 0 {
                let zeros = usize::try_from(-point).unwrap_or(0);
                return write!(f, "{sign}0.{}{digits}", "0".repeat(zeros));
            }
            let (whole, fraction) = digits
                .split_at_checked(usize::try_from(point).unwrap_or(0))
                .unwrap_or((&digits, ""));
            return write!(f, "{sign}{whole}.{fraction}");
        }
        let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{sign}{first}{point}{rest}e{}", length - 1 + exponent)
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use bigdecimal::BigDecimal;
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect(text)
    }

    #[test]
    fn results_have_no_trailing_zeros() {
        let (price, cents) = (decimal("629.90"), decimal("62990"));
        assert_eq!(cents.times(decimal("0.01")), Some(price));
        assert_eq!(price.to_string(), "629.9");
        let sum = price.plus(decimal("0.10")).expect("a sum");
        assert_eq!(sum.to_string(), "630");
        let less = decimal("0.1").minus(decimal("0.3")).expect("a difference");
        assert_eq!(less.to_string(), "-0.2");
        assert_eq!(decimal("-0.0").to_string(), "0");
        assert_eq!(decimal("1E+3").to_string(), "1000");
        assert_eq!(decimal("1e-40").to_string(), "1e-40");
        assert_eq!(decimal("12e40").to_string(), "1.2e41");
    }

    #[test]
    fn a_result_outside_the_limits_is_none() {
        let most = decimal(&"9".repeat(34));
        assert_eq!(most.plus(decimal("1")), Some(decimal("1e34")));
        assert_eq!(most.plus(decimal("0.1")), None);
        assert_eq!(most.times(decimal("11")), None);
        assert_eq!(decimal("1e100").times(decimal("10")), None);
        assert_eq!(decimal("1e100").plus(decimal("1e-100")), None);
        for text in [
            &"1".repeat(35),
            "1e101",
            "1e-101",
            "1e99999999999999999999",
            "01",
            "x",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        // These coefficients overflow unless the zeros of the product are taken out first.
        let (twos, fives) = (2_i128.pow(100), 5_i128.pow(40));
        let product = decimal(&twos.to_string()).times(decimal(&fives.to_string()));
        assert_eq!(product, Some(decimal(&format!("{}e40", 2_i128.pow(60)))));
    }

    fn number() -> impl Strategy<Value = String> {
        ("-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,16})?", -30..30_i32)
            .prop_map(|(mantissa, exponent)| format!("{mantissa}e{exponent}"))
    }

    /// The reference's number, if it is within the limits.
    fn within(number: &BigDecimal) -> Option<BigDecimal> {
        let number = number.normalized();
        let (digits, scale) = number.as_bigint_and_exponent();
        let length = digits.to_string().trim_start_matches('-').len();
        let leading = i64::try_from(length).expect("a length") - 1 - scale;
        (length <= 34 && leading.abs() <= MAX_EXPONENT).then_some(number)
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_a_reference(left in number(), right in number()) {
            let big = |text: &str| BigDecimal::from_str(text).expect("a number");
            let (a, b) = (big(&left), big(&right));
            let (Some(x), Some(y)) = (Decimal::parse(&left), Decimal::parse(&right)) else {
                prop_assert!(within(&a).is_none() || within(&b).is_none());
                return Ok(());
            };
            for (expected, found) in [(&a + &b, x.plus(y)), (&a - &b, x.minus(y)), (&a * &b, x.times(y))] {
                prop_assert_eq!(within(&expected), found.map(|found| big(&found.to_string()).normalized()));
            }
            prop_assert_eq!(x == y, a == b);
        }

        #[test]
        fn what_is_written_is_read_again(text in number()) {
            if let Some(number) = Decimal::parse(&text) {
                prop_assert!(is_json_number(&number.to_string()));
                prop_assert_eq!(Decimal::parse(&number.to_string()), Some(number));
            }
        }
    }
}
