//! Memory over many events: whether a process that lives for hours grows with each of them.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use indicatif::ProgressBar;
use serde::Serialize;

use crate::authority::Authority;
use crate::compare::progress;
use crate::contender::{Contender, Kind, Other, Preparation};
use crate::figures::megabytes;
use crate::measure::invoke;
use crate::process::Process;
use crate::report::digits;
use crate::services::{Seed, Services, Transport};
use crate::toolchain::Toolchain;

/// The memory of each function.
#[derive(Clone, Debug, Serialize)]
pub struct Memory {
    /// After how many events the memory was read.
    pub events: Vec<usize>,
    /// One process of each function.
    pub functions: Vec<Held>,
}

/// The memory of one process.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    /// The function.
    pub name: String,
    /// For which target it was built.
    pub target: Option<String>,
    /// Its memory (`VmRSS`) after each number of events, in bytes.
    pub rss_bytes: Vec<u64>,
    /// By how much it grew with an event, between the last two.
    pub bytes_per_event: f64,
}

/// Sends so many events to a process of Casebridge, of an empty function, and of each other build, one after the other.
///
/// # Errors
/// One of them cannot be built, or fails.
pub async fn measure(
    toolchain: &Toolchain,
    authority: &Authority,
    bootstrap: Option<&Path>,
    others: &[Other],
    seed: &Seed,
    events: usize,
) -> anyhow::Result<Memory> {
    let preparation = Preparation {
        toolchain,
        authority: Some(authority),
        bootstrap,
    };
    let mut contenders = vec![
        preparation.contender(Kind::Empty)?,
        preparation.contender(Kind::Casebridge)?,
    ];
    for other in others {
        contenders.push(preparation.other(other)?);
    }
    let transport = Transport::tls(&authority.acceptor);
    let points = [events / 100, events / 10, events / 2, events];
    let progress = progress(events * contenders.len());
    let mut functions = Vec::new();
    for contender in contenders {
        progress.set_message(contender.name.clone());
        let held = contender.held(seed, &transport, points, &progress).await;
        functions.push(held.with_context(|| contender.name.clone())?);
    }
    progress.finish_and_clear();
    Ok(Memory {
        events: points.into(),
        functions,
    })
}

impl Contender {
    /// The memory of one process after so many events.
    async fn held(
        &self,
        seed: &Seed,
        transport: &Transport,
        points: [usize; 4],
        progress: &ProgressBar,
    ) -> anyhow::Result<Held> {
        let services = Services::start(seed, transport.clone()).await?;
        let configuration = services.lead(self.configuration.clone());
        let function = configuration.start().await.context("it does not start")?;
        let process = Process::new(function.pid())?;
        let (mut sent, mut rss_bytes) = (0, Vec::new());
        for point in points {
            for number in sent..point {
                invoke(&function, self.workload.payload(number)).await?;
                progress.inc(1);
                // The emulator would keep each of them.
                services.emulator.clear_requests();
            }
            function.idle().await;
            rss_bytes.push(process.memory()?);
            sent = point;
        }
        let [.., half, all] = points;
        self.expect_cases(&services, all)?;
        Ok(Held {
            name: self.name.clone(),
            target: self.target.clone(),
            bytes_per_event: growth(&rss_bytes, all - half),
            rss_bytes,
        })
    }
}

/// By how much the last value is above the one before it, for each of so many events.
#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn growth(bytes: &[u64], events: usize) -> f64 {
    match bytes {
        [.., before, last] => (*last as f64 - *before as f64) / events as f64,
        _ => 0.0,
    }
}

impl Memory {
    /// A table in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text =
            "RSS in MB after so many events, each to one process.\n\n| function |".to_owned();
        // Writing to a string cannot fail.
        for events in &self.events {
            let _ = write!(text, " {events} |");
        }
        let _ = writeln!(
            text,
            " bytes an event, between the last two |\n| --- |{} --: |",
            " --: |".repeat(self.events.len())
        );
        for function in &self.functions {
            let target = function.target.as_deref().unwrap_or_default();
            let _ = write!(text, "| **{}**<br>{target} |", function.name);
            for bytes in &function.rss_bytes {
                let _ = write!(text, " {} |", digits(megabytes(*bytes)));
            }
            let _ = writeln!(text, " {:.0} |", function.bytes_per_event);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let held = |name: &str, rss_bytes: [u64; 4]| Held {
            name: name.to_owned(),
            target: Some("x86_64-unknown-linux-gnu".to_owned()),
            bytes_per_event: growth(&rss_bytes, 50_000),
            rss_bytes: rss_bytes.into(),
        };
        let memory = Memory {
            events: vec![1_000, 10_000, 50_000, 100_000],
            functions: vec![
                held("empty", [4_000_000, 5_350_000, 11_400_000, 18_900_000]),
                held("casebridge", [7_000_000, 7_100_000, 7_200_000, 7_100_000]),
            ],
        };
        insta::assert_snapshot!(memory.markdown(), @r"
        RSS in MB after so many events, each to one process.

        | function | 1000 | 10000 | 50000 | 100000 | bytes an event, between the last two |
        | --- | --: | --: | --: | --: | --: |
        | **empty**<br>x86_64-unknown-linux-gnu | 4.00 | 5.35 | 11.4 | 18.9 | 150 |
        | **casebridge**<br>x86_64-unknown-linux-gnu | 7.00 | 7.10 | 7.20 | 7.10 | -2 |
        ");
    }
}
