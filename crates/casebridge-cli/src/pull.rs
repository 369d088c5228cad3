//! `pull`: writes the snapshot of a live Cases domain, or reports its differences from the existing snapshot.

mod connection;
mod difference;
mod reader;
mod snapshot;
#[cfg(test)]
mod tests;
mod usage;

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use serde_json::{Value, json};

use self::connection::ConnectionSettings;
use self::difference::{Difference, differences};
use self::reader::Reader;
use self::snapshot::{Snapshot, text};
use self::usage::Usage;
use crate::sources::read_text;
use crate::terminal::{self, BAD, FAINT, GOOD, NOTABLE, counted, paint};

/// Read a Cases domain and write its snapshot, domain.json
///
/// Reads templates, fields, options and rules, and writes them in a fixed order, so that a diff shows what changed in
/// the domain. It changes nothing in the domain. A request that Cases throttles is sent again: a large domain takes half
/// a minute.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge pull                                  the only domain of the account and Region
  cargo casebridge pull --profile prod --output domain.prod.json --domain-id ID
  cargo casebridge pull --check                          does domain.json match the domain?
  cargo casebridge pull --check --json | jq '.differences[].message'
  cargo casebridge pull --endpoint-url http://127.0.0.1:4599      the emulator

Region and credentials are found as the AWS CLI finds them: environment, profile,
single sign-on, instance. The caller needs cases:ListDomains (unless the domain is
named), GetDomain, ListTemplates, GetTemplate, ListFields, BatchGetField,
ListFieldOptions, ListCaseRules and BatchGetCaseRule.

Exit status: 0; with --check, 1 when file and domain differ; 2 when the domain could
not be read, or the file not be read or written.")]
pub(crate) struct Arguments {
    /// The domain [default: `CASES_DOMAIN_ID`, else that of the file, else the only one there is]
    #[arg(long, value_name = "ID")]
    domain_id: Option<String>,

    /// The snapshot to write, or to check
    #[arg(long, value_name = "FILE", default_value = "domain.json")]
    output: PathBuf,

    /// Write nothing; list the changes of the domain since the file was written
    #[arg(long)]
    check: bool,

    /// The mapping; a change that touches it names its case mappings [default: mapping.yaml, if there is one]
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,

    /// The profile of ~/.aws/config to use
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// The domain's Region
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    /// The endpoint of Cases, if not AWS [default: `AWS_ENDPOINT_URL_CONNECTCASES`, else `AWS_ENDPOINT_URL`]
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,

    /// One object: {"file", "domain": {"domainId", "name"}, "written", "differences": [{"code", "message", "caseMappings", …}]}
    #[arg(long)]
    json: bool,
}

/// # Errors
///
/// A domain that cannot be read whole, or a file that cannot be read or written; the file is then as it was.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    if !arguments.check {
        snapshot::expect_folder(&arguments.output)?;
    }
    let before = before(&arguments.output, arguments.check)?;
    let (client, place) = arguments.settings(before.as_ref()).client().await?;
    let reader = Reader::new(client, place, progress());
    let domain_id = arguments.domain_id.clone();
    let domain_id = domain_id.or_else(|| variable("CASES_DOMAIN_ID"));
    let snapshot = pull(&reader, domain_id, before.as_ref()).await?;
    // The bar goes before anything is printed.
    drop(reader);
    let found = match &before {
        Some(before) if *before != snapshot => {
            let usage = arguments.usage(before)?;
            differences(before, &snapshot, &usage)
        }
        _ => Vec::new(),
    };
    let is_written = !arguments.check && snapshot.write(&arguments.output)?;
    let file = arguments.output.display().to_string();
    let text = if arguments.json {
        let differences: Vec<Value> = found.iter().map(Difference::json).collect();
        let line = json!({
            "file": file,
            "domain": { "domainId": snapshot.domain_id(), "name": snapshot.domain_name() },
            "written": is_written,
            "differences": differences,
        });
        format!("{line}\n")
    } else {
        let differences = counted(found.len(), "difference");
        let outcome = match (arguments.check, is_written, found.len()) {
            (true, _, 0) => paint(GOOD, "no differences"),
            (true, ..) => format!(
                "{}: run `pull` without --check to update the file",
                paint(BAD, differences)
            ),
            (false, false, _) => paint(GOOD, "unchanged"),
            (false, true, 0) => paint(GOOD, "written"),
            (false, true, _) => paint(GOOD, format!("written, with {differences}")),
        };
        human(&file, &snapshot, &found, &outcome)
    };
    terminal::print(&text)?;
    Ok(!arguments.check || found.is_empty())
}

/// The domain's snapshot as of now.
async fn pull(
    reader: &Reader,
    domain_id: Option<String>,
    before: Option<&Snapshot>,
) -> anyhow::Result<Snapshot> {
    let known = domain_id.or_else(|| before.map(|before| before.domain_id().to_owned()));
    let domain_id = match known {
        Some(id) => id,
        None => only(&reader.domains().await?)?,
    };
    Ok(Snapshot::of(reader.read(&domain_id).await?))
}

/// The id of the only domain there is.
fn only(domains: &[Value]) -> anyhow::Result<String> {
    match domains {
        [domain] => Ok(text(domain, "domainId").to_owned()),
        [] => bail!(
            "the account has no Cases domain in this Region: name another with --region, or another account's profile \
             with --profile"
        ),
        several => {
            let line = |domain| format!("  {}  {}", text(domain, "domainId"), text(domain, "name"));
            let lines: Vec<String> = several.iter().map(line).collect();
            Err(anyhow!(
                "the account has {} Cases domains in this Region: name one with --domain-id\n{}",
                several.len(),
                lines.join("\n")
            ))
        }
    }
}

/// Reads the existing snapshot. A first pull needs none.
fn before(path: &Path, is_check: bool) -> anyhow::Result<Option<Snapshot>> {
    if !path.exists() {
        ensure!(
            !is_check,
            "{} does not exist: run `pull` without --check to write it",
            path.display()
        );
        return Ok(None);
    }
    let text = read_text(path)?;
    let snapshot = Snapshot::parse(&text).with_context(|| {
        format!(
            "{} is not a domain snapshot: move it away, or name another file with --output",
            path.display()
        )
    })?;
    Ok(Some(snapshot))
}

impl Arguments {
    fn settings(&self, before: Option<&Snapshot>) -> ConnectionSettings {
        let endpoint = self.endpoint_url.clone();
        let endpoint = endpoint.or_else(|| variable("AWS_ENDPOINT_URL_CONNECTCASES"));
        ConnectionSettings {
            profile: self.profile.clone(),
            region: self.region.clone(),
            endpoint: endpoint.or_else(|| variable("AWS_ENDPOINT_URL")),
            ca_bundle: variable("AWS_CA_BUNDLE"),
            snapshot_region: before.and_then(Snapshot::region).map(str::to_owned),
        }
    }

    /// Returns the use of the old snapshot by the mapping.
    fn usage(&self, before: &Snapshot) -> anyhow::Result<Usage> {
        let path = match &self.mapping {
            Some(path) => path,
            None if Path::new("mapping.yaml").is_file() => Path::new("mapping.yaml"),
            None => return Ok(Usage::default()),
        };
        let name = path.display().to_string();
        let mapping = read_text(path)?;
        let usage = Usage::of(&name, &mapping, &before.text());
        if usage.is_none() {
            terminal::print_note(&format!(
                "{} {name} has errors with the existing snapshot, so no case mappings are named: see `cargo casebridge check`\n",
                paint(NOTABLE, "note:")
            ));
        }
        Ok(usage.unwrap_or_default())
    }
}

/// Returns an environment variable. Empty variables count as unset.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// A bar on standard error, hidden unless that is a terminal. It has no colours, so `NO_COLOR` needs no handling.
fn progress() -> ProgressBar {
    // One request is known to be needed: `GetDomain`.
    let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr())
        .with_finish(ProgressFinish::AndClear);
    let template = "{spinner} {msg}  [{bar:30}] {pos}/{len} requests, {elapsed}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    if !bar.is_hidden() {
        bar.enable_steady_tick(Duration::from_millis(120));
    }
    bar
}

/// The differences, a line about the domain, and the outcome.
fn human(file: &str, snapshot: &Snapshot, differences: &[Difference], outcome: &str) -> String {
    let line = |difference: &Difference| match difference.sentence() {
        (message, "") => format!("{message}\n"),
        (message, consequence) => format!("{message}{}\n", paint(NOTABLE, consequence)),
    };
    let mut lines: String = differences.iter().map(line).collect();
    if !lines.is_empty() {
        lines.push('\n');
    }
    let count = |list, noun| counted(snapshot.list(list).len(), noun);
    let domain = format!(
        "domain {}: {}, {}, {}",
        snapshot.domain_name(),
        count("fields", "field"),
        count("templates", "template"),
        count("rules", "rule"),
    );
    format!("{lines}{file}  {}\n{outcome}\n", paint(FAINT, domain))
}
