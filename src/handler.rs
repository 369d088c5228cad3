//! One invocation, from payload to answer.

mod additions;

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;

use crate::cases::{Cases, Creation};
use crate::contact::Connect;
use crate::customer::Customers;
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::guard::Guard;
use crate::mapping::{CaseMapping, Mapping};
use crate::outcome::{Answer, Done, Outcome, Skip, Step};
use crate::request::{CaseRequest, CustomerSearch, Surroundings};
use crate::trigger::{Event, Message, Payload, TriggerKind};

/// Kept free at the end of an invocation, for the answer to leave in.
const MARGIN: Duration = Duration::from_millis(200);

/// The function: everything that is made once, at the cold start.
pub struct Casebridge {
    /// The mapping.
    pub mapping: Mapping,
    /// Which events are for us.
    pub guard: Guard,
    /// What requests are made in.
    pub surroundings: Surroundings,
    /// Cases.
    pub cases: Cases,
    /// Customer Profiles, where the mapping searches it.
    pub customers: Option<Customers>,
    /// Connect, where the mapping reads contacts.
    pub connect: Option<Connect>,
    /// A flow is answered within this time.
    pub flow_budget: Duration,
}

/// What an invocation answers.
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
    /// Handles one invocation that ends in `remaining`.
    ///
    /// A flow is always answered, with a failure if there is one: an error would make Connect call again. An EventBridge event that failed is
    /// an error, so that Lambda retries it and its on-failure destination gets it; so is one whose contact or comment could join the case
    /// later. A batch is answered item by item.
    ///
    /// # Errors
    /// The payload is none that we take, or an event is not done.
    pub async fn handle(&self, payload: &str, remaining: Duration) -> Result<Response, Failure> {
        let deadline = Deadline::after(remaining.saturating_sub(MARGIN));
        match Payload::parse(payload) {
            Ok(Payload::Event(event)) => {
                let outcome = self.event(&event, deadline.min(self.budget(&event))).await;
                match outcome.failure() {
                    Some(failure) if event.trigger == TriggerKind::EventBridge => {
                        Err(failure.clone())
                    }
                    _ => Ok(Response::Answer(Box::new(outcome.answer()))),
                }
            }
            Ok(Payload::Batch(messages)) => {
                Ok(Response::Batch(self.batch(messages, deadline).await))
            }
            Err(failure) => {
                tracing::error!(
                    error.code = failure.code.name(),
                    "refused a payload: {failure}"
                );
                Err(failure)
            }
        }
    }

    /// When the sender stops waiting, whatever Lambda allows.
    fn budget(&self, event: &Event) -> Deadline {
        const NO_ONE_WAITS: Duration = Duration::from_mins(15);
        Deadline::after(match event.trigger {
            TriggerKind::ContactFlow => self.flow_budget,
            TriggerKind::EventBridge => NO_ONE_WAITS,
        })
    }

    /// The messages one after the other, so that a FIFO queue keeps its order.
    async fn batch(&self, messages: Vec<Message>, deadline: Deadline) -> BatchResponse {
        let mut response = BatchResponse::default();
        for Message { id, event } in messages {
            let failed = match event {
                Ok(event) => self.event(&event, deadline).await.failure().is_some(),
                Err(failure) => {
                    tracing::error!(
                        error.code = failure.code.name(),
                        sqs.message_id = id,
                        "refused a message: {failure}"
                    );
                    true
                }
            };
            if failed {
                response.batch_item_failures.push(BatchItemFailure {
                    item_identifier: id,
                });
            }
        }
        response
    }

    async fn event(&self, event: &Event, deadline: Deadline) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.result = self.steps(event, deadline, &mut outcome).await;
        log(event, &outcome);
        outcome
    }

    async fn steps(
        &self,
        event: &Event,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) -> Result<Done, Failure> {
        if let Some(skip) = self.guard.check(event)? {
            return Ok(Done::Skipped(skip));
        }
        let Some(case_mapping) = self.mapping.route(event) else {
            return Ok(Done::Skipped(Skip::NoCaseMapping));
        };
        outcome.mapping = Some(case_mapping.name.clone());
        let event = self.enriched(case_mapping, event, deadline).await?;
        let mut request = case_mapping.assemble(&event, &self.surroundings)?;
        if let Some(search) = request.customer.take() {
            let found = self.customer(&search, deadline).await?;
            if let Some(arn) = found {
                request.set_customer(arn);
            }
            case_mapping.check_required(&request.fields, false)?;
        }
        outcome.customer_arn = request.customer_arn().map(str::to_owned);
        let done = self.create(&request, deadline).await?;
        self.complete(&request, &done, event.trigger, deadline, outcome)
            .await;
        Ok(done)
    }

    /// The event with what its contact tells, where the case mapping asks for it.
    async fn enriched<'a>(
        &self,
        case_mapping: &CaseMapping,
        event: &'a Event,
        deadline: Deadline,
    ) -> Result<Cow<'a, Event>, Failure> {
        let Some(connect) = self.connect.as_ref().filter(|_| case_mapping.enrich) else {
            return Ok(Cow::Borrowed(event));
        };
        let (Some(instance), Some(contact)) = (event.instance_id(), event.contact_id()) else {
            let message = "`enrich` reads the contact of a contact event, and this event names no contact and instance: narrow `when`, or leave `enrich` out";
            return Err(Failure::new(ErrorCode::ContactMissing, message).of("enrich"));
        };
        let initial = event.text(&["detail", "initialContactId"]);
        let read = connect.read(instance, contact, initial, deadline).await?;
        Ok(Cow::Owned(event.with(read)))
    }

    async fn customer(
        &self,
        search: &CustomerSearch,
        deadline: Deadline,
    ) -> Result<Option<String>, Failure> {
        let Some(customers) = &self.customers else {
            let message = "the mapping searches for the customer, and PROFILES_DOMAIN was not set at the start";
            return Err(Failure::new(ErrorCode::InternalError, message));
        };
        customers.find(search, deadline).await
    }

    async fn create(&self, request: &CaseRequest, deadline: Deadline) -> Result<Done, Failure> {
        if let Creation::Created(case) = self.cases.create(request, deadline).await? {
            return Ok(Done::Created(case));
        }
        match self
            .cases
            .find(&request.domain_id, &request.client_token, deadline)
            .await
        {
            Ok(Some(case_id)) => Ok(Done::Existing(self.surroundings.case(case_id))),
            Ok(None) => Err(conflict("search does not show it yet")),
            Err(failure) => Err(conflict(&failure.to_string())),
        }
    }
}

/// A conflict means that the key's case very probably exists, so it is never reported as if there were none.
fn conflict(reason: &str) -> Failure {
    let message = format!(
        "a case for this key was created by a request that differs from this one, and its id could not be found: {reason}"
    );
    Failure::new(ErrorCode::ConflictUnresolved, message)
}

/// One line for each event. Ids and codes only.
fn log(event: &Event, outcome: &Outcome) {
    let contact = event.contact_id().unwrap_or_default();
    let id = event.text(&["id"]).unwrap_or_default();
    let mapping = outcome.mapping.as_deref().unwrap_or_default();
    let trigger = event.trigger.name();
    for step in [&outcome.contact, &outcome.comment] {
        if let Step::Missed { failure, .. } = step {
            tracing::warn!(
                trigger,
                mapping,
                contact.id = contact,
                event.id = id,
                error.code = failure.code.name(),
                "{failure}"
            );
        }
    }
    match &outcome.result {
        Ok(done @ (Done::Created(case) | Done::Existing(case))) => {
            let did = if matches!(done, Done::Created(_)) {
                "created"
            } else {
                "found"
            };
            tracing::info!(
                trigger,
                mapping,
                contact.id = contact,
                event.id = id,
                case.id = case.case_id,
                "{did} case {}",
                case.case_id
            );
        }
        Ok(Done::Skipped(Skip::NoCaseMapping)) if event.trigger == TriggerKind::ContactFlow => {
            tracing::warn!(
                trigger,
                contact.id = contact,
                "skipped: no case mapping takes what this flow sends"
            );
        }
        Ok(Done::Skipped(skip)) => tracing::info!(
            trigger,
            contact.id = contact,
            event.id = id,
            skip = skip.name(),
            "skipped: {}",
            skip.name()
        ),
        Err(failure) => {
            let (code, field) = (
                failure.code.name(),
                failure.field.as_deref().unwrap_or_default(),
            );
            tracing::error!(
                trigger,
                mapping,
                contact.id = contact,
                event.id = id,
                error.code = code,
                error.field = field,
                "no case: {failure}"
            );
        }
    }
}
