//! The faults of requests, by operation, drawn from the seed.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::clock::time;

/// The operations that the function calls, in the order in which weather is drawn for them.
pub(crate) const OPERATIONS: [&str; 14] = [
    "SearchProfiles",
    "CreateProfile",
    "CreateCase",
    "SearchCases",
    "CreateRelatedItem",
    "ListCasesForContact",
    "SearchRelatedItems",
    "DescribeContact",
    "GetContactAttributes",
    "DynamoDB.PutItem",
    "DynamoDB.UpdateItem",
    "DynamoDB.DeleteItem",
    "SQS.SendMessage",
    "DynamoDB.GetItem",
];

/// A fault of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Fault {
    /// The quota is used up, without effect.
    Throttled,
    /// A 503, without effect; of DynamoDB a 500.
    Unavailable,
    /// It has its effect, and the answer is a 500.
    FailedAfter,
    /// The connection is cut before it has its effect.
    CutBefore,
    /// The connection is cut after it had its effect.
    CutAfter,
    /// It takes long to arrive, or to have its effect.
    SlowThere,
    /// It has its effect at once, and the answer takes long to arrive.
    SlowBack,
    /// It never arrives, without an error.
    LostThere,
    /// It has its effect, and no answer ever comes.
    LostBack,
    /// It is refused as invalid, a 400, without effect.
    Refused,
    /// It is refused for want of permission, a 403, without effect.
    Denied,
    /// Its target is not found, a 404, without effect.
    NotFound,
    /// The case is being merged, a 409, without effect.
    Merging,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Throttled,
        Self::Unavailable,
        Self::FailedAfter,
        Self::CutBefore,
        Self::CutAfter,
        Self::SlowThere,
        Self::SlowBack,
        Self::LostThere,
        Self::LostBack,
        Self::Refused,
        Self::Denied,
        Self::NotFound,
        Self::Merging,
    ];

    /// The first nine, which a request of any operation may meet.
    const TRANSIENT: &[Self] = Self::ALL.split_at(9).0;

    /// The kind as traces and summaries spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::FailedAfter => "failed after its effect",
            Self::CutBefore => "cut before its effect",
            Self::CutAfter => "cut after its effect",
            Self::SlowThere => "slow to arrive",
            Self::SlowBack => "slow to answer",
            Self::LostThere => "lost on its way",
            Self::LostBack => "its answer lost",
            Self::Refused => "refused",
            Self::Denied => "denied",
            Self::NotFound => "not found",
            Self::Merging => "refused, as the case is being merged",
        }
    }

    /// Returns true for an answer that the same request will never succeed.
    pub(crate) fn is_refusal(self) -> bool {
        matches!(self, Self::Refused | Self::Denied | Self::NotFound)
    }

    /// Returns true for an answer that excludes an effect.
    pub(crate) fn is_harmless(self) -> bool {
        self.is_refusal() || self == Self::Throttled
    }

    /// The refusals that requests of an operation meet.
    fn refusals(operation: &str) -> &'static [Self] {
        match operation {
            "CreateCase" | "SearchCases" | "SearchProfiles" | "CreateProfile" => {
                &[Self::Refused, Self::Denied, Self::NotFound]
            }
            "CreateRelatedItem" => &[
                Self::Refused,
                Self::Denied,
                Self::NotFound,
                Self::Merging,
                Self::Merging,
                Self::Merging,
            ],
            _ => &[],
        }
    }
}

/// The percentage of requests of one operation that meet a fault.
#[derive(Debug, Clone, Copy)]
struct Rate {
    operation: &'static str,
    transient: u8,
    refusals: u8,
}

/// For a while, all requests of one operation meet one fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spell {
    pub(crate) operation: &'static str,
    pub(crate) from: Duration,
    pub(crate) until: Duration,
    pub(crate) fault: Fault,
}

/// The faults of all requests.
#[derive(Debug, Clone)]
pub(crate) struct Weather {
    rates: Vec<Rate>,
    pub(crate) spells: Vec<Spell>,
}

impl Weather {
    /// Most worlds are fair to most operations and bad to some, so that calls get far enough to break late. An eighth of them is calm.
    pub(crate) fn draw(random: &mut fastrand::Rng) -> Self {
        const PERCENT: [u8; 8] = [0, 0, 0, 5, 10, 20, 40, 70];
        const REFUSALS: [u8; 8] = [0, 0, 0, 0, 0, 3, 10, 30];
        let calm = random.u8(0..8) == 0;
        let rates = OPERATIONS.map(|operation| {
            let transient = random.choice(PERCENT).unwrap_or_default();
            let refusals = random.choice(REFUSALS).unwrap_or_default();
            Rate {
                operation,
                transient: if calm { 0 } else { transient },
                refusals: if calm { 0 } else { refusals },
            }
        });
        Self {
            rates: rates.to_vec(),
            spells: Vec::new(),
        }
    }

    /// The same for every operation, and no refusals.
    pub(crate) fn steady(percent: u8) -> Self {
        let rate = |operation| Rate {
            operation,
            transient: percent,
            refusals: 0,
        };
        Self {
            rates: OPERATIONS.map(rate).to_vec(),
            spells: Vec::new(),
        }
    }

    /// Returns true when no request meets a fault.
    pub(crate) fn is_calm(&self) -> bool {
        let mut rates = self.rates.iter();
        self.spells.is_empty() && rates.all(|rate| rate.transient == 0 && rate.refusals == 0)
    }

    /// Draws the fault of the next request of this operation.
    pub(crate) fn meet(
        &self,
        operation: &str,
        at: Duration,
        random: &mut fastrand::Rng,
    ) -> Option<Fault> {
        let mut spells = self.spells.iter();
        let spell = spells
            .find(|spell| spell.operation == operation && spell.from <= at && at < spell.until);
        if let Some(spell) = spell {
            return Some(spell.fault);
        }
        let rate = self.rates.iter().find(|rate| rate.operation == operation)?;
        if random.u8(0..100) < rate.transient {
            return random.choice(Fault::TRANSIENT).copied();
        }
        if random.u8(0..100) < rate.refusals {
            return random.choice(Fault::refusals(operation)).copied();
        }
        None
    }
}

impl fmt::Display for Weather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for spell in &self.spells {
            let Spell {
                operation,
                from,
                until,
                fault,
            } = spell;
            let (from, until, fault) = (time(*from), time(*until), fault.name());
            writeln!(f, "{from}  until {until} every {operation} is {fault}")?;
        }
        let faults = |name: &str, percent: fn(&Rate) -> u8| {
            let rates = self.rates.iter().filter(|rate| percent(rate) > 0);
            let rates = rates.map(|rate| format!("{} {} %", rate.operation, percent(rate)));
            let rates: Vec<String> = rates.collect();
            let rates = if rates.is_empty() {
                "none".to_owned()
            } else {
                rates.join(", ")
            };
            format!("{name}: {rates}")
        };
        writeln!(f, "{}", faults("faults", |rate| rate.transient))?;
        let refusals = |rate: &Rate| {
            let is_refused = !Fault::refusals(rate.operation).is_empty();
            if is_refused { rate.refusals } else { 0 }
        };
        writeln!(f, "{}", faults("refusals", refusals))
    }
}

/// Draws the time of a request or an answer, a slow one of at most `slow`.
pub(crate) fn transit(random: &mut fastrand::Rng, slow: Option<Duration>) -> Duration {
    Duration::from_millis(match slow {
        None => random.u64(2..=40),
        Some(slow) => {
            let most = u64::try_from(slow.as_millis()).unwrap_or(u64::MAX);
            random.u64(100..=most.max(100))
        }
    })
}
