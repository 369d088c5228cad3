//! The function as of the mapping that is in use: the packaged one, or that of AWS AppConfig, looked for again when an invocation begins and the
//! last look is old. There is no timer: between invocations the environment is frozen.
//!
//! A mapping that cannot be used is never in use: the one before stays, and that it does is logged and counted.

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

/// The longest that the start waits for the extension, which fetches the configuration then.
const FIRST_LOOK: Duration = Duration::from_secs(5);

/// The longest that an invocation waits for it: it answers from memory.
const LATER_LOOKS: Duration = Duration::from_millis(200);

/// The function, whichever mapping it has.
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
    /// Whoever sent an event, or a batch of them.
    Event(Response),
    /// AppConfig, that a document can be taken into use. It looks for an error, and at nothing else.
    Valid,
}

struct Current {
    casebridge: Arc<Casebridge>,
    /// The configuration that was seen last, whether or not it could be used.
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
    /// Opens the connections that events will need, and meanwhile reads the mapping that the configuration names. The process began with
    /// `since`. A mapping that cannot be used is not kept waiting by the network.
    ///
    /// # Errors
    /// The mapping cannot be used or had, and there is no other to fall back on.
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
        // In this order, so that the first requests are on their way when the mapping is read.
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

    /// Handles one invocation, with one mapping throughout. A document that AppConfig sends to be validated is answered here.
    ///
    /// # Errors
    /// As [`Casebridge::handle`]; `MappingInvalid`: the document that was to be validated cannot be used; `InternalError`: a panic that is
    /// no single event's.
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

    /// Takes a newer mapping into use, if there is one and the last look is old.
    async fn refresh(&self, extension: &Extension, reload: &Reload) {
        {
            let mut current = self.current();
            if current.looked.elapsed() < reload.poll {
                return;
            }
            // Before the look, so that invocations side by side leave it to the first of them.
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
        // A document on which the function panics must not cost every later invocation.
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

    /// Returns true if a document could be taken into use.
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

/// The function with the deployed mapping; with the packaged one where that cannot be, and the configuration says so.
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

/// The configuration with the documents that are deployed: the mapping, and behind a line `---` the domain snapshot.
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

/// The mapping, and the snapshot where one follows it. What precedes it keeps its lines, so that diagnostics are found where they were written.
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
    /// In base64.
    content: String,
}

/// The document to validate, if that is what the payload brings.
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
