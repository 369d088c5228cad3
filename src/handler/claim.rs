//! Claims: turns a key into the results and doubts of earlier runs.
//! The result of this run then becomes the state for the next run.
//!
//! Without a ledger, nothing is remembered between runs. The same applies if the ledger is down and the mapping says `proceed`.
//! In both cases only the client token limits the key to one case.

use std::time::Duration;

use ledger_protocol::holder::{
    Addition, AfterRefusal, Effect, FailureKind, Holder, Outcome, Unrecorded, Verdict,
};
use ledger_protocol::lease::Claimant;

use crate::cases::{Earlier, NotCreated};
use crate::deadline::{Deadline, Stopwatch};
use crate::error::{ErrorCode, Failure};
use crate::key;
use crate::ledger::{self, Ledger, Steps};
use crate::outcome::{CaseReference, Done};
use mapping::{LedgerUnavailable, LedgerUse, OnExisting};

/// The time that is kept free at the end of the work, to write to the ledger.
pub(super) const TO_SETTLE: Duration = Duration::from_millis(100);

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
        let claimant = Claimant {
            id: key.id,
            occurrence: key.occurrence,
            window: key.window,
        };
        match ledger.claim(claimant, patience, deadline).await {
            Ok(ledger::Claim::Ours(lease)) => Ok(Self::Ours(ClaimGuard {
                ledger: Some(ledger),
                holder: Holder::of(lease, key.occurrence, key.unrecorded_runs()),
                searched: None,
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

    /// Returns the runs of the key that no ledger records.
    fn unrecorded_runs(&self) -> Unrecorded {
        Unrecorded {
            repeats: self.policy.repeats_unseen,
            proceeds: self.policy.unavailable == LedgerUnavailable::Proceed,
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
///
/// The decisions are those of [`Holder`]. This adds the clock and the table.
pub(super) struct ClaimGuard<'a> {
    /// Absent without a ledger. Then every time is 0.
    ledger: Option<&'a Ledger>,
    holder: Holder,
    /// The last search for the case that got an answer and found no case.
    searched: Option<Stopwatch>,
}

/// A search for the case by its tag.
#[derive(Clone, Copy)]
pub(super) struct Search {
    /// The start of the search, in milliseconds since 1970.
    began: u64,
    since: Stopwatch,
}

impl ClaimGuard<'_> {
    /// Creates a guard for a key without a ledger.
    fn unrecorded(key: Key<'_>) -> Self {
        Self {
            ledger: None,
            holder: Holder::unrecorded(key.occurrence, key.unrecorded_runs()),
            searched: None,
        }
    }

    /// Returns the client token. With a window, it is the token of this use of the key.
    pub(super) fn token(&self, key: &str) -> String {
        let generation = self.holder.lease.generation.as_deref();
        generation.map_or_else(
            || key.to_owned(),
            |generation| key::token_of_generation(key, generation),
        )
    }

    /// See [`Holder::is_first`].
    pub(super) fn is_first(&self) -> bool {
        self.holder.is_first()
    }

    /// See [`Holder::owns_items`].
    pub(super) fn owns_items(&self) -> bool {
        self.holder.owns_items()
    }

    /// Returns the recorded steps of the key.
    pub(super) fn steps(&mut self) -> &mut Steps {
        self.holder.steps()
    }

    /// Returns the time of the ledger's clock in milliseconds since 1970, or 0 without a ledger.
    pub(super) fn now(&self) -> u64 {
        self.ledger.map_or(0, Ledger::now)
    }

    /// Returns the time of the key's first claim in milliseconds since 1970, if a ledger recorded it.
    pub(super) fn started(&self) -> Option<u64> {
        self.ledger.map(|_| self.holder.lease.started)
    }

    /// See [`Holder::case_in_doubt`].
    pub(super) fn case_in_doubt(&self) -> bool {
        self.holder.case_in_doubt()
    }

    /// Records that `CreateCase` was sent just now and that its effect is not known.
    pub(super) fn doubt_case(&mut self) {
        self.holder.doubt_case(self.now());
    }

    /// Returns a search for the case that begins now.
    pub(super) fn search(&self) -> Search {
        Search {
            began: self.now(),
            since: Stopwatch::start(),
        }
    }

    /// Records a search that got an answer.
    pub(super) fn searched(&mut self, search: Search) {
        self.holder.searched(search.began);
        self.searched = Some(search.since);
    }

    /// See [`Holder::found`].
    pub(super) fn found(&mut self, case: &CaseReference, customer_arn: Option<String>) {
        self.holder.found(case, customer_arn);
    }

    /// Returns the time until which `CreateCase` may be sent. See [`Holder::may_create_for`].
    pub(super) fn may_create_until(&self) -> Option<Deadline> {
        let since_search = self.searched.map(Stopwatch::elapsed);
        self.holder
            .may_create_for(since_search)
            .map(Deadline::after)
    }

    /// Records a `CreateCase` that got no case, and decides what follows.
    pub(super) fn refused(&mut self, refusal: &NotCreated) -> AfterRefusal {
        let kind = kind(&refusal.failure);
        let effect = effect(refusal.in_doubt);
        self.holder.refused(kind, effect, self.now())
    }

    /// Checks that a profile may be created, after a search that began at `searched` found none.
    ///
    /// # Errors
    /// `CustomerUnknown`: an earlier run may have created the profile, and search may not show it yet.
    pub(super) fn may_create_customer(&mut self, searched: u64) -> Result<(), Failure> {
        if self.holder.may_create_customer(searched) {
            return Ok(());
        }
        let message = "an earlier run may have created the customer's profile, and search does not show it yet; calling again searches first";
        Err(Failure::new(ErrorCode::CustomerUnknown, message).of("customer"))
    }

    /// Records the result of `CreateProfile`.
    pub(super) fn customer_created(&mut self, created: &Result<String, Failure>) {
        let now = self.now();
        match created {
            Ok(_) => self.holder.customer_created(now),
            Err(failure) if failure.code == ErrorCode::CustomerUnknown => {
                self.holder.doubt_customer(now);
            }
            Err(_) => {}
        }
    }

    /// See [`Holder::earlier`].
    pub(super) fn earlier(&self, sent_until: Option<u64>) -> Earlier {
        self.holder.earlier(sent_until, self.now())
    }

    /// See [`Holder::items_since`].
    pub(super) fn items_since(&self) -> u64 {
        self.holder.items_since()
    }

    /// See [`Holder::awaits_merge`].
    pub(super) fn awaits_merge(&self) -> bool {
        self.holder.awaits_merge(self.now())
    }

    /// See [`Holder::items_added`].
    pub(super) fn items_added(
        &mut self,
        case: &CaseReference,
        contact: Addition,
        comments: Addition,
    ) {
        self.holder.items_added(case, contact, comments, self.now());
    }

    /// Returns the failure that is correct for the key. See [`Holder::resolve`].
    pub(super) fn resolve(&mut self, failure: Failure) -> Failure {
        match self.holder.resolve(kind(&failure)) {
            Verdict::Stands => failure,
            Verdict::Unknown => {
                let message = format!(
                    "the case may have been created, and no answer said so; calling again with the same key gives the same case. the last attempt: {failure}"
                );
                Failure {
                    field: failure.field,
                    ..Failure::new(ErrorCode::OutcomeUnknown, message)
                }
            }
        }
    }

    /// Ends the claim with the write that [`Holder::ending`] decides.
    pub(super) async fn settle(
        &self,
        result: &Result<Done, Failure>,
        is_complete: bool,
        deadline: Deadline,
    ) {
        let Some(ledger) = self.ledger else {
            return;
        };
        let outcome = match result {
            Ok(_) if is_complete => Outcome::Complete,
            Ok(_) => Outcome::Incomplete,
            Err(failure) => Outcome::Failed(kind(failure)),
        };
        let ending = self.holder.ending(outcome);
        // The lease ends without this update. The next run then assumes that everything was sent.
        if let Err(failure) = ledger.end(&self.holder.lease, ending, deadline).await {
            tracing::warn!(
                error.code = failure.code.name(),
                "could not update the ledger: {failure}"
            );
        }
    }
}

/// Returns what a failure means for its key.
fn kind(failure: &Failure) -> FailureKind {
    match failure.code {
        ErrorCode::CustomerNotVisible => FailureKind::CustomerNotVisible,
        ErrorCode::ConflictUnresolved => FailureKind::Conflict,
        code if code.is_transient() => FailureKind::Transient,
        _ => FailureKind::Permanent,
    }
}

/// Returns the effect of a request whose answers left it in doubt or not.
pub(super) fn effect(in_doubt: bool) -> Effect {
    if in_doubt {
        Effect::Unknown
    } else {
        Effect::Nothing
    }
}
