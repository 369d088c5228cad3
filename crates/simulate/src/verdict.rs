//! Breaches of a promise, and the verdict on a world.

use serde::Serialize;

/// A broken promise.
#[derive(Debug, Clone, Serialize, thiserror::Error)]
#[error("{}: {what}", kind.name())]
pub struct Breach {
    /// Its kind.
    pub kind: BreachKind,
    /// The finding.
    pub what: String,
}

/// The kinds of breaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreachKind {
    /// A case, a link, a comment or a profile is there twice.
    Duplicate,
    /// Something that must be there is missing, and nothing reports it.
    Lost,
    /// Contact and comments of one occurrence stand where those of another belong.
    Mixed,
    /// An item of the ledger lost a fact or its lease.
    Ledger,
    /// An answer was untrue.
    Untrue,
    /// An answer came after its deadline, or the quota was not used.
    Late,
    /// Messages of a FIFO queue were overtaken.
    Order,
    /// The function handled an event of its own.
    Loop,
    /// The function panicked or did not start.
    Broken,
}

impl BreachKind {
    /// The kind as reports spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Lost => "lost",
            Self::Mixed => "mixed",
            Self::Ledger => "ledger",
            Self::Untrue => "untrue",
            Self::Late => "late",
            Self::Order => "order",
            Self::Loop => "loop",
            Self::Broken => "broken",
        }
    }
}

/// The judgement of one world.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// The broken promises.
    pub breaches: Vec<Breach>,
    /// Repetitions that are not promised away, and are counted.
    pub twins: Twins,
    /// The number of cases.
    pub cases: usize,
}

/// The number of repetitions without a broken promise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Twins {
    /// Links of a contact beyond the first.
    pub links: usize,
    /// Comments beyond the first.
    pub comments: usize,
    /// Profiles beyond the first.
    pub profiles: usize,
}
