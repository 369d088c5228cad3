//! The pipeline: turns one event into its outcome, step by step.
//!
//! A known result of the key is returned first. Searches and creations come after that.
//!
//! `claim → finished? answer → case known? → customer → create → items → settle`

use std::borrow::Cow;
use std::mem;
use std::time::Duration;

use futures_util::future::{Either, select};
use ledger_protocol::holder::{self, AfterRefusal};
use ledger_protocol::time::milliseconds;
use mapping::{CaseMapping, Trigger};

use super::Casebridge;
use super::claim::{Claim, ClaimGuard, Key, TO_SETTLE, effect};
use crate::cases::{AddedComments, Addition, Earlier};
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::event::Event;
use crate::key;
use crate::ledger::{CLOCK_SKEW, PROFILE_LAG, Steps};
use crate::outcome::{CaseReference, Done, Outcome, Skip, Step};
use crate::request::{self, CaseRequest, CustomerSearch, IfNoProfile};

/// The bounds of the pause between attempts of `CreateCase` while Cases does not see the customer's profile.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The result of a search for the customer: a profile's id.
type Found = Result<Option<String>, Failure>;

/// The state of one event that is fixed before its key is claimed.
struct Work<'a> {
    event: &'a Event,
    case_mapping: &'a CaseMapping,
    /// The request, or the reason why there is none. A known result of the key takes precedence over the reason.
    request: Result<CaseRequest, Failure>,
    search: Option<CustomerSearch>,
}

/// The origin of a request's customer.
#[derive(Clone, Copy)]
struct CustomerOrigin {
    /// True if the customer was searched for. Another search may then find a different customer.
    is_searched: bool,
    /// True if an earlier run found or created this customer.
    is_recorded: bool,
}

impl Casebridge {
    pub(super) async fn steps(
        &self,
        event: &Event,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) -> Result<Done, Failure> {
        if let Some(skip) = self.guard.check(event)? {
            return Ok(Done::Skipped(skip));
        }
        let domain = &self.context.domain_id;
        let invalid = &mut outcome.invalid_variables;
        let Some(case_mapping) = event.route_with(&self.mapping, domain, invalid) else {
            return Ok(Done::Skipped(Skip::NoCaseMapping));
        };
        outcome.mapping = Some(case_mapping.name.clone());
        let occurrence = key::occurrence(event);
        let (event, mut request) = match self.enriched(case_mapping, event, deadline).await {
            Ok(enriched) => {
                let request = CaseRequest::assemble(case_mapping, &enriched, &self.context);
                (enriched, request)
            }
            // The key needs nothing of the contact, so its known result is still returned.
            Err(failure) if case_mapping.key_needs_no_contact() && !failure.code.is_transient() => {
                (Cow::Borrowed(event), Err(failure))
            }
            Err(failure) => return Err(failure),
        };
        let event = &*event;
        if let Ok(request) = &mut request {
            outcome.left_out = mem::take(&mut request.left_out);
            let invalid = mem::take(&mut request.invalid_variables);
            outcome.invalid_variables.extend(invalid);
        }
        let token = match &request {
            Ok(request) => request.client_token.clone(),
            Err(failure) => request::client_token(case_mapping, event, &self.context)
                .map_err(|_| failure.clone())?,
        };
        let key = Key {
            id: &token,
            occurrence: occurrence.as_deref(),
            policy: &case_mapping.ledger,
            window: case_mapping.ledger.window,
        };
        if let Err(failure) = &request
            && !key.is_known(self.ledger.as_ref(), deadline).await?
        {
            return Err(failure.clone());
        }
        let search = request
            .as_mut()
            .ok()
            .and_then(|request| request.customer.take());
        let (claim, found) = self.claim_and_search(key, search.as_ref(), deadline).await;
        let mut guard = match claim? {
            Claim::NoLedger(guard) | Claim::Ours(guard) => guard,
            Claim::Another => return Err(in_progress()),
            // Boxed, like calls and the paths below, because an event takes only one of them.
            Claim::Done(steps) => {
                let finished = self.finished(case_mapping, key, request, steps, deadline, outcome);
                return Box::pin(finished).await;
            }
        };
        let work = Work {
            event,
            case_mapping,
            request,
            search,
        };
        Box::pin(self.work(work, key, found, &mut guard, deadline, outcome)).await
    }

    /// Returns the deadline of the work, before the write to the ledger.
    fn time_to_work(&self, deadline: Deadline) -> Deadline {
        match self.ledger {
            Some(_) => deadline.before(TO_SETTLE),
            None => deadline,
        }
    }

    /// Claims the key and searches for the customer concurrently.
    ///
    /// The search is dropped if the key is done or held by another run, because no customer is needed then.
    async fn claim_and_search(
        &self,
        key: Key<'_>,
        search: Option<&CustomerSearch>,
        deadline: Deadline,
    ) -> (Result<Claim<'_>, Failure>, Option<Found>) {
        let claim = std::pin::pin!(Claim::new(self.ledger.as_ref(), key, deadline));
        let Some(search) = search else {
            return (claim.await, None);
        };
        let until = self.time_to_work(deadline);
        let found = std::pin::pin!(self.customers.search(search, until));
        match select(claim, found).await {
            Either::Left((claim @ Ok(Claim::NoLedger(_)), found)) => (claim, Some(found.await)),
            Either::Left((Ok(Claim::Ours(guard)), found)) => {
                let found = if guard.is_first() {
                    Some(found.await)
                } else {
                    None
                };
                (Ok(Claim::Ours(guard)), found)
            }
            Either::Left((claim, _)) => (claim, None),
            Either::Right((found, claim)) => (claim.await, Some(found)),
        }
    }

    /// Does everything that is done while this run holds the key.
    async fn work(
        &self,
        mut work: Work<'_>,
        key: Key<'_>,
        found: Option<Found>,
        guard: &mut ClaimGuard<'_>,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) -> Result<Done, Failure> {
        let until = self.time_to_work(deadline);
        let result = self
            .case(&mut work, key, found, guard, until, outcome)
            .await;
        let result = result.map_err(|failure| guard.resolve(failure));
        if let (Ok(done), true) = (&result, guard.owns_items()) {
            match &work.request {
                Ok(request) => self.complete(request, done, guard, until, outcome).await,
                Err(failure) => {
                    let steps = guard.steps();
                    outcome.miss_items(work.case_mapping, steps.contact, steps.comments, failure);
                }
            }
        }
        let is_complete = guard.owns_items() && outcome.missing().is_none() && work.request.is_ok();
        guard.settle(&result, is_complete, deadline).await;
        if let (Ok(done), false) = (&result, guard.owns_items()) {
            self.join(
                work.case_mapping,
                key,
                &work.request,
                done,
                deadline,
                outcome,
            )
            .await;
        }
        result
    }

    /// Returns the key's case: the known one or a new one.
    async fn case(
        &self,
        work: &mut Work<'_>,
        key: Key<'_>,
        found: Option<Found>,
        guard: &mut ClaimGuard<'_>,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) -> Result<Done, Failure> {
        let token = guard.token(key.id);
        let mut known = guard.steps().case();
        if known.is_none() && guard.case_in_doubt() {
            known = self.find_case(&token, guard, deadline).await?;
        }
        let request = match &mut work.request {
            Ok(request) => request,
            Err(failure) if known.is_none() => return Err(failure.clone()),
            Err(_) => {
                outcome.customer_arn.clone_from(&guard.steps().customer_arn);
                return known.map(Done::Existing).ok_or_else(in_progress);
            }
        };
        request.set_token(token);
        if let Some(case) = known {
            outcome.customer_arn.clone_from(&guard.steps().customer_arn);
            return Ok(Done::Existing(case));
        }
        if let Some(search) = &work.search
            && let Some(arn) = self.customer(search, found, guard, deadline).await?
        {
            request.set_customer(arn);
        }
        request::check_required(work.case_mapping, &request.fields, false)?;
        outcome.customer_arn = request.customer_arn().map(str::to_owned);
        let is_recorded = guard.steps().customer_arn.is_some();
        guard.steps().customer_arn.clone_from(&outcome.customer_arn);
        let origin = CustomerOrigin {
            is_searched: work.search.is_some(),
            is_recorded,
        };
        let done = self
            .create(work.event, request, origin, guard, deadline)
            .await?;
        if let Done::Existing(_) = done {
            outcome.customer_arn.clone_from(&guard.steps().customer_arn);
        }
        Ok(done)
    }

    /// Returns the event with its contact's data, if the case mapping asks for it.
    async fn enriched<'a>(
        &self,
        case_mapping: &CaseMapping,
        event: &'a Event,
        deadline: Deadline,
    ) -> Result<Cow<'a, Event>, Failure> {
        let Some(connect) = self.connect.as_ref().filter(|_| case_mapping.enrich) else {
            return Ok(Cow::Borrowed(event));
        };
        let (Some(instance), Some(contact)) = (event.instance_id(), event.contact_id()) else {
            let message = "`enrich` reads the contact of a contact event, and this event names no contact and instance: narrow `when`, or leave `enrich` out";
            return Err(Failure::new(ErrorCode::ContactMissing, message).of("enrich"));
        };
        let initial = event.text(&["detail", "initialContactId"]);
        let read = connect.read(instance, contact, initial, deadline).await?;
        Ok(Cow::Owned(event.with(read)))
    }

    /// Returns the customer's profile ARN: that of an earlier run, that of a search, or a new one.
    async fn customer(
        &self,
        search: &CustomerSearch,
        found: Option<Found>,
        guard: &mut ClaimGuard<'_>,
        deadline: Deadline,
    ) -> Result<Option<String>, Failure> {
        if let Some(arn) = &guard.steps().customer_arn {
            return Ok(Some(arn.clone()));
        }
        // A search that began before another run's lease ended may have missed a profile of that run.
        let searched = guard.now();
        let found = match found.filter(|_| guard.is_first()) {
            Some(found) => found,
            None => self.customers.search(search, deadline).await,
        };
        if let Some(profile_id) = found? {
            return self.customers.arn(&profile_id).map(Some);
        }
        let profile = match &search.if_none {
            IfNoProfile::Create(profile) => profile,
            IfNoProfile::Skip => return Ok(None),
            IfNoProfile::Fail => {
                let message = "no profile has the customer's keys; where that may be so, write `if_none: skip` or `create`";
                return Err(Failure::new(ErrorCode::CustomerNotFound, message).of("customer"));
            }
        };
        guard.may_create_customer(searched)?;
        let created = self.customers.create(profile, search, deadline).await;
        guard.customer_created(&created);
        self.customers.arn(&created?).map(Some)
    }

    /// Creates the case.
    async fn create(
        &self,
        event: &Event,
        request: &CaseRequest,
        origin: CustomerOrigin,
        guard: &mut ClaimGuard<'_>,
        deadline: Deadline,
    ) -> Result<Done, Failure> {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let Some(until) = guard.may_create_until() else {
                if let Some(case) = self
                    .find_case(&request.client_token, guard, deadline)
                    .await?
                {
                    return Ok(Done::Existing(case));
                }
                continue;
            };
            let refusal = match self.cases.create(request, until.min(deadline)).await {
                Ok(case) => {
                    guard.steps().set_case(&case);
                    return Ok(Done::Created(case));
                }
                Err(refusal) => refusal,
            };
            let after = guard.refused(&refusal);
            let failure = refusal.failure;
            match after {
                AfterRefusal::AwaitCustomer => {
                    if let Some(failure) = self.gone(event, request, origin, guard, deadline).await
                    {
                        return Err(failure);
                    }
                    if deadline.remaining() <= pause {
                        return Err(failure);
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2)
                        .min(deadline.remaining() / 4)
                        .clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
                }
                // Only the time for the token may be up, and not the time for the event. The loop then tries again.
                AfterRefusal::Repeat => {
                    if deadline.remaining().is_zero() || !until.remaining().is_zero() {
                        return Err(failure);
                    }
                }
                AfterRefusal::Search => {
                    return match self.find_case(&request.client_token, guard, deadline).await {
                        Ok(Some(case)) => Ok(Done::Existing(case)),
                        Ok(None) => Err(failure),
                        // Without an answer, nobody knows if an earlier run created the case.
                        Err(_) => {
                            guard.doubt_case();
                            Err(failure)
                        }
                    };
                }
                AfterRefusal::Answer => return Err(failure),
            }
        }
    }

    /// Returns the failure that ends the wait for a customer's profile. The profile would be visible by now, and does not exist.
    ///
    /// The next run searches again for a customer who was searched for.
    /// A flow gets no other failure of this kind, because it may be about to create the profile.
    async fn gone(
        &self,
        event: &Event,
        request: &CaseRequest,
        origin: CustomerOrigin,
        guard: &mut ClaimGuard<'_>,
        deadline: Deadline,
    ) -> Option<Failure> {
        if event.trigger == Trigger::ContactFlow && !(origin.is_searched && origin.is_recorded) {
            return None;
        }
        let arn = request.customer_arn()?;
        let created = guard.steps().customer_created;
        let (since, now) = match guard.started() {
            Some(started) => {
                let received = event.first_received.unwrap_or(started);
                (created.unwrap_or(started.min(received)), guard.now())
            }
            None if created.is_some() => return None,
            None => (
                event.first_received?,
                milliseconds(self.telemetry.clock.now()),
            ),
        };
        let age = now.saturating_sub(since);
        if Duration::from_millis(age) < PROFILE_LAG + CLOCK_SKEW {
            return None;
        }
        if self.customers.exists(arn, deadline).await.unwrap_or(true) {
            return None;
        }
        guard.steps().customer_arn = None;
        let failure = if origin.is_searched {
            // The profile existed once. The next run searches for its replacement.
            let message =
                "the customer's profile does not exist any more; calling again searches anew";
            Failure::new(ErrorCode::CustomerNotVisible, message)
        } else {
            let message = "Customer Profiles has no profile with the customer's id: it was deleted or merged, or the event names a wrong one";
            Failure::new(ErrorCode::CustomerNotFound, message)
        };
        Some(failure.of("customer"))
    }

    /// Returns the case that carries the key's tag.
    async fn find_case(
        &self,
        token: &str,
        guard: &mut ClaimGuard<'_>,
        deadline: Deadline,
    ) -> Result<Option<CaseReference>, Failure> {
        let search = guard.search();
        let domain = &self.context.domain_id;
        let found = self.cases.find(domain, token, deadline).await?;
        // A search that failed has shown nothing.
        guard.searched(search);
        let Some(found) = found else {
            return Ok(None);
        };
        let case = self.context.case(found.case_id);
        guard.found(&case, found.customer_arn);
        Ok(Some(case))
    }

    /// Adds the missing items that the request asks for, and records the results in the outcome.
    ///
    /// The case exists, even if an addition fails.
    async fn complete(
        &self,
        request: &CaseRequest,
        done: &Done,
        guard: &mut ClaimGuard<'_>,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) {
        let (Done::Created(case) | Done::Existing(case)) = done else {
            return;
        };
        let before = guard.steps().clone();
        let earlier_contact = guard.earlier(before.contact_sent_until);
        let earlier_comments = guard.earlier(before.comments_sent_until);
        let to_link = Addition {
            domain_id: &request.domain_id,
            case_id: &case.case_id,
            performed_by: &request.performed_by,
            earlier: earlier_contact,
            since: guard.items_since(),
            awaits_merge: guard.awaits_merge(),
            deadline,
        };
        let to_comment = Addition {
            earlier: earlier_comments,
            ..to_link
        };
        let (contact, comments);
        (contact, comments, outcome.reference_number) = tokio::join!(
            self.link(request, before.contact, to_link),
            self.comment(request, &before, to_comment),
            self.reference(request, &case.case_id, deadline),
        );
        let (linked, added) = (
            contact.addition(earlier_contact),
            comments.addition(earlier_comments),
        );
        guard.items_added(case, linked, added);
        let steps = guard.steps();
        steps.comments_settled.extend(comments.settled);
        steps.comments_refused |= comments.refused;
        (outcome.contact, outcome.comment) = (contact.step, comments.step);
    }

    /// Returns the outcome of an event whose key has its case and all additions of the first occurrence.
    async fn finished(
        &self,
        case_mapping: &CaseMapping,
        key: Key<'_>,
        request: Result<CaseRequest, Failure>,
        steps: Steps,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) -> Result<Done, Failure> {
        outcome.customer_arn.clone_from(&steps.customer_arn);
        let Some(case) = steps.case() else {
            let message = "the ledger says that the key is done, and names no case: another program may have written its item";
            return Err(Failure::new(ErrorCode::InternalError, message));
        };
        let done = Done::Existing(case);
        if steps.occurrence.as_deref() == key.occurrence {
            outcome.recall_items(steps.contact, steps.comments);
            outcome.reference_number = self.reference_of(&request, &done, deadline).await;
        } else {
            self.join(case_mapping, key, &request, &done, deadline, outcome)
                .await;
        }
        Ok(done)
    }

    /// Completes the answer to another occurrence of a key that has its case.
    ///
    /// With `on_existing: attach`, its contact and comments are added under a separate claim.
    /// That claim is for this case, because with a window the key's next case gets them, too.
    async fn join(
        &self,
        case_mapping: &CaseMapping,
        key: Key<'_>,
        request: &Result<CaseRequest, Failure>,
        done: &Done,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) {
        let (Done::Created(case) | Done::Existing(case)) = done else {
            return;
        };
        let (true, Some(occurrence)) = (key.attaches(), key.occurrence) else {
            outcome.reference_number = self.reference_of(request, done, deadline).await;
            return;
        };
        let request = match request {
            Ok(request) => request,
            Err(failure) => return outcome.miss_items(case_mapping, None, None, failure),
        };
        let id = format!("{}.{occurrence}", case.case_id);
        // The occurrence's item outlives the key's item, by any clock.
        let window = key.window.map(|window| window + 2 * CLOCK_SKEW);
        let occurrence = Key {
            id: &id,
            window,
            ..key
        };
        match Claim::new(self.ledger.as_ref(), occurrence, deadline).await {
            Err(failure) => outcome.miss_items(case_mapping, None, None, &failure),
            Ok(Claim::Another) => {
                let message = "another invocation is still adding them; retry with the same event";
                let failure = Failure::new(ErrorCode::InProgress, message);
                outcome.miss_items(case_mapping, None, None, &failure);
            }
            Ok(Claim::Done(steps)) => {
                outcome.recall_items(steps.contact, steps.comments);
                outcome.reference_number = self.reference(request, &case.case_id, deadline).await;
            }
            Ok(Claim::NoLedger(mut guard) | Claim::Ours(mut guard)) => {
                let until = self.time_to_work(deadline);
                self.complete(request, done, &mut guard, until, outcome)
                    .await;
                let is_complete = outcome.missing().is_none();
                let result = Ok(done.clone());
                guard.settle(&result, is_complete, deadline).await;
            }
        }
    }

    async fn link(
        &self,
        request: &CaseRequest,
        before: Option<bool>,
        addition: Addition<'_>,
    ) -> Added {
        const CODE: ErrorCode = ErrorCode::ContactNotLinked;
        let linked = match &request.contact {
            None => return Added::nothing(Step::NotRequested),
            Some(_) if before.is_some() => return Added::nothing(Step::settled(before, CODE)),
            Some(Err(failure)) => Err(failure.clone()),
            Some(Ok(contact_arn)) => self.cases.link_contact(addition, contact_arn).await,
        };
        Added::of(linked, CODE, "the contact is not linked to it")
    }

    async fn comment(
        &self,
        request: &CaseRequest,
        before: &Steps,
        addition: Addition<'_>,
    ) -> Added {
        const CODE: ErrorCode = ErrorCode::CommentNotAdded;
        if request.comments.is_empty() {
            return Added::nothing(Step::NotRequested);
        }
        if before.comments.is_some() {
            return Added::nothing(Step::settled(before.comments, CODE));
        }
        let mut settled_before = before.comments_settled.clone();
        let mut bodies: Vec<&str> = request
            .comments
            .iter()
            .flatten()
            .map(String::as_str)
            .collect();
        bodies.retain(|body| {
            let hash = key::comment(body);
            let settled = settled_before.iter().position(|settled| *settled == hash);
            settled
                .map(|index| settled_before.swap_remove(index))
                .is_none()
        });
        let uncomputed = request.comments.iter().find_map(|body| body.as_ref().err());
        let AddedComments {
            settled,
            refused,
            result,
        } = self.cases.add_comments(addition, &bodies).await;
        let is_refused = refused.is_some();
        let missing = refused.or(uncomputed.cloned()).or_else(|| {
            let message = "an earlier run was refused; its log says why";
            before.comments_refused.then(|| Failure::new(CODE, message))
        });
        let result = result.and_then(|()| missing.map_or(Ok(()), Err));
        let settled = bodies.iter().take(settled);
        Added {
            settled: settled.map(|body| key::comment(body)).collect(),
            refused: is_refused,
            ..Added::of(result, CODE, "a comment is missing from it")
        }
    }

    async fn reference(
        &self,
        request: &CaseRequest,
        case_id: &str,
        deadline: Deadline,
    ) -> Option<String> {
        if !request.return_reference {
            return None;
        }
        let domain_id = &request.domain_id;
        self.cases
            .reference_number(domain_id, case_id, deadline)
            .await
    }

    async fn reference_of(
        &self,
        request: &Result<CaseRequest, Failure>,
        done: &Done,
        deadline: Deadline,
    ) -> Option<String> {
        match (request, done) {
            (Ok(request), Done::Created(case) | Done::Existing(case)) => {
                self.reference(request, &case.case_id, deadline).await
            }
            _ => None,
        }
    }
}

/// Returns the failure while another run holds the key.
fn in_progress() -> Failure {
    let message =
        "another invocation is still creating this key's case; retry with the same key to get it";
    Failure::new(ErrorCode::InProgress, message)
}

/// The result for the contact or for the comments.
struct Added {
    step: Step,
    /// The hashes of the comments that this run settled.
    settled: Vec<String>,
    /// True if one of the comments was refused permanently.
    refused: bool,
    /// True if something was sent and its effect is not known.
    in_doubt: bool,
    /// True if the case is being merged.
    is_merging: bool,
}

impl Added {
    fn of(result: Result<(), Failure>, code: ErrorCode, what: &str) -> Self {
        let has = |code| result.as_ref().is_err_and(|failure| failure.code == code);
        Self {
            settled: Vec::new(),
            refused: false,
            in_doubt: has(ErrorCode::OutcomeUnknown),
            is_merging: has(ErrorCode::ConflictUnresolved),
            step: Step::of(result, code, what),
        }
    }

    /// Returns the result as the ledger records it.
    fn addition(&self, earlier: Earlier) -> holder::Addition {
        holder::Addition {
            earlier,
            settled: settled(&self.step),
            effect: effect(self.in_doubt),
            is_merging: self.is_merging,
        }
    }

    /// Returns a step for which nothing was sent.
    fn nothing(step: Step) -> Self {
        Self {
            step,
            settled: Vec::new(),
            refused: false,
            in_doubt: false,
            is_merging: false,
        }
    }
}

/// Returns `Some` if a step is final: true if it is done, false if it was refused permanently.
fn settled(step: &Step) -> Option<bool> {
    match step {
        Step::Done => Some(true),
        Step::Missed {
            retryable: false, ..
        } => Some(false),
        Step::NotRequested | Step::Missed { .. } => None,
    }
}
