//! The network between the SDK and the services: time passes there, and faults happen. A request that has left goes on without its sender.

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
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::assumptions::Broken;
use crate::case_events::Effect;
use crate::clock::{Clock, Trace};
use crate::faults::{Fault, Weather, transit};
use crate::record::{Entry, Log};

/// `CASEBRIDGE_LEDGER_TABLE`.
pub(crate) const LEDGER_TABLE: &str = "casebridge-ledger";

/// The longest delay of an answer: longer than any attempt waits.
const SLOW_ANSWER: Duration = Duration::from_secs(12);

/// The conditions of a world for requests.
#[derive(Debug, Clone)]
pub(crate) struct Conditions {
    pub(crate) weather: Weather,
    /// The longest time after its sender's end at which a request arrives.
    pub(crate) late: Duration,
    /// The greatest distance of the environments' clocks.
    pub(crate) clocks: Duration,
    /// `CreateCase` is refused while another with the same token is being carried out.
    pub(crate) tokens_collide: bool,
    pub(crate) broken: Option<Broken>,
}

/// The network of a world.
#[derive(Debug)]
pub(crate) struct Wire {
    emulator: Emulator,
    log: Log,
    trace: Trace,
    conditions: Conditions,
    clock: Clock,
    /// Receives the cases and related items that come to be.
    changes: mpsc::UnboundedSender<Effect>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: fastrand::Rng,
    fair: bool,
    /// The tokens of the requests that are being carried out.
    tokens: Vec<String>,
}

impl Wire {
    /// The wire, and the cases and related items that come to be through it.
    pub(crate) fn new(
        emulator: Emulator,
        log: Log,
        trace: Trace,
        conditions: Conditions,
        clock: Clock,
        random: fastrand::Rng,
    ) -> (Self, mpsc::UnboundedReceiver<Effect>) {
        let (changes, receiver) = mpsc::unbounded_channel();
        let state = State {
            random,
            fair: false,
            tokens: Vec::new(),
        };
        let wire = Self {
            emulator,
            log,
            trace,
            conditions,
            clock,
            changes,
            state: Mutex::new(state),
        };
        (wire, receiver)
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

    /// Ends the faults.
    pub(crate) fn clear_up(&self) {
        self.state().fair = true;
    }

    /// Draws the journey of a request.
    fn journey(&self, invocation: usize, operation: &'static str, sent: &Value) -> Journey {
        let at = self.clock.elapsed();
        let mut state = self.state();
        let State { random, fair, .. } = &mut *state;
        let fault = if *fair {
            None
        } else {
            self.conditions.weather.meet(operation, at, random)
        };
        let slow_back = (fault == Some(Fault::SlowBack)).then_some(SLOW_ANSWER);
        let slow_there = fault == Some(Fault::SlowThere);
        Journey {
            fault,
            entry: self
                .log
                .write(|seen| seen.begin(invocation, operation, sent, fault, at)),
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

/// The fate of one request.
#[derive(Debug)]
struct Journey {
    fault: Option<Fault>,
    entry: Entry,
    there: Duration,
    slow: Option<Slow>,
    back: Duration,
    /// A connection closed by the sender keeps the request from its effect.
    ends_with_sender: bool,
    /// Chooses among answers that mean the same.
    variant: u8,
}

/// The delay of an effect.
#[derive(Debug, Clone, Copy)]
struct Slow {
    /// It waits for its sender's end, and only then for its time.
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
    /// Carries a request to its service and the answer back. Without an answer, the sender is dropped.
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
                self.log.write(|seen| seen.heard(journey.entry));
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
            self.log.write(|seen| seen.late.insert(invocation));
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
        self.log.write(|seen| {
            seen.heard(journey.entry);
            if journey.fault.is_some_and(Fault::is_harmless) {
                seen.harmless(journey.entry);
            }
        });
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
            if is_change {
                // A world that is over receives nothing.
                let _ = self.changes.send(effect);
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

    /// Writes an effect down; returns true for a case or a related item that was not there before.
    fn seen_effect(&self, invocation: usize, entry: Entry, effect: &Effect) -> bool {
        let at = self.clock.elapsed();
        let clocks = self.conditions.clocks;
        let mut key = ["/Item/id/S", "/Key/id/S"].into_iter();
        let key = key.find_map(|path| effect.sent.pointer(path)?.as_str());
        self.log.write(|seen| {
            if let Some(id) = key.filter(|_| effect.operation.starts_with("DynamoDB.")) {
                let put = effect.operation == "DynamoDB.PutItem";
                match self.emulator.item(LEDGER_TABLE, id) {
                    Some(item) => {
                        seen.items.written(id, &item, put, invocation, at, clocks);
                    }
                    None => seen.items.absent(id, invocation),
                }
            }
            seen.note(invocation, entry, effect, at)
        })
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

/// The answer of a service whose quota is exhausted.
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

/// Returns the request with its operation, changed where a broken assumption asks for it.
async fn read(
    request: HttpRequest,
    broken: Option<Broken>,
) -> Result<(http::Request<Bytes>, &'static str), ConnectorError> {
    let request = request
        .try_into_http1x()
        .map_err(|error| ConnectorError::user(error.into()))?;
    let (head, body) = request.into_parts();
    let mut body = body
        .collect()
        .await
        .map_err(ConnectorError::user)?
        .to_bytes();
    let target = head.headers.get("x-amz-target");
    let operation = match target.and_then(|target| target.to_str().ok()) {
        Some(target) => targeted(target),
        None => operation(head.uri.path()),
    };
    if operation == "CreateCase" && broken == Some(Broken::RandomToken) {
        body = with_random_token(&body);
    }
    if operation.starts_with("DynamoDB.") && broken == Some(Broken::NoCondition) {
        body = without_condition(&body);
    }
    Ok((http::Request::from_parts(head, body), operation))
}

fn with_random_token(body: &Bytes) -> Bytes {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else {
        return body.clone();
    };
    let token = format!("{:032x}", fastrand::u128(..));
    members.insert("clientToken".to_owned(), json!(token));
    Value::Object(members).to_string().into()
}

/// The request without its condition, and without the names and values that only the condition has.
fn without_condition(body: &Bytes) -> Bytes {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else {
        return body.clone();
    };
    members.remove("ConditionExpression");
    let update = members.get("UpdateExpression").and_then(Value::as_str);
    let update = update.unwrap_or_default().to_owned();
    let is_used = |name: &str| {
        let mut words = update.split(|c: char| !c.is_ascii_alphanumeric() && !"#:_".contains(c));
        words.any(|word| word == name)
    };
    for names in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        if let Some(Value::Object(named)) = members.get_mut(names) {
            named.retain(|name, _| is_used(name));
            if named.is_empty() {
                members.remove(names);
            }
        }
    }
    Value::Object(members).to_string().into()
}

/// The operation of a header `X-Amz-Target`.
fn targeted(target: &str) -> &'static str {
    match target.rsplit_once('.').map(|(_, name)| name) {
        Some("GetItem") => "DynamoDB.GetItem",
        Some("PutItem") => "DynamoDB.PutItem",
        Some("UpdateItem") => "DynamoDB.UpdateItem",
        Some("DeleteItem") => "DynamoDB.DeleteItem",
        Some("SendMessage") => "SQS.SendMessage",
        _ => "another operation",
    }
}

/// The operation of a path of the function.
fn operation(path: &str) -> &'static str {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["domains", _, "profiles", "search"] => "SearchProfiles",
        ["domains", _, "profiles"] => "CreateProfile",
        ["domains", _, "cases"] => "CreateCase",
        ["domains", _, "cases-search"] => "SearchCases",
        ["domains", _, "cases", _, "related-items"] => "CreateRelatedItem",
        ["domains", _, "cases", _, "related-items-search"] => "SearchRelatedItems",
        ["domains", _, "list-cases-for-contact"] => "ListCasesForContact",
        ["contacts", _, _] => "DescribeContact",
        ["contact", "attributes", _, _] => "GetContactAttributes",
        _ => "another operation",
    }
}
