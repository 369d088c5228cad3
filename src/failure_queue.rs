//! Amazon SQS: turns a message that can never succeed into a message in the failure queue, with the reason.
//!
//! Nobody has to wait until the retries of such a message are used up.

#![expect(clippy::disallowed_types, reason = "this file is where SQS is called")]

use std::sync::OnceLock;

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder as ConfigBuilder;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::call::{self, Operation};
use crate::deadline::Deadline;
use crate::error::Failure;
use crate::event::{self, Message};

const SEND_MESSAGE: Operation = Operation {
    name: "SendMessage",
    actions: "sqs:SendMessage on the failure queue, and kms:GenerateDataKey and kms:Decrypt on its key",
    quota: "a high number",
    not_found: "the queue does not exist: check CASEBRIDGE_FAILURE_QUEUE",
    refused: "it refuses the message; a queue takes 1 MiB at most, or what its own limit says",
};

/// The client of the failure queue.
#[derive(Clone, Debug)]
pub struct FailureQueue {
    config: SdkConfig,
    /// Created for the first message, because most environments never send one.
    client: OnceLock<Client>,
    url: String,
}

/// The body of a message in the failure queue.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    /// The event as received. It is text if it is not JSON.
    event: Event<'a>,
    error_code: &'static str,
    error_field: &'a str,
    error_message: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Event<'a> {
    Json(&'a RawValue),
    Text(&'a str),
}

impl FailureQueue {
    /// Creates a client of the queue in the account, Region and endpoint of `config`.
    #[must_use]
    pub fn new(config: &SdkConfig, url: String) -> Self {
        Self {
            config: config.clone(),
            client: OnceLock::new(),
            url,
        }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            Client::from_conf(call::configured!(ConfigBuilder::from(&self.config)).build())
        })
    }

    /// Sends a message with the reason why it can never succeed.
    ///
    /// # Errors
    /// SQS returned an error or could not be reached. The message then has to stay in its queue.
    pub async fn send(
        &self,
        message: &Message,
        reason: &Failure,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let call = SEND_MESSAGE.repeatable(deadline)?;
        let body = Body {
            event: serde_json::from_str(&message.body)
                .map_or(Event::Text(&message.body), Event::Json),
            error_code: reason.code.name(),
            error_field: reason.field.as_deref().unwrap_or_default(),
            error_message: &reason.message,
        };
        let mut request = self
            .client()
            .send_message()
            .queue_url(&self.url)
            // Text and raw JSON always serialize to JSON.
            .message_body(serde_json::to_string(&body).unwrap_or_default());
        if event::is_fifo(&self.url) {
            request = request
                .message_group_id(&message.id)
                .message_deduplication_id(&message.id);
        }
        let sent = call::send!(request, call.attempts);
        sent.map(|_| ()).map_err(|error| call.failure(&error))
    }
}
