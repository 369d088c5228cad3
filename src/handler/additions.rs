//! After the case: the contact, the comments and the reference number, side by side.

use super::Casebridge;
use crate::cases::Addition;
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::outcome::{CaseReference, Done, Outcome, Step};
use crate::request::CaseRequest;
use crate::trigger::TriggerKind;

impl Casebridge {
    /// Adds to the case what its request asks for, and says in the outcome what became of it. The case exists, whatever happens here.
    pub(super) async fn complete(
        &self,
        request: &CaseRequest,
        done: &Done,
        trigger: TriggerKind,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) {
        let (Done::Created(CaseReference { case_id, .. })
        | Done::Existing(CaseReference { case_id, .. })) = done
        else {
            return;
        };
        let addition = Addition {
            domain_id: &request.domain_id,
            case_id,
            performed_by: &request.performed_by,
            // Nothing tells the first delivery of an event from a later one. A caller waits for a flow, so there the call that only a
            // repetition needs is left out.
            look_first: trigger == TriggerKind::EventBridge || matches!(done, Done::Existing(_)),
            deadline,
        };
        (outcome.contact, outcome.comment, outcome.reference_number) = tokio::join!(
            self.link(request, addition),
            self.comment(request, addition),
            self.reference(request, addition),
        );
    }

    async fn link(&self, request: &CaseRequest, addition: Addition<'_>) -> Step {
        let linked = match &request.contact {
            None => return Step::NotRequested,
            Some(Err(failure)) => Err(failure.clone()),
            Some(Ok(contact_arn)) => self.cases.link_contact(addition, contact_arn).await,
        };
        step(
            linked,
            ErrorCode::ContactNotLinked,
            "the contact is not linked to it",
        )
    }

    async fn comment(&self, request: &CaseRequest, addition: Addition<'_>) -> Step {
        if request.comments.is_empty() {
            return Step::NotRequested;
        }
        let computed = request.comments.iter();
        let bodies: Vec<&str> = computed.flatten().map(String::as_str).collect();
        let uncomputed = request.comments.iter().find_map(|body| body.as_ref().err());
        let added = match self.cases.add_comments(addition, &bodies).await {
            Ok(()) => uncomputed.cloned().map_or(Ok(()), Err),
            Err(failure) => Err(failure),
        };
        step(
            added,
            ErrorCode::CommentNotAdded,
            "a comment is missing from it",
        )
    }

    async fn reference(&self, request: &CaseRequest, addition: Addition<'_>) -> Option<String> {
        if !request.return_reference {
            return None;
        }
        self.cases.reference_number(addition).await
    }
}

fn step(result: Result<(), Failure>, code: ErrorCode, what: &str) -> Step {
    match result {
        Ok(()) => Step::Done,
        Err(reason) => Step::missed(code, what, &reason),
    }
}
