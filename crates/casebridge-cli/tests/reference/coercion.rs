//! The coercion table, from the rows that the library's tests run.

use std::collections::HashSet;

use super::markdown::{self, code, prose};
use super::table::{self, Outcome, Row};

pub(crate) fn tables() -> String {
    let sections = table::sections().into_iter().map(|section| {
        let mut rules = HashSet::new();
        let rows: Vec<[String; 3]> = section
            .rows
            .iter()
            .map(|row| [value(row), outcome(row, &mut rules), prose(&row.note)])
            .collect();
        let about = match section.about.as_str() {
            "" => format!("Of type {}.", section.field.kind.name()),
            about => about.to_owned(),
        };
        let rows = markdown::table(["value", "becomes", ""], &rows);
        format!("### {}\n\n{about}\n\n{rows}", section.title)
    });
    sections.collect::<Vec<_>>().join("\n")
}

fn value(row: &Row) -> String {
    let json = row.value.to_string();
    // As authors write what cannot be seen, and exponents.
    let json = json.replace('\u{301}', "\\u0301").replace("e+", "e");
    let truncate = if row.truncate {
        ", `overflow: truncate`"
    } else {
        ""
    };
    match row.times {
        1 => format!("{}{truncate}", code(&json)),
        times => format!("{} × {times}{truncate}", code(&json)),
    }
}

/// What becomes of a value. A rule that stands in the section already is not written out again.
fn outcome(row: &Row, rules: &mut HashSet<String>) -> String {
    match &row.outcome {
        Outcome::Sent(member, value) if *value == row.value => format!("{member}, as it is"),
        Outcome::Sent(member, value) => format!("{member} {}", code(&value.to_string())),
        Outcome::Kept(times) if *times == row.times => "stringValue, as it is".to_owned(),
        Outcome::Kept(times) => format!("stringValue, the first {times}"),
        Outcome::Missing => "missing".to_owned(),
        Outcome::Refused(message) => {
            let (rule, found) = message
                .split_once(", found ")
                .unwrap_or((message, "the same"));
            if rules.insert(rule.to_owned()) {
                format!("refused: {}", prose(message))
            } else {
                format!("refused: …, found {}", prose(found))
            }
        }
    }
}
