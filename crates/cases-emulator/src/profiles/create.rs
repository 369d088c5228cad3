//! `CreateProfile` and `AddProfileKey`. Neither is idempotent: each `CreateProfile` is one more
//! profile, as the API has no client token.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::members::{self, key, profile_id};
use super::{Profile, check_name};
use crate::clock::now;
use crate::identifiers::uuid;
use crate::member::Member;
use crate::service::Refusal;
use crate::state::State;

/// `CreateProfile`: stores one more profile.
pub(crate) fn create_profile(
    state: &mut State,
    domain_name: &str,
    body: &Value,
) -> Result<Value, Refusal> {
    check_name("DomainName", domain_name)?;
    let members = members::read(&Member::body(body))?;
    let domain = state.profiles.named_mut(domain_name)?;
    let sequence = u64::try_from(domain.profiles.len()).unwrap_or(u64::MAX);
    let id = uuid(&format!("{domain_name}/profile"), sequence).replace('-', "");
    domain.profiles.push(Profile {
        id: id.clone(),
        members,
        keys: BTreeMap::new(),
        created: Some(now()),
    });
    Ok(json!({ "ProfileId": id }))
}

/// `AddProfileKey`: adds the values to those the key already has on the profile.
pub(crate) fn add_profile_key(
    state: &mut State,
    domain_name: &str,
    body: &Value,
) -> Result<Value, Refusal> {
    check_name("DomainName", domain_name)?;
    let body = Member::body(body);
    let id = profile_id(&body.required("ProfileId")?)?;
    let (name, values) = key(&body)?;
    let domain = state.profiles.named_mut(domain_name)?;
    let profile = domain.profile_mut(id).ok_or_else(|| Refusal::NotFound {
        resource_type: "profile",
        resource_id: id.to_owned(),
    })?;
    let known = profile.keys.entry(name.to_owned()).or_default();
    for value in &values {
        if !known.iter().any(|known| known == value) {
            known.push((*value).to_owned());
        }
    }
    Ok(json!({ "KeyName": name, "Values": values }))
}
