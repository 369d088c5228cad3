//! The results of many worlds: summed up, as text and as data.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::assumptions::Broken;
use crate::faults::Fault;
use crate::invariants::{Breach, BreachKind, Twins, Verdict};
use crate::world::{End, World};
use crate::{Mode, Run};

/// What was done in one world, or in all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Keys.
    pub keys: usize,
    /// Keys that can have no case.
    pub poison: usize,
    /// Invocations.
    pub invocations: usize,
    /// Those that were dropped in the middle.
    pub crashes: usize,
    /// Deliveries beyond the planned ones: retries, re-invocations, redeliveries.
    pub repeated: usize,
    /// Execution environments.
    pub environments: usize,
    /// Requests that the function sent.
    pub requests: usize,
    /// Faults that they met.
    pub faults: BTreeMap<Fault, usize>,
    /// Cases in the end.
    pub cases: usize,
    /// Worlds in which a key stands for one case for a window alone.
    pub windows: usize,
    /// Worlds with a FIFO queue.
    pub fifo: usize,
    /// Worlds in which the function goes on without its ledger.
    pub proceed: usize,
    /// Worlds whose clocks differ.
    pub clocks: usize,
    /// Worlds that are aimed at an edge.
    pub aimed: usize,
    /// Events of Cases that were fed back.
    pub fed_back: usize,
}

impl Counts {
    pub(crate) fn of(world: &World, verdict: &Verdict) -> Self {
        let invocations = world.invocations();
        let crashed = invocations.iter();
        let crashed = crashed.filter(|invocation| matches!(invocation.end, Some(End::Crashed)));
        let keys = &world.schedule.keys;
        let seen = world.seen();
        Self {
            keys: keys.len(),
            poison: keys.iter().filter(|key| key.poison.is_some()).count(),
            invocations: invocations.len(),
            crashes: crashed.count(),
            repeated: world.deliveries.borrow().repeated,
            environments: world.environments(),
            requests: seen.requests,
            faults: seen.faults,
            cases: verdict.cases,
            windows: usize::from(world.schedule.uses.window),
            fifo: usize::from(world.schedule.queue.is_ordered()),
            proceed: usize::from(world.schedule.uses.proceed),
            clocks: usize::from(!world.schedule.times.clocks.is_zero()),
            aimed: usize::from(world.schedule.aim.is_some()),
            fed_back: world.deliveries.borrow().fed_back,
        }
    }

    fn add(&mut self, other: &Self) {
        self.keys += other.keys;
        self.poison += other.poison;
        self.invocations += other.invocations;
        self.crashes += other.crashes;
        self.repeated += other.repeated;
        self.environments += other.environments;
        self.requests += other.requests;
        self.cases += other.cases;
        self.windows += other.windows;
        self.fifo += other.fifo;
        self.proceed += other.proceed;
        self.clocks += other.clocks;
        self.aimed += other.aimed;
        self.fed_back += other.fed_back;
        for (fault, times) in &other.faults {
            *self.faults.entry(*fault).or_default() += times;
        }
    }
}

impl Counts {
    /// What the worlds were like.
    fn worlds(&self) -> [String; 2] {
        let Self {
            windows,
            fifo,
            proceed,
            clocks,
            aimed,
            fed_back,
            ..
        } = self;
        [
            format!(
                "{} with windows, {} with a FIFO queue; {} events of Cases were fed back",
                thousands(*windows),
                thousands(*fifo),
                thousands(*fed_back)
            ),
            format!(
                "{} aimed at an edge, {} with clocks apart, {} that go on without the ledger",
                thousands(*aimed),
                thousands(*clocks),
                thousands(*proceed)
            ),
        ]
    }
}

/// All worlds together.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The first seed.
    pub first_seed: u64,
    /// How many seeds were run.
    pub seeds: usize,
    /// Whether the function had a ledger.
    pub ledger: bool,
    /// The assumption that did not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<Broken>,
    /// What was done.
    pub counts: Counts,
    /// Things that were there twice.
    pub duplicates: usize,
    /// Things that were lost.
    pub lost: usize,
    /// Cases that have what belongs to another occurrence.
    pub mixed: usize,
    /// Items of the ledger that lost what they said, or their lease.
    pub ledger_flaws: usize,
    /// Messages of a FIFO queue that were overtaken.
    pub overtaken: usize,
    /// Events of our own cases that were not left alone.
    pub loops: usize,
    /// Answers that did not tell the truth, came late, or never came for a panic.
    pub false_answers: usize,
    /// What is not promised without a ledger.
    pub twins: Twins,
    /// The worlds with a breach.
    pub failed: Vec<FailedSeed>,
}

/// A world with a breach.
#[derive(Debug, Clone, Serialize)]
pub struct FailedSeed {
    /// Its seed.
    pub seed: u64,
    /// What must not be.
    pub breaches: Vec<Breach>,
}

impl Summary {
    /// Nothing yet.
    #[must_use]
    pub fn new(first_seed: u64, mode: Mode) -> Self {
        Self {
            first_seed,
            ledger: mode.ledger,
            broken: mode.broken,
            ..Self::default()
        }
    }

    /// Adds a world.
    pub fn add(&mut self, run: &Run) {
        self.seeds += 1;
        self.counts.add(&run.counts);
        let Verdict {
            breaches, twins, ..
        } = &run.verdict;
        self.twins.links += twins.links;
        self.twins.comments += twins.comments;
        self.twins.profiles += twins.profiles;
        for breach in breaches {
            match breach.kind {
                BreachKind::Duplicate => self.duplicates += 1,
                BreachKind::Lost => self.lost += 1,
                BreachKind::Mixed => self.mixed += 1,
                BreachKind::Ledger => self.ledger_flaws += 1,
                BreachKind::Order => self.overtaken += 1,
                BreachKind::Loop => self.loops += 1,
                BreachKind::Untrue | BreachKind::Late | BreachKind::Broken => {
                    self.false_answers += 1;
                }
            }
        }
        if !breaches.is_empty() {
            self.failed.push(FailedSeed {
                seed: run.seed,
                breaches: breaches.clone(),
            });
        }
    }

    /// Whether everything held.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.failed.is_empty()
    }

    /// The summary for a person.
    #[must_use]
    pub fn render(&self, took: Duration) -> String {
        let Counts {
            keys,
            poison,
            invocations,
            crashes,
            repeated,
            environments,
            requests,
            faults,
            cases,
            ..
        } = &self.counts;
        let mut text = String::new();
        let mut row = |name: &str, value: String| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name:<14} {value}");
        };
        let seconds = took.as_secs_f64();
        row(
            "seeds",
            format!(
                "{} from {} in {seconds:.1} s, {:.0} a second",
                thousands(self.seeds),
                self.first_seed,
                rate(self.seeds, seconds)
            ),
        );
        row("ledger", if self.ledger { "on" } else { "off" }.to_owned());
        if let Some(broken) = self.broken {
            row("broken", broken.sentence().to_owned());
        }
        let [worlds, edges] = self.counts.worlds();
        row("worlds", worlds);
        row("", edges);
        row(
            "keys",
            format!(
                "{}, of which {} can have no case",
                thousands(*keys),
                thousands(*poison)
            ),
        );
        row(
            "invocations",
            format!(
                "{} in {} environments; {} crashed, {} deliveries were repeated",
                thousands(*invocations),
                thousands(*environments),
                thousands(*crashes),
                thousands(*repeated)
            ),
        );
        let met: usize = faults.values().sum();
        row(
            "requests",
            format!("{}; {} met a fault", thousands(*requests), thousands(met)),
        );
        for (fault, times) in faults {
            row("", format!("{:>9}  {}", thousands(*times), fault.name()));
        }
        row("cases", thousands(*cases));
        row("duplicates", thousands(self.duplicates));
        row("lost", thousands(self.lost));
        row("mixed", thousands(self.mixed));
        row("ledger flaws", thousands(self.ledger_flaws));
        row("overtaken", thousands(self.overtaken));
        row("loops", thousands(self.loops));
        row("false answers", thousands(self.false_answers));
        let Twins {
            links,
            comments,
            profiles,
        } = self.twins;
        row(
            "not promised",
            format!(
                "{} links, {} comments and {} profiles more than one, by runs that could not know of each other",
                thousands(links),
                thousands(comments),
                thousands(profiles)
            ),
        );
        let others = self.also_broken();
        if !others.is_empty() {
            row("also broken", others);
        }
        text
    }

    /// The seeds with a breach but for the first, which is shown whole. A world without an assumption is meant to have them.
    fn also_broken(&self) -> String {
        if self.broken.is_some() {
            return String::new();
        }
        let seeds = self.failed.iter().skip(1);
        let seeds: Vec<String> = seeds.map(|failed| failed.seed.to_string()).collect();
        seeds.join(", ")
    }
}

impl Run {
    /// What went wrong, for a person: breaches, schedule, trace, and how to see it again.
    #[must_use]
    pub fn render(&self, mode: Mode) -> String {
        let mut text = String::new();
        let breaches = &self.verdict.breaches;
        if breaches.is_empty() {
            let _ = writeln!(text, "seed {}: everything holds", self.seed);
        } else {
            let _ = writeln!(text, "seed {}:", self.seed);
        }
        for breach in breaches {
            let _ = writeln!(text, "  {breach}");
        }
        let _ = writeln!(text, "\nthe schedule\n{}", indented(&self.schedule));
        let _ = writeln!(text, "what happened\n{}", indented(&self.trace));
        let ledger = if mode.ledger { " --ledger" } else { "" };
        let broken = mode
            .broken
            .map(|broken| format!(" --break {}", broken.name()));
        let _ = writeln!(
            text,
            "again: cargo simulate --seed {}{ledger}{}",
            self.seed,
            broken.unwrap_or_default()
        );
        text
    }
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |mut indented, line| {
        let _ = writeln!(indented, "  {line}");
        indented
    })
}

pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[expect(clippy::cast_precision_loss, reason = "seeds stay far below 2^52")]
fn rate(seeds: usize, seconds: f64) -> f64 {
    seeds as f64 / seconds.max(0.001)
}
