//! A run's hold on a key.

use std::time::Duration;

use super::record::{IN_PROGRESS, Item, Record, Steps, data, number, text};

/// A key that is held. A run that ends without a word leaves it to its lease.
#[derive(Debug)]
pub struct Lease {
    pub(super) id: String,
    pub(super) owner: String,
    /// When the key was first claimed, in milliseconds since 1970.
    pub started: u64,
    /// When this run knew that it holds the key, likewise: the claim may have been on its way for long, and the window must not end sooner for it.
    claimed: u64,
    window: Option<Duration>,
    /// When the key may be used anew, in seconds since 1970, where an earlier run wrote it.
    expires: Option<u64>,
    /// The item's count of writes when it was claimed.
    pub(super) writes: u64,
    /// Tells this use of the key from earlier ones; part of token and tag.
    pub generation: Option<String>,
    /// The steps so far: done, or in doubt.
    pub steps: Steps,
    /// True if a run before this one held the key.
    pub taken_over: bool,
    /// True if another run held the key when this one asked first.
    pub waited: bool,
    /// True if the claim was written several times. A key that is freed may then be claimed by a write that arrives late.
    pub is_contested: bool,
}

impl Lease {
    /// A lease that no ledger knows of.
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

    /// A lease that is still to be had.
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

    /// The lease, known now to be held.
    pub(super) fn held_at(self, now: u64) -> Self {
        Self {
            claimed: now,
            ..self
        }
    }

    /// The item of a first claim.
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

    /// The same owner's lease on what another run began.
    ///
    /// The first occurrence of a key owns the case's contact and comments. Another one gets them only when it is certain that no case was
    /// requested yet; then everything begins anew with it.
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

    /// When the key may be used anew, in seconds since 1970: a window after the claim of the run that got its case.
    pub(super) fn expires(&self) -> Option<u64> {
        let window = self.window.filter(|_| self.steps.case_id.is_some())?;
        let expires = self.claimed.div_ceil(1000) + window.as_secs();
        Some(self.expires.unwrap_or(expires))
    }
}

/// 32 hexadecimal digits that no other run has.
fn random() -> String {
    format!("{:032x}", fastrand::u128(..))
}
