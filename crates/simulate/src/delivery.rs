//! Connect, EventBridge and Cases as they deliver: each with its own rules for repeating a delivery.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::assumptions::{EVENT_RETRIED_AFTER, FLOW_INVOKES, FLOW_INVOKES_FOR};
use crate::case_events::{Effect, change, trail};
use crate::keys::Occurrence;
use crate::record::{End, text};
use crate::schedule::{Fate, FlowStep};
use crate::verdict::BreachKind;
use crate::world::World;

/// The returns of a flow in the end, and the pause after each: longer than anything takes to show.
const TRIES: usize = 4;
const PAUSE: Duration = Duration::from_mins(6);

/// The number of events of Cases after which a world counts as a loop. It has at most five keys, of two cases with two items each in one
/// window.
const MOST: usize = 200;

/// The longest delay of an event of Cases, in milliseconds.
const LATEST: u64 = 3_000;

/// One planned step of a flow. Connect invokes, waits as long as the block says, and invokes again after an error or when it has given up,
/// whether or not the first invocation still runs.
pub(crate) async fn flow(world: Rc<World>, number: usize) {
    let Some(step) = world.schedule.flows.get(number) else {
        return;
    };
    world.clock.until(step.at).await;
    invoke_for_flow(&world, step).await;
}

/// Repeats the flows whose answer was retryable or missing, and those that were refused, as the reason is mended.
pub(crate) async fn repeat_flows(world: &Rc<World>) {
    for step in &world.schedule.flows {
        for _ in 0..TRIES {
            let key = world.key(step.occurrence);
            let is_sound = key.is_some_and(|key| key.poison.is_none());
            // Its case is there with all that belongs to it, or there can be none.
            let is_settled = |answer: Value| {
                let is_final = text(&answer, "/retryable") == "false";
                is_final && !(is_sound && text(&answer, "/status") == "failed")
            };
            let last = world.last_answer(step.occurrence);
            if last.is_none_or(|last| last.is_some_and(is_settled)) {
                break;
            }
            world.deliveries.borrow_mut().repeated += 1;
            invoke_for_flow(world, step).await;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn invoke_for_flow(world: &Rc<World>, step: &FlowStep) {
    let given_up = world.clock.elapsed() + FLOW_INVOKES_FOR;
    let mut last = None;
    for invoke in 0..FLOW_INVOKES {
        if invoke > 0 {
            world.deliveries.borrow_mut().repeated += 1;
        }
        let fate = step.fates.get(invoke).copied().unwrap_or_default();
        let payload = world.payload(step.occurrence);
        let invoked = world.invoke(vec![step.occurrence], payload, fate);
        match tokio::time::timeout(step.limit, invoked).await {
            Ok(Ok(End::Answered(answer))) => {
                last = Some(answer);
                break;
            }
            Ok(Ok(_)) => tokio::time::sleep(Duration::from_millis(100)).await,
            Ok(Err(_)) | Err(_) => world.trace.note(format_args!(
                "       the flow of {} has waited {} s, and no longer",
                step.occurrence,
                step.limit.as_secs()
            )),
        }
        if world.clock.elapsed() >= given_up {
            break;
        }
    }
    let answers = &mut world.deliveries.borrow_mut().answers;
    answers.retain(|(of, _)| *of != step.occurrence);
    answers.push((step.occurrence, last));
}

/// One planned event. An asynchronous invocation that failed is repeated after a minute and after two more; then the event stands in the
/// on-failure destination.
pub(crate) async fn event(world: Rc<World>, number: usize) {
    let Some(event) = world.schedule.events.get(number) else {
        return;
    };
    world.clock.until(event.at).await;
    invoke_async(&world, event.occurrence, &event.fates).await;
}

/// Delivers all events of the on-failure destination again.
pub(crate) async fn redrive_events(world: &Rc<World>) {
    let mut failed = std::mem::take(&mut world.deliveries.borrow_mut().failed);
    failed.sort_by_key(|(occurrence, _)| (occurrence.key, occurrence.number));
    failed.dedup_by_key(|(occurrence, _)| *occurrence);
    for (occurrence, _) in failed {
        world.deliveries.borrow_mut().repeated += 1;
        invoke_async(world, occurrence, &[]).await;
    }
}

async fn invoke_async(world: &Rc<World>, occurrence: Occurrence, fates: &[Fate]) {
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

/// Feeds the events of Cases back until the world is over. EventBridge receives every case and related item that comes to be, and a rule
/// sends all of it to the function, once or twice and after a while. The function must skip the events of its own cases, or there would be
/// no end.
pub(crate) async fn feed(world: Rc<World>, mut changes: UnboundedReceiver<Effect>) {
    let mut random = fastrand::Rng::with_seed(world.schedule.feed.unwrap_or_default());
    let mut number = 0;
    while let Some(effect) = changes.recv().await {
        if world.schedule.feed.is_none() || number > MOST {
            continue;
        }
        number += 1;
        world.deliveries.borrow_mut().fed_back = number;
        if number > MOST {
            let what = format!("events of Cases make cases: after {MOST} events there was no end");
            world.accuse(BreachKind::Loop, what);
            continue;
        }
        let mut events = vec![(
            change(&effect, number, world.mode),
            random.usize(1..=2),
            "OwnCaseEvent",
        )];
        if random.u8(0..4) == 0 {
            events.push((trail(&effect, number), 1, "NoCaseMapping"));
        }
        for (event, times, expected) in events {
            for _ in 0..times {
                let after = Duration::from_millis(random.u64(50..=LATEST));
                let delivered = feed_one(Rc::clone(&world), event.to_string(), after, expected);
                world.follow(tokio::task::spawn_local(delivered));
            }
        }
    }
}

/// Delivers one event of Cases, with the retries of an asynchronous invocation.
async fn feed_one(world: Rc<World>, payload: String, after: Duration, expected: &'static str) {
    let accuse = || {
        let what = format!("an event of Cases that is to be skipped as {expected} was taken");
        world.accuse(BreachKind::Loop, what);
    };
    tokio::time::sleep(after).await;
    for retry in 0..=EVENT_RETRIED_AFTER.len() {
        let invoked = world.invoke(Vec::new(), payload.clone(), Fate::default());
        match invoked.await {
            Ok(End::Answered(answer)) => {
                if text(&answer, "/errorCode") != expected {
                    accuse();
                }
                return;
            }
            Ok(End::Failed(_)) => accuse(),
            Ok(End::Crashed | End::TimedOut) | Err(_) => {}
        }
        if let Some(pause) = EVENT_RETRIED_AFTER.get(retry) {
            tokio::time::sleep(*pause).await;
        }
    }
}
