//! A queue and its pollers: batches in any order, or in that of a FIFO queue. A message comes again after its visibility time-out unless it
//! was done, now and then although it was done, and becomes a dead letter when it has been received too often.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::assumptions::{Broken, MAX_RECEIVE_COUNT, VISIBILITY_TIMEOUTS};
use crate::clock::Clock;
use crate::invariants;
use crate::keys::Occurrence;
use crate::record::End;
use crate::schedule::Fate;
use crate::verdict::BreachKind;
use crate::world::World;

/// The poller's concurrency: the least that Lambda accepts.
const POLLERS: usize = 2;

/// A message on the queue.
#[derive(Debug, Clone)]
struct Message {
    id: usize,
    occurrence: Occurrence,
    sent: Duration,
    visible: Duration,
    received: u32,
    /// The time of its first receive.
    first: Option<Duration>,
}

struct Queue {
    messages: Vec<Message>,
    random: fastrand::Rng,
    batches: usize,
}

/// Delivers all planned messages.
pub(crate) async fn work(world: Rc<World>) {
    let planned = &world.schedule.queue.messages;
    let sent = planned
        .iter()
        .map(|message| (message.occurrence, message.at));
    drain(&world, sent.collect()).await;
}

/// Delivers all dead letters again, and all events of the failure queue that failed for a reason that is mended.
pub(crate) async fn redrive(world: &Rc<World>) {
    let mut dead = std::mem::take(&mut world.deliveries.borrow_mut().dead);
    let is_sound = |occurrence: &Occurrence| {
        let key = world.key(*occurrence);
        key.is_some_and(|key| key.poison.is_none())
    };
    let seen = world.seen();
    let put_aside = seen
        .put_aside
        .iter()
        .filter_map(|message| world.occurrence_of(message.body.get("event")));
    dead.extend(put_aside.filter(is_sound));
    dead.sort_by_key(|occurrence| (occurrence.key, occurrence.number));
    dead.dedup();
    world.deliveries.borrow_mut().repeated += dead.len();
    let now = world.clock.elapsed();
    drain(world, dead.into_iter().map(|dead| (dead, now)).collect()).await;
}

async fn drain(world: &Rc<World>, sent: Vec<(Occurrence, Duration)>) {
    let mut sent = sent;
    sent.sort_by_key(|(_, at)| *at);
    let messages = sent.into_iter().enumerate();
    let messages = messages.map(|(id, (occurrence, sent))| Message {
        id,
        occurrence,
        sent,
        visible: sent,
        received: 0,
        first: None,
    });
    let queue = Rc::new(RefCell::new(Queue {
        messages: messages.collect(),
        random: fastrand::Rng::with_seed(world.schedule.queue.batch as u64),
        batches: 0,
    }));
    let pollers: Vec<_> = (0..POLLERS)
        .map(|_| tokio::task::spawn_local(poll(Rc::clone(world), Rc::clone(&queue))))
        .collect();
    for poller in pollers {
        // A panic in it is one of the function, and shows as lost messages.
        let _ = poller.await;
    }
}

async fn poll(world: Rc<World>, queue: Rc<RefCell<Queue>>) {
    loop {
        let now = world.clock.elapsed();
        let (batch, fate) = {
            let mut queue = queue.borrow_mut();
            if queue.messages.is_empty() {
                return;
            }
            queue.bury(&world, now);
            let batch = queue.receive(&world, now);
            let fate = world.schedule.queue.fates.get(queue.batches).copied();
            queue.batches += usize::from(!batch.is_empty());
            (batch, fate.unwrap_or_default())
        };
        if batch.is_empty() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        } else {
            invoke(&world, &queue, &batch, fate).await;
        }
    }
}

async fn invoke(world: &Rc<World>, queue: &RefCell<Queue>, batch: &[Message], fate: Fate) {
    let occurrences = batch.iter().map(|message| message.occurrence).collect();
    let records: Vec<Value> = batch.iter().map(|message| record(world, message)).collect();
    let payload = json!({ "Records": records }).to_string();
    let begun = world.clock.elapsed();
    let invoked = world.invoke(occurrences, payload, fate).await;
    let Ok(End::Answered(answer)) = invoked else {
        return;
    };
    let kept = kept(&answer);
    if let Some(head) = batch
        .first()
        .filter(|head| kept.contains(&message_id(head.id)))
    {
        invariants::check_kept(world, head.occurrence, begun);
    }
    if world.schedule.queue.fifo {
        let is_kept = |message: &&Message| kept.contains(&message_id(message.id));
        let mut behind = batch.iter().skip_while(|message| !is_kept(message));
        if let Some(gone) = behind.find(|message| !is_kept(message)) {
            let what = format!(
                "{} was reported as done, behind a message that was kept",
                gone.occurrence
            );
            world.accuse(BreachKind::Order, what);
        }
    }
    let mut queue = queue.borrow_mut();
    for message in batch {
        if kept.contains(&message_id(message.id)) {
            continue;
        }
        invariants::check_done(world, message.occurrence, begun);
        if queue.repeats(world) {
            world.trace.note(format_args!(
                "       the queue did not hear that {} is done",
                message.occurrence
            ));
            continue;
        }
        queue.messages.retain(|known| known.id != message.id);
    }
}

/// Returns the ids of the messages that a batch's answer leaves on the queue.
fn kept(answer: &Value) -> Vec<String> {
    let failures = answer.get("batchItemFailures").and_then(Value::as_array);
    let ids = failures.into_iter().flatten();
    ids.filter_map(|failure| Some(failure.get("itemIdentifier")?.as_str()?.to_owned()))
        .collect()
}

/// `messageId` of the message of that number.
fn message_id(id: usize) -> String {
    format!("m-{id}")
}

fn record(world: &World, message: &Message) -> Value {
    let is_marked = world.schedule.queue.fifo && world.mode.broken != Some(Broken::UnmarkedFifo);
    let suffix = if is_marked { ".fifo" } else { "" };
    json!({
        "messageId": message_id(message.id),
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:111122223333:simulated{suffix}"),
        "body": world.payload(message.occurrence),
        "attributes": {
            "ApproximateReceiveCount": message.received.to_string(),
            "ApproximateFirstReceiveTimestamp": Clock::epoch_milliseconds(message.first.unwrap_or_default()).to_string(),
            "SentTimestamp": Clock::epoch_milliseconds(message.sent).to_string(),
        },
    })
}

impl Queue {
    /// Receives messages, in any order unless the queue has one; they become invisible, but for those that are received twice.
    fn receive(&mut self, world: &World, now: Duration) -> Vec<Message> {
        let hidden = now + world.schedule.timeout * VISIBILITY_TIMEOUTS;
        let fifo = world.schedule.queue.fifo;
        let mut visible = if fifo {
            self.receivable_in_order(now)
        } else {
            let visible = self.messages.iter();
            let visible = visible.filter(|message| message.visible <= now);
            let mut visible: Vec<usize> = visible.map(|message| message.id).collect();
            self.random.shuffle(&mut visible);
            visible
        };
        visible.truncate(world.schedule.queue.batch);
        let mut batch = Vec::new();
        for id in visible {
            let twice = !fifo && self.repeats(world);
            let Some(message) = self.messages.iter_mut().find(|message| message.id == id) else {
                continue;
            };
            message.received += 1;
            message.first.get_or_insert(now);
            if message.received > 1 || twice {
                world.deliveries.borrow_mut().repeated += 1;
            }
            if !twice {
                message.visible = hidden;
            }
            batch.push(message.clone());
        }
        batch
    }

    /// The ids of the messages of a FIFO queue that can be received, in their order: none while an earlier one of its group is under way.
    fn receivable_in_order(&self, now: Duration) -> Vec<usize> {
        let is_under_way = |message: &&Message| message.received > 0 && message.visible > now;
        let blocked: HashSet<usize> = self
            .messages
            .iter()
            .filter(is_under_way)
            .map(|message| message.occurrence.group())
            .collect();
        self.messages
            .iter()
            .filter(|it| it.visible <= now && !blocked.contains(&it.occurrence.group()))
            .map(|message| message.id)
            .collect()
    }

    /// Moves messages that have been received too often to the dead-letter queue.
    fn bury(&mut self, world: &World, now: Duration) {
        let is_dead =
            |message: &Message| message.visible <= now && message.received >= MAX_RECEIVE_COUNT;
        for message in self.messages.iter().filter(|message| is_dead(message)) {
            world.trace.note(format_args!(
                "       {} goes to the dead-letter queue",
                message.occurrence
            ));
            let mut deliveries = world.deliveries.borrow_mut();
            deliveries.dead.push(message.occurrence);
            deliveries.died.push(message.occurrence);
        }
        self.messages.retain(|message| !is_dead(message));
    }

    /// Draws whether the queue delivers once more than it must.
    fn repeats(&mut self, world: &World) -> bool {
        !world.is_fair() && self.random.u8(0..100) < world.schedule.queue.repeats
    }
}
