//! Everything of the emulator that changes: the cases and what is attached to them, the profiles, the
//! contacts, the tables, the queues, the client tokens it remembers, the queued faults, the requests
//! seen, and the settings. One lock guards it, and no lock is held across an await.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::case::Case;
use crate::clock::{Clock, has_passed, now};
use crate::contacts::Instance;
use crate::create_case::NewCase;
use crate::domain::Domain;
use crate::dynamodb::Tables;
use crate::faults::FaultQueue;
use crate::identifiers::uuid;
use crate::profiles::Profiles;
use crate::rate_limits::RateLimits;
use crate::related_items::RelatedItems;
use crate::requests::RequestLog;
use crate::service::Refusal;
use crate::sqs::Queues;

/// How long a client token is remembered unless set otherwise. AWS does not say how long Cases
/// remembers one.
const TOKEN_LIFETIME: Duration = Duration::from_hours(24);

/// What `CreateCase` answers to a client token that it knows with another request. The model has
/// `ConflictException` for it, and AWS does not say that it is always used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MismatchedToken {
    /// `ConflictException`, 409.
    #[default]
    Conflict,
    /// `ValidationException`, 400.
    Validation,
}

/// The emulator's state.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) faults: FaultQueue,
    pub(crate) requests: RequestLog,
    pub(crate) rate_limits: RateLimits,
    pub(crate) search_lag: Duration,
    pub(crate) token_lifetime: Duration,
    pub(crate) mismatched_tokens: MismatchedToken,
    pub(crate) related_items: RelatedItems,
    pub(crate) profiles: Profiles,
    pub(crate) contacts: Option<Instance>,
    pub(crate) tables: Tables,
    pub(crate) queues: Queues,
    cases: Vec<Case>,
    positions: HashMap<String, usize>,
    tokens: HashMap<String, TokenUse>,
}

/// The first use of a client token.
#[derive(Debug)]
struct TokenUse {
    at: Instant,
    fingerprint: String,
    position: usize,
}

impl State {
    /// No cases, no profiles, no contacts, no tables, no queues, no errors, no lag, no limits.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            faults: FaultQueue::default(),
            requests: RequestLog::default(),
            rate_limits: RateLimits::default(),
            search_lag: Duration::ZERO,
            token_lifetime: TOKEN_LIFETIME,
            mismatched_tokens: MismatchedToken::default(),
            related_items: RelatedItems::default(),
            profiles: Profiles::default(),
            contacts: None,
            tables: Tables::default(),
            queues: Queues::default(),
            cases: Vec::new(),
            positions: HashMap::new(),
            tokens: HashMap::new(),
        }
    }

    /// All cases, the oldest first.
    pub(crate) fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// The case of that id.
    pub(crate) fn case(&self, id: &str) -> Result<&Case, Refusal> {
        self.positions
            .get(id)
            .and_then(|position| self.cases.get(*position))
            .ok_or_else(|| Refusal::NotFound {
                resource_type: "Case",
                resource_id: id.to_owned(),
            })
    }

    /// Stores the case, or finds the one its client token has already made.
    pub(crate) fn create(&mut self, domain: &Domain, new: NewCase) -> Result<&Case, Refusal> {
        let now = now();
        let position = match self.replayed(&new, now)? {
            Some(position) => position,
            None => self.store(domain, new, now),
        };
        self.cases.get(position).ok_or_else(|| {
            Refusal::Conflict("the client token stands for a case that is gone".to_owned())
        })
    }

    fn replayed(&self, new: &NewCase, now: Instant) -> Result<Option<usize>, Refusal> {
        let known = new
            .client_token
            .as_ref()
            .and_then(|token| self.tokens.get(token))
            .filter(|known| !has_passed(known.at, now, self.token_lifetime));
        match known {
            None => Ok(None),
            Some(known) if known.fingerprint == new.fingerprint => Ok(Some(known.position)),
            Some(_) => {
                let message = "the client token was used before with other parameters".to_owned();
                Err(match self.mismatched_tokens {
                    MismatchedToken::Conflict => Refusal::Conflict(message),
                    MismatchedToken::Validation => Refusal::Validation(message),
                })
            }
        }
    }

    fn store(&mut self, domain: &Domain, new: NewCase, now: Instant) -> usize {
        let position = self.cases.len();
        let sequence = u64::try_from(position).unwrap_or(u64::MAX);
        let id = uuid(&format!("{}/case", domain.id), sequence);
        let mut case = Case {
            arn: format!("{}/case/{id}", domain.arn),
            template_id: new.template_id,
            values: new.values,
            tags: new.tags,
            performed_by: new.performed_by,
            created: now,
            created_time: self.clock.timestamp(now),
            event_id: uuid(&format!("{}/event", domain.id), sequence),
            id,
        };
        case.set_system_fields(domain, sequence);
        if let Some(token) = new.client_token {
            let used = TokenUse {
                at: now,
                fingerprint: new.fingerprint,
                position,
            };
            self.tokens.insert(token, used);
        }
        self.positions.insert(case.id.clone(), position);
        self.cases.push(case);
        position
    }
}
