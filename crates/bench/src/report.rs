//! What a run found, for people and machines.

mod markdown;
mod plot;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::bars::Bar;
use crate::contender::Missing;
use crate::figures::{Figures, Networked};

/// A run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where it ran.
    pub machine: Machine,
    /// The compiler of what is written in Rust.
    pub compiler: String,
    /// Cold starts of each function.
    pub runs: usize,
    /// Warm invocations after each.
    pub invocations: usize,
    /// What was measured, in the order of the turns.
    pub functions: Vec<Figures>,
    /// Some of it again, with other networks.
    pub networked: Vec<Networked>,
    /// What this machine could not run.
    pub missing: Vec<Missing>,
    /// The limits.
    pub bars: Vec<Bar>,
}

/// The machine, as far as figures hang on it.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The processor's name, where the system tells it.
    pub processor: String,
    /// How many threads run at once.
    pub threads: usize,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn here() -> Self {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let name = info
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.trim() == "model name")
            .map(|(_, name)| name.trim().to_owned());
        Self {
            processor: name.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl Report {
    /// Whether every limit is kept.
    #[must_use]
    pub fn meets_all_bars(&self) -> bool {
        self.bars.iter().all(|bar| bar.met)
    }

    /// Tables in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::render(self)
    }

    /// The plot, as a document of its own.
    #[must_use]
    pub fn svg(&self) -> String {
        plot::render(self)
    }

    fn function(&self, name: &str) -> Option<&Figures> {
        self.functions.iter().find(|figures| figures.name == name)
    }
}

/// The targets that functions were built for, and which were: `; x86_64-unknown-linux-gnu: empty, tuned`.
pub(crate) fn targets<'a>(functions: impl IntoIterator<Item = &'a Figures>) -> String {
    let mut targets = BTreeMap::<_, Vec<_>>::new();
    for function in functions {
        if let Some(target) = &function.target {
            targets.entry(target).or_default().push(&*function.name);
        }
    }
    let targets = targets.into_iter();
    let texts = targets.map(|(target, names)| format!("; {target}: {}", names.join(", ")));
    texts.collect()
}

/// Three digits that count, as far as the decimal point: `0.0431`, `3.41`, `240`.
pub(crate) fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        magnitude if magnitude >= 99.95 || magnitude == 0.0 => 0,
        magnitude if magnitude >= 9.995 => 1,
        magnitude if magnitude >= 0.9995 => 2,
        magnitude if magnitude >= 0.099_95 => 3,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bars;
    use crate::contender::Kind;

    /// Made up: each function twice as costly as the one before.
    fn report() -> Report {
        let names = [
            Kind::Empty,
            Kind::Tuned,
            Kind::TunedStatic,
            Kind::Default,
            Kind::Casebridge,
            Kind::Boto3,
        ];
        let mut cost = 1.0;
        let functions = names.map(|kind| {
            cost *= 2.0;
            Figures::made_up(kind.name(), cost)
        });
        let networked = [0.0, 1.0, 0.5].map(|round_trip_ms| Networked {
            round_trip_ms,
            figures: Figures::made_up(Kind::Casebridge.name(), 3.0 + 2.0 * round_trip_ms),
        });
        Report {
            machine: Machine {
                processor: "Example CPU".to_owned(),
                threads: 2,
            },
            compiler: "rustc 1.95.0".to_owned(),
            runs: 9,
            invocations: 500,
            bars: bars::of(&functions, &networked),
            functions: functions.into(),
            networked: networked.into(),
            missing: vec![Missing {
                name: "sdk-v3".to_owned(),
                reason: "there is no node in the PATH".to_owned(),
            }],
        }
    }

    #[test]
    fn the_tables() {
        insta::assert_snapshot!(report().markdown());
    }

    #[test]
    fn the_plot() {
        insta::assert_snapshot!(report().svg());
    }

    #[test]
    fn a_limit_that_is_broken_is_told_from_one_that_is_kept() {
        let report = report();
        let met = |what: &str| report.bars.iter().find(|bar| bar.what == what).unwrap().met;
        assert!(!met("cold CPU: casebridge / empty"));
        assert!(met("casebridge: zip with all it can do, MB"));
        assert!(!report.meets_all_bars());
        // A function that was not measured has no bar.
        assert!(!report.bars.iter().any(|bar| bar.what.contains("sdk-v3")));
    }

    #[test]
    fn three_digits_count() {
        let written = [0.043_12, 0.99, 3.414, 17.25, 240.4].map(digits);
        assert_eq!(written, ["0.0431", "0.990", "3.41", "17.2", "240"]);
    }
}
