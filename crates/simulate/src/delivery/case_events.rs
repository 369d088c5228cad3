//! Amazon Connect Cases: tells EventBridge of every case and related item that comes to be, and a rule takes all of it to the function, once
//! or twice and after a while. What the function did itself it has to leave alone, or there would be no end.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::Mode;
use crate::assumptions::{Broken, EVENT_RETRIED_AFTER};
use crate::invariants::Breach;
use crate::schedule::Fate;
use crate::wire::Effect;
use crate::world::{End, World};

/// Events of one world after which there is no end to be seen. A world has at most five keys, of two cases with two items each in one window.
const MOST: usize = 200;

/// How long an event takes at the most.
const LATEST: u64 = 3_000;

/// Delivers what comes to be until the world is over.
pub(crate) async fn feed(world: Rc<World>, mut changes: mpsc::UnboundedReceiver<Effect>) {
    let mut random = fastrand::Rng::with_seed(world.schedule.feed.unwrap_or_default());
    let mut told = 0;
    while let Some(effect) = changes.recv().await {
        if world.schedule.feed.is_none() || told > MOST {
            continue;
        }
        told += 1;
        world.deliveries.borrow_mut().fed_back = told;
        if told > MOST {
            world.accuse(Breach::endless(MOST));
            continue;
        }
        let mut events = vec![(
            event(&effect, told, world.mode),
            random.usize(1..=2),
            "OwnCaseEvent",
        )];
        if random.u8(0..4) == 0 {
            events.push((trail(&effect, told), 1, "NoCaseMapping"));
        }
        for (event, times, expected) in events {
            for _ in 0..times {
                let after = Duration::from_millis(random.u64(50..=LATEST));
                let delivered = deliver(Rc::clone(&world), event.to_string(), after, expected);
                world.follow(tokio::task::spawn_local(delivered));
            }
        }
    }
}

/// One delivery, with the retries of an asynchronous invocation.
async fn deliver(world: Rc<World>, payload: String, after: Duration, expected: &'static str) {
    tokio::time::sleep(after).await;
    for retry in 0..=EVENT_RETRIED_AFTER.len() {
        let invoked = world.invoke(Vec::new(), payload.clone(), Fate::default());
        match invoked.await {
            Ok(End::Answered(answer)) => {
                let code = answer.get("errorCode").and_then(Value::as_str);
                if code != Some(expected) {
                    world.accuse(Breach::taken(expected));
                }
                return;
            }
            Ok(End::Failed(_)) => world.accuse(Breach::taken(expected)),
            Ok(End::Crashed | End::TimedOut) | Err(_) => {}
        }
        if let Some(pause) = EVENT_RETRIED_AFTER.get(retry) {
            tokio::time::sleep(*pause).await;
        }
    }
}

/// `Amazon Connect Cases Change`. <https://docs.aws.amazon.com/connect/latest/adminguide/case-event-streams.html>
fn event(effect: &Effect, number: usize, mode: Mode) -> Value {
    let principal = "arn:aws:iam::111122223333:role/casebridge";
    let is_told = |user: &&Value| !user.is_null() && mode.broken != Some(Broken::NoPerformer);
    let performed_by = match effect.sent.get("performedBy").filter(is_told) {
        Some(user) => json!({ "user": user, "iamPrincipalArn": principal }),
        None => json!({ "iamPrincipalArn": principal }),
    };
    let member = |name: &str| effect.sent.get(name).cloned().unwrap_or_default();
    let mut detail = json!({ "version": "0", "performedBy": performed_by });
    let told = if effect.operation == "CreateCase" {
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
    if let (Some(detail), Value::Object(told)) = (detail.as_object_mut(), told) {
        detail.extend(told);
    }
    envelope(
        "Amazon Connect Cases Change",
        &format!("ce-{number}"),
        &detail,
    )
}

/// What `CloudTrail` says of the same call, under the same source.
fn trail(effect: &Effect, number: usize) -> Value {
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

/// A case that somebody made: `performed_by` is the event's `performedBy.user`.
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
    let mut event = event(&effect, 0, Mode::default());
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
