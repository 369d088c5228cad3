//! A queue of events: callers wait at one end, the function's pollers at the other.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::body::Bytes;
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot, watch};

/// The time that Lambda gives an initialisation; here also the time that an event waits to be fetched.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
pub(crate) const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// The function's answer to one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The body it sent to `invocation/{id}/response`; at most 6,291,556 bytes.
    Response(Bytes),
    /// The report it sent to `invocation/{id}/error`, or Lambda's own when the response is too large.
    Error(ErrorReport),
}

/// An error as a function reports it and as Lambda returns it to the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error_type}: {error_message}")]
pub struct ErrorReport {
    /// `errorType`; else the header `Lambda-Runtime-Function-Error-Type`; else `Unhandled`.
    pub error_type: String,
    /// `errorMessage`; empty when the function gave none.
    pub error_message: String,
    /// The body as the function sent it: the caller of Invoke receives it.
    pub payload: Bytes,
}

/// The Runtime API's `ErrorRequest`, as far as it is read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ErrorRequest {
    error_type: Option<String>,
    error_message: Option<String>,
}

impl ErrorReport {
    /// A report of Lambda's own, for a failure that the function itself could not report.
    pub fn new(error_type: impl Into<String>, error_message: impl Into<String>) -> Self {
        let (error_type, error_message) = (error_type.into(), error_message.into());
        let payload = serde_json::json!({ "errorType": error_type, "errorMessage": error_message });
        Self {
            error_type,
            error_message,
            payload: payload.to_string().into(),
        }
    }

    /// Reads a report leniently, as Lambda does: a body of another shape is kept as it is.
    pub(crate) fn read(header: Option<&str>, payload: Bytes) -> Self {
        let body: ErrorRequest = serde_json::from_slice(&payload).unwrap_or_default();
        let error_type = body.error_type.or_else(|| header.map(str::to_owned));
        Self {
            error_type: error_type.unwrap_or_else(|| "Unhandled".to_owned()),
            error_message: body.error_message.unwrap_or_default(),
            payload,
        }
    }
}

/// The reason why an event has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The event was fetched and not answered in time.
    #[error("the function did not answer within {}", seconds(*.0))]
    TimedOut(Duration),
    /// No function asked for the event.
    #[error("no function asked for the event within {}", seconds(*.0))]
    NotFetched(Duration),
}

/// `3 s`, `2.5 s`: a limit as people write it.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// The events of one function, those that it has fetched, and the state of its initialisation.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: mpsc::UnboundedSender<Queued>,
    receiver: tokio::sync::Mutex<mpsc::UnboundedReceiver<Queued>>,
    in_flight: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
    /// `None` while the function initialises.
    init: watch::Sender<Option<Result<(), ErrorReport>>>,
    /// The number of pollers that wait for an event.
    waiting: watch::Sender<usize>,
    count: AtomicU64,
}

#[derive(Debug)]
struct Queued {
    payload: Bytes,
    timeout: Duration,
    fetched: oneshot::Sender<()>,
    answer: oneshot::Sender<Answer>,
}

/// An event on its way to the function, with the response headers of `next`.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
    pub(crate) deadline_ms: u128,
    pub(crate) payload: Bytes,
}

impl Queue {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self {
            sender,
            receiver: tokio::sync::Mutex::new(receiver),
            in_flight: Mutex::default(),
            init: watch::Sender::default(),
            waiting: watch::Sender::default(),
            count: AtomicU64::new(1),
        }
    }

    /// Queues an event and waits for its answer; `timeout` runs from the moment at which it is fetched.
    pub(crate) async fn invoke(
        &self,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<Answer, InvokeError> {
        let (fetched, is_fetched) = oneshot::channel();
        let (answer, is_answered) = oneshot::channel();
        // The receiver is part of this queue, so a send cannot fail.
        let _ = self.sender.send(Queued {
            payload,
            timeout,
            fetched,
            answer,
        });
        match tokio::time::timeout(INIT_TIMEOUT, is_fetched).await {
            Ok(Ok(())) => {}
            _ => return Err(InvokeError::NotFetched(INIT_TIMEOUT)),
        }
        match tokio::time::timeout(timeout, is_answered).await {
            Ok(Ok(answer)) => Ok(answer),
            _ => Err(InvokeError::TimedOut(timeout)),
        }
    }

    /// Returns the next event; waits until there is one whose caller still waits.
    pub(crate) async fn next(&self) -> Option<Invocation> {
        self.init.send_if_modified(|init| {
            let is_first = init.is_none();
            init.get_or_insert(Ok(()));
            is_first
        });
        let waiting = Waiting::begin(&self.waiting);
        loop {
            let queued = self.receiver.lock().await.recv().await?;
            if queued.fetched.send(()).is_err() {
                continue;
            }
            drop(waiting);
            let number = self.count.fetch_add(1, Ordering::Relaxed);
            let request_id = format!("00000000-0000-4000-8000-{number:012x}");
            self.in_flight().insert(request_id.clone(), queued.answer);
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            let deadline = since.unwrap_or_default() + queued.timeout;
            return Some(Invocation {
                trace_id: format!("Root=1-00000000-{number:024x};Parent={number:016x};Sampled=0"),
                request_id,
                deadline_ms: deadline.as_millis(),
                payload: queued.payload,
            });
        }
    }

    /// Returns true for an event that was fetched and has no answer yet.
    pub(crate) fn is_in_flight(&self, request_id: &str) -> bool {
        self.in_flight().contains_key(request_id)
    }

    /// Gives the answer to the caller that still waits for it.
    pub(crate) fn answer(&self, request_id: &str, answer: Answer) {
        if let Some(sender) = self.in_flight().remove(request_id) {
            let _ = sender.send(answer);
        }
    }

    pub(crate) fn fail_init(&self, report: ErrorReport) {
        self.init.send_replace(Some(Err(report)));
    }

    /// Waits until the function asks for its first event or reports that it cannot.
    pub(crate) async fn initialized(&self) -> Result<(), ErrorReport> {
        let mut init = self.init.subscribe();
        // The sender is part of this queue, so the wait cannot fail.
        let ended = init.wait_for(Option::is_some).await;
        ended.ok().and_then(|ended| ended.clone()).unwrap_or(Ok(()))
    }

    /// Waits until a poller waits for an event.
    pub(crate) async fn idle(&self) {
        let mut waiting = self.waiting.subscribe();
        let _ = waiting.wait_for(|waiting| *waiting > 0).await;
    }

    fn in_flight(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Answer>>> {
        self.in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// One poller that waits, until this is dropped: it was given an event, or its connection ended.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a watch::Sender<usize>) -> Self {
        waiting.send_modify(|waiting| *waiting += 1);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_without_a_type_takes_the_header() {
        let report = ErrorReport::read(Some("Runtime.Panic"), "not JSON".into());
        assert_eq!(report.error_type, "Runtime.Panic");
        assert_eq!(report.payload, "not JSON");
    }

    #[test]
    fn the_body_outranks_the_header() {
        let report = ErrorReport::read(
            Some("Unhandled"),
            r#"{"errorType":"MissingValue","errorMessage":"no order","stackTrace":[]}"#.into(),
        );
        assert_eq!(report.to_string(), "MissingValue: no order");
    }
}
