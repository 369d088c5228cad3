//! What an answer says, held against what the services hold at that moment.

use std::time::Duration;

use casebridge::error::ErrorCode;
use serde_json::Value;

use super::excuses::{may_share_a_comment, went_without};
use super::found::{Found, is_put_aside};
use super::joins::{Joining, first_begun, gave_up, lacks_comment, lacks_contact, owners};
use super::{Breach, BreachKind, known};
use crate::assumptions::{
    CASE_FOUND_WITHIN, CLOCKS_WITHIN, PROFILE_SEEN_WITHIN, REQUEST_ARRIVES_WITHIN,
};
use crate::clock::Clock;
use crate::keys::{Key, Kind, Occurrence, Poison};
use crate::wire::Seen;
use crate::world::{End, Invocation, World};

/// A flow's answer is ready by then, as the function is configured.
const FLOW_BUDGET: Duration = Duration::from_millis(2500);

/// More time than what an invocation does on a good day takes.
pub(super) const AMPLE: Duration = Duration::from_millis(1500);

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
    check_lease(world, number, invocation, remaining);
    let [occurrence] = invocation.occurrences.as_slice() else {
        return;
    };
    known::check(world, number, *occurrence, invocation, remaining);
    match &invocation.end {
        Some(End::Answered(answer)) if answer.get("status").is_some() => {
            check_words(world, number, *occurrence, invocation.begun, answer);
            if !is_flow {
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

/// A run that ends in time gives its lease back, or says what it has done.
fn check_lease(world: &World, number: usize, invocation: &Invocation, remaining: Duration) {
    let has_ended = matches!(&invocation.end, Some(End::Answered(_) | End::Failed(_)));
    let seen = world.seen();
    if !has_ended || remaining < AMPLE || seen.missed_the_ledger(number) {
        return;
    }
    let ended = invocation.ended.unwrap_or_default();
    let latest = Clock::epoch_milliseconds(ended + world.schedule.times.clocks);
    let left = seen.items.held_by(number).any(|left| {
        // What the ledger was asked in the last moment may be answered too late.
        left.lease_ends > latest && left.held_since + AMPLE / 2 < ended
    });
    if left {
        let what = format!("#{number} ended and left its lease behind");
        world.accuse(Breach::new(BreachKind::Ledger, what));
    }
}

/// An event that is done never comes again: its case has to be there, with all that belongs to it.
pub(crate) fn check_done(world: &World, occurrence: Occurrence, begun: Duration) {
    let Some(key) = world.key(occurrence) else {
        return;
    };
    let found = Found::of(world, key).current(world, begun);
    let number = occurrence.number;
    // Another occurrence may have been the first.
    let is_passed_over = Joining::of(world) == Joining::First && key.occurrences > 1;
    let missing = if key.poison.is_some() {
        (!is_put_aside(world, occurrence)).then_some("although it can have no case")
    } else if found.cases.is_empty() {
        // It was refused for good, and stands where failures are kept.
        (!is_put_aside(world, occurrence)).then_some("and has no case")
    } else if is_passed_over {
        None
    } else if lacks_contact(world, key, &found, number) && !is_put_aside(world, occurrence) {
        Some("and its contact is not linked")
    } else if lacks_comment(world, key, &found, number) && !is_put_aside(world, occurrence) {
        Some("and its comment is missing")
    } else {
        None
    };
    if let Some(missing) = missing {
        let what = format!("{occurrence} was reported as done, {missing}");
        world.accuse(Breach::new(BreachKind::Untrue, what));
    }
}

/// A message whose customer is gone for good is not kept for ever: a minute after its first receive nothing is going to show any more.
pub(crate) fn check_kept(world: &World, occurrence: Occurrence, begun: Duration) {
    let is_gone = |key: &Key| key.poison == Some(Poison::Gone);
    let Some(key) = world.key(occurrence).filter(|key| is_gone(key)) else {
        return;
    };
    let invocations = world.invocations();
    let run = invocations
        .iter()
        .position(|run| run.begun == begun && run.occurrences.first() == Some(&occurrence));
    let puts_aside = world.schedule.queue.puts_aside;
    // Without a ledger a message's own first receive counts. A run without time for a call cannot tell.
    let has_tried = |number: &usize| {
        let seen = world.seen();
        let mut creations = seen.creations.iter();
        creations.any(|creation| creation.invocation == *number)
    };
    let run = run.filter(|number| world.mode.ledger && has_tried(number));
    let is_overdue = |number| is_overdue(world, number, key) && !is_cut_short(world, number, key);
    if puts_aside && run.is_some_and(is_overdue) {
        let what = format!("{} was kept, and its customer is gone", key.name());
        world.accuse(Breach::new(BreachKind::Untrue, what));
    }
}

/// Whether nothing that a run has to wait for could still show, and nothing else went wrong.
fn is_overdue(world: &World, number: usize, key: &Key) -> bool {
    let invocations = world.invocations();
    let Some(run) = invocations.get(number) else {
        return false;
    };
    let shown = first_begun(world, key) + PROFILE_SEEN_WITHIN + CLOCKS_WITHIN;
    let seen = world.seen();
    let name = key.name();
    // A refusal of another kind gave the key back, and the wait begins anew. A batch does not say why it put a message aside, or that it kept
    // one that could not be put aside: what its CreateCase met, and the ledger, tell.
    let gave_back = |(number, earlier): (usize, &Invocation)| {
        let of_key = earlier.occurrences.iter().any(|of| of.key == key.number);
        let was_refused = seen.creations.iter().any(|creation| {
            creation.invocation == number && creation.title == name && creation.refused
        });
        let in_batch = was_refused && seen.items.given_back.contains(&number);
        let code = match &earlier.end {
            Some(End::Failed(code)) => Some(*code),
            _ => None,
        };
        let is_other =
            |code: ErrorCode| !code.is_transient() && code != ErrorCode::CustomerNotFound;
        of_key && (in_batch || code.is_some_and(is_other))
    };
    let mut earlier = invocations.iter().take(number).enumerate();
    run.begun >= shown
        && !earlier.any(gave_back)
        && seen.of(number).next().is_none()
        && !is_left_in_doubt(world, run, invocations.iter().take(number), key)
}

/// The time of a run was up before the answer to its own `CreateCase` came. It cannot know then what became of that one, whatever the
/// answer was: the doubt is the truth. A run that had time left has no such excuse.
fn is_cut_short(world: &World, number: usize, key: &Key) -> bool {
    let name = key.name();
    let is_unheard =
        world.seen().creations.iter().any(|creation| {
            creation.invocation == number && creation.title == name && !creation.heard
        });
    let invocations = world.invocations();
    let run = invocations.get(number);
    let time_was_up = run.is_some_and(|run| {
        let ended = run.ended.unwrap_or_else(|| world.clock.elapsed());
        ended + AMPLE / 2 >= run.begun + run.remaining
    });
    is_unheard && time_was_up
}

/// Whether an earlier run of the key left a doubt about its case that the run has to wait for.
fn is_left_in_doubt<'a>(
    world: &World,
    run: &Invocation,
    mut earlier: impl Iterator<Item = &'a Invocation>,
    key: &Key,
) -> bool {
    // A run that left a doubt about its CreateCase keeps the ones after it from giving the key up until search would show its case. One that
    // died, or whose claim is there without its knowing, leaves the doubt until its time is up.
    let time = world.schedule.timeout;
    let doubt_ends = |earlier: &Invocation| match &earlier.end {
        Some(End::Failed(ErrorCode::OutcomeUnknown | ErrorCode::ConflictUnresolved)) => {
            earlier.ended
        }
        Some(End::Failed(ErrorCode::LedgerUnavailable) | End::Crashed | End::TimedOut) | None => {
            Some(earlier.begun + time)
        }
        Some(End::Failed(_)) => None,
        // A batch does not say why it keeps a message.
        Some(End::Answered(_)) => {
            Some(earlier.begun + time).filter(|_| !earlier.occurrences.is_empty())
        }
    };
    earlier.any(|earlier| {
        let of_key = earlier.occurrences.iter().any(|of| of.key == key.number);
        let waits = CASE_FOUND_WITHIN + REQUEST_ARRIVES_WITHIN + 2 * CLOCKS_WITHIN;
        of_key && doubt_ends(earlier).is_some_and(|ends| ends.saturating_add(waits) > run.begun)
    })
}

fn check_words(
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
            for untold in check_joined(world, key, occurrence, &found, answer) {
                untrue(untold);
            }
        }
        "failed" => {
            let transient = member("retryable") == "true";
            check_failure(world, number, occurrence, member("errorCode"), transient);
        }
        status => untrue(&format!("`{status}`, which no event here is")),
    }
}

/// What an answer says of contact and comment that is not so.
fn check_joined(
    world: &World,
    key: &Key,
    occurrence: Occurrence,
    found: &Found,
    answer: &Value,
) -> Vec<&'static str> {
    let member = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let (contact, comment) = (member("contactLinked"), member("commentAdded"));
    let number = occurrence.number;
    let mut untrue = Vec::new();
    let arn = key.contact_arn(number);
    if contact == "true" && arn.as_ref().is_some_and(|arn| !found.links.contains(arn)) {
        untrue.push("that the contact is linked, and it is not");
    }
    let note = key.note(number);
    let told = world.told(occurrence, comment == "true");
    let is_counted = key.same_words
        && world.mode.ledger
        && !world.schedule.uses.window
        && !went_without(world, key)
        && !may_share_a_comment(world, key)
        && Joining::of(world) == Joining::All;
    let copies = if is_counted { told } else { 1 };
    if comment == "true" && found.copies(&note) < copies {
        untrue.push("that the comment was added, and there is none of its own");
    }
    if Joining::of(world) == Joining::First && key.tells_apart() && !went_without(world, key) {
        let delivered = world.schedule.delivered(key);
        let owners = owners(key, found, &delivered);
        let is_another = !owners.is_empty() && !owners.contains(&number);
        if is_another && (contact == "true" || comment == "true") {
            untrue.push("that what belongs to it was added, and it was another's");
        }
    }
    if member("retryable") == "false" {
        // Another occurrence may have been the first, and refusals are for good.
        let passed_over = Joining::of(world) == Joining::First && key.occurrences > 1;
        let is_settled = |said: &str, item: Option<&String>| match said {
            "true" => true,
            "not_requested" => item.is_none() || passed_over,
            _ => item.is_some_and(|item| gave_up(world, key, item)),
        };
        let overflow_refused = key.overflow().is_some_and(|begin| {
            let seen = world.seen();
            let mut items = seen.refused.iter().chain(seen.merging.keys());
            items.any(|item| item.contains(&begin))
        });
        let comment_settled = is_settled(comment, Some(&note)) || overflow_refused;
        if !is_settled(contact, arn.as_ref()) || !comment_settled {
            untrue.push("that something can never join the case, and nothing refuses it");
        }
    }
    untrue
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
    let name = key.name();
    let untrue = |what: String| world.accuse(Breach::new(BreachKind::Untrue, what));
    let seen = world.seen();
    let waits = [ErrorCode::InProgress, ErrorCode::LedgerUnavailable];
    let is_untrue = match key.poison {
        None => !transient && !seen.was_refused(number) && !is_hidden_mismatch(world, key, code),
        Some(_) if !transient || code == ErrorCode::OutOfTime.name() => false,
        // Its contact is read first.
        Some(_) if key.kind == Kind::ContactEvent && world.schedule.enrich => {
            let runs = world.invocations();
            let had_time = runs.get(number).is_some_and(|run| {
                run.ended.unwrap_or_default().saturating_sub(run.begun) >= AMPLE
            });
            had_time && seen.of(number).next().is_none()
        }
        // The ledger comes first: another run may hold the key, or have left a doubt.
        Some(_) if world.mode.ledger && waits.iter().any(|waits| waits.name() == code) => false,
        // Without a ledger nobody knows since when.
        Some(Poison::Gone) => {
            let is_doubt = code == ErrorCode::OutcomeUnknown.name();
            let is_true = is_doubt && is_cut_short(world, number, key);
            world.mode.ledger && is_overdue(world, number, key) && !is_true
        }
        Some(_) if world.mode.ledger && code == ErrorCode::OutcomeUnknown.name() => {
            let runs = world.invocations();
            let earlier = runs.iter().take(number);
            let run = runs.get(number);
            run.is_some_and(|run| !is_left_in_doubt(world, run, earlier, key))
        }
        Some(Poison::Incomplete | Poison::Unrecognizable) => true,
    };
    if is_untrue {
        untrue(if key.poison.is_some() {
            format!(
                "#{number} answered {name} with {code}, retryable, and it can never have a case"
            )
        } else {
            format!(
                "#{number} answered {name} with {code}, never to be retried, and it can have a case"
            )
        });
    }
    if code == ErrorCode::CustomerUnknown.name() && !may_have_created(world, &seen, key) {
        untrue(format!(
            "#{number} answered {name} with {code}, and it is known that no profile was created"
        ));
    }
    if code == ErrorCode::InternalError.name() {
        untrue(format!("#{number} answered InternalError"));
    }
}

/// Whether a refusal may be that of a token with another body, where nothing remembers earlier runs and search need not show their case.
fn is_hidden_mismatch(world: &World, key: &Key, code: &str) -> bool {
    let is_unknown = !world.mode.ledger || went_without(world, key);
    is_unknown
        && world.schedule.services.mismatch_refused
        && code == ErrorCode::RequestRefused.name()
}

/// Whether a profile of the key's customer may have been created without anybody's knowing, as far as its runs could tell.
fn may_have_created(world: &World, seen: &Seen, key: &Key) -> bool {
    let phone = key.phone().unwrap_or_default();
    let mut sent = seen.profiles.iter().filter(|sent| sent.phone == phone);
    if !world.mode.ledger || sent.any(|sent| !sent.harmless) {
        return true;
    }
    // A run that could not tell the ledger leaves the next one in doubt.
    world.invocations().iter().enumerate().any(|(number, run)| {
        let of_key = run.occurrences.iter().any(|of| of.key == key.number);
        let is_whole = matches!(&run.end, Some(End::Answered(_) | End::Failed(_)));
        of_key && (!is_whole || seen.missed_the_ledger(number))
    })
}
