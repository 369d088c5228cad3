//! What has to hold: of every answer when it is given, and of every key in the end.
//!
//! A breach is never allowed. What the function does not promise without a ledger is counted instead: a flow that runs again does not look
//! before it links, and runs that overlap, or follow before the first one's effects show, cannot know of each other.

mod answers;
mod excuses;
mod found;
mod order;

use std::fmt;

use casebridge::error::ErrorCode;
use serde::Serialize;
use serde_json::Value;

pub(crate) use self::answers::{check_answer, check_done};
use self::excuses::{Twin, is_excused};
use self::found::{Found, is_reported};
use crate::clock::Clock;
use crate::keys::{Key, Occurrence};
use crate::world::{End, World};

/// Something that must not be.
#[derive(Debug, Clone, Serialize)]
pub struct Breach {
    /// Its kind.
    pub kind: BreachKind,
    /// What was found.
    pub what: String,
}

/// The kinds of breaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreachKind {
    /// Something is there twice: a case, a link, a comment, a profile.
    Duplicate,
    /// Something that has to be there is not, and nothing says so.
    Lost,
    /// An answer did not tell the truth.
    Untrue,
    /// An answer came after its deadline.
    Late,
    /// Messages of a FIFO queue were overtaken.
    Order,
    /// The function took an event of its own.
    Loop,
    /// The function panicked or did not start.
    Broken,
}

/// The judgement of one world.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// What must not be.
    pub breaches: Vec<Breach>,
    /// What is not promised, and was counted.
    pub twins: Twins,
    /// The cases that there are.
    pub cases: usize,
}

/// What is there more than once without a promise being broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Twins {
    /// Links of a contact beyond the first.
    pub links: usize,
    /// Comments beyond the first.
    pub comments: usize,
    /// Profiles beyond the first.
    pub profiles: usize,
}

impl Breach {
    pub(crate) fn new(kind: BreachKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
        }
    }

    /// The function does not start.
    pub(crate) fn start(error: &anyhow::Error) -> Self {
        Self::new(
            BreachKind::Broken,
            format!("the function does not start: {error:#}"),
        )
    }

    /// An event of a case that the function made was not left alone.
    pub(crate) fn taken(expected: &str) -> Self {
        let what = format!("an event of Cases that is to be skipped as {expected} was taken");
        Self::new(BreachKind::Loop, what)
    }

    /// The function feeds itself.
    pub(crate) fn endless(events: usize) -> Self {
        let what = format!("events of Cases make cases: after {events} events there was no end");
        Self::new(BreachKind::Loop, what)
    }

    /// The function panicked.
    pub(crate) fn panic(error: &tokio::task::JoinError) -> Self {
        Self::new(
            BreachKind::Broken,
            format!("an invocation ended with {error}"),
        )
    }
}

impl BreachKind {
    /// The kind as reports spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Lost => "lost",
            Self::Untrue => "untrue",
            Self::Late => "late",
            Self::Order => "order",
            Self::Loop => "loop",
            Self::Broken => "broken",
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.what)
    }
}

/// Judges a world that is at rest.
pub(crate) fn check(world: &World, breaches: Vec<Breach>) -> Verdict {
    let mut verdict = Verdict {
        breaches,
        twins: Twins::default(),
        cases: world.emulator.cases().len(),
    };
    for key in &world.schedule.keys {
        check_key(world, key, &mut verdict);
    }
    check_denials(world, &mut verdict);
    check_profiles(world, &mut verdict);
    order::check(world, &mut verdict);
    verdict
}

fn check_key(world: &World, key: &Key, verdict: &mut Verdict) {
    let name = key.name();
    let found = Found::of(world, key);
    let mut breach = |kind, what: String| verdict.breaches.push(Breach::new(kind, what));
    if key.poison.is_some() {
        if !found.cases.is_empty() {
            breach(
                BreachKind::Untrue,
                format!("{name} has a case, and can have none"),
            );
        }
        for number in 0..key.occurrences {
            let occurrence = Occurrence {
                key: key.number,
                number,
            };
            if !is_reported(world, occurrence) {
                let what = format!("{occurrence} can have no case, and nothing says so");
                breach(BreachKind::Lost, what);
            }
        }
        return;
    }
    if found.cases.is_empty() {
        let what = format!("{name} has no case although it was delivered again without faults");
        return breach(BreachKind::Lost, what);
    }
    let apart = found.apart(world);
    check_windows(world, key, &apart, verdict);
    // With a window, several contacts may have got a case each.
    let mut breach = |kind, what: String| verdict.breaches.push(Breach::new(kind, what));
    let contacts = key.contacts(0..key.occurrences);
    let mut notes = (0..key.occurrences).map(|number| key.note(number));
    if found.missing(&contacts) {
        breach(BreachKind::Lost, format!("{name}'s contact is not linked"));
    }
    if !notes.all(|note| found.comments.contains(&note)) {
        breach(BreachKind::Lost, format!("{name}'s comment is missing"));
    }
    let is_excused = is_excused(world, &[key], Twin::Item);
    for case in &apart {
        let (links, comments) = case.twins();
        if is_excused {
            verdict.twins.links += links;
            verdict.twins.comments += comments;
            continue;
        }
        let mut twice = |what: &str, times: usize| {
            if times > 0 {
                let what = format!("{name}'s {what} {} times", times + 1);
                verdict
                    .breaches
                    .push(Breach::new(BreachKind::Duplicate, what));
            }
        };
        twice("contact is linked", links);
        twice("comment is there", comments);
    }
}

/// One case, or with windows one for each: a later one only after the window of the earlier was over.
fn check_windows(world: &World, key: &Key, apart: &[Found], verdict: &mut Verdict) {
    let seen = world.seen();
    let ids: Vec<&String> = apart.iter().flat_map(|found| &found.cases).collect();
    for pair in ids.windows(2) {
        let [earlier, later] = pair else {
            continue;
        };
        let created = seen.created.get(*later).copied();
        let created = created.map(Clock::epoch_seconds).unwrap_or_default();
        let is_over = |over: &u64| created >= *over;
        if !seen.windows.get(*earlier).is_some_and(is_over) {
            let what = format!("{} has a case too many: {earlier}, {later}", key.name());
            verdict
                .breaches
                .push(Breach::new(BreachKind::Duplicate, what));
        }
    }
}

/// A failure that leaves no doubt means that the invocation created nothing: not then, and not later by a request still under way.
fn check_denials(world: &World, verdict: &mut Verdict) {
    let creations = world.seen().creations;
    let in_doubt = [ErrorCode::OutcomeUnknown, ErrorCode::ConflictUnresolved];
    let about_items = [ErrorCode::ContactNotLinked, ErrorCode::CommentNotAdded];
    let leaves_no_doubt = |code: &str| {
        let mut doubtful = in_doubt.iter().chain(&about_items);
        !doubtful.any(|doubtful| doubtful.name() == code)
    };
    for (number, invocation) in world.invocations().iter().enumerate() {
        let code = match &invocation.end {
            Some(End::Failed(code)) => code.name(),
            Some(End::Answered(answer))
                if answer
                    .get("status")
                    .is_some_and(|status| status == "failed") =>
            {
                answer
                    .get("errorCode")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            }
            _ => continue,
        };
        if leaves_no_doubt(code) && creations.contains(&number) {
            let what = format!("#{number} answered {code}, and its CreateCase was carried out");
            verdict.breaches.push(Breach::new(BreachKind::Untrue, what));
        }
    }
}

fn check_profiles(world: &World, verdict: &mut Verdict) {
    let profiles = world.emulator.profiles();
    let phone = |profile: &Value| {
        let phone = profile.get("PhoneNumber").and_then(Value::as_str);
        phone.map(str::to_owned)
    };
    let mut phones: Vec<String> = profiles.iter().filter_map(phone).collect();
    phones.sort_unstable();
    for same in phones.chunk_by(|one, other| one == other) {
        let Some(phone) = same.first().filter(|_| same.len() > 1) else {
            continue;
        };
        let sharing = world.schedule.keys.iter();
        let sharing: Vec<&Key> = sharing
            .filter(|key| key.phone().as_ref() == Some(phone))
            .collect();
        if is_excused(world, &sharing, Twin::Profile) {
            verdict.twins.profiles += same.len() - 1;
        } else {
            let names: Vec<String> = sharing.iter().map(|key| key.name()).collect();
            let what = format!("{} has {} profiles", names.join(" and "), same.len());
            verdict
                .breaches
                .push(Breach::new(BreachKind::Duplicate, what));
        }
    }
}
