//! Telemetry: turns an event's outcome into one log line, and into metrics if they are configured.
//!
//! It contains only ids and codes.

use std::time::Duration;

use aws_smithy_async::time::SharedTimeSource;

use super::Invocation;
use crate::call::CallRecord;
use crate::error::{ErrorCode, Failure};
use crate::event::Event;
use crate::metrics::Metrics;
use crate::outcome::{Answer, Outcome};
use mapping::Trigger;

/// The destinations of an event's summary in addition to the log.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// The metrics of CloudWatch, if a namespace is configured.
    pub metrics: Option<Metrics>,
    /// The clock for the time of day.
    pub clock: SharedTimeSource,
}

/// The summary of one event.
pub(super) struct EventSummary<'a> {
    pub(super) event: &'a Event,
    pub(super) outcome: &'a Outcome,
    pub(super) calls: &'a [CallRecord],
    pub(super) invocation: &'a Invocation,
    /// The duration of the event.
    pub(super) took: Duration,
    /// The time left before the deadline at the end.
    pub(super) left: Duration,
}

impl Telemetry {
    /// Logs and counts a failure outside an event's own steps. `what` begins the message.
    pub(crate) fn failure(
        &self,
        what: &str,
        failure: &Failure,
        message_id: Option<&str>,
        invocation: &Invocation,
    ) {
        tracing::error!(
            outcome = "failed",
            error.code = failure.code.name(),
            error.field = failure.field.as_deref(),
            retryable = failure.code.is_transient().then_some(true),
            sqs.message_id = message_id,
            cold_start = invocation.cold_start,
            request_id = some(&invocation.request_id),
            "{what}: {failure}"
        );
        if let Some(metrics) = &self.metrics {
            metrics.failure(failure);
        }
    }

    /// Counts calls that belong to no event.
    pub(super) fn calls(&self, calls: &[CallRecord]) {
        if let Some(metrics) = &self.metrics {
            metrics.calls(calls);
        }
    }

    pub(super) fn emit(&self, summary: &EventSummary<'_>) {
        log(summary);
        if let Some(metrics) = &self.metrics {
            metrics.event(summary.event.trigger, summary.outcome, summary.calls);
        }
    }
}

/// Writes the log line. Empty members are left out.
fn log(summary: &EventSummary<'_>) {
    // The level is a constant of each `tracing` call, so each level has its own call.
    macro_rules! line {
        ($level:ident, $answer:expr, $message:expr) => {
            tracing::$level!(
                trigger = summary.event.trigger.name(),
                mapping = some(&$answer.mapping),
                outcome = $answer.status,
                error.code = some($answer.error_code),
                error.field = some(&$answer.error_field),
                fields.left_out = some(&summary.outcome.left_out.join(", ")),
                retryable = ($answer.retryable == "true").then_some(true),
                case.id = some(&$answer.case_id),
                contact.id = summary.event.contact_id(),
                event.id = summary.event.text(&["id"]),
                calls = some(&calls(summary.calls)),
                duration_ms = milliseconds(summary.took),
                deadline_left_ms = milliseconds(summary.left),
                cold_start = summary.invocation.cold_start,
                request_id = some(&summary.invocation.request_id),
                "{}",
                $message
            )
        };
    }
    let mut answer = summary.outcome.answer();
    // The answer is about the case. A variable that a pattern took as missing is for who reads the log.
    if let (true, Some(variable)) = (
        answer.error_code.is_empty() || answer.status == "skipped",
        summary.outcome.invalid_variables.first(),
    ) {
        answer.error_code = ErrorCode::VariableInvalid.name();
        answer.error_field = format!("variables.{variable}");
        answer.error_message = format!(
            "the variable `{variable}` cannot be computed, so event patterns take it as missing"
        );
    }
    let message = message(&answer);
    let is_flow = summary.event.trigger == Trigger::ContactFlow;
    match answer.status {
        "failed" => line!(error, answer, message),
        "skipped" if is_flow => line!(warn, answer, message),
        "created" | "existing" if !answer.error_code.is_empty() => line!(warn, answer, message),
        _ => line!(info, answer, message),
    }
}

/// Returns the log line's message.
fn message(answer: &Answer) -> String {
    let Answer {
        status,
        case_id,
        error_message,
        ..
    } = answer;
    let but = if error_message.is_empty() { "" } else { "; " };
    match *status {
        "created" => format!("created case {case_id}{but}{error_message}"),
        "existing" => format!("found case {case_id}{but}{error_message}"),
        "skipped" => format!("skipped: {error_message}"),
        _ => format!("no case: {error_message}"),
    }
}

fn calls(calls: &[CallRecord]) -> String {
    let calls: Vec<String> = calls.iter().map(ToString::to_string).collect();
    calls.join(", ")
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
