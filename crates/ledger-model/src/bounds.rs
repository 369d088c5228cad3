//! The models: each is the same machine within bounds of its own.

use std::time::Duration;

/// The bounds of a model.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// Its content, in a few words.
    pub(crate) content: &'static str,
    /// The occurrence of each delivery.
    pub(crate) deliveries: Vec<usize>,
    /// The number of runs that may be at work at the same time.
    pub(crate) at_once: usize,
    /// The number of runs that may crash.
    pub(crate) crashes: u8,
    /// The number of requests that take effect without an answer.
    pub(crate) lost: u8,
    /// The number of requests that are given up and may still arrive.
    pub(crate) late: u8,
    /// The number of refusals (400, 403, 404, 409).
    pub(crate) refusals: u8,
    /// The number of faults of all these kinds together.
    pub(crate) faults: u8,
    /// True if the clocks of two runs may differ.
    pub(crate) clocks_differ: bool,
    /// True if a search shows a case at once, and Cases never forgets a token.
    pub(crate) shows_cases_at_once: bool,
    /// True if time may pass between an answer of the table and the decision about it.
    pub(crate) delays_answers: bool,
    /// The times that a run may have, in milliseconds.
    pub(crate) budgets: Vec<u64>,
    /// True if each occurrence brings a comment.
    pub(crate) items: Items,
    /// The key's window.
    pub(crate) window: Option<Duration>,
    /// The age beyond which times are equal, in milliseconds.
    pub(crate) horizon: u64,
}

/// The comments that occurrences add to the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Items {
    /// Nothing.
    None,
    /// The first occurrence of the key adds a comment: `on_existing: return`.
    OfTheFirst,
    /// Each occurrence adds a comment: `on_existing: attach`.
    OfEach,
}

/// The size of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// For every run of the tests.
    Small,
    /// On demand.
    Large,
}

impl Bounds {
    /// Every model, within bounds of this size.
    #[must_use]
    pub(crate) fn all(size: Size) -> Vec<Self> {
        let large = size == Size::Large;
        let attach = Self {
            name: "items-attach",
            content: if large {
                "comments of each occurrence, more of them"
            } else {
                "comments of each occurrence, with equal clocks"
            },
            deliveries: if large {
                vec![0, 0, 1, 1]
            } else {
                vec![0, 1, 1]
            },
            at_once: if large { 3 } else { 2 },
            crashes: 1,
            lost: u8::from(large),
            late: 1,
            refusals: 0,
            faults: if large { 3 } else { 1 },
            clocks_differ: large,
            shows_cases_at_once: !large,
            delays_answers: large,
            budgets: vec![5_000],
            items: Items::OfEach,
            window: None,
            horizon: 400_000,
        };
        vec![
            Self {
                name: "case",
                content: "claim and CreateCase",
                deliveries: vec![0; 3],
                crashes: 2,
                lost: 1,
                refusals: 1,
                faults: if large { 5 } else { 3 },
                clocks_differ: true,
                shows_cases_at_once: false,
                budgets: if large {
                    vec![10_000, 70_000]
                } else {
                    vec![5_000]
                },
                items: Items::None,
                ..attach.clone()
            },
            Self {
                name: "items-return",
                content: "comments of the first occurrence",
                deliveries: if large {
                    vec![0, 0, 1, 1]
                } else {
                    vec![0, 0, 1]
                },
                lost: 1,
                clocks_differ: true,
                items: Items::OfTheFirst,
                ..attach.clone()
            },
            Self {
                name: "items-clocks",
                content: "comments of each occurrence, with clocks apart",
                deliveries: vec![0, 1],
                faults: if large { 3 } else { 2 },
                clocks_differ: true,
                ..attach.clone()
            },
            attach.clone(),
            Self {
                name: "window",
                content: "two uses of a key with a window",
                deliveries: vec![0; 3],
                faults: if large { 3 } else { 2 },
                clocks_differ: true,
                shows_cases_at_once: false,
                items: Items::None,
                window: Some(Duration::from_mins(10)),
                horizon: 1_000_000,
                ..attach.clone()
            },
        ]
    }
}
