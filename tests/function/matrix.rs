//! The outcome of an event, for every outcome of its customer and its contact: the matrix of
//! `docs/customer-and-contact.md`, measured.
//!
//! `UPDATE_DOCS=1 cargo test --test function matrix` writes it.

use std::fmt::Write as _;
use std::time::Duration;

use cases_emulator::{DuplicateContact, Fault};
use serde_json::{Value, json};

use super::{
    Function, INSTANCE, KNOWN, batch, denied, down, event, flow, generated, message, throttled,
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
  - name: event
    trigger: eventbridge
    template: Contact follow-up
    customer:
      find: [{ _phone: $.detail.phone }]
      if_none: { create: { PhoneNumber: $.detail.phone } }
    link_contact: $.detail.contactArn
    fields: { title: Call back }
";

/// The state of Customer Profiles: the profiles of the caller, the milliseconds until Cases sees a new one, and the fault of a search.
type Customer = (&'static [&'static str], u64, Option<Fault>);

/// The state of the link: whether it exists already, and the fault of the link's call.
type Link = (bool, Option<Fault>);

fn customers() -> [(&'static str, Customer); 6] {
    let search = "SearchProfiles";
    [
        ("one profile", (&["a"], 0, None)),
        ("none: created", (&[], 0, None)),
        ("several", (&["a", "b"], 0, None)),
        ("created, not visible yet", (&[], 300, None)),
        ("Profiles down", (&["a"], 0, Some(down(search)))),
        ("Profiles throttled", (&["a"], 0, Some(throttled(search)))),
    ]
}

fn links() -> [(&'static str, Link); 5] {
    let link = "CreateRelatedItem";
    [
        ("linked", (false, None)),
        ("linked already", (true, None)),
        ("denied", (false, Some(denied(link)))),
        ("throttled", (false, Some(throttled(link)))),
        ("link down", (false, Some(down(link)))),
    ]
}

/// A flow, an event, and the event in a batch.
fn payloads() -> [String; 3] {
    let contact = format!("{INSTANCE}/contact/c-1");
    let event = event("e-1", &json!({ "phone": KNOWN, "contactArn": contact }));
    let batch = batch(&[message("m-1", "events", &event)]);
    [flow(KNOWN, &json!({})), event, batch]
}

/// Returns the answer in a few words, and the numbers of cases, profiles and links.
async fn run(customer: &Customer, link: &Link, payload: &str) -> (String, [usize; 3]) {
    let (profiles, lag, search_fault) = customer;
    let (is_linked, link_fault) = link;
    let function = Function::of(MAPPING);
    let emulator = &function.emulator;
    let profiles: Vec<Value> = profiles
        .iter()
        .map(|id| json!({ "ProfileId": id.repeat(32), "PhoneNumber": KNOWN }))
        .collect();
    let domain = json!({ "DomainName": "amazon-connect-example" });
    let seed = json!({ "domain": domain, "profiles": profiles });
    let set = emulator.set_profiles(&seed.to_string());
    set.expect("the emulator takes the profiles");
    emulator.set_profile_lag(Duration::from_millis(*lag));
    emulator.set_duplicate_contacts(DuplicateContact::Conflict);
    if *is_linked {
        function.handle(payload).await;
    }
    for fault in search_fault.iter().chain(link_fault) {
        function.always(fault.clone());
    }
    let answer = function.handle(payload).await;
    let counts = [
        emulator.cases().len(),
        emulator.profiles().len(),
        emulator.related_items().len(),
    ];
    (words(&answer), counts)
}

fn words(answer: &Value) -> String {
    let text = |member: &str| answer[member].as_str().unwrap_or_default();
    if let Some(code) = answer["errorType"].as_str() {
        return format!("error `{code}`");
    }
    if let Some(failures) = answer["batchItemFailures"].as_array() {
        let kept = if failures.is_empty() { "done" } else { "kept" };
        return kept.to_owned();
    }
    let mut words = format!("`{}`", text("status"));
    if text("status") != "failed" {
        let _ = write!(words, ", linked `{}`", text("contactLinked"));
    }
    if !text("errorCode").is_empty() {
        let again = if text("retryable") == "true" {
            ", retryable"
        } else {
            ""
        };
        let _ = write!(words, ", `{}`{again}", text("errorCode"));
    }
    words
}

#[tokio::test(start_paused = true)]
async fn the_matrix_of_the_documentation_is_what_happens() {
    let mut matrix = String::from(
        "| customer | contact | answer to the flow | result for EventBridge | SQS message | cases | profiles | links |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (customer_name, customer) in customers() {
        // Contacts with the same outcome share a row.
        let mut rows: Vec<(Vec<&str>, String)> = Vec::new();
        for (contact_name, link) in links() {
            let mut answers = Vec::new();
            let mut counts = Vec::new();
            for payload in payloads() {
                let (answer, count) = run(&customer, &link, &payload).await;
                assert!(
                    count[0] <= 1 && count[2] <= count[0],
                    "{customer_name}, {contact_name}: {count:?}"
                );
                answers.push(answer);
                counts.push(count);
            }
            counts.dedup();
            let [[cases, profiles, links]] = counts.as_slice() else {
                panic!("{customer_name}, {contact_name}: {counts:?}");
            };
            let answers = answers.join(" | ");
            let outcome = format!("{answers} | {cases} | {profiles} | {links}");
            match rows.iter_mut().find(|(_, known)| *known == outcome) {
                Some((names, _)) => names.push(contact_name),
                None => rows.push((vec![contact_name], outcome)),
            }
        }
        for (names, outcome) in rows {
            let contact = match names.len() {
                all if all == links().len() => "any".to_owned(),
                _ => names.join(", "),
            };
            let _ = writeln!(matrix, "| {customer_name} | {contact} | {outcome} |");
        }
    }
    generated("docs/customer-and-contact.md", "matrix", &matrix);
}
