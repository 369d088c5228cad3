//! Event patterns that compile and can never match.

use super::walk;
use crate::tree::{Entry, Kind, Literal, Node, Span};
use crate::trigger::Trigger;

/// A condition that no event of the trigger meets.
pub(super) struct NeverMet {
    /// The place of the condition.
    pub(super) span: Span,
    /// The message.
    pub(super) message: String,
    /// The fix.
    pub(super) help: String,
}

/// The values that Connect sends for members of a contact (administrator guide, "Contact attributes").
const VALUES: [(&str, &[&str]); 2] = [
    ("Channel", &["VOICE", "CHAT", "TASK", "EMAIL"]),
    (
        "InitiationMethod",
        &[
            "INBOUND",
            "OUTBOUND",
            "TRANSFER",
            "CALLBACK",
            "API",
            "QUEUE_TRANSFER",
            "DISCONNECT",
            "EXTERNAL_OUTBOUND",
            "MONITOR",
            "AGENT_REPLY",
            "FLOW",
            "WEBRTC_API",
        ],
    ),
];

/// Returns the conditions of a pattern that no event of the trigger meets.
pub(super) fn never_met(node: &Node, trigger: Trigger) -> Vec<NeverMet> {
    let mut found = Vec::new();
    walk::leaves(node, &mut |leaf| {
        for condition in leaf.conditions {
            wildcard(condition, &mut found);
            if trigger == Trigger::ContactFlow {
                in_contact(condition, leaf.path, &mut found);
            }
        }
    });
    found
}

/// Reports a `?` in a wildcard. Other languages use it for one character.
fn wildcard(condition: &Node, found: &mut Vec<NeverMet>) {
    let Kind::Map(entries) = &condition.kind else {
        return;
    };
    for Entry { key, value } in entries {
        let Kind::Scalar(scalar) = &value.kind else {
            continue;
        };
        if key.text == "wildcard" && scalar.text.contains('?') {
            found.push(NeverMet {
                span: value.span,
                message: "`?` in a wildcard is a question mark, not any one character".to_owned(),
                help: "`*` stands for any number of characters; nothing stands for one".to_owned(),
            });
        }
    }
}

/// Reports a condition on a contact that is not of the member's type or spelling.
fn in_contact(condition: &Node, path: &[&str], found: &mut Vec<NeverMet>) {
    if let [member] = path
        && let Some((_, values)) = VALUES.iter().find(|(name, _)| name == member)
        && let Kind::Scalar(scalar) = &condition.kind
        && !values.contains(&scalar.text.as_str())
        && let Some(value) = values
            .iter()
            .find(|value| value.eq_ignore_ascii_case(&scalar.text))
    {
        found.push(NeverMet {
            span: condition.span,
            message: format!("`{member}` is never `{}`: letter case matters", scalar.text),
            help: format!("write `{value}`"),
        });
    }
    if path.first() != Some(&"Attributes") {
        return;
    }
    let (what, help) = match &condition.kind {
        Kind::Scalar(scalar) => match scalar.literal() {
            Literal::Boolean(_) | Literal::Number(_) => (
                format!("`{}`", scalar.text),
                format!("write it in quotes: [\"{}\"]", scalar.text),
            ),
            _ => return,
        },
        Kind::Map(entries) if entries.iter().any(|entry| entry.key.text == "numeric") => {
            let name = path.last().copied().unwrap_or_default();
            let variable: String = name
                .to_lowercase()
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
                .collect();
            (
                "a number".to_owned(),
                format!(
                    "compare a variable: `variables: {{ {variable}: $.Attributes.['{name}'] | number }}` and `${variable}: [{{ numeric: … }}]`"
                ),
            )
        }
        Kind::Map(_) | Kind::List(_) => return,
    };
    found.push(NeverMet {
        span: condition.span,
        message: format!("contact attributes are always text, so this never matches {what}"),
        help,
    });
}
