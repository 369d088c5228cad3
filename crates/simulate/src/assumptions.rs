//! The assumptions behind the promise, each as a sentence and a time. Every schedule keeps them; `--break` removes one to show its weight.

use std::time::Duration;

use clap::ValueEnum as _;
use serde::Serialize;

/// Without a ledger, and where the function goes on without it: Cases remembers a client token for longer than deliveries of its key are
/// apart. How long it really does is not published.
pub(crate) const TOKEN_REMEMBERED: Duration = Duration::from_hours(24);

/// With a ledger: Cases remembers a client token until search finds the case, and a minute longer.
pub(crate) const TOKEN_OUTLIVES_SEARCH: Duration = Duration::from_mins(6);

/// `SearchCases` finds a case by its tag this long after its creation.
pub(crate) const CASE_FOUND_WITHIN: Duration = Duration::from_mins(5);

/// `SearchRelatedItems` and `ListCasesForContact` show an item this long after its creation.
pub(crate) const ITEM_SHOWN_WITHIN: Duration = Duration::from_secs(30);

/// `SearchProfiles` and `CreateCase` see a profile this long after its creation.
pub(crate) const PROFILE_SEEN_WITHIN: Duration = Duration::from_mins(1);

/// A request has its effect this long after its sender's end at the latest, or never.
pub(crate) const REQUEST_ARRIVES_WITHIN: Duration = Duration::from_secs(5);

/// The clocks of two environments differ by this much at the most.
pub(crate) const CLOCKS_WITHIN: Duration = Duration::from_secs(5);

/// A contact that is refused because its case is being merged can be linked within this time, or never.
pub(crate) const MERGED_WITHIN: Duration = Duration::from_mins(15);

/// Lambda tries a failed event again after one minute, then after two. <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html>
pub(crate) const EVENT_RETRIED_AFTER: [Duration; 2] =
    [Duration::from_mins(1), Duration::from_mins(2)];

/// Connect invokes again up to three times, for eight seconds in all, and may do so while the invocation it gave up on still runs.
/// <https://docs.aws.amazon.com/connect/latest/adminguide/connect-lambda-functions.html>
pub(crate) const FLOW_INVOKES: usize = 4;

/// As [`FLOW_INVOKES`].
pub(crate) const FLOW_INVOKES_FOR: Duration = Duration::from_secs(8);

/// The function's own time-out where a template deploys it; worlds draw one of their own.
pub(crate) const FUNCTION_TIMEOUT: Duration = Duration::from_secs(10);

/// A message that was received stays out of sight for six times the function's time-out.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
pub(crate) const VISIBILITY_TIMEOUTS: u32 = 6;

/// The receives of a message before it goes to the dead-letter queue: the same page asks for five at least.
pub(crate) const MAX_RECEIVE_COUNT: u32 = 5;

/// The conditions of all worlds of a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mode {
    /// The function has a ledger: with it nothing is excused.
    pub ledger: bool,
    /// The assumption that does not hold.
    pub broken: Option<Broken>,
    /// The number of events that wait in a queue at the beginning, under the published quotas; `None` for worlds of chance.
    pub backlog: Option<usize>,
}

/// An assumption that does not hold. Its documentation states the opposite of the assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Broken {
    /// Cases forgets a client token after twenty seconds
    TokenForgotten,
    /// CreateCase gets a random client token with every request
    RandomToken,
    /// SearchCases finds a case only after a day
    SearchLags,
    /// a related item shows only after ten minutes
    ItemsLag,
    /// a profile is seen only after five minutes
    ProfilesLag,
    /// a request may have its effect minutes after its sender is gone
    LateRequests,
    /// the clocks of two environments differ by up to a minute
    ClocksApart,
    /// SearchCases now and then does not show a case that it has shown before
    SearchForgets,
    /// a customer who has two profiles is refused, and nothing merges them
    TwinsRefused,
    /// the ledger's table writes without looking at the condition
    NoCondition,
    /// with the ledger down the function goes on without it, and Cases forgets a token after six minutes all the same
    LedgerOptional,
    /// events of Cases do not say who changed a case
    NoPerformer,
    /// the ARN of a FIFO queue does not say that it is one
    UnmarkedFifo,
}

impl Broken {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The state of affairs without the assumption.
    #[must_use]
    pub fn sentence(self) -> String {
        let value = self.to_possible_value();
        let help = value
            .as_ref()
            .and_then(clap::builder::PossibleValue::get_help);
        help.map(ToString::to_string).unwrap_or_default()
    }

    /// Returns true for an assumption of worlds with a ledger alone.
    #[must_use]
    pub fn needs_ledger(self) -> bool {
        matches!(
            self,
            Self::NoCondition | Self::LedgerOptional | Self::ClocksApart
        )
    }
}

/// The lags of the services in one world, and the distance of its clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// The lifetime of a client token.
    pub(crate) token: Duration,
    /// The age at which search finds a case.
    pub(crate) case: Duration,
    /// The age at which a related item shows.
    pub(crate) item: Duration,
    /// The age at which a profile is seen.
    pub(crate) profile: Duration,
    /// The longest time after its sender's end at which a request arrives.
    pub(crate) request: Duration,
    /// The greatest distance of two clocks.
    pub(crate) clocks: Duration,
}

impl Times {
    /// Services without a lag.
    pub(crate) const PROMPT: Self = Self {
        token: TOKEN_REMEMBERED,
        case: Duration::ZERO,
        item: Duration::ZERO,
        profile: Duration::ZERO,
        request: REQUEST_ARRIVES_WITHIN,
        clocks: Duration::ZERO,
    };

    /// Times within the assumptions, or beyond the one that is broken.
    pub(crate) fn draw(random: &mut fastrand::Rng, mode: Mode) -> Self {
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
            clocks: share(CLOCKS_WITHIN),
            ..Self::PROMPT
        };
        match mode.broken {
            Some(Broken::TokenForgotten) => times.token = Duration::from_secs(20),
            Some(Broken::SearchLags) => times.case = Duration::from_hours(24),
            Some(Broken::ItemsLag) => times.item = Duration::from_mins(10),
            Some(Broken::ProfilesLag) => times.profile = Duration::from_mins(5),
            Some(Broken::LateRequests) => times.request = Duration::from_mins(5),
            Some(Broken::ClocksApart) => times.clocks = Duration::from_mins(1),
            _ => {}
        }
        times
    }

    /// The time after a run at which its effects show to the next one.
    pub(crate) fn settled_after(&self) -> Duration {
        self.request + self.item.max(self.profile)
    }

    /// The times, within the assumptions, for which items and profiles may not show, and a request may be under way.
    pub(crate) fn excused_for(&self) -> (Duration, Duration) {
        let item = self.item.min(ITEM_SHOWN_WITHIN);
        let profile = self.profile.min(PROFILE_SEEN_WITHIN);
        let lag = item.max(profile);
        (lag, lag + self.request.min(REQUEST_ARRIVES_WITHIN))
    }
}
