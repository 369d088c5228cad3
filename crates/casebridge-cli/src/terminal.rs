//! Colours, and the two streams: styled text goes in, and escape codes come out only where a terminal shows them and
//! `NO_COLOR` does not forbid it.

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

/// Writes to standard output at once, so that a pipe sees each event when it is done.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes an error and what caused it to standard error.
pub(crate) fn print_error(error: &anyhow::Error) {
    // Nothing is left to tell of a standard error that cannot be written to.
    let _ = writeln!(anstream::stderr(), "{} {error:#}", paint(BAD, "error:"));
}

/// Writes to standard error what does not belong to the output.
pub(crate) fn print_note(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Whether whoever read our output has enough, as `head` does.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
