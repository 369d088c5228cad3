//! Answers that are lost on the way: the table has done its work, and the ledger has to notice. In this process alone, where
//! connections can be cut at will.

use std::time::Duration;

use casebridge::deadline::Deadline;
use cases_emulator::{Emulator, Fault, FaultKind};

use super::table::emulator;
use super::{AMPLE, LEASE, Table, complete, finished, hold};

const WINDOW: Option<Duration> = Some(Duration::from_hours(1));

/// The next answers to an operation are lost.
fn lose(emulator: &Emulator, operation: &str) {
    emulator.inject(Fault::new(FaultKind::CloseAfter).on(operation).times(3));
}

#[tokio::test(start_paused = true)]
async fn a_claim_knows_its_own_item_again() {
    let emulator = emulator();
    let table = Table::of(&emulator);
    lose(&emulator, "DynamoDB.PutItem");
    let mut lease = hold(&table, None).await;
    assert!(!lease.taken_over, "nobody was there before");
    complete(&table, &mut lease, "case-1").await;
}

#[tokio::test(start_paused = true)]
async fn so_it_does_at_the_end_of_a_window() {
    let emulator = emulator();
    let table = Table::of(&emulator);
    let mut first = hold(&table, WINDOW).await;
    complete(&table, &mut first, "case-1").await;
    table.clock.turn(Duration::from_hours(1));
    // The first put finds the old item; the answer to the second, which takes its place, is lost.
    let on = |kind| Fault::new(kind).on("DynamoDB.PutItem");
    emulator.inject(on(FaultKind::Delay(Duration::ZERO)));
    emulator.inject(on(FaultKind::CloseAfter).times(3));
    let mut second = hold(&table, WINDOW).await;
    assert!(!second.taken_over);
    let item = table.item().await.expect("an item");
    assert_eq!(item["generation"].as_str(), second.generation.as_deref());
    complete(&table, &mut second, "case-2").await;
}

#[tokio::test(start_paused = true)]
async fn a_takeover_is_not_taken_for_anothers() {
    let emulator = emulator();
    let table = Table::of(&emulator);
    hold(&table, None).await;
    table.clock.turn(LEASE);
    lose(&emulator, "DynamoDB.UpdateItem");
    let mut second = hold(&table, None).await;
    assert!(second.taken_over);
    complete(&table, &mut second, "case-1").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_written_twice_is_written() {
    let emulator = emulator();
    let table = Table::of(&emulator);
    let lease = hold(&table, None).await;
    lose(&emulator, "DynamoDB.UpdateItem");
    let left = table.ledger.leave(&lease, Deadline::after(AMPLE)).await;
    left.expect("the lease holds");
    let mut lease = hold(&table, None).await;
    lose(&emulator, "DynamoDB.UpdateItem");
    complete(&table, &mut lease, "case-1").await;
    assert_eq!(finished(&table, None).await, lease.steps);
}

#[tokio::test(start_paused = true)]
async fn what_was_given_back_is_not_taken_from_the_next() {
    let emulator = emulator();
    let table = Table::of(&emulator);
    let first = hold(&table, None).await;
    lose(&emulator, "DynamoDB.DeleteItem");
    let freed = table.ledger.free(&first, Deadline::after(AMPLE)).await;
    freed.expect("it is gone");
    assert_eq!(table.item().await, None);
}
