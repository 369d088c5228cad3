//! The cost of the mapping for each event, step by step: `cargo bench -p bench`.
//!
//! | bench | what grows |
//! | --- | --- |
//! | `trigger` | the event's bytes |
//! | `route` | the case mappings before the one that takes the event |
//! | `fields` | the fields of the case |
//! | `whole` | the event's bytes, through all of it: trigger, route, a request of 20 fields |

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up fails"
)]

use std::fmt::Write as _;

use casebridge::event::{Event, Payload};
use casebridge::request::{CaseRequest, RequestContext};
use divan::{Bencher, black_box};
use mapping::{LoadContext, Mapping};
use serde_json::{Value, json};

fn main() {
    divan::main();
}

const KIB: usize = 1024;

/// One event after the other, from JSON to an event.
#[divan::bench(args = [2, 64, 256])]
fn trigger(bencher: Bencher<'_, '_>, kib: usize) {
    let payload = payload(kib * KIB);
    bencher.bench(|| Payload::parse(black_box(&payload)).is_ok());
}

/// The last of so many case mappings takes the event.
#[divan::bench(args = [1, 10, 100])]
fn route(bencher: Bencher<'_, '_>, cases: usize) {
    let (mapping, event) = (mapping(cases, 1), event(2 * KIB));
    assert_eq!(
        event.route(&mapping, "").expect("the last one").name,
        format!("case-{}", cases - 1)
    );
    bencher.bench(|| black_box(&event).route(&mapping, "").is_some());
}

/// A request of so many fields, the key's hash and the tags among it.
#[divan::bench(args = [5, 20, 100, 220])]
fn fields(bencher: Bencher<'_, '_>, count: usize) {
    let (mapping, event, context) = (mapping(1, count), event(2 * KIB), context());
    assert_eq!(request(&mapping, &event, &context).fields.len(), count);
    bencher.bench(|| request(&mapping, black_box(&event), &context));
}

/// From JSON to a request of 20 fields.
#[divan::bench(args = [2, 64, 256])]
fn whole(bencher: Bencher<'_, '_>, kib: usize) {
    let (mapping, payload, context) = (mapping(1, 20), payload(kib * KIB), context());
    bencher.bench(|| {
        let event = parsed(black_box(&payload));
        request(&mapping, &event, &context)
    });
}

fn request(mapping: &Mapping, event: &Event, context: &RequestContext) -> CaseRequest {
    let case_mapping = event.route(mapping, "").expect("it takes the event");
    let assembled = CaseRequest::assemble(case_mapping, event, context);
    assembled.expect("the event has every value")
}

fn parsed(payload: &str) -> Event {
    match Payload::parse(payload).expect("an event") {
        Payload::Event(event) => event,
        Payload::Events(_) | Payload::Batch(_) => unreachable!("the event is one"),
    }
}

fn event(bytes: usize) -> Event {
    parsed(&payload(bytes))
}

/// An EventBridge event of about this size: what is asked for comes last, after items that nobody asks for.
fn payload(bytes: usize) -> String {
    let item = |number: usize| {
        json!({
            "sku": format!("kettle-{number}"),
            "quantity": number,
            "price": 19.90,
            "url": format!("https://shop.example.com/products/kettle-{number}"),
        })
    };
    let with = |items: Vec<Value>| {
        json!({
            "version": "0",
            "id": "d27b5e80-3f9c-4c61-8a4d-96e1f0b7c352",
            "detail-type": "Order Failed",
            "source": "com.example.orders",
            "account": "111122223333",
            "time": "2026-11-22T08:41:09Z",
            "region": "us-east-1",
            "detail": {
                "items": items,
                "order": { "id": "b-2207", "amount": 629.90, "paid": false },
                "failure": { "code": "card_declined", "reason": "The card was declined by the issuing bank" },
            },
        })
        .to_string()
    };
    let empty = with(Vec::new()).len();
    let each = item(100).to_string().len() + 1;
    with((0..bytes.saturating_sub(empty) / each).map(item).collect())
}

/// So many case mappings, of which the last takes the event, with so many fields of every type.
fn mapping(cases: usize, fields: usize) -> Mapping {
    let mut text = String::from("version: 1\nperformed_by: casebridge/{{ $$.mapping }}\ncases:\n");
    for case in 0..cases {
        let reason = if case + 1 == cases {
            "card_declined".to_owned()
        } else {
            format!("reason-{case}")
        };
        writeln!(
            text,
            "  - name: case-{case}\n    trigger: eventbridge\n    when: {{ source: [com.example.orders], detail: {{ failure: {{ code: [{reason}] }} }} }}\n    template: 6800e67e-527f-4da6-96ec-4c60da8f3fe2\n    tags: {{ team: orders }}\n    fields:"
        )
        .unwrap();
        // The one field that every template requires.
        text.push_str("      title: Order {{ $.detail.order.id | upper }} failed\n");
        for field in 1..fields {
            let value = match field % 5 {
                0 => {
                    "text: \"Order {{ $.detail.order.id | upper }} failed: {{ $.detail.failure.reason | truncate(60) }}\""
                }
                1 => "text: $.detail.order.id",
                2 => "number: $.detail.order.amount",
                3 => "boolean: $.detail.order.paid",
                _ => "date_time: $.time",
            };
            writeln!(
                text,
                "      00000000-0000-4000-8000-{field:012x}: {{ {value} }}"
            )
            .unwrap();
        }
    }
    let context = LoadContext {
        domain: None,
        entity_prefix: "casebridge/",
    };
    match Mapping::load("mapping.yaml", &text, context) {
        Ok(mapping) => mapping,
        Err(diagnostics) => unreachable!("{diagnostics}"),
    }
}

fn context() -> RequestContext {
    RequestContext {
        domain_id: "3ceaaf30-8142-48ea-91d9-3080f9b439fc".to_owned(),
        domain_arn: None,
        entity_prefix: "casebridge/".to_owned(),
        profiles: None,
    }
}
