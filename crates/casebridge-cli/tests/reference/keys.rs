//! Tables of keys, object by object.

use mapping::schema::{KeySchema, ObjectSchema, Shape, Status};

use super::markdown::{capitalized, code, or, prose, table};

/// The keys of a file: its own, then those of each object below the key that it belongs to.
pub(crate) fn of(file: &'static ObjectSchema) -> String {
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
        for object in groups(&key.shape) {
            meet(object, places);
        }
    }
}

fn groups(shape: &'static Shape) -> Vec<&'static ObjectSchema> {
    match shape {
        Shape::Object(schema) => vec![schema],
        Shape::List(shape) | Shape::Named(shape) => groups(shape),
        Shape::Either(shapes) => shapes.iter().flat_map(groups).collect(),
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

/// What a shape takes, in a few words.
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
