//! The names that an expression sees, each with a value that it has in one of the shipped events.

use casebridge::event::{Event, Payload};
use mapping::expression::{self, Scope};
use mapping::filter::Tables;
use mapping::value::Value;

use super::markdown::{code, prose, table};
use super::read;

/// An event of `events/`, a reference, and what it is.
type Name = (&'static str, &'static str, &'static str);

const VOICE: &str = "contact-flow-voice";
const DISCONNECTED: &str = "contact-event-disconnected";
const RULE: &str = "contact-lens-post-call";
const ORDER: &str = "order-failed";

const CONTACT_FLOW: [Name; 24] = [
    (
        VOICE,
        "$.Parameters.request",
        "a parameter that the flow's block sends: text, or any JSON",
    ),
    (
        VOICE,
        "$.Attributes.first_name",
        "a contact attribute (user-defined); always text",
    ),
    (
        VOICE,
        "$.Attributes.['order number']",
        "one with a space in its name",
    ),
    (VOICE, "$.Channel", "`VOICE`, `CHAT`, `TASK` or `EMAIL`"),
    (VOICE, "$.ContactId", "this contact"),
    (
        VOICE,
        "$.InitialContactId",
        "the first contact of the conversation, whatever transfers followed",
    ),
    (
        VOICE,
        "$.PreviousContactId",
        "the contact before a transfer",
    ),
    (
        VOICE,
        "$.RelatedContactId",
        "the contact that this one is about, if any",
    ),
    (
        VOICE,
        "$.InitiationMethod",
        "`INBOUND`, `OUTBOUND`, `TRANSFER`, `CALLBACK`, `API`, …",
    ),
    (
        VOICE,
        "$.CustomerEndpoint.Address",
        "the customer's phone number or address; null for a chat",
    ),
    (VOICE, "$.CustomerEndpoint.Type", "what the address is"),
    (
        VOICE,
        "$.SystemEndpoint.Address",
        "the number or address that was contacted",
    ),
    (
        VOICE,
        "$.CustomerId",
        "the customer's id in your system, where the flow has set it",
    ),
    (
        VOICE,
        "$.Queue.ARN",
        "the queue, once the flow has set one: what `assigned_queue` takes",
    ),
    (VOICE, "$.Queue.Name", "its name"),
    (VOICE, "$.Name", "a task's name, or the contact's"),
    (
        VOICE,
        "$.Description",
        "a task's description, or the contact's",
    ),
    (
        VOICE,
        "$.References.product.Value",
        "a reference of a task or an e-mail, by its name",
    ),
    (
        VOICE,
        "$.SegmentAttributes.['connect:Subtype'].ValueString",
        "a segment attribute: the system's, such as an e-mail's subject",
    ),
    (VOICE, "$.LanguageCode", "the flow's language"),
    (VOICE, "$.InstanceARN", "the Connect instance"),
    (VOICE, "$.AwsRegion", "its Region"),
    (
        VOICE,
        "$.Tags.['aws:connect:instanceId']",
        "a tag of the contact",
    ),
    (
        VOICE,
        "$.MediaStreams.Customer.Audio.StreamARN",
        "the stream of the customer's voice, while it is recorded",
    ),
];

const EVENTBRIDGE: [Name; 20] = [
    (
        ORDER,
        "$.source",
        "who sent it: `aws.connect`, or your own source",
    ),
    (ORDER, "$.detail-type", "what it is"),
    (
        ORDER,
        "$.id",
        "the event's id; a producer that sends again gives another",
    ),
    (ORDER, "$.time", "when it happened, RFC 3339"),
    (ORDER, "$.account", "the account, text of 12 digits"),
    (ORDER, "$.region", "the Region"),
    (
        DISCONNECTED,
        "$.resources[0]",
        "what it is about, a list of ARNs",
    ),
    (
        ORDER,
        "$.detail.order.id",
        "your own event: whatever its producer puts in",
    ),
    (
        ORDER,
        "$.detail.order.items[*].sku",
        "of every item of a list; a list itself",
    ),
    (ORDER, "$.detail.order.items[-1].sku", "of the last item"),
    (
        DISCONNECTED,
        "$.detail.eventType",
        "contact event: `INITIATED`, `QUEUED`, `CONNECTED_TO_AGENT`, `DISCONNECTED`, `COMPLETED`, …",
    ),
    (
        DISCONNECTED,
        "$.detail.contactId",
        "contact event: the contact",
    ),
    (
        DISCONNECTED,
        "$.detail.initialContactId",
        "contact event: the first contact of the conversation",
    ),
    (
        DISCONNECTED,
        "$.detail.channel",
        "contact event: the channel, in any letter case",
    ),
    (
        DISCONNECTED,
        "$.detail.queueInfo.queueArn",
        "contact event: the queue",
    ),
    (
        DISCONNECTED,
        "$.detail.disconnectTimestamp",
        "contact event: its end",
    ),
    (RULE, "$.detail.ruleName", "Contact Lens rule: its name"),
    (
        RULE,
        "$.detail.actionName",
        "Contact Lens rule: the action's name",
    ),
    (
        RULE,
        "$.detail.contactArn",
        "Contact Lens rule: the contact; `split('/') | last` gives its id",
    ),
    (
        RULE,
        "$.detail.agentArn",
        "Contact Lens rule: the agent, what a User field takes",
    ),
];

const RUN: [Name; 3] = [
    (VOICE, "$$.mapping", "the name of the case mapping"),
    (VOICE, "$$.trigger", "`contact-flow` or `eventbridge`"),
    (VOICE, "$$.domain", "the id of the Cases domain"),
];

pub(crate) fn of_a_contact_flow() -> String {
    rows(&CONTACT_FLOW)
}

pub(crate) fn of_eventbridge() -> String {
    rows(&EVENTBRIDGE)
}

pub(crate) fn of_this_run() -> String {
    rows(&RUN)
}

fn rows(names: &[Name]) -> String {
    let rows: Vec<[String; 3]> = names
        .iter()
        .map(|(file, reference, meaning)| {
            let value = shortened(&value(file, reference));
            [code(reference), prose(meaning), code(&value)]
        })
        .collect();
    table(["reference", "what it is", "for example"], &rows)
}

fn value(file: &str, reference: &str) -> String {
    let event = event(file);
    let scope = Scope {
        event: &event.root,
        mapping: "refund-request",
        trigger: event.trigger.name(),
        domain: "3ceaaf30-8142-48ea-91d9-3080f9b439fc",
    };
    let template = expression::parse(reference, &Tables::new())
        .unwrap_or_else(|diagnostic| panic!("{reference}: {}", diagnostic.message));
    let item = template
        .evaluate(&scope)
        .unwrap_or_else(|wrong| panic!("{wrong}"))
        .unwrap_or_else(|| panic!("events/{file}.json has no {reference}"));
    shown(item)
}

fn event(file: &str) -> Event {
    match Payload::parse(&read(&format!("events/{file}.json"))) {
        Ok(Payload::Event(event)) => event,
        _ => panic!("events/{file}.json is one event"),
    }
}

/// An item as JSON.
pub(crate) fn shown(item: Value<'_>) -> String {
    match item {
        Value::Text(text) => format!("\"{text}\""),
        Value::Number(text) => text.into_owned(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.into_iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object => "{…}".to_owned(),
        Value::Null => "null".to_owned(),
    }
}

/// Ids and ARNs are long; their beginning says what they are.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 48;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let start: String = text.chars().take(LONGEST - 2).collect();
    format!("{start}…\"")
}
