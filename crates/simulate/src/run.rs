//! One seed, run: everything that is planned, then everything that is not done once more without faults, then the judgement.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinHandle, LocalSet, spawn_local};

use crate::assumptions::Mode;
use crate::case_events::Effect;
use crate::environment::Releases;
use crate::report::{Counts, Run};
use crate::world::World;
use crate::{delivery, invariants, queue};

/// The time without deliveries before they are repeated: longer than anything takes to show.
const QUIET: Duration = Duration::from_mins(6);

/// Runs one seed.
///
/// # Errors
/// The world could not be made.
pub fn run(seed: u64, releases: &Releases, mode: Mode) -> anyhow::Result<Run> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .context("the runtime could not be made")?;
    LocalSet::new().block_on(&runtime, async {
        let (world, changes) = World::new(seed, releases, mode)?;
        let world = Rc::new(world);
        live(&world, changes).await;
        let backlog = world.throughput();
        let verdict = invariants::check(&world);
        Ok(Run {
            seed,
            schedule: world.schedule.to_string(),
            trace: world.trace.text(),
            counts: Counts::of(&world, &verdict),
            verdict,
            backlog,
        })
    })
}

async fn live(world: &Rc<World>, changes: UnboundedReceiver<Effect>) {
    spawn_local(delivery::feed(Rc::clone(world), changes));
    let flows = (0..world.schedule.flows.len())
        .map(|step| spawn_local(delivery::flow(Rc::clone(world), step)));
    let events = (0..world.schedule.events.len())
        .map(|event| spawn_local(delivery::event(Rc::clone(world), event)));
    let queue = spawn_local(queue::work(Rc::clone(world)));
    let senders: Vec<JoinHandle<()>> = flows.chain(events).chain([queue]).collect();
    world.all(senders).await;
    world.rest().await;

    world.clear_up();
    tokio::time::sleep(QUIET).await;
    world.trace.note(format_args!(
        "       the faults are over; what is not done is delivered again"
    ));
    delivery::repeat_flows(world).await;
    delivery::redrive_events(world).await;
    queue::redrive(world).await;
    world.rest().await;
}
