//! A Customer Profiles domain: its profiles, the keys they are found by, and which of them can be
//! seen already. `CreateCase` asks here whether a customer exists.

mod create;
mod members;
mod search;
mod seed;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

pub(crate) use self::create::{add_profile_key, create_profile};
pub(crate) use self::search::search_profiles;
use crate::clock::{has_passed, now};
use crate::domain::Domain;
use crate::member::check_length;
use crate::operation::Operation;
use crate::paging::{Page, Query, Scope};
use crate::patterns::is_profiles_name;
use crate::service::Refusal;
use crate::state::State;

/// The profiles domain, if there is one, and the lag of its index.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    pub(crate) domain: Option<ProfilesDomain>,
    /// How old a profile must be to be seen.
    pub(crate) lag: Duration,
}

/// A Customer Profiles domain.
#[derive(Debug)]
pub(crate) struct ProfilesDomain {
    name: String,
    created_at: Option<Value>,
    last_updated_at: Option<Value>,
    tags: Option<Value>,
    /// The oldest first.
    profiles: Vec<Profile>,
}

/// A customer's profile.
#[derive(Debug)]
struct Profile {
    id: String,
    /// The members of the API's `Profile` that a client writes.
    members: Map<String, Value>,
    /// What `AddProfileKey` gave: values by `KeyName`.
    keys: BTreeMap<String, Vec<String>>,
    /// None for a profile that was there before the emulator.
    created: Option<Instant>,
}

impl Profiles {
    /// The domain of that name.
    fn named(&self, name: &str) -> Result<&ProfilesDomain, Refusal> {
        check_name("DomainName", name)?;
        let domain = self.domain.as_ref().filter(|domain| domain.name == name);
        domain.ok_or_else(|| unknown_domain(name))
    }

    fn named_mut(&mut self, name: &str) -> Result<&mut ProfilesDomain, Refusal> {
        check_name("DomainName", name)?;
        let domain = self.domain.as_mut().filter(|domain| domain.name == name);
        domain.ok_or_else(|| unknown_domain(name))
    }

    /// Whether the profile is old enough for the index.
    fn sees(&self, profile: &Profile, now: Instant) -> bool {
        profile
            .created
            .is_none_or(|created| has_passed(created, now, self.lag))
    }

    /// Refuses a `customer_id` that is not the ARN of a profile that can be seen, in this domain
    /// and in the Cases domain's partition, Region and account.
    pub(crate) fn check_customer(&self, cases: &Domain, arn: &str) -> Result<(), Refusal> {
        let refused = |why: &str| {
            Err(Refusal::Validation(format!(
                "No customer profile found for the customer_id '{arn}'{why}"
            )))
        };
        let Some(domain) = &self.domain else {
            return refused("; the emulator has no profiles domain");
        };
        let expected = cases.profile_arn(&domain.name, "");
        let Some(id) = arn.strip_prefix(&expected) else {
            return refused(&format!("; the domain's profiles begin with {expected}"));
        };
        let now = now();
        let profile = domain.profiles.iter().find(|profile| profile.id == id);
        match profile {
            Some(profile) if self.sees(profile, now) => Ok(()),
            _ => refused(""),
        }
    }
}

impl ProfilesDomain {
    /// All profiles, the oldest first: each with the members the API gives it, and with `Keys`
    /// where it has any from `AddProfileKey` or the seed.
    pub(crate) fn show(&self) -> Vec<Value> {
        let show = |profile: &Profile| {
            let mut shown = profile.show();
            if !profile.keys.is_empty() {
                shown.insert("Keys".to_owned(), json!(profile.keys));
            }
            Value::Object(shown)
        };
        self.profiles.iter().map(show).collect()
    }

    fn profile_mut(&mut self, id: &str) -> Option<&mut Profile> {
        self.profiles.iter_mut().find(|profile| profile.id == id)
    }
}

impl Profile {
    /// `Profile` of the service model, without what a search adds.
    fn show(&self) -> Map<String, Value> {
        let mut shown = self.members.clone();
        shown.insert("ProfileId".to_owned(), json!(self.id));
        shown
    }
}

/// `ListDomains` of Customer Profiles.
pub(crate) fn list_domains(state: &State, query: &Query) -> Result<Value, Refusal> {
    let scope = Scope::new(Operation::ListProfilesDomains, "");
    let page = Page::of_query(scope, query, 100, 100)?;
    let domain = state.profiles.domain.as_ref();
    let domain = domain.ok_or_else(|| unknown_domain("*"))?;
    let start = state.clock.start_epoch_seconds();
    let created_at = domain.created_at.as_ref().unwrap_or(&start);
    let mut item = json!({
        "DomainName": domain.name,
        "CreatedAt": created_at,
        "LastUpdatedAt": domain.last_updated_at.as_ref().unwrap_or(created_at),
    });
    if let (Some(item), Some(tags)) = (item.as_object_mut(), &domain.tags) {
        item.insert("Tags".to_owned(), tags.clone());
    }
    Ok(page.output("Items", vec![item]))
}

fn unknown_domain(name: &str) -> Refusal {
    Refusal::NotFound {
        resource_type: "profiles domain",
        resource_id: name.to_owned(),
    }
}

/// `name` of the service model, as domains and keys have it.
fn check_name(path: &str, name: &str) -> Result<(), Refusal> {
    check_length(path, name, 1..=64)?;
    if is_profiles_name(name) {
        return Ok(());
    }
    Err(Refusal::Validation(format!(
        "{path} must be made of a-z, A-Z, 0-9, _ and -"
    )))
}
