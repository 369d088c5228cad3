//! An HTTP client that sends one request at a time.
//!
//! DynamoDB checks a condition and writes in one step. Moto does so in two, on a thread for each connection, so that two writes at once may
//! both find their condition met. Runs that compete still take their turns request by request, in whatever order they come.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::Mutex;

/// A client whose connectors share their turn.
#[derive(Debug)]
pub(crate) struct InTurn {
    http: SharedHttpClient,
    turn: Arc<Mutex<()>>,
}

#[derive(Debug)]
struct Connector {
    connector: SharedHttpConnector,
    turn: Arc<Mutex<()>>,
}

impl InTurn {
    pub(crate) fn new(http: SharedHttpClient) -> Self {
        let turn = Arc::default();
        Self { http, turn }
    }
}

impl HttpClient for InTurn {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            connector: self.http.http_connector(settings, components),
            turn: Arc::clone(&self.turn),
        })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (connector, turn) = (self.connector.clone(), Arc::clone(&self.turn));
        HttpConnectorFuture::new(async move {
            let _turn = turn.lock().await;
            connector.call(request).await
        })
    }
}
