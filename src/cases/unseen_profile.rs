//! A customer's profile that Cases does not see yet: `CreateCase` looks it up in a search index that lags behind its creation.
//!
//! The service has no error of its own for it, so its message is matched, and then forgotten.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_connectcases::error::ProvideErrorMetadata;
use aws_sdk_connectcases::operation::create_case::CreateCaseError;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

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

/// Tries again with the same token, as long as the call may take; and remembers whether that is what it was waiting for.
#[derive(Clone, Debug, Default)]
pub(super) struct UnseenProfile(Arc<AtomicBool>);

impl UnseenProfile {
    /// Whether the last answer was that there is no such profile.
    pub(super) fn was_last(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl ClassifyRetry for UnseenProfile {
    fn name(&self) -> &'static str {
        "UnseenProfile"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        let error = error.and_then(|error| error.as_operation_error());
        let unseen = error
            .and_then(|error| error.downcast_ref::<CreateCaseError>())
            .is_some_and(is_meant);
        self.0.store(unseen, Ordering::Relaxed);
        if unseen {
            RetryAction::transient_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }
}
