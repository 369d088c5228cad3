//! Conditions on one value of an event: text, a number, a boolean or null.
//!
//! Types are never converted, so the text `300` does not equal the number 300.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::{Bound, RangeBounds};

use serde_json::Value;

/// A single value of an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leaf<'a> {
    Text(&'a str),
    /// A number as written, with the value by which it is compared.
    Number(&'a serde_json::Number, Option<f64>),
    Boolean(bool),
    Null,
}

impl<'a> Leaf<'a> {
    /// Returns the value, unless it is an object or an array.
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text)),
            Value::Number(number) => Some(Self::Number(number, comparable(number.as_str()))),
            Value::Bool(boolean) => Some(Self::Boolean(*boolean)),
            Value::Null => Some(Self::Null),
            Value::Object(_) | Value::Array(_) => None,
        }
    }
}

/// An item of a field's list, except `exists: false`, which no value meets.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// `exists: true`
    Exists,
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number.
    Number(Number),
    /// `numeric`
    Numeric((Bound<f64>, Bound<f64>)),
    /// Text, or an operator on text.
    Text(TextCondition),
    /// An IP address, or `cidr`.
    Address(Network),
    /// `anything-but` with conditions on text. A value that is not text meets it.
    AnythingBut(Vec<TextCondition>),
    /// `anything-but` with numbers. A value that is not a number meets it.
    AnythingButNumbers(Vec<Number>),
}

impl Condition {
    /// Returns true if the value meets the condition.
    pub(super) fn accepts(&self, leaf: Leaf<'_>) -> bool {
        match (self, leaf) {
            (Self::Boolean(expected), Leaf::Boolean(found)) => *expected == found,
            (Self::Number(number), Leaf::Number(spelling, value)) => number.equals(spelling, value),
            (Self::Numeric(range), Leaf::Number(_, Some(value))) => range.contains(&value),
            (Self::Text(condition), Leaf::Text(text)) => condition.accepts(text),
            (Self::Address(network), Leaf::Text(text)) => {
                Address::parse(text).is_some_and(|address| network.contains(address))
            }
            (Self::AnythingBut(but), Leaf::Text(text)) => !but.iter().any(|but| but.accepts(text)),
            (Self::AnythingButNumbers(but), Leaf::Number(spelling, value)) => {
                !but.iter().any(|but| but.equals(spelling, value))
            }
            (Self::Null, Leaf::Null)
            | (Self::Exists | Self::AnythingBut(_) | Self::AnythingButNumbers(_), _) => true,
            _ => false,
        }
    }
}

/// A condition on text.
#[derive(Clone, Debug)]
pub(super) enum TextCondition {
    /// This text.
    Exactly(String),
    /// `equals-ignore-case`
    EqualsIgnoreCase(String),
    /// `prefix`
    Prefix(String),
    /// `prefix` with `equals-ignore-case`
    PrefixIgnoreCase(String),
    /// `suffix`
    Suffix(String),
    /// `suffix` with `equals-ignore-case`
    SuffixIgnoreCase(String),
    /// `wildcard`
    Wildcard(Wildcard),
}

impl TextCondition {
    /// Returns true if the text meets the condition.
    ///
    /// Event Ruler compares texts with their quotation marks. So a prefix may end with the closing mark, and a suffix may start with the
    /// opening mark.
    fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Exactly(expected) => text == expected,
            Self::EqualsIgnoreCase(expected) => equals_ignoring_case(text, expected),
            Self::Prefix(prefix) => {
                text.starts_with(prefix.as_str()) || prefix.strip_suffix('"') == Some(text)
            }
            Self::PrefixIgnoreCase(prefix) => {
                strip_prefix_ignoring_case(text, prefix).is_some()
                    || prefix
                        .strip_suffix('"')
                        .is_some_and(|prefix| equals_ignoring_case(text, prefix))
            }
            Self::Suffix(suffix) => {
                text.ends_with(suffix.as_str()) || suffix.strip_prefix('"') == Some(text)
            }
            Self::SuffixIgnoreCase(suffix) => {
                strip_suffix_ignoring_case(text, suffix).is_some()
                    || suffix
                        .strip_prefix('"')
                        .is_some_and(|suffix| equals_ignoring_case(text, suffix))
            }
            Self::Wildcard(wildcard) => wildcard.accepts(text),
        }
    }
}

fn equals_ignoring_case(text: &str, expected: &str) -> bool {
    strip_prefix_ignoring_case(text, expected) == Some("")
}

/// Removes a prefix. Each of its characters matches its lower case or its upper case, which can be several characters.
fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    prefix.chars().try_fold(text, |text, c| {
        let lower = c
            .to_lowercase()
            .try_fold(text, |text, c| text.strip_prefix(c));
        lower.or_else(|| {
            c.to_uppercase()
                .try_fold(text, |text, c| text.strip_prefix(c))
        })
    })
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    suffix.chars().rev().try_fold(text, |text, c| {
        let lower = c
            .to_lowercase()
            .rev()
            .try_fold(text, |text, c| text.strip_suffix(c));
        lower.or_else(|| {
            c.to_uppercase()
                .rev()
                .try_fold(text, |text, c| text.strip_suffix(c))
        })
    })
}

/// The maximum length of an IPv4 address in Java, which allows leading zeros.
const MAX_IPV4_LENGTH: usize = 15;

/// An address. Its bits are left-aligned in the number, so that both families compare in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    family: Family,
    bits: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

impl Family {
    fn bits(self) -> u32 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// Returns a number in which only the first `bits` bits are 1.
    fn mask(bits: u32) -> u128 {
        u128::MAX.checked_shl(u128::BITS - bits).unwrap_or(0)
    }
}

impl Address {
    /// Reads an IPv4 or IPv6 address. An IPv6 address that maps an IPv4 address becomes that IPv4 address.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
        {
            return Some(Self::v4(ipv4(text)?));
        }
        if !bytes
            .iter()
            .all(|byte| byte.is_ascii_hexdigit() || *byte == b':')
        {
            return None;
        }
        let address: Ipv6Addr = text.parse().ok()?;
        Some(address.to_ipv4_mapped().map_or(
            Self {
                family: Family::V6,
                bits: address.to_bits(),
            },
            Self::v4,
        ))
    }

    fn v4(address: Ipv4Addr) -> Self {
        Self {
            family: Family::V4,
            bits: u128::from(address.to_bits()) << 96,
        }
    }
}

fn ipv4(text: &str) -> Option<Ipv4Addr> {
    if text.len() > MAX_IPV4_LENGTH {
        return None;
    }
    let octets: Result<Vec<u8>, _> = text.split('.').map(str::parse).collect();
    let octets: [u8; 4] = octets.ok()?.try_into().ok()?;
    Some(octets.into())
}

/// A block of addresses.
#[derive(Clone, Debug)]
pub(super) struct Network {
    family: Family,
    first: u128,
    last: u128,
}

impl Network {
    /// Returns the block of one address.
    pub(super) fn only(address: Address) -> Self {
        Self {
            family: address.family,
            first: address.bits,
            last: address.bits,
        }
    }

    /// Reads a block such as `10.0.0.0/8` or `2001:db8::/32`.
    ///
    /// # Errors
    /// The message for a block that is not allowed.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        // Slashes at the end do not count, because Java's split drops empty parts at the end.
        let block = text.trim_end_matches('/').split_once('/');
        let block = block.and_then(|(address, mask)| {
            Some((Address::parse(address)?, mask.parse::<i32>().ok()?))
        });
        let Some((address, mask)) = block else {
            return Err(
                "`cidr` takes an address and the number of its fixed bits, such as 10.0.0.0/8"
                    .to_owned(),
            );
        };
        let size = address.family.bits();
        match u32::try_from(mask) {
            Ok(bits) if bits < size => {
                let variable = Family::mask(size) & !Family::mask(bits);
                let first = address.bits & !variable;
                Ok(Self {
                    family: address.family,
                    first,
                    last: first | variable,
                })
            }
            _ => Err(format!(
                "`cidr` takes 0 to {} fixed bits for such an address, found {mask}",
                size - 1
            )),
        }
    }

    /// Returns true if the block contains the address.
    ///
    /// Event Ruler compares hexadecimal digits from the left, for both families, and stops at the digit that decides.
    /// So an IPv4 block contains the IPv6 addresses that start with its digits.
    /// An IPv6 block contains the IPv4 addresses with digits strictly between its bounds.
    pub(super) fn contains(&self, address: Address) -> bool {
        let leading = Family::mask(32);
        match (self.family, address.family) {
            (Family::V6, Family::V4) => {
                (self.first & leading) < address.bits && address.bits < (self.last & leading)
            }
            (Family::V4, Family::V6) => {
                (self.first..=self.last).contains(&(address.bits & leading))
            }
            _ => (self.first..=self.last).contains(&address.bits),
        }
    }
}

/// The number of digits (`f64::DIGITS`) up to which a decimal survives the conversion to a double and back.
///
/// This does not apply near the ends of the range of a double.
const SAFE_DIGITS: usize = 15;

/// The largest exponent, positive or negative, for which [`SAFE_DIGITS`] applies.
const SAFE_EXPONENT: u32 = 200;

/// A number of a pattern.
#[derive(Clone, Debug)]
pub(super) struct Number {
    value: Option<f64>,
    spelling: Option<serde_json::Number>,
}

impl Number {
    /// Creates a number from its JSON text.
    pub(super) fn new(text: &str) -> Self {
        Self {
            value: comparable(text),
            spelling: text.parse().ok(),
        }
    }

    /// Returns true if it equals a number of an event, given as written and as [`comparable`] reads it.
    pub(super) fn equals(&self, spelling: &serde_json::Number, value: Option<f64>) -> bool {
        self.spelling.as_ref() == Some(spelling) || self.value.is_some() && self.value == value
    }
}

/// Returns the value by which a JSON number is compared, if it is comparable.
pub(super) fn comparable(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let comparable =
        is_safe(text) || value.is_finite() && decimal(text)? == decimal(&format!("{value:e}"))?;
    // Negative zero becomes zero.
    comparable.then_some(value + 0.0)
}

/// Returns true if the text is an integer (no fraction, no exponent) that a double cannot represent exactly.
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

/// Returns the sign, the digits without zeros at both ends, and the power of ten of the last digit.
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

/// A compiled wildcard.
#[derive(Clone, Debug)]
pub(super) struct Wildcard {
    /// The start of the text, or the whole text if there is no tail.
    head: String,
    /// The texts between the `*` characters, in order.
    middle: Vec<String>,
    /// The end of the text, after the last `*`.
    tail: Option<String>,
}

impl Wildcard {
    /// Compiles a wildcard.
    ///
    /// # Errors
    /// The message for a wildcard that is not allowed.
    pub(super) fn new(text: &str) -> Result<Self, &'static str> {
        let mut pieces = Vec::new();
        let mut piece = String::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '*' if characters.peek() == Some(&'*') => {
                    return Err("`wildcard` takes no two `*` in a row");
                }
                '*' => pieces.push(std::mem::take(&mut piece)),
                '\\' => match characters.next_if(|next| matches!(next, '*' | '\\')) {
                    Some(escaped) => piece.push(escaped),
                    None => {
                        return Err(
                            "in `wildcard` a backslash stands only before `*` or another backslash",
                        );
                    }
                },
                _ => piece.push(character),
            }
        }
        let mut pieces = pieces.into_iter();
        Ok(match pieces.next() {
            None => Self {
                head: piece,
                middle: Vec::new(),
                tail: None,
            },
            Some(head) => Self {
                head,
                middle: pieces.collect(),
                tail: Some(piece),
            },
        })
    }

    /// Returns true if the text matches.
    pub(super) fn accepts(&self, text: &str) -> bool {
        let Some(tail) = &self.tail else {
            return text == self.head;
        };
        let inner = text
            .strip_prefix(self.head.as_str())
            .and_then(|rest| rest.strip_suffix(tail.as_str()));
        let found = inner.and_then(|rest| {
            self.middle.iter().try_fold(rest, |rest, piece| {
                rest.split_once(piece.as_str()).map(|(_, rest)| rest)
            })
        });
        found.is_some()
    }
}

#[cfg(test)]
mod network_tests {
    use super::*;

    #[test]
    fn one_address_has_many_spellings() {
        for (one, other) in [
            ("10.0.0.1", "010.000.0.1"),
            ("2001:db8::1", "2001:0DB8:0:0:0:0:0:1"),
            ("10.0.0.1", "::ffff:a00:1"),
        ] {
            assert!(Address::parse(one).is_some(), "{one}");
            assert_eq!(Address::parse(one), Address::parse(other), "{one} {other}");
        }
        for text in [
            "",
            "1",
            "1.2.3",
            "1.2.3.256",
            "1.2.3.4.5",
            "1..3.4",
            "+1.2.3.4",
            "1.2.3.0000000004",
            ":",
            "12:30",
            "face",
            "::ffff:10.0.0.1",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn blocks_hold_their_addresses() {
        for (block, address, expected) in [
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.127/24", "10.0.0.0", true),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("10.0.0.4/31/", "10.0.0.5", true),
            ("2001:db8::/32", "2001:db8:ffff::", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("2001:db8::/32", "32.1.13.184", false),
            ("::/0", "::", true),
            ("::/0", "10.0.0.1", true),
            ("0.0.0.0/0", "2001:db8::1", true),
            ("10.0.0.0/8", "2001:db8::1", false),
        ] {
            let network = Network::parse(block).expect("valid");
            assert_eq!(
                network.contains(Address::parse(address).expect("valid")),
                expected,
                "{block} {address}"
            );
        }
        for block in [
            "",
            "/",
            "10.0.0.0",
            "10.0.0.0/",
            "10.0.0.0/32",
            "10.0.0.0/-1",
            "10.0.0.0/x",
            "1/2/3",
            "::/128",
            "x/8",
        ] {
            assert!(Network::parse(block).is_err(), "{block}");
        }
    }
}

#[cfg(test)]
mod number_tests {
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

#[cfg(test)]
mod wildcard_tests {
    use super::*;

    #[test]
    fn wildcards_match_whole_texts() {
        for (wildcard, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("a*", "a", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*ab*ab", "ab", false),
            ("*ab*ab", "abab", true),
            ("*a*b*", "xbxaxbx", true),
            ("*a*b*", "xbxax", false),
            (r"a\*b", "a*b", true),
            (r"a\*b", "axb", false),
            (r"\\*", r"\anything", true),
            ("é*é", "éé", true),
        ] {
            let compiled = Wildcard::new(wildcard).expect("valid");
            assert_eq!(compiled.accepts(text), expected, "{wildcard} {text}");
        }
        for wildcard in ["**", r"a\b", r"a\", r"*\**\*a**"] {
            assert!(Wildcard::new(wildcard).is_err(), "{wildcard}");
        }
    }

    /// Matches by the definition of a wildcard, in exponential time.
    fn defined(wildcard: &[char], text: &[char]) -> bool {
        match (wildcard, text) {
            ([], text) => text.is_empty(),
            (['*', rest @ ..], text) => {
                (0..=text.len()).any(|skipped| defined(rest, &text[skipped..]))
            }
            ([expected, rest @ ..], [found, text @ ..]) => expected == found && defined(rest, text),
            (_, []) => false,
        }
    }

    proptest::proptest! {
        #[test]
        fn accepts_what_the_definition_accepts(wildcard in "(\\*?[ab]){0,5}\\*?", text in "[ab]{0,9}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            let accepted = Wildcard::new(&wildcard).expect("valid").accepts(&text);
            proptest::prop_assert_eq!(accepted, defined(&characters(&wildcard), &characters(&text)));
        }
    }
}
