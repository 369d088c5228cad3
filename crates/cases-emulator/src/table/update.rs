//! `UpdateExpression`: its text to changes, and an item to the changed item. Every operand is read from
//! the item as it was before the update.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html>

use std::collections::BTreeSet;

use crate::refusal::Refusal;
use crate::table::expression::{Path, Reader};
use crate::table::placeholders::Placeholders;
use crate::table::value::{AttributeValue, Attributes, in_range};

const MEMBER: &str = "UpdateExpression";

/// The changes of an update, no two of them to one place.
#[derive(Debug, Default)]
pub(crate) struct Update {
    changes: Vec<(Path, Change)>,
}

#[derive(Debug)]
enum Change {
    Set(SetValue),
    Remove,
    Add(AttributeValue),
    Delete(BTreeSet<String>),
}

#[derive(Debug)]
enum SetValue {
    Operand(Operand),
    Sum(Operand, Operand),
    Difference(Operand, Operand),
}

#[derive(Debug)]
enum Operand {
    Path(Path),
    Value(AttributeValue),
    IfNotExists(Path, Box<Operand>),
}

impl Update {
    /// The update of that text.
    pub(crate) fn read(text: &str, placeholders: &mut Placeholders) -> Result<Self, Refusal> {
        let mut reader = Reader::new(MEMBER, text, placeholders)?;
        let mut update = Self::default();
        let mut seen: Vec<&str> = Vec::new();
        while reader.peek(0).is_some() {
            let sections = ["SET", "REMOVE", "ADD", "DELETE"];
            let Some(section) = sections.into_iter().find(|word| reader.keyword(word)) else {
                return Err(reader.syntax_error());
            };
            if seen.contains(&section) {
                return Err(reader.refusal(&format!(
                    "The \"{section}\" section can only be used once in an update expression;"
                )));
            }
            seen.push(section);
            loop {
                let change = change(&mut reader, section)?;
                update.add(&reader, change)?;
                if !reader.sign(",") {
                    break;
                }
            }
        }
        reader.end()?;
        Ok(update)
    }

    fn add(&mut self, reader: &Reader<'_>, change: (Path, Change)) -> Result<(), Refusal> {
        let overlapping = self.paths().find(|path| path.overlaps(&change.0));
        if let Some(path) = overlapping {
            return Err(reader.refusal(&format!(
                "Two document paths overlap with each other; must remove or rewrite one of these \
                 paths; path one: {path}, path two: {}",
                change.0
            )));
        }
        self.changes.push(change);
        Ok(())
    }

    /// The places it changes.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.changes.iter().map(|(path, _)| path)
    }

    /// Whether it makes the item when there is none: one that only takes away does not.
    pub(crate) fn creates(&self) -> bool {
        let takes_away = |change: &Change| matches!(change, Change::Remove | Change::Delete(_));
        self.changes.is_empty() || !self.changes.iter().all(|(_, change)| takes_away(change))
    }

    /// The item as it is after the update.
    pub(crate) fn apply(&self, item: &Attributes) -> Result<Attributes, Refusal> {
        let mut changed = item.clone();
        for (path, change) in &self.changes {
            let value = change.value(path.find(item), item)?;
            put(&mut changed, path, value)?;
        }
        Ok(changed)
    }
}

/// Those of the places that are in the item, each inside the maps it stands in.
pub(crate) fn project<'a>(item: &Attributes, paths: impl Iterator<Item = &'a Path>) -> Attributes {
    let mut projected = Attributes::new();
    for path in paths {
        if let Some(value) = path.find(item) {
            nest(&mut projected, &path.0, value);
        }
    }
    projected
}

/// Puts the value into the maps it stands in, made where they are missing.
fn nest(members: &mut Attributes, names: &[String], value: &AttributeValue) {
    match names {
        [] => {}
        [name] => {
            members.insert(name.clone(), value.clone());
        }
        [name, rest @ ..] => {
            let empty = || AttributeValue::M(Attributes::new());
            if let AttributeValue::M(below) = members.entry(name.clone()).or_insert_with(empty) {
                nest(below, rest, value);
            }
        }
    }
}

/// Puts the value there, or takes away what is there. The maps it stands in have to exist.
fn put(item: &mut Attributes, path: &Path, value: Option<AttributeValue>) -> Result<(), Refusal> {
    let no_place = || {
        Refusal::Validation(
            "The document path provided in the update expression is invalid for update".to_owned(),
        )
    };
    let (last, parents) = path.0.split_last().ok_or_else(no_place)?;
    let mut members = item;
    for parent in parents {
        match members.get_mut(parent) {
            Some(AttributeValue::M(below)) => members = below,
            _ => return Err(no_place()),
        }
    }
    match value {
        Some(value) => members.insert(last.clone(), value),
        None => members.remove(last),
    };
    Ok(())
}

impl Change {
    /// What is to stand there, none for nothing.
    fn value(
        &self,
        present: Option<&AttributeValue>,
        item: &Attributes,
    ) -> Result<Option<AttributeValue>, Refusal> {
        match (self, present) {
            (Self::Set(value), _) => value.evaluate(item).map(Some),
            (Self::Remove, _) | (Self::Delete(_), None) => Ok(None),
            (Self::Add(value), None) => Ok(Some(value.clone())),
            (Self::Add(AttributeValue::N(more)), Some(AttributeValue::N(number))) => {
                Ok(Some(AttributeValue::N(in_range(&(number + more))?)))
            }
            (Self::Add(AttributeValue::Ss(more)), Some(AttributeValue::Ss(texts))) => {
                let union = texts.union(more).cloned().collect();
                Ok(Some(AttributeValue::Ss(union)))
            }
            (Self::Delete(fewer), Some(AttributeValue::Ss(texts))) => {
                let rest: BTreeSet<String> = texts.difference(fewer).cloned().collect();
                Ok((!rest.is_empty()).then_some(AttributeValue::Ss(rest)))
            }
            (Self::Add(_) | Self::Delete(_), Some(_)) => Err(wrong_type()),
        }
    }
}

fn wrong_type() -> Refusal {
    Refusal::Validation("An operand in the update expression has an incorrect data type".to_owned())
}

impl SetValue {
    fn evaluate(&self, item: &Attributes) -> Result<AttributeValue, Refusal> {
        let number = |operand: &Operand| match operand.evaluate(item)? {
            AttributeValue::N(number) => Ok(number),
            _ => Err(wrong_type()),
        };
        let number = match self {
            Self::Operand(operand) => return operand.evaluate(item),
            Self::Sum(one, other) => number(one)? + number(other)?,
            Self::Difference(one, other) => number(one)? - number(other)?,
        };
        in_range(&number).map(AttributeValue::N)
    }
}

impl Operand {
    fn evaluate(&self, item: &Attributes) -> Result<AttributeValue, Refusal> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Path(path) => path.find(item).cloned().ok_or_else(|| {
                Refusal::Validation(
                    "The provided expression refers to an attribute that does not exist in the item"
                        .to_owned(),
                )
            }),
            Self::IfNotExists(path, otherwise) => match path.find(item) {
                Some(value) => Ok(value.clone()),
                None => otherwise.evaluate(item),
            },
        }
    }
}

fn change(reader: &mut Reader<'_>, section: &str) -> Result<(Path, Change), Refusal> {
    let path = reader.path()?;
    let change = match section {
        "SET" => {
            reader.expect("=")?;
            Change::Set(set_value(reader)?)
        }
        "REMOVE" => Change::Remove,
        _ => {
            let Some(value) = reader.value()? else {
                return Err(reader.syntax_error());
            };
            if path.0.len() > 1 {
                return Err(reader.unsupported(&format!("{section} below the top level")));
            }
            match (section, value) {
                ("ADD", value @ (AttributeValue::N(_) | AttributeValue::Ss(_))) => {
                    Change::Add(value)
                }
                ("DELETE", AttributeValue::Ss(texts)) => Change::Delete(texts),
                (_, value) => return Err(operand_type(reader, section, &value)),
            }
        }
    };
    Ok((path, change))
}

fn set_value(reader: &mut Reader<'_>) -> Result<SetValue, Refusal> {
    let first = operand(reader)?;
    let Some(sign) = reader.one_of(&["+", "-"]) else {
        return Ok(SetValue::Operand(first));
    };
    let second = operand(reader)?;
    for operand in [&first, &second] {
        if let Operand::Value(value) = operand
            && !matches!(value, AttributeValue::N(_))
        {
            return Err(operand_type(reader, sign, value));
        }
    }
    Ok(match sign {
        "+" => SetValue::Sum(first, second),
        _ => SetValue::Difference(first, second),
    })
}

fn operand_type(reader: &Reader<'_>, operator: &str, value: &AttributeValue) -> Refusal {
    reader.refusal(&format!(
        "Incorrect operand type for operator or function; operator or function: {operator}, \
         operand type: {}",
        value.kind()
    ))
}

fn operand(reader: &mut Reader<'_>) -> Result<Operand, Refusal> {
    if let Some(value) = reader.value()? {
        return Ok(Operand::Value(value));
    }
    match reader.function().as_deref() {
        None => reader.path().map(Operand::Path),
        Some("if_not_exists") => {
            let path = reader.path()?;
            reader.expect(",")?;
            let otherwise = operand(reader)?;
            reader.expect(")")?;
            Ok(Operand::IfNotExists(path, Box::new(otherwise)))
        }
        Some("list_append") => Err(reader.unsupported("the function list_append")),
        Some(
            name @ ("attribute_exists"
            | "attribute_not_exists"
            | "attribute_type"
            | "begins_with"
            | "contains"
            | "size"),
        ) => Err(reader.refusal(&format!(
            "The function is not allowed in an update expression; function: {name}"
        ))),
        Some(name) => Err(reader.refusal(&format!("Invalid function name; function: {name}"))),
    }
}

#[cfg(test)]
mod tests;
