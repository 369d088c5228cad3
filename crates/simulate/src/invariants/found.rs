//! The facts of a key: its holdings in the services, its reported failures, and the excuses for what is missing or there twice.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;

use crate::assumptions::MERGED_WITHIN;
use crate::clock::Clock;
use crate::keys::{Key, Kind, Occurrence};
use crate::record::{Invocation, Record, text};

/// The holdings of the services for a key.
pub(super) struct Found {
    pub(super) cases: Vec<String>,
    pub(super) links: Vec<String>,
    pub(super) comments: Vec<String>,
}

impl Found {
    pub(super) fn of(record: &Record, key: &Key) -> Self {
        let holdings = record.holdings();
        let cases = holdings.cases.get(&key.name()).cloned();
        Self::in_cases(record, cases.unwrap_or_default())
    }

    fn in_cases(record: &Record, cases: Vec<String>) -> Self {
        let holdings = record.holdings();
        let (mut links, mut comments) = (Vec::new(), Vec::new());
        for (case, contact, comment) in &holdings.items {
            if cases.contains(case) {
                links.extend(Some(contact.clone()).filter(|arn| !arn.is_empty()));
                comments.extend(Some(comment.clone()).filter(|body| !body.is_empty()));
            }
        }
        Self {
            cases,
            links,
            comments,
        }
    }

    /// Each of the cases alone, in the order of their creation.
    pub(super) fn apart(&self, record: &Record) -> Vec<Self> {
        let seen = record.seen();
        let mut cases = self.cases.clone();
        cases.sort_by_key(|case| seen.created.get(case).copied());
        let alone = |case| Self::in_cases(record, vec![case]);
        cases.into_iter().map(alone).collect()
    }

    /// The cases that may answer a delivery which began then: their windows were not over.
    pub(super) fn current(&self, record: &Record, begun: Duration) -> Self {
        let cases = self.cases.iter();
        let cases = cases.filter(|case| !is_over(record, case, begun));
        Self::in_cases(record, cases.cloned().collect())
    }

    /// The time at which the first case was created.
    pub(super) fn first_created(&self, record: &Record) -> Option<Duration> {
        let seen = record.seen();
        let times = self.cases.iter().filter_map(|case| seen.created.get(case));
        times.min().copied()
    }

    /// The numbers of links and comments beyond `links` and `comments` of each.
    pub(super) fn twins(&self, links: usize, comments: usize) -> (usize, usize) {
        let beyond = |all: &[String], most: usize| -> usize {
            let each: HashSet<&String> = all.iter().collect();
            let times = each.iter().map(|one| count(all, one));
            times.map(|times| times.saturating_sub(most)).sum()
        };
        (beyond(&self.links, links), beyond(&self.comments, comments))
    }

    /// The number of copies of a comment.
    pub(super) fn copies(&self, comment: &str) -> usize {
        count(&self.comments, comment)
    }

    /// Returns true when an occurrence's contact must be linked, and is not.
    pub(super) fn lacks_contact(&self, record: &Record, key: &Key, number: usize) -> bool {
        let contact = key.contact_arn(number);
        contact.is_some_and(|arn| !self.links.contains(&arn) && !gave_up(record, key, &arn))
    }

    /// Returns true when one of an occurrence's comments must be there, and is not.
    pub(super) fn lacks_comment(&self, record: &Record, key: &Key, number: usize) -> bool {
        let note = key.note(number);
        if key.kind == Kind::Backlog || gave_up(record, key, &note) {
            return false;
        }
        let has = |part: &String| self.comments.iter().any(|comment| comment.contains(part));
        let is_refused = |part: &String| {
            let seen = record.seen();
            seen.refused.iter().any(|item| item.contains(part))
        };
        let overflow = key.overflow();
        self.copies(&note) == 0 || overflow.is_some_and(|part| !has(&part) && !is_refused(&part))
    }

    /// The occurrences whose contact or comment is on the cases.
    pub(super) fn owners(&self, key: &Key, delivered: &[usize]) -> Vec<usize> {
        let numbers = delivered.iter().copied();
        let has_any = |number: &usize| {
            let contact = key.contact_arn(*number).filter(|_| key.own_contacts);
            let is_linked = contact.is_some_and(|contact| self.links.contains(&contact));
            is_linked || !key.same_words && self.copies(&key.note(*number)) > 0
        };
        numbers.filter(has_any).collect()
    }
}

fn count(all: &[String], one: &str) -> usize {
    all.iter().filter(|item| *item == one).count()
}

/// Returns true when the failure of an occurrence stands where someone looks.
pub(super) fn is_reported(record: &Record, occurrence: Occurrence) -> bool {
    let answer = record.last_answer(occurrence).flatten();
    let deliveries = record.deliveries.borrow();
    let failed = |(of, reason): &(Occurrence, &str)| *of == occurrence && !reason.is_empty();
    answer.is_some_and(|answer| text(&answer, "/status") == "failed")
        || is_put_aside(record, occurrence)
        || deliveries.failed.iter().any(failed)
        || deliveries.dead.contains(&occurrence)
}

/// Returns true when the failure queue has the event, with a reason.
pub(super) fn is_put_aside(record: &Record, occurrence: Occurrence) -> bool {
    let payload: Option<Value> = serde_json::from_str(&record.payload(occurrence)).ok();
    record.seen().put_aside.iter().any(|message| {
        let is_explained = !text(&message.body, "/errorCode").is_empty();
        message.body.get("event") == payload.as_ref() && is_explained
    })
}

/// Returns true when the window of a case was over at that time, by every clock. A case that the ledger did not name by then belongs to a
/// claim that was not done: that one never ends without another.
fn is_over(record: &Record, case: &str, at: Duration) -> bool {
    let seen = record.seen();
    let items = &seen.items;
    if items.named.get(case).is_none_or(|named| *named > at) {
        return false;
    }
    let over = items.claims.get(case).and_then(|claim| claim.over);
    let at = at.saturating_sub(record.schedule.times.clocks);
    over.is_some_and(|over| over <= Clock::epoch_seconds(at))
}

/// Returns true when the window of a case was over at that time, by some clock.
pub(super) fn may_be_over(record: &Record, case: &str, at: Duration) -> bool {
    is_over(record, case, at + 2 * record.schedule.times.clocks)
}

/// Returns true when only the first occurrence's contact and comments join a case, as with `on_existing: return`. Those of every occurrence
/// do without a ledger, and with `on_existing: attach`.
pub(super) fn only_first_joins(record: &Record) -> bool {
    record.mode.ledger && !record.schedule.uses.attach
}

/// Returns true when a contact or a comment may never join its case: it was refused, or its case was being merged for longer than it may
/// be.
pub(super) fn gave_up(record: &Record, key: &Key, item: &str) -> bool {
    let seen = record.seen();
    let latest = first_begun(record, key).saturating_add(MERGED_WITHIN);
    seen.refused.contains(item) || seen.merging.get(item).is_some_and(|last| *last >= latest)
}

/// The time at which the first run of a key began.
pub(super) fn first_begun(record: &Record, key: &Key) -> Duration {
    let invocations = record.invocations();
    let of_key = invocations.iter().filter(|run| run.is_of(key));
    let begun = of_key.map(|run| run.begun).min();
    begun.unwrap_or(Duration::MAX)
}

/// Returns true when repetitions of items are not promised away: comments and links of one key, or profiles of keys with one customer.
///
/// With a ledger everything of a key is there once; keys that share a customer do not know of each other, and a run that went on without
/// the ledger is like one that has none. Without one, a run looks for the effects of an earlier one, and cannot see those that do not show
/// yet: because the services lag, or because a request arrived after its sender was gone. Runs that overlap do not see each other at all,
/// and a flow that runs again does not look.
pub(super) fn is_excused(record: &Record, keys: &[&Key]) -> bool {
    if record.mode.ledger {
        return keys.iter().any(|key| went_without(record, key));
    }
    let of_keys = |occurrence: &&Occurrence| keys.iter().any(|key| key.number == occurrence.key);
    let invocations = record.invocations();
    let runs: Vec<(usize, &Invocation)> = invocations
        .iter()
        .enumerate()
        .filter(|(_, run)| keys.iter().any(|key| run.is_of(key)))
        .collect();
    let is_flow = keys.iter().any(|key| key.is_flow());
    let crowded =
        |(_, run): &(usize, &Invocation)| run.occurrences.iter().filter(of_keys).count() > 1;
    if is_flow && runs.len() > 1 || runs.iter().any(crowded) {
        return true;
    }
    let seen = record.seen();
    let (lag, request) = record.schedule.times.excused_for();
    let is_hidden = |(number, one): &(usize, &Invocation), other: &Invocation| {
        if !seen.additions.contains(number) {
            return false;
        }
        let (Some(ended), begun) = (one.ended, other.begun) else {
            return true;
        };
        let gap = begun.saturating_sub(ended);
        begun < ended || gap < lag || seen.late.contains(number) && gap < request
    };
    runs.iter().any(|one| {
        let mut others = runs.iter().filter(|other| other.0 != one.0);
        others.any(|other| other.1.ended >= one.1.ended && is_hidden(one, other.1))
    })
}

/// Returns true when a run of the key may have gone on without the ledger.
pub(super) fn went_without(record: &Record, key: &Key) -> bool {
    let uses = record.schedule.uses;
    if !uses.proceed || uses.window {
        return false;
    }
    let seen = record.seen();
    let runs = record.runs(key);
    runs.iter()
        .any(|(number, _)| seen.missed_the_ledger(*number))
}

/// Returns true when the copies of equal comments count: each occurrence has its own, and none may be shared.
///
/// Two occurrences may leave one comment when a run of the key died, or never received the result of its comment or claim: the next run
/// takes a comment with the same words for its own.
pub(super) fn counts_copies(record: &Record, key: &Key) -> bool {
    let is_kept = key.same_words && record.mode.ledger && !record.schedule.uses.window;
    if !is_kept || only_first_joins(record) || went_without(record, key) {
        return false;
    }
    let seen = record.seen();
    let may_share = record.runs(key).iter().any(|(number, run)| {
        let mut met = seen.of(*number);
        let in_doubt = met.any(|(operation, fault)| {
            let is_write = operation == "CreateRelatedItem" || operation.starts_with("DynamoDB");
            is_write && !fault.is_harmless()
        });
        !run.is_whole() || in_doubt
    });
    !may_share
}

/// Returns true when an occurrence of the key that asks for another case may wait for search longer than a message is received: without a
/// ledger only search finds the key's case.
pub(super) fn waits_for_search(record: &Record, key: &Key) -> bool {
    !record.mode.ledger && key.varies && key.occurrences > 1
}
