//! Expressions: turns the condition and the change of a write into the texts of a DynamoDB request.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ledger_protocol::write::{Attribute, Condition, Placeholder, Value};

use super::record;

/// The condition of a request, with the names and values that its expressions use.
pub(super) struct Expression {
    pub(super) condition: String,
    pub(super) names: Option<HashMap<String, String>>,
    pub(super) values: Option<HashMap<String, AttributeValue>>,
}

impl Expression {
    /// Returns the expressions of a write. `set` are the attributes that its change sets.
    pub(super) fn of(
        condition: Condition,
        set: &[(Attribute, Placeholder)],
        values: Vec<(Placeholder, Value)>,
    ) -> Self {
        let mut used: Vec<Attribute> = set.iter().map(|(attribute, _)| *attribute).collect();
        collect(condition, &mut used);
        let names = used
            .into_iter()
            .filter(|attribute| is_reserved(*attribute))
            .map(|attribute| (name(attribute), attribute.name().to_owned()));
        let values = values
            .into_iter()
            .map(|(placeholder, value)| (placeholder.to_owned(), record::value(value)));
        Self {
            condition: render(condition),
            names: non_empty(names.collect()),
            values: non_empty(values.collect()),
        }
    }
}

/// Returns the update expression of a change.
pub(super) fn update(set: &[(Attribute, Placeholder)], remove: Option<Attribute>) -> String {
    let set: Vec<String> = set
        .iter()
        .map(|(attribute, placeholder)| format!("{} = {placeholder}", name(*attribute)))
        .collect();
    let set = set.join(", ");
    match remove {
        None => format!("SET {set}"),
        Some(attribute) => format!("SET {set} REMOVE {}", name(attribute)),
    }
}

fn render(condition: Condition) -> String {
    match condition {
        Condition::Exists(attribute) => format!("attribute_exists({})", name(attribute)),
        Condition::Absent(attribute) => format!("attribute_not_exists({})", name(attribute)),
        Condition::Equals(attribute, value) => format!("{} = {value}", name(attribute)),
        Condition::AtMost(attribute, value) => format!("{} <= {value}", name(attribute)),
        Condition::Not(condition) => format!("NOT {}", operand(*condition)),
        Condition::All(conditions) => joined(conditions, " AND "),
        Condition::Any(conditions) => joined(conditions, " OR "),
    }
}

fn joined(conditions: &[Condition], operator: &str) -> String {
    let operands: Vec<String> = conditions.iter().copied().map(operand).collect();
    operands.join(operator)
}

/// Returns a condition as a part of another one.
fn operand(condition: Condition) -> String {
    match condition {
        Condition::All(_) | Condition::Any(_) => format!("({})", render(condition)),
        _ => render(condition),
    }
}

/// Adds the attributes of a condition to `used`.
fn collect(condition: Condition, used: &mut Vec<Attribute>) {
    match condition {
        Condition::Exists(attribute)
        | Condition::Absent(attribute)
        | Condition::Equals(attribute, _)
        | Condition::AtMost(attribute, _) => used.push(attribute),
        Condition::Not(condition) => collect(*condition, used),
        Condition::All(conditions) | Condition::Any(conditions) => {
            for condition in conditions {
                collect(*condition, used);
            }
        }
    }
}

fn name(attribute: Attribute) -> String {
    let name = attribute.name();
    if is_reserved(attribute) {
        format!("#{name}")
    } else {
        name.to_owned()
    }
}

/// Returns true if DynamoDB reserves the attribute's name. An expression then refers to it by a `#` in front.
fn is_reserved(attribute: Attribute) -> bool {
    matches!(
        attribute,
        Attribute::Status | Attribute::Steps | Attribute::Owner
    )
}

fn non_empty<V>(map: HashMap<String, V>) -> Option<HashMap<String, V>> {
    Some(map).filter(|map| !map.is_empty())
}

#[cfg(test)]
mod tests {
    use ledger_protocol::item::{Item, Record, Status};
    use ledger_protocol::lease::{Claimant, Ending, Lease, Names, Next};
    use ledger_protocol::write::{Change, Write};

    use super::*;

    /// The texts of a write's request: its condition, and its update if it is one.
    fn texts(write: Write) -> (String, Option<String>) {
        let (set, update) = match write.change {
            Change::Update { set, remove } => (set.clone(), Some(super::update(&set, remove))),
            Change::Put(_) | Change::Delete => (Vec::new(), None),
        };
        let expression = Expression::of(write.condition, &set, write.values);
        // DynamoDB refuses a request with a name or a value that no expression uses.
        let used = format!(
            "{} {}",
            expression.condition,
            update.clone().unwrap_or_default()
        );
        for name in expression.names.into_iter().flatten() {
            assert!(used.contains(&name.0), "{used} does not use {}", name.0);
        }
        for value in expression.values.into_iter().flatten() {
            assert!(used.contains(&value.0), "{used} does not use {}", value.0);
        }
        (expression.condition, update)
    }

    fn lease(has_window: bool) -> Lease {
        let claimant = Claimant {
            id: "key",
            occurrence: None,
            window: has_window.then(|| std::time::Duration::from_hours(1)),
        };
        let names = Names {
            owner: "run".to_owned(),
            generation: has_window.then(|| "generation".to_owned()),
        };
        Lease::new(claimant, names, 1000)
    }

    fn found(lease: &Lease, item: Item) -> Write {
        match lease.found(Record::from(item), 9000, 8000) {
            Next::Reuse(write) | Next::TakeOver(_, write) => *write,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_claim_is_a_put_where_there_is_no_item() {
        let claim = texts(lease(true).claim(9000));
        assert_eq!(claim, ("attribute_not_exists(id)".to_owned(), None));
    }

    #[test]
    fn a_new_use_of_a_key_is_a_put_over_the_expired_item() {
        let item = Item {
            status: Some(Status::Completed),
            expires: Some(1),
            ..Item::default()
        };
        let condition = "(attribute_not_exists(#owner) OR #owner = :before) AND #status = :status AND (attribute_not_exists(writes) OR writes = :seen)";
        assert_eq!(
            texts(found(&lease(true), item)),
            (condition.to_owned(), None)
        );
    }

    /// The condition of a takeover whose own claim is recognised by this.
    fn takeover(ours: &str) -> String {
        format!(
            "NOT #status = :completed AND (attribute_not_exists(writes) OR writes = :seen) AND ({ours} OR (attribute_exists(id) AND (attribute_not_exists(#owner) OR #owner = :before) AND (attribute_not_exists(in_progress_expiration) OR in_progress_expiration = :ended)))"
        )
    }

    #[test]
    fn a_takeover_names_the_lease_that_it_saw() {
        let update = "SET #owner = :owner, #status = :status, in_progress_expiration = :ends, started = :started, #data = :data";
        let in_generation = Item {
            generation: Some("earlier".to_owned()),
            ..Item::default()
        };
        let written = "(#owner = :owner AND started = :started AND in_progress_expiration = :ends AND #data = :data)";
        let ours = &format!("({written} AND generation = :generation)");
        let without = &format!("({written} AND attribute_not_exists(generation))");
        for (window, item, ours) in [
            (false, Item::default(), written),
            (false, in_generation.clone(), ours),
            (true, in_generation, ours),
            (true, Item::default(), without),
        ] {
            let texts = texts(found(&lease(window), item));
            assert_eq!(texts, (takeover(ours), Some(update.to_owned())));
        }
    }

    #[test]
    fn a_run_ends_with_a_write_that_only_its_owner_can_make() {
        let ours = "#owner = :owner AND (attribute_not_exists(writes) OR writes <= :writes)";
        let set = "SET #status = :status, #data = :data, writes = :writes";
        let complete = format!("{set} REMOVE in_progress_expiration");
        let leave = format!("{set}, in_progress_expiration = :left");
        let left = format!("{ours} AND #status = :status");
        let expected = [
            (Ending::Complete, ours, Some(complete)),
            (Ending::Leave, &left, Some(leave)),
            (Ending::Free, "#owner = :owner", None),
        ];
        for (ending, condition, update) in expected {
            assert_eq!(
                texts(lease(true).end(ending)),
                (condition.to_owned(), update)
            );
        }
        let mut with_case = lease(true);
        with_case.steps.case_id = Some("case".to_owned());
        let (_, update) = texts(with_case.end(Ending::Complete));
        let expires = format!("{set}, expiration = :expires REMOVE in_progress_expiration");
        assert_eq!(update, Some(expires));
    }
}
