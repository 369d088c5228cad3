//! One event, step by step: route, request, claim, customer, case, and what joins it.

use std::borrow::Cow;

use super::Casebridge;
use super::hold::{Claimed, Hold};
use crate::cases::Creation;
use crate::customer::Customers;
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::mapping::CaseMapping;
use crate::outcome::{CaseReference, Done, Outcome, Skip};
use crate::request::{CaseRequest, CustomerSearch, IfNoProfile};
use crate::trigger::Event;

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
        let Some(case_mapping) = self.mapping.route(event) else {
            return Ok(Done::Skipped(Skip::NoCaseMapping));
        };
        outcome.mapping = Some(case_mapping.name.clone());
        let event = self.enriched(case_mapping, event, deadline).await?;
        let mut request = case_mapping.assemble(&event, &self.surroundings)?;
        let search = request.customer.take();
        let (claimed, found) = tokio::join!(
            self.claim(
                &request.client_token,
                request.occurrence.as_deref(),
                &request.ledger,
                deadline
            ),
            self.search(search.as_ref(), deadline)
        );
        match claimed? {
            Claimed::Finished(steps) => {
                Box::pin(self.finished(&request, steps, deadline, outcome)).await
            }
            Claimed::Held(hold)
                if request.attaches()
                    && hold.is_of_another(request.occurrence.as_deref())
                    && hold.case().is_some() =>
            {
                let case = hold.case();
                hold.leave(deadline).await;
                Box::pin(self.join(&request, case, deadline, outcome)).await
            }
            Claimed::Held(mut hold) => {
                let until = hold.time_to_work(deadline);
                let customer = Customer { search, found };
                let work = self.held(
                    case_mapping,
                    &mut request,
                    customer,
                    &mut hold,
                    until,
                    outcome,
                );
                // Boxed, as calls are, and so are the ways above: an event takes one of them.
                let result = Box::pin(work).await;
                let missing = outcome.missing().is_some();
                hold.settle(&result, missing, deadline).await;
                result
            }
        }
    }

    /// What is done while the key is ours.
    async fn held(
        &self,
        case_mapping: &CaseMapping,
        request: &mut CaseRequest,
        customer: Customer,
        hold: &mut Hold<'_>,
        deadline: Deadline,
        outcome: &mut Outcome,
    ) -> Result<Done, Failure> {
        if let Some(steps) = hold.steps() {
            steps.occurrence.clone_from(&request.occurrence);
        }
        request.set_token(hold.token(&request.client_token));
        if let Some(arn) = self.customer(customer, hold, deadline).await? {
            request.set_customer(arn);
        }
        case_mapping.check_required(&request.fields, false)?;
        outcome.customer_arn = request.customer_arn().map(str::to_owned);
        let done = match hold.case() {
            Some(case) => Done::Existing(case),
            None => self.create(request, hold, deadline).await?,
        };
        self.complete(request, &done, hold, deadline, outcome).await;
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

    async fn search(
        &self,
        search: Option<&CustomerSearch>,
        deadline: Deadline,
    ) -> Result<Option<String>, Failure> {
        match search {
            None => Ok(None),
            Some(search) => self.customers()?.search(search, deadline).await,
        }
    }

    /// The customer's profile ARN: the one that an earlier run created, the one that was found, or a new one.
    async fn customer(
        &self,
        customer: Customer,
        hold: &mut Hold<'_>,
        deadline: Deadline,
    ) -> Result<Option<String>, Failure> {
        let Some(search) = customer.search else {
            return Ok(None);
        };
        if let Some(arn) = hold.customer() {
            return Ok(Some(arn));
        }
        let customers = self.customers()?;
        if let Some(profile_id) = customer.found? {
            return Ok(Some(customers.arn(&profile_id)));
        }
        let profile = match &search.if_none {
            IfNoProfile::Create(profile) => profile,
            IfNoProfile::Skip => return Ok(None),
            IfNoProfile::Fail => {
                let message = "no profile has the customer's keys; where that may be so, write `if_none: skip` or `create`";
                return Err(Failure::new(ErrorCode::CustomerNotFound, message).of("customer"));
            }
        };
        hold.before_customer(deadline).await?;
        let profile_id = customers.create(profile, &search, deadline).await?;
        let arn = customers.arn(&profile_id);
        hold.after_customer(&arn, deadline).await?;
        Ok(Some(arn))
    }

    fn customers(&self) -> Result<&Customers, Failure> {
        self.customers.as_ref().ok_or_else(|| {
            let message = "the mapping searches for the customer, and PROFILES_DOMAIN was not set at the start";
            Failure::new(ErrorCode::InternalError, message)
        })
    }

    async fn create(
        &self,
        request: &CaseRequest,
        hold: &mut Hold<'_>,
        deadline: Deadline,
    ) -> Result<Done, Failure> {
        let looks_first = hold.outlived_the_token();
        if looks_first && let Some(case) = self.existing(request, deadline).await? {
            return Ok(Done::Existing(case));
        }
        if let Creation::Created(case) = self.cases.create(request, deadline).await? {
            return Ok(Done::Created(case));
        }
        match self.existing(request, deadline).await {
            Ok(Some(case)) => Ok(Done::Existing(case)),
            Ok(None) => Err(conflict("search does not show it yet")),
            Err(failure) => Err(conflict(&failure.to_string())),
        }
    }

    /// The case that carries the key's tag.
    async fn existing(
        &self,
        request: &CaseRequest,
        deadline: Deadline,
    ) -> Result<Option<CaseReference>, Failure> {
        let (domain, token) = (&request.domain_id, &request.client_token);
        let found = self.cases.find(domain, token, deadline).await?;
        Ok(found.map(|case_id| self.surroundings.case(case_id)))
    }
}

/// The customer, as far as the search has told.
struct Customer {
    search: Option<CustomerSearch>,
    found: Result<Option<String>, Failure>,
}

/// A conflict means that the key's case very probably exists, so it is never reported as if there were none.
fn conflict(reason: &str) -> Failure {
    let message = format!(
        "a case for this key was created by a request that differs from this one, and its id could not be found: {reason}"
    );
    Failure::new(ErrorCode::ConflictUnresolved, message)
}
