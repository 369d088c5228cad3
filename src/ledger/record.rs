//! A ledger item, as the table holds it: the layout of Powertools for AWS Lambda's idempotency, and four attributes more.
//!
//! | attribute | type | what |
//! | --- | --- | --- |
//! | `id` | S | the key's hash; an occurrence that joined the key's case has its own item, `CASE.OCCURRENCE`: the case's id and the occurrence's hash |
//! | `status` | S | `INPROGRESS` or `COMPLETED` |
//! | `in_progress_expiration` | N | when the lease ends, in milliseconds since 1970; 0 when its run ended it; while `INPROGRESS` |
//! | `expiration` | N | when the key may be used anew, in seconds since 1970; with `window` alone, and once there is a case |
//! | `data` | S | the steps done and in doubt, as JSON |
//! | `owner` | S | the run that holds the lease, or held it last |
//! | `started` | N | when the key was first claimed, in milliseconds since 1970 |
//! | `writes` | N | how often the steps were written, so that no takeover overlooks a late write |
//! | `generation` | S | with `window` alone: tells this use of the key from earlier ones |

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::time::{self, CLOCK_SKEW};
use crate::outcome::CaseReference;

/// An item of the table.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The steps of a key, done or possibly done: ids alone, never a customer's words.
///
/// A time `…_sent_until` is a doubt: until then, in milliseconds since 1970, something was sent whose fate nobody knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Steps {
    /// The profile ARN that the case has, or was requested with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_arn: Option<String>,
    /// When a run created that profile, in milliseconds since 1970.
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
    /// Since when the case has been answered to be merging, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merging_since: Option<u64>,
    /// True if the contact is linked: `false` where it never will be, absent where that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<bool>,
    /// True if the comments are added, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<bool>,
    /// The hashes of the comments that need nothing more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comments_settled: Vec<String>,
    /// True if one of them was refused for good.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub comments_refused: bool,
    /// The occurrence that owns the case's contact and comments. With `on_existing: attach` other occurrences have items of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<String>,
}

impl Steps {
    /// The case, if it was created.
    #[must_use]
    pub fn case(&self) -> Option<CaseReference> {
        Some(CaseReference {
            case_id: self.case_id.clone()?,
            case_arn: self.case_arn.clone().unwrap_or_default(),
        })
    }

    /// Returns true if it is certain that nothing was done that lasts.
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

    /// The steps of another occurrence, which begins anew. A profile that was created for the first one is left to a search, and until it has
    /// had time to show, it is a doubt.
    pub(super) fn passed_to(self, occurrence: Option<String>) -> Self {
        Self {
            occurrence,
            customer_sent_until: self.customer_sent_until.max(self.customer_created),
            ..Self::default()
        }
    }

    /// Takes in that a run died: all that it may have sent was sent by the end of its time, which its lease outlasts by the tolerated skew.
    pub(super) fn everything_may_have_been_sent(&mut self, lease_ends: u64) {
        let sent_until = Some(time::before(lease_ends, CLOCK_SKEW));
        if self.case_id.is_none() {
            self.case_sent_until = self.case_sent_until.max(sent_until);
        }
        self.customer_sent_until = self.customer_sent_until.max(sent_until);
        self.contact_sent_until = self.contact_sent_until.max(sent_until);
        self.comments_sent_until = self.comments_sent_until.max(sent_until);
    }

    /// Notes the case: with it, no doubt about `CreateCase` is left.
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
    /// The run itself holds it.
    Ours,
    /// Everything was done for it.
    Done,
    /// Its window is over: it may be used anew.
    Expired,
    /// Nobody holds it, and it is not done.
    Free,
    /// Another run holds it for so long.
    Held(Duration),
}

impl Record {
    /// The state of the key, for the run `owner`.
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

    /// Returns true if the last run ended its lease itself, and wrote down everything that it knew.
    pub(super) fn was_left(&self) -> bool {
        self.lease_ends == LEFT
    }

    /// Reads an item leniently: a lease end that is missing or of another type reads as the first claim's time, so that the item may be taken
    /// over, by a run that assumes nothing of what was done.
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

/// `in_progress_expiration` of a lease that its run ended itself.
pub(super) const LEFT: u64 = 0;

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The steps as the attribute `data`.
pub(super) fn data(steps: &Steps) -> AttributeValue {
    // Text and booleans always become JSON.
    text(serde_json::to_string(steps).unwrap_or_default())
}
