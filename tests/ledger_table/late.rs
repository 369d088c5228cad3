//! Writes that arrive late, and what they must not change: each check fails when a condition of the ledger's writes is weakened.

use std::time::Duration;

use casebridge::deadline::Deadline;
use casebridge::error::ErrorCode;
use cases_emulator::{Fault, FaultKind};

use super::table::emulator;
use super::{AMPLE, LEASE, SHORT, Table, claim, code, complete, finished, hold, on_every_table};

/// A record that was given up on and arrives after the end: what is done stays done.
#[test]
fn a_late_record_does_not_open_a_finished_item_again() {
    on_every_table(async |table| {
        let mut lease = hold(table, None).await;
        complete(table, &mut lease, "case-1").await;
        let done = table.item().await;
        let late = table.ledger.record(&lease, Deadline::after(AMPLE)).await;
        assert_eq!(code(late), Some(ErrorCode::InProgress));
        assert_eq!(table.item().await, done);
        assert_eq!(finished(table, None).await, lease.steps);
    });
}

/// The owner makes its lease longer between another run's look and its takeover: then there is nothing to take over.
#[tokio::test(start_paused = true)]
async fn a_lease_that_grew_after_the_look_is_not_taken_over() {
    let emulator = emulator();
    let table = Table::of(&emulator);
    let first = hold(&table, None).await;
    table.clock.turn(LEASE);
    // The takeover leaves first, and arrives last.
    let slow = Fault::new(FaultKind::Delay(Duration::from_millis(300)));
    emulator.inject(slow.on("DynamoDB.UpdateItem"));
    let (second, recorded) = tokio::join!(claim(&table, None, SHORT), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        table.ledger.record(&first, Deadline::after(AMPLE)).await
    });
    recorded.expect("nobody else has the lease");
    assert_eq!(second.expect_err("held").code, ErrorCode::InProgress);
    let mut first = first;
    complete(&table, &mut first, "case-1").await;
}
