//! The guard: turns an event into accept, skip or refuse.
//!
//! It checks for allowed senders, for events of our own cases, and for copies from another Region.

use crate::error::{ErrorCode, Failure};
use crate::event::Event;
use crate::outcome::Skip;
use mapping::Trigger;
use mapping::arn;

/// The rules that decide if an event is accepted.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// The Connect instance ARNs that are allowed. An empty list allows any.
    pub allowed_instances: Vec<String>,
    /// The AWS account ids that are allowed. An empty list allows any.
    pub allowed_accounts: Vec<String>,
    /// The prefix of every custom entity of this function.
    pub entity_prefix: String,
    /// The Region that the function runs in.
    pub region: String,
}

impl Guard {
    /// Checks an event before any service is called. Returns `Some` for an event to skip.
    ///
    /// # Errors
    /// `SourceNotAllowed`: a flow names an instance that is not allowed, or either names an account that is not.
    pub fn check(&self, event: &Event) -> Result<Option<Skip>, Failure> {
        match event.trigger {
            Trigger::ContactFlow => {
                let instance = event.text(&["InstanceARN"]);
                self.instance(instance.unwrap_or_default(), "$.InstanceARN")?;
                self.account(
                    instance.and_then(arn::account).unwrap_or_default(),
                    "$.InstanceARN",
                )?;
                Ok(None)
            }
            Trigger::EventBridge => {
                // An input transformer may leave these members out. A member that is present has to be right.
                if let Some(account) = event.text(&["account"]) {
                    self.account(account, "$.account")?;
                }
                let connect = event.text(&["source"]) == Some("aws.connect");
                // All instances of an account share its event bus. A rule without the instance brings their events here.
                let instance = event.text(&["detail", "instanceArn"]).filter(|_| connect);
                if instance.is_some_and(|instance| !self.allows_instance(instance)) {
                    return Ok(Some(Skip::OtherInstance));
                }
                Ok(self
                    .own(event)
                    .or_else(|| self.copy(event).filter(|_| connect)))
            }
        }
    }

    /// Returns the reason to skip an event of a case that this function created.
    ///
    /// Without this check, a rule on Cases events would trigger itself.
    /// `CloudTrail` reports the same calls under the same source, but not who made them. Such an event is skipped, too.
    fn own(&self, event: &Event) -> Option<Skip> {
        if !event.is_of_cases() {
            return None;
        }
        if event.text(&["detail", "eventSource"]).is_some() {
            return Some(Skip::NoCaseMapping);
        }
        let entity = event.text(&["detail", "performedBy", "user", "customEntity"])?;
        entity
            .starts_with(&self.entity_prefix)
            .then_some(Skip::OwnCaseEvent)
    }

    /// Returns the reason to skip a copy of an event.
    ///
    /// Global Resiliency publishes contact events from two Regions. Only the active Region's event is handled.
    fn copy(&self, event: &Event) -> Option<Skip> {
        let active = event.text(&["detail", "globalResiliencyMetadata", "activeRegion"])?;
        (active != self.region).then_some(Skip::InactiveRegion)
    }

    fn allows_instance(&self, instance: &str) -> bool {
        // Some contact events contain `arn:aws::connect:…`, with two colons. Contact flows have one colon there.
        let instance = instance.replacen("::connect:", ":connect:", 1);
        self.allowed_instances.is_empty() || self.allowed_instances.contains(&instance)
    }

    fn instance(&self, instance: &str, reference: &str) -> Result<(), Failure> {
        if self.allows_instance(instance) {
            return Ok(());
        }
        let message = format!("the Connect instance in `{reference}` is not in ALLOWED_INSTANCES");
        Err(Failure::new(ErrorCode::SourceNotAllowed, message).of(reference))
    }

    fn account(&self, account: &str, reference: &str) -> Result<(), Failure> {
        if self.allowed_accounts.is_empty()
            || self
                .allowed_accounts
                .iter()
                .any(|allowed| allowed == account)
        {
            return Ok(());
        }
        let message = format!("the AWS account in `{reference}` is not in ALLOWED_ACCOUNTS");
        Err(Failure::new(ErrorCode::SourceNotAllowed, message).of(reference))
    }
}
