//! Properties: what holds in every state, and the fault-free continuation that ends done.

use ledger_protocol::item::{Item, Status};
use stateright::{Model, Property};

use crate::action::{Action, End};
use crate::machine::Machine;
use crate::state::{At, Breach, Run, State};
use crate::time::NOW;

/// The property that every state has a fault-free continuation which ends done.
pub(crate) const DONE: &str = "from every state a fault-free continuation ends done";

/// The property that the model is not empty: some path ends with everything done.
pub(crate) const REACHED: &str = "a path ends done";

/// The deliveries of each occurrence in a continuation, a minute apart, and the steps of each, at most.
const DELIVERIES: usize = 12;
const STEPS: usize = 64;

impl Model for Machine {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut state = State::new(&self.bounds);
        state.pass(&mut self.passing(0));
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.enumerate(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.after(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "a key and generation has at most one case",
                |_, state: &State| {
                    !matches!(
                        state.breach,
                        Some(Breach::TwoCases | Breach::WindowCutShort)
                    )
                },
            ),
            Property::always(
                "every answer is true when it is given",
                |_, state: &State| state.breach != Some(Breach::FalseAnswer),
            ),
            Property::always("a comment is there at most once", |_, state: &State| {
                state.breach != Some(Breach::TwoComments)
            }),
            Property::sometimes(REACHED, |_, state: &State| {
                state.is_over() && is_done(state)
            }),
            Property::always(DONE, |machine: &Self, state: &State| {
                state.breach.is_some()
                    || !state.is_over()
                    || machine.ends_done(state) && machine.ends_done_later(state)
            }),
        ]
    }
}

impl Machine {
    /// Delivers every occurrence again, a minute apart, without a fault, and with lags as long as they may be.
    ///
    /// Only states without a run ask for this. From any other state its runs and deliveries go on without a fault, and lead to such a state.
    fn ends_done(&self, state: &State) -> bool {
        let mut state = state.clone();
        let occurrences = self.bounds.deliveries.iter().max();
        let occurrences = occurrences.map_or(0, |most| most + 1);
        for _ in 0..DELIVERIES {
            for occurrence in 0..occurrences {
                if !self.deliver(&mut state, occurrence) {
                    return false;
                }
            }
            if is_done(&state) {
                return true;
            }
            if let Some(next) = self.after(&state, Action::Pass(60_000)) {
                state = next;
            }
        }
        false
    }

    /// The same after so long that every time is equally long ago.
    fn ends_done_later(&self, state: &State) -> bool {
        let later = self.after(state, Action::Pass(self.bounds.horizon));
        later.is_some_and(|later| self.ends_done(&later))
    }

    /// Delivers an occurrence once more. Returns false if a promise is broken, or if the run does not end.
    fn deliver(&self, state: &mut State, occurrence: usize) -> bool {
        let number = state.runs.len();
        let budgets = self.bounds.budgets.iter().copied();
        let budget = budgets.min().unwrap_or_default();
        state.runs.push(Run {
            occurrence,
            skew: 0,
            deadline: NOW,
            joins: None,
            at: At::Waiting,
        });
        let mut action = Action::Begin {
            run: number,
            budget,
            skew: 0,
        };
        let mut looked_for = None;
        for _ in 0..STEPS {
            let Some(next) = self.after(state, action) else {
                return false;
            };
            *state = next;
            if state.breach.is_some() {
                return false;
            }
            let Some(run) = state.runs.get(number) else {
                return false;
            };
            action = match &run.at {
                At::Ended => return true,
                // Another run holds the key until its lease ends.
                At::Claim(_) if looked_for == Some(run.joins) && !run.is_out_of_time() => {
                    Action::Pass(run.deadline - NOW)
                }
                At::Claim(_) => {
                    looked_for = Some(run.joins);
                    Action::Step(number, self.faultless(state, run))
                }
                _ => Action::Step(number, self.faultless(state, run)),
            };
        }
        false
    }

    /// Returns the end of a run's next request without a fault. What need not show yet does not show.
    fn faultless(&self, state: &State, run: &Run) -> End {
        let mut ends = Vec::new();
        self.steps(state, run, |end| ends.push(end));
        let has = |end| ends.contains(&end);
        if has(End::Hidden) {
            End::Hidden
        } else if has(End::Answered) {
            End::Answered
        } else {
            End::TimeUp
        }
    }
}

/// Returns true if the key is done, with everything that belongs to its case.
fn is_done(state: &State) -> bool {
    let Some(Some(item)) = state.table.first() else {
        return false;
    };
    let owner = item.steps.as_ref();
    let owner = owner.and_then(|steps| steps.occurrence.clone());
    let mut joined = state.table.iter().skip(1).enumerate();
    is_completed(item)
        && joined.all(|(occurrence, item)| {
            owner.as_deref() == Some(&*occurrence.to_string())
                || item.as_ref().is_some_and(is_completed)
        })
}

/// Returns true if the item is done, and its case and comment are there.
fn is_completed(item: &Item) -> bool {
    let steps = item.steps.as_ref();
    item.status == Some(Status::Completed) && steps.is_some_and(|steps| steps.case_id.is_some())
}
