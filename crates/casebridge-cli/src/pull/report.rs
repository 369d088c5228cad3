//! What a pull shows: how the domain differs from the file there was, and what became of the file.

use serde_json::{Value, json};

use super::difference::Difference;
use super::snapshot::{Snapshot, text};
use crate::terminal::{BAD, FAINT, GOOD, NOTABLE, paint};

/// What became of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was compared only.
    Checked,
    /// It had the very text already.
    Unchanged,
    /// It has the new text.
    Written,
}

pub(super) struct Report<'a> {
    pub(super) file: String,
    /// What the domain says now.
    pub(super) snapshot: &'a Snapshot,
    pub(super) differences: &'a [Difference],
    pub(super) outcome: Outcome,
}

impl Report<'_> {
    pub(super) fn json_line(&self) -> String {
        let domain = self.snapshot.domain();
        let differences: Vec<Value> = self.differences.iter().map(Difference::json).collect();
        let line = json!({
            "file": self.file,
            "domain": { "domainId": text(domain, "domainId"), "name": text(domain, "name") },
            "written": self.outcome == Outcome::Written,
            "differences": differences,
        });
        format!("{line}\n")
    }

    pub(super) fn human(&self) -> String {
        let mut lines: String = self.differences.iter().map(line).collect();
        if !self.differences.is_empty() {
            lines.push('\n');
        }
        let count = |list| self.snapshot.list(list).len();
        let holds = format!(
            "domain {}: {}, {}, {}",
            self.snapshot.domain_name(),
            counted(count("fields"), "field"),
            counted(count("templates"), "template"),
            counted(count("rules"), "rule"),
        );
        let differences = counted(self.differences.len(), "difference");
        let outcome = match (self.outcome, self.differences.len()) {
            (Outcome::Checked, 0) => paint(GOOD, "no differences"),
            (Outcome::Checked, _) => {
                format!(
                    "{}: `pull` without --check writes what the domain says",
                    paint(BAD, differences)
                )
            }
            (Outcome::Unchanged, _) => paint(GOOD, "unchanged"),
            (Outcome::Written, 0) => paint(GOOD, "written"),
            (Outcome::Written, _) => paint(GOOD, format!("written, with {differences}")),
        };
        format!("{lines}{}  {}\n{outcome}\n", self.file, paint(FAINT, holds))
    }
}

fn line(difference: &Difference) -> String {
    let (what, consequence) = difference.sentence();
    if consequence.is_empty() {
        format!("{what}\n")
    } else {
        format!("{what}{}\n", paint(NOTABLE, consequence))
    }
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
