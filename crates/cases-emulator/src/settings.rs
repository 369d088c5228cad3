//! What a test or the program sets on an emulator: seeds, faults, lags, limits, and the answers that
//! AWS leaves open.

use std::time::Duration;

use crate::Emulator;
use crate::contacts::Instance;
use crate::faults::Fault;
use crate::profiles::ProfilesDomain;
use crate::related_items::DuplicateContact;
use crate::seed_error::SeedError;
use crate::state::MismatchedToken;

impl Emulator {
    /// Gives the emulator a Customer Profiles domain, in the partition, Region and account of the
    /// Cases domain, in place of any it had. The text is `{"domain": {"DomainName": …}, "profiles":
    /// [Profile, …]}` by the API's names; a profile needs a `ProfileId`, and may have `Keys`, such as
    /// `{"_ctrContactId": ["…"]}`, which `AddProfileKey` would give it. At first there is no
    /// profiles domain, and every call to one is refused.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, or a part of it is not what the API would take.
    pub fn set_profiles(&self, json: &str) -> Result<(), SeedError> {
        let domain = ProfilesDomain::from_seed(json)?;
        self.state().profiles.domain = Some(domain);
        Ok(())
    }

    /// Gives the emulator a Connect instance's contacts, in place of any it had. The text is
    /// `{"instanceId": …, "contacts": [{"Contact": {"Id": …, …}, "Attributes": {…}}]}`, each with
    /// the `Contact` of `DescribeContact` and the `Attributes` of `GetContactAttributes`. Times may
    /// be seconds since 1970, as the service writes them, or ISO 8601, as the AWS CLI prints them.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, or a part of it has not this form.
    pub fn set_contacts(&self, json: &str) -> Result<(), SeedError> {
        let instance = Instance::from_seed(json)?;
        self.state().contacts = Some(instance);
        Ok(())
    }

    /// Sets how old a profile made by `CreateProfile` must be for `SearchProfiles` to find it and for
    /// `CreateCase` to take it as a customer: at first, no age at all. Seeded ones are old enough.
    pub fn set_profile_lag(&self, lag: Duration) {
        self.state().profiles.lag = lag;
    }

    /// Sets what `CreateRelatedItem` answers to a contact that the case already has: at first,
    /// [`DuplicateContact::Stored`].
    pub fn set_duplicate_contacts(&self, duplicates: DuplicateContact) {
        self.state().related_items.duplicate_contacts = duplicates;
    }

    /// Adds an empty DynamoDB table with the string `id` as its partition key; it replaces a table of
    /// that name. At first there is none.
    pub fn add_table(&self, name: &str) {
        self.state().tables.add(name);
    }

    /// Gives the emulator an SQS queue at this URL, empty, in place of any at that URL. It is a FIFO
    /// queue when the URL ends with `.fifo`. At first there is none.
    pub fn add_queue(&self, url: &str) {
        self.state().queues.add(url);
    }

    /// Queues a fault behind those already there. A request meets the first that is for its
    /// operation.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Takes back the faults that no request has met yet.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Sets how old a case must be for `SearchCases` to find it: at first, no age at all.
    pub fn set_search_lag(&self, lag: Duration) {
        self.state().search_lag = lag;
    }

    /// Sets how old a related item must be for `SearchRelatedItems` and `ListCasesForContact` to find
    /// it: at first, no age at all.
    pub fn set_related_item_lag(&self, lag: Duration) {
        self.state().related_items.lag = lag;
    }

    /// Sets how long a client token is remembered, for past and future tokens alike: at first, 24
    /// hours, as AWS publishes no time.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.state().token_lifetime = lifetime;
    }

    /// Sets what `CreateCase` answers to a client token that it knows with another body: at first,
    /// [`MismatchedToken::Conflict`].
    pub fn set_mismatched_tokens(&self, answer: MismatchedToken) {
        self.state().mismatched_tokens = answer;
    }

    /// Switches the published request quotas on or off; beyond them an operation answers
    /// `ThrottlingException`. At first they are off.
    pub fn set_rate_limits(&self, on: bool) {
        self.state().rate_limits.set(on);
    }
}
