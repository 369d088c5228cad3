//! Colours, and the two output streams. Escape codes are written only to a terminal, and not if `NO_COLOR` is set.

use std::io::{self, Write};

use anstyle::{AnsiColor, Effects, Style};
use clap::builder::Styles;

pub(crate) const STRONG: Style = Style::new().effects(Effects::BOLD);
pub(crate) const FAINT: Style = Style::new().effects(Effects::DIMMED);
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const NOTABLE: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);

/// The styles of `--help` and of clap's errors.
pub(crate) const HELP: Styles = Styles::styled()
    .header(STRONG)
    .usage(STRONG)
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(FAINT);

/// `text` in a style.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// `1 field`, `2 fields`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// Writes to standard output and flushes, so that a pipe receives each event at once.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes an error and its causes to standard error.
pub(crate) fn print_error(error: &anyhow::Error) {
    // An error of standard error cannot be reported anywhere.
    let _ = writeln!(anstream::stderr(), "{} {error:#}", paint(BAD, "error:"));
}

/// Writes a note to standard error.
pub(crate) fn print_note(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Returns whether the reader of the output has closed it, as `head` does.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
