//! Whatever is wrong with a mapping, it is told at a place in the file, and can be printed.

#![no_main]

use mapping::tree::Position;
use mapping::{Mapping, Setting};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let alone = Setting {
        domain: None,
        ..fixtures::setting()
    };
    for setting in [fixtures::setting(), alone] {
        for file in ["mapping.yaml", "mapping.json"] {
            let findings = Mapping::examine(file, text, setting).findings;
            let lines: Vec<usize> = text.split('\n').map(|line| line.chars().count()).collect();
            for fault in &findings.list {
                let (start, end) = (fault.span.start, fault.span.end);
                assert!(start <= end, "{fault:?}");
                let Position { line, column } = start;
                let length = line.checked_sub(1).and_then(|line| lines.get(line));
                let inside = length.is_some_and(|length| (1..=length + 1).contains(&column));
                assert!(inside, "{fault:?}");
                assert!(end.line <= lines.len(), "{fault:?}");
            }
            let printed = findings.to_string();
            assert!(printed.matches("\n  --> ").count() >= findings.list.len());
        }
    }
});
