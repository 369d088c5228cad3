//! Deterministic simulation of the whole function.
//!
//! A seed makes a world: the real handler and the real SDK over the emulator, on one thread and a paused clock. Connect, EventBridge and SQS
//! deliver as they are documented to do, environments crash between any two steps, requests meet faults, and in the end everything that is
//! not done is delivered once more without faults. Then every key has exactly one case, or its event stands where failures are kept.
//!
//! Each module uses only those above it:
//!
//! | module | contents |
//! | --- | --- |
//! | `clock` | the paused clock, and the trace |
//! | `assumptions` | the assumptions behind the promise, and those that are broken |
//! | `verdict` | breaches of the promise |
//! | `faults` | the faults of requests |
//! | `case_events`, `keys` | the events of each key |
//! | `schedule` | the plan of a seed: deliveries, crashes, edges; or a backlog |
//! | `record` | the recorded facts: requests, effects, invocations, deliveries |
//! | `wire` | the network between the SDK and the services |
//! | `environment` | the function's execution environments |
//! | `invariants` | the judgement of answers, messages and worlds |
//! | `world` | one world, and its invocations |
//! | `delivery`, `queue` | the services that deliver |
//! | `report` | one world and many, for people and machines |
//! | `run` | one seed, from its plan to its judgement |

pub mod assumptions;
mod case_events;
mod clock;
mod delivery;
mod environment;
pub mod faults;
mod invariants;
mod keys;
mod queue;
mod record;
pub mod report;
mod run;
mod schedule;
pub mod verdict;
mod wire;
mod world;

pub use self::assumptions::Mode;
pub use self::environment::Releases;
pub use self::record::Throughput;
pub use self::run::run;
