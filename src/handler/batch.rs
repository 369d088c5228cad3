//! Batches: turns the messages of a queue into the list of messages that the queue keeps.
//!
//! A message that is done is removed. A message that a retry can cure is kept.
//! Keeping it costs one of its receives, so the run first waits here as long as there is time.
//! A message that can never succeed goes to the failure queue, with the reason.
//! Without a failure queue it is kept, until the dead-letter queue receives it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::{BatchItemFailure, BatchResponse, Casebridge, Invocation, Response};
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::event::{Event, Message};
use crate::{call, key, panics, request};

/// The number of messages of a standard queue that are handled concurrently. It is the burst that Cases allows.
const SIDE_BY_SIDE: usize = 10;

/// The least time to start a message, because the deadline must not interrupt its work.
const TO_START: Duration = Duration::from_secs(2);

impl Casebridge {
    /// Handles a list of events from EventBridge Pipes or SNS, in order. One event that fails makes the invocation fail.
    ///
    /// No event of a list has an id that could report its failure alone. The sender therefore sends the whole list again.
    /// The events that are done are then found by their keys.
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

    pub(super) async fn batch(
        &self,
        messages: &[Message],
        deadline: Deadline,
        invocation: &Invocation,
    ) -> BatchResponse {
        let kept = if messages.iter().any(|message| message.fifo) {
            self.in_order(messages, deadline, invocation).await
        } else {
            self.side_by_side(messages, deadline, invocation).await
        };
        // A message with several events is kept if any of them is kept. It is listed once.
        let mut named = Vec::with_capacity(kept.len());
        for message in messages {
            if kept.contains(&message.id.as_str()) && !named.contains(&&message.message_id) {
                named.push(&message.message_id);
            }
        }
        let failures = named.into_iter().map(|id| BatchItemFailure {
            item_identifier: id.clone(),
        });
        BatchResponse {
            batch_item_failures: failures.collect(),
        }
    }

    /// Handles messages one after the other. The first message that is kept keeps all messages after it.
    async fn in_order<'a>(
        &self,
        messages: &'a [Message],
        deadline: Deadline,
        invocation: &Invocation,
    ) -> Vec<&'a str> {
        for (index, message) in messages.iter().enumerate() {
            if !self.is_done(message, deadline, invocation).await {
                let rest = messages.get(index..).unwrap_or_default();
                return rest.iter().map(|message| message.id.as_str()).collect();
            }
        }
        Vec::new()
    }

    /// Handles several messages concurrently, but messages of one key in their order.
    ///
    /// Otherwise one of them would wait for the other's claim. Copies of one event get the result of the first.
    async fn side_by_side<'a>(
        &self,
        messages: &'a [Message],
        deadline: Deadline,
        invocation: &Invocation,
    ) -> Vec<&'a str> {
        let runs: Vec<_> = self
            .turns(messages)
            .into_iter()
            .map(|turn| self.done(turn, deadline, invocation))
            .collect();
        let done: Vec<Vec<&str>> = stream::iter(runs)
            .buffer_unordered(SIDE_BY_SIDE)
            .collect()
            .await;
        let done: HashSet<&str> = done.into_iter().flatten().collect();
        let ids = messages.iter().map(|message| message.id.as_str());
        ids.filter(|id| !done.contains(id)).collect()
    }

    /// Returns the messages in turns. Messages of one key are in one turn.
    fn turns<'a>(&self, messages: &'a [Message]) -> Vec<Turn<'a>> {
        let mut turns: Vec<Turn<'a>> = Vec::with_capacity(messages.len());
        let mut by_key: HashMap<String, usize> = HashMap::new();
        for message in messages {
            let key = match &message.event {
                // The run of the event reports the panic.
                Ok(event) => panics::catch(|| self.key(event)).unwrap_or_default(),
                Err(_) => None,
            };
            let next = turns.len();
            let place = key.map_or(next, |key| *by_key.entry(key).or_insert(next));
            match turns.get_mut(place) {
                Some(turn) => turn.add(message),
                None => turns.push(Turn(vec![vec![message]])),
            }
        }
        turns
    }

    /// Returns the key that the event claims, as far as it is known before the event runs.
    ///
    /// A key from the contact's attributes is not known yet. The event's own identity then takes its place.
    fn key(&self, event: &Event) -> Option<String> {
        let case_mapping = event.route(&self.mapping, &self.context.domain_id)?;
        let key = request::client_token(case_mapping, event, &self.context);
        key.ok().or_else(|| key::occurrence(event))
    }

    /// Returns the ids of the turn's messages that the queue may remove.
    async fn done<'a>(
        &self,
        turn: Turn<'a>,
        deadline: Deadline,
        invocation: &Invocation,
    ) -> Vec<&'a str> {
        let mut done = Vec::new();
        for copies in turn.0 {
            if let Some(first) = copies.first()
                && self.is_done(first, deadline, invocation).await
            {
                done.extend(copies.iter().map(|copy| copy.id.as_str()));
            }
        }
        done
    }

    /// Returns true if the queue may remove the message. A panic fails only this message.
    async fn is_done(
        &self,
        message: &Message,
        deadline: Deadline,
        invocation: &Invocation,
    ) -> bool {
        let work = panics::caught(self.handle_message(message, deadline, invocation));
        work.await.unwrap_or_else(|failure| {
            let what = "the message could not be handled";
            let id = Some(message.id.as_str());
            self.telemetry.failure(what, &failure, id, invocation);
            false
        })
    }

    async fn handle_message(
        &self,
        message: &Message,
        deadline: Deadline,
        invocation: &Invocation,
    ) -> bool {
        let id = Some(message.id.as_str());
        if deadline.remaining() < TO_START {
            let reason = "no time is left to begin with it, so it comes again";
            let failure = Failure::new(ErrorCode::OutOfTime, reason);
            let what = "kept a message";
            self.telemetry.failure(what, &failure, id, invocation);
            return false;
        }
        let failure = match &message.event {
            Ok(event) => self
                .event(event, deadline, invocation)
                .await
                .failure()
                .cloned(),
            Err(failure) => {
                let what = "refused a message";
                self.telemetry.failure(what, failure, id, invocation);
                Some(failure.clone())
            }
        };
        match failure {
            None => true,
            Some(failure) if failure.code.is_transient() => false,
            Some(failure) => {
                self.is_put_aside(message, &failure, deadline, invocation)
                    .await
            }
        }
    }

    async fn is_put_aside(
        &self,
        message: &Message,
        reason: &Failure,
        deadline: Deadline,
        invocation: &Invocation,
    ) -> bool {
        let Some(queue) = &self.failure_queue else {
            return false;
        };
        let (sent, calls) = call::listen(queue.send(message, reason, deadline)).await;
        self.telemetry.calls(&calls);
        match sent {
            Ok(()) => true,
            Err(failure) => {
                let what = "the message could not be put into the failure queue";
                let id = Some(message.id.as_str());
                self.telemetry.failure(what, &failure, id, invocation);
                false
            }
        }
    }
}

/// Messages of one key, handled one after the other. Each event has its copies with it.
struct Turn<'a>(Vec<Vec<&'a Message>>);

impl<'a> Turn<'a> {
    /// Adds a message of this key to its copies if there are any, else at the end.
    fn add(&mut self, message: &'a Message) {
        let mut events = self.0.iter_mut();
        let copies =
            events.find(|copies| copies.first().is_some_and(|first| is_copy(first, message)));
        match copies {
            Some(copies) => copies.push(message),
            None => self.0.push(vec![message]),
        }
    }
}

/// Returns true if two messages contain the same event: the same identity and the same content.
///
/// The whole content counts, because a producer may give one id to two events.
fn is_copy(one: &Message, other: &Message) -> bool {
    match (&one.event, &other.event) {
        (Ok(one), Ok(other)) => key::occurrence(one).is_some() && one.root == other.root,
        _ => false,
    }
}
