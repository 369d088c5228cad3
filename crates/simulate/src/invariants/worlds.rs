//! The invariants of a world at rest: of each key, and of all together.

use std::collections::BTreeSet;
use std::time::Duration;

use casebridge::error::ErrorCode;

use super::found::{
    Found, counts_copies, gave_up, is_excused, is_put_aside, is_reported, may_be_over,
    only_first_joins, waits_for_search, went_without,
};
use crate::clock::Clock;
use crate::faults::Fault;
use crate::keys::{Key, Occurrence};
use crate::record::{Creation, Record, Seen, text, title};
use crate::schedule::WINDOW;
use crate::verdict::{Breach, BreachKind, Twins, Verdict};

/// The least share of the quota that a backlog must use.
const LEAST_USE: f64 = 0.9;

/// An invariant of a key: the kind of its breaches, and the check that finds them.
type KeyInvariant = (BreachKind, fn(&Subject<'_>) -> Vec<String>);

/// An invariant of a world.
type WorldInvariant = (BreachKind, fn(&Record) -> Vec<String>);

/// The invariants of a key that can never have a case.
const OF_POISONED_KEYS: [KeyInvariant; 2] = [
    (BreachKind::Untrue, poison_makes_no_case),
    (BreachKind::Lost, poison_is_reported),
];

/// The invariants of a key with a case.
const OF_KEYS: [KeyInvariant; 4] = [
    (BreachKind::Duplicate, a_window_has_one_case),
    (BreachKind::Lost, everything_joins),
    (BreachKind::Mixed, a_case_has_one_owner),
    (BreachKind::Duplicate, nothing_joins_twice),
];

/// The invariants of a world.
const OF_WORLDS: [WorldInvariant; 7] = [
    (BreachKind::Broken, the_record_is_complete),
    (BreachKind::Untrue, denials_are_true),
    (BreachKind::Duplicate, a_customer_has_one_profile),
    (BreachKind::Ledger, |record| {
        record.seen().items.flaws.clone()
    }),
    (BreachKind::Lost, no_message_starves),
    (BreachKind::Order, groups_keep_their_order),
    (BreachKind::Late, a_backlog_uses_the_quota),
];

/// A key with the facts that its invariants read.
struct Subject<'a> {
    record: &'a Record,
    key: &'a Key,
    name: String,
    delivered: Vec<usize>,
    found: Found,
    /// Each case alone.
    apart: Vec<Found>,
}

/// Judges a world that is at rest.
pub(crate) fn check(record: &Record) -> Verdict {
    let mut verdict = Verdict {
        breaches: record.breaches(),
        twins: Twins {
            profiles: profiles(record, true)
                .iter()
                .map(|(_, beyond)| beyond)
                .sum(),
            ..Twins::default()
        },
        cases: record.emulator.cases().len(),
    };
    for key in &record.schedule.keys {
        let found = Found::of(record, key);
        let subject = Subject {
            record,
            key,
            name: key.name(),
            delivered: record.schedule.delivered(key),
            apart: found.apart(record),
            found,
        };
        if key.poison.is_some() {
            for (kind, check) in OF_POISONED_KEYS {
                add(&mut verdict, kind, check(&subject));
            }
        } else if subject.found.cases.is_empty() && !subject.delivered.is_empty() {
            let name = &subject.name;
            let what = format!("{name} has no case although it was delivered again without faults");
            add(&mut verdict, BreachKind::Lost, vec![what]);
        } else if !subject.delivered.is_empty() {
            for (kind, check) in OF_KEYS {
                add(&mut verdict, kind, check(&subject));
            }
            if is_excused(record, &[key]) {
                for (links, comments) in subject.twins() {
                    verdict.twins.links += links;
                    verdict.twins.comments += comments;
                }
            }
        }
    }
    for (kind, check) in OF_WORLDS {
        add(&mut verdict, kind, check(record));
    }
    verdict
}

fn add(verdict: &mut Verdict, kind: BreachKind, breaches: Vec<String>) {
    let breaches = breaches.into_iter().map(|what| Breach { kind, what });
    verdict.breaches.extend(breaches);
}

fn poison_makes_no_case(it: &Subject<'_>) -> Vec<String> {
    let what = || format!("{} has a case, and can have none", it.name);
    (!it.found.cases.is_empty())
        .then(what)
        .into_iter()
        .collect()
}

fn poison_is_reported(it: &Subject<'_>) -> Vec<String> {
    let delivered = it.delivered.iter().map(|number| it.key.occurrence(*number));
    let unreported = delivered.filter(|occurrence| !is_reported(it.record, *occurrence));
    let what = |of: Occurrence| format!("{of} can have no case, and nothing says so");
    unreported.map(what).collect()
}

/// One case, or with windows one for each: a later one only after the window of the earlier was over, by some clock.
fn a_window_has_one_case(it: &Subject<'_>) -> Vec<String> {
    let seen = it.record.seen();
    let clocks = it.record.schedule.times.clocks;
    let ids: Vec<&String> = it.apart.iter().flat_map(|found| &found.cases).collect();
    let mut breaches = Vec::new();
    for pair in ids.windows(2) {
        let [earlier, later] = pair else {
            continue;
        };
        let created = seen.created.get(*later).copied().unwrap_or_default() + clocks;
        let is_over = seen.items.claims.get(*earlier).is_some_and(|claim| {
            let over = claim.over;
            over.is_some_and(|over| over <= Clock::epoch_seconds(created))
                && claim.made + WINDOW <= created + clocks
        });
        if !is_over {
            breaches.push(format!(
                "{} has a case too many: {earlier}, {later}",
                it.name
            ));
        }
    }
    breaches
}

fn everything_joins(it: &Subject<'_>) -> Vec<String> {
    let Subject {
        record,
        key,
        name,
        delivered,
        found,
        ..
    } = it;
    let lacks_contact = |number: usize| found.lacks_contact(record, key, number);
    let lacks_comment = |number: usize| found.lacks_comment(record, key, number);
    if only_first_joins(record) {
        let mut numbers = delivered.iter();
        let has_whole = numbers.any(|number| !lacks_contact(*number) && !lacks_comment(*number));
        let what = || format!("{name}'s case lacks what belongs to it");
        return (!has_whole).then(what).into_iter().collect();
    }
    let mut breaches = Vec::new();
    for number in delivered {
        let occurrence = key.occurrence(*number);
        let has_died = record.deliveries.borrow().died.contains(&occurrence);
        // A token with another body may look like a request that can never succeed.
        let is_refused =
            || record.schedule.services.mismatch_refused && is_put_aside(record, occurrence);
        if waits_for_search(record, key) && (has_died || is_refused()) {
            continue;
        }
        if lacks_contact(*number) {
            breaches.push(format!("{name}'s contact is not linked"));
        }
        if lacks_comment(*number) {
            breaches.push(format!("{name}'s comment is missing"));
        }
    }
    let (there, expected) = (found.copies(&key.note(0)), delivered.len());
    let is_given_up = gave_up(record, key, &key.note(0));
    if there < expected && !is_given_up && counts_copies(record, key) {
        breaches.push(format!(
            "{name} has {expected} occurrences with the same comment, and the comment {there} times"
        ));
    }
    breaches
}

/// A case has the items of its first occurrence alone; and no occurrence is the first that came when the case was there.
fn a_case_has_one_owner(it: &Subject<'_>) -> Vec<String> {
    let Subject {
        record, key, name, ..
    } = it;
    let has_one_owner = only_first_joins(record) && key.identifies_occurrences();
    if !has_one_owner || went_without(record, key) {
        return Vec::new();
    }
    let seen = record.seen();
    let mixed = it.apart.iter().filter_map(|case| {
        let owner = match case.owners(key, &it.delivered).as_slice() {
            [] => return None,
            [owner] => key.occurrence(*owner),
            _ => {
                return Some(format!(
                    "{name}'s case has contact and comment of several occurrences"
                ));
            }
        };
        let created = seen.created.get(case.cases.first()?)?;
        let runs = record.runs(key);
        let mut earlier = runs.iter().filter(|(_, run)| run.begun < *created);
        let was_before = earlier.any(|(_, run)| run.occurrences.contains(&owner));
        (!was_before).then(|| {
            format!(
                "{name}'s case has what belongs to an occurrence that came when the case was there"
            )
        })
    });
    mixed.collect()
}

fn nothing_joins_twice(it: &Subject<'_>) -> Vec<String> {
    if is_excused(it.record, &[it.key]) {
        return Vec::new();
    }
    let name = &it.name;
    let mut breaches = Vec::new();
    for (links, comments) in it.twins() {
        for (what, times) in [("contact is linked", links), ("comment is there", comments)] {
            if times > 0 {
                breaches.push(format!("{name}'s {what} {} times", times + 1));
            }
        }
    }
    breaches
}

impl Subject<'_> {
    /// The links and the comments beyond those that belong to each case. Each occurrence has its own, and some have equal ones.
    fn twins(&self) -> Vec<(usize, usize)> {
        let key = self.key;
        let several = if only_first_joins(self.record) {
            1
        } else {
            self.delivered.len().max(1)
        };
        let has_equal_contacts = !key.own_contacts && self.record.mode.ledger;
        let contacts = if has_equal_contacts { several } else { 1 };
        let comments = if key.same_words { several } else { 1 };
        let cases = self.apart.iter();
        cases.map(|case| case.twins(contacts, comments)).collect()
    }
}

/// The other invariants read cases from the record: Cases holds the same.
fn the_record_is_complete(record: &Record) -> Vec<String> {
    let held = record.emulator.cases();
    let held: BTreeSet<_> = held
        .iter()
        .map(|case| (title(case), text(case, "/caseId")))
        .collect();
    let what = || "Cases holds other cases than the wire saw".to_owned();
    let differs = held != record.seen().cases();
    differs.then(what).into_iter().collect()
}

/// The failure of an occurrence, as someone received it.
struct Denial {
    occurrence: Occurrence,
    invocation: usize,
    at: Duration,
    code: String,
    /// The same will never succeed.
    for_good: bool,
}

/// A failure that leaves no doubt means that the invocation created nothing: not then, and not later by a request still under way. One for
/// good means that nobody did.
fn denials_are_true(record: &Record) -> Vec<String> {
    let seen = record.seen();
    let mut breaches = Vec::new();
    for denial in denials(record, &seen) {
        let Some(key) = record.key(denial.occurrence) else {
            continue;
        };
        let name = key.name();
        let creations = seen.creations.iter();
        let mut carried_out = creations.filter(|creation| {
            creation.title == name && creation.effect.is_some() && creation.sent <= denial.at
        });
        let (number, code) = (denial.invocation, &denial.code);
        // A batch may hold several occurrences of a key, and only one of them was put aside.
        let is_alone = record.invocations().get(number).is_some_and(|run| {
            let of_key = run.occurrences.iter().filter(|of| of.key == key.number);
            of_key.count() == 1
        });
        let is_own = |creation: &&Creation| is_alone && creation.invocation == number;
        if carried_out.clone().any(|creation| is_own(&creation)) {
            breaches.push(format!(
                "#{number} answered {code}, and its CreateCase was carried out"
            ));
        } else if carried_out.any(|creation| is_untrue(record, &seen, key, &denial, creation)) {
            breaches.push(format!(
                "#{number} gave {name} up with {code}, and its case exists"
            ));
        }
    }
    breaches
}

/// Returns true for a failure for good that could have been known to be none: the case of the key's present window exists.
fn is_untrue(
    record: &Record,
    seen: &Seen,
    key: &Key,
    denial: &Denial,
    creation: &Creation,
) -> bool {
    let Some((created, case)) = creation.effect.as_ref().filter(|_| denial.for_good) else {
        return false;
    };
    if key.poison.is_some() || may_be_over(record, case, denial.at) {
        return false;
    }
    let runs = record.invocations();
    let begun_at = |number: usize| runs.get(number).map(|run| run.begun);
    let begun = begun_at(denial.invocation);
    // It was created by a run that began when this one had, which may have given the key back already.
    if begun_at(creation.invocation) > begun {
        return false;
    }
    if record.mode.ledger && !went_without(record, key) {
        return true;
    }
    // Only search knows of earlier runs, and it is asked when it is CreateCase that was refused.
    let is_found = begun.is_some_and(|begun| *created + record.schedule.times.case <= begun);
    let mut others = seen.of(denial.invocation);
    let by_another =
        others.any(|(operation, fault)| operation != "CreateCase" && Fault::is_refusal(fault));
    is_found && !by_another
}

/// All failures that someone received, but for those that leave a doubt, and those about items that join a case.
fn denials(record: &Record, seen: &Seen) -> Vec<Denial> {
    const DOUBTFUL: [ErrorCode; 4] = [
        ErrorCode::OutcomeUnknown,
        ErrorCode::ConflictUnresolved,
        ErrorCode::ContactNotLinked,
        ErrorCode::CommentNotAdded,
    ];
    let invocations = record.invocations();
    let answered = invocations.iter().enumerate().filter_map(|(number, run)| {
        let (Some(at), [occurrence]) = (run.ended, run.occurrences.as_slice()) else {
            return None;
        };
        let failure = run.failure()?;
        Some(Denial {
            occurrence: *occurrence,
            invocation: number,
            at,
            code: failure.code,
            for_good: failure.retryable == "false",
        })
    });
    let put_aside = seen.put_aside.iter().filter_map(|message| {
        Some(Denial {
            occurrence: record.occurrence_of(message.body.get("event"))?,
            invocation: message.invocation,
            at: message.at,
            code: text(&message.body, "/errorCode"),
            for_good: true,
        })
    });
    let is_doubtful = |code: &str| DOUBTFUL.iter().any(|doubtful| doubtful.name() == code);
    let all = answered.chain(put_aside);
    all.filter(|denial| !is_doubtful(&denial.code)).collect()
}

fn a_customer_has_one_profile(record: &Record) -> Vec<String> {
    let twice = profiles(record, false).into_iter();
    let what = |(names, beyond): (String, usize)| format!("{names} has {} profiles", beyond + 1);
    twice.map(what).collect()
}

/// The keys with a customer who has several profiles, and the number beyond the first: those that are excused, or the others. Keys that
/// share a customer do not know of each other.
fn profiles(record: &Record, excused: bool) -> Vec<(String, usize)> {
    let profiles = record.emulator.profiles();
    let phones = profiles.iter().map(|profile| text(profile, "/PhoneNumber"));
    let mut phones: Vec<String> = phones.filter(|phone| !phone.is_empty()).collect();
    phones.sort_unstable();
    let mut found = Vec::new();
    for same in phones.chunk_by(|one, other| one == other) {
        let Some(phone) = same.first().filter(|_| same.len() > 1) else {
            continue;
        };
        let keys = record.schedule.keys.iter();
        let sharing = keys.filter(|key| key.phone().as_ref() == Some(phone));
        let sharing: Vec<&Key> = sharing.collect();
        if excused == (sharing.len() > 1 || is_excused(record, &sharing)) {
            let names: Vec<String> = sharing.iter().map(|key| key.name()).collect();
            found.push((names.join(" and "), same.len() - 1));
        }
    }
    found
}

/// No message that can have a case becomes a dead letter: in a FIFO queue without faults, and in a backlog, whatever its requests meet.
fn no_message_starves(record: &Record) -> Vec<String> {
    let queue = &record.schedule.queue;
    // A queue that does not learn that a message is done counts one receive more.
    let is_calm = record.schedule.is_calm() && queue.is_ordered() && queue.repeats == 0;
    let mut keys = record.schedule.keys.iter();
    let is_held = is_calm && !keys.any(|key| waits_for_search(record, key));
    if !is_held && record.mode.backlog.is_none() {
        return Vec::new();
    }
    let deliveries = record.deliveries.borrow();
    let is_sound = |of: &&Occurrence| record.key(**of).is_some_and(|key| key.poison.is_none());
    let died = deliveries.died.iter().filter(is_sound);
    let what = |of: &Occurrence| format!("{of} became a dead letter, and can have a case");
    died.map(what).collect()
}

/// The cases of a message group of a FIFO queue come in the order of its messages. One that was a dead letter, or in the failure queue, has
/// lost its place.
fn groups_keep_their_order(record: &Record) -> Vec<String> {
    let queue = &record.schedule.queue;
    if !queue.fifo {
        return Vec::new();
    }
    let seen = record.seen();
    let put_aside = seen.put_aside.iter();
    let put_aside: Vec<Occurrence> = put_aside
        .filter_map(|message| record.occurrence_of(message.body.get("event")))
        .collect();
    let mut messages: Vec<_> = queue.messages.iter().collect();
    messages.sort_by_key(|message| message.at);
    let mut latest: Vec<(usize, &Key, Duration)> = Vec::new();
    let mut keys: Vec<usize> = Vec::new();
    let mut breaches = Vec::new();
    for message in messages {
        let Some(key) = record.key(message.occurrence) else {
            continue;
        };
        if keys.contains(&key.number) {
            continue;
        }
        keys.push(key.number);
        let deliveries = record.deliveries.borrow();
        let mut left = deliveries.died.iter().chain(&put_aside);
        if left.any(|left| left.key == key.number) {
            continue;
        }
        let Some(created) = Found::of(record, key).first_created(record) else {
            continue;
        };
        let group = message.occurrence.group();
        match latest.iter_mut().find(|(of, ..)| *of == group) {
            Some((_, before, then)) if *then > created => {
                breaches.push(format!(
                    "{}'s case came before {}'s",
                    key.name(),
                    before.name()
                ));
            }
            Some(before) => *before = (group, key, created),
            None => latest.push((group, key, created)),
        }
    }
    breaches
}

fn a_backlog_uses_the_quota(record: &Record) -> Vec<String> {
    let throughput = record.throughput();
    let idle = throughput.filter(|throughput| throughput.quota_used < LEAST_USE);
    let what = |share: f64| format!("{:.1} % of the quota was used", share * 100.0);
    idle.map(|it| what(it.quota_used)).into_iter().collect()
}
