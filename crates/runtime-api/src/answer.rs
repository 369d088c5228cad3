//! What a function said: the body of a response, or a report of an error in the shape of the Runtime API's
//! `ErrorRequest` (`errorType`, `errorMessage`, `stackTrace`).

use hyper::body::Bytes;
use serde::Deserialize;

/// The function's answer to one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The body it sent to `invocation/{id}/response`; at most 6,291,556 bytes.
    Response(Bytes),
    /// What it sent to `invocation/{id}/error`, or what Lambda puts there when the response is too large.
    Error(ErrorReport),
}

/// An error as a function reports it and as Lambda hands it to the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error_type}: {error_message}")]
pub struct ErrorReport {
    /// `errorType`; else the header `Lambda-Runtime-Function-Error-Type`; else `Unhandled`.
    pub error_type: String,
    /// `errorMessage`; empty when the function gave none.
    pub error_message: String,
    /// The body as the function sent it: what the caller of Invoke receives.
    pub payload: Bytes,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    error_type: Option<String>,
    error_message: Option<String>,
}

impl ErrorReport {
    /// A report of Lambda's own, for what the function itself could not report.
    pub fn new(error_type: impl Into<String>, error_message: impl Into<String>) -> Self {
        let (error_type, error_message) = (error_type.into(), error_message.into());
        let payload = serde_json::json!({ "errorType": error_type, "errorMessage": error_message });
        Self {
            error_type,
            error_message,
            payload: payload.to_string().into(),
        }
    }

    /// Reads a report leniently, as Lambda does: a body of another shape is kept as it is.
    pub(crate) fn read(header: Option<&str>, payload: Bytes) -> Self {
        let body: Body = serde_json::from_slice(&payload).unwrap_or_default();
        Self {
            error_type: body
                .error_type
                .or_else(|| header.map(str::to_owned))
                .unwrap_or_else(|| "Unhandled".to_owned()),
            error_message: body.error_message.unwrap_or_default(),
            payload,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_without_a_type_takes_the_header() {
        let report = ErrorReport::read(Some("Runtime.Panic"), "not JSON".into());
        assert_eq!(report.error_type, "Runtime.Panic");
        assert_eq!(report.payload, "not JSON");
    }

    #[test]
    fn the_body_outranks_the_header() {
        let report = ErrorReport::read(
            Some("Unhandled"),
            r#"{"errorType":"MissingValue","errorMessage":"no order","stackTrace":[]}"#.into(),
        );
        assert_eq!(report.to_string(), "MissingValue: no order");
    }
}
