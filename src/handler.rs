//! The handler: turns the payload of one invocation into its answer.
//!
//! The submodules handle batches, claims on keys, the steps of one event, and telemetry.

mod batch;
mod claim;
mod pipeline;
mod telemetry;

use std::time::Duration;

use serde::Serialize;

use crate::call;
use crate::cases::Cases;
use crate::contact::Connect;
use crate::customer::Customers;
use crate::deadline::{Deadline, Stopwatch};
use crate::error::Failure;
use crate::event::{Event, Payload};
use crate::failure_queue::FailureQueue;
use crate::guard::Guard;
use crate::ledger::Ledger;
use crate::outcome::{Answer, Outcome};
use crate::panics;
use crate::request::RequestContext;
use mapping::Mapping;
use mapping::Trigger;

use self::telemetry::EventSummary;
pub use self::telemetry::Telemetry;

/// The time that is kept free at the end of an invocation, to send the answer.
const MARGIN: Duration = Duration::from_millis(200);

/// The least time for a flow's event, even if the start has used up the budget. It is enough for a first call.
///
/// The time limit of the flow's block exceeds the budget by as much (template.yaml).
/// The answer is therefore in time whenever budget was left.
const LEAST_BUDGET: Duration = Duration::from_millis(500);

/// The function: everything that is created once, at the cold start.
pub struct Casebridge {
    /// The mapping.
    pub mapping: Mapping,
    /// The rules that decide if an event is accepted.
    pub guard: Guard,
    /// The configuration that requests depend on.
    pub context: RequestContext,
    /// The client of Cases.
    pub cases: Cases,
    /// The client of Customer Profiles.
    pub customers: Customers,
    /// The client of Connect, if the mapping reads contacts.
    pub connect: Option<Connect>,
    /// The ledger, if one is configured.
    pub ledger: Option<Ledger>,
    /// The queue for messages that can never succeed, if there is one.
    pub failure_queue: Option<FailureQueue>,
    /// The time within which a flow is answered.
    pub flow_budget: Duration,
    /// The metrics and the clock of the telemetry.
    pub telemetry: Telemetry,
}

/// Lambda's context of an invocation.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    /// The time until Lambda ends the invocation.
    pub remaining: Duration,
    /// The time that the sender has waited already, for the start and for a new mapping.
    pub spent: Duration,
    /// `awsRequestId`. It differs for each attempt, so only the log can use it.
    pub request_id: String,
    /// True if the invocation is the first of its environment.
    pub cold_start: bool,
}

impl From<Duration> for Invocation {
    /// Creates an invocation with only its time known.
    fn from(remaining: Duration) -> Self {
        Self {
            remaining,
            ..Self::default()
        }
    }
}

/// The answer to an invocation.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// The answer to a flow, or to any other reader of an event's outcome.
    Answer(Box<Answer>),
    /// The answer to Lambda's poller of an SQS queue.
    Batch(BatchResponse),
}

/// `SQSBatchResponse`: the messages that the queue keeps.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    /// One entry for each message that failed.
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// A message that failed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// `messageId`
    pub item_identifier: String,
}

impl Casebridge {
    /// Handles one invocation.
    ///
    /// A flow always gets an answer, even for a failure, because Connect would call again after an error.
    ///
    /// A failed EventBridge event is an error, so that Lambda retries it and its on-failure destination receives it.
    /// An event whose contact or comment may still join the case later is an error, too.
    ///
    /// A batch is answered message by message.
    ///
    /// # Errors
    /// The payload is not accepted, or an event is not done.
    pub async fn handle(
        &self,
        payload: &str,
        invocation: impl Into<Invocation>,
    ) -> Result<Response, Failure> {
        let invocation = invocation.into();
        let deadline = Deadline::after(invocation.remaining.saturating_sub(MARGIN));
        match Payload::parse(payload) {
            Ok(Payload::Event(event)) => {
                let deadline = deadline.min(self.budget(&event, invocation.spent));
                let outcome = self.event(&event, deadline, &invocation).await;
                match outcome.failure() {
                    Some(failure) if event.trigger == Trigger::EventBridge => Err(failure.clone()),
                    _ => Ok(Response::Answer(Box::new(outcome.answer()))),
                }
            }
            Ok(Payload::Events(events)) => self.list(&events, deadline, &invocation).await,
            Ok(Payload::Batch(batch)) => {
                let answer = self.batch(&batch, deadline, &invocation).await;
                Ok(Response::Batch(answer))
            }
            Err(failure) => {
                let what = "refused a payload";
                self.telemetry.failure(what, &failure, None, &invocation);
                Err(failure)
            }
        }
    }

    /// Returns the deadline at which the sender stops waiting, independent of Lambda's limit.
    fn budget(&self, event: &Event, spent: Duration) -> Deadline {
        const NO_ONE_WAITS: Duration = Duration::from_mins(15);
        Deadline::after(match event.trigger {
            Trigger::ContactFlow => {
                let least = LEAST_BUDGET.min(self.flow_budget);
                self.flow_budget.saturating_sub(spent).max(least)
            }
            Trigger::EventBridge => NO_ONE_WAITS,
        })
    }

    async fn event(&self, event: &Event, deadline: Deadline, invocation: &Invocation) -> Outcome {
        let stopwatch = Stopwatch::start();
        let mut outcome = Outcome::default();
        let steps = panics::caught(self.steps(event, deadline, &mut outcome));
        let (result, calls) = call::listen(steps).await;
        outcome.result = result.flatten();
        self.telemetry.emit(&EventSummary {
            event,
            outcome: &outcome,
            calls: &calls,
            invocation,
            took: stopwatch.elapsed(),
            left: deadline.remaining(),
        });
        outcome
    }
}
