//! Between the SDK and the services: time passes there, and faults happen. A request that has left goes on without its sender.

mod request;
mod seen;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use cases_emulator::Emulator;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use self::request::read;
pub(crate) use self::seen::{Effect, Seen};
use crate::assumptions::Broken;
use crate::clock::Clock;
use crate::faults::{Fault, Weather, transit};
use crate::trace::Trace;

/// The longest an answer is late: longer than any attempt waits.
const SLOW_ANSWER: Duration = Duration::from_secs(12);

/// The network of a world.
#[derive(Debug)]
pub(crate) struct Wire {
    emulator: Emulator,
    trace: Trace,
    weather: Weather,
    /// How late a request may arrive.
    late: Duration,
    broken: Option<Broken>,
    clock: Clock,
    /// Who hears of the cases and related items that come to be.
    changes: Option<mpsc::UnboundedSender<Effect>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: fastrand::Rng,
    fair: bool,
    seen: Seen,
}

impl Wire {
    pub(crate) fn new(
        emulator: Emulator,
        trace: Trace,
        weather: Weather,
        late: Duration,
        broken: Option<Broken>,
        clock: Clock,
        random: fastrand::Rng,
    ) -> Self {
        Self {
            emulator,
            trace,
            weather,
            late,
            broken,
            clock,
            changes: None,
            state: Mutex::new(State {
                random,
                fair: false,
                seen: Seen::default(),
            }),
        }
    }

    /// The wire, and the cases and related items that come to be through it.
    pub(crate) fn with_changes(mut self) -> (Self, mpsc::UnboundedReceiver<Effect>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.changes = Some(sender);
        (self, receiver)
    }

    /// The HTTP client of an environment; `invocation` is the number of the one it runs.
    pub(crate) fn http_client(self: &Arc<Self>, invocation: &Arc<AtomicUsize>) -> SharedHttpClient {
        let (wire, invocation) = (Arc::clone(self), Arc::clone(invocation));
        http_client_fn(move |settings, _| {
            SharedHttpConnector::new(Line {
                wire: Arc::clone(&wire),
                invocation: Arc::clone(&invocation),
                read_timeout: settings.read_timeout(),
            })
        })
    }

    /// No more faults from now on.
    pub(crate) fn clear_up(&self) {
        self.state().fair = true;
    }

    /// What happened so far.
    pub(crate) fn seen(&self) -> Seen {
        self.state().seen.clone()
    }

    /// Draws what happens to a request of this operation.
    fn journey(&self, operation: &str) -> Journey {
        let mut state = self.state();
        state.seen.requests += 1;
        let State { random, fair, .. } = &mut *state;
        let fault = if *fair {
            None
        } else {
            self.weather.meet(operation, random)
        };
        let slow_there = (fault == Some(Fault::SlowThere)).then_some(self.late);
        let slow_back = (fault == Some(Fault::SlowBack)).then_some(SLOW_ANSWER);
        let journey = Journey {
            fault,
            there: transit(random, slow_there),
            back: transit(random, slow_back),
            ends_with_sender: random.bool(),
        };
        if let Some(fault) = fault {
            *state.seen.faults.entry(fault).or_default() += 1;
        }
        journey
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What happens to one request.
#[derive(Debug)]
struct Journey {
    fault: Option<Fault>,
    there: Duration,
    back: Duration,
    /// Whether a connection closed by the sender keeps the request from its effect.
    ends_with_sender: bool,
}

/// The connections of one environment.
#[derive(Debug)]
struct Line {
    wire: Arc<Wire>,
    invocation: Arc<AtomicUsize>,
    read_timeout: Option<Duration>,
}

type Answer = Result<http::Response<Bytes>, &'static str>;

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = Arc::clone(&self.wire);
        let invocation = self.invocation.load(Ordering::Relaxed);
        let read_timeout = self.read_timeout;
        HttpConnectorFuture::new(async move {
            let (request, operation) = read(request, wire.broken).await?;
            let (sender, receiver) = oneshot::channel();
            #[expect(
                clippy::disallowed_methods,
                reason = "what is on the wire outlives an invocation that is dropped"
            )]
            tokio::spawn(async move {
                wire.carry(request, operation, invocation, sender).await;
            });
            let answer = async {
                match receiver.await {
                    Ok(Ok(response)) => HttpResponse::try_from(response.map(SdkBody::from))
                        .map_err(|error| ConnectorError::user(error.into())),
                    Ok(Err(cut)) => Err(ConnectorError::io(cut.into())),
                    Err(_) => std::future::pending().await,
                }
            };
            match read_timeout {
                None => answer.await,
                Some(limit) => tokio::time::timeout(limit, answer)
                    .await
                    .unwrap_or_else(|elapsed| Err(ConnectorError::timeout(elapsed.into()))),
            }
        })
    }
}

impl Wire {
    /// Takes a request to its service and the answer back. When no answer is to come, the sender is dropped.
    async fn carry(
        &self,
        request: http::Request<Bytes>,
        operation: &'static str,
        invocation: usize,
        sender: oneshot::Sender<Answer>,
    ) {
        let journey = self.journey(operation);
        tokio::time::sleep(journey.there).await;
        let gone = sender.is_closed();
        if gone {
            self.state().seen.late.insert(invocation);
        }
        let answer = match journey.fault {
            _ if gone && journey.ends_with_sender => {
                return self.note(invocation, operation, "given up on its way");
            }
            Some(Fault::LostThere) => {
                return self.note(invocation, operation, Fault::LostThere.name());
            }
            Some(Fault::CutBefore) => Err("the connection was cut"),
            // DynamoDB says so with a 400.
            Some(Fault::Throttled) if operation.starts_with("DynamoDB.") => {
                Ok(refusal(400, "ThrottlingException"))
            }
            Some(Fault::Throttled) => Ok(refusal(429, "ThrottlingException")),
            Some(Fault::Unavailable) => Ok(refusal(503, "ServiceUnavailableException")),
            Some(Fault::FailedAfter) => {
                self.serve(request, operation, invocation, Fault::FailedAfter.name())
                    .await;
                Ok(refusal(500, "InternalServerException"))
            }
            Some(Fault::CutAfter) => {
                self.serve(request, operation, invocation, Fault::CutAfter.name())
                    .await;
                Err("the connection was cut")
            }
            Some(Fault::LostBack) => {
                self.serve(request, operation, invocation, Fault::LostBack.name())
                    .await;
                return;
            }
            Some(fault @ (Fault::SlowThere | Fault::SlowBack)) => Ok(self
                .serve(request, operation, invocation, fault.name())
                .await),
            None => Ok(self.serve(request, operation, invocation, "").await),
        };
        if let Some(fault @ (Fault::CutBefore | Fault::Throttled | Fault::Unavailable)) =
            journey.fault
        {
            self.note(invocation, operation, fault.name());
        }
        tokio::time::sleep(journey.back).await;
        // Nobody may be waiting any more.
        let _ = sender.send(answer);
    }

    /// Gives the request its effect.
    async fn serve(
        &self,
        request: http::Request<Bytes>,
        operation: &'static str,
        invocation: usize,
        fault: &str,
    ) -> http::Response<Bytes> {
        let json = |body: &Bytes| serde_json::from_slice(body).unwrap_or_default();
        let (path, sent) = (request.uri().path().to_owned(), json(request.body()));
        let Ok(response) = self.emulator.respond(request).await else {
            return refusal(500, "InternalServerException");
        };
        let status = response.status();
        let answer: Value = json(response.body());
        let id = id(&answer);
        if status.is_success() {
            let effect = Effect {
                operation,
                path,
                sent,
                answer,
            };
            let is_change = self
                .state()
                .seen
                .note(invocation, &effect, self.clock.elapsed());
            if let (true, Some(changes)) = (is_change, &self.changes) {
                // A world that is over hears of nothing.
                let _ = changes.send(effect);
            }
        }
        let outcome = [status.as_str(), &id, fault];
        let outcome: Vec<&str> = outcome
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        self.note(invocation, operation, &outcome.join("  "));
        response
    }

    fn note(&self, invocation: usize, operation: &str, what: &str) {
        self.trace
            .note(format_args!("#{invocation:<3}   {operation:<20} {what}"));
    }
}

/// The first characters of the id that an answer brings, for the trace.
fn id(body: &Value) -> String {
    let id = ["caseId", "relatedItemId", "ProfileId", "MessageId"]
        .into_iter()
        .find_map(|name| body.get(name)?.as_str());
    let Some(id) = id else {
        let exception = body.get("__type").and_then(Value::as_str);
        let exception = exception.and_then(|name| name.rsplit('#').next());
        return exception.unwrap_or_default().to_owned();
    };
    id.chars().take(8).collect()
}

/// An error answer, readable in every protocol that the function speaks.
fn refusal(status: u16, name: &'static str) -> http::Response<Bytes> {
    let body = json!({ "__type": name, "message": "simulated", "Message": "simulated" });
    let mut response = http::Response::new(Bytes::from(body.to_string()));
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    headers.insert("x-amzn-errortype", http::HeaderValue::from_static(name));
    response
}
