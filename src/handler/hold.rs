//! The key's claim: taken before anything is done, given back, left behind or marked as done at the end.
//!
//! Without a ledger, and when the ledger is down and the mapping says `proceed`, there is nothing to hold: the client token alone then keeps
//! the key to one case.

use std::time::Duration;

use super::Casebridge;
use crate::cases::Earlier;
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::key;
use crate::ledger::{Claim, Claimant, ITEM_SHOWN_AFTER, Lease, Ledger, PROFILE_SEEN_AFTER, Steps};
use crate::mapping::{LedgerUnavailable, LedgerUse};
use crate::outcome::{CaseReference, Done};

/// Kept free at the end of the work, for the ledger to be told.
const TO_SETTLE: Duration = Duration::from_millis(100);

/// What came of asking for a key.
pub(super) enum Claimed<'a> {
    /// It is ours.
    Held(Hold<'a>),
    /// All of it is done.
    Finished(Steps),
}

/// A key that is ours, or that nobody holds because there is no ledger.
pub(super) struct Hold<'a> {
    held: Option<(&'a Ledger, Lease)>,
    /// Whether an earlier run may have done more than is known.
    pub(super) repeated: bool,
}

impl Casebridge {
    /// Claims a key, or one occurrence of it.
    pub(super) async fn claim(
        &self,
        id: &str,
        occurrence: Option<&str>,
        policy: &LedgerUse,
        deadline: Deadline,
    ) -> Result<Claimed<'_>, Failure> {
        let unheld = Hold {
            held: None,
            repeated: policy.repeats_unseen,
        };
        let Some(ledger) = &self.ledger else {
            return Ok(Claimed::Held(unheld));
        };
        // Whoever can do without the ledger keeps most of the time for the case.
        let patience = match policy.unavailable {
            LedgerUnavailable::Proceed => deadline.remaining() / 3,
            LedgerUnavailable::Fail => deadline.remaining(),
        };
        let claimant = Claimant {
            id,
            occurrence,
            window: policy.window,
        };
        let claimed = ledger.claim(claimant, patience, deadline).await;
        match claimed {
            Ok(Claim::Finished(steps)) => Ok(Claimed::Finished(steps)),
            Ok(Claim::Held(lease)) => Ok(Claimed::Held(Hold {
                repeated: lease.taken_over,
                held: Some((ledger, lease)),
            })),
            Err(failure) if failure.code == ErrorCode::InProgress => Err(failure),
            Err(failure) if policy.unavailable == LedgerUnavailable::Proceed => {
                tracing::error!(
                    error.code = failure.code.name(),
                    "going on without the ledger: {failure}"
                );
                Ok(Claimed::Held(unheld))
            }
            Err(failure) => Err(failure),
        }
    }
}

impl Hold<'_> {
    /// The deadline of the work itself.
    pub(super) fn time_to_work(&self, deadline: Deadline) -> Deadline {
        match self.held {
            Some(_) => deadline.before(TO_SETTLE),
            None => deadline,
        }
    }

    /// The client token: with a window, that of this use of the key.
    pub(super) fn token(&self, key: &str) -> String {
        let generation = self
            .held
            .as_ref()
            .and_then(|(_, lease)| lease.generation.as_deref());
        generation.map_or_else(
            || key.to_owned(),
            |generation| key::token_of_generation(key, generation),
        )
    }

    /// The case that an earlier run has created.
    pub(super) fn case(&self) -> Option<CaseReference> {
        let steps = &self.held.as_ref()?.1.steps;
        steps.case()
    }

    /// Whether another event of the key claimed it first. Until that one has its case, this one may stand in for it; then its contact and
    /// comments are left for it to come back to.
    pub(super) fn is_of_another(&self, occurrence: Option<&str>) -> bool {
        let first = self.held.as_ref().map(|(_, lease)| &lease.steps.occurrence);
        first.is_some_and(|first| first.as_deref() != occurrence)
    }

    /// Ends the claim with everything as it was found.
    pub(super) async fn leave(self, deadline: Deadline) {
        if let Some((ledger, lease)) = self.held {
            heed(ledger.leave(&lease, deadline).await);
        }
    }

    /// The profile that an earlier run has created.
    pub(super) fn customer(&self) -> Option<String> {
        self.held.as_ref()?.1.steps.customer_arn.clone()
    }

    /// Whether an earlier run may have created the case with a token that Cases no longer knows.
    pub(super) fn outlived_the_token(&self) -> bool {
        self.held
            .as_ref()
            .is_some_and(|(ledger, lease)| lease.taken_over && ledger.is_old(lease))
    }

    /// Says that a profile is going to be created. It has no token, so what an earlier run may have created is waited for.
    ///
    /// # Errors
    /// `CustomerUnknown`: an earlier run may have created it a moment ago, and search does not show it.
    pub(super) async fn before_customer(&mut self, deadline: Deadline) -> Result<(), Failure> {
        let Some((ledger, lease)) = &mut self.held else {
            return Ok(());
        };
        if let Some(begun) = lease.steps.customer_begun
            && ledger.passed(begun) < PROFILE_SEEN_AFTER
        {
            let message = "an earlier run may have created the customer's profile, and search does not show it yet; calling again searches first";
            return Err(Failure::new(ErrorCode::CustomerUnknown, message).of("customer"));
        }
        lease.steps.customer_begun = Some(ledger.now());
        ledger.record(lease, deadline).await
    }

    /// Says that the profile is there.
    pub(super) async fn after_customer(
        &mut self,
        arn: &str,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let Some((ledger, lease)) = &mut self.held else {
            return Ok(());
        };
        lease.steps.customer_arn = Some(arn.to_owned());
        ledger.record(lease, deadline).await
    }

    /// Whether an earlier run may have sent a contact or a comment so short a time ago that the case does not show it yet.
    pub(super) fn may_hide_items(&self) -> bool {
        self.held.as_ref().is_some_and(|(ledger, lease)| {
            let sent_until = lease.steps.items_sent_until;
            sent_until.is_some_and(|until| ledger.passed(until) < ITEM_SHOWN_AFTER)
        })
    }

    /// Says that the case is there, and that contact and comments are going to be sent unless this run only looks for them: should it die,
    /// the next one knows. That it cannot be said keeps nothing from the case.
    pub(super) async fn before_items(
        &mut self,
        case: &CaseReference,
        earlier: Earlier,
        deadline: Deadline,
    ) {
        let Some((ledger, lease)) = &mut self.held else {
            return;
        };
        let is_known = lease.steps.case_id.is_some();
        lease.steps.set_case(case);
        if earlier != Earlier::PerhapsUnseen {
            lease.steps.items_sent_until = Some(ledger.end(deadline));
        } else if is_known {
            return;
        }
        heed(ledger.record(lease, deadline).await);
    }

    /// What the next run is to know of the contact and the comments that were sent; a run that only looked knows no more than before.
    pub(super) fn after_items(&mut self, earlier: Earlier, in_doubt: bool) {
        if let Some((ledger, lease)) = &mut self.held
            && earlier != Earlier::PerhapsUnseen
        {
            lease.steps.items_sent_until = in_doubt.then(|| ledger.now());
        }
    }

    /// The steps, to be marked as done.
    pub(super) fn steps(&mut self) -> Option<&mut Steps> {
        self.held.as_mut().map(|(_, lease)| &mut lease.steps)
    }

    /// Ends the claim. What is done is marked as done, what is known to have failed before anything was sent is forgotten, and everything
    /// else is left for the next run to take over at once.
    pub(super) async fn settle(
        self,
        result: &Result<Done, Failure>,
        missing: bool,
        deadline: Deadline,
    ) {
        let Some((ledger, lease)) = self.held else {
            return;
        };
        heed(match result {
            Ok(_) if missing => ledger.leave(&lease, deadline).await,
            Ok(_) => ledger.complete(&lease, deadline).await,
            Err(failure) if is_untouched(&lease, failure) => ledger.free(&lease, deadline).await,
            Err(_) => ledger.leave(&lease, deadline).await,
        });
    }
}

/// Whether it is certain that nothing was done for the key.
fn is_untouched(lease: &Lease, failure: &Failure) -> bool {
    let in_doubt = matches!(
        failure.code,
        ErrorCode::OutcomeUnknown | ErrorCode::ConflictUnresolved | ErrorCode::CustomerUnknown
    );
    !in_doubt && !lease.taken_over && lease.steps.is_empty()
}

/// The lease ends by itself, and the next run then finds what was done.
fn heed(told: Result<(), Failure>) {
    if let Err(failure) = told {
        tracing::warn!(
            error.code = failure.code.name(),
            "the ledger was not told: {failure}"
        );
    }
}
