//! What a function writes to standard output and standard error, kept as lines.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Older lines are forgotten beyond this many.
const KEPT_LINES: usize = 10_000;

/// How many lines the error of an invocation shows; that of a start shows all.
const SHOWN_LINES: usize = 40;

/// Lines of both streams in the order in which they arrived; shared by all processes of one function.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output {
    lines: Arc<Mutex<VecDeque<String>>>,
}

impl Output {
    /// Reads a stream to its end. Bytes that are no UTF-8 are replaced, never refused.
    pub(crate) async fn collect(self, stream: impl AsyncRead + Unpin) {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
            self.push(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
    }

    pub(crate) fn take(&self) -> Vec<String> {
        self.lock().drain(..).collect()
    }

    pub(crate) fn last(&self) -> LastLines {
        let lines = self.lock();
        let skipped = lines.len().saturating_sub(SHOWN_LINES);
        LastLines(lines.iter().skip(skipped).cloned().collect())
    }

    pub(crate) fn all(&self) -> LastLines {
        LastLines(self.lock().iter().cloned().collect())
    }

    fn push(&self, line: String) {
        let mut lines = self.lock();
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last lines that a function wrote before it failed: at most 40, or all of a start that failed.
///
/// Displayed as the end of a sentence: `; it wrote:` and the lines, indented, or `; it wrote nothing`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastLines(Vec<String>);

impl LastLines {
    /// The lines, without their line ends.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for LastLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("; it wrote nothing");
        }
        f.write_str("; it wrote:")?;
        self.0.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}
