//! Time: the present is always the same number, and what lies behind a horizon is equally long ago.
//!
//! States that differ only by the time of day are then one state.

use ledger_protocol::relabel::{Moment, Relabelling};
use ledger_protocol::time::{CLOCK_SKEW, ITEM_LAG, LATE_EFFECT, SEARCH_LAG, TOKEN_AFTER_SEARCH};

/// The present, in milliseconds.
pub(crate) const NOW: u64 = 1_000_000_000;

/// The tolerated difference of clocks, in milliseconds. All limits are multiples of it, so that time moves in steps of it.
pub(crate) const SKEW: u64 = CLOCK_SKEW.as_secs() * 1000;

/// The time after its sender's end in which a request may still take effect.
pub(crate) const LATE: u64 = LATE_EFFECT.as_secs() * 1000;

/// The time after its creation in which a case may be missing from a search.
pub(crate) const SEARCH: u64 = SEARCH_LAG.as_secs() * 1000;

/// The time for which Cases remembers a client token.
pub(crate) const TOKEN: u64 = SEARCH + TOKEN_AFTER_SEARCH.as_secs() * 1000;

/// The time after its creation in which an item may be missing from its case.
pub(crate) const ITEM: u64 = ITEM_LAG.as_secs() * 1000;

/// Moves every time into the past.
pub(crate) struct Passing {
    /// The time that passes, in milliseconds.
    pub(crate) time: u64,
    /// The oldest time that is told apart.
    pub(crate) floor: u64,
    /// True if the model has comments.
    pub(crate) has_items: bool,
    /// True if the model has a window.
    pub(crate) has_window: bool,
}

impl Passing {
    /// Moves one time.
    pub(crate) fn apply(&self, time: &mut u64) {
        *time = time.saturating_sub(self.time).max(self.floor);
    }
}

impl Relabelling for Passing {
    fn time(&mut self, moment: Moment, time: &mut u64) {
        let is_read = match moment {
            // No model has a customer, a contact or a merge: only the presence of these times counts.
            Moment::CustomerSent | Moment::ContactSent | Moment::MergingSince => false,
            Moment::CommentsSent | Moment::Started => self.has_items,
            Moment::Claimed => self.has_window,
            Moment::LeaseEnds | Moment::Expires | Moment::Searched | Moment::CaseSent => true,
        };
        if is_read {
            self.apply(time);
        } else {
            *time = self.floor;
        }
    }

    fn owner(&mut self, _: &mut String) {}
}
