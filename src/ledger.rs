//! The ledger: a DynamoDB table that remembers which keys have their case, for as long as nobody knows how long Cases remembers a token.
//!
//! A run claims its key before it does anything that shows: a conditional put with an owner and a lease. Later writes hold only while it is
//! the owner. A run that died leaves a lease behind that ends; the next one takes over where it stopped.

#![expect(
    clippy::disallowed_types,
    reason = "this file is where DynamoDB is called"
)]

mod lease;
mod operations;
mod record;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder as ConfigBuilder;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use aws_smithy_async::time::SharedTimeSource;
use futures_util::FutureExt as _;

pub use self::lease::Lease;
use self::lease::{Taken, end};
use self::operations::{DELETE_ITEM, PUT_ITEM, UPDATE_ITEM};
pub use self::record::Steps;
use self::record::{COMPLETED, IN_PROGRESS, Item, Record, data, number, text};
use crate::call::{self, WarmUp};
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};

/// How long to wait before the first and between later looks at a key that another run holds.
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LATER_LOOKS: Duration = Duration::from_millis(400);

/// How old a claim is before a takeover looks for the case first: younger, and Cases still remembers the token.
pub const TAKEOVER_SEARCH_AFTER: Duration = Duration::from_mins(5);

/// How long ago a profile must have been asked for to be sure that search would show it: shorter than Lambda's retries take.
pub const PROFILE_SEEN_AFTER: Duration = Duration::from_mins(1);

/// How long ago a contact or a comment must have been sent to be sure that a look at the case would show it: shorter than Lambda's retries
/// take.
pub const ITEM_SHOWN_AFTER: Duration = Duration::from_secs(30);

/// The client of the ledger's table.
#[derive(Clone, Debug)]
pub struct Ledger {
    client: Client,
    table: String,
    clock: SharedTimeSource,
}

/// Who asks for a key.
#[derive(Clone, Copy, Debug)]
pub struct Claimant<'a> {
    /// The key's hash.
    pub id: &'a str,
    /// Which of the key's events asks.
    pub occurrence: Option<&'a str>,
    /// How long the key stands for one case.
    pub window: Option<Duration>,
}

/// What came of asking for a key.
#[derive(Debug)]
pub enum Claim {
    /// It is ours until the lease ends.
    Held(Lease),
    /// All of it is done.
    Finished(Steps),
}

impl Ledger {
    /// A client of the table in the account, Region and endpoint of `config`.
    #[must_use]
    pub fn new(config: &SdkConfig, table: String) -> Self {
        let clock = config.time_source().unwrap_or_default();
        let config = call::configured!(ConfigBuilder::from(config)).build();
        Self {
            client: Client::from_conf(config),
            table,
            clock,
        }
    }

    /// Opens the connection to DynamoDB, and claims nothing.
    pub async fn warm_up(&self) {
        let Ok(call) = PUT_ITEM.warm_up() else {
            return;
        };
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("id", text("warm-up"))
            .customize()
            .interceptor(WarmUp::of(&call, "{}"))
            .send()
            .boxed()
            .await;
        call.warmed_up(&sent);
    }

    /// Claims a key until the deadline. While another run holds it, this waits for it to finish or to lose its lease; for DynamoDB itself it
    /// waits as long as `patience`.
    ///
    /// # Errors
    /// `InProgress`: the time was up before the other run was done. `LedgerUnavailable`, or what DynamoDB refused.
    pub async fn claim(
        &self,
        Claimant {
            id,
            occurrence,
            window,
        }: Claimant<'_>,
        patience: Duration,
        deadline: Deadline,
    ) -> Result<Claim, Failure> {
        let lease = Lease::new(id, occurrence, window, self.now());
        let mut pause = FIRST_LOOK;
        loop {
            let ends = self.end(deadline);
            let calls = deadline.min(Deadline::after(patience));
            let Some(record) = self.put(&lease, ends, None, calls).await? else {
                return Ok(Claim::Held(lease));
            };
            let now = self.now();
            if record.owner == lease.owner {
                // Our own put, whose answer got lost.
                return Ok(Claim::Held(lease));
            }
            // Who loses a race below waits like everybody else.
            let mut wait = pause;
            if record.completed {
                if record.expires.is_none_or(|expires| expires > now / 1000) {
                    return Ok(Claim::Finished(record.steps));
                }
                if self
                    .put(&lease, ends, Some(&record), calls)
                    .await?
                    .is_none()
                {
                    return Ok(Claim::Held(lease));
                }
            } else if record.lease_ends <= now {
                let taken = lease.over(record);
                if let Some(taken) = self.take_over(taken, ends, calls).await? {
                    return Ok(Claim::Held(taken));
                }
            } else {
                wait = pause.min(Duration::from_millis(record.lease_ends - now));
            }
            if deadline.remaining() <= wait {
                let message = "another run is creating this key's case, and was not done in time; calling again with the same key gives its case";
                return Err(Failure::new(ErrorCode::InProgress, message));
            }
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(LATER_LOOKS);
        }
    }

    /// Writes down the steps that are done so far.
    ///
    /// # Errors
    /// `InProgress`: another run has taken over. `LedgerUnavailable`, or what DynamoDB refused.
    pub async fn record(&self, lease: &Lease, deadline: Deadline) -> Result<(), Failure> {
        let ends = self.end(deadline);
        self.update(lease, IN_PROGRESS, Some(ends), deadline).await
    }

    /// Marks the key as done.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    pub async fn complete(&self, lease: &Lease, deadline: Deadline) -> Result<(), Failure> {
        self.update(lease, COMPLETED, None, deadline).await
    }

    /// Ends the lease at once: the next run takes over where this one stopped.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    pub async fn leave(&self, lease: &Lease, deadline: Deadline) -> Result<(), Failure> {
        let now = self.now();
        self.update(lease, IN_PROGRESS, Some(now), deadline).await
    }

    /// Gives the key back as if it had never been claimed: nothing was done for it.
    ///
    /// # Errors
    /// `LedgerUnavailable`, or what DynamoDB refused.
    pub async fn free(&self, lease: &Lease, deadline: Deadline) -> Result<(), Failure> {
        let call = DELETE_ITEM.repeatable(deadline)?;
        let sent = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("id", text(&lease.id))
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(&lease.owner))
            .customize()
            .interceptor(call.attempts.clone())
            .send()
            .boxed()
            .await;
        match sent {
            Ok(_) => Ok(()),
            // Another run has taken the key over: it is not ours to give back.
            Err(error)
                if matches!(
                    error.as_service_error(),
                    Some(DeleteItemError::ConditionalCheckFailedException(_))
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(unavailable(call.failure(&error))),
        }
    }

    /// Whether a claim is so old that Cases may have forgotten its token.
    #[must_use]
    pub fn is_old(&self, lease: &Lease) -> bool {
        self.passed(lease.started) >= TAKEOVER_SEARCH_AFTER
    }

    /// The time since a moment, in milliseconds since 1970.
    #[must_use]
    pub fn passed(&self, since: u64) -> Duration {
        Duration::from_millis(self.now().saturating_sub(since))
    }

    /// When a lease ends that is taken now for work until the deadline, in milliseconds since 1970.
    #[must_use]
    pub fn end(&self, deadline: Deadline) -> u64 {
        end(self.now(), deadline)
    }

    /// Now, in milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        let now = self.clock.now();
        let since = now.duration_since(std::time::SystemTime::UNIX_EPOCH);
        u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
    }

    /// Puts the item of a first claim: where there is none, or in place of one whose window is over. The item that is there otherwise.
    async fn put(
        &self,
        lease: &Lease,
        ends: u64,
        in_place_of: Option<&Record>,
        deadline: Deadline,
    ) -> Result<Option<Record>, Failure> {
        let call = PUT_ITEM.repeatable(deadline)?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(lease.item(ends)));
        let sent = absent_or(put, in_place_of)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .interceptor(call.attempts.clone())
            .send()
            .boxed()
            .await;
        let Err(error) = sent else {
            return Ok(None);
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Some(Record::read(failed.item().unwrap_or(&Item::new()))))
            }
            _ => Err(unavailable(call.failure(&error))),
        }
    }

    /// Takes the lease of a run that lost it; `None` when another run was faster.
    async fn take_over(
        &self,
        Taken { lease, from }: Taken,
        ends: u64,
        deadline: Deadline,
    ) -> Result<Option<Lease>, Failure> {
        let call = UPDATE_ITEM.repeatable(deadline)?;
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", text(&lease.id))
            .update_expression(
                "SET #owner = :owner, #status = :status, in_progress_expiration = :ends",
            )
            // What is absent was not written by a ledger: it is nobody's.
            .condition_expression(
                "NOT #status = :completed AND (#owner = :owner OR (attribute_exists(id) AND (attribute_not_exists(#owner) OR #owner = :before) AND (attribute_not_exists(in_progress_expiration) OR in_progress_expiration = :ended)))",
            )
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":before", text(from.owner))
            .expression_attribute_values(":ends", number(ends))
            .expression_attribute_values(":ended", number(from.lease_ends))
            .expression_attribute_values(":status", text(IN_PROGRESS))
            .expression_attribute_values(":completed", text(COMPLETED))
            .customize()
            .interceptor(call.attempts.clone())
            .send()
            .boxed()
            .await;
        match sent {
            Ok(_) => Ok(Some(lease)),
            Err(error) if is_lost(error.as_service_error()) => Ok(None),
            Err(error) => Err(unavailable(call.failure(&error))),
        }
    }

    async fn update(
        &self,
        lease: &Lease,
        status: &str,
        lease_ends: Option<u64>,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let call = UPDATE_ITEM.repeatable(deadline)?;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", text(&lease.id))
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#data", "data")
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":status", text(status))
            .expression_attribute_values(":data", data(&lease.steps));
        let update = match (lease_ends, lease.window) {
            // A write that was given up on may arrive late: it must neither open again what is done nor undo a later one.
            (Some(ends), _) => update
                .condition_expression(
                    "#owner = :owner AND #status = :status AND (attribute_not_exists(writes) OR writes <= :writes)",
                )
                .update_expression(
                    "SET #status = :status, #data = :data, in_progress_expiration = :ends, writes = :writes",
                )
                .expression_attribute_values(":writes", number(lease.next_write()))
                .expression_attribute_values(":ends", number(ends)),
            (None, None) => update.update_expression(
                "SET #status = :status, #data = :data REMOVE in_progress_expiration",
            ),
            (None, Some(window)) => update
                .update_expression(
                    "SET #status = :status, #data = :data, expiration = :over REMOVE in_progress_expiration",
                )
                .expression_attribute_values(
                    ":over",
                    number(self.now() / 1000 + window.as_secs()),
                ),
        };
        let sent = update
            .customize()
            .interceptor(call.attempts.clone())
            .send()
            .boxed()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) if is_lost(error.as_service_error()) => {
                let message = "another run has taken this key over, as this one took too long; calling again with the same key gives its case";
                Err(Failure::new(ErrorCode::InProgress, message))
            }
            Err(error) => Err(unavailable(call.failure(&error))),
        }
    }
}

/// The condition under which a first claim holds.
fn absent_or(put: PutItemFluentBuilder, in_place_of: Option<&Record>) -> PutItemFluentBuilder {
    let Some(record) = in_place_of else {
        return put.condition_expression("attribute_not_exists(id)");
    };
    put.condition_expression(
        "(attribute_not_exists(#owner) OR #owner = :before) AND #status = :completed",
    )
    .expression_attribute_names("#owner", "owner")
    .expression_attribute_names("#status", "status")
    .expression_attribute_values(":before", text(&record.owner))
    .expression_attribute_values(":completed", text(COMPLETED))
}

fn is_lost(error: Option<&UpdateItemError>) -> bool {
    matches!(
        error,
        Some(UpdateItemError::ConditionalCheckFailedException(_))
    )
}

/// What may pass is the ledger's own failure; what may not keeps its code.
fn unavailable(failure: Failure) -> Failure {
    if !failure.code.is_transient() {
        return failure;
    }
    let message = format!("the ledger cannot be used: {failure}");
    Failure::new(ErrorCode::LedgerUnavailable, message)
}
