//! Diagnostics of a mapping: each has a position in the file, a message and optional help.
//!
//! [`Diagnostics`] holds all diagnostics of one file. It prints one excerpt per diagnostic, like a compiler. A cold start logs this text.

use std::fmt;

use crate::tree::{Position, Span};

/// One diagnostic about a mapping file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The position in the file.
    pub span: Span,
    /// The severity: an error stops the start, a warning does not.
    pub severity: Severity,
    /// The kind of diagnostic, for tools.
    pub code: Code,
    /// The message in lower case: the expected and the found.
    pub message: String,
    /// The fix, a sentence in lower case.
    pub help: Option<String>,
}

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The mapping cannot be used.
    Error,
    /// The mapping can be used, but it probably does not do what the author meant.
    Warning,
}

impl Severity {
    /// Returns the word before the message: `error` or `warning`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Generates [`Code`] from one table. Each row has a code and its explanation, for `check --explain`.
macro_rules! codes {
    ($(#[doc = $doc:literal] $code:ident,)+) => {
        /// The kind of a diagnostic. The names are stable, because tools may depend on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $doc] $code,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: [Self; [$(stringify!($code)),+].len()] = [$(Self::$code),+];

            /// Returns the explanation of the code.
            #[must_use]
            pub fn explanation(self) -> &'static str {
                match self {
                    $(Self::$code => $doc.trim_ascii_start(),)+
                }
            }
        }
    };
}

codes! {
    /// A key about the contact, such as `link_contact` or `enrich`, that this trigger or value does not allow.
    Contact,
    /// A search for the customer, or a new profile, that finds the wrong profile, makes two, or breaks a limit of Customer Profiles.
    Customer,
    /// A key that stands twice in one object. YAML would silently use one of them.
    DuplicateKey,
    /// A reference to a member that events of this trigger, or the given sample events, do not have.
    EventMember,
    /// An expression or a text that does not say what it seems to: its grammar is broken, or it looks like a reference and is text.
    Expression,
    /// A field that is set by name and by id, or the customer that is set in two ways.
    FieldSetTwice,
    /// A type that is not the type of the field in the domain snapshot.
    FieldType,
    /// A value that the field never accepts.
    FieldValue,
    /// A template that is inactive: Cases creates no case from it.
    InactiveTemplate,
    /// A key that is the same for every event, or that callers or placeholders can make equal to another's.
    Key,
    /// A key that the language requires.
    MissingKey,
    /// A name of a case mapping or a variable that is not allowed, or not unique.
    Name,
    /// `overflow` on a field that is not text.
    Overflow,
    /// An event pattern that EventBridge would refuse, or that never matches.
    Pattern,
    /// A performer that does not begin with the entity prefix, or whose own events would come back.
    PerformedBy,
    /// A field that only Cases writes.
    ReadOnlyField,
    /// A reference to a member that Connect never sends to a Lambda function.
    Reference,
    /// A field that the template requires and an event may leave out.
    RequiredField,
    /// A value of the wrong kind, such as a list where text belongs.
    Shape,
    /// A file that is not YAML or JSON.
    Syntax,
    /// A tag that breaks AWS's rules, or whose value callers choose.
    Tag,
    /// A field that the domain snapshot does not have.
    UnknownField,
    /// A key that the language does not have.
    UnknownKey,
    /// An option that the field does not have in the domain snapshot.
    UnknownOption,
    /// A table that `tables` does not have.
    UnknownTable,
    /// A template that the domain snapshot does not have.
    UnknownTemplate,
    /// A word that the key does not accept.
    UnknownWord,
    /// A case mapping or a choice that no event reaches, or an event that no case mapping matches.
    Unreachable,
    /// A table, a variable or a key without an effect.
    Unused,
}

impl Code {
    /// Returns the code as tools read it, such as `unknown-key`.
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
    /// Creates an error with [`Code::Shape`] and without help.
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

    /// Creates an error with a code other than [`Code::Shape`].
    #[must_use]
    pub fn error(span: Span, code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            ..Self::new(span, message)
        }
    }

    /// Creates a warning.
    #[must_use]
    pub fn warning(span: Span, code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            code,
            ..Self::new(span, message)
        }
    }

    /// Returns the diagnostic with this code.
    #[must_use]
    pub fn code(self, code: Code) -> Self {
        Self { code, ..self }
    }

    /// Returns the diagnostic with this help, a sentence that states the fix.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        self.maybe_help(Some(help.into()))
    }

    /// Returns the diagnostic with this help, if there is any.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// Returns true if the mapping cannot be used because of this diagnostic.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The maximum number of characters shown of a line. A mapping in JSON can be one line of a megabyte.
const EXCERPT: usize = 200;

/// All diagnostics of one file, sorted by position.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    /// The file name to show.
    pub file: String,
    /// The file's text, for the excerpts.
    pub text: String,
    /// The diagnostics, sorted by position.
    pub list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Sorts the diagnostics by position and removes duplicates. An anchor that is used twice reports its diagnostics twice.
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

    /// Returns true if at least one diagnostic is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }

    /// Returns the numbers of errors and warnings in words: `2 errors, 1 warning`.
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
            f.write_str(diagnostic.severity.name())?;
            // An author who has considered a warning allows it by its code.
            if !diagnostic.is_error() {
                write!(f, "[{}]", diagnostic.code.name())?;
            }
            writeln!(f, ": {}", diagnostic.message)?;
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

/// Returns the candidate that the misspelt `name` probably means, if one is close enough.
///
/// The edit distance may be a third of the name's characters, and at least 1. A transposition counts as one edit. Letter case is ignored.
///
/// Otherwise it is a candidate that shares a word: `toUpperCase` means `upper`, and `Claim no` means `Claim number`.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let spelt = candidates
        .iter()
        .copied()
        .map(|candidate| {
            (
                strsim::osa_distance(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= (name.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate);
    let related = || {
        let mut related = candidates.into_iter();
        related.find(|candidate| shares_a_word(&lower, &candidate.to_lowercase()))
    };
    spelt.or_else(related)
}

/// Returns true if one text contains the other, or if both have the same first word and the same number of words.
fn shares_a_word(left: &str, right: &str) -> bool {
    const SHORTEST: usize = 4;
    let contains =
        |long: &str, short: &str| short.chars().count() >= SHORTEST && long.contains(short);
    if contains(left, right) || contains(right, left) {
        return true;
    }
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric());
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (left, right) = (words(left), words(right));
    let first = left.first().filter(|word| word.chars().count() >= SHORTEST);
    left.len() == right.len() && left.len() > 1 && first.is_some() && first == right.first()
}

/// Returns `did you mean …?` for a misspelt name. Without a close candidate, it returns a list of at most 32 candidates.
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(candidate) = nearest(name, candidates.iter().copied()) {
        return Some(format!("did you mean `{candidate}`?"));
    }
    (1..=32)
        .contains(&candidates.len())
        .then(|| format!("there is {}", listed(candidates)))
}

/// Returns the names as "`a`, `b` or `c`".
pub fn alternatives<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    joined(names, "or")
}

/// Returns the names as "`a`, `b` and `c`".
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
