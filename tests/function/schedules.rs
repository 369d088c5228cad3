//! Schedules of faults that once doubled or lost something, or gave a false answer: each ends right.
//!
//! The ledger is on and `ledger_unavailable: fail` unless a test says otherwise, and every assumption of `docs/exactly-once.md` holds.

mod doubts;

use std::time::Duration;

use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use cases_emulator::{Fault, FaultKind};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    CREATED, EXISTING, FAILURES, Function, INSTANCE, KNOWN, NOBODY, NOT_REQUESTED, TABLE,
    TokioTime, advance, answers_late, batch, conflict, cut, denied, down, expect_error,
    expect_retryable, expect_status, hangs, invalid, kept, lost, members, message, passes,
    throttled,
};

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
/// A mapping whose events name the customer's profile themselves.
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
  - name: flow
    trigger: contact-flow
    template: Contact follow-up
    customer: $.Parameters.profile
    fields: { title: Call back }
";
const ATTACH: &str = "    on_existing: attach\n";

/// The mapping with more lines in the case mapping of orders.
fn with(more: &str) -> String {
    let fields = "    fields: { title: Order }\n";
    MAPPING.replacen(fields, &format!("{fields}{more}"), 1)
}

/// The mapping whose flow adds a long text as a second comment.
fn with_long_notes() -> String {
    MAPPING.replace(
        "title: Call back",
        "title: Call back, summary: { value: $.Parameters.notes, overflow: comment }",
    )
}

fn function(more: &str) -> Function {
    function_of(&with(more))
}

fn function_of(mapping: &str) -> Function {
    Function::of(mapping).with_ledger().with_failure_queue()
}

fn without_ledger(mut function: Function) -> Function {
    function.casebridge.ledger = None;
    function
}

fn event(id: &str, order: &str, contact: &str, comment: &str) -> String {
    let contact = format!("{INSTANCE}/contact/{contact}");
    let detail =
        json!({ "order": order, "phone": KNOWN, "contactArn": contact, "comment": comment });
    super::event(id, &detail)
}

/// The first occurrence of an order.
fn order() -> String {
    event("e-1", "A-1", "c-1", "one")
}

/// Another occurrence of the same order.
fn second() -> String {
    event("e-2", "A-1", "c-2", "two")
}

fn from_nobody(event: &str) -> String {
    event.replace(KNOWN, NOBODY)
}

fn named(id: &str, order: &str, profile: &str) -> String {
    let detail = json!({ "order": order, "profile": profile_arn(profile) });
    json!({ "source": "s", "detail-type": "t", "id": id, "detail": detail }).to_string()
}

fn flow(phone: &str) -> String {
    super::flow(phone, &json!({ "comment": "Call after six" }))
}

/// A flow with a comment and with notes that become a second one.
fn flow_with_notes() -> String {
    let parameters = json!({ "comment": "Call after six", "notes": "word ".repeat(700) });
    super::flow(KNOWN, &parameters)
}

fn profile_arn(id: &str) -> String {
    format!("arn:aws:profile:us-east-1:111122223333:domains/amazon-connect-example/profiles/{id}")
}

fn gone() -> String {
    "0".repeat(32)
}

fn ledger_items(function: &Function) -> usize {
    function.emulator.items(TABLE).len()
}

fn number_of_profiles(function: &Function) -> usize {
    function.emulator.profiles().len()
}

const REFUSALS: [(u16, &str, &str); 3] = [
    (403, "AccessDeniedException", "AccessDenied"),
    (400, "ValidationException", "RequestRefused"),
    (404, "ResourceNotFoundException", "ResourceNotFound"),
];

// First runs that end early

/// `CreateCase` takes effect, and its answers are lost until the time is up.
async fn lose_answers(function: &Function, seconds: u64) {
    function.always(lost("CreateCase"));
    expect_error(
        &function.handle_for(seconds, &order()).await,
        "OutcomeUnknown",
    );
    function.clear_faults();
}

/// The case of an order is created, and its items are throttled until the time is up.
async fn throttle_items(function: &Function, payload: &str) {
    function.always(throttled("CreateRelatedItem"));
    expect_error(&function.handle_for(5, payload).await, "ContactNotLinked");
    function.clear_faults();
}

/// A profile is created for an order, and `CreateCase` is throttled until the time is up.
async fn throttle_case(function: &Function) {
    function.always(throttled("CreateCase"));
    let payload = from_nobody(&order());
    expect_error(&function.handle_for(5, &payload).await, "Throttled");
    function.clear_faults();
}

/// The answer to `CreateCase` is cut after its effect, and the next attempt is refused.
fn refused_after_doubt(status: u16, name: &str) -> Function {
    let function = function("");
    function.emulator.set_token_lifetime(Duration::from_mins(6));
    function.emulator.set_search_lag(Duration::from_mins(1));
    function.inject(lost("CreateCase"));
    function.inject(Fault::status(status, name, "no").on("CreateCase"));
    function
}

// A refusal while a case may exist

#[tokio::test(start_paused = true)]
async fn a_refusal_after_an_attempt_in_doubt_frees_nothing() {
    for (status, name, _) in REFUSALS {
        let function = refused_after_doubt(status, name);
        expect_error(&function.handle(&order()).await, "OutcomeUnknown");
        assert_eq!(ledger_items(&function), 1, "{name}");
        advance(600).await;
        expect_status(&function.handle(&order()).await, EXISTING);
        assert_eq!(function.counts(), [1, 1, 1], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flow_gets_an_unknown_outcome_with_and_without_a_ledger() {
    let denied = || refused_after_doubt(403, "AccessDeniedException");
    for function in [denied(), without_ledger(denied())] {
        expect_retryable(&function.handle(&flow(KNOWN)).await, "OutcomeUnknown");
        advance(60).await;
        let answer = function.handle(&flow(KNOWN)).await;
        assert_ne!(answer["caseId"], "", "{answer}");
        assert_eq!(function.counts()[0], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_in_doubt_is_answered_with_the_case_that_search_shows() {
    let denied = || refused_after_doubt(403, "AccessDeniedException");
    for function in [denied(), without_ledger(denied())] {
        function.emulator.set_search_lag(Duration::ZERO);
        expect_status(&function.handle(&flow(KNOWN)).await, EXISTING);
        assert_eq!(function.counts(), [1, 1, 1]);
    }
}

/// The doubt ends when search would have shown the case: then the refusal is the answer, and the key is free.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_the_answer_when_the_doubt_is_over() {
    for (status, name, code) in REFUSALS {
        let function = function("");
        function.inject(cut("CreateCase"));
        function.always(Fault::status(status, name, "no").on("CreateCase"));
        expect_error(&function.handle(&order()).await, "OutcomeUnknown");
        advance(290).await;
        expect_error(&function.handle(&order()).await, "OutcomeUnknown");
        advance(21).await;
        expect_error(&function.handle(&order()).await, code);
        assert_eq!((function.counts()[0], ledger_items(&function)), (0, 0));
    }
}

/// A search that was refused has shown nothing, however late it was.
#[tokio::test(start_paused = true)]
async fn a_search_that_fails_ends_no_doubt() {
    let function = function("");
    function.emulator.set_token_lifetime(Duration::from_mins(6));
    lose_answers(&function, 3).await;
    for (status, name, _) in REFUSALS {
        advance(400).await;
        function.inject(Fault::status(status, name, "no").on("SearchCases"));
        expect_error(&function.handle(&order()).await, "OutcomeUnknown");
        assert_eq!(ledger_items(&function), 1);
    }
    expect_status(&function.handle(&order()).await, EXISTING);
    assert_eq!(function.counts(), [1, 1, 1]);
}

/// A run that died may have created the case, so a refusal of the next run is no proof that there is none.
#[tokio::test(start_paused = true)]
async fn a_dead_run_leaves_a_doubt() {
    let function = function("");
    function.emulator.set_search_lag(Duration::from_mins(2));
    function.inject(answers_late("CreateCase"));
    function.dies_after(1_000, &order(), 20).await;
    function.inject(denied("CreateCase"));
    advance(30).await;
    expect_error(&function.handle(&order()).await, "OutcomeUnknown");
    advance(120).await;
    let answer = function.handle(&order()).await;
    assert_eq!(answer["status"], "existing", "{answer}");
    assert_eq!(function.counts(), [1, 1, 1]);
}

/// The token is forgotten while `CreateCase` waits for quota: the next run has to search again for a case that the search missed.
#[tokio::test(start_paused = true)]
async fn a_takeover_searches_before_it_creates_and_again_after_a_minute() {
    for (death, wait, throttles) in [(2, 296, 4), (2, 290, 30), (25, 300, 8), (25, 274, 60)] {
        let function = function("");
        function.emulator.set_token_lifetime(Duration::from_mins(6));
        function.emulator.set_search_lag(Duration::from_mins(5));
        lose_answers(&function, death).await;
        advance(wait).await;
        function.inject(throttled("CreateCase").retry_after(2).times(throttles));
        let second = function.handle_for(180, &order()).await;
        assert_eq!(second["contactLinked"], "true", "{second}");
        assert_eq!(function.counts(), [1, 1, 1], "{death} {wait} {throttles}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_known_to_have_sent_nothing_leaves_nothing_to_search_for() {
    let function = function("");
    throttle_case(&function).await;
    let answer = function.handle(&from_nobody(&order())).await;
    assert_eq!(answer["status"], "created", "{answer}");
    assert!(!function.calls().contains(&"SearchCases".to_owned()));
}

// Occurrences of a key

#[tokio::test(start_paused = true)]
async fn another_occurrence_is_answered_with_the_case_and_nothing_else() {
    let function = function("");
    let first = function.handle(&order()).await;
    expect_status(&first, CREATED);
    let other = function.handle(&second()).await;
    expect_status(&other, NOT_REQUESTED);
    assert_eq!(other["caseId"], first["caseId"]);
    assert_eq!(function.counts(), [1, 1, 1]);
}

/// The first occurrence comes back to its own items, although another came between.
#[tokio::test(start_paused = true)]
async fn only_the_first_occurrence_finishes_its_items() {
    let function = function("");
    throttle_items(&function, &order()).await;
    for _ in 0..2 {
        expect_status(&function.handle(&second()).await, NOT_REQUESTED);
    }
    expect_status(&function.handle(&order()).await, EXISTING);
    let text = Value::from(function.emulator.related_items()).to_string();
    assert!(
        text.contains("contact/c-1") && text.contains("\"one\""),
        "{text}"
    );
    assert_eq!(function.counts(), [1, 1, 1]);
}

/// Ownership passes while it is certain that no case was requested.
#[tokio::test(start_paused = true)]
async fn the_next_occurrence_takes_a_key_that_has_no_case() {
    let function = function("");
    throttle_case(&function).await;
    assert_eq!(ledger_items(&function), 1, "its profile was created");
    expect_status(&function.handle(&from_nobody(&second())).await, CREATED);
    let again = function.handle(&from_nobody(&order())).await;
    expect_status(&again, NOT_REQUESTED);
    assert_eq!(function.counts(), [1, 1, 1]);
}

/// An occurrence that meets a doubt makes the case certain, and leaves the items to the first.
#[tokio::test(start_paused = true)]
async fn another_occurrence_that_settles_a_doubt_owns_nothing() {
    for (more, expected, items) in [("", NOT_REQUESTED, 1), (ATTACH, EXISTING, 2)] {
        let function = function(more);
        lose_answers(&function, 5).await;
        expect_status(&function.handle(&second()).await, expected);
        expect_status(&function.handle(&order()).await, EXISTING);
        assert_eq!(function.counts(), [1, items, items]);
    }
}

// Items of several occurrences

const WORDS: &str = "The customer called again";

#[tokio::test(start_paused = true)]
async fn equal_words_of_two_occurrences_are_two_comments() {
    let function = function(ATTACH);
    function.handle(&event("e-1", "A-1", "c-1", WORDS)).await;
    advance(3600).await;
    let second = function.handle(&event("e-2", "A-1", "c-2", WORDS)).await;
    expect_status(&second, EXISTING);
    assert_eq!(function.counts(), [1, 2, 2]);
    assert!(
        function.bodies("SearchRelatedItems").is_empty(),
        "a first claim of an occurrence need not look"
    );
}

/// A run that died may have added its comment; an older one with the same words is another occurrence's.
#[tokio::test(start_paused = true)]
async fn the_comment_of_another_occurrence_is_not_taken_for_ones_own() {
    let function = function(ATTACH);
    function.handle(&event("e-1", "A-1", "c-1", WORDS)).await;
    advance(3600).await;
    let second = event("e-2", "A-1", "c-2", WORDS);
    function.inject(hangs("CreateRelatedItem").times(2));
    function.dies_after(50, &second, 5).await;
    advance(60).await;
    expect_status(&function.handle(&second).await, EXISTING);
    assert_eq!(function.counts(), [1, 2, 2]);
}

/// The run of another occurrence that cannot claim its own item still has the case.
#[tokio::test(start_paused = true)]
async fn an_occurrence_that_cannot_be_claimed_gets_its_case() {
    let function = function(ATTACH);
    let first = function.handle(&order()).await;
    // The key is looked up, and its occurrence is not.
    function.inject(passes("DynamoDB.PutItem"));
    function.always(down("DynamoDB.PutItem"));
    let answer = function.handle_for(5, &second()).await;
    expect_error(&answer, "ContactNotLinked");
    function.clear_faults();
    let again = function.handle(&second()).await;
    expect_status(&again, EXISTING);
    assert_eq!(again["caseId"], first["caseId"]);
    assert_eq!(function.counts(), [1, 2, 2]);
}

/// A run whose look failed sent nothing, and knows no more than the run before it.
#[tokio::test(start_paused = true)]
async fn a_look_that_failed_leaves_the_doubt() {
    for fault in [
        Fault::status(503, "ServiceUnavailableException", "down"),
        Fault::status(429, "ThrottlingException", "slow down"),
    ] {
        let function = function("");
        let emulator = &function.emulator;
        emulator.set_related_item_lag(Duration::from_secs(30));
        function.inject(answers_late("CreateRelatedItem").times(2));
        function.dies_after(50, &order(), 5).await;
        assert_eq!(function.counts(), [1, 1, 1]);
        advance(60).await;
        function.always(fault.clone().on("ListCasesForContact"));
        function.always(fault.on("SearchRelatedItems"));
        let second = function.handle_for(5, &order()).await;
        expect_error(&second, "ContactNotLinked");
        function.clear_faults();
        expect_status(&function.handle(&order()).await, EXISTING);
        assert_eq!(function.counts(), [1, 1, 1]);
    }
}

/// 409 means that the case is being merged, or that it has the contact. Only a look shows which.
#[tokio::test(start_paused = true)]
async fn a_conflict_is_no_link() {
    let function = function("");
    function.inject(conflict("CreateRelatedItem").times(2));
    expect_error(&function.handle(&order()).await, "ContactNotLinked");
    expect_status(&function.handle(&order()).await, EXISTING);
    assert_eq!(function.counts(), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_merge_is_waited_for_a_quarter_of_an_hour() {
    let function = function("");
    function.always(conflict("CreateRelatedItem"));
    expect_error(&function.handle(&order()).await, "ContactNotLinked");
    advance(890).await;
    expect_error(&function.handle(&order()).await, "ContactNotLinked");
    advance(10).await;
    let last = function.handle(&order()).await;
    expect_status(&last, ["existing", "false", "false", "false"]);
}

// Customers that Cases does not find

#[tokio::test(start_paused = true)]
async fn a_customer_that_is_gone_blocks_no_queue() {
    let function = function_of(NAMED);
    let profiles = function.emulator.profiles();
    let good = profiles[0]["ProfileId"].as_str().expect("an id");
    let messages = batch(&[
        message("gone", "q.fifo", &named("A", "A", &gone())),
        message("good", "q.fifo", &named("B", "B", good)),
    ]);
    let answer = function.handle_for(30, &messages).await;
    assert_eq!(kept(&answer), ["gone", "good"], "it may become visible yet");
    advance(180).await;
    let sent = function.creations().len();
    let answer = function.handle_for(30, &messages).await;
    assert_eq!(kept(&answer), [] as [&str; 0]);
    assert_eq!(function.creations().len(), sent + 2, "no quota is wasted");
    let [message] = function
        .emulator
        .messages(FAILURES)
        .try_into()
        .expect("one");
    assert!(
        message.to_string().contains("CustomerNotFound"),
        "{message}"
    );
    assert_eq!(function.counts()[0], 1);
    function.handle_for(30, &messages).await;
    let again = function.creations().len();
    assert_eq!(again, sent + 3, "nor when it comes again");
}

/// The minute counts from the first claim, whatever stops the runs between.
#[tokio::test(start_paused = true)]
async fn the_wait_for_a_customer_does_not_begin_again() {
    let function = function_of(NAMED);
    let order = named("A", "A", &gone());
    expect_error(&function.handle_for(3, &order).await, "CustomerNotVisible");
    advance(30).await;
    function.always(throttled("CreateCase"));
    expect_error(&function.handle_for(3, &order).await, "Throttled");
    function.clear_faults();
    advance(30).await;
    expect_error(&function.handle_for(3, &order).await, "CustomerNotFound");
}

/// Without a ledger, the queue's time of the first receive shows the age of the wait.
#[tokio::test(start_paused = true)]
async fn without_a_ledger_the_first_receive_counts() {
    for (age, expected) in [(60, 1), (66, 0)] {
        let mut function = without_ledger(function_of(NAMED));
        let clock = TokioTime::starting_now();
        let now = clock.now().duration_since(std::time::UNIX_EPOCH);
        let received = now
            .expect("after 1970")
            .saturating_sub(Duration::from_secs(age));
        function.casebridge.telemetry.clock = SharedTimeSource::new(clock);
        let received = received.as_millis().to_string();
        let mut message = message("gone", "q.fifo", &named("e-1", "A", &gone()));
        message["attributes"] = json!({ "ApproximateFirstReceiveTimestamp": received });
        let answer = function.handle_for(3, &batch(&[message])).await;
        assert_eq!(kept(&answer).len(), expected, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flow_whose_customer_is_gone_stays_retryable() {
    let function = function_of(NAMED);
    let flow = super::flow(KNOWN, &json!({ "profile": profile_arn(&gone()) }));
    for _ in 0..3 {
        expect_retryable(&function.handle(&flow).await, "CustomerNotVisible");
        advance(120).await;
    }
}

// Profiles that a run created

/// `CreateProfile` is throttled for ten seconds, takes effect, and its run dies: a minute counts from then.
#[tokio::test(start_paused = true)]
async fn a_profile_is_waited_for_from_the_end_of_its_sending() {
    let function = function("");
    let known = number_of_profiles(&function);
    function.emulator.set_profile_lag(Duration::from_mins(1));
    function.inject(throttled("CreateProfile").retry_after(2).times(5));
    function.inject(answers_late("CreateProfile"));
    let payload = from_nobody(&order());
    function.dies_after(11_000, &payload, 30).await;
    for _ in 0..12 {
        advance(10).await;
        function.handle_for(30, &payload).await;
    }
    assert_eq!(number_of_profiles(&function), known + 1);
    assert_eq!(function.counts(), [1, 1, 1]);
}

/// A search that is older than the lease it waited for is repeated.
#[tokio::test(start_paused = true)]
async fn a_search_is_repeated_after_a_wait() {
    let function = function("");
    let known = number_of_profiles(&function);
    function.emulator.set_profile_lag(Duration::from_mins(1));
    function.inject(answers_late("CreateProfile"));
    let payload = from_nobody(&order());
    function.dies_after(50, &payload, 120).await;
    advance(20).await;
    function.handle_for(120, &payload).await;
    assert_eq!(number_of_profiles(&function), known + 1);
    assert_eq!(function.counts()[0], 1);
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_is_known_not_to_exist_is_created_at_once() {
    let function = function("");
    let known = number_of_profiles(&function);
    function.always(throttled("CreateProfile"));
    expect_retryable(&function.handle(&flow(NOBODY)).await, "Throttled");
    function.clear_faults();
    advance(3).await;
    let second = function.handle(&flow(NOBODY)).await;
    assert_eq!(second["status"], "created", "{second}");
    assert_eq!(number_of_profiles(&function), known + 1);
}

#[tokio::test(start_paused = true)]
async fn a_finished_key_is_answered_while_customer_profiles_hangs() {
    let function = function(ATTACH);
    function.handle(&order()).await;
    function.handle(&flow(KNOWN)).await;
    function.always(hangs("SearchProfiles"));
    let begun = Instant::now();
    for payload in [flow(KNOWN), order(), second()] {
        expect_status(&function.handle(&payload).await, EXISTING);
    }
    assert_eq!(begun.elapsed(), Duration::ZERO, "no run waited");
}

#[tokio::test(start_paused = true)]
async fn clocks_five_seconds_apart_link_once() {
    for skew in [0, 150, 900, 3000, 5000] {
        for (create, second_at) in [(1500, 1000), (2100, 2000)] {
            let one = function("");
            let other = one.another(MAPPING, skew);
            one.emulator.set_related_item_lag(Duration::from_secs(1));
            let late = FaultKind::DelayAfter(Duration::from_millis(create));
            one.inject(Fault::new(late).on("CreateCase"));
            let payload = flow(KNOWN);
            let (first, second) = tokio::join!(one.handle(&payload), async {
                tokio::time::sleep(Duration::from_millis(second_at)).await;
                other.handle(&payload).await
            });
            assert_eq!(one.counts(), [1, 1, 1], "{skew} {create}: {first} {second}");
        }
    }
}

// A case that is known

/// The case exists, and then the customer becomes ambiguous: the case is the answer.
#[tokio::test(start_paused = true)]
async fn a_known_case_is_answered_before_its_customer_is_looked_for() {
    let function = function("");
    throttle_items(&function, &order()).await;
    function.always(Fault::status(400, "BadRequestException", "no").on("SearchProfiles"));
    expect_status(&function.handle(&order()).await, EXISTING);
}

/// A deployment between two runs, whose mapping cannot make this event's request: the case is known all the same.
#[tokio::test(start_paused = true)]
async fn a_known_case_is_answered_by_a_mapping_that_cannot_make_it() {
    let first = function("");
    expect_status(&first.handle(&order()).await, CREATED);
    let changed = MAPPING.replace("title: Order", "title: $.detail.subject");
    let second = first.another(&changed, 0);
    expect_status(&second.handle(&order()).await, EXISTING);
    let unknown = second.handle(&event("e-2", "A-2", "c-1", "one")).await;
    expect_error(&unknown, "FieldMissing");
    assert_eq!(ledger_items(&second), 1);

    first.always(lost("CreateCase"));
    first.emulator.set_search_lag(Duration::from_mins(1));
    let other = event("e-3", "A-3", "c-1", "one");
    expect_error(&first.handle_for(3, &other).await, "OutcomeUnknown");
    first.clear_faults();
    expect_error(&second.handle(&other).await, "OutcomeUnknown");
    advance(61).await;
    let found = second.handle(&other).await;
    expect_status(&found, ["existing", "false", "false", "false"]);
    expect_status(&first.handle(&other).await, EXISTING);
    assert_eq!(first.counts(), [2, 2, 2]);
}

// The customer of an answer

#[tokio::test(start_paused = true)]
async fn the_second_answer_names_the_same_customer() {
    for more in ["", ATTACH] {
        let function = function(more);
        let first = function.handle(&flow(KNOWN)).await;
        assert_ne!(first["customerArn"], "", "{first}");
        let second = function.handle(&flow(KNOWN)).await;
        assert_eq!(second["customerArn"], first["customerArn"], "{second}");
    }
}

/// Another request made the case, with another customer: the answer names the one that the case has.
#[tokio::test(start_paused = true)]
async fn a_case_of_another_request_names_its_own_customer() {
    let function = without_ledger(function(""));
    let first = function.handle(&flow(KNOWN)).await;
    function.inject(conflict("CreateCase"));
    let second = function.handle(&flow(NOBODY)).await;
    assert_eq!(second["status"], "existing", "{second}");
    assert_eq!(second["customerArn"], first["customerArn"], "{second}");
}

/// The case was created by a run whose answer was lost: search brings its customer along.
#[tokio::test(start_paused = true)]
async fn a_case_that_is_found_names_its_customer() {
    let function = function("");
    function.always(lost("CreateCase"));
    function.handle(&flow(KNOWN)).await;
    function.clear_faults();
    let second = function.handle(&flow(KNOWN)).await;
    assert_eq!(second["status"], "existing", "{second}");
    assert_ne!(second["customerArn"], "", "{second}");
}

// The ledger and the time

#[tokio::test(start_paused = true)]
async fn a_ledger_that_fails_after_the_claim_stops_nothing() {
    let mapping = MAPPING.replace("ledger_unavailable: fail", "ledger_unavailable: proceed");
    let function = function_of(&mapping);
    function.always(down("DynamoDB.UpdateItem"));
    let answer = function.handle_for(5, &from_nobody(&order())).await;
    expect_status(&answer, CREATED);
}

/// Time is kept to write to the ledger: services that hang until the end cost the next run no lease.
#[tokio::test(start_paused = true)]
async fn a_run_that_uses_all_its_time_still_leaves_the_key() {
    for (operation, code, left) in [
        ("SearchProfiles", "ServiceUnavailable", 0),
        ("CreateCase", "OutcomeUnknown", 1),
    ] {
        let function = function("");
        let slow = Fault::new(FaultKind::Delay(Duration::from_millis(50)));
        function.inject(slow.clone().on("DynamoDB.UpdateItem"));
        function.inject(slow.on("DynamoDB.DeleteItem"));
        function.always(hangs(operation));
        let begun = Instant::now();
        let answer = function.handle(&flow(KNOWN)).await;
        assert_eq!(answer["errorCode"], code, "{answer}");
        assert!(begun.elapsed() <= Duration::from_millis(2500));
        let items = function.emulator.items(TABLE);
        assert_eq!(items.len(), left, "{items:?}");
        for item in &items {
            assert_eq!(item["in_progress_expiration"], 0, "{item}");
        }
        function.clear_faults();
        let again = function.handle(&flow(KNOWN)).await;
        assert_eq!(again["status"], "created", "{again}");
    }
}

// Several comments

/// Comments that were added are not added again, however soon the rest follows.
#[tokio::test(start_paused = true)]
async fn the_comments_that_were_added_are_known() {
    let function = function_of(&with_long_notes());
    let emulator = &function.emulator;
    emulator.set_related_item_lag(Duration::from_secs(30));
    // The link and the first comment go through.
    function.inject(passes("CreateRelatedItem").times(2));
    function.always(throttled("CreateRelatedItem"));
    let first = function.handle(&flow_with_notes()).await;
    expect_status(&first, ["created", "true", "false", "true"]);
    function.clear_faults();
    expect_status(&function.handle(&flow_with_notes()).await, EXISTING);
    assert_eq!(function.counts(), [1, 1, 2]);
}

/// A comment that is refused for good takes none of the others along, whichever run adds them.
#[tokio::test(start_paused = true)]
async fn a_comment_that_is_refused_costs_no_other() {
    for (throttles, retryable) in [(0, "false"), (1000, "true")] {
        let function = function_of(&with_long_notes());
        // The link goes through, and the first comment is refused.
        function.inject(passes("CreateRelatedItem"));
        function.inject(invalid("CreateRelatedItem"));
        function.inject(throttled("CreateRelatedItem").times(throttles));
        let first = function.handle(&flow_with_notes()).await;
        let found = members(&first, ["commentAdded", "retryable"]);
        assert_eq!(found, ["false", retryable], "{first}");
        function.clear_faults();
        let again = function.handle(&flow_with_notes()).await;
        expect_status(&again, ["existing", "true", "false", "false"]);
        assert_eq!(function.counts(), [1, 1, 1]);
    }
}
