//! The state of a model: the table, the cases, the runs, and the requests that are still under way.

use ledger_protocol::holder::{Earlier, FailureKind, Holder};
use ledger_protocol::item::Item;
use ledger_protocol::lease::{Ending, Lease};
use ledger_protocol::relabel::{Relabel, Relabelling};
use ledger_protocol::write::Write;

use crate::bounds::{Bounds, Items};
use crate::time::{NOW, Passing};

/// A state of the whole world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The item of the key, and then the item of each occurrence that joined the key's case.
    pub(crate) table: Vec<Option<Item>>,
    /// The cases, in the order of their creation.
    pub(crate) cases: Vec<Case>,
    /// The runs, one for each delivery.
    pub(crate) runs: Vec<Run>,
    /// The requests that were given up and may still arrive.
    pub(crate) flying: Vec<Flying>,
    /// The uses of the key, with a window.
    pub(crate) uses: Vec<Use>,
    /// The faults that are left.
    pub(crate) left: Left,
    /// The first promise that was broken.
    pub(crate) breach: Option<Breach>,
}

/// The number of faults that may still happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    pub(crate) crashes: u8,
    pub(crate) lost: u8,
    pub(crate) late: u8,
    pub(crate) refusals: u8,
    /// Of all kinds together.
    pub(crate) all: u8,
}

/// A case in Amazon Connect Cases.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Case {
    /// The generation that is part of its token and tag; empty without a window.
    pub(crate) token: String,
    pub(crate) created: u64,
    /// True if a search has shown it.
    pub(crate) is_shown: bool,
    /// True if Cases has forgotten its token.
    pub(crate) is_forgotten: bool,
    /// True if its tag was removed.
    pub(crate) is_untagged: bool,
    /// Its comments: occurrence and time.
    pub(crate) items: Vec<(usize, u64)>,
}

/// A use of the key: its generation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Use {
    pub(crate) token: String,
    /// The time at which a run first learned that it holds the key in this generation.
    pub(crate) held: u64,
}

/// A request that was given up by its sender.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Flying {
    /// The run that sent it.
    pub(crate) from: usize,
    pub(crate) request: Request,
    /// The latest time of its arrival. Unknown while its call goes on.
    pub(crate) until: Option<u64>,
}

/// A request that changes something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Request {
    /// A write to an item of the table.
    Write(usize, Write),
    /// `CreateCase` with this token.
    CreateCase(String),
    /// `CreateRelatedItem`: the comment of an occurrence.
    AddComment { case: usize, occurrence: usize },
}

/// One invocation of the function with one delivery.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Run {
    pub(crate) occurrence: usize,
    /// The amount by which its clock is ahead.
    pub(crate) skew: u64,
    /// The end of its time.
    pub(crate) deadline: u64,
    /// The case that it adds its comment to under a claim of its own, with `on_existing: attach`.
    pub(crate) joins: Option<Known>,
    pub(crate) at: At,
}

/// A case that a run knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Known {
    pub(crate) case: usize,
    pub(crate) is_new: bool,
}

/// The place of a run in the pipeline: the request that it sends next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum At {
    /// It is not delivered yet.
    Waiting,
    /// It claims, for the first time or again while another run holds the key.
    Claim(Box<Lease>),
    /// Its claim found an item.
    Decide(Box<Lease>, Box<Item>),
    /// It takes a key over, or uses an expired key again.
    Take {
        lease: Box<Lease>,
        taken: Option<Box<Lease>>,
        write: Box<Write>,
    },
    /// It searches for the case by its tag.
    Search(Box<Holder>, Why),
    /// It creates the case. `searched` is the time of its last search.
    Create {
        holder: Box<Holder>,
        searched: Option<u64>,
        call: Option<Call>,
    },
    /// It looks for a comment of an earlier run.
    Look(Box<Holder>, Known, Earlier),
    /// It adds its comment.
    Add(Box<Holder>, Known, Earlier),
    /// It looks for its own comment, whose answer was lost.
    Verify(Box<Holder>, Known, Earlier),
    /// It ends its claim.
    Settle {
        holder: Box<Holder>,
        ending: Ending,
        answer: Answer,
    },
    /// It has answered, or crashed.
    Ended,
}

/// The reason for a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Why {
    /// The case is in doubt.
    Doubt,
    /// The last search is too old.
    Window,
    /// `CreateCase` was refused.
    Refusal(FailureKind),
}

/// A call of `CreateCase`, with all of its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Call {
    pub(crate) until: u64,
    pub(crate) in_doubt: bool,
}

/// The answer of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Answer {
    /// `created` or `existing`, with the state of the comment.
    Case(Known, Comment),
    /// `failed`
    Failed,
}

/// The state of a comment in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Comment {
    /// `not_requested`
    NotRequested,
    /// `true`
    Added,
    /// `false`, retryable
    Missing,
    /// `false`, not retryable
    Refused,
}

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Breach {
    /// A key and generation has two cases.
    TwoCases,
    /// A second case was made before the window of the first was over.
    WindowCutShort,
    /// An answer names a case or a comment that is not there, or denies a case that is there.
    FalseAnswer,
    /// An occurrence's comment is there twice.
    TwoComments,
}

impl Left {
    /// Takes one fault of a kind. When no fault of any kind is left, none of this kind is.
    pub(crate) fn take(&mut self, kind: impl Fn(&mut Self) -> &mut u8) {
        let left = kind(self);
        *left = left.saturating_sub(1);
        self.all = self.all.saturating_sub(1);
        if self.all == 0 {
            *self = Self::default();
        }
    }
}

impl Breach {
    /// Returns the breach as a sentence.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::TwoCases => "the key has two cases",
            Self::WindowCutShort => "the key has a second case before its window is over",
            Self::FalseAnswer => "the answer is not true",
            Self::TwoComments => "the comment of an occurrence is there twice",
        }
    }
}

impl State {
    /// Returns the state before the first delivery.
    pub(crate) fn new(bounds: &Bounds) -> Self {
        let occurrences = bounds.deliveries.iter().max().map_or(0, |most| most + 1);
        let joined = if bounds.items == Items::OfEach {
            occurrences
        } else {
            0
        };
        let run = |occurrence: &usize| Run {
            occurrence: *occurrence,
            skew: 0,
            deadline: 0,
            joins: None,
            at: At::Waiting,
        };
        Self {
            table: vec![None; 1 + joined],
            cases: Vec::new(),
            runs: bounds.deliveries.iter().map(run).collect(),
            flying: Vec::new(),
            uses: Vec::new(),
            left: Left {
                crashes: bounds.crashes,
                lost: bounds.lost,
                late: bounds.late,
                refusals: bounds.refusals,
                all: bounds.faults,
            },
            breach: None,
        }
    }

    /// Records a broken promise, unless one was broken before.
    pub(crate) fn accuse(&mut self, breach: Breach) {
        self.breach = self.breach.or(Some(breach));
    }

    /// Returns true if every run has ended and no request is under way.
    pub(crate) fn is_over(&self) -> bool {
        self.flying.is_empty() && self.runs.iter().all(|run| run.at == At::Ended)
    }

    /// Lets time pass, and makes equal what is equal for every later step.
    pub(crate) fn pass(&mut self, by: &mut Passing) {
        for item in self.table.iter_mut().flatten() {
            item.relabel(by);
        }
        for case in &mut self.cases {
            by.apply(&mut case.created);
            for (_, added) in &mut case.items {
                by.apply(added);
            }
            // A search shows every case of that age.
            case.is_shown |= by.floor == case.created;
        }
        for one in &mut self.uses {
            // Compared with each other, and so never equally long ago.
            one.held = one.held.saturating_sub(by.time);
        }
        for flying in &mut self.flying {
            if let Some(until) = &mut flying.until {
                by.apply(until);
            }
            if let Request::Write(_, write) = &mut flying.request {
                write.relabel(by);
            }
        }
        self.flying.sort();
        for run in &mut self.runs {
            run.pass(by);
        }
    }
}

impl Run {
    /// Returns true if the run has begun and has not ended.
    pub(crate) fn is_active(&self) -> bool {
        !matches!(self.at, At::Waiting | At::Ended)
    }

    /// Returns the present by the run's clock.
    pub(crate) fn clock(&self) -> u64 {
        NOW + self.skew
    }

    /// Returns true if the run's time is up.
    pub(crate) fn is_out_of_time(&self) -> bool {
        self.deadline <= NOW
    }

    fn pass(&mut self, by: &mut Passing) {
        if !self.is_active() {
            // The knowledge of a run ends with it.
            (self.skew, self.deadline, self.joins) = (0, 0, None);
            return;
        }
        by.apply(&mut self.deadline);
        if let At::Create { searched, call, .. } = &mut self.at {
            if let Some(searched) = searched {
                by.apply(searched);
            }
            if let Some(call) = call {
                by.apply(&mut call.until);
            }
        }
        self.relabel(by);
    }
}

impl Relabel for Run {
    fn relabel(&mut self, by: &mut impl Relabelling) {
        match &mut self.at {
            At::Waiting | At::Ended => {}
            At::Claim(lease) => lease.relabel(by),
            At::Decide(lease, item) => {
                lease.relabel(by);
                item.relabel(by);
            }
            At::Take {
                lease,
                taken,
                write,
            } => {
                lease.relabel(by);
                if let Some(taken) = taken {
                    taken.relabel(by);
                }
                write.relabel(by);
            }
            At::Search(holder, _)
            | At::Create { holder, .. }
            | At::Look(holder, ..)
            | At::Add(holder, ..)
            | At::Verify(holder, ..)
            | At::Settle { holder, .. } => holder.relabel(by),
        }
    }
}
