//! What a request meets on its way, by operation, drawn from the seed.

use std::time::Duration;

use serde::Serialize;

/// The operations that the function calls, in the order in which weather is drawn for them.
pub(crate) const OPERATIONS: [&str; 11] = [
    "SearchProfiles",
    "CreateProfile",
    "CreateCase",
    "SearchCases",
    "CreateRelatedItem",
    "ListCasesForContact",
    "SearchRelatedItems",
    "DynamoDB.PutItem",
    "DynamoDB.UpdateItem",
    "DynamoDB.DeleteItem",
    "SQS.SendMessage",
];

/// What can happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Fault {
    /// `ThrottlingException`, without effect.
    Throttled,
    /// A 503, without effect.
    Unavailable,
    /// It has its effect, and the answer is a 500.
    FailedAfter,
    /// The connection is cut before it has its effect.
    CutBefore,
    /// The connection is cut after it had its effect.
    CutAfter,
    /// It takes long to arrive.
    SlowThere,
    /// It has its effect at once, and the answer takes long to arrive.
    SlowBack,
    /// It never arrives, and nobody says so.
    LostThere,
    /// It has its effect, and no answer ever comes.
    LostBack,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Throttled,
        Self::Unavailable,
        Self::FailedAfter,
        Self::CutBefore,
        Self::CutAfter,
        Self::SlowThere,
        Self::SlowBack,
        Self::LostThere,
        Self::LostBack,
    ];

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
        }
    }
}

/// How often requests of each operation meet a fault, in percent.
#[derive(Debug, Clone)]
pub(crate) struct Weather(Vec<(&'static str, u8)>);

impl Weather {
    /// Most worlds are fair to most operations and bad to some, so that calls get far enough to break late.
    pub(crate) fn draw(random: &mut fastrand::Rng) -> Self {
        const PERCENT: [u8; 8] = [0, 0, 0, 5, 10, 20, 40, 70];
        let rates = OPERATIONS.map(|operation| {
            let percent = random.choice(PERCENT).unwrap_or_default();
            (operation, percent)
        });
        Self(rates.to_vec())
    }

    /// The same for every operation.
    pub(crate) fn steady(percent: u8) -> Self {
        Self(OPERATIONS.map(|operation| (operation, percent)).to_vec())
    }

    /// The operations that meet faults, with how often they do.
    pub(crate) fn rates(&self) -> impl Iterator<Item = (&'static str, u8)> {
        self.0.iter().copied().filter(|(_, percent)| *percent > 0)
    }

    /// What the next request of this operation meets.
    pub(crate) fn meet(&self, operation: &str, random: &mut fastrand::Rng) -> Option<Fault> {
        let (_, percent) = self.0.iter().find(|(name, _)| *name == operation)?;
        if random.u8(0..100) >= *percent {
            return None;
        }
        random.choice(Fault::ALL)
    }
}

/// How long a request or an answer takes on a good day, and on a slow one of at most `slow`.
pub(crate) fn transit(random: &mut fastrand::Rng, slow: Option<Duration>) -> Duration {
    Duration::from_millis(match slow {
        None => random.u64(2..=40),
        Some(slow) => {
            let most = u64::try_from(slow.as_millis()).unwrap_or(u64::MAX);
            random.u64(100..=most.max(100))
        }
    })
}
