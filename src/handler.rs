//! One invocation, from payload to answer.

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

/// Kept free at the end of an invocation, for the answer to leave in.
const MARGIN: Duration = Duration::from_millis(200);

/// The least time of a flow's event, also if the start has used up its budget: enough for a first call. Between budget and time limit of the
/// flow's block lies as much (template.yaml), so the answer is in time whenever budget was left.
const LEAST_BUDGET: Duration = Duration::from_millis(500);

/// The function: everything that is made once, at the cold start.
pub struct Casebridge {
    /// The mapping.
    pub mapping: Mapping,
    /// Which events are for us.
    pub guard: Guard,
    /// The configuration that requests depend on.
    pub context: RequestContext,
    /// Cases.
    pub cases: Cases,
    /// Customer Profiles.
    pub customers: Customers,
    /// Connect, where the mapping reads contacts.
    pub connect: Option<Connect>,
    /// The ledger, where one is configured.
    pub ledger: Option<Ledger>,
    /// The queue for messages that can never succeed, if there is one.
    pub failure_queue: Option<FailureQueue>,
    /// A flow is answered within this time.
    pub flow_budget: Duration,
    /// The metrics and the clock of the telemetry.
    pub telemetry: Telemetry,
}

/// Lambda's context of an invocation.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    /// The time until Lambda ends it.
    pub remaining: Duration,
    /// The part of the sender's patience that is used up already: by the start, by a new mapping.
    pub spent: Duration,
    /// `awsRequestId`; another for each attempt, so it is good for the log alone.
    pub request_id: String,
    /// True if it is the first of its environment.
    pub cold_start: bool,
}

impl From<Duration> for Invocation {
    /// An invocation of which nothing is known but its time.
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
    /// To a flow, or to whoever reads what became of an event.
    Answer(Box<Answer>),
    /// To Lambda's poller of an SQS queue.
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
    /// A flow is always answered, with a failure if there is one: an error would make Connect call again. An EventBridge event that failed is
    /// an error, so that Lambda retries it and its on-failure destination gets it; so is one whose contact or comment could join the case
    /// later. A batch is answered item by item.
    ///
    /// # Errors
    /// The payload is none that we take, or an event is not done.
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

    /// When the sender stops waiting, whatever Lambda allows.
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
