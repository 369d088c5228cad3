//! Medians and quartiles of what was measured.

use std::time::Duration;

use serde::Serialize;

use crate::contender::Contender;
use crate::measure::Sample;

/// The median of some values, and the quartiles around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Half of the values are below it.
    pub median: f64,
    /// A quarter of the values is below it.
    pub q1: f64,
    /// A quarter of the values is above it.
    pub q3: f64,
}

impl Spread {
    /// Of values in any order; zeros when there are none.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self {
            median: quantile(&values, 0.5),
            q1: quantile(&values, 0.25),
            q3: quantile(&values, 0.75),
        }
    }
}

/// The value below which this part of the sorted values lies, with the two neighbours in proportion; 0 when there are no values.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position in a list"
)]
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let position = part * (sorted.len().saturating_sub(1)) as f64;
    let at = |index: f64| sorted.get(index as usize).copied().unwrap_or_default();
    let (below, above) = (at(position.floor()), at(position.ceil()));
    below + (above - below) * position.fract()
}

/// What is known of one function; times in milliseconds, sizes in MB (10^6 bytes).
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// The function.
    pub name: String,
    /// What it is.
    pub about: String,
    /// For which target it was built; none of a script.
    pub target: Option<String>,
    /// Requests that the services had for each event.
    pub requests: f64,
    /// From the spawn to the first request for an event.
    pub init_ms: Spread,
    /// CPU time until then.
    pub init_cpu_ms: Spread,
    /// From handing out the first event to its answer.
    pub first_answer_ms: Spread,
    /// The services' own time in that.
    pub first_services_ms: Spread,
    /// Init and first answer.
    pub cold_wall_ms: Spread,
    /// CPU time from the spawn to the first answer.
    pub cold_cpu_ms: Spread,
    /// The median of the warm invocations.
    pub warm_p50_ms: Spread,
    /// Of a hundred warm invocations, one takes longer.
    pub warm_p99_ms: Spread,
    /// The services' own time in a warm invocation.
    pub services_ms: Spread,
    /// CPU time of a warm invocation.
    pub cpu_per_invocation_ms: Spread,
    /// The most memory that it has held.
    pub peak_rss_mb: Spread,
    /// The zip file that is deployed.
    pub zip_mb: f64,
}

/// A function with a network between it and the services.
#[derive(Clone, Debug, Serialize)]
pub struct Networked {
    /// The network's time, for a request and its answer.
    pub round_trip_ms: f64,
    /// The function's figures with it.
    #[serde(flatten)]
    pub figures: Figures,
}

impl Figures {
    /// Of one function's samples.
    #[must_use]
    pub fn of(contender: &Contender, samples: &[Sample]) -> Self {
        let spread =
            |value: &dyn Fn(&Sample) -> f64| Spread::of(samples.iter().map(value).collect());
        let warm = |part: f64| {
            spread(&|sample| {
                let warm: Vec<f64> = sample.warm.iter().copied().map(milliseconds).collect();
                quantile(&warm, part)
            })
        };
        Self {
            name: contender.name.clone(),
            about: contender.about.clone(),
            target: contender.target.clone(),
            requests: spread(&|sample| sample.requests).median,
            init_ms: spread(&|sample| milliseconds(sample.init)),
            init_cpu_ms: spread(&|sample| milliseconds(sample.init_cpu)),
            first_answer_ms: spread(&|sample| milliseconds(sample.first_answer)),
            first_services_ms: spread(&|sample| milliseconds(sample.first_services)),
            cold_wall_ms: spread(&|sample| milliseconds(sample.init + sample.first_answer)),
            cold_cpu_ms: spread(&|sample| milliseconds(sample.cold_cpu)),
            warm_p50_ms: warm(0.5),
            warm_p99_ms: warm(0.99),
            services_ms: spread(&|sample| milliseconds(sample.each(sample.warm_services))),
            cpu_per_invocation_ms: spread(&|sample| milliseconds(sample.each(sample.warm_cpu))),
            peak_rss_mb: spread(&|sample| megabytes(sample.peak_memory)),
            zip_mb: megabytes(contender.zip_bytes),
        }
    }
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
impl Figures {
    /// For the tests of what is written of them: every figure is this one.
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
            init_ms: spread,
            init_cpu_ms: spread,
            first_answer_ms: spread,
            first_services_ms: spread,
            cold_wall_ms: spread,
            cold_cpu_ms: spread,
            warm_p50_ms: spread,
            warm_p99_ms: spread,
            services_ms: spread,
            cpu_per_invocation_ms: spread,
            peak_rss_mb: spread,
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
