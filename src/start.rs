//! From configuration to a function that is ready: everything that can go wrong before the first event, as sentences.

use std::io::Write as _;
use std::time::Duration;

use aws_config::SdkConfig;
use tokio::task::yield_now;

use crate::call::Opening;
use crate::cases::Cases;
use crate::config::{Config, ConfigError};
use crate::contact::Connect;
use crate::customer::Customers;
use crate::deadline::Stopwatch;
use crate::failure_queue::FailureQueue;
use crate::handler::{Casebridge, Telemetry};
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::request::{ProfilesDomain, RequestContext};
use mapping::arn;
use mapping::diagnostic::Diagnostics;
use mapping::domain::{Domain, SnapshotError};
use mapping::{LoadContext, Mapping};

/// Why the function does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The environment.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// `domain.json`, by the file's name.
    #[error("{0}: {1}")]
    Snapshot(String, #[source] SnapshotError),
    /// `mapping.yaml`.
    #[error(transparent)]
    Mapping(Box<Diagnostics>),
}

/// The start of this environment, as far as somebody waited for it.
#[derive(Clone, Copy, Debug)]
pub struct ColdStart {
    took: Duration,
    ready: Stopwatch,
    on_demand: bool,
}

impl ColdStart {
    /// An environment that is made for a waiting sender has its first invocation at once; one that is made in advance has it later.
    const FIRST_INVOCATION: Duration = Duration::from_secs(1);

    /// A start that began with the stopwatch, and is done now. `on_demand`: Lambda did not make the environment for provisioned concurrency.
    #[must_use]
    pub fn done(since: Stopwatch, on_demand: bool) -> Self {
        Self {
            took: since.elapsed(),
            ready: Stopwatch::start(),
            on_demand,
        }
    }

    /// The time that the sender of a first invocation, which comes now, waited for the start.
    #[must_use]
    pub fn waited(&self) -> Duration {
        if self.on_demand && self.ready.elapsed() <= Self::FIRST_INVOCATION {
            self.took
        } else {
            Duration::ZERO
        }
    }
}

/// The services that every event needs, whatever the mapping says: their connections are opened before it is read.
#[derive(Clone, Debug)]
pub struct Services {
    cases: Cases,
    ledger: Option<Ledger>,
}

impl Services {
    /// By configuration alone.
    #[must_use]
    pub fn new(config: &Config, sdk: &SdkConfig) -> Self {
        let table = config.ledger_table.clone();
        Self {
            cases: Cases::new(sdk),
            ledger: table.map(|table| Ledger::new(sdk, table)),
        }
    }

    /// Opens their connections side by side, so that no caller waits for it. That one cannot be opened is logged, and left to the first
    /// event.
    pub async fn warm_up(&self, domain_id: &str) {
        let ledger = async {
            match &self.ledger {
                Some(ledger) => ledger.warm_up().await,
                None => Opening::NONE,
            }
        };
        let (cases, ledger) = tokio::join!(self.cases.warm_up(domain_id), ledger);
        tokio::join!(cases.opened(), ledger.opened());
    }

    /// Loads snapshot and mapping and makes the function. Between its steps, connections that are being opened get their turn.
    ///
    /// Where every case mapping searches the customer, the connection to Customer Profiles is opened, too. Where only some do, the first of
    /// their events opens it, for a connection takes a sixth of a cold start; and so it is with Connect, which is read for events that nobody
    /// waits for.
    ///
    /// # Errors
    /// As [`plan`].
    pub async fn casebridge(
        &self,
        config: &Config,
        sdk: &SdkConfig,
    ) -> Result<Casebridge, StartError> {
        let domain = snapshot(config)?;
        yield_now().await;
        let plan = mapping(config, domain.as_ref())?;
        yield_now().await;
        let casebridge = wire(plan, self.clone(), config, sdk);
        if casebridge.mapping.always_searches_profiles() {
            casebridge.customers.warm_up().await.opened().await;
        }
        Ok(casebridge)
    }
}

/// A configuration whose documents are sound.
pub struct Plan {
    mapping: Mapping,
    context: RequestContext,
}

/// Loads snapshot and mapping.
///
/// # Errors
/// The snapshot or the mapping cannot be used, or the mapping needs what is not configured.
pub fn plan(config: &Config) -> Result<Plan, StartError> {
    mapping(config, snapshot(config)?.as_ref())
}

fn snapshot(config: &Config) -> Result<Option<Domain>, StartError> {
    let Some(document) = &config.domain else {
        return Ok(None);
    };
    let snapshot = |error| StartError::Snapshot(document.name.clone(), error);
    let domain = Domain::from_json(&document.text).map_err(snapshot)?;
    domain.expect_id(&config.domain_id).map_err(snapshot)?;
    Ok(Some(domain))
}

fn mapping(config: &Config, domain: Option<&Domain>) -> Result<Plan, StartError> {
    let context = LoadContext {
        domain,
        entity_prefix: &config.entity_prefix,
    };
    let mapping = Mapping::load(&config.mapping.name, &config.mapping.text, context)
        .map_err(|diagnostics| StartError::Mapping(Box::new(diagnostics)))?;
    if let Some(name) = mapping.needs_ledger()
        && config.ledger_table.is_none()
    {
        let message = format!(
            "the case mapping `{name}` has a `window` or `on_existing: attach`, and CASEBRIDGE_LEDGER_TABLE is not set: give the name of the ledger's table"
        );
        return Err(ConfigError::new(message).into());
    }
    let context = request_context(config, &mapping, domain)?;
    Ok(Plan { mapping, context })
}

/// Loads snapshot and mapping and makes the function.
///
/// # Errors
/// As [`plan`].
pub fn casebridge(config: &Config, sdk: &SdkConfig) -> Result<Casebridge, StartError> {
    let services = Services::new(config, sdk);
    Ok(wire(plan(config)?, services, config, sdk))
}

fn wire(plan: Plan, services: Services, config: &Config, sdk: &SdkConfig) -> Casebridge {
    let Plan { mapping, context } = plan;
    let failure_queue = config.failure_queue.clone();
    Casebridge {
        connect: mapping.enriches().then(|| Connect::new(sdk)),
        mapping,
        guard: config.guard(),
        cases: services.cases,
        customers: Customers::new(sdk, context.profiles.clone()),
        context,
        ledger: services.ledger,
        failure_queue: failure_queue.map(|url| FailureQueue::new(sdk, url)),
        flow_budget: config.flow_budget,
        telemetry: telemetry(config, sdk),
    }
}

fn telemetry(config: &Config, sdk: &SdkConfig) -> Telemetry {
    let clock = sdk.time_source().unwrap_or_default();
    let metrics = config.metrics_namespace.clone().map(|namespace| {
        // A line that cannot be written has nowhere to be reported.
        let sink = |lines: &str| drop(std::io::stdout().write_all(lines.as_bytes()));
        Metrics::new(namespace, config.function_name.clone(), clock.clone(), sink)
    });
    Telemetry { metrics, clock }
}

/// Returns the context of requests, from configuration and snapshot.
///
/// # Errors
/// The mapping needs the profiles domain, and its name or account is not known.
pub fn request_context(
    config: &Config,
    mapping: &Mapping,
    domain: Option<&Domain>,
) -> Result<RequestContext, ConfigError> {
    let domain_arn = domain.map(|domain| domain.arn.clone());
    Ok(RequestContext {
        domain_id: config.domain_id.clone(),
        domain_arn: domain_arn.filter(|arn| !arn.is_empty()),
        entity_prefix: config.entity_prefix.clone(),
        profiles: profiles(config, mapping, domain)?,
    })
}

/// The profiles domain, in the account of the Cases domain: the two belong to one Connect instance.
fn profiles(
    config: &Config,
    mapping: &Mapping,
    domain: Option<&Domain>,
) -> Result<Option<ProfilesDomain>, ConfigError> {
    if !mapping.needs_profiles_domain() {
        return Ok(None);
    }
    let Some(name) = &config.profiles_domain else {
        return Err(ConfigError::new(
            "the mapping looks customers up by `profile_id` or `find`, and PROFILES_DOMAIN is not set: give the name of the Customer Profiles domain",
        ));
    };
    if name.len() > 64
        || !name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    {
        return Err(ConfigError::new(
            "PROFILES_DOMAIN takes the name of a Customer Profiles domain: 1 to 64 letters, digits, `_` and `-`",
        ));
    }
    let account = domain
        .and_then(|domain| arn::account(&domain.arn))
        .or(config.allowed_accounts.first().map(String::as_str));
    let Some(account) = account else {
        return Err(ConfigError::new(
            "the mapping looks customers up by `profile_id` or `find`, and the account of the profile's ARN is not known: put domain.json beside the mapping, or set ALLOWED_ACCOUNTS",
        ));
    };
    Ok(Some(ProfilesDomain {
        region: config.region.clone(),
        account: account.to_owned(),
        name: name.clone(),
    }))
}
