//! `check`: reports all diagnostics of the mapping and the domain snapshot, from the function's own loader.

use anyhow::bail;
use casebridge::config::Config;
use casebridge::event::Event;
use casebridge::request::CaseRequest;
use casebridge::start::request_context;
use mapping::diagnostic::{Code, Diagnostic, Diagnostics, suggest};
use mapping::domain::Domain;
use mapping::lint::{self, Places, Sample};
use mapping::{CaseMapping, CheckReport, LoadContext, Mapping};
use serde_json::{Value, json};

use crate::sources::{self, Sources, read_text};
use crate::terminal::{self, BAD, FAINT, GOOD, NOTABLE, STRONG, counted, paint};

/// Check the mapping and the domain snapshot, offline
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge check
  cargo casebridge check --mapping new.yaml --domain domain.prod.json
  cargo casebridge check --event events/order-failed.json
  cargo casebridge check --json | jq '.diagnostics[].message'

Exit status: 0 no errors; 1 errors, or warnings with --deny-warnings; 2 the files could
not be read.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    sources: Sources,

    /// Also render these events, and report references that find nothing in them
    #[arg(long, value_name = "FILE", num_args = 1..)]
    event: Vec<String>,

    /// Exit with 1 for a warning as well
    #[arg(long)]
    deny_warnings: bool,

    /// Explain a code, such as the one of `warning[event-member]`
    #[arg(long, value_name = "CODE", exclusive = true)]
    explain: Option<String>,

    /// One object: {"diagnostics": [{"file", "line", "column", "severity", "code", "message", "help"}]}
    #[arg(long)]
    json: bool,
}

/// # Errors
///
/// When a file cannot be read or a variable of `--env` has a value that the function would refuse.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    if let Some(code) = &arguments.explain {
        return explain(code);
    }
    let files = arguments.sources.read()?;
    let config = Config::read(&|name| files.variable(name), &[])?;
    let snapshot = Domain::from_json(&files.snapshot)
        .and_then(|domain| domain.expect_id(&config.domain_id).map(|()| domain));
    let file = files.domain.display().to_string();
    let domain = match snapshot {
        Ok(domain) => domain,
        // Without a snapshot the mapping cannot be checked.
        Err(error) => {
            let (message, code) = (error.to_string(), "snapshot");
            let found =
                json!({ "file": file, "severity": "error", "code": code, "message": message });
            let text = format!("{} {file}: {message}\n", paint(BAD, "error:"));
            arguments.print(&[found], &text)?;
            return Ok(false);
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
        let found = sample_diagnostics(&arguments.event, mapping, &config, &domain)?;
        diagnostics = Diagnostics::new(name, text, [diagnostics.list, found].concat());
        let width = name.chars().count().max(file.chars().count());
        let cases = counted(mapping.cases.len(), "case mapping");
        let (fields, templates) = (domain.fields.len(), domain.templates.len());
        let domain = format!("{fields} fields, {templates} templates");
        let (cases, domain) = (paint(FAINT, cases), paint(FAINT, domain));
        size = format!("{name:width$}  {cases}\n{file:width$}  {domain}\n");
    }
    let list = &diagnostics.list;
    let is_ok = mapping.is_some()
        && !diagnostics.has_errors()
        && (list.is_empty() || !arguments.deny_warnings);
    // The process ends soon: to free a large mapping first would only cost time.
    std::mem::forget(mapping);
    let text = if list.is_empty() {
        format!("{size}{}\n", paint(GOOD, "no errors"))
    } else {
        colored(&diagnostics.to_string())
    };
    let found: Vec<Value> = list
        .iter()
        .map(|found| diagnostic_json(name, found))
        .collect();
    arguments.print(&found, &text)?;
    Ok(is_ok)
}

/// Prints what a code means, and how a warning is allowed.
fn explain(code: &str) -> anyhow::Result<bool> {
    let names = || Code::ALL.into_iter().map(Code::name);
    let Some(known) = Code::ALL.into_iter().find(|known| known.name() == code) else {
        let names: Vec<String> = names().collect();
        let help = suggest(code, names.iter().map(String::as_str)).unwrap_or_default();
        bail!("there is no code `{code}`: {help}");
    };
    let text = format!(
        "{}\n{}\n\nA warning that is intended is allowed on its line, or on the line above:\n  # casebridge: allow {code} – REASON\n",
        paint(STRONG, code),
        known.explanation()
    );
    terminal::print(&text)?;
    Ok(true)
}

impl Arguments {
    fn print(&self, diagnostics: &[Value], text: &str) -> std::io::Result<()> {
        if self.json {
            terminal::print(&format!("{}\n", json!({ "diagnostics": diagnostics })))
        } else {
            terminal::print(text)
        }
    }
}

fn diagnostic_json(file: &str, diagnostic: &Diagnostic) -> Value {
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
        let style = [("error: ", BAD), ("warning[", NOTABLE)]
            .into_iter()
            .find_map(|(word, style)| line.starts_with(word).then_some(style));
        match style.zip(line.split_once(':')) {
            Some((style, (word, rest))) => format!("{}{rest}\n", paint(style, format!("{word}:"))),
            None => format!("{line}\n"),
        }
    };
    diagnostics.trim_end().lines().map(color).collect()
}

/// Returns the diagnostics of the mapping for the events of these files.
///
/// # Errors
///
/// When a file cannot be read.
fn sample_diagnostics(
    files: &[String],
    mapping: &Mapping,
    config: &Config,
    domain: &Domain,
) -> anyhow::Result<Vec<Diagnostic>> {
    let (name, text) = (&config.mapping.name, &config.mapping.text);
    let places = Places::new(name, text, mapping);
    let context = request_context(config, mapping, Some(domain))?;
    let guard = config.guard();
    let mut found = Vec::new();
    let mut samples: Vec<(&str, Event, &CaseMapping)> = Vec::new();
    for file in files {
        for event in sources::events(&read_text(file)?) {
            match event {
                Ok(event) if !matches!(guard.check(&event), Ok(None)) => {}
                Ok(event) => match event.route(mapping, &context.domain_id) {
                    Some(case) => samples.push((file, event, case)),
                    None => found.push(Diagnostic::warning(
                        places.of("", None),
                        Code::Unreachable,
                        format!("no case mapping matches {file}"),
                    )),
                },
                Err(failure) => {
                    let message = format!("{file}: {failure}");
                    found.push(Diagnostic::new(places.of("", None), message));
                }
            }
        }
    }
    for (file, event, case) in &samples {
        // The file has no contact data, which `enrich` reads.
        if case.enrich && event.root.get("contact").is_none() {
            continue;
        }
        if let Err(failure) = CaseRequest::assemble(case, event, &context) {
            let message = format!("{file} makes no case: {failure}");
            let span = places.of(&case.name, failure.field.as_deref());
            found.push(Diagnostic::new(span, message).code(Code::FieldValue));
        }
    }
    let samples: Vec<Sample<'_>> = samples
        .iter()
        .map(|(file, event, case)| Sample {
            name: file,
            event: &event.root,
            case: &case.name,
        })
        .collect();
    found.extend(places.check(&samples));
    Ok(lint::without_allowed(text, found))
}
