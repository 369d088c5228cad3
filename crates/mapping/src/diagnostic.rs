//! Diagnostics of a mapping: each with its place, its sentence and its help.
//!
//! A [`Diagnostics`] is the whole list for one file. It prints like a compiler's diagnostics, one excerpt each, and is what a cold start logs.

use std::fmt;

use crate::tree::{Position, Span};

/// One diagnostic about a mapping file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The place in the file.
    pub span: Span,
    /// An error stops the start; a warning does not.
    pub severity: Severity,
    /// Its kind, for machines.
    pub code: Code,
    /// A sentence in lower case: the expected and the found.
    pub message: String,
    /// The remedy, a sentence in lower case.
    pub help: Option<String>,
}

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The mapping cannot be used.
    Error,
    /// The mapping can be used, and probably does not say what was meant.
    Warning,
}

impl Severity {
    /// The word before the message.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// The kind of a diagnostic. Names are stable: tools may depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is its own name")]
pub enum Code {
    Contact,
    Customer,
    DuplicateKey,
    EventMember,
    Expression,
    FieldSetTwice,
    FieldType,
    FieldValue,
    InactiveTemplate,
    Key,
    MissingKey,
    Name,
    Overflow,
    Pattern,
    PerformedBy,
    ReadOnlyField,
    Reference,
    RequiredField,
    Shape,
    Syntax,
    Tag,
    UnknownField,
    UnknownKey,
    UnknownOption,
    UnknownTable,
    UnknownTemplate,
    UnknownWord,
    Unreachable,
    Unused,
}

impl Code {
    /// The code as tools read it: `unknown-key`.
    #[must_use]
    pub fn name(self) -> String {
        let mut name = String::new();
        for character in format!("{self:?}").chars() {
            if character.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(character.to_ascii_lowercase());
        }
        name
    }
}

impl Diagnostic {
    /// An error about what stands somewhere, without help.
    #[must_use]
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            severity: Severity::Error,
            code: Code::Shape,
            message: message.into(),
            help: None,
        }
    }

    /// An error of another kind than [`Code::Shape`].
    #[must_use]
    pub fn error(span: Span, code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            ..Self::new(span, message)
        }
    }

    /// A diagnostic that does not keep the mapping from being used.
    #[must_use]
    pub fn warning(span: Span, code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            code,
            ..Self::new(span, message)
        }
    }

    /// The same diagnostic, of another kind.
    #[must_use]
    pub fn code(self, code: Code) -> Self {
        Self { code, ..self }
    }

    /// The same diagnostic with a sentence that says what to do.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        self.maybe_help(Some(help.into()))
    }

    /// The same diagnostic with help, where there is any to give.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// Returns true if the mapping cannot be used for it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// So many characters of a line are shown: a mapping in JSON may be one line of a megabyte.
const EXCERPT: usize = 200;

/// All diagnostics about one file, in the order of their places.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    /// The file's name as the reader knows it.
    pub file: String,
    /// The file's text, for the excerpts.
    pub text: String,
    /// The diagnostics, sorted by place.
    pub list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Sorts the diagnostics by place and drops repetitions (an anchor used twice would report its diagnostics twice).
    #[must_use]
    pub fn new(
        file: impl Into<String>,
        text: impl Into<String>,
        mut list: Vec<Diagnostic>,
    ) -> Self {
        list.sort();
        list.dedup();
        Self {
            file: file.into(),
            text: text.into(),
            list,
        }
    }

    /// Returns true if one of them keeps the mapping from being used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }

    /// Returns their number in words: `2 errors, 1 warning`.
    #[must_use]
    pub fn count(&self) -> String {
        let errors = self
            .list
            .iter()
            .filter(|diagnostic| diagnostic.is_error())
            .count();
        let warnings = self.list.len() - errors;
        let counted = |count: usize, noun: &str| match count {
            0 => None,
            1 => Some(format!("1 {noun}")),
            count => Some(format!("{count} {noun}s")),
        };
        let counts = [counted(errors, "error"), counted(warnings, "warning")];
        counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn excerpt(f: &mut fmt::Formatter<'_>, lines: &[&str], span: Span) -> fmt::Result {
        let Position { line, column } = span.start;
        let Some(excerpt) = line.checked_sub(1).and_then(|at| lines.get(at)) else {
            return Ok(());
        };
        let before = column.saturating_sub(1);
        let skipped = match excerpt.chars().nth(EXCERPT) {
            Some(_) => before.saturating_sub(EXCERPT / 2),
            None => 0,
        };
        let shown: String = excerpt.chars().skip(skipped).take(EXCERPT).collect();
        let indent = before - skipped;
        let rest = shown.chars().count().saturating_sub(indent);
        let length = if span.end.line == line {
            span.end.column.saturating_sub(column).min(rest)
        } else {
            rest
        };
        let gutter = line.to_string().len();
        let carets = "^".repeat(length.max(1));
        writeln!(f, "{:gutter$} |", "")?;
        writeln!(f, "{line} | {shown}")?;
        writeln!(f, "{:gutter$} | {:indent$}{carets}", "", "")
    }
}

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<&str> = self.text.lines().collect();
        for diagnostic in &self.list {
            let Position { line, column } = diagnostic.span.start;
            writeln!(f, "{}: {}", diagnostic.severity.name(), diagnostic.message)?;
            writeln!(f, "  --> {}:{line}:{column}", self.file)?;
            Self::excerpt(f, &lines, diagnostic.span)?;
            if let Some(help) = &diagnostic.help {
                writeln!(f, "  = help: {help}")?;
            }
            writeln!(f)?;
        }
        write!(f, "{}: {}", self.file, self.count())
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
