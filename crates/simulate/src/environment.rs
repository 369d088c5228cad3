//! Execution environments: each a function of its own with its own clients, for one invocation at a time.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SharedTimeSource;
use casebridge::config::Config;
use casebridge::handler::Casebridge;

use crate::assumptions::Broken;
use crate::clock::Clock;
use crate::schedule::Schedule;
use crate::wire::Wire;
use crate::{Mode, ledger};

const REGION: &str = "us-east-1";

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
        let mut config = self.plain(second, schedule.window, mode);
        config.failure_queue = schedule.queue.puts_aside.then(|| FAILURE_QUEUE.to_owned());
        config
    }

    /// The configuration of a release without a failure queue.
    pub(crate) fn plain(&self, second: bool, window: bool, mode: Mode) -> Config {
        let mut config = self.first.clone();
        let text = &mut config.mapping.text;
        if second {
            *text = text.replace("release: one", "release: two");
        }
        if mode.broken == Some(Broken::TwinsRefused) {
            *text = text.replace("if_many: first", "if_many: fail");
        }
        if mode.ledger {
            ledger::configure(&mut config, mode, window);
        }
        config
    }
}

/// An execution environment.
pub(crate) struct Environment {
    pub(crate) number: usize,
    second: bool,
    pub(crate) casebridge: Casebridge,
    /// The number of the invocation that it runs.
    pub(crate) invocation: Arc<AtomicUsize>,
}

/// Environments that wait for an invocation.
#[derive(Default)]
pub(crate) struct Pool(RefCell<Idle>);

#[derive(Default)]
struct Idle {
    idle: Vec<Environment>,
    started: usize,
}

impl Pool {
    /// The environment that was used last, or a new one: also where a later release was deployed since.
    pub(crate) fn take(
        &self,
        configs: &[Config; 2],
        second: bool,
        wire: &Arc<Wire>,
        clock: Clock,
    ) -> anyhow::Result<Environment> {
        let mut pool = self.0.borrow_mut();
        pool.idle.retain(|environment| environment.second == second);
        if let Some(environment) = pool.idle.pop() {
            return Ok(environment);
        }
        pool.started += 1;
        let invocation = Arc::default();
        let [first, later] = configs;
        let config = if second { later } else { first };
        let casebridge = Casebridge::start(config, &sdk(wire, &invocation, clock))?;
        Ok(Environment {
            number: pool.started,
            second,
            casebridge,
            invocation,
        })
    }

    /// Takes back an environment whose invocation has ended well.
    pub(crate) fn give_back(&self, environment: Environment) {
        self.0.borrow_mut().idle.push(environment);
    }

    /// How many have been started.
    pub(crate) fn started(&self) -> usize {
        self.0.borrow().started
    }
}

fn sdk(wire: &Arc<Wire>, invocation: &Arc<AtomicUsize>, clock: Clock) -> SdkConfig {
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
