//! `check`: mapping and domain snapshot into all their diagnostics, by the loader that the function itself uses.

use std::process::ExitCode;

use casebridge::config::Config;
use mapping::diagnostic::{Diagnostic, Diagnostics};
use mapping::domain::Domain;
use mapping::{CheckReport, LoadContext, lint};
use serde_json::{Value, json};

mod sample;

use crate::sources::{Files, Sources};
use crate::terminal::{self, BAD, FAINT, GOOD, NOTABLE, paint};

/// Find every diagnostic of the mapping and the domain snapshot, offline
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge check
  cargo casebridge check --mapping new.yaml --domain domain.prod.json
  cargo casebridge check --event events/order-failed.json
  cargo casebridge check --json | jq '.diagnostics[].message'

Exit status: 0 there is none; 1 there are diagnostics, or warnings with --deny-warnings;
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

    /// One object: {"diagnostics": [{"file", "line", "column", "severity", "code", "message", "help"}]}
    #[arg(long)]
    json: bool,
}

/// What a check finds.
enum Finding {
    /// The snapshot cannot be used, so the mapping was not looked at.
    Snapshot { file: String, message: String },
    /// The mapping was looked at.
    Mapping {
        diagnostics: Diagnostics,
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
    let diagnostic = find(&config, &files, &arguments.event)?;
    let text = if arguments.json {
        diagnostic.json_line()
    } else {
        diagnostic.human(&config)
    };
    terminal::print(&text)?;
    Ok(if diagnostic.fails(arguments.deny_warnings) {
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
    let context = LoadContext {
        domain: Some(&domain),
        entity_prefix: &config.entity_prefix,
    };
    let (name, text) = (&config.mapping.name, &config.mapping.text);
    let CheckReport {
        mapping,
        mut diagnostics,
    } = lint::check(name, text, context);
    let mut size = String::new();
    if let Some(mapping) = &mapping {
        for event in events {
            let found = sample::look(event, mapping, config, &domain, &diagnostics.text)?;
            diagnostics = Diagnostics::new(name, text, [diagnostics.list, found].concat());
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
        diagnostics,
        sound,
        size,
    })
}

impl Finding {
    fn fails(&self, deny_warnings: bool) -> bool {
        match self {
            Self::Snapshot { .. } => true,
            Self::Mapping {
                diagnostics, sound, ..
            } => {
                !sound
                    || diagnostics.has_errors()
                    || (deny_warnings && !diagnostics.list.is_empty())
            }
        }
    }

    fn json_line(&self) -> String {
        let diagnostics: Vec<Value> = match self {
            Self::Snapshot { file, message } => {
                vec![
                    json!({ "file": file, "severity": "error", "code": "snapshot", "message": message }),
                ]
            }
            Self::Mapping { diagnostics, .. } => diagnostics
                .list
                .iter()
                .map(|diagnostic| fault_json(&diagnostics.file, diagnostic))
                .collect(),
        };
        format!("{}\n", json!({ "diagnostics": diagnostics }))
    }

    fn human(&self, config: &Config) -> String {
        match self {
            Self::Snapshot { file, message } => {
                format!("{} {file}: {message}\n", paint(BAD, "error:"))
            }
            Self::Mapping {
                diagnostics, size, ..
            } if diagnostics.list.is_empty() => {
                format!("{size}{}\n", paint(GOOD, "no errors"))
            }
            Self::Mapping { diagnostics, .. } => {
                let diagnostics = Diagnostics {
                    file: config.mapping.name.clone(),
                    ..diagnostics.clone()
                };
                colored(&diagnostics.to_string())
            }
        }
    }
}

fn fault_json(file: &str, diagnostic: &Diagnostic) -> Value {
    json!({
        "file": file,
        "line": diagnostic.span.start.line,
        "column": diagnostic.span.start.column,
        "severity": diagnostic.severity.name(),
        "code": diagnostic.code.name(),
        "message": diagnostic.message,
        "help": diagnostic.help,
    })
}

/// The same lines, with the word that opens each diagnostic in colour.
fn colored(diagnostics: &str) -> String {
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
    diagnostics.trim_end().lines().map(color).collect()
}
