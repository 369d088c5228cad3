//! What people call the things of a Cases domain: field, option and template ids into the names of the domain snapshot.

use std::collections::HashMap;

use serde_json::Value;

/// Names by id. What the snapshot does not name keeps its id.
#[derive(Debug, Default)]
pub(super) struct Names {
    fields: HashMap<String, String>,
    /// Option labels by field id and option value.
    options: HashMap<(String, String), String>,
    templates: HashMap<String, String>,
}

impl Names {
    /// Reads `domain.json`, which the emulator has found sound by now.
    pub(super) fn read(snapshot: &str) -> Self {
        let snapshot: &Value = &serde_json::from_str(snapshot).unwrap_or_default();
        let mut names = Self::default();
        for template in list(snapshot, "templates") {
            if let (Some(id), Some(name)) = (text(template, "templateId"), text(template, "name")) {
                names.templates.insert(id, name);
            }
        }
        for field in list(snapshot, "fields") {
            let Some(id) = text(field, "fieldId") else {
                continue;
            };
            for option in list(field, "options") {
                if let (Some(value), Some(label)) = (text(option, "value"), text(option, "name")) {
                    names.options.insert((id.clone(), value), label);
                }
            }
            if let Some(name) = text(field, "name") {
                names.fields.insert(id, name);
            }
        }
        names
    }

    pub(super) fn field<'a>(&'a self, id: &'a str) -> &'a str {
        self.fields.get(id).map_or(id, String::as_str)
    }

    pub(super) fn template<'a>(&'a self, id: &'a str) -> &'a str {
        self.templates.get(id).map_or(id, String::as_str)
    }

    /// The label of an option; absent for a field without options.
    pub(super) fn option(&self, field_id: &str, value: &str) -> Option<&str> {
        let key = (field_id.to_owned(), value.to_owned());
        self.options.get(&key).map(String::as_str)
    }
}

fn list<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(member)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text(value: &Value, member: &str) -> Option<String> {
    value.get(member)?.as_str().map(str::to_owned)
}
