#![doc = include_str!("../README.md")]

mod answer;
mod audit;
mod case;
mod clock;
mod connector;
mod create_case;
mod domain;
mod emulator;
mod faults;
mod field_value;
mod fingerprint;
mod identifiers;
mod members;
mod operation;
mod paging;
mod patterns;
mod rate_limits;
mod reads;
mod refusal;
mod requests;
mod search;
mod search_filter;
mod seed;
mod server;
mod state;

pub use answer::ConnectionClosed;
pub use emulator::Emulator;
pub use faults::{ErrorAnswer, Fault, FaultKind};
pub use requests::Request;
pub use seed::SeedError;
