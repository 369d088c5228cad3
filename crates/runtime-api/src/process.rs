//! One process of the function: its output collected, its end noticed, killed when dropped.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};

use crate::output::Output;

/// How long the output of an ended process is read on: a child of its own may hold the pipe open.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct Process {
    pid: Option<u32>,
    exit: watch::Receiver<Option<String>>,
    kill: Arc<Notify>,
    task: AbortHandle,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.task.abort();
    }
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
        let task = tokio::spawn(watch_over(child, readers, Arc::clone(&kill), sender));
        Ok(Self {
            pid,
            exit,
            kill,
            task: task.abort_handle(),
        })
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.pid.filter(|_| self.is_running())
    }

    pub(crate) fn is_running(&self) -> bool {
        self.exit.borrow().is_none()
    }

    /// Waits for the end of the process and says how it ended: `exit status 1`, `signal 9 (SIGKILL)`.
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
