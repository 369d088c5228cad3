//! Amazon Connect, limited to reading contacts: `DescribeContact` and `GetContactAttributes` answer from
//! a seed of the API's own answers.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::{epoch_seconds, iso8601, time_of};
use crate::member::check_length;
use crate::seed::{Seed, SeedError};
use crate::service::Refusal;

/// The contacts of one Connect instance, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Contacts {
    instance_id: Option<String>,
    contacts: Vec<Contact>,
}

#[derive(Debug)]
struct Contact {
    id: String,
    initial_contact_id: Option<String>,
    /// `Channel`.
    channel: Option<String>,
    /// `ConnectedToSystemTimestamp`, in ISO 8601.
    connected_time: Option<String>,
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

impl Contacts {
    /// Reads and checks `{"instanceId", "contacts": [{"Contact", "Attributes"}]}`.
    pub(crate) fn from_seed(json: &str) -> Result<Self, SeedError> {
        let seed = Seed::CONTACTS.object(json, "instanceId and contacts")?;
        let seed: InstanceSeed = Seed::CONTACTS.decode(&seed, "the top level")?;
        let mut ids = HashSet::new();
        let mut contacts = Vec::new();
        for (index, entry) in seed.contacts.iter().enumerate() {
            let place = format!("contacts[{index}]");
            let contact = Contact::from_seed(entry, &place)?;
            if !ids.insert(contact.id.clone()) {
                let reason = format!("the contact id '{}' stands twice", contact.id);
                return Err(Seed::CONTACTS.inconsistent(&place, reason));
            }
            contacts.push(contact);
        }
        Ok(Self {
            instance_id: Some(seed.instance_id),
            contacts,
        })
    }

    /// `DescribeContact`.
    pub(crate) fn describe_contact(&self, instance: &str, id: &str) -> Result<Value, Refusal> {
        let contact = self.find(instance, id, |contact| contact.id == id)?;
        Ok(json!({ "Contact": contact.answer }))
    }

    /// `GetContactAttributes`: takes the id of the initial contact, or that of a later one.
    pub(crate) fn get_contact_attributes(
        &self,
        instance: &str,
        id: &str,
    ) -> Result<Value, Refusal> {
        let is_initial = |contact: &Contact| contact.initial_contact_id.as_deref() == Some(id);
        let contact = self
            .find(instance, id, |contact| contact.id == id)
            .or_else(|_| self.find(instance, id, is_initial))?;
        Ok(json!({ "Attributes": contact.attributes }))
    }

    fn find(
        &self,
        instance: &str,
        id: &str,
        is_it: impl Fn(&Contact) -> bool,
    ) -> Result<&Contact, Refusal> {
        check_length("InstanceId", instance, 1..=100)?;
        check_length("ContactId", id, 1..=256)?;
        if self.instance_id.as_deref() != Some(instance) {
            return Err(Refusal::NotFound {
                resource_type: "Instance",
                resource_id: instance.to_owned(),
            });
        }
        let contact = self.contacts.iter().find(|contact| is_it(contact));
        contact.ok_or_else(|| Refusal::NotFound {
            resource_type: "Contact",
            resource_id: id.to_owned(),
        })
    }

    /// Returns channel and time of connection of the contact with this ARN, as far as they are known.
    pub(crate) fn channel_and_time(&self, arn: &str) -> (Option<&str>, Option<&str>) {
        let contact = self.contacts.iter().find(|contact| {
            let instance = self.instance_id.as_deref().unwrap_or_default();
            arn.ends_with(&format!(":instance/{instance}/contact/{}", contact.id))
        });
        let channel = contact.and_then(|contact| contact.channel.as_deref());
        let time = contact.and_then(|contact| contact.connected_time.as_deref());
        (channel, time)
    }
}

impl Contact {
    fn from_seed(entry: &Value, place: &str) -> Result<Self, SeedError> {
        let entry: EntrySeed = Seed::CONTACTS.decode(entry, place)?;
        let place = format!("{place}.Contact");
        let seed: ContactSeed = Seed::CONTACTS.decode(&entry.contact, &place)?;
        let mut answer = entry.contact;
        check_length("Id", &seed.id, 1..=256)
            .and_then(|()| write_epoch_seconds(&mut answer))
            .map_err(|refusal| Seed::CONTACTS.inconsistent(&place, refusal.to_string()))?;
        let connected = seed.connected_to_system_timestamp.as_ref();
        Ok(Self {
            id: seed.id,
            initial_contact_id: seed.initial_contact_id,
            channel: seed.channel,
            connected_time: connected.and_then(time_of).map(iso8601),
            attributes: entry.attributes,
            answer,
        })
    }
}

/// Rewrites every time as the service writes it: the AWS CLI prints ISO 8601 where the wire has seconds
/// since 1970.
fn write_epoch_seconds(value: &mut Value) -> Result<(), Refusal> {
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
                    write_epoch_seconds(value)?;
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(write_epoch_seconds),
        _ => Ok(()),
    }
}
