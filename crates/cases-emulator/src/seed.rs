//! A domain snapshot, as kept in `domain.json`, to a [`Domain`]. The snapshot holds the API's own
//! answers with the volatile times left out; here they are checked as far as the emulator relies
//! on them, and each is kept whole.

mod shapes;

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use self::shapes::{
    DomainSeed, FieldSeed, Namespace, RuleSeed, Snapshot, TemplateSeed, TemplateStatus,
};
use crate::domain::{CaseRule, Domain, Field, FieldType, Template};
use crate::patterns::{is_account, is_region};
use crate::seed_error::{Seed, SeedError};

/// Reads and checks a snapshot. `time` is the time of creation of whatever has none.
pub(crate) fn domain(json: &str, time: &str) -> Result<Domain, SeedError> {
    let snapshot = Seed::DOMAIN.object(json, "domain, templates, fields and rules")?;
    let snapshot: Snapshot = decode(&snapshot, "the top level")?;
    let seed: DomainSeed = decode(&snapshot.domain, "domain")?;
    check_arn(&seed)?;

    let domain = Domain {
        id: seed.domain_id,
        arn: seed.domain_arn,
        answer: with_times(snapshot.domain, time, &["createdTime"]),
        fields: each(snapshot.fields, "fields", |value, place| {
            field(value, place, time)
        })?,
        templates: each(snapshot.templates, "templates", |value, place| {
            template(value, place, time)
        })?,
        rules: each(snapshot.rules, "rules", |value, place| {
            rule(value, place, time)
        })?,
    };
    check_ids(&domain)?;
    check_references(&domain)?;
    Ok(domain)
}

fn decode<T: DeserializeOwned>(value: &Value, place: &str) -> Result<T, SeedError> {
    Seed::DOMAIN.decode(value, place)
}

fn each<T>(
    values: Vec<Value>,
    list: &str,
    read: impl Fn(Value, &str) -> Result<T, SeedError>,
) -> Result<Vec<T>, SeedError> {
    values
        .into_iter()
        .enumerate()
        .map(|(index, value)| read(value, &format!("{list}[{index}]")))
        .collect()
}

fn with_times(mut answer: Value, time: &str, members: &[&str]) -> Value {
    if let Some(object) = answer.as_object_mut() {
        for member in members {
            object
                .entry(*member)
                .or_insert_with(|| Value::String(time.to_owned()));
        }
    }
    answer
}

const TIMES: [&str; 2] = ["createdTime", "lastModifiedTime"];

fn template(value: Value, place: &str, time: &str) -> Result<Template, SeedError> {
    let seed: TemplateSeed = decode(&value, place)?;
    let propagated = seed.tag_propagation_configurations.into_iter();
    let required = seed.required_fields.into_iter();
    let template = Template {
        id: seed.template_id,
        active: seed.status == TemplateStatus::Active,
        deleted: seed.deleted,
        required_fields: required.map(|field| field.field_id).collect(),
        propagated_tags: propagated.flat_map(|tags| tags.tag_map).collect(),
        answer: with_times(value, time, &TIMES),
    };
    Ok(template)
}

fn field(mut value: Value, place: &str, time: &str) -> Result<Field, SeedError> {
    let seed: FieldSeed = decode(&value, place)?;
    if let Some(object) = value.as_object_mut() {
        object.remove("options");
    }
    let may_have_options = [FieldType::SingleSelect, FieldType::Later].contains(&seed.field_type);
    if !may_have_options && !seed.options.is_empty() {
        return Err(inconsistent(
            place,
            format!(
                "field '{}' has options and is no SingleSelect",
                seed.field_id
            ),
        ));
    }
    let mut values = HashSet::new();
    if let Some(twice) = seed
        .options
        .iter()
        .find(|option| !values.insert(&option.value))
    {
        return Err(inconsistent(
            place,
            format!(
                "field '{}' has the option value '{}' twice",
                seed.field_id, twice.value
            ),
        ));
    }
    Ok(Field {
        id: seed.field_id,
        kind: seed.field_type,
        system: seed.namespace == Namespace::System,
        deleted: seed.deleted,
        multiline: seed.attributes.text.is_some_and(|text| text.is_multiline),
        options: seed.options,
        answer: with_times(value, time, &TIMES),
    })
}

fn rule(value: Value, place: &str, time: &str) -> Result<CaseRule, SeedError> {
    let seed: RuleSeed = decode(&value, place)?;
    let details = (
        seed.rule.required,
        seed.rule.hidden,
        seed.rule.field_options,
    );
    let rule_type = match details {
        (Some(_), None, None) => "Required",
        (None, Some(_), None) => "Hidden",
        (None, None, Some(_)) => "FieldOptions",
        (None, None, None) if seed.rule.later.len() == 1 => "Unknown",
        _ => {
            return Err(inconsistent(
                place,
                format!(
                    "rule '{}' must have exactly one of required, hidden, fieldOptions",
                    seed.case_rule_id
                ),
            ));
        }
    };
    Ok(CaseRule {
        id: seed.case_rule_id,
        rule_type,
        deleted: seed.deleted,
        answer: with_times(value, time, &TIMES),
    })
}

fn inconsistent(place: &str, reason: String) -> SeedError {
    Seed::DOMAIN.inconsistent(place, reason)
}

fn check_arn(domain: &DomainSeed) -> Result<(), SeedError> {
    let parts: Vec<&str> = domain.domain_arn.split(':').collect();
    let ["arn", partition, "cases", region, account, resource] = parts.as_slice() else {
        return Err(wrong_arn(domain));
    };
    let names_itself = resource.strip_prefix("domain/") == Some(&domain.domain_id);
    if partition.is_empty() || !is_region(region) || !is_account(account) || !names_itself {
        return Err(wrong_arn(domain));
    }
    Ok(())
}

fn wrong_arn(domain: &DomainSeed) -> SeedError {
    inconsistent(
        "domain.domainArn",
        format!(
            "expected arn:PARTITION:cases:REGION:ACCOUNT:domain/{}, found '{}'",
            domain.domain_id, domain.domain_arn
        ),
    )
}

fn check_ids(domain: &Domain) -> Result<(), SeedError> {
    let lists: [(&str, Vec<&str>); 3] = [
        (
            "templates",
            domain.templates.iter().map(|t| t.id.as_str()).collect(),
        ),
        (
            "fields",
            domain.fields.iter().map(|f| f.id.as_str()).collect(),
        ),
        (
            "rules",
            domain.rules.iter().map(|r| r.id.as_str()).collect(),
        ),
    ];
    for (list, ids) in lists {
        let mut seen = HashSet::new();
        for (index, id) in ids.into_iter().enumerate() {
            let place = format!("{list}[{index}]");
            if id.is_empty() {
                return Err(inconsistent(&place, "the id is empty".to_owned()));
            }
            if !seen.insert(id) {
                return Err(inconsistent(&place, format!("the id '{id}' stands twice")));
            }
        }
    }
    Ok(())
}

fn check_references(domain: &Domain) -> Result<(), SeedError> {
    if domain.field("title").is_err() {
        return Err(inconsistent(
            "fields",
            "the system field 'title' is missing, which every domain has".to_owned(),
        ));
    }
    for (index, template) in domain.templates.iter().enumerate() {
        let place = format!("templates[{index}]");
        if let Some(id) = template
            .required_fields
            .iter()
            .find(|id| domain.field(id).is_err())
        {
            return Err(inconsistent(
                &place,
                format!("the required field '{id}' is not among the fields"),
            ));
        }
        let seed: TemplateSeed = decode(&template.answer, &place)?;
        let known = |id: &str| domain.rules.iter().any(|rule| rule.id == id);
        if let Some(rule) = seed.rules.iter().find(|rule| !known(&rule.case_rule_id)) {
            return Err(inconsistent(
                &place,
                format!("the rule '{}' is not among the rules", rule.case_rule_id),
            ));
        }
    }
    Ok(())
}
