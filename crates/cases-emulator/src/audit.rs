//! `GetCaseAuditEvents`: who made a case and its related items, when, and with which values. The
//! emulator knows no operation that changes either, so the first event is `Case.Created`, and each
//! other one `RelatedItem.Created`.

use serde_json::{Value, json};

use crate::case::{Case, UserUnion};
use crate::domain::Domain;
use crate::field_value::FieldValue;
use crate::member::Member;
use crate::operation::Operation;
use crate::paging::{Page, Scope};
use crate::related_items::RelatedItem;
use crate::service::Refusal;
use crate::state::State;

pub(crate) fn get_case_audit_events(
    domain: &Domain,
    state: &State,
    case_id: &str,
    body: &Value,
) -> Result<Value, Refusal> {
    let scope = Scope::new(
        Operation::GetCaseAuditEvents,
        &format!("{}/{case_id}", domain.id),
    );
    let page = Page::of_body(scope, &Member::body(body), 25, 25)?;
    let case = state.case(case_id)?;
    let mut events = vec![created(domain, case)];
    let items = state.related_items.of(case_id);
    events.extend(items.map(|item| attached(domain, item)));
    Ok(page.output("auditEvents", events))
}

fn created(domain: &Domain, case: &Case) -> Value {
    json!({
        "eventId": case.event_id,
        "type": "Case.Created",
        "performedTime": case.created_time,
        "fields": fields(&case.values),
        "performedBy": performed_by(domain, case.performed_by.as_ref()),
    })
}

fn attached(domain: &Domain, item: &RelatedItem) -> Value {
    json!({
        "eventId": item.event_id,
        "type": "RelatedItem.Created",
        "relatedItemType": item.kind(),
        "performedTime": item.created_time,
        "fields": fields(item.fields()),
        "performedBy": performed_by(domain, item.performed_by.as_ref()),
    })
}

fn fields<'a>(values: impl IntoIterator<Item = (&'a String, &'a FieldValue)>) -> Vec<Value> {
    let field = |(id, value): (&String, &FieldValue)| json!({ "eventFieldId": id, "newValue": value.to_json() });
    values.into_iter().map(field).collect()
}

/// `AuditEventPerformedBy` of the service model.
pub(crate) fn performed_by(domain: &Domain, user: Option<&UserUnion>) -> Value {
    let principal = domain.caller_arn();
    match user {
        Some(user) => json!({ "user": user.to_json(), "iamPrincipalArn": principal }),
        None => json!({ "iamPrincipalArn": principal }),
    }
}
