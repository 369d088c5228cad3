//! What the function does not promise, and what is counted therefore.

use crate::keys::{Key, Occurrence};
use crate::world::{End, Invocation, World};

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
/// With a ledger everything of a key is there once; keys that share a customer do not know of each other, and a run that went on without
/// the ledger is like one that has none. Without one, a run looks for what an earlier one did, and cannot see what does not show yet: because
/// the services lag, or because a request arrived after its sender was gone. Runs side by side do not see each other at all, and a flow that
/// runs again does not look.
pub(super) fn is_excused(world: &World, keys: &[&Key], twin: Twin) -> bool {
    if twin == Twin::Profile && keys.len() > 1 {
        return true;
    }
    if world.mode.ledger {
        return keys.iter().any(|key| went_without(world, key));
    }
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
    let is_flow = keys.iter().any(|key| key.is_flow());
    let crowded =
        |(_, run): &(usize, &Invocation)| run.occurrences.iter().filter(of_keys).count() > 1;
    if is_flow && runs.len() > 1 || runs.iter().any(crowded) {
        return true;
    }
    let seen = world.seen();
    let (lag, request) = world.schedule.times.excused_for();
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
    let goes_on = |one: &Invocation, other: &Invocation| other.ended >= one.ended;
    runs.iter().any(|one| {
        let mut others = runs.iter().filter(|other| other.0 != one.0);
        others.any(|other| goes_on(one.1, other.1) && is_hidden(one, other.1))
    })
}

/// Whether a run of the key may have gone on without the ledger.
pub(super) fn went_without(world: &World, key: &Key) -> bool {
    let uses = world.schedule.uses;
    if !uses.proceed || uses.window {
        return false;
    }
    let seen = world.seen();
    let of_key = |run: &Invocation| run.occurrences.iter().any(|of| of.key == key.number);
    let invocations = world.invocations();
    let mut runs = invocations.iter().enumerate();
    runs.any(|(number, run)| of_key(run) && seen.missed_the_ledger(number))
}

/// Whether two occurrences with equal words may have left one comment: a run of the key died, or never heard what became of its comment or of its
/// claim. The next run takes a comment with the same words for its own.
pub(super) fn may_share_a_comment(world: &World, key: &Key) -> bool {
    if !key.same_words {
        return false;
    }
    let seen = world.seen();
    let invocations = world.invocations();
    let of_key = |run: &Invocation| run.occurrences.iter().any(|of| of.key == key.number);
    let is_written =
        |operation: &str| operation == "CreateRelatedItem" || operation.starts_with("DynamoDB");
    let mut runs = invocations.iter().enumerate();
    runs.any(|(number, run)| {
        let is_dead = !matches!(run.end, Some(End::Answered(_) | End::Failed(_)));
        let in_doubt = || {
            seen.of(number)
                .any(|(operation, fault)| is_written(operation) && !fault.is_harmless())
        };
        of_key(run) && (is_dead || in_doubt())
    })
}

/// Whether an occurrence of the key that asks for another case may wait for search longer than a message is received: without a ledger nothing
/// else tells which case the key has.
pub(super) fn waits_for_search(world: &World, key: &Key) -> bool {
    !world.mode.ledger && key.varies && key.occurrences > 1
}
