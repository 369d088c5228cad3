//! The domain snapshot `domain.json`: the Cases domain as its API returns it, stored in the folder of the mapping.
//!
//! The mapping takes names, types and options from the snapshot. So the function needs no calls for them at run time.
//! Unknown members are ignored, because the API can add members.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::field::{Field, FieldOption, FieldType};

/// A Cases domain: its templates and fields.
#[derive(Clone, Debug)]
pub struct Domain {
    /// `domainId` of `GetDomain`.
    pub id: String,
    /// `domainArn`.
    pub arn: String,
    /// All templates, active and inactive.
    pub templates: Vec<Template>,
    /// All fields, system and custom. The mappings of a field share it.
    pub fields: Vec<Arc<Field>>,
    /// The index of each field in `fields`, by id and by name. An id takes precedence over an equal name.
    numbers: HashMap<String, usize>,
    /// The types of fields that this release does not support, by id and by name.
    later_types: HashMap<String, String>,
}

/// A case template (`GetTemplate`).
#[derive(Clone, Debug)]
pub struct Template {
    /// `templateId`.
    pub id: String,
    /// `name`.
    pub name: String,
    /// True if `status` is `Active`. Cases can be created only from an active template.
    pub active: bool,
    /// `requiredFields`, by field id.
    pub required_fields: Vec<String>,
}

/// A snapshot that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SnapshotError {
    message: String,
    source: Option<serde_json::Error>,
}

impl Domain {
    /// Reads a snapshot. Fields of a type that this release does not support are kept only in [`later_type`](Self::later_type).
    ///
    /// # Errors
    /// The text is not JSON, or it does not have the snapshot's shape.
    pub fn from_json(text: &str) -> Result<Self, SnapshotError> {
        let snapshot: Snapshot = serde_json::from_str(text).map_err(|error| SnapshotError {
            message: format!("the domain snapshot cannot be read: {error}"),
            source: Some(error),
        })?;
        let mut fields = Vec::with_capacity(snapshot.fields.len());
        let mut later_types = HashMap::new();
        for field in snapshot.fields {
            match field.into_field() {
                Ok(field) => fields.push(Arc::new(field)),
                Err(SnapshotField {
                    field_id,
                    name,
                    kind,
                    ..
                }) => {
                    later_types.insert(name, kind.clone());
                    later_types.insert(field_id, kind);
                }
            }
        }
        let mut numbers = HashMap::new();
        for (number, field) in fields.iter().enumerate() {
            numbers.entry(field.name.clone()).or_insert(number);
        }
        numbers.extend(
            fields
                .iter()
                .enumerate()
                .map(|(number, field)| (field.id.clone(), number)),
        );
        Ok(Self {
            id: snapshot.domain.domain_id,
            arn: snapshot.domain.domain_arn.unwrap_or_default(),
            templates: snapshot
                .templates
                .into_iter()
                .map(SnapshotTemplate::into_template)
                .collect(),
            fields,
            numbers,
            later_types,
        })
    }

    /// Checks that the snapshot belongs to this domain, because field and template ids are per domain.
    ///
    /// # Errors
    /// The snapshot's `domainId` is not `domain_id`.
    pub fn expect_id(&self, domain_id: &str) -> Result<(), SnapshotError> {
        if self.id == domain_id {
            return Ok(());
        }
        let message = format!(
            "the domain snapshot is of domain `{}`, and CASES_DOMAIN_ID is `{domain_id}`: ids of one domain mean nothing in another; use the snapshot of that domain",
            self.id
        );
        Err(SnapshotError {
            message,
            source: None,
        })
    }

    /// Returns the template with this id, or else with this name. By name, an active template takes precedence.
    #[must_use]
    pub fn template(&self, name_or_id: &str) -> Option<&Template> {
        self.templates
            .iter()
            .find(|template| template.id == name_or_id)
            .or_else(|| {
                let mut named = self
                    .templates
                    .iter()
                    .filter(|template| template.name == name_or_id);
                let first = named.next();
                first
                    .filter(|template| template.active)
                    .or_else(|| named.find(|template| template.active))
                    .or(first)
            })
    }

    /// Returns the field with this id or name.
    #[must_use]
    pub fn field(&self, name_or_id: &str) -> Option<&Arc<Field>> {
        self.fields.get(*self.numbers.get(name_or_id)?)
    }

    /// Returns the type of a field if this release does not support that type.
    #[must_use]
    pub fn later_type(&self, name_or_id: &str) -> Option<&str> {
        self.later_types.get(name_or_id).map(String::as_str)
    }
}

#[derive(Deserialize)]
struct Snapshot {
    domain: SnapshotDomain,
    #[serde(default)]
    templates: Vec<SnapshotTemplate>,
    #[serde(default)]
    fields: Vec<SnapshotField>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotDomain {
    domain_id: String,
    domain_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotTemplate {
    template_id: String,
    name: String,
    status: Option<String>,
    required_fields: Option<Vec<RequiredField>>,
}

impl SnapshotTemplate {
    fn into_template(self) -> Template {
        Template {
            id: self.template_id,
            name: self.name,
            active: self.status.as_deref() != Some("Inactive"),
            required_fields: self
                .required_fields
                .unwrap_or_default()
                .into_iter()
                .map(|field| field.field_id)
                .collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequiredField {
    field_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotField {
    field_id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    attributes: Option<Attributes>,
    options: Option<Vec<SnapshotOption>>,
}

impl SnapshotField {
    /// Converts to a field. Returns `self` if the type is unknown.
    fn into_field(self) -> Result<Field, Self> {
        let Some(kind) = FieldType::from_name(&self.kind) else {
            return Err(self);
        };
        let multiline = self
            .attributes
            .and_then(|attributes| attributes.text)
            .and_then(|text| text.is_multiline)
            .unwrap_or_default();
        let options = self.options.map(|options| {
            options
                .into_iter()
                .map(|option| FieldOption {
                    name: option.name,
                    value: option.value,
                    active: option.active.unwrap_or(true),
                })
                .collect()
        });
        Ok(Field {
            id: self.field_id,
            name: self.name,
            kind,
            multiline,
            options,
        })
    }
}

#[derive(Deserialize)]
struct Attributes {
    text: Option<TextAttributes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TextAttributes {
    is_multiline: Option<bool>,
}

#[derive(Deserialize)]
struct SnapshotOption {
    name: String,
    value: String,
    active: Option<bool>,
}
