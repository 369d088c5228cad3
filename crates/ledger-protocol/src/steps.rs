//! Steps: what was done for a key, and what may have been done.

use serde::{Deserialize, Serialize};

use crate::time::{CLOCK_SKEW, before};

/// A case.
#[derive(Clone, Debug)]
pub struct CaseReference {
    /// `caseId`
    pub case_id: String,
    /// `caseArn`
    pub case_arn: String,
}

/// The steps of a key, done or possibly done. They contain only ids, and never a customer's words.
///
/// A time `…_sent_until` is a doubt, in milliseconds since 1970. The effect of what was sent until then is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Steps {
    /// The profile ARN of the case, or of the request for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_arn: Option<String>,
    /// The time at which a run created that profile, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_created: Option<u64>,
    /// A doubt about `CreateProfile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_sent_until: Option<u64>,
    /// `caseId`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_id: Option<String>,
    /// `caseArn`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_arn: Option<String>,
    /// A doubt about `CreateCase`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_sent_until: Option<u64>,
    /// A doubt about the contact's `CreateRelatedItem`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_sent_until: Option<u64>,
    /// A doubt about a comment's `CreateRelatedItem`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments_sent_until: Option<u64>,
    /// The time of the first answer that the case is being merged, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merging_since: Option<u64>,
    /// True if the contact is linked, false if it never will be, absent if that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<bool>,
    /// True if the comments are added, false if they never will be, absent if that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<bool>,
    /// The hashes of the comments that need nothing more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comments_settled: Vec<String>,
    /// True if one of the comments was refused permanently.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub comments_refused: bool,
    /// The occurrence that owns the case's contact and comments. With `on_existing: attach`, other occurrences have their own items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<String>,
}

impl Steps {
    /// Returns the case, if it was created.
    #[must_use]
    pub fn case(&self) -> Option<CaseReference> {
        Some(CaseReference {
            case_id: self.case_id.clone()?,
            case_arn: self.case_arn.clone().unwrap_or_default(),
        })
    }

    /// Returns true if it is certain that nothing lasting was done.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.case_id.is_none()
            && self.case_sent_until.is_none()
            && self.customer_created.is_none()
            && self.customer_sent_until.is_none()
    }

    /// Returns true if it is certain that no case was requested.
    pub(crate) fn has_no_case(&self) -> bool {
        self.case_id.is_none() && self.case_sent_until.is_none()
    }

    /// Returns the steps of another occurrence, which begins again.
    ///
    /// A profile that was created for the first occurrence is left to a search.
    /// `CreateProfile` stays in doubt until that profile had time to become visible.
    pub(crate) fn passed_to(self, occurrence: Option<String>) -> Self {
        Self {
            occurrence,
            customer_sent_until: self.customer_sent_until.max(self.customer_created),
            ..Self::default()
        }
    }

    /// Records that a run died. Everything that it may have sent was sent by its deadline.
    ///
    /// The lease ends later than that deadline by the tolerated clock skew.
    pub(crate) fn everything_may_have_been_sent(&mut self, lease_ends: u64) {
        let sent_until = Some(before(lease_ends, CLOCK_SKEW));
        if self.case_id.is_none() {
            self.case_sent_until = self.case_sent_until.max(sent_until);
        }
        self.customer_sent_until = self.customer_sent_until.max(sent_until);
        self.contact_sent_until = self.contact_sent_until.max(sent_until);
        self.comments_sent_until = self.comments_sent_until.max(sent_until);
    }

    /// Records the case. No doubt about `CreateCase` is left.
    pub fn set_case(&mut self, case: &CaseReference) {
        self.case_sent_until = None;
        self.case_id = Some(case.case_id.clone());
        self.case_arn = Some(case.case_arn.clone());
    }
}
