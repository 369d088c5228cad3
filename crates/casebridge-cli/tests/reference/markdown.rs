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

/// The table with its cells changed row by row. Cells keep their escapes.
pub(crate) fn with_rows(table: &str, mut change: impl FnMut(&mut [String])) -> String {
    let mut lines = table.lines().map(str::to_owned).collect::<Vec<_>>();
    for line in lines.iter_mut().skip(2) {
        let inner = line.trim_start_matches("| ").trim_end_matches('|');
        let escaped = inner.replace("\\|", "\0");
        let cell = |cell: &str| cell.trim().replace('\0', "\\|");
        let mut cells: Vec<String> = escaped.split('|').map(cell).collect();
        change(&mut cells);
        *line = format!("| {} |", cells.join(" | "));
    }
    lines.join("\n")
}

/// The text of a cell with code.
pub(crate) fn uncode(cell: &str) -> String {
    cell.trim_matches('`').trim().replace("\\|", "|")
}
