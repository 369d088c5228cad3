//! The way from an event to its request, in words: the routes, and the value of every expression.

use std::fmt::Write as _;

use anyhow::anyhow;
use casebridge::config::Config;
use casebridge::domain::Domain;
use casebridge::field::FieldValue;
use casebridge::mapping::expression::{Expression, Item, Scope, Template};
use casebridge::mapping::{CaseMapping, FieldMapping, Mapping, Setting};
use casebridge::request::{CaseRequest, Surroundings, User};
use casebridge::start::surroundings;
use casebridge::trigger::{Event, Payload};

use crate::sources::Files;
use crate::terminal::{FAINT, GOOD, NOTABLE, STRONG, paint};

/// Explains every event of a payload.
///
/// # Errors
///
/// When the mapping or the snapshot cannot be used.
pub(super) fn text(config: &Config, files: &Files, payload: &str) -> anyhow::Result<String> {
    let domain = Domain::from_json(&files.snapshot)?;
    let setting = Setting {
        domain: Some(&domain),
        entity_prefix: &config.entity_prefix,
    };
    let mapping = Mapping::load(&config.mapping.name, &config.mapping.text, setting)
        .map_err(|faults| anyhow!("the mapping cannot be used\n\n{faults}"))?;
    let surroundings = surroundings(config, &mapping, Some(&domain))?;
    let events = match Payload::parse(payload) {
        Ok(Payload::Event(event)) => vec![event],
        Ok(Payload::Batch(messages)) => messages
            .into_iter()
            .filter_map(|message| message.event.ok())
            .collect(),
        Err(_) => Vec::new(),
    };
    Ok(events
        .iter()
        .map(|event| explain(event, &mapping, &surroundings))
        .collect::<Vec<_>>()
        .join("\n"))
}

fn explain(event: &Event, mapping: &Mapping, surroundings: &Surroundings) -> String {
    let mut text = format!("{}\n", paint(STRONG, "routes"));
    let width = mapping
        .cases
        .iter()
        .map(|case| case.name.chars().count())
        .max()
        .unwrap_or_default();
    let mut taken = None;
    for case in &mapping.cases {
        let verdict = match why_not(case, event) {
            None => {
                taken = Some(case);
                paint(GOOD, "taken")
            }
            Some(reason) => paint(FAINT, format!("not taken: {reason}")),
        };
        let _ = writeln!(text, "  {:width$}  {verdict}", case.name);
        if taken.is_some() {
            break;
        }
    }
    if let Some(case) = taken {
        let scope = Scope {
            event: &event.root,
            mapping: &case.name,
            trigger: event.trigger.name(),
            domain: &surroundings.domain_id,
        };
        let request = case.assemble(event, surroundings).ok();
        fields(&mut text, case, &scope, request.as_ref());
        rest(&mut text, case, &scope, request.as_ref());
    }
    text
}

fn why_not(case: &CaseMapping, event: &Event) -> Option<String> {
    if case.trigger != event.trigger {
        return Some(format!("it is for {}", case.trigger.name()));
    }
    let when = case
        .when
        .as_ref()
        .filter(|when| !when.matches(&event.root))?;
    let unmet = when.unmet(&event.root);
    Some(if unmet.is_empty() {
        "no one item of a list meets all of `when`".to_owned()
    } else {
        format!("`when` is not met at {}", unmet.join(", "))
    })
}

fn fields(text: &mut String, case: &CaseMapping, scope: &Scope<'_>, request: Option<&CaseRequest>) {
    let _ = writeln!(text, "\n{}", paint(STRONG, "fields"));
    for mapping in &case.fields {
        let _ = writeln!(
            text,
            "  {}  {}",
            paint(STRONG, &mapping.field.name),
            outcome(mapping, scope, request)
        );
        for expression in mapping.templates().flat_map(Template::expressions) {
            let _ = writeln!(text, "    {}", given(expression, scope));
        }
    }
}

/// The key, the tags and the performer.
fn rest(text: &mut String, case: &CaseMapping, scope: &Scope<'_>, request: Option<&CaseRequest>) {
    if !case.key.is_empty() {
        let _ = writeln!(text, "\n{}", paint(STRONG, "key"));
        for expression in case.key.iter().flat_map(Template::expressions) {
            let _ = writeln!(text, "  {}", given(expression, scope));
        }
    }
    let Some(request) = request else { return };
    let _ = writeln!(text, "\n{}", paint(STRONG, "tags"));
    for (key, value) in &request.tags {
        let _ = writeln!(text, "  {key} = {value}");
    }
    let (User::CustomEntity(performer) | User::UserArn(performer)) = &request.performed_by;
    let _ = writeln!(text, "\n{}\n  {performer}", paint(STRONG, "performed by"));
    let _ = writeln!(text, "\n{}", paint(STRONG, "request"));
}

/// What is sent for a field.
fn outcome(mapping: &FieldMapping, scope: &Scope<'_>, request: Option<&CaseRequest>) -> String {
    if mapping
        .when
        .as_ref()
        .is_some_and(|when| !when.matches(scope.event))
    {
        return paint(FAINT, "not sent: its `when` is not met");
    }
    let Some(request) = request else {
        return paint(NOTABLE, "no request: see the reason below");
    };
    match request
        .fields
        .iter()
        .find(|(id, _)| *id == mapping.field.id)
    {
        None => paint(FAINT, "not sent: it has no value"),
        Some((_, FieldValue::String(value) | FieldValue::UserArn(value))) => format!("{value:?}"),
        Some((_, FieldValue::Double(value))) => value.to_string(),
        Some((_, FieldValue::Boolean(value))) => value.to_string(),
        Some((_, FieldValue::Empty)) => "empty".to_owned(),
    }
}

/// An expression and what it gives for this event.
fn given(expression: &Expression, scope: &Scope<'_>) -> String {
    let value = match expression.evaluate(scope) {
        Ok(Some(item)) => item_text(&item),
        Ok(None) => paint(NOTABLE, "missing"),
        Err(wrong) => paint(NOTABLE, wrong.message),
    };
    format!("{}  {value}", paint(FAINT, &expression.text))
}

fn item_text(item: &Item<'_>) -> String {
    match item {
        Item::Text(text) => format!("{text:?}"),
        Item::Number(text) => text.to_string(),
        Item::Boolean(boolean) => boolean.to_string(),
        Item::List(items) => format!(
            "[{}]",
            items.iter().map(item_text).collect::<Vec<_>>().join(", ")
        ),
        Item::Object => "an object".to_owned(),
        Item::Null => "null".to_owned(),
    }
}
