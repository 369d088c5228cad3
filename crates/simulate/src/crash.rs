//! The end of an environment in the middle of an invocation: its future is dropped, and nothing of it goes on.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::schedule::Crash;

/// Runs a future to its end; `None` when it was dropped before.
pub(crate) async fn run<F: Future>(future: F, crash: Option<Crash>) -> Option<F::Output> {
    match crash {
        None => Some(future.await),
        Some(Crash::After(time)) => tokio::time::timeout(time, future).await.ok(),
        Some(Crash::AtStep(left)) => {
            let inner = Box::pin(future);
            Steps { inner, left }.await
        }
    }
}

/// A future that goes on for so many more times.
struct Steps<F> {
    inner: Pin<Box<F>>,
    left: u32,
}

impl<F: Future> Future for Steps<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(left) = self.left.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.left = left;
        self.inner.as_mut().poll(context).map(Some)
    }
}
