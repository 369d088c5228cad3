//! The invariants of an invocation when it ends: its answer is held against the services at that moment.

use std::collections::BTreeMap;
use std::time::Duration;

use casebridge::error::ErrorCode;
use serde_json::Value;

use super::found::{
    Found, counts_copies, first_begun, gave_up, is_put_aside, only_first_joins, went_without,
};
use crate::assumptions::{
    CASE_FOUND_WITHIN, CLOCKS_WITHIN, PROFILE_SEEN_WITHIN, REQUEST_ARRIVES_WITHIN,
};
use crate::clock::Clock;
use crate::keys::{Key, Kind, Occurrence, Poison};
use crate::record::{End, Invocation, Record, text};
use crate::verdict::BreachKind;

/// The budget of a flow's answer, as the function is configured.
const FLOW_BUDGET: Duration = Duration::from_millis(2500);

/// More time than an invocation needs on a good day.
const AMPLE: Duration = Duration::from_millis(1500);

/// The longest time of an answer from the ledger alone.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The precision of timers.
const TICK: Duration = Duration::from_millis(5);

/// An invariant: the kind of its breaches, and the check that finds them.
type InvocationInvariant = (BreachKind, fn(&Ended<'_>) -> Vec<String>);
type AnswerInvariant = (BreachKind, fn(&Subject<'_>) -> Vec<String>);

/// The invariants of every invocation.
const OF_INVOCATIONS: [InvocationInvariant; 2] = [
    (BreachKind::Late, ends_in_time),
    (BreachKind::Ledger, gives_its_lease_back),
];

/// The invariants of an invocation with one contact or event.
const OF_ANSWERS: [AnswerInvariant; 5] = [
    (BreachKind::Untrue, a_known_case_is_answered),
    (BreachKind::Late, a_known_case_is_answered_at_once),
    (BreachKind::Untrue, an_answer_is_true),
    (BreachKind::Untrue, a_failure_is_true),
    (BreachKind::Untrue, an_answered_event_is_done),
];

/// An invocation that has just ended.
struct Ended<'a> {
    record: &'a Record,
    number: usize,
    run: &'a Invocation,
}

/// An invocation with one contact or event.
struct Subject<'a> {
    record: &'a Record,
    number: usize,
    run: &'a Invocation,
    occurrence: Occurrence,
    key: &'a Key,
}

/// Judges an invocation that has just ended.
pub(crate) fn check_invocation(record: &Record, number: usize) {
    let invocations = record.invocations();
    let Some(run) = invocations.get(number) else {
        return;
    };
    let accuse = |kind, breaches: Vec<String>| {
        for what in breaches {
            record.accuse(kind, what);
        }
    };
    let ended = Ended {
        record,
        number,
        run,
    };
    for (kind, check) in OF_INVOCATIONS {
        accuse(kind, check(&ended));
    }
    if let [occurrence] = run.occurrences.as_slice()
        && let Some(key) = record.key(*occurrence)
    {
        let subject = Subject {
            record,
            number,
            run,
            occurrence: *occurrence,
            key,
        };
        for (kind, check) in OF_ANSWERS {
            accuse(kind, check(&subject));
        }
    }
}

fn ends_in_time(it: &Ended<'_>) -> Vec<String> {
    let first = it.run.occurrences.first();
    let key = first.and_then(|first| it.record.key(*first));
    let remaining = it.run.remaining;
    let allowed = if key.is_some_and(Key::is_flow) {
        remaining.min(FLOW_BUDGET)
    } else {
        remaining
    };
    let took = it.run.took();
    let is_late = matches!(it.run.end, Some(End::TimedOut)) || took > allowed + TICK;
    let (allowed, took) = (allowed.as_millis(), took.as_millis());
    let what = || format!("#{} had {allowed} ms and took {took} ms", it.number);
    is_late.then(what).into_iter().collect()
}

/// A run that ends in time gives its lease back, or notes its work.
fn gives_its_lease_back(it: &Ended<'_>) -> Vec<String> {
    let seen = it.record.seen();
    if !it.run.is_whole() || it.run.remaining < AMPLE || seen.missed_the_ledger(it.number) {
        return Vec::new();
    }
    let ended = it.run.ended.unwrap_or_default();
    let latest = Clock::epoch_milliseconds(ended + it.record.schedule.times.clocks);
    let left = seen.items.held_by(it.number).any(|left| {
        // A request to the ledger in the last moment may be answered too late.
        left.lease_ends > latest && left.held_since + AMPLE / 2 < ended
    });
    let what = || format!("#{} ended and left its lease behind", it.number);
    left.then(what).into_iter().collect()
}

impl Subject<'_> {
    /// Returns true when the ledger had the state of `times` for a case of the key before the run began, and the run could reach the ledger.
    fn is_known_by(&self, times: &BTreeMap<String, Duration>) -> bool {
        let Self { record, key, .. } = self;
        let is_read_first = key.kind == Kind::ContactEvent && record.schedule.enrich;
        let has_answer = record.mode.ledger && !record.schedule.uses.window;
        let could_reach = self.run.remaining >= AMPLE
            && !record.seen().missed_the_ledger(self.number)
            && !is_read_first;
        let cases = Found::of(record, key).cases;
        let mut times = cases.iter().filter_map(|case| times.get(case));
        key.poison.is_none()
            && has_answer
            && could_reach
            && times.any(|time| *time < self.run.begun)
    }
}

/// Nothing that can fail stands between a case that the ledger names and the answer.
fn a_known_case_is_answered(it: &Subject<'_>) -> Vec<String> {
    const ALLOWED: [ErrorCode; 4] = [
        ErrorCode::ContactNotLinked,
        ErrorCode::CommentNotAdded,
        ErrorCode::InProgress,
        // The time was up while the ledger was asked once more for a lease that was live.
        ErrorCode::LedgerUnavailable,
    ];
    let code = it.run.failure().map(|failure| failure.code);
    let code = code.filter(|code| !ALLOWED.iter().any(|allowed| allowed.name() == code));
    let code =
        code.filter(|code| !code.is_empty() && it.is_known_by(&it.record.seen().items.named));
    let what = |code: String| {
        let (number, name) = (it.number, it.key.name());
        format!("#{number} failed with {code}, and the ledger named the case of {name}")
    };
    code.map(what).into_iter().collect()
}

fn a_known_case_is_answered_at_once(it: &Subject<'_>) -> Vec<String> {
    let is_all_done = only_first_joins(it.record) || it.key.occurrences == 1;
    let took = it.run.took();
    let is_late = is_all_done && took > AT_ONCE;
    let is_late = is_late && it.is_known_by(&it.record.seen().items.finished);
    let (number, took, name) = (it.number, took.as_millis(), it.key.name());
    let what = || format!("#{number} took {took} ms to answer {name}, which was done");
    is_late.then(what).into_iter().collect()
}

fn an_answer_is_true(it: &Subject<'_>) -> Vec<String> {
    let Some(End::Answered(answer)) = &it.run.end else {
        return Vec::new();
    };
    if answer.get("status").is_none() {
        return Vec::new();
    }
    let (number, occurrence) = (it.number, it.occurrence);
    let untrue = |what: &str| format!("#{number} answered {occurrence} {what}");
    match text(answer, "/status").as_str() {
        "created" | "existing" => {
            let found = Found::of(it.record, it.key).current(it.record, it.run.begun);
            let case = text(answer, "/caseId");
            let is_another = !found.cases.contains(&case);
            let what = "with the case of another key, or of a window that was over";
            let case = is_another.then_some(what).into_iter();
            let all = case.chain(untrue_items(it, &found, answer));
            all.map(untrue).collect()
        }
        "failed" => Vec::new(),
        status => vec![untrue(&format!("`{status}`, which no event here is"))],
    }
}

/// The untrue statements of an answer about contact and comment.
fn untrue_items(it: &Subject<'_>, found: &Found, answer: &Value) -> Vec<&'static str> {
    let Subject {
        record,
        key,
        occurrence,
        ..
    } = it;
    let number = occurrence.number;
    let contact = text(answer, "/contactLinked");
    let comment = text(answer, "/commentAdded");
    let mut untrue = Vec::new();
    let arn = key.contact_arn(number);
    let is_linked = arn.as_ref().is_none_or(|arn| found.links.contains(arn));
    if contact == "true" && !is_linked {
        untrue.push("that the contact is linked, and it is not");
    }
    let note = key.note(number);
    let commented = record.commented(*occurrence, comment == "true");
    let copies = if counts_copies(record, key) {
        commented
    } else {
        1
    };
    if comment == "true" && found.copies(&note) < copies {
        untrue.push("that the comment was added, and there is none of its own");
    }
    let only_first = only_first_joins(record);
    if only_first && key.identifies_occurrences() && !went_without(record, key) {
        let owners = found.owners(key, &record.schedule.delivered(key));
        let is_another = !owners.is_empty() && !owners.contains(&number);
        if is_another && (contact == "true" || comment == "true") {
            untrue.push("that what belongs to it was added, and it was another's");
        }
    }
    if text(answer, "/retryable") == "false" {
        // Another occurrence may have been the first, and refusals are for good.
        let passed_over = only_first && key.occurrences > 1;
        let is_settled = |said: &str, item: Option<&String>| match said {
            "true" => true,
            "not_requested" => item.is_none() || passed_over,
            _ => item.is_some_and(|item| gave_up(record, key, item)),
        };
        let overflow_refused = key.overflow().is_some_and(|begin| {
            let seen = record.seen();
            let mut items = seen.refused.iter().chain(seen.merging.keys());
            items.any(|item| item.contains(&begin))
        });
        let comment_settled = is_settled(&comment, Some(&note)) || overflow_refused;
        if !is_settled(&contact, arn.as_ref()) || !comment_settled {
            untrue.push("that something can never join the case, and nothing refuses it");
        }
    }
    untrue
}

fn an_answered_event_is_done(it: &Subject<'_>) -> Vec<String> {
    let has_status =
        matches!(&it.run.end, Some(End::Answered(answer)) if answer.get("status").is_some());
    let is_event = has_status && !it.key.is_flow();
    let undone = is_event.then(|| undone(it.record, it.occurrence, it.run.begun));
    undone.flatten().into_iter().collect()
}

/// Judges a message that left the queue: it never comes again.
pub(crate) fn check_done(record: &Record, occurrence: Occurrence, begun: Duration) {
    if let Some(what) = undone(record, occurrence, begun) {
        record.accuse(BreachKind::Untrue, what);
    }
}

/// The part that is missing of an event that was reported as done: its case must be there, with all that belongs to it.
fn undone(record: &Record, occurrence: Occurrence, begun: Duration) -> Option<String> {
    let key = record.key(occurrence)?;
    let found = Found::of(record, key).current(record, begun);
    let number = occurrence.number;
    // Another occurrence may have been the first.
    let is_passed_over = only_first_joins(record) && key.occurrences > 1;
    let missing = if key.poison.is_some() {
        "although it can have no case"
    } else if found.cases.is_empty() {
        "and has no case"
    } else if is_passed_over {
        return None;
    } else if found.lacks_contact(record, key, number) {
        "and its contact is not linked"
    } else if found.lacks_comment(record, key, number) {
        "and its comment is missing"
    } else {
        return None;
    };
    // A failure that stands in the failure queue is known.
    let is_unknown = !is_put_aside(record, occurrence);
    is_unknown.then(|| format!("{occurrence} was reported as done, {missing}"))
}

/// Judges the head of a batch that was kept. A message whose customer is gone for good is not kept for ever: a minute after its first receive
/// nothing more is going to show.
pub(crate) fn check_kept(record: &Record, occurrence: Occurrence, begun: Duration) {
    let is_gone = |key: &&Key| key.poison == Some(Poison::Gone);
    let Some(key) = record.key(occurrence).filter(is_gone) else {
        return;
    };
    let invocations = record.invocations();
    let run = invocations
        .iter()
        .position(|run| run.begun == begun && run.occurrences.first() == Some(&occurrence));
    // Without a ledger a message's own first receive counts. A run without time for a call cannot know.
    let has_tried = |number: &usize| {
        let seen = record.seen();
        let mut creations = seen.creations.iter();
        creations.any(|creation| creation.invocation == *number)
    };
    let run = run.filter(|number| record.mode.ledger && has_tried(number));
    let is_overdue = |number| is_overdue(record, number, key) && !is_cut_short(record, number, key);
    if record.schedule.queue.puts_aside && run.is_some_and(is_overdue) {
        let what = format!("{} was kept, and its customer is gone", key.name());
        record.accuse(BreachKind::Untrue, what);
    }
}

fn a_failure_is_true(it: &Subject<'_>) -> Vec<String> {
    let Some(failure) = it.run.failure() else {
        return Vec::new();
    };
    let Subject {
        record,
        number,
        key,
        ..
    } = it;
    let (name, code) = (key.name(), failure.code.as_str());
    let is = |expected: ErrorCode| expected.name() == code;
    let mut untrue = Vec::new();
    if is_untrue(it, code, failure.retryable == "true") {
        untrue.push(if key.poison.is_some() {
            format!(
                "#{number} answered {name} with {code}, retryable, and it can never have a case"
            )
        } else {
            format!(
                "#{number} answered {name} with {code}, never to be retried, and it can have a case"
            )
        });
    }
    if is(ErrorCode::CustomerUnknown) && !may_have_created(record, key) {
        untrue.push(format!(
            "#{number} answered {name} with {code}, and it is known that no profile was created"
        ));
    }
    if is(ErrorCode::InternalError) {
        untrue.push(format!("#{number} answered InternalError"));
    }
    untrue
}

/// Returns true for a failure for good where there can be a case, and for a transient one where there can be none.
fn is_untrue(it: &Subject<'_>, code: &str, transient: bool) -> bool {
    let Subject {
        record,
        number,
        run,
        key,
        ..
    } = it;
    let (number, ledger) = (*number, record.mode.ledger);
    let seen = record.seen();
    let is = |expected: ErrorCode| expected.name() == code;
    match key.poison {
        // The refusal may be that of a token with another body, where nothing remembers earlier runs and search need not show their case.
        None => {
            let is_hidden_mismatch = (!ledger || went_without(record, key))
                && record.schedule.services.mismatch_refused
                && is(ErrorCode::RequestRefused);
            !transient && !seen.was_refused(number) && !is_hidden_mismatch
        }
        Some(_) if !transient || is(ErrorCode::OutOfTime) => false,
        // Its contact is read first.
        Some(_) if key.kind == Kind::ContactEvent && record.schedule.enrich => {
            run.took() >= AMPLE && seen.of(number).next().is_none()
        }
        // The ledger comes first: another run may hold the key, or have left a doubt.
        Some(_) if ledger && (is(ErrorCode::InProgress) || is(ErrorCode::LedgerUnavailable)) => {
            false
        }
        // Without a ledger the time of the first receive is unknown.
        Some(Poison::Gone) => {
            let is_doubt = is(ErrorCode::OutcomeUnknown) && is_cut_short(record, number, key);
            ledger && is_overdue(record, number, key) && !is_doubt
        }
        Some(_) if ledger && is(ErrorCode::OutcomeUnknown) => {
            !is_left_in_doubt(record, number, key)
        }
        Some(Poison::Incomplete | Poison::Unrecognizable) => true,
    }
}

/// Returns true when nothing that a run must wait for could still show, and nothing else went wrong.
fn is_overdue(record: &Record, number: usize, key: &Key) -> bool {
    let invocations = record.invocations();
    let Some(run) = invocations.get(number) else {
        return false;
    };
    let shown = first_begun(record, key).saturating_add(PROFILE_SEEN_WITHIN + CLOCKS_WITHIN);
    let seen = record.seen();
    let name = key.name();
    // A refusal of another kind gave the key back, and the wait begins again. A batch does not report why it put a message aside, or kept one
    // that could not be put aside: the faults of its CreateCase, and the ledger, show it.
    let gave_back = |(number, earlier): (usize, &Invocation)| {
        let was_refused = seen.creations.iter().any(|creation| {
            creation.invocation == number && creation.title == name && creation.refused
        });
        let in_batch = was_refused && seen.items.given_back.contains(&number);
        let is_other = matches!(&earlier.end, Some(End::Failed(code)) if !code.is_transient() && *code != ErrorCode::CustomerNotFound);
        earlier.is_of(key) && (in_batch || is_other)
    };
    let mut earlier = invocations.iter().take(number).enumerate();
    run.begun >= shown
        && !earlier.any(gave_back)
        && seen.of(number).next().is_none()
        && !is_left_in_doubt(record, number, key)
}

/// Returns true when the time of a run was up before the answer to its own `CreateCase` came. It cannot know then what became of that one,
/// whatever the answer was: the doubt is the truth. A run that had time left has no such excuse.
fn is_cut_short(record: &Record, number: usize, key: &Key) -> bool {
    let name = key.name();
    let seen = record.seen();
    let is_unheard = seen
        .creations
        .iter()
        .any(|creation| creation.invocation == number && creation.title == name && !creation.heard);
    let invocations = record.invocations();
    let time_was_up = invocations.get(number).is_some_and(|run| {
        let ended = run.ended.unwrap_or_else(|| record.clock.elapsed());
        ended + AMPLE / 2 >= run.begun + run.remaining
    });
    is_unheard && time_was_up
}

/// Returns true when an earlier run of the key left a doubt about its case that this run must wait for.
fn is_left_in_doubt(record: &Record, number: usize, key: &Key) -> bool {
    // A run that left a doubt about its CreateCase keeps the ones after it from giving the key up until search would show its case. One that
    // died, or whose claim is there without its knowledge, leaves the doubt until its time is up.
    let time = record.schedule.timeout;
    let doubt_ends = |earlier: &Invocation| match &earlier.end {
        Some(End::Failed(ErrorCode::OutcomeUnknown | ErrorCode::ConflictUnresolved)) => {
            earlier.ended
        }
        Some(End::Failed(ErrorCode::LedgerUnavailable) | End::Crashed | End::TimedOut) | None => {
            Some(earlier.begun + time)
        }
        Some(End::Failed(_)) => None,
        // A batch does not report why it keeps a message.
        Some(End::Answered(_)) => Some(earlier.begun + time),
    };
    let waits = CASE_FOUND_WITHIN + REQUEST_ARRIVES_WITHIN + 2 * CLOCKS_WITHIN;
    let invocations = record.invocations();
    invocations.get(number).is_some_and(|run| {
        let mut earlier = invocations.iter().take(number);
        earlier.any(|earlier| {
            let ends = doubt_ends(earlier).filter(|_| earlier.is_of(key));
            ends.is_some_and(|ends| ends.saturating_add(waits) > run.begun)
        })
    })
}

/// Returns true when a profile of the key's customer may have been created without anybody's knowledge, as far as its runs could know.
fn may_have_created(record: &Record, key: &Key) -> bool {
    let seen = record.seen();
    let phone = key.phone().unwrap_or_default();
    let mut sent = seen.profiles.iter().filter(|sent| sent.phone == phone);
    if !record.mode.ledger || sent.any(|sent| !sent.harmless) {
        return true;
    }
    // A run that could not reach the ledger leaves the next one in doubt.
    let runs = record.runs(key);
    let mut runs = runs.iter();
    runs.any(|(number, run)| !run.is_whole() || seen.missed_the_ledger(*number))
}
