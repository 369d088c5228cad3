//! Variables: turns the value of one variable into a setting.
//!
//! Each value is checked when it is read.

use std::time::Duration;

use super::{ConfigError, Fallback, Proxy, Reload};
use crate::appconfig::Source;
use mapping::{arn, limits};

/// The SDK's variables for service addresses, for every service that is called. The SDK ignores a value that is no address.
const ENDPOINTS: [&str; 6] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_CONNECTCASES",
    "AWS_ENDPOINT_URL_CUSTOMER_PROFILES",
    "AWS_ENDPOINT_URL_CONNECT",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_SQS",
];

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

pub(super) fn region(get: &dyn Fn(&str) -> Option<String>) -> Result<String, ConfigError> {
    let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    let set = variables
        .into_iter()
        .find_map(|variable| Some((variable, get(variable)?)));
    let Some((variable, region)) = set else {
        return Err(ConfigError::new(
            "AWS_REGION is not set: give the Region of the Cases domain",
        ));
    };
    let is_legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.chars().all(is_legal) {
        Ok(region)
    } else {
        Err(ConfigError(format!(
            "{variable} takes a Region's code, such as us-east-1, found `{region}`"
        )))
    }
}

pub(super) fn failure_queue(value: Option<String>) -> Result<Option<String>, ConfigError> {
    match value {
        Some(url) if !is_address(&url) => Err(ConfigError::new(
            "CASEBRIDGE_FAILURE_QUEUE takes the queue's URL (https://sqs.REGION.amazonaws.com/ACCOUNT/NAME), found something else",
        )),
        url => Ok(url),
    }
}

/// Returns the proxy for services. They are reached over HTTPS, so proxies of other protocols do not count.
///
/// The variables' names are often in lower case.
pub(super) fn proxy(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<Proxy>, ConfigError> {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let set = names
        .into_iter()
        .find_map(|variable| Some((variable, get(variable)?)));
    let Some((variable, url)) = set else {
        return Ok(None);
    };
    if !is_address(&url) {
        // The address may contain a password, so the message does not repeat it.
        return Err(ConfigError(format!(
            "{variable} takes the address of a proxy, such as http://proxy.example.com:8080, found something else"
        )));
    }
    Ok(Some(Proxy {
        variable,
        url,
        except: get("NO_PROXY").or_else(|| get("no_proxy")),
    }))
}

/// Checks the addresses that the SDK reads from the environment.
pub(super) fn check_endpoints(get: &dyn Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
    for variable in ENDPOINTS {
        if get(variable).is_some_and(|url| !is_address(&url)) {
            return Err(ConfigError(format!(
                "{variable} takes the address of a service, such as http://127.0.0.1:4599, found something else: leave it out to call AWS"
            )));
        }
    }
    Ok(())
}

/// Returns true if the text is a server's address: a protocol, a host and an optional port.
fn is_address(text: &str) -> bool {
    let Some((protocol, rest)) = text.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let server = authority
        .rsplit_once('@')
        .map_or(authority, |(_, server)| server);
    // An IPv6 address is in brackets.
    let (host, port) = match server.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((host, ""))) => (host, None),
        Some(Some((host, port))) => (host, Some(port.strip_prefix(':').unwrap_or_default())),
        Some(None) => return false,
        None => match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    let is_web = ["http", "https"].contains(&protocol.to_ascii_lowercase().as_str());
    let is_host = !host.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    is_web && is_host && port.is_none_or(|port| self::port(port).is_some())
}

/// Returns the number of a port.
fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

/// Reads the AppConfig source from `CASEBRIDGE_MAPPING` and the variables that belong to it.
pub(super) fn reload(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<Reload>, ConfigError> {
    const DEFAULT: Duration = Duration::from_secs(45);
    let Some(named) = get("CASEBRIDGE_MAPPING") else {
        return Ok(None);
    };
    let Some(named) = named.strip_prefix("appconfig:") else {
        return Ok(None);
    };
    let port = match get("AWS_APPCONFIG_EXTENSION_HTTP_PORT") {
        None => Source::PORT,
        Some(text) => port(text.trim()).ok_or_else(|| {
            ConfigError(format!(
                "AWS_APPCONFIG_EXTENSION_HTTP_PORT takes a port, 1 to 65535, found `{text}`"
            ))
        })?,
    };
    let Some(source) = Source::parse(named, port) else {
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

/// Checks a CloudWatch namespace. The API reference of `PutMetricData` lists the characters of `Namespace`.
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

pub(super) fn accounts(value: Option<String>) -> Result<Vec<String>, ConfigError> {
    let is_account =
        |entry: &str| entry.len() == 12 && entry.bytes().all(|byte| byte.is_ascii_digit());
    let form = "AWS account ids, 12 digits each";
    list("ALLOWED_ACCOUNTS", value, form, is_account)
}

pub(super) fn instances(value: Option<String>) -> Result<Vec<String>, ConfigError> {
    let form = "ARNs of Connect instances (arn:aws:connect:REGION:ACCOUNT:instance/ID)";
    list("ALLOWED_INSTANCES", value, form, arn::is_instance)
}

/// Returns the entries of an allow list.
///
/// A list that is set has at least one entry, and each has a valid form. An empty list would allow any sender.
fn list(
    variable: &str,
    value: Option<String>,
    form: &str,
    is_entry: impl Fn(&str) -> bool,
) -> Result<Vec<String>, ConfigError> {
    let Some(text) = value else {
        return Ok(Vec::new());
    };
    let entries = text.split(',').map(str::trim);
    match entries.clone().find(|entry| !is_entry(entry)) {
        Some(entry) => {
            let found = match entry {
                "" => "an empty entry".to_owned(),
                entry => format!("`{entry}`"),
            };
            Err(ConfigError(format!(
                "{variable} takes {form}, separated by commas, found {found}; to allow any, leave the variable out"
            )))
        }
        None => Ok(entries.map(str::to_owned).collect()),
    }
}
