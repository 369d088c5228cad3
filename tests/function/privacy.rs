//! No customer's word in any log, error or answer's text.

use casebridge::config::LogFormat;

use cases_emulator::Fault;
use serde_json::Value;

use super::output::Output;
use super::{Function, read_json, shipped_events};

/// Stands in for everything that a customer could have said.
const CANARY: &str = "canary8f2c";

/// Members that hold ids, kinds and the like: they may be logged.
const EXEMPT: [&str; 31] = [
    "AwsRegion",
    "Channel",
    "ContactId",
    "InitialContactId",
    "InitiationMethod",
    "InstanceARN",
    "LanguageCode",
    "PreviousContactId",
    "RelatedContactId",
    "account",
    "agentArn",
    "caseId",
    "channel",
    "contactArn",
    "contactId",
    "customEntity",
    "detail-type",
    "eventSource",
    "eventSourceARN",
    "eventType",
    "iamPrincipalArn",
    "id",
    "initialContactId",
    "instanceArn",
    "messageId",
    "previousContactId",
    "region",
    "request",
    "source",
    "time",
    "version",
];

/// Puts the canary into every text that a customer could have given; SQS bodies are opened.
fn plant(value: &mut Value, name: &str) -> usize {
    match value {
        Value::Object(members) => members
            .iter_mut()
            .map(|(name, value)| plant(value, name))
            .sum(),
        Value::Array(items) => items.iter_mut().map(|item| plant(item, name)).sum(),
        Value::String(text) if name == "body" => {
            let mut body: Value = serde_json::from_str(text).expect("a body of JSON");
            let planted = plant(&mut body, "");
            *text = body.to_string();
            planted
        }
        Value::String(text) if !EXEMPT.contains(&name) => {
            text.insert_str(0, CANARY);
            1
        }
        _ => 0,
    }
}

/// Mappings with each filter and selector as a field, a tag, a variable and a comment, for values of each type with the canary.
fn every_filter() -> Vec<(String, Value)> {
    let filters = [
        "default($.detail.list)",
        "missing_if($.detail.object)",
        "upper",
        "truncate(3)",
        "replace('a', 'b')",
        "extract('x(.)')",
        "prepend($.detail.list)",
        "append($.detail.object)",
        "url_encode",
        "split('c')",
        "join(', ')",
        "first",
        "last",
        "count",
        "sum",
        "lookup('none')",
        "number",
        "number(',')",
        "plus($.detail.text)",
        "minus(1)",
        "times(1e90)",
        "text",
        "boolean",
        "date('%Y')",
        "iso",
        "add_time('30d')",
        "from_json",
        "to_json",
    ];
    let references = [
        "$.detail.text",
        "$.detail.list",
        "$.detail.object",
        "$.detail.list[?@ == $.detail.text]",
        "$v",
        "$w.a",
        "$",
    ];
    let event = serde_json::json!({
        "source": "shop", "detail-type": "Order", "id": "1",
        "detail": { "text": CANARY, "list": [CANARY, { "a": CANARY }], "object": { (CANARY): CANARY } },
    });
    let mut mappings = Vec::new();
    for reference in references {
        for filter in filters {
            for if_invalid in ["fail", "comment"] {
                let value = format!("\"{{{{ {reference} | {filter} }}}}\"");
                for (variable, rest) in [
                    (
                        "$.detail.text",
                        format!("fields: {{ title: x, Attempts: {value}, Failed at: {value} }}"),
                    ),
                    (
                        "$.detail.text",
                        format!("tags: {{ t: {value} }}\n    fields: {{ title: x }}"),
                    ),
                    (
                        "$.detail.text | number",
                        format!("key: {value}\n    fields: {{ title: x }}"),
                    ),
                    (
                        "$.detail.text | from_json",
                        format!(
                            "link_contact: {value}\n    customer: {value}\n    fields: {{ title: x }}"
                        ),
                    ),
                ] {
                    mappings.push((
                        format!(
                            "version: 1\ntime_zone: Europe/Berlin\nif_invalid: {if_invalid}\ntables: {{ none: {{ a: b }} }}\ncases:\n  - name: n\n    trigger: eventbridge\n    variables: {{ v: {variable}, w: $.detail.object }}\n    when: {{ $v: [{{ exists: true }}, {{ exists: false }}] }}\n    template: Contact follow-up\n    {rest}\n"
                        ),
                        event.clone(),
                    ));
                }
            }
        }
    }
    // A mapping that is refused sees no event.
    mappings.retain(|(mapping, _)| {
        Function::new("mapping.yaml", mapping, &super::read("domain.json")).is_ok()
    });
    mappings
}

#[test]
fn nothing_of_an_event_reaches_a_log_at_any_level() {
    let output = Output::default();

    // For all threads: one that has no subscriber would teach the lines that they are not wanted.
    let subscriber = output.subscriber(LogFormat::Text, tracing::Level::TRACE);
    tracing::subscriber::set_global_default(subscriber).expect("the first");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let mut planted = 0;
    let mut said = String::new();
    for name in shipped_events() {
        let original = read_json(format!("events/{name}"));
        let mut event = original.clone();
        planted += plant(&mut event, "");
        for (payload, fault) in [
            (&event, None),
            (
                &event,
                Some(Fault::status(400, "ValidationException", CANARY)),
            ),
            (
                &original,
                Some(Fault::status(400, "ValidationException", CANARY)),
            ),
            (
                &original,
                Some(Fault::status(500, "InternalServerException", CANARY)),
            ),
            (
                &original,
                Some(Fault::status(409, "ConflictException", CANARY)),
            ),
        ] {
            let function = Function::shipped();
            if let Some(fault) = fault {
                function.inject(fault.on("CreateCase").times(100));
            }
            let mut answer = runtime.block_on(function.handle(&payload.to_string()));
            // The customer's ARN is given back to the flow that sent it.
            if let Some(members) = answer.as_object_mut() {
                members.remove("customerArn");
            }
            said.push_str(&answer.to_string());
        }
    }
    for (mapping, event) in every_filter() {
        let function = Function::of(&mapping);
        let answer = runtime.block_on(function.handle(&event.to_string()));
        said.push_str(&answer.to_string());
    }
    assert!(planted > 100, "{planted}");
    let logged = output.text();
    assert!(
        logged.contains("no case:") && logged.contains("created case"),
        "the log is not captured: {logged}"
    );
    assert!(
        logged.contains("cannot be computed"),
        "the filters were not reached"
    );
    for text in [&logged, &said] {
        let lines: Vec<&str> = text.lines().filter(|line| line.contains(CANARY)).collect();
        assert!(lines.is_empty(), "{lines:#?}");
    }
}
