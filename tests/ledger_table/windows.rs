//! A key with a window stands for one case until that is over, and then for another, whether or not the table has deleted the item yet.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use casebridge::deadline::Deadline;
use casebridge::ledger::Steps;

use cases_emulator::{Emulator, Fault, FaultKind};

use super::claims::assert_one_holds;
use super::table::{attribute, emulator};
use super::{AMPLE, LEASE, Table, case, complete, finished, hold, on_every_table};

const WINDOW: Option<Duration> = Some(Duration::from_hours(1));

/// Does the key's work at once, and gives its generation.
async fn done(table: &Table) -> Option<String> {
    let mut lease = hold(table, WINDOW).await;
    complete(table, &mut lease, "case-1").await;
    lease.generation
}

fn turn(table: &Table, seconds: u64) {
    table.clock.turn(Duration::from_secs(seconds));
}

#[test]
fn a_window_begins_with_the_first_claim() {
    on_every_table(async |table| {
        let mut lease = hold(table, WINDOW).await;
        let item = table.item().await.expect("an item");
        assert_eq!(item.get("expiration"), None, "only what has a case expires");
        assert_eq!(item["generation"].as_str(), lease.generation.as_deref());
        turn(table, 30);
        complete(table, &mut lease, "case-1").await;
        let item = table.item().await.expect("an item");
        assert_eq!(
            item["expiration"],
            lease.started / 1000 + 3600,
            "in seconds, for DynamoDB to delete by"
        );
        assert_eq!(item["generation"].as_str(), lease.generation.as_deref());
    });
}

/// A case that was long in coming is not over at once, and later runs do not put its end off.
#[test]
fn a_window_begins_with_the_claim_that_got_the_case() {
    on_every_table(async |table| {
        let first = hold(table, WINDOW).await;
        let left = table.ledger.leave(&first, Deadline::after(AMPLE)).await;
        left.expect("the lease holds");
        turn(table, 7200);
        let mut second = hold(table, WINDOW).await;
        let ends = table.clock.milliseconds() / 1000 + 3600;
        second.steps.set_case(&case("case-1"));
        let left = table.ledger.leave(&second, Deadline::after(AMPLE)).await;
        left.expect("the lease holds");
        turn(table, 600);
        let mut third = hold(table, WINDOW).await;
        complete(table, &mut third, "case-1").await;
        let item = table.item().await.expect("an item");
        assert_eq!(item["expiration"], ends);
    });
}

/// A claim that waited begins when it holds, not when it was asked for.
#[test]
fn a_window_begins_when_the_claim_holds() {
    on_every_table(async |table| {
        let first = hold(table, WINDOW).await;
        let (second, ()) = tokio::join!(hold(table, WINDOW), async {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            turn(table, 30);
            let freed = table.ledger.free(&first, Deadline::after(AMPLE)).await;
            freed.expect("it is ours to give back");
        });
        assert!(second.waited && !second.taken_over);
        assert_eq!(second.started, table.clock.milliseconds());
    });
}

/// The case is there, and something is still to be added to it: the key is used anew all the same.
#[test]
fn a_key_with_a_case_expires_finished_or_not() {
    on_every_table(async |table| {
        let mut first = hold(table, WINDOW).await;
        first.steps.set_case(&case("case-1"));
        let left = table.ledger.leave(&first, Deadline::after(AMPLE)).await;
        left.expect("the lease holds");
        turn(table, 3599);
        let mut second = hold(table, WINDOW).await;
        assert_eq!(second.generation, first.generation);
        second.steps.contact = Some(true);
        let left = table.ledger.leave(&second, Deadline::after(AMPLE)).await;
        left.expect("the lease holds");
        turn(table, 1);
        let third = hold(table, WINDOW).await;
        assert!(!third.taken_over);
        assert_ne!(third.generation, first.generation);
    });
}

/// A run whose fate nobody knows may have made the case, and its generation is the only way to find it.
#[test]
fn a_key_without_a_case_never_expires() {
    on_every_table(async |table| {
        let first = hold(table, WINDOW).await;
        let left = table.ledger.leave(&first, Deadline::after(AMPLE)).await;
        left.expect("the lease holds");
        turn(table, 3600 * 24 * 365);
        assert_eq!(hold(table, WINDOW).await.generation, first.generation);
    });
}

#[test]
fn a_window_is_over_to_the_second_before_the_table_has_deleted_the_item() {
    on_every_table(async |table| {
        let first = done(table).await;
        turn(table, 3599);
        finished(table, WINDOW).await;
        turn(table, 1);
        let next = hold(table, WINDOW).await;
        assert!(!next.taken_over, "a new use of the key is nobody's rest");
        assert_eq!(next.steps, Steps::default());
        assert_ne!(next.generation, first);
        let item = table.item().await.expect("an item");
        assert_eq!(item["status"], "INPROGRESS");
        assert_eq!(item["started"], table.clock.milliseconds());
        assert_eq!(
            item.get("expiration"),
            None,
            "the table would delete a key that is being worked on"
        );
    });
}

#[test]
fn a_key_that_the_table_has_deleted_begins_anew() {
    on_every_table(async |table| {
        let first = done(table).await;
        turn(table, 3599);
        table.expire().await;
        finished(table, WINDOW).await;
        turn(table, 1);
        table.expire().await;
        assert_eq!(table.item().await, None);
        let next = hold(table, WINDOW).await;
        assert!(!next.taken_over);
        assert!(next.generation.is_some());
        assert_ne!(next.generation, first);
    });
}

/// Another generation would be another token, and so another case.
#[test]
fn a_takeover_goes_on_with_the_generation_there_is() {
    on_every_table(async |table| {
        let first = hold(table, WINDOW).await;
        turn(table, LEASE.as_secs());
        let second = hold(table, WINDOW).await;
        assert!(second.taken_over && second.generation.is_some());
        assert_eq!(second.generation, first.generation);
    });
}

/// Between the look and the takeover the key is freed, and a late attempt of the takeover's own claim arrives. The item that is there then
/// has the claim's generation, not the one that was read.
#[tokio::test(start_paused = true)]
async fn a_takeover_that_meets_its_own_late_claim_goes_on_with_the_generation_of_the_item() {
    let emulator = emulator();
    let table = Table::of(&emulator);
    let first = hold(&table, WINDOW).await;
    let left = table.ledger.leave(&first, Deadline::after(AMPLE)).await;
    left.expect("the lease holds");
    emulator.clear_requests();
    let slow = Fault::new(FaultKind::Delay(Duration::from_millis(300)));
    emulator.inject(slow.on("DynamoDB.UpdateItem"));
    let (second, ()) = tokio::join!(hold(&table, WINDOW), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let freed = table.ledger.free(&first, Deadline::after(AMPLE)).await;
        freed.expect("it is ours to give back");
        repeat_claim(&table, &emulator).await;
    });
    let item = table.item().await.expect("an item");
    assert_ne!(second.generation, first.generation);
    assert_eq!(item["generation"].as_str(), second.generation.as_deref());
}

/// Puts the item of the last claim once more.
async fn repeat_claim(table: &Table, emulator: &Emulator) {
    let requests = emulator.requests();
    let mut requests = requests.iter().rev();
    let claim = requests.find(|request| request.operation == "DynamoDB.PutItem");
    let item = &claim.expect("a claim").body["Item"];
    let item: Vec<(&str, AttributeValue)> = item
        .as_object()
        .expect("an item")
        .iter()
        .map(|(name, value)| (name.as_str(), attribute(value)))
        .filter(|(name, _)| *name != "id")
        .collect();
    table.put(&item).await;
}

/// The window was put into the mapping after the key was done.
#[test]
fn a_key_that_was_done_without_a_window_is_done_for_ever() {
    on_every_table(async |table| {
        let mut lease = hold(table, None).await;
        complete(table, &mut lease, "case-1").await;
        turn(table, 3600 * 24 * 365);
        finished(table, WINDOW).await;
    });
}

#[test]
fn of_ten_claims_at_the_end_of_a_window_one_holds() {
    on_every_table(async |table| {
        done(table).await;
        turn(table, 3600);
        assert_one_holds(table, WINDOW, false).await;
    });
}
