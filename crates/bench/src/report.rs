//! A run for people and machines: tables in Markdown, JSON, and the bars.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::contender::Kind;
use crate::figures::{Figure, Figures, Networked, Spread};

/// A run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    setup: Setup,
    /// All contenders, in the order of the turns.
    pub(crate) functions: Vec<Figures>,
    /// Some of them again, with other networks.
    networked: Vec<Networked>,
    missing: Vec<Missing>,
    bars: Vec<Bar>,
}

/// The conditions of a run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Setup {
    pub(crate) machine: Machine,
    pub(crate) compiler: String,
    /// Cold starts of each function.
    pub(crate) runs: usize,
    /// Warm invocations after each.
    pub(crate) invocations: usize,
}

/// The machine, as far as figures depend on it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    /// The processor's name; its architecture where the system gives no name.
    processor: String,
    threads: usize,
}

/// A peer that this machine cannot run, and the reason.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Missing {
    pub(crate) name: &'static str,
    pub(crate) reason: String,
}

/// The direction of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Limit {
    AtMost,
    AtLeast,
}

/// A limit, and the figure that was found.
#[derive(Clone, Debug, Serialize)]
struct Bar {
    what: &'static str,
    found: f64,
    limit: Limit,
    value: f64,
    met: bool,
}

/// The figure of a bar; `None` where a function that it needs was not measured.
type Look = fn(&Report) -> Option<f64>;

/// The cost of Casebridge against an empty function and a bare call, and the distance of the SDKs' defaults. Most are ratios of medians
/// from one run, so that they hold on any machine.
const BARS: [(&str, Limit, f64, Look); 11] = {
    use Figure::{ColdCpuMs, CpuPerInvocationMs, FirstAnswerMs, FirstServicesMs, PeakRssMb};
    use Kind::{Boto3, Casebridge, Empty, SdkV3, Tuned, TunedStatic};
    use Limit::{AtLeast, AtMost};
    [
        ("cold CPU: casebridge / empty", AtMost, 1.9, |it| {
            it.ratio(Casebridge, Empty, ColdCpuMs)
        }),
        ("cold CPU: casebridge / tuned", AtMost, 0.95, |it| {
            it.ratio(Casebridge, Tuned, ColdCpuMs)
        }),
        ("cold CPU: casebridge / tuned-static", AtMost, 1.2, |it| {
            it.ratio(Casebridge, TunedStatic, ColdCpuMs)
        }),
        ("cold CPU: boto3 / casebridge", AtLeast, 75.0, |it| {
            it.ratio(Boto3, Casebridge, ColdCpuMs)
        }),
        ("cold CPU: sdk-v3 / casebridge", AtLeast, 55.0, |it| {
            it.ratio(SdkV3, Casebridge, ColdCpuMs)
        }),
        (
            "casebridge: first answer without the services' own time / warm p50",
            AtMost,
            1.4,
            |it| {
                let casebridge = it.function(Casebridge)?;
                let own = casebridge.median(FirstServicesMs);
                let first = casebridge.median(FirstAnswerMs) - own;
                Some(first / casebridge.median(Figure::WarmP50Ms))
            },
        ),
        (
            "casebridge: init at a round trip of 1 ms less init at 0, ms",
            AtMost,
            2.2,
            |it| Some(it.init_at(1.0)? - it.init_at(0.0)?),
        ),
        ("warm p50: casebridge / tuned", AtMost, 1.1, |it| {
            it.ratio(Casebridge, Tuned, Figure::WarmP50Ms)
        }),
        (
            "CPU per invocation: casebridge / tuned",
            AtMost,
            1.15,
            |it| it.ratio(Casebridge, Tuned, CpuPerInvocationMs),
        ),
        ("casebridge: peak RSS, MB", AtMost, 8.0, |it| {
            Some(it.function(Casebridge)?.median(PeakRssMb))
        }),
        (
            "casebridge: zip with all it can do, MB",
            AtMost,
            4.2,
            |it| Some(it.function(Casebridge)?.zip_mb),
        ),
    ]
};

/// The columns of the main table.
const COLUMNS: [(&str, Figure); 9] = [
    ("init", Figure::InitMs),
    ("first answer", Figure::FirstAnswerMs),
    ("cold wall", Figure::ColdWallMs),
    ("**cold CPU**", Figure::ColdCpuMs),
    ("warm p50", Figure::WarmP50Ms),
    ("warm p99", Figure::WarmP99Ms),
    ("services' own", Figure::ServicesMs),
    ("CPU per invocation", Figure::CpuPerInvocationMs),
    ("RSS MB", Figure::PeakRssMb),
];

/// The columns for a function with a network before the services.
const NETWORKED: [(&str, Figure); 4] = [
    ("init", Figure::InitMs),
    ("first answer", Figure::FirstAnswerMs),
    ("cold wall", Figure::ColdWallMs),
    ("warm p50", Figure::WarmP50Ms),
];

/// The figures in the table of ratios.
const COMPARED: [Figure; 3] = [
    Figure::ColdCpuMs,
    Figure::WarmP50Ms,
    Figure::CpuPerInvocationMs,
];

/// The functions that the others are compared with.
const BASES: [Kind; 5] = [
    Kind::Empty,
    Kind::EmptyStatic,
    Kind::Tuned,
    Kind::TunedStatic,
    Kind::Boto3,
];

impl Machine {
    pub(crate) fn here() -> Self {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let mut pairs = info.lines().filter_map(|line| line.split_once(':'));
        let name = pairs.find(|(key, _)| key.trim() == "model name");
        let name = name.map_or(std::env::consts::ARCH, |(_, name)| name.trim());
        Self {
            processor: name.to_owned(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl Report {
    /// The report with the bars whose functions were measured.
    pub(crate) fn new(
        setup: Setup,
        functions: Vec<Figures>,
        networked: Vec<Networked>,
        missing: Vec<Missing>,
    ) -> Self {
        let mut report = Self {
            setup,
            functions,
            networked,
            missing,
            bars: Vec::new(),
        };
        let bars = BARS.into_iter().filter_map(|(what, limit, value, look)| {
            let found = look(&report)?;
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
        report.bars = bars.collect();
        report
    }

    pub(crate) fn meets_all_bars(&self) -> bool {
        self.bars.iter().all(|bar| bar.met)
    }

    fn function(&self, kind: Kind) -> Option<&Figures> {
        self.functions.iter().find(|it| it.name == kind.name())
    }

    fn ratio(&self, above: Kind, below: Kind, figure: Figure) -> Option<f64> {
        Some(self.function(above)?.median(figure) / self.function(below)?.median(figure))
    }

    fn init_at(&self, round_trip_ms: f64) -> Option<f64> {
        let found = self.networked.iter().find(|it| {
            it.figures.name == Kind::Casebridge.name()
                && (it.round_trip_ms - round_trip_ms).abs() < 1e-6
        });
        Some(found?.figures.median(Figure::InitMs))
    }

    /// The tables in Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> fmt::Result {
        let Setup {
            machine: Machine { processor, threads },
            compiler,
            runs,
            invocations,
        } = &self.setup;
        let targets = targets(&self.functions);
        writeln!(
            text,
            "{runs} cold starts of each function, {invocations} warm invocations after each, taking turns; {processor}, {threads} threads; {compiler}{targets}. Milliseconds; medians, and the quartiles below them.\n"
        )?;
        write!(text, "| function | requests |")?;
        head(text, &COLUMNS)?;
        writeln!(
            text,
            " zip MB |\n| --- | --: |{} --: |",
            rule(COLUMNS.len())
        )?;
        for function in &self.functions {
            let Figures {
                name,
                about,
                requests,
                zip_mb,
                ..
            } = function;
            write!(text, "| **{name}**<br>{about} | {} |", requests.round())?;
            cells(text, function, &COLUMNS)?;
            writeln!(text, " {} |", digits(*zip_mb))?;
        }
        for Missing { name, reason } in &self.missing {
            writeln!(text, "\n**{name} is missing here**: {reason}")?;
        }
        if !self.networked.is_empty() {
            write!(text, "\n| function | round trip |")?;
            head(text, &NETWORKED)?;
            writeln!(text, "\n| --- | --: |{}", rule(NETWORKED.len()))?;
        }
        for Networked {
            round_trip_ms,
            figures,
        } in &self.networked
        {
            write!(text, "| **{}** | {round_trip_ms} |", figures.name)?;
            cells(text, figures, &NETWORKED)?;
            writeln!(text)?;
        }
        self.write_ratios(text)?;
        if !self.bars.is_empty() {
            writeln!(
                text,
                "\n| bar | limit | found | |\n| --- | --: | --: | --- |"
            )?;
        }
        for bar in &self.bars {
            let sign = match bar.limit {
                Limit::AtMost => '≤',
                Limit::AtLeast => '≥',
            };
            let met = if bar.met { "met" } else { "**not met**" };
            let (what, value, found) = (bar.what, bar.value, digits(bar.found));
            writeln!(text, "| {what} | {sign} {value} | {found} | {met} |")?;
        }
        Ok(())
    }

    fn write_ratios(&self, text: &mut String) -> fmt::Result {
        let bases = BASES.iter().filter_map(|kind| self.function(*kind));
        let bases: Vec<&Figures> = bases.collect();
        if bases.is_empty() {
            return Ok(());
        }
        write!(text, "\n| cold CPU · warm p50 · CPU per invocation |")?;
        for base in &bases {
            write!(text, " / {} |", base.name)?;
        }
        writeln!(text, "\n| --- |{}", rule(bases.len()))?;
        for function in &self.functions {
            write!(text, "| {} |", function.name)?;
            for base in &bases {
                let ratios = COMPARED.map(|it| digits(function.median(it) / base.median(it)));
                write!(text, " {} |", ratios.join(" · "))?;
            }
            writeln!(text)?;
        }
        Ok(())
    }
}

fn head(text: &mut String, columns: &[(&str, Figure)]) -> fmt::Result {
    let mut titles = columns.iter();
    titles.try_for_each(|(title, _)| write!(text, " {title} |"))
}

fn rule(columns: usize) -> String {
    " --: |".repeat(columns)
}

/// Medians, each with its quartiles below it.
fn cells(text: &mut String, figures: &Figures, columns: &[(&str, Figure)]) -> fmt::Result {
    columns.iter().try_for_each(|(_, figure)| {
        let Spread { median, q1, q3 } = figures.spread(*figure);
        let [median, q1, q3] = [median, q1, q3].map(digits);
        write!(text, " {median}<br><sub>{q1}–{q3}</sub> |")
    })
}

/// The targets that functions were built for: `; x86_64-unknown-linux-gnu: empty, tuned`.
fn targets(functions: &[Figures]) -> String {
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

/// Three significant digits, as far as the decimal point: `0.0431`, `3.41`, `240`.
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
impl Report {
    /// A made-up report: each function is twice as costly as the one before.
    pub(crate) fn made_up() -> Self {
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
        let setup = Setup {
            machine: Machine {
                processor: "Example CPU".to_owned(),
                threads: 2,
            },
            compiler: "rustc 1.95.0".to_owned(),
            runs: 9,
            invocations: 500,
        };
        let missing = Missing {
            name: "sdk-v3",
            reason: "there is no node in the PATH".to_owned(),
        };
        Self::new(setup, functions.into(), networked.into(), vec![missing])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables() {
        insta::assert_snapshot!(Report::made_up().markdown());
    }

    #[test]
    fn a_bar_that_is_not_met_is_marked() {
        let report = Report::made_up();
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
