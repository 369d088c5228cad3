//! Events to send, each with the status that `expected.json` in its folder expects.
//!
//! `{"order-failed.json": "created", "no-title.json": {"status": "failed", "errorCode": "MissingValue"}}`

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use serde::Deserialize;

use super::outcome::{Outcome, Status};
use crate::sources::{read_text, shipped};

const EVENTS: &str = "events";
const EXPECTED: &str = "expected.json";

/// An event to send.
#[derive(Clone, Debug)]
pub(super) struct EventFile {
    /// As named on the command line, or `events/NAME`.
    pub(super) path: PathBuf,
    /// The expectation of `expected.json` in its folder.
    pub(super) expected: Option<Expectation>,
}

/// The events named, or all of `events/` when none is.
///
/// # Errors
///
/// A file or folder that is not there, or an `expected.json` that is not one.
pub(super) fn find(named: &[PathBuf]) -> anyhow::Result<Vec<EventFile>> {
    if named.is_empty() {
        return all_of(&shipped(EVENTS, "name the events to send")?);
    }
    let mut expectations = BTreeMap::new();
    named
        .iter()
        .map(|path| {
            if !path.is_file() {
                bail!(
                    "{} is not a file: expected an event as JSON",
                    path.display()
                );
            }
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            if !expectations.contains_key(&folder) {
                expectations.insert(folder.clone(), read_expected(&folder.join(EXPECTED))?);
            }
            let of_folder = expectations.get(&folder);
            let expected = of_folder.and_then(|expected| expected.get(&file_name(path)).cloned());
            Ok(EventFile {
                path: path.clone(),
                expected,
            })
        })
        .collect()
}

fn all_of(folder: &Path) -> anyhow::Result<Vec<EventFile>> {
    let unreadable = || format!("the folder {} could not be read", folder.display());
    let mut expected = read_expected(&folder.join(EXPECTED))?;
    let mut paths = Vec::new();
    for entry in folder.read_dir().with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
            && file_name(&path) != EXPECTED
        {
            paths.push(path);
        }
    }
    paths.sort();
    let events: Vec<_> = paths
        .into_iter()
        .map(|path| EventFile {
            expected: expected.remove(&file_name(&path)),
            path,
        })
        .collect();
    if let Some(name) = expected.keys().next() {
        bail!(
            "{} names {name}, which does not exist",
            folder.join(EXPECTED).display()
        );
    }
    if events.is_empty() {
        bail!(
            "{} holds no event: expected files that end in .json",
            folder.display()
        );
    }
    Ok(events)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The status and error code that are expected of one event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Entry")]
pub(super) struct Expectation {
    pub(super) status: Status,
    /// Any, when absent.
    pub(super) error_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    rename_all_fields = "camelCase",
    expecting = "expected a status (created, existing, skipped or failed), or {\"status\": …, \"errorCode\": …}"
)]
enum Entry {
    Status(Status),
    Full {
        status: Status,
        error_code: Option<String>,
    },
}

impl From<Entry> for Expectation {
    fn from(entry: Entry) -> Self {
        let (status, error_code) = match entry {
            Entry::Status(status) => (status, None),
            Entry::Full { status, error_code } => (status, error_code),
        };
        Self { status, error_code }
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
fn read_expected(file: &Path) -> anyhow::Result<BTreeMap<String, Expectation>> {
    if !file.exists() {
        return Ok(BTreeMap::new());
    }
    let text = read_text(file)?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is not a list of expected statuses", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expectation(json: &str) -> Result<Expectation, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_status_alone_takes_any_error_code() {
        let (any, one) = (
            r#""failed""#,
            r#"{"status": "failed", "errorCode": "MissingValue"}"#,
        );
        for (expected, status, error_code, is_met) in [
            (any, Status::Failed, Some("MissingValue"), true),
            (any, Status::Created, None, false),
            (one, Status::Failed, Some("MissingValue"), true),
            (one, Status::Failed, Some("EvaluateError"), false),
            (one, Status::Failed, None, false),
        ] {
            let outcome = Outcome {
                status,
                error_code: error_code.map(str::to_owned),
                ..Outcome::default()
            };
            let expected = expectation(expected).expect("an expectation");
            assert_eq!(
                expected.is_met_by(&outcome),
                is_met,
                "{expected} {outcome:?}"
            );
        }
        let one = expectation(one).expect("both");
        assert_eq!(one.to_string(), "failed (MissingValue)");
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
