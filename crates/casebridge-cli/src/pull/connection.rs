//! Connects to Cases: Region, endpoint, credentials and HTTP client, found as the AWS CLI finds them.
//!
//! An endpoint on this machine is the emulator, which checks neither credentials nor Region: both have a default there.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::{ConfigLoader, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::config::retry::RetryConfig;
use aws_sdk_connectcases::config::{RuntimeComponents, SharedHttpClient};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::HttpConnectorSettings;

use super::reader::causes;

/// The Region of requests to the emulator, unless another is set.
const LOCAL_REGION: &str = "us-east-1";

/// The most attempts of a request.
const MAX_ATTEMPTS: u32 = 6;

/// The longest wait between two attempts: within it, every quota has room for several requests again.
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// The settings of a connection, from options and environment.
#[derive(Debug, Default)]
pub(super) struct ConnectionSettings {
    /// `--profile`
    pub(super) profile: Option<String>,
    /// `--region`
    pub(super) region: Option<String>,
    /// `--endpoint-url`, else `AWS_ENDPOINT_URL_CONNECTCASES`, else `AWS_ENDPOINT_URL`
    pub(super) endpoint: Option<String>,
    /// `AWS_CA_BUNDLE`
    pub(super) ca_bundle: Option<String>,
    /// The Region of the existing snapshot, used if no other is set.
    pub(super) snapshot_region: Option<String>,
}

impl ConnectionSettings {
    /// Returns a client, and its destination for messages: `in us-east-1`, or `at` an address.
    ///
    /// # Errors
    ///
    /// No Region or no credentials, or some that cannot be used.
    pub(super) async fn client(&self) -> anyhow::Result<(Client, String)> {
        if let Some(url) = self.endpoint.as_ref().filter(|url| !url.contains("://")) {
            bail!("the endpoint {url} is no URL: expected one such as http://127.0.0.1:4599");
        }
        let is_plain = self
            .endpoint
            .as_ref()
            .is_some_and(|url| url.starts_with("http://"));
        ensure!(
            is_plain || self.ca_bundle.is_some() || has_roots(),
            "this machine has no root certificates: install them (often the package ca-certificates), or name a bundle \
             in AWS_CA_BUNDLE"
        );
        let https = https(self.ca_bundle.as_deref())?;
        let loader = casebridge::client::defaults().http_client(https.clone());
        let loader = match &self.profile {
            Some(name) => loader.profile_name(name),
            None => loader,
        };
        let loader = if self.is_local() {
            self.local(loader, https)
        } else if let Some(region) = &self.region {
            loader.region(Region::new(region.clone()))
        } else {
            loader
        };
        let sdk = loader.load().await;
        let fallback = || self.snapshot_region.clone().map(Region::new);
        let region = sdk.region().cloned().or_else(fallback).context(
            "no AWS Region is set: name the domain's with --region, in AWS_REGION or in the profile",
        )?;
        let provider = sdk
            .credentials_provider()
            .context("no AWS credentials are set")?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| self.no_credentials(&error))?;

        // Given once and for all, so that what is wrong with them was said above, in its own words.
        let config = aws_sdk_connectcases::config::Builder::from(&sdk)
            .region(region.clone())
            .retry_config(retries(sdk.retry_config()))
            .credentials_provider(SharedCredentialsProvider::new(credentials));
        let (config, place) = match &self.endpoint {
            Some(url) if is_plain => {
                let plain = config
                    .endpoint_url(url)
                    .http_client(plain_http(self.is_local()));
                (plain, format!("at {url}"))
            }
            Some(url) => (config.endpoint_url(url), format!("at {url}")),
            None => (config, format!("in {region}")),
        };
        Ok((Client::from_conf(config.build()), place))
    }

    /// Returns whether the endpoint is on this machine.
    fn is_local(&self) -> bool {
        let url = self.endpoint.as_deref().unwrap_or_default();
        let Some((_, rest)) = url.split_once("://") else {
            return false;
        };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address = host.parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// Loads without the instance metadata service, which would only time out.
    fn local(&self, loader: ConfigLoader, https: SharedHttpClient) -> ConfigLoader {
        let config = ProviderConfig::without_region().with_http_client(https);
        let mut region = ProfileFileRegionProvider::builder().configure(&config);
        let mut credentials = ProfileFileCredentialsProvider::builder().configure(&config);
        if let Some(name) = &self.profile {
            region = region.profile_name(name);
            credentials = credentials.profile_name(name);
        }
        let fallback = self.snapshot_region.as_deref().unwrap_or(LOCAL_REGION);
        let region = RegionProviderChain::first_try(self.region.clone().map(Region::new))
            .or_else(EnvironmentVariableRegionProvider::new())
            .or_else(region.build())
            .or_else(Region::new(fallback.to_owned()));
        let environment = EnvironmentVariableCredentialsProvider::new();
        let credentials = CredentialsProviderChain::first_try("Environment", environment)
            .or_else("Profile", credentials.build())
            .or_else("Local", Credentials::from_keys("local", "local", None));
        loader.region(region).credentials_provider(credentials)
    }

    fn no_credentials(&self, error: &CredentialsError) -> anyhow::Error {
        match (error, &self.profile) {
            (CredentialsError::CredentialsNotLoaded(_), Some(name)) => anyhow!(
                "profile {name} has no AWS credentials: is it in ~/.aws/config? Sign in with `aws sso login --profile {name}`"
            ),
            (CredentialsError::CredentialsNotLoaded(_), None) => anyhow!(
                "no AWS credentials were found: sign in with `aws sso login`, name a profile with --profile, or set \
                 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            ),
            (error, profile) => anyhow!(
                "the AWS credentials of {} could not be had ({}): sign in again with `aws sso login`, or name another \
                 profile with --profile",
                profile.as_ref().map_or_else(
                    || "the default profile".to_owned(),
                    |name| format!("profile {name}")
                ),
                causes(error)
            ),
        }
    }
}

/// Returns the retries of a pull. The quotas are requests per second and are shared with the account, so a throttled
/// request succeeds within seconds. A number of attempts that the environment or the profile sets is kept.
pub(super) fn retries(configured: Option<&RetryConfig>) -> RetryConfig {
    let standard = RetryConfig::standard();
    let retries = configured.cloned().unwrap_or(standard.clone());
    if retries.max_attempts() == standard.max_attempts() {
        retries
            .with_max_attempts(MAX_ATTEMPTS)
            .with_max_backoff(MAX_BACKOFF)
    } else {
        retries
    }
}

/// TLS by ring, with this machine's roots or the bundle that `AWS_CA_BUNDLE` names, through the environment's proxy.
fn https(ca_bundle: Option<&str>) -> anyhow::Result<SharedHttpClient> {
    let roots = match ca_bundle {
        Some(path) => TrustStore::empty().with_pem_certificate(bundle(path)?),
        None => TrustStore::default(),
    };
    let context = TlsContext::builder().with_trust_store(roots).build();
    let context = context.context("the HTTPS client could not be set up")?;
    let client = Builder::new().build_with_connector_fn(move |settings, components| {
        connector(ProxyConfig::from_env(), settings, components)
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context.clone())
            .build()
    });
    Ok(client)
}

/// An HTTP client without TLS for the emulator: it needs no roots, and no proxy on this machine.
fn plain_http(is_local: bool) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let proxy = if is_local {
            ProxyConfig::disabled()
        } else {
            ProxyConfig::from_env()
        };
        connector(proxy, settings, components).build_http()
    })
}

fn connector(
    proxy: ProxyConfig,
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
) -> ConnectorBuilder {
    let mut connector = Connector::builder().proxy_config(proxy);
    connector.set_connector_settings(settings.cloned());
    connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    connector
}

/// Returns whether this machine has root certificates.
fn has_roots() -> bool {
    !rustls_native_certs::load_native_certs().certs.is_empty()
}

/// Reads a file of root certificates, and checks every one of them.
fn bundle(path: &str) -> anyhow::Result<Vec<u8>> {
    let text = std::fs::read(path)
        .with_context(|| format!("AWS_CA_BUNDLE names {path}, which could not be read"))?;
    let found = rustls_native_certs::load_certs_from_paths(Some(Path::new(path)), None);
    ensure!(
        found.errors.is_empty() && !found.certs.is_empty(),
        "AWS_CA_BUNDLE names {path}, which is no list of certificates in PEM form"
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_local() {
        for (url, local) in [
            ("http://127.0.0.1:4599", true),
            ("http://localhost:4599/", true),
            ("http://[::1]:4599", true),
            ("https://cases.us-east-1.amazonaws.com", false),
            ("http://localhost", true),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1:4599", false),
            ("127.0.0.1:4599", false),
        ] {
            let settings = ConnectionSettings {
                endpoint: Some(url.to_owned()),
                ..ConnectionSettings::default()
            };
            assert_eq!(settings.is_local(), local, "{url}");
        }
    }
}
