//! An event pattern and an event, with a NUL between them: any pattern is compiled or refused, and what is compiled gives a verdict.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mapping::json;
use mapping::pattern::{self, Pattern};

fuzz_target!(|text: &str| {
    let (pattern, event) = text.split_once('\0').unwrap_or((text, "{}"));
    if let Ok(node) = json::parse(pattern) {
        let _ = pattern::unquoted_ids(&node);
    }
    let event = serde_json::from_str(event).unwrap_or_default();
    for file in ["pattern.json", "pattern.yaml"] {
        match Pattern::read(file, pattern) {
            Ok(pattern) => assert_eq!(pattern.matches(&event), pattern.matches(&event)),
            Err(diagnostics) => assert!(!diagnostics.to_string().is_empty()),
        }
    }
});
