//! The emulator as the HTTP client of an AWS SDK client in the same process. There is no socket; the SDK's
//! own serializers, signer and retries run.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;

use crate::Emulator;

impl Emulator {
    /// Returns an HTTP client that sends every request to this emulator, for any host. The read time-out
    /// of the SDK client's configuration applies.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        let emulator = self.clone();
        http_client_fn(move |settings, _components| {
            SharedHttpConnector::new(InProcess {
                emulator: emulator.clone(),
                read_timeout: settings.read_timeout(),
            })
        })
    }
}

#[derive(Debug)]
struct InProcess {
    emulator: Emulator,
    read_timeout: Option<Duration>,
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let emulator = self.emulator.clone();
        let read_timeout = self.read_timeout;
        HttpConnectorFuture::new(async move {
            let answer = answer(&emulator, request);
            match read_timeout {
                None => answer.await,
                Some(limit) => tokio::time::timeout(limit, answer)
                    .await
                    .unwrap_or_else(|elapsed| Err(ConnectorError::timeout(elapsed.into()))),
            }
        })
    }
}

async fn answer(emulator: &Emulator, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let user = |error| ConnectorError::user(error);
    let request = request.try_into_http1x().map_err(|e| user(e.into()))?;
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(user)?.to_bytes();
    let response = emulator
        .respond(http::Request::from_parts(head, body))
        .await
        .map_err(|closed| ConnectorError::io(closed.into()))?;
    HttpResponse::try_from(response.map(SdkBody::from)).map_err(|e| user(e.into()))
}
