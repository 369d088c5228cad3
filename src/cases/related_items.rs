//! Related items: turns a contact and comments into items of a case that exists. Also reads the case's reference number.
//!
//! `CreateRelatedItem` has no client token, so it is sent once.
//! If it may have succeeded without an answer, the case is read.
//! An item that the case does not show is reported as missing. The next run looks again and adds it.

use std::collections::HashSet;

use aws_sdk_connectcases::config::Builder as ConfigBuilder;
use aws_sdk_connectcases::error::ProvideErrorMetadata as _;
use aws_sdk_connectcases::types;
pub use ledger_protocol::holder::Earlier;

use super::{Cases, performer};
use crate::call::{self, NeverInDoubt, Operation};
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::request::User;

const CREATE_RELATED_ITEM: Operation = Operation {
    name: "CreateRelatedItem",
    actions: "cases:CreateRelatedItem, and connect:DescribeContact to link a contact",
    quota: "2 a second",
    not_found: "the case or the contact does not exist any more",
    refused: "it refuses the item; a case has at most 200 of them",
};

const LIST_CASES_FOR_CONTACT: Operation = Operation {
    name: "ListCasesForContact",
    actions: "cases:ListCasesForContact",
    quota: "2 a second",
    not_found: "the contact does not exist any more",
    refused: "it refuses the contact's ARN",
};

const SEARCH_RELATED_ITEMS: Operation = Operation {
    name: "SearchRelatedItems",
    actions: "cases:SearchRelatedItems",
    quota: "2 a second",
    not_found: "the case does not exist any more",
    refused: "it refuses the search for comments",
};

const GET_CASE: Operation = Operation {
    name: "GetCase",
    actions: "cases:GetCase",
    quota: "4 a second",
    not_found: "the case does not exist any more",
    refused: "it refuses the field reference_number",
};

/// The maximum number of pages to read. No case has so many comments, and no contact has so many cases.
const PAGES: usize = 100;

/// The case to add items to, and the user who adds them.
#[derive(Clone, Copy, Debug)]
pub struct Addition<'a> {
    /// `domainId`
    pub domain_id: &'a str,
    /// `caseId`
    pub case_id: &'a str,
    /// `performedBy`
    pub performed_by: &'a User,
    /// The items that an earlier run may have added.
    pub earlier: Earlier,
    /// The time of the first request for the items, in milliseconds since 1970; 0 if unknown. Others added any older item.
    pub since: u64,
    /// True if the run still waits for a case that is being merged.
    pub awaits_merge: bool,
    /// The deadline of the addition.
    pub deadline: Deadline,
}

impl Cases {
    /// Links a contact to the case. A contact that is linked already counts as linked.
    ///
    /// # Errors
    /// Cases returned an error or could not be reached.
    pub async fn link_contact(
        &self,
        addition: Addition<'_>,
        contact_arn: &str,
    ) -> Result<(), Failure> {
        if addition.earlier != Earlier::Nothing {
            let linked = self.is_linked(addition, contact_arn).await;
            if linked.map_err(|failure| unseen(&failure))? {
                return Ok(());
            }
        }
        addition.may_send()?;
        let contact = types::Contact::builder().contact_arn(contact_arn).build();
        let contact = contact.map_err(|_| unbuilt("a contact"))?;
        let content = types::RelatedItemInputContent::Contact(contact);
        match self
            .add(addition, types::RelatedItemType::Contact, content)
            .await
        {
            Ok(Added::Stored) => Ok(()),
            // The contact is on the case already, or the case is being merged. A look at the case decides.
            Ok(Added::Conflict) => match self.is_linked(addition, contact_arn).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(addition.is_merging()),
                Err(failure) => Err(unseen(&failure)),
            },
            Err(failure) if failure.code == ErrorCode::OutcomeUnknown => {
                match self.is_linked(addition, contact_arn).await {
                    Ok(true) => Ok(()),
                    Ok(false) | Err(_) => Err(failure),
                }
            }
            Err(failure) => Err(failure),
        }
    }

    /// Adds the comments in their order, each once.
    ///
    /// A comment that is refused permanently is skipped. Another failure ends the additions.
    pub async fn add_comments(&self, addition: Addition<'_>, bodies: &[&str]) -> AddedComments {
        let mut added = AddedComments::default();
        added.result = self.add_each(addition, bodies, &mut added).await;
        added
    }

    async fn add_each(
        &self,
        addition: Addition<'_>,
        bodies: &[&str],
        added: &mut AddedComments,
    ) -> Result<(), Failure> {
        let mut there = match addition.earlier {
            Earlier::Nothing => HashSet::new(),
            Earlier::Shown | Earlier::PerhapsUnseen => {
                let comments = self.comments(addition).await;
                comments.map_err(|failure| unseen(&failure))?
            }
        };
        for body in bodies {
            if !there.contains(*body) {
                addition.may_send()?;
                match self.add_comment(addition, body).await {
                    Ok(()) => {}
                    Err(failure) if failure.code == ErrorCode::OutcomeUnknown => {
                        there = self.comments(addition).await.map_err(|_| failure.clone())?;
                        if !there.contains(*body) {
                            return Err(failure);
                        }
                    }
                    Err(failure) if failure.code.is_transient() => return Err(failure),
                    Err(failure) => added.refused = added.refused.take().or(Some(failure)),
                }
            }
            added.settled += 1;
        }
        Ok(())
    }

    async fn add_comment(&self, addition: Addition<'_>, body: &str) -> Result<(), Failure> {
        let comment = types::CommentContent::builder()
            .body(body)
            .content_type(types::CommentBodyTextType::Plaintext);
        let comment = comment.build().map_err(|_| unbuilt("a comment"))?;
        let content = types::RelatedItemInputContent::Comment(comment);
        match self
            .add(addition, types::RelatedItemType::Comment, content)
            .await?
        {
            Added::Stored => Ok(()),
            Added::Conflict => Err(addition.is_merging()),
        }
    }

    /// Returns the case's reference number. `None` if it has none, or if it could not be read in time.
    pub async fn reference_number(
        &self,
        domain_id: &str,
        case_id: &str,
        deadline: Deadline,
    ) -> Option<String> {
        let call = GET_CASE.repeatable(deadline).ok()?;
        let field = types::FieldIdentifier::builder().id("reference_number");
        let builder = self
            .client
            .get_case()
            .domain_id(domain_id)
            .case_id(case_id)
            .fields(field.build().ok()?);
        let sent = call::send!(builder, call.attempts);
        let output = match sent {
            Ok(output) => output,
            Err(error) => {
                let failure = call.failure(&error);
                tracing::warn!(
                    error.code = failure.code.name(),
                    "no reference number: {failure}"
                );
                return None;
            }
        };
        let fields = output.fields.into_iter();
        fields
            .filter(|field| field.id == "reference_number")
            .find_map(|field| match field.value {
                Some(types::FieldValueUnion::StringValue(number)) => Some(number),
                _ => None,
            })
    }

    async fn add(
        &self,
        addition: Addition<'_>,
        kind: types::RelatedItemType,
        content: types::RelatedItemInputContent,
    ) -> Result<Added, Failure> {
        let call = CREATE_RELATED_ITEM.unrepeatable(addition.deadline)?;
        let builder = self
            .client
            .create_related_item()
            .domain_id(addition.domain_id)
            .case_id(addition.case_id)
            .r#type(kind)
            .content(content)
            .performed_by(performer(addition.performed_by));
        let no_doubt = ConfigBuilder::default().retry_classifier(NeverInDoubt);
        let sent = call::send!(builder, call.attempts, no_doubt);
        match sent {
            Ok(_) => Ok(Added::Stored),
            // The SDK does not model this error yet.
            Err(error) if error.code() == Some("ConflictException") => Ok(Added::Conflict),
            Err(error) => {
                let failure = call.failure(&error);
                Err(if call.attempts.may_have_succeeded() {
                    Failure::new(ErrorCode::OutcomeUnknown, failure.message)
                } else {
                    failure
                })
            }
        }
    }

    /// Returns true if the contact is linked to the case.
    async fn is_linked(&self, addition: Addition<'_>, contact_arn: &str) -> Result<bool, Failure> {
        let mut token = None;
        for _ in 0..PAGES {
            let call = LIST_CASES_FOR_CONTACT.repeatable(addition.deadline)?;
            let builder = self
                .client
                .list_cases_for_contact()
                .domain_id(addition.domain_id)
                .contact_arn(contact_arn)
                .max_results(10)
                .set_next_token(token);
            let sent = call::send!(builder, call.attempts);
            let output = sent.map_err(|error| call.failure(&error))?;
            if output
                .cases
                .iter()
                .any(|case| case.case_id == addition.case_id)
            {
                return Ok(true);
            }
            token = output.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(false)
    }

    /// Returns the bodies of the comments that an earlier run may have added.
    async fn comments(&self, addition: Addition<'_>) -> Result<HashSet<String>, Failure> {
        let comments = types::CommentFilter::builder().build();
        let (mut bodies, mut token) = (HashSet::new(), None);
        for _ in 0..PAGES {
            let call = SEARCH_RELATED_ITEMS.repeatable(addition.deadline)?;
            let builder = self
                .client
                .search_related_items()
                .domain_id(addition.domain_id)
                .case_id(addition.case_id)
                .filters(types::RelatedItemTypeFilter::Comment(comments.clone()))
                .max_results(25)
                .set_next_token(token);
            let sent = call::send!(builder, call.attempts);
            let output = sent.map_err(|error| call.failure(&error))?;
            let found = output.related_items.into_iter().flatten();
            let found = found.filter(|item| addition.may_have_added(item));
            bodies.extend(found.filter_map(|item| match item.content {
                Some(types::RelatedItemContent::Comment(comment)) => Some(comment.body),
                _ => None,
            }));
            token = output.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(bodies)
    }
}

impl Addition<'_> {
    /// Returns `Ok` if an item that the case does not show may be sent.
    ///
    /// # Errors
    /// `OutcomeUnknown`: an earlier run may have sent the item a moment ago.
    fn may_send(&self) -> Result<(), Failure> {
        if self.earlier != Earlier::PerhapsUnseen {
            return Ok(());
        }
        let message = "an earlier run may have added it a moment ago, and the case does not show it yet; calling again looks first";
        Err(Failure::new(ErrorCode::OutcomeUnknown, message))
    }

    /// Returns true if an earlier run may have added this item. The item is then no older than the request for it.
    fn may_have_added(&self, item: &types::SearchRelatedItemsResponseItem) -> bool {
        let added = item.association_time.to_millis().unwrap_or(i64::MAX);
        u64::try_from(added).unwrap_or_default() >= self.since
    }

    /// Returns the failure of an item while its case is being merged into another case.
    fn is_merging(&self) -> Failure {
        let code = if self.awaits_merge {
            ErrorCode::ConflictUnresolved
        } else {
            ErrorCode::RequestRefused
        };
        let message = "CreateRelatedItem answered ConflictException (HTTP 409): the case is being merged into another";
        Failure::new(code, message)
    }
}

/// The outcome of adding comments.
#[derive(Debug)]
pub struct AddedComments {
    /// The number of comments, from the first, that need nothing more. They are on the case, or refused permanently.
    pub settled: usize,
    /// The reason of the first permanent refusal, if there is one.
    pub refused: Option<Failure>,
    /// The reason why the next comment is not settled, if there is one.
    pub result: Result<(), Failure>,
}

impl Default for AddedComments {
    /// Returns a result with no comment added and no failure.
    fn default() -> Self {
        Self {
            settled: 0,
            refused: None,
            result: Ok(()),
        }
    }
}

/// The result of sending an item.
enum Added {
    /// The item is on the case.
    Stored,
    /// `ConflictException`: the case is being merged, or it has the contact already.
    Conflict,
}

/// Returns the failure of a look at the case. For any reason, the item is still open, because the case was not seen.
fn unseen(reason: &Failure) -> Failure {
    let message = format!("an earlier run may have added it, and a look failed: {reason}");
    Failure::new(ErrorCode::ServiceUnavailable, message)
}

fn unbuilt(what: &str) -> Failure {
    let message = format!("{what} could not be put into the request");
    Failure::new(ErrorCode::InternalError, message)
}
