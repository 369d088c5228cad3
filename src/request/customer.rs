//! Customer searches: turns an event into the searches for its customer.
//!
//! The result also contains the actions for no profile and for several profiles.

use std::borrow::Cow;

use crate::error::{ErrorCode, Failure};
use mapping::customer::{FindCustomer, IfMany, IfNone, NewProfile, PHONE, ProfileMember, Search};
use mapping::expression::{Scope, ValueExpr};
use mapping::limits;
use mapping::phone;

/// The search for a customer. It has no `Debug`, because it contains customers' words.
#[derive(Clone, PartialEq)]
pub struct CustomerSearch {
    /// The searches in their order. Each has at least one key with its value, and all of its keys must match.
    pub searches: Vec<Vec<SearchKey>>,
    /// The action when no search finds a profile.
    pub if_none: IfNoProfile,
    /// The action when a search finds several profiles.
    pub if_many: IfMany,
}

/// A search key with the values that may match. It has no `Debug`, because it contains customers' words.
#[derive(Clone, PartialEq)]
pub struct SearchKey {
    /// `KeyName`
    pub name: String,
    /// `Values`, of which any may match: the value as received, and a phone number as E.164 if that differs.
    pub values: Vec<String>,
}

/// The action when no profile is found. It has no `Debug`, because it contains customers' words.
#[derive(Clone, PartialEq)]
pub enum IfNoProfile {
    /// No case is created.
    Fail,
    /// The case is created without a customer.
    Skip,
    /// This profile is created.
    Create(ProfileToCreate),
}

/// `CreateProfileRequest`, as far as a mapping sets it. It has no `Debug`, because it contains customers' words.
#[derive(Clone, PartialEq)]
pub struct ProfileToCreate {
    /// The profile's members.
    pub members: Vec<(ProfileMember, String)>,
    /// `Attributes`
    pub attributes: Vec<(String, String)>,
}

/// The search for the customer of one event.
pub(super) struct CustomerRequest<'a> {
    pub(super) find: &'a FindCustomer,
    pub(super) scope: &'a Scope<'a>,
}

impl CustomerRequest<'_> {
    /// Returns the searches for which the event has all keys.
    ///
    /// Returns `None` if there is no such search, unless the mapping says `fail`.
    /// A profile is never created then, because it would be a stranger's.
    ///
    /// # Errors
    /// `CustomerKeyMissing`: there is no such search, so nobody could be found.
    /// `CustomerKeyInvalid`: a value cannot be computed or is too long.
    pub(super) fn evaluate(&self) -> Result<Option<CustomerSearch>, Failure> {
        let mut searches = Vec::with_capacity(self.find.searches.len());
        for search in &self.find.searches {
            searches.extend(self.search(search)?);
        }
        let if_none = match &self.find.if_none {
            IfNone::Fail if searches.is_empty() => return Err(self.no_key()),
            _ if searches.is_empty() => return Ok(None),
            IfNone::Fail => IfNoProfile::Fail,
            IfNone::Skip => IfNoProfile::Skip,
            IfNone::Create(profile) => {
                let profile = self.profile(profile)?;
                profile.map_or(IfNoProfile::Skip, IfNoProfile::Create)
            }
        };
        Ok(Some(CustomerSearch {
            searches,
            if_none,
            if_many: self.find.if_many,
        }))
    }

    /// Returns the keys of a search with their values.
    ///
    /// Returns `None` if a value is missing, or if it should be a phone number and is none.
    fn search(&self, search: &Search) -> Result<Option<Vec<SearchKey>>, Failure> {
        let mut keys = Vec::with_capacity(search.len());
        for (name, expr) in search {
            let value = expr.evaluate_text(self.scope).map_err(|wrong| {
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
            let values = if name == PHONE {
                let Some(number) = phone::read(&value, self.find.phone_country) else {
                    return Ok(None);
                };
                let other = number.filter(|number| **number != *value);
                [value.into_owned()].into_iter().chain(other).collect()
            } else {
                vec![value.into_owned()]
            };
            keys.push(SearchKey {
                name: name.clone(),
                values,
            });
        }
        Ok(Some(keys))
    }

    fn no_key(&self) -> Failure {
        let keys = || self.find.searches.iter().flatten();
        let missing = keys().filter_map(|(_, value)| value.missing(self.scope));
        let mut missing: Vec<String> = missing
            .map(|expression| format!("`{}`", expression.text))
            .collect();
        missing.sort_unstable();
        missing.dedup();
        let mut reasons = match missing.as_slice() {
            [] => Vec::new(),
            [one] => vec![format!("{one} is missing from the event")],
            several => vec![format!("{} are missing from the event", several.join(", "))],
        };
        let is_no_number = |value: &ValueExpr| {
            let text = value.evaluate_text(self.scope);
            matches!(text, Ok(Some(text)) if phone::read(&text, self.find.phone_country).is_none())
        };
        if keys().any(|(name, value)| name == PHONE && is_no_number(value)) {
            reasons.push(format!("the value of `{PHONE}` is no phone number"));
        }
        let message = format!(
            "the customer cannot be searched for: {}; where there may be no customer, write `if_none: skip`",
            reasons.join(", and ")
        );
        Failure::new(ErrorCode::CustomerKeyMissing, message).of("customer")
    }

    /// Returns the profile to create, or `None` if the event has no value for it.
    fn profile(&self, new: &NewProfile) -> Result<Option<ProfileToCreate>, Failure> {
        let mut profile = ProfileToCreate {
            members: Vec::with_capacity(new.members.len()),
            attributes: Vec::with_capacity(new.attributes.len()),
        };
        for (member, expr) in &new.members {
            let value = bounded(expr, self.scope, member.name(), member.limit())?;
            let value = value.and_then(|value| {
                if !member.is_phone() {
                    return Some(value);
                }
                // This is the form in which it will be searched for.
                let number = phone::read(&value, self.find.phone_country)?;
                Some(number.unwrap_or(value))
            });
            profile.members.extend(value.map(|value| (*member, value)));
        }
        for (name, expr) in &new.attributes {
            let value = bounded(expr, self.scope, name, limits::PROFILE_ATTRIBUTE)?;
            profile
                .attributes
                .extend(value.map(|value| (name.clone(), value)));
        }
        let is_empty = profile.members.is_empty() && profile.attributes.is_empty();
        Ok((!is_empty).then_some(profile))
    }
}

fn bounded(
    expr: &ValueExpr,
    scope: &Scope<'_>,
    name: &str,
    limit: usize,
) -> Result<Option<String>, Failure> {
    let value = expr.evaluate_text(scope).map_err(|wrong| {
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
