//! What the function does not promise, and what is counted therefore.

use std::time::Duration;

use crate::keys::{Key, Occurrence};
use crate::world::{Invocation, World};

/// What is there twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Twin {
    /// A link or a comment.
    Item,
    /// A profile.
    Profile,
}

/// Whether what is there twice is among what the function does not promise.
///
/// A run looks for what an earlier one did, and cannot see what does not show yet: because the services lag, or because a request arrived
/// after its sender was gone. With a ledger that takes an earlier run that could neither mark its key as done nor say what it was going to add,
/// and keys that share a customer do not know of each other. Without one, runs side by side do not see each other at all, and a flow that runs again does not look.
pub(super) fn is_excused(world: &World, keys: &[&Key], twin: Twin) -> bool {
    let of_keys = |occurrence: &&Occurrence| keys.iter().any(|key| key.number == occurrence.key);
    let invocations = world.invocations();
    let runs: Vec<(usize, &Invocation)> = invocations
        .iter()
        .enumerate()
        .filter(|(_, run)| {
            run.occurrences
                .iter()
                .any(|occurrence| of_keys(&occurrence))
        })
        .collect();
    if world.mode.ledger {
        if keys.len() > 1 {
            return true;
        }
    } else {
        let is_flow = keys.iter().any(|key| key.is_flow());
        let crowded =
            |(_, run): &(usize, &Invocation)| run.occurrences.iter().filter(of_keys).count() > 1;
        if is_flow && runs.len() > 1 || runs.iter().any(crowded) {
            return true;
        }
    }
    let seen = world.seen();
    let (lag, request) = world.schedule.times.excused_for();
    let is_hidden = |(number, one): &(usize, &Invocation), other: &Invocation| {
        // A batch marks several keys, and the wire does not see which.
        let is_alone = one.occurrences.len() == 1;
        let is_announced = twin == Twin::Item && seen.announcements.contains(number);
        let is_told = is_alone && (seen.completions.contains(number) || is_announced);
        if is_told || !seen.additions.contains(number) {
            return false;
        }
        let (ended, begun) = (one.ended.unwrap_or(Duration::MAX), other.begun);
        if !world.mode.ledger && begun < ended {
            return true;
        }
        let gap = begun.saturating_sub(ended);
        gap < lag || seen.late.contains(number) && gap < request
    };
    let goes_on = |one: &Invocation, other: &Invocation| {
        other.ended.unwrap_or(Duration::MAX) >= one.ended.unwrap_or(Duration::MAX)
    };
    runs.iter().any(|one| {
        let mut others = runs.iter().filter(|other| other.0 != one.0);
        others.any(|other| goes_on(one.1, other.1) && is_hidden(one, other.1))
    })
}
