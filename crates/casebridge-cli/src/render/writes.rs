//! What an event has the function write: the profile, the case, what joins the case.

use cases_emulator::{Emulator, Request};

/// The requests that write, in their order; one that was sent again counts once.
pub(super) fn of(emulator: &Emulator) -> Vec<Request> {
    const OPERATIONS: [&str; 3] = ["CreateProfile", "CreateCase", "CreateRelatedItem"];
    let mut writes = emulator.requests();
    writes.retain(|request| OPERATIONS.contains(&request.operation.as_str()));
    writes.dedup_by(|again, request| is_case(again) && again.body == request.body);
    writes
}

pub(super) fn is_case(request: &Request) -> bool {
    request.operation == "CreateCase"
}

/// What is written beside the case, in a few words: `then CreateRelatedItem: Contact`.
pub(super) fn described(request: &Request) -> String {
    match request.body.get("type").and_then(|kind| kind.as_str()) {
        Some(kind) => format!("then {}: {kind}", request.operation),
        None => format!("first {}", request.operation),
    }
}
