//! The limits: what Casebridge may cost beside an empty function and a bare call, and how far behind the SDKs' defaults have to be. Ratios of
//! medians from one run, so that they hold on any machine.

use serde::Serialize;

use crate::contender::Kind;
use crate::figures::{Figures, Networked};

/// Which way a limit lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Not more than it.
    AtMost,
    /// Not less than it.
    AtLeast,
}

/// A limit, and what was found.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    /// What is compared.
    pub what: &'static str,
    /// What was found.
    pub found: f64,
    /// Which way the limit lies.
    pub limit: Limit,
    /// The limit.
    pub value: f64,
    /// Whether it is kept.
    pub met: bool,
}

/// What a bar looks at; none where a function of it was not measured.
type Look = fn(&Measured<'_>) -> Option<f64>;

struct Measured<'a> {
    functions: &'a [Figures],
    networked: &'a [Networked],
}

impl Measured<'_> {
    fn of(&self, kind: Kind) -> Option<&Figures> {
        let mut functions = self.functions.iter();
        functions.find(|figures| figures.name == kind.name())
    }

    fn ratio(&self, above: Kind, below: Kind, figure: fn(&Figures) -> f64) -> Option<f64> {
        Some(figure(self.of(above)?) / figure(self.of(below)?))
    }

    fn init_at(&self, round_trip_ms: f64) -> Option<f64> {
        let mut networked = self.networked.iter();
        let found = networked.find(|it| {
            it.figures.name == Kind::Casebridge.name()
                && (it.round_trip_ms - round_trip_ms).abs() < 1e-6
        });
        Some(found?.figures.init_ms.median)
    }
}

fn cold_cpu(figures: &Figures) -> f64 {
    figures.cold_cpu_ms.median
}

fn warm(figures: &Figures) -> f64 {
    figures.warm_p50_ms.median
}

fn warm_cpu(figures: &Figures) -> f64 {
    figures.cpu_per_invocation_ms.median
}

const BARS: [(&str, Limit, f64, Look); 11] = {
    use Kind::{Boto3, Casebridge, Empty, SdkV3, Tuned, TunedStatic};
    use Limit::{AtLeast, AtMost};
    [
        ("cold CPU: casebridge / empty", AtMost, 1.9, |m| {
            m.ratio(Casebridge, Empty, cold_cpu)
        }),
        ("cold CPU: casebridge / tuned", AtMost, 0.95, |m| {
            m.ratio(Casebridge, Tuned, cold_cpu)
        }),
        ("cold CPU: casebridge / tuned-static", AtMost, 1.2, |m| {
            m.ratio(Casebridge, TunedStatic, cold_cpu)
        }),
        ("cold CPU: boto3 / casebridge", AtLeast, 75.0, |m| {
            m.ratio(Boto3, Casebridge, cold_cpu)
        }),
        ("cold CPU: sdk-v3 / casebridge", AtLeast, 55.0, |m| {
            m.ratio(SdkV3, Casebridge, cold_cpu)
        }),
        (
            "casebridge: first answer without the services' own time / warm p50",
            AtMost,
            1.4,
            |m| {
                let casebridge = m.of(Casebridge)?;
                let own = casebridge.first_services_ms.median;
                Some((casebridge.first_answer_ms.median - own) / warm(casebridge))
            },
        ),
        (
            "casebridge: init at a round trip of 1 ms less init at 0, ms",
            AtMost,
            2.2,
            |m| Some(m.init_at(1.0)? - m.init_at(0.0)?),
        ),
        ("warm p50: casebridge / tuned", AtMost, 1.1, |m| {
            m.ratio(Casebridge, Tuned, warm)
        }),
        (
            "CPU per invocation: casebridge / tuned",
            AtMost,
            1.15,
            |m| m.ratio(Casebridge, Tuned, warm_cpu),
        ),
        ("casebridge: peak RSS, MB", AtMost, 8.0, |m| {
            Some(m.of(Casebridge)?.peak_rss_mb.median)
        }),
        ("casebridge: zip with all it can do, MB", AtMost, 4.2, |m| {
            Some(m.of(Casebridge)?.zip_mb)
        }),
    ]
};

/// The bars whose functions were measured.
#[must_use]
pub fn of(functions: &[Figures], networked: &[Networked]) -> Vec<Bar> {
    let measured = Measured {
        functions,
        networked,
    };
    let bars = BARS.into_iter().filter_map(|(what, limit, value, look)| {
        let found = look(&measured)?;
        let met = match limit {
            Limit::AtMost => found <= value,
            Limit::AtLeast => found >= value,
        };
        Some(Bar {
            what,
            found,
            limit,
            value,
            met,
        })
    });
    bars.collect()
}
