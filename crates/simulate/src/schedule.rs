//! The plan of a seed: keys, deliveries, crashes, deadlines, a deployment, lags and the weather on the wire.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::assumptions::{
    Broken, CASE_FOUND_WITHIN, FLOW_INVOKES, FUNCTION_TIMEOUT, ITEM_SHOWN_WITHIN,
    MAX_RECEIVE_COUNT, Mode, PROFILE_SEEN_WITHIN, TOKEN_REMEMBERED, Times,
};
use crate::clock::time;
use crate::faults::{Fault, Spell, Weather};
use crate::keys::{Key, Kind, Occurrence, Poison};

/// The time for which a key stands for one case, in a world with windows.
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
    pub(crate) services: Services,
    /// The function's own time-out.
    pub(crate) timeout: Duration,
    pub(crate) releases: ReleaseTimes,
    /// The mapping's use of the ledger, where there is one.
    pub(crate) uses: Use,
    /// The contact of a contact event is read from Connect.
    pub(crate) enrich: bool,
    /// The lead of each environment's clock.
    pub(crate) skews: Vec<Duration>,
    /// The edge that the deliveries of one key are aimed at.
    pub(crate) aim: Option<Aim>,
    /// The seed for feeding every event of Cases back; `None` where they are not.
    pub(crate) feed: Option<u64>,
    /// The services keep the published quotas.
    pub(crate) quotas: bool,
}

/// The mapping's use of the ledger.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Use {
    /// `window`: a key stands for one case only as long as [`WINDOW`].
    pub(crate) window: bool,
    /// `on_existing: attach`, where a key may have several occurrences.
    pub(crate) attach: bool,
    /// `ledger_unavailable: proceed`, the default of a mapping without a window.
    pub(crate) proceed: bool,
}

/// The answers that AWS leaves open.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Services {
    /// A client token with another body is answered with `ValidationException`.
    pub(crate) mismatch_refused: bool,
    /// A contact that is linked already is answered with `ConflictException`.
    pub(crate) second_link_refused: bool,
    /// `CreateCase` is answered with `ConflictException` while another with its token is being carried out.
    pub(crate) tokens_collide: bool,
}

/// The times at which the second release of the mapping is deployed and rolled back.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReleaseTimes {
    pub(crate) deployed: Option<Duration>,
    pub(crate) rolled_back: Option<Duration>,
    /// Environments go on and read the mapping again, as with `AppConfig`; else a release makes new ones.
    pub(crate) reloads: bool,
}

impl ReleaseTimes {
    /// Returns true when the second release is the current one.
    pub(crate) fn is_second(&self, at: Duration) -> bool {
        let passed = |time: Option<Duration>| time.is_some_and(|time| time <= at);
        passed(self.deployed) && !passed(self.rolled_back)
    }
}

/// A flow reaches its `Invoke AWS Lambda function` block.
#[derive(Debug, Clone)]
pub(crate) struct FlowStep {
    pub(crate) occurrence: Occurrence,
    pub(crate) at: Duration,
    /// The time for which the block waits: 1 to 8 s.
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

/// An edge that a schedule is aimed at. Chance alone seldom brings a second delivery to the moment at which a lag, a token or a lease ends,
/// so the deliveries of one key and the faults that they meet are planned for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// A second run that begins when search is about to show the first one's case, and Cases to forget its token.
    Takeover,
    /// An attempt that nobody heard of, and refusals after it.
    Refusal,
    /// A second run that begins when the first one's profile is about to be seen.
    Profile,
    /// A second run that begins when the first one's contact and comment are about to show.
    Item,
    /// A key that is done when Customer Profiles is down.
    Known,
    /// A key that is done, or half done, when the ledger is down.
    Outage,
}

impl Aim {
    const ALL: [Self; 6] = [
        Self::Takeover,
        Self::Refusal,
        Self::Profile,
        Self::Item,
        Self::Known,
        Self::Outage,
    ];

    /// The edge as schedules spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Takeover => "the end of a token",
            Self::Refusal => "a refusal after a doubt",
            Self::Profile => "a profile that is about to be seen",
            Self::Item => "an item that is about to show",
            Self::Known => "a known case without its customer",
            Self::Outage => "an outage of the ledger",
        }
    }
}

/// The queue and its messages.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) messages: Vec<Message>,
    /// The most messages of a batch.
    pub(crate) batch: usize,
    /// For one batch after the other.
    pub(crate) fates: Vec<Fate>,
    /// The percentage of messages that are delivered again although they are done or under way.
    pub(crate) repeats: u8,
    /// The order of messages counts.
    pub(crate) fifo: bool,
    /// The function has a failure queue. A FIFO queue needs one: else the messages behind one that can never succeed are received as
    /// often as it, without being tried, and become dead letters with it.
    pub(crate) puts_aside: bool,
}

impl Queue {
    /// Returns true when there are messages, and their order counts.
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

/// The fate of one invocation, whatever the wire does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fate {
    pub(crate) crash: Option<Crash>,
    /// Less time than the function's time-out.
    pub(crate) remaining: Option<Duration>,
    /// The time of the look for a newer mapping, before anything else.
    pub(crate) spent: Duration,
}

/// An environment ends in the middle.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Crash {
    /// At the n-th poll of the invocation: an answer is there, and is never looked at.
    AtStep(u32),
    /// Wherever it is after this time.
    After(Duration),
}

/// Of a hundred requests in a world with a backlog, the number that meets a fault.
const BACKLOG_FAULTS: u8 = 10;

/// The messages of a batch of a backlog: with two pollers, ten calls share the quota of two creations a second.
const BACKLOG_BATCH: usize = 5;

impl Schedule {
    /// A backlog: events that wait in a queue at the beginning, under the published quotas, and a function without crashes.
    pub(crate) fn backlog(events: usize) -> Self {
        let keys: Vec<Key> = (1..=events)
            .map(|number| Key::plain(number, Kind::Backlog))
            .collect();
        let message = |key: &Key| Message {
            occurrence: key.occurrence(0),
            at: Duration::ZERO,
        };
        Self {
            queue: Queue {
                messages: keys.iter().map(message).collect(),
                batch: BACKLOG_BATCH,
                fates: Vec::new(),
                repeats: 0,
                fifo: false,
                puts_aside: false,
            },
            keys,
            flows: Vec::new(),
            events: Vec::new(),
            times: Times::PROMPT,
            weather: Weather::steady(BACKLOG_FAULTS),
            services: Services::default(),
            timeout: FUNCTION_TIMEOUT,
            releases: ReleaseTimes::default(),
            uses: Use::default(),
            enrich: false,
            skews: Vec::new(),
            aim: None,
            feed: None,
            quotas: true,
        }
    }

    /// The plan of a seed.
    pub(crate) fn draw(random: &mut fastrand::Rng, mode: Mode) -> Self {
        let keys = keys(random);
        let fifo = random.u8(0..3) == 0;
        let times = Times::draw(random, mode);
        let deployed = (random.u8(0..3) == 0).then(|| Duration::from_secs(random.u64(1..=180)));
        let back = (random.u8(0..3) == 0).then(|| Duration::from_secs(random.u64(1..=180)));
        let mut schedule = Self {
            flows: Vec::new(),
            events: Vec::new(),
            queue: Queue {
                messages: Vec::new(),
                batch: random.usize(1..=10),
                fates: Vec::new(),
                repeats: random.choice([0, 0, 10, 30]).unwrap_or_default(),
                fifo,
                puts_aside: random.bool() || fifo,
            },
            times,
            weather: Weather::draw(random),
            services: Services {
                mismatch_refused: random.u8(0..4) == 0,
                second_link_refused: random.bool(),
                tokens_collide: random.u8(0..4) == 0,
            },
            timeout: Duration::from_secs(random.choice([5, 10, 30, 30, 120]).unwrap_or(10)),
            releases: ReleaseTimes {
                deployed,
                rolled_back: deployed.zip(back).map(|(deployed, back)| deployed + back),
                reloads: random.bool(),
            },
            uses: Use {
                window: random.u8(0..3) == 0 && mode.ledger,
                attach: random.bool() && mode.ledger,
                proceed: mode.broken == Some(Broken::LedgerOptional)
                    || random.u8(0..4) == 0 && mode.ledger,
            },
            enrich: random.bool(),
            skews: skews(times.clocks, random),
            aim: None,
            feed: (random.u8(0..3) == 0).then(|| random.u64(..)),
            quotas: false,
            keys: Vec::new(),
        };
        if schedule.uses.proceed && mode.broken != Some(Broken::LedgerOptional) {
            // Without the ledger only the token prevents a second case.
            schedule.times.token = schedule.times.token.max(TOKEN_REMEMBERED);
        }
        let calm = schedule.weather.is_calm();
        let crashes = random.choice([0, 10, 30, 60]).filter(|_| !calm);
        let crashes = crashes.unwrap_or_default();
        for key in &keys {
            schedule.deliveries(key, crashes, random);
        }
        let batches = schedule.queue.messages.len() * 3;
        schedule.queue.fates = fates(batches, crashes, random);
        schedule.keys = keys;
        if calm {
            schedule.unhurried();
        } else if random.u8(0..3) == 0 {
            schedule.aim(random);
        }
        schedule
    }

    /// One or more deliveries for every occurrence of the key, close together or far apart.
    fn deliveries(&mut self, key: &Key, crashes: u8, random: &mut fastrand::Rng) {
        if key.event_of != key.number {
            return self.deliver_with(key, crashes, random);
        }
        let queued = random.bool();
        // At once, soon, after all retries; or about when something shows or is taken over. With a window a key comes back after it, and
        // more than once.
        let (times, gaps) = if self.uses.window {
            (
                [1, 2, 3, 4, 4, 5],
                [
                    0..=20_000,
                    0..=900_000,
                    0..=1_200_000,
                    270_000..=330_000,
                    570_000..=630_000,
                ],
            )
        } else {
            (
                [1, 1, 1, 2, 2, 3],
                [
                    0..=200,
                    0..=20_000,
                    0..=1_200_000,
                    25_000..=65_000,
                    270_000..=330_000,
                ],
            )
        };
        for number in 0..key.occurrences {
            let occurrence = key.occurrence(number);
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
                let gap = random.choice(&gaps).cloned().unwrap_or(0..=200);
                at += Duration::from_millis(random.u64(gap));
            }
        }
    }

    /// The same deliveries as those of the key that shares its event ids.
    fn deliver_with(&mut self, key: &Key, crashes: u8, random: &mut fastrand::Rng) {
        let of = |occurrence: Occurrence| {
            let number = occurrence.number;
            let is_other = occurrence.key == key.event_of && number < key.occurrences;
            is_other.then_some(key.occurrence(number))
        };
        let messages = self.queue.messages.clone();
        let messages = messages.iter().filter_map(|message| {
            let (occurrence, at) = (of(message.occurrence)?, message.at);
            Some(Message { occurrence, at })
        });
        self.queue.messages.extend(messages);
        for event in self.events.clone() {
            let Some(occurrence) = of(event.occurrence) else {
                continue;
            };
            self.events.push(AsyncEvent {
                occurrence,
                at: event.at,
                fates: fates(3, crashes, random),
            });
        }
    }

    /// Every invocation has all of its time.
    fn unhurried(&mut self) {
        let flows = self.flows.iter_mut().flat_map(|step| &mut step.fates);
        let events = self.events.iter_mut().flat_map(|event| &mut event.fates);
        for fate in flows.chain(events).chain(&mut self.queue.fates) {
            fate.remaining = None;
        }
    }

    /// Aims the deliveries of one key at an edge.
    fn aim(&mut self, random: &mut fastrand::Rng) {
        let aim = random.choice(Aim::ALL).unwrap_or(Aim::Item);
        let takes = |key: &&Key| {
            let has_customer = matches!(key.kind, Kind::Order);
            key.poison.is_none()
                && !key.is_flow()
                && key.kind != Kind::CaseEvent
                && (has_customer || !matches!(aim, Aim::Profile | Aim::Known))
        };
        let Some(key) = self.keys.iter().find(takes) else {
            return;
        };
        let occurrence = key.occurrence(random.usize(0..key.occurrences));
        self.aim = Some(aim);
        let is_other = |of: Occurrence| of.key != occurrence.key;
        self.events.retain(|event| is_other(event.occurrence));
        let messages = &mut self.queue.messages;
        messages.retain(|message| is_other(message.occurrence));
        let first = between(random, 1_000..=30_000);
        match aim {
            Aim::Takeover => self.takeover(first, occurrence, random),
            Aim::Refusal => self.refusal(first, occurrence, random),
            Aim::Profile => self.profile(first, occurrence, random),
            Aim::Item => self.item(first, occurrence, random),
            Aim::Known | Aim::Outage => self.down(aim, first, occurrence, random),
        }
    }

    /// Plans two deliveries: one with this fate and retries that do nothing, and another after `gap`.
    fn twice(
        &mut self,
        occurrence: Occurrence,
        first: Duration,
        fate: Fate,
        gap: Duration,
        random: &mut fastrand::Rng,
    ) {
        let second = self.second(occurrence, random);
        let nothing = Fate {
            crash: Some(Crash::AtStep(0)),
            ..Fate::default()
        };
        self.events.push(AsyncEvent {
            occurrence,
            at: first,
            fates: vec![fate, nothing, nothing],
        });
        self.events.push(AsyncEvent {
            occurrence: second,
            at: first + gap,
            fates: Vec::new(),
        });
    }

    /// The occurrence of the second delivery: now and then another one of the key.
    fn second(&self, first: Occurrence, random: &mut fastrand::Rng) -> Occurrence {
        let of = self.keys.iter().find(|key| key.number == first.key);
        let has_another = of.is_some_and(|key| key.occurrences > 1);
        if !has_another || random.u8(0..3) > 0 {
            return first;
        }
        Occurrence {
            number: 1 - first.number.min(1),
            ..first
        }
    }

    fn spell(&mut self, operation: &'static str, fault: Fault, from: Duration, length: Duration) {
        self.weather.spells.push(Spell {
            operation,
            from,
            until: from + length,
            fault,
        });
    }

    fn takeover(&mut self, first: Duration, occurrence: Occurrence, random: &mut fastrand::Rng) {
        self.timeout = Duration::from_secs(random.choice([30, 120, 120]).unwrap_or(120));
        self.times.case = self.times.case.max(CASE_FOUND_WITHIN);
        let doubt = [Fault::CutAfter, Fault::LostBack, Fault::FailedAfter];
        let doubt = random.choice(doubt).unwrap_or(Fault::CutAfter);
        self.spell("CreateCase", doubt, first, self.timeout);
        let gap = between(random, 270_000..=330_000);
        let fate = Fate {
            remaining: Some(between(random, 1_000..=10_000)),
            ..Fate::default()
        };
        self.twice(occurrence, first, fate, gap, random);
        if random.u8(0..4) > 0 {
            let most = if self.timeout.as_secs() > 30 {
                110_000
            } else {
                28_000
            };
            let length = between(random, 1_000..=most);
            self.spell("CreateCase", Fault::Throttled, first + gap, length);
        }
    }

    fn refusal(&mut self, first: Duration, occurrence: Occurrence, random: &mut fastrand::Rng) {
        let doubt = [
            Fault::CutAfter,
            Fault::LostBack,
            Fault::FailedAfter,
            Fault::SlowThere,
        ];
        let doubt = random.choice(doubt).unwrap_or(Fault::CutAfter);
        let refusal = [Fault::Refused, Fault::Denied, Fault::NotFound];
        let refusal = random.choice(refusal).unwrap_or(Fault::Denied);
        // The refusals begin within the first run, or after it.
        let begin = between(random, 100..=8_000);
        self.spell("CreateCase", doubt, first, begin);
        let length = between(random, 10_000..=300_000);
        self.spell("CreateCase", refusal, first + begin, length);
        let gap = between(random, 10_000..=420_000);
        self.twice(occurrence, first, Fate::default(), gap, random);
    }

    fn profile(&mut self, first: Duration, occurrence: Occurrence, random: &mut fastrand::Rng) {
        self.timeout = Duration::from_secs(random.choice([30, 120]).unwrap_or(30));
        self.times.profile = self.times.profile.max(PROFILE_SEEN_WITHIN);
        let throttled = between(random, 0..=12_000);
        self.spell("CreateProfile", Fault::Throttled, first, throttled);
        let fate = Fate {
            crash: Some(Crash::After(throttled + between(random, 0..=2_500))),
            ..Fate::default()
        };
        let late = if random.bool() {
            throttled
        } else {
            Duration::ZERO
        };
        let gap = between(random, 55_000..=65_000) + late;
        self.twice(occurrence, first, fate, gap, random);
    }

    fn item(&mut self, first: Duration, occurrence: Occurrence, random: &mut fastrand::Rng) {
        self.times.item = self.times.item.max(ITEM_SHOWN_WITHIN);
        let slow = [Fault::SlowThere, Fault::LostBack, Fault::SlowBack];
        let slow = random.choice(slow).unwrap_or(Fault::SlowThere);
        if random.bool() {
            self.spell("CreateRelatedItem", slow, first, Duration::from_secs(3));
        }
        let ends = between(random, 150..=6_000);
        let fate = if random.bool() {
            Fate {
                crash: Some(Crash::After(ends)),
                ..Fate::default()
            }
        } else {
            Fate {
                remaining: Some(ends),
                ..Fate::default()
            }
        };
        let late = if random.bool() { ends } else { Duration::ZERO };
        let gap = between(random, 25_000..=35_000) + late;
        self.twice(occurrence, first, fate, gap, random);
    }

    fn down(
        &mut self,
        aim: Aim,
        first: Duration,
        occurrence: Occurrence,
        random: &mut fastrand::Rng,
    ) {
        let gap = between(random, 20_000..=90_000);
        let from = first + between(random, 100..=15_000);
        let length = between(random, 60_000..=180_000);
        let faults = [Fault::Unavailable, Fault::LostThere, Fault::Throttled];
        let fault = random.choice(faults).unwrap_or(Fault::Unavailable);
        let operations: &[&'static str] = match aim {
            Aim::Known => &["SearchProfiles"],
            _ => &[
                "DynamoDB.GetItem",
                "DynamoDB.PutItem",
                "DynamoDB.UpdateItem",
                "DynamoDB.DeleteItem",
            ],
        };
        for operation in operations {
            self.spell(operation, fault, from, length);
        }
        self.twice(occurrence, first, Fate::default(), gap, random);
    }

    /// The occurrences of a key that are delivered at all.
    pub(crate) fn delivered(&self, key: &Key) -> Vec<usize> {
        let flows = self.flows.iter().map(|step| step.occurrence);
        let events = self.events.iter().map(|event| event.occurrence);
        let messages = self.queue.messages.iter().map(|message| message.occurrence);
        let all = flows.chain(events).chain(messages);
        let of_key = all.filter(|occurrence| occurrence.key == key.number);
        let numbers: BTreeSet<usize> = of_key.map(|occurrence| occurrence.number).collect();
        numbers.into_iter().collect()
    }

    /// Returns true when no request meets a fault.
    pub(crate) fn is_calm(&self) -> bool {
        self.weather.is_calm()
    }
}

/// Times in milliseconds.
fn between(random: &mut fastrand::Rng, range: std::ops::RangeInclusive<u64>) -> Duration {
    Duration::from_millis(random.u64(range))
}

fn keys(random: &mut fastrand::Rng) -> Vec<Key> {
    const KINDS: [Kind; 9] = [
        Kind::Contact,
        Kind::RequestKey,
        Kind::Conversation,
        Kind::Order,
        Kind::Order,
        Kind::ContactEvent,
        Kind::Notice,
        Kind::CaseEvent,
        Kind::Account,
    ];
    let mut keys: Vec<Key> = Vec::new();
    for number in 1..=random.usize(2..=5) {
        let kind = random.choice(KINDS).unwrap_or(Kind::Contact);
        let poison = match random.u8(0..20) {
            0 => Some(Poison::Incomplete),
            1 if !matches!(kind, Kind::Contact | Kind::RequestKey | Kind::Conversation) => {
                Some(Poison::Unrecognizable)
            }
            2..=6 if kind == Kind::Account => Some(Poison::Gone),
            _ => None,
        };
        let mut occurrences = match kind {
            Kind::Conversation | Kind::Order | Kind::ContactEvent => random.usize(1..=2),
            _ => 1,
        };
        let earlier = keys
            .iter()
            .find(|key| matches!(key.kind, Kind::Contact | Kind::RequestKey));
        let contact_of = match (kind, earlier) {
            (Kind::RequestKey, Some(key)) => key.contact_of,
            _ => number,
        };
        let mut orders = keys.iter();
        let order = orders.find(|key| key.kind == Kind::Order && key.event_of == key.number);
        let event_of = match (kind, order) {
            (Kind::Order, Some(order)) if random.u8(0..3) == 0 => {
                occurrences = occurrences.min(order.occurrences);
                order.number
            }
            _ => number,
        };
        keys.push(Key {
            poison,
            occurrences,
            contact_of,
            event_of,
            own_contacts: kind == Kind::Conversation || kind == Kind::Order && random.bool(),
            same_words: random.u8(0..3) == 0,
            varies: kind == Kind::Order && random.u8(0..3) == 0,
            overflows: kind == Kind::Notice && random.bool(),
            ..Key::plain(number, kind)
        });
    }
    keys
}

/// Each environment's clock, in the order in which they start.
fn skews(most: Duration, random: &mut fastrand::Rng) -> Vec<Duration> {
    let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    let mut skew = || match random.u8(0..3) {
        0 => 0,
        1 => most,
        _ => random.u64(0..=most),
    };
    (0..8).map(|_| Duration::from_millis(skew())).collect()
}

/// `crashes` of a hundred invocations crash.
fn fates(invocations: usize, crashes: u8, random: &mut fastrand::Rng) -> Vec<Fate> {
    let mut fate = || Fate {
        crash: (random.u8(0..100) < crashes).then(|| match random.u8(0..8) {
            0..4 => Crash::AtStep(random.u32(1..=14)),
            4..7 => Crash::After(Duration::from_millis(random.u64(0..=600))),
            _ => Crash::After(Duration::from_millis(random.u64(600..=12_000))),
        }),
        remaining: (random.u8(0..10) == 0).then(|| Duration::from_millis(random.u64(100..=3_000))),
        spent: Duration::from_millis(random.u64(0..=200)),
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
        self.write_conditions(f)?;
        let Times {
            token,
            case,
            item,
            profile,
            request,
            clocks,
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
        if !clocks.is_zero() {
            let skews: Vec<String> = self
                .skews
                .iter()
                .map(|skew| skew.as_millis().to_string())
                .collect();
            writeln!(f, "clocks are ahead by {} ms", skews.join(", "))?;
        }
        write!(f, "{}", self.weather)
    }
}

impl Schedule {
    /// Writes the mapping, and the answers that AWS leaves open.
    fn write_conditions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReleaseTimes {
            deployed,
            rolled_back,
            reloads,
        } = self.releases;
        let how = if reloads {
            ", and environments read it"
        } else {
            ""
        };
        if let Some(at) = deployed {
            let at = time(at);
            writeln!(f, "{at}  another release of the mapping is deployed{how}")?;
        }
        if let Some(at) = rolled_back {
            writeln!(f, "{}  it is taken back", time(at))?;
        }
        if self.uses.window {
            let minutes = WINDOW.as_secs() / 60;
            writeln!(f, "a key stands for one case for {minutes} minutes")?;
        }
        let lines = [
            (self.uses.attach, "other occurrences attach to a case"),
            (self.uses.proceed, "without the ledger the function goes on"),
            (self.enrich, "contact events are enriched"),
            (self.feed.is_some(), "every event of Cases is fed back"),
            (
                self.services.mismatch_refused,
                "a token with another body is a ValidationException",
            ),
            (
                self.services.second_link_refused,
                "a second link of a contact is a ConflictException",
            ),
            (
                self.services.tokens_collide,
                "a token in use is a ConflictException",
            ),
        ];
        for (_, line) in lines.iter().filter(|(holds, _)| *holds) {
            writeln!(f, "{line}")?;
        }
        if let Some(aim) = self.aim {
            writeln!(f, "aimed at {}", aim.name())?;
        }
        Ok(())
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
