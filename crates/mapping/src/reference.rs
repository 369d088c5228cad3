//! References: `$.detail.order.id`, `$.Attributes.['order id']`, `$.items[*].sku`, `$.items[?@.open == true]`, `$total`, `$$.mapping`.
//!
//! [`follow`] turns the steps of a reference into the value that an event has there.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value as Json;

use crate::decimal::Decimal;
use crate::value::Value;

/// A reference to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `$`: the event, with the steps from its root.
    Event(Vec<Step>),
    /// `$name`: a variable, with the steps from its value.
    Variable(Variable, Vec<Step>),
    /// `$$.mapping`: the case mapping's name.
    Mapping,
    /// `$$.trigger`: `contact-flow` or `eventbridge`.
    Trigger,
    /// `$$.domain`: the id of the Cases domain.
    Domain,
}

/// A variable that a reference names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The variable's name.
    pub name: String,
    /// Its place among the variables of the case mapping.
    pub index: usize,
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
    /// `[?…]`: every item of a list or value of an object for which the condition holds.
    Select(Selector),
}

/// The condition of a filter selector, as in RFC 9535 without its functions and orderings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// `a || b`
    Or(Vec<Selector>),
    /// `a && b`
    And(Vec<Selector>),
    /// `!a`
    Not(Box<Selector>),
    /// A path alone: true if it leads to a value, also to null.
    Exists(Path),
    /// `a == b`, or `a != b` if `equal` is false.
    Compare {
        /// The left side.
        left: Side,
        /// The right side.
        right: Side,
        /// True for `==`.
        equal: bool,
    },
}

/// A path in a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// `@`: the item itself, with the steps from it.
    Item(Vec<Step>),
    /// A reference.
    Reference(Reference),
}

/// A side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// The value at a path, or nothing.
    Path(Path),
    /// A literal.
    Literal(Json),
}

/// The data that references read.
pub trait Data<'a> {
    /// Returns the event.
    fn event(&self) -> &'a Json;

    /// Returns the value of a variable, or `None` if it is missing.
    ///
    /// # Errors
    /// The reason why the value cannot be computed.
    fn variable(&self, variable: &Variable) -> Result<Option<&'a Json>, String>;

    /// Returns the text of `$$.mapping`, `$$.trigger` or `$$.domain`.
    fn run(&self, reference: &Reference) -> &'a str;

    /// Counts values that a selector visits.
    ///
    /// # Errors
    /// The event has had its maximum of visits.
    fn visit(&self, values: usize) -> Result<(), String>;
}

impl Step {
    /// Returns true if the step may lead to several values.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self, Self::Every | Self::Select(_))
    }
}

impl Reference {
    /// Returns true if the reference always gives a list, because it contains `[*]` or `[?…]`.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.steps().iter().any(Step::is_list)
    }

    /// Returns the steps of the reference.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        match self {
            Self::Event(steps) | Self::Variable(_, steps) => steps,
            Self::Mapping | Self::Trigger | Self::Domain => &[],
        }
    }

    /// Returns the value that the steps begin at, or `None` for a missing variable and for `$$`, which is text.
    ///
    /// # Errors
    /// The variable cannot be computed.
    pub fn root<'a>(&self, data: &dyn Data<'a>) -> Result<Option<&'a Json>, String> {
        match self {
            Self::Event(_) => Ok(Some(data.event())),
            Self::Variable(variable, _) => data.variable(variable),
            Self::Mapping | Self::Trigger | Self::Domain => Ok(None),
        }
    }

    /// Returns true for `$$.mapping`, `$$.trigger` and `$$.domain`.
    fn is_of_run(&self) -> bool {
        matches!(self, Self::Mapping | Self::Trigger | Self::Domain)
    }

    /// Returns the first member of the event that the reference names.
    #[must_use]
    pub fn first_member(&self) -> Option<&str> {
        match self {
            Self::Event(steps) => match steps.first() {
                Some(Step::Member(name)) => Some(name),
                _ => None,
            },
            _ => None,
        }
    }

    /// Calls the function with this reference and every reference in its selectors.
    pub fn each<'r>(&'r self, call: &mut dyn FnMut(&'r Self)) {
        call(self);
        each_in_steps(self.steps(), call);
    }
}

impl fmt::Display for Reference {
    /// Writes the reference as an author would. A selector is `[?…]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(_) => f.write_str("$"),
            Self::Variable(variable, _) => write!(f, "${}", variable.name),
            Self::Mapping => f.write_str("$$.mapping"),
            Self::Trigger => f.write_str("$$.trigger"),
            Self::Domain => f.write_str("$$.domain"),
        }?;
        for step in self.steps() {
            match step {
                Step::Member(name) if is_plain(name) => write!(f, ".{name}"),
                Step::Member(name) => write!(f, "['{}']", name.replace('\'', "''")),
                Step::Index(index) => write!(f, "[{index}]"),
                Step::FromEnd(distance) => write!(f, "[-{distance}]"),
                Step::Every => f.write_str("[*]"),
                Step::Select(_) => f.write_str("[?…]"),
            }?;
        }
        Ok(())
    }
}

/// Returns true for a name that can stand after `.`.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || "_-/:".contains(c))
}

fn each_in_steps<'r>(steps: &'r [Step], call: &mut dyn FnMut(&'r Reference)) {
    for step in steps {
        if let Step::Select(selector) = step {
            selector.each(call);
        }
    }
}

impl Selector {
    fn each<'r>(&'r self, call: &mut dyn FnMut(&'r Reference)) {
        let mut path = |path: &'r Path| match path {
            Path::Item(steps) => each_in_steps(steps, call),
            Path::Reference(reference) => reference.each(call),
        };
        match self {
            Self::Or(selectors) | Self::And(selectors) => {
                for selector in selectors {
                    selector.each(call);
                }
            }
            Self::Not(selector) => selector.each(call),
            Self::Exists(only) => path(only),
            Self::Compare { left, right, .. } => {
                for side in [left, right] {
                    if let Side::Path(side) = side {
                        path(side);
                    }
                }
            }
        }
    }

    /// Returns true if the condition holds for the item.
    fn holds<'a>(&self, item: &'a Json, data: &dyn Data<'a>) -> Result<bool, String> {
        match self {
            Self::Or(selectors) => {
                for selector in selectors {
                    if selector.holds(item, data)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::And(selectors) => {
                for selector in selectors {
                    if !selector.holds(item, data)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Not(selector) => Ok(!selector.holds(item, data)?),
            // Each test counts too, for a selector may have many.
            Self::Exists(path) => match path {
                Path::Reference(reference) if reference.is_of_run() => Ok(true),
                path => {
                    data.visit(1)?;
                    Ok(!path.nodes(item, data)?.is_empty())
                }
            },
            Self::Compare { left, right, equal } => {
                data.visit(1)?;
                let (left, right) = (left.value(item, data)?, right.value(item, data)?);
                let same = match (left, right) {
                    (Some(left), Some(right)) => is_equal(&left, &right, data)?,
                    (None, None) => true,
                    (Some(_), None) | (None, Some(_)) => false,
                };
                Ok(same == *equal)
            }
        }
    }
}

impl Path {
    fn nodes<'a>(&self, item: &'a Json, data: &dyn Data<'a>) -> Result<Vec<&'a Json>, String> {
        let (root, steps) = match self {
            Self::Item(steps) => (Some(item), steps.as_slice()),
            Self::Reference(reference) => (reference.root(data)?, reference.steps()),
        };
        match root {
            Some(root) => nodes(root, steps, data),
            None => Ok(Vec::new()),
        }
    }
}

impl Side {
    /// Returns true if the side is a path that may lead to several values.
    #[must_use]
    pub fn is_list(&self) -> bool {
        match self {
            Self::Path(Path::Item(steps)) => steps.iter().any(Step::is_list),
            Self::Path(Path::Reference(reference)) => reference.is_list(),
            Self::Literal(_) => false,
        }
    }

    fn value<'s, 'a: 's>(
        &'s self,
        item: &'a Json,
        data: &dyn Data<'a>,
    ) -> Result<Option<Cow<'s, Json>>, String> {
        match self {
            Self::Literal(literal) => Ok(Some(Cow::Borrowed(literal))),
            Self::Path(Path::Reference(reference)) if reference.is_of_run() => {
                Ok(Some(Cow::Owned(data.run(reference).into())))
            }
            Self::Path(path) => Ok(path.nodes(item, data)?.first().copied().map(Cow::Borrowed)),
        }
    }
}

/// Returns true if the values are equal. Numbers are equal by value, and values of unlike types never are.
fn is_equal(left: &Json, right: &Json, data: &dyn Data<'_>) -> Result<bool, String> {
    // Long texts count as several values, for they take longer to compare.
    let length = match (left, right) {
        (Json::String(left), Json::String(right)) if left.len() == right.len() => left.len(),
        _ => 0,
    };
    data.visit(1 + length / 1000)?;
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => {
            let (left, right) = (left.as_str(), right.as_str());
            Ok(left == right
                || matches!((Decimal::parse(left), Decimal::parse(right)), (Some(a), Some(b)) if a == b))
        }
        (Json::Array(left), Json::Array(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(right) {
                if !is_equal(left, right, data)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Json::Object(left), Json::Object(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (name, left) in left {
                let Some(right) = right.get(name) else {
                    return Ok(false);
                };
                if !is_equal(left, right, data)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (left, right) => Ok(left == right),
    }
}

/// Returns the value of a reference, or `None` if it is missing.
///
/// Absent values, null and empty text are missing. A step into a value of another kind is missing too.
/// `[*]` and `[?…]` flatten one level: two of them give one list. The list omits items without a value.
///
/// # Errors
/// A variable cannot be computed, or the event has had its maximum of visits.
pub fn follow<'a>(reference: &Reference, data: &dyn Data<'a>) -> Result<Option<Value<'a>>, String> {
    if reference.is_of_run() {
        return Ok(Value::text(data.run(reference)));
    }
    let Some(root) = reference.root(data)? else {
        return Ok(None);
    };
    let steps = reference.steps();
    let list = steps.iter().position(Step::is_list);
    let (path, rest) = steps.split_at(list.unwrap_or(steps.len()));
    let Some(value) = path.iter().try_fold(root, step) else {
        return Ok(None);
    };
    match (rest.first(), value) {
        (None, value) => Ok(Value::from_json(value)),
        (Some(_), Json::Array(_)) | (Some(Step::Select(_)), Json::Object(_)) => {
            let found = nodes(value, rest, data)?;
            let items = found.into_iter().filter_map(Value::from_json).collect();
            Ok(Some(Value::List(items)))
        }
        (Some(_), _) => Ok(None),
    }
}

/// Returns the values at the end of the steps: the node list of RFC 9535, with null and empty text.
///
/// # Errors
/// As [`follow`].
pub fn nodes<'a>(
    root: &'a Json,
    steps: &[Step],
    data: &dyn Data<'a>,
) -> Result<Vec<&'a Json>, String> {
    let mut found = Vec::new();
    collect(root, steps, data, &mut found)?;
    Ok(found)
}

fn collect<'a>(
    value: &'a Json,
    steps: &[Step],
    data: &dyn Data<'a>,
    found: &mut Vec<&'a Json>,
) -> Result<(), String> {
    let Some((first, rest)) = steps.split_first() else {
        found.push(value);
        return Ok(());
    };
    match (first, value) {
        (Step::Every, Json::Array(items)) => {
            data.visit(items.len())?;
            for item in items {
                collect(item, rest, data, found)?;
            }
        }
        (Step::Select(selector), Json::Array(items)) => {
            data.visit(items.len())?;
            for item in items {
                if selector.holds(item, data)? {
                    collect(item, rest, data, found)?;
                }
            }
        }
        (Step::Select(selector), Json::Object(members)) => {
            data.visit(members.len())?;
            // The order of a map depends on how `serde_json` is built. By name, tool and function agree.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_str());
            for (_, item) in members {
                if selector.holds(item, data)? {
                    collect(item, rest, data, found)?;
                }
            }
        }
        (first, value) => {
            if let Some(value) = step(value, first) {
                collect(value, rest, data, found)?;
            }
        }
    }
    Ok(())
}

fn step<'a>(value: &'a Json, step: &Step) -> Option<&'a Json> {
    match step {
        Step::Member(name) => value.get(name),
        Step::Index(index) => value.get(index),
        Step::FromEnd(distance) => {
            let items = value.as_array()?;
            items.get(items.len().checked_sub(*distance)?)
        }
        Step::Every | Step::Select(_) => None,
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
        // The members of a selected item are not known before the selection.
        (Step::Select(_), _) => None,
        _ => unknown_member(step(root, first)?, rest),
    }
}
