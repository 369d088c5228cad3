//! The machine: what each action does to a state.
//!
//! A run takes the steps of `src/handler/pipeline.rs` in their order. Every decision between them, and every write, is that of
//! `ledger_protocol`, which the function uses, too.

use std::time::Duration;

use ledger_protocol::holder::{
    Addition, AfterRefusal, Earlier, Effect, FailureKind, Holder, Outcome, Unrecorded, Verdict,
};
use ledger_protocol::item::{Item, Record};
use ledger_protocol::lease::{Claimant, Lease, Names, Next};
use ledger_protocol::steps::CaseReference;
use ledger_protocol::write::{Condition, Write};

use crate::action::{Action, End};
use crate::assumption::Assumption;
use crate::bounds::{Bounds, Items};
use crate::state::{
    Answer, At, Breach, Call, Case, Comment, Flying, Known, Request, Run, State, Use, Why,
};
use crate::time::{LATE, NOW, Passing, SKEW};

/// `ledger_unavailable: fail`, for events: the only runs are those that the ledger records.
const RECORDED: Unrecorded = Unrecorded {
    repeats: true,
    proceeds: false,
};

/// A model: the machine within bounds, with every assumption but one.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) bounds: Bounds,
    pub(crate) without: Option<Assumption>,
}

/// The result of a request to the table.
enum Sent {
    /// It was written.
    Written,
    /// Its condition did not hold.
    Refused,
    /// There is no answer.
    Unanswered,
}

impl Machine {
    /// Returns true if this assumption does not hold.
    pub(crate) fn is_without(&self, assumption: Assumption) -> bool {
        self.without == Some(assumption)
    }

    /// Returns the identity of a run's occurrence.
    fn identity(&self, run: &Run) -> usize {
        if self.is_without(Assumption::SharedIds) {
            0
        } else {
            run.occurrence
        }
    }

    /// Returns the place of the item that a run claims.
    fn place(&self, run: &Run) -> usize {
        run.joins.map_or(0, |_| 1 + self.identity(run))
    }

    pub(crate) fn passing(&self, time: u64) -> Passing {
        Passing {
            time,
            floor: NOW - self.bounds.horizon,
            has_items: self.bounds.items != Items::None,
            has_window: self.bounds.window.is_some(),
        }
    }

    /// Returns the state after an action, or `None` if the action changes nothing.
    pub(crate) fn after(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        let mut passed = 0;
        match action {
            Action::Pass(time) => passed = time,
            Action::Begin { run, budget, skew } => {
                let one = state.runs.get_mut(run)?;
                one.deadline = NOW + budget;
                one.skew = skew;
                one.at = At::Claim(Box::new(self.lease(one, run)));
            }
            Action::Step(run, end) => {
                let mut one = state.runs.get(run)?.clone();
                let place = std::mem::replace(&mut one.at, At::Waiting);
                let was = std::mem::discriminant(&place);
                self.step(&mut state, run, &mut one, place, end);
                let has_moved = std::mem::discriminant(&one.at) != was
                    || matches!(one.at, At::Create { call: None, .. });
                *state.runs.get_mut(run)? = one;
                if has_moved {
                    self.give_up(&mut state, run);
                }
            }
            Action::Crash(run) => {
                state.left.take(|left| &mut left.crashes);
                state.runs.get_mut(run)?.at = At::Ended;
                self.give_up(&mut state, run);
            }
            Action::Arrive(flying) => {
                let flying = state.flying.remove(flying);
                self.arrive(&mut state, flying.request);
            }
            Action::Vanish(flying) => {
                state.flying.remove(flying);
            }
            Action::Untag(case) => state.cases.get_mut(case)?.is_untagged = true,
        }
        state.pass(&mut self.passing(passed));
        Some(state)
    }

    /// Sets the latest arrival of the requests whose call has ended.
    fn give_up(&self, state: &mut State, run: usize) {
        let late = if self.is_without(Assumption::LateRequests) {
            300_000
        } else {
            LATE
        };
        for flying in &mut state.flying {
            if flying.from == run {
                flying.until = flying.until.or(Some(NOW + late));
            }
        }
    }

    /// Returns a lease that a run is about to claim.
    fn lease(&self, run: &Run, number: usize) -> Lease {
        let identity = self.identity(run).to_string();
        let claimant = Claimant {
            id: "",
            occurrence: Some(&identity),
            window: self.bounds.window,
        };
        // A claim of its own has a name of its own.
        let owner = match run.joins {
            None => format!("{number}"),
            Some(_) => format!("{number}+"),
        };
        let names = Names {
            generation: self.bounds.window.map(|_| owner.clone()),
            owner,
        };
        Lease::new(claimant, names, run.clock())
    }

    /// Returns the end of a lease for a run's time.
    fn lease_ends(run: &Run) -> u64 {
        run.deadline + run.skew + SKEW
    }

    // Requests

    /// Applies a write as the table does.
    fn apply(&self, state: &mut State, place: usize, write: &Write) -> bool {
        let Some(item) = state.table.get_mut(place) else {
            return false;
        };
        if self.is_without(Assumption::NoCondition) {
            let unconditional = Write {
                condition: Condition::All(&[]),
                ..write.clone()
            };
            return unconditional.apply(item);
        }
        write.apply(item)
    }

    /// Sends a write.
    fn write(&self, state: &mut State, run: usize, place: usize, write: &Write, end: End) -> Sent {
        match end {
            End::Late => {
                Self::hold_back(state, run, Request::Write(place, write.clone()));
                Sent::Unanswered
            }
            End::Lost => {
                state.left.take(|left| &mut left.lost);
                self.apply(state, place, write);
                Sent::Unanswered
            }
            _ if self.apply(state, place, write) => Sent::Written,
            _ => Sent::Refused,
        }
    }

    fn hold_back(state: &mut State, run: usize, request: Request) {
        state.left.take(|left| &mut left.late);
        state.flying.push(Flying {
            from: run,
            request,
            until: None,
        });
    }

    fn arrive(&self, state: &mut State, request: Request) {
        match request {
            Request::Write(place, write) => {
                self.apply(state, place, &write);
            }
            Request::CreateCase(token) => {
                self.create_case(state, token);
            }
            Request::AddComment { case, occurrence } => {
                Self::add_comment(state, case, occurrence);
            }
        }
    }

    /// Creates a case, unless Cases remembers the token. Returns the number of the token's case.
    fn create_case(&self, state: &mut State, token: String) -> usize {
        let is_known = |case: &Case| {
            case.token == token && !case.is_forgotten && !self.is_without(Assumption::RandomToken)
        };
        if let Some(known) = state.cases.iter().position(is_known) {
            return known;
        }
        if state.cases.iter().any(|case| case.token == token) {
            state.accuse(Breach::TwoCases);
        }
        if let Some(window) = self.bounds.window {
            let held = |token: &str| {
                let mut uses = state.uses.iter();
                uses.find(|one| one.token == token).map(|one| one.held)
            };
            // Two uses within one window, by any clock. One without a case may have been freed.
            let is_early = |case: &Case| {
                held(&case.token)
                    .zip(held(&token))
                    .is_some_and(|(one, other)| {
                        one.abs_diff(other) + SKEW < window.as_secs() * 1000
                    })
            };
            let mut others = state.cases.iter().filter(|case| case.token != token);
            if others.any(is_early) {
                state.accuse(Breach::WindowCutShort);
            }
        }
        state.cases.push(Case {
            token,
            created: NOW,
            is_shown: false,
            is_forgotten: false,
            is_untagged: false,
            items: Vec::new(),
        });
        state.cases.len() - 1
    }

    fn add_comment(state: &mut State, case: usize, occurrence: usize) {
        if let Some(case) = state.cases.get_mut(case) {
            case.items.push((occurrence, NOW));
        }
        let all = state.cases.iter().flat_map(|case| &case.items);
        if all.filter(|(its, _)| *its == occurrence).count() > 1 {
            state.accuse(Breach::TwoComments);
        }
    }

    // The steps of a run

    fn step(&self, state: &mut State, number: usize, run: &mut Run, at: At, end: End) {
        let place = self.place(run);
        match at {
            At::Waiting | At::Ended => run.at = at,
            At::Claim(_) | At::Take { .. } if end == End::TimeUp => {
                let answer = match run.joins {
                    Some(known) => Answer::Case(known, Comment::Missing),
                    None => Answer::Failed,
                };
                Self::answer(state, run, answer);
            }
            At::Claim(mut lease) => {
                lease.claim_at(run.clock());
                let write = lease.claim(Self::lease_ends(run));
                match self.write(state, number, place, &write, end) {
                    Sent::Written => self.hold(state, run, *lease),
                    Sent::Refused => {
                        let item = state
                            .table
                            .get(place)
                            .cloned()
                            .flatten()
                            .unwrap_or_default();
                        if self.bounds.delays_answers {
                            run.at = At::Decide(lease, Box::new(item));
                        } else {
                            self.decide(state, number, run, lease, item);
                        }
                    }
                    Sent::Unanswered => {
                        lease.is_contested = true;
                        run.at = At::Claim(lease);
                    }
                }
            }
            At::Decide(lease, item) => self.decide(state, number, run, lease, *item),
            At::Take {
                mut lease,
                taken,
                write,
            } => match self.write(state, number, place, &write, end) {
                Sent::Written => self.hold(state, run, taken.map_or(*lease, |taken| *taken)),
                Sent::Refused => run.at = At::Claim(lease),
                Sent::Unanswered => {
                    lease.is_contested |= taken.is_none();
                    run.at = At::Take {
                        lease,
                        taken,
                        write,
                    };
                }
            },
            At::Search(holder, why) => self.search(state, run, holder, why, end),
            At::Create {
                holder,
                searched,
                call,
            } => self.create(state, number, run, (holder, searched, call), end),
            At::Look(holder, known, earlier) => {
                self.look(state, run, (holder, known, earlier), end);
            }
            At::Add(holder, known, earlier) => {
                self.add(state, number, run, (holder, known, earlier), end);
            }
            At::Verify(holder, known, earlier) => {
                let (settled, effect) = match end {
                    End::Answered => (Some(true), Effect::Nothing),
                    _ => (None, Effect::Unknown),
                };
                self.added(run, holder, known, earlier, settled, effect);
            }
            At::Settle {
                holder,
                ending,
                answer,
            } => {
                let write = holder.lease.end(ending);
                let sent = match end {
                    End::TimeUp => Sent::Refused,
                    _ => self.write(state, number, place, &write, end),
                };
                if matches!(sent, Sent::Unanswered) {
                    run.at = At::Settle {
                        holder,
                        ending,
                        answer,
                    };
                    return;
                }
                let is_owner = holder.owns_items();
                match answer {
                    Answer::Case(known, _) if !is_owner && run.joins.is_none() => {
                        self.join(state, number, run, known);
                    }
                    _ => Self::answer(state, run, answer),
                }
            }
        }
    }

    /// The run decides about the item that its claim found.
    fn decide(
        &self,
        state: &mut State,
        number: usize,
        run: &mut Run,
        lease: Box<Lease>,
        item: Item,
    ) {
        match lease.found(Record::from(item), Self::lease_ends(run), run.clock()) {
            Next::Ours => self.hold(state, run, *lease),
            Next::Done(steps) => self.finished(state, number, run, &steps),
            Next::Reuse(write) => {
                run.at = At::Take {
                    lease,
                    taken: None,
                    write,
                }
            }
            Next::TakeOver(taken, write) => {
                run.at = At::Take {
                    lease,
                    taken: Some(taken),
                    write,
                }
            }
            Next::Wait(_) => run.at = At::Claim(lease),
        }
    }

    /// The run holds its key, or its occurrence's item.
    fn hold(&self, state: &mut State, run: &mut Run, lease: Lease) {
        let lease = lease.held_at(run.clock());
        let identity = self.identity(run).to_string();
        let holder = Box::new(Holder::of(lease, Some(&identity), RECORDED));
        if let Some(known) = run.joins {
            return self.begin_items(run, holder, known);
        }
        if self.bounds.window.is_some() {
            let token = token(&holder);
            if !state.uses.iter().any(|one| one.token == token) {
                state.uses.push(Use { token, held: NOW });
            }
        }
        let case_id = &holder.lease.steps.case_id;
        if let Some(case) = case_id.as_ref().and_then(|id| id.parse().ok()) {
            let known = Known {
                case,
                is_new: false,
            };
            self.has_case(run, holder, known);
        } else if holder.case_in_doubt() {
            run.at = At::Search(holder, Why::Doubt);
        } else {
            run.at = At::Create {
                holder,
                searched: None,
                call: None,
            };
        }
    }

    /// Everything was done for the key, or for the occurrence.
    fn finished(
        &self,
        state: &mut State,
        number: usize,
        run: &mut Run,
        steps: &ledger_protocol::steps::Steps,
    ) {
        let recalled = match steps.comments {
            None => Comment::NotRequested,
            Some(true) => Comment::Added,
            Some(false) => Comment::Refused,
        };
        if let Some(known) = run.joins {
            return Self::answer(state, run, Answer::Case(known, recalled));
        }
        let Some(case) = steps.case_id.as_ref().and_then(|id| id.parse().ok()) else {
            return state.accuse(Breach::FalseAnswer);
        };
        let known = Known {
            case,
            is_new: false,
        };
        let identity = self.identity(run).to_string();
        if steps.occurrence.as_deref() == Some(&*identity) {
            Self::answer(state, run, Answer::Case(known, recalled));
        } else {
            self.join(state, number, run, known);
        }
    }

    fn search(
        &self,
        state: &mut State,
        run: &mut Run,
        mut holder: Box<Holder>,
        why: Why,
        end: End,
    ) {
        if end == End::TimeUp {
            let kind = match why {
                Why::Refusal(kind) => {
                    // Without an answer, nobody knows if an earlier run created the case.
                    holder.doubt_case(run.clock());
                    kind
                }
                Why::Doubt | Why::Window => FailureKind::Transient,
            };
            return Self::fail(state, run, holder, kind);
        }
        holder.searched(run.clock());
        let token = token(&holder);
        let is_its = |case: &Case| case.token == token && !case.is_untagged;
        let found = state.cases.iter().position(is_its);
        if let (End::Answered, Some(case)) = (end, found) {
            if let Some(case) = state.cases.get_mut(case) {
                case.is_shown = true;
            }
            holder.found(&reference(case), None);
            let known = Known {
                case,
                is_new: false,
            };
            return self.has_case(run, holder, known);
        }
        match why {
            Why::Refusal(kind) => Self::fail(state, run, holder, kind),
            Why::Doubt | Why::Window => {
                run.at = At::Create {
                    holder,
                    searched: Some(NOW),
                    call: None,
                }
            }
        }
    }

    fn create(
        &self,
        state: &mut State,
        number: usize,
        run: &mut Run,
        (mut holder, searched, call): (Box<Holder>, Option<u64>, Option<Call>),
        end: End,
    ) {
        let since = searched.map(|searched| Duration::from_millis(NOW - searched));
        let mut call = match (call, holder.may_create_for(since)) {
            (Some(call), _) => call,
            (None, Some(time)) => {
                let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                Call {
                    until: run.deadline.min(NOW + time),
                    in_doubt: false,
                }
            }
            (None, None) => {
                run.at = At::Search(holder, Why::Window);
                return;
            }
        };
        let token = token(&holder);
        let kind = match end {
            End::Answered | End::Forgotten => {
                if end == End::Forgotten {
                    let cases = state.cases.iter_mut();
                    for case in cases.filter(|case| case.token == token) {
                        case.is_forgotten = true;
                    }
                }
                let case = self.create_case(state, token);
                holder.steps().set_case(&reference(case));
                return self.has_case(run, holder, Known { case, is_new: true });
            }
            End::Lost | End::Late => {
                if end == End::Late {
                    Self::hold_back(state, number, Request::CreateCase(token));
                } else {
                    state.left.take(|left| &mut left.lost);
                    self.create_case(state, token);
                }
                call.in_doubt = true;
                run.at = At::Create {
                    holder,
                    searched,
                    call: Some(call),
                };
                return;
            }
            End::Refused(kind) => {
                state.left.take(|left| &mut left.refusals);
                kind
            }
            End::RefusedWithEffect => {
                state.left.take(|left| &mut left.refusals);
                self.create_case(state, token);
                FailureKind::Permanent
            }
            End::Hidden | End::TimeUp => FailureKind::Transient,
        };
        let effect = if call.in_doubt {
            Effect::Unknown
        } else {
            Effect::Nothing
        };
        match holder.refused(kind, effect, run.clock()) {
            AfterRefusal::Repeat if run.is_out_of_time() => Self::fail(state, run, holder, kind),
            // No model has a customer.
            AfterRefusal::AwaitCustomer | AfterRefusal::Repeat => {
                run.at = At::Create {
                    holder,
                    searched,
                    call: None,
                }
            }
            AfterRefusal::Search => run.at = At::Search(holder, Why::Refusal(kind)),
            AfterRefusal::Answer => Self::fail(state, run, holder, kind),
        }
    }

    /// The run ends without a case.
    ///
    /// A failure for good has to be true now. Once the key is free, another run may create its case before this one answers.
    fn fail(state: &mut State, run: &mut Run, mut holder: Box<Holder>, kind: FailureKind) {
        let kind = match holder.resolve(kind) {
            Verdict::Stands => kind,
            // `OutcomeUnknown` is transient.
            Verdict::Unknown => FailureKind::Transient,
        };
        let is_retryable = kind != FailureKind::Permanent;
        let token = token(&holder);
        let creates =
            |flying: &Flying| matches!(&flying.request, Request::CreateCase(its) if *its == token);
        let may_exist =
            state.cases.iter().any(|case| case.token == token) || state.flying.iter().any(creates);
        if !is_retryable && may_exist {
            state.accuse(Breach::FalseAnswer);
        }
        run.at = At::Settle {
            ending: holder.ending(Outcome::Failed(kind)),
            holder,
            answer: Answer::Failed,
        };
    }

    /// The run knows the key's case.
    fn has_case(&self, run: &mut Run, holder: Box<Holder>, known: Known) {
        if holder.owns_items() {
            self.begin_items(run, holder, known);
        } else {
            let answer = Answer::Case(known, Comment::NotRequested);
            run.at = At::Settle {
                ending: holder.ending(Outcome::Incomplete),
                holder,
                answer,
            };
        }
    }

    // Comments

    fn begin_items(&self, run: &mut Run, holder: Box<Holder>, known: Known) {
        let sent_until = holder.lease.steps.comments_sent_until;
        let earlier = holder.earlier(sent_until, run.clock());
        let settled = holder.lease.steps.comments;
        if self.bounds.items == Items::None || settled.is_some() {
            self.added(run, holder, known, earlier, settled, Effect::Nothing);
        } else if earlier == Earlier::Nothing {
            run.at = At::Add(holder, known, earlier);
        } else {
            run.at = At::Look(holder, known, earlier);
        }
    }

    fn look(
        &self,
        state: &State,
        run: &mut Run,
        (holder, known, earlier): (Box<Holder>, Known, Earlier),
        end: End,
    ) {
        let since = holder.items_since();
        let mut items = state
            .cases
            .get(known.case)
            .into_iter()
            .flat_map(|case| &case.items);
        // The words of a comment of an earlier occurrence are older than the request for this one.
        let is_shown = end == End::Answered
            && items.any(|(occurrence, added)| *occurrence == run.occurrence && *added >= since);
        if is_shown {
            self.added(run, holder, known, earlier, Some(true), Effect::Nothing);
        } else if end == End::TimeUp {
            self.added(run, holder, known, earlier, None, Effect::Nothing);
        } else if earlier == Earlier::PerhapsUnseen {
            self.added(run, holder, known, earlier, None, Effect::Unknown);
        } else {
            run.at = At::Add(holder, known, earlier);
        }
    }

    fn add(
        &self,
        state: &mut State,
        number: usize,
        run: &mut Run,
        (holder, known, earlier): (Box<Holder>, Known, Earlier),
        end: End,
    ) {
        let (case, occurrence) = (known.case, run.occurrence);
        match end {
            End::Late => {
                Self::hold_back(state, number, Request::AddComment { case, occurrence });
                run.at = At::Verify(holder, known, earlier);
            }
            End::Lost => {
                state.left.take(|left| &mut left.lost);
                Self::add_comment(state, case, occurrence);
                run.at = At::Verify(holder, known, earlier);
            }
            End::TimeUp => self.added(run, holder, known, earlier, None, Effect::Nothing),
            End::Refused(_) | End::RefusedWithEffect => {
                state.left.take(|left| &mut left.refusals);
                if end == End::RefusedWithEffect {
                    Self::add_comment(state, case, occurrence);
                }
                self.added(run, holder, known, earlier, Some(false), Effect::Nothing);
            }
            End::Answered | End::Forgotten | End::Hidden => {
                Self::add_comment(state, case, occurrence);
                self.added(run, holder, known, earlier, Some(true), Effect::Nothing);
            }
        }
    }

    /// The run has done what it can for its comment.
    fn added(
        &self,
        run: &mut Run,
        mut holder: Box<Holder>,
        known: Known,
        earlier: Earlier,
        settled: Option<bool>,
        effect: Effect,
    ) {
        let now = run.clock();
        let contact = Addition {
            earlier: holder.earlier(holder.lease.steps.contact_sent_until, now),
            settled: None,
            effect: Effect::Nothing,
            is_merging: false,
        };
        let comments = Addition {
            earlier,
            settled,
            effect,
            is_merging: false,
        };
        holder.items_added(&reference(known.case), contact, comments, now);
        let comment = match settled {
            _ if self.bounds.items == Items::None => Comment::NotRequested,
            None => Comment::Missing,
            Some(true) => Comment::Added,
            Some(false) => Comment::Refused,
        };
        let outcome = if comment == Comment::Missing {
            Outcome::Incomplete
        } else {
            Outcome::Complete
        };
        run.at = At::Settle {
            ending: holder.ending(outcome),
            holder,
            answer: Answer::Case(known, comment),
        };
    }

    /// Another occurrence of a key that has its case.
    fn join(&self, state: &mut State, number: usize, run: &mut Run, known: Known) {
        if self.bounds.items == Items::OfEach {
            run.joins = Some(known);
            run.at = At::Claim(Box::new(self.lease(run, number)));
        } else {
            Self::answer(state, run, Answer::Case(known, Comment::NotRequested));
        }
    }

    /// The run answers. What it says of a case and its comment has to be true now.
    fn answer(state: &mut State, run: &mut Run, answer: Answer) {
        let occurrence = run.occurrence;
        let is_true = match answer {
            Answer::Failed => true,
            Answer::Case(known, comment) => {
                let case = state.cases.get(known.case);
                let mut items = case.iter().flat_map(|case| &case.items);
                let is_there = items.any(|(its, _)| *its == occurrence);
                let may_come = state.flying.iter().any(|flying| {
                    matches!(flying.request, Request::AddComment { occurrence: its, .. } if its == occurrence)
                });
                case.is_some()
                    && match comment {
                        Comment::NotRequested | Comment::Missing => true,
                        Comment::Added => is_there,
                        Comment::Refused => !is_there && !may_come,
                    }
            }
        };
        if !is_true {
            state.accuse(Breach::FalseAnswer);
        }
        run.at = At::Ended;
    }
}

/// Returns the part of a token that a generation adds.
fn token(holder: &Holder) -> String {
    holder.lease.generation.clone().unwrap_or_default()
}

fn reference(case: usize) -> CaseReference {
    CaseReference {
        case_id: case.to_string(),
        case_arn: String::new(),
    }
}
