//! Amazon Connect: what an EventBridge contact event leaves out.
//!
//! `DescribeContact` and `GetContactAttributes` into one JSON value that expressions read beside the event. The answers are passed on as they
//! came, so that a member which Connect adds can be used at once.

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
    /// A client for the account, Region and endpoint of `config`: `AWS_ENDPOINT_URL_CONNECT`, else what the Region's partition has.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }

    /// Reads a contact and its attributes, side by side, as `{"contact": {…}, "Attributes": {…}}`.
    ///
    /// `contact` is the `Contact` of `DescribeContact` as the API has it: members in `PascalCase`, times in seconds since 1970. `Attributes` are
    /// those of the initial contact, which all contacts of a conversation share. Whoever does not know the initial contact gives none: then
    /// `DescribeContact` tells it, and where it is another than this contact the attributes are read once more.
    ///
    /// # Errors
    /// The error of Connect to either read, or that it could not be reached.
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
            // Its failure counts only if the contact could be read.
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
