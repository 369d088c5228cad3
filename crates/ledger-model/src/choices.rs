//! Choices: everything that may happen next in a state.

use std::time::Duration;

use ledger_protocol::holder::{FailureKind, Holder};
use ledger_protocol::time::{CLOCK_SKEW, ITEM_LAG, LATE_EFFECT, SEARCH_LAG};

use crate::action::{Action, End};
use crate::assumption::Assumption;
use crate::bounds::Items;
use crate::machine::Machine;
use crate::state::{At, Run, State};
use crate::time::{ITEM, NOW, SEARCH, SKEW, TOKEN};

/// The time after a doubt from which a search for the case is conclusive, in milliseconds.
const CONCLUSIVE: u64 =
    (CLOCK_SKEW.as_secs() + LATE_EFFECT.as_secs() + SEARCH_LAG.as_secs()) * 1000;

/// The same for a look at the case's items.
const ITEM_CONCLUSIVE: u64 =
    (CLOCK_SKEW.as_secs() + LATE_EFFECT.as_secs() + ITEM_LAG.as_secs()) * 1000;

impl Machine {
    /// Appends the actions that are possible in a state.
    pub(crate) fn enumerate(&self, state: &State, actions: &mut Vec<Action>) {
        if state.breach.is_some() {
            return;
        }
        let at_work = state.runs.iter().filter(|run| run.is_active()).count();
        let may_begin = at_work < self.bounds.at_once;
        for number in 0..state.runs.len() {
            let Some(run) = state.runs.get(number) else {
                continue;
            };
            if run.is_active() {
                self.steps(state, run, |end| actions.push(Action::Step(number, end)));
                // A claim whose time is up ends without another write, which is a crash already.
                let may_crash = !matches!(run.at, At::Claim(_) | At::Decide(..) | At::Take { .. });
                if state.left.crashes > 0 && may_crash {
                    actions.push(Action::Crash(number));
                }
            } else if run.at == At::Waiting && may_begin && self.is_next(state, number) {
                for &budget in &self.bounds.budgets {
                    for &skew in self.skews() {
                        actions.push(Action::Begin {
                            run: number,
                            budget,
                            skew,
                        });
                    }
                }
            }
        }
        for (number, flying) in state.flying.iter().enumerate() {
            actions.push(Action::Arrive(number));
            if flying.until.is_some_and(|until| until <= NOW) {
                actions.push(Action::Vanish(number));
            }
        }
        if self.is_without(Assumption::TagRemoved) {
            let cases = state.cases.iter().enumerate();
            let tagged = cases.filter(|(_, case)| !case.is_untagged);
            actions.extend(tagged.map(|(number, _)| Action::Untag(number)));
        }
        self.passages(state, actions);
    }

    /// Returns the leads that a run's clock may have.
    fn skews(&self) -> &'static [u64] {
        if self.is_without(Assumption::ClocksApart) {
            &[0, 60_000]
        } else if self.bounds.clocks_differ {
            &[0, SKEW]
        } else {
            &[0]
        }
    }

    /// Returns true if no delivery of the same occurrence comes first. Deliveries of one occurrence are equal.
    fn is_next(&self, state: &State, number: usize) -> bool {
        let earlier = state.runs.iter().take(number);
        let occurrence = self.bounds.deliveries.get(number);
        !earlier
            .zip(&self.bounds.deliveries)
            .any(|(run, its)| run.at == At::Waiting && Some(its) == occurrence)
    }

    /// Calls `add` with each end that the next request of a run may have.
    pub(crate) fn steps(&self, state: &State, run: &Run, mut add: impl FnMut(End)) {
        let left = state.left;
        let is_over = run.is_out_of_time();
        let change = |add: &mut dyn FnMut(End)| {
            add(End::Answered);
            if left.lost > 0 {
                add(End::Lost);
            }
            if left.late > 0 {
                add(End::Late);
            }
        };
        match &run.at {
            At::Waiting | At::Ended => {}
            At::Decide(..) => add(End::Answered),
            At::Claim(_)
            | At::Take { .. }
            | At::Search(..)
            | At::Look(..)
            | At::Add(..)
            | At::Verify(..)
                if is_over =>
            {
                add(End::TimeUp);
            }
            At::Claim(_) | At::Take { .. } => change(&mut add),
            At::Search(holder, _) => {
                let token = holder.lease.generation.as_deref().unwrap_or_default();
                let mut cases = state.cases.iter();
                let case = cases.find(|case| case.token == token && !case.is_untagged);
                if case.is_none_or(|case| self.may_hide(case.created, case.is_shown)) {
                    add(End::Hidden);
                }
                if case.is_some() && !self.is_without(Assumption::SearchLags) {
                    add(End::Answered);
                }
            }
            At::Create {
                holder,
                call,
                searched,
            } => {
                let since = searched.map(|searched| Duration::from_millis(NOW - searched));
                let is_up = call.map_or(is_over, |call| call.until <= NOW);
                if is_up || call.is_none() && holder.may_create_for(since).is_none() {
                    add(End::TimeUp);
                } else {
                    change(&mut add);
                    self.creations(state, holder, add);
                }
            }
            At::Look(_, known, _) | At::Verify(_, known, _) => {
                let case = state.cases.get(known.case);
                let mut items = case.iter().flat_map(|case| &case.items);
                let item = items.find(|(occurrence, _)| *occurrence == run.occurrence);
                match item {
                    None => add(End::Hidden),
                    Some((_, added)) => {
                        let lag = if self.is_without(Assumption::ItemsLag) {
                            600_000
                        } else {
                            ITEM
                        };
                        add(End::Answered);
                        if NOW - added < lag {
                            add(End::Hidden);
                        }
                    }
                }
            }
            At::Add(..) => {
                change(&mut add);
                if left.refusals > 0 {
                    add(End::Refused(FailureKind::Permanent));
                    if self.is_without(Assumption::RefusalsWithEffect) {
                        add(End::RefusedWithEffect);
                    }
                }
            }
            At::Settle { .. } => {
                change(&mut add);
                if is_over {
                    add(End::TimeUp);
                }
            }
        }
    }

    /// Calls `add` with the ends that `CreateCase` may have besides those of every request.
    fn creations(&self, state: &State, holder: &Holder, mut add: impl FnMut(End)) {
        let token = holder.lease.generation.as_deref().unwrap_or_default();
        let known = state.cases.iter().find(|case| {
            case.token == token && !case.is_forgotten && !self.is_without(Assumption::RandomToken)
        });
        if known.is_some_and(|case| NOW - case.created >= self.token_lifetime())
            && !self.bounds.shows_cases_at_once
        {
            add(End::Forgotten);
        }
        if state.left.refusals > 0 {
            add(End::Refused(FailureKind::Permanent));
            // The request has another body than the one that created the case.
            if known.is_some() {
                add(End::Refused(FailureKind::Conflict));
            }
            if self.is_without(Assumption::RefusalsWithEffect) {
                add(End::RefusedWithEffect);
            }
        }
    }

    /// Returns true if a search may miss a case of this age.
    fn may_hide(&self, created: u64, is_shown: bool) -> bool {
        let is_young = NOW - created < SEARCH && !self.bounds.shows_cases_at_once
            || self.is_without(Assumption::SearchLags);
        is_young && !is_shown || self.is_without(Assumption::SearchForgets)
    }

    fn token_lifetime(&self) -> u64 {
        if self.is_without(Assumption::TokenForgotten) {
            20_000
        } else {
            TOKEN
        }
    }

    /// Appends the passages of time: to the next moment at which something can change, and to moments before it.
    ///
    /// All limits are multiples of the tolerated difference of clocks, and no comparison is strict on both sides. Moments between two steps of
    /// that size differ in nothing. While something is under way, time passes in such steps; in quiet times up to those before a change.
    fn passages(&self, state: &State, actions: &mut Vec<Action>) {
        // The last property lets time pass from here.
        if state.is_over() {
            return;
        }
        let mut end = u64::MAX;
        let mut next = u64::MAX;
        let mut at = |moment: u64| {
            if moment > NOW {
                next = next.min(moment);
            }
        };
        for run in state.runs.iter().filter(|run| run.is_active()) {
            end = end.min(run.deadline);
            if let At::Create {
                call: Some(call), ..
            } = &run.at
            {
                at(call.until);
                end = end.min(call.until);
            }
        }
        for flying in &state.flying {
            end = end.min(flying.until.unwrap_or(u64::MAX));
        }
        if end <= NOW {
            return;
        }
        at(end);
        for case in &state.cases {
            let is_settled = self.bounds.shows_cases_at_once;
            if !case.is_shown && !is_settled {
                at(case.created + SEARCH);
            }
            if !case.is_forgotten && !is_settled {
                at(case.created + self.token_lifetime());
            }
            if self.bounds.items != Items::None {
                for (_, added) in &case.items {
                    at(added + ITEM);
                }
            }
        }
        for &skew in self.skews() {
            for item in state.table.iter().flatten() {
                for moment in [item.lease_ends, item.expires.map(|expires| expires * 1000)] {
                    at(moment.unwrap_or_default().saturating_sub(skew));
                }
                if let Some(steps) = &item.steps {
                    let case = steps.case_sent_until.unwrap_or_default() + CONCLUSIVE;
                    if !self.bounds.shows_cases_at_once {
                        at(case.saturating_sub(skew));
                    }
                    if self.bounds.items != Items::None {
                        let comment =
                            steps.comments_sent_until.unwrap_or_default() + ITEM_CONCLUSIVE;
                        at(comment.saturating_sub(skew));
                    }
                    // The doubt that a takeover of this lease is going to have.
                    if let Some(ends) = item.lease_ends.filter(|ends| *ends > 0) {
                        if !self.bounds.shows_cases_at_once {
                            at((ends + CONCLUSIVE).saturating_sub(SKEW + skew));
                        }
                        if self.bounds.items != Items::None {
                            at((ends + ITEM_CONCLUSIVE).saturating_sub(SKEW + skew));
                        }
                    }
                }
            }
        }
        if next == u64::MAX {
            return;
        }
        let is_busy = !state.flying.is_empty() || state.runs.iter().any(Run::is_active);
        let mut moments = if is_busy {
            vec![NOW + SKEW, next - SKEW, next]
        } else {
            let mut moments = vec![next - 2 * SKEW, next - SKEW, next];
            for budget in self
                .bounds
                .budgets
                .iter()
                .filter(|budget| **budget > 2 * SKEW)
            {
                moments.extend([next - budget, next - 60_000, next - 55_000]);
            }
            moments
        };
        moments.retain(|moment| *moment > NOW && *moment <= end);
        moments.sort_unstable();
        moments.dedup();
        actions.extend(moments.into_iter().map(|moment| Action::Pass(moment - NOW)));
    }
}
