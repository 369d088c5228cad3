//! `Retry-After`: turns the pause that a throttling service asks for, in seconds, into the delay of a retry.
//!
//! The SDK reads a header of another name.

use std::time::Duration;

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason,
};

use super::error_answer::{Class, ErrorAnswer};

/// The retry classifier that replaces the backoff with the service's own pause, up to the longest backoff.
#[derive(Debug)]
pub(crate) struct RetryAfter;

impl ClassifyRetry for RetryAfter {
    fn name(&self) -> &'static str {
        "RetryAfter"
    }

    /// Runs after all other classifiers.
    ///
    /// It sets the delay of a retry. It decides on a retry only if no other classifier does.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }

    fn classify_retry(&self, _: &InterceptorContext) -> RetryAction {
        RetryAction::NoActionIndicated
    }

    fn classify_retry_v2(&self, context: &InterceptorContext, before: &RetryAction) -> RetryAction {
        let response = context.response();
        let header = response.and_then(|response| response.headers().get("retry-after"));
        let seconds = header.and_then(|seconds| seconds.parse().ok());
        match (before, seconds) {
            (
                RetryAction::RetryIndicated(RetryReason::RetryableError {
                    kind,
                    retry_after: None,
                }),
                Some(seconds),
            ) => RetryAction::retryable_error_with_explicit_delay(
                *kind,
                Duration::from_secs(seconds),
            ),
            // The SDK does not know every throttling name of SQS.
            (RetryAction::NoActionIndicated, _)
                if response
                    .and_then(ErrorAnswer::of)
                    .is_some_and(|answer| answer.class == Class::Throttled) =>
            {
                RetryAction::throttling_error()
            }
            _ => RetryAction::NoActionIndicated,
        }
    }
}
