//! What an answer says, held against what the services hold at that moment.

use std::time::Duration;

use casebridge::error::ErrorCode;
use serde_json::Value;

use super::found::{Found, is_put_aside};
use super::{Breach, BreachKind};
use crate::keys::{Key, Occurrence};
use crate::world::{End, Invocation, World};

/// A flow's answer is ready by then, as the function is configured.
const FLOW_BUDGET: Duration = Duration::from_millis(2500);

/// What timers round up to.
const TICK: Duration = Duration::from_millis(5);

/// Judges an invocation that has just ended.
pub(crate) fn check_answer(
    world: &World,
    number: usize,
    invocation: &Invocation,
    remaining: Duration,
) {
    let flow = invocation
        .occurrences
        .first()
        .and_then(|first| world.key(*first));
    let is_flow = flow.is_some_and(Key::is_flow);
    let took = invocation
        .ended
        .unwrap_or_default()
        .saturating_sub(invocation.begun);
    let allowed = if is_flow {
        remaining.min(FLOW_BUDGET)
    } else {
        remaining
    };
    if matches!(&invocation.end, Some(End::TimedOut)) || took > allowed + TICK {
        let what = format!(
            "#{number} had {} ms and took {} ms",
            allowed.as_millis(),
            took.as_millis()
        );
        world.accuse(Breach::new(BreachKind::Late, what));
    }
    let [occurrence] = invocation.occurrences.as_slice() else {
        return;
    };
    match &invocation.end {
        Some(End::Answered(answer)) if answer.get("status").is_some() => {
            if is_flow {
                check_flow(world, number, *occurrence, invocation.begun, answer);
            } else {
                check_done(world, *occurrence, invocation.begun);
            }
        }
        Some(End::Failed(code)) => {
            let transient = code.is_transient();
            check_failure(world, number, *occurrence, code.name(), transient);
        }
        _ => {}
    }
}

/// An event that is done never comes again: its case has to be there, with all that belongs to it.
pub(crate) fn check_done(world: &World, occurrence: Occurrence, begun: Duration) {
    let Some(key) = world.key(occurrence) else {
        return;
    };
    let found = Found::of(world, key).current(world, begun);
    let missing = if key.poison.is_some() {
        (!is_put_aside(world, occurrence)).then_some("although it can have no case")
    } else if found.cases.is_empty() {
        Some("and has no case")
    } else if found.missing(&key.contacts(std::iter::once(occurrence.number))) {
        Some("and its contact is not linked")
    } else if !found.comments.contains(&key.note(occurrence.number)) {
        Some("and its comment is missing")
    } else {
        None
    };
    if let Some(missing) = missing {
        let what = format!("{occurrence} was reported as done, {missing}");
        world.accuse(Breach::new(BreachKind::Untrue, what));
    }
}

fn check_flow(
    world: &World,
    number: usize,
    occurrence: Occurrence,
    begun: Duration,
    answer: &Value,
) {
    let Some(key) = world.key(occurrence) else {
        return;
    };
    let member = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let untrue = |what: &str| {
        let what = format!("#{number} answered {occurrence} {what}");
        world.accuse(Breach::new(BreachKind::Untrue, what));
    };
    match member("status") {
        "created" | "existing" => {
            let found = Found::of(world, key).current(world, begun);
            if !found.cases.iter().any(|id| id == member("caseId")) {
                untrue("with the case of another key, or of a window that was over");
            }
            let contacts = key.contacts(std::iter::once(occurrence.number));
            if member("contactLinked") == "true" && found.missing(&contacts) {
                untrue("that the contact is linked, and it is not");
            }
            if member("commentAdded") == "true"
                && !found.comments.contains(&key.note(occurrence.number))
            {
                untrue("that the comment was added, and there is none");
            }
            let complete = member("contactLinked") == "true" && member("commentAdded") == "true";
            if !complete && member("retryable") == "false" {
                untrue("that something can never join the case, and nothing refuses it");
            }
        }
        "failed" => {
            let transient = member("retryable") == "true";
            check_failure(world, number, occurrence, member("errorCode"), transient);
        }
        status => untrue(&format!("`{status}`, which no event here is")),
    }
}

fn check_failure(
    world: &World,
    number: usize,
    occurrence: Occurrence,
    code: &str,
    transient: bool,
) {
    let Some(key) = world.key(occurrence) else {
        return;
    };
    let is_poison = key.poison.is_some();
    let untrue = |what: String| world.accuse(Breach::new(BreachKind::Untrue, what));
    if is_poison == transient && !(is_poison && code == ErrorCode::OutOfTime.name()) {
        let name = key.name();
        untrue(if is_poison {
            format!(
                "#{number} answered {name} with {code}, retryable, and it can never have a case"
            )
        } else {
            format!(
                "#{number} answered {name} with {code}, never to be retried, and it can have a case"
            )
        });
    }
    if code == ErrorCode::InternalError.name() {
        untrue(format!("#{number} answered InternalError"));
    }
}
