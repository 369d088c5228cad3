//! Phone numbers as Connect and Customer Profiles keep them: E.164, such as `+15550100142`.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

/// The country whose numbers may be written without their prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country(Region);

impl Country {
    /// The country of a code of ISO 3166-1, two capital letters.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        let region = code.parse().ok().filter(|_| is_code)?;
        PHONE_NUMBER_UTIL.get_country_code_for_region(region)?;
        Some(Self(region))
    }

    /// The number as E.164; `None` for what can be no number. Whether it is in use is not asked: ranges are opened all the time.
    #[must_use]
    pub fn e164(self, number: &str) -> Option<String> {
        let number = PHONE_NUMBER_UTIL.parse(number, Some(self.0)).ok()?;
        PHONE_NUMBER_UTIL.is_possible_number(&number).then(|| {
            PHONE_NUMBER_UTIL
                .format(&number, PhoneNumberFormat::E164)
                .into_owned()
        })
    }
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
            ("US", "911", None),
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
}
