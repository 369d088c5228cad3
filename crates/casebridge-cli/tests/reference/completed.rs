//! Tables of the reference that people write: the library fills in the results, and refuses an example that is wrong.

use std::sync::Arc;

use casebridge::event::{Event, Payload};
use mapping::expression::{self, Scope, ValueExpr, Variables};
use mapping::filter::{Definitions, Kind, NAMES, Table, Tables};
use mapping::pattern::Pattern;
use mapping::tree::{self, Literal};
use mapping::value::Value;
use mapping::yaml;
use serde_json::{Value as Json, json};

use super::markdown::{code, or, uncode, with_rows};
use super::read;

/// `reference | meaning | example`: each example is the reference's value in the first of these events that has one.
pub(crate) fn names(table: &str, events: &[&str]) -> String {
    let events: Vec<Event> = events.iter().map(|name| event(name)).collect();
    with_rows(table, |cells| {
        let reference = uncode(&cells[0]);
        let parsed = expression::parse(&reference, &Definitions::default())
            .unwrap_or_else(|error| panic!("{reference}: {}", error.message));
        let variables = Variables::default();
        let value = events.iter().find_map(|event| {
            let scope = Scope {
                event: &event.root,
                mapping: "refund-request",
                trigger: event.trigger.name(),
                domain: "3ceaaf30-8142-48ea-91d9-3080f9b439fc",
                variables: &variables,
            };
            let value = parsed.evaluate(&scope);
            value.unwrap_or_else(|wrong| panic!("{wrong}")).map(shown)
        });
        let value = value.unwrap_or_else(|| panic!("no event has {reference}"));
        cells[2] = code(&shortened(&value));
    })
}

fn event(name: &str) -> Event {
    match Payload::parse(&read(&format!("events/{name}.json"))) {
        Ok(Payload::Event(event)) => event,
        _ => panic!("events/{name}.json is one event"),
    }
}

/// A value as JSON.
fn shown(value: Value<'_>) -> String {
    match value {
        Value::Text(text) => format!("\"{text}\""),
        Value::Number(text) => text.into_owned(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.into_iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(_) => "{…}".to_owned(),
        Value::Null => "null".to_owned(),
    }
}

/// The beginning of a long id or ARN, which is enough to recognise it.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 48;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let start: String = text.chars().take(LONGEST - 2).collect();
    format!("{start}…\"")
}

/// `filter | from → to | gives | value | result`: types and results are the library's. A row without types is another
/// example of the filter above it.
pub(crate) fn filters(table: &str) -> String {
    let mut named = Vec::new();
    let completed = with_rows(table, |cells| {
        let usage = uncode(&cells[0]);
        if !cells[2].is_empty() {
            named.push(usage.split('(').next().unwrap_or_default().to_owned());
            cells[1] = types(&usage);
        }
        cells[4] = result(&usage, &json_of(&cells[3]));
    });
    assert_eq!(named, NAMES, "the filters of the reference");
    completed
}

/// The JSON of a cell; null for a cell in words, such as `missing`.
fn json_of(cell: &str) -> Json {
    if cell.starts_with('`') {
        serde_json::from_str(&uncode(cell)).unwrap_or_else(|error| panic!("{cell}: {error}"))
    } else {
        Json::Null
    }
}

/// The input types that `check` accepts for the filter, and its output type.
fn types(usage: &str) -> String {
    // A filter that gives the type stands before.
    let kinds = [
        ("text", "text", Kind::Text),
        ("number", "number", Kind::Number),
        ("boolean", "boolean", Kind::Boolean),
        ("list", "split(',')", Kind::List),
    ];
    let mut takes = Vec::new();
    let mut gives = Vec::new();
    for (name, before, kind) in kinds {
        if let Ok(ValueExpr::Expression(expression)) = parse(&format!("$.x | {before} | {usage}")) {
            takes.push(name.to_owned());
            gives.push(expression.filters.last().expect("a filter").gives(kind));
        }
    }
    gives.dedup();
    let known = kinds.iter().find(|(.., kind)| gives == [*kind]);
    let gives = known.map_or("any", |(name, ..)| name);
    let takes = if takes.len() == kinds.len() {
        "any".to_owned()
    } else {
        or(&takes)
    };
    format!("{takes} → {gives}")
}

fn result(usage: &str, value: &Json) -> String {
    let event = json!({ "x": value });
    let variables = Variables::default();
    let scope = Scope {
        event: &event,
        mapping: "",
        trigger: "",
        domain: "",
        variables: &variables,
    };
    let parsed = parse(&format!("$.x | {usage}")).expect("the example is valid");
    match parsed.evaluate(&scope) {
        Ok(Some(value)) => code(&shown(value)),
        Ok(None) => "missing".to_owned(),
        Err(_) => "an error".to_owned(),
    }
}

fn parse(text: &str) -> Result<ValueExpr, expression::SyntaxError> {
    let reasons = Table::from([("no_stock".to_owned(), Value::Text("Stock".into()))]);
    let definitions = Definitions {
        tables: Tables::from([("reasons".to_owned(), Arc::new(reasons))]),
        ..Definitions::default()
    };
    expression::parse(text, &definitions)
}

/// `pattern | asks for | x that matches | x that does not`: the matcher has to agree.
pub(crate) fn patterns(table: &str) -> String {
    with_rows(table, |cells| {
        let pattern = uncode(&cells[0]);
        let (node, _) = yaml::parse(&pattern).expect("the pattern is YAML");
        let compiled = Pattern::compile(&node)
            .unwrap_or_else(|diagnostics| panic!("{pattern}: {diagnostics:?}"));
        for (cell, expected) in [(&cells[2], true), (&cells[3], false)] {
            let event = match json_of(cell) {
                Json::Null => json!({ "y": 1 }),
                x => json!({ "x": x }),
            };
            assert_eq!(compiled.matches(&event), expected, "{pattern} and {cell}");
        }
    })
}

/// `written | is | remark`: the YAML reader decides the kind of a scalar.
pub(crate) fn scalars(table: &str) -> String {
    with_rows(table, |cells| {
        let (node, _) = yaml::parse(&uncode(&cells[0])).expect("YAML");
        let tree::Kind::Scalar(scalar) = &node.kind else {
            panic!("{} is a scalar", cells[0]);
        };
        cells[1] = match scalar.literal() {
            Literal::Empty => "nothing".to_owned(),
            Literal::Null => "`null`".to_owned(),
            Literal::Boolean(_) => "a boolean".to_owned(),
            Literal::Number(_) => "a number".to_owned(),
            Literal::Text(text) => format!("the text {}", code(text)),
        };
    })
}
