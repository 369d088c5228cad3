//! Items: turns an item of the table into the state of its key.
//!
//! The layout is that of Powertools for AWS Lambda's idempotency, with four more attributes.

use std::time::Duration;

use crate::steps::Steps;

/// The `in_progress_expiration` of a lease that its run ended itself.
pub(crate) const LEFT: u64 = 0;

/// An item of the table. An attribute is absent if it is missing, or if its content is not the ledger's.
///
/// | attribute | type | content |
/// | --- | --- | --- |
/// | `id` | S | the key's hash; `CASE.OCCURRENCE` for an occurrence that joined the key's case |
/// | `status` | S | `INPROGRESS` or `COMPLETED` |
/// | `in_progress_expiration` | N | while `INPROGRESS`: the lease's end, in milliseconds since 1970; 0 if its run ended it |
/// | `expiration` | N | with `window` and a case: when the key may be used again, in seconds since 1970 |
/// | `data` | S | the steps that are done and in doubt, as JSON |
/// | `owner` | S | the run that holds the lease, or held it last |
/// | `started` | N | the time of the key's first claim, in milliseconds since 1970 |
/// | `writes` | N | the number of writes of the steps, so that no takeover overlooks a late write |
/// | `generation` | S | with `window`: distinguishes this use of the key from earlier ones |
///
/// `CASE.OCCURRENCE` consists of the case's id and the occurrence's hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// `status`
    pub status: Option<Status>,
    /// `in_progress_expiration`
    pub lease_ends: Option<u64>,
    /// `expiration`
    pub expires: Option<u64>,
    /// `data`
    pub steps: Option<Steps>,
    /// `owner`
    pub owner: Option<String>,
    /// `started`
    pub started: Option<u64>,
    /// `writes`
    pub writes: Option<u64>,
    /// `generation`
    pub generation: Option<String>,
}

/// The status of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// A run holds the key, or left it unfinished.
    InProgress,
    /// Everything was done for the key.
    Completed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 2] = [Self::InProgress, Self::Completed];

    /// Returns the status as the table spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InProgress => "INPROGRESS",
            Self::Completed => "COMPLETED",
        }
    }
}

/// An item that was read, with a value for every attribute that a decision needs.
#[derive(Clone, Debug)]
pub struct Record {
    pub(crate) owner: String,
    pub(crate) completed: bool,
    /// `in_progress_expiration`
    pub(crate) lease_ends: u64,
    /// `expiration`
    pub(crate) expires: Option<u64>,
    pub(crate) started: u64,
    pub(crate) writes: u64,
    pub(crate) generation: Option<String>,
    pub(crate) steps: Steps,
}

/// The state of a key for a run that asks for it.
pub(crate) enum State {
    /// The run already holds the key.
    Ours,
    /// Everything was done for the key.
    Done,
    /// The key's window has ended, so the key may be used again.
    Expired,
    /// No run holds the key, and the key is not done.
    Free,
    /// Another run holds the key for this time.
    Held(Duration),
}

impl From<Item> for Record {
    /// Reads an item leniently. A lease end that is missing or of another type is read as the first claim's time.
    ///
    /// The item may then be taken over, by a run that does not rely on earlier work.
    fn from(item: Item) -> Self {
        Self {
            owner: item.owner.unwrap_or_default(),
            completed: item.status == Some(Status::Completed),
            lease_ends: item.lease_ends.or(item.started).unwrap_or(1),
            expires: item.expires,
            started: item.started.unwrap_or_default(),
            writes: item.writes.unwrap_or_default(),
            generation: item.generation,
            steps: item.steps.unwrap_or_default(),
        }
    }
}

impl Record {
    /// Returns the state of the key for the run `owner`.
    pub(crate) fn state(&self, owner: &str, now: u64) -> State {
        let has_ended = self.completed || self.lease_ends <= now;
        if self.owner == owner {
            State::Ours
        } else if !has_ended {
            State::Held(Duration::from_millis(self.lease_ends - now))
        } else if self.expires.is_some_and(|expires| expires <= now / 1000) {
            State::Expired
        } else if self.completed {
            State::Done
        } else {
            State::Free
        }
    }

    /// Returns true if the last run ended its lease itself, and recorded everything that it knew.
    pub(crate) fn was_left(&self) -> bool {
        self.lease_ends == LEFT
    }

    pub(crate) fn status(&self) -> Status {
        if self.completed {
            Status::Completed
        } else {
            Status::InProgress
        }
    }
}
