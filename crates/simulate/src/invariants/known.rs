//! What is known is answered first: nothing that can fail stands between a case that the ledger names and the answer.

use std::time::Duration;

use casebridge::error::ErrorCode;
use serde_json::Value;

use super::answers::AMPLE;
use super::found::Found;
use super::joins::Joining;
use super::{Breach, BreachKind};
use crate::keys::{Kind, Occurrence};
use crate::world::{End, Invocation, World};

/// What an answer from the ledger alone takes at the most.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Judges an invocation that began when the ledger named its key's case, and that could reach the ledger.
pub(super) fn check(
    world: &World,
    number: usize,
    occurrence: Occurrence,
    invocation: &Invocation,
    remaining: Duration,
) {
    let seen = world.seen();
    let Some(key) = world.key(occurrence).filter(|key| key.poison.is_none()) else {
        return;
    };
    let is_read_first = key.kind == Kind::ContactEvent && world.schedule.enrich;
    let could_reach = remaining >= AMPLE && !seen.missed_the_ledger(number) && !is_read_first;
    if !world.mode.ledger || world.schedule.uses.window || !could_reach {
        return;
    }
    let cases = Found::of(world, key).cases;
    let before = |times: &std::collections::BTreeMap<String, Duration>| {
        let mut times = cases.iter().filter_map(|case| times.get(case));
        times.any(|time| *time < invocation.begun)
    };
    let name = key.name();
    let failed = match &invocation.end {
        Some(End::Failed(code)) => code.name(),
        Some(End::Answered(answer)) if answer.get("status").is_some_and(|is| is == "failed") => {
            let code = answer.get("errorCode").and_then(Value::as_str);
            code.unwrap_or_default()
        }
        _ => "",
    };
    let allowed = [
        ErrorCode::ContactNotLinked,
        ErrorCode::CommentNotAdded,
        ErrorCode::InProgress,
        // The time was up while the ledger was asked once more for a lease that was live.
        ErrorCode::LedgerUnavailable,
    ];
    let is_allowed = allowed.iter().any(|code| code.name() == failed);
    if before(&seen.items.named) && !failed.is_empty() && !is_allowed {
        let what =
            format!("#{number} failed with {failed}, and the ledger named the case of {name}");
        world.accuse(Breach::new(BreachKind::Untrue, what));
    }
    let took = invocation.ended.unwrap_or_default();
    let took = took.saturating_sub(invocation.begun);
    let is_all_done = Joining::of(world) == Joining::First || key.occurrences == 1;
    if before(&seen.items.finished) && is_all_done && took > AT_ONCE {
        let took = took.as_millis();
        let what = format!("#{number} took {took} ms to answer {name}, which was done");
        world.accuse(Breach::new(BreachKind::Late, what));
    }
}
