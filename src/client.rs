//! The AWS side of the wiring: Region, endpoint, credentials and the HTTP client.
//!
//! `aws-config` keeps its standard settings (`AWS_REGION`, `AWS_ENDPOINT_URL_CONNECTCASES`, …). The HTTP client is ours to choose because
//! its default costs a cold start ten times the rest: ring instead of aws-lc, and the few roots that AWS's endpoints chain to instead of the
//! platform's hundreds.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::config::{Config, ConfigError, Credentials};

/// Amazon Trust Services' roots, and `DigiCert`'s for partitions that still use them.
const ROOTS: &[u8] = include_bytes!("roots.pem");

/// Loads the configuration that every client is made from.
///
/// # Errors
/// The CA bundle that the environment names cannot be used.
pub async fn load(config: &Config) -> Result<SdkConfig, ConfigError> {
    let loader = defaults()
        .http_client(https(config)?)
        .region(Region::new(config.region.clone()));
    let loader = match config.credentials {
        // The chain would look for profiles and for other sources first; Lambda always has these.
        Credentials::Environment => {
            loader.credentials_provider(EnvironmentVariableCredentialsProvider::new())
        }
        Credentials::Chain => loader,
    };
    Ok(loader.load().await)
}

/// `aws-config` with the behaviour of one named version, so that an upgrade of the SDK changes no time-out or retry by itself.
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
    Ok(aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https())
}
