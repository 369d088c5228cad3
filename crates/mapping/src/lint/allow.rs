//! Warnings that the author has considered: a comment `# casebridge: allow CODE – reason` on the warning's line or the one above it.

use crate::diagnostic::{Code, Diagnostic, suggest};
use crate::tree::{Position, Span};

/// The beginning of the comment.
const MARK: &str = "# casebridge: allow ";

/// A comment that allows a warning.
struct Allowed<'a> {
    line: usize,
    code: &'a str,
    reason: &'a str,
    span: Span,
}

/// Returns the diagnostics without the warnings that the text allows.
#[must_use]
pub fn without_allowed(text: &str, mut list: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let allowed: Vec<Allowed<'_>> = comments(text).collect();
    list.retain(|diagnostic| {
        let line = diagnostic.span.start.line;
        diagnostic.is_error()
            || !allowed.iter().any(|allowed| {
                let is_near = allowed.line == line || allowed.line + 1 == line;
                is_near && allowed.code == diagnostic.code.name() && !allowed.reason.is_empty()
            })
    });
    list
}

/// Returns a warning for each comment with an unknown code or without a reason.
pub(super) fn check(text: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for Allowed {
        code, reason, span, ..
    } in comments(text)
    {
        let names: Vec<String> = Code::ALL.into_iter().map(Code::name).collect();
        let (message, help) = if !names.iter().any(|name| name == code) {
            let help = suggest(code, names.iter().map(String::as_str));
            (format!("there is no warning `{code}`"), help)
        } else if reason.is_empty() {
            let help = format!("such as `{MARK}{code} – the flow checks the number`");
            let message = "an allowed warning needs a reason".to_owned();
            (message, Some(help))
        } else {
            continue;
        };
        found.push(Diagnostic::warning(span, Code::Unused, message).maybe_help(help));
    }
    found
}

fn comments(text: &str) -> impl Iterator<Item = Allowed<'_>> {
    (1..).zip(text.lines()).filter_map(|(line, content)| {
        let (before, comment) = content.split_once(MARK)?;
        let comment = comment.trim();
        let (code, reason) = comment.split_once(' ').unwrap_or((comment, ""));
        let reason = reason.trim_start_matches(['–', '-', '—', ':', ' ']).trim();
        let start = Position {
            line,
            column: before.chars().count() + 1,
        };
        let end = Position {
            line,
            column: content.chars().count() + 1,
        };
        Some(Allowed {
            line,
            code: code.trim_end_matches(':'),
            reason,
            span: Span { start, end },
        })
    })
}
