//! Schedules of deaths, delays, lost answers and skewed clocks, at the very limits of the assumptions of `docs/exactly-once.md`: each ends right.

use std::time::Duration;

use aws_smithy_async::time::TimeSource;
use casebridge::failure_queue::FailureQueue;
use casebridge::ledger::Ledger;
use cases_emulator::{DuplicateContact, Fault, FaultKind};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::super::{Function, read, sdk};
use super::{
    FAILURES, MAPPING, NOBODY, TABLE, advance, counts, dies_after, event, flow, of_queue, order,
    order_by, status, throttled, with,
};

/// Clocks that differ from the emulator's by so many seconds, its start being now.
#[derive(Debug)]
struct Off(Instant, i64);

impl TimeSource for Off {
    fn now(&self) -> std::time::SystemTime {
        let now = super::super::TokioTime(self.0).now();
        let off = Duration::from_secs(self.1.unsigned_abs());
        if self.1 < 0 { now - off } else { now + off }
    }
}

thread_local! {
    /// When the first environment of the test was made.
    static START: std::cell::Cell<Option<Instant>> = const { std::cell::Cell::new(None) };
}

fn started() -> Instant {
    START.get().expect("an environment")
}

fn made_of(mapping: &str) -> Function {
    START.set(Some(Instant::now()));
    of_queue(mapping)
}

fn function(more: &str) -> Function {
    made_of(&with(more))
}

fn no_ledger(mapping: &str) -> Function {
    let mut function = made_of(mapping);
    function.casebridge.ledger = None;
    function
}

/// Another environment at the same services, with a mapping and a clock of its own. `start` is when the first was made.
fn beside(one: &Function, mapping: &str, start: Instant, off: i64) -> Function {
    let made = Function::new("mapping.yaml", mapping, &read("domain.json")).expect("sound");
    let mut other = Function::with(
        made.casebridge.mapping,
        one.emulator.domain_id(),
        one.emulator.clone(),
    );
    let sdk = sdk(&one.emulator)
        .to_builder()
        .time_source(Off(start, off))
        .build();
    other.casebridge.failure_queue = Some(FailureQueue::new(&sdk, FAILURES.to_owned()));
    if one.casebridge.ledger.is_some() {
        other.casebridge.ledger = Some(Ledger::new(&sdk, TABLE.to_owned()));
    }
    other
}

fn batch(bodies: &[(&str, String)]) -> String {
    let records = bodies.iter().map(|(id, body)| {
        json!({ "messageId": id, "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:q", "body": body })
    });
    json!({ "Records": records.collect::<Vec<_>>() }).to_string()
}

fn code(answer: &Value) -> &str {
    let code = |name: &str| answer[name].as_str().filter(|code| !code.is_empty());
    code("errorType").or(code("errorCode")).unwrap_or_default()
}

fn denied(operation: &str) -> Fault {
    Fault::status(403, "AccessDeniedException", "no").on(operation)
}

fn invalid(operation: &str) -> Fault {
    Fault::status(400, "ValidationException", "no").on(operation)
}

/// The worst lags that the page allows.
fn at_the_limits(function: &Function) {
    let emulator = &function.emulator;
    emulator.set_token_lifetime(Duration::from_mins(6));
    emulator.set_search_lag(Duration::from_mins(5));
    emulator.set_profile_lag(Duration::from_mins(1));
    emulator.set_related_item_lag(Duration::from_secs(30));
}

/// `CreateCase` takes effect and its run dies.
async fn dies_after_create_case(function: &Function, payload: &str, time: u64) {
    let slow = Fault::new(FaultKind::DelayAfter(Duration::from_mins(20)));
    function.emulator.inject(slow.on("CreateCase"));
    dies_after(900, function, payload, 1000 * time).await;
    function.emulator.clear_faults();
    assert_eq!(counts(function)[0], 1);
}

// Searches that fail

/// The answer to `CreateCase` is lost, and more than 310 s later the search by tag is throttled: the doubt stays.
#[tokio::test(start_paused = true)]
async fn a_search_that_was_throttled_ends_no_doubt() {
    let function = function("");
    at_the_limits(&function);
    let emulator = &function.emulator;
    emulator.inject(
        Fault::new(FaultKind::CloseAfter)
            .on("CreateCase")
            .times(1000),
    );
    let first = function
        .handle_within(&order(), Duration::from_secs(5))
        .await;
    assert_eq!(code(&first), "OutcomeUnknown", "{first}");
    emulator.clear_faults();
    advance(400).await;
    emulator.inject(throttled("SearchCases").times(1000));
    let second = function
        .handle_within(&order(), Duration::from_secs(5))
        .await;
    emulator.clear_faults();
    let third = function.handle(&order()).await;
    assert_eq!(
        (code(&second), status(&third)[0], counts(&function)[0]),
        ("OutcomeUnknown", "existing", 1),
        "{second} {third}"
    );
}

/// The same, and the search is refused: nothing is put aside while a case may exist.
#[tokio::test(start_paused = true)]
async fn a_search_that_was_refused_ends_no_doubt() {
    let function = function("");
    at_the_limits(&function);
    dies_after_create_case(&function, &order(), 5).await;
    advance(400).await;
    function.emulator.inject(denied("SearchCases").times(1000));
    let answer = function.handle(&batch(&[("m-1", order())])).await;
    let kept = answer["batchItemFailures"].as_array().map(Vec::len);
    let aside = function.emulator.messages(FAILURES);
    assert_eq!((kept, aside.len()), (Some(1), 0), "{answer} {aside:?}");
}

/// `CreateCase` is refused, and the search that is to tell about an old doubt is throttled.
#[tokio::test(start_paused = true)]
async fn a_refusal_with_a_search_that_fails() {
    let function = function("");
    at_the_limits(&function);
    let emulator = &function.emulator;
    emulator.inject(
        Fault::new(FaultKind::CloseAfter)
            .on("CreateCase")
            .times(1000),
    );
    function
        .handle_within(&flow("+15550100142"), Duration::from_secs(5))
        .await;
    emulator.clear_faults();
    advance(400).await;
    emulator.inject(throttled("SearchCases").times(1000));
    let second = function.handle(&flow("+15550100142")).await;
    assert_eq!(
        [code(&second), status(&second)[3]],
        ["OutcomeUnknown", "true"],
        "{second}"
    );
    assert_eq!(function.emulator.items(TABLE).len(), 1, "{second}");
}

// `enrich` with a key of its own

const ENRICHED: &str = "
version: 1
cases:
  - name: contact
    trigger: eventbridge
    template: Contact follow-up
    ledger_unavailable: fail
    enrich: true
    key: $.detail.contactId
    link_contact: true
    fields: { title: Contact }
";

fn contact_event() -> String {
    json!({ "source": "aws.connect", "detail-type": "Amazon Connect Contact Event", "id": "e-1",
        "detail": { "eventType": "DISCONNECTED", "contactId": "c-1", "initialContactId": "c-1",
            "instanceArn": "arn:aws:connect:us-east-1:111122223333:instance/i-1" } })
    .to_string()
}

fn contacts(function: &Function) {
    let contact = json!({ "instanceId": "i-1", "contacts": [{
        "Contact": { "Id": "c-1", "Arn": "arn:aws:connect:us-east-1:111122223333:instance/i-1/contact/c-1",
            "InitiationMethod": "INBOUND", "Channel": "VOICE" },
        "Attributes": {} }] });
    function
        .emulator
        .set_contacts(&contact.to_string())
        .expect("contacts");
}

/// A run creates the case and dies; then the contact cannot be read for good. The key needs nothing of the contact, so the case is found.
#[tokio::test(start_paused = true)]
async fn a_refused_contact_after_a_dead_run() {
    refused_contact(ENRICHED).await;
}

/// The same with the natural key.
#[tokio::test(start_paused = true)]
async fn a_refused_contact_after_a_dead_run_with_the_natural_key() {
    refused_contact(&ENRICHED.replace("    key: $.detail.contactId\n", "")).await;
}

async fn refused_contact(mapping: &str) {
    let function = made_of(mapping);
    contacts(&function);
    dies_after_create_case(&function, &contact_event(), 5).await;
    advance(60).await;
    function
        .emulator
        .inject(denied("DescribeContact").times(1000));
    let answer = function.handle(&contact_event()).await;
    assert_eq!(answer["status"], "existing", "{mapping} {answer}");
}

// Without a ledger

/// Without a ledger the refusal is followed by a search, which is down until the time is up.
#[tokio::test(start_paused = true)]
async fn without_a_ledger_a_refusal_whose_search_fails() {
    let first = no_ledger(MAPPING);
    dies_after_create_case(&first, &flow("+15550100142"), 2).await;
    let changed = MAPPING.replace("title: Call back", "title: Call them back");
    let second = beside(&first, &changed, started(), 0);
    advance(60).await;
    first.emulator.inject(invalid("CreateCase").times(1000));
    first
        .emulator
        .inject(throttled("SearchCases").times(100_000));
    let answer = second.handle(&flow("+15550100142")).await;
    assert_eq!(
        [code(&answer), status(&answer)[3]],
        ["OutcomeUnknown", "true"],
        "{answer}"
    );
}

// Windows

/// The first claim is an hour old when the case is created: the window of ten minutes begins then.
#[tokio::test(start_paused = true)]
async fn a_window_that_is_over_before_there_is_a_case() {
    let function = function("    window: 10m\n");
    function
        .emulator
        .inject(throttled("CreateCase").times(100_000));
    let first = function
        .handle_within(&order_by(NOBODY), Duration::from_secs(5))
        .await;
    assert_eq!(code(&first), "Throttled", "{first}");
    function.emulator.clear_faults();
    advance(3600).await;
    let second = function.handle(&order_by(NOBODY)).await;
    advance(1).await;
    let third = function.handle(&order_by(NOBODY)).await;
    assert_eq!(
        (status(&second)[0], status(&third)[0], counts(&function)),
        ("created", "existing", [1, 1, 1]),
        "{second} {third}"
    );
}

/// The claim is on its way for four seconds. The window counts from its arrival, so no second case comes sooner than ten minutes after it.
#[tokio::test(start_paused = true)]
async fn a_window_begins_when_its_claim_arrives() {
    let function = function("    window: 10m\n");
    let slow = Fault::new(FaultKind::Delay(Duration::from_secs(4)));
    function.emulator.inject(slow.on("DynamoDB.PutItem"));
    let first = function
        .handle_within(&order(), Duration::from_secs(30))
        .await;
    assert_eq!(status(&first)[0], "created", "{first}");
    advance(598).await;
    let second = function.handle(&order()).await;
    advance(3).await;
    let third = function.handle(&order()).await;
    assert_eq!(
        (status(&second)[0], status(&third)[0], counts(&function)[0]),
        ("existing", "created", 2),
        "{second} {third}"
    );
}

/// One event whose link is throttled, and that is retried after its window.
#[tokio::test(start_paused = true)]
async fn a_retry_after_a_window_that_was_over_makes_no_second_case() {
    let function = function("    window: 30d\n");
    at_the_limits(&function);
    function.emulator.inject(
        Fault::new(FaultKind::CloseAfter)
            .on("CreateCase")
            .times(1000),
    );
    let first = function
        .handle_within(&order(), Duration::from_secs(5))
        .await;
    assert_eq!(code(&first), "OutcomeUnknown", "{first}");
    function.emulator.clear_faults();
    advance(31 * 24 * 3600).await;
    function
        .emulator
        .inject(throttled("CreateRelatedItem").times(100_000));
    let second = function
        .handle_within(&order(), Duration::from_secs(5))
        .await;
    assert_eq!(code(&second), "ContactNotLinked", "{second}");
    function.emulator.clear_faults();
    advance(1).await;
    let third = function.handle(&order()).await;
    assert_eq!(counts(&function), [1, 1, 1], "{second} {third}");
}

/// Clocks are five seconds apart, and the occurrence's own item outlives its key's.
#[tokio::test(start_paused = true)]
async fn an_occurrence_is_attached_once_in_its_window() {
    let mapping = with("    window: 10m\n    on_existing: attach\n");
    let start = Instant::now();
    let one = made_of(&mapping);
    let ahead = beside(&one, &mapping, start, 5);
    ahead.handle(&order()).await;
    let second = event("e-2", "A-1", "c-2", "two");
    one.handle(&second).await;
    assert_eq!(counts(&one), [1, 2, 2]);
    advance(602).await;
    let again = one.handle(&second).await;
    assert_eq!(counts(&one), [1, 2, 2], "{again}");
}

// Comments

/// A deployment between two runs takes a comment away in front of the others.
#[tokio::test(start_paused = true)]
async fn a_comment_that_is_skipped_is_not_added() {
    let before = MAPPING.replace(
        "title: Call back",
        "title: Call back, summary: { value: $.Parameters.notes, overflow: comment }",
    );
    let one = made_of(&before);
    let mut payload: Value = serde_json::from_str(&flow("+15550100142")).expect("JSON");
    payload["Details"]["Parameters"]["notes"] = "word ".repeat(700).into();
    let payload = payload.to_string();
    let through = Fault::new(FaultKind::Delay(Duration::ZERO)).on("CreateRelatedItem");
    one.emulator.inject(through.times(2));
    one.emulator
        .inject(throttled("CreateRelatedItem").times(1000));
    let first = one.handle(&payload).await;
    assert_eq!(status(&first)[2..], ["false", "true"], "{first}");
    one.emulator.clear_faults();
    let added = counts(&one)[2];
    assert_eq!(added, 1, "{:?}", one.emulator.related_items());
    let other = beside(&one, MAPPING, started(), 0);
    let again = other.handle(&payload).await;
    let items = serde_json::to_string(&one.emulator.related_items()).expect("JSON");
    assert!(
        again["commentAdded"] != "true" || items.contains("Call after six"),
        "{added} {again} {items}"
    );
}

/// The link alone is in doubt, and equal words of another occurrence are not taken for the comment.
#[tokio::test(start_paused = true)]
async fn equal_words_and_a_link_in_doubt() {
    let function = function("    on_existing: attach\n");
    let words = "The customer called again";
    let emulator = &function.emulator;
    // The link, which is asked for first, is in doubt; the comment is refused for want of quota.
    emulator.inject(Fault::new(FaultKind::CloseBefore).on("CreateRelatedItem"));
    emulator.inject(throttled("CreateRelatedItem").times(1000));
    let one = event("e-1", "A-1", "c-1", words);
    let first = function.handle_within(&one, Duration::from_secs(5)).await;
    assert_eq!(code(&first), "ContactNotLinked", "{first}");
    assert_eq!(counts(&function), [1, 0, 0]);
    emulator.clear_faults();
    advance(1).await;
    function.handle(&event("e-2", "A-1", "c-2", words)).await;
    assert_eq!(counts(&function), [1, 1, 1]);
    advance(60).await;
    let again = function.handle(&one).await;
    assert_eq!(status(&again), ["existing", "true", "true", "false"]);
    assert_eq!(counts(&function), [1, 2, 2], "{again}");
}

// Customers

const NAMED: &str = "
version: 1
cases:
  - name: order
    trigger: eventbridge
    template: Contact follow-up
    key: $.detail.order
    ledger_unavailable: fail
    customer: $.detail.profile
    fields: { title: Order }
";

fn profile_arn(id: &str) -> String {
    format!("arn:aws:profile:us-east-1:111122223333:domains/amazon-connect-example/profiles/{id}")
}

fn named(id: &str, profile: &str) -> String {
    json!({ "source": "s", "detail-type": "t", "id": id,
        "detail": { "order": "A-1", "profile": profile_arn(profile) } })
    .to_string()
}

/// Somebody creates a profile, by the function's own means.
async fn new_profile(function: &Function) -> String {
    let other = beside(function, MAPPING, started(), 0);
    let payload = event("e-9", "Z-9", "c-9", "nine").replace("+15550100142", NOBODY);
    function
        .emulator
        .inject(throttled("CreateCase").times(100_000));
    other
        .handle_within(&payload, Duration::from_millis(700))
        .await;
    function.emulator.clear_faults();
    let profiles = function.emulator.profiles();
    let newest = profiles.last().expect("a profile");
    newest["ProfileId"].as_str().expect("an id").to_owned()
}

/// A first occurrence names a profile that does not exist. A minute later a second one names a profile that was created just now.
#[tokio::test(start_paused = true)]
async fn a_fresh_profile_of_a_later_occurrence_is_waited_for() {
    let function = made_of(NAMED);
    function.emulator.set_profile_lag(Duration::from_mins(1));
    let gone = "0".repeat(32);
    let first = function
        .handle_within(&named("e-1", &gone), Duration::from_secs(3))
        .await;
    assert_eq!(code(&first), "CustomerNotVisible", "{first}");
    advance(61).await;
    let profile = new_profile(&function).await;
    let second = function
        .handle_within(&named("e-2", &profile), Duration::from_secs(3))
        .await;
    assert_eq!(code(&second), "CustomerNotVisible", "{second}");
    advance(60).await;
    let second = function.handle(&named("e-2", &profile)).await;
    assert_eq!(second["status"], "created", "{second}");
}

/// The clock of the first claim is five seconds behind: the profile, created just before the event, is looked for when it is 56 s old.
#[tokio::test(start_paused = true)]
async fn a_profile_within_its_lag_is_not_gone_for_a_clock_that_is_ahead() {
    let start = Instant::now();
    let one = made_of(NAMED);
    one.emulator.set_profile_lag(Duration::from_mins(1));
    let behind = beside(&one, NAMED, start, -5);
    let profile = new_profile(&one).await;
    let first = behind
        .handle_within(&named("e-1", &profile), Duration::from_secs(2))
        .await;
    assert_eq!(code(&first), "CustomerNotVisible", "{first}");
    advance(53).await;
    let second = one
        .handle_within(&named("e-1", &profile), Duration::from_secs(2))
        .await;
    assert_eq!(code(&second), "CustomerNotVisible", "{second}");
}

/// The same for a profile that the function itself created.
#[tokio::test(start_paused = true)]
async fn a_profile_of_our_own_within_its_lag_is_created_once() {
    let start = Instant::now();
    let one = function("");
    one.emulator.set_profile_lag(Duration::from_mins(1));
    let known = one.emulator.profiles().len();
    let behind = beside(&one, MAPPING, start, -5);
    let payload = order_by(NOBODY);
    let first = behind.handle_within(&payload, Duration::from_secs(2)).await;
    assert_eq!(code(&first), "CustomerNotVisible", "{first}");
    advance(54).await;
    for _ in 0..4 {
        one.handle_within(&payload, Duration::from_secs(1)).await;
    }
    advance(100).await;
    let last = one.handle(&payload).await;
    assert_eq!(
        (one.emulator.profiles().len(), counts(&one)),
        (known + 1, [1, 1, 1]),
        "{last}"
    );
}

/// Another occurrence takes the key over, with its own customer.
#[tokio::test(start_paused = true)]
async fn the_customer_of_the_occurrence_that_owns_the_case() {
    let function = function("");
    function
        .emulator
        .inject(throttled("CreateCase").times(100_000));
    function
        .handle_within(&order_by(NOBODY), Duration::from_secs(5))
        .await;
    function.emulator.clear_faults();
    let second = function.handle(&event("e-2", "A-1", "c-2", "two")).await;
    assert_eq!(status(&second), ["created", "true", "true", "false"]);
    let stranger = function.emulator.profiles();
    let stranger = stranger.last().expect("a profile")["ProfileId"]
        .as_str()
        .expect("id")
        .to_owned();
    let customer = second["customerArn"].as_str().unwrap_or_default();
    assert!(!customer.ends_with(&stranger), "{second}");
}

// Links

/// The link took effect and its answer was lost; then the role may not look: that says nothing of the link.
#[tokio::test(start_paused = true)]
async fn a_look_that_is_refused_says_nothing_of_the_link() {
    let function = function("");
    function
        .emulator
        .set_related_item_lag(Duration::from_secs(30));
    function.emulator.inject(
        Fault::new(FaultKind::CloseAfter)
            .on("CreateRelatedItem")
            .times(1),
    );
    let first = function.handle(&order()).await;
    assert_eq!(code(&first), "ContactNotLinked", "{first}");
    advance(60).await;
    function
        .emulator
        .inject(denied("ListCasesForContact").times(1000));
    let second = function.handle(&order()).await;
    function.emulator.clear_faults();
    let third = function.handle(&order()).await;
    assert_eq!(counts(&function), [1, 1, 1]);
    assert_eq!(third["contactLinked"], "true", "{second} {third}");
}

/// A run dies before it links, and for a while the role may not look.
#[tokio::test(start_paused = true)]
async fn a_look_that_is_refused_loses_no_link() {
    let function = function("");
    function
        .emulator
        .inject(Fault::new(FaultKind::Hang).on("CreateRelatedItem").times(2));
    let payload = order();
    dies_after(900, &function, &payload, 5_000).await;
    function.emulator.clear_faults();
    advance(60).await;
    function
        .emulator
        .inject(denied("ListCasesForContact").times(1000));
    function
        .emulator
        .inject(denied("SearchRelatedItems").times(1000));
    let second = function.handle(&order()).await;
    function.emulator.clear_faults();
    let third = function.handle(&order()).await;
    assert_eq!(counts(&function), [1, 1, 1], "{second} {third}");
}

/// 409 for a contact that an agent has linked meanwhile, and the look that would tell is throttled: that ends no wait.
#[tokio::test(start_paused = true)]
async fn a_conflict_whose_look_is_throttled() {
    let function = function("");
    function
        .emulator
        .set_duplicate_contacts(DuplicateContact::Conflict);
    let emulator = &function.emulator;
    emulator.inject(throttled("CreateRelatedItem").times(100_000));
    let first = function
        .handle_within(&order(), Duration::from_secs(5))
        .await;
    assert_eq!(code(&first), "ContactNotLinked", "{first}");
    emulator.clear_faults();
    advance(900).await;
    emulator
        .inject(Fault::status(409, "ConflictException", "linked already").on("CreateRelatedItem"));
    emulator.inject(throttled("ListCasesForContact").times(100_000));
    let second = function
        .handle_within(&order(), Duration::from_secs(20))
        .await;
    assert_eq!(code(&second), "ContactNotLinked", "{second}");
    assert_ne!(second["retryable"], "false", "{second}");
}

// Occurrences and mappings

/// The key's case is known. The new mapping cannot make the request of another occurrence: a case that is known is the answer all the same.
#[tokio::test(start_paused = true)]
async fn a_known_case_is_the_answer_to_another_occurrence_too() {
    for more in ["", "    on_existing: attach\n"] {
        let one = function(more);
        one.handle(&order()).await;
        let changed = with(more).replace("title: Order", "title: $.detail.subject");
        let other = beside(&one, &changed, started(), 0);
        let answer = other.handle(&event("e-2", "A-1", "c-2", "two")).await;
        assert_eq!(answer["status"], "existing", "{more} {answer}");
    }
}

// Requests that arrive late

/// The last request of an operation arrives although its sender is gone.
async fn arrives(function: &Function, operation: &str) {
    arrives_with(function, operation, "").await;
}

/// The first of an operation's requests whose body holds this, or the last of all.
async fn arrives_with(function: &Function, operation: &str, with: &str) {
    let mut requests = function.emulator.requests();
    if with.is_empty() {
        requests.reverse();
    }
    let last = requests
        .iter()
        .find(|request| request.operation == operation && request.body.to_string().contains(with));
    let last = last.expect("a request");
    let target = operation
        .strip_prefix("DynamoDB.")
        .map(|name| format!("DynamoDB_20120810.{name}"));
    let mut request = aws_smithy_runtime_api::client::orchestrator::HttpRequest::empty();
    request.set_method("POST").expect("a method");
    request
        .set_uri(format!("https://emulator.example{}", last.path))
        .expect("a URI");
    if let Some(target) = target {
        request.headers_mut().insert("x-amz-target", target);
    }
    let body = serde_json::to_vec(&last.body).expect("JSON");
    let request = request
        .try_into_http1x()
        .expect("a request")
        .map(|_| body.into());
    let response = function.emulator.respond(request).await;
    let response = response.expect("an answer");
    assert_ne!(response.status(), 404, "{:?}", response.body());
}

/// The first attempt of a claim arrives when its run was refused and is gone: it claims nothing, and takes nothing from the next occurrence.
#[tokio::test(start_paused = true)]
async fn a_claim_that_arrives_after_its_key_was_freed() {
    let function = function("");
    function
        .emulator
        .inject(Fault::new(FaultKind::Hang).on("DynamoDB.PutItem"));
    function.emulator.inject(invalid("CreateCase"));
    let first = function
        .handle_within(&order(), Duration::from_secs(20))
        .await;
    assert_eq!(code(&first), "RequestRefused", "{first}");
    arrives(&function, "DynamoDB.PutItem").await;
    advance(3600).await;
    let second = event("e-2", "A-1", "c-2", "two");
    let answer = function.handle(&second).await;
    assert_eq!(
        status(&answer),
        ["created", "true", "true", "false"],
        "{answer}"
    );
}

/// The search by tag misses at 4:59; `CreateCase` is throttled as long as that search allows, and its last attempt is five seconds late.
#[tokio::test(start_paused = true)]
async fn the_last_attempt_before_the_token_ends() {
    for wait in [293, 294, 295, 298, 299] {
        for (throttles, after) in [(27, 5), (26, 4), (25, 5), (24, 3)] {
            let function = function("");
            at_the_limits(&function);
            dies_after_create_case(&function, &order(), 2).await;
            // The lease: 1.8 s and 5 s.
            advance(wait - 1).await;
            function
                .emulator
                .inject(throttled("CreateCase").retry_after(2).times(throttles));
            function
                .emulator
                .inject(Fault::new(FaultKind::Hang).on("CreateCase"));
            let payload = order();
            let run = function.handle_within(&payload, Duration::from_secs(57));
            let _ = timeout(Duration::from_secs(56), run).await;
            let sent = function.creations().len();
            function.emulator.clear_faults();
            if sent > 1 {
                advance(after).await;
                arrives(&function, "CreateCase").await;
            }
            assert_eq!(counts(&function)[0], 1, "{wait} {throttles} {after} {sent}");
        }
    }
}

/// A link of a dead run that arrives five seconds after its end, and shows thirty seconds later; the next runs' clocks are ahead.
#[tokio::test(start_paused = true)]
async fn a_link_that_arrives_after_the_end() {
    for (skew, step) in [(0, 1), (5, 1), (5, 3), (-5, 2)] {
        let start = Instant::now();
        let one = function("");
        at_the_limits(&one);
        let other = beside(&one, MAPPING, start, skew);
        one.emulator
            .inject(Fault::new(FaultKind::Hang).on("CreateRelatedItem").times(2));
        let payload = order();
        dies_after(4_690, &one, &payload, 5_000).await;
        tokio::time::advance(Duration::from_secs(5)).await;
        arrives(&one, "CreateRelatedItem").await;
        let mut last = Value::Null;
        for _ in 0..90 / step {
            advance(step).await;
            last = other.handle_within(&payload, Duration::from_secs(1)).await;
        }
        let [cases, links, comments] = counts(&one);
        assert!(
            cases == 1 && links == 1 && comments == 1,
            "{skew} {step} {last} {:?}",
            counts(&one)
        );
        assert_eq!(status(&last), ["existing", "true", "true", "false"]);
    }
}

/// `CreateCase` of a dead run arrives five seconds after its end, and the next runs are refused until the doubt is over.
#[tokio::test(start_paused = true)]
async fn a_case_that_arrives_after_the_end_and_refusals() {
    for skew in [-5, 0, 5] {
        let start = Instant::now();
        let one = function("");
        at_the_limits(&one);
        let other = beside(&one, MAPPING, start, skew);
        one.emulator
            .inject(Fault::new(FaultKind::Hang).on("CreateCase").times(100));
        let payload = order();
        dies_after(4_690, &one, &payload, 5_000).await;
        one.emulator.clear_faults();
        tokio::time::advance(Duration::from_secs(5)).await;
        arrives(&one, "CreateCase").await;
        one.emulator.inject(invalid("CreateCase").times(100_000));
        for _ in 0..330 {
            advance(1).await;
            let answer = other.handle_within(&payload, Duration::from_secs(1)).await;
            assert!(
                answer["status"] == "existing"
                    || [
                        "OutcomeUnknown",
                        "InProgress",
                        "ContactNotLinked",
                        "CommentNotAdded"
                    ]
                    .contains(&code(&answer)),
                "{skew} {answer}"
            );
        }
        advance(60).await;
        let last = other.handle(&payload).await;
        assert_eq!(status(&last), ["existing", "true", "true", "false"]);
        assert_eq!(counts(&one), [1, 1, 1]);
    }
}

/// A settle that arrives when another run holds, left or finished the key.
#[tokio::test(start_paused = true)]
async fn a_settle_that_arrives_after_the_end() {
    let function = function("");
    function
        .emulator
        .inject(throttled("CreateRelatedItem").times(100_000));
    function.emulator.inject(
        Fault::new(FaultKind::Hang)
            .on("DynamoDB.UpdateItem")
            .times(10),
    );
    let first = function
        .handle_within(&order(), Duration::from_secs(3))
        .await;
    assert_eq!(code(&first), "ContactNotLinked", "{first}");
    function.emulator.clear_faults();
    let late = function.emulator.requests();
    advance(60).await;
    let second = function.handle(&order()).await;
    assert_eq!(status(&second), ["existing", "true", "true", "false"]);
    drop(late);
    arrives(&function, "DynamoDB.UpdateItem").await;
    let third = function.handle(&order()).await;
    assert_eq!(status(&third), ["existing", "true", "true", "false"]);
    assert_eq!(counts(&function), [1, 1, 1]);
}

/// Without a ledger: the answer is lost, then throttled beyond the token's life, in one run.
#[tokio::test(start_paused = true)]
async fn without_a_ledger_one_long_run() {
    let function = no_ledger(MAPPING);
    at_the_limits(&function);
    function
        .emulator
        .inject(Fault::new(FaultKind::CloseAfter).on("CreateCase"));
    function
        .emulator
        .inject(throttled("CreateCase").retry_after(2).times(200));
    let answer = function
        .handle_within(&order(), Duration::from_mins(14))
        .await;
    assert_eq!(counts(&function)[0], 1, "{answer}");
}

/// A window ends while its runs work.
#[tokio::test(start_paused = true)]
async fn a_window_that_ends_in_the_middle() {
    let function = function(
        "    window: 10m
",
    );
    function
        .emulator
        .inject(throttled("CreateRelatedItem").times(100_000));
    let first = function
        .handle_within(&order(), Duration::from_secs(5))
        .await;
    assert_eq!(code(&first), "ContactNotLinked", "{first}");
    advance(590).await;
    let payload = order();
    let second = function.handle_within(&payload, Duration::from_secs(30));
    let third = async {
        tokio::time::sleep(Duration::from_secs(12)).await;
        function
            .handle_within(&payload, Duration::from_secs(3))
            .await
    };
    let (second, third) = tokio::join!(second, third);
    assert_eq!(
        [code(&second), code(&third)],
        ["ContactNotLinked", "InProgress"]
    );
    assert_eq!(counts(&function)[0], 1);
}

/// The case has no customer; the new mapping names one.
#[tokio::test(start_paused = true)]
async fn the_customer_that_the_case_has() {
    let without = NAMED.replace(
        "    customer: $.detail.profile
",
        "    link_contact: $.detail.contactArn
",
    );
    let one = made_of(&without);
    one.emulator
        .inject(throttled("CreateRelatedItem").times(100_000));
    let profiles = one.emulator.profiles();
    let profile = profiles[0]["ProfileId"].as_str().expect("an id");
    let mut payload: Value = serde_json::from_str(&order()).expect("JSON");
    payload["detail"]["profile"] = profile_arn(profile).into();
    let payload = payload.to_string();
    one.handle_within(&payload, Duration::from_secs(5)).await;
    one.emulator.clear_faults();
    let with = without.replace(
        "    link_contact",
        "    customer: $.detail.profile\n    link_contact",
    );
    let other = beside(&one, &with, started(), 0);
    let answer = other.handle(&payload).await;
    assert_eq!(answer["status"], "existing", "{answer}");
    assert_eq!(
        answer["customerArn"],
        "",
        "{answer} {:?}",
        one.emulator.cases()
    );
}

/// A profile that was found is merged away while `CreateCase` waits for quota: a retry finds the profile that it was merged into.
#[tokio::test(start_paused = true)]
async fn a_customer_who_was_found_and_is_merged_within_one_run() {
    let function = function("");
    let seed: Value = serde_json::from_str(&read("profiles.json")).expect("JSON");
    function
        .emulator
        .inject(throttled("CreateCase").retry_after(2).times(35));
    let payload = order();
    let run = function.handle_within(&payload, Duration::from_mins(3));
    let merge = async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        let mut merged = seed.clone();
        for profile in merged["profiles"].as_array_mut().expect("a list") {
            if profile.to_string().contains("+15550100142") {
                profile["ProfileId"] = "a".repeat(32).into();
            }
        }
        function
            .emulator
            .set_profiles(&merged.to_string())
            .expect("profiles");
    };
    let (answer, ()) = tokio::join!(run, merge);
    assert_ne!(code(&answer), "CustomerNotFound", "{answer}");
}

/// Dead run after dead run: the key ends.
#[tokio::test(start_paused = true)]
async fn every_run_dies_but_the_last() {
    let function = function("");
    at_the_limits(&function);
    let known = function.emulator.profiles().len();
    let payload = order_by(NOBODY);
    for operation in [
        "CreateProfile",
        "SearchProfiles",
        "CreateCase",
        "SearchCases",
        "CreateCase",
        "CreateRelatedItem",
        "ListCasesForContact",
        "SearchRelatedItems",
    ] {
        let slow = Fault::new(FaultKind::DelayAfter(Duration::from_mins(20)));
        function.emulator.inject(slow.on(operation));
        let run = function.handle_within(&payload, Duration::from_secs(5));
        let _ = timeout(Duration::from_secs(3), run).await;
        function.emulator.clear_faults();
        advance(80).await;
    }
    let mut last = Value::Null;
    for _ in 0..6 {
        advance(80).await;
        last = function
            .handle_within(&payload, Duration::from_secs(5))
            .await;
    }
    assert_eq!(
        status(&last),
        ["existing", "true", "true", "false"],
        "{last}"
    );
    assert_eq!(
        (counts(&function), function.emulator.profiles().len()),
        ([1, 1, 1], known + 1)
    );
}

/// A takeover whose answer is lost, a claim whose answer is lost.
#[tokio::test(start_paused = true)]
async fn answers_of_the_ledger_are_lost() {
    for operation in [
        "DynamoDB.PutItem",
        "DynamoDB.UpdateItem",
        "DynamoDB.DeleteItem",
    ] {
        let function = function(
            "    window: 10m
",
        );
        at_the_limits(&function);
        for round in 0..4 {
            function
                .emulator
                .inject(Fault::new(FaultKind::CloseAfter).on(operation));
            function
                .emulator
                .inject(Fault::new(FaultKind::CloseAfter).on(operation));
            if round < 2 {
                function
                    .emulator
                    .inject(throttled("CreateRelatedItem").times(20));
            }
            function
                .handle_within(&order(), Duration::from_secs(3))
                .await;
            function.emulator.clear_faults();
            advance(50).await;
        }
        let last = function.handle(&order()).await;
        assert_eq!(
            status(&last),
            ["existing", "true", "true", "false"],
            "{operation}"
        );
        assert_eq!(counts(&function), [1, 1, 1]);
    }
}

/// The first attempt of a takeover arrives when its run has left the key.
#[tokio::test(start_paused = true)]
async fn a_takeover_that_arrives_after_its_key_was_left() {
    let function = function("");
    let emulator = &function.emulator;
    emulator.inject(throttled("CreateCase").times(100_000));
    function
        .handle_within(&order_by(NOBODY), Duration::from_secs(3))
        .await;
    advance(60).await;
    emulator.inject(Fault::new(FaultKind::Hang).on("DynamoDB.UpdateItem"));
    let left = function
        .handle_within(&order_by(NOBODY), Duration::from_secs(20))
        .await;
    assert_eq!(code(&left), "Throttled", "{left}");
    assert_eq!(emulator.items(TABLE)[0]["in_progress_expiration"], 0);
    arrives_with(&function, "DynamoDB.UpdateItem", ":before").await;
    emulator.clear_faults();
    let item = emulator.items(TABLE)[0].clone();
    let second = event("e-2", "A-1", "c-2", "two");
    let answer = function.handle(&second).await;
    assert_eq!(
        status(&answer),
        ["created", "true", "true", "false"],
        "{item} {answer}"
    );
}

// A key that can never finish

/// The profile that a flow's first run created is merged into another before there is a case: a new search finds that one.
#[tokio::test(start_paused = true)]
async fn a_flow_whose_recorded_customer_was_merged() {
    let function = function("");
    let emulator = &function.emulator;
    emulator.set_profile_lag(Duration::from_mins(1));
    let first = function.handle(&flow(NOBODY)).await;
    assert_eq!(code(&first), "CustomerNotVisible", "{first}");
    advance(600).await;
    let mut seed: Value = serde_json::from_str(&read("profiles.json")).expect("JSON");
    let mut merged = seed["profiles"][0].clone();
    merged["ProfileId"] = "a".repeat(32).into();
    merged["PhoneNumber"] = NOBODY.into();
    seed["profiles"]
        .as_array_mut()
        .expect("a list")
        .push(merged);
    emulator.set_profiles(&seed.to_string()).expect("profiles");
    let mut last = Value::Null;
    for _ in 0..3 {
        advance(3600).await;
        last = function.handle(&flow(NOBODY)).await;
    }
    assert_eq!(status(&last)[0], "existing", "{last}");
}

// Events without an id

fn without_id(contact: &str, comment: &str) -> String {
    let mut event: Value =
        serde_json::from_str(&event("e", "A-1", contact, comment)).expect("JSON");
    event.as_object_mut().expect("an event").remove("id");
    event.to_string()
}

/// An input transformer has to keep `source` and `detail-type`, no more.
#[tokio::test(start_paused = true)]
async fn events_without_an_id_are_not_one_occurrence() {
    for more in ["", "    on_existing: attach\n"] {
        let function = function(more);
        function.handle(&without_id("c-1", "one")).await;
        let second = function.handle(&without_id("c-2", "two")).await;
        let items = serde_json::to_string(&function.emulator.related_items()).expect("JSON");
        assert_eq!(
            [
                second["contactLinked"] == "true",
                second["commentAdded"] == "true"
            ],
            [items.contains("contact/c-2"), items.contains("\"two\"")],
            "{more} {second}"
        );
    }
}

/// The first is not finished, and the second comes between.
#[tokio::test(start_paused = true)]
async fn the_contact_of_an_event_without_an_id_is_not_lost() {
    let function = function("    on_existing: attach\n");
    function
        .emulator
        .inject(throttled("CreateRelatedItem").times(100_000));
    let first = function
        .handle_within(&without_id("c-1", "one"), Duration::from_secs(5))
        .await;
    assert_eq!(code(&first), "ContactNotLinked");
    function.emulator.clear_faults();
    function.handle(&without_id("c-2", "two")).await;
    let again = function.handle(&without_id("c-1", "one")).await;
    let items = serde_json::to_string(&function.emulator.related_items()).expect("JSON");
    assert!(
        again["contactLinked"] != "true" || items.contains("contact/c-1"),
        "{again} {items}"
    );
}

// Search answers

/// The doubt ends at 310 s after its end and not a second before, whatever the clocks say; a refusal is then the answer.
#[tokio::test(start_paused = true)]
async fn permanent_only_after_the_doubt() {
    for skew in [-5_i64, 0, 5] {
        let start = Instant::now();
        let one = function("");
        at_the_limits(&one);
        let other = beside(&one, MAPPING, start, skew);
        one.emulator.inject(
            Fault::new(FaultKind::CloseAfter)
                .on("CreateCase")
                .times(100),
        );
        one.handle_within(&order(), Duration::from_secs(3)).await;
        one.emulator.clear_faults();
        one.emulator.inject(denied("SearchProfiles").times(100_000));
        one.emulator.inject(invalid("CreateCase").times(100_000));
        for _ in 0..40 {
            advance(8).await;
            let answer = other
                .handle_within(&order(), Duration::from_millis(700))
                .await;
            assert!(
                answer["status"] == "existing"
                    || ["OutcomeUnknown", "ContactNotLinked"].contains(&code(&answer)),
                "{skew} {answer}"
            );
        }
        assert_eq!(counts(&one), [1, 1, 1], "{skew}");
    }
}

/// Ten environments, two of which die, with faults at every operation: one case, one link, one comment.
#[tokio::test(start_paused = true)]
async fn many_environments() {
    for seed in 0..40_u64 {
        let start = Instant::now();
        let one = function("");
        at_the_limits(&one);
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let known = one.emulator.profiles().len();
        let payload = order_by(NOBODY);
        let operations = [
            "CreateCase",
            "CreateRelatedItem",
            "SearchCases",
            "SearchProfiles",
            "CreateProfile",
            "DynamoDB.UpdateItem",
            "DynamoDB.PutItem",
            "ListCasesForContact",
            "SearchRelatedItems",
        ];
        for _ in 0..14 {
            let other = beside(&one, MAPPING, start, i64::try_from(next(6)).expect("small"));
            for _ in 0..next(4) {
                let operation = operations[usize::try_from(next(9)).expect("small")];
                let kind = match next(5) {
                    0 => FaultKind::CloseAfter,
                    1 => FaultKind::CloseBefore,
                    2 => FaultKind::Hang,
                    3 => FaultKind::DelayAfter(Duration::from_secs(next(20))),
                    _ => FaultKind::Delay(Duration::from_secs(next(8))),
                };
                one.emulator.inject(
                    Fault::new(kind)
                        .on(operation)
                        .times(1 + u32::try_from(next(3)).expect("small")),
                );
            }
            let run = other.handle_within(&payload, Duration::from_secs(2 + next(20)));
            let _ = timeout(Duration::from_millis(200 + next(9000)), run).await;
            one.emulator.clear_faults();
            advance(next(120)).await;
        }
        advance(400).await;
        one.handle(&payload).await;
        advance(100).await;
        let last = one.handle(&payload).await;
        assert_eq!(
            status(&last),
            ["existing", "true", "true", "false"],
            "{seed} {last}"
        );
        assert_eq!(
            (counts(&one), one.emulator.profiles().len()),
            ([1, 1, 1], known + 1),
            "{seed} {last}"
        );
    }
}

/// A run links and dies. The next one looks, and the look is throttled until its time is up; the third looks again.
#[tokio::test(start_paused = true)]
async fn a_look_that_failed_ends_no_doubt_about_items() {
    let function = function("");
    function
        .emulator
        .set_related_item_lag(Duration::from_secs(30));
    let slow = Fault::new(FaultKind::DelayAfter(Duration::from_mins(20)));
    function
        .emulator
        .inject(slow.on("CreateRelatedItem").times(2));
    let payload = order();
    dies_after(900, &function, &payload, 5_000).await;
    function.emulator.clear_faults();
    assert_eq!(counts(&function), [1, 1, 1]);
    advance(60).await;
    function
        .emulator
        .inject(throttled("ListCasesForContact").times(1000));
    function
        .emulator
        .inject(throttled("SearchRelatedItems").times(1000));
    let second = function
        .handle_within(&order(), Duration::from_secs(5))
        .await;
    assert_eq!(code(&second), "ContactNotLinked", "{second}");
    function.emulator.clear_faults();
    let third = function.handle(&order()).await;
    assert_eq!(counts(&function), [1, 1, 1], "{third}");
}

/// The case of a run that met an outage is found by its tag, and its comment is older than the first claim that the ledger knows of.
#[tokio::test(start_paused = true)]
async fn a_case_that_is_found_has_its_comment_once() {
    let mapping = MAPPING.replace("ledger_unavailable: fail", "ledger_unavailable: proceed");
    let one = made_of(&mapping);
    let down = Fault::status(500, "InternalServerError", "down").on("DynamoDB.PutItem");
    one.emulator.inject(down.times(100_000));
    let first = one.handle_within(&order(), Duration::from_secs(10)).await;
    assert_eq!(status(&first), ["created", "true", "true", "false"]);
    one.emulator.clear_faults();
    advance(120).await;
    let changed = mapping.replace("title: Order", "title: An order");
    let other = beside(&one, &changed, started(), 0);
    let second = other.handle(&order()).await;
    assert_eq!(status(&second)[0], "existing", "{second}");
    assert_eq!(counts(&one), [1, 1, 1], "{second}");
}

// Input

#[tokio::test(start_paused = true)]
async fn strange_input() {
    let function = function("    window: 3650d\n");
    let strange = [
        json!({ "Records": [{ "messageId": "m", "eventSource": "aws:sqs", "body": order(),
            "attributes": { "ApproximateFirstReceiveTimestamp": "18446744073709551615" } }] }).to_string(),
        json!({ "Records": [{ "messageId": "m", "eventSource": "aws:sqs", "eventSourceARN": "\u{0}.fifo", "body": "[[[[]]]]" }] }).to_string(),
        json!([{ "Type": "Notification", "Message": "[]" }, { "Type": "Notification", "Message": order() }]).to_string(),
        order().replace("\"A-1\"", "1e400"),
        order().replace("\"A-1\"", "\"\\ud800\""),
        order().replace("\"one\"", "\"\""),
        order().replace("\"one\"", &format!("\"{}\"", "\u{1f469}\u{200d}".repeat(20_000))),
        flow("").replace("c-1", ""),
        flow("\u{0}"),
    ];
    for payload in &strange {
        let answer = function.handle(payload).await;
        assert_ne!(code(&answer), "InternalError", "{payload:.300} {answer}");
    }
    let far = Fault::status(429, "ThrottlingException", "no")
        .on("CreateCase")
        .retry_after(u32::MAX);
    function.emulator.inject(far);
    let answer = function
        .handle_within(&event("e-7", "A-7", "c-7", "seven"), Duration::from_secs(5))
        .await;
    assert!(["", "Throttled"].contains(&code(&answer)), "{answer}");
}

/// A contact that is on more than a hundred cases: a look reads them all.
#[tokio::test(start_paused = true)]
async fn a_contact_of_many_cases_is_linked_once() {
    let function = function("");
    for number in 0..105 {
        let payload = event(&format!("e-{number}"), &format!("B-{number}"), "c-1", "one");
        function.handle(&payload).await;
    }
    assert_eq!(counts(&function), [105, 105, 105]);
    let slow = Fault::new(FaultKind::DelayAfter(Duration::from_mins(20)));
    function
        .emulator
        .inject(slow.on("CreateRelatedItem").times(2));
    let payload = event("e-x", "X", "c-1", "one");
    dies_after(900, &function, &payload, 5_000).await;
    function.emulator.clear_faults();
    assert_eq!(counts(&function), [106, 106, 106]);
    advance(60).await;
    let again = function.handle(&payload).await;
    assert_eq!(counts(&function), [106, 106, 106], "{again}");
}

// Owners of the items

/// The first occurrence is certain to have requested no case; the second takes the key over, creates the case, adds its items and dies.
#[tokio::test(start_paused = true)]
async fn a_new_owner_of_the_items_who_dies() {
    new_owner_dies("    on_existing: attach\n", "DynamoDB.UpdateItem").await;
}

/// The same with `return`.
#[tokio::test(start_paused = true)]
async fn a_new_owner_of_the_items_who_dies_with_return() {
    new_owner_dies("", "CreateRelatedItem").await;
}

async fn new_owner_dies(more: &str, operation: &str) {
    {
        let function = function(more);
        at_the_limits(&function);
        let emulator = &function.emulator;
        emulator.set_profile_lag(Duration::ZERO);
        emulator.inject(throttled("CreateCase").times(100_000));
        let first = function
            .handle_within(&order_by(NOBODY), Duration::from_secs(5))
            .await;
        assert_eq!(code(&first), "Throttled", "{first}");
        emulator.clear_faults();
        advance(60).await;
        let payload = event("e-2", "A-1", "c-2", "two").replace("+15550100142", NOBODY);
        if operation == "DynamoDB.UpdateItem" {
            // The takeover goes through, the settle does not.
            emulator.inject(Fault::new(FaultKind::Delay(Duration::ZERO)).on(operation));
        }
        emulator.inject(Fault::new(FaultKind::Hang).on(operation).times(100));
        dies_after(1_000, &function, &payload, 5_000).await;
        emulator.clear_faults();
        let dead = counts(&function);
        advance(400).await;
        let again = function.handle(&payload).await;
        assert_eq!(
            (status(&again), counts(&function)),
            (["existing", "true", "true", "false"], [1, 1, 1]),
            "{more:?} {dead:?} {again}"
        );
    }
}

/// The first occurrence comes again with `return`: the contact and the comments are those of the second.
#[tokio::test(start_paused = true)]
async fn the_items_of_one_occurrence_are_added_with_return() {
    let function = function("");
    let emulator = &function.emulator;
    emulator.inject(throttled("CreateCase").times(100_000));
    function
        .handle_within(&order_by(NOBODY), Duration::from_secs(5))
        .await;
    emulator.clear_faults();
    advance(60).await;
    let payload = event("e-2", "A-1", "c-2", "two").replace("+15550100142", NOBODY);
    emulator.inject(Fault::new(FaultKind::Delay(Duration::ZERO)).on("DynamoDB.UpdateItem"));
    emulator.inject(
        Fault::new(FaultKind::Hang)
            .on("DynamoDB.UpdateItem")
            .times(100),
    );
    dies_after(1_000, &function, &payload, 5_000).await;
    emulator.clear_faults();
    advance(400).await;
    let first = function.handle(&order_by(NOBODY)).await;
    assert_eq!(counts(&function), [1, 1, 1], "{first}");
}
