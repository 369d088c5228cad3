//! Execution environments: each a function of its own with its own clients, for one invocation at a time.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SharedTimeSource;
use casebridge::config::Config;
use casebridge::handler::Casebridge;

use crate::assumptions::Broken;
use crate::clock::{Ahead, Clock};
use crate::ledger::Use;
use crate::schedule::Schedule;
use crate::wire::Wire;
use crate::{Mode, ledger};

const REGION: &str = "us-east-1";

/// How often an environment looks for a newer mapping.
const POLL: Duration = Duration::from_secs(45);

/// The profiles domain of every world.
pub(crate) const PROFILES_DOMAIN: &str = "amazon-connect-example";

/// `CASEBRIDGE_FAILURE_QUEUE`, where there is one.
pub(crate) const FAILURE_QUEUE: &str =
    "https://sqs.us-east-1.amazonaws.com/111122223333/simulated-failures";

/// What the function is released with: its mapping, of which a later release has another tag, and its configuration.
#[derive(Debug, Clone)]
pub struct Releases {
    first: Config,
    pub(crate) snapshot: String,
}

impl Releases {
    /// Reads the mapping of this crate and the repository's domain snapshot.
    ///
    /// # Errors
    /// A file cannot be read, or the configuration is refused.
    pub fn load() -> anyhow::Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = here.join("../../domain.json");
        let snapshot = std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let domain: serde_json::Value = serde_json::from_str(&snapshot)
            .with_context(|| format!("{} is not JSON", path.display()))?;
        let domain_id = domain.pointer("/domain/domainId");
        let domain_id = domain_id
            .and_then(serde_json::Value::as_str)
            .with_context(|| format!("{} has no domainId", path.display()))?;
        let variable = |name: &str| match name {
            "CASES_DOMAIN_ID" => Some(domain_id.to_owned()),
            "AWS_REGION" => Some(REGION.to_owned()),
            "PROFILES_DOMAIN" => Some(PROFILES_DOMAIN.to_owned()),
            "CASEBRIDGE_DOMAIN" => Some(path.display().to_string()),
            _ => None,
        };
        let first = Config::read(&variable, &[here.to_owned()])?;
        Ok(Self { first, snapshot })
    }

    /// The configuration of a release in the world of a schedule.
    pub(crate) fn configured(&self, second: bool, schedule: &Schedule, mode: Mode) -> Config {
        let mut config = self.plain(second, mode.ledger.then_some(schedule.uses), mode.broken);
        config.failure_queue = schedule.queue.puts_aside.then(|| FAILURE_QUEUE.to_owned());
        if schedule.enrich {
            let text = &mut config.mapping.text;
            *text = text.replace(
                "    # The contact is read from Connect.\n",
                "    enrich: true\n    tags:\n      topic: $.Attributes.topic\n",
            );
        }
        config
    }

    /// The configuration of a release without a failure queue.
    pub(crate) fn plain(
        &self,
        second: bool,
        ledger: Option<Use>,
        broken: Option<Broken>,
    ) -> Config {
        let mut config = self.first.clone();
        let text = &mut config.mapping.text;
        if second {
            *text = text.replace("release: one", "release: two");
        }
        if broken == Some(Broken::TwinsRefused) {
            *text = text.replace("if_many: first", "if_many: fail");
        }
        if let Some(uses) = ledger {
            ledger::configure(&mut config, uses);
        }
        config
    }
}

/// An execution environment.
pub(crate) struct Environment {
    pub(crate) number: usize,
    second: bool,
    /// When it looked for a newer mapping.
    looked: Duration,
    sdk: SdkConfig,
    pub(crate) casebridge: Casebridge,
    /// The number of the invocation that it runs.
    pub(crate) invocation: Arc<AtomicUsize>,
}

/// Environments that wait for an invocation.
pub(crate) struct Pool {
    wire: Arc<Wire>,
    clock: Clock,
    /// The configuration of the first release and of the later one.
    configs: [Config; 2],
    /// How far each environment's clock is ahead.
    skews: Vec<Duration>,
    /// Whether environments read the mapping again, instead of ending with a release.
    reloads: bool,
    idle: RefCell<Vec<Environment>>,
    started: Cell<usize>,
}

impl Pool {
    pub(crate) fn new(wire: &Arc<Wire>, clock: Clock, configs: [Config; 2]) -> Self {
        Self {
            wire: Arc::clone(wire),
            clock,
            configs,
            skews: Vec::new(),
            reloads: false,
            idle: RefCell::default(),
            started: Cell::default(),
        }
    }

    /// The pool with these clocks, and with environments that read the mapping again.
    pub(crate) fn with(self, skews: &[Duration], reloads: bool) -> Self {
        Self {
            skews: skews.to_vec(),
            reloads,
            ..self
        }
    }

    /// The environment that was used last, or a new one; with the release that is current, or was when it looked.
    pub(crate) fn take(&self, second: bool) -> anyhow::Result<Environment> {
        let now = self.clock.elapsed();
        let mut idle = self.idle.borrow_mut();
        if !self.reloads {
            idle.retain(|environment| environment.second == second);
        }
        let [first, later] = &self.configs;
        let config = if second { later } else { first };
        if let Some(mut environment) = idle.pop() {
            if now.saturating_sub(environment.looked) >= POLL {
                environment.looked = now;
                if environment.second != second {
                    environment.second = second;
                    environment.casebridge = Casebridge::start(config, &environment.sdk)?;
                }
            }
            return Ok(environment);
        }
        let started = self.started.get();
        self.started.set(started + 1);
        let place = started.checked_rem(self.skews.len());
        let skew = place.and_then(|place| self.skews.get(place));
        let clock = Ahead {
            clock: self.clock,
            by: skew.copied().unwrap_or_default(),
        };
        let invocation = Arc::default();
        let sdk = sdk(&self.wire, &invocation, clock);
        Ok(Environment {
            number: started + 1,
            second,
            looked: now,
            casebridge: Casebridge::start(config, &sdk)?,
            sdk,
            invocation,
        })
    }

    /// Takes back an environment whose invocation has ended well.
    pub(crate) fn give_back(&self, environment: Environment) {
        self.idle.borrow_mut().push(environment);
    }

    /// How many have been started.
    pub(crate) fn started(&self) -> usize {
        self.started.get()
    }
}

fn sdk(wire: &Arc<Wire>, invocation: &Arc<AtomicUsize>, clock: Ahead) -> SdkConfig {
    let credentials = Credentials::from_keys("simulated", "simulated", None);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(wire.http_client(invocation))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .time_source(SharedTimeSource::new(clock))
        .build()
}
