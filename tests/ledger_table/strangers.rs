//! Items that the ledger did not write: those of another program, or of a hand.

use aws_sdk_dynamodb::types::AttributeValue;
use casebridge::ledger::Steps;

use super::{complete, finished, hold, on_every_table};

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// As if its run had died, whatever is missing.
#[test]
fn an_unfinished_item_is_taken_over() {
    let now = 1_700_000_000_000;
    for attributes in [
        vec![],
        vec![("status", text("INPROGRESS"))],
        vec![
            ("status", text("INPROGRESS")),
            ("in_progress_expiration", number(now)),
        ],
        vec![("status", text("INPROGRESS")), ("owner", text("somebody"))],
        vec![("status", text("EXPIRED")), ("data", text("not JSON"))],
    ] {
        on_every_table(async |table| {
            table.put(&attributes).await;
            let mut lease = hold(table, None).await;
            assert!(lease.taken_over, "{attributes:?}");
            assert_eq!(
                Steps {
                    case_sent_until: None,
                    customer_sent_until: None,
                    contact_sent_until: None,
                    comments_sent_until: None,
                    ..lease.steps.clone()
                },
                Steps::default()
            );
            assert!(
                lease.steps.case_sent_until.is_some(),
                "nobody knows what was sent"
            );
            complete(table, &mut lease, "case-1").await;
            finished(table, None).await;
        });
    }
}

#[test]
fn a_finished_item_that_is_over_makes_room() {
    for owner in [None, Some(("owner", text("somebody")))] {
        on_every_table(async |table| {
            let attributes = [
                ("status", text("COMPLETED")),
                ("expiration", number(1_700_000_000)),
            ];
            let attributes: Vec<_> = attributes.into_iter().chain(owner.clone()).collect();
            table.put(&attributes).await;
            assert!(!hold(table, None).await.taken_over, "{attributes:?}");
        });
    }
}
