//! Reads an answer of the function: of a flow or an event, of an SQS batch, or an error.

use std::fmt;

use anyhow::Chain;
use runtime_api::{Answer, ErrorReport, FunctionError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::failures::MessageFailure;

/// The outcome of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Created,
    Existing,
    Skipped,
    #[default]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Outcome {
    pub(super) status: Status,
    #[serde(deserialize_with = "present")]
    pub(super) mapping: Option<String>,
    #[serde(deserialize_with = "present")]
    pub(super) case_id: Option<String>,
    #[serde(deserialize_with = "present")]
    pub(super) error_code: Option<String>,
    #[serde(deserialize_with = "present")]
    pub(super) error_field: Option<String>,
    #[serde(deserialize_with = "present")]
    pub(super) error_message: Option<String>,
}

fn present<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Option<String>, D::Error> {
    let text = Value::deserialize(text)?.as_str().map(str::to_owned);
    Ok(text.filter(|text| !text.is_empty()))
}

impl Outcome {
    /// Reads the function's answer, and its [`payload`].
    pub(super) fn read(answer: &Result<Answer, FunctionError>, payload: &Value) -> Self {
        match answer {
            Ok(Answer::Response(_)) => Self::of_response(payload),
            Ok(Answer::Error(report)) => Self {
                error_field: payload
                    .get("errorField")
                    .and_then(|field| present(field).ok()?),
                ..Self::failed(Some(&report.error_type), &report.error_message)
            },
            Err(error) => Self::failed(Some(error.error_type()), describe(error)),
        }
    }

    fn failed(code: Option<&str>, message: impl Into<String>) -> Self {
        Self {
            error_code: code.map(str::to_owned),
            error_message: Some(message.into()).filter(|message| !message.is_empty()),
            ..Self::default()
        }
    }

    /// The outcome of a batch of which these messages are in the failure queue: the first gives code and field.
    pub(super) fn with_failed_messages(self, messages: &[MessageFailure]) -> Self {
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
        let Some(failures) = payload.get("batchItemFailures").and_then(Value::as_array) else {
            let answer = payload
                .get("status")
                .and_then(|_| Self::deserialize(payload).ok());
            return answer.unwrap_or_else(|| {
                Self::failed(
                    None,
                    "the answer has no status of created, existing, skipped or failed, and is no batch's answer",
                )
            });
        };
        if failures.is_empty() {
            return Self {
                status: Status::Created,
                ..Self::default()
            };
        }
        let id = |failure: &Value| failure.get("itemIdentifier")?.as_str().map(str::to_owned);
        let ids: Vec<String> = failures.iter().filter_map(id).collect();
        Self::failed(
            None,
            format!("not done, and left in the queue: {}", ids.join(", ")),
        )
    }
}

/// Returns the answer as JSON, as a caller of Lambda's Invoke receives it.
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
    let causes: Vec<String> = Chain::new(error).map(ToString::to_string).collect();
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: Answer) -> Outcome {
        let answer = Ok(answer);
        Outcome::read(&answer, &payload(&answer))
    }

    #[test]
    fn an_answer_gives_its_members() {
        for (answer, outcome) in [
            (
                r#"{"status":"created","caseId":"c-1","mapping":"refund","errorCode":"","errorField":""}"#,
                Outcome {
                    status: Status::Created,
                    mapping: Some("refund".to_owned()),
                    case_id: Some("c-1".to_owned()),
                    ..Outcome::default()
                },
            ),
            (
                r#"{"batchItemFailures":[]}"#,
                Outcome {
                    status: Status::Created,
                    ..Outcome::default()
                },
            ),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":"m-2"}]}"#,
                Outcome::failed(None, "not done, and left in the queue: m-2"),
            ),
        ] {
            assert_eq!(read(Answer::Response(answer.into())), outcome, "{answer}");
        }
        for answer in ["null", r#"{"status":"done"}"#, "not JSON", ""] {
            let outcome = read(Answer::Response(answer.into()));
            assert_eq!(outcome.status, Status::Failed, "{answer}");
        }
        let report = ErrorReport::new("MissingValue", "no order number");
        let outcome = Outcome::failed(Some("MissingValue"), "no order number");
        assert_eq!(read(Answer::Error(report)), outcome);
    }

    #[test]
    fn a_batch_has_failed_when_a_message_is_in_the_failure_queue() {
        let message = MessageFailure {
            message_id: "m-2".to_owned(),
            code: "FieldMissing".to_owned(),
            field: "Title".to_owned(),
            sentence: "no title".to_owned(),
        };
        let done = read(Answer::Response(r#"{"batchItemFailures":[]}"#.into()));
        let outcome = Outcome {
            error_code: Some("FieldMissing".to_owned()),
            error_field: Some("Title".to_owned()),
            ..Outcome::default()
        };
        assert_eq!(done.with_failed_messages(&[message]), outcome);
    }
}
