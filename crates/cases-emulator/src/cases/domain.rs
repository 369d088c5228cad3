//! The Cases domain of a snapshot: the API's own answers, and the members that the emulator checks. The
//! domain's own reads answer from it and nothing changes it.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::patterns::{is_account, is_region};
use crate::member::Member;
use crate::operation::Operation;
use crate::paging::{Page, Query, Scope};
use crate::seed::{Seed, SeedError};
use crate::service::Refusal;

/// The times of creation and change, which a snapshot leaves out.
const TIMES: [&str; 2] = ["createdTime", "lastModifiedTime"];

/// A Cases domain.
#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) id: String,
    pub(super) arn: String,
    pub(crate) templates: Vec<Template>,
    pub(crate) fields: Vec<Field>,
    rules: Vec<CaseRule>,
    /// The answer of `GetDomain`.
    answer: Value,
}

/// A template of the domain. Members with an underscore are decoded for their presence.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Template {
    #[serde(rename = "templateId")]
    pub(super) id: String,
    #[serde(rename = "templateArn")]
    _arn: String,
    #[serde(rename = "name")]
    _name: String,
    pub(super) status: TemplateStatus,
    #[serde(default)]
    pub(super) deleted: bool,
    #[serde(default)]
    pub(super) required_fields: Vec<RequiredField>,
    #[serde(default)]
    rules: Vec<TemplateRule>,
    #[serde(default)]
    pub(super) tag_propagation_configurations: Vec<TagPropagation>,
    /// The answer of `GetTemplate`.
    #[serde(skip)]
    answer: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum TemplateStatus {
    Active,
    Inactive,
    /// A status that is newer than this emulator. It creates no case.
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequiredField {
    pub(super) field_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TemplateRule {
    case_rule_id: String,
}

/// Tags that every case of the template gets.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagPropagation {
    pub(super) tag_map: BTreeMap<String, String>,
}

/// A field of the domain.
#[derive(Debug, Deserialize)]
pub(crate) struct Field {
    #[serde(rename = "fieldId")]
    pub(crate) id: String,
    #[serde(rename = "fieldArn")]
    _arn: String,
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "type")]
    pub(super) kind: FieldType,
    namespace: Namespace,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    pub(super) options: Vec<FieldOption>,
    /// The item of `BatchGetField`.
    #[serde(skip)]
    answer: Value,
}

/// `FieldType` of the service model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum FieldType {
    Text,
    Number,
    Boolean,
    DateTime,
    SingleSelect,
    Url,
    User,
    /// A type that is newer than this emulator. It accepts no value.
    #[serde(other)]
    Unknown,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
enum Namespace {
    System,
    Custom,
}

/// An option of a single-select field.
#[derive(Debug, Deserialize)]
pub(super) struct FieldOption {
    name: String,
    pub(super) value: String,
    pub(super) active: bool,
}

/// A case rule. The emulator shows rules and does not enforce them.
#[derive(Debug, Deserialize)]
struct CaseRule {
    #[serde(rename = "caseRuleId")]
    id: String,
    #[serde(rename = "caseRuleArn")]
    _arn: String,
    #[serde(rename = "name")]
    _name: String,
    #[serde(default)]
    deleted: bool,
    /// One kind of rule, with its details.
    rule: Map<String, Value>,
    /// The item of `BatchGetCaseRule`.
    #[serde(skip)]
    answer: Value,
}

#[derive(Deserialize)]
struct Snapshot {
    domain: Value,
    templates: Vec<Value>,
    fields: Vec<Value>,
    #[serde(default)]
    rules: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DomainSeed {
    domain_id: String,
    domain_arn: String,
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "domainStatus")]
    _status: String,
}

impl Domain {
    /// Reads and checks a snapshot. `time` becomes the time of creation of everything without one.
    pub(crate) fn from_snapshot(json: &str, time: &str) -> Result<Self, SeedError> {
        let snapshot = Seed::DOMAIN.object(json, "domain, templates, fields and rules")?;
        let snapshot: Snapshot = Seed::DOMAIN.decode(&snapshot, "the top level")?;
        let seed: DomainSeed = Seed::DOMAIN.decode(&snapshot.domain, "domain")?;
        check_arn(&seed)?;
        let domain = Self {
            id: seed.domain_id,
            arn: seed.domain_arn,
            answer: with_times(snapshot.domain, time, &["createdTime"]),
            fields: entries(snapshot.fields, "fields", |mut value, field: &mut Field| {
                if let Some(object) = value.as_object_mut() {
                    object.remove("options");
                }
                field.answer = with_times(value, time, &TIMES);
            })?,
            templates: entries(snapshot.templates, "templates", |value, template| {
                let template: &mut Template = template;
                template.answer = with_times(value, time, &TIMES);
            })?,
            rules: entries(snapshot.rules, "rules", |value, rule: &mut CaseRule| {
                rule.rule.retain(|_, details| !details.is_null());
                rule.answer = with_times(value, time, &TIMES);
            })?,
        };
        domain.check()?;
        Ok(domain)
    }

    fn check(&self) -> Result<(), SeedError> {
        let refuse = |place: &str, reason: String| Err(Seed::DOMAIN.inconsistent(place, reason));
        for (index, field) in self.fields.iter().enumerate() {
            if let Some(reason) = field.fault() {
                return refuse(&format!("fields[{index}]"), reason);
            }
        }
        for (index, rule) in self.rules.iter().enumerate() {
            if rule.rule.len() != 1 {
                let reason = format!(
                    "rule '{}' must have exactly one of required, hidden, fieldOptions",
                    rule.id
                );
                return refuse(&format!("rules[{index}]"), reason);
            }
        }
        check_ids("templates", self.templates.iter().map(|one| &one.id))?;
        check_ids("fields", self.fields.iter().map(|one| &one.id))?;
        check_ids("rules", self.rules.iter().map(|one| &one.id))?;
        if self.field("title").is_err() {
            let reason = "the system field 'title' is missing, which every domain has".to_owned();
            return refuse("fields", reason);
        }
        for (index, template) in self.templates.iter().enumerate() {
            let place = format!("templates[{index}]");
            let mut fields = template.required_fields.iter().map(|field| &field.field_id);
            if let Some(id) = fields.find(|id| self.field(id).is_err()) {
                let reason = format!("the required field '{id}' is not among the fields");
                return refuse(&place, reason);
            }
            let mut rules = template.rules.iter().map(|rule| &rule.case_rule_id);
            if let Some(id) = rules.find(|id| !self.rules.iter().any(|rule| rule.id == **id)) {
                return refuse(&place, format!("the rule '{id}' is not among the rules"));
            }
        }
        Ok(())
    }

    /// Returns the template with that id. It may be deleted.
    pub(super) fn template(&self, id: &str) -> Result<&Template, Refusal> {
        let template = self.templates.iter().find(|template| template.id == id);
        template.ok_or_else(|| Refusal::NotFound {
            resource_type: "Template",
            resource_id: id.to_owned(),
        })
    }

    /// Returns the field with that id, unless it is deleted.
    pub(super) fn field(&self, id: &str) -> Result<&Field, Refusal> {
        let mut fields = self.fields.iter();
        let field = fields.find(|field| field.id == id && !field.deleted);
        field.ok_or_else(|| Refusal::NotFound {
            resource_type: "Field",
            resource_id: id.to_owned(),
        })
    }

    /// Returns partition, Region and account of the domain's ARN.
    pub(super) fn location(&self) -> (&str, &str, &str) {
        let mut parts = self.arn.split(':').skip(1);
        let partition = parts.next().unwrap_or("aws");
        let region = parts.nth(1).unwrap_or_default();
        (partition, region, parts.next().unwrap_or_default())
    }

    /// `GetDomain`.
    pub(crate) fn get_domain(&self) -> Value {
        self.answer.clone()
    }

    /// `ListDomains`: the one domain.
    pub(crate) fn list_domains(&self, query: &Query) -> Result<Value, Refusal> {
        let page = Page::of_query(Scope::new(Operation::ListDomains, ""), query, 10, 10)?;
        let summary = summary(&self.answer, &["domainId", "domainArn", "name"]);
        Ok(page.output("domains", vec![Value::Object(summary)]))
    }

    /// `GetTemplate`.
    pub(crate) fn get_template(&self, id: &str) -> Result<Value, Refusal> {
        Ok(self.template(id)?.answer.clone())
    }

    /// `ListTemplates`.
    pub(crate) fn list_templates(&self, query: &Query) -> Result<Value, Refusal> {
        const MEMBERS: [&str; 5] = [
            "templateId",
            "templateArn",
            "name",
            "status",
            "tagPropagationConfigurations",
        ];
        query.check_unsupported("status")?;
        let page = self.page(Operation::ListTemplates, "", query)?;
        let templates = self.templates.iter().filter(|one| !one.deleted);
        let templates = templates.map(|one| summary(&one.answer, &MEMBERS).into());
        Ok(page.output("templates", templates.collect()))
    }

    /// `ListFields`.
    pub(crate) fn list_fields(&self, query: &Query) -> Result<Value, Refusal> {
        const MEMBERS: [&str; 6] = [
            "fieldId",
            "fieldArn",
            "name",
            "type",
            "namespace",
            "attributes",
        ];
        let page = self.page(Operation::ListFields, "", query)?;
        let fields = self.fields.iter().filter(|one| !one.deleted);
        let fields = fields.map(|one| summary(&one.answer, &MEMBERS).into());
        Ok(page.output("fields", fields.collect()))
    }

    /// `BatchGetField`.
    pub(crate) fn batch_get_field(&self, body: &Value) -> Result<Value, Refusal> {
        batch(body, "fields", "field", |id| {
            let field = self.fields.iter().find(|field| field.id == id)?;
            Some(&field.answer)
        })
    }

    /// `ListFieldOptions`.
    pub(crate) fn list_field_options(&self, id: &str, query: &Query) -> Result<Value, Refusal> {
        query.check_unsupported("values")?;
        let field = self.field(id)?;
        if field.kind != FieldType::SingleSelect {
            return Err(Refusal::Validation(format!(
                "field '{id}' is a {:?} field, and only a SingleSelect has options",
                field.kind
            )));
        }
        let page = self.page(Operation::ListFieldOptions, id, query)?;
        let options = field.options.iter().map(
            |option| json!({ "name": option.name, "value": option.value, "active": option.active }),
        );
        Ok(page.output("options", options.collect()))
    }

    /// `ListCaseRules`.
    pub(crate) fn list_case_rules(&self, query: &Query) -> Result<Value, Refusal> {
        const MEMBERS: [&str; 4] = ["caseRuleId", "caseRuleArn", "name", "description"];
        let page = self.page(Operation::ListCaseRules, "", query)?;
        let rules = self.rules.iter().filter(|one| !one.deleted).map(|one| {
            let mut summary = summary(&one.answer, &MEMBERS);
            summary.insert("ruleType".to_owned(), json!(one.rule_type()));
            Value::Object(summary)
        });
        Ok(page.output("caseRules", rules.collect()))
    }

    /// `BatchGetCaseRule`.
    pub(crate) fn batch_get_case_rule(&self, body: &Value) -> Result<Value, Refusal> {
        batch(body, "caseRules", "case rule", |id| {
            let rule = self.rules.iter().find(|rule| rule.id == id)?;
            Some(&rule.answer)
        })
    }

    fn page(&self, operation: Operation, of: &str, query: &Query) -> Result<Page, Refusal> {
        let scope = Scope::new(operation, &format!("{}/{of}", self.id));
        Page::of_query(scope, query, 100, 100)
    }
}

impl Field {
    /// Returns true for a field of the `System` namespace.
    pub(super) fn is_system(&self) -> bool {
        self.namespace == Namespace::System
    }

    pub(super) fn is_multiline(&self) -> bool {
        let multiline = self.answer.pointer("/attributes/text/isMultiline");
        multiline.and_then(Value::as_bool).unwrap_or_default()
    }

    /// Returns the reason why the field's options cannot be.
    fn fault(&self) -> Option<String> {
        let may_have_options = [FieldType::SingleSelect, FieldType::Unknown].contains(&self.kind);
        if !may_have_options && !self.options.is_empty() {
            return Some(format!(
                "field '{}' has options and is no SingleSelect",
                self.id
            ));
        }
        let mut values = HashSet::new();
        let mut options = self.options.iter().map(|option| &option.value);
        let twice = options.find(|value| !values.insert(*value))?;
        Some(format!(
            "field '{}' has the option value '{twice}' twice",
            self.id
        ))
    }
}

impl CaseRule {
    /// Returns `ruleType` of `ListCaseRules`.
    fn rule_type(&self) -> &'static str {
        match self.rule.keys().next().map(String::as_str) {
            Some("required") => "Required",
            Some("hidden") => "Hidden",
            Some("fieldOptions") => "FieldOptions",
            _ => "Unknown",
        }
    }
}

/// Decodes each entry of a list; `finish` gives it its answer.
fn entries<T: DeserializeOwned>(
    values: Vec<Value>,
    list: &str,
    finish: impl Fn(Value, &mut T),
) -> Result<Vec<T>, SeedError> {
    let values = values.into_iter().enumerate();
    values
        .map(|(index, value)| {
            let mut entry = Seed::DOMAIN.decode(&value, &format!("{list}[{index}]"))?;
            finish(value, &mut entry);
            Ok(entry)
        })
        .collect()
}

fn with_times(mut answer: Value, time: &str, members: &[&str]) -> Value {
    if let Some(object) = answer.as_object_mut() {
        for member in members {
            object.entry(*member).or_insert_with(|| json!(time));
        }
    }
    answer
}

fn check_arn(domain: &DomainSeed) -> Result<(), SeedError> {
    let parts: Vec<&str> = domain.domain_arn.split(':').collect();
    if let ["arn", partition, "cases", region, account, resource] = parts.as_slice()
        && !partition.is_empty()
        && is_region(region)
        && is_account(account)
        && resource.strip_prefix("domain/") == Some(&domain.domain_id)
    {
        return Ok(());
    }
    let reason = format!(
        "expected arn:PARTITION:cases:REGION:ACCOUNT:domain/{}, found '{}'",
        domain.domain_id, domain.domain_arn
    );
    Err(Seed::DOMAIN.inconsistent("domain.domainArn", reason))
}

fn check_ids<'a>(list: &str, ids: impl Iterator<Item = &'a String>) -> Result<(), SeedError> {
    let mut seen = HashSet::new();
    for (index, id) in ids.enumerate() {
        let reason = if id.is_empty() {
            "the id is empty".to_owned()
        } else if !seen.insert(id) {
            format!("the id '{id}' stands twice")
        } else {
            continue;
        };
        return Err(Seed::DOMAIN.inconsistent(&format!("{list}[{index}]"), reason));
    }
    Ok(())
}

/// Returns a batch's answers, and an error for each id that has none.
fn batch<'a>(
    body: &Value,
    list: &str,
    kind: &str,
    find: impl Fn(&str) -> Option<&'a Value>,
) -> Result<Value, Refusal> {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for item in Member::body(body).required(list)?.items(1..=50)? {
        let id = item.required("id")?.text(1..=500)?;
        match find(id) {
            Some(answer) => found.push(answer),
            None => errors.push(json!({
                "id": id,
                "errorCode": "ResourceNotFoundException",
                "message": format!("there is no {kind} with id '{id}'"),
            })),
        }
    }
    Ok(json!({ list: found, "errors": errors }))
}

fn summary(answer: &Value, members: &[&str]) -> Map<String, Value> {
    let member = |name: &&str| Some(((*name).to_owned(), answer.get(*name)?.clone()));
    members.iter().filter_map(member).collect()
}
