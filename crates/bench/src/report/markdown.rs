//! The tables: figures with their quartiles, ratios, what was missing, the limits.

use std::fmt::Write as _;

use super::{Report, digits, targets};
use crate::bars::Limit;
use crate::contender::Kind;
use crate::figures::{Figures, Networked, Spread};

type Column = (&'static str, fn(&Figures) -> Spread);

const COLUMNS: [Column; 9] = [
    ("init", |figures| figures.init_ms),
    ("first answer", |figures| figures.first_answer_ms),
    ("cold wall", |figures| figures.cold_wall_ms),
    ("**cold CPU**", |figures| figures.cold_cpu_ms),
    ("warm p50", |figures| figures.warm_p50_ms),
    ("warm p99", |figures| figures.warm_p99_ms),
    ("services' own", |figures| figures.services_ms),
    ("CPU per invocation", |figures| {
        figures.cpu_per_invocation_ms
    }),
    ("RSS MB", |figures| figures.peak_rss_mb),
];

/// The columns that are shown of a function with a network before the services.
const NETWORKED: [Column; 4] = [
    ("init", |figures| figures.init_ms),
    ("first answer", |figures| figures.first_answer_ms),
    ("cold wall", |figures| figures.cold_wall_ms),
    ("warm p50", |figures| figures.warm_p50_ms),
];

/// The figures of which ratios are shown.
const COMPARED: [fn(&Figures) -> Spread; 3] = [
    |figures| figures.cold_cpu_ms,
    |figures| figures.warm_p50_ms,
    |figures| figures.cpu_per_invocation_ms,
];

/// The functions that the others are compared with.
const BASES: [Kind; 5] = [
    Kind::Empty,
    Kind::EmptyStatic,
    Kind::Tuned,
    Kind::TunedStatic,
    Kind::Boto3,
];

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = figures(report, &mut text);
    let _ = networked(report, &mut text);
    let _ = ratios(report, &mut text);
    let _ = limits(report, &mut text);
    text
}

fn figures(report: &Report, text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "{} cold starts of each function, {} warm invocations after each, taking turns; {}, {} threads; {}{}. Milliseconds; medians, and the quartiles below them.\n",
        report.runs,
        report.invocations,
        report.machine.processor,
        report.machine.threads,
        report.compiler,
        targets(&report.functions),
    )?;
    write!(text, "| function | requests |")?;
    for (title, _) in COLUMNS {
        write!(text, " {title} |")?;
    }
    writeln!(text, " zip MB |")?;
    writeln!(
        text,
        "| --- | --: |{} --: |",
        " --: |".repeat(COLUMNS.len())
    )?;
    for function in &report.functions {
        write!(
            text,
            "| **{}**<br>{} | {} |",
            function.name,
            function.about,
            function.requests.round()
        )?;
        for (_, figure) in COLUMNS {
            spread(figure(function), text)?;
        }
        writeln!(text, " {} |", digits(function.zip_mb))?;
    }
    for missing in &report.missing {
        writeln!(
            text,
            "\n**{} is missing here**: {}",
            missing.name, missing.reason
        )?;
    }
    Ok(())
}

/// A median, with the quartiles below it.
fn spread(Spread { median, q1, q3 }: Spread, text: &mut String) -> std::fmt::Result {
    write!(
        text,
        " {}<br><sub>{}–{}</sub> |",
        digits(median),
        digits(q1),
        digits(q3)
    )
}

fn networked(report: &Report, text: &mut String) -> std::fmt::Result {
    if report.networked.is_empty() {
        return Ok(());
    }
    write!(text, "\n| function | round trip |")?;
    for (title, _) in NETWORKED {
        write!(text, " {title} |")?;
    }
    writeln!(text, "\n| --- | --: |{}", " --: |".repeat(NETWORKED.len()))?;
    for Networked {
        round_trip_ms,
        figures,
    } in &report.networked
    {
        write!(text, "| **{}** | {round_trip_ms} |", figures.name)?;
        for (_, figure) in NETWORKED {
            spread(figure(figures), text)?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn ratios(report: &Report, text: &mut String) -> std::fmt::Result {
    let bases = BASES.map(|kind| report.function(kind.name()));
    let bases: Vec<&Figures> = bases.into_iter().flatten().collect();
    if bases.is_empty() {
        return Ok(());
    }
    write!(text, "\n| cold CPU · warm p50 · CPU per invocation |")?;
    for base in &bases {
        write!(text, " / {} |", base.name)?;
    }
    writeln!(text, "\n| --- |{}", " --: |".repeat(bases.len()))?;
    for function in &report.functions {
        write!(text, "| {} |", function.name)?;
        for base in &bases {
            let ratios = COMPARED.map(|of| digits(of(function).median / of(base).median));
            write!(text, " {} |", ratios.join(" · "))?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn limits(report: &Report, text: &mut String) -> std::fmt::Result {
    if report.bars.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "\n| bar | limit | found | |\n| --- | --: | --: | --- |"
    )?;
    for bar in &report.bars {
        let sign = match bar.limit {
            Limit::AtMost => '≤',
            Limit::AtLeast => '≥',
        };
        let met = if bar.met { "met" } else { "**not met**" };
        writeln!(
            text,
            "| {} | {sign} {} | {} | {met} |",
            bar.what,
            bar.value,
            digits(bar.found)
        )?;
    }
    Ok(())
}
