//! The files of `local`, `check`, `test` and `render` (mapping, domain snapshot, customers, contacts), and the function's
//! environment that follows from them.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use casebridge::error::Failure;
use casebridge::event::{Event, Payload};
use cases_emulator::Emulator;
use serde_json::{Value, json};

/// The Customer Profiles domain of the function, unless the profiles or `--env` name another.
const PROFILES_DOMAIN: &str = "amazon-connect-example";

#[derive(Debug, clap::Args)]
pub(crate) struct Sources {
    /// The mapping [default: mapping.yaml]
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,

    /// The domain snapshot [default: domain.json]
    #[arg(long, value_name = "FILE")]
    domain: Option<PathBuf>,

    /// The customers, in the form of Customer Profiles [default: profiles.json, if there is one]
    #[arg(long, value_name = "FILE")]
    profiles: Option<PathBuf>,

    /// The contacts that `enrich` reads, in the form of Amazon Connect [default: contacts.json, if there is one]
    #[arg(long, value_name = "FILE")]
    contacts: Option<PathBuf>,

    /// A variable of the function's environment, such as `CASEBRIDGE_FLOW_BUDGET_MS=500`; may be repeated
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
}

/// The files of [`Sources`], read.
pub(crate) struct Files {
    /// Path of the domain snapshot.
    pub(crate) domain: PathBuf,
    /// Text of the domain snapshot.
    pub(crate) snapshot: String,
    /// Customers' profiles, in the emulator's form.
    pub(crate) profiles: Option<Seed>,
    /// Contacts, in the emulator's form.
    contacts: Option<Seed>,
    /// The function's environment: from the files, then from `--env`. The last value of a name counts.
    pub(crate) variables: Vec<(String, String)>,
}

/// A file of the emulator's initial state.
pub(crate) struct Seed {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Files {
    /// An emulator of the domain, with its customers and contacts; no customers where there is no file of them.
    ///
    /// # Errors
    ///
    /// When one of the files is not what it should be.
    pub(crate) fn emulator(&self) -> anyhow::Result<Emulator> {
        let emulator = Emulator::from_snapshot(&self.snapshot)
            .with_context(|| format!("{} is not a domain snapshot", self.domain.display()))?;
        if let Some(Seed { path, text }) = &self.profiles {
            let set = emulator.set_profiles(text);
            set.with_context(|| format!("{} does not hold customers", path.display()))?;
        } else if let Some(name) = self.variable("PROFILES_DOMAIN") {
            let seed = json!({ "domain": { "DomainName": name }, "profiles": [] });
            // The function refuses an impossible name with a better message.
            let _ = emulator.set_profiles(&seed.to_string());
        }
        if let Some(Seed { path, text }) = &self.contacts {
            let set = emulator.set_contacts(text);
            set.with_context(|| format!("{} does not hold contacts", path.display()))?;
        }
        Ok(emulator)
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let found = self.variables.iter().rfind(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    }
}

impl Sources {
    /// # Errors
    ///
    /// When a file is not there or cannot be read.
    pub(crate) fn read(&self) -> anyhow::Result<Files> {
        let domain = file(self.domain.as_deref(), "domain.json", "--domain")?;
        let mapping = file(self.mapping.as_deref(), "mapping.yaml", "--mapping")?;
        let snapshot = read_text(&domain)?;
        let profiles = seed(
            self.profiles.as_deref(),
            &mapping,
            "profiles.json",
            "--profiles",
        )?;
        let contacts = seed(
            self.contacts.as_deref(),
            &mapping,
            "contacts.json",
            "--contacts",
        )?;
        // A later step refuses a wrong file, with the line and column.
        let parsed: Value = serde_json::from_str(&snapshot).unwrap_or_default();
        let text = |pointer| parsed.pointer(pointer).and_then(Value::as_str);
        let customers: Value = profiles
            .as_ref()
            .and_then(|seed| serde_json::from_str(&seed.text).ok())
            .unwrap_or_default();
        let profiles_domain = customers.pointer("/domain/DomainName");
        let region = text("/domain/domainArn")
            .and_then(|arn| arn.split(':').nth(3))
            .unwrap_or("us-east-1");
        let mut variables: Vec<_> = [
            ("AWS_REGION", region),
            ("AWS_DEFAULT_REGION", region),
            (
                "CASES_DOMAIN_ID",
                text("/domain/domainId").unwrap_or("unknown"),
            ),
            (
                "PROFILES_DOMAIN",
                profiles_domain
                    .and_then(Value::as_str)
                    .unwrap_or(PROFILES_DOMAIN),
            ),
            ("CASEBRIDGE_MAPPING", &mapping.to_string_lossy()),
            ("CASEBRIDGE_DOMAIN", &domain.to_string_lossy()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        variables.extend(self.variables.iter().cloned());
        Ok(Files {
            domain,
            snapshot,
            profiles,
            contacts,
            variables,
        })
    }
}

/// A hint for an error that depends on the customers.
pub(crate) fn about_customers(error_code: &str) -> Option<&'static str> {
    ["CustomerNotFound", "CustomerNotVisible"]
        .contains(&error_code)
        .then_some("the customers here are those of profiles.json, or of --profiles FILE")
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

fn file(named: Option<&Path>, name: &str, switch: &str) -> anyhow::Result<PathBuf> {
    match named {
        Some(path) if path.is_file() => Ok(path.to_owned()),
        Some(path) => bail!(
            "{} is not a file: expected a {name} behind {switch}",
            path.display()
        ),
        None => shipped(name, &format!("name it with {switch}")),
    }
}

/// Reads the named file, or else the one in the mapping's folder, the current directory or the workspace, if there is one.
fn seed(
    named: Option<&Path>,
    mapping: &Path,
    name: &str,
    switch: &str,
) -> anyhow::Result<Option<Seed>> {
    let adjacent = mapping.with_file_name(name);
    let path = match named {
        Some(_) => Some(file(named, name, switch)?),
        None if adjacent.is_file() => Some(adjacent),
        None => shipped(name, "").ok(),
    };
    path.map(|path| {
        let text = read_text(&path)?;
        Ok(Seed { path, text })
    })
    .transpose()
}

/// The events of a payload, each with the function's reason to refuse it if it has one.
pub(crate) fn events(payload: &str) -> Vec<Result<Event, Failure>> {
    match Payload::parse(payload) {
        Ok(Payload::Event(event)) => vec![Ok(event)],
        Ok(Payload::Events(events)) => events,
        Ok(Payload::Batch(messages)) => messages.into_iter().map(|message| message.event).collect(),
        Err(failure) => vec![Err(failure)],
    }
}

/// Reads a text file.
pub(crate) fn read_text(path: impl AsRef<Path>) -> anyhow::Result<String> {
    let path = path.as_ref();
    std::fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))
}

/// Reads a text file, or standard input for `-`.
pub(crate) fn read_input(argument: &str) -> anyhow::Result<String> {
    if argument == "-" {
        std::io::read_to_string(std::io::stdin()).context("standard input could not be read")
    } else {
        read_text(argument)
    }
}

/// A file or folder that the repository ships: in the current directory (then its path is relative), else in the
/// workspace that Cargo runs us from.
///
/// # Errors
///
/// When it is in neither; the error names both, and what to do instead.
pub(crate) fn shipped(name: &str, remedy: &str) -> anyhow::Result<PathBuf> {
    let here = PathBuf::from(name);
    if here.exists() {
        return Ok(here);
    }
    let Some(root) = workspace_root() else {
        bail!("{name} was not found in the current directory: {remedy}");
    };
    let there = root.join(name);
    if !there.exists() {
        bail!(
            "{name} was found neither in the current directory nor in {}: {remedy}",
            root.display()
        );
    }
    Ok(there)
}

/// The folder of the workspace, when `cargo run` started us.
pub(crate) fn workspace_root() -> Option<PathBuf> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR")?;
    Path::new(&manifest).ancestors().nth(2).map(Path::to_owned)
}
