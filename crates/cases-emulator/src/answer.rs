//! Results and refusals as HTTP answers of the service's protocol. In rest-json the error's name is in
//! `x-amzn-errortype` and its members are in the body. In AWS JSON 1.0 both are in the body, and SQS
//! adds a header with the error's code in its query protocol.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::faults::ErrorAnswer;
use crate::service::Refusal;
use crate::service::Service;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// The error of a connection that an injected fault closed without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the emulator closed the connection without an answer, as an injected fault asked")]
pub struct ConnectionClosed;

/// Returns a 200 with the operation's output.
pub(crate) fn output(service: Service, output: &Value) -> Response<Bytes> {
    with_body(service, StatusCode::OK, output)
}

/// Returns the refusal as an exception of the service's model.
pub(crate) fn refused(service: Service, refusal: &Refusal) -> Response<Bytes> {
    let mut members = Map::new();
    match (service, refusal) {
        (
            Service::Cases,
            Refusal::NotFound {
                resource_type,
                resource_id,
            },
        ) => {
            members.insert("resourceId".to_owned(), json!(resource_id));
            members.insert("resourceType".to_owned(), json!(resource_type));
        }
        (_, Refusal::ConditionalCheckFailed { item: Some(item) }) => {
            members.insert("Item".to_owned(), item.clone());
        }
        _ => {}
    }
    let (name, status) = refusal.exception(service);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    error(service, status, name, &refusal.to_string(), members)
}

/// Returns the error of an injected fault. A status or a name that HTTP cannot carry becomes
/// `500 InternalServerException`.
pub(crate) fn injected(service: Service, fault: &ErrorAnswer) -> Response<Bytes> {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (name, message) = (&fault.error_type, &fault.message);
    let mut response = error(service, status, name, message, Map::new());
    if let Some(seconds) = fault.retry_after {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn error(
    service: Service,
    status: StatusCode,
    name: &str,
    message: &str,
    mut members: Map<String, Value>,
) -> Response<Bytes> {
    let member = match service {
        Service::Cases | Service::DynamoDb | Service::Sqs => "message",
        Service::CustomerProfiles | Service::Connect => "Message",
    };
    members.insert(member.to_owned(), json!(message));
    if service.has_targets() {
        let namespace = namespace(service, name);
        members.insert("__type".to_owned(), json!(format!("{namespace}#{name}")));
    }
    let mut response = with_body(service, status, &Value::Object(members));
    let (header, value) = match service {
        Service::DynamoDb => return response,
        Service::Sqs => (QUERY_ERROR, query_error(status, name)),
        Service::Cases | Service::CustomerProfiles | Service::Connect => {
            (ERROR_TYPE, name.to_owned())
        }
    };
    let value = HeaderValue::from_str(&value)
        .unwrap_or(HeaderValue::from_static("InternalServerException"));
    response.headers_mut().insert(header, value);
    response
}

/// Returns the namespace of the error's name in `__type`: the service's own, or that of AWS's framework
/// for the exceptions that every service has.
fn namespace(service: Service, name: &str) -> &'static str {
    match (service, name) {
        (Service::DynamoDb, "ValidationException") => "com.amazon.coral.validate",
        (
            _,
            "UnknownOperationException"
            | "SerializationException"
            | "InvalidParameterValueException"
            | "MissingRequiredParameterException",
        ) => "com.amazon.coral.service",
        (Service::Sqs, _) => "com.amazonaws.sqs",
        _ => "com.amazonaws.dynamodb.v20120810",
    }
}

/// Returns the error's code in the query protocol, and the party at fault.
fn query_error(status: StatusCode, name: &str) -> String {
    let code = match name {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue",
        "UnsupportedOperation" => "AWS.SimpleQueueService.UnsupportedOperation",
        "InvalidParameterValueException" => "InvalidParameterValue",
        "MissingRequiredParameterException" => "MissingParameter",
        name => name,
    };
    let fault = if status.is_server_error() {
        "Receiver"
    } else {
        "Sender"
    };
    format!("{code};{fault}")
}

/// Adds the request id to the answer.
pub(crate) fn with_request_id(mut response: Response<Bytes>, id: &str) -> Response<Bytes> {
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn with_body(service: Service, status: StatusCode, body: &Value) -> Response<Bytes> {
    let content_type = if service.has_targets() {
        "application/x-amz-json-1.0"
    } else {
        "application/json"
    };
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
