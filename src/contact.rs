//! Amazon Connect: turns the ids of an EventBridge contact event into the contact's data, which the event leaves out.
//!
//! `DescribeContact` and `GetContactAttributes` become one JSON value that expressions read in addition to the event.
//! The answers are not changed, so that a member that Connect adds can be used at once.

mod client;
mod endpoint;

use aws_config::SdkConfig;
use serde_json::{Value, json};

use self::client::Client;
use crate::call::Operation;
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};

const DESCRIBE_CONTACT: Operation = Operation {
    name: "DescribeContact",
    actions: "connect:DescribeContact and connect:GetContactAttributes",
    quota: "10 a second",
    not_found: NOT_FOUND,
    refused: REFUSED,
};

const GET_CONTACT_ATTRIBUTES: Operation = Operation {
    name: "GetContactAttributes",
    ..DESCRIBE_CONTACT
};

const NOT_FOUND: &str = "the instance does not know the contact: it is of another instance or Region, or so old that Connect no longer keeps it";
const REFUSED: &str = "it does not take the ids of instance and contact: expected are those of the event, as Connect wrote them";

/// The client of the Connect instance.
#[derive(Clone, Debug)]
pub struct Connect {
    client: Client,
}

impl Connect {
    /// Creates a client for the account, Region and endpoint of `config`.
    ///
    /// The endpoint is the configured one (`AWS_ENDPOINT_URL_CONNECT`), else that of the Region's partition.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }

    /// Reads a contact and its attributes concurrently, as `{"contact": {…}, "Attributes": {…}}`.
    ///
    /// `contact` is the `Contact` of `DescribeContact`, as in the API: members in `PascalCase`, times in seconds since 1970.
    /// `Attributes` are those of the initial contact, which all contacts of a conversation share.
    ///
    /// A caller that does not know the initial contact passes `None`. `DescribeContact` then names it.
    /// If the initial contact is another one, its attributes are read in a second request.
    ///
    /// # Errors
    /// Connect returned an error to either read, or could not be reached.
    pub async fn read(
        &self,
        instance_id: &str,
        contact_id: &str,
        initial_contact_id: Option<&str>,
        deadline: Deadline,
    ) -> Result<Value, Failure> {
        let attributes_of = |id| self.attributes(instance_id, id, deadline);
        let (contact, attributes) = tokio::try_join!(
            self.describe(instance_id, contact_id, deadline),
            // An error of this read counts only if the contact could be read.
            async { Ok(attributes_of(initial_contact_id.unwrap_or(contact_id)).await) },
        )?;
        let told = contact.get("InitialContactId").and_then(Value::as_str);
        let attributes = match told {
            Some(id) if initial_contact_id.is_none() && id != contact_id => attributes_of(id).await,
            _ => attributes,
        };
        Ok(json!({ "contact": contact, "Attributes": attributes? }))
    }

    async fn describe(
        &self,
        instance_id: &str,
        contact_id: &str,
        deadline: Deadline,
    ) -> Result<Value, Failure> {
        let path = ["contacts", instance_id, contact_id];
        let mut answer = self.get(&DESCRIBE_CONTACT, &path, deadline).await?;
        match answer.get_mut("Contact").map(Value::take) {
            Some(contact @ Value::Object(_)) => Ok(contact),
            _ => Err(Failure::new(
                ErrorCode::ServiceUnavailable,
                "DescribeContact gave an answer without a contact",
            )),
        }
    }

    async fn attributes(
        &self,
        instance_id: &str,
        initial_contact_id: &str,
        deadline: Deadline,
    ) -> Result<Value, Failure> {
        let path = ["contact", "attributes", instance_id, initial_contact_id];
        let mut answer = self.get(&GET_CONTACT_ATTRIBUTES, &path, deadline).await?;
        match answer.get_mut("Attributes").map(Value::take) {
            Some(attributes @ Value::Object(_)) => Ok(attributes),
            _ => Ok(json!({})),
        }
    }

    async fn get(
        &self,
        operation: &'static Operation,
        path: &[&str],
        deadline: Deadline,
    ) -> Result<Value, Failure> {
        let call = operation.repeatable(deadline)?;
        let sent = self.client.get(operation.name, path, &call).await;
        sent.map_err(|error| call.failure(&error))
    }
}

#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tests;
