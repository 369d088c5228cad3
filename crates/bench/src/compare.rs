//! The comparison: everything is built first; then all contenders take turns, one cold start each.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::contender::{Contender, Kind, Other, Preparation};
use crate::figures::{Figures, Networked, milliseconds};
use crate::report::{Machine, Missing, Report, Setup};
use crate::sample::Sample;
use crate::services::{Authority, Seed, Transport};
use crate::toolchain::Toolchain;

/// The functions to compare, and the number of runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Comparison {
    /// Cold starts of each function
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = at_least_one)]
    runs: usize,

    /// Warm invocations after each cold start
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = at_least_one)]
    invocations: usize,

    /// Only this function; may be given again
    #[arg(long = "only", value_name = "NAME")]
    only: Vec<Kind>,

    /// Another build of Casebridge to measure; may be given again
    #[arg(long = "also", value_name = "NAME=PATH")]
    also: Vec<Other>,

    /// Measure this binary as Casebridge instead of building one
    #[arg(long, value_name = "PATH")]
    bootstrap: Option<PathBuf>,

    /// Measure `casebridge` and `tuned` at these round trips too; 0,1,5 unless there is an --only
    #[arg(long, value_name = "MS,…", value_delimiter = ',', value_parser = round_trip)]
    round_trips: Vec<Duration>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("expected a number from 1 on".to_owned()),
    }
}

fn round_trip(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map(|number| number / 1e3);
    let duration = seconds.ok().map(Duration::try_from_secs_f64);
    duration
        .and_then(Result::ok)
        .ok_or_else(|| "expected milliseconds, such as 0, 1 or 0.5".to_owned())
}

impl Comparison {
    /// Builds, measures and sums up, with its progress on standard error. A peer that cannot be installed is part of the report.
    pub(crate) async fn run(&self, toolchain: &Toolchain) -> anyhow::Result<Report> {
        let authority = Authority::new(toolchain)?;
        let (contenders, missing) = self.prepare(toolchain, &authority)?;
        let transport = |round_trip| Transport {
            tls: Some(authority.acceptor.clone()),
            round_trip,
        };
        let round_trips = match self.round_trips.as_slice() {
            [] if self.only.is_empty() => [0, 1, 5].map(Duration::from_millis).to_vec(),
            given => given.to_vec(),
        };
        let mut turns: Vec<_> = contenders
            .into_iter()
            .map(|contender| (contender, transport(None)))
            .collect();
        let functions = turns.len();
        for kind in [Kind::Casebridge, Kind::Tuned] {
            let found = turns.iter().find(|(it, _)| it.name == kind.name());
            if let Some((contender, _)) = found.cloned() {
                // The proxy also runs without a round trip, so that the rows differ by the network alone.
                let networks = round_trips.iter().map(|it| transport(Some(*it)));
                turns.extend(networks.map(|network| (contender.clone(), network)));
            }
        }
        let mut figures = self.take_turns(&turns, &Seed::read(toolchain)?).await?;
        let networked = figures.split_off(functions);
        let networked = networked.into_iter().zip(round_trips.iter().cycle());
        let networked = networked.map(|(figures, round_trip)| Networked {
            round_trip_ms: milliseconds(*round_trip),
            figures,
        });
        let setup = Setup {
            machine: Machine::here(),
            compiler: toolchain.compiler()?,
            runs: self.runs,
            invocations: self.invocations,
        };
        Ok(Report::new(setup, figures, networked.collect(), missing))
    }

    fn prepare(
        &self,
        toolchain: &Toolchain,
        authority: &Authority,
    ) -> anyhow::Result<(Vec<Contender>, Vec<Missing>)> {
        let preparation = Preparation {
            toolchain,
            authority: Some(authority),
            bootstrap: self.bootstrap.as_deref(),
        };
        let kinds = match self.only.as_slice() {
            [] => &Kind::ALL,
            only => only,
        };
        let (mut contenders, mut missing) = (Vec::new(), Vec::new());
        for kind in kinds {
            match preparation.contender(*kind) {
                Ok(contender) => contenders.push(contender),
                Err(error) if kind.may_be_missing() => missing.push(Missing {
                    name: kind.name(),
                    reason: format!("{error:#}"),
                }),
                Err(error) => return Err(error.context(kind.name())),
            }
        }
        for other in &self.also {
            contenders.push(preparation.other(other)?);
        }
        Ok((contenders, missing))
    }

    async fn take_turns(
        &self,
        contenders: &[(Contender, Transport)],
        seed: &Seed,
    ) -> anyhow::Result<Vec<Figures>> {
        let progress = progress(self.runs * contenders.len());
        let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); contenders.len()];
        for run in 0..self.runs {
            for turn in order(run, contenders.len()) {
                let (Some((contender, transport)), Some(samples)) =
                    (contenders.get(turn), samples.get_mut(turn))
                else {
                    continue;
                };
                progress.set_message(contender.name.clone());
                let sample = Sample::take(contender, seed, transport, self.invocations).await;
                samples.push(sample.with_context(|| contender.name.clone())?);
                progress.inc(1);
            }
        }
        progress.finish_and_clear();
        let figures = contenders.iter().zip(&samples);
        Ok(figures
            .map(|((contender, _), samples)| Figures::of(contender, samples))
            .collect())
    }
}

/// The order of a round. Each round begins with another contender and goes on in other steps, so that none always follows the same one,
/// which may leave the machine's caches full or its processors busy.
fn order(round: usize, contenders: usize) -> impl Iterator<Item = usize> {
    let steps: Vec<usize> = (1..=contenders)
        .filter(|step| greatest_common_divisor(*step, contenders) == 1)
        .collect();
    let step = steps.get(round % steps.len().max(1)).copied().unwrap_or(1);
    (0..contenders).map(move |turn| (round + turn * step) % contenders)
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

fn progress(steps: usize) -> ProgressBar {
    let steps = u64::try_from(steps).unwrap_or(u64::MAX);
    let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg} {eta} left") {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::order;

    #[test]
    fn a_round_has_everybody_once_and_nobody_always_after_the_same() {
        for contenders in 1..=13 {
            let mut before = HashSet::new();
            for round in 0..contenders {
                let turns: Vec<_> = order(round, contenders).collect();
                let all: HashSet<_> = turns.iter().copied().collect();
                assert_eq!((all.len(), turns.len()), (contenders, contenders));
                let own = turns.iter().position(|turn| *turn == 0).unwrap();
                before.insert(own.checked_sub(1).map(|place| turns[place]));
            }
            assert!(contenders < 3 || before.len() > 2, "{contenders}");
        }
    }
}
