//! Syntax errors in the author's terms: from the place where a parser gave up to the line that is wrong, and what to do there.
//!
//! A parser notices wrong indentation late, and calls it a missing key. The lines above tell which indentation was meant.

use crate::tree::Position;

/// The explanation of a syntax error.
pub(super) struct Fault {
    /// The place of the error.
    pub(super) start: Position,
    /// The message.
    pub(super) message: String,
    /// The fix.
    pub(super) help: Option<String>,
}

/// A line that opens a level: a key, or the dash of a list's item.
struct Level<'a> {
    indent: usize,
    line: usize,
    /// The text after the indentation.
    text: &'a str,
    /// Set for the dash of an item. The item's keys are a level of their own.
    is_dash: bool,
}

/// Explains the error that a parser found at this place.
pub(super) fn explain(text: &str, place: Position, found: &str) -> Fault {
    let lines: Vec<&str> = text.lines().collect();
    let fault = tab(&lines, place.line).or_else(|| indentation(&lines, place.line));
    fault.unwrap_or_else(|| {
        let line = line(&lines, place.line);
        let needs_quotes = line.contains(['{', '[', '}', ']', '#', '*', '&', '!', '@', '%', '`'])
            || line.matches(": ").count() > 1;
        let help = "a value that begins with `{{`, that contains `: ` or ` #`, or that stands inside `[ ]` or `{ }` and contains brackets, braces or commas needs quotes";
        Fault {
            start: place,
            message: format!("this is not valid YAML: {found}"),
            help: needs_quotes.then(|| help.to_owned()),
        }
    })
}

/// Returns the text of a line, counted from 1.
fn line<'a>(lines: &[&'a str], number: usize) -> &'a str {
    let index = number.checked_sub(1);
    index
        .and_then(|index| lines.get(index))
        .copied()
        .unwrap_or_default()
}

/// Finds a tab that indents the line, or the one after it.
fn tab(lines: &[&str], number: usize) -> Option<Fault> {
    [number, number + 1].into_iter().find_map(|number| {
        let text = line(lines, number);
        let before = text.len() - text.trim_start().len();
        let column = text.get(..before)?.chars().position(|c| c == '\t')? + 1;
        Some(Fault {
            start: Position {
                line: number,
                column,
            },
            message: "a tab indents this line, and YAML takes no tabs".to_owned(),
            help: Some("indent with spaces".to_owned()),
        })
    })
}

/// Finds a line whose indentation fits none of the lines that it could belong to.
fn indentation(lines: &[&str], number: usize) -> Option<Fault> {
    let wrong = line(lines, number);
    let indent = indent(wrong)?;
    let levels = levels(lines, number);
    let start = Position {
        line: number,
        column: indent + 1,
    };
    let above = levels.first()?;
    if indent > above.indent && !above.is_dash && has_value(above.text) {
        let opened = |number: &usize| {
            let text = line(lines, *number);
            self::indent(text) == Some(above.indent) && text.trim_end().ends_with(':')
        };
        // A key without a value just above is what both lines probably belong to.
        let under = (1..above.line).rev().take(1).find(opened);
        let under = under.map_or_else(String::new, |number| {
            let name = key(line(lines, number).trim());
            format!(", deeper than `{name}` on line {number}")
        });
        return Some(Fault {
            start,
            message: format!(
                "the indentation is wrong: line {} has its value already, so nothing can stand under it",
                above.line
            ),
            help: Some(format!(
                "indent lines {} and {number} alike{under}",
                above.line
            )),
        });
    }
    if indent > above.indent {
        return None;
    }
    let is_item = wrong.trim_start().starts_with("- ") || wrong.trim() == "-";
    let fits = levels
        .iter()
        .any(|level| level.indent == indent && level.is_dash == is_item);
    if fits || levels.is_empty() {
        return None;
    }
    // Of two levels at the same distance, the deeper one: a blank is lost more often than added.
    let near = levels
        .iter()
        .filter(|level| level.is_dash == is_item)
        .min_by_key(|level| (level.indent.abs_diff(indent), usize::MAX - level.indent))?;
    let under = match parent(&levels, near.indent) {
        Some(parent) => format!("under `{}` on line {}", key(parent.text), parent.line),
        None => "at the top".to_owned(),
    };
    Some(Fault {
        start,
        message: "the indentation of this line fits no line above".to_owned(),
        help: Some(format!(
            "indent it with {} spaces, if it stands {under} like `{}`",
            near.indent,
            key(near.text)
        )),
    })
}

/// Returns the levels that are open above a line, the nearest first.
fn levels<'a>(lines: &[&'a str], number: usize) -> Vec<Level<'a>> {
    let mut levels: Vec<Level<'a>> = Vec::new();
    let mut deepest = usize::MAX;
    for number in (1..number).rev() {
        let whole = line(lines, number);
        let Some(indent) = indent(whole).filter(|indent| *indent < deepest) else {
            continue;
        };
        let text = whole.trim_start();
        deepest = indent;
        if let Some(item) = text.strip_prefix("- ") {
            let inner = indent + text.len() - item.trim_start().len();
            // A deeper key of the same item is already known.
            if levels
                .iter()
                .all(|level| level.indent != inner || level.is_dash)
            {
                levels.push(Level {
                    indent: inner,
                    line: number,
                    text: item.trim_start(),
                    is_dash: false,
                });
            }
        }
        levels.push(Level {
            indent,
            line: number,
            text,
            is_dash: text.starts_with('-'),
        });
    }
    levels
}

/// Returns the line that opened the level around this indentation.
fn parent<'l, 'a>(levels: &'l [Level<'a>], indent: usize) -> Option<&'l Level<'a>> {
    levels
        .iter()
        .find(|level| level.indent < indent && !level.is_dash)
}

/// Returns the number of spaces before the text, or `None` for an empty line or a comment.
fn indent(line: &str) -> Option<usize> {
    let text = line.trim_start_matches(' ');
    let is_content = !text.trim().is_empty() && !text.starts_with('#');
    is_content.then(|| line.len() - text.len())
}

/// Returns true for a key with a value on its line.
fn has_value(text: &str) -> bool {
    text.split_once(": ").is_some_and(|(_, value)| {
        let value = value.trim();
        !value.is_empty() && !value.starts_with(['|', '>', '#', '&', '{', '['])
    })
}

fn key(text: &str) -> &str {
    text.split(':').next().unwrap_or(text).trim()
}
