//! Sample events: what the mapping makes of them, and which of its references find nothing in them.

use anyhow::Context as _;
use casebridge::config::Config;
use casebridge::event::{Event, Payload};
use casebridge::guard::Guard;
use casebridge::request::{CaseRequest, RequestContext};
use casebridge::start::request_context;
use mapping::diagnostic::{Code, Diagnostic, nearest};
use mapping::domain::Domain;
use mapping::expression::{Operand, Reference, ValueExpr, unknown_member};
use mapping::tree::{Position, Span};
use mapping::{CaseMapping, Mapping};

/// What there is to say of the mapping with this event in hand.
///
/// # Errors
///
/// When the file cannot be read.
pub(super) fn look(
    file: &str,
    mapping: &Mapping,
    config: &Config,
    domain: &Domain,
    text: &str,
) -> anyhow::Result<Vec<Diagnostic>> {
    let context = request_context(config, mapping, Some(domain))?;
    let guard = config.guard();
    let payload =
        std::fs::read_to_string(file).with_context(|| format!("{file} could not be read"))?;
    let events = match Payload::parse(&payload) {
        Ok(Payload::Event(event)) => vec![Ok(event)],
        Ok(Payload::Events(events)) => events,
        Ok(Payload::Batch(messages)) => messages.into_iter().map(|message| message.event).collect(),
        Err(failure) => vec![Err(failure)],
    };
    let mut found = Vec::new();
    for event in events {
        match event {
            Ok(event) => found.extend(of_event(file, &event, mapping, &guard, &context, text)),
            Err(failure) => found.push(Diagnostic::new(
                place(text, "cases"),
                format!("{file}: {failure}"),
            )),
        }
    }
    Ok(found)
}

fn of_event(
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
    let Some(case) = event.route(mapping) else {
        let message = format!("no case mapping takes {file}");
        return vec![Diagnostic::warning(
            place(text, "cases"),
            Code::Unreachable,
            message,
        )];
    };
    // What `enrich` reads is not in the file.
    if case.enrich && event.root.get("contact").is_none() {
        return Vec::new();
    }
    let mut found = misspelt(file, event, case, text);
    if let Err(failure) = CaseRequest::assemble(case, event, context) {
        let message = format!("{file} makes no case: {failure}");
        found.push(Diagnostic::new(place(text, &case.name), message).code(Code::FieldValue));
    }
    found
}

/// References whose next member is not in the event, and nearly one that is.
fn misspelt(file: &str, event: &Event, case: &CaseMapping, text: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for expression in case.value_exprs().flat_map(ValueExpr::expressions) {
        let Operand::Reference(Reference::Event(steps)) = &expression.operand else {
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
            let warning =
                Diagnostic::warning(place(text, &expression.text), Code::EventMember, message);
            found.push(warning.help(format!("did you mean `{near}`?")));
        }
    }
    found
}

/// The first place in the mapping that shows these words.
fn place(text: &str, words: &str) -> Span {
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
