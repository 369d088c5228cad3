//! Amazon Connect Customer Profiles, limited to `SearchProfiles` and `CreateProfile`. `CreateCase` asks
//! here whether a customer exists.

mod profile;

use std::collections::HashSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use self::profile::{Profile, check_name};
use crate::clock::{has_passed, now};
use crate::identifiers::{fingerprint, uuid};
use crate::member::Member;
use crate::operation::Operation;
use crate::paging::{Page, Query, Scope};
use crate::seed::{Seed, SeedError};
use crate::service::Refusal;

/// The profiles domain, if there is one, and the lag of its index.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    domain: Option<Domain>,
    /// The age from which on a profile is visible.
    pub(crate) lag: Duration,
}

#[derive(Debug)]
struct Domain {
    name: String,
    /// The oldest first.
    profiles: Vec<Profile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfilesSeed {
    domain: Value,
    profiles: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with DomainName")]
struct DomainSeed {
    domain_name: String,
}

/// A search key. Any of its values finds a profile.
struct SearchKey<'a> {
    name: &'a str,
    values: Vec<&'a str>,
}

impl Profiles {
    /// Reads and checks `{"domain": {"DomainName"}, "profiles": [Profile]}` by the API's names, and puts it
    /// in place of any domain.
    pub(crate) fn seed(&mut self, json: &str) -> Result<(), SeedError> {
        let seed = Seed::PROFILES.object(json, "domain and profiles")?;
        let seed: ProfilesSeed = Seed::PROFILES.decode(&seed, "the top level")?;
        let domain: DomainSeed = Seed::PROFILES.decode(&seed.domain, "domain")?;
        check_name("DomainName", &domain.domain_name)
            .map_err(|refusal| Seed::PROFILES.inconsistent("domain", refusal.to_string()))?;

        let mut ids = HashSet::new();
        let mut profiles = Vec::new();
        for (index, value) in seed.profiles.iter().enumerate() {
            let place = format!("profiles[{index}]");
            let profile = Profile::from_seed(value, &place)?;
            if !ids.insert(profile.id.clone()) {
                let reason = format!("the ProfileId '{}' stands twice", profile.id);
                return Err(Seed::PROFILES.inconsistent(&place, reason));
            }
            profiles.push(profile);
        }
        self.domain = Some(Domain {
            name: domain.domain_name,
            profiles,
        });
        Ok(())
    }

    /// Returns all profiles, the oldest first, each with `Keys` where the seed has any.
    pub(crate) fn show(&self) -> Vec<Value> {
        let profiles = self.domain.iter().flat_map(|domain| &domain.profiles);
        profiles.map(Profile::show_with_keys).collect()
    }

    /// `SearchProfiles`: the visible profiles that all keys (`AND`) or any of them (`OR`, the default)
    /// find, in pages, the oldest first.
    pub(crate) fn search_profiles(
        &self,
        domain_name: &str,
        query: &Query,
        value: &Value,
    ) -> Result<Value, Refusal> {
        check_name("DomainName", domain_name)?;
        let domain = self.domain.as_ref();
        let domain = domain.filter(|domain| domain.name == domain_name);
        let domain = domain.ok_or_else(|| unknown_domain(domain_name))?;
        let scope = format!("{domain_name}/{}", fingerprint(value, &[]));
        let scope = Scope::new(Operation::SearchProfiles, &scope);
        let page = Page::of_query(scope, query, 100, 20)?;
        let body = Member::body(value);
        let mut keys = vec![SearchKey::read(&body)?];
        if let Some(more) = body.optional("AdditionalSearchKeys")? {
            for item in more.items(1..=4)? {
                keys.push(SearchKey::read(&item)?);
            }
        }
        let all = match body.optional("LogicalOperator")? {
            Some(operator) => operator.one_of(&["AND", "OR"])? == "AND",
            None => false,
        };

        let now = now();
        let profiles = domain.profiles.iter();
        let found = profiles
            .filter(|profile| self.sees(profile, now))
            .filter_map(|profile| {
                let by: Vec<_> = keys.iter().filter(|key| key.finds(profile)).collect();
                let found = if all {
                    by.len() == keys.len()
                } else {
                    !by.is_empty()
                };
                found.then(|| found_item(profile, &by))
            });
        Ok(page.output("Items", found.collect()))
    }

    /// `CreateProfile`: stores one more profile with each call, as the API has no client token.
    pub(crate) fn create_profile(
        &mut self,
        domain_name: &str,
        body: &Value,
    ) -> Result<Value, Refusal> {
        check_name("DomainName", domain_name)?;
        let mut profile = Profile::read(&Member::body(body), now())?;
        let domain = self.domain.as_mut();
        let domain = domain.filter(|domain| domain.name == domain_name);
        let domain = domain.ok_or_else(|| unknown_domain(domain_name))?;
        let sequence = u64::try_from(domain.profiles.len()).unwrap_or(u64::MAX);
        profile.id = uuid(&format!("{domain_name}/profile"), sequence).replace('-', "");
        let output = json!({ "ProfileId": profile.id });
        domain.profiles.push(profile);
        Ok(output)
    }

    /// Refuses a `customer_id` that is not the ARN of a visible profile of this domain, in the place
    /// that `location` names: `PARTITION:profile:REGION:ACCOUNT`.
    pub(crate) fn check_customer(&self, location: &str, arn: &str) -> Result<(), Refusal> {
        let refused = |why: &str| {
            Err(Refusal::Validation(format!(
                "No customer profile found for the customer_id '{arn}'{why}"
            )))
        };
        let Some(domain) = &self.domain else {
            return refused("; the emulator has no profiles domain");
        };
        let expected = format!("arn:{location}:domains/{}/profiles/", domain.name);
        let Some(id) = arn.strip_prefix(&expected) else {
            return refused(&format!("; the domain's profiles begin with {expected}"));
        };
        let now = now();
        let mut profiles = domain.profiles.iter();
        if profiles.any(|profile| profile.id == id && self.sees(profile, now)) {
            return Ok(());
        }
        refused("")
    }

    /// Returns true when the profile is old enough for the index. Seeded profiles are.
    fn sees(&self, profile: &Profile, now: Instant) -> bool {
        let is_old = |created| has_passed(created, now, self.lag);
        profile.created.is_none_or(is_old)
    }
}

impl<'a> SearchKey<'a> {
    fn read(member: &Member<'a>) -> Result<Self, Refusal> {
        let name = member.required("KeyName")?;
        let text = name.text(1..=64)?;
        check_name(name.path(), text)?;
        let values = member.required("Values")?.items(0..=usize::MAX)?;
        let values: Result<Vec<_>, _> = values.iter().map(|value| value.text(1..=255)).collect();
        Ok(Self {
            name: text,
            values: values?,
        })
    }

    fn finds(&self, profile: &Profile) -> bool {
        self.values
            .iter()
            .any(|value| profile.has(self.name, value))
    }
}

/// Returns a found profile, with the keys that found it.
fn found_item(profile: &Profile, by: &[&SearchKey<'_>]) -> Value {
    let by = by
        .iter()
        .map(|key| json!({ "KeyName": key.name, "Values": key.values }));
    let mut item = profile.show();
    item.insert("FoundByItems".to_owned(), by.collect());
    Value::Object(item)
}

fn unknown_domain(name: &str) -> Refusal {
    Refusal::NotFound {
        resource_type: "profiles domain",
        resource_id: name.to_owned(),
    }
}
