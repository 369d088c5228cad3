//! The emulated services, and the function that runs against them.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, anyhow};
use cases_emulator::{Emulator, Request};
use mapping::domain::Domain;
use runtime_api::{Answer, Function, FunctionConfiguration, FunctionError};
use serde_json::Value;
use tokio::net::TcpListener;

use super::case::customer_id;

use super::outcome::{self, Outcome};
use crate::failures::{self, MessageFailure};
use crate::sources::Files;

/// The function's time-out: a flow waits 8 seconds at most.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The endpoint variables of the emulated services.
const ENDPOINTS: [&str; 4] = [
    "AWS_ENDPOINT_URL_CONNECTCASES",
    "AWS_ENDPOINT_URL_CUSTOMER_PROFILES",
    "AWS_ENDPOINT_URL_CONNECT",
    "AWS_ENDPOINT_URL_SQS",
];

/// Function and emulator, running; both end when this is dropped.
pub(super) struct Harness {
    pub(super) function: Function,
    pub(super) emulator_address: SocketAddr,
    pub(super) domain: Domain,
    pub(super) emulator: Emulator,
    /// The name of the Customer Profiles domain.
    pub(super) profiles_domain: String,
    failure_queue: String,
}

/// The result of one event: the answer, the requests, and the cases.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) outcome: Outcome,
    /// The payload that a caller of Lambda's Invoke receives.
    pub(super) answer: Value,
    pub(super) requests: Vec<Request>,
    /// Cases made by this event, and the one that its answer names; each with its profile and related items.
    pub(super) cases: Vec<Value>,
    /// Messages of a batch that the function sent to the failure queue.
    pub(super) failed_messages: Vec<MessageFailure>,
    /// The function's log of this event.
    pub(super) log: Vec<String>,
}

impl Harness {
    /// # Errors
    ///
    /// A snapshot that is missing or wrong, and whatever keeps the function from starting, in its own words.
    pub(super) async fn start(
        sources: Files,
        binary: PathBuf,
        preferred_port: Option<u16>,
    ) -> anyhow::Result<Self> {
        let emulator = sources.emulator()?.with_start_time(SystemTime::now());
        let profiles_domain = sources.variable("PROFILES_DOMAIN").unwrap_or_default();

        let listener = listen(preferred_port).await?;
        let emulator_address = listener.local_addr()?;
        tokio::spawn(emulator.clone().serve(listener, std::future::pending()));

        let mut configuration = FunctionConfiguration::new(binary)
            .function_name("casebridge")
            .timeout(TIMEOUT)
            .env("AWS_LAMBDA_LOG_FORMAT", "Text");
        for name in ENDPOINTS {
            configuration = configuration.env(name, format!("http://{emulator_address}"));
        }
        // As in a deployment, a message that can never succeed goes to the failure queue with its reason.
        let queue = sources.variable("CASEBRIDGE_FAILURE_QUEUE");
        let failure_queue = queue.unwrap_or_else(|| failures::QUEUE.to_owned());
        emulator.add_queue(&failure_queue);
        configuration = configuration.env("CASEBRIDGE_FAILURE_QUEUE", &failure_queue);
        for (name, value) in sources.variables {
            configuration = configuration.env(name, value);
        }
        let function = configuration.start().await.map_err(refusal)?;
        let domain = Domain::from_json(&sources.snapshot)?;
        Ok(Self {
            function,
            emulator_address,
            domain,
            emulator,
            profiles_domain,
            failure_queue,
        })
    }

    /// Sends one event. A function that fails at it is an outcome, not an error.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub(super) async fn send(&self, event: &Path) -> anyhow::Result<Run> {
        let payload = std::fs::read(event)
            .with_context(|| format!("{} could not be read", event.display()))?;
        let text = String::from_utf8_lossy(&payload).into_owned();
        self.emulator.clear_requests();
        // This replaces the queue that earlier events have filled.
        self.emulator.add_queue(&self.failure_queue);
        let known: HashSet<_> = self.emulator.cases().iter().filter_map(case_id).collect();
        let answer: Result<Answer, FunctionError> = self.function.invoke(payload).await;
        let payload = outcome::payload(&answer);
        let failed_messages =
            MessageFailure::read(&text, &self.emulator.messages(&self.failure_queue));
        let outcome = Outcome::read(&answer, &payload).with_failed_messages(&failed_messages);
        let is_of_event = |case: &Value| {
            let id = case_id(case);
            id.is_some() && (id == outcome.case_id || id.is_some_and(|id| !known.contains(&id)))
        };
        Ok(Run {
            answer: payload,
            requests: self.emulator.requests(),
            cases: self
                .emulator
                .cases()
                .into_iter()
                .filter(is_of_event)
                .map(|case| self.with_related_items(case))
                .collect(),
            failed_messages,
            log: self.function.take_output(),
            outcome,
        })
    }

    /// A case with its customer's `profile` and its `relatedItems`, where it has them.
    fn with_related_items(&self, mut case: Value) -> Value {
        let id = case_id(&case);
        let items = self.emulator.related_items().into_iter();
        let items: Vec<Value> = items.filter(|item| case_id(item) == id).collect();
        let profile = customer_id(&case).and_then(|customer| {
            let mut profiles = self.emulator.profiles().into_iter();
            profiles.find(|profile| {
                let id = profile.get("ProfileId").and_then(Value::as_str);
                id.is_some() && id == customer.rsplit('/').next()
            })
        });
        if let Value::Object(case) = &mut case {
            if let Some(profile) = profile {
                case.insert("profile".to_owned(), profile);
            }
            if !items.is_empty() {
                case.insert("relatedItems".to_owned(), items.into());
            }
        }
        case
    }
}

/// Listens on a loopback port: the preferred one if it is free, else any.
pub(super) async fn listen(preferred: Option<u16>) -> anyhow::Result<TcpListener> {
    if let Some(port) = preferred
        && let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
    {
        return Ok(listener);
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("no port could be bound on 127.0.0.1")
}

fn case_id(case: &Value) -> Option<String> {
    case.get("caseId")?.as_str().map(str::to_owned)
}

/// Returns the function's own last words alone, since they are what the reader needs.
fn refusal(error: FunctionError) -> anyhow::Error {
    match error {
        FunctionError::Exited { output, .. } if !output.lines().is_empty() => {
            anyhow!(output.lines().join("\n"))
        }
        other => anyhow::Error::new(other),
    }
}
