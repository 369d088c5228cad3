//! One call of an AWS service: the time it has, what is tried again, and what its failure means.
//!
//! The message of a service is never kept: it can quote field values.
//!
//! Where a call is sent, its future is boxed: it takes several kilobytes, and every level above would be moved about with room for all calls that
//! it may make.

mod attempts;
mod error_answer;
mod record;
mod retry_after;
mod warm_up;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_connectcases::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_connectcases::error::SdkError;
use aws_sdk_connectcases::operation::RequestId as _;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

pub(crate) use self::attempts::{Attempts, NeverInDoubt};
use self::error_answer::{Class, ErrorAnswer};
pub use self::record::CallRecord;
pub(crate) use self::record::listen;
pub(crate) use self::retry_after::RetryAfter;
pub use self::warm_up::Opening;
pub(crate) use self::warm_up::{Opener, WarmUp};
use crate::deadline::{Deadline, Stopwatch};
use crate::error::{ErrorCode, Failure};

/// Time to open a connection. Constant: the SDK keeps one connection pool for each, so a value that followed the deadline would open a
/// connection for every call. The time to the first byte of an answer has no limit of its own, as an attempt has one, and every timer costs.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// More attempts than any invocation has time for: the deadline ends them. Who gives an event back spends one of its few deliveries, so what
/// can be waited for is waited for here.
const MAX_ATTEMPTS: u32 = 1000;

/// The SDK doubles it for each attempt and draws from the whole of it. Its default of a second would leave a flow one attempt.
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// A connection that went silent must not use up the whole deadline: an attempt gets half of what is left, within these bounds. An answer
/// that is cut off costs more than a late one, so the lower bound is well above what a service takes.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(1);
const LONGEST_ATTEMPT: Duration = Duration::from_secs(5);

/// The limit of a call's only attempt, if there is more time than this.
const LONGEST_ONLY_ATTEMPT: Duration = Duration::from_secs(10);

/// What every client that the SDK generates is set to: how it tries again, and its time-outs. The builders of the services' configurations have
/// these methods in common, and no trait.
macro_rules! configured {
    ($builder:expr) => {
        $builder
            .retry_config($crate::call::retries())
            .retry_partition($crate::call::retry_partition())
            .timeout_config($crate::call::timeouts())
            .retry_classifier($crate::call::RetryAfter)
    };
}
pub(crate) use configured;

/// Sends a request, with the interceptor that watches its attempts. Boxed: see the head of this file.
macro_rules! send {
    ($request:expr, $interceptor:expr) => {
        futures_util::FutureExt::boxed(
            $request
                .customize()
                .interceptor($interceptor.clone())
                .send(),
        )
        .await
    };
}
pub(crate) use send;

/// The retry configuration of every client.
pub(crate) fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(INITIAL_BACKOFF)
        .with_max_backoff(MAX_BACKOFF)
}

/// Retries are bounded by attempts and deadline alone. The SDK's own bucket of retries is shared by all calls of a process and does not fill
/// with time: a minute of throttling would leave later events without any.
pub(crate) fn retry_partition() -> RetryPartition {
    RetryPartition::custom("casebridge")
        .token_bucket(TokenBucket::unlimited())
        .build()
}

/// The time-outs of every client; a call adds its own.
pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .disable_read_timeout()
        .build()
}

/// An operation of a service, with what to do when it refuses: each a phrase that ends a sentence.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The API's name.
    pub(crate) name: &'static str,
    /// The IAM actions that it takes.
    pub(crate) actions: &'static str,
    /// Its default quota.
    pub(crate) quota: &'static str,
    /// The resources that may be missing.
    pub(crate) not_found: &'static str,
    /// Why a request that passed every check here may be refused all the same.
    pub(crate) refused: &'static str,
}

/// A call under way.
#[derive(Debug)]
pub(crate) struct Call {
    operation: &'static Operation,
    /// Its time-outs, and what became of its attempts; every call sends it along as an interceptor.
    pub(crate) attempts: Attempts,
    since: Stopwatch,
}

impl Operation {
    /// A call that may be repeated: an attempt that hangs leaves time for another.
    ///
    /// # Errors
    /// `OutOfTime`: there is none left.
    pub(crate) fn repeatable(&'static self, deadline: Deadline) -> Result<Call, Failure> {
        let attempt = (deadline.remaining() / 2).clamp(SHORTEST_ATTEMPT, LONGEST_ATTEMPT);
        self.call(deadline, attempt)
    }

    /// A call that must not be repeated once it may have succeeded: its one attempt has all the time there is, as far as an answer may still
    /// be expected. It goes with [`NeverInDoubt`].
    ///
    /// # Errors
    /// `OutOfTime`: there is none left.
    pub(crate) fn unrepeatable(&'static self, deadline: Deadline) -> Result<Call, Failure> {
        self.call(deadline, deadline.remaining().min(LONGEST_ONLY_ATTEMPT))
    }

    fn call(&'static self, deadline: Deadline, attempt: Duration) -> Result<Call, Failure> {
        let remaining = deadline.remaining();
        if remaining.is_zero() {
            let message = format!("the time was up before {} could be called", self.name);
            return Err(Failure::new(ErrorCode::OutOfTime, message));
        }
        let timeouts = timeouts()
            .to_builder()
            .operation_timeout(remaining)
            .operation_attempt_timeout(attempt)
            .build();
        Ok(Call {
            operation: self,
            attempts: Attempts::within(timeouts),
            since: Stopwatch::start(),
        })
    }

    /// The code of a class of error answers, and what to do about it.
    fn explain(&self, class: Class) -> (ErrorCode, String) {
        let Self {
            actions,
            quota,
            not_found,
            refused,
            ..
        } = self;
        match class {
            Class::Throttled => (
                ErrorCode::Throttled,
                format!(
                    "the account's quota for this operation is used up; {quota} is the default, and it can be raised"
                ),
            ),
            Class::NotFound => (ErrorCode::ResourceNotFound, (*not_found).to_owned()),
            Class::AccessDenied => (
                ErrorCode::AccessDenied,
                format!("the function's role needs {actions}"),
            ),
            Class::Unavailable => (
                ErrorCode::ServiceUnavailable,
                "the service had a fault of its own".to_owned(),
            ),
            Class::Refused => (ErrorCode::RequestRefused, (*refused).to_owned()),
        }
    }
}

impl Call {
    /// The failure that an SDK error tells of: its kind, HTTP status and request id, never its message.
    pub(crate) fn failure<E>(&self, error: &SdkError<E, HttpResponse>) -> Failure {
        let operation = self.operation.name;
        // Attempts go on until the time is up, so that alone would say nothing of a network that is not set up.
        if let SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) = error
            && !self.attempts.may_have_succeeded()
            && let Some(why) = self.attempts.were_unconnected()
        {
            let message = format!(
                "{operation} could not be sent, as no connection to its service could be opened: {why}"
            );
            return Failure::new(ErrorCode::ServiceUnavailable, message);
        }
        let (code, message) = match error {
            SdkError::ServiceError(context) => {
                let answer = ErrorAnswer::of(context.raw());
                let (code, help) = self.operation.explain(
                    answer
                        .as_ref()
                        .map_or(Class::Unavailable, |answer| answer.class),
                );
                let name = answer.as_ref().and_then(|answer| answer.name.as_deref());
                let name = name.unwrap_or("an error without a name");
                let status = context.raw().status().as_u16();
                let request = context.raw().request_id();
                let request = request
                    .map(|id| format!(", request {id}"))
                    .unwrap_or_default();
                let message =
                    format!("{operation} answered {name} (HTTP {status}{request}): {help}");
                return Failure::new(code, message);
            }
            SdkError::TimeoutError(_) if self.attempts.were_throttled() => {
                (ErrorCode::Throttled, "was throttled until the time was up")
            }
            SdkError::TimeoutError(_) => (ErrorCode::ServiceUnavailable, "did not answer in time"),
            SdkError::DispatchFailure(_) => (
                ErrorCode::ServiceUnavailable,
                "could not be sent, or its answer did not arrive",
            ),
            SdkError::ResponseError(_) => (
                ErrorCode::ServiceUnavailable,
                "gave an answer that cannot be read",
            ),
            _ => (
                ErrorCode::InternalError,
                "could not be built or signed: check the function's credentials and Region",
            ),
        };
        Failure::new(code, format!("{operation} {message}"))
    }
}
