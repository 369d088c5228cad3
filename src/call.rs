//! One call of an AWS service: turns an operation and a deadline into time-outs and retries.
//! It also turns an SDK error into a failure.
//!
//! The message of a service is never kept, because it can quote field values.
//!
//! The future of a call is boxed, because it takes several kilobytes.
//! Otherwise every calling future would reserve, and move, that space for each call that it may make.

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

/// The time to open a connection.
///
/// It is constant, because the SDK keeps one connection pool for each value.
/// A value that followed the deadline would open a connection for every call.
/// The time to the first byte of an answer has no limit. Each attempt has one already, and every timer costs.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum number of attempts. The deadline ends them, because no invocation has time for so many.
///
/// Returning an event costs one of its few deliveries, so a call waits here instead.
const MAX_ATTEMPTS: u32 = 1000;

/// The backoff of the first retry. The SDK doubles it for each attempt and waits a random part of it.
///
/// With the SDK's default of a second, a flow would have one attempt.
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// The bounds of an attempt's time limit, which is half of the time left.
///
/// A silent connection must not use up the whole deadline.
/// The lower bound is well above a service's usual time, because a cut-off answer costs more than a late one.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(1);
const LONGEST_ATTEMPT: Duration = Duration::from_secs(5);

/// The time limit of a call's only attempt, unless the deadline is earlier.
const LONGEST_ONLY_ATTEMPT: Duration = Duration::from_secs(10);

/// Sets retries and time-outs on the configuration builder of an SDK client.
///
/// It is a macro, because the services' builders share these methods but no trait.
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

/// Sends a request with the interceptor that watches its attempts. The future is boxed: see the module documentation.
macro_rules! send {
    ($request:expr, $interceptor:expr $(, $configuration:expr)?) => {
        futures_util::FutureExt::boxed(
            $request
                .customize()
                .interceptor($interceptor.clone())
                $(.config_override($configuration))?
                .send(),
        )
        .await
    };
}
pub(crate) use send;

/// Returns the retry configuration of every client.
pub(crate) fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(INITIAL_BACKOFF)
        .with_max_backoff(MAX_BACKOFF)
}

/// Returns the retry partition of every client. Only the number of attempts and the deadline limit retries.
///
/// All calls of a process share the SDK's own bucket of retries, and it does not refill with time.
/// After a minute of throttling, later events would have no retries.
pub(crate) fn retry_partition() -> RetryPartition {
    RetryPartition::custom("casebridge")
        .token_bucket(TokenBucket::unlimited())
        .build()
}

/// Returns the time-outs of every client. A call adds its own.
pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .disable_read_timeout()
        .build()
}

/// An operation of a service, with the advice for each kind of refusal. Each text is a phrase that ends a sentence.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The operation's name in the API.
    pub(crate) name: &'static str,
    /// The IAM actions that the operation needs.
    pub(crate) actions: &'static str,
    /// The operation's default quota.
    pub(crate) quota: &'static str,
    /// The advice when a resource does not exist.
    pub(crate) not_found: &'static str,
    /// The reason why a service may refuse a request that passed every check here.
    pub(crate) refused: &'static str,
}

/// A call in progress.
#[derive(Debug)]
pub(crate) struct Call {
    operation: &'static Operation,
    /// The time-outs of the call and the results of its attempts. Every call sends it as an interceptor.
    pub(crate) attempts: Attempts,
    since: Stopwatch,
}

impl Operation {
    /// Starts a call that may be repeated. An attempt that hangs leaves time for another.
    ///
    /// # Errors
    /// `OutOfTime`: no time is left.
    pub(crate) fn repeatable(&'static self, deadline: Deadline) -> Result<Call, Failure> {
        let attempt = (deadline.remaining() / 2).clamp(SHORTEST_ATTEMPT, LONGEST_ATTEMPT);
        self.call(deadline, attempt)
    }

    /// Starts a call that must not be repeated once it may have succeeded.
    ///
    /// Its one attempt gets all the time left, as long as an answer may still be expected. Use it with [`NeverInDoubt`].
    ///
    /// # Errors
    /// `OutOfTime`: no time is left.
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

    /// Returns the code of a class of error answers, and the advice for it.
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
    /// Returns the failure for an SDK error. It contains the error's kind, HTTP status and request id, and never its message.
    pub(crate) fn failure<E>(&self, error: &SdkError<E, HttpResponse>) -> Failure {
        let operation = self.operation.name;
        // Attempts go on until the time is up. A time-out alone would not show that the network is not set up.
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
