//! After the case: the contact, the comments and the reference number, side by side.

use super::Casebridge;
use super::hold::{Claimed, Hold};
use crate::cases::{Addition, Earlier};
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::ledger::Steps;
use crate::outcome::{CaseReference, Done, Outcome, Step};
use crate::request::CaseRequest;

impl Casebridge {
    /// Adds to the case what its request asks for and is not there, and says in the outcome what became of it. The case exists, whatever
    /// happens here.
    pub(super) async fn complete(
        &self,
        request: &CaseRequest,
        done: &Done,
        hold: &mut Hold<'_>,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) {
        let (Done::Created(case) | Done::Existing(case)) = done else {
            return;
        };
        let earlier = match done {
            _ if hold.may_hide_items() => Earlier::PerhapsUnseen,
            Done::Created(_) if !hold.repeated => Earlier::Nothing,
            _ => Earlier::Shown,
        };
        let addition = Addition {
            domain_id: &request.domain_id,
            case_id: &case.case_id,
            performed_by: &request.performed_by,
            earlier,
            deadline,
        };
        let before = hold.steps().cloned().unwrap_or_default();
        let adds = request.contact.is_some() || !request.comments.is_empty();
        let (contact, comment);
        ((), contact, comment, outcome.reference_number) = tokio::join!(
            async {
                if adds {
                    hold.before_items(case, earlier, deadline).await;
                }
            },
            self.link(request, before.contact, addition),
            self.comment(request, before.comments, addition),
            self.reference(request, addition),
        );
        let in_doubt = contact.in_doubt || comment.in_doubt;
        (outcome.contact, outcome.comment) = (contact.step, comment.step);
        hold.after_items(earlier, in_doubt);
        if let Some(steps) = hold.steps() {
            steps.set_case(case);
            steps.contact = settled(&outcome.contact);
            steps.comments = settled(&outcome.comment);
        }
    }

    /// The answer to an event whose key has all of its case: that case, with what this occurrence attaches to it.
    pub(super) async fn finished(
        &self,
        request: &CaseRequest,
        steps: Steps,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) -> Result<Done, Failure> {
        if request.attaches() && steps.occurrence != request.occurrence {
            return self.join(request, steps.case(), deadline, outcome).await;
        }
        outcome.contact = Step::told(steps.contact, ErrorCode::ContactNotLinked);
        outcome.comment = Step::told(steps.comments, ErrorCode::CommentNotAdded);
        let case = sound(steps.case())?;
        outcome.reference_number = self.reference_of(request, &case, deadline).await;
        Ok(Done::Existing(case))
    }

    /// The answer to another event of a key that has its case.
    pub(super) async fn join(
        &self,
        request: &CaseRequest,
        case: Option<CaseReference>,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) -> Result<Done, Failure> {
        let case = sound(case)?;
        match &request.occurrence {
            Some(occurrence) if request.attaches() => {
                self.attach(request, occurrence, case, deadline, outcome)
                    .await
            }
            _ => {
                outcome.reference_number = self.reference_of(request, &case, deadline).await;
                Ok(Done::Existing(case))
            }
        }
    }

    /// Attaches contact and comment of another occurrence, which has a claim of its own: for this case, as with a window the key's next case
    /// gets them too.
    async fn attach(
        &self,
        request: &CaseRequest,
        occurrence: &str,
        case: CaseReference,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) -> Result<Done, Failure> {
        let id = format!("{}.{occurrence}", case.case_id);
        let done = Done::Existing(case);
        let claimed = self.claim(&id, Some(occurrence), &request.ledger, deadline);
        match claimed.await? {
            Claimed::Finished(steps) => {
                outcome.contact = Step::told(steps.contact, ErrorCode::ContactNotLinked);
                outcome.comment = Step::told(steps.comments, ErrorCode::CommentNotAdded);
                Ok(done)
            }
            Claimed::Held(mut hold) => {
                let until = hold.time_to_work(deadline);
                self.complete(request, &done, &mut hold, until, outcome)
                    .await;
                let missing = outcome.missing().is_some();
                let result = Ok(done);
                hold.settle(&result, missing, deadline).await;
                result
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
        before: Option<bool>,
        addition: Addition<'_>,
    ) -> Added {
        const CODE: ErrorCode = ErrorCode::CommentNotAdded;
        if request.comments.is_empty() {
            return Added::nothing(Step::NotRequested);
        }
        if before.is_some() {
            return Added::nothing(Step::told(before, CODE));
        }
        let computed = request.comments.iter();
        let bodies: Vec<&str> = computed.flatten().map(String::as_str).collect();
        let uncomputed = request.comments.iter().find_map(|body| body.as_ref().err());
        let added = match self.cases.add_comments(addition, &bodies).await {
            Ok(()) => uncomputed.cloned().map_or(Ok(()), Err),
            Err(failure) => Err(failure),
        };
        Added::of(added, CODE, "a comment is missing from it")
    }

    async fn reference(&self, request: &CaseRequest, addition: Addition<'_>) -> Option<String> {
        if !request.return_reference {
            return None;
        }
        self.cases.reference_number(addition).await
    }

    async fn reference_of(
        &self,
        request: &CaseRequest,
        case: &CaseReference,
        deadline: Deadline,
    ) -> Option<String> {
        let addition = Addition {
            domain_id: &request.domain_id,
            case_id: &case.case_id,
            performed_by: &request.performed_by,
            earlier: Earlier::Shown,
            deadline,
        };
        self.reference(request, addition).await
    }
}

/// What became of the contact or of the comments.
struct Added {
    step: Step,
    /// Whether something was sent, and nobody knows whether the case has it.
    in_doubt: bool,
}

impl Added {
    fn of(result: Result<(), Failure>, code: ErrorCode, what: &str) -> Self {
        let unknown = |failure: &Failure| failure.code == ErrorCode::OutcomeUnknown;
        Self {
            in_doubt: result.as_ref().is_err_and(unknown),
            step: Step::of(result, code, what),
        }
    }

    /// A step for which nothing was sent.
    fn nothing(step: Step) -> Self {
        Self {
            step,
            in_doubt: false,
        }
    }
}

/// The case of a finished item.
fn sound(case: Option<CaseReference>) -> Result<CaseReference, Failure> {
    case.ok_or_else(|| {
        let message =
            "the ledger's item of this key is marked as done and names no case: delete the item";
        Failure::new(ErrorCode::LedgerUnavailable, message)
    })
}

/// What of a step is not to be done again.
fn settled(step: &Step) -> Option<bool> {
    match step {
        Step::Done => Some(true),
        Step::Missed {
            retryable: false, ..
        } => Some(false),
        Step::NotRequested | Step::Missed { .. } => None,
    }
}
