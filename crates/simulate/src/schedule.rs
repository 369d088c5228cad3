//! What a seed plans: keys, deliveries, crashes, deadlines, a deployment, lags and the weather on the wire.

use std::fmt;
use std::time::Duration;

use crate::Mode;
use crate::assumptions::{FLOW_INVOKES, MAX_RECEIVE_COUNT, Times};
use crate::faults::Weather;
use crate::keys::{Key, Kind, Occurrence, Poison};
use crate::trace::time;

/// How long a key stands for one case in a world with windows.
pub(crate) const WINDOW: Duration = Duration::from_mins(10);

/// The plan of one world.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) keys: Vec<Key>,
    pub(crate) flows: Vec<FlowStep>,
    pub(crate) events: Vec<AsyncEvent>,
    pub(crate) queue: Queue,
    pub(crate) times: Times,
    pub(crate) weather: Weather,
    /// The function's own time-out.
    pub(crate) timeout: Duration,
    /// When the second release of the mapping is deployed.
    pub(crate) deployed: Option<Duration>,
    /// Whether a key stands for one case only as long as [`WINDOW`]: with a ledger.
    pub(crate) window: bool,
    /// Where every event of Cases is fed back: the seed of how.
    pub(crate) feed: Option<u64>,
}

/// A flow reaches its `Invoke AWS Lambda function` block.
#[derive(Debug, Clone)]
pub(crate) struct FlowStep {
    pub(crate) occurrence: Occurrence,
    pub(crate) at: Duration,
    /// How long the block waits: 1 to 8 s.
    pub(crate) limit: Duration,
    pub(crate) fates: Vec<Fate>,
}

/// EventBridge hands an event to Lambda.
#[derive(Debug, Clone)]
pub(crate) struct AsyncEvent {
    pub(crate) occurrence: Occurrence,
    pub(crate) at: Duration,
    pub(crate) fates: Vec<Fate>,
}

/// The queue and what is sent to it.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) messages: Vec<Message>,
    /// The most messages of a batch.
    pub(crate) batch: usize,
    /// For one batch after the other.
    pub(crate) fates: Vec<Fate>,
    /// Of a hundred messages, how many are delivered again although they are done or under way.
    pub(crate) repeats: u8,
    /// Whether the order of messages counts.
    pub(crate) fifo: bool,
    /// Whether the function has a queue for what can never succeed. A FIFO queue takes one: else what stands behind such a message is
    /// received as often as it, without being tried, and goes the same way.
    pub(crate) puts_aside: bool,
}

impl Queue {
    /// Whether there are messages, and their order counts.
    pub(crate) fn is_ordered(&self) -> bool {
        self.fifo && !self.messages.is_empty()
    }
}

/// EventBridge sends an event to the queue.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) occurrence: Occurrence,
    pub(crate) at: Duration,
}

/// What happens to one invocation, whatever the wire does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fate {
    pub(crate) crash: Option<Crash>,
    /// Less time than the function's time-out.
    pub(crate) remaining: Option<Duration>,
}

/// An environment ends in the middle.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Crash {
    /// Instead of going on for the n-th time: an answer is there, and is never looked at.
    AtStep(u32),
    /// Wherever it is after this time.
    After(Duration),
}

impl Schedule {
    /// The plan of a seed.
    pub(crate) fn draw(random: &mut fastrand::Rng, mode: Mode) -> Self {
        let keys = keys(random);
        let fifo = random.u8(0..3) == 0;
        let mut schedule = Self {
            flows: Vec::new(),
            events: Vec::new(),
            queue: Queue {
                messages: Vec::new(),
                batch: random.usize(1..=5),
                fates: Vec::new(),
                repeats: random.choice([0, 0, 10, 30]).unwrap_or_default(),
                fifo,
                puts_aside: random.bool() || fifo,
            },
            times: Times::draw(random, mode),
            weather: Weather::draw(random),
            timeout: Duration::from_secs(random.choice([5, 10, 30]).unwrap_or(10)),
            deployed: (random.u8(0..3) == 0).then(|| Duration::from_secs(random.u64(1..=180))),
            window: random.u8(0..3) == 0 && mode.ledger,
            feed: (random.u8(0..3) == 0).then(|| random.u64(..)),
            keys: Vec::new(),
        };
        let crashes = random.choice([0, 10, 30, 60]).unwrap_or_default();
        for key in &keys {
            schedule.deliveries(key, crashes, random);
        }
        let batches = schedule.queue.messages.len() * 3;
        schedule.queue.fates = fates(batches, crashes, random);
        schedule.keys = keys;
        schedule
    }

    /// One or more deliveries for every occurrence of the key, close together or far apart.
    fn deliveries(&mut self, key: &Key, crashes: u8, random: &mut fastrand::Rng) {
        let queued = random.bool();
        // With a window a key comes back after it, and more than once.
        let (times, gaps) = if self.window {
            ([1, 2, 3, 4, 4, 5], [20_000, 900_000, 1_200_000])
        } else {
            ([1, 1, 1, 2, 2, 3], [200, 20_000, 1_200_000])
        };
        for number in 0..key.occurrences {
            let occurrence = Occurrence {
                key: key.number,
                number,
            };
            let mut at = Duration::from_millis(random.u64(0..=60_000));
            for _ in 0..random.choice(times).unwrap_or(1) {
                if key.is_flow() {
                    self.flows.push(FlowStep {
                        occurrence,
                        at,
                        limit: Duration::from_secs(random.u64(1..=8)),
                        fates: fates(FLOW_INVOKES, crashes, random),
                    });
                } else if queued {
                    self.queue.messages.push(Message { occurrence, at });
                } else {
                    self.events.push(AsyncEvent {
                        occurrence,
                        at,
                        fates: fates(3, crashes, random),
                    });
                }
                // At once, soon, or after all retries.
                let gap = random.choice(gaps).unwrap_or(200);
                at += Duration::from_millis(random.u64(0..=gap));
            }
        }
    }
}

fn keys(random: &mut fastrand::Rng) -> Vec<Key> {
    const KINDS: [Kind; 7] = [
        Kind::Contact,
        Kind::RequestKey,
        Kind::Conversation,
        Kind::Order,
        Kind::ContactEvent,
        Kind::Notice,
        Kind::CaseEvent,
    ];
    let mut keys: Vec<Key> = Vec::new();
    for number in 1..=random.usize(2..=5) {
        let kind = random.choice(KINDS).unwrap_or(Kind::Contact);
        let poison = match random.u8(0..20) {
            0 => Some(Poison::Incomplete),
            1 if !matches!(kind, Kind::Contact | Kind::RequestKey | Kind::Conversation) => {
                Some(Poison::Unrecognizable)
            }
            _ => None,
        };
        let occurrences = match kind {
            Kind::Conversation | Kind::Order | Kind::ContactEvent => random.usize(1..=2),
            Kind::Contact | Kind::RequestKey | Kind::Notice | Kind::CaseEvent => 1,
        };
        let earlier = keys
            .iter()
            .find(|key| matches!(key.kind, Kind::Contact | Kind::RequestKey));
        let contact_of = match (kind, earlier) {
            (Kind::RequestKey, Some(key)) => key.contact_of,
            _ => number,
        };
        keys.push(Key {
            number,
            kind,
            poison,
            occurrences,
            contact_of,
        });
    }
    keys
}

/// `crashes` of a hundred invocations crash.
fn fates(invocations: usize, crashes: u8, random: &mut fastrand::Rng) -> Vec<Fate> {
    let mut fate = || Fate {
        crash: (random.u8(0..100) < crashes).then(|| {
            if random.bool() {
                Crash::AtStep(random.u32(1..=14))
            } else {
                Crash::After(Duration::from_millis(random.u64(0..=600)))
            }
        }),
        remaining: (random.u8(0..10) == 0).then(|| Duration::from_millis(random.u64(100..=3_000))),
    };
    (0..invocations).map(|_| fate()).collect()
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in &self.keys {
            writeln!(f, "{key}")?;
        }
        for step in &self.flows {
            let limit = step.limit.as_secs();
            write!(
                f,
                "{}  a flow sends {}, waits {limit} s",
                time(step.at),
                step.occurrence
            )?;
            write_fates(f, &step.fates)?;
        }
        for event in &self.events {
            write!(
                f,
                "{}  EventBridge invokes with {}",
                time(event.at),
                event.occurrence
            )?;
            write_fates(f, &event.fates)?;
        }
        for message in &self.queue.messages {
            writeln!(
                f,
                "{}  EventBridge queues {}",
                time(message.at),
                message.occurrence
            )?;
        }
        if !self.queue.messages.is_empty() {
            let Queue {
                batch,
                repeats,
                fifo,
                puts_aside,
                ..
            } = self.queue;
            let failure_queue = if puts_aside { "" } else { "no " };
            let kind = if fifo { "FIFO " } else { "" };
            write!(
                f,
                "the {kind}queue: batches of {batch}, {repeats} % repeated, received {MAX_RECEIVE_COUNT} times at most, {failure_queue}failure queue"
            )?;
            write_fates(f, &self.queue.fates)?;
        }
        if let Some(at) = self.deployed {
            writeln!(
                f,
                "{}  another release of the mapping is deployed",
                time(at)
            )?;
        }
        if self.window {
            let minutes = WINDOW.as_secs() / 60;
            writeln!(f, "a key stands for one case for {minutes} minutes")?;
        }
        if self.feed.is_some() {
            writeln!(f, "every event of Cases is fed back")?;
        }
        let Times {
            token,
            case,
            item,
            profile,
            request,
        } = self.times;
        writeln!(
            f,
            "the function's time-out {} s; a token lives {} s; lags: cases {} s, items {} s, profiles {} s; a request arrives within {} s",
            self.timeout.as_secs(),
            token.as_secs(),
            case.as_secs(),
            item.as_secs(),
            profile.as_secs(),
            request.as_secs(),
        )?;
        let rates: Vec<String> = self
            .weather
            .rates()
            .map(|(operation, percent)| format!("{operation} {percent} %"))
            .collect();
        let rates = if rates.is_empty() {
            "none".to_owned()
        } else {
            rates.join(", ")
        };
        writeln!(f, "faults: {rates}")
    }
}

/// The invocations that are not ordinary.
fn write_fates(f: &mut fmt::Formatter<'_>, fates: &[Fate]) -> fmt::Result {
    for (number, fate) in fates.iter().enumerate() {
        match fate.crash {
            Some(Crash::AtStep(step)) => write!(f, "; {}: crash at step {step}", number + 1)?,
            Some(Crash::After(after)) => {
                write!(f, "; {}: crash after {} ms", number + 1, after.as_millis())?;
            }
            None => {}
        }
        if let Some(remaining) = fate.remaining {
            write!(f, "; {}: has {} ms", number + 1, remaining.as_millis())?;
        }
    }
    writeln!(f)
}

impl fmt::Display for Occurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "K{}", self.key)?;
        if self.number > 0 {
            write!(f, " (its other one)")?;
        }
        Ok(())
    }
}
