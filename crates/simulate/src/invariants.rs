//! What has to hold: of every answer when it is given, and of every key in the end.
//!
//! A breach is never allowed. What the function does not promise without a ledger is counted instead: a flow that runs again does not look
//! before it links, and runs that overlap, or follow before the first one's effects show, cannot know of each other. With a ledger that is
//! promised too; keys that share a new customer do not know of each other even then.

mod answers;
mod denials;
mod excuses;
mod found;
mod joins;
mod known;
mod order;

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

pub(crate) use self::answers::{check_answer, check_done, check_kept};
use self::excuses::{Twin, is_excused};
use self::found::{Found, is_reported};
use crate::clock::Clock;
use crate::keys::{Key, Occurrence};
use crate::schedule::WINDOW;
use crate::world::World;

/// Something that must not be.
#[derive(Debug, Clone, Serialize)]
pub struct Breach {
    /// Its kind.
    pub kind: BreachKind,
    /// What was found.
    pub what: String,
}

/// The kinds of breaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreachKind {
    /// Something is there twice: a case, a link, a comment, a profile.
    Duplicate,
    /// Something that has to be there is not, and nothing says so.
    Lost,
    /// Contact and comments of one occurrence stand where those of another belong.
    Mixed,
    /// An item of the ledger lost what it said, or its lease.
    Ledger,
    /// An answer did not tell the truth.
    Untrue,
    /// An answer came after its deadline.
    Late,
    /// Messages of a FIFO queue were overtaken.
    Order,
    /// The function took an event of its own.
    Loop,
    /// The function panicked or did not start.
    Broken,
}

/// The judgement of one world.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// What must not be.
    pub breaches: Vec<Breach>,
    /// What is not promised, and was counted.
    pub twins: Twins,
    /// The cases that there are.
    pub cases: usize,
}

/// What is there more than once without a promise being broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Twins {
    /// Links of a contact beyond the first.
    pub links: usize,
    /// Comments beyond the first.
    pub comments: usize,
    /// Profiles beyond the first.
    pub profiles: usize,
}

impl Breach {
    pub(crate) fn new(kind: BreachKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
        }
    }

    /// The function does not start.
    pub(crate) fn start(error: &anyhow::Error) -> Self {
        Self::new(
            BreachKind::Broken,
            format!("the function does not start: {error:#}"),
        )
    }

    /// An event of a case that the function made was not left alone.
    pub(crate) fn taken(expected: &str) -> Self {
        let what = format!("an event of Cases that is to be skipped as {expected} was taken");
        Self::new(BreachKind::Loop, what)
    }

    /// The function feeds itself.
    pub(crate) fn endless(events: usize) -> Self {
        let what = format!("events of Cases make cases: after {events} events there was no end");
        Self::new(BreachKind::Loop, what)
    }

    /// The function panicked.
    pub(crate) fn panic(error: &tokio::task::JoinError) -> Self {
        Self::new(
            BreachKind::Broken,
            format!("an invocation ended with {error}"),
        )
    }
}

impl BreachKind {
    /// The kind as reports spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Lost => "lost",
            Self::Mixed => "mixed",
            Self::Ledger => "ledger",
            Self::Untrue => "untrue",
            Self::Late => "late",
            Self::Order => "order",
            Self::Loop => "loop",
            Self::Broken => "broken",
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.what)
    }
}

/// Judges a world that is at rest.
pub(crate) fn check(world: &World, breaches: Vec<Breach>) -> Verdict {
    let mut verdict = Verdict {
        breaches,
        twins: Twins::default(),
        cases: world.emulator.cases().len(),
    };
    for key in &world.schedule.keys {
        check_key(world, key, &mut verdict);
    }
    denials::check(world, &mut verdict);
    check_profiles(world, &mut verdict);
    check_items(world, &mut verdict);
    check_starved(world, &mut verdict);
    order::check(world, &mut verdict);
    verdict
}

fn check_key(world: &World, key: &Key, verdict: &mut Verdict) {
    let name = key.name();
    let found = Found::of(world, key);
    let mut breach = |kind, what: String| verdict.breaches.push(Breach::new(kind, what));
    let delivered = world.schedule.delivered(key);
    if key.poison.is_some() {
        if !found.cases.is_empty() {
            breach(
                BreachKind::Untrue,
                format!("{name} has a case, and can have none"),
            );
        }
        for number in delivered {
            let occurrence = Occurrence {
                key: key.number,
                number,
            };
            if !is_reported(world, occurrence) {
                let what = format!("{occurrence} can have no case, and nothing says so");
                breach(BreachKind::Lost, what);
            }
        }
        return;
    }
    if delivered.is_empty() {
        return;
    }
    if found.cases.is_empty() {
        let what = format!("{name} has no case although it was delivered again without faults");
        return breach(BreachKind::Lost, what);
    }
    let apart = found.apart(world);
    check_windows(world, key, &apart, verdict);
    joins::check(world, key, &found, &apart, verdict);
}

/// Whether the window of a case was over at that time, by some clock.
fn may_be_over(world: &World, case: &str, at: Duration) -> bool {
    let ahead = 2 * world.schedule.times.clocks;
    is_over(world, case, at + ahead)
}

/// Whether the window of a case was over at that time, by every clock. A case that the ledger did not name by then belongs to a claim that
/// was not done: that one never ends by itself.
fn is_over(world: &World, case: &str, at: Duration) -> bool {
    let items = world.seen().items;
    if items.named.get(case).is_none_or(|named| *named > at) {
        return false;
    }
    let over = items.claims.get(case).and_then(|claim| claim.over);
    let at = at.saturating_sub(world.schedule.times.clocks);
    over.is_some_and(|over| over <= Clock::epoch_seconds(at))
}

/// One case, or with windows one for each: a later one only after the window of the earlier was over, by some clock.
fn check_windows(world: &World, key: &Key, apart: &[Found], verdict: &mut Verdict) {
    let seen = world.seen();
    let clocks = world.schedule.times.clocks;
    let ids: Vec<&String> = apart.iter().flat_map(|found| &found.cases).collect();
    for pair in ids.windows(2) {
        let [earlier, later] = pair else {
            continue;
        };
        let created = seen.created.get(*later).copied().unwrap_or_default() + clocks;
        let is_over = seen.items.claims.get(*earlier).is_some_and(|claim| {
            let over = claim
                .over
                .is_some_and(|over| over <= Clock::epoch_seconds(created));
            over && claim.made + WINDOW <= created + clocks
        });
        if !is_over {
            let what = format!("{} has a case too many: {earlier}, {later}", key.name());
            verdict
                .breaches
                .push(Breach::new(BreachKind::Duplicate, what));
        }
    }
}

/// What the ledger's items must not become.
fn check_items(world: &World, verdict: &mut Verdict) {
    let flaws = world.seen().items.flaws;
    let breaches = flaws
        .into_iter()
        .map(|what| Breach::new(BreachKind::Ledger, what));
    verdict.breaches.extend(breaches);
}

/// Where nothing goes wrong, no sound message of a FIFO queue goes the way of one that can never succeed.
fn check_starved(world: &World, verdict: &mut Verdict) {
    let queue = &world.schedule.queue;
    // A queue that does not hear that a message is done counts one receive more.
    if !world.schedule.is_calm() || !queue.is_ordered() || queue.repeats > 0 {
        return;
    }
    let mut keys = world.schedule.keys.iter();
    if keys.any(|key| excuses::waits_for_search(world, key)) {
        return;
    }
    for occurrence in &world.deliveries.borrow().died {
        let key = world.key(*occurrence);
        if key.is_some_and(|key| key.poison.is_none()) {
            let what = format!("{occurrence} became a dead letter behind another message");
            verdict.breaches.push(Breach::new(BreachKind::Lost, what));
        }
    }
}

fn check_profiles(world: &World, verdict: &mut Verdict) {
    let profiles = world.emulator.profiles();
    let phone = |profile: &Value| {
        let phone = profile.get("PhoneNumber").and_then(Value::as_str);
        phone.map(str::to_owned)
    };
    let mut phones: Vec<String> = profiles.iter().filter_map(phone).collect();
    phones.sort_unstable();
    for same in phones.chunk_by(|one, other| one == other) {
        let Some(phone) = same.first().filter(|_| same.len() > 1) else {
            continue;
        };
        let sharing = world.schedule.keys.iter();
        let sharing: Vec<&Key> = sharing
            .filter(|key| key.phone().as_ref() == Some(phone))
            .collect();
        if is_excused(world, &sharing, Twin::Profile) {
            verdict.twins.profiles += same.len() - 1;
        } else {
            let names: Vec<String> = sharing.iter().map(|key| key.name()).collect();
            let what = format!("{} has {} profiles", names.join(" and "), same.len());
            verdict
                .breaches
                .push(Breach::new(BreachKind::Duplicate, what));
        }
    }
}
