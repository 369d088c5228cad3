//! The rate limiter: it enforces each operation's published quota, a rate in requests a second and a burst.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::operation::Operation;
use crate::service::Refusal;

/// One token bucket per operation; off until switched on.
#[derive(Debug, Default)]
pub(crate) struct RateLimits {
    on: bool,
    buckets: HashMap<Operation, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    /// The number of requests that are still allowed at `at`.
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
        let Some((rate, burst)) = operation.quota() else {
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
