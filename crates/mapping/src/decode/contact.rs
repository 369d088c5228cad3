//! What a case mapping does with the contact: link it, read it.

use super::Decoder;
use crate::LinkContact;
use crate::Trigger;
use crate::diagnostic::{Code, Diagnostic};
use crate::object::Object;
use crate::tree::{Kind, Literal, Node};

impl Decoder<'_> {
    /// The contact to link: by default that of a flow.
    pub(super) fn link_contact(&mut self, object: &Object<'_>) -> Option<LinkContact> {
        let Some(node) = object.get("link_contact") else {
            return Some(match self.trigger {
                Some(Trigger::ContactFlow) => LinkContact::Current,
                Some(Trigger::EventBridge) | None => LinkContact::Never,
            });
        };
        if let Kind::Scalar(scalar) = &node.kind
            && let Literal::Boolean(link) = scalar.literal()
        {
            return Some(if link {
                LinkContact::Current
            } else {
                LinkContact::Never
            });
        }
        let named = self.value(node)?;
        if named.constant().is_some() {
            let message = "`link_contact` takes `true`, `false`, or where the contact's id or ARN stands in the event";
            let help = "such as $.InitialContactId";
            return self.refuse(
                Diagnostic::new(node.span, message)
                    .help(help)
                    .code(Code::Contact),
            );
        }
        Some(LinkContact::Named(named))
    }

    /// Whether the contact is read: a flow sends all that could be read.
    pub(super) fn enrich(&mut self, object: &Object<'_>) -> Option<bool> {
        let enrich = self.switch(object, "enrich")?;
        if enrich && self.trigger == Some(Trigger::ContactFlow) {
            let message = "`enrich` is for `trigger: eventbridge`: a flow sends the contact and its attributes itself";
            let diagnostic = Diagnostic::new(object.span_of("enrich"), message);
            return self.refuse(diagnostic.help("leave it out").code(Code::Contact));
        }
        Some(enrich)
    }

    /// Whether events of Cases are taken; a flow sends none.
    pub(super) fn on_case_events(&mut self, object: &Object<'_>) -> Option<bool> {
        let on = self.switch(object, "on_case_events")?;
        if on && self.trigger == Some(Trigger::ContactFlow) {
            let message =
                "`on_case_events` is for `trigger: eventbridge`: a flow sends no events of Cases";
            let diagnostic = Diagnostic::new(object.span_of("on_case_events"), message);
            return self.refuse(diagnostic.help("leave it out").code(Code::Contact));
        }
        Some(on)
    }

    /// `true` or `false`, and `false` where the key is absent.
    pub(super) fn switch(&mut self, object: &Object<'_>, key: &str) -> Option<bool> {
        let Some(node) = object.get(key) else {
            return Some(false);
        };
        match &node.kind {
            Kind::Scalar(scalar) => match scalar.literal() {
                Literal::Boolean(on) => Some(on),
                _ => self.refuse(not_a_switch(key, node)),
            },
            Kind::List(_) | Kind::Map(_) => self.refuse(not_a_switch(key, node)),
        }
    }
}

fn not_a_switch(key: &str, node: &Node) -> Diagnostic {
    let message = format!("`{key}` takes `true` or `false`, found {}", node.describe());
    Diagnostic::new(node.span, message)
}
