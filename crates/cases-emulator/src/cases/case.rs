//! A case, and the request that creates it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::domain::{Domain, Field, Template, TemplateStatus};
use super::field_value::{self, FieldValue};
use super::patterns::{is_custom_entity, is_reserved_tag_key, is_tag_key, is_tag_value};
use crate::identifiers::{fingerprint, reference_number};
use crate::member::{Member, check_length};
use crate::service::Refusal;

/// System fields that only Cases sets.
const NOT_WRITABLE: [&str; 6] = [
    "case_id",
    "created_by",
    "created_datetime",
    "last_closed_datetime",
    "last_updated_datetime",
    "last_updated_user",
];

/// A stored case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) template_id: String,
    /// The values that have been set, `emptyValue` included, by field id.
    pub(super) values: BTreeMap<String, FieldValue>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) performed_by: Option<UserUnion>,
    pub(super) created: Instant,
    pub(super) created_time: String,
    pub(super) event_id: String,
}

impl Case {
    /// Sets the fields that Cases itself sets, as far as the domain has them.
    pub(super) fn set_system_fields(&mut self, domain: &Domain, sequence: u64) {
        let text = |text: &str| FieldValue::Text(text.to_owned());
        let mut defaults = vec![
            ("case_id", text(&self.id)),
            ("created_datetime", text(&self.created_time)),
            ("last_updated_datetime", text(&self.created_time)),
            ("reference_number", text(&reference_number(sequence))),
        ];
        if let Ok(status) = domain.field("status") {
            let mut options = status.options.iter();
            let open =
                options.find(|option| option.active && option.value.eq_ignore_ascii_case("open"));
            let value = open.map_or("open", |option| option.value.as_str());
            defaults.push(("status", text(value)));
        }
        if let Some(UserUnion::UserArn(arn)) = &self.performed_by {
            for id in ["created_by", "last_updated_user"] {
                defaults.push((id, FieldValue::UserArn(arn.clone())));
            }
        }
        for (id, value) in defaults {
            if domain.field(id).is_ok_and(Field::is_system) {
                self.values.entry(id.to_owned()).or_insert(value);
            }
        }
    }

    /// Returns the answer of `GetCase` for these fields; fields that are not set are left out.
    pub(super) fn show<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Map<String, Value> {
        let field = |id| {
            let value = self.values.get(id)?;
            Some(json!({ "id": id, "value": value.to_json() }))
        };
        let members = [
            ("fields", ids.into_iter().filter_map(field).collect()),
            ("templateId", json!(self.template_id)),
            ("tags", json!(self.tags)),
        ];
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

/// `UserUnion` of the service model.
#[derive(Debug)]
pub(super) enum UserUnion {
    UserArn(String),
    CustomEntity(String),
}

impl UserUnion {
    /// Reads the member `performedBy`.
    pub(super) fn read(body: &Member<'_>) -> Result<Option<Self>, Refusal> {
        let Some(user) = body.optional("performedBy")? else {
            return Ok(None);
        };
        let (name, value) = user.union(&["userArn", "customEntity"])?;
        let text = value.text(1..=500)?.to_owned();
        if name == "userArn" {
            return Ok(Some(Self::UserArn(text)));
        }
        if is_custom_entity(&text) {
            return Ok(Some(Self::CustomEntity(text)));
        }
        Err(Refusal::Validation(format!(
            "{} must be made of a-z, A-Z, 0-9, _, -, ., @, :, / and spaces, and not end in a space",
            value.path()
        )))
    }

    /// Returns the union as the API writes it.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::UserArn(arn) => json!({ "userArn": arn }),
            Self::CustomEntity(entity) => json!({ "customEntity": entity }),
        }
    }
}

/// The request for a case, checked against the domain.
#[derive(Debug)]
pub(super) struct NewCase {
    pub(super) template_id: String,
    pub(super) values: BTreeMap<String, FieldValue>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) performed_by: Option<UserUnion>,
    pub(super) client_token: Option<String>,
    /// Equal for two bodies that ask for the same case.
    pub(super) fingerprint: String,
}

impl NewCase {
    /// Reads the body of `CreateCase`: first the shapes of the service model, then the domain's rules.
    pub(super) fn read(domain: &Domain, value: &Value) -> Result<Self, Refusal> {
        let body = Member::body(value);
        let template_id = body.required("templateId")?.text(1..=500)?;
        let values = values(&body.required("fields")?)?;
        let client_token = match body.optional("clientToken")? {
            Some(token) => Some(token.text(0..=64)?).filter(|token| !token.is_empty()),
            None => None,
        };
        let performed_by = UserUnion::read(&body)?;
        let mut tags = match body.optional("tags")? {
            Some(tags) => read_tags(&tags)?,
            None => BTreeMap::new(),
        };

        let template = domain.template(template_id)?;
        if template.deleted || template.status != TemplateStatus::Active {
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
        let propagated = template.tag_propagation_configurations.iter();
        for (key, value) in propagated.flat_map(|tags| &tags.tag_map) {
            tags.entry(key.clone()).or_insert_with(|| value.clone());
        }
        Ok(Self {
            template_id: template_id.to_owned(),
            values,
            tags,
            performed_by,
            client_token: client_token.map(str::to_owned),
            fingerprint: fingerprint(value, &["clientToken"]),
        })
    }
}

fn values(fields: &Member<'_>) -> Result<BTreeMap<String, FieldValue>, Refusal> {
    let mut values = BTreeMap::new();
    for item in fields.items(0..=220)? {
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

fn read_tags(tags: &Member<'_>) -> Result<BTreeMap<String, String>, Refusal> {
    const CHARACTERS: &str = "a-z, A-Z, 0-9, spaces and _ . : / = + - @";
    let mut read = BTreeMap::new();
    for (key, value) in tags.entries(0..=50)? {
        check_length(&format!("the tag key '{key}'"), key, 1..=128)?;
        if is_reserved_tag_key(key) {
            return Err(Refusal::Validation(format!(
                "the tag key '{key}' begins with 'aws:', which is reserved for AWS's own tags"
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
    for (id, value) in values {
        let field = domain.field(id)?;
        if field.is_system() && NOT_WRITABLE.contains(&id.as_str()) {
            return Err(Refusal::Validation(format!(
                "field '{id}' is set by Cases itself and cannot be written"
            )));
        }
        field_value::check(field, value)?;
    }
    let required = template
        .required_fields
        .iter()
        .map(|field| field.field_id.as_str());
    let required: BTreeSet<&str> = required.chain(["title"]).collect();
    for id in required {
        let fault = match values.get(id) {
            Some(value) if !value.is_blank() => continue,
            Some(_) => "cannot be empty",
            None => "is not among the fields",
        };
        return Err(Refusal::Validation(format!(
            "field '{id}' is required and {fault}"
        )));
    }
    Ok(())
}
