//! Actions: the events of a model, and the ends that a request may have.

use ledger_protocol::holder::FailureKind;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Time passes.
    Pass(u64),
    /// A delivery begins, with this time and this lead of its clock.
    Begin { run: usize, budget: u64, skew: u64 },
    /// A run goes on, and its request ends so.
    Step(usize, End),
    /// A run crashes.
    Crash(usize),
    /// A request that was given up arrives.
    Arrive(usize),
    /// A request that was given up never arrives.
    Vanish(usize),
    /// Somebody removes the tag of a case.
    Untag(usize),
}

/// The end of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It takes effect, and its answer arrives.
    Answered,
    /// As `Answered`, and Cases has forgotten the token of the case that exists.
    Forgotten,
    /// It takes effect, and its answer is lost.
    Lost,
    /// It is given up, and may still arrive.
    Late,
    /// It is refused, without an effect.
    Refused(FailureKind),
    /// It is refused, and takes effect all the same.
    RefusedWithEffect,
    /// A search shows nothing.
    Hidden,
    /// Its time is up.
    TimeUp,
}
