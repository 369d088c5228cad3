//! The recorded facts of a world: requests and their effects, invocations, deliveries. Whoever runs or judges a world reads them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use casebridge::error::ErrorCode;
use cases_emulator::Emulator;
use serde::Serialize;
use serde_json::Value;

use crate::assumptions::Mode;
use crate::case_events::Effect;
use crate::clock::{Clock, Trace};
use crate::faults::Fault;
use crate::keys::{Key, Occurrence};
use crate::schedule::Schedule;
use crate::verdict::{Breach, BreachKind};

/// All facts of a world, with its plan.
pub(crate) struct Record {
    pub(crate) schedule: Schedule,
    pub(crate) mode: Mode,
    pub(crate) clock: Clock,
    pub(crate) trace: Trace,
    pub(crate) emulator: Emulator,
    log: Log,
    pub(crate) invocations: RefCell<Rc<Vec<Invocation>>>,
    pub(crate) deliveries: RefCell<Deliveries>,
    breaches: RefCell<Vec<Breach>>,
    holdings: RefCell<Rc<Holdings>>,
}

impl Record {
    pub(crate) fn new(
        schedule: Schedule,
        mode: Mode,
        trace: Trace,
        clock: Clock,
        emulator: Emulator,
        log: Log,
    ) -> Self {
        Self {
            schedule,
            mode,
            clock,
            trace,
            emulator,
            log,
            invocations: RefCell::default(),
            deliveries: RefCell::default(),
            breaches: RefCell::default(),
            holdings: RefCell::default(),
        }
    }

    pub(crate) fn key(&self, occurrence: Occurrence) -> Option<&Key> {
        let place = occurrence.key.checked_sub(1)?;
        self.schedule.keys.get(place)
    }

    pub(crate) fn payload(&self, occurrence: Occurrence) -> String {
        self.key(occurrence)
            .map(|key| key.payload(occurrence.number))
            .unwrap_or_default()
    }

    /// Returns the occurrence with this event.
    pub(crate) fn occurrence_of(&self, event: Option<&Value>) -> Option<Occurrence> {
        let event = event?;
        let keys = self.schedule.keys.iter();
        let mut all =
            keys.flat_map(|key| (0..key.occurrences).map(|number| key.occurrence(number)));
        all.find(|occurrence| {
            let payload: Option<Value> = serde_json::from_str(&self.payload(*occurrence)).ok();
            payload.as_ref() == Some(event)
        })
    }

    /// Counts the occurrences of a key with an answer that their comment was added, this one included if `now`.
    pub(crate) fn commented(&self, occurrence: Occurrence, now: bool) -> usize {
        let commented = &mut self.deliveries.borrow_mut().commented;
        if now && !commented.contains(&occurrence) {
            commented.push(occurrence);
        }
        let of_key = commented.iter().filter(|of| of.key == occurrence.key);
        of_key.count()
    }

    /// The last answer to the flow of an occurrence; `None` before the first, and `Some(None)` for its error branch.
    #[expect(
        clippy::option_option,
        reason = "an error branch is not the same as no flow"
    )]
    pub(crate) fn last_answer(&self, occurrence: Occurrence) -> Option<Option<Value>> {
        let deliveries = self.deliveries.borrow();
        let mut answers = deliveries.answers.iter();
        let last = answers.find(|(of, _)| *of == occurrence);
        last.map(|(_, answer)| answer.clone())
    }

    pub(crate) fn invocations(&self) -> Rc<Vec<Invocation>> {
        Rc::clone(&self.invocations.borrow())
    }

    /// The invocations of a key, with their numbers.
    pub(crate) fn runs(&self, key: &Key) -> Vec<(usize, Invocation)> {
        let invocations = self.invocations();
        let runs = invocations.iter().enumerate();
        let runs = runs.filter(|(_, run)| run.is_of(key));
        runs.map(|(number, run)| (number, run.clone())).collect()
    }

    pub(crate) fn seen(&self) -> Arc<Seen> {
        self.log.read()
    }

    /// Notes a breach found while the world runs.
    pub(crate) fn accuse(&self, kind: BreachKind, what: String) {
        let breach = Breach { kind, what };
        self.trace.note(format_args!("       BROKEN: {breach}"));
        let mut breaches = self.breaches.borrow_mut();
        // A loop repeats itself.
        if kind != BreachKind::Loop || breaches.iter().all(|known| known.what != breach.what) {
            breaches.push(breach);
        }
    }

    pub(crate) fn breaches(&self) -> Vec<Breach> {
        self.breaches.borrow().clone()
    }

    /// The use of the quota while a backlog waited; `None` without one.
    #[expect(clippy::cast_precision_loss, reason = "cases stay far below 2^52")]
    pub(crate) fn throughput(&self) -> Option<Throughput> {
        self.mode.backlog?;
        let invocations = self.invocations();
        let mut received = BTreeMap::new();
        for run in invocations.iter() {
            for occurrence in &run.occurrences {
                received.entry(occurrence.key).or_insert(run.begun);
            }
        }
        // After the first receive of the last message it is not the quota that is waited for.
        let last = received.values().max().copied().unwrap_or_default();
        let ended = invocations.iter().filter_map(|run| run.ended);
        let until = ended
            .filter(|ended| *ended < last)
            .max()
            .unwrap_or_default();
        let seen = self.seen();
        let made = seen.created.values().filter(|at| **at <= until).count();
        let (rate, burst) = QUOTA;
        Some(Throughput {
            backlog_seconds: until.as_secs(),
            quota_used: made as f64 / (burst + rate * until.as_secs_f64()),
        })
    }

    /// The cases that were created and the related items that Cases holds, read again only after a change.
    pub(crate) fn holdings(&self) -> Rc<Holdings> {
        let seen = self.seen();
        let mut holdings = self.holdings.borrow_mut();
        if holdings.changes != seen.additions_made {
            *holdings = Rc::new(Holdings::read(&self.emulator, &seen));
        }
        Rc::clone(&holdings)
    }
}

/// `CreateCase` a second, and at once.
/// <https://docs.aws.amazon.com/connect/latest/adminguide/amazon-connect-service-limits.html>
const QUOTA: (f64, f64) = (2.0, 10.0);

/// The use of the quota while a backlog waited.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Throughput {
    /// The time for which some messages had not been received, on the clock of the simulation.
    pub backlog_seconds: u64,
    /// The cases of that time, as a share of the quota for it.
    pub quota_used: f64,
}

/// The cases and related items of the services at one moment.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    changes: usize,
    /// Ids of cases by the field `title`, which names the key.
    pub(crate) cases: HashMap<String, Vec<String>>,
    /// The contact and the comment of each related item, with its case; one of them is empty.
    pub(crate) items: Vec<(String, String, String)>,
}

impl Holdings {
    fn read(emulator: &Emulator, seen: &Seen) -> Self {
        let mut cases = HashMap::<_, Vec<String>>::new();
        for (title, id) in seen.cases() {
            cases.entry(title).or_default().push(id);
        }
        let items = emulator.related_items();
        let items = items.iter().map(|item| {
            (
                text(item, "/caseId"),
                text(item, "/content/contact/contactArn"),
                text(item, "/content/comment/body"),
            )
        });
        Self {
            changes: seen.additions_made,
            cases,
            items: items.collect(),
        }
    }
}

/// The facts that the wire writes; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Arc<Seen>>>);

impl Log {
    pub(crate) fn read(&self) -> Arc<Seen> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn write<T>(&self, write: impl FnOnce(&mut Seen) -> T) -> T {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // No reader keeps what it read, so nothing is copied.
        write(Arc::make_mut(&mut seen))
    }
}

/// The results of deliveries.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    /// The last answer to each flow, by occurrence; `None` for none in time, or only errors: its error branch.
    pub(crate) answers: Vec<(Occurrence, Option<Value>)>,
    /// The on-failure destination of asynchronous invocations.
    pub(crate) failed: Vec<(Occurrence, &'static str)>,
    /// The dead-letter queue.
    pub(crate) dead: Vec<Occurrence>,
    /// Every message that was ever in it.
    pub(crate) died: Vec<Occurrence>,
    /// The occurrences with an answer that their comment was added.
    pub(crate) commented: Vec<Occurrence>,
    /// Events of Cases that were fed back.
    pub(crate) fed_back: usize,
    /// Deliveries beyond the first, for whatever reason.
    pub(crate) repeated: usize,
}

/// An invocation, while it runs and after it.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) occurrences: Vec<Occurrence>,
    pub(crate) begun: Duration,
    /// The time that it was given.
    pub(crate) remaining: Duration,
    /// `None` while it runs.
    pub(crate) ended: Option<Duration>,
    pub(crate) end: Option<End>,
}

/// The failure of an invocation.
pub(crate) struct Failure {
    pub(crate) code: String,
    /// `true` or `false`
    pub(crate) retryable: String,
}

/// The end of an invocation.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// With an answer.
    Answered(Value),
    /// With an error.
    Failed(ErrorCode),
    /// The environment ended first.
    Crashed,
    /// The time was up first.
    TimedOut,
}

impl Invocation {
    pub(crate) fn is_of(&self, key: &Key) -> bool {
        self.occurrences.iter().any(|of| of.key == key.number)
    }

    /// It ended with an answer or an error: neither by a crash nor out of time.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(&self.end, Some(End::Answered(_) | End::Failed(_)))
    }

    /// Its failure, by its error or by its answer.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let failed = |answer: &&Value| text(answer, "/status") == "failed";
        match &self.end {
            Some(End::Failed(code)) => Some(Failure {
                code: code.name().to_owned(),
                retryable: code.is_transient().to_string(),
            }),
            Some(End::Answered(answer)) => Some(answer).filter(failed).map(|answer| Failure {
                code: text(answer, "/errorCode"),
                retryable: text(answer, "/retryable"),
            }),
            _ => None,
        }
    }

    /// The time that it took; zero while it runs.
    pub(crate) fn took(&self) -> Duration {
        self.ended.unwrap_or_default().saturating_sub(self.begun)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(answer) => {
                let member = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or("");
                if let Some(failures) = answer.get("batchItemFailures").and_then(Value::as_array) {
                    return write!(f, "answers; {} messages are kept", failures.len());
                }
                let case: String = member("caseId").chars().take(8).collect();
                write!(f, "answers {} {case}", member("status"))?;
                write!(
                    f,
                    "  linked {}, commented {}",
                    member("contactLinked"),
                    member("commentAdded")
                )?;
                match member("errorCode") {
                    "" => Ok(()),
                    code => write!(f, "  {code}"),
                }
            }
            Self::Failed(code) => write!(f, "fails with {code}"),
            Self::Crashed => f.write_str("crashes"),
            Self::TimedOut => f.write_str("is out of time"),
        }
    }
}

/// The requests that the wire saw and their effects, whether or not their senders received an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// The number of requests.
    pub(crate) requests: usize,
    /// The faults that they met.
    pub(crate) faults: BTreeMap<Fault, usize>,
    /// The faults that an invocation met, by operation.
    pub(crate) met: BTreeSet<(usize, &'static str, Fault)>,
    /// Every `CreateCase` that was sent.
    pub(crate) creations: Vec<Creation>,
    /// When each case was created, by its id.
    pub(crate) created: BTreeMap<String, Duration>,
    /// Every `CreateProfile` that was sent.
    pub(crate) profiles: Vec<Profile>,
    /// The invocations that made a profile or something that joins a case.
    pub(crate) additions: BTreeSet<usize>,
    /// Contacts and comments that were refused for good.
    pub(crate) refused: BTreeSet<String>,
    /// Contacts and comments that were refused because their case was being merged, and when they were last.
    pub(crate) merging: BTreeMap<String, Duration>,
    /// The invocations of which a request had its effect when nobody waited for it any more.
    pub(crate) late: BTreeSet<usize>,
    /// The messages of the failure queue.
    pub(crate) put_aside: Vec<PutAside>,
    /// When an invocation first sent a body to the failure queue, whether or not it arrived.
    first_sent: BTreeMap<(usize, String), Duration>,
    /// The ledger's items.
    pub(crate) items: Items,
    /// The number of cases and related items that came to be.
    additions_made: usize,
}

/// A `CreateCase` request.
#[derive(Debug, Clone)]
pub(crate) struct Creation {
    /// Its field `title`, which names the key.
    pub(crate) title: String,
    pub(crate) invocation: usize,
    pub(crate) sent: Duration,
    /// The time of its effect, and the case that it made or found.
    pub(crate) effect: Option<(Duration, String)>,
    /// Its sender received its answer.
    pub(crate) heard: bool,
    /// It met a refusal, without effect.
    pub(crate) refused: bool,
}

/// A `CreateProfile` request.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) phone: String,
    /// Its sender received an answer that excludes an effect.
    pub(crate) harmless: bool,
}

/// A message of the failure queue.
#[derive(Debug, Clone)]
pub(crate) struct PutAside {
    pub(crate) invocation: usize,
    /// The time of its first sending: a copy that is sent again without an answer adds nothing.
    pub(crate) at: Duration,
    /// `{event, errorCode, …}`
    pub(crate) body: Value,
}

/// The places of a request under way in the lists of creations and profiles.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Entry {
    creation: Option<usize>,
    profile: Option<usize>,
}

impl Seen {
    /// A request is sent, and is going to meet this fault.
    pub(crate) fn begin(
        &mut self,
        invocation: usize,
        operation: &'static str,
        sent: &Value,
        fault: Option<Fault>,
        at: Duration,
    ) -> Entry {
        self.requests += 1;
        if let Some(fault) = fault {
            *self.faults.entry(fault).or_default() += 1;
            self.met.insert((invocation, operation, fault));
        }
        let mut entry = Entry::default();
        match operation {
            "CreateCase" => {
                entry.creation = Some(self.creations.len());
                self.creations.push(Creation {
                    title: title(sent),
                    invocation,
                    sent: at,
                    effect: None,
                    heard: false,
                    refused: fault.is_some_and(Fault::is_refusal),
                });
            }
            "CreateProfile" => {
                entry.profile = Some(self.profiles.len());
                self.profiles.push(Profile {
                    phone: text(sent, "/PhoneNumber"),
                    harmless: false,
                });
            }
            "SQS.SendMessage" => {
                let body = text(sent, "/MessageBody");
                self.first_sent.entry((invocation, body)).or_insert(at);
            }
            "CreateRelatedItem" if fault == Some(Fault::Merging) => {
                self.merging.insert(item(sent), at);
            }
            "CreateRelatedItem" if fault.is_some_and(Fault::is_refusal) => {
                self.refused.insert(item(sent));
            }
            _ => {}
        }
        entry
    }

    /// The sender of a request received its answer.
    pub(crate) fn heard(&mut self, entry: Entry) {
        let creation = entry.creation.and_then(|at| self.creations.get_mut(at));
        if let Some(creation) = creation {
            creation.heard = true;
        }
    }

    /// The sender of a request received an answer that excludes an effect.
    pub(crate) fn harmless(&mut self, entry: Entry) {
        let profile = entry.profile.and_then(|at| self.profiles.get_mut(at));
        if let Some(profile) = profile {
            profile.harmless = true;
        }
    }

    /// Writes an effect down; returns true for a case or a related item that was not there before.
    pub(crate) fn note(
        &mut self,
        invocation: usize,
        entry: Entry,
        effect: &Effect,
        at: Duration,
    ) -> bool {
        match effect.operation {
            "CreateCase" => {
                let Some(id) = effect.answer.get("caseId").and_then(Value::as_str) else {
                    return false;
                };
                let creation = entry.creation.and_then(|at| self.creations.get_mut(at));
                if let Some(creation) = creation {
                    creation.effect = Some((at, id.to_owned()));
                }
                // A client token that is known gives the same case again.
                let is_new = !self.created.contains_key(id);
                self.created.entry(id.to_owned()).or_insert(at);
                self.additions_made += usize::from(is_new);
                is_new
            }
            "CreateProfile" => {
                self.additions.insert(invocation);
                false
            }
            "CreateRelatedItem" => {
                self.additions.insert(invocation);
                self.additions_made += 1;
                true
            }
            "SQS.SendMessage" => {
                let sent = (invocation, text(&effect.sent, "/MessageBody"));
                let at = self.first_sent.get(&sent).copied().unwrap_or(at);
                let body = serde_json::from_str(&sent.1).ok();
                self.put_aside.extend(body.map(|body| PutAside {
                    invocation,
                    at,
                    body,
                }));
                false
            }
            _ => false,
        }
    }

    /// Title and id of every case that was created.
    pub(crate) fn cases(&self) -> BTreeSet<(String, String)> {
        let creations = self.creations.iter();
        let cases = creations.filter_map(|creation| {
            let (_, id) = creation.effect.as_ref()?;
            Some((creation.title.clone(), id.clone()))
        });
        cases.collect()
    }

    /// Returns true when the invocation had reason to believe that it could not reach the ledger.
    pub(crate) fn missed_the_ledger(&self, invocation: usize) -> bool {
        let mut met = self.of(invocation);
        met.any(|(operation, _)| operation.starts_with("DynamoDB."))
    }

    /// Returns true when a request of the invocation was refused for good.
    pub(crate) fn was_refused(&self, invocation: usize) -> bool {
        self.of(invocation).any(|(_, fault)| fault.is_refusal())
    }

    /// The operations of the invocation with the faults that they met.
    pub(crate) fn of(&self, invocation: usize) -> impl Iterator<Item = (&'static str, Fault)> {
        let met = self.met.iter().filter(move |(of, ..)| *of == invocation);
        met.map(|(_, operation, fault)| (*operation, *fault))
    }
}

/// The field `title` of a case.
pub(crate) fn title(sent: &Value) -> String {
    let fields = sent.get("fields").and_then(Value::as_array);
    let mut fields = fields.into_iter().flatten();
    let title = fields.find(|field| field.get("id").is_some_and(|id| id == "title"));
    title.map_or_else(String::new, |title| text(title, "/value/stringValue"))
}

/// The contact's ARN, or the comment.
fn item(sent: &Value) -> String {
    match text(sent, "/content/contact/contactArn") {
        arn if arn.is_empty() => text(sent, "/content/comment/body"),
        arn => arn,
    }
}

/// The text at a JSON pointer; empty where there is none.
pub(crate) fn text(value: &Value, path: &str) -> String {
    let text = value.pointer(path).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// The ledger's items as the table holds them, write by write: a flaw is noted at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Items {
    by_id: BTreeMap<String, Item>,
    /// The time at which the key of a case was marked as done, by the case's id.
    pub(crate) finished: BTreeMap<String, Duration>,
    /// The time at which the ledger first named a case, by the case's id.
    pub(crate) named: BTreeMap<String, Duration>,
    /// The claim under which each case came to be, by the case's id.
    pub(crate) claims: BTreeMap<String, Claim>,
    /// The invocations that deleted an item: they gave a key back.
    pub(crate) given_back: BTreeSet<usize>,
    /// The broken rules.
    pub(crate) flaws: Vec<String>,
}

/// A claim of a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    /// The time at which it was first made.
    pub(crate) made: Duration,
    /// The end of its window, in seconds since 1970.
    pub(crate) over: Option<u64>,
}

/// One item.
#[derive(Debug, Clone)]
struct Item {
    owner: String,
    generation: String,
    finished: bool,
    /// In milliseconds since 1970.
    lease_ends: u64,
    case: Option<String>,
    /// The time at which it was put.
    claimed: Duration,
    /// The invocation that made it its own, and when.
    holder: usize,
    held_since: Duration,
}

/// A lease that an invocation left behind.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) held_since: Duration,
    pub(crate) lease_ends: u64,
}

impl Items {
    /// An item was put or updated.
    pub(crate) fn written(
        &mut self,
        id: &str,
        written: &Value,
        put: bool,
        invocation: usize,
        at: Duration,
        clocks: Duration,
    ) {
        let text = |name: &str| {
            let text = written.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let number = |name: &str| written.get(name).and_then(Value::as_u64);
        let data: Value = serde_json::from_str(&text("data")).unwrap_or_default();
        let case = data.get("caseId").and_then(Value::as_str);
        let before = self.by_id.get(id);
        let owner = text("owner");
        let keeps = before.filter(|before| before.owner == owner);
        let item = Item {
            generation: text("generation"),
            finished: text("status") == "COMPLETED",
            lease_ends: number("in_progress_expiration").unwrap_or_default(),
            case: case.map(str::to_owned),
            claimed: before.filter(|_| !put).map_or(at, |before| before.claimed),
            holder: keeps.map_or(invocation, |before| before.holder),
            held_since: keeps.map_or(at, |before| before.held_since),
            owner,
        };
        if let Some(before) = before {
            self.flaws.extend(flaw(before, &item, at + clocks));
        }
        // An occurrence that joins a case has an item of its own, with a dot in its id.
        if let Some(case) = item.case.clone().filter(|_| !id.contains('.')) {
            if item.finished {
                self.finished.entry(case.clone()).or_insert(at);
            }
            self.named.entry(case.clone()).or_insert(at);
            let claim = Claim {
                made: item.claimed,
                over: number("expiration"),
            };
            self.claims.insert(case, claim);
        }
        self.by_id.insert(id.to_owned(), item);
    }

    /// There is no item, or none any more.
    pub(crate) fn absent(&mut self, id: &str, invocation: usize) {
        if self.by_id.remove(id).is_some() {
            self.given_back.insert(invocation);
        }
    }

    /// The leases that an invocation holds.
    pub(crate) fn held_by(&self, invocation: usize) -> impl Iterator<Item = Left> {
        let held = self.by_id.values();
        let held = held.filter(move |item| item.holder == invocation && !item.finished);
        held.map(|item| Left {
            held_since: item.held_since,
            lease_ends: item.lease_ends,
        })
    }
}

/// Returns the rule that a write of the same claim breaks; `latest` is the time on the clock that is ahead of all others.
fn flaw(before: &Item, after: &Item, latest: Duration) -> Option<String> {
    if before.generation != after.generation {
        return None;
    }
    if before.finished && !after.finished && before.owner == after.owner {
        return Some("an item that was marked as done was opened again".to_owned());
    }
    if before.case.is_some() && after.case != before.case {
        return Some("an item that named its case names it no more".to_owned());
    }
    let is_live = !before.finished && before.lease_ends > Clock::epoch_milliseconds(latest);
    if before.owner != after.owner && is_live {
        return Some("a lease was taken before its end".to_owned());
    }
    None
}
