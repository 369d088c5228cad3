//! The customer before the case, the contact and the comments after it: what is sent, how often, and what is never sent twice.

use std::time::Duration;

use cases_emulator::{Fault, FaultKind};
use serde_json::json;
use tokio::time::Instant;

use super::{
    CREATED, Function, INSTANCE, KNOWN, NOBODY, advance, cut, down, event, expect_retryable,
    expect_status, flow, lost, members, throttled,
};

const MAPPING: &str = "
version: 1
cases:
  - name: flow
    trigger: contact-flow
    template: Contact follow-up
    customer:
      find: [{ _phone: $.CustomerEndpoint.Address }]
      if_none: { create: { PhoneNumber: $.CustomerEndpoint.Address } }
    fields: { title: Call back }
    comment: $.Parameters.comment
    return_reference: true
  - name: event
    trigger: eventbridge
    template: Contact follow-up
    fields: { title: Call back }
    link_contact: $.detail.contactArn
    comment: $.detail.comment
";

fn function() -> Function {
    Function::of(MAPPING)
}

/// The same without a reference number: the calls of the common path.
fn plain() -> Function {
    let mapping = MAPPING.replace("    return_reference: true\n", "");
    Function::of(&mapping)
}

fn call_back() -> String {
    let contact = format!("{INSTANCE}/contact/c-1");
    let detail = json!({ "contactArn": contact, "comment": "Call after six" });
    event("e-1", &detail)
}

#[tokio::test(start_paused = true)]
async fn a_flow_makes_three_calls() {
    let function = plain();
    let answer = function.handle(&flow(KNOWN, &json!({}))).await;
    assert_eq!(answer["contactLinked"], "true", "{answer}");
    assert_eq!(
        function.calls(),
        ["SearchProfiles", "CreateCase", "CreateRelatedItem"]
    );
}

#[tokio::test(start_paused = true)]
async fn slow_services_still_give_a_case_in_time() {
    let function = plain();
    function.inject(Fault::new(FaultKind::Delay(Duration::from_millis(800))).times(100));
    let begun = Instant::now();
    let remaining = Duration::from_secs(3);
    let answer = function
        .handle_within(&flow(KNOWN, &json!({})), remaining)
        .await;
    assert!(begun.elapsed() < remaining, "{:?}", begun.elapsed());
    assert_eq!(answer["status"], "created", "{answer}");
    assert_eq!(answer["caseId"], function.emulator.cases()[0]["caseId"]);
}

/// The case comes first: when no time is left for the contact, that is what the flow hears.
#[tokio::test(start_paused = true)]
async fn a_contact_that_no_time_is_left_for_is_reported() {
    let function = plain();
    let slow = Fault::new(FaultKind::Delay(Duration::from_millis(950)));
    function.inject(slow.times(100));
    let answer = function.handle(&flow(KNOWN, &json!({}))).await;
    let found = members(
        &answer,
        ["status", "contactLinked", "errorCode", "retryable"],
    );
    assert_eq!(
        found,
        ["created", "false", "ContactNotLinked", "true"],
        "{answer}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_reference_number_is_read_during_the_link() {
    let function = function();
    let answer = function.handle(&flow(KNOWN, &json!({}))).await;
    let case = &function.emulator.cases()[0];
    let fields = case["fields"].as_array().expect("fields");
    let number = fields
        .iter()
        .find(|field| field["id"] == "reference_number");
    assert_eq!(
        answer["referenceNumber"],
        number.expect("a number")["value"]["stringValue"]
    );
    function.inject(down("GetCase").times(100));
    let answer = function.handle(&flow(KNOWN, &json!({}))).await;
    let found = members(&answer, ["status", "referenceNumber", "errorCode"]);
    assert_eq!(found, ["created", "", ""], "{answer}");
}

/// An answer that got lost is looked up: the item is there, and is not sent again.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_about_an_item_is_looked_up() {
    for (parameters, member, look) in [
        (json!({}), "contactLinked", "ListCasesForContact"),
        (
            json!({ "comment": "Call after six" }),
            "commentAdded",
            "SearchRelatedItems",
        ),
    ] {
        for kind in [
            FaultKind::CloseAfter,
            FaultKind::DelayAfter(Duration::from_secs(9)),
        ] {
            let function = plain();
            function.inject(Fault::new(kind.clone()).on("CreateRelatedItem").times(2));
            let answer = function.handle(&flow(KNOWN, &parameters)).await;
            // An answer that never comes takes all the time there is; then nobody knows.
            let expected = if matches!(kind, FaultKind::CloseAfter) {
                "true"
            } else {
                "false"
            };
            assert_eq!(answer[member], expected, "{kind:?}: {answer}");
            assert_eq!(answer["status"], "created");
            let sent = function.bodies("CreateRelatedItem").len();
            assert_eq!(sent, function.emulator.related_items().len(), "{kind:?}");
            if expected == "true" {
                assert!(function.calls().iter().any(|call| call == look));
            }
        }
    }
}

/// Nobody knows whether a request that was cut off arrived: looking is all that is done about it.
#[tokio::test(start_paused = true)]
async fn an_item_that_is_in_doubt_is_not_sent_again() {
    let function = plain();
    function.inject(cut("CreateRelatedItem").times(2));
    let parameters = json!({ "comment": "Call after six" });
    let answer = function.handle(&flow(KNOWN, &parameters)).await;
    expect_status(&answer, ["created", "false", "false", "true"]);
    assert_eq!(function.bodies("CreateRelatedItem").len(), 2);
    assert_eq!(function.emulator.related_items().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_item_is_sent_again() {
    let function = plain();
    function.inject(throttled("CreateRelatedItem").times(2));
    let answer = function.handle(&flow(KNOWN, &json!({}))).await;
    assert_eq!(answer["contactLinked"], "true", "{answer}");
    assert_eq!(function.emulator.related_items().len(), 1);
}

/// An event that comes again, or that failed half way, ends with one link and one comment.
#[tokio::test(start_paused = true)]
async fn an_event_adds_each_item_once_however_often_it_comes() {
    let function = plain();
    function.inject(down("CreateRelatedItem"));
    let first = function.handle(&call_back()).await;
    assert!(
        ["ContactNotLinked", "CommentNotAdded"]
            .contains(&first["errorType"].as_str().unwrap_or_default()),
        "{first}"
    );
    for _ in 0..3 {
        let answer = function.handle(&call_back()).await;
        expect_status(&answer, CREATED);
    }
    assert_eq!(function.emulator.cases().len(), 1);
    assert_eq!(function.emulator.related_items().len(), 2);
}

/// `CreateProfile` has no token: a lost answer is a reason to search, never to create again.
#[tokio::test(start_paused = true)]
async fn a_profile_is_created_once() {
    let payload = flow(NOBODY, &json!({}));

    let function = plain();
    function.inject(lost("CreateProfile"));
    let answer = function.handle(&payload).await;
    assert_eq!(answer["status"], "created", "{answer}");
    assert_eq!(function.bodies("CreateProfile").len(), 1);

    let function = plain();
    let known = function.emulator.profiles().len();
    function.emulator.set_profile_lag(Duration::from_mins(1));
    function.inject(lost("CreateProfile"));
    let answer = function.handle(&payload).await;
    expect_retryable(&answer, "CustomerUnknown");
    assert_eq!(function.bodies("CreateProfile").len(), 1);
    advance(60).await;
    let answer = function.handle(&payload).await;
    assert_eq!(answer["status"], "created", "{answer}");
    assert_eq!(function.emulator.profiles().len(), known + 1);
}

/// Cases looks a profile up in an index that lags: the same request is sent until the time is up.
#[tokio::test(start_paused = true)]
async fn a_profile_that_cases_does_not_see_yet_is_waited_for() {
    let function = plain();
    function.emulator.set_profile_lag(Duration::from_mins(1));
    let answer = function.handle(&flow(NOBODY, &json!({}))).await;
    expect_retryable(&answer, "CustomerNotVisible");
    let sent = function.creations();
    assert!(sent.len() > 2, "{}", sent.len());
    assert!(sent.iter().all(|body| *body == sent[0]));
}
