//! Pieces of Markdown.

use std::fmt::Write as _;

/// A table with these columns.
pub(crate) fn table<const N: usize>(columns: [&str; N], rows: &[[String; N]]) -> String {
    let mut table = format!("| {} |\n|{}\n", columns.join(" | "), " --- |".repeat(N));
    for row in rows {
        writeln!(table, "| {} |", row.join(" | ")).expect("writing to text");
    }
    table
}

/// Text as code, inside a table.
pub(crate) fn code(text: &str) -> String {
    let text = text.replace('|', "\\|");
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}

/// Prose inside a table.
pub(crate) fn prose(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The first letter as a capital.
pub(crate) fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    first.chain(rest).collect()
}

/// `a`, `b` or `c`.
pub(crate) fn or(parts: &[String]) -> String {
    match parts {
        [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        _ => parts.concat(),
    }
}
