//! Whether an attempt may have succeeded without our hearing of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};

use aws_config::timeout::TimeoutConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef, Error,
    FinalizerInterceptorContextRef, InterceptorContext, Output,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::config_bag::ConfigBag;

use super::error_answer::{Class, ErrorAnswer};

/// Goes along with one call: gives it its time-outs, and counts its attempts and those of which it is certain that they did nothing.
#[derive(Clone, Debug)]
pub(crate) struct Attempts {
    timeouts: TimeoutConfig,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    begun: AtomicUsize,
    harmless: AtomicUsize,
    throttled: AtomicUsize,
    /// The HTTP status of the last answer, 0 when there was none.
    last_status: AtomicU16,
    last_throttled: AtomicBool,
}

impl Attempts {
    /// The attempts of a call that has these time-outs.
    pub(crate) fn within(timeouts: TimeoutConfig) -> Self {
        Self {
            timeouts,
            counts: Arc::default(),
        }
    }

    /// The time-outs of the call.
    pub(crate) fn timeouts(&self) -> &TimeoutConfig {
        &self.timeouts
    }

    /// Whether some attempt may have succeeded: it was begun, and neither refused nor kept from the wire.
    pub(crate) fn may_have_succeeded(&self) -> bool {
        self.counts.begun.load(Ordering::Relaxed) > self.counts.harmless.load(Ordering::Relaxed)
    }

    /// Whether the last answer was that the quota is used up.
    pub(crate) fn were_throttled(&self) -> bool {
        self.counts.last_throttled.load(Ordering::Relaxed)
    }

    /// How many were sent.
    pub(crate) fn begun(&self) -> usize {
        self.counts.begun.load(Ordering::Relaxed)
    }

    /// How many of them were answered with the quota being used up.
    pub(crate) fn throttled(&self) -> usize {
        self.counts.throttled.load(Ordering::Relaxed)
    }

    /// The HTTP status of the last answer.
    pub(crate) fn last_status(&self) -> Option<u16> {
        Some(self.counts.last_status.load(Ordering::Relaxed)).filter(|status| *status != 0)
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    /// Time-outs that are given so cost less than a configuration of the call's own.
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
        Ok(())
    }

    /// An attempt that is given up in the middle never gets here, and so stays in doubt.
    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let status = context.response().map(HttpResponse::status);
        self.counts
            .last_status
            .store(status.map_or(0, StatusCode::as_u16), Ordering::Relaxed);
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
        if is_harmless(answer.as_ref(), context.output_or_error()) {
            self.counts.harmless.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Ends the attempts of a call as soon as one of them may have succeeded: for operations that have no client token.
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

/// Whether an attempt is certain to have done nothing: it was refused, or never left.
fn is_harmless(
    answer: Option<&ErrorAnswer>,
    result: Option<Result<&Output, &OrchestratorError<Error>>>,
) -> bool {
    let connector_error = result
        .and_then(Result::err)
        .and_then(|error| error.as_connector_error());
    answer.is_some_and(ErrorAnswer::had_no_effect)
        || connector_error.is_some_and(|error| never_connected(error))
}

/// Whether an error, or what caused it, is that no connection could be opened: then nothing was written.
fn never_connected(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| {
        error
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
    })
}
