//! The start: turns the configuration into a function that is ready.
//!
//! Everything that can go wrong before the first event becomes an error message.

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

/// The reason why the function does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// `domain.json` cannot be used. The first value is the file's name.
    #[error("{0}: {1}")]
    Snapshot(String, #[source] SnapshotError),
    /// `mapping.yaml` cannot be used.
    #[error(transparent)]
    Mapping(Box<Diagnostics>),
}

/// The start of this environment, and the time that a sender waited for it.
#[derive(Clone, Copy, Debug)]
pub struct ColdStart {
    took: Duration,
    ready: Stopwatch,
    on_demand: bool,
}

impl ColdStart {
    /// The longest time between start and first invocation if a sender waits.
    ///
    /// An environment that is made in advance has its first invocation later.
    const FIRST_INVOCATION: Duration = Duration::from_secs(1);

    /// Records a start that began with the stopwatch and is done now.
    ///
    /// `on_demand` is true if Lambda did not make the environment for provisioned concurrency.
    #[must_use]
    pub fn done(since: Stopwatch, on_demand: bool) -> Self {
        Self {
            took: since.elapsed(),
            ready: Stopwatch::start(),
            on_demand,
        }
    }

    /// Returns the time that the sender of a first invocation waited for the start. That invocation begins now.
    #[must_use]
    pub fn waited(&self) -> Duration {
        if self.on_demand && self.ready.elapsed() <= Self::FIRST_INVOCATION {
            self.took
        } else {
            Duration::ZERO
        }
    }
}

/// The services that every event needs, for any mapping. Their connections are opened before the mapping is read.
#[derive(Clone, Debug)]
pub struct Services {
    cases: Cases,
    ledger: Option<Ledger>,
}

impl Services {
    /// Creates the services from the configuration alone.
    #[must_use]
    pub fn new(config: &Config, sdk: &SdkConfig) -> Self {
        let table = config.ledger_table.clone();
        Self {
            cases: Cases::new(sdk),
            ledger: table.map(|table| Ledger::new(sdk, table)),
        }
    }

    /// Opens the connections concurrently, so that no caller waits for them.
    ///
    /// A connection that cannot be opened is logged. The first event then opens it.
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

    /// Loads snapshot and mapping, and builds the function. Connections that are being opened proceed between the steps.
    ///
    /// The connection to Customer Profiles is opened, too, if every case mapping searches for the customer.
    /// Otherwise the first event that searches opens it, because a connection takes a sixth of a cold start.
    /// The first event that reads a contact opens the connection to Connect. Nobody waits for such events.
    ///
    /// # Errors
    /// The errors of [`plan`].
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

/// A configuration whose documents are valid.
pub struct Plan {
    mapping: Mapping,
    context: RequestContext,
}

/// Loads snapshot and mapping.
///
/// # Errors
/// The snapshot or the mapping cannot be used, or the mapping needs a setting that is missing.
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

/// Loads snapshot and mapping, and builds the function.
///
/// # Errors
/// The errors of [`plan`].
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
        // A line that cannot be written cannot be reported anywhere.
        let sink = |lines: &str| drop(std::io::stdout().write_all(lines.as_bytes()));
        Metrics::new(namespace, config.function_name.clone(), clock.clone(), sink)
    });
    Telemetry { metrics, clock }
}

/// Returns the context of requests, from configuration and snapshot.
///
/// # Errors
/// The mapping needs the profiles domain, but its name or account is not known.
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

/// Returns the profiles domain, if the mapping needs it.
///
/// It is in the account of the Cases domain, because both belong to one Connect instance.
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
