//! The table of filters: what each takes and gives as the library says, its examples as the library evaluates them.

use std::sync::Arc;

use mapping::expression::{self, Scope, ValueExpr};
use mapping::filter::{Kind, NAMES, Table, Tables};
use mapping::value::Value;
use serde_json::{Value as Json, json};

use super::markdown::{self, code, or, prose};
use super::names::shown;

/// What a filter does, and examples: what stands behind `$.x` and what `$.x` is.
struct Row {
    filter: &'static str,
    does: &'static str,
    examples: Vec<(&'static str, Json)>,
}

fn rows() -> Vec<Row> {
    let row = |filter, does, examples| Row {
        filter,
        does,
        examples,
    };
    vec![
        row(
            "default",
            "the literal in place of a missing value; the one filter that takes one",
            vec![("default('none')", Json::Null), ("default(0)", json!(7))],
        ),
        row("upper", "in capitals", vec![("upper", json!("b-2207"))]),
        row("lower", "in small letters", vec![("lower", json!("VOICE"))]),
        row(
            "trim",
            "without white space at both ends",
            vec![("trim", json!(" a-1042 "))],
        ),
        row(
            "truncate",
            "at most so many characters, cut between what is seen as two, with nothing added",
            vec![("truncate(9)", json!("Declined by the bank"))],
        ),
        row(
            "replace",
            "every occurrence of the first text replaced by the second",
            vec![("replace('-', '')", json!("2026-11-22"))],
        ),
        row(
            "split",
            "the pieces between the separators",
            vec![("split('/')", json!("queue/8a40"))],
        ),
        row(
            "join",
            "the items with the separator between them; missing ones are left out",
            vec![("join(', ')", json!(["kettle", null, "toaster"]))],
        ),
        row(
            "first",
            "the first item",
            vec![("first", json!(["kettle", "toaster"]))],
        ),
        row(
            "last",
            "the last item",
            vec![("last", json!(["kettle", "toaster"]))],
        ),
        row(
            "count",
            "how many items",
            vec![("count", json!(["kettle", "toaster"]))],
        ),
        row(
            "lookup",
            "the entry of that table of `tables`; missing if it has none",
            vec![
                ("lookup('reasons')", json!("no_stock")),
                ("lookup('reasons')", json!("meteorite")),
            ],
        ),
        row(
            "number",
            "the number that the text is, exactly",
            vec![("number", json!("629.90")), ("number", json!("about 40"))],
        ),
        row(
            "text",
            "as text; a number keeps its digits",
            vec![("text", json!(1042))],
        ),
        row(
            "boolean",
            "`true` or `false`, from text in any letter case",
            vec![("boolean", json!("TRUE")), ("boolean", json!("yes"))],
        ),
        row(
            "date",
            "a time in UTC, in strftime's notation; it takes what a [DateTime](#datetime) field takes",
            vec![("date('%d.%m.%Y %H:%M')", json!("2026-11-22T10:30:00+01:00"))],
        ),
        row(
            "iso",
            "a time as RFC 3339 in UTC",
            vec![("iso", json!(1_795_339_800))],
        ),
    ]
}

pub(crate) fn table() -> String {
    let rows = rows();
    let named: Vec<&str> = rows.iter().map(|row| row.filter).collect();
    assert_eq!(named, NAMES, "the filters of the reference");
    let mut cells = Vec::new();
    for row in &rows {
        for (index, (usage, value)) in row.examples.iter().enumerate() {
            let (types, does) = if index == 0 {
                (types(usage), prose(row.does))
            } else {
                (String::new(), String::new())
            };
            let given = match value {
                Json::Null => "missing".to_owned(),
                value => code(&value.to_string()),
            };
            cells.push([code(usage), types, does, given, result(usage, value)]);
        }
    }
    let columns = [
        "filter",
        "from → to",
        "gives",
        "where `$.x` is",
        "`$.x \\| filter` is",
    ];
    markdown::table(columns, &cells)
}

/// From which types to which, as the check of a mapping knows it.
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
        let Ok(ValueExpr::Expression(expression)) = parse(&format!("$.x | {before} | {usage}"))
        else {
            continue;
        };
        takes.push(name.to_owned());
        let filter = expression.filters.last().expect("a filter");
        gives.push(filter.gives(kind));
    }
    gives.dedup();
    let gives = match gives.as_slice() {
        [Kind::Text] => "text",
        [Kind::Number] => "number",
        [Kind::Boolean] => "boolean",
        [Kind::List] => "list",
        _ => "any",
    };
    let takes = if takes.len() == kinds.len() {
        "any".to_owned()
    } else {
        or(&takes)
    };
    format!("{takes} → {gives}")
}

fn result(usage: &str, value: &Json) -> String {
    let event = json!({ "x": value });
    let scope = Scope {
        event: &event,
        mapping: "",
        trigger: "",
        domain: "",
    };
    let template = parse(&format!("$.x | {usage}")).expect("the example is sound");
    match template.evaluate(&scope) {
        Ok(Some(item)) => code(&shown(item)),
        Ok(None) => "missing".to_owned(),
        Err(_) => "an error".to_owned(),
    }
}

fn parse(text: &str) -> Result<ValueExpr, expression::SyntaxError> {
    let reasons = Table::from([("no_stock".to_owned(), Value::Text("Stock".into()))]);
    let tables = Tables::from([("reasons".to_owned(), Arc::new(reasons))]);
    expression::parse(text, &tables)
}
