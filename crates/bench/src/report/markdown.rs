//! The tables: figures with their quartiles, ratios, what was missing, the limits.

use std::fmt::Write as _;

use super::{Report, digits};
use crate::bars::Limit;
use crate::contender::Kind;
use crate::figures::{Figures, Spread};

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

/// The columns of which ratios are shown.
const COMPARED: [Column; 4] = [
    ("cold wall", |figures| figures.cold_wall_ms),
    ("cold CPU", |figures| figures.cold_cpu_ms),
    ("warm p50", |figures| figures.warm_p50_ms),
    ("CPU per invocation", |figures| {
        figures.cpu_per_invocation_ms
    }),
];

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = figures(report, &mut text);
    let _ = ratios(report, &mut text);
    let _ = limits(report, &mut text);
    text
}

fn figures(report: &Report, text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "{} cold starts of each function, {} warm invocations after each, taking turns; {}, {} threads; {}. Milliseconds; medians, and the quartiles below them.\n",
        report.runs,
        report.invocations,
        report.machine.processor,
        report.machine.threads,
        report.compiler,
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
            let Spread { median, q1, q3 } = figure(function);
            write!(
                text,
                " {}<br><sub>{}–{}</sub> |",
                digits(median),
                digits(q1),
                digits(q3)
            )?;
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

fn ratios(report: &Report, text: &mut String) -> std::fmt::Result {
    let bases = [Kind::Empty, Kind::Boto3].map(|kind| report.function(kind.name()));
    let bases: Vec<&Figures> = bases.into_iter().flatten().collect();
    if bases.is_empty() {
        return Ok(());
    }
    write!(text, "\n| function |")?;
    for base in &bases {
        for (title, _) in COMPARED {
            write!(text, " {title} / {} |", base.name)?;
        }
    }
    writeln!(
        text,
        "\n| --- |{}",
        " --: |".repeat(COMPARED.len() * bases.len())
    )?;
    for function in &report.functions {
        write!(text, "| {} |", function.name)?;
        for base in &bases {
            for (_, figure) in COMPARED {
                let ratio = figure(function).median / figure(base).median;
                write!(text, " {} |", digits(ratio))?;
            }
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
