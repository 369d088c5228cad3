//! Reads of Connect: turns a path into a signed request with retries, and its answer into JSON.
//!
//! It uses the parts that the SDK's clients are made of.
//! The generated client for Connect has more than 400 operations, and its types drop unknown members. Two reads need neither.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_runtime::auth::{SigV4OperationSigningConfig, sigv4};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_http::label::{EncodingStrategy, fmt_string};
use aws_smithy_runtime::client::http::connection_poisoning::ConnectionPoisoningInterceptor;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{AuthSchemeOptionResolverParams, SharedAuthScheme};
use aws_smithy_runtime_api::client::endpoint::EndpointResolverParams;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::{SharedRuntimePlugin, StaticRuntimePlugin};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{FrozenLayer, Layer};
use aws_smithy_types::error::ErrorMetadata;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use serde_json::Value;

use super::endpoint::ConnectEndpoint;
use crate::call::{self, Call, RetryAfter};

/// The statuses after which a read is retried, for any error name.
const TRANSIENT: [u16; 5] = [429, 500, 502, 503, 504];

/// The configuration shared by all calls of Connect.
#[derive(Clone, Debug)]
pub(super) struct Client {
    plugin: SharedRuntimePlugin,
    behavior_version: BehaviorVersion,
}

impl Client {
    pub(super) fn new(config: &SdkConfig) -> Self {
        let plugin = StaticRuntimePlugin::new()
            .with_config(settings(config))
            .with_runtime_components(components(config));
        let behavior_version = config.behavior_version();
        Self {
            plugin: SharedRuntimePlugin::new(plugin),
            behavior_version: behavior_version.unwrap_or_else(BehaviorVersion::v2026_01_12),
        }
    }

    /// Sends a `GET` for the path of these segments, until it is answered or the call's time is up.
    pub(super) async fn get(
        &self,
        operation: &'static str,
        path: &[&str],
        call: &Call,
    ) -> Result<Value, SdkError<ErrorMetadata, HttpResponse>> {
        let operation = Operation::builder()
            .service_name("Connect")
            .operation_name(operation)
            .behavior_version(self.behavior_version)
            .runtime_plugin(self.plugin.clone())
            .interceptor(call.attempts.clone())
            .serializer(|path: String| {
                let mut request = HttpRequest::new(SdkBody::empty());
                request.set_method("GET")?;
                request.set_uri(path)?;
                Ok(request)
            })
            .deserializer(answer)
            .build();
        // Boxed, because the handler's future would nest too deeply for the compiler. Few events need this future.
        Box::pin(operation.invoke(encode(path))).await
    }
}

/// Returns the path with its segments percent-encoded.
fn encode(segments: &[&str]) -> String {
    segments.iter().fold(String::new(), |path, segment| {
        path + "/" + &fmt_string(segment, EncodingStrategy::Default)
    })
}

/// Returns the answer's JSON, or the name of its error. The messages of the parser and the service are not kept.
fn answer(response: &HttpResponse) -> Result<Value, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return serde_json::from_slice(body)
            .map_err(|_| OrchestratorError::response("it is not JSON".into()));
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let name = response
        .headers()
        .get("x-amzn-errortype")
        .or_else(|| body.get("__type")?.as_str())
        .or_else(|| body.get("code")?.as_str());
    // A namespace may precede the name, and an address may follow it: `com.amazonaws.connect#NAME:http://…`
    let name = name.and_then(|name| name.split(':').next()?.rsplit('#').next());
    let error = name.map(|name| ErrorMetadata::builder().code(name).build());
    Err(OrchestratorError::operation(error.unwrap_or_default()))
}

fn settings(config: &SdkConfig) -> FrozenLayer {
    let mut layer = Layer::new("Connect");
    if let Some(region) = config.region() {
        layer.store_put(region.clone());
        layer.store_put(SigningRegion::from(region.clone()));
    }
    if let Some(name) = config.app_name() {
        layer.store_put(name.clone());
    }
    layer.store_put(SigningName::from_static("connect"));
    layer.store_put(SigV4OperationSigningConfig::default());
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(EndpointResolverParams::new(()));
    layer.store_put(ApiMetadata::new("connect", env!("CARGO_PKG_VERSION")));
    layer.store_put(call::retries());
    layer.store_put(call::retry_partition());
    layer.freeze()
}

fn components(config: &SdkConfig) -> RuntimeComponentsBuilder {
    let schemes = StaticAuthSchemeOptionResolver::new(vec![sigv4::SCHEME_ID]);
    let poisoning = SharedInterceptor::permanent(ConnectionPoisoningInterceptor::new());
    let statuses = HttpStatusCodeClassifier::new_from_codes(TRANSIENT.as_slice());
    let mut components = RuntimeComponentsBuilder::new("Connect")
        .with_http_client(config.http_client())
        .with_sleep_impl(config.sleep_impl())
        .with_time_source(config.time_source())
        .with_identity_cache(config.identity_cache())
        .with_endpoint_resolver(Some(ConnectEndpoint::new(config)))
        .with_auth_scheme(SharedAuthScheme::new(sigv4::SigV4AuthScheme::new()))
        .with_auth_scheme_option_resolver(Some(schemes))
        .with_retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
        .with_retry_classifier(statuses)
        .with_retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
        .with_retry_classifier(ServiceClockSkewClassifier::<ErrorMetadata>::new())
        .with_retry_classifier(RetryAfter)
        .with_interceptor(poisoning)
        .with_interceptor(ServiceClockSkewInterceptor::new())
        .with_interceptor(RequestInfoInterceptor::new())
        .with_interceptor(UserAgentInterceptor::new())
        .with_interceptor(InvocationIdInterceptor::new())
        .with_interceptor(RecursionDetectionInterceptor::new());
    if let Some(provider) = config.credentials_provider() {
        components.set_identity_resolver(sigv4::SCHEME_ID, provider);
    }
    components
}
