//! Holders: turns the results and doubts of earlier runs, and of this one, into what a run may do for its key.
//!
//! Times are milliseconds since 1970 by the ledger's clock, or 0 without a ledger.

use std::time::Duration;

use crate::lease::{Ending, Lease};
use crate::steps::{CaseReference, Steps};
use crate::time::{
    CLOCK_SKEW, ITEM_LAG, LATE_EFFECT, PROFILE_LAG, SEARCH_LAG, TOKEN_AFTER_SEARCH, before,
    is_conclusive,
};

/// The longest wait for a case that is being merged.
const MERGE: Duration = Duration::from_mins(15);

/// A run that holds a key, with everything that it knows about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder {
    /// The lease. Without a ledger it belongs to this run alone.
    pub lease: Lease,
    record: Recorded,
    occurrence: Option<String>,
    /// The start of the last search for the case that got an answer and found no case.
    pub(crate) searched: Option<u64>,
    /// True if Cases did not see the customer's profile.
    awaits_customer: bool,
    /// True if runs that the ledger did not record may have worked on this key.
    unrecorded_runs: bool,
    /// True if such runs are possible at all.
    may_go_unrecorded: bool,
}

/// The memory of a key's runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recorded {
    /// A ledger remembers them.
    ByLedger,
    /// Nothing remembers them.
    Nowhere,
}

/// The runs of a key that no ledger recorded.
#[derive(Clone, Copy, Debug)]
pub struct Unrecorded {
    /// True if a run that nothing recorded may be repeated.
    pub repeats: bool,
    /// True if a run goes on when the ledger is down.
    pub proceeds: bool,
}

/// The kinds of failure that differ in what they mean for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// Cases does not see the customer's profile. The same event can succeed later.
    CustomerNotVisible,
    /// Cases has the token with another request, so the key's case very probably exists.
    Conflict,
    /// Another failure after which the same event can succeed later.
    Transient,
    /// A failure that every repetition meets.
    Permanent,
}

/// The effect of a request that got no case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// None: every attempt was refused, or was never sent.
    Nothing,
    /// Unknown: an attempt may have taken effect.
    Unknown,
}

/// The next step after a `CreateCase` that got no case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterRefusal {
    /// The profile may become visible: the request is repeated after a pause, or the customer is gone.
    AwaitCustomer,
    /// The request is repeated while there is time.
    Repeat,
    /// A search decides, because the case may exist.
    Search,
    /// The failure is the answer.
    Answer,
}

/// The failure that is correct for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The failure as it is.
    Stands,
    /// `OutcomeUnknown`, because the case may exist.
    Unknown,
}

/// The result of a run for its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The case exists, with everything that belongs to it.
    Complete,
    /// The case exists, and something is still to be added.
    Incomplete,
    /// There is no case for this run to answer with.
    Failed(FailureKind),
}

/// The items that an earlier run may have added to the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Earlier {
    /// Nothing, because there was no earlier run.
    Nothing,
    /// Any item. The case shows it.
    Shown,
    /// Any item, but so recently that the case may not show it yet. An item that the case does not show must not be sent.
    PerhapsUnseen,
}

/// The result of adding the contact, or the comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addition {
    /// The items that earlier runs may have added, as it was known before.
    pub earlier: Earlier,
    /// True if the item is added, false if it never will be, absent if that is open.
    pub settled: Option<bool>,
    /// The effect of what this run sent without learning of its effect.
    pub effect: Effect,
    /// True if the case is being merged.
    pub is_merging: bool,
}

impl FailureKind {
    fn is_transient(self) -> bool {
        self != Self::Permanent
    }
}

impl Holder {
    /// Creates a holder whose run nothing records.
    #[must_use]
    pub fn unrecorded(occurrence: Option<&str>, unrecorded: Unrecorded) -> Self {
        Self {
            lease: Lease::unrecorded(occurrence),
            record: Recorded::Nowhere,
            occurrence: occurrence.map(str::to_owned),
            searched: None,
            awaits_customer: false,
            unrecorded_runs: unrecorded.repeats,
            may_go_unrecorded: unrecorded.proceeds,
        }
    }

    /// Creates the holder of a lease in the ledger.
    #[must_use]
    pub fn of(lease: Lease, occurrence: Option<&str>, unrecorded: Unrecorded) -> Self {
        Self {
            lease,
            record: Recorded::ByLedger,
            unrecorded_runs: false,
            ..Self::unrecorded(occurrence, unrecorded)
        }
    }

    /// Returns true if this run is the first to hold the key, and got it at once.
    ///
    /// A search that ran concurrently with its claim is then up to date.
    #[must_use]
    pub fn is_first(&self) -> bool {
        !self.lease.taken_over && !self.lease.waited
    }

    /// Returns true if the case's contact and comments belong to this occurrence.
    #[must_use]
    pub fn owns_items(&self) -> bool {
        self.lease.steps.occurrence == self.occurrence
    }

    /// Returns true if `CreateCase` may have been sent and its effect is not known.
    #[must_use]
    pub fn case_in_doubt(&self) -> bool {
        self.lease.steps.case_sent_until.is_some()
    }

    /// Records that `CreateCase` was sent until `now` and that its effect is not known.
    pub fn doubt_case(&mut self, now: u64) {
        self.lease.steps.case_sent_until = Some(now);
    }

    /// Returns true if a refusal may follow a run that created the case. A search by the tag then decides.
    fn may_have_case(&self) -> bool {
        self.case_in_doubt() || self.record == Recorded::Nowhere || self.may_go_unrecorded
    }

    /// Records a search that began at `began` and got an answer.
    pub fn searched(&mut self, began: u64) {
        self.searched = Some(began);
    }

    /// Records the case that a search by its tag found.
    ///
    /// A first run finds only a case of a run that the ledger did not record.
    pub fn found(&mut self, case: &CaseReference, customer_arn: Option<String>) {
        self.unrecorded_runs |= !self.lease.taken_over;
        self.lease.steps.set_case(case);
        self.lease.steps.customer_arn = customer_arn;
    }

    /// Returns the time for which `CreateCase` may be sent. For so long Cases remembers the token of a case that the last search missed.
    ///
    /// `since_search` is the time since the start of that search.
    /// Returns `None` if the case is in doubt and has to be searched for first.
    #[must_use]
    pub fn may_create_for(&self, since_search: Option<Duration>) -> Option<Duration> {
        let left = if self.case_in_doubt() {
            TOKEN_AFTER_SEARCH.saturating_sub(since_search?)
        } else {
            TOKEN_AFTER_SEARCH
        };
        // A request that is sent at the very end may take effect even later.
        Some(left.saturating_sub(LATE_EFFECT)).filter(|left| !left.is_zero())
    }

    /// Records a `CreateCase` that got no case, and decides what follows.
    pub fn refused(&mut self, kind: FailureKind, effect: Effect, now: u64) -> AfterRefusal {
        // A conflict shows that Cases knows the token, so the case is in doubt, too.
        if effect == Effect::Unknown || kind == FailureKind::Conflict {
            self.doubt_case(now);
        }
        match kind {
            FailureKind::CustomerNotVisible => {
                // The wait for the profile counts from the first claim, so that claim is kept.
                self.awaits_customer = true;
                AfterRefusal::AwaitCustomer
            }
            FailureKind::Transient => AfterRefusal::Repeat,
            FailureKind::Conflict | FailureKind::Permanent if self.may_have_case() => {
                AfterRefusal::Search
            }
            FailureKind::Conflict | FailureKind::Permanent => AfterRefusal::Answer,
        }
    }

    /// Returns true if a profile may be created, after a search that began at `searched` found none.
    ///
    /// A profile has no token. A profile that an earlier run may have created therefore has to become visible first.
    pub fn may_create_customer(&mut self, searched: u64) -> bool {
        let steps = &mut self.lease.steps;
        if let Some(sent_until) = steps.customer_sent_until
            && !is_conclusive(searched, sent_until, PROFILE_LAG)
        {
            return false;
        }
        steps.customer_sent_until = None;
        true
    }

    /// Records that this run created the customer's profile.
    pub fn customer_created(&mut self, now: u64) {
        self.lease.steps.customer_created = Some(now);
    }

    /// Records that `CreateProfile` was sent until `now` and that its effect is not known.
    pub fn doubt_customer(&mut self, now: u64) {
        self.lease.steps.customer_sent_until = Some(now);
    }

    /// Returns the items that earlier runs may have added. `sent_until` is the time until which they sent requests.
    #[must_use]
    pub fn earlier(&self, sent_until: Option<u64>, now: u64) -> Earlier {
        match sent_until {
            Some(until) if !is_conclusive(now, until, ITEM_LAG) => Earlier::PerhapsUnseen,
            Some(_) => Earlier::Shown,
            None if self.unrecorded_runs => Earlier::Shown,
            None => Earlier::Nothing,
        }
    }

    /// Returns the earliest time at which an item of this key may have been added, in milliseconds since 1970.
    #[must_use]
    pub fn items_since(&self) -> u64 {
        if self.unrecorded_runs {
            return 0;
        }
        before(self.lease.started, CLOCK_SKEW)
    }

    /// Returns true if the run still waits for a case that is being merged.
    #[must_use]
    pub fn awaits_merge(&self, now: u64) -> bool {
        let since = self.lease.steps.merging_since.unwrap_or(now);
        Duration::from_millis(now.saturating_sub(since)) < MERGE
    }

    /// Records the case, and the results for its contact and its comments.
    pub fn items_added(
        &mut self,
        case: &CaseReference,
        contact: Addition,
        comments: Addition,
        now: u64,
    ) {
        let steps = &mut self.lease.steps;
        steps.set_case(case);
        let is_merging = contact.is_merging || comments.is_merging;
        let merging_since = steps.merging_since.or(Some(now));
        steps.merging_since = merging_since.filter(|_| is_merging);
        steps.contact_sent_until = contact.doubt(steps.contact_sent_until, now);
        steps.contact = contact.settled;
        steps.comments_sent_until = comments.doubt(steps.comments_sent_until, now);
        steps.comments = comments.settled;
    }

    /// Returns the failure that is correct for the key. Only this function decides it.
    ///
    /// No failure is permanent while a case may exist unseen.
    pub fn resolve(&mut self, kind: FailureKind) -> Verdict {
        let Some(sent_until) = self.lease.steps.case_sent_until else {
            return Verdict::Stands;
        };
        if kind == FailureKind::Conflict {
            return Verdict::Stands;
        }
        let is_over = |began: u64| is_conclusive(began, sent_until, SEARCH_LAG);
        if self.searched.is_some_and(is_over) {
            // That search would have shown the case.
            self.lease.steps.case_sent_until = None;
            return Verdict::Stands;
        }
        Verdict::Unknown
    }

    /// Returns true if nothing of the key has to be remembered.
    ///
    /// Then nothing took effect, and no wait counts from the first claim. No write of this claim is still in progress.
    fn is_over(&self, kind: FailureKind) -> bool {
        let may_wait = self.lease.taken_over && kind.is_transient();
        let may_be_claimed = self.lease.is_contested;
        self.lease.steps.is_untouched() && !self.awaits_customer && !may_wait && !may_be_claimed
    }

    /// Returns the last write of the run for its key.
    ///
    /// A key that is done is marked as done. A key for which certainly nothing took effect is forgotten.
    /// Any other key is left for the next run, which can take over at once.
    #[must_use]
    pub fn ending(&self, outcome: Outcome) -> Ending {
        match outcome {
            Outcome::Complete => Ending::Complete,
            Outcome::Failed(kind) if self.is_over(kind) => Ending::Free,
            Outcome::Incomplete | Outcome::Failed(_) => Ending::Leave,
        }
    }

    /// Returns the recorded steps of the key.
    pub fn steps(&mut self) -> &mut Steps {
        &mut self.lease.steps
    }
}

impl Addition {
    /// Returns the remaining doubt about the item.
    ///
    /// A doubt of earlier runs lasts until the item is settled. Without such a doubt, only this run's doubt counts.
    fn doubt(self, before: Option<u64>, now: u64) -> Option<u64> {
        match self.earlier {
            // This run only looked at the case.
            Earlier::PerhapsUnseen => before,
            _ if self.effect == Effect::Unknown => Some(now),
            Earlier::Shown if self.settled.is_none() => before.or(Some(now)),
            Earlier::Shown | Earlier::Nothing => None,
        }
    }
}
