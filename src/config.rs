//! Configuration: turns the environment into the function's settings.
//!
//! Only this module reads the environment. An invalid value stops the start with a message that names its variable.

mod variables;

use std::cell::RefCell;
use std::env::VarError;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::variables::{
    accounts, check_endpoints, entity_prefix, failure_queue, flow_budget, instances,
    metrics_namespace, proxy, region, reload,
};
use crate::appconfig::Source;
use crate::guard::Guard;

/// The configuration of the function.
#[derive(Clone, Debug)]
pub struct Config {
    /// `CASES_DOMAIN_ID`
    pub domain_id: String,
    /// `AWS_REGION`
    pub region: String,
    /// `CASEBRIDGE_MAPPING`: the file that it names, or the packaged one. Empty if AppConfig has the mapping and there is no fallback.
    pub mapping: Document,
    /// `CASEBRIDGE_MAPPING`, if it names a configuration of AppConfig.
    pub reload: Option<Reload>,
    /// `CASEBRIDGE_DOMAIN`; absent if the variable is not set and no `domain.json` is found.
    pub domain: Option<Document>,
    /// `CASEBRIDGE_ENTITY_PREFIX`
    pub entity_prefix: String,
    /// `CASEBRIDGE_FLOW_BUDGET_MS`
    pub flow_budget: Duration,
    /// `ALLOWED_INSTANCES`; empty if the variable is not set, which allows any.
    pub allowed_instances: Vec<String>,
    /// `ALLOWED_ACCOUNTS`; empty if the variable is not set, which allows any.
    pub allowed_accounts: Vec<String>,
    /// `PROFILES_DOMAIN`
    pub profiles_domain: Option<String>,
    /// `CASEBRIDGE_LEDGER_TABLE`
    pub ledger_table: Option<String>,
    /// `CASEBRIDGE_FAILURE_QUEUE`: the queue's URL.
    pub failure_queue: Option<String>,
    /// `CASEBRIDGE_METRICS_NAMESPACE`
    pub metrics_namespace: Option<String>,
    /// `AWS_LAMBDA_FUNCTION_NAME`
    pub function_name: String,
    /// True if `AWS_LAMBDA_INITIALIZATION_TYPE` is `on-demand`.
    pub on_demand: bool,
    /// The source of credentials.
    pub credentials: Credentials,
    /// `AWS_CA_BUNDLE`, else `SSL_CERT_FILE`
    pub ca_bundle: Option<CaBundle>,
    /// `HTTPS_PROXY`, else `ALL_PROXY`
    pub proxy: Option<Proxy>,
}

/// A file with its text.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file's name, as errors show it.
    pub name: String,
    /// The file's text.
    pub text: String,
}

/// A mapping that changes without a deployment.
#[derive(Clone, Debug)]
pub struct Reload {
    /// The configuration of AppConfig that contains the mapping.
    pub source: Source,
    /// `CASEBRIDGE_MAPPING_POLL_SECONDS`: the age of the last poll at which an invocation polls again.
    pub poll: Duration,
    /// `CASEBRIDGE_MAPPING_FALLBACK`
    pub fallback: Fallback,
}

/// The action when the mapping cannot be used at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// The start fails.
    None,
    /// The function uses the packaged mapping.
    Packaged,
}

/// The source of AWS credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// `AWS_ACCESS_KEY_ID` and its related variables, as Lambda sets them.
    Environment,
    /// The SDK's ordinary chain: profiles and so on.
    Chain,
}

/// A file of root certificates in PEM form.
#[derive(Clone, Debug)]
pub struct CaBundle {
    variable: &'static str,
    path: PathBuf,
}

/// A proxy for the requests to services.
#[derive(Clone)]
pub struct Proxy {
    /// The variable that names the proxy.
    pub variable: &'static str,
    /// The proxy's address, which may contain a password.
    pub url: String,
    /// `NO_PROXY`: the hosts that are reached without the proxy.
    pub except: Option<String>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy")
            .field("variable", &self.variable)
            .finish_non_exhaustive()
    }
}

/// The format and the level of log lines.
#[derive(Clone, Copy, Debug)]
pub struct Logging {
    /// `AWS_LAMBDA_LOG_FORMAT`
    pub format: LogFormat,
    /// `AWS_LAMBDA_LOG_LEVEL`
    pub level: tracing::Level,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// A line of text.
    Text,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// Creates an error with a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// A variable is missing or has a value that cannot be used, or a file cannot be read.
    pub fn from_env() -> Result<Self, ConfigError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this file is where the environment is read"
        )]
        let read = |name: &str| std::env::var(name);
        // A value that is not text must not count as unset.
        let garbled = RefCell::new(None);
        let get = |name: &str| match read(name) {
            Ok(value) => Some(value),
            Err(VarError::NotPresent) => None,
            Err(VarError::NotUnicode(_)) => {
                garbled.borrow_mut().get_or_insert_with(|| name.to_owned());
                None
            }
        };
        let config = Self::read(&get, &folders(&get));
        match garbled.take() {
            Some(variable) => Err(ConfigError(format!(
                "{variable} holds bytes that are not UTF-8 text: set it again"
            ))),
            None => config,
        }
    }

    /// Reads variables from `get`, and files of a default name from the first of `folders` that contains them.
    ///
    /// Empty variables count as unset, because a template leaves a variable out that way.
    /// `ALLOWED_INSTANCES` and `ALLOWED_ACCOUNTS` are the exceptions.
    /// They allow any sender when they are unset, so a list that is empty by mistake is an error.
    ///
    /// # Errors
    /// The errors of [`from_env`](Self::from_env).
    pub fn read(
        get: &dyn Fn(&str) -> Option<String>,
        folders: &[PathBuf],
    ) -> Result<Self, ConfigError> {
        let allowed_instances = instances(get("ALLOWED_INSTANCES"))?;
        let allowed_accounts = accounts(get("ALLOWED_ACCOUNTS"))?;
        let get = |name: &str| get(name).filter(|value| !value.trim().is_empty());
        let domain = match get("CASEBRIDGE_DOMAIN") {
            Some(path) => Some(Document::named("CASEBRIDGE_DOMAIN", &path)?),
            None => Document::first("domain.json", folders)?,
        };
        let reload = reload(&get)?;
        check_endpoints(&get)?;
        Ok(Self {
            domain_id: get("CASES_DOMAIN_ID").ok_or_else(|| {
                ConfigError::new("CASES_DOMAIN_ID is not set: give the id of the Amazon Connect Cases domain (`aws connectcases list-domains` shows it)")
            })?,
            region: region(&get)?,
            mapping: match &reload {
                None => match get("CASEBRIDGE_MAPPING") {
                    Some(path) => Document::named("CASEBRIDGE_MAPPING", &path)?,
                    None => Document::mapping(folders)?,
                },
                Some(Reload { fallback: Fallback::Packaged, .. }) => Document::mapping(folders)?,
                Some(Reload { fallback: Fallback::None, source, .. }) => Document { name: source.to_string(), text: String::new() },
            },
            reload,
            domain,
            entity_prefix: entity_prefix(get("CASEBRIDGE_ENTITY_PREFIX"))?,
            flow_budget: flow_budget(get("CASEBRIDGE_FLOW_BUDGET_MS"))?,
            allowed_instances,
            allowed_accounts,
            profiles_domain: get("PROFILES_DOMAIN"),
            ledger_table: get("CASEBRIDGE_LEDGER_TABLE"),
            failure_queue: failure_queue(get("CASEBRIDGE_FAILURE_QUEUE"))?,
            metrics_namespace: metrics_namespace(get("CASEBRIDGE_METRICS_NAMESPACE"))?,
            function_name: get("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "casebridge".to_owned()),
                        on_demand: get("AWS_LAMBDA_INITIALIZATION_TYPE").as_deref() == Some("on-demand"),
            credentials: if get("AWS_ACCESS_KEY_ID").is_some() { Credentials::Environment } else { Credentials::Chain },
            ca_bundle: ["AWS_CA_BUNDLE", "SSL_CERT_FILE"].into_iter().find_map(|variable| Some(CaBundle { variable, path: get(variable)?.into() })),
            proxy: proxy(&get)?,
        })
    }

    /// Returns the guard with the senders that are allowed.
    #[must_use]
    pub fn guard(&self) -> Guard {
        Guard {
            allowed_instances: self.allowed_instances.clone(),
            allowed_accounts: self.allowed_accounts.clone(),
            entity_prefix: self.entity_prefix.clone(),
            region: self.region.clone(),
        }
    }
}

impl Document {
    /// Reads the file that a variable names.
    fn named(variable: &str, path: &str) -> Result<Self, ConfigError> {
        Self::read(Path::new(path)).map_err(|error| {
            ConfigError(format!(
                "{variable} names {path}, which cannot be read: {error}"
            ))
        })
    }

    /// Reads the first file with that name in the folders. A file that exists but cannot be read is an error.
    fn first(name: &str, folders: &[PathBuf]) -> Result<Option<Self>, ConfigError> {
        for folder in folders {
            let path = folder.join(name);
            let unreadable = |error: std::io::Error| {
                ConfigError(format!("{} cannot be read: {error}", path.display()))
            };
            match std::fs::symlink_metadata(&path) {
                Ok(_) => return Self::read(&path).map(Some).map_err(unreadable),
                Err(error)
                    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(error) => return Err(unreadable(error)),
            }
        }
        Ok(None)
    }

    /// Reads the mapping from the first folder that contains it.
    fn mapping(folders: &[PathBuf]) -> Result<Self, ConfigError> {
        const NAME: &str = "mapping.yaml";
        Self::first(NAME, folders)?.ok_or_else(|| {
            let looked: Vec<String> = folders
                .iter()
                .map(|folder| folder.join(NAME).display().to_string())
                .collect();
            ConfigError(format!(
                "there is no {NAME}: looked for {}; put it there, or name it in CASEBRIDGE_MAPPING",
                looked.join(", ")
            ))
        })
    }

    fn read(path: &Path) -> std::io::Result<Self> {
        let text = String::from_utf8(std::fs::read(path)?).map_err(|error| {
            let line = error
                .as_bytes()
                .get(..error.utf8_error().valid_up_to())
                .unwrap_or_default()
                .split(|byte| *byte == b'\n')
                .count();
            std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                format!("it is not UTF-8 text: the first byte that is not stands on line {line}"),
            )
        })?;
        Ok(Self {
            name: path.display().to_string(),
            text,
        })
    }
}

impl CaBundle {
    /// Returns the file's bytes.
    ///
    /// # Errors
    /// The file cannot be read, or contains no certificate.
    pub fn read(&self) -> Result<Vec<u8>, ConfigError> {
        let Self { variable, path } = self;
        let bytes = std::fs::read(path).map_err(|error| {
            ConfigError(format!(
                "{variable} names {}, which cannot be read: {error}",
                path.display()
            ))
        })?;
        if bytes
            .windows(27)
            .any(|window| window == b"-----BEGIN CERTIFICATE-----")
        {
            Ok(bytes)
        } else {
            Err(ConfigError(format!(
                "{variable} names {}, which holds no certificate in PEM form",
                path.display()
            )))
        }
    }
}

/// Returns the folders that are searched for files of a default name.
fn folders(get: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|path| path.parent().map(Path::to_path_buf));
    let task_root = get("LAMBDA_TASK_ROOT").map(PathBuf::from);
    // On Lambda, this folder contains the files of layers.
    let layers = task_root.as_ref().map(|_| PathBuf::from("/opt"));
    task_root
        .into_iter()
        .chain(beside)
        .chain(layers)
        .chain([PathBuf::from(".")])
        .collect()
}

impl Logging {
    /// Reads the variables that Lambda's logging controls set.
    ///
    /// They are read separately, so that an error in other variables can be logged.
    #[must_use]
    pub fn from_env() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this file is where the environment is read"
        )]
        let get = |name| std::env::var(name).unwrap_or_default().to_ascii_uppercase();
        Self {
            format: if get("AWS_LAMBDA_LOG_FORMAT") == "JSON" {
                LogFormat::Json
            } else {
                LogFormat::Text
            },
            // A level that this function does not know yet must not make the start fail.
            level: match get("AWS_LAMBDA_LOG_LEVEL").as_str() {
                "TRACE" => tracing::Level::TRACE,
                "DEBUG" => tracing::Level::DEBUG,
                "WARN" => tracing::Level::WARN,
                "ERROR" | "FATAL" => tracing::Level::ERROR,
                _ => tracing::Level::INFO,
            },
        }
    }
}
