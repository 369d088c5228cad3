//! One process of a function: its cold start and the warm invocations after it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use runtime_api::{Answer, Function};

use crate::contender::Contender;
use crate::services::{Seed, Services, Transport};

/// The cost of one process.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// From the spawn to the first request for an event.
    pub(crate) init: Duration,
    /// CPU time until then.
    pub(crate) init_cpu: Duration,
    /// From handing out the first event to its answer.
    pub(crate) first_answer: Duration,
    /// The services' own time in that.
    pub(crate) first_services: Duration,
    /// CPU time from the spawn to the first answer.
    pub(crate) cold_cpu: Duration,
    /// From handing out an event to its answer, for each event after the first; sorted.
    pub(crate) warm: Vec<Duration>,
    /// The services' own time in all of them.
    pub(crate) warm_services: Duration,
    /// CPU time of all of them.
    pub(crate) warm_cpu: Duration,
    /// The most memory that it has held, in bytes.
    pub(crate) peak_memory: u64,
    /// Requests that the services had for each event.
    pub(crate) requests: f64,
}

impl Sample {
    /// The share of one warm invocation.
    pub(crate) fn each(&self, of_all: Duration) -> Duration {
        let count = u32::try_from(self.warm.len()).unwrap_or(u32::MAX);
        of_all.checked_div(count).unwrap_or_default()
    }

    /// Starts a process and sends it one event and then `invocations` more, one after the other. It has new services of its own. Fails
    /// unless each event makes a case.
    pub(crate) async fn take(
        contender: &Contender,
        seed: &Seed,
        transport: &Transport,
        invocations: usize,
    ) -> anyhow::Result<Self> {
        let services = Services::start(seed, transport.clone()).await?;
        let configuration = services.lead(contender.configuration.clone());
        let spawned = Instant::now();
        let function = configuration.start().await.context("it does not start")?;
        let init = spawned.elapsed();
        let pid = pid(&function)?;
        let init_cpu = cpu_time(pid)?;
        let before = services.spent();
        let first_answer = invoke(&function, contender.payload(0)).await?;
        let cold_cpu = cpu_time(pid)?;
        let first_services = services.spent().saturating_sub(before);

        let mut warm = Vec::with_capacity(invocations);
        function.idle().await;
        let (warm_begun, before) = (cpu_time(pid)?, services.spent());
        for number in 1..=invocations {
            function.idle().await;
            warm.push(invoke(&function, contender.payload(number)).await?);
        }
        function.idle().await;
        let warm_cpu = cpu_time(pid)?.saturating_sub(warm_begun);
        let warm_services = services.spent().saturating_sub(before);
        warm.sort_unstable();
        let (events, peak_memory) = (invocations + 1, peak_memory(pid)?);
        function.kill().await;
        let cases = services.emulator.cases().len();
        let expected = if contender.makes_cases { events } else { 0 };
        ensure!(
            cases == expected,
            "{events} events made {cases} cases, expected {expected}"
        );
        Ok(Self {
            init,
            init_cpu,
            first_answer,
            first_services,
            cold_cpu,
            warm,
            warm_services,
            warm_cpu,
            peak_memory,
            requests: ratio(services.emulator.requests().len(), events),
        })
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

/// The id of the function's process.
pub(crate) fn pid(function: &Function) -> anyhow::Result<i32> {
    let pid = function.pid().and_then(|pid| i32::try_from(pid).ok());
    pid.context("the function has ended")
}

/// User and system time of all threads of a process so far, those that have ended included.
#[cfg(target_os = "linux")]
fn cpu_time(pid: i32) -> anyhow::Result<Duration> {
    let clock = nix::time::clock_getcpuclockid(nix::unistd::Pid::from_raw(pid))?;
    Ok(clock.now()?.into())
}

#[cfg(not(target_os = "linux"))]
fn cpu_time(_pid: i32) -> anyhow::Result<Duration> {
    bail!("the CPU time of a process is read as Linux gives it: run this on Linux")
}

/// The most memory that a process has held (`VmHWM`), in bytes.
fn peak_memory(pid: i32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    // The kernel's unit here is KiB.
    Ok(peak.context("/proc holds no VmHWM of the function")? * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_of_a_thread_that_has_ended_counts() {
        let own = i32::try_from(std::process::id()).unwrap();
        let before = cpu_time(own).unwrap();
        let worked = std::thread::spawn(move || {
            let own = nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID;
            let mut worked = Duration::ZERO;
            while worked < Duration::from_millis(20) {
                worked = own.now().unwrap().into();
            }
            worked
        });
        let worked = worked.join().unwrap();
        assert!(cpu_time(own).unwrap() >= before + worked);
        assert!(peak_memory(own).unwrap() > 100_000);
    }
}
