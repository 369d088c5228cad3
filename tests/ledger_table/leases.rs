//! The right to write: the run that holds the lease has it, and after its end the run that took it over.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use casebridge::deadline::Deadline;
use casebridge::error::ErrorCode;
use casebridge::ledger::{CLOCK_SKEW, Claim, Claimant, Lease, Steps};
use cases_emulator::{Emulator, Fault, FaultKind};

use super::claims::assert_one_holds;
use super::table::emulator;
use super::{
    AMPLE, KEY, LEASE, SHORT, Table, case, claim, code, complete, finished, hold, on_every_table,
    refused,
};

#[test]
fn a_live_lease_is_waited_for_and_left_alone() {
    on_every_table(async |table| {
        let mut first = hold(table, None).await;
        let before = table.item().await;
        refused(table, SHORT).await;
        assert_eq!(table.item().await, before);
        complete(table, &mut first, "case-1").await;
    });
}

#[test]
fn a_run_that_waits_hears_of_the_end() {
    on_every_table(async |table| {
        let mut first = hold(table, None).await;
        let (steps, ()) =
            tokio::join!(finished(table, None), complete(table, &mut first, "case-1"));
        assert_eq!(steps.case_id.as_deref(), Some("case-1"));
    });
}

#[test]
fn a_run_that_waits_takes_over_when_the_lease_ends() {
    on_every_table(async |table| {
        hold(table, None).await;
        let (second, ()) = tokio::join!(hold(table, None), async { table.clock.turn(LEASE) });
        assert!(second.taken_over);
    });
}

/// To the millisecond: until its end a lease is its run's.
#[test]
fn a_lease_ends_when_it_says() {
    on_every_table(async |table| {
        hold(table, None).await;
        let item = table.item().await.expect("an item");
        let ends = item["in_progress_expiration"].as_u64().expect("a number");
        let left = ends - table.clock.milliseconds();
        table.clock.turn(Duration::from_millis(left - 1));
        // It asks each millisecond, and its time may be up while it asks.
        let early = claim(table, None, SHORT).await;
        assert!(!matches!(early, Ok(Claim::Ours(_))), "{early:?}");
        table.clock.turn(Duration::from_millis(1));
        assert!(hold(table, None).await.taken_over);
    });
}

/// The tolerated skew: a clock that is ahead reads the lease as over only when its run has no time left.
#[test]
fn a_lease_outlasts_its_run_by_the_skew() {
    on_every_table(async |table| {
        hold(table, None).await;
        table.clock.turn(AMPLE);
        refused(table, SHORT).await;
        table.clock.turn(CLOCK_SKEW);
        assert!(hold(table, None).await.taken_over);
    });
}

/// A lease that ended and that nobody took is still its run's: late is no reason to lose what was done.
#[test]
fn a_late_run_that_nobody_took_over_ends_as_if_in_time() {
    on_every_table(async |table| {
        let mut first = hold(table, None).await;
        table.clock.turn(LEASE);
        complete(table, &mut first, "case-1").await;
        assert_eq!(finished(table, None).await, first.steps);
    });
}

#[test]
fn a_run_that_was_taken_over_changes_nothing_any_more() {
    on_every_table(async |table| {
        let mut first = hold(table, None).await;
        table.clock.turn(LEASE);
        let mut second = hold(table, None).await;
        first.steps.set_case(&case("case-1"));
        let held = table.item().await;
        assert_has_no_say(table, &first).await;
        assert_eq!(table.item().await, held);
        complete(table, &mut second, "case-2").await;
        let done = table.item().await;
        assert_has_no_say(table, &first).await;
        assert_eq!(table.item().await, done);
    });
}

/// A write that was given up on may arrive after a later one: what that one said stands.
#[test]
fn a_write_that_arrives_late_undoes_nothing() {
    on_every_table(async |table| {
        let mut lease = hold(table, None).await;
        complete(table, &mut lease, "case-1").await;
        let done = table.item().await;
        let late = table.ledger.leave(&lease, Deadline::after(AMPLE)).await;
        assert_eq!(code(late), Some(ErrorCode::InProgress));
        assert_eq!(table.item().await, done);
    });
}

/// The old owner writes between the look of the next run and its takeover: the item is looked at again, and not overwritten.
#[tokio::test(start_paused = true)]
async fn a_takeover_looks_again_when_the_item_was_written_meanwhile() {
    let emulator = emulator();
    let table = Table::of(&emulator);
    let first = hold(&table, None).await;
    table.clock.turn(LEASE);
    let second = take_over_beside(&table, &emulator, 0, 1).await;
    assert!(second.taken_over && second.waited);
    assert_eq!(second.steps.case_id.as_deref(), Some("case-1"));
    let settled = table.ledger.leave(&second, Deadline::after(AMPLE)).await;
    settled.expect("the lease holds");
    let item = table.item().await.expect("an item");
    assert_eq!(item["writes"], 2);
    assert!(item["data"].to_string().contains("case-1"), "{item}");
    drop(first);
}

/// A lease that was lengthened meanwhile is alive: only the one that was seen may be taken.
#[tokio::test(start_paused = true)]
async fn a_takeover_takes_only_the_lease_that_it_saw() {
    let emulator = emulator();
    let table = Table::of(&emulator);
    let first = hold(&table, None).await;
    table.clock.turn(LEASE);
    let before = owner(&table).await;
    let (second, ()) = tokio::join!(take_over_beside(&table, &emulator, 50_000, 0), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(owner(&table).await, before, "its lease is alive");
        table.clock.turn(LEASE);
    });
    assert!(second.taken_over && second.waited);
    drop(first);
}

/// The key is freed before a takeover arrives, and the same run claims it anew. A late attempt of the takeover then changes nothing: what it
/// was to write belongs to the run before.
#[tokio::test(start_paused = true)]
async fn a_takeover_that_arrives_after_a_claim_of_the_same_run_is_no_repetition() {
    let emulator = emulator();
    let table = Table::of(&emulator);
    let first = hold_for(&table, "first").await;
    // It lost its lease, and frees the key late.
    table.clock.turn(LEASE);
    emulator.clear_requests();
    let slow = Fault::new(FaultKind::Delay(Duration::from_millis(300)));
    emulator.inject(slow.on("DynamoDB.UpdateItem"));
    let (second, ()) = tokio::join!(hold_for(&table, "second"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let freed = table.ledger.free(&first, Deadline::after(AMPLE)).await;
        freed.expect("it is ours to give back");
    });
    assert!(!second.taken_over, "the key was free");
    let before = table.item().await;
    let requests = emulator.requests();
    let mut requests = requests.iter();
    let late = requests.find(|request| request.operation == "DynamoDB.UpdateItem");
    let late = late.expect("the takeover was sent").body.clone();
    assert!(!table.repeat_update(&late).await, "{late}");
    assert_eq!(table.item().await, before);
}

async fn owner(table: &Table) -> String {
    let item = table.item().await.expect("an item");
    item["owner"].as_str().expect("text").to_owned()
}

/// Takes the key over while its old owner writes to the item, which makes its lease so much longer: before the takeover arrives.
async fn take_over_beside(table: &Table, emulator: &Emulator, longer: u64, writes: u64) -> Lease {
    let item = table.item().await.expect("an item");
    let slow = Fault::new(FaultKind::Delay(Duration::from_millis(300)));
    emulator.inject(slow.on("DynamoDB.UpdateItem"));
    let same = |name: &str| AttributeValue::S(item[name].as_str().expect("text").to_owned());
    let number = |number: u64| AttributeValue::N(number.to_string());
    let data = r#"{"caseId":"case-1","caseArn":"arn","commentsSentUntil":1800000060000}"#;
    let ends = item["in_progress_expiration"].as_u64().expect("a number");
    let (lease, ()) = tokio::join!(hold(table, None), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let ends = if longer == 0 {
            ends
        } else {
            table.clock.milliseconds() + longer
        };
        table
            .put(&[
                ("owner", same("owner")),
                ("status", same("status")),
                ("data", AttributeValue::S(data.to_owned())),
                (
                    "started",
                    number(item["started"].as_u64().expect("a number")),
                ),
                ("in_progress_expiration", number(ends)),
                ("writes", number(writes)),
            ])
            .await;
    });
    lease
}

/// All that a dead run may have sent was sent by the end of its time.
#[test]
fn a_lease_that_ran_out_is_a_doubt_until_its_end() {
    on_every_table(async |table| {
        let first = hold(table, None).await;
        let item = table.item().await.expect("an item");
        let ends = item["in_progress_expiration"].as_u64().expect("a number");
        let sent_until = Some(ends - 5000);
        table.clock.turn(LEASE);
        let second = hold(table, None).await;
        assert_eq!(
            [
                second.steps.case_sent_until,
                second.steps.customer_sent_until,
                second.steps.contact_sent_until,
                second.steps.comments_sent_until
            ],
            [sent_until; 4]
        );
        drop(first);
    });
}

#[test]
fn a_lease_that_was_left_holds_the_doubts_that_were_written() {
    on_every_table(async |table| {
        let mut first = hold(table, None).await;
        first.steps.comments_sent_until = Some(7);
        first.steps.set_case(&case("case-1"));
        let left = table.ledger.leave(&first, Deadline::after(AMPLE)).await;
        left.expect("the lease holds");
        table.clock.turn(LEASE);
        assert_eq!(hold(table, None).await.steps, first.steps);
    });
}

/// The first occurrence owns the case's contact and comments, unless it is certain that it requested no case.
#[test]
fn ownership_passes_only_while_no_case_was_requested() {
    let requested = Steps {
        case_sent_until: Some(7),
        ..Steps::default()
    };
    let created = Steps {
        case_id: Some("case-1".to_owned()),
        ..Steps::default()
    };
    for (steps, passes) in [
        (Steps::default(), true),
        (requested, false),
        (created, false),
    ] {
        on_every_table(async |table| {
            let mut first = hold_for(table, "first").await;
            first.steps = Steps {
                occurrence: first.steps.occurrence.clone(),
                ..steps.clone()
            };
            let left = table.ledger.leave(&first, Deadline::after(AMPLE)).await;
            left.expect("the lease holds");
            let second = hold_for(table, "second").await;
            let owner = if passes { "second" } else { "first" };
            assert_eq!(second.steps.occurrence.as_deref(), Some(owner), "{steps:?}");
        });
    }
    on_every_table(async |table| {
        hold_for(table, "first").await;
        table.clock.turn(LEASE);
        let second = hold_for(table, "second").await;
        assert_eq!(second.steps.occurrence.as_deref(), Some("first"), "it died");
    });
}

async fn hold_for(table: &Table, occurrence: &str) -> Lease {
    let claimant = Claimant {
        id: KEY,
        occurrence: Some(occurrence),
        window: None,
    };
    let claimed = table.ledger.claim(claimant, AMPLE, Deadline::after(AMPLE));
    match claimed.await.expect("an answer") {
        Claim::Ours(lease) => lease,
        other => panic!("the key is not free: {other:?}"),
    }
}

/// Its item was deleted: writing on would make a new one that lacks what the first claim knew.
#[test]
fn a_run_whose_item_is_gone_makes_no_new_one() {
    on_every_table(async |table| {
        let lease = hold(table, None).await;
        table.remove().await;
        assert_has_no_say(table, &lease).await;
        assert_eq!(table.item().await, None);
    });
}

async fn assert_has_no_say(table: &Table, lease: &Lease) {
    let (ledger, deadline) = (&table.ledger, Deadline::after(AMPLE));
    for answer in [
        ledger.complete(lease, deadline).await,
        ledger.leave(lease, deadline).await,
    ] {
        assert_eq!(code(answer), Some(ErrorCode::InProgress));
    }
    let freed = ledger.free(lease, deadline).await;
    freed.expect("nothing is left to give back");
}

#[test]
fn of_ten_takeovers_at_once_one_holds() {
    on_every_table(async |table| {
        hold(table, None).await;
        table.clock.turn(LEASE);
        assert_one_holds(table, None, true).await;
    });
}
