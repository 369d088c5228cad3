//! Any payload on its way to a request, as far as nothing is called: parsed, guarded, routed by the shipped mapping, assembled.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &str| {
    for event in fixtures::events(payload) {
        let _ = event.contact_id();
        if let Ok(None) = fixtures::GUARD.check(&event) {
            fixtures::assemble(&fixtures::MAPPING, &event);
        }
    }
});
