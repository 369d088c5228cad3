//! What is read of a Connect instance: `DescribeContact` and `GetContactAttributes`, from a seed of
//! the API's own answers and nothing else.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::{epoch_seconds, iso8601, time_of};
use crate::member::check_length;
use crate::operation::Route;
use crate::seed_error::{Seed, SeedError};
use crate::service::Refusal;

/// A Connect instance and its contacts.
#[derive(Debug)]
pub(crate) struct Instance {
    id: String,
    contacts: Vec<Contact>,
}

/// A contact of the instance.
#[derive(Debug)]
pub(crate) struct Contact {
    id: String,
    initial_contact_id: Option<String>,
    /// `Channel`.
    pub(crate) channel: Option<String>,
    /// `ConnectedToSystemTimestamp`, in ISO 8601.
    pub(crate) connected_time: Option<String>,
    attributes: BTreeMap<String, String>,
    /// The `Contact` of `DescribeContact`.
    answer: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InstanceSeed {
    instance_id: String,
    contacts: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(
    rename_all = "PascalCase",
    deny_unknown_fields,
    expecting = "an object with Contact and Attributes"
)]
struct EntrySeed {
    contact: Value,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with Id")]
struct ContactSeed {
    id: String,
    initial_contact_id: Option<String>,
    channel: Option<String>,
    connected_to_system_timestamp: Option<Value>,
}

impl Instance {
    /// Reads and checks `{"instanceId", "contacts": [{"Contact", "Attributes"}]}`.
    pub(crate) fn from_seed(json: &str) -> Result<Self, SeedError> {
        let seed = Seed::CONTACTS.object(json, "instanceId and contacts")?;
        let seed: InstanceSeed = Seed::CONTACTS.decode(&seed, "the top level")?;
        let mut ids = HashSet::new();
        let mut contacts = Vec::new();
        for (index, entry) in seed.contacts.iter().enumerate() {
            let place = format!("contacts[{index}]");
            let contact = contact(entry, &place)?;
            if !ids.insert(contact.id.clone()) {
                let reason = format!("the contact id '{}' stands twice", contact.id);
                return Err(Seed::CONTACTS.inconsistent(&place, reason));
            }
            contacts.push(contact);
        }
        Ok(Self {
            id: seed.instance_id,
            contacts,
        })
    }

    /// The contact that an ARN ends in, `instance/INSTANCE/contact/CONTACT`.
    pub(crate) fn contact_of(&self, arn: &str) -> Option<&Contact> {
        let resource = arn.rsplit(':').next()?.strip_prefix("instance/")?;
        let id = resource.strip_prefix(&self.id)?.strip_prefix("/contact/")?;
        self.contacts.iter().find(|contact| contact.id == id)
    }
}

fn contact(entry: &Value, place: &str) -> Result<Contact, SeedError> {
    let entry: EntrySeed = Seed::CONTACTS.decode(entry, place)?;
    let place = format!("{place}.Contact");
    let seed: ContactSeed = Seed::CONTACTS.decode(&entry.contact, &place)?;
    let mut answer = entry.contact;
    check_length("Id", &seed.id, 1..=256)
        .and_then(|()| epoch_timestamps(&mut answer))
        .map_err(|refusal| Seed::CONTACTS.inconsistent(&place, refusal.to_string()))?;
    let connected = seed.connected_to_system_timestamp.as_ref();
    Ok(Contact {
        id: seed.id,
        initial_contact_id: seed.initial_contact_id,
        channel: seed.channel,
        connected_time: connected.and_then(time_of).map(iso8601),
        attributes: entry.attributes,
        answer,
    })
}

/// Puts every time into the form the service writes: the AWS CLI prints ISO 8601 where the wire has
/// seconds since 1970.
fn epoch_timestamps(value: &mut Value) -> Result<(), Refusal> {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if name.ends_with("Timestamp") {
                    let time = time_of(value).ok_or_else(|| {
                        Refusal::Validation(format!(
                            "{name} must be seconds since 1970 or a time in ISO 8601"
                        ))
                    })?;
                    *value = epoch_seconds(time);
                } else {
                    epoch_timestamps(value)?;
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(epoch_timestamps),
        _ => Ok(()),
    }
}

/// `DescribeContact`.
pub(crate) fn describe_contact(
    instance: Option<&Instance>,
    route: &Route,
) -> Result<Value, Refusal> {
    let contact = find(instance, route, |contact, id| contact.id == id)?;
    Ok(json!({ "Contact": contact.answer }))
}

/// `GetContactAttributes`: the attributes are those of the initial contact; the id of a later one
/// is taken too.
pub(crate) fn get_contact_attributes(
    instance: Option<&Instance>,
    route: &Route,
) -> Result<Value, Refusal> {
    let contact = find(instance, route, |contact, id| contact.id == id).or_else(|_| {
        find(instance, route, |contact, id| {
            contact.initial_contact_id.as_deref() == Some(id)
        })
    })?;
    Ok(json!({ "Attributes": contact.attributes }))
}

fn find<'a>(
    instance: Option<&'a Instance>,
    route: &Route,
    is_it: impl Fn(&Contact, &str) -> bool,
) -> Result<&'a Contact, Refusal> {
    let instance_id = route.domain_id.as_deref().unwrap_or_default();
    check_length("InstanceId", instance_id, 1..=100)?;
    let id = route.resource_id.as_str();
    check_length("ContactId", id, 1..=256)?;
    let instance = instance
        .filter(|instance| instance.id == instance_id)
        .ok_or_else(|| Refusal::NotFound {
            resource_type: "Instance",
            resource_id: instance_id.to_owned(),
        })?;
    let contact = instance.contacts.iter().find(|contact| is_it(contact, id));
    contact.ok_or_else(|| Refusal::NotFound {
        resource_type: "Contact",
        resource_id: id.to_owned(),
    })
}
