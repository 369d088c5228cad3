//! The emulator: its settings, its state, and the answer to one request.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::watch;

use crate::answer::{self, ConnectionClosed};
use crate::cases::{Cases, Domain, DuplicateContact, MismatchedToken};
use crate::clock::{Clock, now};
use crate::connect::Contacts;
use crate::dynamodb::Tables;
use crate::faults::{Fault, FaultKind, FaultQueue};
use crate::identifiers::uuid;
use crate::operation::{Operation, Route};
use crate::paging::Query;
use crate::profiles::Profiles;
use crate::rate_limits::RateLimits;
use crate::requests::{Request, RequestLog};
use crate::seed::SeedError;
use crate::service::{Refusal, Service};
use crate::sqs::Queues;

/// Amazon Connect Cases with one domain, in memory, and the parts of other services that its callers
/// use: a Customer Profiles domain, the contacts of a Connect instance, DynamoDB tables and SQS queues.
///
/// Clones share the domain, the cases and the settings. Requests arrive in three ways:
/// [`respond`](Self::respond), [`http_client`](Self::http_client) for an AWS SDK client in the same
/// process, and [`serve`](Self::serve) for any client on the machine.
#[derive(Clone)]
pub struct Emulator {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    domain: Arc<Domain>,
    state: Mutex<State>,
    /// Connections accepted by `serve`.
    pub(crate) connections: AtomicUsize,
    /// Changes whenever idle connections are to be closed.
    pub(crate) close_idle: watch::Sender<u64>,
}

/// Everything that changes: one store for each service, the faults, the requests and the clock. One lock
/// guards it, and no lock is held across an await.
#[derive(Debug)]
struct State {
    clock: Clock,
    faults: FaultQueue,
    requests: RequestLog,
    rate_limits: RateLimits,
    cases: Cases,
    profiles: Profiles,
    contacts: Contacts,
    tables: Tables,
    queues: Queues,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("domain", &self.shared.domain.id)
            .finish_non_exhaustive()
    }
}

impl Emulator {
    /// Returns an emulator of the domain in a snapshot, the text of a `domain.json`, without cases.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, when a part lacks a member that the API gives it, or when the parts do
    /// not fit together, such as a template that requires a field the domain does not have.
    pub fn from_snapshot(json: &str) -> Result<Self, SeedError> {
        let clock = Clock::new();
        let domain = Domain::from_snapshot(json, &clock.start_timestamp())?;
        let domain = Arc::new(domain);
        let state = State {
            clock,
            faults: FaultQueue::default(),
            requests: RequestLog::default(),
            rate_limits: RateLimits::default(),
            cases: Cases::new(Arc::clone(&domain)),
            profiles: Profiles::default(),
            contacts: Contacts::default(),
            tables: Tables::default(),
            queues: Queues::default(),
        };
        Ok(Self {
            shared: Arc::new(Shared {
                domain,
                state: Mutex::new(state),
                connections: AtomicUsize::new(0),
                close_idle: watch::Sender::new(0),
            }),
        })
    }

    /// Sets the time at which the emulator was created; timestamps are that time and what has passed on
    /// tokio's clock. Without this, time starts on 1 January 2026, UTC.
    #[must_use]
    pub fn with_start_time(self, time: SystemTime) -> Self {
        {
            let mut state = self.state();
            state.clock = state.clock.starting_at(time);
        }
        self
    }

    /// Answers one request as Cases, Customer Profiles, Connect, DynamoDB or SQS would.
    ///
    /// # Errors
    ///
    /// [`ConnectionClosed`] when an injected fault closes the connection without an answer.
    pub async fn respond(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, ConnectionClosed> {
        let body = body(request.body());
        let uri = request.uri();
        let target = request.headers().get("x-amz-target");
        let target = target.and_then(|target| target.to_str().ok());
        let route = Route::find(request.method(), uri.path(), target);
        let operation = route.as_ref().ok().map(|route| route.operation);
        let service = operation.map_or_else(|| Service::of_target(target), Operation::service);
        let operation = operation.map_or("UnknownOperation", Operation::name);
        let (number, fault) = {
            let mut state = self.state();
            let number = state.requests.arrived(Request {
                operation: operation.to_owned(),
                body: match &body {
                    Ok(body) => body.clone(),
                    Err(text) => Value::String(text.clone()),
                },
                path: uri
                    .path_and_query()
                    .map_or("/", |path| path.as_str())
                    .to_owned(),
                status: 0,
            });
            (number, state.faults.take(operation))
        };

        let query = Query::read(uri.query().unwrap_or_default());
        let call = || match route.and_then(|route| self.call(&route, &query, body)) {
            Ok(output) => answer::output(service, &output),
            Err(refusal) => answer::refused(service, &refusal),
        };
        let response = apply_fault(fault, service, call).await?;
        let status = response.status().as_u16();
        self.state().requests.answered(number, status);
        let sequence = u64::try_from(number).unwrap_or(u64::MAX);
        let id = uuid(&format!("{}/request", self.shared.domain.id), sequence);
        Ok(answer::with_request_id(response, &id))
    }

    /// Gives the request its effect and returns its output.
    fn call(
        &self,
        route: &Route,
        query: &Query,
        body: Result<Value, String>,
    ) -> Result<Value, Refusal> {
        let (domain, operation) = (&self.shared.domain, route.operation);
        let mut state = self.state();
        state.rate_limits.take(operation, now())?;
        let body = body.map_err(|_| Refusal::Validation("the body is not JSON".to_owned()))?;
        let domain_id = route.domain_id.as_deref().unwrap_or(&domain.id);
        if operation.service() == Service::Cases && domain_id != domain.id {
            return Err(Refusal::NotFound {
                resource_type: "Domain",
                resource_id: domain_id.to_owned(),
            });
        }
        let id = route.resource_id.as_str();
        let State {
            clock,
            cases,
            profiles,
            contacts,
            tables,
            queues,
            ..
        } = &mut *state;
        match operation {
            Operation::BatchGetCaseRule => domain.batch_get_case_rule(&body),
            Operation::BatchGetField => domain.batch_get_field(&body),
            Operation::CreateCase => cases.create_case(&body, profiles, clock),
            Operation::CreateRelatedItem => cases.create_related_item(id, &body, clock),
            Operation::GetCase => cases.get_case(id, &body),
            Operation::GetCaseAuditEvents => cases.get_case_audit_events(id, &body),
            Operation::GetDomain => Ok(domain.get_domain()),
            Operation::GetTemplate => domain.get_template(id),
            Operation::ListCaseRules => domain.list_case_rules(query),
            Operation::ListCasesForContact => cases.list_cases_for_contact(&body),
            Operation::ListDomains => domain.list_domains(query),
            Operation::ListFieldOptions => domain.list_field_options(id, query),
            Operation::ListFields => domain.list_fields(query),
            Operation::ListTemplates => domain.list_templates(query),
            Operation::SearchCases => cases.search_cases(&body),
            Operation::SearchRelatedItems => cases.search_related_items(id, &body, contacts),
            Operation::CreateProfile => profiles.create_profile(domain_id, &body),
            Operation::SearchProfiles => profiles.search_profiles(domain_id, query, &body),
            Operation::DescribeContact => contacts.describe_contact(domain_id, id),
            Operation::GetContactAttributes => contacts.get_contact_attributes(domain_id, id),
            Operation::DeleteItem => tables.delete_item(&body),
            Operation::GetItem => tables.get_item(&body),
            Operation::PutItem => tables.put_item(&body),
            Operation::UpdateItem => tables.update_item(&body),
            Operation::SendMessage => queues.send_message(&body),
        }
    }

    /// Returns the domain's id.
    #[must_use]
    pub fn domain_id(&self) -> &str {
        &self.shared.domain.id
    }

    /// Returns the number of templates in the domain.
    #[must_use]
    pub fn template_count(&self) -> usize {
        self.shared.domain.templates.len()
    }

    /// Returns the number of fields in the domain, system fields included.
    #[must_use]
    pub fn field_count(&self) -> usize {
        self.shared.domain.fields.len()
    }

    /// Returns all cases, the oldest first: each as `GetCase` shows it with every field that is set, in
    /// the snapshot's order, and with `caseId`, `caseArn` and, from its audit history, `performedBy`.
    #[must_use]
    pub fn cases(&self) -> Vec<Value> {
        self.state().cases.show()
    }

    /// Returns all related items, the oldest first, as `{caseId, relatedItemId, type, content,
    /// performedBy}`: the content as the request had it, `performedBy` the user of the request or null.
    #[must_use]
    pub fn related_items(&self) -> Vec<Value> {
        self.state().cases.related_items.show()
    }

    /// Returns all profiles, the oldest first, also those too young to be found: each as
    /// `SearchProfiles` shows it, and with `Keys`, values by `KeyName`, where the seed has any.
    #[must_use]
    pub fn profiles(&self) -> Vec<Value> {
        self.state().profiles.show()
    }

    /// Returns the table's items in the order of their ids, or none without such a table: each as plain
    /// JSON, such as `{"id": "…", "status": "…"}`, numbers as JSON numbers.
    #[must_use]
    pub fn items(&self, table: &str) -> Vec<Value> {
        self.state().tables.show(table)
    }

    /// Returns the table's item with this `id`, as [`items`](Self::items) shows it.
    #[must_use]
    pub fn item(&self, table: &str, id: &str) -> Option<Value> {
        self.state().tables.item(table, id)
    }

    /// Returns the messages sent to the queue at this URL, the oldest first, or none without such a
    /// queue: `{"messageId": …, "body": …}`, and `messageGroupId` and `messageDeduplicationId` where
    /// the request had them.
    #[must_use]
    pub fn messages(&self, url: &str) -> Vec<Value> {
        self.state().queues.show(url)
    }

    /// Returns the requests in the order of their arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.all().to_vec()
    }

    /// Clears the list of requests; the cases stay.
    pub fn clear_requests(&self) {
        self.state().requests.clear();
    }

    /// Returns the number of connections that [`serve`](Self::serve) has accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Closes every open connection of [`serve`](Self::serve) without a request under way, as a server
    /// does at the end of its keep-alive time.
    pub fn close_idle_connections(&self) {
        self.shared.close_idle.send_modify(|times| *times += 1);
    }

    /// Gives the emulator a Customer Profiles domain, in the partition, Region and account of the
    /// Cases domain, in place of any it had. The text is `{"domain": {"DomainName": …}, "profiles":
    /// [Profile, …]}` by the API's names; a profile needs a `ProfileId`, and may have `Keys`, such as
    /// `{"_ctrContactId": ["…"]}`, which `AddProfileKey` would give it. At first there is no
    /// profiles domain, and every call to one is refused.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, or a part of it is not what the API would accept.
    pub fn set_profiles(&self, json: &str) -> Result<(), SeedError> {
        self.state().profiles.seed(json)
    }

    /// Gives the emulator a Connect instance's contacts, in place of any it had. The text is
    /// `{"instanceId": …, "contacts": [{"Contact": {"Id": …, …}, "Attributes": {…}}]}`, each with
    /// the `Contact` of `DescribeContact` and the `Attributes` of `GetContactAttributes`. Times may
    /// be seconds since 1970, as the service writes them, or ISO 8601, as the AWS CLI prints them.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, or a part of it does not have this form.
    pub fn set_contacts(&self, json: &str) -> Result<(), SeedError> {
        self.state().contacts = Contacts::from_seed(json)?;
        Ok(())
    }

    /// Sets the age from which on `SearchProfiles` finds a new profile and `CreateCase` accepts it as a
    /// customer: at first zero. Seeded profiles are always old enough.
    pub fn set_profile_lag(&self, lag: Duration) {
        self.state().profiles.lag = lag;
    }

    /// Sets the answer of `CreateRelatedItem` to a contact that the case already has: at first,
    /// [`DuplicateContact::Stored`].
    pub fn set_duplicate_contacts(&self, duplicates: DuplicateContact) {
        self.state().cases.related_items.duplicate_contacts = duplicates;
    }

    /// Adds an empty DynamoDB table with the string `id` as its partition key; it replaces a table of
    /// that name. At first there is none.
    pub fn add_table(&self, name: &str) {
        self.state().tables.add(name);
    }

    /// Adds an empty SQS queue at this URL; it replaces a queue at that URL. It is a FIFO queue when the
    /// URL ends with `.fifo`. At first there is none.
    pub fn add_queue(&self, url: &str) {
        self.state().queues.add(url);
    }

    /// Adds a fault behind those that wait. A request meets the first one for its operation.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Removes the faults that no request has met yet.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Sets the age from which on `SearchCases` finds a case: at first zero.
    pub fn set_search_lag(&self, lag: Duration) {
        self.state().cases.search_lag = lag;
    }

    /// Sets the age from which on `SearchRelatedItems` and `ListCasesForContact` find a related item: at
    /// first zero.
    pub fn set_related_item_lag(&self, lag: Duration) {
        self.state().cases.related_items.lag = lag;
    }

    /// Sets the lifetime of client tokens, past and future ones: at first 24 hours, as AWS publishes no
    /// time.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.state().cases.token_lifetime = lifetime;
    }

    /// Sets the answer of `CreateCase` to a client token that was used with another body: at first,
    /// [`MismatchedToken::Conflict`].
    pub fn set_mismatched_tokens(&self, answer: MismatchedToken) {
        self.state().cases.mismatched_tokens = answer;
    }

    /// Switches the published request quotas on or off; beyond them an operation answers
    /// `ThrottlingException`. At first they are off.
    pub fn set_rate_limits(&self, on: bool) {
        self.state().rate_limits.set(on);
    }

    /// Locks the state. No code that holds the lock can panic half way through a change, so a poisoned
    /// lock is usable.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the client's answer under `fault`; `call` gives the request its effect.
async fn apply_fault(
    fault: Option<FaultKind>,
    service: Service,
    call: impl FnOnce() -> http::Response<Bytes>,
) -> Result<http::Response<Bytes>, ConnectionClosed> {
    Ok(match fault {
        None => call(),
        Some(FaultKind::Status(error)) => answer::injected(service, &error),
        Some(FaultKind::StatusAfter(error)) => {
            call();
            answer::injected(service, &error)
        }
        Some(FaultKind::Delay(time)) => {
            tokio::time::sleep(time).await;
            call()
        }
        Some(FaultKind::DelayAfter(time)) => {
            let response = call();
            tokio::time::sleep(time).await;
            response
        }
        Some(FaultKind::CloseBefore) => return Err(ConnectionClosed),
        Some(FaultKind::CloseAfter) => {
            call();
            return Err(ConnectionClosed);
        }
        Some(FaultKind::Hang) => std::future::pending().await,
    })
}

/// Returns the body as JSON, null when it is empty; as text when it is not JSON.
fn body(bytes: &Bytes) -> Result<Value, String> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes).map_err(|_| String::from_utf8_lossy(bytes).into_owned())
}
