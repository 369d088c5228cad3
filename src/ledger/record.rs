//! A ledger item, as the table holds it: the layout of Powertools for AWS Lambda's idempotency, and four attributes more.
//!
//! | attribute | type | what |
//! | --- | --- | --- |
//! | `id` | S | the key's hash; an occurrence that joined the key's case has its own item, `CASE.OCCURRENCE`: the case's id and the occurrence's hash |
//! | `status` | S | `INPROGRESS` or `COMPLETED` |
//! | `in_progress_expiration` | N | when the lease ends, in milliseconds since 1970; while `INPROGRESS` |
//! | `expiration` | N | when the key may be used anew, in seconds since 1970; with `window` alone |
//! | `data` | S | the steps done, as JSON |
//! | `owner` | S | the run that holds the lease, or held it last |
//! | `started` | N | when the key was first claimed, in milliseconds since 1970 |
//! | `writes` | N | how often the steps were written, so that a write that arrives late undoes nothing |
//! | `generation` | S | with `window` alone: tells this use of the key from earlier ones |

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::outcome::CaseReference;

/// An item of the table.
pub(super) type Item = HashMap<String, AttributeValue>;

/// What was done for a key: ids alone, never what a customer said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Steps {
    /// When `CreateProfile` was begun, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_begun: Option<u64>,
    /// The ARN of the profile that was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_arn: Option<String>,
    /// `caseId`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_id: Option<String>,
    /// `caseArn`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_arn: Option<String>,
    /// Until when a contact or a comment may have been sent whose fate nobody knows, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_sent_until: Option<u64>,
    /// Whether the contact is linked: `false` where it never will be, absent where that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<bool>,
    /// Whether the comments are added, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<bool>,
    /// The occurrence that claimed the key first. With `on_existing: attach` contact and comments are its own, and others have their own items.
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

    /// Whether nothing is done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            customer_begun,
            customer_arn,
            case_id,
            ..
        } = self;
        customer_begun.is_none() && customer_arn.is_none() && case_id.is_none()
    }

    /// Writes down the case.
    pub fn set_case(&mut self, case: &CaseReference) {
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

impl Record {
    /// Reads an item leniently: what is missing or of another type reads as if an earlier run had left it at once.
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
            lease_ends: number("in_progress_expiration").unwrap_or_default(),
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
