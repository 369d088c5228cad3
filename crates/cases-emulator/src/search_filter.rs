//! `CaseFilter` and `CustomFieldsFilter` of the service model: read from a search, and held against
//! a case or a custom related item.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::case::Case;
use crate::domain::{Domain, FieldType};
use crate::field_value::{FieldValue, check_member};
use crate::member::Member;
use crate::patterns::{date_time, is_profile_arn, is_tag_key, is_tag_value};
use crate::service::Refusal;

/// A condition on cases, or on the fields of custom related items.
#[derive(Debug)]
pub(crate) enum Filter {
    Field {
        id: String,
        field_type: FieldType,
        comparison: Comparison,
        value: FieldValue,
    },
    Tag {
        key: String,
        value: String,
    },
    Not(Box<Filter>),
    AndAll(Vec<Filter>),
    OrAll(Vec<Filter>),
}

/// The members of `FieldFilter`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Comparison {
    EqualTo,
    Contains,
    GreaterThan,
    GreaterThanOrEqualTo,
    LessThan,
    LessThanOrEqualTo,
}

impl Filter {
    /// Reads the `CaseFilter` at `member`.
    pub(crate) fn read(domain: &Domain, member: &Member<'_>) -> Result<Self, Refusal> {
        Self::of(&["field", "not", "tag", "andAll", "orAll"], domain, member)
    }

    /// Reads the `CustomFieldsFilter` at `member`: a `CaseFilter` without `tag`.
    pub(crate) fn read_custom(domain: &Domain, member: &Member<'_>) -> Result<Self, Refusal> {
        Self::of(&["field", "not", "andAll", "orAll"], domain, member)
    }

    fn of(
        names: &'static [&'static str],
        domain: &Domain,
        member: &Member<'_>,
    ) -> Result<Self, Refusal> {
        let (name, value) = member.union(names)?;
        let all = |list: &Member<'_>| -> Result<Vec<Self>, Refusal> {
            let items = list.items(0..=10)?.into_iter();
            items.map(|item| Self::of(names, domain, &item)).collect()
        };
        match name {
            "field" => field(domain, &value),
            "tag" => tag(&value),
            "not" => Ok(Self::Not(Box::new(Self::of(names, domain, &value)?))),
            "andAll" => Ok(Self::AndAll(all(&value)?)),
            _ => Ok(Self::OrAll(all(&value)?)),
        }
    }

    /// Whether the case meets the condition.
    pub(crate) fn matches(&self, case: &Case) -> bool {
        self.holds(&case.values, &case.tags)
    }

    /// Whether something with these field values and tags meets the condition.
    pub(crate) fn holds(
        &self,
        values: &BTreeMap<String, FieldValue>,
        tags: &BTreeMap<String, String>,
    ) -> bool {
        match self {
            Self::Field {
                id,
                field_type,
                comparison,
                value,
            } => comparison.holds(*field_type, values.get(id), value),
            Self::Tag { key, value } => tags.get(key) == Some(value),
            Self::Not(filter) => !filter.holds(values, tags),
            Self::AndAll(filters) => filters.iter().all(|filter| filter.holds(values, tags)),
            Self::OrAll(filters) => filters.iter().any(|filter| filter.holds(values, tags)),
        }
    }
}

fn field(domain: &Domain, member: &Member<'_>) -> Result<Filter, Refusal> {
    let (name, operand) = member.union(&[
        "equalTo",
        "contains",
        "greaterThan",
        "greaterThanOrEqualTo",
        "lessThan",
        "lessThanOrEqualTo",
    ])?;
    let comparison = match name {
        "equalTo" => Comparison::EqualTo,
        "contains" => Comparison::Contains,
        "greaterThan" => Comparison::GreaterThan,
        "greaterThanOrEqualTo" => Comparison::GreaterThanOrEqualTo,
        "lessThan" => Comparison::LessThan,
        _ => Comparison::LessThanOrEqualTo,
    };
    let id = operand.required("id")?.text(1..=500)?;
    let value = FieldValue::read(&operand.required("value")?)?;
    let field = domain.field(id)?;
    check_member(field, &value)?;
    if let (true, "customer_id", FieldValue::Text(text)) = (field.system, id, &value)
        && !is_profile_arn(text)
    {
        return Err(Refusal::Validation(
            "customer_id can be searched by the full profile ARN only".to_owned(),
        ));
    }
    Ok(Filter::Field {
        id: id.to_owned(),
        field_type: field.kind,
        comparison,
        value,
    })
}

fn tag(member: &Member<'_>) -> Result<Filter, Refusal> {
    let (_, operand) = member.union(&["equalTo"])?;
    let key = operand.required("key")?.text(1..=128)?;
    let value = operand.required("value")?.text(0..=256)?;
    if !is_tag_key(key) || !is_tag_value(value) {
        return Err(Refusal::Validation(format!(
            "{} has a character that no tag can have",
            operand.path()
        )));
    }
    Ok(Filter::Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    })
}

impl Comparison {
    fn holds(self, of: FieldType, found: Option<&FieldValue>, expected: &FieldValue) -> bool {
        if *expected == FieldValue::Empty {
            let blank = found.is_none_or(FieldValue::is_blank);
            return matches!(self, Self::EqualTo) && blank;
        }
        let Some(found) = found else { return false };
        if let Self::Contains = self {
            return match (found, expected) {
                (FieldValue::Text(found), FieldValue::Text(part)) => {
                    found.to_lowercase().contains(&part.to_lowercase())
                }
                _ => false,
            };
        }
        let order = compare(of, found, expected);
        match self {
            Self::EqualTo => order == Some(Ordering::Equal),
            Self::GreaterThan => order.is_some_and(Ordering::is_gt),
            Self::GreaterThanOrEqualTo => order.is_some_and(Ordering::is_ge),
            Self::LessThan => order.is_some_and(Ordering::is_lt),
            Self::LessThanOrEqualTo => order.is_some_and(Ordering::is_le),
            Self::Contains => false,
        }
    }
}

/// The order of two values of one field: numbers by size, times by instant, texts by their
/// characters; none between values of different kinds.
pub(crate) fn compare(of: FieldType, a: &FieldValue, b: &FieldValue) -> Option<Ordering> {
    match (a, b) {
        (FieldValue::Text(a), FieldValue::Text(b)) if of == FieldType::DateTime => {
            Some(date_time(a)?.cmp(&date_time(b)?))
        }
        (FieldValue::Text(a), FieldValue::Text(b))
        | (FieldValue::UserArn(a), FieldValue::UserArn(b)) => Some(a.cmp(b)),
        (FieldValue::Double(a), FieldValue::Double(b)) => a.partial_cmp(b),
        (FieldValue::Boolean(a), FieldValue::Boolean(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
