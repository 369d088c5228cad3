//! Which events are for us: allowed senders, our own cases' events, copies from another Region.

use crate::error::{ErrorCode, Failure};
use crate::event::Event;
use crate::outcome::Skip;
use mapping::Trigger;
use mapping::arn;

/// The senders that are allowed.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// Connect instance ARNs; empty allows any.
    pub allowed_instances: Vec<String>,
    /// AWS account ids; empty allows any.
    pub allowed_accounts: Vec<String>,
    /// The prefix of every custom entity of this function.
    pub entity_prefix: String,
    /// The Region the function runs in.
    pub region: String,
}

impl Guard {
    /// Decides before anything is called. `Some` is an event to leave alone.
    ///
    /// # Errors
    /// `SourceNotAllowed`: the event names an instance or an account that is not allowed.
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
                // An input transformer may leave these out; what is there has to be right.
                if let Some(account) = event.text(&["account"]) {
                    self.account(account, "$.account")?;
                }
                let connect = event.text(&["source"]) == Some("aws.connect");
                if let Some(instance) = event.text(&["detail", "instanceArn"]).filter(|_| connect) {
                    self.instance(instance, "$.detail.instanceArn")?;
                }
                Ok(self
                    .own(event)
                    .or_else(|| self.copy(event).filter(|_| connect)))
            }
        }
    }

    /// Events of cases that we created: without this a rule on Cases events would feed itself. `CloudTrail` tells of the same calls under
    /// the same source, and not who made them.
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

    /// Global Resiliency publishes contact events from two Regions; the active one's is taken.
    fn copy(&self, event: &Event) -> Option<Skip> {
        let active = event.text(&["detail", "globalResiliencyMetadata", "activeRegion"])?;
        (active != self.region).then_some(Skip::InactiveRegion)
    }

    fn instance(&self, instance: &str, reference: &str) -> Result<(), Failure> {
        // Some contact events carry `arn:aws::connect:…`, a doubled colon where the contact flow has one.
        let instance = instance.replacen("::connect:", ":connect:", 1);
        if self.allowed_instances.is_empty() || self.allowed_instances.contains(&instance) {
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
