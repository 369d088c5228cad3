//! Panics: turns a panic into a failure of one event.
//!
//! A panic is caught at the start of its event, so that no other event fails.
//! Only the panic's location is kept, because its text could contain anything.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, Location, PanicHookInfo, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use crate::error::{ErrorCode, Failure};

thread_local! {
    /// The location of this thread's last panic.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The panic hook. It logs the location of a panic and keeps it for the code that catches the panic.
pub fn hook(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(place).unwrap_or_default();
    tracing::error!("panicked at {place}");
    // A thread that is ending no longer has this variable, and no code would read it.
    let _ = PLACE.try_with(|last| last.replace(Some(place)));
}

/// Runs a future. If the future panics, returns `InternalError` with the panic's location.
pub fn caught<F: Future>(future: F) -> impl Future<Output = Result<F::Output, Failure>> {
    let mut future: Pin<Box<F>> = Box::pin(future);
    std::future::poll_fn(
        move |context| match catch(|| future.as_mut().poll(context)) {
            Ok(poll) => poll.map(Ok),
            Err(failure) => Poll::Ready(Err(failure)),
        },
    )
}

/// Runs a function. If the function panics, returns `InternalError` with the panic's location.
///
/// # Errors
/// `InternalError`: the function panicked.
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

/// Returns file, line and column of a location.
///
/// A dependency's file begins with the dependency's name, not with a folder of the build machine.
fn place(location: &Location<'_>) -> String {
    let file = location.file();
    let of_dependency = file.split_once("/registry/src/");
    let file = of_dependency
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or(file, |(_, rest)| rest);
    format!("{file}:{}:{}", location.line(), location.column())
}
