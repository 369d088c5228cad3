//! A process that is killed in the middle of an event, and one that is not.

use std::time::{Duration, Instant};

use cases_emulator::{Fault, FaultKind};
use runtime_api::{Answer, Function, FunctionError};
use serde_json::Value;
use tokio::time::sleep;

use super::services::{AMPLE, Ledger, Services};

/// The time of a run that is going to be killed; its lease ends with it.
const SHORT: Duration = Duration::from_millis(900);

/// An operation's call, the first being 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call(pub(crate) &'static str, pub(crate) usize);

/// A kill, with the time of its start and its failed attempts.
pub(crate) struct Killed {
    /// The start of the process that was killed.
    pub(crate) begun: Instant,
    /// The number of processes that had not reached the call when their time was up, because the machine was busy.
    pub(crate) too_late: u32,
}

/// Gives the event to a process, and kills that once the call has had its effect. Its answer never arrives.
pub(crate) async fn killed(call: Call, payload: &str, ledger: Ledger) -> (Services, Killed) {
    for too_late in 0..4 {
        let services = Services::start(ledger).await;
        let begun = Instant::now();
        let time = SHORT * 2_u32.pow(too_late);
        if is_killed(&services, call, payload, time).await {
            return (services, Killed { begun, too_late });
        }
    }
    panic!("no process came as far as {call:?}");
}

/// Returns true if the process reached the call.
async fn is_killed(
    services: &Services,
    Call(operation, number): Call,
    payload: &str,
    time: Duration,
) -> bool {
    for _ in 1..number {
        let passes = Fault::new(FaultKind::Delay(Duration::ZERO)).on(operation);
        services.emulator.inject(passes);
    }
    let hangs = Fault::new(FaultKind::DelayAfter(Duration::from_hours(1))).on(operation);
    services.emulator.inject(hangs);
    let function = services.function(time).await;
    let kill = async {
        while services.calls(operation) < number {
            sleep(Duration::from_millis(2)).await;
        }
        function.kill().await;
        std::future::pending::<()>().await;
    };
    let answer = tokio::select! {
        answer = function.invoke(payload.to_owned()) => answer,
        () = kill => return false,
    };
    match answer {
        Err(FunctionError::Exited { exit, .. }) => {
            assert_eq!(exit, "signal 9 (SIGKILL)");
            true
        }
        Err(FunctionError::NoAnswer { .. }) => false,
        Ok(_) if services.calls(operation) < number => false,
        other => panic!("it was to be killed at {operation} {number}: {other:?}"),
    }
}

/// The answer of a fresh process.
pub(crate) async fn sent(services: &Services, payload: &str) -> Value {
    let function = services.function(AMPLE).await;
    answered(&function, payload).await
}

/// The answer of a process that runs.
pub(crate) async fn answered(function: &Function, payload: &str) -> Value {
    match function.invoke(payload.to_owned()).await {
        Ok(Answer::Response(body)) => serde_json::from_slice(&body).expect("an answer is JSON"),
        Ok(Answer::Error(report)) => {
            serde_json::from_slice(&report.payload).expect("an error is JSON")
        }
        other => panic!("an answer is expected: {other:?}"),
    }
}
