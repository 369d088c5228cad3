//! The services that deliver: each with its own rules for doing so again.

pub(crate) mod case_events;
pub(crate) mod eventbridge;
pub(crate) mod flow;
pub(crate) mod sqs;
