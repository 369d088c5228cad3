//! The tuned client, and nothing else. Each feature changes one thing.

use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_sdk_connectcases::Client;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use lambda_runtime::Error;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(feature = "aws-lc")]
const CRYPTO: CryptoMode = CryptoMode::AwsLc;
#[cfg(not(feature = "aws-lc"))]
const CRYPTO: CryptoMode = CryptoMode::Ring;

#[cfg_attr(feature = "multi-thread", tokio::main(flavor = "multi_thread"))]
#[cfg_attr(not(feature = "multi-thread"), tokio::main(flavor = "current_thread"))]
async fn main() -> Result<(), Error> {
    let trust = if cfg!(feature = "platform-roots") {
        TrustStore::default()
    } else {
        let roots = std::fs::read(std::env::var("AWS_CA_BUNDLE")?)?;
        TrustStore::empty().with_pem_certificate(roots)
    };
    let tls = TlsContext::builder().with_trust_store(trust).build()?;
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CRYPTO))
        .tls_context(tls)
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http);
    if !cfg!(feature = "credential-chain") {
        loader = loader.credentials_provider(EnvironmentVariableCredentialsProvider::new());
    }
    if cfg!(feature = "no-retries") {
        loader = loader.retry_config(RetryConfig::disabled());
    }
    bare::serve(Client::new(&loader.load().await)).await
}
