//! The search for a customer: which profiles an event asks for, and what holds when there is none.

use std::borrow::Cow;

use crate::error::{ErrorCode, Failure};
use crate::limits;
use crate::mapping::customer::{FindCustomer, IfMany, IfNone, NewProfile, ProfileMember, Search};
use crate::mapping::expression::{Scope, Template};

/// What to look a customer up by. No `Debug`: it holds what customers said.
#[derive(Clone, PartialEq)]
pub struct CustomerSearch {
    /// Searches in their order; each has at least one key with its value, and all of them must match.
    pub searches: Vec<Vec<(String, String)>>,
    /// What holds when no search finds a profile.
    pub if_none: IfNoProfile,
    /// What holds when one finds several.
    pub if_many: IfMany,
}

/// What holds when no profile is found. No `Debug`: it holds what customers said.
#[derive(Clone, PartialEq)]
pub enum IfNoProfile {
    /// No case is created.
    Fail,
    /// The case is created without a customer.
    Skip,
    /// This profile is created.
    Create(ProfileToCreate),
}

/// `CreateProfileRequest`, as far as a mapping sets it. No `Debug`: it holds what customers said.
#[derive(Clone, PartialEq)]
pub struct ProfileToCreate {
    /// Its members.
    pub members: Vec<(ProfileMember, String)>,
    /// `Attributes`
    pub attributes: Vec<(String, String)>,
}

impl FindCustomer {
    /// The searches whose keys the event all has; `None` when it has none of them and the mapping says `skip`.
    ///
    /// # Errors
    /// `CustomerKeyMissing`: it has none of them, so that nobody could be found; a profile is never created then, for it would be a
    /// stranger's. `CustomerKeyInvalid`: a value cannot be computed or is too long.
    pub(super) fn evaluate(&self, scope: &Scope<'_>) -> Result<Option<CustomerSearch>, Failure> {
        let mut searches = Vec::with_capacity(self.searches.len());
        for search in &self.searches {
            searches.extend(evaluate(search, scope)?);
        }
        let if_none = match &self.if_none {
            _ if searches.is_empty() && matches!(self.if_none, IfNone::Skip) => return Ok(None),
            _ if searches.is_empty() => return Err(self.no_key(scope)),
            IfNone::Fail => IfNoProfile::Fail,
            IfNone::Skip => IfNoProfile::Skip,
            IfNone::Create(profile) => IfNoProfile::Create(profile.evaluate(scope)?),
        };
        Ok(Some(CustomerSearch {
            searches,
            if_none,
            if_many: self.if_many,
        }))
    }

    fn no_key(&self, scope: &Scope<'_>) -> Failure {
        let values = self.searches.iter().flatten().map(|(_, value)| value);
        let missing = values.filter_map(|value| value.missing(scope));
        let mut missing: Vec<String> = missing
            .map(|expression| format!("`{}`", expression.text))
            .collect();
        missing.sort_unstable();
        missing.dedup();
        let message = format!(
            "the customer cannot be searched for: {} missing from the event; where there may be no customer, write `if_none: skip`",
            match missing.as_slice() {
                [one] => format!("{one} is"),
                several => format!("{} are", several.join(", ")),
            }
        );
        Failure::new(ErrorCode::CustomerKeyMissing, message).of("customer")
    }
}

/// The keys of a search with their values, `None` when one is missing.
fn evaluate(search: &Search, scope: &Scope<'_>) -> Result<Option<Vec<(String, String)>>, Failure> {
    let mut keys = Vec::with_capacity(search.len());
    for (key, template) in search {
        let value = template.evaluate_text(scope).map_err(|wrong| {
            invalid(format!(
                "the search key `{key}` cannot be computed: {wrong}"
            ))
        })?;
        let Some(value) = value else {
            return Ok(None);
        };
        let (length, limit) = (value.chars().count(), limits::SEARCH_VALUE);
        if length > limit {
            return Err(invalid(format!(
                "the search key `{key}` takes at most {limit} characters, found {length}"
            )));
        }
        keys.push((key.clone(), value.into_owned()));
    }
    Ok(Some(keys))
}

impl NewProfile {
    fn evaluate(&self, scope: &Scope<'_>) -> Result<ProfileToCreate, Failure> {
        let mut profile = ProfileToCreate {
            members: Vec::with_capacity(self.members.len()),
            attributes: Vec::with_capacity(self.attributes.len()),
        };
        for (member, template) in &self.members {
            let value = bounded(template, scope, member.name(), member.limit())?;
            profile.members.extend(value.map(|value| (*member, value)));
        }
        for (name, template) in &self.attributes {
            let value = bounded(template, scope, name, limits::PROFILE_ATTRIBUTE)?;
            profile
                .attributes
                .extend(value.map(|value| (name.clone(), value)));
        }
        Ok(profile)
    }
}

fn bounded(
    template: &Template,
    scope: &Scope<'_>,
    name: &str,
    limit: usize,
) -> Result<Option<String>, Failure> {
    let value = template.evaluate_text(scope).map_err(|wrong| {
        invalid(format!(
            "`{name}` of the profile to create cannot be computed: {wrong}"
        ))
    })?;
    let length = value.as_ref().map_or(0, |value| value.chars().count());
    if length > limit {
        return Err(invalid(format!(
            "`{name}` of the profile to create has at most {limit} characters, found {length}"
        )));
    }
    Ok(value.map(Cow::into_owned))
}

fn invalid(message: String) -> Failure {
    Failure::new(ErrorCode::CustomerKeyInvalid, message).of("customer")
}
