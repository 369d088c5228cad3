//! The reader of `table.yaml`: from its text to rows that a test can try and show.
//!
//! Each row has a value and exactly one expected outcome.

use mapping::field::{Field, FieldOption, FieldType};
use mapping::tree::{Entry, Kind, Literal, Node};
use mapping::yaml;
use serde_json::Value;

/// The rows about one kind of field.
pub(crate) struct Section {
    pub(crate) title: String,
    /// A rule for all rows; may be empty.
    pub(crate) about: String,
    pub(crate) field: Field,
    pub(crate) rows: Vec<Row>,
}

/// A value and its expected outcome.
pub(crate) struct Row {
    /// The value as JSON. If it is text, it is repeated `times` times.
    pub(crate) value: Value,
    /// The number of repetitions of the text.
    pub(crate) times: usize,
    /// True if the field has `overflow: truncate`.
    pub(crate) truncate: bool,
    pub(crate) outcome: Outcome,
    /// A remark; may be empty.
    pub(crate) note: String,
}

/// The expected outcome of a value.
pub(crate) enum Outcome {
    /// A member of `FieldValueUnion`, with its value.
    Sent(String, Value),
    /// `stringValue`: the text, repeated this many times.
    Kept(usize),
    /// The value is missing.
    Missing,
    /// The rule that it breaks.
    Refused(String),
}

/// Returns every section of the table.
pub(crate) fn sections() -> Vec<Section> {
    let (root, diagnostics) = yaml::parse(include_str!("table.yaml")).expect("table.yaml is YAML");
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    items(&root).iter().map(section).collect()
}

fn section(node: &Node) -> Section {
    let text = |key| get(node, key).map(text);
    let flag = |key| get(node, key).is_some();
    let field = match text("field") {
        Some(id) => Field::system(&id).expect("a system field"),
        None => Field {
            id: "f".to_owned(),
            name: "f".to_owned(),
            kind: FieldType::from_name(&text("type").expect("a type")).expect("a field's type"),
            multiline: flag("multiline"),
            options: flag("options").then(options),
        },
    };
    Section {
        title: text("title").expect("a title"),
        about: text("about").unwrap_or_default(),
        field,
        rows: items(get(node, "rows").expect("rows"))
            .iter()
            .map(row)
            .collect(),
    }
}

fn options() -> Vec<FieldOption> {
    let option = |name: &str, value: &str, active| FieldOption {
        name: name.to_owned(),
        value: value.to_owned(),
        active,
    };
    vec![
        option("High", "high", true),
        option("Level 2", "2", true),
        option("Urgent", "urgent", false),
    ]
}

fn row(node: &Node) -> Row {
    let number = |key| get(node, key).map(|node| text(node).parse().expect("a number"));
    let value = json(get(node, "value").expect("a value"));
    let outcomes = entries(node).iter().filter_map(|Entry { key, value }| {
        Some(match key.text.as_str() {
            "value" | "times" | "overflow" | "note" => return None,
            "kept" => Outcome::Kept(number("kept")?),
            "missing" => Outcome::Missing,
            "refused" => Outcome::Refused(text(value)),
            member => Outcome::Sent(member.to_owned(), json(value)),
        })
    });
    let mut outcomes: Vec<Outcome> = outcomes.collect();
    assert_eq!(outcomes.len(), 1, "a row has one outcome: {value}");
    Row {
        value,
        times: number("times").unwrap_or(1),
        truncate: get(node, "overflow").is_some_and(|node| text(node) == "truncate"),
        outcome: outcomes.remove(0),
        note: get(node, "note").map(text).unwrap_or_default(),
    }
}

fn items(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::List(items) => items,
        _ => panic!("line {}: a list", node.span.start.line),
    }
}

fn entries(node: &Node) -> &[Entry] {
    match &node.kind {
        Kind::Map(entries) => entries,
        _ => panic!("line {}: an object", node.span.start.line),
    }
}

fn get<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let entry = entries(node).iter().find(|entry| entry.key.text == key);
    entry.map(|entry| &entry.value)
}

fn text(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar(scalar) => scalar.text.clone(),
        _ => panic!("line {}: text", node.span.start.line),
    }
}

fn json(node: &Node) -> Value {
    match &node.kind {
        Kind::List(items) => items.iter().map(json).collect(),
        Kind::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.text.clone(), json(&entry.value)))
            .collect(),
        Kind::Scalar(scalar) => match scalar.literal() {
            Literal::Empty | Literal::Null => Value::Null,
            Literal::Boolean(boolean) => boolean.into(),
            Literal::Number(text) => serde_json::from_str(text).expect("a number"),
            Literal::Text(text) => text.into(),
        },
    }
}
