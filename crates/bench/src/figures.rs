//! Medians and quartiles of samples.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::contender::Contender;
use crate::sample::Sample;

/// The median of some values, and the quartiles around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) q1: f64,
    pub(crate) q3: f64,
}

impl Spread {
    /// Of values in any order; zeros when there are none.
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self {
            median: quantile(&values, 0.5),
            q1: quantile(&values, 0.25),
            q3: quantile(&values, 0.75),
        }
    }
}

/// The value below which this part of the sorted values lies, with the two neighbours in proportion; 0 when there are no values.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position in a list"
)]
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let position = part * (sorted.len().saturating_sub(1)) as f64;
    let at = |index: f64| sorted.get(index as usize).copied().unwrap_or_default();
    let (below, above) = (at(position.floor()), at(position.ceil()));
    below + (above - below) * position.fract()
}

/// A figure of a process. Times are in milliseconds, sizes in MB (10^6 bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Figure {
    /// From the spawn to the first request for an event.
    InitMs,
    /// CPU time until then.
    InitCpuMs,
    /// From handing out the first event to its answer.
    FirstAnswerMs,
    /// The services' own time in that.
    FirstServicesMs,
    /// Init and first answer.
    ColdWallMs,
    /// CPU time from the spawn to the first answer.
    ColdCpuMs,
    /// The median of the warm invocations.
    WarmP50Ms,
    /// Of a hundred warm invocations, one takes longer.
    WarmP99Ms,
    /// The services' own time in a warm invocation.
    ServicesMs,
    /// CPU time of a warm invocation.
    CpuPerInvocationMs,
    /// The most memory that it has held.
    PeakRssMb,
}

type Measure = fn(&Sample) -> f64;

const FIGURES: [(Figure, Measure); 11] = [
    (Figure::InitMs, |it| milliseconds(it.init)),
    (Figure::InitCpuMs, |it| milliseconds(it.init_cpu)),
    (Figure::FirstAnswerMs, |it| milliseconds(it.first_answer)),
    (Figure::FirstServicesMs, |it| {
        milliseconds(it.first_services)
    }),
    (Figure::ColdWallMs, |it| {
        milliseconds(it.init + it.first_answer)
    }),
    (Figure::ColdCpuMs, |it| milliseconds(it.cold_cpu)),
    (Figure::WarmP50Ms, |it| warm(it, 0.5)),
    (Figure::WarmP99Ms, |it| warm(it, 0.99)),
    (Figure::ServicesMs, |it| {
        milliseconds(it.each(it.warm_services))
    }),
    (Figure::CpuPerInvocationMs, |it| {
        milliseconds(it.each(it.warm_cpu))
    }),
    (Figure::PeakRssMb, |it| megabytes(it.peak_memory)),
];

fn warm(sample: &Sample, part: f64) -> f64 {
    let warm: Vec<f64> = sample.warm.iter().copied().map(milliseconds).collect();
    quantile(&warm, part)
}

/// The figures of one function.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) name: String,
    pub(crate) about: String,
    /// The target that it was built for; none of a script.
    pub(crate) target: Option<String>,
    /// Requests that the services had for each event.
    pub(crate) requests: f64,
    #[serde(flatten)]
    spreads: BTreeMap<Figure, Spread>,
    /// The zip file that is deployed.
    pub(crate) zip_mb: f64,
}

/// A function with a network between it and the services.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Networked {
    /// The network's time for a request and its answer.
    pub(crate) round_trip_ms: f64,
    #[serde(flatten)]
    pub(crate) figures: Figures,
}

impl Figures {
    pub(crate) fn of(contender: &Contender, samples: &[Sample]) -> Self {
        let spread = |value: Measure| Spread::of(samples.iter().map(value).collect());
        Self {
            name: contender.name.clone(),
            about: contender.about.clone(),
            target: contender.target.clone(),
            requests: spread(|it| it.requests).median,
            spreads: FIGURES.map(|(figure, of)| (figure, spread(of))).into(),
            zip_mb: megabytes(contender.zip_bytes),
        }
    }

    pub(crate) fn spread(&self, figure: Figure) -> Spread {
        self.spreads.get(&figure).copied().unwrap_or_default()
    }

    pub(crate) fn median(&self, figure: Figure) -> f64 {
        self.spread(figure).median
    }
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
impl Figures {
    /// Figures for the tests of reports: every one of them is this number.
    pub(crate) fn made_up(name: &str, figure: f64) -> Self {
        let spread = Spread {
            median: figure,
            q1: figure * 0.9,
            q3: figure * 1.25,
        };
        let target = match name {
            "boto3" | "sdk-v3" => None,
            "tuned-static" | "casebridge" => Some("musl"),
            _ => Some("gnu"),
        };
        Self {
            name: name.to_owned(),
            about: format!("is {name}"),
            target: target.map(|libc| format!("x86_64-unknown-linux-{libc}")),
            requests: 1.0,
            spreads: FIGURES.map(|(of, _)| (of, spread)).into(),
            zip_mb: figure / 10.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_neighbours() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!((spread.q1, spread.median, spread.q3), (1.75, 2.5, 3.25));
    }

    #[test]
    fn of_one_value_and_of_none() {
        let spreads = [vec![7.0], Vec::new()].map(Spread::of);
        assert_eq!(spreads.map(|spread| spread.q3.to_string()), ["7", "0"]);
    }
}
