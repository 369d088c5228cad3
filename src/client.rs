//! The AWS configuration: turns the function's settings into Region, endpoint, credentials and the HTTP client.
//!
//! `aws-config` keeps its standard settings (`AWS_REGION`, `AWS_ENDPOINT_URL_CONNECTCASES`, …).
//!
//! The HTTP client is our own, because the default takes ten times the rest of a cold start.
//! It uses ring instead of aws-lc, and the few roots that AWS's endpoints chain to instead of the platform's hundreds.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_connectcases::config::ProvideCredentials as _;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::call::Opener;
use crate::config::{Config, ConfigError, Credentials, Proxy};

/// The root certificates of Amazon Trust Services, and those of `DigiCert` for partitions that still use them.
const ROOTS: &[u8] = include_bytes!("roots.pem");

/// The time-out of the ordinary credentials chain. It is the SDK's default.
const CHAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Loads the configuration that every client is made from.
///
/// # Errors
/// The CA bundle or the proxy that the environment names cannot be used.
pub async fn load(config: &Config) -> Result<SdkConfig, ConfigError> {
    let loader = defaults()
        .http_client(https(config)?)
        .region(Region::new(config.region.clone()))
        // Bodies are a few kilobytes, and every attempt has its own time limit.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    let loader = match config.credentials {
        // Lambda always sets these variables. The chain would first look for profiles and other sources.
        Credentials::Environment => {
            let environment = EnvironmentVariableCredentialsProvider::new();
            // The credentials do not change while the process lives. A call reports any error in them.
            let loader = match environment.provide_credentials().await {
                Ok(credentials) => loader.credentials_provider(credentials),
                Err(_) => loader.credentials_provider(environment),
            };
            loader.identity_cache(IdentityCache::no_cache())
        }
        // Without this time-out, the cache derives one from our thousand attempts, at every call.
        Credentials::Chain => {
            loader.identity_cache(IdentityCache::lazy().load_timeout(CHAIN_TIMEOUT).build())
        }
    };
    Ok(loader.load().await)
}

/// Returns `aws-config` with the behaviour of one named version. An SDK upgrade then changes no time-out and no retry.
#[must_use]
pub fn defaults() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
}

fn https(config: &Config) -> Result<SharedHttpClient, ConfigError> {
    let roots = match &config.ca_bundle {
        Some(bundle) => bundle.read()?,
        None => ROOTS.to_vec(),
    };
    let context = TlsContext::builder()
        .with_trust_store(TrustStore::empty().with_pem_certificate(roots))
        .build();
    let context = context
        .map_err(|error| ConfigError::new(format!("the HTTPS client cannot be set up: {error}")))?;
    let tls = Provider::Rustls(CryptoMode::Ring);
    let client = match &config.proxy {
        None => aws_smithy_http_client::Builder::new()
            .tls_provider(tls)
            .tls_context(context)
            .build_https(),
        Some(proxy) => {
            let proxy = through(proxy)?;
            aws_smithy_http_client::Builder::new().build_with_connector_fn(
                move |settings, components| {
                    let mut connector = Connector::builder()
                        .proxy_config(proxy.clone())
                        .tls_provider(tls.clone())
                        .tls_context(context.clone());
                    connector.set_connector_settings(settings.cloned());
                    connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
                    connector.build()
                },
            )
        }
    };
    Ok(SharedHttpClient::new(Shared(client)))
}

fn through(proxy: &Proxy) -> Result<ProxyConfig, ConfigError> {
    let Proxy {
        variable,
        url,
        except,
    } = proxy;
    // The address may contain a password, so the message does not repeat it.
    let config = ProxyConfig::all(url).map_err(|_| {
        ConfigError::new(format!(
            "{variable} takes the address of a proxy, such as http://proxy.example.com:8080, found something else"
        ))
    })?;
    Ok(match except {
        Some(except) => config.no_proxy(except),
        None => config,
    })
}

/// The one HTTP client of all services.
///
/// Every service client validates the HTTP client that it is made from.
/// The SDK's client would then read all roots, set up TLS and discard the result. This wrapper skips the validation.
#[derive(Debug)]
struct Shared(SharedHttpClient);

impl HttpClient for Shared {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Opener(self.0.http_connector(settings, components)))
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}
