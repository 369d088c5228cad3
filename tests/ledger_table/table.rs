//! A table with its ledger, and the time of day that the ledger goes by.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_types::sdk_config::Builder;
use casebridge::ledger::Ledger;
use cases_emulator::{Emulator, Fault, FaultKind};
use serde_json::{Map, Value};

use super::KEY;
use super::turns::InTurn;

/// A table that holds nothing yet.
pub(crate) struct Table {
    pub(crate) ledger: Ledger,
    pub(crate) clock: Clock,
    client: Client,
    name: String,
}

impl Table {
    /// The emulator's, a moment away: an answer that comes at once would let no other run in between.
    pub(crate) fn in_process() -> Self {
        let emulator = emulator();
        let away = Fault::new(FaultKind::Delay(Duration::from_millis(1)));
        emulator.inject(away.times(u32::MAX));
        Self::of(&emulator)
    }

    /// The one of this emulator.
    pub(crate) fn of(emulator: &Emulator) -> Self {
        let name = "ledger".to_owned();
        emulator.add_table(&name);
        Self::new(
            SdkConfig::builder().http_client(emulator.http_client()),
            name,
        )
    }

    /// A new one at an endpoint.
    pub(crate) async fn over_http(endpoint: &str) -> Self {
        let http = InTurn::new(aws_smithy_http_client::Builder::new().build_http());
        let sdk = SdkConfig::builder()
            .http_client(http)
            .endpoint_url(endpoint);
        let table = Self::new(sdk, format!("ledger-{:016x}", fastrand::u64(..)));
        table.create().await;
        table
    }

    fn new(sdk: Builder, name: String) -> Self {
        let clock = Clock::default();
        let sdk = sdk
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .time_source(SharedTimeSource::new(clock.clone()))
            .build();
        Self {
            ledger: Ledger::new(&sdk, name.clone()),
            clock,
            client: Client::new(&sdk),
            name,
        }
    }

    async fn create(&self) {
        let id = AttributeDefinition::builder()
            .attribute_name("id")
            .attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder()
            .attribute_name("id")
            .key_type(KeyType::Hash);
        self.client
            .create_table()
            .table_name(&self.name)
            .attribute_definitions(id.build().expect("a definition"))
            .key_schema(key.build().expect("a key"))
            .billing_mode(BillingMode::PayPerRequest)
            .send()
            .await
            .expect("the endpoint makes a table");
    }

    /// Takes the table away.
    pub(crate) async fn delete(&self) {
        let deleted = self.client.delete_table().table_name(&self.name);
        deleted.send().await.expect("the table goes");
    }

    /// The key's item; numbers as JSON numbers.
    pub(crate) async fn item(&self) -> Option<Value> {
        let read = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("id", AttributeValue::S(KEY.to_owned()))
            .consistent_read(true);
        let item = read.send().await.expect("the table answers").item?;
        let item: Map<String, Value> = item
            .into_iter()
            .map(|(name, value)| (name, json(&value)))
            .collect();
        Some(Value::Object(item))
    }

    /// Puts the key's item, as another program would.
    pub(crate) async fn put(&self, attributes: &[(&str, AttributeValue)]) {
        let attributes = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let id = ("id".to_owned(), AttributeValue::S(KEY.to_owned()));
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(attributes.chain([id]).collect()));
        put.send().await.expect("the table takes the item");
    }

    /// Sends an update once more, from the body of its request. Returns false if its condition does not hold.
    pub(crate) async fn repeat_update(&self, body: &Value) -> bool {
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let members = |name: &str| body[name].as_object().cloned().unwrap_or_default();
        let names = members("ExpressionAttributeNames").into_iter();
        let names = names.map(|(name, value)| (name, value.as_str().expect("text").to_owned()));
        let values = members("ExpressionAttributeValues").into_iter();
        let values = values.map(|(name, value)| (name, attribute(&value)));
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("id", AttributeValue::S(KEY.to_owned()))
            .set_update_expression(text("UpdateExpression"))
            .set_condition_expression(text("ConditionExpression"))
            .set_expression_attribute_names(Some(names.collect()))
            .set_expression_attribute_values(Some(values.collect()));
        match update.send().await {
            Ok(_) => true,
            Err(error) => {
                let error = error.into_service_error();
                assert!(error.is_conditional_check_failed_exception(), "{error:?}");
                false
            }
        }
    }

    /// Deletes the key's item if its `expiration` is over, as DynamoDB's time to live does in the end.
    pub(crate) async fn expire(&self) {
        let item = self.item().await.expect("an item");
        let expiration = item["expiration"].as_u64().expect("an item that expires");
        if expiration <= self.clock.milliseconds() / 1000 {
            self.remove().await;
        }
    }

    /// Deletes the key's item.
    pub(crate) async fn remove(&self) {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key("id", AttributeValue::S(KEY.to_owned()));
        deleted.send().await.expect("the item goes");
    }
}

pub(crate) fn emulator() -> Emulator {
    let domain = concat!(env!("CARGO_MANIFEST_DIR"), "/domain.json");
    let domain = std::fs::read_to_string(domain).expect("the snapshot is there");
    Emulator::from_snapshot(&domain).expect("the emulator takes the snapshot")
}

/// An attribute's value as the body of a request has it.
pub(crate) fn attribute(value: &Value) -> AttributeValue {
    let text = |kind: &str| value[kind].as_str().map(str::to_owned);
    let number = || AttributeValue::N(text("N").expect("a text or a number"));
    text("S").map_or_else(number, AttributeValue::S)
}

fn json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => text.as_str().into(),
        AttributeValue::N(number) => number.parse::<u64>().expect("a whole number").into(),
        _ => panic!("an item of the ledger has text and numbers alone"),
    }
}

/// A time of day that stands still until it is turned.
#[derive(Clone, Debug)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(1_800_000_000_000)))
    }
}

impl Clock {
    pub(crate) fn turn(&self, time: Duration) {
        let time = u64::try_from(time.as_millis()).expect("a time that a test may take");
        self.0.fetch_add(time, Ordering::SeqCst);
    }

    /// Since 1970.
    pub(crate) fn milliseconds(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.milliseconds())
    }
}
