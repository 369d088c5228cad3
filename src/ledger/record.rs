//! Records: turns an item of the protocol into attributes of the table, and back.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ledger_protocol::item::{Item, Status};
use ledger_protocol::steps::Steps;
use ledger_protocol::write::{Attribute, Value};

/// The attributes of an item.
pub(super) type Attributes = HashMap<String, AttributeValue>;

/// Returns the attributes of the item of a key.
pub(super) fn attributes(id: &str, item: Item) -> Attributes {
    let attributes = [
        (Attribute::Id, Some(text(id))),
        (Attribute::Status, item.status.map(status)),
        (Attribute::Owner, item.owner.map(text)),
        (Attribute::Started, item.started.map(number)),
        (Attribute::LeaseEnds, item.lease_ends.map(number)),
        (Attribute::Expires, item.expires.map(number)),
        (Attribute::Writes, item.writes.map(number)),
        (Attribute::Steps, item.steps.as_ref().map(data)),
        (Attribute::Generation, item.generation.map(text)),
    ];
    attributes
        .into_iter()
        .filter_map(|(attribute, value)| Some((attribute.name().to_owned(), value?)))
        .collect()
}

/// Reads an item leniently: an attribute of another type counts as missing.
pub(super) fn item(attributes: &Attributes) -> Item {
    let text = |name: &str| attributes.get(name).and_then(|value| value.as_s().ok());
    let number = |attribute: Attribute| {
        let value = attributes.get(attribute.name());
        let value = value.and_then(|value| value.as_n().ok());
        value.and_then(|value| value.parse::<u64>().ok())
    };
    let status = text(Attribute::Status.name());
    let steps = text(Attribute::Steps.name());
    Item {
        status: status.and_then(|name| Status::ALL.into_iter().find(|one| one.name() == name)),
        lease_ends: number(Attribute::LeaseEnds),
        expires: number(Attribute::Expires),
        steps: steps.and_then(|data| serde_json::from_str(data).ok()),
        owner: text(Attribute::Owner.name()).cloned(),
        started: number(Attribute::Started),
        writes: number(Attribute::Writes),
        generation: text(Attribute::Generation.name()).cloned(),
    }
}

/// Returns a value of a write as an attribute's value.
pub(super) fn value(value: Value) -> AttributeValue {
    match value {
        Value::Status(name) => status(name),
        Value::Steps(steps) => data(&steps),
        Value::Text(value) => text(value),
        Value::Number(value) => number(value),
    }
}

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn status(status: Status) -> AttributeValue {
    text(status.name())
}

/// Returns the steps as the attribute `data`.
fn data(steps: &Steps) -> AttributeValue {
    // Text and booleans always serialize to JSON.
    text(serde_json::to_string(steps).unwrap_or_default())
}
