//! Explanations: turns a path through a model into a schedule that a person can read.

use std::fmt::Write as _;

use ledger_protocol::holder::FailureKind;

use crate::action::{Action, End};
use crate::state::{At, Request, Run, State, Why};

/// Returns the schedule of a path: one line for each action, with the time since the beginning.
pub(crate) fn schedule(path: &[(State, Option<Action>)]) -> String {
    let mut text = String::new();
    let mut time = 0;
    for (state, action) in path {
        let line = match action {
            Some(Action::Pass(passed)) => {
                time += passed;
                continue;
            }
            Some(action) => line(state, *action),
            None => match state.breach {
                Some(breach) => breach.sentence().to_owned(),
                None => "no continuation without a fault ends done".to_owned(),
            },
        };
        let seconds = time / 1000;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:3}:{:02}  {line}", seconds / 60, seconds % 60);
    }
    text
}

fn line(state: &State, action: Action) -> String {
    match action {
        Action::Pass(_) => String::new(),
        Action::Begin { run, budget, skew } => {
            let occurrence = state.runs.get(run).map_or(0, |run| run.occurrence);
            let seconds = budget / 1000;
            let clock = match skew / 1000 {
                0 => String::new(),
                skew => format!("; its clock is {skew} s ahead"),
            };
            format!("run {run} begins with occurrence {occurrence}, and has {seconds} s{clock}")
        }
        Action::Step(number, end) => match state.runs.get(number) {
            Some(run) => format!("run {number} {}{}", verb(run), outcome(run, end)),
            None => String::new(),
        },
        Action::Crash(run) => format!("run {run} crashes"),
        Action::Arrive(number) => format!("{} arrives after all", late(state, number)),
        Action::Vanish(number) => format!("{} never arrives", late(state, number)),
        Action::Untag(case) => format!("somebody removes the tag of case {case}"),
    }
}

/// Returns the request of a run as a verb with its object.
fn verb(run: &Run) -> &'static str {
    match &run.at {
        At::Waiting | At::Ended => "does nothing",
        At::Claim(_) => "claims the key",
        At::Decide(..) => "decides about the item that it found",
        At::Take { taken: None, .. } => "uses the expired key again",
        At::Take { .. } => "takes the key over",
        At::Search(_, Why::Doubt) => "searches for the case, which is in doubt",
        At::Search(_, Why::Window) => "searches for the case again",
        At::Search(_, Why::Refusal(_)) => "searches for the case after the refusal",
        At::Create { .. } => "sends CreateCase",
        At::Look(..) => "looks for the comment of an earlier run",
        At::Add(..) => "adds its comment",
        At::Verify(..) => "looks for its own comment",
        At::Settle { ending, .. } => match ending {
            ledger_protocol::lease::Ending::Complete => "marks the key as done",
            ledger_protocol::lease::Ending::Leave => "leaves the key to the next run",
            ledger_protocol::lease::Ending::Free => "frees the key",
        },
    }
}

fn outcome(run: &Run, end: End) -> &'static str {
    match end {
        End::Answered => match &run.at {
            At::Search(..) | At::Look(..) | At::Verify(..) => ": it is shown",
            _ => "",
        },
        End::Forgotten => ": Cases has forgotten the token",
        End::Lost => ": it takes effect, and the answer is lost",
        End::Late => ": it is given up, and still under way",
        End::Refused(FailureKind::Conflict) => ": it is refused with 409",
        End::Refused(_) => ": it is refused with 400, 403 or 404",
        End::RefusedWithEffect => ": it is refused, and takes effect all the same",
        End::Hidden => ": it is not shown",
        End::TimeUp => ": its time is up",
    }
}

fn late(state: &State, number: usize) -> String {
    let Some(flying) = state.flying.get(number) else {
        return String::new();
    };
    let request = match &flying.request {
        Request::Write(..) => "write to the ledger",
        Request::CreateCase(_) => "CreateCase",
        Request::AddComment { .. } => "comment",
    };
    format!("the {request} of run {}", flying.from)
}
