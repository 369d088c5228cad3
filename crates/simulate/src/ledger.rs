//! The ledger of a world that has one: its table, and what the function is told of it.

use std::fmt::Write as _;

use casebridge::config::Config;
use cases_emulator::Emulator;

use crate::schedule::WINDOW;

/// `CASEBRIDGE_LEDGER_TABLE`.
pub(crate) const TABLE: &str = "casebridge-ledger";

/// How the mapping uses the ledger.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Use {
    /// `window`: a key stands for one case only as long as [`WINDOW`].
    pub(crate) window: bool,
    /// `on_existing: attach`, where a key may have several occurrences.
    pub(crate) attach: bool,
    /// `ledger_unavailable: proceed`, which is what a mapping without a window gets that does not say.
    pub(crate) proceed: bool,
}

/// Gives the world its table.
pub(crate) fn prepare(emulator: &Emulator) {
    emulator.add_table(TABLE);
}

/// Tells the function of its table, and the mapping how to use it.
pub(crate) fn configure(
    config: &mut Config,
    Use {
        window,
        attach,
        proceed,
    }: Use,
) {
    config.ledger_table = Some(TABLE.to_owned());
    let mut uses = String::new();
    match (proceed, window) {
        (true, false) => {}
        (true, true) => uses.push_str("    ledger_unavailable: proceed\n"),
        (false, _) => uses.push_str("    ledger_unavailable: fail\n"),
    }
    if window {
        // Writing to a string cannot fail.
        let _ = writeln!(uses, "    window: {}m", WINDOW.as_secs() / 60);
    }
    let (template, several) = (
        "    template: Contact follow-up\n",
        "    # A key of these may have several occurrences.\n",
    );
    let text = &mut config.mapping.text;
    *text = text.replace(template, &format!("{template}{uses}"));
    if attach {
        *text = text.replace(several, "    on_existing: attach\n");
    }
}
