//! What there is of a key: in the services, and where failures are kept.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;

use crate::delivery::flow::{self, Heard};
use crate::keys::{Key, Occurrence};
use crate::world::World;

/// Whether the failure of an occurrence stands where someone looks.
pub(super) fn is_reported(world: &World, occurrence: Occurrence) -> bool {
    let deliveries = world.deliveries.borrow();
    let heard = flow::heard(world, occurrence);
    let told = heard.is_some_and(|heard| match heard {
        Heard::Answer(answer) => answer
            .get("status")
            .is_some_and(|status| status == "failed"),
        Heard::Nothing => false,
    });
    if is_put_aside(world, occurrence) {
        return true;
    }
    let failed = |(of, reason): &(Occurrence, &str)| *of == occurrence && !reason.is_empty();
    told || deliveries.failed.iter().any(failed) || deliveries.dead.contains(&occurrence)
}

/// Whether the failure queue has the event, with a reason.
pub(super) fn is_put_aside(world: &World, occurrence: Occurrence) -> bool {
    let payload: Option<Value> = serde_json::from_str(&world.payload(occurrence)).ok();
    world.seen().put_aside.iter().any(|message| {
        let code = message.body.get("errorCode").and_then(Value::as_str);
        message.body.get("event") == payload.as_ref() && code.is_some_and(|code| !code.is_empty())
    })
}

/// What the services hold of a key.
pub(super) struct Found {
    pub(super) cases: Vec<String>,
    pub(super) links: Vec<String>,
    pub(super) comments: Vec<String>,
}

impl Found {
    pub(super) fn of(world: &World, key: &Key) -> Self {
        let name = key.name();
        let text = |value: &Value, path: &str| {
            let text = value.pointer(path).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let is_titled = |case: &Value| {
            let fields = case.get("fields").and_then(Value::as_array);
            fields.into_iter().flatten().any(|field| {
                text(field, "/id") == "title" && text(field, "/value/stringValue") == name
            })
        };
        let cases = world.emulator.cases();
        let titled = cases.iter().filter(|case| is_titled(case));
        let cases: Vec<String> = titled.map(|case| text(case, "/caseId")).collect();
        Self::in_cases(world, cases)
    }

    /// What these cases hold.
    fn in_cases(world: &World, cases: Vec<String>) -> Self {
        let text = |value: &Value, path: &str| {
            let text = value.pointer(path).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let items = world.emulator.related_items();
        let of_key = |item: &&Value| cases.contains(&text(item, "/caseId"));
        let contact = |item: &Value| Some(text(item, "/content/contact/contactArn"));
        let links = items.iter().filter(of_key).filter_map(contact);
        let links = links.filter(|arn| !arn.is_empty()).collect();
        let body = |item: &Value| text(item, "/content/comment/body");
        let comments = items.iter().filter(of_key).map(body);
        let comments = comments.filter(|body| !body.is_empty()).collect();
        Self {
            cases,
            links,
            comments,
        }
    }

    /// Each of the cases alone, in the order of their creation.
    pub(super) fn apart(&self, world: &World) -> Vec<Self> {
        let created = world.seen().created;
        let mut cases = self.cases.clone();
        cases.sort_by_key(|case| created.get(case).copied());
        let alone = |case| Self::in_cases(world, vec![case]);
        cases.into_iter().map(alone).collect()
    }

    /// Those cases alone that a delivery which began then may be answered with: their windows were not over.
    pub(super) fn current(&self, world: &World, begun: Duration) -> Self {
        let cases = self.cases.iter();
        let cases = cases.filter(|case| !super::is_over(world, case, begun));
        Self::in_cases(world, cases.cloned().collect())
    }

    /// When the first case was created.
    pub(super) fn first_created(&self, world: &World) -> Option<Duration> {
        let created = world.seen().created;
        let times = self.cases.iter().filter_map(|case| created.get(case));
        times.min().copied()
    }

    /// Links and comments beyond those that belong there: so many of each.
    pub(super) fn twins(&self, links: usize, comments: usize) -> (usize, usize) {
        let beyond = |all: &[String], most: usize| -> usize {
            let each: HashSet<&String> = all.iter().collect();
            let times = each.iter().map(|one| count(all, one));
            times.map(|times| times.saturating_sub(most)).sum()
        };
        (beyond(&self.links, links), beyond(&self.comments, comments))
    }

    /// How often a comment is there.
    pub(super) fn copies(&self, comment: &str) -> usize {
        count(&self.comments, comment)
    }
}

fn count(all: &[String], one: &str) -> usize {
    all.iter().filter(|item| *item == one).count()
}
