//! Execution environments: each a function of its own with its own clients, for one invocation at a time.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SharedTimeSource;
use casebridge::config::Config;
use casebridge::handler::Casebridge;

use crate::assumptions::{Broken, Mode};
use crate::clock::{Ahead, Clock};
use crate::schedule::{Crash, Schedule, Use, WINDOW};
use crate::wire::{LEDGER_TABLE, Wire};

const REGION: &str = "us-east-1";

/// The time between two looks for a newer mapping.
const LOOK: Duration = Duration::from_secs(45);

/// The profiles domain of every world.
pub(crate) const PROFILES_DOMAIN: &str = "amazon-connect-example";

/// `CASEBRIDGE_FAILURE_QUEUE`, where there is one.
pub(crate) const FAILURE_QUEUE: &str =
    "https://sqs.us-east-1.amazonaws.com/111122223333/simulated-failures";

/// The releases of the function: its configuration, and its mapping, of which a later release has another tag.
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
        let mut config = self.first.clone();
        config.failure_queue = schedule.queue.puts_aside.then(|| FAILURE_QUEUE.to_owned());
        let text = &mut config.mapping.text;
        let mut replace = |holds: bool, from: &str, to: &str| {
            if holds {
                *text = text.replace(from, to);
            }
        };
        replace(second, "release: one", "release: two");
        let is_refused = mode.broken == Some(Broken::TwinsRefused);
        replace(is_refused, "if_many: first", "if_many: fail");
        if mode.ledger {
            config.ledger_table = Some(LEDGER_TABLE.to_owned());
            let Use {
                window,
                attach,
                proceed,
            } = schedule.uses;
            let template = "    template: Contact follow-up\n";
            let unavailable = match (proceed, window) {
                // The default without a window.
                (true, false) => "",
                (true, true) => "    ledger_unavailable: proceed\n",
                (false, _) => "    ledger_unavailable: fail\n",
            };
            let minutes = WINDOW.as_secs() / 60;
            let window = window.then(|| format!("    window: {minutes}m\n"));
            let uses = format!("{template}{unavailable}{}", window.unwrap_or_default());
            replace(true, template, &uses);
            let several = "    # A key of these may have several occurrences.\n";
            replace(attach, several, "    on_existing: attach\n");
        }
        replace(
            schedule.enrich,
            "    # The contact is read from Connect.\n",
            "    enrich: true\n    tags:\n      topic: $.Attributes.topic\n",
        );
        config
    }
}

/// An execution environment.
pub(crate) struct Environment {
    pub(crate) number: usize,
    second: bool,
    /// The time of its last look for a newer mapping.
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
    /// The lead of each environment's clock.
    skews: Vec<Duration>,
    /// Environments read the mapping again, instead of ending with a release.
    reloads: bool,
    idle: RefCell<Vec<Environment>>,
    started: Cell<usize>,
}

impl Pool {
    /// A pool for the releases of the mapping: environments of these clocks, which read the mapping again if `reloads`.
    pub(crate) fn new(
        wire: Arc<Wire>,
        clock: Clock,
        configs: [Config; 2],
        skews: &[Duration],
        reloads: bool,
    ) -> Self {
        Self {
            wire,
            clock,
            configs,
            skews: skews.to_vec(),
            reloads,
            idle: RefCell::default(),
            started: Cell::default(),
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
            if now.saturating_sub(environment.looked) >= LOOK {
                environment.looked = now;
                if environment.second != second {
                    environment.second = second;
                    environment.casebridge =
                        casebridge::start::casebridge(config, &environment.sdk)?;
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
            casebridge: casebridge::start::casebridge(config, &sdk)?,
            sdk,
            invocation,
        })
    }

    /// Takes back an environment whose invocation has ended well.
    pub(crate) fn give_back(&self, environment: Environment) {
        self.idle.borrow_mut().push(environment);
    }

    /// The number of environments that have been started.
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

/// Runs a future to its end; `None` when its environment ended before: then it is dropped, and nothing of it goes on.
pub(crate) async fn crashing<F: Future>(future: F, crash: Option<Crash>) -> Option<F::Output> {
    match crash {
        None => Some(future.await),
        Some(Crash::After(time)) => tokio::time::timeout(time, future).await.ok(),
        Some(Crash::AtStep(left)) => {
            let inner = Box::pin(future);
            Steps { inner, left }.await
        }
    }
}

/// A future that is polled for a limited number of times.
struct Steps<F> {
    inner: Pin<Box<F>>,
    left: u32,
}

impl<F: Future> Future for Steps<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(left) = self.left.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.left = left;
        self.inner.as_mut().poll(context).map(Some)
    }
}
