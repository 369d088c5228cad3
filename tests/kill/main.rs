//! The function's own binary, killed where it hurts: after a call has had its effect, and before anybody heard of it. The same event then
//! comes to a fresh process, as Lambda's retry, Connect's second call or a queue's redelivery would bring it.
//!
//! `CASEBRIDGE_KILLS=200 cargo test -p casebridge --test kill -- --nocapture` kills that often, and prints what came of it.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends by panicking, looks at the clock and the environment, and sets the ledger's items back"
)]

mod killing;
mod services;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use runtime_api::Function;
use serde_json::{Value, json};

use self::killing::{Call, Killed, killed, sent};
use self::services::{AMPLE, Ledger, Services};

/// The calls of an event that makes a profile, a case, a link and a comment, in their order: these before the case is stored, and those
/// after it, before the answer. The last one marks the key as done.
const BEFORE_THE_CASE: [Call; 3] = [
    Call("DynamoDB.PutItem", 1),
    Call("SearchProfiles", 1),
    Call("CreateProfile", 1),
];
const AFTER_THE_CASE: [Call; 4] = [
    Call("CreateCase", 1),
    Call("CreateRelatedItem", 1),
    Call("CreateRelatedItem", 2),
    Call("DynamoDB.UpdateItem", 1),
];

fn event() -> String {
    let detail = json!({
        "order": "A-1042",
        "phone": "+15550100199",
        "contactArn": "arn:aws:connect:us-east-1:111122223333:instance/i-1/contact/c-1",
        "comment": "Call after six",
    });
    json!({ "source": "com.example.shop", "detail-type": "Order", "id": "e-1", "detail": detail })
        .to_string()
}

fn flow() -> String {
    let contact = json!({
        "ContactId": "c-1",
        "InstanceARN": "arn:aws:connect:us-east-1:111122223333:instance/i-1",
        "CustomerEndpoint": { "Address": "+15550100199", "Type": "TELEPHONE_NUMBER" },
    });
    let parameters = json!({ "comment": "Call after six" });
    json!({ "Details": { "ContactData": contact, "Parameters": parameters } }).to_string()
}

/// Longer than anything that a dead process sent may take to show.
const LONG: Duration = Duration::from_mins(10);

/// Exactly one of everything, and an answer that says so.
fn assert_once(services: &Services, answer: &Value) {
    let cases = services.emulator.cases();
    assert_eq!(cases.len(), 1, "{answer}");
    let status = answer["status"].as_str().unwrap_or_default();
    assert!(["created", "existing"].contains(&status), "{answer}");
    assert_eq!(
        [
            &answer["caseId"],
            &answer["contactLinked"],
            &answer["commentAdded"]
        ],
        [&cases[0]["caseId"], &json!("true"), &json!("true")],
        "{answer}"
    );
    let items = services.emulator.related_items();
    let mut kinds: Vec<_> = items
        .iter()
        .map(|item| (&item["type"], &item["caseId"]))
        .collect();
    kinds.sort_by_key(|(kind, _)| kind.to_string());
    let case_id = &cases[0]["caseId"];
    let once = [(&json!("Comment"), case_id), (&json!("Contact"), case_id)];
    assert_eq!(kinds, once, "{answer}");
    assert_eq!(services.new_profiles(), 1, "{answer}");
}

/// Kills a process at the call, gives its event to a fresh one, and looks at what there is then.
async fn assert_once_after(call: Call, payload: &str, ledger: Ledger) -> (Killed, String) {
    let (services, killed) = killed(call, payload, ledger).await;
    services.let_time_pass(LONG).await;
    let answer = sent(&services, payload).await;
    assert_once(&services, &answer);
    if ledger == Ledger::Table {
        assert_eq!(services.ledger_items()[0]["status"], "COMPLETED");
    }
    let status = answer["status"].as_str().unwrap_or_default();
    (killed, status.to_owned())
}

fn kills() -> usize {
    let kills = std::env::var("CASEBRIDGE_KILLS");
    kills.map_or(10, |kills| {
        kills.parse().expect("CASEBRIDGE_KILLS is a number")
    })
}

#[tokio::test]
async fn a_process_killed_after_the_case_leaves_one() {
    let (mut seconds, mut answers) = (Vec::new(), BTreeMap::new());
    let mut slow = 0;
    for kill in 0..kills() {
        // Each call for events and flows in turn.
        let call = AFTER_THE_CASE[kill / 2 % AFTER_THE_CASE.len()];
        let payload = if kill % 2 == 0 { event() } else { flow() };
        let (killed, status) = assert_once_after(call, &payload, Ledger::Table).await;
        seconds.push(killed.begun.elapsed().as_secs_f64());
        slow += killed.too_late;
        *answers.entry(status).or_insert(0) += 1;
    }
    seconds.sort_by(f64::total_cmp);
    println!(
        "{} kills between storing the case and answering, each with one case, one link and one comment in the end: {answers:?}",
        seconds.len()
    );
    println!(
        "{:.2} s each at the median, {:.2} s at most; {slow} had to be begun again with more time",
        seconds[seconds.len() / 2],
        seconds[seconds.len() - 1]
    );
}

#[tokio::test]
async fn a_process_killed_before_the_case_leaves_one() {
    for (kill, call) in BEFORE_THE_CASE.into_iter().enumerate() {
        let payload = if kill % 2 == 0 { event() } else { flow() };
        assert_once_after(call, &payload, Ledger::Table).await;
    }
}

/// A process that died may have created a profile, and search shows none. It has no token, and search may lag: nothing is made for now.
#[tokio::test]
async fn a_profile_that_may_be_there_is_not_made_again() {
    let begun = Call("SearchProfiles", 1);
    let (services, _) = killed(begun, &flow(), Ledger::Table).await;
    services.let_time_pass(Duration::from_secs(30)).await;
    let answer = sent(&services, &flow()).await;
    assert_eq!(
        [
            &answer["status"],
            &answer["errorCode"],
            &answer["retryable"]
        ],
        ["failed", "OutcomeUnknown", "true"],
        "{answer}"
    );
    let message = answer["errorMessage"].as_str().unwrap_or_default();
    assert!(message.contains("the customer's profile"), "{answer}");
    assert_eq!(services.new_profiles(), 0);
    assert_eq!(services.emulator.cases().len(), 0);
}

/// The token alone makes it the same case. A flow that Connect runs again would link again, so it is killed before the link.
#[tokio::test]
async fn without_a_ledger_it_is_one_case_too() {
    for (call, payload) in [
        (Call("CreateCase", 1), event()),
        (Call("CreateRelatedItem", 1), event()),
        (Call("CreateRelatedItem", 2), event()),
        (Call("CreateCase", 1), flow()),
    ] {
        let (_, status) = assert_once_after(call, &payload, Ledger::None).await;
        assert_eq!(status, "created", "{call:?}");
    }
}

#[tokio::test]
async fn ten_processes_at_once_make_one_case() {
    let services = Services::start(Ledger::Table).await;
    let functions = join_all((0..10).map(|_| services.function(AMPLE))).await;
    let payload = event();
    let answers = functions
        .iter()
        .map(|function| killing::answered(function, &payload));
    let answers = join_all(answers).await;
    for answer in &answers {
        assert_once(&services, answer);
    }
    let pids: HashSet<_> = functions.iter().map(Function::pid).collect();
    assert_eq!(pids.len(), 10);
    let created = answers
        .iter()
        .filter(|answer| answer["status"] == "created");
    assert_eq!(created.count(), 1, "{answers:?}");
    assert_eq!(services.calls("CreateCase"), 1);
}
