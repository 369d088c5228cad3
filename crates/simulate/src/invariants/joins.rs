//! What joins the case of a key: contact and comments of its occurrences, each its own.

use std::time::Duration;

use super::excuses::{Twin, is_excused, may_share_a_comment, waits_for_search, went_without};
use super::found::{Found, is_put_aside};
use super::{Breach, BreachKind, Verdict};
use crate::assumptions::MERGED_WITHIN;
use crate::keys::{Key, Occurrence};
use crate::world::World;

/// Whose contact and comments join a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joining {
    /// Those of every occurrence: without a ledger, and with `on_existing: attach`.
    All,
    /// Those of the first one: with `on_existing: return`.
    First,
}

impl Joining {
    pub(super) fn of(world: &World) -> Self {
        if world.mode.ledger && !world.schedule.uses.attach {
            Self::First
        } else {
            Self::All
        }
    }
}

/// Judges what joined the cases of a key, all together and each alone.
pub(super) fn check(world: &World, key: &Key, all: &Found, apart: &[Found], verdict: &mut Verdict) {
    let delivered = world.schedule.delivered(key);
    let went_without = went_without(world, key);
    let joining = Joining::of(world);
    let mut breach = |kind, what: String| verdict.breaches.push(Breach::new(kind, what));
    let name = key.name();
    if joining == Joining::All {
        let is_left = |number: &usize| {
            let occurrence = Occurrence {
                key: key.number,
                number: *number,
            };
            let has_died = || world.deliveries.borrow().died.contains(&occurrence);
            // A token with another body may look like a request that can never succeed.
            let is_refused =
                || world.schedule.services.mismatch_refused && is_put_aside(world, occurrence);
            waits_for_search(world, key) && (has_died() || is_refused())
        };
        for number in delivered.iter().copied().filter(|number| !is_left(number)) {
            if lacks_contact(world, key, all, number) {
                breach(BreachKind::Lost, format!("{name}'s contact is not linked"));
            }
            if lacks_comment(world, key, all, number) {
                breach(BreachKind::Lost, format!("{name}'s comment is missing"));
            }
        }
        let is_counted = world.mode.ledger
            && !world.schedule.uses.window
            && !went_without
            && !may_share_a_comment(world, key);
        let given_up = gave_up(world, key, &key.note(0));
        if is_counted && key.same_words && !given_up {
            let there = all.copies(&key.note(0));
            let expected = delivered.len();
            if there < expected {
                let what = format!(
                    "{name} has {expected} occurrences with the same comment, and the comment {there} times"
                );
                breach(BreachKind::Lost, what);
            }
        }
    } else {
        let is_whole = |number: &usize| {
            !lacks_contact(world, key, all, *number) && !lacks_comment(world, key, all, *number)
        };
        if !delivered.iter().any(is_whole) {
            let what = format!("{name}'s case lacks what belongs to it");
            breach(BreachKind::Lost, what);
        }
        if !went_without && key.tells_apart() {
            for case in apart {
                verdict.breaches.extend(mixed(world, key, case, &delivered));
            }
        }
    }
    check_twins(world, key, apart, &delivered, joining, verdict);
}

/// Nothing is there more often than it belongs there.
fn check_twins(
    world: &World,
    key: &Key,
    apart: &[Found],
    delivered: &[usize],
    joining: Joining,
    verdict: &mut Verdict,
) {
    let name = key.name();
    let is_excused = is_excused(world, &[key], Twin::Item);
    // Each occurrence has its own, and some have equal ones.
    let several = match joining {
        Joining::All => delivered.len().max(1),
        Joining::First => 1,
    };
    let contacts = if key.own_contacts || !world.mode.ledger {
        1
    } else {
        several
    };
    let words = if key.same_words { several } else { 1 };
    for case in apart {
        let (links, comments) = case.twins(contacts, words);
        if is_excused {
            verdict.twins.links += links;
            verdict.twins.comments += comments;
            continue;
        }
        let mut twice = |what: &str, times: usize| {
            if times > 0 {
                let what = format!("{name}'s {what} {} times", times + 1);
                verdict
                    .breaches
                    .push(Breach::new(BreachKind::Duplicate, what));
            }
        };
        twice("contact is linked", links);
        twice("comment is there", comments);
    }
}

/// A case has what belongs to its first occurrence alone; and no occurrence is the first that came when the case was there.
fn mixed(world: &World, key: &Key, case: &Found, delivered: &[usize]) -> Option<Breach> {
    let owners = owners(key, case, delivered);
    let name = key.name();
    let breach = |what| Some(Breach::new(BreachKind::Mixed, what));
    let owner = match owners.as_slice() {
        [] => return None,
        [owner] => *owner,
        _ => {
            return breach(format!(
                "{name}'s case has contact and comment of several occurrences"
            ));
        }
    };
    let id = case.cases.first()?;
    let created = world.seen().created.get(id).copied()?;
    let occurrence = Occurrence {
        key: key.number,
        number: owner,
    };
    let invocations = world.invocations();
    let mut runs = invocations.iter();
    let was_before = runs.any(|run| run.begun < created && run.occurrences.contains(&occurrence));
    if was_before {
        return None;
    }
    breach(format!(
        "{name}'s case has what belongs to an occurrence that came when the case was there"
    ))
}

/// The occurrences of which something is on the case.
pub(super) fn owners(key: &Key, case: &Found, delivered: &[usize]) -> Vec<usize> {
    let numbers = delivered.iter().copied();
    let has_any = |number: &usize| {
        let contact = key.contact_arn(*number).filter(|_| key.own_contacts);
        let is_linked = contact.is_some_and(|contact| case.links.contains(&contact));
        is_linked || !key.same_words && case.copies(&key.note(*number)) > 0
    };
    numbers.filter(has_any).collect()
}

/// Whether an occurrence's contact has to be linked, and is not.
pub(super) fn lacks_contact(world: &World, key: &Key, found: &Found, number: usize) -> bool {
    let contact = key.contact_arn(number);
    contact.is_some_and(|contact| !found.links.contains(&contact) && !gave_up(world, key, &contact))
}

/// Whether one of an occurrence's comments has to be there, and is not.
pub(super) fn lacks_comment(world: &World, key: &Key, found: &Found, number: usize) -> bool {
    let note = key.note(number);
    if gave_up(world, key, &note) {
        return false;
    }
    let overflow = key.overflow();
    let lacks_overflow = overflow.is_some_and(|begin| {
        let is_given_up = || {
            world
                .seen()
                .refused
                .iter()
                .any(|item| item.contains(&begin))
        };
        !found
            .comments
            .iter()
            .any(|comment| comment.contains(&begin))
            && !is_given_up()
    });
    found.copies(&note) == 0 || lacks_overflow
}

/// Whether a contact or a comment may never join its case: it was refused, or its case was being merged for longer than it may be.
pub(super) fn gave_up(world: &World, key: &Key, item: &str) -> bool {
    let seen = world.seen();
    if seen.refused.contains(item) {
        return true;
    }
    let first = first_begun(world, key);
    let merging = seen.merging.get(item);
    merging.is_some_and(|last| *last >= first + MERGED_WITHIN)
}

/// When the first run of a key began.
pub(super) fn first_begun(world: &World, key: &Key) -> Duration {
    let invocations = world.invocations();
    let of_key = invocations
        .iter()
        .filter(|run| run.occurrences.iter().any(|of| of.key == key.number));
    let begun = of_key.map(|run| run.begun).min();
    begun.unwrap_or(Duration::MAX)
}
