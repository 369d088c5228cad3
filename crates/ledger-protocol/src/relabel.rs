//! Relabelling: visits the times and the names of runs in a value.
//!
//! Two states of a model that differ only by the time of day, or by the names of their runs, are the same state.

use crate::holder::Holder;
use crate::item::{Item, LEFT};
use crate::lease::Lease;
use crate::steps::Steps;
use crate::write::{Change, Value, Write};

/// A point in time that the ledger remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The time of the key's first claim.
    Started,
    /// The time at which a run learned that it holds the key.
    Claimed,
    /// The end of a lease. A lease that its run ended has none.
    LeaseEnds,
    /// The end of a window.
    Expires,
    /// The start of a search for the case.
    Searched,
    /// A doubt about `CreateCase`.
    CaseSent,
    /// A doubt about `CreateProfile`, or the time of its success.
    CustomerSent,
    /// A doubt about the contact.
    ContactSent,
    /// A doubt about a comment.
    CommentsSent,
    /// The first answer that the case is being merged.
    MergingSince,
}

/// A change of times and names.
pub trait Relabelling {
    /// Changes a time in milliseconds since 1970.
    fn time(&mut self, moment: Moment, time: &mut u64);

    /// Changes the name of a run.
    fn owner(&mut self, owner: &mut String);
}

/// A value that holds times and names of runs.
pub trait Relabel {
    /// Applies a change to every time and every name.
    fn relabel(&mut self, by: &mut impl Relabelling);
}

fn seconds(by: &mut impl Relabelling, time: &mut u64) {
    let mut milliseconds = *time * 1000;
    by.time(Moment::Expires, &mut milliseconds);
    *time = milliseconds / 1000;
}

fn lease_end(by: &mut impl Relabelling, time: &mut u64) {
    if *time != LEFT {
        by.time(Moment::LeaseEnds, time);
    }
}

impl Relabel for Steps {
    fn relabel(&mut self, by: &mut impl Relabelling) {
        let times = [
            (Moment::CustomerSent, &mut self.customer_created),
            (Moment::CustomerSent, &mut self.customer_sent_until),
            (Moment::CaseSent, &mut self.case_sent_until),
            (Moment::ContactSent, &mut self.contact_sent_until),
            (Moment::CommentsSent, &mut self.comments_sent_until),
            (Moment::MergingSince, &mut self.merging_since),
        ];
        for (moment, time) in times {
            if let Some(time) = time {
                by.time(moment, time);
            }
        }
    }
}

impl Relabel for Item {
    fn relabel(&mut self, by: &mut impl Relabelling) {
        if let Some(time) = &mut self.lease_ends {
            lease_end(by, time);
        }
        if let Some(time) = &mut self.expires {
            seconds(by, time);
        }
        if let Some(steps) = &mut self.steps {
            steps.relabel(by);
        }
        if let Some(owner) = &mut self.owner {
            by.owner(owner);
        }
        if let Some(time) = &mut self.started {
            by.time(Moment::Started, time);
        }
    }
}

impl Relabel for Write {
    fn relabel(&mut self, by: &mut impl Relabelling) {
        if let Change::Put(item) = &mut self.change {
            item.relabel(by);
        }
        for (placeholder, value) in &mut self.values {
            match (*placeholder, value) {
                (":owner" | ":before", Value::Text(owner)) => by.owner(owner),
                (":ends" | ":ended", Value::Number(time)) => lease_end(by, time),
                (":started", Value::Number(time)) => by.time(Moment::Started, time),
                (":expires", Value::Number(time)) => seconds(by, time),
                (_, Value::Steps(steps)) => steps.relabel(by),
                // Counts of writes, statuses, and the end of a lease that its run ended.
                _ => {}
            }
        }
    }
}

impl Relabel for Lease {
    fn relabel(&mut self, by: &mut impl Relabelling) {
        by.owner(&mut self.owner);
        by.time(Moment::Started, &mut self.started);
        by.time(Moment::Claimed, &mut self.claimed);
        if let Some(time) = &mut self.expires {
            seconds(by, time);
        }
        self.steps.relabel(by);
    }
}

impl Relabel for Holder {
    fn relabel(&mut self, by: &mut impl Relabelling) {
        self.lease.relabel(by);
        if let Some(time) = &mut self.searched {
            by.time(Moment::Searched, time);
        }
    }
}
