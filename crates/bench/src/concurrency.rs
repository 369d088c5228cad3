//! Many events at once: throughput against concurrency, as Lambda Managed Instances drive a function, and batches of a queue.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures_util::future::try_join_all;
use runtime_api::Function;
use serde::Serialize;

use crate::authority::Authority;
use crate::contender::{Contender, Kind, Preparation};
use crate::figures::{Spread, megabytes, milliseconds, quantile};
use crate::measure::invoke;
use crate::process::Process;
use crate::services::{Seed, Services, Transport};
use crate::toolchain::Toolchain;

/// How many events at once.
const LEVELS: [usize; 4] = [1, 4, 16, 64];

/// Events that each of them sends, one after the other.
const EVENTS: usize = 20;

/// Processes that a batch is sent to.
const BATCH_RUNS: usize = 5;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Concurrency {
    /// The services' own time for each request, in milliseconds.
    pub latency_ms: f64,
    /// By how many events at once.
    pub levels: Vec<Level>,
    /// Ten items beside one.
    pub batches: Batches,
}

/// A function with so many events at once.
#[derive(Clone, Debug, Serialize)]
pub struct Level {
    /// `AWS_LAMBDA_MAX_CONCURRENCY`
    pub concurrency: usize,
    /// Events answered in a second.
    pub per_second: f64,
    /// What would be answered if only the services took time.
    pub ideal_per_second: f64,
    /// The median of an event's time.
    pub p50_ms: f64,
    /// Of a hundred events, one takes longer.
    pub p99_ms: f64,
    /// CPU time of an event.
    pub cpu_per_invocation_ms: f64,
    /// The most memory that the function has held, in MB.
    pub peak_rss_mb: f64,
}

/// Batches of a standard queue, each to a function that has answered one before.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Batches {
    /// A batch of one.
    pub one_ms: Spread,
    /// A batch of ten.
    pub ten_ms: Spread,
}

/// Measures Casebridge with services that take `latency` for each request.
///
/// # Errors
/// It cannot be built, or fails.
pub async fn measure(
    toolchain: &Toolchain,
    authority: &Authority,
    bootstrap: Option<&Path>,
    seed: &Seed,
    latency: Duration,
) -> anyhow::Result<Concurrency> {
    let preparation = Preparation {
        toolchain,
        authority: Some(authority),
        bootstrap,
    };
    let contender = preparation.contender(Kind::Casebridge)?;
    let transport = Transport {
        latency,
        ..Transport::tls(&authority.acceptor)
    };
    let mut levels = Vec::new();
    for concurrency in LEVELS {
        levels.push(level(&contender, seed, &transport, concurrency).await?);
    }
    Ok(Concurrency {
        latency_ms: milliseconds(latency),
        levels,
        batches: Batches {
            one_ms: batches(&contender, seed, &transport, 1).await?,
            ten_ms: batches(&contender, seed, &transport, 10).await?,
        },
    })
}

async fn start(
    contender: &Contender,
    services: &Services,
    concurrency: usize,
) -> anyhow::Result<Function> {
    let configuration = contender.configuration.clone().max_concurrency(concurrency);
    let started = services.lead(configuration).start().await;
    started.context("it does not start")
}

async fn level(
    contender: &Contender,
    seed: &Seed,
    transport: &Transport,
    concurrency: usize,
) -> anyhow::Result<Level> {
    let services = Services::start(seed, transport.clone()).await?;
    let function = &start(contender, &services, concurrency).await?;
    let process = Process::new(function.pid())?;
    let answered = async |number: usize| invoke(function, contender.workload.payload(number)).await;
    // Each has its connection then.
    try_join_all((0..concurrency).map(&answered)).await?;
    let (begun, cpu_begun) = (Instant::now(), process.cpu_time()?);
    let senders = (0..concurrency).map(async |sender| {
        let mut taken = Vec::with_capacity(EVENTS);
        for event in 1..=EVENTS {
            taken.push(answered(event * concurrency + sender).await?);
        }
        anyhow::Ok(taken)
    });
    let taken = try_join_all(senders).await?;
    let (elapsed, cpu) = (
        begun.elapsed(),
        process.cpu_time()?.saturating_sub(cpu_begun),
    );
    let mut taken: Vec<f64> = taken.into_iter().flatten().map(milliseconds).collect();
    taken.sort_by(f64::total_cmp);
    let events = count(taken.len());
    Ok(Level {
        concurrency,
        per_second: events / elapsed.as_secs_f64(),
        ideal_per_second: count(concurrency) / transport.latency.as_secs_f64(),
        p50_ms: quantile(&taken, 0.5),
        p99_ms: quantile(&taken, 0.99),
        cpu_per_invocation_ms: milliseconds(cpu) / events,
        peak_rss_mb: megabytes(process.peak_memory()?),
    })
}

async fn batches(
    contender: &Contender,
    seed: &Seed,
    transport: &Transport,
    items: usize,
) -> anyhow::Result<Spread> {
    let mut taken = Vec::with_capacity(BATCH_RUNS);
    for _ in 0..BATCH_RUNS {
        let services = Services::start(seed, transport.clone()).await?;
        let function = start(contender, &services, 1).await?;
        invoke(&function, contender.workload.batch(0, items)).await?;
        function.idle().await;
        let warm = invoke(&function, contender.workload.batch(items, items)).await?;
        let cases = services.emulator.cases().len();
        if cases != 2 * items {
            bail!("two batches of {items} made {cases} cases");
        }
        taken.push(milliseconds(warm));
    }
    Ok(Spread::of(taken))
}

impl Concurrency {
    /// A table in Markdown, and a sentence about the batches.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "Services that take {} ms for each request; {EVENTS} events from each sender.\n\n\
             | concurrency | events a second | of the ideal | p50 ms | p99 ms | CPU ms per event | RSS MB |\n\
             | --: | --: | --: | --: | --: | --: | --: |\n",
            self.latency_ms
        );
        // Writing to a string cannot fail.
        for level in &self.levels {
            let _ = writeln!(
                text,
                "| {} | {:.0} | {:.0} % | {:.1} | {:.1} | {:.3} | {:.1} |",
                level.concurrency,
                level.per_second,
                level.per_second / level.ideal_per_second * 100.0,
                level.p50_ms,
                level.p99_ms,
                level.cpu_per_invocation_ms,
                level.peak_rss_mb,
            );
        }
        let Batches { one_ms, ten_ms } = self.batches;
        let _ = writeln!(
            text,
            "\nA batch of one takes {:.1} ms ({:.1}–{:.1}), a batch of ten {:.1} ms ({:.1}–{:.1}).",
            one_ms.median, one_ms.q1, one_ms.q3, ten_ms.median, ten_ms.q1, ten_ms.q3
        );
        text
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn count(number: usize) -> f64 {
    number as f64
}
