//! References: `$.detail.order.id`, `$.Attributes.['order id']`, `$.items[*].sku`, `$$.mapping`.
//!
//! `follow` turns the steps of a reference into the value that an event has there.

use serde_json::Value as Json;

use crate::value::Value;

/// A reference to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `$`: the event, with the steps from its root.
    Event(Vec<Step>),
    /// `$$.mapping`: the case mapping's name.
    Mapping,
    /// `$$.trigger`: `contact-flow` or `eventbridge`.
    Trigger,
    /// `$$.domain`: the id of the Cases domain.
    Domain,
}

/// One step of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `.name` or `['name']`: a member of an object.
    Member(String),
    /// `[0]`: an item of a list, counted from its start.
    Index(usize),
    /// `[-1]`: an item of a list, counted from its end; 1 is the last.
    FromEnd(usize),
    /// `[*]`: every item of a list.
    Every,
}

impl Reference {
    /// Returns true if the reference always gives a list, because it contains `[*]`.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self, Self::Event(steps) if steps.contains(&Step::Every))
    }
}

/// Returns the value at the end of the steps from `root`.
///
/// Absent values, null and empty text are missing. A step into a value of another kind is missing too.
/// `[*]` flattens one level: two of them give one list. The list omits items without a value.
pub(super) fn follow<'a>(root: &'a Json, steps: &[Step]) -> Option<Value<'a>> {
    let every = steps.iter().position(|step| *step == Step::Every);
    let (path, rest) = steps.split_at(every.unwrap_or(steps.len()));
    let value = path.iter().try_fold(root, step)?;
    let Some((_, rest)) = rest.split_first() else {
        return Value::from_json(value);
    };
    let mut items = Vec::new();
    for entry in value.as_array()? {
        match follow(entry, rest) {
            Some(Value::List(nested)) if rest.contains(&Step::Every) => items.extend(nested),
            Some(item) => items.push(item),
            None => {}
        }
    }
    Some(Value::List(items))
}

fn step<'a>(value: &'a Json, step: &Step) -> Option<&'a Json> {
    match step {
        Step::Member(name) => value.get(name),
        Step::Index(index) => value.get(index),
        Step::FromEnd(distance) => {
            let items = value.as_array()?;
            items.get(items.len().checked_sub(*distance)?)
        }
        Step::Every => None,
    }
}

/// A member that a reference names but the event does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMember<'a> {
    /// The name of the member.
    pub name: &'a str,
    /// The members that the event has in that object.
    pub members: Vec<&'a str>,
}

/// Returns the first member in the steps that is absent from an existing object of the event.
#[must_use]
pub fn unknown_member<'a>(root: &'a Json, steps: &'a [Step]) -> Option<UnknownMember<'a>> {
    let (first, rest) = steps.split_first()?;
    match (first, root) {
        (Step::Member(name), Json::Object(members)) => match members.get(name) {
            Some(value) => unknown_member(value, rest),
            None => Some(UnknownMember {
                name,
                members: members.keys().map(String::as_str).collect(),
            }),
        },
        (Step::Every, Json::Array(items)) => {
            items.iter().find_map(|item| unknown_member(item, rest))
        }
        _ => unknown_member(step(root, first)?, rest),
    }
}
