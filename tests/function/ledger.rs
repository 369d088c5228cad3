//! The ledger: one case per key for as long as its table remembers, whatever becomes of the runs that make it.

use std::collections::HashSet;
use std::time::Duration;

use cases_emulator::{DuplicateContact, Fault, FaultKind};
use serde_json::{Value, json};

use super::{
    EXISTING, Function, INSTANCE, KNOWN, NOBODY, TABLE, advance, down, event, expect_error,
    expect_retryable, expect_status, flow, hangs, lost, members,
};

const MAPPING: &str = "
version: 1
cases:
  - name: order
    trigger: eventbridge
    when: { detail: { order: [{ exists: true }] } }
    template: Contact follow-up
    key: $.detail.order
    customer:
      find: [{ _phone: $.detail.phone }]
      if_none: { create: { PhoneNumber: $.detail.phone } }
    link_contact: $.detail.contactArn
    comment: $.detail.comment
    fields: { title: Order }
  - name: flow
    trigger: contact-flow
    template: Contact follow-up
    comment: $.Parameters.comment
    fields: { title: Call back }
";

/// A function with a ledger, and with more lines in the first case mapping.
fn function(more: &str) -> Function {
    let fields = "    fields: { title: Order }\n";
    let mapping = MAPPING.replace(fields, &format!("{fields}{more}"));
    Function::of(&mapping).with_ledger()
}

fn order(id: &str, contact: &str) -> String {
    let detail = json!({
        "order": "A-1042",
        "phone": KNOWN,
        "contactArn": format!("{INSTANCE}/contact/{contact}"),
        "comment": "Call after six",
    });
    event(id, &detail)
}

fn call() -> String {
    flow(KNOWN, &json!({}))
}

fn call_back() -> String {
    flow(KNOWN, &json!({ "comment": "Call after six" }))
}

fn items(function: &Function) -> Vec<Value> {
    function.emulator.items(TABLE)
}

fn calls(function: &Function, operation: &str) -> usize {
    function.bodies(operation).len()
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_case_exists_is_answered_from_the_ledger() {
    let function = function("");
    let first = function.handle(&order("e-1", "c-1")).await;
    assert_eq!(first["status"], "created", "{first}");
    let again = function.handle(&order("e-1", "c-1")).await;
    expect_status(&again, EXISTING);
    assert_eq!(again["caseId"], first["caseId"]);
    assert_eq!(calls(&function, "CreateCase"), 1);
    assert_eq!(calls(&function, "CreateRelatedItem"), 2);
    assert_eq!(
        calls(&function, "ListCasesForContact"),
        0,
        "a first run knows that it is the first"
    );
}

/// The layout of Powertools' idempotency table, with ids and hashes alone.
#[tokio::test(start_paused = true)]
async fn an_item_holds_no_customer_data() {
    let function = function("    window: 30d\n");
    function.handle(&order("e-1", "c-1")).await;
    let [item] = items(&function).try_into().expect("one item");
    assert_eq!(item["status"], "COMPLETED");
    let names: HashSet<&str> = item
        .as_object()
        .expect("an item")
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "id",
        "status",
        "expiration",
        "data",
        "owner",
        "started",
        "writes",
        "generation",
    ];
    assert_eq!(names, HashSet::from(expected));
    let text = item.to_string();
    for secret in ["A-1042", "Call after six", KNOWN, "Order"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn ten_runs_at_once_make_one_case() {
    let function = function("");
    let payload = order("e-1", "c-1");
    let answers = futures_util::future::join_all((0..10).map(|_| function.handle(&payload))).await;
    let ids: HashSet<&str> = answers
        .iter()
        .filter_map(|answer| answer["caseId"].as_str())
        .collect();
    assert_eq!(
        (ids.len(), function.emulator.cases().len()),
        (1, 1),
        "{answers:?}"
    );
    assert_eq!(function.emulator.related_items().len(), 2);
    assert_eq!(calls(&function, "CreateCase"), 1);
}

/// A run that dies leaves its lease; the next one waits for its end, makes the case certain, and adds only what has had time to show.
#[tokio::test(start_paused = true)]
async fn a_run_that_died_is_taken_over() {
    for operation in ["CreateCase", "CreateRelatedItem", "DynamoDB.UpdateItem"] {
        let function = function("");
        let payload = order("e-1", "c-1");
        function.inject(Fault::new(FaultKind::DelayAfter(Duration::from_secs(9))).on(operation));
        function.dies_after(50, &payload, 5).await;
        let answer = function.handle(&payload).await;
        let is_open = ["ContactNotLinked", "CommentNotAdded"].map(Value::from);
        assert!(
            is_open.contains(&answer["errorType"]) || answer["status"] == "existing",
            "{operation}: {answer}"
        );
        advance(40).await;
        let answer = function.handle(&payload).await;
        assert_eq!(answer["status"], "existing", "{operation}: {answer}");
        assert_eq!(function.emulator.cases().len(), 1, "{operation}");
        assert_eq!(function.emulator.related_items().len(), 2, "{operation}");
        assert_eq!(items(&function)[0]["status"], "COMPLETED", "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flow_does_not_wait_longer_than_its_budget() {
    let function = function("");
    function.inject(hangs("CreateCase"));
    function.dies_after(50, &call(), 60).await;
    let answer = function.handle_for(1, &call()).await;
    expect_retryable(&answer, "InProgress");
    // The lease outlasts the budget by the tolerated skew.
    advance(5).await;
    let answer = function.handle(&call()).await;
    assert_eq!(answer["status"], "created", "{answer}");
}

#[tokio::test(start_paused = true)]
async fn what_failed_before_anything_was_sent_leaves_no_item() {
    let function = function("");
    function.inject(Fault::status(400, "BadRequestException", "no").on("SearchProfiles"));
    let answer = function.handle(&order("e-1", "c-1")).await;
    expect_error(&answer, "RequestRefused");
    assert_eq!(items(&function), [] as [Value; 0]);
}

/// Nobody knows whether the case exists: the lease ends at once, and the next run repeats the token.
#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_taken_over_at_once() {
    let function = function("");
    function.inject(
        Fault::status_after(500, "InternalServerException", "oh")
            .on("CreateCase")
            .times(1000),
    );
    let answer = function.handle_for(3, &order("e-1", "c-1")).await;
    expect_error(&answer, "OutcomeUnknown");
    let id = function.emulator.cases()[0]["caseId"].clone();
    function.emulator.clear_faults();
    let answer = function.handle_for(1, &order("e-1", "c-1")).await;
    assert_eq!(answer["caseId"], id, "{answer}");
}

/// Cases has forgotten the token by then, and search shows the case.
#[tokio::test(start_paused = true)]
async fn a_late_takeover_looks_for_the_tag() {
    let function = function("");
    function.emulator.set_token_lifetime(Duration::from_mins(5));
    function.emulator.set_search_lag(Duration::from_mins(4));
    function.always(lost("CreateCase"));
    let answer = function.handle_for(3, &order("e-1", "c-1")).await;
    expect_error(&answer, "OutcomeUnknown");
    function.emulator.clear_faults();
    advance(360).await;
    let answer = function.handle(&order("e-1", "c-1")).await;
    assert_eq!(answer["status"], "existing", "{answer}");
    assert_eq!(function.emulator.cases().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_window_makes_a_new_case_when_it_is_over() {
    let function = function("    window: 1h\n");
    let first = function.handle(&order("e-1", "c-1")).await;
    advance(3000).await;
    let within = function.handle(&order("e-1", "c-1")).await;
    assert_eq!(within["caseId"], first["caseId"]);
    advance(1200).await;
    let after = function.handle(&order("e-1", "c-1")).await;
    assert_eq!(after["status"], "created", "{after}");
    assert_ne!(after["caseId"], first["caseId"]);
    let creations = function.creations();
    let tags: HashSet<String> = creations
        .iter()
        .map(|body| body["tags"]["casebridge:key"].to_string())
        .collect();
    assert_eq!(tags.len(), 2);
    assert!(
        creations
            .iter()
            .all(|body| body["tags"]["casebridge:key"] == body["clientToken"])
    );
}

#[tokio::test(start_paused = true)]
async fn another_occurrence_of_a_key_may_attach_its_contact() {
    for (more, links) in [("", 1), ("    on_existing: attach\n", 2)] {
        let function = function(more);
        function
            .emulator
            .set_duplicate_contacts(DuplicateContact::Stored);
        let first = function.handle(&order("e-1", "c-1")).await;
        for _ in 0..3 {
            for (id, contact) in [("e-2", "c-2"), ("e-1", "c-1")] {
                let answer = function.handle(&order(id, contact)).await;
                assert_eq!(answer["status"], "existing", "{answer}");
                assert_eq!(answer["caseId"], first["caseId"]);
            }
        }
        assert_eq!(function.counts()[1], links, "{more}");
    }
}

/// An occurrence that joined the case of one window joins the case of the next window when it comes again.
#[tokio::test(start_paused = true)]
async fn each_window_has_its_own_attachments() {
    let function = function("    on_existing: attach\n    window: 1h\n");
    let first = function.handle(&order("e-1", "c-1")).await;
    advance(3000).await;
    function.handle(&order("e-2", "c-2")).await;
    advance(900).await;
    let second = function.handle(&order("e-1", "c-1")).await;
    assert_ne!(second["caseId"], first["caseId"], "{second}");
    let answer = function.handle(&order("e-2", "c-2")).await;
    assert_eq!(answer["contactLinked"], "true", "{answer}");
    assert_eq!(answer["caseId"], second["caseId"]);
    for case in [&first["caseId"], &second["caseId"]] {
        let items = function.emulator.related_items();
        let contacts = items
            .iter()
            .filter(|item| item["caseId"] == *case && item["type"] == "Contact");
        assert_eq!(contacts.count(), 2, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_is_down_stops_what_needs_it() {
    let first = function("");
    first.always(down("DynamoDB.PutItem"));
    let answer = first.handle(&call()).await;
    assert_eq!(answer["status"], "created", "{answer}");
    for more in ["    window: 30d\n", "    ledger_unavailable: fail\n"] {
        let function = function(more);
        function.always(down("DynamoDB.PutItem"));
        let answer = function.handle_for(5, &order("e-1", "c-1")).await;
        expect_error(&answer, "LedgerUnavailable");
        assert_eq!(function.emulator.cases().len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_from_a_case_is_all_that_is_done_again() {
    let function = function("");
    function.inject(down("CreateRelatedItem").times(2));
    let answer = function.handle(&order("e-1", "c-1")).await;
    expect_error(&answer, "ContactNotLinked");
    advance(60).await;
    let answer = function.handle(&order("e-1", "c-1")).await;
    expect_status(&answer, EXISTING);
    assert_eq!(calls(&function, "CreateCase"), 1);
    assert_eq!(function.emulator.related_items().len(), 2);
}

/// An item that got no answer is not sent again before the case would show it. The case is known meanwhile, and is the answer.
#[tokio::test(start_paused = true)]
async fn an_item_in_doubt_is_not_sent_again_before_it_would_show() {
    let function = function("");
    function
        .emulator
        .set_related_item_lag(Duration::from_secs(20));
    function.inject(
        Fault::status_after(500, "InternalServerException", "oh")
            .on("CreateRelatedItem")
            .times(2),
    );
    let first = function.handle(&call_back()).await;
    let found = members(&first, ["status", "commentAdded", "retryable"]);
    assert_eq!(found, ["created", "false", "true"], "{first}");

    for _ in 0..3 {
        let soon = function.handle(&call_back()).await;
        let found = members(&soon, ["status", "commentAdded", "retryable"]);
        assert_eq!(found, ["existing", "false", "true"], "{soon}");
        assert_eq!(soon["caseId"], first["caseId"]);
        advance(5).await;
    }
    assert_eq!(calls(&function, "CreateRelatedItem"), 2);
    advance(30).await;
    let later = function.handle(&call_back()).await;
    expect_status(&later, EXISTING);
    assert_eq!(function.emulator.related_items().len(), 2);
}

/// A run that died leaves the same doubt, until its lease was over for that long.
#[tokio::test(start_paused = true)]
async fn the_items_of_a_dead_run_are_waited_for() {
    let function = function("");
    let payload = order("e-1", "c-1");
    function.inject(hangs("CreateRelatedItem").times(2));
    function.dies_after(50, &payload, 5).await;
    advance(25).await;
    let answer = function.handle(&payload).await;
    expect_error(&answer, "ContactNotLinked");
    assert_eq!(calls(&function, "CreateRelatedItem"), 2);
    advance(21).await;
    let answer = function.handle(&payload).await;
    assert_eq!(answer["contactLinked"], "true", "{answer}");
    assert_eq!(function.emulator.related_items().len(), 2);
}

/// A profile has no token: one that a dead run may have created is waited for.
#[tokio::test(start_paused = true)]
async fn a_profile_of_a_dead_run_is_waited_for() {
    let function = function("");
    let known = function.emulator.profiles().len();
    function.emulator.set_profile_lag(Duration::from_mins(2));
    let payload = order("e-1", "c-1").replace(KNOWN, NOBODY);
    function.inject(Fault::new(FaultKind::DelayAfter(Duration::from_secs(9))).on("CreateProfile"));
    function.dies_after(50, &payload, 5).await;
    let answer = function.handle(&payload).await;
    expect_error(&answer, "OutcomeUnknown");
    advance(120).await;
    let answer = function.handle(&payload).await;
    assert_eq!(answer["status"], "created", "{answer}");
    assert_eq!(function.emulator.profiles().len(), known + 1);
}
