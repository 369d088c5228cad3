//! The reads of a domain's own things: `GetDomain`, `ListDomains`, `GetTemplate`, `ListTemplates`,
//! `ListFields`, `BatchGetField`, `ListFieldOptions`, `ListCaseRules`, `BatchGetCaseRule`. They answer from
//! the snapshot and nothing else.

use serde_json::{Map, Value, json};

use crate::domain::{Domain, FieldType};
use crate::member::Member;
use crate::operation::Operation;
use crate::paging::{Page, Query, Scope};
use crate::service::Refusal;

pub(crate) fn list_domains(domain: &Domain, query: &Query) -> Result<Value, Refusal> {
    let page = Page::of_query(Scope::new(Operation::ListDomains, ""), query, 10, 10)?;
    let summary = summary(&domain.answer, &["domainId", "domainArn", "name"]);
    Ok(page.output("domains", vec![summary]))
}

pub(crate) fn get_template(domain: &Domain, template_id: &str) -> Result<Value, Refusal> {
    Ok(domain.template(template_id)?.answer.clone())
}

pub(crate) fn list_templates(domain: &Domain, query: &Query) -> Result<Value, Refusal> {
    let status: Vec<&str> = query.all("status").collect();
    let words = ["Active", "Inactive"];
    if status.len() > 2 || status.iter().any(|word| !words.contains(word)) {
        return Err(Refusal::Validation(
            "status must be at most two of Active and Inactive".to_owned(),
        ));
    }
    let scope = Scope::new(
        Operation::ListTemplates,
        &format!("{}/{}", domain.id, status.join(",")),
    );
    let page = Page::of_query(scope, query, 100, 100)?;
    let wanted = |active: bool| {
        status.is_empty() || status.contains(&if active { "Active" } else { "Inactive" })
    };
    let members = [
        "templateId",
        "templateArn",
        "name",
        "status",
        "tagPropagationConfigurations",
    ];
    let templates = domain.templates.iter();
    let templates = templates
        .filter(|template| !template.deleted && wanted(template.active))
        .map(|template| summary(&template.answer, &members));
    Ok(page.output("templates", templates.collect()))
}

pub(crate) fn list_fields(domain: &Domain, query: &Query) -> Result<Value, Refusal> {
    let page = Page::of_query(
        Scope::new(Operation::ListFields, &domain.id),
        query,
        100,
        100,
    )?;
    let members = [
        "fieldId",
        "fieldArn",
        "name",
        "type",
        "namespace",
        "attributes",
    ];
    let fields = domain.fields.iter().filter(|field| !field.deleted);
    let fields = fields.map(|field| summary(&field.answer, &members));
    Ok(page.output("fields", fields.collect()))
}

pub(crate) fn batch_get_field(domain: &Domain, body: &Value) -> Result<Value, Refusal> {
    let ids = identifiers(&Member::body(body).required("fields")?)?;
    let find = |id: &str| domain.fields.iter().find(|field| field.id == id);
    let (fields, errors) = batch(&ids, "field", |id| find(id).map(|field| &field.answer));
    Ok(json!({ "fields": fields, "errors": errors }))
}

pub(crate) fn list_field_options(
    domain: &Domain,
    field_id: &str,
    query: &Query,
) -> Result<Value, Refusal> {
    let values: Vec<&str> = query.all("values").collect();
    if values.len() > 1 {
        return Err(Refusal::Validation(
            "values must have at most 1 entry".to_owned(),
        ));
    }
    let field = domain.field(field_id)?;
    if field.kind != FieldType::SingleSelect {
        return Err(Refusal::Validation(format!(
            "field '{field_id}' is a {:?} field, and only a SingleSelect has options",
            field.kind
        )));
    }
    let scope = Scope::new(
        Operation::ListFieldOptions,
        &format!("{}/{field_id}/{}", domain.id, values.join(",")),
    );
    let page = Page::of_query(scope, query, 100, 100)?;
    let wanted = |value: &str| values.is_empty() || values.contains(&value);
    let options = field.options.iter().filter(|option| wanted(&option.value));
    let options = options.map(
        |option| json!({ "name": option.name, "value": option.value, "active": option.active }),
    );
    Ok(page.output("options", options.collect()))
}

pub(crate) fn list_case_rules(domain: &Domain, query: &Query) -> Result<Value, Refusal> {
    let page = Page::of_query(
        Scope::new(Operation::ListCaseRules, &domain.id),
        query,
        100,
        100,
    )?;
    let members = ["caseRuleId", "caseRuleArn", "name", "description"];
    let rules = domain
        .rules
        .iter()
        .filter(|rule| !rule.deleted)
        .map(|rule| {
            let mut summary = summary(&rule.answer, &members);
            if let Some(summary) = summary.as_object_mut() {
                summary.insert("ruleType".to_owned(), json!(rule.rule_type));
            }
            summary
        });
    Ok(page.output("caseRules", rules.collect()))
}

pub(crate) fn batch_get_case_rule(domain: &Domain, body: &Value) -> Result<Value, Refusal> {
    let ids = identifiers(&Member::body(body).required("caseRules")?)?;
    let find = |id: &str| domain.rules.iter().find(|rule| rule.id == id);
    let (rules, errors) = batch(&ids, "case rule", |id| find(id).map(|rule| &rule.answer));
    Ok(json!({ "caseRules": rules, "errors": errors }))
}

/// The ids of a batch request's identifiers: 1 to 50.
fn identifiers<'a>(list: &Member<'a>) -> Result<Vec<&'a str>, Refusal> {
    let items = list.items(1..=50)?.into_iter();
    items
        .map(|item| item.required("id")?.text(1..=500))
        .collect()
}

/// A batch's answers, and an error for each id that has none.
fn batch<'a>(
    ids: &[&str],
    kind: &str,
    find: impl Fn(&str) -> Option<&'a Value>,
) -> (Vec<&'a Value>, Vec<Value>) {
    let found = ids.iter().filter_map(|id| find(id)).collect();
    let missing = ids.iter().filter(|id| find(id).is_none());
    let errors = missing.map(|id| {
        json!({
            "id": id,
            "errorCode": "ResourceNotFoundException",
            "message": format!("there is no {kind} with id '{id}'"),
        })
    });
    (found, errors.collect())
}

fn summary(answer: &Value, members: &[&str]) -> Value {
    let member = |name: &&str| {
        let value = answer.get(*name)?.clone();
        Some(((*name).to_owned(), value))
    };
    Value::Object(members.iter().filter_map(member).collect::<Map<_, _>>())
}
