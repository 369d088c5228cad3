//! The ledger of a world that has one: its table, and what the function is told of it.

use casebridge::config::Config;
use cases_emulator::Emulator;

use crate::Mode;
use crate::assumptions::Broken;
use crate::schedule::WINDOW;

/// `CASEBRIDGE_LEDGER_TABLE`.
const TABLE: &str = "casebridge-ledger";

/// Gives the world its table.
pub(crate) fn prepare(emulator: &Emulator) {
    emulator.add_table(TABLE);
}

/// Tells the function of its table, and the mapping what a ledger is good for: another contact of a conversation joins its case.
pub(crate) fn configure(config: &mut Config, mode: Mode, window: bool) {
    config.ledger_table = Some(TABLE.to_owned());
    let unavailable = if mode.broken == Some(Broken::LedgerOptional) {
        "proceed"
    } else {
        "fail"
    };
    let (template, key) = (
        "    template: Contact follow-up\n",
        "    key: [$.InitialContactId]\n",
    );
    let window = if window {
        format!("    window: {}m\n", WINDOW.as_secs() / 60)
    } else {
        String::new()
    };
    let text = &mut config.mapping.text;
    *text = text
        .replace(
            template,
            &format!("{template}    ledger_unavailable: {unavailable}\n{window}"),
        )
        .replace(key, &format!("{key}    on_existing: attach\n"));
}
