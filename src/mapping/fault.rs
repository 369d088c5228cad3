//! What is wrong with a mapping: every fault with its place, its sentence and its help.
//!
//! A [`Faults`] is the whole list for one file. It prints like a compiler's diagnostics, one excerpt each, and is what a cold start logs.

use std::fmt;

use super::tree::{Position, Span};

/// One fault of a mapping file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where in the file.
    pub span: Span,
    /// What was expected and what was found, a sentence in lower case.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Fault {
    /// A fault without help.
    #[must_use]
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            help: None,
        }
    }

    /// The same fault with a sentence that says what to do.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        self.maybe_help(Some(help.into()))
    }

    /// The same fault with help, where there is any to give.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

/// All faults of one file, in the order of their places.
#[derive(Clone, Debug)]
pub struct Faults {
    /// The file's name as the reader knows it.
    pub file: String,
    /// The file's text, for the excerpts.
    pub text: String,
    /// The faults, sorted by place; never empty.
    pub list: Vec<Fault>,
}

impl Faults {
    /// Sorts the faults by place and drops repetitions (an anchor used twice would report its faults twice).
    #[must_use]
    pub fn new(file: impl Into<String>, text: impl Into<String>, mut list: Vec<Fault>) -> Self {
        list.sort();
        list.dedup();
        Self {
            file: file.into(),
            text: text.into(),
            list,
        }
    }
}

impl std::error::Error for Faults {}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<&str> = self.text.lines().collect();
        for (index, fault) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let Position { line, column } = fault.span.start;
            writeln!(f, "error: {}", fault.message)?;
            writeln!(f, "  --> {}:{line}:{column}", self.file)?;
            if let Some(excerpt) = line.checked_sub(1).and_then(|at| lines.get(at)) {
                let end = if fault.span.end.line == line {
                    fault.span.end.column
                } else {
                    excerpt.chars().count() + 1
                };
                let gutter = line.to_string().len();
                writeln!(f, "{:gutter$} |", "")?;
                writeln!(f, "{line} | {excerpt}")?;
                writeln!(
                    f,
                    "{:gutter$} | {:indent$}{}",
                    "",
                    "",
                    "^".repeat(end.saturating_sub(column).max(1)),
                    indent = column.saturating_sub(1)
                )?;
            }
            if let Some(help) = &fault.help {
                writeln!(f, "  = help: {help}")?;
            }
        }
        let (count, noun) = (
            self.list.len(),
            if self.list.len() == 1 {
                "fault"
            } else {
                "faults"
            },
        );
        write!(f, "\n{}: {count} {noun}", self.file)
    }
}

/// The candidate that the misspelt `name` most probably meant, if one is near enough.
///
/// Near means at most a third of the name's characters apart (transpositions count once), or equal but for case.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::osa_distance(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= (name.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?` for a misspelt name, else the list of the right ones when it is short.
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(candidate) = nearest(name, candidates.iter().copied()) {
        return Some(format!("did you mean `{candidate}`?"));
    }
    (1..=20)
        .contains(&candidates.len())
        .then(|| format!("there is {}", listed(candidates)))
}

/// "`a`, `b` or `c`".
pub fn alternatives<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    joined(names, "or")
}

/// "`a`, `b` and `c`".
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    joined(names, "and")
}

fn joined<'a>(names: impl IntoIterator<Item = &'a str>, word: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} {word} {last}", rest.join(", ")),
    }
}
