//! Lambda's Invoke operation on loopback: `POST /2015-03-31/functions/{name}/invocations`, the path that the Runtime
//! Interface Emulator and the AWS CLI use. The body is the event, the response's body the function's answer.

use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;

use crate::function::{Function, FunctionError};
use crate::http::{json, read_body, serve};
use crate::queue::{Answer, ErrorReport};

/// The largest event that Lambda accepts in a synchronous invocation.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_EVENT_BYTES: usize = 6_291_456;

/// Serves Invoke for `function`, under any name, until the future is dropped.
///
/// As in Lambda, an error of the function is HTTP 200 with the header `X-Amz-Function-Error: Unhandled` and the error
/// report as its body; so is its crash or time-out.
pub async fn serve_invocations(function: Arc<Function>, listener: TcpListener) {
    serve(listener, move |request| {
        let function = Arc::clone(&function);
        async move { respond(&function, request).await }
    })
    .await;
}

async fn respond(function: &Function, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let steps: Vec<&str> = head.uri.path().trim_start_matches('/').split('/').collect();
    let (&Method::POST, ["2015-03-31", "functions", _, "invocations"]) =
        (&head.method, steps.as_slice())
    else {
        return refusal(
            StatusCode::NOT_FOUND,
            "ResourceNotFoundException",
            "expected POST /2015-03-31/functions/function/invocations with the event as the body",
        );
    };
    let event = match read_body(body, MAX_EVENT_BYTES).await {
        Ok(event) => event,
        Err(status @ StatusCode::PAYLOAD_TOO_LARGE) => {
            let message = format!(
                "the event is larger than {MAX_EVENT_BYTES} bytes, the most that Lambda takes"
            );
            return refusal(status, "RequestTooLargeException", &message);
        }
        Err(status) => {
            let message = "the event could not be read";
            return refusal(status, "InvalidRequestContentException", message);
        }
    };
    match function.invoke(event).await {
        Ok(Answer::Response(payload)) => json(StatusCode::OK, payload),
        Ok(Answer::Error(report)) => function_error(report),
        Err(error @ FunctionError::InvalidRequestContent(_)) => {
            let message = error.to_string();
            refusal(StatusCode::BAD_REQUEST, error.error_type(), &message)
        }
        Err(error) => function_error(ErrorReport::new(error.error_type(), error.to_string())),
    }
}

fn function_error(report: ErrorReport) -> Response<Full<Bytes>> {
    let mut response = json(StatusCode::OK, report.payload);
    let error = HeaderValue::from_static("Unhandled");
    response.headers_mut().insert("x-amz-function-error", error);
    response
}

fn refusal(status: StatusCode, error_type: &str, message: &str) -> Response<Full<Bytes>> {
    let body = serde_json::json!({ "Type": "User", "message": message }).to_string();
    let mut response = json(status, body);
    if let Ok(value) = HeaderValue::from_str(error_type) {
        response.headers_mut().insert("x-amzn-errortype", value);
    }
    response
}
