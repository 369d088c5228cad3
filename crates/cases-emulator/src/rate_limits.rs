//! The published request quotas, per operation: a rate in requests a second and a burst.
//! <https://docs.aws.amazon.com/connect/latest/adminguide/amazon-connect-service-limits.html>

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::operation::Operation;
use crate::refusal::Refusal;

/// One token bucket per operation; off until switched on.
#[derive(Debug, Default)]
pub(crate) struct RateLimits {
    on: bool,
    buckets: HashMap<Operation, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    /// Requests that may still be made at `at`.
    left: f64,
    at: Instant,
}

impl RateLimits {
    /// Switches the limits on, with every bucket full, or off.
    pub(crate) fn set(&mut self, on: bool) {
        *self = Self {
            on,
            buckets: HashMap::new(),
        };
    }

    /// Takes one request from the operation's bucket.
    pub(crate) fn take(&mut self, operation: Operation, now: Instant) -> Result<(), Refusal> {
        if !self.on {
            return Ok(());
        }
        let Some((rate, burst)) = quota(operation) else {
            return Ok(());
        };
        let (rate, burst) = (f64::from(rate), f64::from(burst));
        let bucket = self.buckets.entry(operation).or_insert(Bucket {
            left: burst,
            at: now,
        });
        let elapsed: Duration = now.saturating_duration_since(bucket.at);
        bucket.left = (bucket.left + elapsed.as_secs_f64() * rate).min(burst);
        bucket.at = now;
        if bucket.left < 1.0 {
            return Err(Refusal::Throttling(format!(
                "{} allows {rate} requests a second and {burst} at once",
                operation.name()
            )));
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

/// Requests a second, and requests at once; for Customer Profiles AWS publishes the first alone. Tables
/// and queues have no such quota.
fn quota(operation: Operation) -> Option<(u32, u32)> {
    Some(match operation {
        Operation::CreateCase
        | Operation::SearchCases
        | Operation::ListTemplates
        | Operation::ListCaseRules
        | Operation::CreateRelatedItem
        | Operation::SearchRelatedItems
        | Operation::GetCaseAuditEvents => (2, 10),
        Operation::ListCasesForContact => (2, 2),
        Operation::GetCase => (4, 10),
        Operation::ListFields | Operation::GetDomain | Operation::ListDomains => (2, 5),
        Operation::ListFieldOptions => (6, 16),
        Operation::GetTemplate => (6, 20),
        Operation::BatchGetField | Operation::BatchGetCaseRule => (8, 25),
        Operation::DescribeContact | Operation::GetContactAttributes => (10, 15),
        Operation::SearchProfiles | Operation::CreateProfile | Operation::AddProfileKey => {
            (100, 100)
        }
        Operation::ListProfilesDomains => (5, 5),
        Operation::SendMessage
        | Operation::DeleteItem
        | Operation::GetItem
        | Operation::PutItem
        | Operation::UpdateItem => return None,
    })
}
