//! The trigger of an event: a contact flow or an EventBridge rule.
//!
//! A mapping uses its name in `trigger`, and an expression reads the name with `$$.trigger`.

/// The kind of sender that invoked the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// An Amazon Connect flow, through its `Invoke AWS Lambda function` block.
    ContactFlow,
    /// An EventBridge rule, directly or through SQS.
    EventBridge,
}

impl Trigger {
    /// Returns the name of the trigger in a mapping.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ContactFlow => "contact-flow",
            Self::EventBridge => "eventbridge",
        }
    }
}
