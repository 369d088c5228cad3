//! Attempts of a call: turns each attempt's answer or error into counts.
//!
//! The counts show if an attempt may have succeeded although no answer arrived.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::timeout::TimeoutConfig;
use aws_smithy_async::future::timeout::TimedOutError;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connection::CaptureSmithyConnection;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef, Error,
    FinalizerInterceptorContextRef, InterceptorContext, Output,
};
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::error_answer::{Class, ErrorAnswer};

/// The interceptor of one call. It sets the call's time-outs and counts its attempts.
///
/// It also counts the attempts that certainly had no effect.
#[derive(Clone, Debug)]
pub(crate) struct Attempts {
    timeouts: TimeoutConfig,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    begun: AtomicUsize,
    /// True while an attempt is in progress: it has begun and has not ended.
    under_way: AtomicBool,
    harmless: AtomicUsize,
    throttled: AtomicUsize,
    last_throttled: AtomicBool,
    /// The reason why the last attempt had no connection, if that is why it failed.
    last_unconnected: Mutex<Option<String>>,
}

impl Attempts {
    /// Creates the attempts of a call that has these time-outs.
    pub(crate) fn within(timeouts: TimeoutConfig) -> Self {
        Self {
            timeouts,
            counts: Arc::default(),
        }
    }

    /// Returns the time-outs of the call.
    pub(crate) fn timeouts(&self) -> &TimeoutConfig {
        &self.timeouts
    }

    /// Returns true if some attempt may have succeeded: it was not refused, and may have been sent.
    pub(crate) fn may_have_succeeded(&self) -> bool {
        self.counts.begun.load(Ordering::Relaxed) > self.counts.harmless.load(Ordering::Relaxed)
    }

    /// Returns true if the last answer said that the quota is exhausted.
    pub(crate) fn were_throttled(&self) -> bool {
        self.counts.last_throttled.load(Ordering::Relaxed)
    }

    /// Returns the reason why no connection could be opened, if that is why the last attempt failed.
    pub(crate) fn were_unconnected(&self) -> Option<String> {
        let last = self.counts.last_unconnected.lock();
        last.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the number of attempts sent.
    pub(crate) fn begun(&self) -> usize {
        self.counts.begun.load(Ordering::Relaxed)
    }

    /// Returns the number of attempts that were throttled.
    pub(crate) fn throttled(&self) -> usize {
        self.counts.throttled.load(Ordering::Relaxed)
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    /// Sets the time-outs here, because a separate configuration for the call would cost more.
    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        settings
            .interceptor_state()
            .store_put(self.timeouts.clone());
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.counts.begun.fetch_add(1, Ordering::Relaxed);
        self.counts.under_way.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Counts the result of an attempt.
    ///
    /// An attempt that was abandoned has no answer here.
    /// It stays in doubt, unless it had no connection, like the attempt before it.
    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response().and_then(ErrorAnswer::of);
        let throttled = answer
            .as_ref()
            .is_some_and(|answer| answer.class == Class::Throttled);
        self.counts
            .last_throttled
            .store(throttled, Ordering::Relaxed);
        if throttled {
            self.counts.throttled.fetch_add(1, Ordering::Relaxed);
        }
        let was_begun = self.counts.under_way.swap(false, Ordering::Relaxed);
        let why = unconnected(context.output_or_error()).map(cause);
        let given_up =
            was_begun && why.is_none() && context.response().is_none() && !is_connected(settings);
        let last = self.counts.last_unconnected.lock();
        let mut last = last.unwrap_or_else(PoisonError::into_inner);
        // An abandoned attempt without a connection keeps the reason of the attempt before it.
        // Some connectors report neither connections nor the reason why there was none.
        if !given_up {
            *last = why;
        }
        if last.is_some() || answer.is_some_and(|answer| answer.had_no_effect()) {
            self.counts.harmless.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// The retry classifier for operations without a client token.
///
/// It ends the attempts of a call as soon as one of them may have succeeded.
#[derive(Debug)]
pub(crate) struct NeverInDoubt;

impl ClassifyRetry for NeverInDoubt {
    fn name(&self) -> &'static str {
        "NeverInDoubt"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let answer = context.response().and_then(ErrorAnswer::of);
        if is_harmless(answer.as_ref(), context.output_or_error()) {
            RetryAction::NoActionIndicated
        } else {
            RetryAction::RetryForbidden
        }
    }
}

/// Returns true if an attempt certainly had no effect: it was refused, or it was never sent.
fn is_harmless(
    answer: Option<&ErrorAnswer>,
    result: Option<Result<&Output, &OrchestratorError<Error>>>,
) -> bool {
    answer.is_some_and(ErrorAnswer::had_no_effect) || unconnected(result).is_some()
}

/// Returns the error of an attempt for which no connection could be opened. Such an attempt wrote nothing.
fn unconnected<'a>(
    result: Option<Result<&'a Output, &'a OrchestratorError<Error>>>,
) -> Option<&'a ConnectorError> {
    let error = result
        .and_then(Result::err)
        .and_then(|error| error.as_connector_error());
    error.filter(|error| {
        causes(*error).any(|error| {
            error
                .downcast_ref::<hyper_util::client::legacy::Error>()
                .is_some_and(hyper_util::client::legacy::Error::is_connect)
        })
    })
}

/// Returns true if the attempt had a connection.
fn is_connected(settings: &ConfigBag) -> bool {
    settings
        .load::<CaptureSmithyConnection>()
        .is_some_and(|connection| connection.get().is_some())
}

/// Returns the innermost cause, in the words of the system, of TLS or of the proxy.
///
/// No service has answered yet, so the text contains nothing of an event.
fn cause(error: &ConnectorError) -> String {
    causes(error)
        // This error says less than the error that it causes.
        .filter(|error| !error.is::<TimedOutError>())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}
