//! The order of a FIFO queue: the cases of a message group come in the order of its messages.

use std::time::Duration;

use super::found::Found;
use super::{Breach, BreachKind, Verdict};
use crate::delivery::sqs::group;
use crate::keys::{Key, Occurrence};
use crate::world::World;

/// Judges a world with a FIFO queue. What was in the dead-letter queue, or in the failure queue, has lost its place.
pub(super) fn check(world: &World, verdict: &mut Verdict) {
    let queue = &world.schedule.queue;
    if !queue.fifo {
        return;
    }
    let put_aside = world.seen().put_aside;
    let put_aside: Vec<Occurrence> = put_aside
        .iter()
        .filter_map(|message| world.occurrence_of(message.body.get("event")))
        .collect();
    let mut messages: Vec<_> = queue.messages.iter().collect();
    messages.sort_by_key(|message| message.at);
    let mut latest: Vec<(usize, &Key, Duration)> = Vec::new();
    let mut seen: Vec<usize> = Vec::new();
    for message in messages {
        let Some(key) = world.key(message.occurrence) else {
            continue;
        };
        if seen.contains(&key.number) {
            continue;
        }
        seen.push(key.number);
        let has_died = {
            let deliveries = world.deliveries.borrow();
            let mut left = deliveries.died.iter().chain(&put_aside);
            left.any(|left| left.key == key.number)
        };
        let Some(created) = Found::of(world, key)
            .first_created(world)
            .filter(|_| !has_died)
        else {
            continue;
        };
        let group = group(message.occurrence);
        let before = latest.iter_mut().find(|(of, ..)| *of == group);
        match before {
            Some((_, before, then)) if *then > created => {
                let what = format!("{}'s case came before {}'s", key.name(), before.name());
                verdict.breaches.push(Breach::new(BreachKind::Order, what));
            }
            Some(before) => *before = (group, key, created),
            None => latest.push((group, key, created)),
        }
    }
}
