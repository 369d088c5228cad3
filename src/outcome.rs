//! What became of an event, and the answer that says it.

use serde::Serialize;

use crate::error::Failure;

/// Why an event was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// No case mapping takes it. In a flow that is a gap in the mapping.
    NoCaseMapping,
    /// It tells of a case that we created.
    OwnCaseEvent,
    /// It is a copy of a contact event, from a Region that is not the contact's active one.
    InactiveRegion,
}

impl Skip {
    /// The code as answers and logs spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoCaseMapping => "NoCaseMapping",
            Self::OwnCaseEvent => "OwnCaseEvent",
            Self::InactiveRegion => "InactiveRegion",
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
        }
    }
}

/// What became of one event.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The case mapping that took it.
    pub mapping: Option<String>,
    /// The profile ARN that the case was to be created with.
    pub customer_arn: Option<String>,
    /// The result.
    pub result: Result<Done, Failure>,
}

/// An event that was dealt with.
#[derive(Clone, Debug)]
pub enum Done {
    /// The case exists now. Without a ledger Cases does not tell a replay from a new case.
    Created(CaseReference),
    /// The key's case was there already.
    Existing(CaseReference),
    /// Nothing was to be done.
    Skipped(Skip),
}

/// A case.
#[derive(Clone, Debug)]
pub struct CaseReference {
    /// `caseId`
    pub case_id: String,
    /// `caseArn`
    pub case_arn: String,
}

/// The answer to a flow: always the same members, all text, so that it is valid for `STRING_MAP` and `JSON` alike.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// `created`, `existing`, `skipped` or `failed`.
    pub status: &'static str,
    /// The case's id, empty where there is no case.
    pub case_id: String,
    /// The case's ARN, empty where there is no case.
    pub case_arn: String,
    /// Always empty in this release.
    pub reference_number: String,
    /// Always `not_requested` in this release.
    pub contact_linked: &'static str,
    /// Always `not_requested` in this release.
    pub comment_added: &'static str,
    /// The customer's profile ARN, empty where there is none.
    pub customer_arn: String,
    /// The case mapping that took the event, empty if none did.
    pub mapping: String,
    /// A code of the closed list, empty on success.
    pub error_code: &'static str,
    /// The field that the error is about, empty if none.
    pub error_field: String,
    /// The sentence for the person who must act, empty on success.
    pub error_message: String,
    /// `true` or `false`: whether the same call can succeed later.
    pub retryable: &'static str,
}

/// The longest sentence an answer carries: a flow reads at most 32 KB in all.
const MAX_MESSAGE: usize = 2000;

impl Outcome {
    /// The answer that tells it.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let mut answer = Answer {
            mapping: self.mapping.clone().unwrap_or_default(),
            customer_arn: self.customer_arn.clone().unwrap_or_default(),
            contact_linked: "not_requested",
            comment_added: "not_requested",
            retryable: "false",
            ..Answer::default()
        };
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
                answer.error_code = failure.code.name();
                answer.error_field = failure.field.clone().unwrap_or_default();
                answer.error_message = failure.message.chars().take(MAX_MESSAGE).collect();
                answer.retryable = if failure.code.is_transient() {
                    "true"
                } else {
                    "false"
                };
            }
        }
        answer
    }
}

impl Answer {
    fn case(&mut self, status: &'static str, case: &CaseReference) {
        self.status = status;
        self.case_id.clone_from(&case.case_id);
        self.case_arn.clone_from(&case.case_arn);
    }
}
