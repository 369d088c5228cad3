//! `expected.json`: the status that each event of its folder is expected to have.
//!
//! `{"order-failed.json": "created", "no-title.json": {"status": "failed", "errorCode": "MissingValue"}}`

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use super::outcome::{Outcome, Status};

/// What is expected of one event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Entry")]
pub(super) struct Expectation {
    pub(super) status: Status,
    /// When absent, any will do.
    pub(super) error_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a status (created, existing, skipped or failed), or {\"status\": …, \"errorCode\": …}"
)]
enum Entry {
    Status(Status),
    Full(Full),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Full {
    status: Status,
    error_code: Option<String>,
}

impl From<Entry> for Expectation {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Status(status) => Self {
                status,
                error_code: None,
            },
            Entry::Full(Full { status, error_code }) => Self { status, error_code },
        }
    }
}

impl Expectation {
    pub(super) fn is_met_by(&self, outcome: &Outcome) -> bool {
        self.status == outcome.status
            && (self.error_code.is_none() || self.error_code == outcome.error_code)
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        self.error_code
            .iter()
            .try_for_each(|code| write!(f, " ({code})"))
    }
}

/// The expectations by file name; none when there is no such file.
///
/// # Errors
///
/// When the file cannot be read or an entry is neither form.
pub(super) fn read(file: &Path) -> anyhow::Result<BTreeMap<String, Expectation>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => {
            return Err(error).with_context(|| format!("{} could not be read", file.display()));
        }
    };
    serde_json::from_str(&text)
        .with_context(|| format!("{} is not a list of expected statuses", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expectation(json: &str) -> Result<Expectation, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    fn outcome(status: Status, error_code: Option<&str>) -> Outcome {
        Outcome {
            error_code: error_code.map(str::to_owned),
            ..Outcome::of(status)
        }
    }

    #[test]
    fn a_status_alone_takes_any_error_code() {
        let failed = expectation(r#""failed""#).expect("a status");
        assert!(failed.is_met_by(&outcome(Status::Failed, Some("MissingValue"))));
        assert!(!failed.is_met_by(&outcome(Status::Created, None)));
    }

    #[test]
    fn an_error_code_must_be_that_one() {
        let failed =
            expectation(r#"{"status": "failed", "errorCode": "MissingValue"}"#).expect("both");
        assert!(failed.is_met_by(&outcome(Status::Failed, Some("MissingValue"))));
        assert!(!failed.is_met_by(&outcome(Status::Failed, Some("EvaluateError"))));
        assert!(!failed.is_met_by(&outcome(Status::Failed, None)));
        assert_eq!(failed.to_string(), "failed (MissingValue)");
    }

    #[test]
    fn another_word_is_refused() {
        for text in [
            r#""create""#,
            "true",
            r#"{"status": "failed", "code": "MissingValue"}"#,
            "{}",
        ] {
            let error = expectation(text).expect_err(text);
            assert!(
                error.starts_with("expected a status (created, existing, skipped or failed)"),
                "{error}"
            );
        }
    }
}
