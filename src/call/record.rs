//! Call records: turns the calls of one event into a list for its log line and its metrics.
//!
//! A call adds its record when it ends, in any way.
//! The list travels with the event's future, as spans do in tracing. No function signature has to pass it on.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use super::Call;

/// One call of a service, with all its attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// The operation's name in the API.
    pub operation: &'static str,
    /// The duration, including the pauses between attempts.
    pub took: Duration,
    /// The number of attempts.
    pub attempts: usize,
    /// The number of answers that said that the quota is exhausted.
    pub throttled: usize,
}

impl fmt::Display for CallRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ms", self.operation, self.took.as_millis())?;
        match self.attempts {
            1 => Ok(()),
            attempts => write!(f, " ({attempts} attempts)"),
        }
    }
}

tokio::task_local! {
    static CALLS: RefCell<Vec<CallRecord>>;
}

/// Runs the work for an event and collects its calls.
pub(crate) async fn listen<F: Future>(event: F) -> (F::Output, Vec<CallRecord>) {
    let listening = async {
        let output = event.await;
        (output, CALLS.with(RefCell::take))
    };
    CALLS.scope(RefCell::default(), listening).await
}

impl Drop for Call {
    fn drop(&mut self) {
        // The calls of the start have no list.
        let _ = CALLS.try_with(|calls| {
            let Ok(mut calls) = calls.try_borrow_mut() else {
                return;
            };
            calls.push(CallRecord {
                operation: self.operation.name,
                took: self.since.elapsed(),
                attempts: self.attempts.begun(),
                throttled: self.attempts.throttled(),
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{CallRecord, listen};
    use crate::call::Operation;
    use crate::deadline::Deadline;

    const READ: Operation = Operation {
        name: "GetCase",
        actions: "cases:GetCase",
        quota: "",
        not_found: "",
        refused: "",
    };

    async fn call() {
        let call = READ.repeatable(Deadline::after(Duration::from_secs(1)));
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(call);
    }

    #[tokio::test(start_paused = true)]
    async fn each_event_hears_of_its_own_calls() {
        let event = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            call().await;
            // A call that is abandoned halfway took time, too.
            let _ = tokio::time::timeout(Duration::from_millis(7), call()).await;
        };
        let (((), calls), ((), none)) = tokio::join!(listen(event), listen(async {}));
        let record = |took| CallRecord {
            operation: "GetCase",
            took: Duration::from_millis(took),
            attempts: 0,
            throttled: 0,
        };
        assert_eq!(calls, [record(20), record(7)]);
        assert_eq!(none, []);
    }
}
