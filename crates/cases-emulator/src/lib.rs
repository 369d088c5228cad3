#![doc = include_str!("../README.md")]

mod answer;
mod audit;
mod case;
mod clock;
mod connector;
mod contacts;
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
mod profiles;
mod rate_limits;
mod reads;
mod refusal;
mod related_items;
mod requests;
mod search;
mod search_filter;
mod seed;
mod seed_error;
mod server;
mod settings;
mod state;

pub use answer::ConnectionClosed;
pub use emulator::Emulator;
pub use faults::{ErrorAnswer, Fault, FaultKind};
pub use related_items::DuplicateContact;
pub use requests::Request;
pub use seed_error::SeedError;
