//! The output of `test`: a line for each test, its differences, and a summary.

use std::fmt::Write as _;

use serde_json::json;
use textwrap::core::display_width;

use super::decode::Test;
use super::expectation::Difference;
use super::outcome::Outcome;
use crate::terminal::{BAD, FAINT, GOOD, STRONG, paint};

/// The width of a message's lines.
const SENTENCE_WIDTH: usize = 88;

/// One test, run.
pub(super) struct Report<'a> {
    test: &'a Test,
    /// The case mapping that took the event.
    mapping: Option<&'a str>,
    differences: Vec<Difference>,
}

impl<'a> Report<'a> {
    pub(super) fn new(test: &'a Test, outcome: &Outcome<'a>) -> Self {
        Self {
            test,
            mapping: match outcome {
                Outcome::Case { mapping, .. } => Some(mapping),
                Outcome::Refused { mapping, .. } => *mapping,
                Outcome::Skipped(_) => None,
            },
            differences: test.expected.differences(outcome),
        }
    }

    pub(super) fn is_ok(&self) -> bool {
        self.differences.is_empty()
    }

    /// The test's line for machines.
    pub(super) fn json_line(&self) -> String {
        let differences: Vec<_> = self
            .differences
            .iter()
            .map(|difference| {
                json!({
                    "about": difference.about,
                    "expected": difference.expected,
                    "found": difference.found,
                    "reason": difference.reason,
                })
            })
            .collect();
        let line = json!({
            "test": self.test.name,
            "line": self.test.line,
            "ok": self.is_ok(),
            "case": self.mapping,
            "differences": differences,
        });
        format!("{line}\n")
    }

    /// The test's line for people, and what differs below it.
    pub(super) fn human(&self, file: &str) -> String {
        if self.is_ok() {
            return format!("{}      {}\n", paint(GOOD, "ok"), self.test.name);
        }
        let mut text = format!(
            "{}  {}\n",
            paint(BAD, "failed"),
            paint(STRONG, &self.test.name)
        );
        let by = self.mapping.map(|mapping| format!("by {mapping}, "));
        let place = format!("{}{file}:{}", by.unwrap_or_default(), self.test.line);
        let _ = writeln!(text, "        {}", paint(FAINT, place));
        let width = |difference: &Difference| display_width(&difference.about);
        let column = self.differences.iter().map(width).max().unwrap_or_default();
        for difference in &self.differences {
            let Difference {
                about,
                expected,
                found,
                reason,
            } = difference;
            let indent = " ".repeat(column - width(difference));
            let _ = writeln!(
                text,
                "        {about}{indent}  {} {}",
                paint(FAINT, "expected"),
                paint(GOOD, expected)
            );
            let below = format!("        {:column$}     ", "");
            let _ = writeln!(
                text,
                "{below}{} {}",
                paint(FAINT, "found"),
                paint(BAD, found)
            );
            for line in reason
                .iter()
                .flat_map(|reason| textwrap::wrap(reason, SENTENCE_WIDTH))
            {
                let _ = writeln!(text, "{below}      {line}");
            }
        }
        text
    }
}

/// The closing line: how many ran, of how many there are, and how they went.
pub(super) fn summary(reports: &[Report<'_>], all: usize) -> String {
    let ran = reports.len();
    let failed = reports.iter().filter(|report| !report.is_ok()).count();
    let of = if ran == all {
        String::new()
    } else {
        format!(" of {all}")
    };
    let noun = if all == 1 { "test" } else { "tests" };
    let counts = match failed {
        0 => paint(GOOD, "all ok"),
        _ => format!(
            "{} ok, {}",
            ran - failed,
            paint(BAD, format!("{failed} failed"))
        ),
    };
    format!("\n{ran}{of} {noun}: {counts}\n")
}
