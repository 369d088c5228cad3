//! A list of events, as `EventBridge` Pipes and SNS hand them over: all are handled, and one that fails fails the invocation.
//!
//! No event of a list has an id by which its failure could be reported alone, so the sender sends the whole list again. The events that are
//! done are found by their keys then.

use futures_util::StreamExt as _;
use futures_util::stream;

use super::{BatchResponse, Casebridge, Invocation, Response};
use crate::deadline::Deadline;
use crate::error::Failure;
use crate::trigger::Event;

/// Events that are worked on side by side: the burst that Cases allows.
const SIDE_BY_SIDE: usize = 10;

impl Casebridge {
    /// Handles every event of a list.
    ///
    /// # Errors
    /// The first that failed, with its number.
    pub(super) async fn list(
        &self,
        events: &[Result<Event, Failure>],
        deadline: Deadline,
        invocation: &Invocation,
    ) -> Result<Response, Failure> {
        let runs: Vec<_> = events
            .iter()
            .map(|event| self.of_list(event.as_ref(), deadline, invocation))
            .collect();
        // In the order of the list, whichever is done first.
        let failures: Vec<Option<Failure>> =
            stream::iter(runs).buffered(SIDE_BY_SIDE).collect().await;
        let first = (1..)
            .zip(failures)
            .find_map(|(number, failure)| Some((number, failure?)));
        match first {
            None => Ok(Response::Batch(BatchResponse::default())),
            Some((number, mut failure)) => {
                let count = events.len();
                failure.message = format!("event {number} of {count}: {}", failure.message);
                Err(failure)
            }
        }
    }

    async fn of_list(
        &self,
        event: Result<&Event, &Failure>,
        deadline: Deadline,
        invocation: &Invocation,
    ) -> Option<Failure> {
        match event {
            Ok(event) => {
                let outcome = self.event(event, deadline, invocation).await;
                outcome.failure().cloned()
            }
            Err(failure) => {
                tracing::error!(
                    error.code = failure.code.name(),
                    cold_start = invocation.cold_start,
                    request_id = invocation.request_id,
                    "refused an event of a list: {failure}"
                );
                Some(failure.clone())
            }
        }
    }
}
