//! The operations that a pull calls, and their pace: the quotas of the Connect administrator guide, page
//! `amazon-connect-service-limits`, per operation, account and Region. They are shared with everything else in the
//! account, so no pull takes more than half of a burst.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// An operation of the Cases API that only reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    ListDomains,
    GetDomain,
    ListTemplates,
    GetTemplate,
    ListFields,
    BatchGetField,
    ListFieldOptions,
    ListCaseRules,
    BatchGetCaseRule,
}

impl Operation {
    /// The operation's name in the API, and in IAM behind `cases:`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ListDomains => "ListDomains",
            Self::GetDomain => "GetDomain",
            Self::ListTemplates => "ListTemplates",
            Self::GetTemplate => "GetTemplate",
            Self::ListFields => "ListFields",
            Self::BatchGetField => "BatchGetField",
            Self::ListFieldOptions => "ListFieldOptions",
            Self::ListCaseRules => "ListCaseRules",
            Self::BatchGetCaseRule => "BatchGetCaseRule",
        }
    }

    /// Requests a second, and requests at once.
    fn quota(self) -> (u32, u32) {
        match self {
            Self::ListDomains | Self::GetDomain | Self::ListFields => (2, 5),
            Self::ListTemplates | Self::ListCaseRules => (2, 10),
            Self::GetTemplate => (6, 20),
            Self::ListFieldOptions => (6, 16),
            Self::BatchGetField | Self::BatchGetCaseRule => (8, 25),
        }
    }
}

/// When each operation may be called next. What is left of a burst takes up the jitter of the network: requests sent
/// apart may arrive together.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    /// When the requests let through so far would have been sent at the quota's rate, without a burst.
    even: RefCell<HashMap<Operation, Instant>>,
}

impl Pacer {
    /// Waits for the operation's turn. Calls under way at once are let through in the order of their asking.
    pub(super) async fn turn(&self, operation: Operation) {
        let (rate, burst) = operation.quota();
        let interval = Duration::from_secs(1) / rate;
        let lead = interval * (burst / 2).saturating_sub(1);
        let at = {
            let mut even = self.even.borrow_mut();
            let now = Instant::now();
            let next = even.entry(operation).or_insert(now);
            *next = (*next).max(now);
            let at = next.checked_sub(lead).unwrap_or(now);
            *next += interval;
            at
        };
        sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn half_a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let (pacer, start) = (Pacer::default(), Instant::now());
        let mut sent = Vec::new();
        for _ in 0..7 {
            pacer.turn(Operation::ListTemplates).await;
            sent.push(start.elapsed().as_millis());
        }
        assert_eq!(sent, [0, 0, 0, 0, 0, 500, 1000]);
        pacer.turn(Operation::GetTemplate).await;
        assert_eq!(
            start.elapsed().as_millis(),
            1000,
            "another operation waits for none"
        );
    }
}
