//! Pulls from an emulator in this very process, and what is told of what they find.

mod differences;
mod domains;
mod large;

use aws_credential_types::Credentials;
use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::config::retry::RetryConfig;
use aws_sdk_connectcases::config::{BehaviorVersion, Region};
use cases_emulator::Emulator;
use indicatif::ProgressBar;
use serde_json::Value;

use super::reader::Reader;
use super::snapshot::Snapshot;

const EXAMPLE: &str = include_str!("../../../../domain.json");
const MAPPING: &str = include_str!("../../../../mapping.yaml");

/// A reader of the emulator. It tries nothing twice, so that a throttled request fails.
fn reader(emulator: &Emulator) -> Reader {
    reader_with(RetryConfig::disabled(), emulator)
}

fn reader_with(retries: RetryConfig, emulator: &Emulator) -> Reader {
    let config = aws_sdk_connectcases::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::from_keys("key", "secret", None))
        .retry_config(retries)
        .http_client(emulator.http_client());
    let client = Client::from_conf(config.build());
    Reader::new(client, "in us-east-1".to_owned(), ProgressBar::hidden())
}

async fn pull(emulator: &Emulator) -> anyhow::Result<Snapshot> {
    super::pull(&reader(emulator), None, None).await
}

fn emulator(snapshot: &str) -> Emulator {
    Emulator::from_snapshot(snapshot).expect("a sound snapshot")
}

/// The shipped example, to change.
fn example() -> Value {
    serde_json::from_str(EXAMPLE).expect("JSON")
}
