//! Proposes a reference for a field's value, from the field's name.

use std::collections::HashSet;

use mapping::Trigger;
use mapping::field::Field;
use serde_json::Value;

/// The members from `$` to a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Path(Vec<String>);

/// Paths for the fields of one case mapping; each is unique.
pub(super) struct Proposals {
    trigger: Trigger,
    taken: HashSet<Path>,
}

impl Proposals {
    pub(super) fn new(trigger: Trigger) -> Self {
        Self {
            trigger,
            taken: HashSet::new(),
        }
    }

    /// Returns a path for the value of a field.
    pub(super) fn of(&mut self, field: &Field) -> Path {
        let words = words(&field.name);
        let (parent, name) = match (self.trigger, field.id.as_str()) {
            (Trigger::ContactFlow, "assigned_queue") => ("Queue", "ARN".to_owned()),
            (trigger, "customer_id") => return Path::of_customer(trigger),
            (Trigger::ContactFlow, id) if Field::system(id).is_some() => {
                ("Parameters", id.to_owned())
            }
            (Trigger::ContactFlow, _) => ("Attributes", words.join(" ")),
            (Trigger::EventBridge, _) => ("detail", words.join("_")),
        };
        let path = |name: String| Path(vec![parent.to_owned(), name]);
        let mut proposal = path(name.clone());
        let mut count = 1;
        while !self.taken.insert(proposal.clone()) {
            count += 1;
            proposal = path(format!("{name}_{count}"));
        }
        proposal
    }
}

/// The letters and digits of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let words: Vec<String> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    if words.is_empty() {
        vec!["value".to_owned()]
    } else {
        words
    }
}

impl Path {
    pub(super) fn new<const N: usize>(members: [&str; N]) -> Self {
        Self(members.map(str::to_owned).into())
    }

    /// The path of the customer's profile ARN.
    pub(super) fn of_customer(trigger: Trigger) -> Self {
        match trigger {
            Trigger::ContactFlow => Self::new(["Parameters", "profile_arn"]),
            Trigger::EventBridge => Self::new(["detail", "profile_arn"]),
        }
    }

    /// The reference, as the mapping writes it.
    pub(super) fn reference(&self) -> String {
        self.0.iter().fold("$".to_owned(), |reference, name| {
            if name.contains(' ') {
                format!("{reference}.['{name}']")
            } else {
                format!("{reference}.{name}")
            }
        })
    }

    /// Puts a value at the path within an object.
    pub(super) fn put(&self, root: &mut Value, value: Value) {
        *self.0.iter().fold(root, |parent, name| &mut parent[name]) = value;
    }
}

#[cfg(test)]
mod tests {
    use mapping::field::FieldType;

    use super::*;

    fn references(trigger: Trigger, names: &[&str]) -> Vec<String> {
        let mut proposals = Proposals::new(trigger);
        let field = |name: &&str| Field {
            name: (*name).to_owned(),
            ..Field::explicit("0f3c9a52-7d0e-4c1b-9d0a-6a1f0c2b7e11", FieldType::Text)
        };
        let fields = names.iter().map(field);
        fields
            .map(|field| proposals.of(&field).reference())
            .collect()
    }

    #[test]
    fn a_name_becomes_a_reference() {
        let names = ["Order number", "VIP", "Größe (cm)", "🙂", "order-number"];
        assert_eq!(
            references(Trigger::ContactFlow, &names),
            [
                "$.Attributes.['order number']",
                "$.Attributes.vip",
                "$.Attributes.['größe cm']",
                "$.Attributes.value",
                "$.Attributes.['order number_2']",
            ]
        );
        assert_eq!(
            references(Trigger::EventBridge, &names),
            [
                "$.detail.order_number",
                "$.detail.vip",
                "$.detail.größe_cm",
                "$.detail.value",
                "$.detail.order_number_2",
            ]
        );
    }
}
