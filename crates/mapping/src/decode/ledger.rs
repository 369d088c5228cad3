//! How a case mapping uses the ledger: `window`, `on_existing`, `ledger_unavailable`.

use std::time::Duration;

use super::Decoder;
use crate::Trigger;
use crate::diagnostic::Diagnostic;
use crate::object::Object;
use crate::tree::{Kind, Node};
use crate::{LedgerUnavailable, LedgerUse, OnExisting};

const ON_EXISTING: [(&str, OnExisting); 2] = [
    ("return", OnExisting::Return),
    ("attach", OnExisting::Attach),
];

const UNAVAILABLE: [(&str, LedgerUnavailable); 2] = [
    ("fail", LedgerUnavailable::Fail),
    ("proceed", LedgerUnavailable::Proceed),
];

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// The units of a time, with the seconds that each has.
const UNITS: [(char, u64); 3] = [('m', MINUTE), ('h', 60 * MINUTE), ('d', DAY)];

/// The shortest and the longest window, in seconds: longer than any retry of an event, and short enough for a table's clock.
const SHORTEST: u64 = 10 * MINUTE;
const LONGEST: u64 = 3650 * DAY;

impl Decoder<'_> {
    pub(super) fn ledger(&mut self, object: &Object<'_>) -> Option<LedgerUse> {
        let window = object.get("window").map(|node| self.window(node));
        let on_existing = object
            .get("on_existing")
            .map(|node| self.word(node, &ON_EXISTING));
        let unavailable = object
            .get("ledger_unavailable")
            .map(|node| self.word(node, &UNAVAILABLE));
        let window = match window {
            Some(window) => Some(window?),
            None => None,
        };
        if let (Some(_), Some(Some(LedgerUnavailable::Proceed)), Some(node)) =
            (window, unavailable, object.get("ledger_unavailable"))
        {
            let message =
                "a `window` needs the ledger, so the case mapping cannot go on without it";
            let help = "leave `ledger_unavailable` out: with a `window` it is `fail`. each use of the key has a token of its own, which only the ledger knows";
            return self.refuse(Diagnostic::new(node.span, message).help(help));
        }
        // A window makes a new token for each use of the key, which only the ledger knows.
        let default = match window {
            Some(_) => LedgerUnavailable::Fail,
            None => LedgerUnavailable::Proceed,
        };
        Some(LedgerUse {
            window,
            on_existing: on_existing.unwrap_or(Some(OnExisting::Return))?,
            unavailable: unavailable.unwrap_or(Some(default))?,
            repeats_unseen: self.trigger == Some(Trigger::EventBridge),
        })
    }

    fn window(&mut self, node: &Node) -> Option<Duration> {
        let seconds = match &node.kind {
            Kind::Scalar(scalar) => seconds(&scalar.text),
            Kind::List(_) | Kind::Map(_) => None,
        };
        match seconds {
            Some(seconds @ SHORTEST..=LONGEST) => Some(Duration::from_secs(seconds)),
            Some(_) => {
                let message = "a window is ten minutes at least, and ten years at most";
                let help = "retries of an event may come a day later; `30d` leaves room";
                self.refuse(Diagnostic::new(node.span, message).help(help))
            }
            None => {
                let message = "`window` takes a number of days, hours or minutes";
                self.refuse(
                    Diagnostic::new(node.span, message).help("such as `30d`, `12h` or `45m`"),
                )
            }
        }
    }
}

fn seconds(text: &str) -> Option<u64> {
    UNITS.into_iter().find_map(|(unit, seconds)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(seconds)
    })
}
