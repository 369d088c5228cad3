//! A panic costs the event that it happened in, and says its place and nothing else.

use std::sync::Once;

use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use casebridge::metrics::Metrics;
use casebridge::panics;
use serde_json::json;

use super::function::sdk_over;
use super::output::Output;
use super::{
    Function, batch, emulator, event, expect_error, expect_retryable, kept, message, read,
    read_json,
};

/// A title, at which the connector panics, and which it repeats in its panic.
const PANIC: &str = "canary8f2c";

/// The emulator, but for requests that name the title.
#[derive(Debug)]
struct Panics(SharedHttpConnector);

impl HttpConnector for Panics {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        let body = String::from_utf8_lossy(body).into_owned();
        if body.contains(PANIC) {
            return HttpConnectorFuture::new(async move { panic!("no case for {body}") });
        }
        self.0.call(request)
    }
}

/// A function whose calls panic for some events. Panics are noted as in the deployed function, and shown as in a test.
fn function() -> Function {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            panics::hook(panic);
            shown(panic);
        }));
    });
    let mapping = "
version: 1
cases:
  - name: order
    trigger: eventbridge
    template: Contact follow-up
    fields: { title: $.detail.order }
  - name: flow
    trigger: contact-flow
    template: Contact follow-up
    fields: { title: $.Parameters.subject }
";
    let snapshot = read("domain.json");
    let shipped = Function::new("mapping.yaml", mapping, &snapshot).expect("sound");
    let emulator = emulator(&snapshot);
    let client = emulator.http_client();
    let sdk = sdk_over(http_client_fn(move |settings, components| {
        SharedHttpConnector::new(Panics(client.http_connector(settings, components)))
    }));
    let domain_id = shipped.casebridge.context.domain_id.clone();
    Function {
        casebridge: super::casebridge(shipped.casebridge.mapping, &domain_id, &sdk),
        emulator,
        start: shipped.start,
    }
}

fn order(id: &str, order: &str) -> String {
    event(id, &json!({ "order": order }))
}

/// The sentence of a panic in this file.
fn names_the_place(sentence: &str) -> bool {
    sentence.contains("the function panicked at tests/function/panics.rs:")
        && !sentence.contains(PANIC)
}

#[tokio::test(start_paused = true)]
async fn a_flow_hears_of_a_panic_in_its_answer() {
    let (output, _guard) = Output::of_log();
    let function = function();
    let mut flow = read_json("events/contact-flow-voice.json");
    flow["Details"]["Parameters"] = json!({ "subject": PANIC });
    let answer = function.handle(&flow.to_string()).await;
    expect_retryable(&answer, "InternalError");
    assert_eq!(answer["mapping"], "flow");
    let sentence = answer["errorMessage"].as_str().expect("text");
    assert!(names_the_place(sentence), "{sentence}");
    let logged = output.text();
    assert!(!logged.contains(PANIC), "{logged}");
    let last = logged.lines().last().expect("a line");
    assert!(
        names_the_place(last) && last.contains(r#""error.code":"InternalError""#),
        "{last}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_that_panicked_is_an_error_for_lambda_to_retry() {
    let function = function();
    let error = function.handle(&order("e-1", PANIC)).await;
    expect_error(&error, "InternalError");
    let sentence = error["errorMessage"].as_str().expect("text");
    assert!(names_the_place(sentence), "{sentence}");
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_one_message_of_a_batch() {
    for queue in ["events", "events.fifo"] {
        let function = function();
        let messages = [("a", "A-1"), ("b", "A-2"), ("c", PANIC)];
        let messages = messages.map(|(id, title)| message(id, queue, &order(id, title)));
        let answer = function.handle(&batch(&messages)).await;
        assert_eq!(kept(&answer), ["c"]);
        assert_eq!(function.emulator.cases().len(), 2);
    }
}

/// A panic that is in no step of an event: here, where the event is counted.
#[tokio::test(start_paused = true)]
async fn a_panic_outside_an_event_costs_its_message_alone() {
    let mut function = function();
    let clock = function.casebridge.telemetry.clock.clone();
    let sink = |lines: &str| assert!(!lines.contains("UnrecognizedPayload"), "{PANIC}");
    let metrics = Metrics::new("Casebridge".to_owned(), "events".to_owned(), clock, sink);
    function.casebridge.telemetry.metrics = Some(metrics);
    let messages = [("a", order("a", "A-1")), ("b", "no event".to_owned())];
    let messages = messages.map(|(id, body)| message(id, "events", &body));
    let answer = function.handle(&batch(&messages)).await;
    assert_eq!(kept(&answer), ["b"]);
    assert_eq!(function.emulator.cases().len(), 1);
}
