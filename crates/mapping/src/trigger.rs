//! The two ways an event comes: a contact flow, or an EventBridge rule.

/// The kind of sender that invoked the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// An Amazon Connect flow, through its `Invoke AWS Lambda function` block.
    ContactFlow,
    /// An EventBridge rule, directly or through SQS.
    EventBridge,
}

impl Trigger {
    /// The trigger as the mapping spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ContactFlow => "contact-flow",
            Self::EventBridge => "eventbridge",
        }
    }
}
