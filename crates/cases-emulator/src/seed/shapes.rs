//! The members of a snapshot that the emulator relies on, by the API's names. Those it only passes
//! on, and the API always gives, are decoded for their presence.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::domain::{FieldOption, FieldType};

#[derive(Deserialize)]
pub(super) struct Snapshot {
    pub(super) domain: Value,
    pub(super) templates: Vec<Value>,
    pub(super) fields: Vec<Value>,
    #[serde(default)]
    pub(super) rules: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DomainSeed {
    pub(super) domain_id: String,
    pub(super) domain_arn: String,
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "domainStatus")]
    _status: DomainStatus,
}

#[derive(Deserialize)]
pub(super) enum DomainStatus {
    Active,
    CreationInProgress,
    CreationFailed,
    #[serde(other)]
    Later,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TemplateSeed {
    pub(super) template_id: String,
    #[serde(rename = "templateArn")]
    _arn: String,
    #[serde(rename = "name")]
    _name: String,
    pub(super) status: TemplateStatus,
    #[serde(default)]
    pub(super) deleted: bool,
    #[serde(default)]
    pub(super) required_fields: Vec<RequiredFieldSeed>,
    #[serde(default)]
    pub(super) rules: Vec<TemplateRuleSeed>,
    #[serde(default)]
    pub(super) tag_propagation_configurations: Vec<TagPropagationSeed>,
}

#[derive(Deserialize, PartialEq, Eq)]
pub(super) enum TemplateStatus {
    Active,
    Inactive,
    /// A status that came later: no case is created from the template.
    #[serde(other)]
    Later,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequiredFieldSeed {
    pub(super) field_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TemplateRuleSeed {
    pub(super) case_rule_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagPropagationSeed {
    pub(super) tag_map: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FieldSeed {
    pub(super) field_id: String,
    #[serde(rename = "fieldArn")]
    _arn: String,
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "type")]
    pub(super) field_type: FieldType,
    pub(super) namespace: Namespace,
    #[serde(default)]
    pub(super) deleted: bool,
    #[serde(default)]
    pub(super) attributes: AttributesSeed,
    #[serde(default)]
    pub(super) options: Vec<FieldOption>,
}

#[derive(Deserialize, PartialEq, Eq)]
pub(super) enum Namespace {
    System,
    Custom,
}

#[derive(Deserialize, Default)]
pub(super) struct AttributesSeed {
    pub(super) text: Option<TextSeed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TextSeed {
    pub(super) is_multiline: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RuleSeed {
    pub(super) case_rule_id: String,
    #[serde(rename = "caseRuleArn")]
    _arn: String,
    #[serde(rename = "name")]
    _name: String,
    #[serde(default)]
    pub(super) deleted: bool,
    pub(super) rule: RuleDetailsSeed,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RuleDetailsSeed {
    pub(super) required: Option<IgnoredAny>,
    pub(super) hidden: Option<IgnoredAny>,
    pub(super) field_options: Option<IgnoredAny>,
    /// Kinds of rules that came later.
    #[serde(flatten)]
    pub(super) later: BTreeMap<String, Value>,
}
