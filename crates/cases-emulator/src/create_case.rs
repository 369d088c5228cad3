//! `CreateCase`: a body to a [`NewCase`] that may be stored. First the shapes of the service model,
//! then what the domain and the customer's profile demand; whether the client token is a replay is `state`'s to see.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::case::UserUnion;
use crate::domain::{Domain, Template};
use crate::field_value::{self, FieldValue};
use crate::fingerprint::fingerprint;
use crate::member::{Member, check_length};
use crate::patterns::{is_custom_entity, is_reserved_tag_key, is_tag_key, is_tag_value};
use crate::service::Refusal;
use crate::state::State;

/// System fields that Cases sets by itself.
const NOT_WRITABLE: [&str; 6] = [
    "case_id",
    "created_by",
    "created_datetime",
    "last_closed_datetime",
    "last_updated_datetime",
    "last_updated_user",
];

/// A case that passed every check and is not stored yet.
#[derive(Debug)]
pub(crate) struct NewCase {
    pub(crate) template_id: String,
    pub(crate) values: BTreeMap<String, FieldValue>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) performed_by: Option<UserUnion>,
    pub(crate) client_token: Option<String>,
    /// Equal for two bodies that ask for the same case.
    pub(crate) fingerprint: String,
}

/// `CreateCase`: stores the case, or finds the one its client token has already made.
pub(crate) fn create_case(
    domain: &Domain,
    state: &mut State,
    body: &Value,
) -> Result<Value, Refusal> {
    let new = read(domain, body)?;
    if let Some(FieldValue::Text(arn)) = new.values.get("customer_id")
        && domain.field("customer_id")?.system
    {
        state.profiles.check_customer(domain, arn)?;
    }
    let case = state.create(domain, new)?;
    Ok(json!({ "caseId": case.id, "caseArn": case.arn }))
}

fn read(domain: &Domain, value: &Value) -> Result<NewCase, Refusal> {
    let body = Member::body(value);
    let template_id = body.required("templateId")?.text(1..=500)?;
    let values = values(&body.required("fields")?, 0..=220)?;
    let client_token = match body.optional("clientToken")? {
        Some(token) => Some(token.text(0..=64)?).filter(|token| !token.is_empty()),
        None => None,
    };
    let performed_by = body.optional("performedBy")?;
    let performed_by = performed_by.map(|user| performer(&user)).transpose()?;
    let mut tags = match body.optional("tags")? {
        Some(tags) => read_tags(&tags)?,
        None => BTreeMap::new(),
    };

    let template = domain.template(template_id)?;
    if !template.active || template.deleted {
        let state = if template.deleted {
            "deleted"
        } else {
            "Inactive"
        };
        return Err(Refusal::Validation(format!(
            "template '{template_id}' is {state}, and no case can be made from it"
        )));
    }
    check_values(domain, template, &values)?;
    for (key, value) in &template.propagated_tags {
        tags.entry(key.clone()).or_insert_with(|| value.clone());
    }
    Ok(NewCase {
        template_id: template_id.to_owned(),
        values,
        tags,
        performed_by,
        client_token: client_token.map(str::to_owned),
        fingerprint: fingerprint(value, &["clientToken"]),
    })
}

/// The values of a list of so many `FieldValue`s, by field id.
pub(crate) fn values(
    fields: &Member<'_>,
    length: RangeInclusive<usize>,
) -> Result<BTreeMap<String, FieldValue>, Refusal> {
    let mut values = BTreeMap::new();
    for item in fields.items(length)? {
        let id = item.required("id")?.text(1..=500)?;
        let value = FieldValue::read(&item.required("value")?)?;
        if values.insert(id.to_owned(), value).is_some() {
            return Err(Refusal::Validation(format!(
                "field '{id}' stands twice in fields"
            )));
        }
    }
    Ok(values)
}

/// The `UserUnion` at `user`, which `performedBy` is.
pub(crate) fn performer(user: &Member<'_>) -> Result<UserUnion, Refusal> {
    let (name, value) = user.union(&["userArn", "customEntity"])?;
    let text = value.text(1..=500)?;
    if name == "userArn" {
        return Ok(UserUnion::UserArn(text.to_owned()));
    }
    if is_custom_entity(text) {
        return Ok(UserUnion::CustomEntity(text.to_owned()));
    }
    Err(Refusal::Validation(format!(
        "{} must be made of a-z, A-Z, 0-9, _, -, ., @, :, / and spaces, and not end in a space",
        value.path()
    )))
}

fn read_tags(tags: &Member<'_>) -> Result<BTreeMap<String, String>, Refusal> {
    const CHARACTERS: &str = "a-z, A-Z, 0-9, spaces and _ . : / = + - @";
    let mut read = BTreeMap::new();
    for (key, value) in tags.entries(0..=50)? {
        check_length(&format!("the tag key '{key}'"), key, 1..=128)?;
        if is_reserved_tag_key(key) {
            return Err(Refusal::Validation(format!(
                "the tag key '{key}' begins with 'aws:', which is kept for AWS's own tags"
            )));
        }
        let text = value.text(0..=256)?;
        if !is_tag_key(key) || !is_tag_value(text) {
            return Err(Refusal::Validation(format!(
                "the tag '{key}' may have only {CHARACTERS} in its key and value"
            )));
        }
        read.insert(key.to_owned(), text.to_owned());
    }
    Ok(read)
}

fn check_values(
    domain: &Domain,
    template: &Template,
    values: &BTreeMap<String, FieldValue>,
) -> Result<(), Refusal> {
    let required = template.required_fields.iter().map(String::as_str);
    let required: BTreeSet<&str> = required.chain(["title"]).collect();
    for (id, value) in values {
        let field = domain.field(id)?;
        if field.system && NOT_WRITABLE.contains(&id.as_str()) {
            return Err(Refusal::Validation(format!(
                "field '{id}' is set by Cases itself and cannot be written"
            )));
        }
        field_value::check(field, value)?;
    }
    for id in required {
        match values.get(id) {
            Some(value) if !value.is_blank() => {}
            Some(_) => {
                return Err(Refusal::Validation(format!(
                    "field '{id}' is required and cannot be empty"
                )));
            }
            None => {
                return Err(Refusal::Validation(format!(
                    "field '{id}' is required and is not among the fields"
                )));
            }
        }
    }
    Ok(())
}
