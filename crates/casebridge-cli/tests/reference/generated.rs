//! The parts of the reference that come from the library's own tables: keys, coercion and errors.

use std::collections::HashSet;

use casebridge::error::Failure;
use casebridge::event::Payload;
use casebridge::request::CaseRequest;
use mapping::schema::{KeySchema, ObjectSchema, Shape, Status};
use serde_json::{Value, json};

use super::coercion_rows::{self as rows, Outcome, Row};
use super::markdown::{capitalized, code, or, prose, table};
use super::{context, load};

/// The keys of a file: its own, then those of each object below the key that it belongs to.
pub(crate) fn keys(file: &'static ObjectSchema) -> String {
    let mut places = Vec::new();
    meet(file, &mut places);
    let sections: Vec<String> = places.into_iter().map(section).collect();
    sections.join("\n")
}

fn meet(schema: &'static ObjectSchema, places: &mut Vec<&'static ObjectSchema>) {
    if places.iter().any(|known| std::ptr::eq(*known, schema)) {
        return;
    }
    places.push(schema);
    // The last key of an object is what the object is for.
    let keys: Vec<_> = schema.keys.iter().collect();
    for key in keys.into_iter().rev() {
        for object in objects(&key.shape) {
            meet(object, places);
        }
    }
}

fn objects(shape: &'static Shape) -> Vec<&'static ObjectSchema> {
    match shape {
        Shape::Object(schema) => vec![schema],
        Shape::List(shape) | Shape::Named(shape) => objects(shape),
        Shape::Either(shapes) => shapes.iter().flat_map(objects).collect(),
        _ => Vec::new(),
    }
}

fn section(schema: &'static ObjectSchema) -> String {
    let rows: Vec<[String; 4]> = schema
        .keys
        .iter()
        .map(|key| {
            let mut doc = prose(&capitalized(key.doc)) + ".";
            if key.status == Status::Required {
                doc += " **Required.**";
            }
            if !key.default.is_empty() {
                doc = format!("{doc} Default: {}.", default(key));
            }
            [code(key.name), values(&key.shape), doc, code(key.example)]
        })
        .collect();
    let title = capitalized(schema.name);
    let keys = table(["key", "value", "description", "example"], &rows);
    format!("### {title}\n\n{keys}")
}

fn default(key: &'static KeySchema) -> String {
    let word = code(key.default);
    if alternatives(&key.shape).contains(&word) {
        word
    } else {
        key.default.to_owned()
    }
}

/// Describes the values of a shape.
fn values(shape: &'static Shape) -> String {
    or(&alternatives(shape))
}

fn alternatives(shape: &'static Shape) -> Vec<String> {
    let one = match shape {
        Shape::Either(shapes) => return shapes.iter().flat_map(alternatives).collect(),
        Shape::Words(words) => return words.iter().map(|word| code(word)).collect(),
        Shape::Boolean => return vec![code("true"), code("false")],
        Shape::Constant => return ["number", "boolean", "text"].map(str::to_owned).into(),
        Shape::Number(number) => code(&number.to_string()),
        Shape::Null => code("null"),
        Shape::Name => "text".to_owned(),
        Shape::Value => "[value](#values)".to_owned(),
        Shape::Pattern => "[event pattern](#event-patterns)".to_owned(),
        Shape::Json => "JSON".to_owned(),
        Shape::List(items) => format!("list, each item {}", values(items)),
        Shape::Named(Shape::Json) => "JSON object".to_owned(),
        Shape::Named(members) => format!("object, each member {}", values(members)),
        Shape::Object(schema) => format!("[{}](#{})", prose(schema.name), anchor(schema)),
    };
    vec![one]
}

/// The heading's anchor, as GitHub makes it.
fn anchor(schema: &ObjectSchema) -> String {
    schema
        .name
        .replace('`', "")
        .replace(' ', "-")
        .to_lowercase()
}

/// The values of each field type. Values with the same result and the same note share a row.
pub(crate) fn coercion() -> String {
    let sections = rows::sections().into_iter().map(|section| {
        let mut grouped: Vec<(&Row, Vec<String>)> = Vec::new();
        for row in &section.rows {
            let same = |(first, _): &&mut (&Row, Vec<String>)| {
                first.note == row.note && result(first) == result(row)
            };
            match grouped.iter_mut().find(same) {
                Some((_, values)) => values.push(value(row)),
                None => grouped.push((row, vec![value(row)])),
            }
        }
        let mut rules = HashSet::new();
        let rows: Vec<[String; 2]> = grouped
            .into_iter()
            .map(|(row, values)| {
                let mut outcome = shortened(result(row), &mut rules);
                if !row.note.is_empty() {
                    outcome = format!("{outcome} ({})", prose(&row.note));
                }
                [values.join(", "), outcome]
            })
            .collect();
        let about = match section.about.as_str() {
            "" => format!("Of type {}.", section.field.kind.name()),
            about => about.to_owned(),
        };
        let sent = code(member(&section.rows));
        let rows = table(["value", "result"], &rows);
        format!("### {}\n\n{about} Sent as {sent}.\n\n{rows}", section.title)
    });
    sections.collect::<Vec<_>>().join("\n")
}

/// The member of `FieldValueUnion` that the rows of a section are sent as.
fn member(rows: &[Row]) -> &str {
    let members: HashSet<&str> = rows
        .iter()
        .filter_map(|row| match &row.outcome {
            Outcome::Sent(member, _) => Some(member.as_str()),
            Outcome::Kept(_) => Some("stringValue"),
            Outcome::Missing | Outcome::Refused(_) => None,
        })
        .collect();
    assert_eq!(members.len(), 1, "{members:?}");
    members.into_iter().next().expect("a member")
}

fn value(row: &Row) -> String {
    let json = row.value.to_string();
    // As authors write what cannot be seen, and exponents.
    let json = json.replace('\u{301}', "\\u0301").replace("e+", "e");
    let truncate = if row.truncate {
        " with `overflow: truncate`"
    } else {
        ""
    };
    match row.times {
        1 => format!("{}{truncate}", code(&json)),
        times => format!("{} × {times}{truncate}", code(&json)),
    }
}

/// Describes the result of a value.
fn result(row: &Row) -> String {
    match &row.outcome {
        Outcome::Sent(_, value) if *value == row.value => "unchanged".to_owned(),
        Outcome::Sent(_, value) => code(&value.to_string()),
        Outcome::Kept(times) if *times == row.times => "unchanged".to_owned(),
        Outcome::Kept(times) => format!("the first {times}"),
        Outcome::Missing => "missing".to_owned(),
        Outcome::Refused(message) => format!("refused: {}", prose(message)),
    }
}

/// The result without a rule that the section has already.
fn shortened(result: String, rules: &mut HashSet<String>) -> String {
    let Some((rule, found)) = result.split_once(", found ") else {
        return result;
    };
    if rules.insert(rule.to_owned()) {
        result
    } else {
        format!("refused: …, found {found}")
    }
}

/// Entries of a case mapping, and the detail of an event that cannot become its case.
fn refusals() -> Value {
    json!([
        ["fields: { title: \"{{ $.detail.name }}\" }", {}],
        ["fields: { title: A, Order total: $.detail.amount }", { "amount": "about 40" }],
        ["fields: { title: A, Items: $.detail.items }", { "items": ["kettle"] }],
        ["fields: { title: \"{{ $.detail.name | upper }}\" }", { "name": 7 }],
        ["fields: { title: $.detail.name }", { "name": "x".repeat(501) }],
        ["fields: { title: A, Order number: { value: $.detail.id, if_missing: skip } }", {}],
        ["fields: { title: A }\n    key: $.detail.id", {}],
        ["fields: { title: A }\n    tags: { city: $.detail.city }", { "city": "Zürich" }],
        ["fields: { title: A }\n    customer: { find: [{ _email: $.detail.email }, { _phone: $.detail.phone }] }", {}],
        ["fields: { title: A }\n    customer: { find: [{ _account: $.detail.account }] }", { "account": ["4711"] }],
    ])
}

/// The function's errors for events that cannot become a case.
pub(crate) fn errors() -> String {
    let refusals = refusals();
    let row = |refusal: &Value| {
        let entries = refusal[0].as_str().expect("entries");
        let failure = refusal_of(entries, &refusal[1]);
        let field = failure.field.as_deref().map(code).unwrap_or_default();
        [code(failure.code.name()), field, prose(&failure.message)]
    };
    let rows: Vec<_> = refusals
        .as_array()
        .expect("a list")
        .iter()
        .map(row)
        .collect();
    table(["`errorCode`", "`errorField`", "`errorMessage`"], &rows)
}

fn refusal_of(entries: &str, detail: &Value) -> Failure {
    let template = if entries.contains("Order number") {
        "Order problem"
    } else {
        "Contact follow-up"
    };
    let mapping = load(&format!(
        "version: 1\ncases:\n  - name: a\n    trigger: eventbridge\n    template: {template}\n    {entries}\n"
    ))
    .unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let event = json!({ "source": "shop", "detail-type": "Order", "id": "1", "detail": detail });
    let Ok(Payload::Event(event)) = Payload::parse(&event.to_string()) else {
        panic!("one event");
    };
    let case = event.route(&mapping, "").expect("it takes every event");
    let refused = CaseRequest::assemble(case, &event, &context());
    refused.err().unwrap_or_else(|| panic!("{entries}: a case"))
}
