//! The ledger's items as the table holds them, write by write: what must never become of one is noted at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::clock::Clock;

/// The items, and what became of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Items {
    by_id: BTreeMap<String, Item>,
    /// When the key of a case was marked as done, by the case's id.
    pub(crate) finished: BTreeMap<String, Duration>,
    /// When the ledger first named a case, by the case's id.
    pub(crate) named: BTreeMap<String, Duration>,
    /// The claim under which each case came to be, by the case's id.
    pub(crate) claims: BTreeMap<String, Claim>,
    /// The invocations that deleted an item: they gave a key back.
    pub(crate) given_back: BTreeSet<usize>,
    /// What must not be.
    pub(crate) flaws: Vec<String>,
}

/// A claim of a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    /// When it was first made.
    pub(crate) made: Duration,
    /// When its window is over, in seconds since 1970.
    pub(crate) over: Option<u64>,
}

/// One item.
#[derive(Debug, Clone)]
struct Item {
    owner: String,
    generation: String,
    finished: bool,
    /// In milliseconds since 1970.
    lease_ends: u64,
    case: Option<String>,
    /// When it was put.
    claimed: Duration,
    /// The invocation that made it its own, and when.
    holder: usize,
    held_since: Duration,
}

/// A lease that an invocation left behind.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) held_since: Duration,
    pub(crate) lease_ends: u64,
}

impl Items {
    /// An item was put or updated.
    pub(super) fn written(
        &mut self,
        id: &str,
        written: &Value,
        put: bool,
        invocation: usize,
        at: Duration,
        clocks: Duration,
    ) {
        let text = |name: &str| {
            let text = written.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let number = |name: &str| written.get(name).and_then(Value::as_u64);
        let data: Value = serde_json::from_str(&text("data")).unwrap_or_default();
        let case = data.get("caseId").and_then(Value::as_str);
        let before = self.by_id.get(id);
        let owner = text("owner");
        let keeps = before.filter(|before| before.owner == owner);
        let item = Item {
            generation: text("generation"),
            finished: text("status") == "COMPLETED",
            lease_ends: number("in_progress_expiration").unwrap_or_default(),
            case: case.map(str::to_owned),
            claimed: before.filter(|_| !put).map_or(at, |before| before.claimed),
            holder: keeps.map_or(invocation, |before| before.holder),
            held_since: keeps.map_or(at, |before| before.held_since),
            owner,
        };
        if let Some(before) = before {
            self.flaws.extend(flaw(before, &item, at + clocks));
        }
        // What joins a case later has an item of its own, with a dot in its id.
        if let Some(case) = item.case.clone().filter(|_| !id.contains('.')) {
            if item.finished {
                self.finished.entry(case.clone()).or_insert(at);
            }
            self.named.entry(case.clone()).or_insert(at);
            let claim = Claim {
                made: item.claimed,
                over: number("expiration"),
            };
            self.claims.insert(case, claim);
        }
        self.by_id.insert(id.to_owned(), item);
    }

    /// There is no item, or none any more.
    pub(super) fn absent(&mut self, id: &str, invocation: usize) {
        if self.by_id.remove(id).is_some() {
            self.given_back.insert(invocation);
        }
    }

    /// The leases that an invocation holds.
    pub(crate) fn held_by(&self, invocation: usize) -> impl Iterator<Item = Left> {
        let held = self.by_id.values();
        let held = held.filter(move |item| item.holder == invocation && !item.finished);
        held.map(|item| Left {
            held_since: item.held_since,
            lease_ends: item.lease_ends,
        })
    }
}

/// What must not become of an item that is still the same claim; `latest` is the time on the clock that is ahead of all others.
fn flaw(before: &Item, after: &Item, latest: Duration) -> Option<String> {
    if before.generation != after.generation {
        return None;
    }
    if before.finished && !after.finished && before.owner == after.owner {
        return Some("an item that was marked as done was opened again".to_owned());
    }
    if before.case.is_some() && after.case != before.case {
        return Some("an item that named its case names it no more".to_owned());
    }
    let is_live = !before.finished && before.lease_ends > Clock::epoch_milliseconds(latest);
    if before.owner != after.owner && is_live {
        return Some("a lease was taken before its end".to_owned());
    }
    None
}
