//! The function with its current mapping: turns an invocation into a reply.
//!
//! The mapping is the packaged one or that of AWS AppConfig.
//! AppConfig is polled when an invocation begins and the last poll is old.
//! There is no timer, because the environment is frozen between invocations.
//!
//! A mapping that cannot be used never replaces the current one. The rejection is logged and counted.

use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use serde::{Deserialize, Serialize};

use crate::appconfig::Extension;
use crate::config::{Config, ConfigError, Document, Fallback, Reload};
use crate::deadline::Stopwatch;
use crate::error::{ErrorCode, Failure};
use crate::handler::{Casebridge, Invocation, Response};
use crate::panics;
use crate::start::{self, ColdStart, Services, StartError};

/// The longest wait for the extension at the start, while the extension fetches the configuration.
const FIRST_LOOK: Duration = Duration::from_secs(5);

/// The longest wait for the extension in an invocation. The extension then answers from memory.
const LATER_LOOKS: Duration = Duration::from_millis(200);

/// The function with its current mapping.
#[derive(Debug)]
pub struct Live {
    config: Config,
    sdk: SdkConfig,
    reload: Option<(Extension, Reload)>,
    current: Mutex<Current>,
    cold_start: ColdStart,
}

/// The reply to an invocation.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// The response to the sender of an event or of a batch.
    Event(Response),
    /// The response to AppConfig that a document can be used. AppConfig checks only for an error.
    Valid,
}

struct Current {
    casebridge: Arc<Casebridge>,
    /// The configuration that was read last, usable or not.
    seen: String,
    looked: Stopwatch,
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Current")
            .field("looked", &self.looked)
            .finish_non_exhaustive()
    }
}

impl Live {
    /// Opens the connections that events need, and meanwhile reads the configured mapping. `since` started with the process.
    ///
    /// An error in the mapping is returned without waiting for the network.
    ///
    /// # Errors
    /// The mapping cannot be read or used, and there is no fallback.
    pub async fn start(
        config: Config,
        sdk: SdkConfig,
        since: Stopwatch,
    ) -> Result<Self, StartError> {
        let reload = config.reload.clone().map(|reload| {
            let extension = Extension::new(reload.source.clone());
            (extension, reload)
        });
        let services = Services::new(&config, &sdk);
        let connected = async {
            services.warm_up(&config.domain_id).await;
            Ok(())
        };
        let started = async {
            match &reload {
                None => {
                    let casebridge = services.casebridge(&config, &sdk).await?;
                    Ok((casebridge, String::new()))
                }
                Some((extension, reload)) => {
                    first(&config, &sdk, &services, extension, reload).await
                }
            }
        };
        // The order matters: the first requests are sent before the mapping is read.
        let ((), (casebridge, seen)) = tokio::try_join!(biased; connected, started)?;
        Ok(Self {
            cold_start: ColdStart::done(since, config.on_demand),
            config,
            sdk,
            reload,
            current: Mutex::new(Current {
                casebridge: Arc::new(casebridge),
                seen,
                looked: Stopwatch::start(),
            }),
        })
    }

    /// Handles one invocation with one mapping. Also answers AppConfig's request to validate a document.
    ///
    /// # Errors
    /// The errors of [`Casebridge::handle`].
    /// `MappingInvalid`: the document to validate cannot be used.
    /// `InternalError`: a panic outside any single event.
    pub async fn handle(
        &self,
        payload: &str,
        mut invocation: Invocation,
    ) -> Result<Reply, Failure> {
        if invocation.cold_start {
            invocation.spent += self.cold_start.waited();
        }
        match panics::caught(self.reply(payload, invocation.clone())).await {
            Ok(reply) => reply,
            Err(failure) => {
                let telemetry = &self.casebridge().telemetry;
                telemetry.failure("the invocation failed", &failure, None, &invocation);
                Err(failure)
            }
        }
    }

    async fn reply(&self, payload: &str, mut invocation: Invocation) -> Result<Reply, Failure> {
        if let Some((extension, reload)) = &self.reload {
            if let Some(document) = to_validate(payload) {
                return self.validate(reload, &document?);
            }
            let since = Stopwatch::start();
            self.refresh(extension, reload).await;
            invocation.spent += since.elapsed();
        }
        let response = self.casebridge().handle(payload, invocation).await?;
        Ok(Reply::Event(response))
    }

    /// Puts a newer mapping into use, if there is one and the last poll is old.
    async fn refresh(&self, extension: &Extension, reload: &Reload) {
        {
            let mut current = self.current();
            if current.looked.elapsed() < reload.poll {
                return;
            }
            // Set before the poll, so that only the first of several concurrent invocations polls.
            current.looked = Stopwatch::start();
        }
        let text = match extension.read(LATER_LOOKS).await {
            Ok(text) => text,
            Err(error) => {
                let source = &reload.source;
                tracing::warn!(
                    "{source} could not be read, so the mapping stays as it is: {error}"
                );
                return;
            }
        };
        if text == self.current().seen {
            return;
        }
        // A document that makes the function panic must not fail every later invocation.
        let started = panics::catch(|| {
            crate::start::casebridge(&deployed(&self.config, reload, &text), &self.sdk)
        });
        let mut current = self.current();
        current.seen = text;
        match started {
            Ok(Ok(casebridge)) => {
                current.casebridge = Arc::new(casebridge);
                tracing::info!("a new mapping of {} is in use", reload.source);
            }
            Ok(Err(error)) => rejected(reload, &error, &current.casebridge),
            Err(failure) => rejected(reload, &failure, &current.casebridge),
        }
    }

    /// Returns `Valid` if a document could be used as the mapping.
    fn validate(&self, reload: &Reload, document: &str) -> Result<Reply, Failure> {
        match start::plan(&deployed(&self.config, reload, document)) {
            Ok(_) => Ok(Reply::Valid),
            Err(error) => {
                let source = &reload.source;
                tracing::error!(
                    error.code = ErrorCode::MappingInvalid.name(),
                    "a document for {source} is not valid: {error}"
                );
                Err(Failure::new(ErrorCode::MappingInvalid, error.to_string()))
            }
        }
    }

    fn casebridge(&self) -> Arc<Casebridge> {
        Arc::clone(&self.current().casebridge)
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Builds the function with the deployed mapping. If that fails and the configuration allows it, uses the packaged mapping.
async fn first(
    config: &Config,
    sdk: &SdkConfig,
    services: &Services,
    extension: &Extension,
    reload: &Reload,
) -> Result<(Casebridge, String), StartError> {
    let error = match extension.read(FIRST_LOOK).await {
        Ok(text) => {
            let deployed = deployed(config, reload, &text);
            match services.casebridge(&deployed, sdk).await {
                Ok(casebridge) => return Ok((casebridge, text)),
                Err(error) => error,
            }
        }
        Err(error) => {
            let message = format!("{} could not be read: {error}", reload.source);
            ConfigError::new(message).into()
        }
    };
    match reload.fallback {
        Fallback::None => Err(error),
        Fallback::Packaged => {
            let casebridge = services.casebridge(config, sdk).await?;
            rejected(reload, &error, &casebridge);
            Ok((casebridge, String::new()))
        }
    }
}

fn rejected(reload: &Reload, error: &dyn Display, in_use: &Casebridge) {
    let source = &reload.source;
    tracing::error!(
        error.code = ErrorCode::MappingInvalid.name(),
        "the mapping of {source} cannot be used, and another one stays in use: {error}"
    );
    if let Some(metrics) = &in_use.telemetry.metrics {
        metrics.mapping_rejected();
    }
}

/// Returns the configuration with the deployed documents: the mapping and, after a line `---`, the domain snapshot.
fn deployed(config: &Config, reload: &Reload, text: &str) -> Config {
    let name = reload.source.to_string();
    let (mapping, domain) = split(text);
    let document = |text: &str| Document {
        name: name.clone(),
        text: text.to_owned(),
    };
    Config {
        mapping: document(mapping),
        domain: domain.map(document).or_else(|| config.domain.clone()),
        ..config.clone()
    }
}

/// Splits a text into the mapping and the snapshot, if there is one.
///
/// The mapping keeps its line numbers, so that diagnostics point to the author's lines.
fn split(text: &str) -> (&str, Option<&str>) {
    let parts = text
        .rsplit_once("\n---\n")
        .or_else(|| text.rsplit_once("\r\n---\r\n"));
    match parts {
        Some((mapping, domain)) if domain.trim_start().starts_with('{') => (mapping, Some(domain)),
        _ => (text, None),
    }
}

/// The event that AppConfig sends to a validator.
/// <https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-creating-configuration-profile-validators.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToValidate {
    #[serde(rename = "configurationProfileId")]
    _profile: String,
    /// The document, in base64.
    content: String,
}

/// Returns the document to validate, if the payload contains one.
fn to_validate(payload: &str) -> Option<Result<String, Failure>> {
    if !payload.contains("\"configurationProfileId\"") {
        return None;
    }
    let ToValidate { content, .. } = serde_json::from_str(payload).ok()?;
    let text = aws_smithy_types::base64::decode(content).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    Some(text.ok_or_else(|| {
        let message = "the configuration is not UTF-8 text: deploy the mapping, a line `---`, and domain.json";
        Failure::new(ErrorCode::MappingInvalid, message)
    }))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_snapshot_follows_the_last_line_of_hyphens() {
        for (text, expected) in [
            (
                "version: 1\n---\n{\"domain\": 1}\n",
                ("version: 1", Some("{\"domain\": 1}\n")),
            ),
            ("---\nversion: 1\n---\n{}", ("---\nversion: 1", Some("{}"))),
            ("---\nversion: 1\n", ("---\nversion: 1\n", None)),
            ("a: |\n  ---\n", ("a: |\n  ---\n", None)),
            ("version: 1\r\n---\r\n{}", ("version: 1", Some("{}"))),
        ] {
            assert_eq!(split(text), expected);
        }
    }
}
