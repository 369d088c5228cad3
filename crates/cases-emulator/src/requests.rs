//! The log of requests, as they came over the wire.

use serde_json::Value;

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub struct Request {
    /// The API's name of the operation, as in [`Fault::operation`](crate::Fault::operation), or
    /// `UnknownOperation`.
    pub operation: String,
    /// The body; null when there was none, a string when it was not JSON.
    pub body: Value,
    /// Path and query of the URI.
    pub path: String,
    /// The HTTP status of the answer; 0 until there is one, and for ever when the connection was closed
    /// without one.
    pub status: u16,
}

/// Requests in the order of their arrival.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    entries: Vec<Request>,
    /// The number of requests that were cleared.
    cleared: usize,
}

impl RequestLog {
    /// Adds a request and returns its number.
    pub(crate) fn arrived(&mut self, request: Request) -> usize {
        self.entries.push(request);
        self.cleared + self.entries.len() - 1
    }

    /// Sets the status of the request with that number.
    pub(crate) fn answered(&mut self, number: usize, status: u16) {
        let entry = number
            .checked_sub(self.cleared)
            .and_then(|position| self.entries.get_mut(position));
        if let Some(entry) = entry {
            entry.status = status;
        }
    }

    pub(crate) fn all(&self) -> &[Request] {
        &self.entries
    }

    pub(crate) fn clear(&mut self) {
        self.cleared += self.entries.len();
        self.entries.clear();
    }
}
