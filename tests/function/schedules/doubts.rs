//! Schedules of deaths, delays, lost answers and skewed clocks, at the very limits of the assumptions of `docs/exactly-once.md`: each ends right.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use cases_emulator::{DuplicateContact, Fault, FaultKind};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::super::{
    CREATED, EXISTING, FAILURES, Function, INSTANCE, KNOWN, NOBODY, TABLE, advance, answers_late,
    batch, code, conflict, cut, denied, down, expect_error, expect_retryable, expect_status, hangs,
    invalid, kept, lost, message, passes, read, throttled,
};
use super::{
    ATTACH, MAPPING, NAMED, WORDS, event, flow, flow_with_notes, from_nobody, function,
    function_of, gone, ledger_items, lose_answers, named, number_of_profiles, order, profile_arn,
    second, throttle_case, throttle_items, with, with_long_notes, without_ledger,
};

const WINDOW: &str = "    window: 10m\n";

/// The function with the worst lags that `docs/exactly-once.md` allows.
fn at_the_limits(more: &str) -> Function {
    let function = function(more);
    set_worst_lags(&function);
    function
}

fn set_worst_lags(function: &Function) {
    let emulator = &function.emulator;
    emulator.set_token_lifetime(Duration::from_mins(6));
    emulator.set_search_lag(Duration::from_mins(5));
    emulator.set_profile_lag(Duration::from_mins(1));
    emulator.set_related_item_lag(Duration::from_secs(30));
}

/// `CreateCase` takes effect and its run dies.
async fn dies_after_create_case(function: &Function, payload: &str, seconds: u64) {
    function.inject(answers_late("CreateCase"));
    function.dies_after(900, payload, seconds).await;
    function.clear_faults();
    assert_eq!(function.counts()[0], 1);
}

/// The link and the comment take effect and their run dies.
async fn dies_after_items(function: &Function, payload: &str) {
    function.inject(answers_late("CreateRelatedItem").times(2));
    function.dies_after(900, payload, 5).await;
    function.clear_faults();
}

/// The text of all related items.
fn items(function: &Function) -> String {
    Value::from(function.emulator.related_items()).to_string()
}

// Searches that fail

/// The answer to `CreateCase` is lost, and more than 310 s later the search by tag is throttled: the doubt stays.
#[tokio::test(start_paused = true)]
async fn a_search_that_was_throttled_ends_no_doubt() {
    let function = at_the_limits("");
    lose_answers(&function, 5).await;
    advance(400).await;
    function.always(throttled("SearchCases"));
    let second = function.handle_for(5, &order()).await;
    expect_error(&second, "OutcomeUnknown");
    function.clear_faults();
    let third = function.handle(&order()).await;
    assert_eq!(third["status"], "existing", "{third}");
    assert_eq!(function.counts()[0], 1);
}

/// The same, and the search is refused: nothing is put aside while a case may exist.
#[tokio::test(start_paused = true)]
async fn a_search_that_was_refused_ends_no_doubt() {
    let function = at_the_limits("");
    dies_after_create_case(&function, &order(), 5).await;
    advance(400).await;
    function.always(denied("SearchCases"));
    let answer = function
        .handle(&batch(&[message("m-1", "q", &order())]))
        .await;
    let aside = function.emulator.messages(FAILURES);
    assert_eq!(kept(&answer), ["m-1"]);
    assert!(aside.is_empty(), "{aside:?}");
}

/// The search that could settle an old doubt is throttled.
#[tokio::test(start_paused = true)]
async fn a_refusal_with_a_search_that_fails() {
    let function = at_the_limits("");
    function.always(lost("CreateCase"));
    function.handle_for(5, &flow(KNOWN)).await;
    function.clear_faults();
    advance(400).await;
    function.always(throttled("SearchCases"));
    expect_retryable(&function.handle(&flow(KNOWN)).await, "OutcomeUnknown");
    assert_eq!(ledger_items(&function), 1);
}

/// Without a ledger the refusal is followed by a search, which is down until the time is up.
#[tokio::test(start_paused = true)]
async fn without_a_ledger_a_refusal_whose_search_fails() {
    let first = without_ledger(function(""));
    dies_after_create_case(&first, &flow(KNOWN), 2).await;
    let changed = MAPPING.replace("title: Call back", "title: Call them back");
    let second = first.another(&changed, 0);
    advance(60).await;
    first.always(invalid("CreateCase"));
    first.always(throttled("SearchCases"));
    expect_retryable(&second.handle(&flow(KNOWN)).await, "OutcomeUnknown");
}

// `enrich` with a key of its own

/// A run creates the case and dies; then the contact cannot be read for good. The key needs nothing of the contact, so the case is found.
async fn refused_contact(key: &str) {
    let function = function_of(&format!(
        "
version: 1
cases:
  - name: contact
    trigger: eventbridge
    template: Contact follow-up
    ledger_unavailable: fail
    enrich: true
{key}    link_contact: true
    fields: {{ title: Contact }}
"
    ));
    let contact = json!({
        "Id": "c-1",
        "Arn": format!("{INSTANCE}/contact/c-1"),
        "InitiationMethod": "INBOUND",
        "Channel": "VOICE",
    });
    let contacts =
        json!({ "instanceId": "i-1", "contacts": [{ "Contact": contact, "Attributes": {} }] });
    let set = function.emulator.set_contacts(&contacts.to_string());
    set.expect("contacts");
    let detail = json!({
        "eventType": "DISCONNECTED",
        "contactId": "c-1",
        "initialContactId": "c-1",
        "instanceArn": INSTANCE,
    });
    let event = json!({
        "source": "aws.connect",
        "detail-type": "Amazon Connect Contact Event",
        "id": "e-1",
        "detail": detail,
    })
    .to_string();
    dies_after_create_case(&function, &event, 5).await;
    advance(60).await;
    function.always(denied("DescribeContact"));
    let answer = function.handle(&event).await;
    assert_eq!(answer["status"], "existing", "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_contact_after_a_dead_run() {
    refused_contact("    key: $.detail.contactId\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_contact_after_a_dead_run_with_the_natural_key() {
    refused_contact("").await;
}

// Windows

/// The first claim is an hour old when the case is created: the window of ten minutes begins then.
#[tokio::test(start_paused = true)]
async fn a_window_that_is_over_before_there_is_a_case() {
    let function = function(WINDOW);
    throttle_case(&function).await;
    advance(3600).await;
    let payload = from_nobody(&order());
    let second = function.handle(&payload).await;
    advance(1).await;
    let third = function.handle(&payload).await;
    assert_eq!(
        [&second["status"], &third["status"]],
        ["created", "existing"],
        "{second} {third}"
    );
    assert_eq!(function.counts(), [1, 1, 1]);
}

/// The claim is on its way for four seconds. The window counts from its arrival, so no second case comes sooner than ten minutes after it.
#[tokio::test(start_paused = true)]
async fn a_window_begins_when_its_claim_arrives() {
    let function = function(WINDOW);
    let slow = Fault::new(FaultKind::Delay(Duration::from_secs(4)));
    function.inject(slow.on("DynamoDB.PutItem"));
    for (passed, status) in [(0, "created"), (598, "existing"), (3, "created")] {
        advance(passed).await;
        let answer = function.handle_for(30, &order()).await;
        assert_eq!(answer["status"], status, "{passed}: {answer}");
    }
    assert_eq!(function.counts()[0], 2);
}

/// One event whose link is throttled, and that is retried after its window.
#[tokio::test(start_paused = true)]
async fn a_retry_after_a_window_that_was_over_makes_no_second_case() {
    let function = at_the_limits("    window: 30d\n");
    lose_answers(&function, 5).await;
    advance(31 * 24 * 3600).await;
    throttle_items(&function, &order()).await;
    advance(1).await;
    let third = function.handle(&order()).await;
    assert_eq!(function.counts(), [1, 1, 1], "{third}");
}

/// Clocks are five seconds apart, and the occurrence's own item outlives its key's.
#[tokio::test(start_paused = true)]
async fn an_occurrence_is_attached_once_in_its_window() {
    let mapping = with(&format!("{WINDOW}{ATTACH}"));
    let one = function_of(&mapping);
    one.another(&mapping, 5_000).handle(&order()).await;
    one.handle(&second()).await;
    assert_eq!(one.counts(), [1, 2, 2]);
    advance(602).await;
    let again = one.handle(&second()).await;
    assert_eq!(one.counts(), [1, 2, 2], "{again}");
}

/// A window ends while its runs work.
#[tokio::test(start_paused = true)]
async fn a_window_that_ends_in_the_middle() {
    let function = function(WINDOW);
    function.always(throttled("CreateRelatedItem"));
    expect_error(&function.handle_for(5, &order()).await, "ContactNotLinked");
    advance(590).await;
    let payload = order();
    let (second, third) = tokio::join!(function.handle_for(30, &payload), async {
        tokio::time::sleep(Duration::from_secs(12)).await;
        function.handle_for(3, &payload).await
    });
    expect_error(&second, "ContactNotLinked");
    expect_error(&third, "InProgress");
    assert_eq!(function.counts()[0], 1);
}

// Comments

/// A deployment between two runs removes a comment in front of the others.
#[tokio::test(start_paused = true)]
async fn a_comment_that_is_skipped_is_not_added() {
    let one = function_of(&with_long_notes());
    one.inject(passes("CreateRelatedItem").times(2));
    one.always(throttled("CreateRelatedItem"));
    let first = one.handle(&flow_with_notes()).await;
    expect_status(&first, ["created", "true", "false", "true"]);
    one.clear_faults();
    assert_eq!(one.counts()[2], 1, "{}", items(&one));
    let again = one.another(MAPPING, 0).handle(&flow_with_notes()).await;
    assert!(
        again["commentAdded"] != "true" || items(&one).contains("Call after six"),
        "{again} {}",
        items(&one)
    );
}

/// The link alone is in doubt, and equal words of another occurrence are not taken for the comment.
#[tokio::test(start_paused = true)]
async fn equal_words_and_a_link_in_doubt() {
    let function = function(ATTACH);
    // The link, which is requested first, is in doubt; the comment is refused for want of quota.
    function.inject(cut("CreateRelatedItem"));
    let one = event("e-1", "A-1", "c-1", WORDS);
    throttle_items(&function, &one).await;
    assert_eq!(function.counts(), [1, 0, 0]);
    advance(1).await;
    function.handle(&event("e-2", "A-1", "c-2", WORDS)).await;
    assert_eq!(function.counts(), [1, 1, 1]);
    advance(60).await;
    expect_status(&function.handle(&one).await, EXISTING);
    assert_eq!(function.counts(), [1, 2, 2]);
}

/// The case of a run that met an outage is found by its tag, and its comment is older than the first claim that the ledger knows of.
#[tokio::test(start_paused = true)]
async fn a_case_that_is_found_has_its_comment_once() {
    let mapping = MAPPING.replace("ledger_unavailable: fail", "ledger_unavailable: proceed");
    let one = function_of(&mapping);
    one.always(down("DynamoDB.PutItem"));
    expect_status(&one.handle_for(10, &order()).await, CREATED);
    one.clear_faults();
    advance(120).await;
    let changed = mapping.replace("title: Order", "title: An order");
    let second = one.another(&changed, 0).handle(&order()).await;
    assert_eq!(second["status"], "existing", "{second}");
    assert_eq!(one.counts(), [1, 1, 1], "{second}");
}

// Customers

/// Creates a profile, by the function's own means.
async fn new_profile(function: &Function) -> String {
    let payload = from_nobody(&event("e-9", "Z-9", "c-9", "nine"));
    let other = function.another(MAPPING, 0);
    function.always(throttled("CreateCase"));
    other
        .handle_within(&payload, Duration::from_millis(700))
        .await;
    function.clear_faults();
    let profiles = function.emulator.profiles();
    let newest = profiles.last().expect("a profile");
    newest["ProfileId"].as_str().expect("an id").to_owned()
}

/// A first occurrence names a profile that does not exist. A minute later a second one names a profile that was created just now.
#[tokio::test(start_paused = true)]
async fn a_fresh_profile_of_a_later_occurrence_is_waited_for() {
    let function = function_of(NAMED);
    function.emulator.set_profile_lag(Duration::from_mins(1));
    let first = named("e-1", "A-1", &gone());
    expect_error(&function.handle_for(3, &first).await, "CustomerNotVisible");
    advance(61).await;
    let second = named("e-2", "A-1", &new_profile(&function).await);
    expect_error(&function.handle_for(3, &second).await, "CustomerNotVisible");
    advance(60).await;
    let second = function.handle(&second).await;
    assert_eq!(second["status"], "created", "{second}");
}

/// The clock of the first claim is five seconds behind: the profile, created just before the event, is looked for when it is 56 s old.
#[tokio::test(start_paused = true)]
async fn a_profile_within_its_lag_is_not_gone_for_a_clock_that_is_ahead() {
    let one = function_of(NAMED);
    one.emulator.set_profile_lag(Duration::from_mins(1));
    let behind = one.another(NAMED, -5_000);
    let payload = named("e-1", "A-1", &new_profile(&one).await);
    expect_error(&behind.handle_for(2, &payload).await, "CustomerNotVisible");
    advance(53).await;
    expect_error(&one.handle_for(2, &payload).await, "CustomerNotVisible");
}

/// The same for a profile that the function itself created.
#[tokio::test(start_paused = true)]
async fn a_profile_of_our_own_within_its_lag_is_created_once() {
    let one = function("");
    one.emulator.set_profile_lag(Duration::from_mins(1));
    let known = number_of_profiles(&one);
    let behind = one.another(MAPPING, -5_000);
    let payload = from_nobody(&order());
    expect_error(&behind.handle_for(2, &payload).await, "CustomerNotVisible");
    advance(54).await;
    for _ in 0..4 {
        one.handle_for(1, &payload).await;
    }
    advance(100).await;
    let last = one.handle(&payload).await;
    assert_eq!(number_of_profiles(&one), known + 1);
    assert_eq!(one.counts(), [1, 1, 1], "{last}");
}

/// Another occurrence takes the key over, with its own customer.
#[tokio::test(start_paused = true)]
async fn the_customer_of_the_occurrence_that_owns_the_case() {
    let function = function("");
    throttle_case(&function).await;
    let second = function.handle(&second()).await;
    expect_status(&second, CREATED);
    let profiles = function.emulator.profiles();
    let stranger = profiles.last().expect("a profile")["ProfileId"].as_str();
    let customer = second["customerArn"].as_str().unwrap_or_default();
    assert!(!customer.ends_with(stranger.expect("an id")), "{second}");
}

/// The case has no customer; the new mapping names one.
#[tokio::test(start_paused = true)]
async fn the_customer_that_the_case_has() {
    let link = "    link_contact: $.detail.contactArn\n";
    let customer = "    customer: $.detail.profile\n";
    let one = function_of(&NAMED.replace(customer, link));
    let profiles = one.emulator.profiles();
    let profile = profiles[0]["ProfileId"].as_str().expect("an id");
    let mut payload: Value = serde_json::from_str(&order()).expect("JSON");
    payload["detail"]["profile"] = profile_arn(profile).into();
    let payload = payload.to_string();
    throttle_items(&one, &payload).await;
    let with_customer = NAMED.replace(customer, &format!("{customer}{link}"));
    let answer = one.another(&with_customer, 0).handle(&payload).await;
    let found = [&answer["status"], &answer["customerArn"]];
    assert_eq!(found, ["existing", ""], "{answer}");
}

/// A profile that was found is merged away while `CreateCase` waits for quota: a retry finds the profile that it was merged into.
#[tokio::test(start_paused = true)]
async fn a_customer_who_was_found_and_is_merged_within_one_run() {
    let function = function("");
    function.inject(throttled("CreateCase").retry_after(2).times(35));
    let payload = order();
    let merge = async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        let mut seed: Value = serde_json::from_str(&read("profiles.json")).expect("JSON");
        for profile in seed["profiles"].as_array_mut().expect("a list") {
            if profile.to_string().contains(KNOWN) {
                profile["ProfileId"] = "a".repeat(32).into();
            }
        }
        let set = function.emulator.set_profiles(&seed.to_string());
        set.expect("profiles");
    };
    let (answer, ()) = tokio::join!(function.handle_for(180, &payload), merge);
    assert_ne!(code(&answer), "CustomerNotFound", "{answer}");
}

/// The profile that a flow's first run created is merged into another before there is a case: a new search finds that one.
#[tokio::test(start_paused = true)]
async fn a_flow_whose_recorded_customer_was_merged() {
    let function = function("");
    let emulator = &function.emulator;
    emulator.set_profile_lag(Duration::from_mins(1));
    expect_retryable(&function.handle(&flow(NOBODY)).await, "CustomerNotVisible");
    advance(600).await;
    let mut seed: Value = serde_json::from_str(&read("profiles.json")).expect("JSON");
    let profiles = seed["profiles"].as_array_mut().expect("a list");
    let mut merged = profiles[0].clone();
    merged["ProfileId"] = "a".repeat(32).into();
    merged["PhoneNumber"] = NOBODY.into();
    profiles.push(merged);
    emulator.set_profiles(&seed.to_string()).expect("profiles");
    let mut last = Value::Null;
    for _ in 0..3 {
        advance(3600).await;
        last = function.handle(&flow(NOBODY)).await;
    }
    assert_eq!(last["status"], "existing", "{last}");
}

// Links

/// The link took effect and its answer was lost; then the role may not look: that says nothing of the link.
#[tokio::test(start_paused = true)]
async fn a_look_that_is_refused_says_nothing_of_the_link() {
    let function = function("");
    let emulator = &function.emulator;
    emulator.set_related_item_lag(Duration::from_secs(30));
    function.inject(lost("CreateRelatedItem"));
    expect_error(&function.handle(&order()).await, "ContactNotLinked");
    advance(60).await;
    function.always(denied("ListCasesForContact"));
    let second = function.handle(&order()).await;
    function.clear_faults();
    let third = function.handle(&order()).await;
    assert_eq!(function.counts(), [1, 1, 1]);
    assert_eq!(third["contactLinked"], "true", "{second} {third}");
}

/// A run dies before it links, and for a while the role may not look.
#[tokio::test(start_paused = true)]
async fn a_look_that_is_refused_loses_no_link() {
    let function = function("");
    function.inject(hangs("CreateRelatedItem").times(2));
    function.dies_after(900, &order(), 5).await;
    function.clear_faults();
    advance(60).await;
    function.always(denied("ListCasesForContact"));
    function.always(denied("SearchRelatedItems"));
    let second = function.handle(&order()).await;
    function.clear_faults();
    let third = function.handle(&order()).await;
    assert_eq!(function.counts(), [1, 1, 1], "{second} {third}");
}

/// 409 for a contact that an agent has linked meanwhile. The look that would show it is throttled: that ends no wait.
#[tokio::test(start_paused = true)]
async fn a_conflict_whose_look_is_throttled() {
    let function = function("");
    let emulator = &function.emulator;
    emulator.set_duplicate_contacts(DuplicateContact::Conflict);
    throttle_items(&function, &order()).await;
    advance(900).await;
    function.inject(conflict("CreateRelatedItem"));
    function.always(throttled("ListCasesForContact"));
    let second = function.handle_for(20, &order()).await;
    expect_error(&second, "ContactNotLinked");
}

/// A contact that is on more than a hundred cases: a look reads them all.
#[tokio::test(start_paused = true)]
async fn a_contact_of_many_cases_is_linked_once() {
    let function = function("");
    for number in 0..105 {
        let payload = event(&format!("e-{number}"), &format!("B-{number}"), "c-1", "one");
        function.handle(&payload).await;
    }
    assert_eq!(function.counts(), [105, 105, 105]);
    let payload = event("e-x", "X", "c-1", "one");
    dies_after_items(&function, &payload).await;
    assert_eq!(function.counts(), [106, 106, 106]);
    advance(60).await;
    let again = function.handle(&payload).await;
    assert_eq!(function.counts(), [106, 106, 106], "{again}");
}

// Occurrences and mappings

/// The key's case is known. The new mapping cannot make the request of another occurrence: the known case is still the answer.
#[tokio::test(start_paused = true)]
async fn a_known_case_is_the_answer_to_another_occurrence_too() {
    for more in ["", ATTACH] {
        let one = function(more);
        one.handle(&order()).await;
        let changed = with(more).replace("title: Order", "title: $.detail.subject");
        let answer = one.another(&changed, 0).handle(&second()).await;
        assert_eq!(answer["status"], "existing", "{more} {answer}");
    }
}

fn without_id(event: &str) -> String {
    let mut event: Value = serde_json::from_str(event).expect("JSON");
    event.as_object_mut().expect("an event").remove("id");
    event.to_string()
}

/// An input transformer has to keep `source` and `detail-type`, no more.
#[tokio::test(start_paused = true)]
async fn events_without_an_id_are_not_one_occurrence() {
    for more in ["", ATTACH] {
        let function = function(more);
        function.handle(&without_id(&order())).await;
        let second = function.handle(&without_id(&second())).await;
        let items = items(&function);
        for (member, text) in [
            ("contactLinked", "contact/c-2"),
            ("commentAdded", "\"two\""),
        ] {
            assert_eq!(
                second[member] == "true",
                items.contains(text),
                "{more} {second}"
            );
        }
    }
}

/// The first is not finished, and the second comes between.
#[tokio::test(start_paused = true)]
async fn the_contact_of_an_event_without_an_id_is_not_lost() {
    let function = function(ATTACH);
    throttle_items(&function, &without_id(&order())).await;
    function.handle(&without_id(&second())).await;
    let again = function.handle(&without_id(&order())).await;
    assert!(
        again["contactLinked"] != "true" || items(&function).contains("contact/c-1"),
        "{again} {}",
        items(&function)
    );
}

// Owners of the items

/// The first occurrence is certain to have requested no case. The second takes the key over, creates the case, adds its items and dies.
async fn new_owner_dies(more: &str, operation: &str) -> Function {
    let function = at_the_limits(more);
    function.emulator.set_profile_lag(Duration::ZERO);
    throttle_case(&function).await;
    advance(60).await;
    if operation == "DynamoDB.UpdateItem" {
        // The takeover goes through, the settle does not.
        function.inject(passes(operation));
    }
    function.always(hangs(operation));
    let payload = from_nobody(&second());
    function.dies_after(1_000, &payload, 5).await;
    function.clear_faults();
    advance(400).await;
    function
}

#[tokio::test(start_paused = true)]
async fn a_new_owner_of_the_items_who_dies() {
    let function = new_owner_dies(ATTACH, "DynamoDB.UpdateItem").await;
    let again = function.handle(&from_nobody(&second())).await;
    expect_status(&again, EXISTING);
    assert_eq!(function.counts(), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_new_owner_of_the_items_who_dies_with_return() {
    let function = new_owner_dies("", "CreateRelatedItem").await;
    let again = function.handle(&from_nobody(&second())).await;
    expect_status(&again, EXISTING);
    assert_eq!(function.counts(), [1, 1, 1]);
}

/// The first occurrence comes again with `return`: the contact and the comments are those of the second.
#[tokio::test(start_paused = true)]
async fn the_items_of_one_occurrence_are_added_with_return() {
    let function = new_owner_dies("", "DynamoDB.UpdateItem").await;
    let first = function.handle(&from_nobody(&order())).await;
    assert_eq!(function.counts(), [1, 1, 1], "{first}");
}

// Requests that arrive late

/// The last request of an operation arrives although its sender is gone.
async fn arrives(function: &Function, operation: &str) {
    let mut requests = function.emulator.requests();
    requests.retain(|request| request.operation == operation);
    let last = requests.last().expect("a request");
    deliver(function, operation, &last.path, &last.body).await;
}

/// The first of an operation's requests whose body holds this text arrives.
async fn arrives_with(function: &Function, operation: &str, text: &str) {
    let mut requests = function.emulator.requests();
    requests.retain(|request| request.operation == operation);
    let holds_text = |body: &Value| body.to_string().contains(text);
    let first = requests.iter().find(|request| holds_text(&request.body));
    let first = first.expect("a request");
    deliver(function, operation, &first.path, &first.body).await;
}

async fn deliver(function: &Function, operation: &str, path: &str, body: &Value) {
    let mut request = HttpRequest::empty();
    request.set_method("POST").expect("a method");
    let uri = format!("https://emulator.example{path}");
    request.set_uri(uri).expect("a URI");
    if let Some(name) = operation.strip_prefix("DynamoDB.") {
        let target = format!("DynamoDB_20120810.{name}");
        request.headers_mut().insert("x-amz-target", target);
    }
    let body = serde_json::to_vec(body).expect("JSON");
    let request = request.try_into_http1x().expect("a request");
    let response = function
        .emulator
        .respond(request.map(|_| body.into()))
        .await;
    let response = response.expect("an answer");
    assert_ne!(response.status(), 404, "{:?}", response.body());
}

/// The first attempt of a claim arrives when its run was refused and is gone: it claims nothing, and takes nothing from the next occurrence.
#[tokio::test(start_paused = true)]
async fn a_claim_that_arrives_after_its_key_was_freed() {
    let function = function("");
    function.inject(hangs("DynamoDB.PutItem"));
    function.inject(invalid("CreateCase"));
    expect_error(&function.handle_for(20, &order()).await, "RequestRefused");
    arrives(&function, "DynamoDB.PutItem").await;
    advance(3600).await;
    expect_status(&function.handle(&second()).await, CREATED);
}

/// The first attempt of a takeover arrives when its run has left the key.
#[tokio::test(start_paused = true)]
async fn a_takeover_that_arrives_after_its_key_was_left() {
    let function = function("");
    let first = from_nobody(&order());
    function.always(throttled("CreateCase"));
    function.handle_for(3, &first).await;
    advance(60).await;
    function.inject(hangs("DynamoDB.UpdateItem"));
    expect_error(&function.handle_for(20, &first).await, "Throttled");
    let left = function.emulator.items(TABLE);
    assert_eq!(left[0]["in_progress_expiration"], 0, "{left:?}");
    arrives_with(&function, "DynamoDB.UpdateItem", ":before").await;
    function.clear_faults();
    expect_status(&function.handle(&second()).await, CREATED);
}

/// A settle arrives when another run has finished the key.
#[tokio::test(start_paused = true)]
async fn a_settle_that_arrives_after_the_end() {
    let function = function("");
    function.always(throttled("CreateRelatedItem"));
    function.always(hangs("DynamoDB.UpdateItem"));
    expect_error(&function.handle_for(3, &order()).await, "ContactNotLinked");
    function.clear_faults();
    advance(60).await;
    expect_status(&function.handle(&order()).await, EXISTING);
    arrives(&function, "DynamoDB.UpdateItem").await;
    expect_status(&function.handle(&order()).await, EXISTING);
    assert_eq!(function.counts(), [1, 1, 1]);
}

/// The search by tag misses at 4:59; `CreateCase` is throttled as long as that search allows, and its last attempt is five seconds late.
#[tokio::test(start_paused = true)]
async fn the_last_attempt_before_the_token_ends() {
    for wait in [293, 294, 295, 298, 299] {
        for (throttles, after) in [(27, 5), (26, 4), (25, 5), (24, 3)] {
            let function = at_the_limits("");
            dies_after_create_case(&function, &order(), 2).await;
            // The lease: 1.8 s and 5 s.
            advance(wait - 1).await;
            function.inject(throttled("CreateCase").retry_after(2).times(throttles));
            function.inject(hangs("CreateCase"));
            let payload = order();
            let run = function.handle_for(57, &payload);
            let _ = timeout(Duration::from_secs(56), run).await;
            let sent = function.creations().len();
            function.clear_faults();
            if sent > 1 {
                advance(after).await;
                arrives(&function, "CreateCase").await;
            }
            let cases = function.counts()[0];
            assert_eq!(cases, 1, "{wait} {throttles} {after} {sent}");
        }
    }
}

/// A link of a dead run that arrives five seconds after its end, and shows thirty seconds later; the next runs' clocks are ahead.
#[tokio::test(start_paused = true)]
async fn a_link_that_arrives_after_the_end() {
    for (skew, step) in [(0, 1), (5_000, 1), (5_000, 3), (-5_000, 2)] {
        let one = at_the_limits("");
        let other = one.another(MAPPING, skew);
        one.inject(hangs("CreateRelatedItem").times(2));
        one.dies_after(4_690, &order(), 5).await;
        advance(5).await;
        arrives(&one, "CreateRelatedItem").await;
        let mut last = Value::Null;
        for _ in 0..90 / step {
            advance(step).await;
            last = other.handle_for(1, &order()).await;
        }
        assert_eq!(one.counts(), [1, 1, 1], "{skew} {step} {last}");
        expect_status(&last, EXISTING);
    }
}

/// `CreateCase` of a dead run arrives five seconds after its end, and the next runs are refused until the doubt is over.
#[tokio::test(start_paused = true)]
async fn a_case_that_arrives_after_the_end_and_refusals() {
    for skew in [-5_000, 0, 5_000] {
        let one = at_the_limits("");
        let other = one.another(MAPPING, skew);
        one.always(hangs("CreateCase"));
        one.dies_after(4_690, &order(), 5).await;
        one.clear_faults();
        advance(5).await;
        arrives(&one, "CreateCase").await;
        one.always(invalid("CreateCase"));
        let unsettled = [
            "OutcomeUnknown",
            "InProgress",
            "ContactNotLinked",
            "CommentNotAdded",
        ];
        for _ in 0..330 {
            advance(1).await;
            let answer = other.handle_for(1, &order()).await;
            assert!(
                answer["status"] == "existing" || unsettled.contains(&code(&answer)),
                "{skew} {answer}"
            );
        }
        advance(60).await;
        expect_status(&other.handle(&order()).await, EXISTING);
        assert_eq!(one.counts(), [1, 1, 1]);
    }
}

// Long runs, many runs

/// Without a ledger: the answer is lost, then throttled beyond the token's life, in one run.
#[tokio::test(start_paused = true)]
async fn without_a_ledger_one_long_run() {
    let function = without_ledger(at_the_limits(""));
    function.inject(lost("CreateCase"));
    function.inject(throttled("CreateCase").retry_after(2).times(200));
    let answer = function.handle_for(14 * 60, &order()).await;
    assert_eq!(function.counts()[0], 1, "{answer}");
}

/// One run after another dies, and the last one finishes the key.
#[tokio::test(start_paused = true)]
async fn every_run_dies_but_the_last() {
    let function = at_the_limits("");
    let known = number_of_profiles(&function);
    let payload = from_nobody(&order());
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
        function.inject(answers_late(operation));
        let run = function.handle_for(5, &payload);
        let _ = timeout(Duration::from_secs(3), run).await;
        function.clear_faults();
        advance(80).await;
    }
    let mut last = Value::Null;
    for _ in 0..6 {
        advance(80).await;
        last = function.handle_for(5, &payload).await;
    }
    expect_status(&last, EXISTING);
    assert_eq!(function.counts(), [1, 1, 1]);
    assert_eq!(number_of_profiles(&function), known + 1);
}

/// The answers to claims, takeovers, settles and releases are lost.
#[tokio::test(start_paused = true)]
async fn answers_of_the_ledger_are_lost() {
    for operation in ["PutItem", "UpdateItem", "DeleteItem"] {
        let function = at_the_limits(WINDOW);
        for round in 0..4 {
            function.inject(lost(&format!("DynamoDB.{operation}")).times(2));
            if round < 2 {
                function.inject(throttled("CreateRelatedItem").times(20));
            }
            function.handle_for(3, &order()).await;
            function.clear_faults();
            advance(50).await;
        }
        expect_status(&function.handle(&order()).await, EXISTING);
        assert_eq!(function.counts(), [1, 1, 1], "{operation}");
    }
}

/// The doubt ends 310 s after its end and not a second before, whatever the clocks say; a refusal is then the answer.
#[tokio::test(start_paused = true)]
async fn permanent_only_after_the_doubt() {
    for skew in [-5_000, 0, 5_000] {
        let one = at_the_limits("");
        let other = one.another(MAPPING, skew);
        one.inject(lost("CreateCase").times(100));
        one.handle_for(3, &order()).await;
        one.clear_faults();
        one.always(denied("SearchProfiles"));
        one.always(invalid("CreateCase"));
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
        assert_eq!(one.counts(), [1, 1, 1], "{skew}");
    }
}

/// A sequence of numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn fault(&mut self) -> Fault {
        const OPERATIONS: [&str; 9] = [
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
        let operation = OPERATIONS[usize::try_from(self.below(9)).expect("small")];
        let kind = match self.below(5) {
            0 => FaultKind::CloseAfter,
            1 => FaultKind::CloseBefore,
            2 => FaultKind::Hang,
            3 => FaultKind::DelayAfter(Duration::from_secs(self.below(20))),
            _ => FaultKind::Delay(Duration::from_secs(self.below(8))),
        };
        let times = 1 + u32::try_from(self.below(3)).expect("small");
        Fault::new(kind).on(operation).times(times)
    }
}

/// Fourteen environments, any of which may die, with faults at every operation: one case, one link, one comment.
#[tokio::test(start_paused = true)]
async fn many_environments() {
    for seed in 0..40_u64 {
        let one = at_the_limits("");
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let known = number_of_profiles(&one);
        let payload = from_nobody(&order());
        for _ in 0..14 {
            let skew = i64::try_from(random.below(6)).expect("small");
            let other = one.another(MAPPING, 1_000 * skew);
            for _ in 0..random.below(4) {
                one.inject(random.fault());
            }
            let run = other.handle_for(2 + random.below(20), &payload);
            let _ = timeout(Duration::from_millis(200 + random.below(9000)), run).await;
            one.clear_faults();
            advance(random.below(120)).await;
        }
        advance(400).await;
        one.handle(&payload).await;
        advance(100).await;
        expect_status(&one.handle(&payload).await, EXISTING);
        assert_eq!(one.counts(), [1, 1, 1], "{seed}");
        assert_eq!(number_of_profiles(&one), known + 1, "{seed}");
    }
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
    function.inject(throttled("CreateCase").retry_after(u32::MAX));
    let payload = event("e-7", "A-7", "c-7", "seven");
    let answer = function.handle_for(5, &payload).await;
    assert!(["", "Throttled"].contains(&code(&answer)), "{answer}");
}
