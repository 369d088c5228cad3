//! A batch from a queue: which of its messages the queue keeps.
//!
//! A message that is done is gone. One that a retry can cure is kept: that spends one of its receives, so it is waited for in here as long
//! as there is time. One that can never succeed goes to the failure queue, with the reason; without a failure queue it is kept, until the
//! queue's own dead-letter queue has it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::{BatchItemFailure, BatchResponse, Casebridge, Invocation};
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::key;
use crate::trigger::Message;

/// Messages of a standard queue that are worked on side by side: the burst that Cases allows.
const SIDE_BY_SIDE: usize = 10;

/// Nothing is started that the deadline would cut in the middle.
const TO_START: Duration = Duration::from_secs(2);

impl Casebridge {
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
        // A message that holds several events is kept for any of them, and named once.
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

    /// One after the other: the first that is kept keeps all after it.
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

    /// Several at once. Copies of one event share the fate of the first.
    async fn side_by_side<'a>(
        &self,
        messages: &'a [Message],
        deadline: Deadline,
        invocation: &Invocation,
    ) -> Vec<&'a str> {
        let mut originals: HashMap<String, &str> = HashMap::new();
        let mut copies: Vec<(&str, &str)> = Vec::new();
        let mut distinct = Vec::with_capacity(messages.len());
        for message in messages {
            let occurrence = message.event.as_ref().ok().and_then(key::occurrence);
            match occurrence.map(|occurrence| originals.entry(occurrence)) {
                Some(std::collections::hash_map::Entry::Occupied(original)) => {
                    copies.push((&message.id, *original.get()));
                }
                Some(std::collections::hash_map::Entry::Vacant(place)) => {
                    place.insert(&message.id);
                    distinct.push(message);
                }
                None => distinct.push(message),
            }
        }
        let runs: Vec<_> = distinct
            .into_iter()
            .map(|message| self.done(message, deadline, invocation))
            .collect();
        let done: HashSet<&str> = stream::iter(runs)
            .buffer_unordered(SIDE_BY_SIDE)
            .filter_map(std::future::ready)
            .collect()
            .await;
        let original = |id| copies.iter().find(|(copy, _)| *copy == id);
        messages
            .iter()
            .map(|message| message.id.as_str())
            .filter(|id| !done.contains(original(*id).map_or(*id, |(_, original)| *original)))
            .collect()
    }

    /// The message's id, if the queue may forget it.
    async fn done<'a>(
        &self,
        message: &'a Message,
        deadline: Deadline,
        invocation: &Invocation,
    ) -> Option<&'a str> {
        let done = self.is_done(message, deadline, invocation).await;
        done.then_some(&message.id)
    }

    /// Whether the queue may forget the message.
    async fn is_done(
        &self,
        message: &Message,
        deadline: Deadline,
        invocation: &Invocation,
    ) -> bool {
        if deadline.remaining() < TO_START {
            tracing::warn!(
                sqs.message_id = message.id,
                error.code = ErrorCode::OutOfTime.name(),
                "no time is left to begin with this message: it comes again"
            );
            return false;
        }
        let failure = match &message.event {
            Ok(event) => self
                .event(event, deadline, invocation)
                .await
                .failure()
                .cloned(),
            Err(failure) => {
                tracing::error!(
                    error.code = failure.code.name(),
                    sqs.message_id = message.id,
                    "refused a message: {failure}"
                );
                Some(failure.clone())
            }
        };
        match failure {
            None => true,
            Some(failure) if failure.code.is_transient() => false,
            Some(failure) => self.is_put_aside(message, &failure, deadline).await,
        }
    }

    async fn is_put_aside(&self, message: &Message, reason: &Failure, deadline: Deadline) -> bool {
        let Some(queue) = &self.failure_queue else {
            return false;
        };
        match queue.send(message, reason, deadline).await {
            Ok(()) => true,
            Err(failure) => {
                tracing::error!(
                    error.code = failure.code.name(),
                    sqs.message_id = message.id,
                    "the message could not be put into the failure queue: {failure}"
                );
                false
            }
        }
    }
}
