//! `render`: shows the exact `CreateCase` request of an event, and the other requests that write. The function builds the
//! request, the SDK serializes it, and an emulator in this process receives it: nothing is sent.

mod explain;

use std::collections::HashSet;
use std::time::Duration;

use anyhow::anyhow;
use aws_credential_types::Credentials;
use casebridge::client;
use casebridge::config::Config;
use casebridge::deadline::Deadline;
use casebridge::error::Failure;
use casebridge::event::{Event, Payload};
use casebridge::failure_queue::FailureQueue;
use casebridge::handler::{BatchResponse, Casebridge, Response};
use casebridge::request::CaseRequest;
use cases_emulator::{Emulator, Request};
use serde_json::{Value, json};

use crate::failures::{self, MessageFailure};
use crate::sources::{self, Sources, about_customers, read_input};
use crate::terminal::{self, FAINT, NOTABLE, paint};

/// The time-out of an event. The emulator answers at once, so a longer wait is only for refused requests.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Show the exact request that makes a case of an event, and send nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge render events/order-failed.json
  cargo casebridge render --explain events/order-failed.json
  cargo casebridge render --mapping new.yaml - < event.json

Standard output has the request's body as JSON, one for each event of a batch or a
list; with --explain, its explanation comes first. Standard error names the other
requests that write, such as a comment; --explain and --json show their bodies.

The customer is searched for in --profiles. A profile that the event names counts as
existing.

Exit status: 0; 1 the event makes no request, or one that Cases would refuse; 2 the
files could not be used.")]
pub(crate) struct Arguments {
    /// The event: a file, or `-` for standard input
    event: String,

    #[command(flatten)]
    sources: Sources,

    /// Explain the route, why earlier routes did not match, and the value of each expression
    #[arg(long)]
    explain: bool,

    /// One line: {"event": path, "answer": …, "requests": [{"operation": "CreateCase", "body": …}, …], "failures": [{"messageId", …}, …]}
    #[arg(long)]
    json: bool,
}

/// # Errors
///
/// A file that cannot be read, or a mapping or snapshot that the function would not start with.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let payload = read_input(&arguments.event)?;
    let files = arguments.sources.read()?;
    let config = Config::read(&|name| files.variable(name), &[])?;
    let emulator = files.emulator()?;
    let Handled {
        explained,
        answered,
        writes,
        mut unfinished,
    } = handle(&config, &emulator, &payload).await?;
    let mut failures = MessageFailure::read(&payload, &emulator.messages(failures::QUEUE));
    unfinished.retain(|unfinished| {
        failures
            .iter()
            .all(|failure| failure.message_id != unfinished.message_id)
    });
    failures.extend(unfinished);
    if arguments.json {
        let requests: Vec<_> = writes
            .iter()
            .map(|request| json!({ "operation": request.operation, "body": request.body }))
            .collect();
        let failures: Vec<_> = failures.iter().map(MessageFailure::json).collect();
        let line = json!({
            "event": arguments.event,
            "answer": answer(&answered),
            "requests": requests,
            "failures": failures,
        });
        terminal::print(&format!("{line}\n"))?;
    } else {
        if arguments.explain {
            terminal::print(&explained)?;
        }
        show(&writes, arguments.explain)?;
    }
    let refused = failure_of("", &answered);
    for failure in &failures {
        let id = &failure.message_id;
        note(&format!("no request of message {id}:"), &reason(failure));
    }
    if let Some(failure) = &refused {
        let what = match failure.code.as_str() {
            "ContactNotLinked" | "CommentNotAdded" => "the case would be incomplete",
            _ if writes.iter().any(is_case) => "Cases would refuse it",
            _ => "no request",
        };
        note(&format!("{what}:"), &reason(failure));
        if let Some(hint) = about_customers(&failure.code) {
            note("hint:", hint);
        }
    } else if failures.is_empty() && finds_nobody(&emulator, &writes) {
        let file = files.profiles.map_or_else(
            || "there are no profiles".to_owned(),
            |seed| format!("no profile of {} has these keys", seed.path.display()),
        );
        note(
            "no customer:",
            &format!("{file}; --profiles FILE names the customers there are"),
        );
    }
    Ok(refused.is_none() && failures.is_empty())
}

/// Prints the body of each case, and a line for each other request; with `explained`, its body too. Standard output stays
/// JSON unless all is explained.
fn show(writes: &[Request], explained: bool) -> anyhow::Result<()> {
    for request in writes {
        let line = format!("{}\n", paint(FAINT, described(request)));
        match (is_case(request), explained) {
            (true, _) => terminal::print(&format!("{:#}\n", request.body))?,
            (false, true) => terminal::print(&format!("{line}{:#}\n", request.body))?,
            (false, false) => terminal::print_note(&line),
        }
    }
    Ok(())
}

fn note(what: &str, text: &str) {
    terminal::print_note(&format!("{} {text}\n", paint(NOTABLE, what)));
}

/// Returns whether a customer was searched for and not found.
fn finds_nobody(emulator: &Emulator, writes: &[Request]) -> bool {
    let searched = emulator
        .requests()
        .iter()
        .any(|request| request.operation == "SearchProfiles");
    let has_customer = |case: &Request| {
        let fields = case.body.get("fields").and_then(Value::as_array);
        let mut fields = fields.into_iter().flatten();
        fields.any(|field| field.get("id").is_some_and(|id| id == "customer_id"))
    };
    let mut cases = writes.iter().filter(|request| is_case(request));
    searched && cases.all(|case| !has_customer(case))
}

/// The result of a payload.
struct Handled {
    /// The way to the requests, in words.
    explained: String,
    answered: Result<Response, Failure>,
    /// The writing requests of the function.
    writes: Vec<Request>,
    /// The reasons of messages of a batch that are skipped or stay in the queue.
    unfinished: Vec<MessageFailure>,
}

/// Has the function handle a payload.
async fn handle(config: &Config, emulator: &Emulator, payload: &str) -> anyhow::Result<Handled> {
    let sdk = client::defaults()
        .http_client(emulator.http_client())
        .credentials_provider(Credentials::from_keys("test", "test", None))
        .region(aws_config::Region::new(config.region.clone()))
        .load()
        .await;
    let mut casebridge = casebridge::start::casebridge(config, &sdk)
        .map_err(|error| anyhow!("the function cannot start\n\n{error}"))?;
    // As in a deployment, a message that can never succeed goes to the failure queue with its reason.
    emulator.add_queue(failures::QUEUE);
    casebridge.failure_queue = Some(FailureQueue::new(&sdk, failures::QUEUE.to_owned()));
    let events = events(&casebridge, payload).await;
    add_named_profiles(emulator, &casebridge, &events);
    emulator.clear_requests();
    let explained = explain::text(&casebridge, &events);
    let answered = casebridge.handle(payload, TIMEOUT).await;
    let writes = writing_requests(emulator);
    let unfinished = match &answered {
        Ok(Response::Batch(batch)) => unfinished(&casebridge, payload, batch).await,
        _ => Vec::new(),
    };
    Ok(Handled {
        explained,
        answered,
        writes,
        unfinished,
    })
}

/// Returns the reasons of messages of a batch that are skipped or stay in the queue. Each message is handled alone, and so
/// gets its own reason.
async fn unfinished(
    casebridge: &Casebridge,
    payload: &str,
    answer: &BatchResponse,
) -> Vec<MessageFailure> {
    let Ok(Payload::Batch(messages)) = Payload::parse(payload) else {
        return Vec::new();
    };
    let kept: HashSet<&str> = answer
        .batch_item_failures
        .iter()
        .map(|failure| failure.item_identifier.as_str())
        .collect();
    let mut unfinished = Vec::new();
    for message in &messages {
        let Ok(event) = &message.event else { continue };
        let is_ours = matches!(casebridge.guard.check(event), Ok(None))
            && event
                .route(&casebridge.mapping, &casebridge.context.domain_id)
                .is_some();
        if is_ours && !kept.contains(message.message_id.as_str()) {
            continue;
        }
        let answered = casebridge.handle(&message.body, TIMEOUT).await;
        unfinished.extend(failure_of(&message.id, &answered));
    }
    unfinished
}

/// The events of a payload, as the mapping reads them.
async fn events(casebridge: &Casebridge, payload: &str) -> Vec<Event> {
    let events: Vec<Event> = sources::events(payload).into_iter().flatten().collect();
    let mut seen = Vec::with_capacity(events.len());
    for event in events {
        let enriched = enriched(casebridge, &event).await;
        seen.push(enriched.unwrap_or(event));
    }
    seen
}

/// The event with the data of its contact, if the case mapping asks for it. The answer has the reason when they cannot be
/// read.
async fn enriched(casebridge: &Casebridge, event: &Event) -> Option<Event> {
    let case = event.route(&casebridge.mapping, &casebridge.context.domain_id)?;
    let connect = casebridge.connect.as_ref().filter(|_| case.enrich)?;
    let (instance, contact) = (event.instance_id()?, event.contact_id()?);
    let initial = event.text(&["detail", "initialContactId"]);
    let deadline = Deadline::after(TIMEOUT);
    let read = connect.read(instance, contact, initial, deadline).await;
    Some(event.with(read.ok()?))
}

/// The function's answer, as `local` shows it.
fn answer(answered: &Result<Response, Failure>) -> Value {
    match answered {
        Ok(response) => serde_json::to_value(response).unwrap_or_default(),
        Err(failure) => {
            json!({
                "errorType": failure.code.name(),
                "errorField": failure.field,
                "errorMessage": failure.message,
            })
        }
    }
}

/// The error of an event, if it has one. Each message of a batch has its own.
fn failure_of(message_id: &str, answered: &Result<Response, Failure>) -> Option<MessageFailure> {
    match answered {
        Ok(Response::Answer(answer)) if answer.error_code.is_empty() => None,
        Ok(Response::Answer(answer)) => Some(MessageFailure {
            message_id: message_id.to_owned(),
            code: answer.error_code.to_owned(),
            field: answer.error_field.clone(),
            sentence: answer.error_message.clone(),
        }),
        Ok(Response::Batch(_)) => None,
        Err(failure) => Some(MessageFailure::new(message_id, failure)),
    }
}

fn reason(failure: &MessageFailure) -> String {
    format!("{} ({})", failure.sentence, failure.headline())
}

/// The requests that write, in their order; a repeated request counts once.
fn writing_requests(emulator: &Emulator) -> Vec<Request> {
    const OPERATIONS: [&str; 3] = ["CreateProfile", "CreateCase", "CreateRelatedItem"];
    let mut writes = emulator.requests();
    writes.retain(|request| OPERATIONS.contains(&request.operation.as_str()));
    writes.dedup_by(|again, request| is_case(again) && again.body == request.body);
    writes
}

fn is_case(request: &Request) -> bool {
    request.operation == "CreateCase"
}

/// Describes a request other than the case's: `then CreateRelatedItem: Contact`.
fn described(request: &Request) -> String {
    match request.body.get("type").and_then(|kind| kind.as_str()) {
        Some(kind) => format!("then {}: {kind}", request.operation),
        None => format!("first {}", request.operation),
    }
}

/// Adds the profiles whose ARNs the events name, because no service can confirm them.
fn add_named_profiles(emulator: &Emulator, casebridge: &Casebridge, events: &[Event]) {
    let requests = events.iter().filter_map(|event| {
        let case = event.route(&casebridge.mapping, &casebridge.context.domain_id)?;
        CaseRequest::assemble(case, event, &casebridge.context).ok()
    });
    let mut profiles = emulator.profiles();
    let (mut searches, mut named) = (false, None);
    for request in requests {
        searches |= request.customer.is_some();
        let Some((domain, id)) = request.customer_arn().and_then(parts) else {
            continue;
        };
        named = Some(domain.to_owned());
        let is_it = |profile: &Value| profile.get("ProfileId").and_then(Value::as_str) == Some(id);
        if !profiles.iter().any(is_it) {
            profiles.push(json!({ "ProfileId": id }));
        }
    }
    let Some(named) = named else { return };
    // A search goes to the function's profiles domain. Without one, only the ARN names the domain.
    let known = &casebridge.context.profiles;
    let domain = match known.as_ref().filter(|_| searches) {
        Some(domain) => domain.name.clone(),
        None => named,
    };
    let seed = json!({ "domain": { "DomainName": domain }, "profiles": profiles });
    // Cases refuses an impossible id.
    let _ = emulator.set_profiles(&seed.to_string());
}

/// The domain's name and the profile's id in `arn:P:profile:R:A:domains/NAME/profiles/ID`.
fn parts(arn: &str) -> Option<(&str, &str)> {
    arn.split_once(":domains/")?.1.split_once("/profiles/")
}
