//! What the promise rests on, each as a sentence and a time. Every schedule keeps them; `--break` takes one away to show what it carries.

use std::time::Duration;

use serde::Serialize;

use crate::Mode;

/// Without a ledger, and where the function goes on without it: Cases remembers a client token for longer than deliveries of its key are
/// apart. How long it really does is not published.
pub const TOKEN_REMEMBERED: Duration = Duration::from_hours(24);

/// With a ledger: Cases remembers a client token until search finds the case, and a minute longer.
pub const TOKEN_OUTLIVES_SEARCH: Duration = Duration::from_mins(6);

/// `SearchCases` finds a case by its tag this long after its creation.
pub const CASE_FOUND_WITHIN: Duration = Duration::from_mins(5);

/// `SearchRelatedItems` and `ListCasesForContact` show an item this long after its creation.
pub const ITEM_SHOWN_WITHIN: Duration = Duration::from_secs(30);

/// `SearchProfiles` and `CreateCase` see a profile this long after its creation.
pub const PROFILE_SEEN_WITHIN: Duration = Duration::from_mins(1);

/// A request has its effect this long after its sender's end at the latest, or never.
pub const REQUEST_ARRIVES_WITHIN: Duration = Duration::from_secs(5);

/// The clocks of two environments differ by this much at the most.
pub const CLOCKS_WITHIN: Duration = Duration::from_secs(5);

/// A contact that is refused because its case is being merged can be linked within this time, or never.
pub const MERGED_WITHIN: Duration = Duration::from_mins(15);

/// Lambda tries a failed event again after one minute, then after two. <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html>
pub const EVENT_RETRIED_AFTER: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];

/// Connect invokes again up to three times, for eight seconds in all, and may do so while the invocation it gave up on still runs.
/// <https://docs.aws.amazon.com/connect/latest/adminguide/connect-lambda-functions.html>
pub const FLOW_INVOKES: usize = 4;

/// As [`FLOW_INVOKES`].
pub const FLOW_INVOKES_FOR: Duration = Duration::from_secs(8);

/// The function's own time-out where a template deploys it; worlds draw one of their own.
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(10);

/// A message that was received stays out of sight for six times the function's time-out.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
pub const VISIBILITY_TIMEOUTS: u32 = 6;

/// How often a message is received before it goes to the dead-letter queue: the same page asks for five at least.
pub const MAX_RECEIVE_COUNT: u32 = 5;

/// An assumption that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Broken {
    /// Cases forgets a client token after twenty seconds
    TokenForgotten,
    /// `CreateCase` gets a random client token with every request
    RandomToken,
    /// `SearchCases` finds a case only after a day
    SearchLags,
    /// A related item shows only after ten minutes
    ItemsLag,
    /// A profile is seen only after five minutes
    ProfilesLag,
    /// A request may have its effect minutes after its sender is gone
    LateRequests,
    /// The clocks of two environments differ by up to a minute
    ClocksApart,
    /// `SearchCases` now and then does not show a case that it has shown before
    SearchForgets,
    /// A customer who has two profiles is refused (`if_many: fail`), and nothing merges them
    TwinsRefused,
    /// The ledger's table writes without looking at the condition
    NoCondition,
    /// With the ledger down the function goes on without it, and Cases forgets a token after six minutes all the same
    LedgerOptional,
    /// Events of Cases do not say who changed a case
    NoPerformer,
    /// The ARN of a FIFO queue does not say that it is one
    UnmarkedFifo,
}

impl Broken {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TokenForgotten => "token-forgotten",
            Self::RandomToken => "random-token",
            Self::SearchLags => "search-lags",
            Self::ItemsLag => "items-lag",
            Self::ProfilesLag => "profiles-lag",
            Self::LateRequests => "late-requests",
            Self::ClocksApart => "clocks-apart",
            Self::SearchForgets => "search-forgets",
            Self::TwinsRefused => "twins-refused",
            Self::NoCondition => "no-condition",
            Self::LedgerOptional => "ledger-optional",
            Self::NoPerformer => "no-performer",
            Self::UnmarkedFifo => "unmarked-fifo",
        }
    }

    /// Whether it is an assumption of worlds with a ledger alone.
    #[must_use]
    pub fn needs_ledger(self) -> bool {
        matches!(
            self,
            Self::NoCondition | Self::LedgerOptional | Self::ClocksApart
        )
    }

    /// What holds in place of the assumption.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::TokenForgotten => "Cases forgets a client token after twenty seconds",
            Self::RandomToken => "CreateCase gets a random client token with every request",
            Self::SearchLags => "SearchCases finds a case only after a day",
            Self::ItemsLag => "a related item shows only after ten minutes",
            Self::ProfilesLag => "a profile is seen only after five minutes",
            Self::LateRequests => "a request may have its effect minutes after its sender is gone",
            Self::ClocksApart => "the clocks of two environments differ by up to a minute",
            Self::SearchForgets => {
                "SearchCases now and then does not show a case that it has shown before"
            }
            Self::TwinsRefused => {
                "a customer who has two profiles is refused, and nothing merges them"
            }
            Self::NoCondition => "the ledger's table writes without looking at the condition",
            Self::LedgerOptional => {
                "with the ledger down the function goes on without it, and Cases forgets a token after six minutes all the same"
            }
            Self::NoPerformer => "events of Cases do not say who changed a case",
            Self::UnmarkedFifo => "the ARN of a FIFO queue does not say that it is one",
        }
    }
}

/// How long the services lag in one world, and how far its clocks are apart.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// How long a client token is remembered.
    pub token: Duration,
    /// How old a case is when search finds it.
    pub case: Duration,
    /// How old a related item is when it shows.
    pub item: Duration,
    /// How old a profile is when it is seen.
    pub profile: Duration,
    /// How late after its sender's end a request may arrive.
    pub request: Duration,
    /// How far two clocks are apart at the most.
    pub clocks: Duration,
}

impl Times {
    /// Times within the assumptions, or beyond the one that is broken.
    #[must_use]
    pub fn draw(random: &mut fastrand::Rng, mode: Mode) -> Self {
        // Half of the worlds have none of a lag, and a sixth have all of it.
        let mut share = |most: Duration| {
            let share = random.u32(0..=11).saturating_sub(5);
            most * share.min(5) / 5
        };
        let mut times = Self {
            token: if mode.ledger {
                TOKEN_OUTLIVES_SEARCH
            } else {
                TOKEN_REMEMBERED
            },
            case: share(CASE_FOUND_WITHIN),
            item: share(ITEM_SHOWN_WITHIN),
            profile: share(PROFILE_SEEN_WITHIN),
            request: REQUEST_ARRIVES_WITHIN,
            clocks: share(CLOCKS_WITHIN),
        };
        match mode.broken {
            None
            | Some(
                Broken::RandomToken
                | Broken::TwinsRefused
                | Broken::NoCondition
                | Broken::LedgerOptional
                | Broken::SearchForgets
                | Broken::NoPerformer
                | Broken::UnmarkedFifo,
            ) => {}
            Some(Broken::TokenForgotten) => times.token = Duration::from_secs(20),
            Some(Broken::SearchLags) => times.case = Duration::from_hours(24),
            Some(Broken::ItemsLag) => times.item = Duration::from_mins(10),
            Some(Broken::ProfilesLag) => times.profile = Duration::from_mins(5),
            Some(Broken::LateRequests) => times.request = Duration::from_mins(5),
            Some(Broken::ClocksApart) => times.clocks = Duration::from_mins(1),
        }
        times
    }

    /// How long after a run its effects show to the next one.
    #[must_use]
    pub fn settled_after(&self) -> Duration {
        self.request + self.item.max(self.profile)
    }

    /// How long, as far as the assumptions go, items and profiles may not show, and a request may be under way.
    #[must_use]
    pub fn excused_for(&self) -> (Duration, Duration) {
        let item = self.item.min(ITEM_SHOWN_WITHIN);
        let profile = self.profile.min(PROFILE_SEEN_WITHIN);
        let lag = item.max(profile);
        (lag, lag + self.request.min(REQUEST_ARRIVES_WITHIN))
    }
}
