//! A list of events, as `EventBridge` Pipes and SNS hand them over: all are handled in their order, and one that fails fails the invocation.
//!
//! No event of a list has an id by which its failure could be reported alone, so the sender sends the whole list again. The events that are
//! done are found by their keys then.

use super::{BatchResponse, Casebridge, Invocation, Response};
use crate::deadline::Deadline;
use crate::error::Failure;
use crate::event::Event;

impl Casebridge {
    /// Handles every event of a list.
    ///
    /// # Errors
    /// The first failure, with the event's number.
    pub(super) async fn list(
        &self,
        events: &[Result<Event, Failure>],
        deadline: Deadline,
        invocation: &Invocation,
    ) -> Result<Response, Failure> {
        let mut first = None;
        for (number, event) in (1..).zip(events) {
            let failure = match event {
                Ok(event) => {
                    let outcome = self.event(event, deadline, invocation).await;
                    outcome.failure().cloned()
                }
                Err(failure) => {
                    let what = "refused an event of a list";
                    self.telemetry.failure(what, failure, None, invocation);
                    Some(failure.clone())
                }
            };
            first = first.or(failure.map(|failure| (number, failure)));
        }
        match first {
            None => Ok(Response::Batch(BatchResponse::default())),
            Some((number, mut failure)) => {
                let count = events.len();
                failure.message = format!("event {number} of {count}: {}", failure.message);
                Err(failure)
            }
        }
    }
}
