//! Tables of keys, group by group.

use mapping::keys::{KeyInfo, Place, Shape, Status};

use super::markdown::{capitalized, code, or, prose, table};

/// The keys of a file: its own, then those of each group below the key that it belongs to.
pub(crate) fn of(file: &'static Place) -> String {
    let mut places = Vec::new();
    meet(file, &mut places);
    let sections: Vec<String> = places.into_iter().map(section).collect();
    sections.join("\n")
}

fn meet(place: &'static Place, places: &mut Vec<&'static Place>) {
    if places.iter().any(|known| std::ptr::eq(*known, place)) {
        return;
    }
    places.push(place);
    // The last key of a group is what the group is for.
    let keys: Vec<_> = available(place).collect();
    for key in keys.into_iter().rev() {
        for group in groups(&key.shape) {
            meet(group, places);
        }
    }
}

fn groups(shape: &'static Shape) -> Vec<&'static Place> {
    match shape {
        Shape::Group(place) => vec![place],
        Shape::List(shape) | Shape::Named(shape) => groups(shape),
        Shape::Either(shapes) => shapes.iter().flat_map(groups).collect(),
        _ => Vec::new(),
    }
}

fn available(place: &'static Place) -> impl Iterator<Item = &'static KeyInfo> {
    let keys = place.keys.iter();
    keys.filter(|key| !matches!(key.status, Status::Later(_)))
}

fn section(place: &'static Place) -> String {
    let rows: Vec<[String; 4]> = available(place)
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
    let title = capitalized(place.name);
    let keys = table(["key", "takes", "what it does", "example"], &rows);
    let later: Vec<String> = place
        .keys
        .iter()
        .filter(|key| matches!(key.status, Status::Later(_)))
        .map(|key| code(key.name))
        .collect();
    let later = match later.len() {
        0 => String::new(),
        _ => format!(
            "\nOf a later release, and refused until then: {}.\n",
            later.join(", ")
        ),
    };
    format!("### {title}\n\n{keys}{later}")
}

fn default(key: &'static KeyInfo) -> String {
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
        Shape::True => code("true"),
        Shape::Null => code("null"),
        Shape::Name => "a name".to_owned(),
        Shape::Value => "a [value](#values)".to_owned(),
        Shape::Pattern => "an [event pattern](#event-patterns)".to_owned(),
        Shape::Json => "any JSON".to_owned(),
        Shape::List(items) => format!("a list, each item {}", takes(items)),
        Shape::Named(Shape::Json) => "a JSON object".to_owned(),
        Shape::Named(values) => format!("a group: for each name {}", takes(values)),
        Shape::Group(place) => format!("[{}](#{})", prose(place.name), anchor(place)),
    };
    vec![one]
}

/// The heading's anchor, as GitHub makes it.
fn anchor(place: &Place) -> String {
    place.name.replace('`', "").replace(' ', "-").to_lowercase()
}
