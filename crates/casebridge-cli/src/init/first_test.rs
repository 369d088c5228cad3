//! A first test for the mapping to begin with: an event that holds what the template requires, and the case that it makes.

use std::fmt::Write as _;

use mapping::Trigger;
use mapping::field::{Field, FieldOption, FieldType};
use serde_json::{Map, Value, json};

use super::references::Path;
use super::skeleton::{Proposal, Skeleton};
use super::yaml;

const INSTANCE: &str =
    "arn:aws:connect:us-east-1:111122223333:instance/6b1f6f0e-3c2a-4a57-9a0c-5d1e2f7a8b90";
const PROFILE: &str = "arn:aws:profile:us-east-1:111122223333:domains/example/profiles/4d1c7e09a5b84f2f9e63d0b7c28a516e";

impl Skeleton<'_> {
    /// The text of the test file.
    pub(super) fn first_test(&self) -> String {
        let mut fields = Map::new();
        for proposal in &self.required {
            fields.insert(proposal.key.clone(), proposal.expected());
        }
        let performed_by = format!("casebridge/{}", self.name);
        let expect = json!({ "case": self.name, "fields": fields, "performed_by": performed_by });
        let body = Map::from_iter([
            ("event".to_owned(), self.event()),
            ("expect".to_owned(), expect),
        ]);
        let what = match self.trigger {
            Trigger::ContactFlow => "a contact",
            Trigger::EventBridge => "an event",
        };
        let mut text = format!(
            "# What the mapping promises: `cargo casebridge test` runs it.\n# A real event does better: copy one into a file, and name the file under `event`.\n\nversion: 1\n\ntests:\n  - name: {what} with all that is required makes a case\n"
        );
        write(&mut text, &body, 4);
        text
    }

    /// An event that the case mapping takes.
    fn event(&self) -> Value {
        let mut root = Map::new();
        for proposal in &self.required {
            proposal.path.put(&mut root, proposal.sample(self.trigger));
        }
        match self.trigger {
            Trigger::ContactFlow => {
                let request = json!(self.name);
                Path::new(["Parameters", "request"]).put(&mut root, request);
                let parameters = root.remove("Parameters");
                let mut contact = Map::from_iter([
                    ("InstanceARN".to_owned(), json!(INSTANCE)),
                    (
                        "ContactId".to_owned(),
                        json!("0d8f4c1e-2b6a-4f39-8c57-1a9e6d3b7f20"),
                    ),
                ]);
                contact.append(&mut root);
                json!({ "Details": { "ContactData": contact, "Parameters": parameters } })
            }
            Trigger::EventBridge => {
                let mut event = Map::from_iter([
                    (
                        "id".to_owned(),
                        json!("d27b5e80-3f9c-4c61-8a4d-96e1f0b7c352"),
                    ),
                    ("source".to_owned(), json!("com.example.app")),
                    ("detail-type".to_owned(), json!(self.template_name)),
                ]);
                event.append(&mut root);
                Value::Object(event)
            }
        }
    }
}

impl Proposal<'_> {
    /// A value in the event; the attributes of a contact are text.
    fn sample(&self, trigger: Trigger) -> Value {
        match (self.option(), self.expected()) {
            (Some(option), _) => json!(option.value),
            (None, value @ Value::String(_)) => value,
            (None, value) if trigger == Trigger::ContactFlow => json!(value.to_string()),
            (None, value) => value,
        }
    }

    /// The value in the case.
    fn expected(&self) -> Value {
        let Field { id, kind, .. } = &*self.field;
        match (id.as_str(), kind) {
            ("customer_id", _) => json!(PROFILE),
            ("assigned_queue", _) => {
                json!(format!(
                    "{INSTANCE}/queue/3f9c1d7e-5a28-4b60-8e94-d2a7c6b1f035"
                ))
            }
            ("assigned_user", _) | (_, FieldType::User) => {
                json!(format!(
                    "{INSTANCE}/agent/a7e3c915-4b0d-4f86-92d1-6c8f5e2b7d34"
                ))
            }
            (_, FieldType::Text) => json!("example"),
            (_, FieldType::Number) => json!(1),
            (_, FieldType::Boolean) => json!(true),
            (_, FieldType::DateTime) => json!("2026-11-22T09:30:00Z"),
            (_, FieldType::Url) => json!("https://example.com"),
            (_, FieldType::SingleSelect) => match self.option() {
                Some(option) if self.leads_to(option) => json!(option.name),
                Some(option) => json!(option.value),
                None => json!("example"),
            },
        }
    }

    fn option(&self) -> Option<&FieldOption> {
        self.field
            .options
            .iter()
            .flatten()
            .find(|option| option.active)
    }

    /// Whether the label is the option's alone.
    fn leads_to(&self, option: &FieldOption) -> bool {
        let found = self.field.option(&option.name);
        found.is_some_and(|found| found.value == option.value)
    }
}

/// Writes a group as the YAML that stands behind its key, each line of it indented.
fn write(text: &mut String, group: &Map<String, Value>, indent: usize) {
    for (name, value) in group {
        let key = format!("{:indent$}{}:", "", yaml::scalar(name));
        match value {
            Value::Object(group) => {
                *text += &key;
                text.push('\n');
                write(text, group, indent + 2);
            }
            other => {
                let value = other
                    .as_str()
                    .map_or_else(|| other.to_string(), yaml::scalar);
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{key} {value}");
            }
        }
    }
}
