//! Any text as a mapping, in YAML and in JSON; one that is sound meets events.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mapping::Mapping;

fuzz_target!(|text: &str| {
    for file in ["mapping.yaml", "mapping.json"] {
        if let Ok(mapping) = Mapping::load(file, text, fixtures::context()) {
            for event in &*fixtures::EVENTS {
                fixtures::assemble(&mapping, event);
            }
        }
    }
});
