//! The matcher of event patterns: one walk over the event, then one pass over the fields of each branch.
//!
//! The walk follows the pattern's names. For each field, it records the array elements in which a value meets a condition. Fields of one
//! branch must not use two elements of the same array ([array matching]). So the pass keeps every choice of elements that the fields so
//! far allow. It drops an array after the last field in it. This keeps the choices few, and the work close to the size of the event.
//!
//! [array matching]: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-arrays.html

use std::iter;

use serde_json::{Map, Value};
use smallvec::{SmallVec, smallvec};

use super::condition::Leaf;
use super::{Field, Pattern};

/// The maximum number of choices at once. Events with many elements get a higher limit: two choices for each element.
///
/// Only nested arrays whose names overlap through dots need more. Such an event does not match.
const MAX_CHOICES: usize = 65_536;

/// The event itself, as the element of values that are not in an array.
const ROOT: usize = 0;

/// An array element that is an object or an array. Plain values in an array belong to the element that contains the array.
#[derive(Clone, Copy)]
struct Element {
    array: usize,
    /// The element that contains the array.
    parent: usize,
}

/// The chosen elements as sorted pairs of array and element.
type Choice = Vec<(usize, usize)>;

/// The state of a walk over an event.
///
/// Its lists have capacity for most patterns and events. A mapping may try a hundred patterns in vain for each event.
struct Walk<'a> {
    pattern: &'a Pattern,
    /// The elements in the order of the event, numbered from 1. An element's content comes directly after it, before the next element.
    elements: Vec<Element>,
    /// For each array, the number after its last element and everything in that element.
    ends: Vec<usize>,
    findings: SmallVec<[Finding; 4]>,
}

/// The elements that contain a field's values, sorted.
#[derive(Clone, Default)]
struct Finding {
    /// The elements with a value that meets one of the conditions.
    met: SmallVec<[usize; 2]>,
    /// The elements with any value. Filled only for a field that may be absent.
    present: SmallVec<[usize; 2]>,
}

impl Finding {
    fn order(&mut self) {
        for places in [&mut self.met, &mut self.present] {
            places.sort_unstable();
            places.dedup();
        }
    }
}

pub(super) fn matches<'v>(
    pattern: &Pattern,
    event: &Value,
    variable: &dyn Fn(usize) -> Option<&'v Value>,
) -> bool {
    let Value::Object(event) = event else {
        return false;
    };
    let mut walk = Walk {
        pattern,
        elements: Vec::new(),
        ends: Vec::new(),
        findings: smallvec![Finding::default(); pattern.fields.len()],
    };
    walk.object(0, event, ROOT);
    // A variable is computed only if the event alone does not decide.
    if !pattern.variables.is_empty() && !walk.may_match() {
        return false;
    }
    for (step, index) in &pattern.variables {
        if let Some(value) = variable(*index) {
            walk.value(*step, value, ROOT);
        }
    }
    walk.findings.iter_mut().for_each(Finding::order);
    pattern.branches.iter().any(|branch| walk.matches(branch))
}

impl<'a> Walk<'a> {
    /// Returns false if a field of the event, each looked at alone, already fails in every branch.
    fn may_match(&self) -> bool {
        let may_hold = |field: &usize| {
            let (Some(field), Some(finding)) =
                (self.pattern.fields.get(*field), self.findings.get(*field))
            else {
                return false;
            };
            field.path.starts_with('$')
                || !finding.met.is_empty()
                || field.absent && finding.present.is_empty()
        };
        let mut branches = self.pattern.branches.iter();
        branches.any(|branch| branch.iter().all(may_hold))
    }

    fn object(&mut self, step: usize, object: &Map<String, Value>, element: usize) {
        for (name, value) in object {
            if let Some(step) = self.below(step, name) {
                self.value(step, value, element);
            }
        }
    }

    /// Returns the step below a name. A name with dots counts as several names.
    fn below(&self, step: usize, name: &str) -> Option<usize> {
        // A member of the event is no variable, whatever its name is.
        if step == 0 && name.starts_with('$') {
            return None;
        }
        let below = |step: usize, name: &str| self.pattern.steps.get(step)?.below(name);
        if name.as_bytes().contains(&b'.') {
            return name.split('.').try_fold(step, below);
        }
        below(step, name).filter(|_| !name.is_empty() || self.pattern.empty_names)
    }

    fn value(&mut self, step: usize, value: &Value, element: usize) {
        match value {
            Value::Object(object) => self.object(step, object, element),
            Value::Array(values) => self.array(step, values, element),
            _ => self.leaf(step, value, element),
        }
    }

    fn array(&mut self, step: usize, values: &[Value], parent: usize) {
        let array = self.ends.len();
        self.ends.push(0);
        for value in values {
            let mut element = parent;
            if value.is_object() || value.is_array() {
                self.elements.push(Element { array, parent });
                element = self.elements.len();
            }
            self.value(step, value, element);
        }
        if let Some(end) = self.ends.get_mut(array) {
            *end = self.elements.len() + 1;
        }
    }

    fn leaf(&mut self, step: usize, value: &Value, element: usize) {
        let pattern = self.pattern;
        let fields = pattern.steps.get(step).map_or(&[][..], |step| &step.fields);
        let Some(leaf) = Leaf::of(value) else { return };
        for &field in fields {
            let (Some(field), Some(finding)) =
                (pattern.fields.get(field), self.findings.get_mut(field))
            else {
                continue;
            };
            if field.absent {
                finding.present.push(element);
            }
            if field
                .conditions
                .iter()
                .any(|condition| condition.accepts(leaf))
            {
                finding.met.push(element);
            }
        }
    }

    /// Returns true if all fields of the branch match together.
    fn matches(&self, branch: &[usize]) -> bool {
        let fields = || {
            branch.iter().filter_map(|&field| {
                Some((self.pattern.fields.get(field)?, self.findings.get(field)?))
            })
        };
        if self.ends.is_empty() {
            return fields().all(|(field, finding)| {
                !finding.met.is_empty() || field.absent && finding.present.is_empty()
            });
        }
        if fields().any(|(field, finding)| finding.met.is_empty() && !field.absent) {
            return false;
        }
        let mut last_uses = vec![0; self.ends.len()];
        for (position, (_, finding)) in fields().enumerate() {
            let places = finding.met.iter().chain(&finding.present);
            for (array, _) in places.flat_map(|&place| self.chain(place)) {
                if let Some(last_use) = last_uses.get_mut(array) {
                    *last_use = position;
                }
            }
        }
        let limit = MAX_CHOICES.max(2 * (self.elements.len() + 1));
        let mut choices = vec![Choice::new()];
        for (position, (field, finding)) in fields().enumerate() {
            choices = self.choose(&choices, field, finding, limit);
            for choice in &mut choices {
                choice.retain(|(array, _)| {
                    last_uses
                        .get(*array)
                        .is_some_and(|last_use| *last_use > position)
                });
            }
            choices.sort_unstable();
            choices.dedup();
            if choices.is_empty() {
                return false;
            }
        }
        true
    }

    /// Returns every choice that extends one of these and lets the field match. Returns none above the limit.
    fn choose(
        &self,
        choices: &[Choice],
        field: &Field,
        finding: &Finding,
        limit: usize,
    ) -> Vec<Choice> {
        let mut next = Vec::new();
        for choice in choices {
            let left = limit - next.len().min(limit);
            if field.absent && self.consistent(choice, &finding.present).next().is_none() {
                next.push(choice.clone());
            }
            let places = self.consistent(choice, &finding.met);
            next.extend(places.take(left + 1).map(|place| {
                let mut choice = choice.clone();
                choice.extend(self.chain(place));
                choice.sort_unstable();
                choice.dedup();
                choice
            }));
            if next.len() > limit {
                return Vec::new();
            }
        }
        next
    }

    /// Returns the places that are compatible with the choice: they use no other element of an array than the chosen one.
    ///
    /// After an incompatible place, it continues at the chosen element, or at the end of the array.
    fn consistent(&self, choice: &'a Choice, places: &'a [usize]) -> impl Iterator<Item = usize> {
        let mut rest = places;
        iter::from_fn(move || {
            loop {
                let (&place, behind) = rest.split_first()?;
                let conflict = self.chain(place).filter_map(|(array, element)| {
                    let (_, chosen) = choice.iter().find(|(other, _)| *other == array)?;
                    (*chosen != element).then_some((array, element, *chosen))
                });
                let Some((array, element, chosen)) = conflict.last() else {
                    rest = behind;
                    return Some(place);
                };
                let resume = if element < chosen {
                    chosen
                } else {
                    self.ends.get(array).copied()?
                };
                rest = rest.get(rest.partition_point(|place| *place < resume)..)?;
            }
        })
    }

    /// Returns the element and all elements around it, each with its array, from the inside out.
    fn chain(&self, place: usize) -> impl Iterator<Item = (usize, usize)> {
        let element = |place: usize| self.elements.get(place.checked_sub(1)?);
        iter::successors(Some(place), move |place| Some(element(*place)?.parent))
            .map_while(move |place| Some((element(place)?.array, place)))
    }
}
