//! The comparison: everything is put together first, then all take turns, one cold start each, as often as asked.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::authority::Authority;
use crate::bars;
use crate::contender::{Contender, Kind, Missing, Other, Preparation};
use crate::figures::{Figures, Networked, milliseconds};
use crate::measure::Sample;
use crate::report::{Machine, Report};
use crate::services::{Seed, Transport};
use crate::toolchain::Toolchain;

/// What is compared, and how often.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Cold starts of each function.
    pub runs: usize,
    /// Warm invocations after each cold start.
    pub invocations: usize,
    /// The functions.
    pub kinds: Vec<Kind>,
    /// Builds of Casebridge beside it.
    pub others: Vec<Other>,
    /// A binary of Casebridge to take instead of building one.
    pub bootstrap: Option<PathBuf>,
    /// The networks that Casebridge and the bare call are measured with as well.
    pub round_trips: Vec<Duration>,
}

/// The example domain and its customers.
///
/// # Errors
/// They cannot be read.
pub fn seed(toolchain: &Toolchain) -> anyhow::Result<Seed> {
    let read = |name: &str| {
        std::fs::read_to_string(toolchain.source(name))
            .with_context(|| format!("{name} cannot be read"))
    };
    Ok(Seed {
        domain: read("domain.json")?,
        profiles: read("profiles.json")?,
    })
}

/// The certificate authority of a run.
///
/// # Errors
/// Its files cannot be written.
pub fn authority(toolchain: &Toolchain) -> anyhow::Result<Authority> {
    Authority::new(
        &toolchain.folder("trust")?,
        &toolchain.source("src/roots.pem"),
    )
}

impl Comparison {
    /// Builds, measures and sums up; says on standard error what it is doing.
    ///
    /// # Errors
    /// A function in Rust cannot be built, or one fails. A peer that cannot be installed is part of the report.
    pub async fn run(&self, toolchain: &Toolchain) -> anyhow::Result<Report> {
        let authority = authority(toolchain)?;
        let (contenders, missing) = self.prepare(toolchain, &authority)?;
        let seed = seed(toolchain)?;
        let transport = |round_trip| Transport {
            round_trip,
            ..Transport::tls(&authority.acceptor)
        };
        let mut turns: Vec<_> = contenders
            .into_iter()
            .map(|contender| (contender, transport(None)))
            .collect();
        let networked: Vec<_> = [Kind::Casebridge, Kind::Tuned]
            .iter()
            .filter_map(|kind| turns.iter().find(|(it, _)| it.name == kind.name()))
            .flat_map(|(contender, _)| {
                // The proxy is there without a round trip too, so that like is compared with like.
                let round_trips = self.round_trips.iter();
                round_trips.map(|it| (contender.clone(), transport(Some(*it))))
            })
            .collect();
        let functions = turns.len();
        turns.extend(networked);
        let mut figures = take_turns(&turns, &seed, self.runs, self.invocations).await?;
        let networked: Vec<_> = figures
            .split_off(functions)
            .into_iter()
            .zip(self.round_trips.iter().cycle())
            .map(|(figures, round_trip)| Networked {
                round_trip_ms: milliseconds(*round_trip),
                figures,
            })
            .collect();
        Ok(Report {
            machine: Machine::here(),
            compiler: toolchain.compiler()?,
            runs: self.runs,
            invocations: self.invocations,
            bars: bars::of(&figures, &networked),
            functions: figures,
            networked,
            missing,
        })
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
        let (mut contenders, mut missing) = (Vec::new(), Vec::new());
        for kind in &self.kinds {
            match preparation.contender(*kind) {
                Ok(contender) => contenders.push(contender),
                Err(error) if kind.may_be_missing() => missing.push(Missing {
                    name: kind.name().to_owned(),
                    reason: format!("{error:#}"),
                }),
                Err(error) => return Err(error.context(kind.name())),
            }
        }
        for other in &self.others {
            contenders.push(preparation.other(other)?);
        }
        Ok((contenders, missing))
    }
}

/// Figures of each, from cold starts in turns with warm invocations after each; says on standard error how far it is.
///
/// # Errors
/// One of them fails.
async fn take_turns(
    contenders: &[(Contender, Transport)],
    seed: &Seed,
    runs: usize,
    invocations: usize,
) -> anyhow::Result<Vec<Figures>> {
    let progress = progress(runs * contenders.len());
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); contenders.len()];
    for run in 0..runs {
        for turn in order(run, contenders.len()) {
            let (Some((contender, transport)), Some(samples)) =
                (contenders.get(turn), samples.get_mut(turn))
            else {
                continue;
            };
            progress.set_message(contender.name.clone());
            let sample = contender.measure(seed, transport, invocations).await;
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

/// The order of a round: each begins with another contender and goes on in other steps, so that none always comes after the same one, which
/// may leave the machine's caches full or its processors busy.
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

/// A bar on a terminal.
fn progress(steps: usize) -> ProgressBar {
    let steps = u64::try_from(steps).unwrap_or(u64::MAX);
    let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
    // The template is fixed and sound.
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
