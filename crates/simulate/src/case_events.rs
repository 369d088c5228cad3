//! Events of Amazon Connect Cases, as EventBridge delivers them.

use serde_json::{Value, json};

use crate::assumptions::{Broken, Mode};

/// A request that was carried out.
#[derive(Debug, Clone)]
pub(crate) struct Effect {
    pub(crate) operation: &'static str,
    /// The path of its URI.
    pub(crate) path: String,
    /// Its body.
    pub(crate) sent: Value,
    /// The answer's body.
    pub(crate) answer: Value,
}

/// `Amazon Connect Cases Change`. <https://docs.aws.amazon.com/connect/latest/adminguide/case-event-streams.html>
pub(crate) fn change(effect: &Effect, number: usize, mode: Mode) -> Value {
    let principal = "arn:aws:iam::111122223333:role/casebridge";
    let is_shown = |user: &&Value| !user.is_null() && mode.broken != Some(Broken::NoPerformer);
    let performed_by = match effect.sent.get("performedBy").filter(is_shown) {
        Some(user) => json!({ "user": user, "iamPrincipalArn": principal }),
        None => json!({ "iamPrincipalArn": principal }),
    };
    let member = |name: &str| effect.sent.get(name).cloned().unwrap_or_default();
    let mut detail = json!({ "version": "0", "performedBy": performed_by });
    let change = if effect.operation == "CreateCase" {
        json!({
            "eventType": "CASE.CREATED",
            "case": {
                "caseId": effect.answer.get("caseId"),
                "templateId": member("templateId"),
                "fields": fields(&member("fields")),
            },
        })
    } else {
        let case = effect.path.trim_matches('/').split('/').rev().nth(1);
        json!({
            "eventType": "RELATED_ITEM.CREATED",
            "relatedItem": {
                "relatedItemType": member("type"),
                "relatedItemId": effect.answer.get("relatedItemId"),
                "caseId": case,
            },
        })
    };
    if let (Some(detail), Value::Object(change)) = (detail.as_object_mut(), change) {
        detail.extend(change);
    }
    envelope(
        "Amazon Connect Cases Change",
        &format!("ce-{number}"),
        &detail,
    )
}

/// `CloudTrail`'s event of the same call, under the same source.
pub(crate) fn trail(effect: &Effect, number: usize) -> Value {
    let detail = json!({
        "eventSource": "cases.amazonaws.com",
        "eventName": effect.operation,
        "requestParameters": { "domainId": "***" },
        "responseElements": effect.answer,
    });
    envelope(
        "AWS API Call via CloudTrail",
        &format!("ct-{number}"),
        &detail,
    )
}

/// The creation of a case by somebody: `performed_by` is the event's `performedBy.user`.
pub(crate) fn created(id: &str, performed_by: Option<&Value>, title: &Value) -> Value {
    let effect = Effect {
        operation: "CreateCase",
        path: String::new(),
        sent: json!({
            "templateId": "t-1",
            "performedBy": performed_by,
            "fields": [{ "id": "title", "value": { "stringValue": title } }],
        }),
        answer: json!({ "caseId": id }),
    };
    let mut event = change(&effect, 0, Mode::default());
    if let Some(event) = event.as_object_mut() {
        event.insert("id".to_owned(), json!(id));
    }
    event
}

/// `fields` as events have them: by id.
fn fields(sent: &Value) -> Value {
    let fields = sent.as_array().into_iter().flatten();
    let by_id = fields.filter_map(|field| {
        let id = field.get("id")?.as_str()?;
        Some((id.to_owned(), json!({ "value": field.get("value")? })))
    });
    Value::Object(by_id.collect())
}

fn envelope(detail_type: &str, id: &str, detail: &Value) -> Value {
    json!({
        "version": "0",
        "id": id,
        "source": "aws.cases",
        "detail-type": detail_type,
        "account": "111122223333",
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
    })
}
