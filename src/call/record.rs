//! What the calls of one event took: for its log line, its metrics and its trace.
//!
//! A call notes itself when it ends, however it ends, with whoever listens to the event it was made for. The list travels with the event's
//! future rather than through every signature on the way, as spans do in tracing.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use super::Call;
use crate::deadline::Stopwatch;

/// One call of a service, with all its attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// The API's name of the operation.
    pub operation: &'static str,
    /// The service, as IAM calls it.
    pub service: &'static str,
    /// How long after the event it was begun.
    pub begun: Duration,
    /// How long it took, pauses between attempts included.
    pub took: Duration,
    /// How often the request was sent.
    pub attempts: usize,
    /// The number of answers that said that the quota is used up.
    pub throttled: usize,
    /// The HTTP status of the last answer; `None` when there was none.
    pub status: Option<u16>,
    /// Whether the last answer said that the quota is used up.
    pub last_throttled: bool,
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

struct Listener {
    since: Stopwatch,
    calls: Vec<CallRecord>,
}

tokio::task_local! {
    static LISTENER: RefCell<Listener>;
}

/// Runs what is done for an event, and listens to its calls.
pub(crate) async fn listen<F: Future>(event: F) -> (F::Output, Vec<CallRecord>) {
    let listener = Listener {
        since: Stopwatch::start(),
        calls: Vec::new(),
    };
    let listening = async {
        let output = event.await;
        let calls = LISTENER.with(|listener| std::mem::take(&mut listener.borrow_mut().calls));
        (output, calls)
    };
    LISTENER.scope(RefCell::new(listener), listening).await
}

impl Drop for Call {
    fn drop(&mut self) {
        // Nobody listens to a call of the start.
        let _ = LISTENER.try_with(|listener| {
            let Ok(mut listener) = listener.try_borrow_mut() else {
                return;
            };
            let took = self.since.elapsed();
            let begun = listener.since.elapsed().saturating_sub(took);
            listener.calls.push(CallRecord {
                operation: self.operation.name,
                service: self.operation.service(),
                begun,
                took,
                attempts: self.attempts.begun(),
                throttled: self.attempts.throttled(),
                status: self.attempts.last_status(),
                last_throttled: self.attempts.were_throttled(),
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
            // One that is given up in the middle took time, too.
            let _ = tokio::time::timeout(Duration::from_millis(7), call()).await;
        };
        let (((), calls), ((), none)) = tokio::join!(listen(event), listen(async {}));
        let record = |begun, took| CallRecord {
            operation: "GetCase",
            service: "cases",
            begun: Duration::from_millis(begun),
            took: Duration::from_millis(took),
            attempts: 0,
            throttled: 0,
            status: None,
            last_throttled: false,
        };
        assert_eq!(calls, [record(5, 20), record(25, 7)]);
        assert_eq!(none, []);
    }
}
