//! Phone numbers in the form that Connect and Customer Profiles store: E.164, such as `+15550100142`.
//!
//! For a withheld number, an event contains a word, a SIP address or a made-up number. None of these is a phone number.
//! A service number is not accepted either: all its callers would share one customer profile.

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region,
};

/// The number of digits in a number of E.164, country code included.
///
/// Islands of a few hundred people have numbers of four digits after a country code of three. Service numbers and short codes have at most
/// six digits.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// The separators that people write between digits.
const SEPARATORS: &str = " -.()/\u{a0}\u{202f}\u{2010}\u{2011}\u{2012}\u{2013}\u{2212}";

/// Words as digits of a telephone keypad, which carriers send for a withheld or unknown number: anonymous, blocked, restricted,
/// unavailable, unknown.
const KEYED_WORDS: [&str; 5] = [
    "266696687",
    "2562533",
    "7378742833",
    "86282452253",
    "8656696",
];

/// Returns true if text is a phone number: E.164, or digits with the usual separators. It does not check that the number is in use.
#[must_use]
pub fn is_number(text: &str) -> bool {
    let text = text.trim();
    let (plus, number) = match text.strip_prefix('+') {
        Some(number) => (true, number),
        None => (false, text),
    };
    let mut digits = String::with_capacity(number.len());
    for character in number.chars() {
        if character.is_ascii_digit() {
            digits.push(character);
        } else if !SEPARATORS.contains(character) {
            return false;
        }
    }
    // Leading zeros dial abroad or another area. No country code starts with a zero.
    let significant = digits.trim_start_matches('0');
    let is_code = !plus || significant.len() == digits.len();
    let is_varied = significant
        .chars()
        .any(|digit| !significant.starts_with(digit));
    is_code
        && is_varied
        && DIGITS.contains(&significant.len())
        && !KEYED_WORDS.contains(&significant)
}

/// Reads a phone number: as E.164 if the country can convert it, else as `Some(None)`.
///
/// Returns `None` for text that is not a phone number.
#[must_use]
pub fn read(text: &str, country: Option<Country>) -> Option<Option<String>> {
    match country.and_then(|country| country.e164(text)) {
        Some(number) => Some(Some(number)),
        None => is_number(text).then_some(None),
    }
}

/// The country of numbers that are written without a country prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country(Region);

impl Country {
    /// Returns the country with this code of ISO 3166-1, two capital letters.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        let region = code.parse().ok().filter(|_| is_code)?;
        PHONE_NUMBER_UTIL.get_country_code_for_region(region)?;
        Some(Self(region))
    }

    /// Returns the number as E.164, or `None` if it cannot be a number.
    ///
    /// It does not check that the number is in use, because new ranges are opened all the time.
    #[must_use]
    pub fn e164(self, number: &str) -> Option<String> {
        let number = number.trim();
        // The library finds a number inside other text, but here the whole text must be a number.
        let begins = number.starts_with(|c: char| c.is_numeric() || "+(\u{ff0b}".contains(c))
            || number.starts_with("tel:");
        if !begins || number.contains(['@', '*', '#']) {
            return None;
        }
        let parsed = PHONE_NUMBER_UTIL.parse(number, Some(self.0)).ok()?;
        let length = PHONE_NUMBER_UTIL.is_possible_number_with_reason(&parsed);
        if length != Ok(NumberLengthType::IsPossible) {
            return None;
        }
        let text = PHONE_NUMBER_UTIL.format(&parsed, PhoneNumberFormat::E164);
        (is_number(&text) && !is_service_number(&parsed)).then(|| text.into_owned())
    }
}

/// Returns true if a number is as short as a service number and not valid in its country.
fn is_service_number(number: &PhoneNumber) -> bool {
    const LONGEST: u64 = 999_999;
    number.national_number <= LONGEST && !PHONE_NUMBER_UTIL.is_valid_number(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_e164() {
        for (code, number, expected) in [
            ("US", "+15550100142", Some("+15550100142")),
            ("US", "(555) 010-0142", Some("+15550100142")),
            ("US", "1 206 555 0100", Some("+12065550100")),
            ("GB", "020 7946 0018", Some("+442079460018")),
            ("GB", "+44 (0)20 7946 0018", Some("+442079460018")),
            ("DE", "0044 20 7946 0018", Some("+442079460018")),
            ("DE", "030 901820", Some("+4930901820")),
            ("US", "+1 206 555 0100 ext. 5", Some("+12065550100")),
            ("US", "tel:+1-206-555-0100", Some("+12065550100")),
            (
                "JP",
                "\u{ff0b}\u{ff18}\u{ff11} 3 1234 5678",
                Some("+81312345678"),
            ),
            ("NU", "4000", Some("+6834000")),
            ("FR", "01.23.45.67.89", Some("+33123456789")),
            ("US", "911", None),
            ("US", "611", None),
            ("US", "72345", None),
            ("US", "*67", None),
            ("US", "555-0142", None),
            ("GB", "999", None),
            ("GB", "60006", None),
            ("DE", "110", None),
            ("DE", "22833", None),
            ("FR", "3949", None),
            ("IN", "1912", None),
            ("US", "anonymous", None),
            ("US", "sip:+12065550100@192.0.2.7", None),
            ("US", "sips:2065550100@example.com", None),
            ("US", "2065550100@example.com", None),
            ("US", "Jane 206 555 0100", None),
            ("US", "+266696687", None),
            ("US", "0000000000", None),
            ("US", "no number", None),
            ("US", "", None),
        ] {
            let country = Country::from_code(code).expect("a country");
            assert_eq!(country.e164(number).as_deref(), expected, "{number}");
        }
        for other in ["", "us", "USA", "XX", "1"] {
            assert_eq!(Country::from_code(other), None, "{other}");
        }
    }

    #[test]
    fn a_number_is_one_without_a_country() {
        for number in [
            "+15550100142",
            "+1 (206) 555-0100",
            "(206) 555-0100",
            "206.555.0100",
            "555-0142",
            "020 7946 0018",
            "0044 20 7946 0018",
            "011 44 20 7946 0018",
            "+6834000",
            "+29023456",
            " +12065550100\n",
            "+1\u{a0}206\u{2011}555\u{2011}0100",
            "+123456789012345",
        ] {
            assert!(is_number(number), "{number}");
        }
        for other in [
            "",
            "   ",
            "+",
            "anonymous",
            "Anonymous",
            "Restricted",
            "unknown",
            "Unavailable",
            "private",
            "+anonymous",
            "sip:anonymous@anonymous.invalid",
            "sip:+12065550100@192.0.2.7",
            "tel:+12065550100",
            "jane@example.com",
            "911",
            "112",
            "72345",
            "116123",
            "*67",
            "#31#2065550100",
            "+1 911",
            "000",
            "0000000000",
            "+0000000000",
            "+02065550100",
            "1111111111",
            "+266696687",
            "7378742833",
            "++12065550100",
            "1-800-FLOWERS",
            "+1234567890123456",
            "arn:aws:connect:us-east-1:111122223333:instance/1",
        ] {
            assert!(!is_number(other), "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_read_as_e164_is_a_number(text in "[+0-9 ().a-z@*-]{0,20}") {
            for code in ["US", "GB", "DE", "IN", "NU"] {
                let country = Country::from_code(code).expect("a country");
                if let Some(number) = country.e164(&text) {
                    proptest::prop_assert!(is_number(&number), "{} {}", code, text);
                    proptest::prop_assert_eq!(country.e164(&number), Some(number.clone()));
                }
            }
        }
    }
}
