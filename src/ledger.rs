//! The ledger: turns a key into a claim, or into the steps that are done for it. It is a DynamoDB table.
//!
//! The ledger remembers which keys have their case, because AWS does not say how long Cases remembers a token.
//!
//! A run claims its key before any visible effect: a conditional put with an owner and a lease.
//! At its end it writes once more: the steps that are done and the steps that are in doubt.
//! The lease of a dead run ends. The next run then assumes that everything was sent until that time.

#![expect(
    clippy::disallowed_types,
    reason = "this file is where DynamoDB is called"
)]

mod lease;
mod operations;
mod record;
mod time;

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

pub use self::lease::Lease;
use self::operations::{DELETE_ITEM, GET_ITEM, PUT_ITEM, UPDATE_ITEM};
pub use self::record::Steps;
use self::record::{COMPLETED, IN_PROGRESS, Item, LEFT, Record, State, data, number, text};
pub use self::time::{
    CLOCK_SKEW, ITEM_LAG, LATE_EFFECT, PROFILE_LAG, SEARCH_LAG, TOKEN_AFTER_SEARCH, is_conclusive,
};
pub(crate) use self::time::{before, milliseconds};
use crate::call::{self, Opening, WarmUp};
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};

/// The pause before the first look at a key that another run holds, and the longest later pause.
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LATER_LOOKS: Duration = Duration::from_millis(400);

/// The client of the ledger's table.
#[derive(Clone, Debug)]
pub struct Ledger {
    client: Client,
    table: String,
    clock: SharedTimeSource,
}

/// The run that asks for a key.
#[derive(Clone, Copy, Debug)]
pub struct Claimant<'a> {
    /// The key's hash.
    pub id: &'a str,
    /// The identity of the event that asks for the key.
    pub occurrence: Option<&'a str>,
    /// The time for which the key identifies one case.
    pub window: Option<Duration>,
}

/// The outcome of a claim.
#[derive(Debug)]
pub enum Claim {
    /// The key is ours until the lease ends.
    Ours(Lease),
    /// Another run still held the key when the time was up.
    Another,
    /// Everything was done for the key.
    Done(Steps),
}

impl Ledger {
    /// Creates a client of the table in the account, Region and endpoint of `config`.
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

    /// Opens the connection to DynamoDB, without claiming a key.
    pub async fn warm_up(&self) -> Opening {
        let Ok(call) = PUT_ITEM.warm_up() else {
            return Opening::NONE;
        };
        let warm_up = WarmUp::of(&call, "{}");
        let builder = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("id", text("warm-up"));
        let sent = call::send!(builder, warm_up);
        Opening::of(call, warm_up, &sent)
    }

    /// Returns true if the table has an item of the key.
    ///
    /// # Errors
    /// `LedgerUnavailable`, or a refusal by DynamoDB.
    pub async fn knows(&self, id: &str, deadline: Deadline) -> Result<bool, Failure> {
        let call = GET_ITEM.repeatable(deadline)?;
        let builder = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", text(id))
            .consistent_read(true);
        let sent = call::send!(builder, call.attempts);
        match sent {
            Ok(output) => Ok(output.item.is_some()),
            Err(error) => Err(unavailable(call.failure(&error))),
        }
    }

    /// Claims a key until the deadline.
    ///
    /// While another run holds the key, this waits until that run finishes or its lease ends.
    /// The wait for DynamoDB itself is at most `patience`.
    ///
    /// # Errors
    /// `LedgerUnavailable`, or a refusal by DynamoDB.
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
        let mut lease = Lease::new(id, occurrence, window, self.now());
        let mut pause = FIRST_LOOK;
        loop {
            lease.claim_at(self.now());
            let ends = self.lease_end(deadline);
            let calls = deadline.min(Deadline::after(patience));
            let Some(record) = self.put(&mut lease, ends, None, calls).await? else {
                return Ok(self.ours(lease));
            };
            // A run that loses a race below waits like the others.
            let mut wait = pause;
            match record.state(&lease.owner, self.now()) {
                // The answer to our own put was lost.
                State::Ours => return Ok(self.ours(lease)),
                State::Done => return Ok(Claim::Done(record.steps)),
                State::Expired => {
                    if self
                        .put(&mut lease, ends, Some(&record), calls)
                        .await?
                        .is_none()
                    {
                        return Ok(self.ours(lease));
                    }
                }
                State::Free => {
                    let from = (record.owner.clone(), record.lease_ends, record.writes);
                    let taken = lease.over(record, self.now());
                    if self.take_over(&taken, from, ends, calls).await? {
                        return Ok(self.ours(taken));
                    }
                }
                State::Held(left) => wait = pause.min(left),
            }
            if deadline.remaining() <= wait {
                return Ok(Claim::Another);
            }
            tokio::time::sleep(wait).await;
            lease.waited = true;
            pause = (pause * 2).min(LATER_LOOKS);
        }
    }

    /// Returns a claim that was just confirmed.
    fn ours(&self, lease: Lease) -> Claim {
        Claim::Ours(lease.held_at(self.now()))
    }

    /// Marks the key as done.
    ///
    /// # Errors
    /// `InProgress`: another run has taken over. `LedgerUnavailable`, or a refusal by DynamoDB.
    pub async fn complete(&self, lease: &Lease, deadline: Deadline) -> Result<(), Failure> {
        self.settle(lease, COMPLETED, deadline).await
    }

    /// Ends the lease at once. The next run continues from the recorded steps.
    ///
    /// # Errors
    /// The errors of [`complete`](Self::complete).
    pub async fn leave(&self, lease: &Lease, deadline: Deadline) -> Result<(), Failure> {
        self.settle(lease, IN_PROGRESS, deadline).await
    }

    /// Releases the key as if it had never been claimed, because nothing was done for it.
    ///
    /// # Errors
    /// `LedgerUnavailable`, or a refusal by DynamoDB.
    pub async fn free(&self, lease: &Lease, deadline: Deadline) -> Result<(), Failure> {
        let call = DELETE_ITEM.repeatable(deadline)?;
        let builder = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("id", text(&lease.id))
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(&lease.owner));
        let sent = call::send!(builder, call.attempts);
        match sent {
            Ok(_) => Ok(()),
            // Another run has taken the key over, so this run must not release it.
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

    /// Returns the end of a lease that starts now, for work until the deadline, in milliseconds since 1970.
    ///
    /// The lease ends later than the deadline by the tolerated clock skew.
    /// No other clock then reads the lease as ended while its run may still send something.
    fn lease_end(&self, deadline: Deadline) -> u64 {
        time::after(self.now(), deadline.remaining() + CLOCK_SKEW)
    }

    /// Returns the current time in milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        time::milliseconds(self.clock.now())
    }

    /// Puts the item of a first claim, if there is no item or its window has ended.
    ///
    /// Returns the existing item if the condition does not hold.
    async fn put(
        &self,
        lease: &mut Lease,
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
        let builder = absent_or(put, in_place_of)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let sent = call::send!(builder, call.attempts);
        // An attempt that was abandoned may still arrive.
        lease.is_contested |= call.attempts.begun() > 1;
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

    /// Takes over the lease of a run that lost it. Returns `false` if another run was faster, or if that run has written since.
    async fn take_over(
        &self,
        lease: &Lease,
        (owner, lease_ends, writes): (String, u64, u64),
        ends: u64,
        deadline: Deadline,
    ) -> Result<bool, Failure> {
        let call = UPDATE_ITEM.repeatable(deadline)?;
        let builder = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", text(&lease.id))
            .update_expression(
                "SET #owner = :owner, #status = :status, in_progress_expiration = :ends, started = :started, #data = :data",
            )
            // An absent member means that no ledger wrote the item, so no run holds it. Our own owner means a repeated attempt.
            .condition_expression(
                "NOT #status = :completed AND (attribute_not_exists(writes) OR writes = :seen) AND (#owner = :owner OR (attribute_exists(id) AND (attribute_not_exists(#owner) OR #owner = :before) AND (attribute_not_exists(in_progress_expiration) OR in_progress_expiration = :ended)))",
            )
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#data", "data")
            .expression_attribute_values(":started", number(lease.started))
            .expression_attribute_values(":data", data(&lease.steps))
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":before", text(owner))
            .expression_attribute_values(":ends", number(ends))
            .expression_attribute_values(":ended", number(lease_ends))
            .expression_attribute_values(":seen", number(writes))
            .expression_attribute_values(":status", text(IN_PROGRESS))
            .expression_attribute_values(":completed", text(COMPLETED));
        let sent = call::send!(builder, call.attempts);
        match sent {
            Ok(_) => Ok(true),
            Err(error) if is_lost(error.as_service_error()) => Ok(false),
            Err(error) => Err(unavailable(call.failure(&error))),
        }
    }

    /// Writes the final update of a run: the steps, and the status for the next run.
    async fn settle(&self, lease: &Lease, status: &str, deadline: Deadline) -> Result<(), Failure> {
        let call = UPDATE_ITEM.repeatable(deadline)?;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", text(&lease.id))
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#data", "data")
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":status", text(status))
            .expression_attribute_values(":data", data(&lease.steps))
            .expression_attribute_values(":writes", number(lease.writes + 1));
        // A repetition of this write finds its own count. A late write finds a higher count, another owner or another status.
        let mut condition =
            "#owner = :owner AND (attribute_not_exists(writes) OR writes <= :writes)".to_owned();
        let mut assignments = "SET #status = :status, #data = :data, writes = :writes".to_owned();
        let update = match lease.expires() {
            Some(expires) => {
                assignments.push_str(", expiration = :expires");
                update.expression_attribute_values(":expires", number(expires))
            }
            None => update,
        };
        let update = if status == COMPLETED {
            assignments.push_str(" REMOVE in_progress_expiration");
            update
        } else {
            condition.push_str(" AND #status = :status");
            assignments.push_str(", in_progress_expiration = :left");
            update.expression_attribute_values(":left", number(LEFT))
        };
        let builder = update
            .condition_expression(condition)
            .update_expression(assignments);
        let sent = call::send!(builder, call.attempts);
        match sent {
            Ok(_) => Ok(()),
            Err(error) if is_lost(error.as_service_error()) => {
                let message = "another invocation took this key over, because this one took too long; retry with the same key to get its case";
                Err(Failure::new(ErrorCode::InProgress, message))
            }
            Err(error) => Err(unavailable(call.failure(&error))),
        }
    }
}

/// Adds the condition of a first claim: no item, or still the expired one that was read.
fn absent_or(put: PutItemFluentBuilder, in_place_of: Option<&Record>) -> PutItemFluentBuilder {
    let Some(record) = in_place_of else {
        return put.condition_expression("attribute_not_exists(id)");
    };
    put.condition_expression(
        "(attribute_not_exists(#owner) OR #owner = :before) AND #status = :status AND (attribute_not_exists(writes) OR writes = :seen)",
    )
    .expression_attribute_names("#owner", "owner")
    .expression_attribute_names("#status", "status")
    .expression_attribute_values(":before", text(&record.owner))
    .expression_attribute_values(":seen", number(record.writes))
    .expression_attribute_values(
        ":status",
        text(if record.completed { COMPLETED } else { IN_PROGRESS }),
    )
}

fn is_lost(error: Option<&UpdateItemError>) -> bool {
    matches!(
        error,
        Some(UpdateItemError::ConditionalCheckFailedException(_))
    )
}

/// Converts a transient failure to `LedgerUnavailable`. A permanent failure keeps its code.
fn unavailable(failure: Failure) -> Failure {
    if !failure.code.is_transient() {
        return failure;
    }
    let message = format!("the ledger cannot be used: {failure}");
    Failure::new(ErrorCode::LedgerUnavailable, message)
}
