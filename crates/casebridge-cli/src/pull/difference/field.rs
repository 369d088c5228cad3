//! Differences of fields and their options.

use serde_json::{Value, json};

use super::{Difference, Pair, changed, is_gone, is_new, pairs, renamed};
use crate::pull::snapshot::{Snapshot, text};
use crate::pull::usage::Usage;

pub(super) fn differences(old: &Snapshot, new: &Snapshot, usage: &Usage) -> Vec<Difference> {
    let mut list = Vec::new();
    for pair in pairs(old.list("fields"), new.list("fields"), "fieldId") {
        let id = text(pair.either(), "fieldId");
        let found = match pair {
            Pair::New(field) => vec![is_new("field", field)],
            Pair::Gone(field) => vec![is_gone("field", field)],
            Pair::Both(old, new) => changes(old, new),
        };
        let used = |found: Difference| found.used_by(usage.of_field(id));
        list.extend(
            found
                .into_iter()
                .map(used)
                .map(|found| found.id("fieldId", id)),
        );
        if let Pair::Both(old, new) = pair {
            list.extend(options(old, new, id, usage));
        }
    }
    list
}

fn changes(old: &Value, new: &Value) -> Vec<Difference> {
    let who = format!("field {}", text(old, "name"));
    let mut list = renamed("field", old, new);
    let (old_type, new_type) = (text(old, "type"), text(new, "type"));
    if old_type != new_type {
        let message = format!("{who} changed its type from {old_type} to {new_type}");
        list.push(Difference::new("field-type", message));
    }
    let mut told = vec!["name", "type", "options"];
    if let (Some(old), Some(new)) = (multiline(old), multiline(new))
        && old != new
    {
        told.push("attributes");
        let length = if new {
            "multi-line text now"
        } else {
            "single-line text now, of 500 characters at most"
        };
        list.push(Difference::new("field-lines", format!("{who} is {length}")));
    }
    let listed = |field: &Value| field.get("options").is_some();
    if listed(old) != listed(new) && options_of(old).is_empty() && options_of(new).is_empty() {
        told.retain(|member| *member != "options");
    }
    list.extend(changed("field", &who, old, new, &told));
    list
}

/// Whether a text field takes several lines, if that is all its attributes say.
fn multiline(field: &Value) -> Option<bool> {
    let attributes = field.get("attributes")?;
    [true, false]
        .into_iter()
        .find(|lines| *attributes == json!({ "text": { "isMultiline": lines } }))
}

fn options(old: &Value, new: &Value, field: &str, usage: &Usage) -> Vec<Difference> {
    let name = text(old, "name");
    let (old, new) = (options_of(old), options_of(new));
    let mut list = Vec::new();
    for pair in pairs(old, new, "value") {
        let found = match pair {
            Pair::Gone(option) => {
                let message = format!("field {name} lost option {}", label(option, new));
                vec![Difference::new("option-lost", message)]
            }
            Pair::New(option) => {
                let inactive = option.get("active") == Some(&Value::Bool(false));
                let state = if inactive { "inactive " } else { "" };
                let label = label(option, old);
                let message = format!("field {name} has the new {state}option {label}");
                vec![Difference::new("option-new", message)]
            }
            Pair::Both(old, new) => option_changes(old, new, name),
        };
        let value = text(pair.either(), "value");
        let used = |found: Difference| found.used_by(usage.of_option(field, value));
        let found = found.into_iter().map(used);
        list.extend(found.map(|found| found.id("fieldId", field).id("value", value)));
    }
    list
}

fn options_of(field: &Value) -> &[Value] {
    let options = field.get("options").and_then(Value::as_array);
    options.map_or(&[], Vec::as_slice)
}

/// The option's name, and its value where the other list has another option of the same name.
fn label(option: &Value, others: &[Value]) -> String {
    let name = text(option, "name");
    if others.iter().any(|other| text(other, "name") == name) {
        format!("{name} (value {})", text(option, "value"))
    } else {
        name.to_owned()
    }
}

fn option_changes(old: &Value, new: &Value, field: &str) -> Vec<Difference> {
    let who = format!("option {} of field {field}", text(old, "name"));
    let (was, is) = (text(old, "name"), text(new, "name"));
    let mut list = Vec::new();
    if was != is {
        let message = format!("{who} was renamed to {is}");
        list.push(Difference::new("option-renamed", message));
    }
    match (old.get("active"), new.get("active")) {
        (was, is) if was == is => {}
        (_, Some(Value::Bool(false))) => {
            let message = format!("{who} is inactive now");
            list.push(Difference::new("option-inactive", message));
        }
        _ => list.push(Difference::new(
            "option-active",
            format!("{who} is active now"),
        )),
    }
    list.extend(changed("option", &who, old, new, &["name", "active"]));
    list
}
