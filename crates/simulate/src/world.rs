//! One world: the services, the wire, and the function's environments, which run one invocation after the other.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use casebridge::start;
use cases_emulator::{DuplicateContact, Emulator, MismatchedToken};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::assumptions::{CASE_FOUND_WITHIN, Mode};
use crate::case_events::Effect;
use crate::clock::{Clock, Trace};
use crate::environment::{FAILURE_QUEUE, PROFILES_DOMAIN, Pool, Releases, crashing};
use crate::invariants;
use crate::keys::{INSTANCE_ID, Occurrence, Poison};
use crate::record::{End, Invocation, Log, Record};
use crate::schedule::{Fate, Schedule};
use crate::verdict::BreachKind;
use crate::wire::{Conditions, LEDGER_TABLE, Wire};

/// A world while it runs, with its record.
pub(crate) struct World {
    record: Record,
    wire: Arc<Wire>,
    pool: Pool,
    /// Crashes, short deadlines and faults are over.
    fair: Cell<bool>,
    running: RefCell<Vec<JoinHandle<()>>>,
    /// Deliveries of events that came to be in this world.
    followers: RefCell<Vec<JoinHandle<()>>>,
}

impl Deref for World {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.record
    }
}

impl World {
    /// The world of a seed, and the cases and related items that come to be in it.
    pub(crate) fn new(
        seed: u64,
        releases: &Releases,
        mode: Mode,
    ) -> anyhow::Result<(Self, UnboundedReceiver<Effect>)> {
        // The SDK's generator, for its jitter.
        fastrand::seed(seed);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut schedule = match mode.backlog {
            Some(events) => Schedule::backlog(events),
            None => Schedule::draw(&mut random, mode),
        };
        let emulator = emulator(&schedule, releases)?;
        if mode.ledger {
            emulator.add_table(LEDGER_TABLE);
        }
        let mut configs = [false, true].map(|second| releases.configured(second, &schedule, mode));
        if schedule.uses.proceed && schedule.uses.window {
            // A function that refuses both together keeps its promise.
            let [first, _] = &configs;
            if start::plan(first).is_err() {
                schedule.uses.proceed = false;
                configs = [false, true].map(|second| releases.configured(second, &schedule, mode));
            }
        }
        let clock = Clock::new();
        let (trace, log) = (Trace::new(clock), Log::default());
        let conditions = Conditions {
            weather: schedule.weather.clone(),
            late: schedule.times.request,
            clocks: schedule.times.clocks,
            tokens_collide: schedule.services.tokens_collide,
            broken: mode.broken,
        };
        let (wire, changes) = Wire::new(
            emulator.clone(),
            log.clone(),
            trace.clone(),
            conditions,
            clock,
            random.fork(),
        );
        let wire = Arc::new(wire);
        let reloads = schedule.releases.reloads;
        let pool = Pool::new(Arc::clone(&wire), clock, configs, &schedule.skews, reloads);
        let world = Self {
            record: Record::new(schedule, mode, trace, clock, emulator, log),
            wire,
            pool,
            fair: Cell::new(false),
            running: RefCell::default(),
            followers: RefCell::default(),
        };
        Ok((world, changes))
    }

    /// Returns true when crashes, short deadlines and faults are over.
    pub(crate) fn is_fair(&self) -> bool {
        self.fair.get()
    }

    /// Ends crashes, short deadlines and faults.
    pub(crate) fn clear_up(&self) {
        self.fair.set(true);
        self.wire.clear_up();
    }

    /// The number of environments that have been started.
    pub(crate) fn environments(&self) -> usize {
        self.pool.started()
    }

    /// Adds a delivery, without which the world does not end.
    pub(crate) fn follow(&self, delivery: JoinHandle<()>) {
        self.followers.borrow_mut().push(delivery);
    }

    /// Runs one invocation to its end; the caller may stop waiting for it.
    pub(crate) fn invoke(
        self: &Rc<Self>,
        occurrences: Vec<Occurrence>,
        payload: String,
        fate: Fate,
    ) -> oneshot::Receiver<End> {
        let (sender, receiver) = oneshot::channel();
        let world = Rc::clone(self);
        let running = tokio::task::spawn_local(async move {
            let fate = if world.is_fair() {
                Fate::default()
            } else {
                fate
            };
            let end = Box::pin(world.run(occurrences, &payload, fate)).await;
            // The caller may have given up.
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
                let what = format!("the function does not start: {error:#}");
                self.accuse(BreachKind::Broken, what);
                return End::Crashed;
            }
        };
        let number = self.invocations().len();
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
        self.change_invocations(|invocations| {
            invocations.push(Invocation {
                occurrences,
                begun,
                remaining,
                ended: None,
                end: None,
            });
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
        let handled = Box::pin(crashing(handled, fate.crash));
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
        self.change_invocations(|invocations| {
            if let Some(invocation) = invocations.get_mut(number) {
                invocation.ended = Some(self.clock.elapsed());
                invocation.end = Some(end.clone());
            }
        });
        invariants::check_invocation(self, number);
        end
    }

    fn change_invocations(&self, change: impl FnOnce(&mut Vec<Invocation>)) {
        change(Rc::make_mut(&mut self.invocations.borrow_mut()));
    }

    /// Waits until all invocations and the deliveries that follow have ended, and every request has arrived and its effect shows.
    pub(crate) async fn rest(&self) {
        let times = self.schedule.times;
        let lag = times.case.min(CASE_FOUND_WITHIN);
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

    pub(crate) async fn all(&self, tasks: Vec<JoinHandle<()>>) {
        for task in tasks {
            if let Err(error) = task.await {
                let what = format!("an invocation ended with {error}");
                self.accuse(BreachKind::Broken, what);
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
    emulator.set_rate_limits(schedule.quotas);
    if schedule.queue.puts_aside {
        emulator.add_queue(FAILURE_QUEUE);
    }
    Ok(emulator)
}
