//! Time limits of the ledger: the longest time for an effect to happen, and to become visible.
//!
//! `docs/exactly-once.md` lists these limits as assumptions.

use std::time::{Duration, SystemTime};

/// The largest difference between the clocks of two environments.
pub const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// The time after the end of its sender in which a request may still take effect.
pub const LATE_EFFECT: Duration = Duration::from_secs(5);

/// The time after its creation in which a case may be missing from a search.
pub const SEARCH_LAG: Duration = Duration::from_mins(5);

/// The time after its creation in which a profile may be missing from a search.
pub const PROFILE_LAG: Duration = Duration::from_mins(1);

/// The time after its creation in which a contact or a comment may be missing from its case.
pub const ITEM_LAG: Duration = Duration::from_secs(30);

/// The least time that Cases remembers a client token after search shows its case.
///
/// A search that found no case therefore allows `CreateCase` for this long. A case that the search missed still has its token.
pub const TOKEN_AFTER_SEARCH: Duration = Duration::from_mins(1);

/// Returns true if a look that began at `looked` would have shown everything that was sent until `sent_until`.
///
/// Effects become visible within `lag`. Both times are milliseconds since 1970, by the clocks of two environments.
#[must_use]
pub fn is_conclusive(looked: u64, sent_until: u64, lag: Duration) -> bool {
    looked >= after(sent_until, CLOCK_SKEW + LATE_EFFECT + lag)
}

/// Returns the moment that is later by `time`, in milliseconds since 1970.
#[must_use]
pub fn after(moment: u64, time: Duration) -> u64 {
    moment.saturating_add(whole(time))
}

/// Returns the moment that is earlier by `time`, in milliseconds since 1970.
#[must_use]
pub fn before(moment: u64, time: Duration) -> u64 {
    moment.saturating_sub(whole(time))
}

/// Returns a time in milliseconds since 1970.
#[must_use]
pub fn milliseconds(time: SystemTime) -> u64 {
    whole(
        time.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default(),
    )
}

fn whole(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
