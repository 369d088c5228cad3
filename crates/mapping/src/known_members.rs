//! The documented members of each trigger's events, and the diagnostics for other members.
//!
//! AWS sends undocumented members and adds new ones, so an unknown member is not an error. An error is only a member that Connect
//! never sends. A name that is almost a known one gets a warning.

use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::tree::Span;
use crate::trigger::Trigger;

/// Members of `ContactData`, and the parameters at the same level (administrator guide, "Invoke AWS Lambda functions").
const CONTACT: &[&str] = &[
    "Attributes",
    "AwsRegion",
    "Channel",
    "ContactId",
    "CustomerEndpoint",
    "CustomerId",
    "Description",
    "InitialContactId",
    "InitiationMethod",
    "InstanceARN",
    "LanguageCode",
    "MediaStreams",
    "Name",
    "Parameters",
    "PreviousContactId",
    "Queue",
    "References",
    "RelatedContactId",
    "SegmentAttributes",
    "SystemEndpoint",
    "Tags",
];

/// Namespaces that exist in flows but that Connect sends to no Lambda function (administrator guide, list of contact attributes).
const FLOW_ONLY: &[&str] = &[
    "Case",
    "Customer",
    "External",
    "FlowAttributes",
    "LambdaInvocation",
    "Lex",
    "StoredCustomerInput",
];

/// Members of an EventBridge event (EventBridge user guide, "Events").
const EVENT: &[&str] = &[
    "account",
    "detail",
    "detail-type",
    "id",
    "region",
    "replay-name",
    "resources",
    "source",
    "time",
    "version",
];

/// Members that `enrich` adds to a contact event.
const READ: [&str; 2] = ["Attributes", "contact"];

/// Returns the error for a member that Connect sends to no function.
pub(crate) fn never_sent(trigger: Option<Trigger>, name: &str, span: Span) -> Option<Diagnostic> {
    if trigger != Some(Trigger::ContactFlow) || !FLOW_ONLY.contains(&name) {
        return None;
    }
    let message = format!("Connect does not send `$.{name}` to a Lambda function");
    let help = "pass it as a parameter of the flow's block, and write `$.Parameters.` and the parameter's name";
    Some(Diagnostic::error(span, Code::Reference, message).help(help))
}

/// Returns the warning for a top-level member that the trigger's events probably do not have.
pub(crate) fn improbable(
    trigger: Trigger,
    enriched: bool,
    name: &str,
    span: Span,
) -> Option<Diagnostic> {
    let (known, others, here, there) = match trigger {
        Trigger::ContactFlow => (CONTACT, EVENT, "a contact-flow event", "EventBridge's"),
        Trigger::EventBridge => (EVENT, CONTACT, "an EventBridge event", "contact flows'"),
    };
    let warning = |message| Diagnostic::warning(span, Code::EventMember, message);
    if known.contains(&name) || (enriched && READ.contains(&name)) {
        None
    } else if trigger == Trigger::EventBridge && READ.contains(&name) {
        let help = "`enrich: true` reads it from the contact of a contact event";
        Some(warning(format!("{here} has no `{name}`")).help(help))
    } else if others.contains(&name) {
        let message = format!("{here} has no `{name}`: it is a member of {there}");
        Some(warning(message))
    } else {
        let near = nearest(name, known.iter().copied())?;
        let message = format!("{here} has no `{name}` that we know of");
        Some(warning(message).help(format!("did you mean `{near}`?")))
    }
}
