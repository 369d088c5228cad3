//! The lines of a YAML file that someone is to go on writing: keys with notes beside them, some of them commented out.

use std::fmt;

use textwrap::core::display_width;

/// Notes stand in one column, this far to the right at most; what is longer pushes its note away.
const MAX_NOTE_COLUMN: usize = 54;

/// Lines, in their order.
#[derive(Default)]
pub(super) struct Lines(Vec<Line>);

struct Line {
    indent: usize,
    text: String,
    note: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// YAML that holds.
    On,
    /// YAML that holds once the `# ` before it is taken away.
    Off,
    /// A comment that is one for ever.
    Prose,
}

impl Lines {
    /// A line that holds, with what there is to say about it.
    pub(super) fn on(&mut self, indent: usize, text: &str, note: &str) {
        self.push(indent, text, note, Kind::On);
    }

    /// A line that is commented out.
    pub(super) fn off(&mut self, indent: usize, text: &str, note: &str) {
        self.push(indent, text, note, Kind::Off);
    }

    /// A comment by itself.
    pub(super) fn prose(&mut self, indent: usize, text: &str) {
        self.push(indent, text, "", Kind::Prose);
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.push(0, "", "", Kind::On);
    }

    /// Where notes begin: behind the longest line that has one.
    fn note_column(&self) -> usize {
        let noted = self.0.iter().filter(|line| !line.note.is_empty());
        let column = noted.map(|line| display_width(&line.without_note()) + 2);
        column.max().unwrap_or_default().min(MAX_NOTE_COLUMN)
    }

    fn push(&mut self, indent: usize, text: &str, note: &str, kind: Kind) {
        self.0.push(Line {
            indent,
            text: text.to_owned(),
            note: note.to_owned(),
            kind,
        });
    }

    /// The same lines with nothing commented out.
    #[cfg(test)]
    pub(super) fn all_on(mut self) -> Self {
        for line in &mut self.0 {
            if line.kind == Kind::Off {
                line.kind = Kind::On;
            }
        }
        self
    }
}

impl Line {
    fn without_note(&self) -> String {
        let Self {
            indent, text, kind, ..
        } = self;
        let mark = if *kind == Kind::On { "" } else { "# " };
        let line = format!("{:indent$}{mark}{text}", "");
        line.trim_end().to_owned()
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.note_column();
        for line in &self.0 {
            let (text, note) = (line.without_note(), &line.note);
            if note.is_empty() {
                writeln!(f, "{text}")?;
            } else {
                let space = column.saturating_sub(display_width(&text)).max(2);
                writeln!(f, "{text}{:space$}# {note}", "")?;
            }
        }
        Ok(())
    }
}
