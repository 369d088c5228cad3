//! The start opens connections, asks nothing of any service, and fails for no network.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::http::{HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use casebridge::deadline::Stopwatch;
use casebridge::live::Live;
use casebridge::start::StartError;
use tokio::time::Instant;

use super::function::{self, sdk_over};

/// Keeps what would go out, and answers as a service does that knows nothing of it; or never.
#[derive(Clone, Debug, Default)]
struct Wire {
    sent: Arc<Mutex<Vec<HttpRequest>>>,
    silent: bool,
}

const CASES: &str = "https://cases.us-east-1.amazonaws.com/";
const LEDGER: &str = "https://dynamodb.us-east-1.amazonaws.com/";
const PROFILES: &str = "https://profile.us-east-1.amazonaws.com/";

impl Wire {
    /// The addresses that were reached, in alphabetical order.
    fn addresses(&self) -> Vec<String> {
        let sent = self.sent.lock().expect("no panic before");
        let mut addresses: Vec<_> = sent
            .iter()
            .map(|request| request.uri().to_owned())
            .collect();
        addresses.sort_unstable();
        addresses
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.sent.lock().expect("no panic before").push(request);
        if self.silent {
            return HttpConnectorFuture::new(std::future::pending());
        }
        let status = StatusCode::try_from(403).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::empty())))
    }
}

/// Starts the function with this mapping and a ledger.
async fn start(mapping: &str, wire: &Wire) -> Result<Live, StartError> {
    let mapping = format!("{}/{mapping}", env!("CARGO_MANIFEST_DIR"));
    let variables = [
        ("CASEBRIDGE_MAPPING", mapping.as_str()),
        ("CASEBRIDGE_LEDGER_TABLE", "ledger"),
    ];
    let config = function::config(&variables).expect("sound");
    let wire = wire.clone();
    let client = http_client_fn(move |_, _| SharedHttpConnector::new(wire.clone()));
    Live::start(config, sdk_over(client), Stopwatch::start()).await
}

#[tokio::test]
async fn what_goes_out_asks_for_nothing() {
    let wire = Wire::default();
    start("mapping.yaml", &wire).await.expect("sound");
    assert_eq!(wire.addresses(), [CASES, LEDGER]);
    let sent = wire.sent.lock().expect("no panic before");
    for request in sent.iter() {
        assert_eq!(request.method(), "HEAD");
        assert_eq!(request.body().bytes(), Some(b"".as_slice()));
        assert_eq!(request.headers().iter().count(), 0);
    }
}

/// Opened at the start where every event needs it; where some do, the first of them opens it.
#[tokio::test]
async fn customer_profiles_is_opened_where_every_case_mapping_searches_it() {
    let wire = Wire::default();
    let live = start("tests/function/every_customer.yaml", &wire).await;
    live.expect("sound");
    assert_eq!(wire.addresses(), [CASES, LEDGER, PROFILES]);
}

#[tokio::test(start_paused = true)]
async fn a_network_without_an_answer_does_not_keep_the_function_from_starting() {
    let wire = Wire {
        silent: true,
        ..Wire::default()
    };
    let begun = Instant::now();
    start("mapping.yaml", &wire).await.expect("sound");
    let took = begun.elapsed();
    assert!(took <= Duration::from_millis(510), "{took:?}");
    assert_eq!(wire.sent.lock().expect("no panic before").len(), 2);
}

/// The author waits for the sentence, not for the network.
#[tokio::test(start_paused = true)]
async fn a_mapping_with_a_fault_stops_the_start_at_once() {
    let wire = Wire {
        silent: true,
        ..Wire::default()
    };
    let begun = Instant::now();
    let started = start("tests/function/faulty.yaml", &wire).await;
    let error = started.expect_err("it is refused").to_string();
    assert!(error.contains("cases"), "{error}");
    assert_eq!(begun.elapsed(), Duration::ZERO);
    // These connections were opened before the mapping was read.
    assert_eq!(wire.addresses(), [CASES, LEDGER]);
}
