//! A customer's profile: its members with the limits of `CreateProfileRequest`, and the keys that find it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::member::{Member, check_length};
use crate::seed::{Seed, SeedError};
use crate::service::Refusal;

/// `string1To255` and `sensitiveString1To255` of the model.
const STRING: RangeInclusive<usize> = 1..=255;

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
const OTHER_STRINGS: [&str; 5] = [
    "AccountNumber",
    "BusinessName",
    "BirthDate",
    "PartyTypeString",
    "GenderString",
];

const WORDS: [(&str, &[&str]); 3] = [
    ("PartyType", &["INDIVIDUAL", "BUSINESS", "OTHER"]),
    ("Gender", &["MALE", "FEMALE", "UNSPECIFIED"]),
    ("ProfileType", &["ACCOUNT_PROFILE", "PROFILE"]),
];

const ADDRESSES: [&str; 4] = [
    "Address",
    "ShippingAddress",
    "MailingAddress",
    "BillingAddress",
];
const ADDRESS: [&str; 10] = [
    "Address1",
    "Address2",
    "Address3",
    "Address4",
    "City",
    "County",
    "State",
    "Province",
    "Country",
    "PostalCode",
];

/// A member that only a seed may have, and that is not checked.
const PREFERENCES: &str = "EngagementPreferences";

/// A customer's profile.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) id: String,
    /// The members of the API's `Profile` that a client writes.
    members: Map<String, Value>,
    /// Values by `KeyName`; the predefined keys are not among them.
    keys: BTreeMap<String, Vec<String>>,
    /// None for a profile of the seed.
    pub(super) created: Option<Instant>,
}

impl Profile {
    /// Reads the members of `CreateProfile`. The profile has no id yet.
    pub(super) fn read(body: &Member<'_>, created: Instant) -> Result<Self, Refusal> {
        if body.optional(PREFERENCES)?.is_some() {
            return Err(Refusal::Validation(format!(
                "the member {PREFERENCES} is not supported by this emulator"
            )));
        }
        Ok(Self {
            id: String::new(),
            members: members(body)?,
            keys: BTreeMap::new(),
            created: Some(created),
        })
    }

    /// Reads a profile of the seed. It may have the member `Keys`, which the API does not show:
    /// `{"_ctrContactId": ["…"]}`.
    pub(super) fn from_seed(value: &Value, place: &str) -> Result<Self, SeedError> {
        let names = value.as_object().into_iter().flat_map(Map::keys);
        if let Some(name) = names.map(String::as_str).find(|name| !is_known(name)) {
            let reason = format!("a profile has no member '{name}'");
            return Err(Seed::PROFILES.inconsistent(place, reason));
        }
        let wrong =
            |place: &str, refusal: Refusal| Seed::PROFILES.inconsistent(place, refusal.to_string());
        let keys = match value.get("Keys") {
            None => BTreeMap::new(),
            Some(keys) => {
                let place = format!("{place}.Keys");
                let keys: BTreeMap<String, Vec<String>> = Seed::PROFILES.decode(keys, &place)?;
                for name in keys.keys() {
                    check_name(&format!("the key name '{name}'"), name)
                        .map_err(|refusal| wrong(&place, refusal))?;
                }
                keys
            }
        };
        let body = Member::body(value);
        let id = body.required("ProfileId").and_then(|id| profile_id(&id));
        let read = id.and_then(|id| Ok((id, members(&body)?)));
        let (id, mut members) = read.map_err(|refusal| wrong(place, refusal))?;
        if let Some(preferences) = value.get(PREFERENCES) {
            members.insert(PREFERENCES.to_owned(), preferences.clone());
        }
        Ok(Self {
            id,
            members,
            keys,
            created: None,
        })
    }

    /// Returns `Profile` of the service model, without what a search adds.
    pub(super) fn show(&self) -> Map<String, Value> {
        let mut shown = self.members.clone();
        shown.insert("ProfileId".to_owned(), json!(self.id));
        shown
    }

    /// Returns the profile with the member `Keys`, if it has any.
    pub(super) fn show_with_keys(&self) -> Value {
        let mut shown = self.show();
        if !self.keys.is_empty() {
            shown.insert("Keys".to_owned(), json!(self.keys));
        }
        Value::Object(shown)
    }

    /// Returns true when the key of that name has exactly this value.
    pub(super) fn has(&self, key: &str, value: &str) -> bool {
        let any = |names: &[&str]| names.iter().any(|name| self.text(name) == Some(value));
        let predefined = match key {
            "_profileId" => self.id == value,
            "_phone" => any(&PHONES),
            "_email" => any(&EMAILS),
            "_account" => any(&["AccountNumber"]),
            "_fullName" => {
                let names: Vec<&str> = NAMES.iter().filter_map(|name| self.text(name)).collect();
                names.join(" ") == value
            }
            _ => false,
        };
        let mut own = self.keys.get(key).into_iter().flatten();
        predefined || own.any(|own| own == value)
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.members.get(member).and_then(Value::as_str)
    }
}

fn string_members() -> impl Iterator<Item = &'static str> {
    let strings = PHONES.into_iter().chain(EMAILS).chain(NAMES);
    strings.chain(OTHER_STRINGS)
}

/// Reads the members of a profile that `body` has.
fn members(body: &Member<'_>) -> Result<Map<String, Value>, Refusal> {
    let mut members = strings(body, string_members())?;
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    if let Some(text) = body.optional("AdditionalInformation")? {
        put("AdditionalInformation", json!(text.text(1..=1000)?));
    }
    for (name, words) in WORDS {
        if let Some(word) = body.optional(name)? {
            put(name, json!(word.one_of(words)?));
        }
    }
    for name in ADDRESSES {
        if let Some(address) = body.optional(name)? {
            put(name, Value::Object(strings(&address, ADDRESS)?));
        }
    }
    if let Some(attributes) = body.optional("Attributes")? {
        let mut read = Map::new();
        for (key, value) in attributes.entries(0..=usize::MAX)? {
            check_length(&format!("the key of Attributes '{key}'"), key, STRING)?;
            read.insert(key.to_owned(), json!(value.text(STRING)?));
        }
        put("Attributes", Value::Object(read));
    }
    Ok(members)
}

fn strings<'a>(
    from: &Member<'_>,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<Map<String, Value>, Refusal> {
    let mut read = Map::new();
    for name in names {
        if let Some(text) = from.optional(name)? {
            read.insert(name.to_owned(), json!(text.text(STRING)?));
        }
    }
    Ok(read)
}

/// Returns true when a profile of a seed may have a member of that name.
fn is_known(name: &str) -> bool {
    const OTHERS: [&str; 6] = [
        "ProfileId",
        "Keys",
        "FoundByItems",
        "AdditionalInformation",
        "Attributes",
        PREFERENCES,
    ];
    let words = WORDS.iter().map(|(word, _)| *word);
    let others = OTHERS.into_iter().chain(ADDRESSES).chain(words);
    string_members().chain(others).any(|known| known == name)
}

/// Reads `uuid` of the model: 32 lower-case hexadecimal digits.
fn profile_id(member: &Member<'_>) -> Result<String, Refusal> {
    let id = member.text(0..=usize::MAX)?;
    if id.len() == 32 && id.chars().all(|c| matches!(c, 'a'..='f' | '0'..='9')) {
        return Ok(id.to_owned());
    }
    Err(Refusal::Validation(format!(
        "{} must be 32 digits of 0-9 and a-f",
        member.path()
    )))
}

/// Checks `name` of the model, which domains and keys have: `^[a-zA-Z0-9_-]+$`.
pub(super) fn check_name(path: &str, name: &str) -> Result<(), Refusal> {
    check_length(path, name, 1..=64)?;
    if name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    {
        return Ok(());
    }
    Err(Refusal::Validation(format!(
        "{path} must be made of a-z, A-Z, 0-9, _ and -"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids() {
        for (name, good) in [
            ("amazon-connect_1", true),
            ("", false),
            ("a b", false),
            ("ä", false),
            ("a.b", false),
        ] {
            assert_eq!(check_name("Name", name).is_ok(), good, "{name:?}");
        }
        for (id, good) in [
            ("0a".repeat(16), true),
            ("0A".repeat(16), false),
            ("0a".repeat(15), false),
            ("0g".repeat(16), false),
        ] {
            let id = json!(id);
            assert_eq!(profile_id(&Member::body(&id)).is_ok(), good, "{id}");
        }
    }
}
