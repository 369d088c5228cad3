//! Mistakes in values that load without an error: text that looks like a reference, and escapes that are none.

use std::ops::Range;

use crate::expression::{Part, ValueExpr};
use crate::filter::Filter;

/// A part of a value that probably does not do what the author meant.
pub(super) struct Mistake {
    /// The position, in bytes of the scalar's text.
    pub(super) at: Range<usize>,
    /// The message.
    pub(super) message: String,
    /// The fix.
    pub(super) help: String,
}

/// The members that a reference without `$.` begins with.
const ROOTS: [&str; 8] = [
    "detail",
    "Attributes",
    "Parameters",
    "CustomerEndpoint",
    "SystemEndpoint",
    "Details",
    "SegmentAttributes",
    "Queue",
];

/// Returns the mistakes in the text of a scalar that is compiled to this value.
pub(super) fn mistakes(text: &str, value: &ValueExpr) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut at = 0;
    if let ValueExpr::Interpolated(parts) = value {
        if let [Part::Literal(literal)] = parts.as_slice() {
            found.extend(bare_reference(literal));
        }
        for part in parts {
            match part {
                Part::Literal(literal) => {
                    found.extend(unmarked_reference(literal).map(|mistake| mistake.moved(at)));
                    // A text without interpolations may be a path, such as `C:\new`.
                    if parts.len() > 1 {
                        found.extend(escape(literal).map(|mistake| mistake.moved(at)));
                    }
                    at += literal.len();
                }
                // Literal text never contains `}}` between two interpolations, so the first one ends this interpolation.
                Part::Interpolation(expression) => {
                    let rest = text.get(at..).unwrap_or_default();
                    let inner =
                        rest.find(&expression.text).unwrap_or_default() + expression.text.len();
                    let end = rest.get(inner..).and_then(|rest| rest.find("}}"));
                    at += inner + end.map_or(0, |end| end + 2);
                }
            }
        }
    }
    for expression in value.expressions() {
        let mut texts = expression.filters.iter().flat_map(Filter::literal_texts);
        if let Some(escape) = texts.find_map(escape) {
            found.push(Mistake {
                at: expression.range_in(text),
                ..escape
            });
        }
    }
    found
}

impl Mistake {
    fn moved(self, by: usize) -> Self {
        Self {
            at: self.at.start + by..self.at.end + by,
            ..self
        }
    }
}

/// A whole text such as `detail.order.id`.
fn bare_reference(text: &str) -> Option<Mistake> {
    let (root, rest) = text.split_once('.')?;
    let is_path = rest
        .chars()
        .all(|c| c.is_alphanumeric() || "._-[]'\"*$".contains(c));
    if !ROOTS.contains(&root.trim_start_matches('$')) || rest.is_empty() || !is_path {
        return None;
    }
    Some(Mistake {
        at: 0..text.len(),
        message: "this is text, and it looks like a reference".to_owned(),
        help: format!("did you mean `$.{root}.{rest}`?"),
    })
}

/// A reference in text without `{{ }}`: `{ $.detail.id }`, `${detail.id}` or `$.detail.id`.
fn unmarked_reference(text: &str) -> Option<Mistake> {
    let is_path = |c: char| c.is_alphanumeric() || "._-[]'*".contains(c);
    let (start, path) = if let Some(start) = text.find("$.") {
        (start, text.get(start + 2..)?)
    } else {
        let start = text.find("${")?;
        (start, text.get(start + 2..)?)
    };
    let path = path.get(..path.find(|c| !is_path(c)).unwrap_or(path.len()))?;
    let behind = text.get(start + 2 + path.len()..).unwrap_or_default();
    let path = path.trim_end_matches('.');
    // Text may well contain `$` before a name. A path, or a name in braces, is no accident.
    let is_path = path.contains(['.', '[']) || behind.trim_start().starts_with('}');
    if !is_path || !path.starts_with(|c: char| c.is_alphabetic()) {
        return None;
    }
    Some(Mistake {
        at: start..start + 2 + path.len(),
        message: "this is text, and it looks like a reference".to_owned(),
        help: format!("write {{{{ $.{path} }}}}"),
    })
}

/// A backslash that begins an escape in other languages.
fn escape(text: &str) -> Option<Mistake> {
    let (start, sign) = ["\\n", "\\t", "\\r"]
        .into_iter()
        .find_map(|sign| Some((text.find(sign)?, sign)))?;
    let name = if sign == "\\t" { "tab" } else { "line break" };
    Some(Mistake {
        at: start..start + sign.len(),
        message: format!("`{sign}` is a backslash and a letter here, not a {name}"),
        help: format!("put the whole value in double quotes: YAML reads \"{sign}\" as a {name}"),
    })
}
