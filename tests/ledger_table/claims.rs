//! A key from its first claim to its last word: held, written down, done, left behind or given back.

use std::collections::HashSet;
use std::time::Duration;

use casebridge::deadline::Deadline;
use casebridge::ledger::{Claim, Steps};
use serde_json::{Value, json};

use super::{AMPLE, KEY, SHORT, case, claim, complete, finished, hold, on_every_table, refused};

fn names(item: &Value) -> HashSet<&str> {
    let item = item.as_object().expect("an item");
    item.keys().map(String::as_str).collect()
}

#[test]
fn a_free_key_is_held() {
    on_every_table(async |table| {
        let lease = hold(table, None).await;
        assert!(!lease.taken_over);
        assert_eq!(
            (&lease.steps, &lease.generation),
            (&Steps::default(), &None)
        );
        let item = table.item().await.expect("an item");
        let attributes = [
            "id",
            "status",
            "owner",
            "started",
            "in_progress_expiration",
            "data",
        ];
        assert_eq!(names(&item), HashSet::from(attributes));
        let now = table.clock.milliseconds();
        assert_eq!(
            [
                &item["id"],
                &item["status"],
                &item["started"],
                &item["data"]
            ],
            [&json!(KEY), &json!("INPROGRESS"), &json!(now), &json!("{}")]
        );
        let ends = item["in_progress_expiration"].as_u64().expect("a number");
        // The run's own time, and the tolerated skew.
        assert!((now + 55_000..=now + 65_000).contains(&ends), "{item}");
    });
}

#[test]
fn a_key_that_is_done_is_done_for_ever() {
    on_every_table(async |table| {
        let mut lease = hold(table, None).await;
        lease.steps.contact = Some(true);
        lease.steps.comments = Some(false);
        complete(table, &mut lease, "case-1").await;
        let item = table.item().await.expect("an item");
        assert_eq!(item["status"], "COMPLETED");
        let attributes = ["id", "status", "owner", "started", "data", "writes"];
        assert_eq!(names(&item), HashSet::from(attributes));
        for _ in 0..3 {
            assert_eq!(finished(table, None).await, lease.steps);
            table.clock.turn(Duration::from_hours(24 * 365));
        }
        assert_eq!(table.item().await, Some(item), "a look changes nothing");
    });
}

#[test]
fn a_key_that_was_given_back_was_never_claimed() {
    on_every_table(async |table| {
        let first = hold(table, None).await;
        let freed = table.ledger.free(&first, Deadline::after(AMPLE)).await;
        freed.expect("it is ours to give back");
        assert_eq!(table.item().await, None);
        assert!(!hold(table, None).await.taken_over);
    });
}

#[test]
fn a_key_that_was_left_behind_is_taken_over_at_once() {
    on_every_table(async |table| {
        let mut first = hold(table, None).await;
        first.steps.set_case(&case("case-1"));
        let left = table.ledger.leave(&first, Deadline::after(AMPLE)).await;
        left.expect("it is ours to leave");
        let second = hold(table, None).await;
        assert!(second.taken_over);
        assert_eq!(second.steps, first.steps);
    });
}

/// A claim's age is that of the first, however often the key is taken over.
#[test]
fn a_key_is_as_old_as_its_first_claim() {
    on_every_table(async |table| {
        let first = hold(table, None).await;
        for _ in 0..4 {
            table.clock.turn(super::LEASE);
            assert_eq!(hold(table, None).await.started, first.started);
        }
        refused(table, SHORT).await;
    });
}

#[test]
fn of_ten_claims_at_once_one_holds() {
    on_every_table(async |table| {
        assert_one_holds(table, None, false).await;
    });
}

/// Ten runs at once, each of which does the key's work when it gets to: one does, and the rest hear of it.
pub(super) async fn assert_one_holds(
    table: &super::Table,
    window: Option<Duration>,
    taken_over: bool,
) {
    let runs = (0..10).map(async |run: usize| {
        match claim(table, window, AMPLE).await.expect("an answer") {
            Claim::Ours(mut lease) => {
                assert_eq!(lease.taken_over, taken_over);
                complete(table, &mut lease, &format!("case-{run}")).await;
                (true, lease.steps)
            }
            Claim::Done(steps) => (false, steps),
            Claim::Another => panic!("there is ample time"),
        }
    });
    let runs = futures_util::future::join_all(runs).await;
    let held = runs.iter().filter(|(held, _)| *held).count();
    assert_eq!(held, 1, "{runs:?}");
    let cases: HashSet<_> = runs.iter().map(|(_, steps)| &steps.case_id).collect();
    assert_eq!(cases.len(), 1, "{runs:?}");
}
