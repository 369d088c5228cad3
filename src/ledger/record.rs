//! Records: turns the steps of a key into a ledger item, and back.
//!
//! The layout is that of Powertools for AWS Lambda's idempotency, with four more attributes.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::time::{self, CLOCK_SKEW};
use crate::outcome::CaseReference;

/// An item of the table.
///
/// | attribute | type | content |
/// | --- | --- | --- |
/// | `id` | S | the key's hash; `CASE.OCCURRENCE` for an occurrence that joined the key's case |
/// | `status` | S | `INPROGRESS` or `COMPLETED` |
/// | `in_progress_expiration` | N | while `INPROGRESS`: the lease's end, in milliseconds since 1970; 0 if its run ended it |
/// | `expiration` | N | with `window` and a case: when the key may be used again, in seconds since 1970 |
/// | `data` | S | the steps that are done and in doubt, as JSON |
/// | `owner` | S | the run that holds the lease, or held it last |
/// | `started` | N | the time of the key's first claim, in milliseconds since 1970 |
/// | `writes` | N | the number of writes of the steps, so that no takeover overlooks a late write |
/// | `generation` | S | with `window`: distinguishes this use of the key from earlier ones |
///
/// `CASE.OCCURRENCE` consists of the case's id and the occurrence's hash.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The steps of a key, done or possibly done. They contain only ids, and never a customer's words.
///
/// A time `…_sent_until` is a doubt, in milliseconds since 1970. The effect of what was sent until then is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    pub(super) fn has_no_case(&self) -> bool {
        self.case_id.is_none() && self.case_sent_until.is_none()
    }

    /// Returns the steps of another occurrence, which begins again.
    ///
    /// A profile that was created for the first occurrence is left to a search.
    /// `CreateProfile` stays in doubt until that profile had time to become visible.
    pub(super) fn passed_to(self, occurrence: Option<String>) -> Self {
        Self {
            occurrence,
            customer_sent_until: self.customer_sent_until.max(self.customer_created),
            ..Self::default()
        }
    }

    /// Records that a run died. Everything that it may have sent was sent by its deadline.
    ///
    /// The lease ends later than that deadline by the tolerated clock skew.
    pub(super) fn everything_may_have_been_sent(&mut self, lease_ends: u64) {
        let sent_until = Some(time::before(lease_ends, CLOCK_SKEW));
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

/// An item that was read.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) owner: String,
    pub(super) completed: bool,
    /// `in_progress_expiration`
    pub(super) lease_ends: u64,
    /// `expiration`
    pub(super) expires: Option<u64>,
    pub(super) started: u64,
    pub(super) writes: u64,
    pub(super) generation: Option<String>,
    pub(super) steps: Steps,
}

/// The state of a key for a run that asks for it.
pub(super) enum State {
    /// The run already holds the key.
    Ours,
    /// Everything was done for the key.
    Done,
    /// The key's window has ended, so the key may be used again.
    Expired,
    /// No run holds the key, and the key is not done.
    Free,
    /// Another run holds the key for this time.
    Held(Duration),
}

impl Record {
    /// Returns the state of the key for the run `owner`.
    pub(super) fn state(&self, owner: &str, now: u64) -> State {
        let has_ended = self.completed || self.lease_ends <= now;
        if self.owner == owner {
            State::Ours
        } else if !has_ended {
            State::Held(Duration::from_millis(self.lease_ends - now))
        } else if self.expires.is_some_and(|expires| expires <= now / 1000) {
            State::Expired
        } else if self.completed {
            State::Done
        } else {
            State::Free
        }
    }

    /// Returns true if the last run ended its lease itself, and recorded everything that it knew.
    pub(super) fn was_left(&self) -> bool {
        self.lease_ends == LEFT
    }

    /// Reads an item leniently. A lease end that is missing or of another type is read as the first claim's time.
    ///
    /// The item may then be taken over, by a run that does not rely on earlier work.
    pub(super) fn read(item: &Item) -> Self {
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
        let number = |name: &str| {
            let value = item.get(name).and_then(|value| value.as_n().ok());
            value.and_then(|value| value.parse::<u64>().ok())
        };
        let steps = text("data").and_then(|data| serde_json::from_str(data).ok());
        Self {
            owner: text("owner").cloned().unwrap_or_default(),
            completed: text("status").is_some_and(|status| status == COMPLETED),
            lease_ends: number("in_progress_expiration")
                .or(number("started"))
                .unwrap_or(1),
            expires: number("expiration"),
            started: number("started").unwrap_or_default(),
            writes: number("writes").unwrap_or_default(),
            generation: text("generation").cloned(),
            steps: steps.unwrap_or_default(),
        }
    }
}

pub(super) const IN_PROGRESS: &str = "INPROGRESS";
pub(super) const COMPLETED: &str = "COMPLETED";

/// The `in_progress_expiration` of a lease that its run ended itself.
pub(super) const LEFT: u64 = 0;

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// Returns the steps as the attribute `data`.
pub(super) fn data(steps: &Steps) -> AttributeValue {
    // Text and booleans always serialize to JSON.
    text(serde_json::to_string(steps).unwrap_or_default())
}
