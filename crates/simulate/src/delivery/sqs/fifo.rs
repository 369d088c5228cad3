//! What a FIFO queue does otherwise: the messages of a group come in their order, and none while an earlier one is under way.

use std::collections::HashSet;
use std::time::Duration;

use super::Message;
use crate::invariants::{Breach, BreachKind};
use crate::keys::Occurrence;
use crate::world::World;

/// Message groups of a queue.
const GROUPS: usize = 2;

/// The message group of an occurrence: that of its key.
pub(crate) fn group(occurrence: Occurrence) -> usize {
    occurrence.key % GROUPS
}

/// The ids of the messages that can be received, in their order; `messages` are in the order in which they were sent.
pub(super) fn receivable(messages: &[Message], now: Duration) -> Vec<usize> {
    let is_under_way = |message: &&Message| message.received > 0 && message.visible > now;
    let blocked: HashSet<usize> = messages
        .iter()
        .filter(is_under_way)
        .map(|message| group(message.occurrence))
        .collect();
    messages
        .iter()
        .filter(|message| message.visible <= now && !blocked.contains(&group(message.occurrence)))
        .map(|message| message.id)
        .collect()
}

/// Nothing behind the first message of a batch that is kept may be let go.
pub(super) fn check(world: &World, batch: &[Message], is_kept: impl Fn(&Message) -> bool) {
    let mut behind = batch.iter().skip_while(|message| !is_kept(message));
    if let Some(gone) = behind.find(|message| !is_kept(message)) {
        let what = format!(
            "{} was reported as done, behind a message that was kept",
            gone.occurrence
        );
        world.accuse(Breach::new(BreachKind::Order, what));
    }
}
