//! The reading of seeds, and errors that name the place in the seed.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// The error of a text that cannot seed an emulator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeedError {
    /// The text is not JSON.
    #[error("the {seed} is not JSON")]
    Json {
        /// The seed: `domain snapshot`, `profiles seed` or `contacts seed`.
        seed: &'static str,
        /// The parser's error.
        source: serde_json::Error,
    },
    /// A member is missing or has another form than the API gives it.
    #[error("the {seed} is wrong at {place}")]
    Member {
        /// The seed.
        seed: &'static str,
        /// The path of the part, such as `fields[3]`.
        place: String,
        /// The decoder's error.
        source: serde_json::Error,
    },
    /// The parts are well formed and do not fit together.
    #[error("the {seed} is wrong at {place}: {reason}")]
    Inconsistent {
        /// The seed.
        seed: &'static str,
        /// The path of the part, such as `templates[0]`.
        place: String,
        /// The reason.
        reason: String,
    },
}

/// A kind of seed, by its name in errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seed(&'static str);

impl Seed {
    pub(crate) const DOMAIN: Self = Self("domain snapshot");
    pub(crate) const PROFILES: Self = Self("profiles seed");
    pub(crate) const CONTACTS: Self = Self("contacts seed");

    /// Reads the text, which must be an object. `expected` names its members for the error.
    pub(crate) fn object(self, json: &str, expected: &str) -> Result<Value, SeedError> {
        let value: Value = serde_json::from_str(json).map_err(|source| SeedError::Json {
            seed: self.0,
            source,
        })?;
        if value.is_object() {
            return Ok(value);
        }
        let reason = format!("expected an object with {expected}");
        Err(self.inconsistent("the top level", reason))
    }

    pub(crate) fn decode<T: DeserializeOwned>(
        self,
        value: &Value,
        place: &str,
    ) -> Result<T, SeedError> {
        T::deserialize(value).map_err(|source| SeedError::Member {
            seed: self.0,
            place: place.to_owned(),
            source,
        })
    }

    pub(crate) fn inconsistent(self, place: &str, reason: String) -> SeedError {
        SeedError::Inconsistent {
            seed: self.0,
            place: place.to_owned(),
            reason,
        }
    }
}
