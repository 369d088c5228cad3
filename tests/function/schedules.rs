//! Schedules of faults that once doubled or lost something, or made an answer untrue: each ends right.
//!
//! The ledger is on and `ledger_unavailable: fail` unless a test says otherwise, and every assumption of `docs/exactly-once.md` holds.

mod doubts;

use std::time::Duration;

use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use casebridge::failure_queue::FailureQueue;
use casebridge::ledger::Ledger;
use cases_emulator::{Fault, FaultKind};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::{Function, read, sdk};

const TABLE: &str = "ledger";
const MAPPING: &str = "
version: 1
cases:
  - name: order
    trigger: eventbridge
    when: { detail: { order: [{ exists: true }] } }
    template: Contact follow-up
    key: $.detail.order
    ledger_unavailable: fail
    customer:
      find: [{ _phone: $.detail.phone }]
      if_none: { create: { PhoneNumber: $.detail.phone } }
    link_contact: $.detail.contactArn
    comment: $.detail.comment
    fields: { title: Order }
  - name: flow
    trigger: contact-flow
    template: Contact follow-up
    ledger_unavailable: fail
    customer:
      find: [{ _phone: $.CustomerEndpoint.Address }]
      if_none: { create: { PhoneNumber: $.CustomerEndpoint.Address } }
    comment: $.Parameters.comment
    fields: { title: Call back }
";
const NOBODY: &str = "+15550100199";

/// With more for the case mapping of orders.
fn with(more: &str) -> String {
    MAPPING.replacen(
        "    fields: { title: Order }\n",
        &format!("    fields: {{ title: Order }}\n{more}"),
        1,
    )
}

fn function(more: &str) -> Function {
    of(&with(more))
}

/// With a ledger.
fn of(mapping: &str) -> Function {
    let mut function = Function::new("mapping.yaml", mapping, &read("domain.json")).expect("sound");
    function.emulator.add_table(TABLE);
    let sdk = sdk(&function.emulator);
    function.casebridge.ledger = Some(Ledger::new(&sdk, TABLE.to_owned()));
    function
}

/// With a ledger and a failure queue.
fn of_queue(mapping: &str) -> Function {
    let mut function = of(mapping);
    function.emulator.add_queue(FAILURES);
    let sdk = sdk(&function.emulator);
    function.casebridge.failure_queue = Some(FailureQueue::new(&sdk, FAILURES.to_owned()));
    function
}

/// A run that has `time` milliseconds, and whose environment dies after `lives` of them: nobody hears of it again.
async fn dies_after(lives: u64, function: &Function, payload: &str, time: u64) {
    let run = function.handle_within(payload, Duration::from_millis(time));
    assert!(timeout(Duration::from_millis(lives), run).await.is_err());
}

fn event(id: &str, order: &str, contact: &str, comment: &str) -> String {
    let contact = format!("arn:aws:connect:us-east-1:111122223333:instance/i-1/contact/{contact}");
    let detail = json!({
        "order": order, "phone": "+15550100142", "contactArn": contact, "comment": comment,
    });
    json!({ "source": "com.example.shop", "detail-type": "Order", "id": id, "detail": detail })
        .to_string()
}

fn flow(phone: &str) -> String {
    json!({ "Details": { "ContactData": {
        "ContactId": "c-1",
        "InstanceARN": "arn:aws:connect:us-east-1:111122223333:instance/i-1",
        "CustomerEndpoint": { "Address": phone, "Type": "TELEPHONE_NUMBER" },
    }, "Parameters": { "comment": "Call after six" } } })
    .to_string()
}

fn is_failure(answer: &Value, code: &str) {
    assert_eq!(answer["errorType"], code, "{answer}");
}

fn status(answer: &Value) -> [&str; 4] {
    ["status", "contactLinked", "commentAdded", "retryable"]
        .map(|name| answer[name].as_str().unwrap_or_default())
}

/// Cases, links, comments.
fn counts(function: &Function) -> [usize; 3] {
    let items = function.emulator.related_items();
    let kind = |kind: &str| items.iter().filter(|item| item["type"] == kind).count();
    [
        function.emulator.cases().len(),
        kind("Contact"),
        kind("Comment"),
    ]
}

fn ledger_items(function: &Function) -> usize {
    function.emulator.items(TABLE).len()
}

fn throttled(operation: &str) -> Fault {
    Fault::status(429, "ThrottlingException", "slow down").on(operation)
}

async fn advance(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

fn order() -> String {
    event("e-1", "A-1", "c-1", "one")
}

fn order_by(phone: &str) -> String {
    order().replace("+15550100142", phone)
}

const REFUSALS: [(u16, &str, &str); 3] = [
    (403, "AccessDeniedException", "AccessDenied"),
    (400, "ValidationException", "RequestRefused"),
    (404, "ResourceNotFoundException", "ResourceNotFound"),
];

/// The answer to `CreateCase` is cut after its effect, and the next attempt is refused.
fn refused_after_doubt(more: &str, status: u16, name: &str) -> Function {
    let function = function(more);
    let emulator = &function.emulator;
    emulator.set_token_lifetime(Duration::from_mins(6));
    emulator.set_search_lag(Duration::from_mins(1));
    emulator.inject(Fault::new(FaultKind::CloseAfter).on("CreateCase"));
    emulator.inject(Fault::status(status, name, "no").on("CreateCase"));
    function
}

#[tokio::test(start_paused = true)]
async fn a01_a_refusal_after_an_attempt_in_doubt_frees_nothing() {
    for (status, name, _) in REFUSALS {
        let function = refused_after_doubt("", status, name);
        is_failure(&function.handle(&order()).await, "OutcomeUnknown");
        assert_eq!(ledger_items(&function), 1, "{name}");
        advance(600).await;
        let again = function.handle(&order()).await;
        assert_eq!(self::status(&again), ["existing", "true", "true", "false"]);
        assert_eq!(counts(&function), [1, 1, 1], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a01_a_flow_hears_that_the_outcome_is_unknown_with_and_without_a_ledger() {
    for with_ledger in [true, false] {
        let mut function = refused_after_doubt("", 403, "AccessDeniedException");
        if !with_ledger {
            function.casebridge.ledger = None;
        }
        let answer = function.handle(&flow("+15550100142")).await;
        assert_eq!(
            [&answer["errorCode"], &answer["retryable"]],
            ["OutcomeUnknown", "true"],
            "{answer}"
        );
        advance(60).await;
        let answer = function.handle(&flow("+15550100142")).await;
        assert_ne!(answer["caseId"], "", "{answer}");
        assert_eq!(counts(&function)[0], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a01_a_refusal_in_doubt_is_answered_with_the_case_that_search_shows() {
    for with_ledger in [true, false] {
        let mut function = refused_after_doubt("", 403, "AccessDeniedException");
        function.emulator.set_search_lag(Duration::ZERO);
        if !with_ledger {
            function.casebridge.ledger = None;
        }
        let answer = function.handle(&flow("+15550100142")).await;
        assert_eq!(status(&answer), ["existing", "true", "true", "false"]);
        assert_eq!(counts(&function), [1, 1, 1]);
    }
}

/// The doubt ends when search would have shown the case: then the refusal is the answer, and the key is free.
#[tokio::test(start_paused = true)]
async fn a01_a_refusal_is_the_answer_when_the_doubt_is_over() {
    for (status, name, code) in REFUSALS {
        let function = function("");
        let emulator = &function.emulator;
        emulator.inject(Fault::new(FaultKind::CloseBefore).on("CreateCase"));
        emulator.inject(
            Fault::status(status, name, "no")
                .on("CreateCase")
                .times(1000),
        );
        is_failure(&function.handle(&order()).await, "OutcomeUnknown");
        advance(290).await;
        is_failure(&function.handle(&order()).await, "OutcomeUnknown");
        advance(21).await;
        is_failure(&function.handle(&order()).await, code);
        assert_eq!((counts(&function)[0], ledger_items(&function)), (0, 0));
    }
}

/// A search that was refused has shown nothing, however late it was.
#[tokio::test(start_paused = true)]
async fn a01_a_search_that_fails_ends_no_doubt() {
    let function = function("");
    let emulator = &function.emulator;
    emulator.set_token_lifetime(Duration::from_mins(6));
    emulator.inject(
        Fault::new(FaultKind::CloseAfter)
            .on("CreateCase")
            .times(1000),
    );
    let first = function
        .handle_within(&order(), Duration::from_secs(3))
        .await;
    is_failure(&first, "OutcomeUnknown");
    emulator.clear_faults();
    for (status, name, _) in REFUSALS {
        advance(400).await;
        emulator.inject(Fault::status(status, name, "no").on("SearchCases"));
        is_failure(&function.handle(&order()).await, "OutcomeUnknown");
        assert_eq!(ledger_items(&function), 1);
    }
    let answer = function.handle(&order()).await;
    assert_eq!(self::status(&answer), ["existing", "true", "true", "false"]);
    assert_eq!(counts(&function), [1, 1, 1]);
}

/// A run that died may have created the case, so a refusal of the next run is no proof that there is none.
#[tokio::test(start_paused = true)]
async fn a01_a_dead_run_leaves_a_doubt() {
    let function = function("");
    function.emulator.set_search_lag(Duration::from_mins(2));
    let hang = Fault::new(FaultKind::DelayAfter(Duration::from_mins(1)));
    function.emulator.inject(hang.on("CreateCase"));
    let payload = order();
    dies_after(1_000, &function, &payload, 20_000).await;
    let denied = Fault::status(403, "AccessDeniedException", "no");
    function.emulator.inject(denied.on("CreateCase"));
    advance(30).await;
    is_failure(&function.handle(&order()).await, "OutcomeUnknown");
    advance(120).await;
    let answer = function.handle(&order()).await;
    assert_eq!(answer["status"], "existing", "{answer}");
    assert_eq!(counts(&function), [1, 1, 1]);
}

/// The token is forgotten while `CreateCase` waits for quota: what the search missed has to be searched for again.
#[tokio::test(start_paused = true)]
async fn a02_a_takeover_searches_before_it_creates_and_again_after_a_minute() {
    for (death, wait, throttles) in [(2, 296, 4), (2, 290, 30), (25, 300, 8), (25, 274, 60)] {
        let function = function("");
        let emulator = &function.emulator;
        emulator.set_token_lifetime(Duration::from_mins(6));
        emulator.set_search_lag(Duration::from_mins(5));
        let lost = Fault::new(FaultKind::CloseAfter).on("CreateCase");
        emulator.inject(lost.times(1000));
        let first = function
            .handle_within(&order(), Duration::from_secs(death))
            .await;
        is_failure(&first, "OutcomeUnknown");
        emulator.clear_faults();
        advance(wait).await;
        emulator.inject(throttled("CreateCase").retry_after(2).times(throttles));
        let second = function
            .handle_within(&order(), Duration::from_mins(3))
            .await;
        assert_eq!(second["contactLinked"], "true", "{second}");
        assert_eq!(counts(&function), [1, 1, 1], "{death} {wait} {throttles}");
    }
}

#[tokio::test(start_paused = true)]
async fn a02_a_run_that_is_known_to_have_sent_nothing_leaves_nothing_to_search_for() {
    let function = function("");
    function
        .emulator
        .inject(throttled("CreateCase").times(1000));
    is_failure(
        &function
            .handle_within(&order_by(NOBODY), Duration::from_secs(5))
            .await,
        "Throttled",
    );
    function.emulator.clear_faults();
    let answer = function.handle(&order_by(NOBODY)).await;
    assert_eq!(answer["status"], "created", "{answer}");
    assert!(!function.calls().contains(&"SearchCases".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a03_another_occurrence_is_answered_with_the_case_and_nothing_else() {
    let function = function("");
    let first = function.handle(&order()).await;
    let second = function.handle(&event("e-2", "A-1", "c-2", "two")).await;
    assert_eq!(status(&first), ["created", "true", "true", "false"]);
    assert_eq!(
        status(&second),
        ["existing", "not_requested", "not_requested", "false"]
    );
    assert_eq!(second["caseId"], first["caseId"]);
    assert_eq!(counts(&function), [1, 1, 1]);
}

/// The first occurrence comes back to its own items, whoever comes between.
#[tokio::test(start_paused = true)]
async fn a03_only_the_first_occurrence_finishes_its_items() {
    let function = function("");
    function
        .emulator
        .inject(throttled("CreateRelatedItem").times(100_000));
    let first = function
        .handle_within(&order(), Duration::from_secs(5))
        .await;
    is_failure(&first, "ContactNotLinked");
    function.emulator.clear_faults();
    for _ in 0..2 {
        let second = function.handle(&event("e-2", "A-1", "c-2", "two")).await;
        assert_eq!(
            status(&second),
            ["existing", "not_requested", "not_requested", "false"]
        );
    }
    let again = function.handle(&order()).await;
    assert_eq!(status(&again), ["existing", "true", "true", "false"]);
    let items = function.emulator.related_items();
    let text = serde_json::to_string(&items).expect("JSON");
    assert!(
        text.contains("contact/c-1") && text.contains("\"one\""),
        "{text}"
    );
    assert_eq!(counts(&function), [1, 1, 1]);
}

/// Ownership passes while it is certain that no case was requested.
#[tokio::test(start_paused = true)]
async fn a03_the_next_occurrence_takes_a_key_that_has_no_case() {
    let function = function("");
    function
        .emulator
        .inject(throttled("CreateCase").times(100_000));
    let first = function
        .handle_within(&order_by(NOBODY), Duration::from_secs(5))
        .await;
    is_failure(&first, "Throttled");
    assert_eq!(ledger_items(&function), 1, "its profile was created");
    function.emulator.clear_faults();
    let other = event("e-2", "A-1", "c-2", "two").replace("+15550100142", NOBODY);
    let second = function.handle(&other).await;
    assert_eq!(status(&second), ["created", "true", "true", "false"]);
    let again = function.handle(&order_by(NOBODY)).await;
    assert_eq!(
        status(&again),
        ["existing", "not_requested", "not_requested", "false"]
    );
    assert_eq!(counts(&function), [1, 1, 1]);
}

/// An occurrence that meets a doubt makes the case certain, and leaves the items to the first.
#[tokio::test(start_paused = true)]
async fn a03_another_occurrence_that_settles_a_doubt_owns_nothing() {
    for (more, expected) in [
        ("", ["existing", "not_requested", "not_requested", "false"]),
        (
            "    on_existing: attach\n",
            ["existing", "true", "true", "false"],
        ),
    ] {
        let function = function(more);
        let lost = Fault::new(FaultKind::CloseAfter).on("CreateCase");
        function.emulator.inject(lost.times(1000));
        let first = function
            .handle_within(&order(), Duration::from_secs(5))
            .await;
        is_failure(&first, "OutcomeUnknown");
        function.emulator.clear_faults();
        let second = function.handle(&event("e-2", "A-1", "c-2", "two")).await;
        assert_eq!(status(&second), expected, "{second}");
        let again = function.handle(&order()).await;
        assert_eq!(status(&again), ["existing", "true", "true", "false"]);
        let each = if more.is_empty() { 1 } else { 2 };
        assert_eq!(counts(&function), [1, each, each]);
    }
}

#[tokio::test(start_paused = true)]
async fn a04_equal_words_of_two_occurrences_are_two_comments() {
    let function = function("    on_existing: attach\n");
    let words = "The customer called again";
    function.handle(&event("e-1", "A-1", "c-1", words)).await;
    advance(3600).await;
    let second = function.handle(&event("e-2", "A-1", "c-2", words)).await;
    assert_eq!(status(&second), ["existing", "true", "true", "false"]);
    assert_eq!(counts(&function), [1, 2, 2]);
    let looks = function
        .calls()
        .iter()
        .filter(|call| *call == "SearchRelatedItems")
        .count();
    assert_eq!(looks, 0, "a first claim of an occurrence need not look");
}

/// A run that died may have added its comment; an older one with the same words is another occurrence's.
#[tokio::test(start_paused = true)]
async fn a04_the_comment_of_another_occurrence_is_not_taken_for_ones_own() {
    let function = function("    on_existing: attach\n");
    let words = "The customer called again";
    function.handle(&event("e-1", "A-1", "c-1", words)).await;
    advance(3600).await;
    let second = event("e-2", "A-1", "c-2", words);
    let hang = Fault::new(FaultKind::Hang).on("CreateRelatedItem");
    function.emulator.inject(hang.times(2));
    dies_after(50, &function, &second, 5_000).await;
    advance(60).await;
    let again = function.handle(&second).await;
    assert_eq!(status(&again), ["existing", "true", "true", "false"]);
    assert_eq!(counts(&function), [1, 2, 2]);
}

/// The run of another occurrence that cannot claim its own item has the case all the same.
#[tokio::test(start_paused = true)]
async fn a04_an_occurrence_that_cannot_be_claimed_hears_of_its_case() {
    let function = function("    on_existing: attach\n");
    let first = function.handle(&order()).await;
    let second = event("e-2", "A-1", "c-2", "two");
    // The key itself is looked up, and its occurrence is not.
    function
        .emulator
        .inject(Fault::new(FaultKind::Delay(Duration::ZERO)).on("DynamoDB.PutItem"));
    let down = Fault::status(500, "InternalServerError", "down");
    function
        .emulator
        .inject(down.on("DynamoDB.PutItem").times(1000));
    let answer = function
        .handle_within(&second, Duration::from_secs(5))
        .await;
    is_failure(&answer, "ContactNotLinked");
    function.emulator.clear_faults();
    let again = function.handle(&second).await;
    assert_eq!(status(&again), ["existing", "true", "true", "false"]);
    assert_eq!(again["caseId"], first["caseId"]);
    assert_eq!(counts(&function), [1, 2, 2]);
}

/// A run whose look failed sent nothing, and knows no more than the run before it.
#[tokio::test(start_paused = true)]
async fn a04_a_look_that_failed_leaves_the_doubt() {
    let function = function("");
    function
        .emulator
        .set_related_item_lag(Duration::from_secs(30));
    let hang = Fault::new(FaultKind::DelayAfter(Duration::from_mins(1)));
    function
        .emulator
        .inject(hang.on("CreateRelatedItem").times(2));
    let payload = order();
    dies_after(50, &function, &payload, 5_000).await;
    advance(60).await;
    for operation in ["ListCasesForContact", "SearchRelatedItems"] {
        let down = Fault::status(503, "ServiceUnavailableException", "down");
        function.emulator.inject(down.on(operation).times(1000));
    }
    let second = function
        .handle_within(&payload, Duration::from_secs(5))
        .await;
    is_failure(&second, "ContactNotLinked");
    function.emulator.clear_faults();
    let third = function.handle(&payload).await;
    assert_eq!(status(&third), ["existing", "true", "true", "false"]);
    assert_eq!(counts(&function), [1, 1, 1]);
}

/// 409 says that the case is being merged, or that it has the contact: a look tells.
#[tokio::test(start_paused = true)]
async fn a05_a_conflict_is_no_link() {
    let function = function("");
    let merging = || {
        Fault::status(409, "ConflictException", "the case is being merged").on("CreateRelatedItem")
    };
    function.emulator.inject(merging().times(2));
    let first = function.handle(&order()).await;
    is_failure(&first, "ContactNotLinked");
    let again = function.handle(&order()).await;
    assert_eq!(status(&again), ["existing", "true", "true", "false"]);
    assert_eq!(counts(&function), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a05_a_merge_is_waited_for_a_quarter_of_an_hour() {
    let function = function("");
    let merging =
        Fault::status(409, "ConflictException", "the case is being merged").on("CreateRelatedItem");
    function.emulator.inject(merging.times(1000));
    is_failure(&function.handle(&order()).await, "ContactNotLinked");
    advance(890).await;
    is_failure(&function.handle(&order()).await, "ContactNotLinked");
    advance(10).await;
    let last = function.handle(&order()).await;
    assert_eq!(status(&last), ["existing", "false", "false", "false"]);
}

/// A queue's messages in one batch, received for the first time at a moment.
fn batch(bodies: &[(&str, String)], received: Option<Duration>) -> String {
    let records = bodies.iter().map(|(id, body)| {
        let received = received.map(
            |time| json!({ "ApproximateFirstReceiveTimestamp": time.as_millis().to_string() }),
        );
        json!({
            "messageId": id,
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:q.fifo",
            "body": body,
            "attributes": received,
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() }).to_string()
}

const FAILURES: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/failures";

/// A function whose events name the customer's profile themselves.
fn with_named_profile() -> Function {
    let mapping = "
version: 1
cases:
  - name: order
    trigger: eventbridge
    template: Contact follow-up
    key: $.detail.order
    customer: $.detail.profile
    fields: { title: Order }
  - name: flow
    trigger: contact-flow
    template: Contact follow-up
    customer: $.Parameters.profile
    fields: { title: Call back }
";
    of_queue(mapping)
}

fn profile_arn(id: &str) -> String {
    format!("arn:aws:profile:us-east-1:111122223333:domains/amazon-connect-example/profiles/{id}")
}

const GONE: &str = "00000000000000000000000000000000";

#[tokio::test(start_paused = true)]
async fn a07_a_customer_that_is_gone_blocks_no_queue() {
    let function = with_named_profile();
    let profiles = function.emulator.profiles();
    let good = profiles[0]["ProfileId"].as_str().expect("an id");
    let body = |order: &str, id: &str| {
        json!({ "source": "s", "detail-type": "t", "id": order,
            "detail": { "order": order, "profile": profile_arn(id) } })
        .to_string()
    };
    let messages = [("gone", body("A", GONE)), ("sound", body("B", good))];
    let messages = batch(&messages, None);
    let answer = function
        .handle_within(&messages, Duration::from_secs(30))
        .await;
    let kept = answer["batchItemFailures"].as_array().map(Vec::len);
    assert_eq!(kept, Some(2), "it may become visible yet: {answer}");
    advance(180).await;
    let sent = function.creations().len();
    let answer = function
        .handle_within(&messages, Duration::from_secs(30))
        .await;
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(function.creations().len(), sent + 2, "no quota is burnt");
    let aside = function.emulator.messages(FAILURES);
    assert_eq!(aside.len(), 1);
    assert!(
        aside[0].to_string().contains("CustomerNotFound"),
        "{aside:?}"
    );
    assert_eq!(counts(&function)[0], 1);
    function
        .handle_within(&messages, Duration::from_secs(30))
        .await;
    assert_eq!(
        function.creations().len(),
        sent + 3,
        "nor when it comes again"
    );
}

/// The minute counts from the first claim, whatever stops the runs between.
#[tokio::test(start_paused = true)]
async fn a07_the_wait_for_a_customer_is_not_begun_anew() {
    let function = with_named_profile();
    let order = json!({ "source": "s", "detail-type": "t", "id": "A",
        "detail": { "order": "A", "profile": profile_arn(GONE) } })
    .to_string();
    let short = Duration::from_secs(3);
    is_failure(
        &function.handle_within(&order, short).await,
        "CustomerNotVisible",
    );
    advance(30).await;
    function
        .emulator
        .inject(throttled("CreateCase").times(1000));
    is_failure(&function.handle_within(&order, short).await, "Throttled");
    function.emulator.clear_faults();
    advance(30).await;
    is_failure(
        &function.handle_within(&order, short).await,
        "CustomerNotFound",
    );
}

/// Without a ledger, a queue's own time of the first receive says how old the wait is.
#[tokio::test(start_paused = true)]
async fn a07_without_a_ledger_the_first_receive_counts() {
    for (received, kept) in [(Duration::from_mins(1), 1), (Duration::from_secs(66), 0)] {
        let mut function = with_named_profile();
        function.casebridge.ledger = None;
        let clock = super::TokioTime(Instant::now());
        let now = clock
            .now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970");
        function.casebridge.telemetry.clock = SharedTimeSource::new(clock);
        let body = json!({ "source": "s", "detail-type": "t", "id": "e-1",
            "detail": { "order": "A", "profile": profile_arn(GONE) } });
        let received = now.saturating_sub(received);
        let messages = batch(&[("gone", body.to_string())], Some(received));
        let answer = function
            .handle_within(&messages, Duration::from_secs(3))
            .await;
        let failures = answer["batchItemFailures"].as_array().map(Vec::len);
        assert_eq!(failures, Some(kept), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a07_a_flow_whose_customer_is_gone_stays_retryable() {
    let function = with_named_profile();
    let flow = json!({ "Details": { "ContactData": {
        "ContactId": "c-1",
        "InstanceARN": "arn:aws:connect:us-east-1:111122223333:instance/i-1",
    }, "Parameters": { "profile": profile_arn(GONE) } } })
    .to_string();
    for _ in 0..3 {
        let answer = function.handle(&flow).await;
        assert_eq!(
            [&answer["errorCode"], &answer["retryable"]],
            ["CustomerNotVisible", "true"],
            "{answer}"
        );
        advance(120).await;
    }
}

/// `CreateProfile` is throttled for ten seconds, takes effect, and its run dies: a minute counts from then.
#[tokio::test(start_paused = true)]
async fn a08_a_profile_is_waited_for_from_the_end_of_its_sending() {
    let function = function("");
    let known = function.emulator.profiles().len();
    function.emulator.set_profile_lag(Duration::from_mins(1));
    function
        .emulator
        .inject(throttled("CreateProfile").retry_after(2).times(5));
    let slow = Fault::new(FaultKind::DelayAfter(Duration::from_mins(1)));
    function.emulator.inject(slow.on("CreateProfile"));
    let payload = order_by(NOBODY);
    dies_after(11_000, &function, &payload, 30_000).await;
    for _ in 0..12 {
        advance(10).await;
        function
            .handle_within(&payload, Duration::from_secs(30))
            .await;
    }
    assert_eq!(function.emulator.profiles().len(), known + 1);
    assert_eq!(counts(&function), [1, 1, 1]);
}

/// A search that is older than the lease it waited for is begun again.
#[tokio::test(start_paused = true)]
async fn a08_a_search_is_repeated_after_a_wait() {
    let function = function("");
    let known = function.emulator.profiles().len();
    function.emulator.set_profile_lag(Duration::from_mins(1));
    let slow = Fault::new(FaultKind::DelayAfter(Duration::from_mins(10)));
    function.emulator.inject(slow.on("CreateProfile"));
    let payload = order_by(NOBODY);
    dies_after(50, &function, &payload, 120_000).await;
    advance(20).await;
    function
        .handle_within(&payload, Duration::from_mins(2))
        .await;
    assert_eq!(function.emulator.profiles().len(), known + 1);
    assert_eq!(counts(&function)[0], 1);
}

#[tokio::test(start_paused = true)]
async fn a10_a_finished_key_is_answered_while_customer_profiles_hangs() {
    let function = function("    on_existing: attach\n");
    function.handle(&order()).await;
    function.handle(&flow("+15550100142")).await;
    let down = Fault::new(FaultKind::Hang).on("SearchProfiles");
    function.emulator.inject(down.times(100_000));
    let begun = Instant::now();
    let again = function.handle(&flow("+15550100142")).await;
    assert_eq!(status(&again), ["existing", "true", "true", "false"]);
    let again = function.handle(&order()).await;
    assert_eq!(status(&again), ["existing", "true", "true", "false"]);
    let attached = function.handle(&event("e-2", "A-1", "c-2", "two")).await;
    assert_eq!(status(&attached), ["existing", "true", "true", "false"]);
    assert_eq!(begun.elapsed(), Duration::ZERO, "nobody waited");
}

/// A clock that is so much ahead of the others.
#[derive(Debug)]
struct Ahead(Instant, Duration);

impl TimeSource for Ahead {
    fn now(&self) -> std::time::SystemTime {
        super::TokioTime(self.0).now() + self.1
    }
}

#[tokio::test(start_paused = true)]
async fn a11_clocks_five_seconds_apart_link_once() {
    for skew in [0, 150, 900, 3000, 5000] {
        for (create, second_at) in [(1500, 1000), (2100, 2000)] {
            let one = function("");
            let start = Instant::now();
            one.emulator.set_related_item_lag(Duration::from_secs(1));
            let mut other = function("");
            let clock = Ahead(start, Duration::from_millis(skew));
            let sdk = sdk(&one.emulator).to_builder().time_source(clock).build();
            other = Function::with(
                other.casebridge.mapping,
                one.emulator.domain_id(),
                one.emulator.clone(),
            );
            other.casebridge.ledger = Some(Ledger::new(&sdk, TABLE.to_owned()));
            let slow = Fault::new(FaultKind::DelayAfter(Duration::from_millis(create)));
            one.emulator.inject(slow.on("CreateCase"));
            let payload = flow("+15550100142");
            let (first, second) = tokio::join!(one.handle(&payload), async {
                tokio::time::sleep(Duration::from_millis(second_at)).await;
                other.handle(&payload).await
            });
            assert_eq!(counts(&one), [1, 1, 1], "{skew} {create}: {first} {second}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a14_a_profile_that_is_known_not_to_exist_is_created_at_once() {
    let function = function("");
    let known = function.emulator.profiles().len();
    function
        .emulator
        .inject(throttled("CreateProfile").times(100));
    let first = function.handle(&flow(NOBODY)).await;
    assert_eq!(first["errorCode"], "Throttled", "{first}");
    function.emulator.clear_faults();
    advance(3).await;
    let second = function.handle(&flow(NOBODY)).await;
    assert_eq!(second["status"], "created", "{second}");
    assert_eq!(function.emulator.profiles().len(), known + 1);
}

/// The case exists, and then the customer becomes ambiguous: the case is the answer.
#[tokio::test(start_paused = true)]
async fn b01_a_known_case_is_answered_before_its_customer_is_looked_for() {
    let function = function("");
    function
        .emulator
        .inject(throttled("CreateRelatedItem").times(1000));
    let first = function
        .handle_within(&order(), Duration::from_secs(5))
        .await;
    is_failure(&first, "ContactNotLinked");
    function.emulator.clear_faults();
    let denied = Fault::status(400, "BadRequestException", "no").on("SearchProfiles");
    function.emulator.inject(denied.times(1000));
    let again = function.handle(&order()).await;
    assert_eq!(status(&again), ["existing", "true", "true", "false"]);
}

/// A deployment between two runs, whose mapping cannot make this event's request: the case is known all the same.
#[tokio::test(start_paused = true)]
async fn b01_a_known_case_is_answered_by_a_mapping_that_cannot_make_it() {
    let first = function("");
    let created = first.handle(&order()).await;
    assert_eq!(created["status"], "created", "{created}");
    let changed = MAPPING.replace("title: Order", "title: $.detail.subject");
    let mut second = Function::new("mapping.yaml", &changed, &read("domain.json")).expect("sound");
    second = Function::with(
        second.casebridge.mapping,
        first.emulator.domain_id(),
        first.emulator.clone(),
    );
    second.casebridge.ledger = Some(Ledger::new(&sdk(&first.emulator), TABLE.to_owned()));
    let again = second.handle(&order()).await;
    assert_eq!(status(&again), ["existing", "true", "true", "false"]);
    let unknown = second.handle(&event("e-2", "A-2", "c-1", "one")).await;
    is_failure(&unknown, "FieldMissing");
    assert_eq!(ledger_items(&second), 1);

    let lost = Fault::new(FaultKind::CloseAfter).on("CreateCase");
    first.emulator.inject(lost.times(1000));
    first.emulator.set_search_lag(Duration::from_mins(1));
    let other = event("e-3", "A-3", "c-1", "one");
    is_failure(
        &first.handle_within(&other, Duration::from_secs(3)).await,
        "OutcomeUnknown",
    );
    first.emulator.clear_faults();
    is_failure(&second.handle(&other).await, "OutcomeUnknown");
    advance(61).await;
    let found = second.handle(&other).await;
    assert_eq!(status(&found), ["existing", "false", "false", "false"]);
    let finished = first.handle(&other).await;
    assert_eq!(status(&finished), ["existing", "true", "true", "false"]);
    assert_eq!(counts(&first), [2, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn b02_the_second_answer_names_the_same_customer() {
    for more in ["", "    on_existing: attach\n"] {
        let function = function(more);
        let first = function.handle(&flow("+15550100142")).await;
        assert_ne!(first["customerArn"], "", "{first}");
        let second = function.handle(&flow("+15550100142")).await;
        assert_eq!(second["customerArn"], first["customerArn"], "{second}");
    }
}

/// Another request made the case, with another customer: the answer names the one that the case has.
#[tokio::test(start_paused = true)]
async fn b02_a_case_of_another_request_names_its_own_customer() {
    let mut function = function("");
    function.casebridge.ledger = None;
    let first = function.handle(&flow("+15550100142")).await;
    let denied = Fault::status(409, "ConflictException", "another request");
    function.emulator.inject(denied.on("CreateCase"));
    let other = flow(NOBODY);
    let second = function.handle(&other).await;
    assert_eq!(second["status"], "existing", "{second}");
    assert_eq!(second["customerArn"], first["customerArn"], "{second}");
}

/// The case was created by a run that died: search brings its customer along.
#[tokio::test(start_paused = true)]
async fn b02_a_case_that_is_found_names_its_customer() {
    let function = function("");
    let lost = Fault::new(FaultKind::CloseAfter).on("CreateCase");
    function.emulator.inject(lost.times(1000));
    function.handle(&flow("+15550100142")).await;
    function.emulator.clear_faults();
    let second = function.handle(&flow("+15550100142")).await;
    assert_eq!(second["status"], "existing", "{second}");
    assert_ne!(second["customerArn"], "", "{second}");
}

#[tokio::test(start_paused = true)]
async fn b09_a_ledger_that_fails_after_the_claim_stops_nothing() {
    let mapping = MAPPING.replace("ledger_unavailable: fail", "ledger_unavailable: proceed");
    let mut function =
        Function::new("mapping.yaml", &mapping, &read("domain.json")).expect("sound");
    function.emulator.add_table(TABLE);
    function.casebridge.ledger = Some(Ledger::new(&sdk(&function.emulator), TABLE.to_owned()));
    let down = Fault::status(500, "InternalServerError", "down");
    function
        .emulator
        .inject(down.on("DynamoDB.UpdateItem").times(1000));
    let answer = function
        .handle_within(&order_by(NOBODY), Duration::from_secs(5))
        .await;
    assert_eq!(status(&answer), ["created", "true", "true", "false"]);
}

/// The time that is kept to write to the ledger: services that hang until the end cost the next run no lease.
#[tokio::test(start_paused = true)]
async fn a_run_that_uses_all_its_time_still_leaves_the_key() {
    for (operation, code, left) in [
        ("SearchProfiles", "ServiceUnavailable", 0),
        ("CreateCase", "OutcomeUnknown", 1),
    ] {
        let function = function("");
        let slow = Fault::new(FaultKind::Delay(Duration::from_millis(50)));
        function
            .emulator
            .inject(slow.clone().on("DynamoDB.UpdateItem"));
        function.emulator.inject(slow.on("DynamoDB.DeleteItem"));
        let hang = Fault::new(FaultKind::Hang).on(operation);
        function.emulator.inject(hang.times(1000));
        let begun = Instant::now();
        let answer = function.handle(&flow("+15550100142")).await;
        assert_eq!(answer["errorCode"], code, "{answer}");
        assert!(begun.elapsed() <= Duration::from_millis(2500));
        let items = function.emulator.items(TABLE);
        assert_eq!(items.len(), left, "{items:?}");
        for item in &items {
            assert_eq!(item["in_progress_expiration"], 0, "{item}");
        }
        function.emulator.clear_faults();
        let again = function.handle(&flow("+15550100142")).await;
        assert_eq!(again["status"], "created", "{again}");
    }
}

/// Comments that were added are not added again, however soon the rest follows.
#[tokio::test(start_paused = true)]
async fn what_was_added_of_several_comments_is_known() {
    let mapping = MAPPING.replace(
        "title: Call back",
        "title: Call back, summary: { value: $.Parameters.notes, overflow: comment }",
    );
    let mut function =
        Function::new("mapping.yaml", &mapping, &read("domain.json")).expect("sound");
    function.emulator.add_table(TABLE);
    function.casebridge.ledger = Some(Ledger::new(&sdk(&function.emulator), TABLE.to_owned()));
    function
        .emulator
        .set_related_item_lag(Duration::from_secs(30));
    let mut payload: Value = serde_json::from_str(&flow("+15550100142")).expect("JSON");
    payload["Details"]["Parameters"]["notes"] = "word ".repeat(700).into();
    let payload = payload.to_string();
    // The link and the first comment go through.
    for _ in 0..2 {
        let through = Fault::new(FaultKind::Delay(Duration::ZERO));
        function.emulator.inject(through.on("CreateRelatedItem"));
    }
    function
        .emulator
        .inject(throttled("CreateRelatedItem").times(1000));
    let first = function.handle(&payload).await;
    assert_eq!(status(&first), ["created", "true", "false", "true"]);
    function.emulator.clear_faults();
    let again = function.handle(&payload).await;
    assert_eq!(status(&again), ["existing", "true", "true", "false"]);
    assert_eq!(counts(&function), [1, 1, 2]);
}

/// A comment that is refused for good takes none of the others along, whichever run adds them.
#[tokio::test(start_paused = true)]
async fn a_comment_that_is_refused_costs_no_other() {
    let mapping = MAPPING.replace(
        "title: Call back",
        "title: Call back, summary: { value: $.Parameters.notes, overflow: comment }",
    );
    for throttles in [0, 1000] {
        let mut function =
            Function::new("mapping.yaml", &mapping, &read("domain.json")).expect("sound");
        function.emulator.add_table(TABLE);
        function.casebridge.ledger = Some(Ledger::new(&sdk(&function.emulator), TABLE.to_owned()));
        let mut payload: Value = serde_json::from_str(&flow("+15550100142")).expect("JSON");
        payload["Details"]["Parameters"]["notes"] = "word ".repeat(700).into();
        let payload = payload.to_string();
        // The link goes through, and the first comment is refused.
        let through = Fault::new(FaultKind::Delay(Duration::ZERO));
        function.emulator.inject(through.on("CreateRelatedItem"));
        let refused = Fault::status(400, "ValidationException", "no");
        function.emulator.inject(refused.on("CreateRelatedItem"));
        function
            .emulator
            .inject(throttled("CreateRelatedItem").times(throttles));
        let first = function.handle(&payload).await;
        assert_eq!(
            [&first["commentAdded"], &first["retryable"]],
            ["false", if throttles == 0 { "false" } else { "true" }],
            "{first}"
        );
        function.emulator.clear_faults();
        let again = function.handle(&payload).await;
        assert_eq!(status(&again), ["existing", "true", "false", "false"]);
        assert_eq!(counts(&function), [1, 1, 1]);
    }
}
