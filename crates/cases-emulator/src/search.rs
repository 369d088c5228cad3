//! `SearchCases`: the cases old enough for the index that meet filter and search term, sorted, in
//! pages. Without sorts the oldest comes first.

use std::cmp::Ordering;

use serde_json::{Value, json};

use crate::case::{Case, field_ids};
use crate::clock::{has_passed, now};
use crate::domain::{Domain, FieldType};
use crate::field_value::FieldValue;
use crate::fingerprint::fingerprint;
use crate::member::Member;
use crate::operation::Operation;
use crate::paging::{Page, Scope};
use crate::search_filter::{Filter, compare};
use crate::service::Refusal;
use crate::state::State;

struct Sort<'a> {
    field_id: &'a str,
    field_type: FieldType,
    descending: bool,
}

pub(crate) fn search_cases(
    domain: &Domain,
    state: &State,
    value: &Value,
) -> Result<Value, Refusal> {
    let body = Member::body(value);
    let page = Page::of_body(scope(domain, value), &body, 100, 25)?;
    let term = match body.optional("searchTerm")? {
        Some(term) => term.text(0..=255)?.to_lowercase(),
        None => String::new(),
    };
    let filter = body.optional("filter")?;
    let filter = filter
        .map(|filter| Filter::read(domain, &filter))
        .transpose()?;
    let sorts = match body.optional("sorts")? {
        Some(sorts) => read_sorts(domain, &sorts)?,
        None => Vec::new(),
    };
    let fields = match body.optional("fields")? {
        Some(fields) => field_ids(domain, &fields, 0..=25)?,
        None => Vec::new(),
    };

    let now = now();
    let mut found: Vec<&Case> = state
        .cases()
        .iter()
        .filter(|case| has_passed(case.created, now, state.search_lag))
        .filter(|case| filter.as_ref().is_none_or(|filter| filter.matches(case)))
        .filter(|case| has_term(case, &term))
        .collect();
    found.sort_by(|a, b| order(&sorts, a, b));

    let total = found.len();
    let items = found.into_iter().map(|case| item(case, &fields));
    let mut output = page.output("cases", items.collect());
    if let Some(output) = output.as_object_mut() {
        output.insert("totalCount".to_owned(), json!(total));
    }
    Ok(output)
}

fn item(case: &Case, fields: &[&str]) -> Value {
    let mut item = case.show(fields.iter().copied());
    if let Some(item) = item.as_object_mut() {
        item.insert("caseId".to_owned(), json!(case.id));
    }
    item
}

/// Everything the search asks for but its page.
fn scope(domain: &Domain, body: &Value) -> Scope {
    let search = fingerprint(body, &["nextToken", "maxResults"]);
    Scope::new(Operation::SearchCases, &format!("{}/{search}", domain.id))
}

fn read_sorts<'a>(domain: &Domain, list: &Member<'a>) -> Result<Vec<Sort<'a>>, Refusal> {
    let items = list.items(0..=2)?.into_iter();
    items
        .map(|item| {
            let field_id = item.required("fieldId")?.text(1..=500)?;
            let order = item.required("sortOrder")?.one_of(&["Asc", "Desc"])?;
            Ok(Sort {
                field_id,
                field_type: domain.field(field_id)?.kind,
                descending: order == "Desc",
            })
        })
        .collect()
}

/// Cases without a value of the field come last, whatever the order.
fn order(sorts: &[Sort<'_>], a: &Case, b: &Case) -> Ordering {
    let by = |sort: &Sort<'_>| match (a.values.get(sort.field_id), b.values.get(sort.field_id)) {
        (Some(a), Some(b)) => {
            let order = compare(sort.field_type, a, b).unwrap_or(Ordering::Equal);
            if sort.descending {
                order.reverse()
            } else {
                order
            }
        }
        (a, b) => a.is_none().cmp(&b.is_none()),
    };
    sorts
        .iter()
        .map(by)
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn has_term(case: &Case, term: &str) -> bool {
    term.is_empty()
        || case.values.values().any(|value| match value {
            FieldValue::Text(text) => text.to_lowercase().contains(term),
            _ => false,
        })
}
