//! A run's hold on a key.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::record::{IN_PROGRESS, Item, Record, Steps, data, number, text};
use crate::deadline::Deadline;

/// A lease outlives its run's deadline by this: what was on the wire when the time was up, and clocks that differ.
const GRACE: Duration = Duration::from_millis(200);

/// A key that is held. A run that ends without a word leaves it to its lease.
#[derive(Debug)]
pub struct Lease {
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) started: u64,
    pub(super) window: Option<Duration>,
    /// How often the item was written: a write that arrives late must not undo a later one.
    pub(super) writes: AtomicU64,
    /// Tells this use of the key from earlier ones; part of token and tag.
    pub generation: Option<String>,
    /// What is done so far.
    pub steps: Steps,
    /// Whether a run before this one may have done more than the steps say.
    pub taken_over: bool,
}

/// A lease to take from the run that lost it.
pub(super) struct Taken {
    pub(super) lease: Lease,
    pub(super) from: Record,
}

impl Lease {
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
            window,
            writes: AtomicU64::default(),
            generation: window.map(|_| random()),
            steps: Steps {
                occurrence: occurrence.map(str::to_owned),
                ..Steps::default()
            },
            taken_over: false,
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

    /// The number of the next write.
    pub(super) fn next_write(&self) -> u64 {
        self.writes.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The same owner's lease on what another run began.
    pub(super) fn over(&self, record: Record) -> Taken {
        let lease = Self {
            id: self.id.clone(),
            owner: self.owner.clone(),
            started: record.started,
            window: self.window,
            writes: record.writes.into(),
            generation: record.generation.clone(),
            steps: record.steps.clone(),
            taken_over: true,
        };
        Taken {
            lease,
            from: record,
        }
    }
}

/// When a lease ends that is taken now, in milliseconds since 1970.
pub(super) fn end(now: u64, deadline: Deadline) -> u64 {
    let length = deadline.remaining() + GRACE;
    now.saturating_add(u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
}

/// 32 hexadecimal digits that no other run has.
fn random() -> String {
    format!("{:032x}", fastrand::u128(..))
}
