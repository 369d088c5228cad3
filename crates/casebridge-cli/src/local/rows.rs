//! Aligned rows: a key, and a value of one or more lines.

use std::fmt;

use anstyle::Style;
use textwrap::core::display_width;

use crate::terminal::paint;

/// The width of a value's lines.
const TEXT_WIDTH: usize = 88;

/// The values of all events stand in one column; a key beyond this width pushes its value to the right.
const KEY_WIDTH: usize = 18;

/// The most lines of a long value.
const MAX_LINES: usize = 3;

/// Rows under one heading, their values in one column.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<(Style, String, Vec<String>)>,
}

impl Rows {
    /// Adds a row whose value may have styles.
    pub(super) fn styled(
        &mut self,
        key_style: Style,
        key: impl Into<String>,
        value: impl Into<String>,
    ) {
        self.rows
            .push((key_style, printable(&key.into()), vec![value.into()]));
    }

    /// Adds a row with a whole sentence, and no key.
    pub(super) fn sentence(&mut self, sentence: &str) {
        self.rows
            .push((Style::new(), String::new(), wrapped(sentence)));
    }

    /// Adds a row with data: without control characters, and only the beginning of a long text.
    pub(super) fn data(&mut self, style: Style, key: &str, text: &str) {
        let mut lines = wrapped(text);
        if lines.len() > MAX_LINES {
            lines.truncate(MAX_LINES);
            lines.push(format!("… {} characters in all", text.chars().count()));
        }
        let lines = lines.into_iter().map(|line| paint(style, line)).collect();
        self.rows.push((style, printable(key), lines));
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.rows.push((Style::new(), String::new(), Vec::new()));
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (style, key, lines) in &self.rows {
            let mut lines = lines.iter();
            let Some(first) = lines.next() else {
                writeln!(f)?;
                continue;
            };
            let space = KEY_WIDTH.saturating_sub(display_width(key));
            let row = format!("  {}{:space$}  {first}", paint(*style, key), "");
            writeln!(f, "{}", row.trim_end())?;
            for line in lines {
                writeln!(f, "  {:KEY_WIDTH$}  {line}", "")?;
            }
        }
        Ok(())
    }
}

fn wrapped(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .flat_map(|line| textwrap::wrap(line, TEXT_WIDTH));
    lines.map(|line| printable(&line)).collect()
}

/// The text without control characters: an event's text must not move a terminal's cursor.
pub(super) fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// The text as a file would show it.
#[cfg(test)]
pub(super) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
