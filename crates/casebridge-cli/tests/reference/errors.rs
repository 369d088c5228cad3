//! What an author reads when something is wrong: the diagnostics of a mapping, and the errors of an event.

use casebridge::error::Failure;
use casebridge::event::{Event, Payload};
use casebridge::request::CaseRequest;
use serde_json::{Value, json};

use super::markdown::{self, code, prose};
use super::{context, load};

const BROKEN: &str = "\
version: 1
cases:
  - name: order-failed
    trigger: eventbridge
    when:
      source: com.example.orders
    template: Order problem
    fields:
      title: Order {{ $.detail.order.id | uper }} failed
      Order number: $.detail.order.id
      Order totl: $.detail.order.amount
      Priority: Hihg
";

/// A mapping with diagnostics, and the diagnostics.
pub(crate) fn diagnostics() -> String {
    let diagnostics = load(BROKEN).expect_err("there are diagnostics");
    format!("```yaml\n{BROKEN}```\n\n```text\n{diagnostics}\n```")
}

/// A case mapping's entries beside its name and template, and the detail of an event that cannot become a case.
fn refusals() -> [(&'static str, Value); 10] {
    [
        ("fields: { title: \"{{ $.detail.name }}\" }", json!({})),
        (
            "fields: { title: A, Order total: $.detail.amount }",
            json!({ "amount": "about 40" }),
        ),
        (
            "fields: { title: A, Items: $.detail.items }",
            json!({ "items": ["kettle"] }),
        ),
        (
            "fields: { title: \"{{ $.detail.name | upper }}\" }",
            json!({ "name": 7 }),
        ),
        (
            "fields: { title: $.detail.name }",
            json!({ "name": "x".repeat(501) }),
        ),
        (
            "fields: { title: A, Order number: { value: $.detail.id, if_missing: skip } }",
            json!({}),
        ),
        ("fields: { title: A }\n    key: $.detail.id", json!({})),
        (
            "fields: { title: A }\n    tags: { city: $.detail.city }",
            json!({ "city": "Zürich" }),
        ),
        (
            "fields: { title: A }\n    customer: { find: [{ _email: $.detail.email }, { _phone: $.detail.phone }] }",
            json!({}),
        ),
        (
            "fields: { title: A }\n    customer: { find: [{ _account: $.detail.account }] }",
            json!({ "account": ["4711"] }),
        ),
    ]
}

/// The errors that such events meet, in the function's own words.
pub(crate) fn table() -> String {
    let rows: Vec<[String; 3]> = refusals()
        .iter()
        .map(|(entries, detail)| {
            let Failure {
                code: kind,
                message,
                field,
                ..
            } = refusal(entries, detail);
            let field = field.map(|field| code(&field)).unwrap_or_default();
            [code(kind.name()), field, prose(&message)]
        })
        .collect();
    markdown::table(["`errorCode`", "`errorField`", "`errorMessage`"], &rows)
}

fn refusal(entries: &str, detail: &Value) -> Failure {
    let template = if entries.contains("Order number") {
        "Order problem"
    } else {
        "Contact follow-up"
    };
    let mapping = load(&format!(
        "version: 1\ncases:\n  - name: a\n    trigger: eventbridge\n    template: {template}\n    {entries}\n"
    ))
    .unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let event = event(detail);
    let case = event.route(&mapping).expect("it takes every event");
    let refused = CaseRequest::assemble(case, &event, &context());
    refused.err().unwrap_or_else(|| panic!("{entries}: a case"))
}

fn event(detail: &Value) -> Event {
    let event = json!({ "source": "shop", "detail-type": "Order", "id": "1", "detail": detail });
    match Payload::parse(&event.to_string()) {
        Ok(Payload::Event(event)) => event,
        _ => panic!("one event"),
    }
}
