//! `ConditionExpression`: its text to a condition, and whether an item meets it.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>

use std::cmp::Ordering;

use crate::refusal::Refusal;
use crate::table::expression::{Path, Reader, Token};
use crate::table::placeholders::Placeholders;
use crate::table::value::{AttributeValue, Attributes};

const MEMBER: &str = "ConditionExpression";

/// A condition.
#[derive(Debug)]
pub(crate) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Exists(Path),
    Compare(Operand, &'static str, Operand),
    Between(Operand, Operand, Operand),
}

/// One side of a comparison.
#[derive(Debug, PartialEq)]
pub(crate) enum Operand {
    Path(Path),
    Value(AttributeValue),
}

impl Operand {
    fn find<'a>(&'a self, item: &'a Attributes) -> Option<&'a AttributeValue> {
        match self {
            Self::Path(path) => path.find(item),
            Self::Value(value) => Some(value),
        }
    }

    fn order(&self, other: &Self, item: &Attributes) -> Option<Ordering> {
        self.find(item)?.order(other.find(item)?)
    }
}

impl Condition {
    /// The condition of that text.
    pub(crate) fn read(text: &str, placeholders: &mut Placeholders) -> Result<Self, Refusal> {
        let mut reader = Reader::new(MEMBER, text, placeholders)?;
        let condition = any_of(&mut reader)?;
        reader.end()?;
        Ok(condition)
    }

    /// Whether the item meets it; an item that does not exist has no attributes. What does not exist
    /// is unequal to everything, and neither less nor greater than anything.
    pub(crate) fn holds(&self, item: &Attributes) -> bool {
        match self {
            Self::And(one, other) => one.holds(item) && other.holds(item),
            Self::Or(one, other) => one.holds(item) || other.holds(item),
            Self::Not(condition) => !condition.holds(item),
            Self::Exists(path) => path.find(item).is_some(),
            Self::Compare(one, sign, other) => {
                let equal = || {
                    let value = one.find(item);
                    value.is_some() && value == other.find(item)
                };
                let order = || one.order(other, item);
                match *sign {
                    "=" => equal(),
                    "<>" => !equal(),
                    "<" => order().is_some_and(Ordering::is_lt),
                    "<=" => order().is_some_and(Ordering::is_le),
                    ">" => order().is_some_and(Ordering::is_gt),
                    _ => order().is_some_and(Ordering::is_ge),
                }
            }
            Self::Between(operand, lower, upper) => {
                let from = operand.order(lower, item).is_some_and(Ordering::is_ge);
                from && operand.order(upper, item).is_some_and(Ordering::is_le)
            }
        }
    }
}

fn any_of(reader: &mut Reader<'_>) -> Result<Condition, Refusal> {
    let mut condition = all_of(reader)?;
    while reader.keyword("OR") {
        condition = Condition::Or(Box::new(condition), Box::new(all_of(reader)?));
    }
    Ok(condition)
}

fn all_of(reader: &mut Reader<'_>) -> Result<Condition, Refusal> {
    let mut condition = negated(reader)?;
    while reader.keyword("AND") {
        condition = Condition::And(Box::new(condition), Box::new(negated(reader)?));
    }
    Ok(condition)
}

fn negated(reader: &mut Reader<'_>) -> Result<Condition, Refusal> {
    if reader.keyword("NOT") {
        return Ok(Condition::Not(Box::new(negated(reader)?)));
    }
    if reader.peek(0) != Some(&Token::Sign("(")) {
        return predicate(reader);
    }
    if has_redundant_parentheses(reader) {
        return Err(reader.refusal("The expression has redundant parentheses;"));
    }
    reader.expect("(")?;
    let condition = any_of(reader)?;
    reader.expect(")")?;
    Ok(condition)
}

/// Whether what the bracket here encloses is all enclosed by another.
fn has_redundant_parentheses(reader: &Reader<'_>) -> bool {
    if reader.peek(1) != Some(&Token::Sign("(")) {
        return false;
    }
    let mut depth = 0_usize;
    let mut ahead = 1;
    while let Some(token) = reader.peek(ahead) {
        match token {
            Token::Sign("(") => depth += 1,
            Token::Sign(")") => depth = depth.saturating_sub(1),
            _ => {}
        }
        ahead += 1;
        if depth == 0 {
            return reader.peek(ahead) == Some(&Token::Sign(")"));
        }
    }
    false
}

fn predicate(reader: &mut Reader<'_>) -> Result<Condition, Refusal> {
    match reader.function().as_deref() {
        Some("attribute_exists") => return existence(reader, "attribute_exists"),
        Some("attribute_not_exists") => {
            let exists = existence(reader, "attribute_not_exists")?;
            return Ok(Condition::Not(Box::new(exists)));
        }
        Some(name @ ("attribute_type" | "begins_with" | "contains" | "size")) => {
            return Err(reader.unsupported(&format!("the function {name}")));
        }
        Some(name @ ("if_not_exists" | "list_append")) => {
            return Err(reader.refusal(&format!(
                "The function is not allowed in a condition expression; function: {name}"
            )));
        }
        Some(name) => {
            return Err(reader.refusal(&format!("Invalid function name; function: {name}")));
        }
        None => {}
    }
    let first = operand(reader)?;
    if reader.keyword("BETWEEN") {
        return between(reader, first);
    }
    if reader.keyword("IN") {
        return Err(reader.unsupported("the operator IN"));
    }
    let Some(sign) = reader.one_of(&["=", "<>", "<=", "<", ">=", ">"]) else {
        return Err(reader.syntax_error());
    };
    let second = operand(reader)?;
    if !matches!(sign, "=" | "<>") {
        ordered(reader, sign, &[&first, &second])?;
    }
    if let (true, Operand::Path(path)) = (first == second, &first) {
        return Err(reader.refusal(&format!(
            "The first operand must be distinct from the remaining operands for this operator or \
             function; operator: {sign}, first operand: {path}"
        )));
    }
    Ok(Condition::Compare(first, sign, second))
}

fn existence(reader: &mut Reader<'_>, name: &str) -> Result<Condition, Refusal> {
    if reader.value()?.is_some() {
        return Err(reader.refusal(&format!(
            "Operator or function requires a document path; operator or function: {name}"
        )));
    }
    let path = reader.path()?;
    if reader.peek(0) == Some(&Token::Sign(",")) {
        return Err(reader.refusal(&format!(
            "Incorrect number of operands for operator or function; operator or function: {name}"
        )));
    }
    reader.expect(")")?;
    Ok(Condition::Exists(path))
}

fn between(reader: &mut Reader<'_>, first: Operand) -> Result<Condition, Refusal> {
    let lower = operand(reader)?;
    if !reader.keyword("AND") {
        return Err(reader.syntax_error());
    }
    let upper = operand(reader)?;
    ordered(reader, "BETWEEN", &[&first, &lower, &upper])?;
    if let (Operand::Value(lower), Operand::Value(upper)) = (&lower, &upper) {
        let what = match lower.order(upper) {
            Some(Ordering::Greater) => {
                "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"
            }
            None => "The BETWEEN operator requires same data type for lower and upper bounds",
            Some(_) => return Ok(Condition::Between(first, bound(lower), bound(upper))),
        };
        return Err(reader.refusal(&format!(
            "{what}; lower bound operand: {}, upper bound operand: {}",
            lower.to_json(),
            upper.to_json()
        )));
    }
    Ok(Condition::Between(first, lower, upper))
}

fn bound(value: &AttributeValue) -> Operand {
    Operand::Value(value.clone())
}

/// Refuses given values that have no order.
fn ordered(reader: &Reader<'_>, sign: &str, operands: &[&Operand]) -> Result<(), Refusal> {
    for operand in operands {
        if let Operand::Value(value) = operand
            && value.order(value).is_none()
        {
            return Err(reader.refusal(&format!(
                "Incorrect operand type for operator or function; operator or function: {sign}, \
                 operand type: {}",
                value.kind()
            )));
        }
    }
    Ok(())
}

fn operand(reader: &mut Reader<'_>) -> Result<Operand, Refusal> {
    if let Some(value) = reader.value()? {
        return Ok(Operand::Value(value));
    }
    if let Some(name) = reader.function() {
        return Err(reader.unsupported(&format!("the function {name} as an operand")));
    }
    reader.path().map(Operand::Path)
}

#[cfg(test)]
mod tests;
