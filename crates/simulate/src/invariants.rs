//! What has to hold: of every answer when it is given, and of every key in the end.
//!
//! A breach is never allowed. What the function does not promise without a ledger is counted instead: a flow that runs again does not look
//! before it links, and runs that overlap, or follow before the first one's effects show, cannot know of each other.

mod answers;
mod excuses;
mod found;

use std::collections::HashSet;
use std::fmt;

use casebridge::error::ErrorCode;
use serde::Serialize;
use serde_json::Value;

pub(crate) use self::answers::{check_answer, check_done};
use self::excuses::is_excused;
use self::found::{Found, is_reported};
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
    fn new(kind: BreachKind, what: impl Into<String>) -> Self {
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
    match found.cases.as_slice() {
        [] => {
            let what = format!("{name} has no case although it was delivered again without faults");
            return breach(BreachKind::Lost, what);
        }
        [_] => {}
        several => {
            let what = format!("{name} has {} cases: {}", several.len(), several.join(", "));
            return breach(BreachKind::Duplicate, what);
        }
    }
    let contacts = key.contacts(0..key.occurrences);
    let notes: HashSet<String> = (0..key.occurrences)
        .map(|number| key.note(number))
        .collect();
    if found.missing(&contacts) {
        breach(BreachKind::Lost, format!("{name}'s contact is not linked"));
    }
    if !notes.iter().all(|note| found.comments.contains(note)) {
        breach(BreachKind::Lost, format!("{name}'s comment is missing"));
    }
    let links = found.links.len().saturating_sub(contacts.len());
    let comments = found.comments.len().saturating_sub(notes.len());
    if is_excused(world, &[key]) {
        verdict.twins.links += links;
        verdict.twins.comments += comments;
        return;
    }
    if links > 0 {
        breach(
            BreachKind::Duplicate,
            format!("{name}'s contact is linked {} times", links + 1),
        );
    }
    if comments > 0 {
        breach(
            BreachKind::Duplicate,
            format!("{name}'s comment is there {} times", comments + 1),
        );
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
        if is_excused(world, &sharing) {
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
