//! Deterministic simulation of the whole function.
//!
//! A seed makes a world: the real handler and the real SDK over the emulator, on one thread and a paused clock. Connect, EventBridge and SQS
//! deliver as they are documented to do, environments crash between any two steps, requests meet faults, and in the end everything that is
//! not done is delivered once more without faults. Then every key has exactly one case, or its event stands where failures are kept.
//!
//! | module | turns |
//! | --- | --- |
//! | `schedule`, `keys`, `aims`, `assumptions` | a seed into what is to happen |
//! | `world`, `environment`, `ledger`, `crash` | a schedule into invocations |
//! | `delivery` | what is planned into deliveries, retries and re-drives |
//! | `wire`, `faults` | a request into an effect and an answer, or one of them, or neither |
//! | `trace`, `clock` | what happens into lines with their times |
//! | `invariants` | what is there in the end into a verdict |
//! | `report` | verdicts into a summary |
//! | `soak` | a backlog of thousands under the published quotas into throughput and memory |

mod aims;
pub mod assumptions;
mod clock;
mod crash;
mod delivery;
mod environment;
pub mod faults;
pub mod invariants;
mod keys;
mod ledger;
pub mod report;
mod schedule;
pub mod soak;
mod trace;
mod wire;
mod world;

pub use self::environment::Releases;
pub use self::world::{Run, run};

/// How worlds are run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mode {
    /// Whether the function has a ledger: with it nothing is excused.
    pub ledger: bool,
    /// The assumption that does not hold.
    pub broken: Option<assumptions::Broken>,
}
