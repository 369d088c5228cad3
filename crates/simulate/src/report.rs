//! The results of worlds: each for a person, and the sum of many as text and as data.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::assumptions::{Broken, Mode};
use crate::faults::Fault;
use crate::record::{End, Throughput};
use crate::verdict::{Breach, BreachKind, Twins, Verdict};
use crate::world::World;

/// One seed's world, run.
#[derive(Debug)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// The plan, line by line.
    pub schedule: String,
    /// The events, line by line.
    pub trace: String,
    /// The numbers.
    pub counts: Counts,
    /// The judgement.
    pub verdict: Verdict,
    /// The use of the quota, in a world with a backlog.
    pub backlog: Option<Throughput>,
}

/// The numbers of one world, or of all of them.
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
        let schedule = &world.schedule;
        let keys = &schedule.keys;
        let seen = world.seen();
        let deliveries = world.deliveries.borrow();
        Self {
            keys: keys.len(),
            poison: keys.iter().filter(|key| key.poison.is_some()).count(),
            invocations: invocations.len(),
            crashes: crashed.count(),
            repeated: deliveries.repeated,
            environments: world.environments(),
            requests: seen.requests,
            faults: seen.faults.clone(),
            cases: verdict.cases,
            windows: usize::from(schedule.uses.window),
            fifo: usize::from(schedule.queue.is_ordered()),
            proceed: usize::from(schedule.uses.proceed),
            clocks: usize::from(!schedule.times.clocks.is_zero()),
            aimed: usize::from(schedule.aim.is_some()),
            fed_back: deliveries.fed_back,
        }
    }

    fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.keys, other.keys),
            (&mut self.poison, other.poison),
            (&mut self.invocations, other.invocations),
            (&mut self.crashes, other.crashes),
            (&mut self.repeated, other.repeated),
            (&mut self.environments, other.environments),
            (&mut self.requests, other.requests),
            (&mut self.cases, other.cases),
            (&mut self.windows, other.windows),
            (&mut self.fifo, other.fifo),
            (&mut self.proceed, other.proceed),
            (&mut self.clocks, other.clocks),
            (&mut self.aimed, other.aimed),
            (&mut self.fed_back, other.fed_back),
        ] {
            *sum += more;
        }
        for (fault, times) in &other.faults {
            *self.faults.entry(*fault).or_default() += times;
        }
    }
}

/// All worlds together.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The first seed.
    pub first_seed: u64,
    /// The number of seeds.
    pub seeds: usize,
    /// The function had a ledger.
    pub ledger: bool,
    /// The assumption that did not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<Broken>,
    /// The numbers.
    pub counts: Counts,
    /// The number of breaches of each kind.
    #[serde(flatten)]
    pub breaches: BTreeMap<Row, usize>,
    /// Repetitions that are not promised away.
    pub twins: Twins,
    /// The least use of the quota, in worlds with a backlog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog: Option<Throughput>,
    /// The worlds with a breach.
    pub failed: Vec<FailedSeed>,
}

/// A row of the summary that counts breaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Row {
    /// Things that are there twice.
    Duplicates,
    /// Things that are missing.
    Lost,
    /// Cases with items of another occurrence.
    Mixed,
    /// Items of the ledger that lost a fact or their lease.
    LedgerFlaws,
    /// Messages of a FIFO queue that were overtaken.
    Overtaken,
    /// Events of our own cases that were not skipped.
    Loops,
    /// Answers that were untrue, late, or never came for a panic.
    FalseAnswers,
}

/// The rows in their order, with their names and the kinds that they count.
const ROWS: [(Row, &str, &[BreachKind]); 7] = {
    use BreachKind::{Broken, Duplicate, Late, Ledger, Loop, Lost, Mixed, Order, Untrue};
    [
        (Row::Duplicates, "duplicates", &[Duplicate]),
        (Row::Lost, "lost", &[Lost]),
        (Row::Mixed, "mixed", &[Mixed]),
        (Row::LedgerFlaws, "ledger flaws", &[Ledger]),
        (Row::Overtaken, "overtaken", &[Order]),
        (Row::Loops, "loops", &[Loop]),
        (Row::FalseAnswers, "false answers", &[Untrue, Late, Broken]),
    ]
};

/// A world with a breach.
#[derive(Debug, Clone, Serialize)]
pub struct FailedSeed {
    /// Its seed.
    pub seed: u64,
    /// The broken promises.
    pub breaches: Vec<Breach>,
}

impl Summary {
    /// The summary of no world.
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
        for (row, _, kinds) in ROWS {
            let of_row = breaches.iter().filter(|it| kinds.contains(&it.kind));
            *self.breaches.entry(row).or_default() += of_row.count();
        }
        let least = |throughput: &Throughput| throughput.quota_used;
        let all = self.backlog.into_iter().chain(run.backlog);
        self.backlog = all.min_by(|one, other| least(one).total_cmp(&least(other)));
        if !breaches.is_empty() {
            self.failed.push(FailedSeed {
                seed: run.seed,
                breaches: breaches.clone(),
            });
        }
    }

    /// Returns true when no world has a breach.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.failed.is_empty()
    }

    /// The number of breaches in a row.
    #[must_use]
    pub fn count(&self, row: Row) -> usize {
        self.breaches.get(&row).copied().unwrap_or_default()
    }

    /// The summary for a person.
    #[must_use]
    pub fn render(&self, took: Duration) -> String {
        let mut text = String::new();
        for (name, value) in self.rows(took) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name:<14} {value}");
        }
        text
    }

    fn rows(&self, took: Duration) -> Vec<(&'static str, String)> {
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
            windows,
            fifo,
            proceed,
            clocks,
            aimed,
            fed_back,
        } = &self.counts;
        let n = |number: &usize| thousands(*number);
        let seconds = took.as_secs_f64();
        let seeds = format!(
            "{} from {} in {seconds:.1} s, {:.0} a second",
            n(&self.seeds),
            self.first_seed,
            rate(self.seeds, seconds)
        );
        let ledger = if self.ledger { "on" } else { "off" };
        let mut rows = vec![("seeds", seeds), ("ledger", ledger.to_owned())];
        rows.extend(self.broken.map(|broken| ("broken", broken.sentence())));
        let met: usize = faults.values().sum();
        rows.extend([
            (
                "worlds",
                format!(
                    "{} with windows, {} with a FIFO queue; {} events of Cases were fed back",
                    n(windows),
                    n(fifo),
                    n(fed_back)
                ),
            ),
            (
                "",
                format!(
                    "{} aimed at an edge, {} with clocks apart, {} that go on without the ledger",
                    n(aimed),
                    n(clocks),
                    n(proceed)
                ),
            ),
            (
                "keys",
                format!("{}, of which {} can have no case", n(keys), n(poison)),
            ),
            (
                "invocations",
                format!(
                    "{} in {} environments; {} crashed, {} deliveries were repeated",
                    n(invocations),
                    n(environments),
                    n(crashes),
                    n(repeated)
                ),
            ),
            (
                "requests",
                format!("{}; {} met a fault", n(requests), n(&met)),
            ),
        ]);
        let fault =
            |(fault, times): (&Fault, &usize)| ("", format!("{:>9}  {}", n(times), fault.name()));
        rows.extend(faults.iter().map(fault));
        rows.push(("cases", n(cases)));
        let counted = ROWS.map(|(row, name, _)| (name, n(&self.count(row))));
        rows.extend(counted);
        let Twins {
            links,
            comments,
            profiles,
        } = &self.twins;
        rows.push((
            "not promised",
            format!(
                "{} links, {} comments and {} profiles more than one, by runs that could not know of each other",
                n(links),
                n(comments),
                n(profiles)
            ),
        ));
        rows.extend(self.backlog.map(|Throughput { backlog_seconds, quota_used }| {
            let share = quota_used * 100.0;
            (
                "throughput",
                format!(
                    "{share:.1} % of the quota, for the {backlog_seconds} simulated seconds of the backlog"
                ),
            )
        }));
        let others = self.also_broken();
        rows.extend((!others.is_empty()).then_some(("also broken", others)));
        rows
    }

    /// The seeds with a breach but for the first, which is shown whole. A world without an assumption is expected to have them.
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
    /// The world for a person: breaches, schedule, trace, and the command that repeats it.
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
        let broken = mode.broken.map(|it| format!(" --break {}", it.name()));
        let backlog = mode.backlog.map(|events| format!(" --backlog {events}"));
        let _ = writeln!(
            text,
            "again: cargo simulate --seed {}{ledger}{}{}",
            self.seed,
            broken.unwrap_or_default(),
            backlog.unwrap_or_default()
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

fn thousands(number: usize) -> String {
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
