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

mod expression;
mod operations;
mod record;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder as ConfigBuilder;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use aws_smithy_async::time::SharedTimeSource;
use ledger_protocol::item::Record;
pub use ledger_protocol::lease::{Claimant, Ending, Lease};
use ledger_protocol::lease::{Names, Next};
pub use ledger_protocol::steps::Steps;
pub use ledger_protocol::time::{CLOCK_SKEW, PROFILE_LAG};
use ledger_protocol::time::{after, milliseconds};
use ledger_protocol::write::{Change, Write};

use self::expression::Expression;
use self::operations::{DELETE_ITEM, GET_ITEM, PUT_ITEM, UPDATE_ITEM};
use self::record::{Attributes, text};
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
        claimant: Claimant<'_>,
        patience: Duration,
        deadline: Deadline,
    ) -> Result<Claim, Failure> {
        let names = Names {
            owner: random(),
            generation: claimant.window.map(|_| random()),
        };
        let mut lease = Lease::new(claimant, names, self.now());
        let mut pause = FIRST_LOOK;
        loop {
            lease.claim_at(self.now());
            let ends = self.lease_end(deadline);
            let calls = deadline.min(Deadline::after(patience));
            let write = lease.claim(ends);
            let Some(record) = self.put(&mut lease, write, calls).await? else {
                return Ok(self.ours(lease));
            };
            // A run that loses a race below waits like the others.
            let mut wait = pause;
            match lease.found(record, ends, self.now()) {
                Next::Ours => return Ok(self.ours(lease)),
                Next::Done(steps) => return Ok(Claim::Done(*steps)),
                Next::Reuse(write) => {
                    if self.put(&mut lease, *write, calls).await?.is_none() {
                        return Ok(self.ours(lease));
                    }
                }
                Next::TakeOver(taken, write) => {
                    if self.update(*write, calls).await? {
                        return Ok(self.ours(*taken));
                    }
                }
                Next::Wait(left) => wait = pause.min(left),
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
        self.end(lease, Ending::Complete, deadline).await
    }

    /// Ends the lease at once. The next run continues from the recorded steps.
    ///
    /// # Errors
    /// The errors of [`complete`](Self::complete).
    pub async fn leave(&self, lease: &Lease, deadline: Deadline) -> Result<(), Failure> {
        self.end(lease, Ending::Leave, deadline).await
    }

    /// Releases the key as if it had never been claimed, because nothing was done for it.
    ///
    /// # Errors
    /// `LedgerUnavailable`, or a refusal by DynamoDB.
    pub async fn free(&self, lease: &Lease, deadline: Deadline) -> Result<(), Failure> {
        self.end(lease, Ending::Free, deadline).await
    }

    /// Writes the end of a run for its key.
    ///
    /// # Errors
    /// `InProgress`: another run has taken over a key that this run does not free. `LedgerUnavailable`, or a refusal by DynamoDB.
    pub async fn end(
        &self,
        lease: &Lease,
        ending: Ending,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let write = lease.end(ending);
        let (Ending::Complete | Ending::Leave) = ending else {
            return self.delete(write, deadline).await;
        };
        if self.update(write, deadline).await? {
            return Ok(());
        }
        let message = "another invocation took this key over, because this one took too long; retry with the same key to get its case";
        Err(Failure::new(ErrorCode::InProgress, message))
    }

    /// Returns the end of a lease that starts now, for work until the deadline, in milliseconds since 1970.
    ///
    /// The lease ends later than the deadline by the tolerated clock skew.
    /// No other clock then reads the lease as ended while its run may still send something.
    fn lease_end(&self, deadline: Deadline) -> u64 {
        after(self.now(), deadline.remaining() + CLOCK_SKEW)
    }

    /// Returns the current time in milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        milliseconds(self.clock.now())
    }

    /// Puts the item of a first claim.
    ///
    /// Returns the existing item if the condition does not hold.
    async fn put(
        &self,
        lease: &mut Lease,
        write: Write,
        deadline: Deadline,
    ) -> Result<Option<Record>, Failure> {
        let Change::Put(item) = write.change else {
            return Err(unsupported());
        };
        let call = PUT_ITEM.repeatable(deadline)?;
        let expression = Expression::of(write.condition, &[], write.values);
        let builder = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(record::attributes(&write.id, *item)))
            .condition_expression(expression.condition)
            .set_expression_attribute_names(expression.names)
            .set_expression_attribute_values(expression.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let sent = call::send!(builder, call.attempts);
        // An attempt that was abandoned may still arrive.
        lease.is_contested |= call.attempts.begun() > 1;
        let Err(error) = sent else {
            return Ok(None);
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let item = record::item(failed.item().unwrap_or(&Attributes::new()));
                Ok(Some(Record::from(item)))
            }
            _ => Err(unavailable(call.failure(&error))),
        }
    }

    /// Updates the item of a key. Returns `false` if the condition does not hold.
    async fn update(&self, write: Write, deadline: Deadline) -> Result<bool, Failure> {
        let Change::Update { set, remove } = write.change else {
            return Err(unsupported());
        };
        let call = UPDATE_ITEM.repeatable(deadline)?;
        let expression = Expression::of(write.condition, &set, write.values);
        let builder = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", text(write.id))
            .update_expression(expression::update(&set, remove))
            .condition_expression(expression.condition)
            .set_expression_attribute_names(expression.names)
            .set_expression_attribute_values(expression.values);
        let sent = call::send!(builder, call.attempts);
        match sent {
            Ok(_) => Ok(true),
            Err(error)
                if matches!(
                    error.as_service_error(),
                    Some(UpdateItemError::ConditionalCheckFailedException(_))
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(unavailable(call.failure(&error))),
        }
    }

    /// Deletes the item of a key, unless another run has taken the key over.
    async fn delete(&self, write: Write, deadline: Deadline) -> Result<(), Failure> {
        let call = DELETE_ITEM.repeatable(deadline)?;
        let expression = Expression::of(write.condition, &[], write.values);
        let builder = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("id", text(write.id))
            .condition_expression(expression.condition)
            .set_expression_attribute_names(expression.names)
            .set_expression_attribute_values(expression.values);
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
}

/// Returns 32 hexadecimal digits that no other run has.
fn random() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// Returns the failure of a write whose change needs another operation. The protocol makes no such write.
fn unsupported() -> Failure {
    let message = "the ledger cannot send this write by this operation";
    Failure::new(ErrorCode::InternalError, message)
}

/// Converts a transient failure to `LedgerUnavailable`. A permanent failure keeps its code.
fn unavailable(failure: Failure) -> Failure {
    if !failure.code.is_transient() {
        return failure;
    }
    let message = format!("the ledger cannot be used: {failure}");
    Failure::new(ErrorCode::LedgerUnavailable, message)
}
