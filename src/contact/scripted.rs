//! A scripted Connect for tests: turns a request of the SDK into the reply that the test defines.
//!
//! It replaces the SDK's HTTP client and records the requests.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::StaticTimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_types::sdk_config::Builder;
use serde_json::Value;

use super::Connect;
use crate::deadline::Deadline;
use crate::error::Failure;

pub(super) const INSTANCE: &str = "11111111-2222-3333-4444-555555555555";
pub(super) const CONTACT: &str = "aaaaaaaa-0000-0000-0000-000000000001";
pub(super) const INITIAL: &str = "aaaaaaaa-0000-0000-0000-000000000000";

/// Enough time for every retry.
pub(super) const AMPLE: Duration = Duration::from_secs(30);

/// The client, with the requests that it sent.
pub(super) struct Service {
    pub(super) connect: Connect,
    requests: Requests,
}

type Requests = Arc<Mutex<Vec<HttpRequest>>>;
type Script = Box<dyn Fn(&str, usize) -> Reply + Send + Sync>;

/// The reply to a request.
pub(super) enum Reply {
    /// A status, the error's name in `x-amzn-errortype` unless empty, and a body.
    Answer(u16, &'static str, String),
    /// The connection breaks.
    Broken,
    /// No reply at all.
    Silence,
}

impl Reply {
    pub(super) fn ok(body: impl Into<String>) -> Self {
        Self::Answer(200, "", body.into())
    }
}

impl Service {
    /// Creates a service. `reply` gets a request's path and the number of earlier requests on that path.
    pub(super) fn new(reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::configured(sdk("us-west-2"), reply)
    }

    /// Creates a service with one reply to `DescribeContact` and another to `GetContactAttributes`.
    pub(super) fn with(
        contact: impl Fn() -> Reply + Send + Sync + 'static,
        attributes: impl Fn() -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::new(move |path, _| {
            if path.starts_with("/contacts/") {
                contact()
            } else {
                attributes()
            }
        })
    }

    pub(super) fn configured(
        sdk: Builder,
        reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let requests = Requests::default();
        let connector = SharedHttpConnector::new(Scripted {
            requests: Arc::clone(&requests),
            reply: Box::new(reply),
        });
        let sdk = sdk.http_client(http_client_fn(move |_, _| connector.clone()));
        Self {
            connect: Connect::new(&sdk.build()),
            requests,
        }
    }

    pub(super) async fn read(&self, initial: Option<&str>) -> Result<Value, Failure> {
        self.read_within(initial, AMPLE).await
    }

    pub(super) async fn read_within(
        &self,
        initial: Option<&str>,
        time: Duration,
    ) -> Result<Value, Failure> {
        let deadline = Deadline::after(time);
        self.connect
            .read(INSTANCE, CONTACT, initial, deadline)
            .await
    }

    /// Returns the result of `tell` for each request that was sent.
    pub(super) fn sent(&self, tell: impl Fn(&HttpRequest) -> String) -> Vec<String> {
        let requests = self.requests.lock();
        let requests = requests.unwrap_or_else(PoisonError::into_inner);
        requests.iter().map(tell).collect()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.sent(|request| split(request).1.to_owned())
    }
}

/// Splits a request's URL into scheme and host, and path.
pub(super) fn split(request: &HttpRequest) -> (&str, &str) {
    let uri = request.uri();
    let path = uri.match_indices('/').nth(2);
    uri.split_at(path.map_or(uri.len(), |(at, _)| at))
}

/// Returns a configuration with credentials and a fixed clock.
pub(super) fn sdk(region: &str) -> Builder {
    let credentials = Credentials::for_tests();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .sleep_impl(TokioSleep::new())
        .time_source(StaticTimeSource::from_secs(1_770_000_000))
}

struct Scripted {
    requests: Requests,
    reply: Script,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

impl HttpConnector for Scripted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let path = split(&request).1.to_owned();
        let requests = self.requests.lock();
        let mut requests = requests.unwrap_or_else(PoisonError::into_inner);
        let before = requests.iter().filter(|other| split(other).1 == path);
        let before = before.count();
        requests.push(request);
        match (self.reply)(&path, before) {
            Reply::Answer(status, error, body) => {
                let status = status.try_into().expect("a status");
                let mut response = HttpResponse::new(status, SdkBody::from(body));
                response.headers_mut().insert("x-amzn-requestid", "r-1");
                if !error.is_empty() {
                    response.headers_mut().insert("x-amzn-errortype", error);
                }
                HttpConnectorFuture::ready(Ok(response))
            }
            Reply::Broken => HttpConnectorFuture::ready(Err(ConnectorError::io("reset".into()))),
            Reply::Silence => HttpConnectorFuture::new(std::future::pending()),
        }
    }
}
