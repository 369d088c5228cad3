//! What a soak came to: as data, and as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::memory::Memory;
use crate::faults::Fault;
use crate::report::thousands;

/// `CreateCase` a second, and at once.
/// <https://docs.aws.amazon.com/connect/latest/adminguide/amazon-connect-service-limits.html>
const QUOTA: (f64, f64) = (2.0, 10.0);

/// The least share of the quota that has to be used.
const LEAST: f64 = 0.9;

/// What a soak came to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Events that waited at the beginning.
    pub events: usize,
    /// Whether the function had a ledger.
    pub ledger: bool,
    /// Cases in the end.
    pub cases: usize,
    /// Cases beyond the first of an event.
    pub duplicates: usize,
    /// Events without a case.
    pub lost: usize,
    /// Messages in the dead-letter queue.
    pub dead: usize,
    /// How often a message was given back to the queue.
    pub kept: usize,
    /// The most times that one message was received.
    pub most_received: u32,
    /// Invocations.
    pub invocations: usize,
    /// Requests that the function sent.
    pub requests: usize,
    /// Faults that they met.
    pub faults: BTreeMap<Fault, usize>,
    /// For how long there were messages that had not been tried yet, on the clock of the simulation.
    pub backlog_seconds: u64,
    /// The cases of that time, as a share of what the quota allows in it.
    pub quota_used: f64,
    /// How long it took until the last message was done: one that was given back stays out of sight for a minute.
    pub seconds: u64,
    /// Memory over the run.
    pub memory: Memory,
}

/// The share of what the quota allows in that time.
#[expect(clippy::cast_precision_loss, reason = "cases stay far below 2^52")]
pub(super) fn share(cases: usize, time: Duration) -> f64 {
    let (rate, burst) = QUOTA;
    cases as f64 / (burst + rate * time.as_secs_f64())
}

impl Report {
    /// Whether every event has its case once, none is in the dead-letter queue, and the quota is used.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.duplicates + self.lost + self.dead == 0 && self.quota_used >= LEAST
    }

    /// The report for a person.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        let mut row = |name: &str, value: String| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name:<14} {value}");
        };
        let ledger = if self.ledger { "on" } else { "off" };
        let met: usize = self.faults.values().sum();
        row("events", thousands(self.events));
        row("ledger", ledger.to_owned());
        row(
            "invocations",
            format!(
                "{}; {} messages were given back, none received more than {} times",
                thousands(self.invocations),
                thousands(self.kept),
                self.most_received
            ),
        );
        row(
            "requests",
            format!(
                "{}; {} met a fault",
                thousands(self.requests),
                thousands(met)
            ),
        );
        row("cases", thousands(self.cases));
        row("duplicates", thousands(self.duplicates));
        row("lost", thousands(self.lost));
        row("dead letters", thousands(self.dead));
        row(
            "throughput",
            format!(
                "{:.1} % of what the quota allows, for the {} simulated seconds of the backlog; all was done after {}",
                self.quota_used * 100.0,
                self.backlog_seconds,
                self.seconds
            ),
        );
        let resident: Vec<String> = self
            .memory
            .samples
            .iter()
            .map(|sample| megabytes(sample.resident_kb))
            .collect();
        if let Some(growth) = self.memory.growth() {
            let emulator = self.memory.of_the_emulator.unwrap_or_default();
            row("memory", format!("{} MB", resident.join(", ")));
            row(
                "",
                format!(
                    "grew by {} MB; as many cases take {} MB in the emulator alone",
                    megabytes(growth),
                    megabytes(emulator)
                ),
            );
        }
        text
    }
}

fn megabytes(kilobytes: u64) -> String {
    let tenths = kilobytes * 10 / 1024;
    format!("{}.{}", tenths / 10, tenths % 10)
}
