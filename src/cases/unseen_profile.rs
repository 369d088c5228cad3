//! A customer's profile that Cases does not see yet: `CreateCase` looks it up in a search index that lags behind its creation.
//!
//! The service has no error of its own for it, so its message is matched, and then forgotten.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_connectcases::error::ProvideErrorMetadata;
use aws_sdk_connectcases::operation::create_case::CreateCaseError;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    Error, FinalizerInterceptorContextRef, InterceptorContext, Output,
};
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// What the message says of it, in lower case.
const MEANT: &str = "no customer profile found";

/// Whether the error says that there is no such profile.
fn is_meant(error: &CreateCaseError) -> bool {
    let refused = matches!(
        error,
        CreateCaseError::ValidationException(_) | CreateCaseError::ResourceNotFoundException(_)
    );
    let message = error.message().unwrap_or_default();
    refused && message.to_ascii_lowercase().contains(MEANT)
}

/// Whether an attempt ended with it.
fn is_unseen(result: Option<Result<&Output, &OrchestratorError<Error>>>) -> bool {
    let error = result
        .and_then(Result::err)
        .and_then(|error| error.as_operation_error());
    error
        .and_then(|error| error.downcast_ref::<CreateCaseError>())
        .is_some_and(is_meant)
}

/// Tries again with the same token, as long as the call may take.
#[derive(Debug)]
pub(super) struct UnseenProfileRetry;

impl ClassifyRetry for UnseenProfileRetry {
    fn name(&self) -> &'static str {
        "UnseenProfileRetry"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        if is_unseen(context.output_or_error()) {
            RetryAction::transient_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }
}

/// Remembers whether that is what a call was waiting for.
#[derive(Clone, Debug, Default)]
pub(super) struct UnseenProfile(Arc<AtomicBool>);

impl UnseenProfile {
    /// Whether the last answer was that there is no such profile.
    pub(super) fn was_last(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Intercept for UnseenProfile {
    fn name(&self) -> &'static str {
        "UnseenProfile"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let unseen = is_unseen(context.output_or_error());
        self.0.store(unseen, Ordering::Relaxed);
        Ok(())
    }
}
