//! The tuned client, and nothing else.

use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_sdk_connectcases::Client;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let roots = std::fs::read(std::env::var("AWS_CA_BUNDLE")?)?;
    let trust = TrustStore::empty().with_pem_certificate(roots);
    let tls = TlsContext::builder().with_trust_store(trust).build()?;
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build_https();
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .credentials_provider(EnvironmentVariableCredentialsProvider::new());
    bare::serve(Client::new(&loader.load().await)).await
}
