//! A profiles seed, `{"domain": {"DomainName"}, "profiles": [Profile]}` by the API's names, to a
//! [`ProfilesDomain`]. A profile may have the member `Keys`, which the API does not show:
//! `{"_ctrContactId": ["…"]}`.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde_json::Value;

use super::members::{self, profile_id};
use super::{Profile, ProfilesDomain, check_name};
use crate::clock::{epoch_seconds, time_of};
use crate::member::Member;
use crate::seed_error::{Seed, SeedError};
use crate::service::Refusal;

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
    created_at: Option<Value>,
    last_updated_at: Option<Value>,
    tags: Option<BTreeMap<String, String>>,
}

impl ProfilesDomain {
    /// Reads and checks a seed.
    pub(crate) fn from_seed(json: &str) -> Result<Self, SeedError> {
        let seed = Seed::PROFILES.object(json, "domain and profiles")?;
        let seed: ProfilesSeed = Seed::PROFILES.decode(&seed, "the top level")?;
        let domain: DomainSeed = Seed::PROFILES.decode(&seed.domain, "domain")?;
        check_name("DomainName", &domain.domain_name)
            .map_err(|refusal| wrong("domain", &refusal))?;

        let mut ids = HashSet::new();
        let mut profiles = Vec::new();
        for (index, value) in seed.profiles.iter().enumerate() {
            let place = format!("profiles[{index}]");
            let profile = profile(value, &place)?;
            if !ids.insert(profile.id.clone()) {
                let reason = format!("the ProfileId '{}' stands twice", profile.id);
                return Err(Seed::PROFILES.inconsistent(&place, reason));
            }
            profiles.push(profile);
        }
        Ok(Self {
            name: domain.domain_name,
            created_at: time("CreatedAt", domain.created_at)?,
            last_updated_at: time("LastUpdatedAt", domain.last_updated_at)?,
            tags: domain.tags.map(|tags| tags.into_iter().collect()),
            profiles,
        })
    }
}

fn profile(value: &Value, place: &str) -> Result<Profile, SeedError> {
    let names = value
        .as_object()
        .into_iter()
        .flat_map(|members| members.keys());
    let unknown = names
        .filter(|name| !["ProfileId", "Keys", "FoundByItems"].contains(&name.as_str()))
        .find(|name| !members::is_known(name));
    if let Some(name) = unknown {
        let reason = format!("a profile has no member '{name}'");
        return Err(Seed::PROFILES.inconsistent(place, reason));
    }
    let body = Member::body(value);
    let keys = keys(value, place)?;
    let read = || -> Result<Profile, Refusal> {
        Ok(Profile {
            id: profile_id(&body.required("ProfileId")?)?.to_owned(),
            members: members::read(&body)?,
            keys,
            created: None,
        })
    };
    read().map_err(|refusal| wrong(place, &refusal))
}

fn keys(profile: &Value, place: &str) -> Result<BTreeMap<String, Vec<String>>, SeedError> {
    let Some(keys) = profile.get("Keys") else {
        return Ok(BTreeMap::new());
    };
    let place = format!("{place}.Keys");
    let keys: BTreeMap<String, Vec<String>> = Seed::PROFILES.decode(keys, &place)?;
    for name in keys.keys() {
        check_name(&format!("the key name '{name}'"), name)
            .map_err(|refusal| wrong(&place, &refusal))?;
    }
    Ok(keys)
}

fn time(name: &str, value: Option<Value>) -> Result<Option<Value>, SeedError> {
    let Some(value) = value else { return Ok(None) };
    let time = time_of(&value).ok_or_else(|| {
        let reason = format!("{name} must be seconds since 1970 or a time in ISO 8601");
        Seed::PROFILES.inconsistent("domain", reason)
    })?;
    Ok(Some(epoch_seconds(time)))
}

fn wrong(place: &str, refusal: &Refusal) -> SeedError {
    Seed::PROFILES.inconsistent(place, refusal.to_string())
}
