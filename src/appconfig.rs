//! AWS AppConfig: turns the name of a configuration into its deployed text.
//!
//! A mapping from AppConfig changes without a deployment of the function.
//! AWS's extension runs next to the function and fetches the mapping in the background.
//! A `GET` on localhost returns the fetched text:
//! <https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-integration-lambda-extensions.html>

use std::fmt;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_http::label::{EncodingStrategy, fmt_string};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::operation::BuildError;

/// A configuration of AppConfig, as `CASEBRIDGE_MAPPING` names it: `appconfig:APPLICATION/ENVIRONMENT/PROFILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The application's name or id.
    pub application: String,
    /// The environment's name or id.
    pub environment: String,
    /// The configuration profile's name or id.
    pub profile: String,
    /// The extension's port: `AWS_APPCONFIG_EXTENSION_HTTP_PORT`.
    pub port: u16,
}

impl Source {
    /// The default port of the extension.
    pub const PORT: u16 = 2772;

    /// Parses the text after `appconfig:`. Returns `None` if it does not consist of three names.
    #[must_use]
    pub fn parse(text: &str, port: u16) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let [application, environment, profile] = parts.as_slice() else {
            return None;
        };
        if parts.iter().any(|part| part.trim().is_empty()) {
            return None;
        }
        Some(Self {
            application: (*application).to_owned(),
            environment: (*environment).to_owned(),
            profile: (*profile).to_owned(),
            port,
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            application,
            environment,
            profile,
            ..
        } = self;
        write!(f, "appconfig:{application}/{environment}/{profile}")
    }
}

/// The AppConfig extension that runs next to the function.
#[derive(Debug)]
pub struct Extension {
    source: Source,
    http: SharedHttpClient,
}

impl Extension {
    /// Creates a client of the extension at the source's port.
    ///
    /// It has its own HTTP client, because requests to localhost must not use a proxy.
    #[must_use]
    pub fn new(source: Source) -> Self {
        Self {
            source,
            http: aws_smithy_http_client::Builder::new().build_http(),
        }
    }

    /// Returns the configuration that is deployed now.
    ///
    /// # Errors
    /// A message: the extension is not there, has no configuration or takes longer than `patience`.
    pub async fn read(&self, patience: Duration) -> Result<String, String> {
        let Source {
            application,
            environment,
            profile,
            port,
        } = &self.source;
        let path = [
            "applications",
            application,
            "environments",
            environment,
            "configurations",
            profile,
        ];
        let path = path.iter().fold(String::new(), |path, segment| {
            path + "/" + &fmt_string(segment, EncodingStrategy::Default)
        });
        let operation = Operation::builder()
            .service_name("AppConfig")
            .operation_name("GetConfiguration")
            .behavior_version(BehaviorVersion::v2026_01_12())
            .http_client(self.http.clone())
            .endpoint_url(&format!("http://localhost:{port}"))
            .no_auth()
            .no_retry()
            .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(
                aws_smithy_async::rt::sleep::TokioSleep::new(),
            ))
            .timeout_config(TimeoutConfig::builder().operation_timeout(patience).build())
            .serializer(|path: String| {
                let mut request = HttpRequest::new(SdkBody::empty());
                request.set_uri(path).map_err(BuildError::other)?;
                Ok(request)
            })
            .deserializer(text)
            .build();
        Box::pin(operation.invoke(path))
            .await
            .map_err(|error| format!("{}", DisplayErrorContext(error)))
    }
}

/// Returns the answer's text.
fn text(response: &HttpResponse) -> Result<String, OrchestratorError<Refused>> {
    let status = response.status();
    if !status.is_success() {
        return Err(OrchestratorError::operation(Refused(status.as_u16())));
    }
    let bytes = response.body().bytes().unwrap_or_default();
    String::from_utf8(bytes.to_vec())
        .map_err(|_| OrchestratorError::response("it is not UTF-8 text".into()))
}

/// An answer of the extension without a configuration.
#[derive(Debug, thiserror::Error)]
#[error(
    "HTTP {0}: check the names, that a version is deployed, and that the function's role may read it"
)]
struct Refused(u16);

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn a_source_names_three_things() {
        let source = Source::parse("cases/production/mapping", 2772).expect("it does");
        assert_eq!(source.to_string(), "appconfig:cases/production/mapping");
        for text in ["", "a/b", "a//c", "a/b/c/d", "a/b/ "] {
            assert_eq!(Source::parse(text, 2772), None, "{text}");
        }
    }
}
