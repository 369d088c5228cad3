//! What an answer means, whatever invoked the function: the flat answer of a flow or an event, the list of an SQS
//! batch, an error of the function, or none because it broke.

use std::fmt;

use runtime_api::{Answer, ErrorReport, FunctionError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::failures::MessageFailure;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Created,
    Existing,
    Skipped,
    Failed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Created => "created",
            Self::Existing => "existing",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        })
    }
}

/// An answer, read. Text that the function left empty is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) status: Status,
    pub(super) mapping: Option<String>,
    pub(super) case_id: Option<String>,
    pub(super) error_code: Option<String>,
    pub(super) error_field: Option<String>,
    pub(super) error_message: Option<String>,
}

impl Outcome {
    pub(super) fn of(status: Status) -> Self {
        Self {
            status,
            mapping: None,
            case_id: None,
            error_code: None,
            error_field: None,
            error_message: None,
        }
    }

    fn failed(code: Option<&str>, message: impl Into<String>) -> Self {
        Self {
            error_code: code.map(str::to_owned),
            error_message: Some(message.into()).filter(|message| !message.is_empty()),
            ..Self::of(Status::Failed)
        }
    }

    /// Reads what [`payload`] made of the function's answer.
    pub(super) fn read(answer: &Result<Answer, FunctionError>, payload: &Value) -> Self {
        match answer {
            Ok(Answer::Response(_)) => Self::of_response(payload),
            Ok(Answer::Error(report)) => Self {
                error_field: text(payload, "errorField"),
                ..Self::failed(Some(&report.error_type), &report.error_message)
            },
            Err(error) => Self::failed(Some(error.error_type()), describe(error)),
        }
    }

    /// The outcome of a batch of which these messages were put aside: the first gives code and field.
    pub(super) fn and_put_aside(self, messages: &[MessageFailure]) -> Self {
        let Some(first) = messages.first() else {
            return self;
        };
        Self {
            status: Status::Failed,
            error_code: Some(first.code.clone()),
            error_field: Some(first.field.clone()).filter(|field| !field.is_empty()),
            ..self
        }
    }

    fn of_response(payload: &Value) -> Self {
        if let Some(failures) = payload.get("batchItemFailures").and_then(Value::as_array) {
            return Self::of_batch(failures);
        }
        let Some(status) = payload
            .get("status")
            .and_then(|status| Status::deserialize(status).ok())
        else {
            return Self::failed(
                None,
                "the answer has no status of created, existing, skipped or failed, and is no batch's answer",
            );
        };
        Self {
            status,
            mapping: text(payload, "mapping"),
            case_id: text(payload, "caseId"),
            error_code: text(payload, "errorCode"),
            error_field: text(payload, "errorField"),
            error_message: text(payload, "errorMessage"),
        }
    }

    fn of_batch(failures: &[Value]) -> Self {
        if failures.is_empty() {
            return Self::of(Status::Created);
        }
        let ids: Vec<_> = failures
            .iter()
            .filter_map(|failure| failure.get("itemIdentifier")?.as_str())
            .collect();
        Self::failed(
            None,
            format!("not done, and left in the queue: {}", ids.join(", ")),
        )
    }
}

/// The answer as JSON: what a caller of Lambda's Invoke would be given.
pub(super) fn payload(answer: &Result<Answer, FunctionError>) -> Value {
    let bytes = match answer {
        Ok(Answer::Response(bytes) | Answer::Error(ErrorReport { payload: bytes, .. })) => bytes,
        Err(error) => {
            return json!({ "errorType": error.error_type(), "errorMessage": describe(error) });
        }
    };
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

/// The error with its causes.
fn describe(error: &FunctionError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn text(payload: &Value, member: &str) -> Option<String> {
    let text = payload.get(member)?.as_str()?;
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: Answer) -> Outcome {
        let answer = Ok(answer);
        Outcome::read(&answer, &payload(&answer))
    }

    #[test]
    fn a_flat_answer_gives_its_members() {
        let answer = r#"{"status":"created","caseId":"c-1","mapping":"refund","errorCode":"","errorField":""}"#;
        assert_eq!(
            read(Answer::Response(answer.into())),
            Outcome {
                mapping: Some("refund".to_owned()),
                case_id: Some("c-1".to_owned()),
                ..Outcome::of(Status::Created)
            }
        );
    }

    #[test]
    fn a_batch_is_created_when_nothing_failed() {
        let done = read(Answer::Response(r#"{"batchItemFailures":[]}"#.into()));
        assert_eq!(done, Outcome::of(Status::Created));
        let failed = read(Answer::Response(
            r#"{"batchItemFailures":[{"itemIdentifier":"m-2"}]}"#.into(),
        ));
        assert_eq!(failed.status, Status::Failed);
        assert_eq!(
            failed.error_message.as_deref(),
            Some("not done, and left in the queue: m-2")
        );
    }

    #[test]
    fn a_batch_has_failed_when_a_message_was_put_aside() {
        let message = MessageFailure {
            message_id: "m-2".to_owned(),
            code: "FieldMissing".to_owned(),
            field: "Title".to_owned(),
            sentence: "no title".to_owned(),
        };
        let done = read(Answer::Response(r#"{"batchItemFailures":[]}"#.into()));
        let outcome = done.and_put_aside(&[message]);
        assert_eq!(outcome.status, Status::Failed);
        assert_eq!(outcome.error_code.as_deref(), Some("FieldMissing"));
        assert_eq!(outcome.error_field.as_deref(), Some("Title"));
    }

    #[test]
    fn an_error_of_the_function_has_its_type_as_code() {
        let outcome = read(Answer::Error(ErrorReport::new(
            "MissingValue",
            "no order number",
        )));
        assert_eq!(outcome.status, Status::Failed);
        assert_eq!(outcome.error_code.as_deref(), Some("MissingValue"));
        assert_eq!(outcome.error_message.as_deref(), Some("no order number"));
    }

    #[test]
    fn an_answer_of_another_shape_has_failed() {
        for answer in ["null", r#"{"status":"done"}"#, "not JSON", ""] {
            assert_eq!(
                read(Answer::Response(answer.into())).status,
                Status::Failed,
                "{answer}"
            );
        }
    }
}
