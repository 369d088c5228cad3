//! The search for a customer: which profiles an event asks for, and what holds when there is none.

use std::borrow::Cow;

use crate::error::{ErrorCode, Failure};
use crate::limits;
use crate::mapping::customer::{
    FindCustomer, IfMany, IfNone, NewProfile, PHONE, ProfileMember, Search,
};
use crate::mapping::expression::{Scope, Template};
use crate::phone::Country;

/// What to look a customer up by. No `Debug`: it holds what customers said.
#[derive(Clone, PartialEq)]
pub struct CustomerSearch {
    /// Searches in their order; each has at least one key with its value, and all of them must match.
    pub searches: Vec<Vec<SearchKey>>,
    /// What holds when no search finds a profile.
    pub if_none: IfNoProfile,
    /// What holds when one finds several.
    pub if_many: IfMany,
}

/// A search key with the values that may match. No `Debug`: it holds what customers said.
#[derive(Clone, PartialEq)]
pub struct SearchKey {
    /// `KeyName`
    pub name: String,
    /// `Values`, of which any matches: the value as it came, and a phone number as E.164 where that is another.
    pub values: Vec<String>,
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
            searches.extend(self.search(search, scope)?);
        }
        let if_none = match &self.if_none {
            _ if searches.is_empty() && matches!(self.if_none, IfNone::Skip) => return Ok(None),
            _ if searches.is_empty() => return Err(self.no_key(scope)),
            IfNone::Fail => IfNoProfile::Fail,
            IfNone::Skip => IfNoProfile::Skip,
            IfNone::Create(profile) => {
                IfNoProfile::Create(profile.evaluate(scope, self.phone_country)?)
            }
        };
        Ok(Some(CustomerSearch {
            searches,
            if_none,
            if_many: self.if_many,
        }))
    }

    /// The keys of a search with their values, `None` when one is missing.
    fn search(
        &self,
        search: &Search,
        scope: &Scope<'_>,
    ) -> Result<Option<Vec<SearchKey>>, Failure> {
        let mut keys = Vec::with_capacity(search.len());
        for (name, template) in search {
            let value = template.evaluate_text(scope).map_err(|wrong| {
                invalid(format!(
                    "the search key `{name}` cannot be computed: {wrong}"
                ))
            })?;
            let Some(value) = value else {
                return Ok(None);
            };
            let (length, limit) = (value.chars().count(), limits::SEARCH_VALUE);
            if length > limit {
                return Err(invalid(format!(
                    "the search key `{name}` takes at most {limit} characters, found {length}"
                )));
            }
            let number = self
                .phone_country
                .filter(|_| name == PHONE)
                .and_then(|country| country.e164(&value))
                .filter(|number| **number != *value);
            keys.push(SearchKey {
                name: name.clone(),
                values: [value.into_owned()].into_iter().chain(number).collect(),
            });
        }
        Ok(Some(keys))
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

impl NewProfile {
    fn evaluate(
        &self,
        scope: &Scope<'_>,
        phone_country: Option<Country>,
    ) -> Result<ProfileToCreate, Failure> {
        let mut profile = ProfileToCreate {
            members: Vec::with_capacity(self.members.len()),
            attributes: Vec::with_capacity(self.attributes.len()),
        };
        for (member, template) in &self.members {
            let value = bounded(template, scope, member.name(), member.limit())?;
            // As it will be searched for.
            let value = value.map(|value| {
                let country = phone_country.filter(|_| member.is_phone());
                country
                    .and_then(|country| country.e164(&value))
                    .unwrap_or(value)
            });
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
