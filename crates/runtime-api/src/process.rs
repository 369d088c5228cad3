//! One process of the function: its output is collected, its end is noticed, and it is killed when dropped.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// The time for which the output of an ended process is read on: a child of its own may hold the pipe open.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(500);

/// Older lines are forgotten beyond this many.
const KEPT_LINES: usize = 10_000;

/// The number of lines that the error of an invocation shows; that of a start shows all.
const SHOWN_LINES: usize = 40;

#[derive(Debug)]
pub(crate) struct Process {
    pid: Option<u32>,
    exit: watch::Receiver<Option<String>>,
    kill: Arc<Notify>,
    _watch: JoinSet<()>,
}

impl Process {
    pub(crate) fn spawn(mut command: Command, output: &Output) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut readers = JoinSet::new();
        if let Some(stream) = child.stdout.take() {
            readers.spawn(output.clone().collect(stream));
        }
        if let Some(stream) = child.stderr.take() {
            readers.spawn(output.clone().collect(stream));
        }
        let pid = child.id();
        let kill = Arc::new(Notify::new());
        let (sender, exit) = watch::channel(None);
        let mut watch = JoinSet::new();
        watch.spawn(watch_over(child, readers, Arc::clone(&kill), sender));
        Ok(Self {
            pid,
            exit,
            kill,
            _watch: watch,
        })
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.pid.filter(|_| self.is_running())
    }

    pub(crate) fn is_running(&self) -> bool {
        self.exit.borrow().is_none()
    }

    /// Waits for the end of the process and returns its description: `exit status 1`, `signal 9 (SIGKILL)`.
    pub(crate) async fn exited(&self) -> String {
        let mut exit = self.exit.clone();
        match exit.wait_for(Option::is_some).await {
            Ok(description) => description.clone().unwrap_or_default(),
            Err(_) => "an unknown status".to_owned(),
        }
    }

    /// Kills the process and waits until it is gone.
    pub(crate) async fn kill(&self) {
        self.kill.notify_one();
        self.exited().await;
    }
}

async fn watch_over(
    mut child: Child,
    mut readers: JoinSet<()>,
    kill: Arc<Notify>,
    exit: watch::Sender<Option<String>>,
) {
    let status = tokio::select! {
        status = child.wait() => status,
        () = kill.notified() => match child.kill().await {
            Ok(()) => child.wait().await,
            Err(error) => Err(error),
        },
    };
    let drained = async { while readers.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, drained).await;
    let description = match status {
        Ok(status) => status.to_string().replacen(": ", " ", 1),
        Err(error) => format!("an unknown status ({error})"),
    };
    exit.send_replace(Some(description));
}

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
