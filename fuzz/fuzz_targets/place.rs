//! Whatever is wrong with a mapping, it is told at a place in the file, and can be printed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mapping::tree::Position;
use mapping::{LoadContext, lint};

fuzz_target!(|text: &str| {
    let alone = LoadContext {
        domain: None,
        ..fixtures::context()
    };
    for context in [fixtures::context(), alone] {
        for file in ["mapping.yaml", "mapping.json"] {
            let diagnostics = lint::check(file, text, context).diagnostics;
            let lines: Vec<usize> = text.split('\n').map(|line| line.chars().count()).collect();
            for diagnostic in &diagnostics.list {
                let (start, end) = (diagnostic.span.start, diagnostic.span.end);
                assert!(start <= end, "{diagnostic:?}");
                let Position { line, column } = start;
                let length = line.checked_sub(1).and_then(|line| lines.get(line));
                let inside = length.is_some_and(|length| (1..=length + 1).contains(&column));
                assert!(inside, "{diagnostic:?}");
                assert!(end.line <= lines.len(), "{diagnostic:?}");
            }
            let printed = diagnostics.to_string();
            assert!(printed.matches("\n  --> ").count() >= diagnostics.list.len());
        }
    }
});
