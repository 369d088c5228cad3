//! `check`: reports all diagnostics of the mapping and the domain snapshot, from the function's own loader.

use casebridge::config::Config;
use casebridge::event::Event;
use casebridge::guard::Guard;
use casebridge::request::{CaseRequest, RequestContext};
use casebridge::start::request_context;
use mapping::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use mapping::domain::Domain;
use mapping::expression::ValueExpr;
use mapping::reference::{Reference, unknown_member};
use mapping::tree::{Position, Span};
use mapping::{CaseMapping, CheckReport, LoadContext, Mapping, lint};
use serde_json::{Value, json};

use crate::sources::{self, Sources, read_text};
use crate::terminal::{self, BAD, FAINT, GOOD, NOTABLE, counted, paint};

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

    /// One object: {"diagnostics": [{"file", "line", "column", "severity", "code", "message", "help"}]}
    #[arg(long)]
    json: bool,
}

/// # Errors
///
/// When a file cannot be read or a variable of `--env` has a value that the function would refuse.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
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
        for event in &arguments.event {
            let found = sample_diagnostics(event, mapping, &config, &domain, text)?;
            diagnostics = Diagnostics::new(name, text, [diagnostics.list, found].concat());
        }
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

/// Returns the diagnostics of the mapping for the events of a file.
///
/// # Errors
///
/// When the file cannot be read.
fn sample_diagnostics(
    file: &str,
    mapping: &Mapping,
    config: &Config,
    domain: &Domain,
    text: &str,
) -> anyhow::Result<Vec<Diagnostic>> {
    let context = request_context(config, mapping, Some(domain))?;
    let guard = config.guard();
    let mut found = Vec::new();
    for event in sources::events(&read_text(file)?) {
        match event {
            Ok(event) => found.extend(event_diagnostics(
                file, &event, mapping, &guard, &context, text,
            )),
            Err(failure) => found.push(Diagnostic::new(
                position(text, "cases"),
                format!("{file}: {failure}"),
            )),
        }
    }
    Ok(found)
}

fn event_diagnostics(
    file: &str,
    event: &Event,
    mapping: &Mapping,
    guard: &Guard,
    context: &RequestContext,
    text: &str,
) -> Vec<Diagnostic> {
    if !matches!(guard.check(event), Ok(None)) {
        return Vec::new();
    }
    let Some(case) = event.route(mapping, &context.domain_id) else {
        let message = format!("no case mapping matches {file}");
        return vec![Diagnostic::warning(
            position(text, "cases"),
            Code::Unreachable,
            message,
        )];
    };
    // The file has no contact data, which `enrich` reads.
    if case.enrich && event.root.get("contact").is_none() {
        return Vec::new();
    }
    let mut found = misspelt(file, event, case, text);
    if let Err(failure) = CaseRequest::assemble(case, event, context) {
        let message = format!("{file} makes no case: {failure}");
        found.push(Diagnostic::new(position(text, &case.name), message).code(Code::FieldValue));
    }
    found
}

/// Returns warnings for references to a member that the event lacks but has under a similar name.
fn misspelt(file: &str, event: &Event, case: &CaseMapping, text: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for expression in case.value_exprs().flat_map(ValueExpr::expressions) {
        for reference in expression.references() {
            let Reference::Event(steps) = reference else {
                continue;
            };
            let Some(unknown_member) = unknown_member(&event.root, steps) else {
                continue;
            };
            if let Some(near) = nearest(unknown_member.name, unknown_member.members) {
                let message = format!(
                    "`{}` finds nothing in {file}: there is no `{}`",
                    expression.text, unknown_member.name
                );
                let span = position(text, &expression.text);
                let warning = Diagnostic::warning(span, Code::EventMember, message);
                found.push(warning.help(format!("did you mean `{near}`?")));
            }
        }
    }
    found
}

/// The first position of these words in the mapping.
fn position(text: &str, words: &str) -> Span {
    let found = text.lines().enumerate().find_map(|(line, content)| {
        let before = content.split_once(words)?.0;
        Some(Position {
            line: line + 1,
            column: before.chars().count() + 1,
        })
    });
    let start = found.unwrap_or(Position { line: 1, column: 1 });
    let end = Position {
        column: start.column + words.chars().count(),
        ..start
    };
    Span { start, end }
}
