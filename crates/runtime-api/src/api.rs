//! [`RuntimeApi`]: an HTTP server with the Runtime API's four routes in front of a [`Queue`].

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::http::{json, read_body, serve};
use crate::queue::{Answer, ErrorReport, Invocation, InvokeError, Queue};

/// The largest answer that Lambda accepts.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_RESPONSE_BYTES: usize = 6_291_556;

/// The Lambda Runtime API (version 2018-06-01) on a loopback port of its own.
///
/// The server ends when this is dropped. Events are handed out in the order of [`RuntimeApi::invoke`], one to each poller.
#[derive(Debug)]
pub struct RuntimeApi {
    queue: Arc<Queue>,
    address: SocketAddr,
    _server: JoinSet<()>,
}

impl RuntimeApi {
    /// Listens on a free port of 127.0.0.1 and serves in the background of the current Tokio runtime.
    ///
    /// `function_name` goes into the ARN in each event's headers.
    ///
    /// # Errors
    ///
    /// When no port can be bound.
    pub async fn start(function_name: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let queue = Arc::new(Queue::new());
        let arn: Arc<str> =
            format!("arn:aws:lambda:us-east-1:111122223333:function:{function_name}").into();
        let events = Arc::clone(&queue);
        let mut server = JoinSet::new();
        server.spawn(serve(listener, move |request| {
            let (queue, arn) = (Arc::clone(&events), Arc::clone(&arn));
            async move { respond(&queue, &arn, request).await }
        }));
        Ok(Self {
            queue,
            address,
            _server: server,
        })
    }

    /// `host:port`, the value of `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Waits until the function asks for its first event: the end of its initialisation.
    ///
    /// # Errors
    ///
    /// The report that the function sent to `init/error`.
    pub async fn initialized(&self) -> Result<(), ErrorReport> {
        self.queue.initialized().await
    }

    /// Waits until the function waits for an event, on one of its connections at least.
    pub async fn idle(&self) {
        self.queue.idle().await;
    }

    /// Queues an event and waits for the function's answer.
    ///
    /// `timeout` runs from the moment at which the event is fetched, as a function's time-out does; the deadline in the
    /// event's headers is that moment plus `timeout`. Calls may overlap: each event goes to one poller.
    ///
    /// # Errors
    ///
    /// [`InvokeError`] when nobody fetches the event within 10 seconds or it is not answered in time.
    pub async fn invoke(
        &self,
        payload: impl Into<Bytes>,
        timeout: Duration,
    ) -> Result<Answer, InvokeError> {
        self.queue.invoke(payload.into(), timeout).await
    }
}

async fn respond(queue: &Queue, arn: &str, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let steps: Vec<&str> = head.uri.path().trim_start_matches('/').split('/').collect();
    let ["2018-06-01", "runtime", route @ ..] = steps.as_slice() else {
        return unknown_path();
    };
    match (&head.method, route) {
        (&Method::GET, ["invocation", "next"]) => match queue.next().await {
            Some(invocation) => event(arn, invocation),
            None => refusal(
                StatusCode::INTERNAL_SERVER_ERROR,
                "ShuttingDown",
                "the Runtime API is shutting down",
            ),
        },
        (&Method::POST, ["invocation", id, "response" | "error"]) if !queue.is_in_flight(id) => {
            refusal(
                StatusCode::BAD_REQUEST,
                "InvalidRequestID",
                "no invocation with this id waits for an answer: it was never handed out, or is answered already",
            )
        }
        (&Method::POST, ["invocation", id, "response"]) => {
            match read_body(body, MAX_RESPONSE_BYTES).await {
                Ok(payload) => {
                    queue.answer(id, Answer::Response(payload));
                    accepted()
                }
                Err(StatusCode::PAYLOAD_TOO_LARGE) => {
                    let report = too_large();
                    let response = json(StatusCode::PAYLOAD_TOO_LARGE, report.payload.clone());
                    queue.answer(id, Answer::Error(report));
                    response
                }
                Err(status) => refusal(status, "InvalidRequest", "the response could not be read"),
            }
        }
        (&Method::POST, ["invocation", id, "error"]) => {
            take_report(&head.headers, body, |report| {
                queue.answer(id, Answer::Error(report));
            })
            .await
        }
        (&Method::POST, ["init", "error"]) => {
            take_report(&head.headers, body, |report| queue.fail_init(report)).await
        }
        _ => unknown_path(),
    }
}

fn event(arn: &str, invocation: Invocation) -> Response<Full<Bytes>> {
    let mut response = json(StatusCode::OK, invocation.payload);
    let deadline = invocation.deadline_ms.to_string();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", &*invocation.request_id),
        ("lambda-runtime-deadline-ms", &deadline),
        ("lambda-runtime-invoked-function-arn", arn),
        ("lambda-runtime-trace-id", &invocation.trace_id),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn too_large() -> ErrorReport {
    ErrorReport::new(
        "Function.ResponseSizeTooLarge",
        format!(
            "the response is larger than {MAX_RESPONSE_BYTES} bytes, the most that Lambda takes"
        ),
    )
}

async fn take_report(
    headers: &HeaderMap,
    body: Incoming,
    take: impl FnOnce(ErrorReport),
) -> Response<Full<Bytes>> {
    let error_type = headers.get("lambda-runtime-function-error-type");
    let error_type = error_type.and_then(|value| value.to_str().ok());
    match read_body(body, MAX_RESPONSE_BYTES).await {
        Ok(payload) => {
            take(ErrorReport::read(error_type, payload));
            accepted()
        }
        Err(status) => refusal(
            status,
            "InvalidRequest",
            "the error report could not be read",
        ),
    }
}

fn accepted() -> Response<Full<Bytes>> {
    json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
}

fn unknown_path() -> Response<Full<Bytes>> {
    refusal(
        StatusCode::NOT_FOUND,
        "UnknownPath",
        "expected GET invocation/next or POST invocation/{id}/response, invocation/{id}/error or init/error below /2018-06-01/runtime",
    )
}

fn refusal(status: StatusCode, error_type: &str, error_message: &str) -> Response<Full<Bytes>> {
    json(status, ErrorReport::new(error_type, error_message).payload)
}
