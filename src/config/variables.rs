//! What single variables say, each checked where it is read.

use std::time::Duration;

use super::{ConfigError, Fallback, Proxy, Reload};
use crate::appconfig::Source;
use crate::limits;

pub(super) fn entity_prefix(value: Option<String>) -> Result<String, ConfigError> {
    let prefix = value.unwrap_or_else(|| "casebridge/".to_owned());
    let length = prefix.chars().count();
    if !(4..=limits::USER / 2).contains(&length) {
        return Err(ConfigError(format!(
            "CASEBRIDGE_ENTITY_PREFIX has 4 to {} characters, found {length}: a shorter one would take other systems' cases for ours",
            limits::USER / 2
        )));
    }
    match prefix.chars().find(|c| !limits::is_entity_character(*c)) {
        Some(illegal) => Err(ConfigError(format!(
            "CASEBRIDGE_ENTITY_PREFIX cannot hold `{illegal}`: it takes letters without accents, digits, spaces and `_-.@:/`"
        ))),
        None => Ok(prefix),
    }
}

pub(super) fn failure_queue(value: Option<String>) -> Result<Option<String>, ConfigError> {
    match value {
        Some(url) if !url.starts_with("https://") && !url.starts_with("http://") => {
            Err(ConfigError::new(
                "CASEBRIDGE_FAILURE_QUEUE takes the queue's URL (https://sqs.REGION.amazonaws.com/ACCOUNT/NAME), found something else",
            ))
        }
        url => Ok(url),
    }
}

/// Services are reached over HTTPS, so other protocols' proxies do not count. The names are in lower case as often as not.
pub(super) fn proxy(get: &dyn Fn(&str) -> Option<String>) -> Option<Proxy> {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let (variable, url) = names
        .into_iter()
        .find_map(|variable| Some((variable, get(variable)?)))?;
    Some(Proxy {
        variable,
        url,
        except: get("NO_PROXY").or_else(|| get("no_proxy")),
    })
}

/// What `CASEBRIDGE_MAPPING` and its fellows say of AppConfig.
pub(super) fn reload(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<Reload>, ConfigError> {
    const DEFAULT: Duration = Duration::from_secs(45);
    let Some(named) = get("CASEBRIDGE_MAPPING") else {
        return Ok(None);
    };
    let Some(named) = named.strip_prefix("appconfig:") else {
        return Ok(None);
    };
    let port = get("AWS_APPCONFIG_EXTENSION_HTTP_PORT").and_then(|port| port.parse().ok());
    let Some(source) = Source::parse(named, port.unwrap_or(Source::PORT)) else {
        return Err(ConfigError(format!(
            "CASEBRIDGE_MAPPING takes `appconfig:APPLICATION/ENVIRONMENT/PROFILE`, each by name or id, found `appconfig:{named}`"
        )));
    };
    let poll = match get("CASEBRIDGE_MAPPING_POLL_SECONDS") {
        None => DEFAULT,
        Some(text) => match text.trim().parse() {
            Ok(seconds @ 1..=86_400) => Duration::from_secs(seconds),
            _ => {
                return Err(ConfigError(format!(
                    "CASEBRIDGE_MAPPING_POLL_SECONDS takes 1 to 86400 seconds, found `{text}`"
                )));
            }
        },
    };
    let fallback = match get("CASEBRIDGE_MAPPING_FALLBACK").as_deref() {
        None => Fallback::None,
        Some("packaged") => Fallback::Packaged,
        Some(other) => {
            return Err(ConfigError(format!(
                "CASEBRIDGE_MAPPING_FALLBACK takes `packaged`, or is left out, found `{other}`"
            )));
        }
    };
    Ok(Some(Reload {
        source,
        poll,
        fallback,
    }))
}

/// The characters are those of CloudWatch's `Namespace` (API reference, `PutMetricData`).
pub(super) fn metrics_namespace(value: Option<String>) -> Result<Option<String>, ConfigError> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || ".-_/#: ".contains(c);
    match value {
        Some(namespace)
            if namespace.starts_with("AWS/")
                || namespace.len() > 255
                || !namespace.chars().all(is_legal) =>
        {
            Err(ConfigError::new(
                "CASEBRIDGE_METRICS_NAMESPACE takes a CloudWatch namespace: 1 to 255 letters, digits and `.-_/#: `, not beginning with `AWS/`",
            ))
        }
        namespace => Ok(namespace),
    }
}

pub(super) fn switch(variable: &str, value: Option<&str>) -> Result<bool, ConfigError> {
    match value {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(ConfigError(format!(
            "{variable} takes `true` or `false`, found `{other}`"
        ))),
    }
}

pub(super) fn flow_budget(value: Option<String>) -> Result<Duration, ConfigError> {
    let Some(text) = value else {
        return Ok(Duration::from_millis(2500));
    };
    match text.trim().parse() {
        Ok(milliseconds @ 100..=60_000) => Ok(Duration::from_millis(milliseconds)),
        _ => Err(ConfigError(format!(
            "CASEBRIDGE_FLOW_BUDGET_MS takes 100 to 60000 milliseconds, found `{text}`: stay below the time-out of the flow's block"
        ))),
    }
}

pub(super) fn list(value: Option<&str>) -> Vec<String> {
    value
        .into_iter()
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}
