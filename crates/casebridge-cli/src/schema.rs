//! `schema`: prints the tables of keys as JSON Schema (draft 2020-12), for completion and diagnostics in editors.
//!
//! The schema covers structure: keys, kinds of values, words. `check` covers the text of values and the names of the domain.
//! Other YAML readers resolve scalars differently, so a value or a name may also be a number or a boolean.

use mapping::schema::{self, KeySchema, ObjectSchema, Shape, Status};
use mapping::tree::{Kind, Literal, Node};
use mapping::yaml;
use serde_json::{Map, Value, json};

use crate::terminal;
use crate::test::schema::{EXPECT, TEST_FILE};

/// Print the JSON Schema of the mapping or of its tests, for editors
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge schema > mapping.schema.json
  cargo casebridge schema test > mapping.test.schema.json

An editor with a YAML language server finds the schema by the first line of a file:
  # yaml-language-server: $schema=./mapping.schema.json")]
pub(crate) struct Arguments {
    /// The file that the schema is for
    #[arg(value_enum, default_value_t = File::Mapping)]
    file: File,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum File {
    /// mapping.yaml
    Mapping,
    /// mapping.test.yaml
    Test,
}

/// # Errors
///
/// When standard output cannot be written to.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let schema = match arguments.file {
        File::Mapping => document("Casebridge mapping", &schema::FILE),
        File::Test => document("Tests of a Casebridge mapping", &TEST_FILE),
    };
    terminal::print(&format!("{schema:#}\n"))?;
    Ok(true)
}

/// The schema of a file.
fn document(title: &str, file: &'static ObjectSchema) -> Value {
    let mut definitions = Definitions::default();
    let mut document = Map::new();
    document.insert(
        "$schema".to_owned(),
        "https://json-schema.org/draft/2020-12/schema".into(),
    );
    document.insert("title".to_owned(), title.into());
    document.extend(definitions.object(file));
    document.insert("$defs".to_owned(), definitions.0.into());
    document.into()
}

/// The definitions of the schema, in the order of their first use.
#[derive(Default)]
struct Definitions(Map<String, Value>);

impl Definitions {
    fn object(&mut self, schema: &'static ObjectSchema) -> Map<String, Value> {
        let keys = schema.keys.iter();
        let required: Vec<&str> = keys
            .clone()
            .filter(|key| key.status == Status::Required)
            .map(|key| key.name)
            .collect();
        let mut object = Map::new();
        object.insert("type".to_owned(), "object".into());
        object.insert("additionalProperties".to_owned(), false.into());
        if !required.is_empty() {
            object.insert("required".to_owned(), json!(required));
        } else if let Some(rule) = one_of(schema) {
            object.insert("oneOf".to_owned(), rule);
        } else {
            object.insert("minProperties".to_owned(), 1.into());
        }
        let properties = keys.map(|key| (key.name.to_owned(), self.property(key)));
        let properties: Map<String, Value> = properties.collect();
        object.insert("properties".to_owned(), properties.into());
        object
    }

    fn property(&mut self, key: &'static KeySchema) -> Value {
        let Value::Object(mut property) = self.shape(&key.shape) else {
            return true.into();
        };
        let doc = capitalized(key.doc);
        let default = match key.default {
            "" => String::new(),
            default => format!("\n\nDefault: {default}."),
        };
        let example = key.example;
        property.insert(
            "description".to_owned(),
            format!("{doc}.{default}\n\nExample: {example}").into(),
        );
        property.insert(
            "markdownDescription".to_owned(),
            format!("{doc}.{default}\n\n```yaml\n{example}\n```").into(),
        );
        if has_word(&key.shape, key.default) {
            property.insert("default".to_owned(), key.default.into());
        }
        if let Some(example) = example_value(key) {
            property.insert("examples".to_owned(), json!([example]));
        }
        property.into()
    }

    fn shape(&mut self, shape: &'static Shape) -> Value {
        match shape {
            Shape::Number(number) => json!({ "const": number }),
            Shape::Boolean => json!({ "type": "boolean" }),
            Shape::Null => json!({ "type": "null" }),
            Shape::Words(words) => json!({ "enum": words }),
            Shape::Json => json!({}),
            Shape::Name => self.scalar("name", "Text that stands for itself."),
            Shape::Constant => self.scalar("constant", "A number, a boolean, or text as it is."),
            Shape::Value => self.scalar(
                "value",
                "A number, a boolean, an expression such as `$.detail.id | upper`, or text with `{{ $.detail.id }}` in it.",
            ),
            Shape::Pattern => {
                for (name, definition) in event_pattern() {
                    self.define(&name, |_| definition);
                }
                reference("event-pattern")
            }
            Shape::List(items) => {
                json!({ "type": "array", "minItems": 1, "items": self.shape(items) })
            }
            Shape::Named(values) => {
                json!({ "type": "object", "additionalProperties": self.shape(values) })
            }
            Shape::Object(schema) => {
                self.define(&definition_name(schema), |this| this.object(schema).into())
            }
            Shape::Either(shapes) => {
                let any: Vec<Value> = shapes.iter().map(|shape| self.shape(shape)).collect();
                json!({ "anyOf": any })
            }
        }
    }

    fn scalar(&mut self, name: &str, description: &str) -> Value {
        let definition = json!({
            "description": description,
            "type": ["string", "number", "boolean"],
            "minLength": 1,
        });
        self.define(name, |_| definition)
    }

    /// A reference to the definition of that name, which is made when it is first asked for.
    fn define(&mut self, name: &str, definition: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), Value::Null);
            let definition = definition(self);
            self.0.insert(name.to_owned(), definition);
        }
        reference(name)
    }
}

/// The definitions of an event pattern and its parts.
fn event_pattern() -> Map<String, Value> {
    let definitions = include_str!("schema/event-pattern.json");
    serde_json::from_str(definitions).unwrap_or_default()
}

/// The rules on which keys go together in an object without required keys. The table has none.
fn one_of(schema: &'static ObjectSchema) -> Option<Value> {
    if std::ptr::eq(schema, &raw const schema::FIELD) {
        Some(json!([{ "required": ["value"] }, { "required": ["choose"] }]))
    } else if std::ptr::eq(schema, &raw const schema::CUSTOMER) {
        // Keys about the result of a search need a search.
        Some(json!([
            { "required": ["profile_id"], "maxProperties": 1 },
            { "required": ["find"], "properties": { "profile_id": false } },
        ]))
    } else if std::ptr::eq(schema, &raw const EXPECT) {
        Some(json!([
            { "required": ["case"], "properties": { "skipped": false, "refused": false } },
            { "required": ["skipped"], "maxProperties": 1 },
            { "required": ["refused"], "propertyNames": { "enum": ["case", "refused"] } },
        ]))
    } else {
        None
    }
}

/// Returns whether the word is one of the shape's.
fn has_word(shape: &Shape, word: &str) -> bool {
    match shape {
        Shape::Words(words) => words.contains(&word),
        Shape::Either(shapes) => shapes.iter().any(|shape| has_word(shape, word)),
        _ => false,
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// `a case mapping` is defined as `case-mapping`.
fn definition_name(schema: &ObjectSchema) -> String {
    let name = schema.name.replace('`', "");
    let noun = ["a ", "an ", "the "]
        .iter()
        .find_map(|article| name.strip_prefix(article));
    noun.unwrap_or(&name).replace(' ', "-")
}

fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next();
    first
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(rest)
        .collect()
}

/// The value of the key's example.
fn example_value(key: &KeySchema) -> Option<Value> {
    let (node, _) = yaml::parse(key.example).ok()?;
    match node.kind {
        Kind::Map(entries) => json_of(&entries.first()?.value),
        Kind::Scalar(_) | Kind::List(_) => None,
    }
}

/// A node of a mapping as JSON; what was left empty is nothing.
fn json_of(node: &Node) -> Option<Value> {
    Some(match &node.kind {
        Kind::List(items) => items.iter().filter_map(json_of).collect(),
        Kind::Map(entries) => entries
            .iter()
            .filter_map(|entry| Some((entry.key.text.clone(), json_of(&entry.value)?)))
            .collect(),
        Kind::Scalar(scalar) => match scalar.literal() {
            Literal::Empty => return None,
            Literal::Null => Value::Null,
            Literal::Boolean(boolean) => boolean.into(),
            Literal::Number(text) => serde_json::from_str(text).ok()?,
            Literal::Text(text) => text.into(),
        },
    })
}
