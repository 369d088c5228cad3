//! `SearchProfiles`: the profiles that can be seen already and that all keys (`AND`) or any of them
//! (`OR`, the default) find, in pages, the oldest first.

use serde_json::{Value, json};

use super::Profile;
use super::members::key;
use crate::clock::now;
use crate::fingerprint::fingerprint;
use crate::member::Member;
use crate::operation::Operation;
use crate::paging::{Page, Query, Scope};
use crate::service::Refusal;
use crate::state::State;

const PHONES: [&str; 4] = [
    "PhoneNumber",
    "MobilePhoneNumber",
    "HomePhoneNumber",
    "BusinessPhoneNumber",
];
const EMAILS: [&str; 3] = [
    "EmailAddress",
    "PersonalEmailAddress",
    "BusinessEmailAddress",
];
const NAMES: [&str; 3] = ["FirstName", "MiddleName", "LastName"];

/// A key with the values that find a profile, any of them.
struct SearchKey<'a> {
    name: &'a str,
    values: Vec<&'a str>,
}

pub(crate) fn search_profiles(
    state: &State,
    domain_name: &str,
    query: &Query,
    value: &Value,
) -> Result<Value, Refusal> {
    let profiles = &state.profiles;
    let domain = profiles.named(domain_name)?;
    let scope = format!("{domain_name}/{}", fingerprint(value, &[]));
    let scope = Scope::new(Operation::SearchProfiles, &scope);
    let page = Page::of_query(scope, query, 100, 20)?;
    let body = Member::body(value);
    let keys = keys(&body)?;
    let all = match body.optional("LogicalOperator")? {
        Some(operator) => operator.one_of(&["AND", "OR"])? == "AND",
        None => false,
    };

    let now = now();
    let visible = domain.profiles.iter();
    let found = visible
        .filter(|profile| profiles.sees(profile, now))
        .filter_map(|profile| {
            let by: Vec<_> = keys.iter().filter(|key| key.finds(profile)).collect();
            let found = if all {
                by.len() == keys.len()
            } else {
                !by.is_empty()
            };
            found.then(|| item(profile, &by))
        });
    Ok(page.output("Items", found.collect()))
}

fn keys<'a>(body: &Member<'a>) -> Result<Vec<SearchKey<'a>>, Refusal> {
    let mut keys = vec![SearchKey::read(body)?];
    if let Some(more) = body.optional("AdditionalSearchKeys")? {
        for item in more.items(1..=4)? {
            keys.push(SearchKey::read(&item)?);
        }
    }
    Ok(keys)
}

/// A found profile, with the keys that found it.
fn item(profile: &Profile, by: &[&SearchKey<'_>]) -> Value {
    let by = by
        .iter()
        .map(|key| json!({ "KeyName": key.name, "Values": key.values }));
    let mut item = profile.show();
    item.insert("FoundByItems".to_owned(), by.collect());
    Value::Object(item)
}

impl<'a> SearchKey<'a> {
    fn read(member: &Member<'a>) -> Result<Self, Refusal> {
        let (name, values) = key(member)?;
        Ok(Self { name, values })
    }

    fn finds(&self, profile: &Profile) -> bool {
        self.values
            .iter()
            .any(|value| profile.has(self.name, value))
    }
}

impl Profile {
    /// Whether the key of that name has this very value.
    fn has(&self, key: &str, value: &str) -> bool {
        let any = |names: &[&str]| names.iter().any(|name| self.text(name) == Some(value));
        let of_members = match key {
            "_profileId" => self.id == value,
            "_phone" => any(&PHONES),
            "_email" => any(&EMAILS),
            "_account" => any(&["AccountNumber"]),
            "_fullName" => self.full_name() == value,
            _ => false,
        };
        let added = self.keys.get(key);
        of_members || added.is_some_and(|values| values.iter().any(|added| added == value))
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.members.get(member).and_then(Value::as_str)
    }

    /// First, middle and last name, as far as there are any.
    fn full_name(&self) -> String {
        let names: Vec<&str> = NAMES.iter().filter_map(|name| self.text(name)).collect();
        names.join(" ")
    }
}
