//! The Runtime API's four routes: HTTP requests of the function into calls on the [`Queue`].

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};

use crate::answer::{Answer, ErrorReport};
use crate::api::{Invocation, Queue};
use crate::connection::{json, read_body};

/// The largest answer Lambda takes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_RESPONSE_BYTES: usize = 6_291_556;

pub(crate) async fn respond(queue: &Queue, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let steps: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (&head.method, steps.as_slice()) {
        (&Method::GET, ["2018-06-01", "runtime", "invocation", "next"]) => match queue.next().await
        {
            Some(invocation) => event(&queue.function_arn, invocation),
            None => refusal(
                StatusCode::INTERNAL_SERVER_ERROR,
                "ShuttingDown",
                "the Runtime API is shutting down",
            ),
        },
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "response"]) => {
            take_response(queue, id, body).await
        }
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "error"]) => {
            take_error(queue, id, &head.headers, body).await
        }
        (&Method::POST, ["2018-06-01", "runtime", "init", "error"]) => {
            match read_body(body, MAX_RESPONSE_BYTES).await {
                Ok(payload) => {
                    queue.fail_init(ErrorReport::read(error_type(&head.headers), payload));
                    accepted()
                }
                Err(status) => refusal(
                    status,
                    "InvalidRequest",
                    "the error report could not be read",
                ),
            }
        }
        _ => refusal(
            StatusCode::NOT_FOUND,
            "UnknownPath",
            "expected GET invocation/next or POST invocation/{id}/response, invocation/{id}/error or init/error below /2018-06-01/runtime",
        ),
    }
}

fn event(function_arn: &str, invocation: Invocation) -> Response<Full<Bytes>> {
    let mut response = json(StatusCode::OK, invocation.payload);
    let headers = response.headers_mut();
    let mut insert = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    insert("lambda-runtime-aws-request-id", &invocation.request_id);
    insert(
        "lambda-runtime-deadline-ms",
        &invocation.deadline_ms.to_string(),
    );
    insert("lambda-runtime-invoked-function-arn", function_arn);
    insert("lambda-runtime-trace-id", &invocation.trace_id);
    response
}

async fn take_response(queue: &Queue, id: &str, body: Incoming) -> Response<Full<Bytes>> {
    if !queue.is_in_flight(id) {
        return unknown_id();
    }
    match read_body(body, MAX_RESPONSE_BYTES).await {
        Ok(payload) => {
            queue.answer(id, Answer::Response(payload));
            accepted()
        }
        Err(StatusCode::PAYLOAD_TOO_LARGE) => {
            let report = ErrorReport::new(
                "Function.ResponseSizeTooLarge",
                format!(
                    "the response is larger than {MAX_RESPONSE_BYTES} bytes, the most that Lambda takes"
                ),
            );
            let response = json(StatusCode::PAYLOAD_TOO_LARGE, report.payload.clone());
            queue.answer(id, Answer::Error(report));
            response
        }
        Err(status) => refusal(status, "InvalidRequest", "the response could not be read"),
    }
}

async fn take_error(
    queue: &Queue,
    id: &str,
    headers: &HeaderMap,
    body: Incoming,
) -> Response<Full<Bytes>> {
    if !queue.is_in_flight(id) {
        return unknown_id();
    }
    match read_body(body, MAX_RESPONSE_BYTES).await {
        Ok(payload) => {
            queue.answer(
                id,
                Answer::Error(ErrorReport::read(error_type(headers), payload)),
            );
            accepted()
        }
        Err(status) => refusal(
            status,
            "InvalidRequest",
            "the error report could not be read",
        ),
    }
}

fn error_type(headers: &HeaderMap) -> Option<&str> {
    headers
        .get("lambda-runtime-function-error-type")?
        .to_str()
        .ok()
}

fn accepted() -> Response<Full<Bytes>> {
    json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
}

fn unknown_id() -> Response<Full<Bytes>> {
    refusal(
        StatusCode::BAD_REQUEST,
        "InvalidRequestID",
        "no invocation with this id waits for an answer: it was never handed out, or is answered already",
    )
}

fn refusal(status: StatusCode, error_type: &str, error_message: &str) -> Response<Full<Bytes>> {
    json(status, ErrorReport::new(error_type, error_message).payload)
}
