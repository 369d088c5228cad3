//! Asynchronous invocation: an event that failed comes again after a minute and after two more; then it stands in the on-failure
//! destination, from where it is driven again in the end.

use std::rc::Rc;

use crate::assumptions::EVENT_RETRIED_AFTER;
use crate::keys::Occurrence;
use crate::schedule::Fate;
use crate::world::{End, World};

/// One planned event, with its retries.
pub(crate) async fn deliver(world: Rc<World>, number: usize) {
    let Some(event) = world.schedule.events.get(number) else {
        return;
    };
    world.clock.until(event.at).await;
    invoke(&world, event.occurrence, &event.fates).await;
}

/// Everything in the on-failure destination comes again.
pub(crate) async fn redrive(world: &Rc<World>) {
    let mut failed = std::mem::take(&mut world.deliveries.borrow_mut().failed);
    failed.sort_by_key(|(occurrence, _)| (occurrence.key, occurrence.number));
    failed.dedup_by_key(|(occurrence, _)| *occurrence);
    for (occurrence, _) in failed {
        world.deliveries.borrow_mut().repeated += 1;
        invoke(world, occurrence, &[]).await;
    }
}

async fn invoke(world: &Rc<World>, occurrence: Occurrence, fates: &[Fate]) {
    let mut reason = "";
    for retry in 0..=EVENT_RETRIED_AFTER.len() {
        let fate = fates.get(retry).copied().unwrap_or_default();
        let invoked = world.invoke(vec![occurrence], world.payload(occurrence), fate);
        reason = match invoked.await {
            Ok(End::Answered(_)) => return,
            Ok(End::Failed(code)) => code.name(),
            Ok(End::TimedOut) => "Sandbox.Timedout",
            Ok(End::Crashed) | Err(_) => "Runtime.ExitError",
        };
        if let Some(pause) = EVENT_RETRIED_AFTER.get(retry) {
            world.deliveries.borrow_mut().repeated += 1;
            tokio::time::sleep(*pause).await;
        }
    }
    world.trace.note(format_args!(
        "       {occurrence} goes to the on-failure destination: {reason}"
    ));
    let mut deliveries = world.deliveries.borrow_mut();
    deliveries.failed.push((occurrence, reason));
}
