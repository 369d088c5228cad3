//! Differences of templates.

use serde_json::Value;

use super::{Difference, Pair, changed, is_gone, is_new, names, pairs, renamed};
use crate::pull::snapshot::{Snapshot, text};
use crate::pull::usage::Usage;

pub(super) fn differences(old: &Snapshot, new: &Snapshot, usage: &Usage) -> Vec<Difference> {
    let mut list = Vec::new();
    for pair in pairs(old.list("templates"), new.list("templates"), "templateId") {
        let id = text(pair.either(), "templateId");
        let mut found = match pair {
            Pair::New(template) => vec![is_new("template", template)],
            Pair::Gone(template) => vec![is_gone("template", template)],
            Pair::Both(old, new) => changes(old, new),
        };
        found = found
            .into_iter()
            .map(|found| found.used_by(usage.of_template(id)))
            .collect();
        if let Pair::Both(old_template, new_template) = pair {
            let name = |field: &str| name(new, field).or_else(|| name(old, field));
            let fields = (required(old_template), required(new_template));
            found.extend(required_fields(new_template, fields, name, usage));
        }
        list.extend(found.into_iter().map(|found| found.id("templateId", id)));
    }
    list
}

fn changes(old: &Value, new: &Value) -> Vec<Difference> {
    let who = format!("template {}", text(old, "name"));
    let mut list = renamed("template", old, new);
    match (text(old, "status"), text(new, "status")) {
        (was, is) if was == is => {}
        (_, "Inactive") => {
            let message = format!("{who} is inactive now");
            list.push(Difference::new("template-inactive", message));
        }
        _ => list.push(Difference::new(
            "template-active",
            format!("{who} is active now"),
        )),
    }
    let mut told = vec!["name", "status"];
    if required(old) != required(new) {
        told.push("requiredFields");
    }
    list.extend(changed("template", &who, old, new, &told));
    list
}

/// Ids of the fields that a case of the template must have.
fn required(template: &Value) -> Vec<&str> {
    let fields = template.get("requiredFields").and_then(Value::as_array);
    let fields = fields.into_iter().flatten();
    fields.map(|field| text(field, "fieldId")).collect()
}

fn required_fields<'a>(
    template: &Value,
    (old, new): (Vec<&'a str>, Vec<&'a str>),
    name: impl Fn(&str) -> Option<&'a str>,
    usage: &Usage,
) -> Vec<Difference> {
    let (id, who) = (text(template, "templateId"), text(template, "name"));
    let added = new
        .iter()
        .filter(|field| !old.contains(field))
        .map(|field| {
            let message = format!(
                "template {who} requires field {} now",
                name(field).unwrap_or(field)
            );
            let without = usage.without(id, field);
            let verb = if without.len() == 1 { "does" } else { "do" };
            let consequence = format!(", which {} {verb} not set", names(&without));
            let difference = Difference::new("field-required", message);
            difference
                .touching(without, consequence)
                .id("fieldId", field)
        });
    let removed = old
        .iter()
        .filter(|field| !new.contains(field))
        .map(|field| {
            let name = name(field).unwrap_or(field);
            let message = format!("template {who} no longer requires field {name}");
            Difference::new("field-not-required", message).id("fieldId", field)
        });
    added.chain(removed).collect()
}

/// The name of a field of the snapshot.
fn name<'a>(snapshot: &'a Snapshot, field: &str) -> Option<&'a str> {
    let fields = snapshot.list("fields").iter();
    let mut fields = fields.filter(|known| text(known, "fieldId") == field);
    fields.next().map(|known| text(known, "name"))
}
