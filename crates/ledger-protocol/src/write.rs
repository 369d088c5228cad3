//! Writes: turns a change of an item and its condition into the item after it.
//!
//! A write refers to its values by the placeholders of a DynamoDB expression. The function renders the same write as a request.

use crate::item::{Item, Status};
use crate::steps::Steps;

/// An attribute of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// The partition key. An item that exists has it.
    Id,
    /// `status`
    Status,
    /// `in_progress_expiration`
    LeaseEnds,
    /// `expiration`
    Expires,
    /// `data`
    Steps,
    /// `owner`
    Owner,
    /// `started`
    Started,
    /// `writes`
    Writes,
    /// `generation`
    Generation,
}

impl Attribute {
    /// Returns the attribute's name in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Status => "status",
            Self::LeaseEnds => "in_progress_expiration",
            Self::Expires => "expiration",
            Self::Steps => "data",
            Self::Owner => "owner",
            Self::Started => "started",
            Self::Writes => "writes",
            Self::Generation => "generation",
        }
    }
}

/// The name of a value in a write.
pub type Placeholder = &'static str;

/// A value in a write.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A status, as text.
    Status(Status),
    /// Steps, as JSON.
    Steps(Box<Steps>),
    /// Text.
    Text(String),
    /// A number.
    Number(u64),
}

/// A condition on the item that a write finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// The attribute is there.
    Exists(Attribute),
    /// The attribute is not there.
    Absent(Attribute),
    /// The attribute is there and has this value.
    Equals(Attribute, Placeholder),
    /// The attribute is there and is a number of at most this value.
    AtMost(Attribute, Placeholder),
    /// The condition does not hold.
    Not(&'static Self),
    /// Every condition holds.
    All(&'static [Self]),
    /// One of the conditions holds.
    Any(&'static [Self]),
}

/// The change that a write makes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// `PutItem`: the whole item.
    Put(Box<Item>),
    /// `UpdateItem`: sets attributes to values, and removes one.
    Update {
        /// The attributes to set.
        set: Vec<(Attribute, Placeholder)>,
        /// The attribute to remove.
        remove: Option<Attribute>,
    },
    /// `DeleteItem`.
    Delete,
}

/// A write to the item of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Write {
    /// The key's hash.
    pub id: String,
    /// The change, if the condition holds.
    pub change: Change,
    /// The condition on the item that is there.
    pub condition: Condition,
    /// The values of the placeholders.
    pub values: Vec<(Placeholder, Value)>,
}

impl Write {
    /// Applies the write to the item of its key as DynamoDB does: condition and change in one step.
    ///
    /// Returns false if the condition does not hold. Then nothing changes.
    pub fn apply(&self, item: &mut Option<Item>) -> bool {
        if !self.holds(self.condition, item.as_ref()) {
            return false;
        }
        match &self.change {
            Change::Put(put) => *item = Some((**put).clone()),
            Change::Delete => *item = None,
            Change::Update { set, remove } => {
                let item = item.get_or_insert_default();
                for (attribute, placeholder) in set {
                    if let Some(value) = self.value(placeholder) {
                        item.set(*attribute, value);
                    }
                }
                if let Some(attribute) = remove {
                    item.remove(*attribute);
                }
            }
        }
        true
    }

    fn value(&self, placeholder: Placeholder) -> Option<&Value> {
        let mut values = self.values.iter();
        values.find_map(|(name, value)| (*name == placeholder).then_some(value))
    }

    fn holds(&self, condition: Condition, item: Option<&Item>) -> bool {
        let is_there = |attribute| item.is_some_and(|item| item.has(attribute));
        match condition {
            Condition::Exists(attribute) => is_there(attribute),
            Condition::Absent(attribute) => !is_there(attribute),
            Condition::Equals(attribute, placeholder) => item
                .zip(self.value(placeholder))
                .is_some_and(|(item, value)| item.equals(attribute, value)),
            Condition::AtMost(attribute, placeholder) => {
                match (
                    item.and_then(|item| item.number(attribute)),
                    self.value(placeholder),
                ) {
                    (Some(there), Some(Value::Number(most))) => there <= *most,
                    _ => false,
                }
            }
            Condition::Not(condition) => !self.holds(*condition, item),
            Condition::All(conditions) => conditions.iter().all(|one| self.holds(*one, item)),
            Condition::Any(conditions) => conditions.iter().any(|one| self.holds(*one, item)),
        }
    }
}

impl Item {
    fn has(&self, attribute: Attribute) -> bool {
        match attribute {
            Attribute::Id => true,
            Attribute::Status => self.status.is_some(),
            Attribute::Steps => self.steps.is_some(),
            Attribute::Owner => self.owner.is_some(),
            Attribute::Generation => self.generation.is_some(),
            Attribute::LeaseEnds | Attribute::Expires | Attribute::Started | Attribute::Writes => {
                self.number(attribute).is_some()
            }
        }
    }

    fn number(&self, attribute: Attribute) -> Option<u64> {
        match attribute {
            Attribute::LeaseEnds => self.lease_ends,
            Attribute::Expires => self.expires,
            Attribute::Started => self.started,
            Attribute::Writes => self.writes,
            Attribute::Id
            | Attribute::Status
            | Attribute::Steps
            | Attribute::Owner
            | Attribute::Generation => None,
        }
    }

    fn equals(&self, attribute: Attribute, value: &Value) -> bool {
        match value {
            Value::Status(status) => attribute == Attribute::Status && self.status == Some(*status),
            Value::Steps(steps) => {
                attribute == Attribute::Steps && self.steps.as_ref() == Some(&**steps)
            }
            Value::Text(text) => {
                let there = match attribute {
                    Attribute::Owner => self.owner.as_ref(),
                    Attribute::Generation => self.generation.as_ref(),
                    _ => None,
                };
                there == Some(text)
            }
            Value::Number(number) => self.number(attribute) == Some(*number),
        }
    }

    fn set(&mut self, attribute: Attribute, value: &Value) {
        match (attribute, value) {
            (Attribute::Status, Value::Status(status)) => self.status = Some(*status),
            (Attribute::Steps, Value::Steps(steps)) => self.steps = Some((**steps).clone()),
            (Attribute::Owner, Value::Text(text)) => self.owner = Some(text.clone()),
            (Attribute::LeaseEnds, Value::Number(number)) => self.lease_ends = Some(*number),
            (Attribute::Expires, Value::Number(number)) => self.expires = Some(*number),
            (Attribute::Started, Value::Number(number)) => self.started = Some(*number),
            (Attribute::Writes, Value::Number(number)) => self.writes = Some(*number),
            // No write of the ledger sets an attribute to a value of another type.
            _ => {}
        }
    }

    fn remove(&mut self, attribute: Attribute) {
        match attribute {
            Attribute::Id => {}
            Attribute::Status => self.status = None,
            Attribute::LeaseEnds => self.lease_ends = None,
            Attribute::Expires => self.expires = None,
            Attribute::Steps => self.steps = None,
            Attribute::Owner => self.owner = None,
            Attribute::Started => self.started = None,
            Attribute::Writes => self.writes = None,
            Attribute::Generation => self.generation = None,
        }
    }
}
