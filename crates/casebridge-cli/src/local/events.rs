//! Which files to send, and which status each is expected to have.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::expectation::{self, Expectation};
use crate::sources::shipped;

const EVENTS: &str = "events";
const EXPECTED: &str = "expected.json";

/// An event to send.
#[derive(Clone, Debug)]
pub(super) struct EventFile {
    /// As named on the command line, or `events/NAME`.
    pub(super) path: PathBuf,
    /// What `expected.json` beside it says of it, if it does.
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
                expectations.insert(folder.clone(), expectation::read(&folder.join(EXPECTED))?);
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
    let mut expected = expectation::read(&folder.join(EXPECTED))?;
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
            "{} speaks of {name}, which is not there",
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
