//! The function under test: the real pipeline and the real SDK, with an emulator in place of AWS.

use std::path::Path;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::HttpClient;
use casebridge::cases::Cases;
use casebridge::config::{Config, ConfigError};
use casebridge::contact::Connect;
use casebridge::customer::Customers;
use casebridge::error::Failure;
use casebridge::failure_queue::FailureQueue;
use casebridge::guard::Guard;
use casebridge::handler::{Casebridge, Telemetry};
use casebridge::ledger::Ledger;
use casebridge::request::{ProfilesDomain, RequestContext};
use cases_emulator::{Emulator, Fault};
use mapping::diagnostic::Diagnostics;
use mapping::domain::Domain;
use mapping::{LoadContext, Mapping};
use serde_json::Value;
use tokio::time::{Instant, timeout};

/// More time than any event needs.
pub(crate) const AMPLE: Duration = Duration::from_mins(1);

/// The ledger's table.
pub(crate) const TABLE: &str = "ledger";

/// The failure queue.
pub(crate) const FAILURES: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/failures";

/// The function with an emulator under its SDK.
pub(crate) struct Function {
    pub(crate) casebridge: Casebridge,
    pub(crate) emulator: Emulator,
    /// The moment at which the clocks of the tests began.
    pub(crate) start: Instant,
}

impl Function {
    /// The function as shipped.
    pub(crate) fn shipped() -> Self {
        Self::new("mapping.yaml", &read("mapping.yaml"), &read("domain.json"))
            .expect("the shipped mapping is sound")
    }

    /// The function with this mapping and the shipped snapshot.
    pub(crate) fn of(mapping: &str) -> Self {
        Self::new("mapping.yaml", mapping, &read("domain.json")).expect("the mapping is sound")
    }

    pub(crate) fn new(file: &str, mapping: &str, snapshot: &str) -> Result<Self, Diagnostics> {
        let domain = Domain::from_json(snapshot).expect("the snapshot is sound");
        let context = LoadContext {
            domain: Some(&domain),
            entity_prefix: "casebridge/",
        };
        Ok(Self::with(
            Mapping::load(file, mapping, context)?,
            &domain.id,
            emulator(snapshot),
        ))
    }

    pub(crate) fn with(mapping: Mapping, domain_id: &str, emulator: Emulator) -> Self {
        Self {
            casebridge: casebridge(mapping, domain_id, &sdk(&emulator)),
            emulator,
            start: Instant::now(),
        }
    }

    /// Adds a ledger.
    pub(crate) fn with_ledger(mut self) -> Self {
        self.emulator.add_table(TABLE);
        self.casebridge.ledger = Some(Ledger::new(&sdk(&self.emulator), TABLE.to_owned()));
        self
    }

    /// Adds a failure queue.
    pub(crate) fn with_failure_queue(mut self) -> Self {
        self.emulator.add_queue(FAILURES);
        let queue = FailureQueue::new(&sdk(&self.emulator), FAILURES.to_owned());
        self.casebridge.failure_queue = Some(queue);
        self
    }

    /// Returns another environment with the same services. It has its own mapping, and a clock that is ahead by `skew` milliseconds.
    pub(crate) fn another(&self, mapping: &str, skew: i64) -> Self {
        let mapping = Self::of(mapping).casebridge.mapping;
        let mut other = Self::with(mapping, self.emulator.domain_id(), self.emulator.clone());
        let start = self.start;
        let sdk = sdk(&self.emulator)
            .to_builder()
            .time_source(TokioTime { start, skew })
            .build();
        other.start = start;
        if self.casebridge.ledger.is_some() {
            other.casebridge.ledger = Some(Ledger::new(&sdk, TABLE.to_owned()));
        }
        if self.casebridge.failure_queue.is_some() {
            other.casebridge.failure_queue = Some(FailureQueue::new(&sdk, FAILURES.to_owned()));
        }
        other
    }

    /// Handles a payload; an error as Lambda would report it.
    pub(crate) async fn handle(&self, payload: &str) -> Value {
        self.handle_within(payload, AMPLE).await
    }

    pub(crate) async fn handle_within(&self, payload: &str, remaining: Duration) -> Value {
        match self.casebridge.handle(payload, remaining).await {
            Ok(response) => serde_json::to_value(response).expect("an answer is JSON"),
            Err(Failure { code, message, .. }) => {
                serde_json::json!({ "errorType": code.name(), "errorMessage": message })
            }
        }
    }

    /// Handles a payload with so many seconds left.
    pub(crate) async fn handle_for(&self, seconds: u64, payload: &str) -> Value {
        self.handle_within(payload, Duration::from_secs(seconds))
            .await
    }

    /// Begins to handle a payload with so many seconds left, and drops the run after `lives` milliseconds, as if its environment died.
    pub(crate) async fn dies_after(&self, lives: u64, payload: &str, seconds: u64) {
        let run = self.handle_for(seconds, payload);
        let died = timeout(Duration::from_millis(lives), run).await;
        assert!(died.is_err(), "the run ended before its death: {died:?}");
    }

    /// Injects a fault for the requests that it counts.
    pub(crate) fn inject(&self, fault: Fault) {
        self.emulator.inject(fault);
    }

    /// Injects a fault for all requests until the faults are cleared.
    pub(crate) fn always(&self, fault: Fault) {
        self.emulator.inject(fault.times(100_000));
    }

    pub(crate) fn clear_faults(&self) {
        self.emulator.clear_faults();
    }

    /// Returns the bodies of the messages in the failure queue.
    pub(crate) fn put_aside(&self) -> Vec<Value> {
        let messages = self.emulator.messages(FAILURES).into_iter();
        messages
            .map(|message| message["body"].as_str().expect("a body").to_owned())
            .map(|body| serde_json::from_str(&body).expect("the body is JSON"))
            .collect()
    }

    /// Counts the cases, links and comments.
    pub(crate) fn counts(&self) -> [usize; 3] {
        let items = self.emulator.related_items();
        let count = |kind: &str| items.iter().filter(|item| item["type"] == kind).count();
        [
            self.emulator.cases().len(),
            count("Contact"),
            count("Comment"),
        ]
    }

    /// The bodies of the `CreateCase` requests so far, as they came over the wire.
    pub(crate) fn creations(&self) -> Vec<Value> {
        self.bodies("CreateCase")
    }

    /// The bodies of an operation's requests so far.
    pub(crate) fn bodies(&self, operation: &str) -> Vec<Value> {
        let requests = self.emulator.requests().into_iter();
        requests
            .filter(|request| request.operation == operation)
            .map(|request| request.body)
            .collect()
    }

    /// The operations called so far, in their order.
    pub(crate) fn calls(&self) -> Vec<String> {
        let requests = self.emulator.requests().into_iter();
        requests.map(|request| request.operation).collect()
    }
}

/// The domain of a snapshot, and the shipped customers.
pub(crate) fn emulator(snapshot: &str) -> Emulator {
    let emulator = Emulator::from_snapshot(snapshot).expect("the emulator takes the snapshot");
    emulator
        .set_profiles(&read("profiles.json"))
        .expect("the emulator takes the profiles");
    emulator
}

/// The configuration of the SDK's clients, with the emulator as their service.
pub(crate) fn sdk(emulator: &Emulator) -> SdkConfig {
    sdk_over(emulator.http_client())
}

/// The configuration of the SDK's clients, over an HTTP client.
pub(crate) fn sdk_over(client: impl HttpClient + 'static) -> SdkConfig {
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(client)
        .build();
    in_test(&sdk)
}

/// The function's configuration with the shipped files, and with more variables.
pub(crate) fn config(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let shipped = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("CASES_DOMAIN_ID", "3ceaaf30-8142-48ea-91d9-3080f9b439fc"),
        ("PROFILES_DOMAIN", "amazon-connect-example"),
    ];
    let get = |name: &str| {
        let mut all = variables.iter().chain(&shipped);
        let (_, value) = all.find(|(variable, _)| *variable == name)?;
        Some((*value).to_owned())
    };
    Config::read(&get, &[env!("CARGO_MANIFEST_DIR").into()])
}

/// The configuration with Region, credentials and time of the tests.
pub(crate) fn in_test(sdk: &SdkConfig) -> SdkConfig {
    sdk.to_builder()
            .region(Region::new("us-east-1"))
            .credentials_provider(
                aws_credential_types::provider::SharedCredentialsProvider::new(
                    Credentials::for_tests(),
                ),
            )
            .time_source(TokioTime::starting_now())
            .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(
                aws_smithy_async::rt::sleep::TokioSleep::new(),
            ))
            .build()
}

pub(crate) fn casebridge(mapping: Mapping, domain_id: &str, sdk: &SdkConfig) -> Casebridge {
    let sdk = in_test(sdk);
    let profiles = ProfilesDomain {
        region: "us-east-1".to_owned(),
        account: "111122223333".to_owned(),
        name: "amazon-connect-example".to_owned(),
    };
    Casebridge {
        mapping,
        guard: Guard {
            entity_prefix: "casebridge/".to_owned(),
            region: "us-east-1".to_owned(),
            ..Guard::default()
        },
        context: RequestContext {
            domain_id: domain_id.to_owned(),
            domain_arn: Some(format!(
                "arn:aws:cases:us-east-1:111122223333:domain/{domain_id}"
            )),
            entity_prefix: "casebridge/".to_owned(),
            profiles: Some(profiles.clone()),
        },
        cases: Cases::new(&sdk),
        customers: Customers::new(&sdk, Some(profiles)),
        connect: Some(Connect::new(&sdk)),
        ledger: None,
        failure_queue: None,
        telemetry: Telemetry::default(),
        flow_budget: Duration::from_millis(2500),
    }
}

/// A time of day that begins with 2026, as the emulator's does, and passes with tokio's clock.
#[derive(Debug)]
pub(crate) struct TokioTime {
    pub(crate) start: Instant,
    /// The milliseconds by which the clock is ahead; negative where it is behind.
    pub(crate) skew: i64,
}

impl TokioTime {
    pub(crate) fn starting_now() -> Self {
        Self {
            start: Instant::now(),
            skew: 0,
        }
    }
}

impl TimeSource for TokioTime {
    fn now(&self) -> SystemTime {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(490_896) + self.start.elapsed();
        let skew = Duration::from_millis(self.skew.unsigned_abs());
        if self.skew < 0 {
            now - skew
        } else {
            now + skew
        }
    }
}

/// A file of the repository.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
