//! The diagnostics of `check`: fifteen errors in one run, and every warning.

use mapping::domain::Domain;
use mapping::{CheckReport, LoadContext, lint};

use super::read;

fn examine(text: &str) -> CheckReport {
    let domain = Domain::from_json(&read("domain.json")).expect("sound");
    let context = LoadContext {
        domain: Some(&domain),
        entity_prefix: "casebridge/",
    };
    lint::check("mapping.yaml", text, context)
}

fn printed(examination: &CheckReport) -> String {
    let codes: Vec<String> = examination
        .diagnostics
        .list
        .iter()
        .map(|diagnostic| diagnostic.code.name())
        .collect();
    format!("{}\n\n{}", examination.diagnostics, codes.join(" "))
}

#[test]
fn fifteen_faults_are_fifteen_diagnostics() {
    let examination = examine(
        r#"version: 2
performed_by: service/{{ $$.mapping }}
tables:
  reasons: { no_stock: Stok }
tags:
  aws:team: orders
cases:
  - name: order
    trigger: event-bridge
    when: { detail: { amount: [{ numeric: [">", "5"] }] } }
    template: Order problm
    feilds: {}
    key: [$.detail..id]
    fields:
      title: "{{ $.detail.id | uper }}"
      Order total: many
      Priority: Urgent
      Failure reason: { value: $.detail.code, lookup: reasons }
      Langauge: en
      Attempts: { value: $.detail.n, overflow: truncate }
      Order number: $.detail.id
      9dfb369b-ab13-4fae-a276-55daa05f1119: B
  - name: flow
    trigger: contact-flow
    template: Contact follow-up
    fields:
      title: "{{ $.External.subject }}"
"#,
    );
    assert!(examination.mapping.is_none());
    assert!(
        examination.diagnostics.list.len() >= 15,
        "{}",
        examination.diagnostics.list.len()
    );
    insta::assert_snapshot!(printed(&examination));
}

#[test]
fn warnings_stop_nothing() {
    let examination = examine(
        r#"version: 1
tables:
  unused: { a: b }
  kinds: { refund: refunds }
cases:
  - name: order
    trigger: eventbridge
    when: { sorce: [com.example.orders], Attributes: { a: [b] } }
    template: Order problem
    fields:
      title: "{{ $.detal.id | truncate(60) }}"
      Order number: { value: $.detail.id, if_missing: skip }
      Language: { value: $.detail.language, default: en-US, if_missing: skip }
      Conversation notes: { value: $.detail.notes | truncate(100), overflow: truncate }
  - name: any
    trigger: contact-flow
    template: Contact follow-up
    key: [$.Attributes.order | upper]
    tags:
      team: team {{ $.Attributes.team }}
      kind: $.Attributes.kind | lookup('kinds')
    fields: { title: $.Atributes.subject }
  - name: never
    trigger: contact-flow
    when: { Channel: [VOICE] }
    template: Contact follow-up
    fields: { title: Call }
"#,
    );
    assert!(examination.mapping.is_some());
    assert!(!examination.diagnostics.has_errors());
    insta::assert_snapshot!(printed(&examination));
}

#[test]
fn nothing_is_said_of_what_is_shipped() {
    let examination = examine(&read("mapping.yaml"));
    assert!(
        examination.diagnostics.list.is_empty(),
        "{}",
        examination.diagnostics
    );
}
