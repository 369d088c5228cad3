//! Connect: invokes, waits as long as the block says, and invokes again after an error or when it has given up, whether or not the first
//! invocation still runs.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use crate::assumptions::{FLOW_INVOKES, FLOW_INVOKES_FOR};
use crate::keys::Occurrence;
use crate::schedule::{Fate, FlowStep};
use crate::world::{End, World};

/// How often a flow comes back in the end, and after how long: longer than anything takes to show.
const TRIES: usize = 4;
const PAUSE: Duration = Duration::from_mins(6);

/// What a flow heard.
#[derive(Debug, Clone)]
pub(crate) enum Heard {
    /// An answer: its success branch.
    Answer(Value),
    /// Nothing in time, or only errors: its error branch.
    Nothing,
}

impl Heard {
    /// Whether the flow has no reason to come back: the case is there with all that belongs to it, or there can be none.
    fn is_final(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Answer(answer) => {
                answer.get("retryable").and_then(Value::as_str) == Some("false")
            }
        }
    }

    /// Whether there is no case.
    fn is_failed(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Answer(answer) => answer.get("status").and_then(Value::as_str) == Some("failed"),
        }
    }
}

/// One planned step of a flow.
pub(crate) async fn step(world: Rc<World>, number: usize) {
    let Some(step) = world.schedule.flows.get(number) else {
        return;
    };
    world.clock.until(step.at).await;
    reach(&world, step).await;
}

/// Flows that were told to try again, or nothing, do so; and those that were refused, as what refused them is mended.
pub(crate) async fn settle(world: &Rc<World>) {
    for step in &world.schedule.flows {
        for _ in 0..TRIES {
            let key = world.key(step.occurrence);
            let is_sound = key.is_some_and(|key| key.poison.is_none());
            let is_settled = |heard: Heard| heard.is_final() && !(is_sound && heard.is_failed());
            if heard(world, step.occurrence).is_none_or(is_settled) {
                break;
            }
            world.deliveries.borrow_mut().repeated += 1;
            reach(world, step).await;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// What the flow of an occurrence heard last.
pub(crate) fn heard(world: &World, occurrence: Occurrence) -> Option<Heard> {
    let deliveries = world.deliveries.borrow();
    let mut heard = deliveries.heard.iter();
    let last = heard.find(|(of, _)| *of == occurrence);
    last.map(|(_, heard)| heard.clone())
}

async fn reach(world: &Rc<World>, step: &FlowStep) {
    let given_up = world.clock.elapsed() + FLOW_INVOKES_FOR;
    let mut last = Heard::Nothing;
    for invoke in 0..FLOW_INVOKES {
        if invoke > 0 {
            world.deliveries.borrow_mut().repeated += 1;
        }
        let fate = step.fates.get(invoke).copied().unwrap_or_default();
        match invoked(world, step, fate).await {
            Some(End::Answered(answer)) => {
                last = Heard::Answer(answer);
                break;
            }
            Some(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            None => world.trace.note(format_args!(
                "       the flow of {} has waited {} s, and no longer",
                step.occurrence,
                step.limit.as_secs()
            )),
        }
        if world.clock.elapsed() >= given_up {
            break;
        }
    }
    let mut deliveries = world.deliveries.borrow_mut();
    let heard = &mut deliveries.heard;
    heard.retain(|(of, _)| *of != step.occurrence);
    heard.push((step.occurrence, last));
}

/// One invocation; `None` when the block's time is over before it ends.
async fn invoked(world: &Rc<World>, step: &FlowStep, fate: Fate) -> Option<End> {
    let payload = world.payload(step.occurrence);
    let invoked = world.invoke(vec![step.occurrence], payload, fate);
    let ended = tokio::time::timeout(step.limit, invoked).await;
    ended.ok().and_then(Result::ok)
}
