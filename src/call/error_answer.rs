//! Error answers: turns an error's name and HTTP status into a class.
//!
//! This is the only classifier. Answers, retries, metrics and traces use it.

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde::Deserialize;
use serde_json::Value;

/// Names of SQS for an exhausted quota, in addition to those that all services share. Their status is 400 or 403.
const THROTTLING_ERRORS_OF_SQS: [&str; 2] = ["KmsThrottled", "OverLimit"];

/// Names for a caller without permission. DynamoDB and SQS answer most of them with a 400.
const ACCESS_ERRORS: [&str; 12] = [
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "KmsAccessDenied",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
];

/// Names for a resource that does not exist. DynamoDB and SQS answer them with a 400.
const NOT_FOUND_ERRORS: [&str; 3] = [
    "NonExistentQueue",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
];

/// An error answer of a service.
#[derive(Debug)]
pub(super) struct ErrorAnswer {
    /// The error's name, without its namespace.
    pub(super) name: Option<String>,
    pub(super) status: u16,
    pub(super) class: Class,
}

/// The class of an error answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The quota is exhausted.
    Throttled,
    /// A resource that the request names does not exist.
    NotFound,
    /// The caller lacks a permission.
    AccessDenied,
    /// The service, or a system on the way to it, failed or ran out of time.
    Unavailable,
    /// The request is wrong.
    Refused,
}

impl ErrorAnswer {
    /// Reads a response. Returns `None` for a success.
    pub(super) fn of(response: &HttpResponse) -> Option<Self> {
        let status = response.status();
        if status.is_success() {
            return None;
        }
        let name = name(response);
        Some(Self {
            status: status.as_u16(),
            class: Class::of(name.as_deref().unwrap_or_default(), status.as_u16()),
            name,
        })
    }

    /// Returns true if the attempt certainly had no effect, because the service refused it.
    ///
    /// After a 5xx, a time-out or a redirection, the effect is not known.
    /// A time-out is a 408, a 499, or `RequestTimeout` with a 400.
    pub(super) fn had_no_effect(&self) -> bool {
        (400..500).contains(&self.status) && self.class != Class::Unavailable
    }
}

impl Class {
    fn of(name: &str, status: u16) -> Self {
        // Older names of SQS have a prefix, such as `KMS.ThrottlingException`.
        let short = name.rsplit('.').next().unwrap_or(name);
        let is_one_of = |names: &[&str]| names.contains(&short);
        if is_one_of(THROTTLING_ERRORS) || is_one_of(&THROTTLING_ERRORS_OF_SQS) {
            return Self::Throttled;
        }
        if is_one_of(TRANSIENT_ERRORS) {
            return Self::Unavailable;
        }
        if is_one_of(&ACCESS_ERRORS) {
            return Self::AccessDenied;
        }
        if is_one_of(&NOT_FOUND_ERRORS) {
            return Self::NotFound;
        }
        match status {
            429 => Self::Throttled,
            401 | 403 => Self::AccessDenied,
            404 => Self::NotFound,
            // The request timed out at the service, or at a proxy on the way.
            408 | 499 => Self::Unavailable,
            400..500 => Self::Refused,
            _ => Self::Unavailable,
        }
    }
}

/// The members of an error's body that can hold its name.
#[derive(Deserialize)]
struct Body {
    code: Option<Value>,
    #[serde(rename = "__type")]
    kind: Option<Value>,
}

/// Returns the error's name from the places that the SDK uses: a header, or else the body.
///
/// The namespace before the name and the address after it are removed.
fn name(response: &HttpResponse) -> Option<String> {
    let in_body = || {
        let bytes = response.body().bytes()?;
        let Body { code, kind } = serde_json::from_slice(bytes).ok()?;
        let text = |value: Option<Value>| value?.as_str().map(str::to_owned);
        text(code).or_else(|| text(kind))
    };
    let in_header = response.headers().get("x-amzn-errortype");
    let name = in_header.map(str::to_owned).or_else(in_body)?;
    let name = name.split(':').next().unwrap_or_default();
    let name = name.rsplit('#').next().unwrap_or_default();
    // The name goes into logs and answers. Any server may have answered, so the text has to be a name.
    let is_name = (1..=100).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_');
    is_name.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::{Class, ErrorAnswer};

    fn response(status: u16, header: Option<&'static str>, body: &str) -> HttpResponse {
        let status = StatusCode::try_from(status).expect("a status");
        let mut response = HttpResponse::new(status, SdkBody::from(body));
        if let Some(header) = header {
            response.headers_mut().insert("x-amzn-errortype", header);
        }
        response
    }

    fn body(name: &str) -> String {
        format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{name}","message":"no"}}"#)
    }

    #[test]
    fn names_count_before_statuses() {
        use Class::{AccessDenied, NotFound, Refused, Throttled, Unavailable};
        for (status, name, class, had_no_effect) in [
            (429, "ThrottlingException", Throttled, true),
            (429, "Anything", Throttled, true),
            (400, "ThrottlingException", Throttled, true),
            (
                400,
                "ProvisionedThroughputExceededException",
                Throttled,
                true,
            ),
            (400, "RequestLimitExceeded", Throttled, true),
            (403, "RequestThrottled", Throttled, true),
            (400, "KmsThrottled", Throttled, true),
            (400, "KMS.ThrottlingException", Throttled, true),
            (
                403,
                "AWS.SimpleQueueService.RequestThrottled",
                Throttled,
                true,
            ),
            (403, "OverLimit", Throttled, true),
            (503, "SlowDown", Throttled, false),
            (400, "RequestTimeout", Unavailable, false),
            (408, "RequestTimeoutException", Unavailable, false),
            (408, "Anything", Unavailable, false),
            (499, "Anything", Unavailable, false),
            (307, "Anything", Unavailable, false),
            (500, "InternalServerException", Unavailable, false),
            (403, "AccessDeniedException", AccessDenied, true),
            (400, "AccessDeniedException", AccessDenied, true),
            (400, "UnrecognizedClientException", AccessDenied, true),
            (404, "ResourceNotFoundException", NotFound, true),
            (400, "ResourceNotFoundException", NotFound, true),
            (
                400,
                "AWS.SimpleQueueService.NonExistentQueue",
                NotFound,
                true,
            ),
            (409, "ConflictException", Refused, true),
            (400, "ValidationException", Refused, true),
        ] {
            for response in [
                response(status, None, &body(name)),
                response(status, Some(name), ""),
            ] {
                let answer = ErrorAnswer::of(&response).expect("an error");
                assert_eq!(
                    (answer.class, answer.had_no_effect()),
                    (class, had_no_effect),
                    "{status} {name}"
                );
                assert_eq!(answer.name.as_deref(), Some(name));
            }
        }
    }

    #[test]
    fn a_name_is_read_where_the_sdk_reads_it() {
        for (header, body, expected) in [
            (
                Some("com.amazon#ValidationException:http://amazon.com/"),
                "",
                Some("ValidationException"),
            ),
            (Some("A"), r#"{"__type":"B"}"#, Some("A")),
            (None, r#"{"code":"A","__type":"n#B"}"#, Some("A")),
            (None, r#"{"code":7,"__type":"n#B"}"#, Some("B")),
            (None, "<html>no</html>", None),
            (None, r#"{"__type":"Jane Doe, 1 Main Street"}"#, None),
            (None, r#"{"message":"no"}"#, None),
        ] {
            let answer = ErrorAnswer::of(&response(400, header, body)).expect("an error");
            assert_eq!(answer.name.as_deref(), expected, "{body}");
        }
        assert!(ErrorAnswer::of(&response(200, None, &body("No"))).is_none());
    }
}
