//! `check`: mapping and domain snapshot into all their faults, by the loader that the function itself uses.

use std::process::ExitCode;

use casebridge::config::Config;
use casebridge::domain::Domain;
use casebridge::mapping::fault::Faults;
use casebridge::mapping::{Mapping, Setting};
use serde_json::{Value, json};

use crate::sources::{Files, Sources};
use crate::terminal::{self, BAD, FAINT, GOOD, paint};

/// Find every fault of the mapping and the domain snapshot, offline
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge check
  cargo casebridge check --mapping new.yaml --domain domain.prod.json
  cargo casebridge check --json | jq '.faults[].message'

Exit status: 0 there is none; 1 there are faults; 2 the files could not be read.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    sources: Sources,

    /// One object: {"faults": [{"file", "line", "column", "message", "help"}]}
    #[arg(long)]
    json: bool,
}

/// What a check finds.
enum Finding {
    Sound {
        case_mappings: usize,
        fields: usize,
        templates: usize,
    },
    Snapshot {
        file: String,
        message: String,
    },
    Mapping(Faults),
}

/// # Errors
///
/// When a file cannot be read or a variable of `--env` has a value that the function would refuse.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let files = arguments.sources.read()?;
    let config = Config::read(&|name| files.variable(name), &[])?;
    let finding = find(&config, &files);
    let text = if arguments.json {
        finding.json_line()
    } else {
        finding.human(&config, &files)
    };
    terminal::print(&text)?;
    Ok(match finding {
        Finding::Sound { .. } => ExitCode::SUCCESS,
        Finding::Snapshot { .. } | Finding::Mapping(_) => ExitCode::FAILURE,
    })
}

fn find(config: &Config, files: &Files) -> Finding {
    let snapshot = Domain::from_json(&files.snapshot)
        .and_then(|domain| domain.expect_id(&config.domain_id).map(|()| domain));
    let domain = match snapshot {
        Ok(domain) => domain,
        Err(error) => {
            return Finding::Snapshot {
                file: files.domain.display().to_string(),
                message: error.to_string(),
            };
        }
    };
    let setting = Setting {
        domain: Some(&domain),
        entity_prefix: &config.entity_prefix,
    };
    match Mapping::load(&config.mapping.name, &config.mapping.text, setting) {
        Ok(mapping) => Finding::Sound {
            case_mappings: mapping.cases.len(),
            fields: domain.fields.len(),
            templates: domain.templates.len(),
        },
        Err(faults) => Finding::Mapping(faults),
    }
}

impl Finding {
    fn json_line(&self) -> String {
        let faults: Vec<Value> = match self {
            Self::Sound { .. } => Vec::new(),
            Self::Snapshot { file, message } => vec![json!({ "file": file, "message": message })],
            Self::Mapping(faults) => faults
                .list
                .iter()
                .map(|fault| {
                    json!({
                        "file": faults.file,
                        "line": fault.span.start.line,
                        "column": fault.span.start.column,
                        "message": fault.message,
                        "help": fault.help,
                    })
                })
                .collect(),
        };
        format!("{}\n", json!({ "faults": faults }))
    }

    fn human(&self, config: &Config, files: &Files) -> String {
        match self {
            Self::Sound {
                case_mappings,
                fields,
                templates,
            } => {
                let (mapping, domain) = (&config.mapping.name, files.domain.display().to_string());
                let width = mapping.chars().count().max(domain.chars().count());
                format!(
                    "{mapping:width$}  {}\n{domain:width$}  {}\n{}\n",
                    paint(FAINT, format!("{case_mappings} case mappings")),
                    paint(FAINT, format!("{fields} fields, {templates} templates")),
                    paint(GOOD, "no faults")
                )
            }
            Self::Snapshot { file, message } => {
                format!("{} {file}: {message}\n", paint(BAD, "error:"))
            }
            Self::Mapping(faults) => colored(&faults.to_string()),
        }
    }
}

/// The same lines, with the word that opens each fault in colour.
fn colored(faults: &str) -> String {
    let color = |line: &str| match line.strip_prefix("error:") {
        Some(rest) => format!("{}{rest}\n", paint(BAD, "error:")),
        None => format!("{line}\n"),
    };
    faults.trim_end().lines().map(color).collect()
}
