//! The parts of the reference that the library's own tables give: keys, coercion, diagnostics and errors.

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
            [code(key.name), takes(&key.shape), doc, code(key.example)]
        })
        .collect();
    let title = capitalized(schema.name);
    let keys = table(["key", "takes", "what it does", "example"], &rows);
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
fn takes(shape: &'static Shape) -> String {
    or(&alternatives(shape))
}

fn alternatives(shape: &'static Shape) -> Vec<String> {
    let one = match shape {
        Shape::Either(shapes) => return shapes.iter().flat_map(alternatives).collect(),
        Shape::Words(words) => return words.iter().map(|word| code(word)).collect(),
        Shape::Boolean => return vec![code("true"), code("false")],
        Shape::Constant => return ["a number", "a boolean", "text"].map(str::to_owned).into(),
        Shape::Number(number) => code(&number.to_string()),
        Shape::Null => code("null"),
        Shape::Name => "a name".to_owned(),
        Shape::Value => "a [value](#values)".to_owned(),
        Shape::Pattern => "an [event pattern](#event-patterns)".to_owned(),
        Shape::Json => "any JSON".to_owned(),
        Shape::List(items) => format!("a list, each item {}", takes(items)),
        Shape::Named(Shape::Json) => "a JSON object".to_owned(),
        Shape::Named(values) => format!("an object: for each name {}", takes(values)),
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

pub(crate) fn coercion() -> String {
    let sections = rows::sections().into_iter().map(|section| {
        let mut rules = HashSet::new();
        let rows: Vec<[String; 3]> = section
            .rows
            .iter()
            .map(|row| [value(row), outcome(row, &mut rules), prose(&row.note)])
            .collect();
        let about = match section.about.as_str() {
            "" => format!("Of type {}.", section.field.kind.name()),
            about => about.to_owned(),
        };
        let rows = table(["value", "becomes", ""], &rows);
        format!("### {}\n\n{about}\n\n{rows}", section.title)
    });
    sections.collect::<Vec<_>>().join("\n")
}

fn value(row: &Row) -> String {
    let json = row.value.to_string();
    // As authors write what cannot be seen, and exponents.
    let json = json.replace('\u{301}', "\\u0301").replace("e+", "e");
    let truncate = if row.truncate {
        ", `overflow: truncate`"
    } else {
        ""
    };
    match row.times {
        1 => format!("{}{truncate}", code(&json)),
        times => format!("{} × {times}{truncate}", code(&json)),
    }
}

/// Describes the result of a value. A rule that the section has already is not repeated.
fn outcome(row: &Row, rules: &mut HashSet<String>) -> String {
    match &row.outcome {
        Outcome::Sent(member, value) if *value == row.value => format!("{member}, as it is"),
        Outcome::Sent(member, value) => format!("{member} {}", code(&value.to_string())),
        Outcome::Kept(times) if *times == row.times => "stringValue, as it is".to_owned(),
        Outcome::Kept(times) => format!("stringValue, the first {times}"),
        Outcome::Missing => "missing".to_owned(),
        Outcome::Refused(message) => {
            let (rule, found) = message
                .split_once(", found ")
                .unwrap_or((message, "the same"));
            if rules.insert(rule.to_owned()) {
                format!("refused: {}", prose(message))
            } else {
                format!("refused: …, found {}", prose(found))
            }
        }
    }
}

const BROKEN: &str = "\
version: 1
cases:
  - name: order-failed
    trigger: eventbridge
    when:
      source: com.example.orders
    template: Order problem
    fields:
      title: Order {{ $.detail.order.id | uper }} failed
      Order number: $.detail.order.id
      Order totl: $.detail.order.amount
      Priority: Hihg
";

/// A mapping with diagnostics, and the diagnostics.
pub(crate) fn diagnostics() -> String {
    let diagnostics = load(BROKEN).expect_err("there are diagnostics");
    format!("```yaml\n{BROKEN}```\n\n```text\n{diagnostics}\n```")
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
