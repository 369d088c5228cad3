//! Shows a case: fields by name in the order of the request, options by label, the customer by name. Related items, performer
//! and tags follow.

use anstyle::Style;
use cases_emulator::Request;
use mapping::domain::Domain;
use serde_json::Value;

use super::rows::Rows;
use crate::terminal::FAINT;

/// Fields that repeat another row, or are times.
const LEFT_OUT: [&str; 5] = [
    "case_id",
    "created_datetime",
    "created_by",
    "last_updated_datetime",
    "last_updated_user",
];

/// The function's own tag, a hash of 64 characters. Its beginning distinguishes cases.
const KEY_TAG: &str = "casebridge:key";
const SHOWN_OF_KEY: usize = 8;

/// Adds the rows of a case in `GetCase`'s shape, with `caseId`, `performedBy`, `profile` and `relatedItems`.
pub(super) fn add(rows: &mut Rows, case: &Value, requests: &[Request], domain: &Domain) {
    let text = |pointer: &str| case.pointer(pointer).and_then(Value::as_str);
    rows.data(FAINT, "case", text("/caseId").unwrap_or_default());
    let template = text("/templateId").unwrap_or_default();
    let named = domain.template(template).map(|found| found.name.as_str());
    rows.data(FAINT, "template", named.unwrap_or(template));

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
    let (given, others): (Vec<_>, Vec<_>) =
        held.into_iter().partition(|(id, _)| place(id).is_some());
    let customer = case.get("profile").and_then(name);
    for (id, value) in given {
        let customer = customer.as_ref().filter(|_| id == CUSTOMER);
        let text = customer.map_or_else(|| shown(id, value, domain), String::clone);
        rows.data(Style::new(), field_name(domain, id), &text);
    }
    if customer_id(case).is_none() && was_searched_for(requests) {
        rows.data(FAINT, field_name(domain, CUSTOMER), "(none found)");
    }
    for (id, value) in others {
        rows.data(FAINT, field_name(domain, id), &shown(id, value, domain));
    }
    related_items(rows, case);

    let performed_by = text("/performedBy/user/customEntity")
        .map(str::to_owned)
        .or_else(|| text("/performedBy/user/userArn").map(short_arn))
        .unwrap_or_else(|| "the function's role".to_owned());
    rows.data(Style::new(), "performed by", &performed_by);
    let tags = case.get("tags").and_then(Value::as_object);
    let mut tags: Vec<_> = tags.into_iter().flatten().collect();
    tags.sort_by_key(|(key, _)| *key == KEY_TAG);
    if !tags.is_empty() {
        let tags: Vec<_> = tags.iter().map(|(key, value)| tag(key, value)).collect();
        rows.data(Style::new(), "tags", &tags.join("  "));
    }
}

/// The field with the ARN of the customer's profile.
const CUSTOMER: &str = "customer_id";

/// The ARN of a case's customer.
pub(super) fn customer_id(case: &Value) -> Option<&str> {
    let (_, value) = fields(case).find(|(id, _)| *id == CUSTOMER)?;
    value.get("stringValue")?.as_str()
}

/// Returns whether the only case of these requests had a search for its customer.
fn was_searched_for(requests: &[Request]) -> bool {
    let of = |operation| {
        let of = move |request: &&Request| request.operation == operation;
        requests.iter().filter(of).count()
    };
    of("SearchProfiles") > 0 && of("CreateCase") == 1
}

/// The customer's name: the person's, or else the company's.
fn name(profile: &Value) -> Option<String> {
    let text = |member: &str| profile.get(member).and_then(Value::as_str);
    let person: Vec<&str> = ["FirstName", "MiddleName", "LastName"]
        .into_iter()
        .filter_map(text)
        .collect();
    match person.as_slice() {
        [] => text("BusinessName").map(str::to_owned),
        person => Some(person.join(" ")),
    }
}

/// Adds the linked contacts, and the number of comments.
fn related_items(rows: &mut Rows, case: &Value) {
    let items = case.get("relatedItems").and_then(Value::as_array);
    let items = || items.into_iter().flatten();
    let contacts = items().filter_map(|item| item.pointer("/content/contact/contactArn")?.as_str());
    let contacts: Vec<&str> = contacts.filter_map(|arn| arn.rsplit('/').next()).collect();
    if !contacts.is_empty() {
        rows.data(Style::new(), "linked contact", &contacts.join("  "));
    }
    let comments = items().filter(|item| item.pointer("/content/comment").is_some());
    match comments.count() {
        0 => {}
        count => rows.data(Style::new(), "comments", &count.to_string()),
    }
}

/// Field ids and `FieldValue`s.
fn fields(body: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let list = body.get("fields").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|field| Some((field.get("id")?.as_str()?, field.get("value")?)))
}

fn shown(field_id: &str, value: &Value, domain: &Domain) -> String {
    let member = value.as_object().and_then(|members| members.iter().next());
    match member.map(|(name, value)| (name.as_str(), value)) {
        Some(("emptyValue", _)) => "(empty)".to_owned(),
        Some(("stringValue" | "userArnValue", Value::String(text))) => {
            let field = domain.field(field_id);
            let mut options = field
                .into_iter()
                .flat_map(|field| field.options.iter().flatten());
            match options.find(|option| option.value == *text) {
                Some(option) => option.name.clone(),
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

/// The name of a field, or else its id.
fn field_name<'a>(domain: &'a Domain, id: &'a str) -> &'a str {
    domain.field(id).map_or(id, |field| &field.name)
}
