//! Claims: turns a key into the results and doubts of earlier runs.
//! The result of this run then becomes the state for the next run.
//!
//! Without a ledger, nothing is remembered between runs. The same applies if the ledger is down and the mapping says `proceed`.
//! In both cases only the client token limits the key to one case.

use std::time::Duration;

use crate::cases::Earlier;
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::key;
use crate::ledger::{
    self, CLOCK_SKEW, ITEM_LAG, Lease, Ledger, PROFILE_LAG, SEARCH_LAG, Steps, TOKEN_AFTER_SEARCH,
    is_conclusive,
};
use crate::outcome::{CaseReference, Done};
use mapping::{LedgerUnavailable, LedgerUse, OnExisting};

/// The time that is kept free at the end of the work, to write to the ledger.
pub(super) const TO_SETTLE: Duration = Duration::from_millis(100);

/// The longest wait for a case that is being merged.
const MERGE: Duration = Duration::from_mins(15);

/// The outcome of claiming a key.
pub(super) enum Claim<'a> {
    /// There is no ledger, or it is down and the mapping proceeds without it.
    NoLedger(ClaimGuard<'a>),
    /// The key is ours until the lease ends.
    Ours(ClaimGuard<'a>),
    /// Another run still holds the key.
    Another,
    /// Everything was done for the key.
    Done(Steps),
}

impl<'a> Claim<'a> {
    /// Claims a key, or one occurrence of it.
    pub(super) async fn new(
        ledger: Option<&'a Ledger>,
        key: Key<'_>,
        deadline: Deadline,
    ) -> Result<Self, Failure> {
        let policy = key.policy;
        let Some(ledger) = ledger else {
            return Ok(Self::NoLedger(ClaimGuard::unrecorded(key)));
        };
        // A mapping that can proceed without the ledger keeps most of the time for the case.
        let patience = match policy.unavailable {
            LedgerUnavailable::Proceed => deadline.remaining() / 3,
            LedgerUnavailable::Fail => deadline.remaining(),
        };
        let claimant = ledger::Claimant {
            id: key.id,
            occurrence: key.occurrence,
            window: key.window,
        };
        match ledger.claim(claimant, patience, deadline).await {
            Ok(ledger::Claim::Ours(lease)) => Ok(Self::Ours(ClaimGuard {
                ledger: Some(ledger),
                lease,
                unrecorded_runs: false,
                ..ClaimGuard::unrecorded(key)
            })),
            Ok(ledger::Claim::Another) => Ok(Self::Another),
            Ok(ledger::Claim::Done(steps)) => Ok(Self::Done(steps)),
            Err(failure) if policy.unavailable == LedgerUnavailable::Proceed => {
                tracing::error!(
                    error.code = failure.code.name(),
                    "going on without the ledger: {failure}"
                );
                Ok(Self::NoLedger(ClaimGuard::unrecorded(key)))
            }
            Err(failure) => Err(failure),
        }
    }
}

/// The key to claim, and its occurrence.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    pub(super) id: &'a str,
    pub(super) occurrence: Option<&'a str>,
    pub(super) policy: &'a LedgerUse,
    pub(super) window: Option<Duration>,
}

impl Key<'_> {
    /// Returns true if the ledger has an item of the key.
    pub(super) async fn is_known(
        &self,
        ledger: Option<&Ledger>,
        deadline: Deadline,
    ) -> Result<bool, Failure> {
        let Some(ledger) = ledger else {
            return Ok(false);
        };
        match ledger.knows(self.id, deadline).await {
            Err(_) if self.policy.unavailable == LedgerUnavailable::Proceed => Ok(false),
            known => known,
        }
    }

    /// Returns true if contact and comments of every occurrence are added to the key's case.
    ///
    /// Otherwise only those of the first occurrence are added.
    pub(super) fn attaches(&self) -> bool {
        self.policy.on_existing == OnExisting::Attach
    }
}

/// A key to work on, with everything that is known about it. [`settle`](Self::settle) ends the claim.
pub(super) struct ClaimGuard<'a> {
    /// Absent without a ledger. Then `lease` belongs to this run alone, and every time is 0.
    ledger: Option<&'a Ledger>,
    lease: Lease,
    occurrence: Option<String>,
    /// The last search for the case that got an answer and found no case.
    searched: Option<Search>,
    /// True if Cases did not see the customer's profile.
    awaits_customer: bool,
    /// True if runs that the ledger did not record may have worked on this key.
    unrecorded_runs: bool,
    /// True if such runs are possible at all.
    may_go_unrecorded: bool,
}

/// A search for the case by its tag.
#[derive(Clone, Copy)]
pub(super) struct Search {
    /// The start of the search, in milliseconds since 1970.
    began: u64,
    /// The time until which `CreateCase` may rely on the search. Until then, a case that it missed has its token.
    holds: Deadline,
}

impl ClaimGuard<'_> {
    /// Creates a guard for a key without a ledger.
    fn unrecorded(key: Key<'_>) -> Self {
        Self {
            ledger: None,
            lease: Lease::unrecorded(key.occurrence),
            occurrence: key.occurrence.map(str::to_owned),
            searched: None,
            awaits_customer: false,
            unrecorded_runs: key.policy.repeats_unseen,
            may_go_unrecorded: key.policy.unavailable == LedgerUnavailable::Proceed,
        }
    }

    /// Returns the client token. With a window, it is the token of this use of the key.
    pub(super) fn token(&self, key: &str) -> String {
        let generation = self.lease.generation.as_deref();
        generation.map_or_else(
            || key.to_owned(),
            |generation| key::token_of_generation(key, generation),
        )
    }

    /// Returns true if this run is the first to hold the key, and got it at once.
    ///
    /// A search that ran concurrently with its claim is then up to date.
    pub(super) fn is_first(&self) -> bool {
        !self.lease.taken_over && !self.lease.waited
    }

    /// Returns true if the case's contact and comments belong to this occurrence.
    pub(super) fn owns_items(&self) -> bool {
        self.lease.steps.occurrence == self.occurrence
    }

    /// Returns the recorded steps of the key.
    pub(super) fn steps(&mut self) -> &mut Steps {
        &mut self.lease.steps
    }

    /// Returns the time of the ledger's clock in milliseconds since 1970, or 0 without a ledger.
    pub(super) fn now(&self) -> u64 {
        self.ledger.map_or(0, Ledger::now)
    }

    /// Returns the time of the key's first claim in milliseconds since 1970, if a ledger recorded it.
    pub(super) fn started(&self) -> Option<u64> {
        self.ledger.map(|_| self.lease.started)
    }

    /// Returns true if `CreateCase` may have been sent and its effect is not known.
    pub(super) fn case_in_doubt(&self) -> bool {
        self.lease.steps.case_sent_until.is_some()
    }

    /// Records that `CreateCase` was sent just now and that its effect is not known.
    pub(super) fn doubt_case(&mut self) {
        self.lease.steps.case_sent_until = Some(self.now());
    }

    /// Returns true if a refusal may follow a run that created the case. A search by the tag then decides.
    pub(super) fn may_have_case(&self) -> bool {
        self.case_in_doubt() || self.ledger.is_none() || self.may_go_unrecorded
    }

    /// Returns a search for the case that begins now.
    pub(super) fn search(&self) -> Search {
        Search {
            began: self.now(),
            holds: Deadline::after(TOKEN_AFTER_SEARCH),
        }
    }

    /// Records a search that got an answer.
    pub(super) fn searched(&mut self, search: Search) {
        self.searched = Some(search);
    }

    /// Records that Cases does not see the customer's profile.
    ///
    /// The wait for the profile counts from the first claim, so that claim is kept.
    pub(super) fn awaits_customer(&mut self) {
        self.awaits_customer = true;
    }

    /// Records the case that a search by its tag found.
    ///
    /// A first run finds only a case of a run that the ledger did not record.
    pub(super) fn found(&mut self, case: &CaseReference, customer_arn: Option<String>) {
        self.unrecorded_runs |= !self.lease.taken_over;
        self.lease.steps.set_case(case);
        self.lease.steps.customer_arn = customer_arn;
    }

    /// Returns the time until which `CreateCase` may be sent. Until then Cases remembers the token of a case that the last search missed.
    ///
    /// Returns `None` if the case is in doubt and has to be searched for first.
    pub(super) fn may_create_until(&self) -> Option<Deadline> {
        let deadline = match self.searched {
            _ if !self.case_in_doubt() => Deadline::after(TOKEN_AFTER_SEARCH),
            Some(search) => search.holds,
            None => return None,
        };
        // A request that is sent at the very end may take effect even later.
        let deadline = deadline.before(ledger::LATE_EFFECT);
        Some(deadline).filter(|deadline| !deadline.remaining().is_zero())
    }

    /// Checks that a profile may be created, after a search that began at `searched` found none.
    ///
    /// A profile has no token. A profile that an earlier run may have created therefore has to become visible first.
    ///
    /// # Errors
    /// `CustomerUnknown`: an earlier run may have created the profile, and search may not show it yet.
    pub(super) fn may_create_customer(&mut self, searched: u64) -> Result<(), Failure> {
        let steps = &mut self.lease.steps;
        if let Some(sent_until) = steps.customer_sent_until
            && !is_conclusive(searched, sent_until, PROFILE_LAG)
        {
            let message = "an earlier run may have created the customer's profile, and search does not show it yet; calling again searches first";
            return Err(Failure::new(ErrorCode::CustomerUnknown, message).of("customer"));
        }
        steps.customer_sent_until = None;
        Ok(())
    }

    /// Records the result of `CreateProfile`.
    pub(super) fn customer_created(&mut self, created: &Result<String, Failure>) {
        let now = Some(self.now());
        match created {
            Ok(_) => self.lease.steps.customer_created = now,
            Err(failure) if failure.code == ErrorCode::CustomerUnknown => {
                self.lease.steps.customer_sent_until = now;
            }
            Err(_) => {}
        }
    }

    /// Returns the items that earlier runs may have added. `sent_until` is the time until which they sent requests.
    pub(super) fn earlier(&self, sent_until: Option<u64>) -> Earlier {
        match sent_until {
            Some(until) if !is_conclusive(self.now(), until, ITEM_LAG) => Earlier::PerhapsUnseen,
            Some(_) => Earlier::Shown,
            None if self.unrecorded_runs => Earlier::Shown,
            None => Earlier::Nothing,
        }
    }

    /// Returns the remaining doubt about an item.
    ///
    /// A doubt of earlier runs lasts until the item is settled. Without such a doubt, only this run's doubt counts.
    pub(super) fn doubt(
        &self,
        before: Option<u64>,
        earlier: Earlier,
        in_doubt: bool,
        is_settled: bool,
    ) -> Option<u64> {
        match earlier {
            // This run only looked at the case.
            Earlier::PerhapsUnseen => before,
            _ if in_doubt => Some(self.now()),
            Earlier::Shown if !is_settled => before.or(Some(self.now())),
            Earlier::Shown | Earlier::Nothing => None,
        }
    }

    /// Returns the earliest time at which an item of this key may have been added, in milliseconds since 1970.
    pub(super) fn items_since(&self) -> u64 {
        if self.unrecorded_runs {
            return 0;
        }
        ledger::before(self.lease.started, CLOCK_SKEW)
    }

    /// Returns true if the run still waits for a case that is being merged.
    pub(super) fn awaits_merge(&self) -> bool {
        let now = self.now();
        let since = self.lease.steps.merging_since.unwrap_or(now);
        Duration::from_millis(now.saturating_sub(since)) < MERGE
    }

    /// Returns the failure that is correct for the key. Only this function decides it.
    ///
    /// No failure is permanent while a case may exist unseen.
    pub(super) fn resolve(&mut self, failure: Failure) -> Failure {
        let Some(sent_until) = self.lease.steps.case_sent_until else {
            return failure;
        };
        let is_over = |search: Search| is_conclusive(search.began, sent_until, SEARCH_LAG);
        if failure.code == ErrorCode::ConflictUnresolved {
            return failure;
        }
        if self.searched.is_some_and(is_over) {
            // That search would have shown the case.
            self.lease.steps.case_sent_until = None;
            return failure;
        }
        let message = format!(
            "the case may have been created, and no answer said so; calling again with the same key gives the same case. the last attempt: {failure}"
        );
        Failure {
            field: failure.field,
            ..Failure::new(ErrorCode::OutcomeUnknown, message)
        }
    }

    /// Returns true if nothing of the key has to be remembered.
    ///
    /// Then nothing took effect, and no wait counts from the first claim. No write of this claim is still in progress.
    fn is_over(&self, failure: &Failure) -> bool {
        let may_wait = self.lease.taken_over && failure.code.is_transient();
        let may_be_claimed = self.lease.is_contested;
        self.lease.steps.is_untouched() && !self.awaits_customer && !may_wait && !may_be_claimed
    }

    /// Ends the claim.
    ///
    /// A key that is done is marked as done. A key for which certainly nothing took effect is forgotten.
    /// Any other key is left for the next run, which can take over at once.
    pub(super) async fn settle(
        &self,
        result: &Result<Done, Failure>,
        is_complete: bool,
        deadline: Deadline,
    ) {
        let Some(ledger) = self.ledger else {
            return;
        };
        let lease = &self.lease;
        let settled = match result {
            Ok(_) if is_complete => ledger.complete(lease, deadline).await,
            Err(failure) if self.is_over(failure) => ledger.free(lease, deadline).await,
            _ => ledger.leave(lease, deadline).await,
        };
        // The lease ends without this update. The next run then assumes that everything was sent.
        if let Err(failure) = settled {
            tracing::warn!(
                error.code = failure.code.name(),
                "could not update the ledger: {failure}"
            );
        }
    }
}
