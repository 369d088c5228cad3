//! One cold start and the warm invocations after it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use runtime_api::{Answer, Function};

use crate::contender::Contender;
use crate::process::Process;
use crate::services::{Seed, Services, Transport};

/// What one process took.
#[derive(Clone, Debug)]
pub struct Sample {
    /// From the spawn to the first request for an event.
    pub init: Duration,
    /// CPU time until then.
    pub init_cpu: Duration,
    /// From handing out the first event to its answer.
    pub first_answer: Duration,
    /// The services' own time in that.
    pub first_services: Duration,
    /// CPU time from the spawn to the first answer.
    pub cold_cpu: Duration,
    /// From handing out an event to its answer, for each event after the first; sorted.
    pub warm: Vec<Duration>,
    /// The services' own time in all of them.
    pub warm_services: Duration,
    /// CPU time of all of them.
    pub warm_cpu: Duration,
    /// The most memory that it has held, in bytes.
    pub peak_memory: u64,
    /// Requests that the services had for each event.
    pub requests: f64,
}

impl Sample {
    /// What falls to one warm invocation of what all took.
    #[must_use]
    pub fn each(&self, of_all: Duration) -> Duration {
        let count = u32::try_from(self.warm.len()).unwrap_or(u32::MAX);
        of_all.checked_div(count).unwrap_or_default()
    }
}

impl Contender {
    /// Starts a process of the function and sends it one event and then `invocations` more, one after the other. The services are its own,
    /// and new.
    ///
    /// # Errors
    /// The function does not start, fails at an event, or does not make a case of each.
    pub async fn measure(
        &self,
        seed: &Seed,
        transport: &Transport,
        invocations: usize,
    ) -> anyhow::Result<Sample> {
        let services = Services::start(seed, transport.clone()).await?;
        let configuration = services.lead(self.configuration.clone());
        let spawned = Instant::now();
        let function = configuration.start().await.context("it does not start")?;
        let init = spawned.elapsed();
        let process = Process::new(function.pid())?;
        let init_cpu = process.cpu_time()?;
        let before = services.spent();
        let first_answer = invoke(&function, self.workload.payload(0)).await?;
        let cold_cpu = process.cpu_time()?;
        let first_services = services.spent().saturating_sub(before);

        let mut warm = Vec::with_capacity(invocations);
        function.idle().await;
        let (warm_begun, before) = (process.cpu_time()?, services.spent());
        for number in 1..=invocations {
            function.idle().await;
            warm.push(invoke(&function, self.workload.payload(number)).await?);
        }
        function.idle().await;
        let warm_cpu = process.cpu_time()?.saturating_sub(warm_begun);
        let warm_services = services.spent().saturating_sub(before);
        warm.sort_unstable();
        let sample = Sample {
            init,
            init_cpu,
            first_answer,
            first_services,
            cold_cpu,
            warm,
            warm_services,
            warm_cpu,
            peak_memory: process.peak_memory()?,
            requests: ratio(services.emulator.requests().len(), invocations + 1),
        };
        function.kill().await;
        self.expect_cases(&services, invocations + 1)?;
        Ok(sample)
    }

    /// Each event has made a case, if it makes any.
    fn expect_cases(&self, services: &Services, events: usize) -> anyhow::Result<()> {
        let cases = services.emulator.cases().len();
        let expected = if self.makes_cases { events } else { 0 };
        ensure!(
            cases == expected,
            "{events} events made {cases} cases, expected {expected}"
        );
        Ok(())
    }
}

async fn invoke(function: &Function, payload: String) -> anyhow::Result<Duration> {
    let handed_out = Instant::now();
    let answer = function.invoke(payload).await?;
    let taken = handed_out.elapsed();
    match answer {
        Answer::Response(_) => Ok(taken),
        Answer::Error(report) => bail!("it fails at an event: {report}"),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a benchmark are far below 2^52"
)]
fn ratio(numerator: usize, denominator: usize) -> f64 {
    numerator as f64 / denominator as f64
}
