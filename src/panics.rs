//! Panics: caught where an event begins, so that one event costs no other. Only a panic's place is kept, because its text could hold anything.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, Location, PanicHookInfo, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use crate::error::{ErrorCode, Failure};

thread_local! {
    /// The place of this thread's last panic.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The panic hook: logs the place of a panic, and keeps it for the code that catches the panic.
pub fn hook(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(place).unwrap_or_default();
    tracing::error!("panicked at {place}");
    // A thread that is about to end has no such variable any more, and nobody who would read it.
    let _ = PLACE.try_with(|last| last.replace(Some(place)));
}

/// Runs a future; if it panics, the failure is `InternalError` with the panic's place.
pub fn caught<F: Future>(future: F) -> impl Future<Output = Result<F::Output, Failure>> {
    let mut future: Pin<Box<F>> = Box::pin(future);
    std::future::poll_fn(
        move |context| match catch(|| future.as_mut().poll(context)) {
            Ok(poll) => poll.map(Ok),
            Err(failure) => Poll::Ready(Err(failure)),
        },
    )
}

/// Runs a function; if it panics, the failure is `InternalError` with the panic's place.
///
/// # Errors
/// `InternalError`: it panicked.
pub fn catch<T>(function: impl FnOnce() -> T) -> Result<T, Failure> {
    // State that a panic leaves half done belongs to its event, or is behind a lock whose poison is ignored.
    catch_unwind(AssertUnwindSafe(function)).map_err(|_| {
        let place = PLACE.with(RefCell::take);
        let place = place.as_deref().unwrap_or("an unknown place");
        let message = format!(
            "the function panicked at {place}: that is a fault of its code; report it with this place"
        );
        Failure::new(ErrorCode::InternalError, message)
    })
}

/// File, line and column. A dependency's file begins with the dependency's name, and not with a folder of the machine that built it.
fn place(location: &Location<'_>) -> String {
    let file = location.file();
    let of_dependency = file.split_once("/registry/src/");
    let file = of_dependency
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or(file, |(_, rest)| rest);
    format!("{file}:{}:{}", location.line(), location.column())
}
