//! `check`: mapping and domain snapshot into all their faults, by the loader that the function itself uses.

use std::process::ExitCode;

use casebridge::config::Config;
use mapping::domain::Domain;
use mapping::fault::{Fault, Faults};
use mapping::{Examination, Mapping, Setting};
use serde_json::{Value, json};

mod sample;

use crate::sources::{Files, Sources};
use crate::terminal::{self, BAD, FAINT, GOOD, NOTABLE, paint};

/// Find every fault of the mapping and the domain snapshot, offline
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge check
  cargo casebridge check --mapping new.yaml --domain domain.prod.json
  cargo casebridge check --event events/order-failed.json
  cargo casebridge check --json | jq '.faults[].message'

Exit status: 0 there is none; 1 there are faults, or warnings with --deny-warnings;
2 the files could not be read.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    sources: Sources,

    /// Render these events too, and say which references find nothing in them
    #[arg(long, value_name = "FILE", num_args = 1..)]
    event: Vec<String>,

    /// Exit with 1 for a warning as well
    #[arg(long)]
    deny_warnings: bool,

    /// One object: {"faults": [{"file", "line", "column", "severity", "code", "message", "help"}]}
    #[arg(long)]
    json: bool,
}

/// What a check finds.
enum Finding {
    /// The snapshot cannot be used, so the mapping was not looked at.
    Snapshot { file: String, message: String },
    /// The mapping was looked at.
    Mapping {
        findings: Faults,
        sound: bool,
        size: String,
    },
}

/// # Errors
///
/// When a file cannot be read or a variable of `--env` has a value that the function would refuse.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let files = arguments.sources.read()?;
    let config = Config::read(&|name| files.variable(name), &[])?;
    let finding = find(&config, &files, &arguments.event)?;
    let text = if arguments.json {
        finding.json_line()
    } else {
        finding.human(&config)
    };
    terminal::print(&text)?;
    Ok(if finding.fails(arguments.deny_warnings) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn find(config: &Config, files: &Files, events: &[String]) -> anyhow::Result<Finding> {
    let snapshot = Domain::from_json(&files.snapshot)
        .and_then(|domain| domain.expect_id(&config.domain_id).map(|()| domain));
    let file = files.domain.display().to_string();
    let domain = match snapshot {
        Ok(domain) => domain,
        Err(error) => {
            let message = error.to_string();
            return Ok(Finding::Snapshot { file, message });
        }
    };
    let setting = Setting {
        domain: Some(&domain),
        entity_prefix: &config.entity_prefix,
    };
    let (name, text) = (&config.mapping.name, &config.mapping.text);
    let Examination {
        mapping,
        mut findings,
    } = Mapping::examine(name, text, setting);
    let mut size = String::new();
    if let Some(mapping) = &mapping {
        for event in events {
            let found = sample::look(event, mapping, config, &domain, &findings.text)?;
            findings = Faults::new(name, text, [findings.list, found].concat());
        }
        let width = name.chars().count().max(file.chars().count());
        let case_mappings = match mapping.cases.len() {
            1 => "1 case mapping".to_owned(),
            count => format!("{count} case mappings"),
        };
        let domain = format!(
            "{} fields, {} templates",
            domain.fields.len(),
            domain.templates.len()
        );
        size = format!(
            "{name:width$}  {}\n{file:width$}  {}\n",
            paint(FAINT, case_mappings),
            paint(FAINT, domain)
        );
    }
    let sound = mapping.is_some();
    // The process ends with this command: to take a large mapping apart first is time for nothing.
    std::mem::forget(mapping);
    Ok(Finding::Mapping {
        findings,
        sound,
        size,
    })
}

impl Finding {
    fn fails(&self, deny_warnings: bool) -> bool {
        match self {
            Self::Snapshot { .. } => true,
            Self::Mapping {
                findings, sound, ..
            } => !sound || findings.has_errors() || (deny_warnings && !findings.list.is_empty()),
        }
    }

    fn json_line(&self) -> String {
        let faults: Vec<Value> = match self {
            Self::Snapshot { file, message } => {
                vec![
                    json!({ "file": file, "severity": "error", "code": "snapshot", "message": message }),
                ]
            }
            Self::Mapping { findings, .. } => findings
                .list
                .iter()
                .map(|fault| fault_json(&findings.file, fault))
                .collect(),
        };
        format!("{}\n", json!({ "faults": faults }))
    }

    fn human(&self, config: &Config) -> String {
        match self {
            Self::Snapshot { file, message } => {
                format!("{} {file}: {message}\n", paint(BAD, "error:"))
            }
            Self::Mapping { findings, size, .. } if findings.list.is_empty() => {
                format!("{size}{}\n", paint(GOOD, "no faults"))
            }
            Self::Mapping { findings, .. } => {
                let faults = Faults {
                    file: config.mapping.name.clone(),
                    ..findings.clone()
                };
                colored(&faults.to_string())
            }
        }
    }
}

fn fault_json(file: &str, fault: &Fault) -> Value {
    json!({
        "file": file,
        "line": fault.span.start.line,
        "column": fault.span.start.column,
        "severity": fault.severity.name(),
        "code": fault.code.name(),
        "message": fault.message,
        "help": fault.help,
    })
}

/// The same lines, with the word that opens each finding in colour.
fn colored(faults: &str) -> String {
    let color = |line: &str| {
        let words = [("error:", BAD), ("warning:", NOTABLE)];
        let opened = words
            .iter()
            .find_map(|(word, style)| Some((word, style, line.strip_prefix(word)?)));
        match opened {
            Some((word, style, rest)) => format!("{}{rest}\n", paint(*style, word)),
            None => format!("{line}\n"),
        }
    };
    faults.trim_end().lines().map(color).collect()
}
