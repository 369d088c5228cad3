//! Mapping and domain snapshot, as `local`, `check` and `render` take them, and the environment they stand for.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::Value;

/// The Customer Profiles domain that the function is told of, unless `--env` says another.
const PROFILES_DOMAIN: &str = "amazon-connect-example";

#[derive(Debug, clap::Args)]
pub(crate) struct Sources {
    /// The mapping [default: mapping.yaml]
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,

    /// The domain snapshot [default: domain.json]
    #[arg(long, value_name = "FILE")]
    domain: Option<PathBuf>,

    /// A variable of the function's environment, such as `CASEBRIDGE_FLOW_BUDGET_MS=500`; may be repeated
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
}

/// [`Sources`], found and read.
pub(crate) struct Files {
    /// Path of the domain snapshot.
    pub(crate) domain: PathBuf,
    /// Text of the domain snapshot.
    pub(crate) snapshot: String,
    /// The function's environment: what the files say, then what `--env` says; the last of a name counts.
    pub(crate) variables: Vec<(String, String)>,
}

impl Files {
    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let found = self.variables.iter().rfind(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    }
}

impl Sources {
    /// # Errors
    ///
    /// When a file is not there or the snapshot cannot be read.
    pub(crate) fn read(&self) -> anyhow::Result<Files> {
        let domain = file(self.domain.as_deref(), "domain.json", "--domain")?;
        let mapping = file(self.mapping.as_deref(), "mapping.yaml", "--mapping")?;
        let snapshot = std::fs::read_to_string(&domain)
            .with_context(|| format!("{} could not be read", domain.display()))?;
        // A snapshot that is wrong is refused, with its place, by whoever uses it.
        let parsed: Value = serde_json::from_str(&snapshot).unwrap_or_default();
        let text = |pointer| parsed.pointer(pointer).and_then(Value::as_str);
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
            ("PROFILES_DOMAIN", PROFILES_DOMAIN),
            ("CASEBRIDGE_MAPPING", &mapping.to_string_lossy()),
            ("CASEBRIDGE_DOMAIN", &domain.to_string_lossy()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        variables.extend(self.variables.iter().cloned());
        Ok(Files {
            domain,
            snapshot,
            variables,
        })
    }
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
