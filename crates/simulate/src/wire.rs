//! Between the SDK and the services: time passes there, and faults happen. A request that has left goes on without its sender.

mod items;
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
use self::seen::Entry;
pub(crate) use self::seen::{Creation, Effect, Seen};
use crate::assumptions::Broken;
use crate::clock::Clock;
use crate::faults::{Fault, Weather, transit};
use crate::ledger;
use crate::trace::Trace;

/// The longest an answer is late: longer than any attempt waits.
const SLOW_ANSWER: Duration = Duration::from_secs(12);

/// What a world is like for requests.
#[derive(Debug, Clone)]
pub(crate) struct Conditions {
    pub(crate) weather: Weather,
    /// How late after its sender's end a request may arrive.
    pub(crate) late: Duration,
    /// How far the clocks of environments are apart.
    pub(crate) clocks: Duration,
    /// Whether `CreateCase` is refused while another with the same token is being carried out.
    pub(crate) tokens_collide: bool,
    pub(crate) broken: Option<Broken>,
}

/// The network of a world.
#[derive(Debug)]
pub(crate) struct Wire {
    emulator: Emulator,
    trace: Trace,
    conditions: Conditions,
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
    /// The tokens of the requests that are being carried out.
    tokens: Vec<String>,
}

impl Wire {
    pub(crate) fn new(
        emulator: Emulator,
        trace: Trace,
        conditions: Conditions,
        clock: Clock,
        random: fastrand::Rng,
    ) -> Self {
        Self {
            emulator,
            trace,
            conditions,
            clock,
            changes: None,
            state: Mutex::new(State {
                random,
                fair: false,
                seen: Seen::default(),
                tokens: Vec::new(),
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

    /// Draws what happens to a request.
    fn journey(&self, invocation: usize, operation: &'static str, sent: &Value) -> Journey {
        let at = self.clock.elapsed();
        let mut state = self.state();
        let State {
            random, fair, seen, ..
        } = &mut *state;
        let fault = if *fair {
            None
        } else {
            self.conditions.weather.meet(operation, at, random)
        };
        let slow_back = (fault == Some(Fault::SlowBack)).then_some(SLOW_ANSWER);
        let slow_there = fault == Some(Fault::SlowThere);
        Journey {
            fault,
            entry: seen.begin(invocation, operation, sent, fault, at),
            there: transit(random, None),
            slow: slow_there.then(|| Slow {
                outlasts_sender: random.bool(),
                time: transit(random, Some(self.conditions.late)),
            }),
            back: transit(random, slow_back),
            ends_with_sender: random.bool(),
            variant: random.u8(..),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What happens to one request.
#[derive(Debug)]
struct Journey {
    fault: Option<Fault>,
    entry: Entry,
    there: Duration,
    slow: Option<Slow>,
    back: Duration,
    /// Whether a connection closed by the sender keeps the request from its effect.
    ends_with_sender: bool,
    /// Chooses among answers that mean the same.
    variant: u8,
}

/// Why a request is slow to have its effect.
#[derive(Debug, Clone, Copy)]
struct Slow {
    /// Whether it waits for its sender's end, and only then for as long as it takes.
    outlasts_sender: bool,
    time: Duration,
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
            let (request, operation) = read(request, wire.conditions.broken).await?;
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
        mut sender: oneshot::Sender<Answer>,
    ) {
        let sent: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let journey = self.journey(invocation, operation, &sent);
        tokio::time::sleep(journey.there).await;
        let token = sent.get("clientToken").and_then(Value::as_str);
        let token = token.filter(|_| self.conditions.tokens_collide && operation == "CreateCase");
        if let Some(token) = token
            && self.state().tokens.iter().any(|known| known == token)
        {
            self.note(invocation, operation, "409  its token is in use");
            tokio::time::sleep(journey.back).await;
            if sender.send(Ok(refusal(409, "ConflictException"))).is_ok() {
                self.state().seen.heard(journey.entry);
            }
            return;
        }
        if let Some(slow) = journey.slow {
            let carried_out = async {
                if slow.outlasts_sender {
                    sender.closed().await;
                }
                tokio::time::sleep(slow.time).await;
            };
            self.holding(token, carried_out).await;
        }
        let gone = sender.is_closed();
        let outlasts = journey.slow.is_some_and(|slow| slow.outlasts_sender);
        if gone && journey.ends_with_sender && !outlasts {
            return self.note(invocation, operation, "given up on its way");
        }
        if gone {
            self.state().seen.late.insert(invocation);
        }
        let refused = |status, name| {
            let fault = journey.fault.map(Fault::name).unwrap_or_default();
            self.note(invocation, operation, fault);
            Ok(refusal(status, name))
        };
        let is_table = operation.starts_with("DynamoDB.");
        let answer = match journey.fault {
            Some(fault @ Fault::LostThere) => {
                return self.note(invocation, operation, fault.name());
            }
            Some(fault @ Fault::CutBefore) => {
                self.note(invocation, operation, fault.name());
                Err("the connection was cut")
            }
            Some(Fault::Throttled) => {
                let (status, name) = throttling(operation, journey.variant);
                refused(status, name)
            }
            Some(Fault::Unavailable) if is_table => refused(500, "InternalServerError"),
            Some(Fault::Unavailable) => refused(503, "ServiceUnavailableException"),
            Some(Fault::Refused)
                if operation.ends_with("Profile") || operation.ends_with("Profiles") =>
            {
                refused(400, "BadRequestException")
            }
            Some(Fault::Refused) => refused(400, "ValidationException"),
            Some(Fault::Denied) => refused(403, "AccessDeniedException"),
            Some(Fault::NotFound) => refused(404, "ResourceNotFoundException"),
            Some(Fault::Merging) => refused(409, "ConflictException"),
            _ => {
                let served = self.serve(request, sent, operation, invocation, &journey);
                let served = served.await;
                match journey.fault {
                    Some(Fault::FailedAfter) => Ok(refusal(500, "InternalServerException")),
                    Some(Fault::CutAfter) => Err("the connection was cut"),
                    Some(Fault::LostBack) => return,
                    _ => Ok(served),
                }
            }
        };
        tokio::time::sleep(journey.back).await;
        // Nobody may be waiting any more.
        if sender.send(answer).is_err() {
            return;
        }
        let mut state = self.state();
        state.seen.heard(journey.entry);
        if journey.fault.is_some_and(Fault::is_harmless) {
            state.seen.harmless(journey.entry);
        }
    }

    /// Waits while the token is in use.
    async fn holding(&self, token: Option<&str>, carried_out: impl Future<Output = ()>) {
        if let Some(token) = token {
            self.state().tokens.push(token.to_owned());
        }
        carried_out.await;
        if let Some(token) = token {
            self.state().tokens.retain(|known| known != token);
        }
    }

    /// Gives the request its effect.
    async fn serve(
        &self,
        request: http::Request<Bytes>,
        sent: Value,
        operation: &'static str,
        invocation: usize,
        journey: &Journey,
    ) -> http::Response<Bytes> {
        let path = request.uri().path().to_owned();
        let Ok(mut response) = self.emulator.respond(request).await else {
            return refusal(500, "InternalServerException");
        };
        let forgets = self.conditions.broken == Some(Broken::SearchForgets);
        if forgets && operation == "SearchCases" && journey.variant < 64 {
            *response.body_mut() = Bytes::from_static(b"{\"cases\":[]}");
        }
        let status = response.status();
        let answer: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let id = id(&answer);
        if status.is_success() {
            let effect = Effect {
                operation,
                path,
                sent,
                answer,
            };
            let is_change = self.seen_effect(invocation, journey.entry, &effect);
            if let (true, Some(changes)) = (is_change, &self.changes) {
                // A world that is over hears of nothing.
                let _ = changes.send(effect);
            }
        }
        let fault = journey.fault.map(Fault::name).unwrap_or_default();
        let outcome = [status.as_str(), &id, fault];
        let outcome: Vec<&str> = outcome
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        self.note(invocation, operation, &outcome.join("  "));
        response
    }

    /// Writes an effect down. Whether it is a case or a related item that was not there before.
    fn seen_effect(&self, invocation: usize, entry: Entry, effect: &Effect) -> bool {
        let at = self.clock.elapsed();
        let clocks = self.conditions.clocks;
        let mut key = ["/Item/id/S", "/Key/id/S"].into_iter();
        let key = key.find_map(|path| effect.sent.pointer(path)?.as_str());
        let mut state = self.state();
        if let Some(id) = key.filter(|_| effect.operation.starts_with("DynamoDB.")) {
            let put = effect.operation == "DynamoDB.PutItem";
            let items = &mut state.seen.items;
            match self.emulator.item(ledger::TABLE, id) {
                Some(item) => items.written(id, &item, put, invocation, at, clocks),
                None => items.absent(id, invocation),
            }
        }
        state.seen.note(invocation, entry, effect, at)
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

/// How a service says that its quota is used up.
fn throttling(operation: &str, variant: u8) -> (u16, &'static str) {
    const TABLE: [&str; 3] = [
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
    ];
    match operation.split_once('.') {
        Some(("DynamoDB", _)) => {
            let name = TABLE.get(usize::from(variant) % TABLE.len());
            (400, name.copied().unwrap_or("ThrottlingException"))
        }
        Some(("SQS", _)) => (400, "RequestThrottled"),
        _ => (429, "ThrottlingException"),
    }
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
