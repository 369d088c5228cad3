//! References: `$.detail.order.id`, `$.Attributes.['order id']`, `$.items[*].sku`, `$$.mapping`.

use serde_json::Value as Json;

use crate::value::Value;

/// The path to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `$` and the way from it.
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
    /// Returns true if the reference gives a list by its own form.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self, Self::Event(steps) if steps.contains(&Step::Every))
    }
}

/// Follows the steps from `root`. What is not there, null or empty text is missing; so is a step into a value of another kind.
///
/// `[*]` flattens one level: two of them give one list. What is missing in an item is left out of it.
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

/// A member that a reference asks for and that the event does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMember<'a> {
    /// The member that was asked for.
    pub name: &'a str,
    /// The members that are there instead.
    pub members: Vec<&'a str>,
}

/// The first member of the way that the event does not have, where there is an object that could have it.
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
