//! One world: the services, the wire, the function's environments, and the record of what they did.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use casebridge::error::ErrorCode;
use casebridge::start;
use cases_emulator::{DuplicateContact, Emulator, MismatchedToken};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::crash;
use crate::delivery::{case_events, eventbridge, flow, sqs};
use crate::environment::{FAILURE_QUEUE, PROFILES_DOMAIN, Pool, Releases};
use crate::invariants::{self, BreachKind, Verdict};
use crate::keys::{INSTANCE_ID, Key, Occurrence, Poison};
use crate::report::Counts;
use crate::schedule::{Fate, Schedule};
use crate::trace::Trace;
use crate::wire::{Conditions, Effect, Seen, Wire};
use crate::{Mode, ledger};

/// How long nothing is delivered before what is not done comes again: longer than anything takes to show.
const QUIET: Duration = Duration::from_mins(6);

/// One seed, run.
#[derive(Debug)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// What was planned, line by line.
    pub schedule: String,
    /// What happened, line by line.
    pub trace: String,
    /// What was done.
    pub counts: Counts,
    /// What must not be.
    pub verdict: Verdict,
}

/// A world while it runs.
pub(crate) struct World {
    pub(crate) schedule: Schedule,
    pub(crate) mode: Mode,
    pub(crate) clock: Clock,
    pub(crate) trace: Trace,
    pub(crate) emulator: Emulator,
    wire: Arc<Wire>,
    pool: Pool,
    /// Whether crashes and short deadlines are over.
    fair: Cell<bool>,
    invocations: RefCell<Vec<Invocation>>,
    running: RefCell<Vec<JoinHandle<()>>>,
    /// Deliveries that nobody planned: of what came to be in this world.
    followers: RefCell<Vec<JoinHandle<()>>>,
    changes: RefCell<Option<mpsc::UnboundedReceiver<Effect>>>,
    flaws: RefCell<Vec<invariants::Breach>>,
    /// What the services that deliver have to say in the end.
    pub(crate) deliveries: RefCell<Deliveries>,
}

/// What became of deliveries.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    /// What each flow heard last, by occurrence.
    pub(crate) heard: Vec<(Occurrence, flow::Heard)>,
    /// The on-failure destination of asynchronous invocations.
    pub(crate) failed: Vec<(Occurrence, &'static str)>,
    /// The dead-letter queue.
    pub(crate) dead: Vec<Occurrence>,
    /// What was ever in it.
    pub(crate) died: Vec<Occurrence>,
    /// Who was told that a comment was added.
    pub(crate) told: Vec<Occurrence>,
    /// Events of Cases that were fed back.
    pub(crate) fed_back: usize,
    /// How often a service delivered again, for whatever reason.
    pub(crate) repeated: usize,
}

/// An invocation, while it runs and after it.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) occurrences: Vec<Occurrence>,
    pub(crate) begun: Duration,
    /// The time that it was given.
    pub(crate) remaining: Duration,
    /// Not set while it runs.
    pub(crate) ended: Option<Duration>,
    pub(crate) end: Option<End>,
}

/// How an invocation ended.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// With an answer.
    Answered(Value),
    /// With an error.
    Failed(ErrorCode),
    /// The environment ended first.
    Crashed,
    /// The time was up first.
    TimedOut,
}

impl World {
    fn new(seed: u64, releases: &Releases, mode: Mode) -> anyhow::Result<Self> {
        // Jitter, and whatever else the SDK draws.
        fastrand::seed(seed);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut schedule = Schedule::draw(&mut random, mode);
        let emulator = emulator(&schedule, releases)?;
        if mode.ledger {
            ledger::prepare(&emulator);
        }
        let mut configs = [false, true].map(|second| releases.configured(second, &schedule, mode));
        if schedule.uses.proceed && schedule.uses.window {
            // A function that refuses this together keeps its promise.
            let [first, _] = &configs;
            if start::plan(first).is_err() {
                schedule.uses.proceed = false;
                configs = [false, true].map(|second| releases.configured(second, &schedule, mode));
            }
        }
        let clock = Clock::new();
        let trace = Trace::new(clock);
        let conditions = Conditions {
            weather: schedule.weather.clone(),
            late: schedule.times.request,
            clocks: schedule.times.clocks,
            tokens_collide: schedule.services.tokens_collide,
            broken: mode.broken,
        };
        let wire = Wire::new(
            emulator.clone(),
            trace.clone(),
            conditions,
            clock,
            random.fork(),
        );
        let (wire, changes) = wire.with_changes();
        let wire = Arc::new(wire);
        let pool = Pool::new(&wire, clock, configs);
        Ok(Self {
            pool: pool.with(&schedule.skews, schedule.releases.reloads),
            schedule,
            mode,
            clock,
            trace,
            emulator,
            wire,
            fair: Cell::new(false),
            invocations: RefCell::default(),
            running: RefCell::default(),
            followers: RefCell::default(),
            changes: RefCell::new(Some(changes)),
            flaws: RefCell::default(),
            deliveries: RefCell::default(),
        })
    }

    pub(crate) fn key(&self, occurrence: Occurrence) -> Option<&Key> {
        let mut keys = self.schedule.keys.iter();
        keys.find(|key| key.number == occurrence.key)
    }

    pub(crate) fn payload(&self, occurrence: Occurrence) -> String {
        self.key(occurrence)
            .map(|key| key.payload(occurrence.number))
            .unwrap_or_default()
    }

    /// The occurrence whose event this is.
    pub(crate) fn occurrence_of(&self, event: Option<&Value>) -> Option<Occurrence> {
        let event = event?;
        let keys = self.schedule.keys.iter();
        let mut all = keys.flat_map(|key| {
            let numbers = 0..key.occurrences;
            numbers.map(move |number| Occurrence {
                key: key.number,
                number,
            })
        });
        all.find(|occurrence| {
            let payload: Option<Value> = serde_json::from_str(&self.payload(*occurrence)).ok();
            payload.as_ref() == Some(event)
        })
    }

    /// How many occurrences of a key have been told that their comment was added, with this one if it was.
    pub(crate) fn told(&self, occurrence: Occurrence, now: bool) -> usize {
        let told = &mut self.deliveries.borrow_mut().told;
        if now && !told.contains(&occurrence) {
            told.push(occurrence);
        }
        told.iter().filter(|of| of.key == occurrence.key).count()
    }

    /// Whether crashes, short deadlines and faults are over.
    pub(crate) fn is_fair(&self) -> bool {
        self.fair.get()
    }

    pub(crate) fn invocations(&self) -> Vec<Invocation> {
        self.invocations.borrow().clone()
    }

    pub(crate) fn seen(&self) -> Seen {
        self.wire.seen()
    }

    pub(crate) fn environments(&self) -> usize {
        self.pool.started()
    }

    /// A breach found while the world runs.
    pub(crate) fn accuse(&self, breach: invariants::Breach) {
        self.trace.note(format_args!("       BROKEN: {breach}"));
        let mut flaws = self.flaws.borrow_mut();
        // A loop repeats itself.
        if breach.kind != BreachKind::Loop || flaws.iter().all(|flaw| flaw.what != breach.what) {
            flaws.push(breach);
        }
    }

    /// A delivery that the world does not end without.
    pub(crate) fn follow(&self, delivery: JoinHandle<()>) {
        self.followers.borrow_mut().push(delivery);
    }

    /// Runs one invocation to its end; the caller may stop waiting for it.
    pub(crate) fn invoke(
        self: &Rc<Self>,
        occurrences: Vec<Occurrence>,
        payload: String,
        fate: Fate,
    ) -> tokio::sync::oneshot::Receiver<End> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let world = Rc::clone(self);
        let running = tokio::task::spawn_local(async move {
            let fate = if world.is_fair() {
                Fate::default()
            } else {
                fate
            };
            let end = Box::pin(world.run(occurrences, &payload, fate)).await;
            // Whoever invoked may have given up.
            let _ = sender.send(end);
        });
        self.running.borrow_mut().push(running);
        receiver
    }

    async fn run(&self, occurrences: Vec<Occurrence>, payload: &str, fate: Fate) -> End {
        let begun = self.clock.elapsed();
        let second = self.schedule.releases.is_second(begun);
        let environment = match self.pool.take(second) {
            Ok(environment) => environment,
            Err(error) => {
                self.accuse(invariants::Breach::start(&error));
                return End::Crashed;
            }
        };
        let number = self.invocations.borrow().len();
        environment.invocation.store(number, Ordering::Relaxed);
        let mut names: Vec<String> = occurrences.iter().map(ToString::to_string).collect();
        if names.is_empty() {
            names.push("an event of Cases".to_owned());
        }
        self.trace.note(format_args!(
            "#{number:<3} {} begins, in environment {}",
            names.join(", "),
            environment.number
        ));
        let remaining = fate.remaining.unwrap_or(self.schedule.timeout);
        self.invocations.borrow_mut().push(Invocation {
            occurrences,
            begun,
            remaining,
            ended: None,
            end: None,
        });
        let spent = if self.schedule.releases.reloads {
            fate.spent.min(remaining / 4)
        } else {
            Duration::ZERO
        };
        let handled = async {
            tokio::time::sleep(spent).await;
            let invocation = casebridge::handler::Invocation {
                remaining,
                spent,
                ..Default::default()
            };
            environment.casebridge.handle(payload, invocation).await
        };
        let handled = Box::pin(crash::run(handled, fate.crash));
        let end = match tokio::time::timeout(remaining, handled).await {
            Err(_) => End::TimedOut,
            Ok(None) => End::Crashed,
            Ok(Some(Err(failure))) => End::Failed(failure.code),
            Ok(Some(Ok(response))) => {
                serde_json::to_value(response).map_or(End::Crashed, End::Answered)
            }
        };
        if matches!(end, End::Answered(_) | End::Failed(_)) {
            self.pool.give_back(environment);
        }
        self.trace.note(format_args!("#{number:<3} {end}"));
        let invocation = {
            let mut invocations = self.invocations.borrow_mut();
            invocations.get_mut(number).map(|invocation| {
                invocation.ended = Some(self.clock.elapsed());
                invocation.end = Some(end.clone());
                invocation.clone()
            })
        };
        if let Some(invocation) = invocation {
            invariants::check_answer(self, number, &invocation, remaining);
        }
        end
    }

    /// Everything that is planned, and then, without faults, everything that is not done.
    async fn live(self: Rc<Self>) {
        if let Some(changes) = self.changes.take() {
            tokio::task::spawn_local(case_events::feed(Rc::clone(&self), changes));
        }
        let flows = (0..self.schedule.flows.len())
            .map(|step| tokio::task::spawn_local(flow::step(Rc::clone(&self), step)));
        let events = (0..self.schedule.events.len())
            .map(|event| tokio::task::spawn_local(eventbridge::deliver(Rc::clone(&self), event)));
        let queue = tokio::task::spawn_local(sqs::work(Rc::clone(&self)));
        let senders: Vec<JoinHandle<()>> = flows.chain(events).chain([queue]).collect();
        self.all(senders).await;
        self.rest().await;

        self.fair.set(true);
        self.wire.clear_up();
        tokio::time::sleep(QUIET).await;
        self.trace.note(format_args!(
            "       the faults are over; what is not done is delivered again"
        ));
        flow::settle(&self).await;
        eventbridge::redrive(&self).await;
        sqs::redrive(&self).await;
        self.rest().await;
    }

    /// Waits until all invocations have ended, with what follows from them, and whatever is on the wire has arrived and shows.
    async fn rest(&self) {
        let times = self.schedule.times;
        let lag = times.case.min(crate::assumptions::CASE_FOUND_WITHIN);
        loop {
            let running = self.running.take();
            let followers = self.followers.take();
            if running.is_empty() && followers.is_empty() {
                return;
            }
            self.all(running).await;
            self.all(followers).await;
            tokio::time::sleep(times.settled_after().max(lag)).await;
        }
    }

    async fn all(&self, tasks: Vec<JoinHandle<()>>) {
        for task in tasks {
            if let Err(error) = task.await {
                self.accuse(invariants::Breach::panic(&error));
            }
        }
    }
}

/// The services of a world, before anything happens.
fn emulator(schedule: &Schedule, releases: &Releases) -> anyhow::Result<Emulator> {
    let emulator = Emulator::from_snapshot(&releases.snapshot)
        .context("the emulator does not take domain.json")?;
    let known = schedule.keys.iter();
    let known = known.filter(|key| key.poison != Some(Poison::Gone));
    let profiles: Vec<Value> = known
        .map(|key| json!({ "ProfileId": key.profile_id() }))
        .collect();
    let profiles = json!({ "domain": { "DomainName": PROFILES_DOMAIN }, "profiles": profiles });
    emulator
        .set_profiles(&profiles.to_string())
        .context("the emulator does not take a profiles domain")?;
    let contacts = schedule.keys.iter().map(|key| key.contact(0));
    let contacts: BTreeSet<String> = contacts.collect();
    let contacts: Vec<Value> = contacts
        .iter()
        .map(|id| json!({ "Contact": { "Id": id }, "Attributes": { "topic": "simulated" } }))
        .collect();
    let contacts = json!({ "instanceId": INSTANCE_ID, "contacts": contacts });
    emulator
        .set_contacts(&contacts.to_string())
        .context("the emulator does not take contacts")?;
    let (times, services) = (schedule.times, schedule.services);
    emulator.set_token_lifetime(times.token);
    emulator.set_search_lag(times.case);
    emulator.set_related_item_lag(times.item);
    emulator.set_profile_lag(times.profile);
    if services.mismatch_refused {
        emulator.set_mismatched_tokens(MismatchedToken::Validation);
    }
    if services.second_link_refused {
        emulator.set_duplicate_contacts(DuplicateContact::Conflict);
    }
    if schedule.queue.puts_aside {
        emulator.add_queue(FAILURE_QUEUE);
    }
    Ok(emulator)
}

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
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async {
        let world = Rc::new(World::new(seed, releases, mode)?);
        Rc::clone(&world).live().await;
        let found = world.flaws.borrow().clone();
        let verdict = invariants::check(&world, found);
        Ok(Run {
            seed,
            schedule: world.schedule.to_string(),
            trace: world.trace.text(),
            counts: Counts::of(&world, &verdict),
            verdict,
        })
    })
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answered(answer) => {
                let member = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or("");
                if let Some(failures) = answer.get("batchItemFailures").and_then(Value::as_array) {
                    return write!(f, "answers; {} messages are kept", failures.len());
                }
                let case: String = member("caseId").chars().take(8).collect();
                write!(f, "answers {} {case}", member("status"))?;
                write!(
                    f,
                    "  linked {}, commented {}",
                    member("contactLinked"),
                    member("commentAdded")
                )?;
                match member("errorCode") {
                    "" => Ok(()),
                    code => write!(f, "  {code}"),
                }
            }
            Self::Failed(code) => write!(f, "fails with {code}"),
            Self::Crashed => f.write_str("crashes"),
            Self::TimedOut => f.write_str("is out of time"),
        }
    }
}
