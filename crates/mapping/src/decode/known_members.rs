//! What references and patterns can find: members that a trigger's events have, have not, or are probably misspelt.
//!
//! AWS sends more members than it documents and adds others, so an unknown member is no diagnostic: only what Connect never sends is one, and a
//! name that is nearly a known one is worth a warning.

use super::{Decoder, locate};
use crate::Trigger;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::expression::{Operand, Reference, Step, ValueExpr};
use crate::tree::{Entry, Kind, Node, Scalar, Span};

/// Members of `ContactData`, and the parameters beside it (administrator guide, "Invoke AWS Lambda functions").
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

/// Namespaces that a flow knows and that Connect sends to no Lambda function (administrator guide, list of contact attributes).
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

/// What `enrich` adds to the event of a contact.
const READ: [&str; 2] = ["Attributes", "contact"];

impl Decoder<'_> {
    /// Looks at the references of a expr that stands in a scalar.
    pub(super) fn look_at_references(&mut self, expr: &ValueExpr, span: Span, scalar: &Scalar) {
        for expression in expr.expressions() {
            let Operand::Reference(Reference::Event(steps)) = &expression.operand else {
                continue;
            };
            let Some(Step::Member(name)) = steps.first() else {
                continue;
            };
            if let Some(diagnostic) = self.diagnostic(name) {
                let at = scalar.text.find(&expression.text).unwrap_or_default();
                let at = at..at + expression.text.len();
                let span = locate::locate(&self.source, span, &scalar.text, &at);
                self.warn(Diagnostic { span, ..diagnostic });
            }
        }
    }

    /// Looks at the fields that an event pattern names at the top.
    pub(super) fn look_at_pattern(&mut self, node: &Node) {
        let Kind::Map(entries) = &node.kind else {
            return;
        };
        for Entry { key, value } in entries {
            match &value.kind {
                Kind::List(branches) if key.text == "$or" => {
                    for branch in branches {
                        self.look_at_pattern(branch);
                    }
                }
                _ => {
                    let name = key.text.split('.').next().unwrap_or_default();
                    if let Some(diagnostic) = self.diagnostic(name) {
                        self.warn(Diagnostic {
                            span: key.span,
                            ..diagnostic
                        });
                    }
                }
            }
        }
    }

    /// What there is to say of a member at the top of an event; its place is for the caller to tell.
    fn diagnostic(&self, name: &str) -> Option<Diagnostic> {
        let (known, others, here, there) = match self.trigger? {
            Trigger::ContactFlow => (CONTACT, EVENT, "a contact-flow event", "EventBridge's"),
            Trigger::EventBridge => (EVENT, CONTACT, "an EventBridge event", "contact flows'"),
        };
        let warning = |message| Diagnostic::warning(Span::default(), Code::EventMember, message);
        if known.contains(&name) || (self.enriched && READ.contains(&name)) {
            None
        } else if self.trigger == Some(Trigger::ContactFlow) && FLOW_ONLY.contains(&name) {
            let message = format!("Connect does not send `$.{name}` to a Lambda function");
            let help = "pass it as a parameter of the flow's block, and write `$.Parameters.` and the parameter's name";
            let diagnostic = Diagnostic::new(Span::default(), message).help(help);
            Some(diagnostic.code(Code::Reference))
        } else if self.trigger == Some(Trigger::EventBridge) && READ.contains(&name) {
            let message = format!("{here} has no `{name}`");
            let help = "`enrich: true` reads it from the contact of a contact event";
            Some(warning(message).help(help))
        } else if others.contains(&name) {
            Some(warning(format!(
                "{here} has no `{name}`: it is a member of {there}"
            )))
        } else {
            let near = nearest(name, known.iter().copied())?;
            let message = format!("{here} has no `{name}` that we know of");
            Some(warning(message).help(format!("did you mean `{near}`?")))
        }
    }
}
