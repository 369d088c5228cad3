//! The endpoint of Connect: turns the SDK's configuration into a URL.
//!
//! The configured endpoint comes first, then that of the Region's partition.

use aws_config::SdkConfig;
use aws_sdk_connectcases::config::endpoint::{
    DefaultResolver, Params, ParamsBuilder, ResolveEndpoint as _,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::endpoint::{
    EndpointFuture, EndpointResolverParams, ResolveEndpoint,
};
use aws_smithy_types::endpoint::Endpoint;
use aws_types::service_config::ServiceConfigKey;

/// The resolver of Connect's endpoint. It uses the rules for Cases, which the SDK keeps up to date with all partitions.
///
/// The two endpoints differ only in the host's first word.
#[derive(Debug)]
pub(super) struct ConnectEndpoint {
    params: ParamsBuilder,
    rules: DefaultResolver,
}

impl ConnectEndpoint {
    pub(super) fn new(config: &SdkConfig) -> Self {
        let params = Params::builder()
            .set_region(config.region().map(ToString::to_string))
            .set_use_fips(config.use_fips())
            .set_use_dual_stack(config.use_dual_stack())
            .set_endpoint(configured(config));
        Self {
            params,
            rules: DefaultResolver::new(),
        }
    }

    async fn resolve(&self) -> Result<Endpoint, BoxError> {
        let params = self.params.clone().build()?;
        let endpoint = self.rules.resolve_endpoint(&params).await?;
        if params.endpoint().is_some() {
            return Ok(endpoint);
        }
        let host = endpoint.url().strip_prefix("https://cases");
        let host = host.ok_or("the rules for Cases give an endpoint of another form")?;
        // In AWS GovCloud, the only endpoint is the FIPS endpoint.
        let host = host
            .strip_prefix("-fips")
            .filter(|host| host.starts_with(".us-gov-") && host.ends_with(".amazonaws.com"))
            .unwrap_or(host);
        Ok(Endpoint::builder()
            .url(format!("https://connect{host}"))
            .build())
    }
}

impl ResolveEndpoint for ConnectEndpoint {
    fn resolve_endpoint<'a>(&'a self, _: &'a EndpointResolverParams) -> EndpointFuture<'a> {
        EndpointFuture::new(self.resolve())
    }
}

/// Returns the configured endpoint: for Connect (`AWS_ENDPOINT_URL_CONNECT`), else for all services (`AWS_ENDPOINT_URL`).
fn configured(config: &SdkConfig) -> Option<String> {
    let for_all = config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return for_all;
    }
    let key = ServiceConfigKey::builder()
        .service_id("Connect")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let for_connect = config
        .service_config()
        .and_then(|settings| settings.load_config(key.ok()?));
    for_connect.or(for_all)
}
