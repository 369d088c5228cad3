//! `CreateCase` for a call that was abandoned in the queue, with the mapping written into the code.
//!
//! The request has the fields, tags and performer that Casebridge computes from the same event with the mapping that it ships with.

use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::error::BuildError;
use aws_sdk_connectcases::types::{EmptyFieldValue, FieldValue, FieldValueUnion, UserUnion};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

/// The template `Contact follow-up` of the example domain.
const TEMPLATE_ID: &str = "6800e67e-527f-4da6-96ec-4c60da8f3fe2";
const CHANNEL: &str = "8df08078-a22e-4180-85c2-c2af3977a654";
const CONVERSATION_NOTES: &str = "c1b87f1a-7323-491b-99f9-cbef0f69a4d0";
const OWNER: &str = "78b7d0ac-8477-4ce0-8e4c-da11b43c589b";
const PRIORITY: &str = "9ad9b9a2-5e78-454d-b065-a1c284cc4549";

/// The parts of a contact event that the case is made of.
#[derive(Deserialize)]
struct Event {
    source: String,
    region: String,
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    contact_id: String,
    disconnect_timestamp: String,
    queue_info: QueueInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueueInfo {
    enqueue_timestamp: String,
    queue_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    case_id: String,
}

/// Serves invocations with this client.
///
/// # Errors
/// `CASES_DOMAIN_ID` is not set, or Lambda's Runtime API cannot be reached.
pub async fn serve(client: Client) -> Result<(), Error> {
    let domain_id = &std::env::var("CASES_DOMAIN_ID")?;
    let client = &client;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        create_case(client, domain_id, event.payload).await
    }))
    .await
}

async fn create_case(client: &Client, domain_id: &str, event: Event) -> Result<Answer, Error> {
    let Detail {
        contact_id,
        disconnect_timestamp,
        queue_info,
    } = event.detail;
    let notes = format!(
        "Waited from {} to {disconnect_timestamp}",
        queue_info.enqueue_timestamp
    );
    let performer = format!("casebridge/abandoned-call/{}", event.region);
    let created = client
        .create_case()
        .domain_id(domain_id)
        .template_id(TEMPLATE_ID)
        .client_token(&contact_id)
        .fields(text("title", "Call abandoned in the queue")?)
        .fields(text("case_reason", "callback")?)
        .fields(text(CONVERSATION_NOTES, notes)?)
        .fields(text(CHANNEL, "voice")?)
        .fields(text(PRIORITY, "low")?)
        .fields(field(
            OWNER,
            FieldValueUnion::EmptyValue(EmptyFieldValue::builder().build()),
        )?)
        .fields(text("assigned_queue", queue_info.queue_arn)?)
        .tags("source", event.source)
        .tags("trigger", "eventbridge")
        .tags("team", "service")
        .tags("casebridge:key", contact_id)
        .performed_by(UserUnion::CustomEntity(performer))
        .send()
        .await?;
    Ok(Answer {
        case_id: created.case_id,
    })
}

fn text(id: &str, value: impl Into<String>) -> Result<FieldValue, BuildError> {
    field(id, FieldValueUnion::StringValue(value.into()))
}

fn field(id: &str, value: FieldValueUnion) -> Result<FieldValue, BuildError> {
    FieldValue::builder().id(id).value(value).build()
}
