//! The members a client writes of a profile, with their limits: those of `CreateProfileRequest`.

use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use super::check_name;
use crate::member::{Member, check_length};
use crate::patterns::is_profile_id;
use crate::service::Refusal;

/// `string1To255` and `sensitiveString1To255` of the model.
const STRING: RangeInclusive<usize> = 1..=255;

const STRINGS: [&str; 15] = [
    "AccountNumber",
    "BusinessName",
    "FirstName",
    "MiddleName",
    "LastName",
    "BirthDate",
    "PhoneNumber",
    "MobilePhoneNumber",
    "HomePhoneNumber",
    "BusinessPhoneNumber",
    "EmailAddress",
    "PersonalEmailAddress",
    "BusinessEmailAddress",
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

const CONTACT_TYPES: &[&str] = &[
    "PhoneNumber",
    "MobilePhoneNumber",
    "HomePhoneNumber",
    "BusinessPhoneNumber",
    "EmailAddress",
    "PersonalEmailAddress",
    "BusinessEmailAddress",
];

/// Reads every member of a profile that `body` has; what is no member of a profile is left out.
pub(super) fn read(body: &Member<'_>) -> Result<Map<String, Value>, Refusal> {
    let mut members = strings(body, &STRINGS)?;
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
            put(name, Value::Object(strings(&address, &ADDRESS)?));
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
    if let Some(preferences) = body.optional("EngagementPreferences")? {
        let mut read = Map::new();
        for name in ["Phone", "Email"] {
            if let Some(list) = preferences.optional(name)? {
                let items = list.items(0..=usize::MAX)?;
                let items: Result<Vec<_>, _> = items.iter().map(contact_preference).collect();
                read.insert(name.to_owned(), Value::Array(items?));
            }
        }
        put("EngagementPreferences", Value::Object(read));
    }
    Ok(members)
}

/// Whether a profile has a member of that name.
pub(super) fn is_known(name: &str) -> bool {
    let others = [
        "AdditionalInformation",
        "Attributes",
        "EngagementPreferences",
    ];
    STRINGS.contains(&name)
        || ADDRESSES.contains(&name)
        || others.contains(&name)
        || WORDS.iter().any(|(word, _)| *word == name)
}

fn strings(from: &Member<'_>, names: &[&str]) -> Result<Map<String, Value>, Refusal> {
    let mut read = Map::new();
    for name in names {
        if let Some(text) = from.optional(name)? {
            read.insert((*name).to_owned(), json!(text.text(STRING)?));
        }
    }
    Ok(read)
}

/// `ContactPreference` of the model.
fn contact_preference(item: &Member<'_>) -> Result<Value, Refusal> {
    let mut read = strings(item, &["KeyValue"])?;
    if let Some(name) = item.optional("KeyName")? {
        let text = name.text(1..=64)?;
        check_name(name.path(), text)?;
        read.insert("KeyName".to_owned(), json!(text));
    }
    if let Some(id) = item.optional("ProfileId")? {
        read.insert("ProfileId".to_owned(), json!(profile_id(&id)?));
    }
    if let Some(kind) = item.optional("ContactType")? {
        read.insert("ContactType".to_owned(), json!(kind.one_of(CONTACT_TYPES)?));
    }
    Ok(Value::Object(read))
}

/// `uuid` of the model: 32 lower-case hexadecimal digits.
pub(super) fn profile_id<'a>(member: &Member<'a>) -> Result<&'a str, Refusal> {
    let id = member.text(0..=usize::MAX)?;
    if is_profile_id(id) {
        return Ok(id);
    }
    Err(Refusal::Validation(format!(
        "{} must be 32 digits of 0-9 and a-f",
        member.path()
    )))
}

/// A search key: `KeyName` and `Values`, as searches and `AddProfileKey` have them.
pub(super) fn key<'a>(member: &Member<'a>) -> Result<(&'a str, Vec<&'a str>), Refusal> {
    let name = member.required("KeyName")?;
    let text = name.text(1..=64)?;
    check_name(name.path(), text)?;
    let values = member.required("Values")?.items(0..=usize::MAX)?;
    let values: Result<Vec<_>, _> = values.iter().map(|value| value.text(STRING)).collect();
    Ok((text, values?))
}
