//! A case as it is stored, and what `GetCase` shows of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::domain::Domain;
use crate::field_value::FieldValue;
use crate::identifiers::reference_number;
use crate::member::Member;
use crate::service::Refusal;
use crate::state::State;

/// A case in the domain.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) template_id: String,
    /// What has been set, `emptyValue` included, by field id.
    pub(crate) values: BTreeMap<String, FieldValue>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) performed_by: Option<UserUnion>,
    pub(crate) created: Instant,
    pub(crate) created_time: String,
    pub(crate) event_id: String,
}

/// `UserUnion` of the service model.
#[derive(Debug, Clone)]
pub(crate) enum UserUnion {
    UserArn(String),
    CustomEntity(String),
}

impl UserUnion {
    /// The union as the API writes it.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::UserArn(arn) => json!({ "userArn": arn }),
            Self::CustomEntity(entity) => json!({ "customEntity": entity }),
        }
    }
}

impl Case {
    /// Sets what Cases sets by itself, as far as the domain has the fields.
    pub(crate) fn set_system_fields(&mut self, domain: &Domain, sequence: u64) {
        let text = |text: &str| FieldValue::Text(text.to_owned());
        let mut defaults = vec![
            ("case_id", text(&self.id)),
            ("created_datetime", text(&self.created_time)),
            ("last_updated_datetime", text(&self.created_time)),
            (
                "reference_number",
                FieldValue::Text(reference_number(sequence)),
            ),
        ];
        if let Ok(status) = domain.field("status") {
            let open = status
                .options
                .iter()
                .find(|option| option.active && option.value.eq_ignore_ascii_case("open"));
            let value = open.map_or("open", |option| option.value.as_str());
            defaults.push(("status", text(value)));
        }
        if let Some(UserUnion::UserArn(arn)) = &self.performed_by {
            for id in ["created_by", "last_updated_user"] {
                defaults.push((id, FieldValue::UserArn(arn.clone())));
            }
        }
        for (id, value) in defaults {
            if domain.field(id).is_ok_and(|field| field.system) {
                self.values.entry(id.to_owned()).or_insert(value);
            }
        }
    }

    /// The fields of these ids that have been set, as `FieldValue`s of the model.
    pub(crate) fn fields<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Vec<Value> {
        ids.into_iter()
            .filter_map(|id| {
                let value = self.values.get(id)?;
                Some(json!({ "id": id, "value": value.to_json() }))
            })
            .collect()
    }

    /// The answer of `GetCase` for these fields.
    pub(crate) fn show<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Value {
        json!({
            "fields": self.fields(ids),
            "templateId": self.template_id,
            "tags": self.tags,
        })
    }
}

/// `GetCase`: the case's values of the fields asked for. All of them fit one page.
pub(crate) fn get_case(
    domain: &Domain,
    state: &State,
    case_id: &str,
    body: &Value,
) -> Result<Value, Refusal> {
    let body = Member::body(body);
    let ids = field_ids(domain, &body.required("fields")?, 1..=220)?;
    if let Some(token) = body.optional("nextToken")? {
        token.text(0..=9000)?;
        return Err(Refusal::Validation(
            "nextToken is not one that GetCase gave for this case".to_owned(),
        ));
    }
    Ok(state.case(case_id)?.show(ids))
}

/// The ids of a list of `FieldIdentifier`s, each once, each of a field of the domain.
pub(crate) fn field_ids<'a>(
    domain: &Domain,
    list: &Member<'a>,
    length: std::ops::RangeInclusive<usize>,
) -> Result<Vec<&'a str>, Refusal> {
    let mut ids = Vec::new();
    for item in list.items(length)? {
        let id = item.required("id")?.text(1..=500)?;
        domain.field(id)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}
