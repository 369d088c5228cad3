//! The whole function, from payload to answer, through the real SDK against the emulator.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends by panicking, and looks at the clock and the environment"
)]

mod additions;

mod batch;
mod cases;
mod deployed;
mod diagnostics;
mod events;
mod faults;
mod ledger;
mod live;
mod matrix;
mod once;
mod panics;
mod payloads;
mod privacy;
mod schedules;
mod start;
mod telemetry;
mod verdicts;
mod warm_up;
mod wrapped;

use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_async::time::TimeSource;
use casebridge::cases::Cases;
use casebridge::contact::Connect;
use casebridge::customer::Customers;
use casebridge::error::Failure;
use casebridge::guard::Guard;
use casebridge::handler::{Casebridge, Telemetry};
use casebridge::request::{ProfilesDomain, RequestContext};
use cases_emulator::Emulator;
use mapping::diagnostic::Diagnostics;
use mapping::domain::Domain;
use mapping::{LoadContext, Mapping};
use serde_json::Value;
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing::{Dispatch, Subscriber};

/// More time than any event needs.
const AMPLE: Duration = Duration::from_mins(1);

/// The function with an emulator under its SDK.
struct Function {
    casebridge: Casebridge,
    emulator: Emulator,
}

impl Function {
    /// The function as shipped.
    fn shipped() -> Self {
        Self::new("mapping.yaml", &read("mapping.yaml"), &read("domain.json"))
            .expect("the shipped mapping is sound")
    }

    fn new(file: &str, mapping: &str, snapshot: &str) -> Result<Self, Diagnostics> {
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

    fn with(mapping: Mapping, domain_id: &str, emulator: Emulator) -> Self {
        Self {
            casebridge: casebridge(mapping, domain_id, &sdk(&emulator)),
            emulator,
        }
    }

    /// Handles a payload; an error as Lambda would report it.
    async fn handle(&self, payload: &str) -> Value {
        self.handle_within(payload, AMPLE).await
    }

    async fn handle_within(&self, payload: &str, remaining: Duration) -> Value {
        match self.casebridge.handle(payload, remaining).await {
            Ok(response) => serde_json::to_value(response).expect("an answer is JSON"),
            Err(Failure { code, message, .. }) => {
                serde_json::json!({ "errorType": code.name(), "errorMessage": message })
            }
        }
    }

    /// The bodies of the `CreateCase` requests so far, as they came over the wire.
    fn creations(&self) -> Vec<Value> {
        self.bodies("CreateCase")
    }

    /// The bodies of an operation's requests so far.
    fn bodies(&self, operation: &str) -> Vec<Value> {
        let requests = self.emulator.requests().into_iter();
        requests
            .filter(|request| request.operation == operation)
            .map(|request| request.body)
            .collect()
    }

    /// The operations called so far, in their order.
    fn calls(&self) -> Vec<String> {
        let requests = self.emulator.requests().into_iter();
        requests.map(|request| request.operation).collect()
    }
}

/// The domain of a snapshot, and the shipped customers.
fn emulator(snapshot: &str) -> Emulator {
    let emulator = Emulator::from_snapshot(snapshot).expect("the emulator takes the snapshot");
    emulator
        .set_profiles(&read("profiles.json"))
        .expect("the emulator takes the profiles");
    emulator
}

/// What the SDK's clients are made from, with the emulator as their service.
fn sdk(emulator: &Emulator) -> SdkConfig {
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(emulator.http_client())
        .build();
    in_test(&sdk)
}

/// The configuration with Region, credentials and time of the tests.
fn in_test(sdk: &SdkConfig) -> SdkConfig {
    sdk.to_builder()
            .region(Region::new("us-east-1"))
            .credentials_provider(
                aws_credential_types::provider::SharedCredentialsProvider::new(
                    Credentials::for_tests(),
                ),
            )
            .time_source(TokioTime(tokio::time::Instant::now()))
            .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(
                aws_smithy_async::rt::sleep::TokioSleep::new(),
            ))
            .build()
}

fn casebridge(mapping: Mapping, domain_id: &str, sdk: &SdkConfig) -> Casebridge {
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

/// Time of day that begins with 2026, as the emulator's does, and passes with tokio's clock.
#[derive(Debug)]
struct TokioTime(tokio::time::Instant);

impl TimeSource for TokioTime {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(490_896) + self.0.elapsed()
    }
}

/// Hands this thread's lines of the log to a subscriber, until the guard is dropped.
fn log_to(subscriber: impl Subscriber + Send + Sync + 'static) -> DefaultGuard {
    // Beside a single subscriber, tracing asks the thread that is first at a line whether anybody wants it, and that thread may have none.
    static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));
    LazyLock::force(&ANOTHER);
    tracing::subscriber::set_default(subscriber)
}

/// A file of the repository.
fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(path: impl AsRef<Path>) -> Value {
    serde_json::from_str(&read(path)).expect("the file is JSON")
}

/// Holds the part of a page between `<!-- NAME -->` and `<!-- /NAME -->` to what was measured; with `UPDATE_DOCS` set, writes it.
fn generated(page: &str, name: &str, measured: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = read(page);
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&begin).expect("the part begins");
    let (found, after) = rest.split_once(&end).expect("the part ends");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let text = format!("{before}{begin}{measured}{end}{after}");
        std::fs::write(path, text).expect("the page can be written");
    } else {
        assert_eq!(found, measured, "{page}");
    }
}
