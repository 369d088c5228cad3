//! Failures that leave no doubt, held against what was carried out.

use std::time::Duration;

use casebridge::error::ErrorCode;
use serde_json::Value;

use super::excuses::went_without;
use super::{Breach, BreachKind, Verdict};
use crate::faults::Fault;
use crate::keys::{Key, Occurrence};
use crate::wire::{Creation, Seen};
use crate::world::{End, World};

/// Someone was told that an occurrence failed.
struct Denial {
    occurrence: Occurrence,
    invocation: usize,
    at: Duration,
    code: String,
    /// Whether it was told that the same will never succeed.
    for_good: bool,
}

/// A failure that leaves no doubt means that the invocation created nothing: not then, and not later by a request still under way. One for
/// good means that nobody did.
pub(super) fn check(world: &World, verdict: &mut Verdict) {
    let seen = world.seen();
    for denial in denials(world, &seen) {
        let Some(key) = world.key(denial.occurrence) else {
            continue;
        };
        let name = key.name();
        let creations = seen.creations.iter();
        let mut carried_out = creations.filter(|creation| {
            creation.title == name && creation.effect.is_some() && creation.sent <= denial.at
        });
        let Denial {
            invocation: number,
            code,
            ..
        } = &denial;
        // A batch may hold several occurrences of a key, and only one of them was put aside.
        let is_alone = world.invocations().get(*number).is_some_and(|run| {
            let of_key = |of: &&Occurrence| of.key == denial.occurrence.key;
            run.occurrences.iter().filter(of_key).count() == 1
        });
        let is_own = |creation: &&Creation| is_alone && creation.invocation == *number;
        let what = if carried_out.clone().any(|creation| is_own(&creation)) {
            format!("#{number} answered {code}, and its CreateCase was carried out")
        } else if carried_out.any(|creation| is_untrue(world, &seen, key, &denial, creation)) {
            format!("#{number} gave {name} up with {code}, and its case exists")
        } else {
            continue;
        };
        verdict.breaches.push(Breach::new(BreachKind::Untrue, what));
    }
}

/// Whether a failure for good could have been known to be none: the case of the key's present window exists.
fn is_untrue(world: &World, seen: &Seen, key: &Key, denial: &Denial, creation: &Creation) -> bool {
    let Some((created, case)) = creation.effect.as_ref().filter(|_| denial.for_good) else {
        return false;
    };
    if key.poison.is_some() || super::may_be_over(world, case, denial.at) {
        return false;
    }
    let runs = world.invocations();
    let begun_at = |number: usize| runs.get(number).map(|run| run.begun);
    let begun = begun_at(denial.invocation);
    // It was created by a run that began when this one had, which may have given the key back already.
    if begun_at(creation.invocation) > begun {
        return false;
    }
    if world.mode.ledger && !went_without(world, key) {
        return true;
    }
    // Nothing is known of earlier runs but what search shows, and it is asked when it is CreateCase that was refused.
    let is_found = begun.is_some_and(|begun| *created + world.schedule.times.case <= begun);
    let mut others = seen.of(denial.invocation);
    let by_another =
        others.any(|(operation, fault)| operation != "CreateCase" && Fault::is_refusal(fault));
    is_found && !by_another
}

/// All failures of which someone was told, but for those that say that they leave a doubt, and those about what joins a case.
fn denials(world: &World, seen: &Seen) -> Vec<Denial> {
    let mut denials = Vec::new();
    for (invocation, run) in world.invocations().iter().enumerate() {
        let (Some(at), [occurrence]) = (run.ended, run.occurrences.as_slice()) else {
            continue;
        };
        let text = |answer: &Value, name: &str| {
            let text = answer.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let (code, for_good) = match &run.end {
            Some(End::Failed(code)) => (code.name().to_owned(), !code.is_transient()),
            Some(End::Answered(answer)) if text(answer, "status") == "failed" => (
                text(answer, "errorCode"),
                text(answer, "retryable") == "false",
            ),
            _ => continue,
        };
        denials.push(Denial {
            occurrence: *occurrence,
            invocation,
            at,
            code,
            for_good,
        });
    }
    for message in &seen.put_aside {
        let Some(occurrence) = world.occurrence_of(message.body.get("event")) else {
            continue;
        };
        let code = message.body.get("errorCode").and_then(Value::as_str);
        denials.push(Denial {
            occurrence,
            invocation: message.invocation,
            at: message.at,
            code: code.unwrap_or_default().to_owned(),
            for_good: true,
        });
    }
    denials.retain(|denial| leaves_no_doubt(&denial.code));
    denials
}

fn leaves_no_doubt(code: &str) -> bool {
    let doubtful = [
        ErrorCode::OutcomeUnknown,
        ErrorCode::ConflictUnresolved,
        ErrorCode::ContactNotLinked,
        ErrorCode::CommentNotAdded,
    ];
    !doubtful.iter().any(|doubtful| doubtful.name() == code)
}
