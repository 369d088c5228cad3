//! One event, step by step: what is known of its key is answered first, and only then is anything looked for or created.
//!
//! `claim → finished? answer → case known? → customer → create → items → settle`

use std::borrow::Cow;
use std::time::Duration;

use futures_util::future::{Either, select};

use super::Casebridge;
use super::claim::{Claim, ClaimGuard, Key};
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::event::Event;
use crate::key;
use crate::ledger::{self, CLOCK_SKEW, PROFILE_LAG};
use crate::outcome::{CaseReference, Done, Outcome, Skip};
use crate::request::{self, CaseRequest, CustomerSearch, IfNoProfile};
use mapping::CaseMapping;
use mapping::Trigger;

/// The pauses between attempts of `CreateCase` while Cases does not see the customer's profile.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The result of a search for the customer: a profile's id.
type Found = Result<Option<String>, Failure>;

/// One event on its way: what is fixed before its key is claimed.
struct Work<'a> {
    event: &'a Event,
    case_mapping: &'a CaseMapping,
    /// The request, or why there can be none: that is told only after what is known of the key.
    request: Result<CaseRequest, Failure>,
    search: Option<CustomerSearch>,
}

/// Where the customer of a request is from.
#[derive(Clone, Copy)]
struct CustomerOrigin {
    /// Whether it was searched for: then a search may find another one.
    is_searched: bool,
    /// Whether an earlier run found or created this one.
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
        let Some(case_mapping) = event.route(&self.mapping) else {
            return Ok(Done::Skipped(Skip::NoCaseMapping));
        };
        outcome.mapping = Some(case_mapping.name.clone());
        let occurrence = key::occurrence(event);
        let (event, mut request) = match self.enriched(case_mapping, event, deadline).await {
            Ok(enriched) => {
                let request = CaseRequest::assemble(case_mapping, &enriched, &self.context);
                (enriched, request)
            }
            // A key that needs nothing of the contact: what is known of it is still answered.
            Err(failure) if case_mapping.key_needs_no_contact() && !failure.code.is_transient() => {
                (Cow::Borrowed(event), Err(failure))
            }
            Err(failure) => return Err(failure),
        };
        let event = &*event;
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
            && !self.knows(key, deadline).await?
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
            // Boxed, as calls are, and so are the ways below: an event takes one of them.
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

    /// Claims the key and searches for the customer side by side. A key that is done, or another's, needs no customer: then the search is
    /// dropped.
    async fn claim_and_search(
        &self,
        key: Key<'_>,
        search: Option<&CustomerSearch>,
        deadline: Deadline,
    ) -> (Result<Claim<'_>, Failure>, Option<Found>) {
        let claim = std::pin::pin!(self.claim(key, deadline));
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

    /// Everything that is done while the key is ours.
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

    /// The key's case: the one that is known, or a new one.
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

    /// The event with what its contact tells, where the case mapping asks for it.
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

    /// The customer's profile ARN: the one that an earlier run used, the one that a search finds, or a new one.
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
        // A search that began before another run's lease ended may have missed what that run created.
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
            // A conflict says that the token is known, so it is a doubt, too.
            if refusal.in_doubt || refusal.failure.code == ErrorCode::ConflictUnresolved {
                guard.doubt_case();
            }
            let failure = refusal.failure;
            match failure.code {
                ErrorCode::CustomerNotVisible => {
                    guard.awaits_customer();
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
                // The time was up for the token, and not for the event.
                code if code.is_transient() && code != ErrorCode::ConflictUnresolved => {
                    if deadline.remaining().is_zero() || !until.remaining().is_zero() {
                        return Err(failure);
                    }
                }
                _ if guard.may_have_case() => {
                    return match self.find_case(&request.client_token, guard, deadline).await {
                        Ok(Some(case)) => Ok(Done::Existing(case)),
                        Ok(None) => Err(failure),
                        // Without an answer nobody knows whether an earlier run created the case.
                        Err(_) => {
                            guard.doubt_case();
                            Err(failure)
                        }
                    };
                }
                _ => return Err(failure),
            }
        }
    }

    /// The failure that ends the wait for a customer's profile: it is old enough to be seen, and does not exist. A customer who was searched for
    /// is searched for anew by the next run. A flow hears of no other, as it may be about to make the profile.
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
                ledger::milliseconds(self.telemetry.clock.now()),
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
            // It existed once; the next run searches for the one that took its place.
            let message =
                "the customer's profile does not exist any more; calling again searches anew";
            Failure::new(ErrorCode::CustomerNotVisible, message)
        } else {
            let message = "Customer Profiles has no profile with the customer's id: it was deleted or merged, or the event names a wrong one";
            Failure::new(ErrorCode::CustomerNotFound, message)
        };
        Some(failure.of("customer"))
    }

    /// The case that carries the key's tag.
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
}

/// The failure while another run holds the key.
fn in_progress() -> Failure {
    let message =
        "another invocation is still creating this key's case; retry with the same key to get it";
    Failure::new(ErrorCode::InProgress, message)
}
