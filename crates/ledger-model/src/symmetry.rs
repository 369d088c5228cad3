//! Symmetry: deliveries of one occurrence are equal, so states that differ by an exchange of their runs are one state.

use ledger_protocol::relabel::{Moment, Relabel, Relabelling};

use crate::state::{Request, Run, State};

/// Gives each run a new number.
struct Renumbering {
    /// The new number of each run.
    numbers: Vec<usize>,
}

/// Gives a run no number.
struct Anonymous;

impl Relabelling for Renumbering {
    fn time(&mut self, _: Moment, _: &mut u64) {}

    fn owner(&mut self, owner: &mut String) {
        let (number, rest) = match owner.strip_suffix('+') {
            Some(number) => (number, "+"),
            None => (owner.as_str(), ""),
        };
        let number = number.parse().ok();
        if let Some(new) = number.and_then(|number: usize| self.numbers.get(number)) {
            *owner = format!("{new}{rest}");
        }
    }
}

impl Relabelling for Anonymous {
    fn time(&mut self, _: Moment, _: &mut u64) {}

    fn owner(&mut self, owner: &mut String) {
        owner.clear();
    }
}

/// Returns the state that stands for all states that differ from it by an exchange of equal runs.
///
/// With a window a run's number is part of a generation, so its runs keep their numbers.
pub(crate) fn representative(state: &State) -> State {
    if !state.uses.is_empty() {
        return state.clone();
    }
    let keys: Vec<(usize, Run)> = state
        .runs
        .iter()
        .map(|run| {
            let mut anonymous = run.clone();
            anonymous.relabel(&mut Anonymous);
            (run.occurrence, anonymous)
        })
        .collect();
    let mut order: Vec<usize> = (0..state.runs.len()).collect();
    // A stable order: runs that are equal but for their names keep theirs.
    order.sort_by(|left, right| keys.get(*left).cmp(&keys.get(*right)));
    let mut numbers = vec![0; order.len()];
    for (new, old) in order.iter().enumerate() {
        if let Some(number) = numbers.get_mut(*old) {
            *number = new;
        }
    }
    let mut by = Renumbering { numbers };
    let mut state = state.clone();
    let runs = order.iter().filter_map(|old| state.runs.get(*old).cloned());
    state.runs = runs.collect();
    for run in &mut state.runs {
        run.relabel(&mut by);
    }
    for item in state.table.iter_mut().flatten() {
        item.relabel(&mut by);
    }
    for flying in &mut state.flying {
        flying.from = by.numbers.get(flying.from).copied().unwrap_or(flying.from);
        if let Request::Write(_, write) = &mut flying.request {
            write.relabel(&mut by);
        }
    }
    state.flying.sort();
    state
}
