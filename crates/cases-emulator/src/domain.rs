//! The Cases domain as the emulator knows it: each thing's answer as the API gives it, and beside
//! it what `CreateCase` has to check. `seed` makes it from a snapshot; nothing changes it later.

use serde::Deserialize;
use serde_json::Value;

use crate::service::Refusal;

/// A Cases domain.
#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) id: String,
    pub(crate) arn: String,
    /// The answer of `GetDomain`.
    pub(crate) answer: Value,
    pub(crate) templates: Vec<Template>,
    pub(crate) fields: Vec<Field>,
    pub(crate) rules: Vec<CaseRule>,
}

/// A template of the domain.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) id: String,
    /// `status` is `Active`.
    pub(crate) active: bool,
    pub(crate) deleted: bool,
    pub(crate) required_fields: Vec<String>,
    /// Tags every case of the template gets.
    pub(crate) propagated_tags: Vec<(String, String)>,
    /// The answer of `GetTemplate`.
    pub(crate) answer: Value,
}

/// A field of the domain.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) id: String,
    /// `type`.
    pub(crate) kind: FieldType,
    /// `namespace` is `System`.
    pub(crate) system: bool,
    pub(crate) deleted: bool,
    pub(crate) multiline: bool,
    pub(crate) options: Vec<FieldOption>,
    /// The item of `BatchGetField`.
    pub(crate) answer: Value,
}

/// `FieldType` of the service model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum FieldType {
    Text,
    Number,
    Boolean,
    DateTime,
    SingleSelect,
    Url,
    User,
    /// A type that came later: its fields are there, and no value is known to fit them.
    #[serde(other)]
    Later,
}

/// An option of a single-select field.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FieldOption {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) active: bool,
}

/// A case rule. The emulator shows rules and does not enforce them.
#[derive(Debug)]
pub(crate) struct CaseRule {
    pub(crate) id: String,
    /// `ruleType` of `ListCaseRules`.
    pub(crate) rule_type: &'static str,
    pub(crate) deleted: bool,
    /// The item of `BatchGetCaseRule`.
    pub(crate) answer: Value,
}

impl Domain {
    /// The template of that id, deleted ones included.
    pub(crate) fn template(&self, id: &str) -> Result<&Template, Refusal> {
        self.templates
            .iter()
            .find(|template| template.id == id)
            .ok_or_else(|| Refusal::NotFound {
                resource_type: "Template",
                resource_id: id.to_owned(),
            })
    }

    /// The field of that id, unless it is deleted.
    pub(crate) fn field(&self, id: &str) -> Result<&Field, Refusal> {
        self.fields
            .iter()
            .find(|field| field.id == id && !field.deleted)
            .ok_or_else(|| Refusal::NotFound {
                resource_type: "Field",
                resource_id: id.to_owned(),
            })
    }

    /// The ARN of an IAM role in the domain's account, for the audit history: the emulator checks
    /// no signature and so knows no caller.
    pub(crate) fn caller_arn(&self) -> String {
        let (partition, _, account) = self.location();
        format!("arn:{partition}:iam::{account}:role/cases-emulator")
    }

    /// The ARN of a customer's profile in the domain's partition, Region and account.
    pub(crate) fn profile_arn(&self, profiles_domain: &str, profile_id: &str) -> String {
        let (partition, region, account) = self.location();
        format!(
            "arn:{partition}:profile:{region}:{account}:domains/{profiles_domain}/profiles/{profile_id}"
        )
    }

    /// Partition, Region and account of the domain's ARN.
    fn location(&self) -> (&str, &str, &str) {
        let mut parts = self.arn.split(':').skip(1);
        let partition = parts.next().unwrap_or("aws");
        let region = parts.nth(1).unwrap_or_default();
        (partition, region, parts.next().unwrap_or_default())
    }
}
