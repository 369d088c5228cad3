//! One log line for each event, and one for what is missing from its case. Ids and codes only.

use crate::outcome::{Done, Outcome, Skip, Step};
use crate::trigger::{Event, TriggerKind};

/// Writes what became of an event.
pub(super) fn log(event: &Event, outcome: &Outcome) {
    let contact = event.contact_id().unwrap_or_default();
    let id = event.text(&["id"]).unwrap_or_default();
    let mapping = outcome.mapping.as_deref().unwrap_or_default();
    let trigger = event.trigger.name();
    for step in [&outcome.contact, &outcome.comment] {
        if let Step::Missed { failure, .. } = step {
            tracing::warn!(
                trigger,
                mapping,
                contact.id = contact,
                event.id = id,
                error.code = failure.code.name(),
                "{failure}"
            );
        }
    }
    match &outcome.result {
        Ok(done @ (Done::Created(case) | Done::Existing(case))) => {
            let did = if matches!(done, Done::Created(_)) {
                "created"
            } else {
                "found"
            };
            tracing::info!(
                trigger,
                mapping,
                contact.id = contact,
                event.id = id,
                case.id = case.case_id,
                "{did} case {}",
                case.case_id
            );
        }
        Ok(Done::Skipped(Skip::NoCaseMapping)) if event.trigger == TriggerKind::ContactFlow => {
            tracing::warn!(
                trigger,
                contact.id = contact,
                "skipped: no case mapping takes what this flow sends"
            );
        }
        Ok(Done::Skipped(skip)) => tracing::info!(
            trigger,
            contact.id = contact,
            event.id = id,
            skip = skip.name(),
            "skipped: {}",
            skip.name()
        ),
        Err(failure) => {
            let (code, field) = (
                failure.code.name(),
                failure.field.as_deref().unwrap_or_default(),
            );
            tracing::error!(
                trigger,
                mapping,
                contact.id = contact,
                event.id = id,
                error.code = code,
                error.field = field,
                "no case: {failure}"
            );
        }
    }
}
