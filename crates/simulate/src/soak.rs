//! A backlog worked off through a queue: thousands of events under the published quotas while a tenth of all requests meets a fault, on
//! compressed time. Every event has its case once, none ends in the dead-letter queue, and the quota is used up to the last tenth.

mod memory;
mod report;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use cases_emulator::Emulator;
use serde_json::{Value, json};

pub use self::memory::{Memory, Sample};
pub use self::report::Report;
use crate::assumptions::{
    FUNCTION_TIMEOUT, MAX_RECEIVE_COUNT, REQUEST_ARRIVES_WITHIN, VISIBILITY_TIMEOUTS,
};
use crate::clock::Clock;
use crate::environment::{Pool, Releases};
use crate::faults::Weather;
use crate::ledger::{self, Use};
use crate::trace::Trace;
use crate::wire::{Conditions, Wire};

/// Of a hundred requests, how many meet a fault.
const FAULTS: u8 = 10;

/// Messages of a batch, and batches at a time: what the quota of two creations a second asks for.
const BATCH: usize = 5;
const POLLERS: usize = 2;

/// How often memory is looked at.
const SAMPLES: usize = 10;

/// What is to be worked off.
#[derive(Debug, Clone, Copy)]
pub struct Soak {
    /// How many events wait at the beginning.
    pub events: usize,
    /// What chance is drawn from.
    pub seed: u64,
    /// Whether the function has a ledger.
    pub ledger: bool,
}

/// A message on the queue.
#[derive(Debug, Clone, Copy)]
struct Message {
    number: usize,
    visible: Duration,
    received: u32,
}

/// The queue, and what became of it.
#[derive(Debug, Default)]
struct Queue {
    messages: Vec<Message>,
    dead: usize,
    kept: usize,
    most_received: u32,
    invocations: usize,
    done: usize,
    /// Until when messages waited that had not been tried: after that it is not the quota that is waited for.
    backlog_until: Duration,
    samples: Vec<Sample>,
}

/// A backlog while it is worked off.
struct Backlog {
    soak: Soak,
    clock: Clock,
    emulator: Emulator,
    wire: Arc<Wire>,
    pool: Pool,
    queue: RefCell<Queue>,
}

impl Soak {
    /// Works the backlog off.
    ///
    /// # Errors
    /// The function or the services could not be made.
    pub fn run(self, releases: &Releases) -> anyhow::Result<Report> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .context("the runtime could not be made")?;
        let tasks = tokio::task::LocalSet::new();
        tasks.block_on(&runtime, async {
            let (_kept, of_the_emulator) =
                memory::of_cases(&releases.snapshot, self.events).await?;
            let backlog = Rc::new(self.backlog(releases)?);
            let pollers: Vec<_> = (0..POLLERS)
                .map(|_| tokio::task::spawn_local(poll(Rc::clone(&backlog))))
                .collect();
            for poller in pollers {
                poller.await.context("a poller ended early")??;
            }
            Ok(backlog.report(of_the_emulator))
        })
    }

    fn backlog(self, releases: &Releases) -> anyhow::Result<Backlog> {
        fastrand::seed(self.seed);
        let emulator = Emulator::from_snapshot(&releases.snapshot)
            .context("the emulator does not take domain.json")?;
        emulator.set_rate_limits(true);
        if self.ledger {
            ledger::prepare(&emulator);
        }
        let clock = Clock::new();
        let wire = Wire::new(
            emulator.clone(),
            Trace::silent(clock),
            Conditions {
                weather: Weather::steady(FAULTS),
                late: REQUEST_ARRIVES_WITHIN,
                clocks: Duration::ZERO,
                tokens_collide: false,
                broken: None,
            },
            clock,
            fastrand::Rng::with_seed(self.seed),
        );
        let wire = Arc::new(wire);
        let ledger = self.ledger.then(Use::default);
        let configs = [false, true].map(|second| releases.plain(second, ledger, None));
        let message = |number| Message {
            number,
            visible: Duration::ZERO,
            received: 0,
        };
        Ok(Backlog {
            soak: self,
            clock,
            emulator,
            pool: Pool::new(&wire, clock, configs),
            wire,
            queue: RefCell::new(Queue {
                messages: (0..self.events).map(message).collect(),
                ..Queue::default()
            }),
        })
    }
}

/// One batch after the other until the queue is empty.
async fn poll(backlog: Rc<Backlog>) -> anyhow::Result<()> {
    loop {
        let now = backlog.clock.elapsed();
        let batch = {
            let mut queue = backlog.queue.borrow_mut();
            queue.bury(now);
            if queue.messages.is_empty() {
                return Ok(());
            }
            queue.receive(now)
        };
        if batch.is_empty() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        } else {
            backlog.invoke(&batch).await?;
        }
    }
}

impl Backlog {
    async fn invoke(&self, batch: &[usize]) -> anyhow::Result<()> {
        let environment = self.pool.take(false)?;
        let records: Vec<Value> = batch.iter().map(|number| record(*number)).collect();
        let payload = json!({ "Records": records }).to_string();
        let answer = environment.casebridge.handle(&payload, FUNCTION_TIMEOUT);
        let answer = tokio::time::timeout(FUNCTION_TIMEOUT, Box::pin(answer)).await;
        self.queue.borrow_mut().tried(self.clock.elapsed());
        // What the emulator remembers of requests is not the function's memory.
        self.emulator.clear_requests();
        let Ok(Ok(response)) = answer else {
            return Ok(());
        };
        self.pool.give_back(environment);
        let answer = serde_json::to_value(response)?;
        let failures = answer.get("batchItemFailures").and_then(Value::as_array);
        let kept: Vec<&str> = failures
            .into_iter()
            .flatten()
            .filter_map(|failure| failure.get("itemIdentifier")?.as_str())
            .collect();
        let mut queue = self.queue.borrow_mut();
        queue.kept += kept.len();
        for number in batch {
            if !kept.contains(&number.to_string().as_str()) {
                queue.messages.retain(|message| message.number != *number);
                queue.done += 1;
                queue.sample(self.soak.events);
            }
        }
        Ok(())
    }

    fn report(&self, of_the_emulator: Option<u64>) -> Report {
        let mut titles: Vec<String> = Vec::new();
        for case in self.emulator.cases() {
            let fields = case.get("fields").and_then(Value::as_array).cloned();
            let title = fields.into_iter().flatten().find_map(|field| {
                let is_title = field.get("id")? == "title";
                let title = field.pointer("/value/stringValue")?.as_str()?;
                is_title.then(|| title.to_owned())
            });
            titles.extend(title);
        }
        let cases = titles.len();
        titles.sort_unstable();
        titles.dedup();
        let queue = self.queue.borrow();
        let seen = self.wire.seen();
        let times = seen.created.values();
        let during = times.filter(|at| **at <= queue.backlog_until).count();
        Report {
            events: self.soak.events,
            ledger: self.soak.ledger,
            cases,
            duplicates: cases - titles.len(),
            lost: self.soak.events.saturating_sub(titles.len()),
            dead: queue.dead,
            kept: queue.kept,
            most_received: queue.most_received,
            invocations: queue.invocations,
            requests: seen.requests,
            faults: seen.faults,
            backlog_seconds: queue.backlog_until.as_secs(),
            quota_used: report::share(during, queue.backlog_until),
            seconds: self.clock.elapsed().as_secs(),
            memory: Memory {
                samples: queue.samples.clone(),
                of_the_emulator,
            },
        }
    }
}

impl Queue {
    fn receive(&mut self, now: Duration) -> Vec<usize> {
        let mut batch = Vec::new();
        let visible = self.messages.iter_mut();
        let visible = visible.filter(|message| message.visible <= now);
        for message in visible.take(BATCH) {
            message.received += 1;
            message.visible = now + FUNCTION_TIMEOUT * VISIBILITY_TIMEOUTS;
            self.most_received = self.most_received.max(message.received);
            batch.push(message.number);
        }
        batch
    }

    /// An invocation has ended.
    fn tried(&mut self, now: Duration) {
        self.invocations += 1;
        if self.messages.iter().any(|message| message.received == 0) {
            self.backlog_until = now;
        }
    }

    /// Messages that have been received too often go to the dead-letter queue.
    fn bury(&mut self, now: Duration) {
        let before = self.messages.len();
        self.messages
            .retain(|message| message.visible > now || message.received < MAX_RECEIVE_COUNT);
        self.dead += before - self.messages.len();
    }

    /// Looks at memory after every tenth of the events.
    fn sample(&mut self, events: usize) {
        if self.done.is_multiple_of((events / SAMPLES).max(1)) {
            self.samples.extend(Sample::take(self.done));
        }
    }
}

fn record(number: usize) -> Value {
    let event = json!({
        "source": "com.example.backlog",
        "detail-type": "Entry",
        "id": format!("b-{number}"),
        "detail": { "title": format!("B{number}") },
    });
    json!({
        "messageId": number.to_string(),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:backlog",
        "body": event.to_string(),
    })
}
