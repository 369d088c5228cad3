//! Schedules that are aimed at an edge: where chance alone would seldom bring a second delivery to the moment at which a lag, a token or a
//! lease is about to end, the deliveries of one key and the faults that they meet are planned for it.

use std::time::Duration;

use crate::assumptions::{CASE_FOUND_WITHIN, ITEM_SHOWN_WITHIN, PROFILE_SEEN_WITHIN};
use crate::faults::{Fault, Spell};
use crate::keys::{Key, Kind, Occurrence};
use crate::schedule::{AsyncEvent, Crash, Fate, Schedule};

/// What a schedule is aimed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// A second run that begins when search is about to show the first one's case, and Cases to forget its token.
    Takeover,
    /// An attempt that nobody heard of, and refusals after it.
    Refusal,
    /// A second run that begins when the first one's profile is about to be seen.
    Profile,
    /// A second run that begins when the first one's contact and comment are about to show.
    Item,
    /// A key that is done when Customer Profiles is down.
    Known,
    /// A key that is done, or half done, when the ledger is down.
    Outage,
}

impl Aim {
    const ALL: [Self; 6] = [
        Self::Takeover,
        Self::Refusal,
        Self::Profile,
        Self::Item,
        Self::Known,
        Self::Outage,
    ];

    /// As schedules spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Takeover => "the end of a token",
            Self::Refusal => "a refusal after a doubt",
            Self::Profile => "a profile that is about to be seen",
            Self::Item => "an item that is about to show",
            Self::Known => "a known case without its customer",
            Self::Outage => "an outage of the ledger",
        }
    }
}

/// Times in milliseconds.
fn between(random: &mut fastrand::Rng, range: std::ops::RangeInclusive<u64>) -> Duration {
    Duration::from_millis(random.u64(range))
}

impl Schedule {
    /// Aims the deliveries of one key at an edge.
    pub(crate) fn aim(&mut self, random: &mut fastrand::Rng) {
        let aim = random.choice(Aim::ALL).unwrap_or(Aim::Item);
        let takes = |key: &&Key| {
            let has_customer = matches!(key.kind, Kind::Order);
            key.poison.is_none()
                && !key.is_flow()
                && key.kind != Kind::CaseEvent
                && (has_customer || !matches!(aim, Aim::Profile | Aim::Known))
        };
        let Some(key) = self.keys.iter().find(takes) else {
            return;
        };
        let occurrence = Occurrence {
            key: key.number,
            number: random.usize(0..key.occurrences),
        };
        self.aim = Some(aim);
        let is_other = |of: Occurrence| of.key != occurrence.key;
        self.events.retain(|event| is_other(event.occurrence));
        let messages = &mut self.queue.messages;
        messages.retain(|message| is_other(message.occurrence));
        let first = between(random, 1_000..=30_000);
        match aim {
            Aim::Takeover => self.takeover(first, occurrence, random),
            Aim::Refusal => self.refusal(first, occurrence, random),
            Aim::Profile => self.profile(first, occurrence, random),
            Aim::Item => self.item(first, occurrence, random),
            Aim::Known | Aim::Outage => self.down(aim, first, occurrence, random),
        }
    }

    /// The deliveries: `fates` for the first run, nothing else of its retries, and again after `gap`.
    fn twice(
        &mut self,
        occurrence: Occurrence,
        first: Duration,
        fate: Fate,
        gap: Duration,
        random: &mut fastrand::Rng,
    ) {
        let second = self.second(occurrence, random);
        let nothing = Fate {
            crash: Some(Crash::AtStep(0)),
            ..Fate::default()
        };
        self.events.push(AsyncEvent {
            occurrence,
            at: first,
            fates: vec![fate, nothing, nothing],
        });
        self.events.push(AsyncEvent {
            occurrence: second,
            at: first + gap,
            fates: Vec::new(),
        });
    }

    /// The occurrence that comes second: now and then another one of the key.
    fn second(&self, first: Occurrence, random: &mut fastrand::Rng) -> Occurrence {
        let of = self.keys.iter().find(|key| key.number == first.key);
        let has_another = of.is_some_and(|key| key.occurrences > 1);
        if !has_another || random.u8(0..3) > 0 {
            return first;
        }
        Occurrence {
            number: 1 - first.number.min(1),
            ..first
        }
    }

    fn spell(&mut self, operation: &'static str, fault: Fault, from: Duration, length: Duration) {
        self.weather.spells.push(Spell {
            operation,
            from,
            until: from + length,
            fault,
        });
    }

    fn takeover(&mut self, first: Duration, occurrence: Occurrence, random: &mut fastrand::Rng) {
        self.timeout = Duration::from_secs(random.choice([30, 120, 120]).unwrap_or(120));
        self.times.case = self.times.case.max(CASE_FOUND_WITHIN);
        let doubt = [Fault::CutAfter, Fault::LostBack, Fault::FailedAfter];
        let doubt = random.choice(doubt).unwrap_or(Fault::CutAfter);
        self.spell("CreateCase", doubt, first, self.timeout);
        let gap = between(random, 270_000..=330_000);
        let fate = Fate {
            remaining: Some(between(random, 1_000..=10_000)),
            ..Fate::default()
        };
        self.twice(occurrence, first, fate, gap, random);
        if random.u8(0..4) > 0 {
            let most = if self.timeout.as_secs() > 30 {
                110_000
            } else {
                28_000
            };
            let length = between(random, 1_000..=most);
            self.spell("CreateCase", Fault::Throttled, first + gap, length);
        }
    }

    fn refusal(&mut self, first: Duration, occurrence: Occurrence, random: &mut fastrand::Rng) {
        let doubt = [
            Fault::CutAfter,
            Fault::LostBack,
            Fault::FailedAfter,
            Fault::SlowThere,
        ];
        let doubt = random.choice(doubt).unwrap_or(Fault::CutAfter);
        let refusal = [Fault::Refused, Fault::Denied, Fault::NotFound];
        let refusal = random.choice(refusal).unwrap_or(Fault::Denied);
        // The refusals begin within the first run, or after it.
        let begin = between(random, 100..=8_000);
        self.spell("CreateCase", doubt, first, begin);
        let length = between(random, 10_000..=300_000);
        self.spell("CreateCase", refusal, first + begin, length);
        let gap = between(random, 10_000..=420_000);
        self.twice(occurrence, first, Fate::default(), gap, random);
    }

    fn profile(&mut self, first: Duration, occurrence: Occurrence, random: &mut fastrand::Rng) {
        self.timeout = Duration::from_secs(random.choice([30, 120]).unwrap_or(30));
        self.times.profile = self.times.profile.max(PROFILE_SEEN_WITHIN);
        let throttled = between(random, 0..=12_000);
        self.spell("CreateProfile", Fault::Throttled, first, throttled);
        let fate = Fate {
            crash: Some(Crash::After(throttled + between(random, 0..=2_500))),
            ..Fate::default()
        };
        let late = if random.bool() {
            throttled
        } else {
            Duration::ZERO
        };
        let gap = between(random, 55_000..=65_000) + late;
        self.twice(occurrence, first, fate, gap, random);
    }

    fn item(&mut self, first: Duration, occurrence: Occurrence, random: &mut fastrand::Rng) {
        self.times.item = self.times.item.max(ITEM_SHOWN_WITHIN);
        let slow = [Fault::SlowThere, Fault::LostBack, Fault::SlowBack];
        let slow = random.choice(slow).unwrap_or(Fault::SlowThere);
        if random.bool() {
            self.spell("CreateRelatedItem", slow, first, Duration::from_secs(3));
        }
        let ends = between(random, 150..=6_000);
        let fate = if random.bool() {
            Fate {
                crash: Some(Crash::After(ends)),
                ..Fate::default()
            }
        } else {
            Fate {
                remaining: Some(ends),
                ..Fate::default()
            }
        };
        let late = if random.bool() { ends } else { Duration::ZERO };
        let gap = between(random, 25_000..=35_000) + late;
        self.twice(occurrence, first, fate, gap, random);
    }

    fn down(
        &mut self,
        aim: Aim,
        first: Duration,
        occurrence: Occurrence,
        random: &mut fastrand::Rng,
    ) {
        let gap = between(random, 20_000..=90_000);
        let from = first + between(random, 100..=15_000);
        let length = between(random, 60_000..=180_000);
        let faults = [Fault::Unavailable, Fault::LostThere, Fault::Throttled];
        let fault = random.choice(faults).unwrap_or(Fault::Unavailable);
        let operations: &[&'static str] = match aim {
            Aim::Known => &["SearchProfiles"],
            _ => &[
                "DynamoDB.GetItem",
                "DynamoDB.PutItem",
                "DynamoDB.UpdateItem",
                "DynamoDB.DeleteItem",
            ],
        };
        for operation in operations {
            self.spell(operation, fault, from, length);
        }
        self.twice(occurrence, first, Fate::default(), gap, random);
    }
}
