//! Outcomes: turns the outcome of an event into its answer.
//!
//! Answer, log and metrics name the same failure.

pub use ledger_protocol::steps::CaseReference;
use serde::Serialize;

use crate::error::{ErrorCode, Failure};
use mapping::{CaseMapping, LinkContact};

/// The reason why an event was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// No case mapping accepts the event. For a flow, this is a gap in the mapping.
    NoCaseMapping,
    /// The event is about a case that this function created.
    OwnCaseEvent,
    /// The event is a copy of a contact event, from a Region that is not the contact's active one.
    InactiveRegion,
    /// The event is of a Connect instance that is not allowed. Events of all instances in an account share its bus.
    OtherInstance,
}

impl Skip {
    /// Returns the code as answers and logs spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoCaseMapping => "NoCaseMapping",
            Self::OwnCaseEvent => "OwnCaseEvent",
            Self::InactiveRegion => "InactiveRegion",
            Self::OtherInstance => "OtherInstance",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::NoCaseMapping => {
                "no case mapping takes this event: add one, or narrow what invokes the function"
            }
            Self::OwnCaseEvent => "the event tells of a case that this function created",
            Self::InactiveRegion => {
                "the event is a copy: the contact's active Region publishes the original"
            }
            Self::OtherInstance => {
                "the event is of a Connect instance that is not in ALLOWED_INSTANCES: exclude it in the rule's pattern"
            }
        }
    }
}

/// The outcome of one event.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The case mapping that accepted the event.
    pub mapping: Option<String>,
    /// The profile ARN that the case was to be created with.
    pub customer_arn: Option<String>,
    /// The result.
    pub result: Result<Done, Failure>,
    /// The result of linking the contact to the case.
    pub contact: Step,
    /// The result of adding the comments to the case.
    pub comment: Step,
    /// The case's reference number, if it was requested and read in time.
    pub reference_number: Option<String>,
    /// The fields and tags that were not sent because their values are invalid.
    pub left_out: Vec<String>,
    /// The variables that could not be computed.
    pub invalid_variables: Vec<String>,
}

/// The outcome of a step after the case's creation.
#[derive(Clone, Debug, Default)]
pub enum Step {
    /// The case mapping or the event does not ask for the step.
    #[default]
    NotRequested,
    /// The step is done.
    Done,
    /// The step is not done, or its result is not known. The case exists anyway.
    Missed {
        /// `ContactNotLinked` or `CommentNotAdded`, with the reason.
        failure: Failure,
        /// True if the same event can succeed later.
        retryable: bool,
    },
}

impl Step {
    /// Converts a result into a step.
    #[must_use]
    pub fn of(result: Result<(), Failure>, code: ErrorCode, what: &str) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(reason) => Self::missed(code, what, &reason),
        }
    }

    /// Returns the final state of a step in an earlier run: done, refused or never requested.
    #[must_use]
    pub fn settled(done: Option<bool>, code: ErrorCode) -> Self {
        match done {
            None => Self::NotRequested,
            Some(true) => Self::Done,
            Some(false) => Self::Missed {
                failure: Failure::new(code, "an earlier run was refused; its log says why"),
                retryable: false,
            },
        }
    }

    fn missed(code: ErrorCode, what: &str, reason: &Failure) -> Self {
        let message = format!("the case exists, and {what}: {reason}");
        Self::Missed {
            failure: Failure {
                field: reason.field.clone(),
                ..Failure::new(code, message)
            },
            // A reason with the same code was found before anything was sent. The event itself is then wrong.
            retryable: reason.code != code && reason.code.is_transient(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::NotRequested => "not_requested",
            Self::Done => "true",
            Self::Missed { .. } => "false",
        }
    }
}

/// An event that was handled.
#[derive(Clone, Debug)]
pub enum Done {
    /// The case exists now. Without a ledger, Cases does not distinguish a replay from a new case.
    Created(CaseReference),
    /// The key's case existed already.
    Existing(CaseReference),
    /// Nothing had to be done.
    Skipped(Skip),
}

/// The answer to a flow.
///
/// It always has the same members, and all of them are text. It is therefore valid for both `STRING_MAP` and `JSON`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// `created`, `existing`, `skipped` or `failed`.
    pub status: &'static str,
    /// The case's id, empty if there is no case.
    pub case_id: String,
    /// The case's ARN, empty if there is no case.
    pub case_arn: String,
    /// The case's reference number, empty if it was not requested or there was no time to read it.
    pub reference_number: String,
    /// The state of the contact's link to the case: `true`, `false` or `not_requested`.
    pub contact_linked: &'static str,
    /// The state of the comments: `true` if the case has them, `false` or `not_requested`.
    pub comment_added: &'static str,
    /// The customer's profile ARN, empty if there is none.
    pub customer_arn: String,
    /// The case mapping that accepted the event, empty if none did.
    pub mapping: String,
    /// A code of the closed list, empty on success.
    pub error_code: &'static str,
    /// The field that the error is about, empty if there is none.
    pub error_field: String,
    /// The message for the person who must act, empty on success.
    pub error_message: String,
    /// `true` if the same call can succeed later, else `false`.
    pub retryable: &'static str,
}

/// The maximum length of the message in an answer, in characters. A flow reads at most 32 KB in all.
const MAX_MESSAGE: usize = 2000;

impl Default for Outcome {
    /// Returns an outcome with nothing done yet.
    fn default() -> Self {
        Self {
            mapping: None,
            customer_arn: None,
            result: Ok(Done::Skipped(Skip::NoCaseMapping)),
            contact: Step::NotRequested,
            comment: Step::NotRequested,
            reference_number: None,
            left_out: Vec::new(),
            invalid_variables: Vec::new(),
        }
    }
}

impl Outcome {
    /// Returns the reason why the event is not done.
    ///
    /// There is no case, or a part is missing that a retry may still add.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.result.as_ref().err().or_else(|| self.missing())
    }

    /// Returns the failure of an item that a retry may still add to the case.
    #[must_use]
    pub fn missing(&self) -> Option<&Failure> {
        [&self.contact, &self.comment]
            .into_iter()
            .find_map(|step| match step {
                Step::Missed {
                    failure,
                    retryable: true,
                } => Some(failure),
                _ => None,
            })
    }

    /// Returns the failure that answer, log and metrics name.
    ///
    /// It is the reason why the event is not done, or else the part that is missing permanently.
    #[must_use]
    pub fn named_failure(&self) -> Option<&Failure> {
        let missed = || {
            let mut steps = [&self.contact, &self.comment].into_iter();
            steps.find_map(|step| match step {
                Step::Missed { failure, .. } => Some(failure),
                _ => None,
            })
        };
        self.failure().or_else(missed)
    }

    /// Sets contact and comments to the final states of an earlier run.
    pub fn recall_items(&mut self, contact: Option<bool>, comments: Option<bool>) {
        self.contact = Step::settled(contact, ErrorCode::ContactNotLinked);
        self.comment = Step::settled(comments, ErrorCode::CommentNotAdded);
    }

    /// Reports contact and comments as missing from a case that exists, if the case mapping asks for them.
    ///
    /// They could not be added. Items that an earlier run settled keep their state.
    pub fn miss_items(
        &mut self,
        case_mapping: &CaseMapping,
        contact: Option<bool>,
        comments: Option<bool>,
        failure: &Failure,
    ) {
        let step = |done: Option<bool>, code, what| match done {
            None => Step::of(Err(failure.clone()), code, what),
            Some(_) => Step::settled(done, code),
        };
        if !matches!(case_mapping.link_contact, LinkContact::Never) {
            let code = ErrorCode::ContactNotLinked;
            self.contact = step(contact, code, "the contact is not linked to it");
        }
        if case_mapping.comment.is_some() {
            let code = ErrorCode::CommentNotAdded;
            self.comment = step(comments, code, "a comment is missing from it");
        }
    }

    /// Returns the answer for this outcome.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let mut answer = Answer {
            mapping: self.mapping.clone().unwrap_or_default(),
            customer_arn: self.customer_arn.clone().unwrap_or_default(),
            contact_linked: self.contact.name(),
            comment_added: self.comment.name(),
            reference_number: self.reference_number.clone().unwrap_or_default(),
            retryable: "false",
            ..Answer::default()
        };
        for step in [&self.comment, &self.contact] {
            if let Step::Missed { failure, retryable } = step {
                answer.failure(failure, *retryable || answer.retryable == "true");
            }
        }
        // Logs and metrics count the failure that decides on a retry.
        if let Some(failure) = self.missing() {
            answer.failure(failure, true);
        }
        match &self.result {
            Ok(Done::Created(case)) => answer.case("created", case),
            Ok(Done::Existing(case)) => answer.case("existing", case),
            Ok(Done::Skipped(skip)) => {
                answer.status = "skipped";
                answer.error_code = skip.name();
                skip.message().clone_into(&mut answer.error_message);
            }
            Err(failure) => {
                answer.status = "failed";
                answer.failure(failure, failure.code.is_transient());
            }
        }
        answer
    }
}

impl Answer {
    fn failure(&mut self, failure: &Failure, retryable: bool) {
        self.error_code = failure.code.name();
        self.error_field = failure.field.clone().unwrap_or_default();
        self.error_message = failure.message.chars().take(MAX_MESSAGE).collect();
        self.retryable = if retryable { "true" } else { "false" };
    }

    fn case(&mut self, status: &'static str, case: &CaseReference) {
        self.status = status;
        self.case_id.clone_from(&case.case_id);
        self.case_arn.clone_from(&case.case_arn);
    }
}

#[cfg(test)]
mod tests {
    use super::{CaseReference, Done, Outcome, Step};
    use crate::error::{ErrorCode, Failure};

    /// A retry depends on one of the two codes. Answer and metrics name that code, for either item.
    #[test]
    fn answer_and_metrics_name_the_same_failure() {
        let missed = |code, retryable| Step::Missed {
            failure: Failure::new(code, "no"),
            retryable,
        };
        for (contact, comment) in [(true, true), (true, false), (false, true), (false, false)] {
            let case = CaseReference {
                case_id: "c-1".to_owned(),
                case_arn: String::new(),
            };
            let outcome = Outcome {
                result: Ok(Done::Created(case)),
                contact: missed(ErrorCode::ContactNotLinked, contact),
                comment: missed(ErrorCode::CommentNotAdded, comment),
                ..Outcome::default()
            };
            let expected = match (contact, comment) {
                (false, true) => ErrorCode::CommentNotAdded,
                _ => ErrorCode::ContactNotLinked,
            };
            let named = outcome.named_failure().map(|failure| failure.code);
            assert_eq!(named, Some(expected));
            let answer = outcome.answer();
            assert_eq!(answer.error_code, expected.name());
            assert_eq!(answer.retryable == "true", contact || comment);
        }
    }
}
