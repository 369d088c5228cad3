//! What becomes of an event, for everything that can happen to its customer and its contact: the matrix of
//! `docs/customer-and-contact.md`, measured.
//!
//! `UPDATE_DOCS=1 cargo test --test function matrix` writes it.

use std::fmt::Write as _;
use std::time::Duration;

use cases_emulator::{DuplicateContact, Fault};
use serde_json::{Value, json};

use super::{Function, generated};

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

const PHONE: &str = "+15550100142";
const CONTACT: &str = "arn:aws:connect:us-east-1:111122223333:instance/i-1/contact/c-1";

#[derive(Clone, Copy)]
enum Customer {
    Found,
    None,
    Many,
    NotVisible,
    Down,
    Throttled,
}

#[derive(Clone, Copy)]
enum Contact {
    Linked,
    Already,
    Denied,
    Throttled,
    Down,
}

const CUSTOMERS: [(&str, Customer); 6] = [
    ("one profile", Customer::Found),
    ("none: created", Customer::None),
    ("several", Customer::Many),
    ("created, not visible yet", Customer::NotVisible),
    ("Profiles down", Customer::Down),
    ("Profiles throttled", Customer::Throttled),
];

const CONTACTS: [(&str, Contact); 5] = [
    ("linked", Contact::Linked),
    ("linked already", Contact::Already),
    ("denied", Contact::Denied),
    ("throttled", Contact::Throttled),
    ("link down", Contact::Down),
];

const TRIGGERS: [fn() -> Value; 3] = [flow, event, batch];

fn flow() -> Value {
    json!({ "Details": { "ContactData": {
        "ContactId": "c-1",
        "InstanceARN": "arn:aws:connect:us-east-1:111122223333:instance/i-1",
        "CustomerEndpoint": { "Address": PHONE, "Type": "TELEPHONE_NUMBER" },
    } } })
}

fn event() -> Value {
    json!({
        "source": "com.example.shop",
        "detail-type": "Callback Wanted",
        "id": "e-1",
        "detail": { "phone": PHONE, "contactArn": CONTACT },
    })
}

fn batch() -> Value {
    json!({ "Records": [{
        "messageId": "m-1",
        "eventSource": "aws:sqs",
        "body": event().to_string(),
    }] })
}

impl Customer {
    fn prepare(self, function: &Function) {
        let profile = |id: &str| json!({ "ProfileId": id.repeat(32), "PhoneNumber": PHONE });
        let profiles = match self {
            Self::Found | Self::Down | Self::Throttled => vec![profile("a")],
            Self::None | Self::NotVisible => Vec::new(),
            Self::Many => vec![profile("a"), profile("b")],
        };
        let domain = json!({ "DomainName": "amazon-connect-example" });
        let seed = json!({ "domain": domain, "profiles": profiles });
        let set = function.emulator.set_profiles(&seed.to_string());
        set.expect("the emulator takes the profiles");
        if matches!(self, Self::NotVisible) {
            function
                .emulator
                .set_profile_lag(Duration::from_millis(300));
        }
    }

    fn fault(self) -> Option<Fault> {
        match self {
            Self::Down => Some(Fault::status(500, "InternalServerException", "down")),
            Self::Throttled => Some(Fault::status(429, "ThrottlingException", "slow down")),
            Self::Found | Self::None | Self::Many | Self::NotVisible => None,
        }
    }
}

impl Contact {
    fn fault(self) -> Option<Fault> {
        match self {
            Self::Linked | Self::Already => None,
            Self::Denied => Some(Fault::status(403, "AccessDeniedException", "no")),
            Self::Throttled => Some(Fault::status(429, "ThrottlingException", "slow down")),
            Self::Down => Some(Fault::status(500, "InternalServerException", "down")),
        }
    }
}

/// The answer in a few words, and how many cases, profiles and links there are then.
async fn run(customer: Customer, contact: Contact, payload: &Value) -> (String, [usize; 3]) {
    let function = Function::of(MAPPING);
    let emulator = &function.emulator;
    customer.prepare(&function);
    emulator.set_duplicate_contacts(DuplicateContact::Conflict);
    if matches!(contact, Contact::Already) {
        function.handle(&payload.to_string()).await;
    }
    let customer_fault = customer.fault().map(|fault| fault.on("SearchProfiles"));
    let contact_fault = contact.fault().map(|fault| fault.on("CreateRelatedItem"));
    for fault in customer_fault.into_iter().chain(contact_fault) {
        emulator.inject(fault.times(100));
    }
    let answer = function.handle(&payload.to_string()).await;
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
        "| customer | contact | the flow hears | EventBridge gets | SQS | cases | profiles | links |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (customer_name, customer) in CUSTOMERS {
        for (contact_name, contact) in CONTACTS {
            let mut answers = Vec::new();
            let mut counts = Vec::new();
            for payload in TRIGGERS {
                let (answer, count) = run(customer, contact, &payload()).await;
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
            let _ = writeln!(
                matrix,
                "| {customer_name} | {contact_name} | {answers} | {cases} | {profiles} | {links} |"
            );
        }
    }
    generated("docs/customer-and-contact.md", "matrix", &matrix);
}
