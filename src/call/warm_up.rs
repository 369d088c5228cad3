//! Warm-up calls: turns a start into open connections and an SDK that has done each of its steps once.
//!
//! At the start, nobody waits and Lambda gives the whole processor.
//! The SDK builds and signs a normal request, but an unsigned `HEAD /` is sent. It needs no permission, and any answer is enough.
//! The SDK then reads a prepared answer of a call that succeeds.
//!
//! [`Opener`] answers the SDK at once and keeps the request. The name lookup and the handshakes run while the mapping is read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_connectcases::error::SdkError;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, BeforeSerializationInterceptorContextRef,
    BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;

use super::{Call, Operation};
use crate::deadline::Deadline;
use crate::error::Failure;

/// The longest wait at the start. A slower network is no reason to make the start fail.
const PATIENCE: Duration = Duration::from_millis(500);

/// The interceptor that replaces the request with `HEAD /`, and the response with a prepared answer.
#[derive(Clone, Debug)]
pub(crate) struct WarmUp {
    timeouts: TimeoutConfig,
    answer: &'static str,
    request: Kept,
}

impl WarmUp {
    /// Creates the interceptor for a warm-up call. `answer` is the JSON of the operation's success.
    pub(crate) fn of(call: &Call, answer: &'static str) -> Self {
        Self {
            timeouts: call.attempts.timeouts().clone(),
            answer,
            request: Kept::default(),
        }
    }
}

/// A request that has been answered but still has to be sent.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Option<HttpConnectorFuture>>>);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

impl Kept {
    fn keep(&self, request: HttpConnectorFuture) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(request);
    }

    fn take(&self) -> Option<HttpConnectorFuture> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A connector that answers a warm-up request at once. [`Opening`] then sends the request.
#[derive(Debug)]
pub(crate) struct Opener(pub(crate) SharedHttpConnector);

impl HttpConnector for Opener {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(kept) = request.extension::<Kept>().cloned() else {
            return self.0.call(request);
        };
        kept.keep(self.0.call(request));
        let answer = StatusCode::try_from(200)
            .map(|status| HttpResponse::new(status, SdkBody::empty()))
            .map_err(|error| ConnectorError::other(error.into(), None));
        HttpConnectorFuture::ready(answer)
    }
}

/// A connection that is being opened, as long as this is polled.
#[derive(Debug)]
#[must_use]
pub struct Opening(Option<(Call, Kept)>);

impl Opening {
    /// No connection to open.
    pub(crate) const NONE: Self = Self(None);

    /// Creates the opening of a warm-up call's connection. If the call has failed already, logs that and opens nothing.
    pub(crate) fn of<T, E>(
        call: Call,
        warm_up: WarmUp,
        sent: &Result<T, SdkError<E, HttpResponse>>,
    ) -> Self {
        if sent.is_err() {
            call.unreachable();
            return Self::NONE;
        }
        Self(Some((call, warm_up.request)))
    }

    /// Waits until the connection is open.
    ///
    /// An unreachable service is logged, and the function starts anyway. The first event then opens the connection.
    pub async fn opened(self) {
        let Some((call, kept)) = self.0 else { return };
        let Some(request) = kept.take() else { return };
        let left = PATIENCE.saturating_sub(call.since.elapsed());
        if !matches!(tokio::time::timeout(left, request).await, Ok(Ok(_))) {
            call.unreachable();
        }
    }
}

impl Intercept for WarmUp {
    fn name(&self) -> &'static str {
        "WarmUp"
    }

    /// Limits the call to one attempt.
    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let settings = settings.interceptor_state();
        settings.store_put(self.timeouts.clone());
        settings.store_put(RetryConfig::disabled());
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let mut harmless = HttpRequest::new(SdkBody::empty());
        harmless.set_method("HEAD")?;
        harmless.set_uri(root(request.uri()))?;
        harmless.add_extension(self.request.clone());
        *request = harmless;
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        *context.response_mut() =
            HttpResponse::new(StatusCode::try_from(200)?, SdkBody::from(self.answer));
        Ok(())
    }
}

/// Returns the root URL of the host that an address names.
fn root(uri: &str) -> String {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("https", uri));
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    format!("{scheme}://{host}/")
}

impl Operation {
    /// Starts a warm-up call.
    ///
    /// # Errors
    /// `OutOfTime`: never in practice.
    pub(crate) fn warm_up(&'static self) -> Result<Call, Failure> {
        self.unrepeatable(Deadline::after(PATIENCE))
    }
}

impl Call {
    /// Logs that the service could not be reached.
    fn unreachable(&self) {
        let operation = self.operation.name;
        tracing::warn!(
            operation,
            "the service of {operation} could not be reached within {} ms at the start: check the function's network if its events fail, too",
            PATIENCE.as_millis()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::root;

    #[test]
    fn the_root_is_the_hosts() {
        for (uri, expected) in [
            (
                "https://cases.us-east-1.amazonaws.com/domains/d/cases?a=b",
                "https://cases.us-east-1.amazonaws.com/",
            ),
            ("http://127.0.0.1:4599", "http://127.0.0.1:4599/"),
            ("http://[::1]:4599/prefix/", "http://[::1]:4599/"),
        ] {
            assert_eq!(root(uri), expected);
        }
    }
}
