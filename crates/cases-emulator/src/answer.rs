//! Results and refusals as HTTP answers of the rest-json protocol: the error's name in
//! `x-amzn-errortype`, its members in the body.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::faults::ErrorAnswer;
use crate::operation::Service;
use crate::refusal::Refusal;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// The connection was closed without an answer, because an injected fault asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the emulator closed the connection without an answer, as an injected fault asked")]
pub struct ConnectionClosed;

/// A 200 with the operation's output.
pub(crate) fn output(output: &Value) -> Response<Bytes> {
    with_body(StatusCode::OK, output)
}

/// The exception that `refusal` stands for in the service's model.
pub(crate) fn refused(service: Service, refusal: &Refusal) -> Response<Bytes> {
    let mut body = error_body(service, &refusal.message());
    if let (
        Service::Cases,
        Some(body),
        Refusal::NotFound {
            resource_type,
            resource_id,
        },
    ) = (service, body.as_object_mut(), refusal)
    {
        body.insert("resourceId".to_owned(), json!(resource_id));
        body.insert("resourceType".to_owned(), json!(resource_type));
    }
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    with_error_type(
        with_body(status, &body),
        HeaderValue::from_static(refusal.error_type(service)),
    )
}

/// The error an injected fault answers with. A status or a name that HTTP cannot carry becomes
/// `500 InternalServerException`.
pub(crate) fn injected(service: Service, error: &ErrorAnswer) -> Response<Bytes> {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let name = HeaderValue::from_str(&error.error_type)
        .unwrap_or(HeaderValue::from_static("InternalServerException"));
    let body = error_body(service, &error.message);
    let mut response = with_error_type(with_body(status, &body), name);
    if let Some(seconds) = error.retry_after {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// An error's message as the member that the service's model has for it.
fn error_body(service: Service, message: &str) -> Value {
    match service {
        Service::Cases => json!({ "message": message }),
        Service::CustomerProfiles | Service::Connect => json!({ "Message": message }),
    }
}

/// The answer with the id under which the service would have logged the request.
pub(crate) fn with_request_id(mut response: Response<Bytes>, id: &str) -> Response<Bytes> {
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn with_body(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn with_error_type(mut response: Response<Bytes>, name: HeaderValue) -> Response<Bytes> {
    response.headers_mut().insert(ERROR_TYPE, name);
    response
}
