//! Leases: turns a claim or a takeover into the item that reserves a key for one run.
//!
//! A lease ends at a fixed time.

use std::time::Duration;

use super::record::{IN_PROGRESS, Item, Record, Steps, data, number, text};

/// A lease on a key. If its run dies without an update, the key is free when the lease ends.
#[derive(Debug)]
pub struct Lease {
    pub(super) id: String,
    pub(super) owner: String,
    /// The time of the key's first claim, in milliseconds since 1970.
    pub started: u64,
    /// The time at which this run learned that it holds the key, in milliseconds since 1970.
    ///
    /// The claim may take long to arrive, and the window must not end earlier because of that.
    claimed: u64,
    window: Option<Duration>,
    /// The time from which the key may be used again, in seconds since 1970, if an earlier run wrote it.
    expires: Option<u64>,
    /// The item's count of writes when the key was claimed.
    pub(super) writes: u64,
    /// The id that distinguishes this use of the key from earlier ones. It is part of token and tag.
    pub generation: Option<String>,
    /// The steps so far: done, or in doubt.
    pub steps: Steps,
    /// True if a run before this one held the key.
    pub taken_over: bool,
    /// True if another run held the key at this run's first request.
    pub waited: bool,
    /// True if the claim was written several times. A late write may then claim a key that has been freed.
    pub is_contested: bool,
}

impl Lease {
    /// Creates a lease without a ledger.
    pub(crate) fn unrecorded(occurrence: Option<&str>) -> Self {
        Self {
            id: String::new(),
            owner: String::new(),
            started: 0,
            claimed: 0,
            window: None,
            expires: None,
            writes: 0,
            generation: None,
            steps: Steps {
                occurrence: occurrence.map(str::to_owned),
                ..Steps::default()
            },
            taken_over: false,
            waited: false,
            is_contested: false,
        }
    }

    /// Creates a lease that is not claimed yet.
    pub(super) fn new(
        id: &str,
        occurrence: Option<&str>,
        window: Option<Duration>,
        now: u64,
    ) -> Self {
        Self {
            id: id.to_owned(),
            owner: random(),
            started: now,
            claimed: now,
            window,
            generation: window.map(|_| random()),
            ..Self::unrecorded(occurrence)
        }
    }

    /// Sets the time of a first claim that is made now.
    pub(super) fn claim_at(&mut self, now: u64) {
        self.started = now;
        self.claimed = now;
    }

    /// Returns the lease with `now` as the time at which this run learned that it holds the key.
    pub(super) fn held_at(self, now: u64) -> Self {
        Self {
            claimed: now,
            ..self
        }
    }

    /// Returns the item of a first claim.
    pub(super) fn item(&self, lease_ends: u64) -> Item {
        let generation = self.generation.as_ref();
        [
            ("id", text(&self.id)),
            ("status", text(IN_PROGRESS)),
            ("owner", text(&self.owner)),
            ("started", number(self.started)),
            ("in_progress_expiration", number(lease_ends)),
            ("data", data(&self.steps)),
        ]
        .into_iter()
        .chain(generation.map(|generation| ("generation", text(generation))))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    /// Returns this owner's lease on a key that another run began.
    ///
    /// The first occurrence of a key owns the case's contact and comments.
    /// Another occurrence gets them only if it is certain that no case was requested yet. Everything then starts again with it.
    pub(super) fn over(&self, record: Record, now: u64) -> Self {
        let was_left = record.was_left();
        let mut steps = record.steps;
        let mut started = record.started;
        if !was_left {
            steps.everything_may_have_been_sent(record.lease_ends);
        } else if steps.has_no_case() && steps.occurrence != self.steps.occurrence {
            steps = steps.passed_to(self.steps.occurrence.clone());
            started = now;
        }
        Self {
            id: self.id.clone(),
            owner: self.owner.clone(),
            started,
            claimed: now,
            window: self.window,
            expires: record.expires,
            writes: record.writes,
            generation: record.generation,
            steps,
            taken_over: true,
            waited: self.waited,
            is_contested: self.is_contested,
        }
    }

    /// Returns the time from which the key may be used again, in seconds since 1970.
    ///
    /// It is one window after the claim of the run that got the case.
    pub(super) fn expires(&self) -> Option<u64> {
        let window = self.window.filter(|_| self.steps.case_id.is_some())?;
        let expires = self.claimed.div_ceil(1000) + window.as_secs();
        Some(self.expires.unwrap_or(expires))
    }
}

/// Returns 32 hexadecimal digits that no other run has.
fn random() -> String {
    format!("{:032x}", fastrand::u128(..))
}
