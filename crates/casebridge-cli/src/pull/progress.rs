//! The bar that a terminal shows while a domain is read. Anywhere else there is none.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Without colours, so that there is nothing for `NO_COLOR` to take away.
const TEMPLATE: &str = "{spinner} {msg}  [{bar:30}] {pos}/{len} requests, {elapsed}";

/// How often the spinner moves while a request waits for its turn.
const TICK: Duration = Duration::from_millis(120);

/// Requests answered, of those known to be needed; clears its line when it is dropped.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar on standard error, if that is a terminal. It knows of one request: that for the domain itself.
    pub(super) fn on_terminal() -> Self {
        let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self(bar)
    }

    /// No bar, wherever standard error goes.
    #[cfg(test)]
    pub(super) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Says what is being done.
    pub(super) fn say(&self, message: String) {
        self.0.set_message(message);
    }

    /// So many more requests are needed.
    pub(super) fn need(&self, requests: usize) {
        self.0.inc_length(requests as u64);
    }

    /// A request has been answered.
    pub(super) fn answered(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
