//! A case as people read it: fields by name in the order of the request, options by label, then who performed it and
//! its tags.

use anstyle::Style;
use cases_emulator::Request;
use serde_json::Value;

use super::names::Names;
use super::rows::Rows;
use crate::terminal::FAINT;

/// What the other rows say already, or what only a clock says.
const LEFT_OUT: [&str; 5] = [
    "case_id",
    "created_datetime",
    "created_by",
    "last_updated_datetime",
    "last_updated_user",
];

/// The function's own tag, a hash of 64 characters; its beginning tells cases apart.
const KEY_TAG: &str = "casebridge:key";
const SHOWN_OF_KEY: usize = 8;

/// Adds the rows of a case in `GetCase`'s shape, with `caseId` and `performedBy`.
pub(super) fn add(rows: &mut Rows, case: &Value, requests: &[Request], names: &Names) {
    let text = |pointer: &str| case.pointer(pointer).and_then(Value::as_str);
    rows.data(FAINT, "case", text("/caseId").unwrap_or_default());
    rows.data(
        FAINT,
        "template",
        names.template(text("/templateId").unwrap_or_default()),
    );

    let sent: Vec<&str> = requests
        .iter()
        .filter(|request| request.operation == "CreateCase")
        .flat_map(|request| fields(&request.body))
        .map(|(id, _)| id)
        .collect();
    let place = |id: &str| sent.iter().position(|sent| *sent == id);
    let mut held: Vec<_> = fields(case)
        .filter(|(id, _)| !LEFT_OUT.contains(id))
        .collect();
    held.sort_by_key(|(id, _)| place(id).unwrap_or(usize::MAX));
    for (id, value) in held {
        let style = if place(id).is_some() {
            Style::new()
        } else {
            FAINT
        };
        rows.data(style, names.field(id), &shown(id, value, names));
    }

    let performed_by = text("/performedBy/user/customEntity")
        .map(str::to_owned)
        .or_else(|| text("/performedBy/user/userArn").map(short_arn))
        .unwrap_or_else(|| "the function's role".to_owned());
    rows.data(Style::new(), "performed by", &performed_by);
    if let Some(tags) = case
        .get("tags")
        .and_then(Value::as_object)
        .filter(|tags| !tags.is_empty())
    {
        let (key, others): (Vec<_>, Vec<_>) = tags.iter().partition(|(key, _)| *key == KEY_TAG);
        let tags: Vec<_> = others
            .into_iter()
            .chain(key)
            .map(|(key, value)| tag(key, value))
            .collect();
        rows.data(Style::new(), "tags", &tags.join("  "));
    }
}

/// Field ids and `FieldValue`s.
fn fields(body: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let list = body.get("fields").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|field| Some((field.get("id")?.as_str()?, field.get("value")?)))
}

fn shown(field_id: &str, value: &Value, names: &Names) -> String {
    let member = value.as_object().and_then(|members| members.iter().next());
    match member.map(|(name, value)| (name.as_str(), value)) {
        Some(("emptyValue", _)) => "(empty)".to_owned(),
        Some(("stringValue" | "userArnValue", Value::String(text))) => {
            match names.option(field_id, text) {
                Some(label) => label.to_owned(),
                None if text.starts_with("arn:") => short_arn(text),
                None => text.clone(),
            }
        }
        Some((_, value)) => {
            let text = value.to_string();
            text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
        }
        None => String::new(),
    }
}

/// Service and resource of an ARN: `arn:aws:connect:…/agent/9a1b5d77`. The whole is in the output of `--json`.
fn short_arn(arn: &str) -> String {
    let head: Vec<_> = arn.split(':').take(3).collect();
    let mut tail: Vec<_> = arn.rsplit('/').take(2).collect();
    tail.reverse();
    if tail.len() < 2 || arn.split(':').count() < 6 {
        return arn.to_owned();
    }
    format!("{}:…/{}", head.join(":"), tail.join("/"))
}

fn tag(key: &str, value: &Value) -> String {
    let value = value.as_str().unwrap_or_default();
    if key == KEY_TAG {
        let beginning: String = value.chars().take(SHOWN_OF_KEY).collect();
        return format!("{key}={beginning}…");
    }
    format!("{key}={value}")
}
