//! A call's answer as it came over the wire. The SDK signs, retries and reads the errors; its output types know the
//! members of their day, and what the service has added since would be lost with them.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_connectcases::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_connectcases::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_connectcases::error::BoxError;

/// Keeps the body of the last answer to one call. Clones keep it together.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorder {
    body: Arc<Mutex<Vec<u8>>>,
}

impl Recorder {
    /// The body; empty when there was no answer.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.body.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.body.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok(())
    }
}
