//! After the case: the contact, the comments and the reference number, side by side.

use super::Casebridge;
use super::claim::{Claim, ClaimGuard, Key};
use crate::cases::{AddedComments, Addition};
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::key;
use crate::ledger::{CLOCK_SKEW, Steps};
use crate::outcome::{Done, Outcome, Step};
use crate::request::CaseRequest;
use mapping::CaseMapping;

impl Casebridge {
    /// Adds to the case what its request asks for and is not there, and says in the outcome what became of it. The case exists, whatever
    /// happens here.
    pub(super) async fn complete(
        &self,
        request: &CaseRequest,
        done: &Done,
        guard: &mut ClaimGuard<'_>,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) {
        let (Done::Created(case) | Done::Existing(case)) = done else {
            return;
        };
        let before = guard.steps().clone();
        let earlier_contact = guard.earlier(before.contact_sent_until);
        let earlier_comments = guard.earlier(before.comments_sent_until);
        let to_link = Addition {
            domain_id: &request.domain_id,
            case_id: &case.case_id,
            performed_by: &request.performed_by,
            earlier: earlier_contact,
            since: guard.items_since(),
            awaits_merge: guard.awaits_merge(),
            deadline,
        };
        let to_comment = Addition {
            earlier: earlier_comments,
            ..to_link
        };
        let (contact, comments);
        (contact, comments, outcome.reference_number) = tokio::join!(
            self.link(request, before.contact, to_link),
            self.comment(request, &before, to_comment),
            self.reference(request, &case.case_id, deadline),
        );
        let (is_linked, are_added) = (settled(&contact.step), settled(&comments.step));
        let (sent, doubt) = (before.contact_sent_until, contact.in_doubt);
        let contact_doubt = guard.doubt(sent, earlier_contact, doubt, is_linked.is_some());
        let (sent, doubt) = (before.comments_sent_until, comments.in_doubt);
        let comments_doubt = guard.doubt(sent, earlier_comments, doubt, are_added.is_some());
        let is_merging = contact.is_merging || comments.is_merging;
        let merging_since = before.merging_since.or(Some(guard.now()));
        let steps = guard.steps();
        steps.set_case(case);
        steps.merging_since = merging_since.filter(|_| is_merging);
        steps.contact = is_linked;
        steps.contact_sent_until = contact_doubt;
        steps.comments = are_added;
        steps.comments_sent_until = comments_doubt;
        steps.comments_settled.extend(comments.settled);
        steps.comments_refused |= comments.refused;
        (outcome.contact, outcome.comment) = (contact.step, comments.step);
    }

    /// The answer to an event whose key has its case, and all that the first occurrence added to it.
    pub(super) async fn finished(
        &self,
        case_mapping: &CaseMapping,
        key: Key<'_>,
        request: Result<CaseRequest, Failure>,
        steps: Steps,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) -> Result<Done, Failure> {
        outcome.customer_arn.clone_from(&steps.customer_arn);
        let Some(case) = steps.case() else {
            let message = "the ledger says that the key is done, and names no case: another program may have written its item";
            return Err(Failure::new(ErrorCode::InternalError, message));
        };
        let done = Done::Existing(case);
        if steps.occurrence.as_deref() == key.occurrence {
            outcome.recall_items(&steps);
            outcome.reference_number = self.reference_of(&request, &done, deadline).await;
        } else {
            self.join(case_mapping, key, &request, &done, deadline, outcome)
                .await;
        }
        Ok(done)
    }

    /// Completes the answer to another occurrence of a key that has its case. With `on_existing: attach` its contact and comments are added,
    /// under a claim of its own: for this case, because with a window the key's next case gets them, too.
    pub(super) async fn join(
        &self,
        case_mapping: &CaseMapping,
        key: Key<'_>,
        request: &Result<CaseRequest, Failure>,
        done: &Done,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) {
        let (Done::Created(case) | Done::Existing(case)) = done else {
            return;
        };
        let (true, Some(occurrence)) = (key.attaches(), key.occurrence) else {
            outcome.reference_number = self.reference_of(request, done, deadline).await;
            return;
        };
        let request = match request {
            Ok(request) => request,
            Err(failure) => return outcome.miss_items(case_mapping, None, None, failure),
        };
        let id = format!("{}.{occurrence}", case.case_id);
        // The occurrence's item outlives the key's, whichever clock reads it.
        let window = key.window.map(|window| window + 2 * CLOCK_SKEW);
        let occurrence = Key {
            id: &id,
            window,
            ..key
        };
        match self.claim(occurrence, deadline).await {
            Err(failure) => outcome.miss_items(case_mapping, None, None, &failure),
            Ok(Claim::Another) => {
                let message = "another invocation is still adding them; retry with the same event";
                let failure = Failure::new(ErrorCode::InProgress, message);
                outcome.miss_items(case_mapping, None, None, &failure);
            }
            Ok(Claim::Done(steps)) => {
                outcome.recall_items(&steps);
                outcome.reference_number = self.reference(request, &case.case_id, deadline).await;
            }
            Ok(Claim::NoLedger(mut guard) | Claim::Ours(mut guard)) => {
                let until = self.time_to_work(deadline);
                self.complete(request, done, &mut guard, until, outcome)
                    .await;
                let is_complete = outcome.missing().is_none();
                let result = Ok(done.clone());
                guard.settle(&result, is_complete, deadline).await;
            }
        }
    }

    async fn link(
        &self,
        request: &CaseRequest,
        before: Option<bool>,
        addition: Addition<'_>,
    ) -> Added {
        const CODE: ErrorCode = ErrorCode::ContactNotLinked;
        let linked = match &request.contact {
            None => return Added::nothing(Step::NotRequested),
            Some(_) if before.is_some() => return Added::nothing(Step::told(before, CODE)),
            Some(Err(failure)) => Err(failure.clone()),
            Some(Ok(contact_arn)) => self.cases.link_contact(addition, contact_arn).await,
        };
        Added::of(linked, CODE, "the contact is not linked to it")
    }

    async fn comment(
        &self,
        request: &CaseRequest,
        before: &Steps,
        addition: Addition<'_>,
    ) -> Added {
        const CODE: ErrorCode = ErrorCode::CommentNotAdded;
        if request.comments.is_empty() {
            return Added::nothing(Step::NotRequested);
        }
        if before.comments.is_some() {
            return Added::nothing(Step::told(before.comments, CODE));
        }
        let mut settled_before = before.comments_settled.clone();
        let mut bodies: Vec<&str> = request
            .comments
            .iter()
            .flatten()
            .map(String::as_str)
            .collect();
        bodies.retain(|body| {
            let hash = key::comment(body);
            let settled = settled_before.iter().position(|settled| *settled == hash);
            settled
                .map(|index| settled_before.swap_remove(index))
                .is_none()
        });
        let uncomputed = request.comments.iter().find_map(|body| body.as_ref().err());
        let AddedComments {
            settled,
            refused,
            result,
        } = self.cases.add_comments(addition, &bodies).await;
        let is_refused = refused.is_some();
        let missing = refused.or(uncomputed.cloned()).or_else(|| {
            let message = "an earlier run was refused; its log says why";
            before.comments_refused.then(|| Failure::new(CODE, message))
        });
        let result = result.and_then(|()| missing.map_or(Ok(()), Err));
        let settled = bodies.iter().take(settled);
        Added {
            settled: settled.map(|body| key::comment(body)).collect(),
            refused: is_refused,
            ..Added::of(result, CODE, "a comment is missing from it")
        }
    }

    async fn reference(
        &self,
        request: &CaseRequest,
        case_id: &str,
        deadline: Deadline,
    ) -> Option<String> {
        if !request.return_reference {
            return None;
        }
        let domain_id = &request.domain_id;
        self.cases
            .reference_number(domain_id, case_id, deadline)
            .await
    }

    async fn reference_of(
        &self,
        request: &Result<CaseRequest, Failure>,
        done: &Done,
        deadline: Deadline,
    ) -> Option<String> {
        match (request, done) {
            (Ok(request), Done::Created(case) | Done::Existing(case)) => {
                self.reference(request, &case.case_id, deadline).await
            }
            _ => None,
        }
    }
}

/// What became of the contact or of the comments.
struct Added {
    step: Step,
    /// The hashes of the comments that need nothing more since this run.
    settled: Vec<String>,
    /// Whether one of them was refused for good.
    refused: bool,
    /// Whether something was sent, and nobody knows whether the case has it.
    in_doubt: bool,
    /// Whether the case is being merged.
    is_merging: bool,
}

impl Added {
    fn of(result: Result<(), Failure>, code: ErrorCode, what: &str) -> Self {
        let has = |code| result.as_ref().is_err_and(|failure| failure.code == code);
        Self {
            settled: Vec::new(),
            refused: false,
            in_doubt: has(ErrorCode::OutcomeUnknown),
            is_merging: has(ErrorCode::ConflictUnresolved),
            step: Step::of(result, code, what),
        }
    }

    /// A step for which nothing was sent.
    fn nothing(step: Step) -> Self {
        Self {
            step,
            settled: Vec::new(),
            refused: false,
            in_doubt: false,
            is_merging: false,
        }
    }
}

/// Whether a step is never to be done again.
fn settled(step: &Step) -> Option<bool> {
    match step {
        Step::Done => Some(true),
        Step::Missed {
            retryable: false, ..
        } => Some(false),
        Step::NotRequested | Step::Missed { .. } => None,
    }
}
