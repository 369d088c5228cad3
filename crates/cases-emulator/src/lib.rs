#![doc = include_str!("../README.md")]

mod answer;
mod cases;
mod clock;
mod connect;
mod connector;
mod dynamodb;
mod emulator;
mod faults;
mod identifiers;
mod member;
mod operation;
mod paging;
mod profiles;
mod rate_limits;
mod requests;
mod seed;
mod server;
mod service;
mod sqs;

pub use answer::ConnectionClosed;
pub use cases::{DuplicateContact, MismatchedToken};
pub use emulator::Emulator;
pub use faults::{ErrorAnswer, Fault, FaultKind};
pub use requests::Request;
pub use seed::SeedError;
