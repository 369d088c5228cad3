//! Who may write: the run that holds the lease, and after its end the run that took it over.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use casebridge::deadline::Deadline;
use casebridge::error::ErrorCode;
use casebridge::ledger::Lease;

use super::claims::assert_one_holds;
use super::{
    AMPLE, LEASE, SHORT, Table, case, claim, code, complete, finished, hold, on_every_table,
};

#[test]
fn a_live_lease_is_waited_for_and_left_alone() {
    on_every_table(async |table| {
        let mut first = hold(table, None).await;
        let before = table.item().await;
        let refused = claim(table, None, SHORT).await;
        assert_eq!(refused.expect_err("held").code, ErrorCode::InProgress);
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
        let early = claim(table, None, Duration::from_millis(100)).await;
        assert!(early.is_err(), "{early:?}");
        table.clock.turn(Duration::from_millis(1));
        assert!(hold(table, None).await.taken_over);
    });
}

#[test]
fn writing_a_step_down_lengthens_the_lease() {
    on_every_table(async |table| {
        let first = hold(table, None).await;
        table.clock.turn(LEASE / 2);
        let recorded = table.ledger.record(&first, Deadline::after(AMPLE)).await;
        recorded.expect("the lease holds");
        table.clock.turn(LEASE / 2);
        let refused = claim(table, None, SHORT).await;
        assert_eq!(refused.expect_err("held").code, ErrorCode::InProgress);
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

/// A write of the run itself that was given up on and arrives after later ones: what those said stands.
#[test]
fn a_write_that_arrives_late_undoes_nothing() {
    on_every_table(async |table| {
        let lease = hold(table, None).await;
        let item = table.item().await.expect("an item");
        let same = |name: &str| AttributeValue::S(item[name].as_str().expect("text").to_owned());
        let data = AttributeValue::S(r#"{"caseId":"case-1"}"#.to_owned());
        let ends = AttributeValue::N(item["in_progress_expiration"].to_string());
        table
            .put(&[
                ("owner", same("owner")),
                ("status", same("status")),
                ("data", data),
                ("in_progress_expiration", ends),
                ("writes", AttributeValue::N("2".to_owned())),
            ])
            .await;
        let later = table.item().await;
        let late = table.ledger.record(&lease, Deadline::after(AMPLE)).await;
        assert_eq!(code(late), Some(ErrorCode::InProgress));
        assert_eq!(table.item().await, later);
    });
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
        ledger.record(lease, deadline).await,
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
