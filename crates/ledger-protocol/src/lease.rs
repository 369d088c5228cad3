//! Leases: turns a claim or a takeover into the write that reserves a key for one run, and the run's end into its last write.
//!
//! A lease ends at a fixed time.

use std::time::Duration;

use crate::item::{Item, LEFT, Record, State, Status};
use crate::steps::Steps;
use crate::write::{Attribute, Change, Condition, Placeholder, Value, Write};

use Attribute::{Expires, Generation, Id, LeaseEnds, Owner, Started, Writes};
use Condition::{Absent, All, Any, AtMost, Equals, Exists, Not};

const OUR_OWNER: Condition = Equals(Owner, ":owner");

/// A first claim: there is no item.
const UNCLAIMED: Condition = Absent(Id);

/// A new use of the key: still the expired item that was read.
const STILL_EXPIRED: Condition = All(&[
    Any(&[Absent(Owner), Equals(Owner, ":before")]),
    Equals(Attribute::Status, ":status"),
    Any(&[Absent(Writes), Equals(Writes, ":seen")]),
]);

const NOT_COMPLETED: Condition = Not(&Equals(Attribute::Status, ":completed"));
const AS_SEEN: Condition = Any(&[Absent(Writes), Equals(Writes, ":seen")]);

/// An absent member means that no ledger wrote the item, so no run holds it.
const STILL_THEIRS: Condition = All(&[
    Exists(Id),
    Any(&[Absent(Owner), Equals(Owner, ":before")]),
    Any(&[Absent(LeaseEnds), Equals(LeaseEnds, ":ended")]),
]);

/// A repeated attempt of a takeover finds what it writes itself.
///
/// Our own owner alone is no sign of one: the key may have been freed, and claimed by the same run since.
const AS_WRITTEN: Condition = All(&[
    OUR_OWNER,
    Equals(Started, ":started"),
    Equals(LeaseEnds, ":ends"),
    Equals(Attribute::Steps, ":data"),
]);

/// A takeover: still the lease that was read, and no write since.
const STILL_FREE: Condition = All(&[NOT_COMPLETED, AS_SEEN, Any(&[AS_WRITTEN, STILL_THEIRS])]);

/// With a window, what a takeover writes itself has the generation that was read.
const STILL_FREE_IN_GENERATION: Condition = All(&[
    NOT_COMPLETED,
    AS_SEEN,
    Any(&[
        All(&[AS_WRITTEN, Equals(Generation, ":generation")]),
        STILL_THEIRS,
    ]),
]);
const STILL_FREE_WITHOUT_GENERATION: Condition = All(&[
    NOT_COMPLETED,
    AS_SEEN,
    Any(&[All(&[AS_WRITTEN, Absent(Generation)]), STILL_THEIRS]),
]);

/// The end of a run. A repetition of this write finds its own count. A late write finds a higher count, another owner or another status.
const NOT_WRITTEN: Condition = Any(&[Absent(Writes), AtMost(Writes, ":writes")]);
const STILL_OURS: Condition = All(&[OUR_OWNER, NOT_WRITTEN]);
const STILL_IN_PROGRESS: Condition =
    All(&[OUR_OWNER, NOT_WRITTEN, Equals(Attribute::Status, ":status")]);

/// The run that asks for a key.
#[derive(Clone, Copy, Debug)]
pub struct Claimant<'a> {
    /// The key's hash.
    pub id: &'a str,
    /// The identity of the event that asks for the key.
    pub occurrence: Option<&'a str>,
    /// The time for which the key identifies one case.
    pub window: Option<Duration>,
}

/// Names that no other run has.
#[derive(Clone, Debug)]
pub struct Names {
    /// The run's name in the item.
    pub owner: String,
    /// With a window: the id of this use of the key.
    pub generation: Option<String>,
}

/// A lease on a key. If its run dies without an update, the key is free when the lease ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lease {
    id: String,
    pub(crate) owner: String,
    /// The time of the key's first claim, in milliseconds since 1970.
    pub started: u64,
    /// The time at which this run learned that it holds the key, in milliseconds since 1970.
    ///
    /// The claim may take long to arrive, and the window must not end earlier because of that.
    pub(crate) claimed: u64,
    window: Option<Duration>,
    /// The time from which the key may be used again, in seconds since 1970, if an earlier run wrote it.
    pub(crate) expires: Option<u64>,
    /// The item's count of writes when the key was claimed.
    writes: u64,
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

/// The action of a run for the item that its claim found.
#[derive(Debug)]
pub enum Next {
    /// It holds the key: the answer to its own put was lost.
    Ours,
    /// It answers with these steps: everything was done for the key.
    Done(Box<Steps>),
    /// It writes this, to use an expired key again.
    Reuse(Box<Write>),
    /// It writes this, and then has this lease.
    TakeOver(Box<Lease>, Box<Write>),
    /// It waits for the run that holds the key, for this time at most.
    Wait(Duration),
}

/// The end of a run for its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// The key is marked as done.
    Complete,
    /// The lease ends at once. The next run continues from the recorded steps.
    Leave,
    /// The key is released as if it had never been claimed, because nothing was done for it.
    Free,
}

impl Lease {
    /// Creates a lease without a ledger.
    #[must_use]
    pub fn unrecorded(occurrence: Option<&str>) -> Self {
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
    #[must_use]
    pub fn new(claimant: Claimant<'_>, names: Names, now: u64) -> Self {
        Self {
            id: claimant.id.to_owned(),
            owner: names.owner,
            started: now,
            claimed: now,
            window: claimant.window,
            generation: names.generation,
            ..Self::unrecorded(claimant.occurrence)
        }
    }

    /// Sets the time of a first claim that is made now.
    pub fn claim_at(&mut self, now: u64) {
        self.started = now;
        self.claimed = now;
    }

    /// Returns the lease with `now` as the time at which this run learned that it holds the key.
    #[must_use]
    pub fn held_at(self, now: u64) -> Self {
        Self {
            claimed: now,
            ..self
        }
    }

    /// Returns the write of a first claim. Its condition is that there is no item.
    #[must_use]
    pub fn claim(&self, lease_ends: u64) -> Write {
        self.put(lease_ends, UNCLAIMED, Vec::new())
    }

    /// Decides about the item that the claim found.
    #[must_use]
    pub fn found(&self, record: Record, lease_ends: u64, now: u64) -> Next {
        match record.state(&self.owner, now) {
            State::Ours => Next::Ours,
            State::Done => Next::Done(Box::new(record.steps)),
            State::Expired => Next::Reuse(Box::new(self.reuse(&record, lease_ends))),
            State::Free => {
                let (owner, ended, seen) = (record.owner.clone(), record.lease_ends, record.writes);
                let taken = self.over(record, now);
                let mut write = taken.take_over(owner, ended, seen, lease_ends);
                write.condition = match (&self.generation, &taken.generation) {
                    (None, None) => STILL_FREE,
                    (Some(_), None) => STILL_FREE_WITHOUT_GENERATION,
                    (_, Some(generation)) => {
                        let generation = Value::Text(generation.clone());
                        write.values.push((":generation", generation));
                        STILL_FREE_IN_GENERATION
                    }
                };
                Next::TakeOver(Box::new(taken), Box::new(write))
            }
            State::Held(left) => Next::Wait(left),
        }
    }

    /// Returns the write of a first claim in place of an expired item.
    fn reuse(&self, record: &Record, lease_ends: u64) -> Write {
        let values = vec![
            (":before", Value::Text(record.owner.clone())),
            (":seen", Value::Number(record.writes)),
            (":status", Value::Status(record.status())),
        ];
        self.put(lease_ends, STILL_EXPIRED, values)
    }

    fn put(
        &self,
        lease_ends: u64,
        condition: Condition,
        values: Vec<(Placeholder, Value)>,
    ) -> Write {
        let item = Item {
            status: Some(Status::InProgress),
            owner: Some(self.owner.clone()),
            started: Some(self.started),
            lease_ends: Some(lease_ends),
            steps: Some(self.steps.clone()),
            generation: self.generation.clone(),
            expires: None,
            writes: None,
        };
        Write {
            id: self.id.clone(),
            change: Change::Put(Box::new(item)),
            condition,
            values,
        }
    }

    /// Returns this owner's lease on a key that another run began.
    ///
    /// The first occurrence of a key owns the case's contact and comments.
    /// Another occurrence gets them only if it is certain that no case was requested yet. Everything then starts again with it.
    fn over(&self, record: Record, now: u64) -> Self {
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

    /// Returns the write that takes over a lease which was read with this owner, end and count of writes.
    fn take_over(&self, owner: String, ended: u64, seen: u64, lease_ends: u64) -> Write {
        Write {
            id: self.id.clone(),
            change: Change::Update {
                set: vec![
                    (Owner, ":owner"),
                    (Attribute::Status, ":status"),
                    (LeaseEnds, ":ends"),
                    (Started, ":started"),
                    (Attribute::Steps, ":data"),
                ],
                remove: None,
            },
            condition: STILL_FREE,
            values: vec![
                (":started", Value::Number(self.started)),
                (":data", Value::Steps(Box::new(self.steps.clone()))),
                (":owner", Value::Text(self.owner.clone())),
                (":before", Value::Text(owner)),
                (":ends", Value::Number(lease_ends)),
                (":ended", Value::Number(ended)),
                (":seen", Value::Number(seen)),
                (":status", Value::Status(Status::InProgress)),
                (":completed", Value::Status(Status::Completed)),
            ],
        }
    }

    /// Returns the last write of a run.
    #[must_use]
    pub fn end(&self, ending: Ending) -> Write {
        match ending {
            Ending::Complete => self.settle(Status::Completed),
            Ending::Leave => self.settle(Status::InProgress),
            Ending::Free => Write {
                id: self.id.clone(),
                change: Change::Delete,
                condition: OUR_OWNER,
                values: vec![(":owner", Value::Text(self.owner.clone()))],
            },
        }
    }

    /// Returns the write of the steps, with the status for the next run.
    fn settle(&self, status: Status) -> Write {
        let mut set = vec![
            (Attribute::Status, ":status"),
            (Attribute::Steps, ":data"),
            (Writes, ":writes"),
        ];
        let mut values = vec![
            (":owner", Value::Text(self.owner.clone())),
            (":status", Value::Status(status)),
            (":data", Value::Steps(Box::new(self.steps.clone()))),
            (":writes", Value::Number(self.writes + 1)),
        ];
        if let Some(expires) = self.expires() {
            set.push((Expires, ":expires"));
            values.push((":expires", Value::Number(expires)));
        }
        let (condition, remove) = match status {
            Status::Completed => (STILL_OURS, Some(LeaseEnds)),
            Status::InProgress => {
                set.push((LeaseEnds, ":left"));
                values.push((":left", Value::Number(LEFT)));
                (STILL_IN_PROGRESS, None)
            }
        };
        Write {
            id: self.id.clone(),
            change: Change::Update { set, remove },
            condition,
            values,
        }
    }

    /// Returns the time from which the key may be used again, in seconds since 1970.
    ///
    /// It is one window after the claim of the run that got the case.
    fn expires(&self) -> Option<u64> {
        let window = self.window.filter(|_| self.steps.case_id.is_some())?;
        let expires = self.claimed.div_ceil(1000) + window.as_secs();
        Some(self.expires.unwrap_or(expires))
    }
}
