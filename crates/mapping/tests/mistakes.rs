//! Mistakes that authors make, planted one at a time in a right mapping: `check` finds each at its line, with the words that help.

#![expect(clippy::expect_used, reason = "a test ends by panicking")]

use std::fmt::Write as _;

use mapping::LoadContext;
use mapping::domain::Domain;
use mapping::lint::{self, CheckReport, Places, Sample};

const MAPPING: &str =
    include_str!("../../../tests/cases/a_disputed_claim_of_an_insurer/mapping.yaml");
const DOMAIN: &str =
    include_str!("../../../tests/cases/a_disputed_claim_of_an_insurer/domain.json");
const EVENT: &str = include_str!("../../../tests/cases/a_disputed_claim_of_an_insurer/event.json");

/// A mistake, the right text, and the wrong text.
const MISTAKES: [(&str, &str, &str); 30] = [
    (
        "a line has one space less",
        "      Provider:",
        "     Provider:",
    ),
    (
        "a key stands at its parent's level",
        "      Dispute category: { value: $.detail.claim.decision.code, lookup: categories, default: Other }",
        "      Dispute category:\n      value: $.detail.claim.decision.code\n        lookup: categories",
    ),
    ("keys stand at the list's level", "    fields:", "  fields:"),
    ("a tab", "      Provider:", "\tProvider:"),
    ("a second document", "cases:", "---\ncases:"),
    (
        "a missing quote",
        "      Provider: $.detail.claim.provider.name",
        "      Provider: {{ $.detail.claim.provider.name }} ltd",
    ),
    ("a colon in text", "title: Claim {{", "title: Claim: {{"),
    (
        "words of a field's name",
        "      Claim number:",
        "      Claim no:",
    ),
    (
        "a part of an option's label",
        "value: P3 - standard",
        "value: P3",
    ),
    ("an inactive option", "default: Other", "default: Legacy"),
    (
        "a reference without `$.`",
        "      Provider: $.detail.claim.provider.name | default($.detail.claim.provider.npi)",
        "      Provider: detail.claim.provider.name",
    ),
    (
        "single braces",
        "title: Claim {{ $.detail.claim.id }}",
        "title: Claim { $.detail.claim.id }",
    ),
    (
        "braces of a shell",
        "title: Claim {{ $.detail.claim.id }}",
        "title: Claim ${detail.claim.id}",
    ),
    (
        "no braces",
        "title: Claim {{ $.detail.claim.id }}",
        "title: Claim $.detail.claim.id",
    ),
    (
        "a filter of another language",
        "| url_encode",
        "| encodeURIComponent",
    ),
    ("a filter in camel case", "| url_encode", "| toUpperCase"),
    (
        "an escape in single quotes",
        "| lookup('reasons') | join(', ')",
        "| lookup('reasons') | join('\\n')",
    ),
    ("curly quotes", "url | join(', ')", "url | join(“, ”)"),
    (
        "a comparison of another language",
        "[?@.disputed == true]",
        "[?@.billed > 100]",
    ),
    (
        "one equals sign",
        "[?@.disputed == true]",
        "[?@.disputed = true]",
    ),
    (
        "a member without `@.`",
        "[?@.disputed == true]",
        "[?disputed == true]",
    ),
    (
        "a variable that does not exist",
        "when: { $total:",
        "when: { $totals:",
    ),
    ("a sum in arithmetic signs", ".billed | sum", ".billed + 1"),
    (
        "a list in a text field",
        "      Provider: $.detail.claim.provider.name | default($.detail.claim.provider.npi)",
        "      Provider: $.detail.documents[*].url",
    ),
    (
        "words in a number field",
        "      Disputed amount: $.detail.claim.lines[?@.disputed == true].billed | sum",
        "      Disputed amount: USD {{ $.detail.claim.total }}",
    ),
    (
        "a question mark in a wildcard",
        "when: { $total: [{ numeric: [\">\", 1000] }] }",
        "when: { detail: { claim: { total: [{ wildcard: \"????.??\" }] } } }",
    ),
    (
        "a number compared with text",
        "when: { $total: [{ numeric: [\">\", 1000] }] }",
        "when: { detail: { claim: { total: [{ numeric: [\">\", 1000] }] } } }",
    ),
    (
        "a misspelt member in a pattern",
        "when: { $total: [{ numeric: [\">\", 1000] }] }",
        "when: { detail: { claims: { total: [\"5\"] } } }",
    ),
    (
        "a wrong path",
        "$.detail.claim.provider.npi",
        "$.detail.claim.practitioner.npi",
    ),
    (
        "the wrong root, behind a default",
        "$.detail.claim.provider.name | default($.detail.claim.provider.npi)",
        "$.claim.provider.name | default('unknown')",
    ),
];

/// Returns the diagnostics of a mapping, with the event as a sample.
fn check(text: &str) -> String {
    let domain = Domain::from_json(DOMAIN).expect("a snapshot");
    let context = LoadContext {
        domain: Some(&domain),
        entity_prefix: "casebridge/",
    };
    let CheckReport {
        mapping,
        mut diagnostics,
    } = lint::check("mapping.yaml", text, context);
    if let Some(mapping) = mapping {
        let event = serde_json::from_str(EVENT).expect("an event");
        let sample = Sample {
            name: "event.json",
            event: &event,
            case: "claim-disputed",
        };
        let found = Places::new("mapping.yaml", text, &mapping).check(&[sample]);
        diagnostics.list.extend(found);
    }
    let list = diagnostics.list.iter().map(|diagnostic| {
        let help = diagnostic.help.as_deref().unwrap_or("-");
        let line = diagnostic.span.start.line;
        format!("  line {line}: {}\n    {help}\n", diagnostic.message)
    });
    list.collect()
}

#[test]
fn every_mistake_is_found() {
    // The nurse and the days of the event are absent on purpose; `check` says so for this mapping without a mistake.
    let right = check(MAPPING);
    let mut shown = format!("no mistake\n{right}");
    for (name, old, new) in MISTAKES {
        assert!(MAPPING.contains(old), "{name}");
        let found = check(&MAPPING.replacen(old, new, 1));
        assert_ne!(found, right, "{name}");
        let shown_new = new.replace('\n', "⏎").replace('\t', "⇥");
        writeln!(shown, "\n{name}: {shown_new}").expect("a string");
        for line in found.lines().filter(|line| !right.contains(line)) {
            writeln!(shown, "{line}").expect("a string");
        }
    }
    insta::assert_snapshot!(shown);
}
