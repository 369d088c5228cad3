//! `GetCaseAuditEvents`: who made a case, when, and with which values. The emulator knows no
//! operation that changes a case, so each has one event, `Case.Created`.

use serde_json::{Value, json};

use crate::case::Case;
use crate::domain::Domain;
use crate::members::Member;
use crate::operation::Operation;
use crate::paging::{Page, Scope};
use crate::refusal::Refusal;
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
    Ok(page.output("auditEvents", vec![created(domain, case)]))
}

fn created(domain: &Domain, case: &Case) -> Value {
    let fields = case
        .values
        .iter()
        .map(|(id, value)| json!({ "eventFieldId": id, "newValue": value.to_json() }));
    json!({
        "eventId": case.event_id,
        "type": "Case.Created",
        "performedTime": case.created_time,
        "fields": fields.collect::<Vec<_>>(),
        "performedBy": performed_by(domain, case),
    })
}

/// `AuditEventPerformedBy` of the service model.
pub(crate) fn performed_by(domain: &Domain, case: &Case) -> Value {
    let principal = domain.caller_arn();
    match &case.performed_by {
        Some(user) => json!({ "user": user.to_json(), "iamPrincipalArn": principal }),
        None => json!({ "iamPrincipalArn": principal }),
    }
}
