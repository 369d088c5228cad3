//! Tests through the official SDK clients, in process and over a socket, and with raw requests that the
//! clients would not send.

#![expect(
    clippy::expect_used,
    reason = "what the set-up of a test expects is part of the test"
)]

mod any_request;
mod cases;
mod connect;
mod domain;
mod dynamodb;
mod faults;
mod profiles;
mod refusals;
mod related_items;
mod server;
mod sqs;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::config::retry::RetryConfig;
use aws_sdk_connectcases::config::{BehaviorVersion, Region};
use aws_sdk_connectcases::operation::create_case::builders::CreateCaseFluentBuilder;
use aws_sdk_connectcases::types::{FieldIdentifier, FieldValue, FieldValueUnion};
use aws_types::SdkConfig;
use bytes::Bytes;
use cases_emulator::Emulator;
use serde_json::Value;

const DOMAIN: &str = include_str!("domain.json");
const PROFILES: &str = include_str!("profiles.json");
const CONTACTS: &str = include_str!("contacts.json");

fn emulator() -> Emulator {
    Emulator::from_snapshot(DOMAIN).expect("a snapshot")
}

/// Returns an emulator with the profiles domain `amazon-connect-example`.
fn with_profiles() -> Emulator {
    let emulator = emulator();
    let profiles = emulator.set_profiles(PROFILES);
    profiles.expect("a seed");
    emulator
}

/// Returns the ARN of a profile of that domain, in the Cases domain's account and Region.
fn profile_arn(id: &str) -> String {
    format!("arn:aws:profile:us-east-1:123456789012:domains/amazon-connect-example/profiles/{id}")
}

/// Returns the configuration of the clients: a Region, made-up credentials, no retries.
fn config() -> aws_types::sdk_config::Builder {
    let credentials = Credentials::new("key", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
}

/// Returns the configuration of clients on the emulator, without a socket.
fn in_process(emulator: &Emulator) -> SdkConfig {
    config().http_client(emulator.http_client()).build()
}

/// Returns the official client of Cases on the emulator.
fn client(emulator: &Emulator) -> Client {
    Client::new(&in_process(emulator))
}

fn text(id: &str, text: &str) -> FieldValue {
    let value = FieldValueUnion::StringValue(text.to_owned());
    let field = FieldValue::builder().id(id).value(value).build();
    field.expect("a field has an id and a value")
}

fn identifier(id: &str) -> FieldIdentifier {
    FieldIdentifier::builder()
        .id(id)
        .build()
        .expect("an identifier has an id")
}

/// Returns a request for a case with this title, of the template without other required fields.
fn plain_case(client: &Client, title: &str) -> CreateCaseFluentBuilder {
    client
        .create_case()
        .domain_id("d-1")
        .template_id("t-plain")
        .fields(text("title", title))
}

/// Creates a case with this title and returns its id.
async fn make(client: &Client, title: &str) -> String {
    let made = plain_case(client, title).send().await;
    made.expect("a plain case is accepted").case_id
}

/// Posts a body; returns status, `x-amzn-errortype` and the answer's body.
async fn post(emulator: &Emulator, path: &str, body: &str) -> (u16, String, Value) {
    send(emulator, http::Request::post(path), body).await
}

/// Gets a path; returns what `post` returns.
async fn get(emulator: &Emulator, path: &str) -> (u16, String, Value) {
    send(emulator, http::Request::get(path), "").await
}

async fn send(
    emulator: &Emulator,
    request: http::request::Builder,
    body: &str,
) -> (u16, String, Value) {
    let request = request
        .body(Bytes::from(body.to_owned()))
        .expect("the path is a path");
    let response = emulator.respond(request).await.expect("an answer");
    let name = response.headers().get("x-amzn-errortype");
    let name = name.map_or("", |name| name.to_str().expect("a name"));
    let body = serde_json::from_slice(response.body()).expect("JSON");
    (response.status().as_u16(), name.to_owned(), body)
}
