//! The emulator itself: one request in, one answer out, whichever way it came.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::watch;

use crate::answer::{self, ConnectionClosed};
use crate::clock::{Clock, now};
use crate::domain::Domain;
use crate::faults::FaultKind;
use crate::identifiers::uuid;
use crate::operation::{Operation, Route};
use crate::paging::Query;
use crate::profiles::ProfilesDomain;
use crate::requests::Request;
use crate::seed_error::SeedError;
use crate::service::Refusal;
use crate::service::Service;
use crate::state::State;
use crate::{audit, case, contacts, create_case, profiles, reads, related_items, search, seed};

/// Amazon Connect Cases with one domain, in memory, and beside it what Cases leans on, a Customer
/// Profiles domain and the contacts of a Connect instance, and what a caller of Cases may keep: tables
/// of DynamoDB and queues of SQS, each once it is set.
///
/// A value: clones share the domains, the cases and the settings. Requests reach it in three ways:
/// [`respond`](Self::respond), [`http_client`](Self::http_client) for an AWS SDK client in the same
/// process, and [`serve`](Self::serve) for any client on the machine.
#[derive(Clone)]
pub struct Emulator {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    domain: Domain,
    state: Mutex<State>,
    /// Connections accepted by `serve`.
    pub(crate) connections: AtomicUsize,
    /// Changes whenever idle connections are to be closed.
    pub(crate) close_idle: watch::Sender<u64>,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("domain", &self.shared.domain.id)
            .finish_non_exhaustive()
    }
}

impl Emulator {
    /// An emulator of the domain in a snapshot, the text of a `domain.json`, with no cases yet.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, a part lacks a member the API gives it, or the parts do not fit
    /// together, such as a template that requires a field the domain does not have.
    pub fn from_snapshot(json: &str) -> Result<Self, SeedError> {
        let clock = Clock::new();
        let domain = seed::domain(json, &clock.start_timestamp())?;
        Ok(Self {
            shared: Arc::new(Shared {
                domain,
                state: Mutex::new(State::new(clock)),
                connections: AtomicUsize::new(0),
                close_idle: watch::Sender::new(0),
            }),
        })
    }

    /// The same emulator with its time set to `time` at the moment it was made; timestamps are that
    /// and what has passed on tokio's clock. Without this, time starts on 1 January 2026, UTC.
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
                body: body
                    .as_ref()
                    .map_or_else(|text| Value::String(text.clone()), Value::clone),
                path: uri
                    .path_and_query()
                    .map_or("/", |path| path.as_str())
                    .to_owned(),
                status: 0,
            });
            (number, state.faults.take(operation))
        };

        let query = Query::read(uri.query().unwrap_or_default());
        let treat = || match route.and_then(|route| self.treat(&route, &query, body)) {
            Ok(output) => answer::output(service, &output),
            Err(refusal) => answer::refused(service, &refusal),
        };
        let response = meet(fault, service, treat).await?;
        let status = response.status().as_u16();
        self.state().requests.answered(number, status);
        let sequence = u64::try_from(number).unwrap_or(u64::MAX);
        let id = uuid(&format!("{}/request", self.shared.domain.id), sequence);
        Ok(answer::with_request_id(response, &id))
    }

    fn treat(
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
        match operation {
            Operation::CreateCase => create_case::create_case(domain, &mut state, &body),
            Operation::GetCase => case::get_case(domain, &state, id, &body),
            Operation::GetCaseAuditEvents => {
                audit::get_case_audit_events(domain, &state, id, &body)
            }
            Operation::SearchCases => search::search_cases(domain, &state, &body),
            Operation::GetDomain => Ok(domain.answer.clone()),
            Operation::ListDomains => reads::list_domains(domain, query),
            Operation::GetTemplate => reads::get_template(domain, id),
            Operation::ListTemplates => reads::list_templates(domain, query),
            Operation::ListFields => reads::list_fields(domain, query),
            Operation::BatchGetField => reads::batch_get_field(domain, &body),
            Operation::ListFieldOptions => reads::list_field_options(domain, id, query),
            Operation::ListCaseRules => reads::list_case_rules(domain, query),
            Operation::BatchGetCaseRule => reads::batch_get_case_rule(domain, &body),
            Operation::CreateRelatedItem => {
                related_items::create_related_item(domain, &mut state, id, &body)
            }
            Operation::SearchRelatedItems => {
                related_items::search_related_items(domain, &state, id, &body)
            }
            Operation::ListCasesForContact => {
                related_items::list_cases_for_contact(domain, &state, &body)
            }
            Operation::ListProfilesDomains => profiles::list_domains(&state, query),
            Operation::SearchProfiles => profiles::search_profiles(&state, domain_id, query, &body),
            Operation::CreateProfile => profiles::create_profile(&mut state, domain_id, &body),
            Operation::AddProfileKey => profiles::add_profile_key(&mut state, domain_id, &body),
            Operation::DescribeContact => {
                contacts::describe_contact(state.contacts.as_ref(), route)
            }
            Operation::GetContactAttributes => {
                contacts::get_contact_attributes(state.contacts.as_ref(), route)
            }
            Operation::SendMessage => state.queues.send_message(&body),
            Operation::DeleteItem => state.tables.delete_item(&body),
            Operation::GetItem => state.tables.get_item(&body),
            Operation::PutItem => state.tables.put_item(&body),
            Operation::UpdateItem => state.tables.update_item(&body),
        }
    }

    /// The domain's id.
    #[must_use]
    pub fn domain_id(&self) -> &str {
        &self.shared.domain.id
    }

    /// How many templates the domain has.
    #[must_use]
    pub fn template_count(&self) -> usize {
        self.shared.domain.templates.len()
    }

    /// How many fields the domain has, system fields included.
    #[must_use]
    pub fn field_count(&self) -> usize {
        self.shared.domain.fields.len()
    }

    /// All cases, the oldest first: each as `GetCase` shows it with every field that is set, in the
    /// snapshot's order, and with `caseId`, `caseArn` and, from its audit history, `performedBy`.
    #[must_use]
    pub fn cases(&self) -> Vec<Value> {
        let domain = &self.shared.domain;
        let show = |case: &case::Case| {
            let mut shown = case.show(domain.fields.iter().map(|field| field.id.as_str()));
            if let Some(shown) = shown.as_object_mut() {
                shown.insert("caseId".to_owned(), Value::String(case.id.clone()));
                shown.insert("caseArn".to_owned(), Value::String(case.arn.clone()));
                shown.insert(
                    "performedBy".to_owned(),
                    audit::performed_by(domain, case.performed_by.as_ref()),
                );
            }
            shown
        };
        self.state().cases().iter().map(show).collect()
    }

    /// All related items, the oldest first, as `{caseId, relatedItemId, type, content,
    /// performedBy}`: the content as it was given, `performedBy` the user of the request or null.
    #[must_use]
    pub fn related_items(&self) -> Vec<Value> {
        self.state().related_items.show()
    }

    /// All profiles of the profiles domain, the oldest first, those too young to be found included:
    /// each as `SearchProfiles` shows it, and with `Keys`, values by `KeyName`, where
    /// `AddProfileKey` or the seed gave it any.
    #[must_use]
    pub fn profiles(&self) -> Vec<Value> {
        let state = self.state();
        let domain = state.profiles.domain.as_ref();
        domain.map_or_else(Vec::new, ProfilesDomain::show)
    }

    /// The table's items in the order of their ids, none when there is no such table: each as plain
    /// JSON, such as `{"id": "…", "status": "…"}`, numbers as JSON numbers.
    #[must_use]
    pub fn items(&self, table: &str) -> Vec<Value> {
        self.state().tables.show(table)
    }

    /// The table's item with this `id`, as [`items`](Self::items) shows it.
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

    /// The requests seen so far, in the order of their arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.all().to_vec()
    }

    /// Forgets the requests seen so far; the cases stay.
    pub fn clear_requests(&self) {
        self.state().requests.clear();
    }

    /// How many connections [`serve`](Self::serve) has accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Closes every open connection of [`serve`](Self::serve) that has no request under way, as a
    /// server does whose keep-alive time is over.
    pub fn close_idle_connections(&self) {
        self.shared.close_idle.send_modify(|times| *times += 1);
    }

    /// No code that holds the lock can panic half way through a change, so a poisoned one is sound.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the client gets when the request meets `fault`; `treat` gives the request its effect.
async fn meet(
    fault: Option<FaultKind>,
    service: Service,
    treat: impl FnOnce() -> http::Response<Bytes>,
) -> Result<http::Response<Bytes>, ConnectionClosed> {
    Ok(match fault {
        None => treat(),
        Some(FaultKind::Status(error)) => answer::injected(service, &error),
        Some(FaultKind::StatusAfter(error)) => {
            treat();
            answer::injected(service, &error)
        }
        Some(FaultKind::Delay(time)) => {
            tokio::time::sleep(time).await;
            treat()
        }
        Some(FaultKind::DelayAfter(time)) => {
            let response = treat();
            tokio::time::sleep(time).await;
            response
        }
        Some(FaultKind::CloseBefore) => return Err(ConnectionClosed),
        Some(FaultKind::CloseAfter) => {
            treat();
            return Err(ConnectionClosed);
        }
        Some(FaultKind::Hang) => std::future::pending().await,
    })
}

/// The body as JSON, null when it is empty; as text when it is not JSON.
fn body(bytes: &Bytes) -> Result<Value, String> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes).map_err(|_| String::from_utf8_lossy(bytes).into_owned())
}
