//! The first mapping: one case mapping that sets what its template requires, with all other fields as comments.

use std::borrow::Cow;
use std::fmt::Write as _;

use mapping::Trigger;
use mapping::domain::{Domain, Template};
use mapping::field::{Field, FieldOption, FieldType};
use mapping::text::truncate;
use serde_json::{Map, Value, json};

use super::references::{Path, Proposals};
use super::yaml::{self, Lines};

/// System fields worth proposing where the template does not ask for them.
const USEFUL: [&str; 5] = [
    "summary",
    "case_reason",
    "customer_id",
    "assigned_queue",
    "assigned_user",
];

/// The most characters of a list of options in a note.
const OPTIONS_WIDTH: usize = 80;

const INSTANCE: &str =
    "arn:aws:connect:us-east-1:111122223333:instance/6b1f6f0e-3c2a-4a57-9a0c-5d1e2f7a8b90";
const PROFILE: &str = "arn:aws:profile:us-east-1:111122223333:domains/example/profiles/4d1c7e09a5b84f2f9e63d0b7c28a516e";

/// A mapping for one template.
pub(super) struct Skeleton<'a> {
    pub(super) trigger: Trigger,
    /// The case mapping's name.
    pub(super) name: String,
    /// The title, and what else the template requires.
    pub(super) required: Vec<Proposal<'a>>,
    optional: Vec<Proposal<'a>>,
    /// The template's name.
    pub(super) template_name: &'a str,
    /// The template's name in the mapping, or its id where the name is not its alone.
    template: &'a str,
}

/// A field, and where its value is proposed to come from.
pub(super) struct Proposal<'a> {
    pub(super) field: Cow<'a, Field>,
    /// The field's name in the mapping, or its id where the name is not its alone.
    pub(super) key: String,
    pub(super) path: Path,
}

impl<'a> Skeleton<'a> {
    pub(super) fn new(domain: &'a Domain, template: &'a Template, trigger: Trigger) -> Self {
        let mut proposals = Proposals::new(trigger);
        let mut propose = |id: &str| {
            let known = domain.fields.iter().find(|field| field.id == id);
            let field = match known {
                Some(field) => Cow::Borrowed(&**field),
                None => Cow::Owned(Field::system(id)?),
            };
            Some(Proposal {
                key: key(domain, &field).to_owned(),
                path: proposals.of(&field),
                field,
            })
        };
        let also = template.required_fields.iter().map(String::as_str);
        let required: Vec<_> = ["title"]
            .into_iter()
            .chain(also.filter(|id| *id != "title"))
            .filter_map(&mut propose)
            .collect();
        let mut custom: Vec<&Field> = domain
            .fields
            .iter()
            .map(|field| &**field)
            .filter(|field| Field::system(&field.id).is_none())
            .collect();
        custom.sort_by_key(|field| (field.name.to_lowercase(), &field.id));
        let in_domain = |id: &&str| domain.fields.iter().any(|field| field.id == *id);
        let optional = USEFUL
            .into_iter()
            .filter(in_domain)
            .chain(custom.into_iter().map(|field| field.id.as_str()))
            .filter(|id| !required.iter().any(|proposal| proposal.field.id == *id))
            .filter_map(propose)
            .collect();
        let alone = domain
            .template(&template.name)
            .is_some_and(|found| found.id == template.id);
        Self {
            trigger,
            name: slug(&template.name),
            required,
            optional,
            template_name: &template.name,
            template: if alone && !template.name.is_empty() {
                &template.name
            } else {
                &template.id
            },
        }
    }

    /// The mapping's text.
    pub(super) fn mapping(&self) -> String {
        self.lines().to_string()
    }

    pub(super) fn lines(&self) -> Lines {
        let mut lines = Lines::default();
        self.head(&mut lines);
        self.route(&mut lines);
        self.case(&mut lines);
        lines.on("    fields:");
        for proposal in &self.required {
            proposal.required(&mut lines, self.template_name);
        }
        if !self.optional.is_empty() {
            lines.on("\n      # What follows is not sent. Take the `#` away where it should be.");
        }
        for proposal in &self.optional {
            proposal.optional(&mut lines);
        }
        lines
    }

    /// Adds the comment on the file, and the keys of the whole file.
    fn head(&self, lines: &mut Lines) {
        let template = yaml::comment(self.template_name);
        let whose = match self.trigger {
            Trigger::ContactFlow => "contacts",
            Trigger::EventBridge => "events",
        };
        lines.on(&format!(
            "\
# A mapping to begin with, for the Cases template `{template}`.
# Its references are proposals: put those of your own {whose} in their place. Then:
#   cargo casebridge check           finds every error in this file
#   cargo casebridge render EVENT    shows the case that an event makes

version: 1

# Who the case's history says it was performed by.
performed_by: \"casebridge/{{{{ $$.mapping }}}}\"

cases:"
        ));
    }

    /// Adds the case mapping's name, and the pattern of its events.
    fn route(&self, lines: &mut Lines) {
        let (name, trigger) = (yaml::scalar(&self.name), self.trigger.name());
        let when = match self.trigger {
            Trigger::ContactFlow => format!(
                "    when:\twhich contacts: an EventBridge event pattern
      Parameters:
        request: [{name}]\ta parameter of the block that invokes the function"
            ),
            Trigger::EventBridge => format!(
                "    when:\twhich events: paste the rule's event pattern
      source: [com.example.app]
      detail-type: [{}]",
                yaml::scalar(self.template_name)
            ),
        };
        lines.on(&format!("  - name: {name}\n    trigger: {trigger}\n{when}"));
    }

    /// Adds the template, and the keys of the case but its fields.
    fn case(&self, lines: &mut Lines) {
        let note = if self.template == self.template_name {
            String::new()
        } else {
            yaml::comment(self.template_name)
        };
        let template = yaml::scalar(self.template);
        lines.on(&format!("    template: {template}\t{note}"));
        let (key, without) = match self.trigger {
            Trigger::ContactFlow => ("$.InitialContactId", "contact"),
            Trigger::EventBridge => ("$.detail.id", "event"),
        };
        let note = format!("one case for each; without it, for each {without}");
        lines.off(4, &format!("key: {key}"), &note);
        lines.off(4, "tags:", "");
        lines.off(4, "  team: service", "");
        let mut required = self.required.iter();
        if let Some(customer) = required.find(|proposal| proposal.field.id == "customer_id") {
            let reference = customer.path.reference();
            let find = match self.trigger {
                Trigger::ContactFlow => "_phone: $.CustomerEndpoint.Address",
                Trigger::EventBridge => "_email: $.detail.customer.email",
            };
            lines.on(&format!(
                "    customer: {reference}\trequired; a profile's ARN, or {{ find: [{{ {find} }}] }}"
            ));
        }
    }

    /// The text of the first test: an event with all that the template requires, and its case.
    pub(super) fn first_test(&self) -> String {
        let expected = |proposal: &Proposal<'_>| (proposal.key.clone(), proposal.expected());
        let body = json!({
            "event": self.event(),
            "expect": {
                "case": self.name,
                "fields": self.required.iter().map(expected).collect::<Map<_, _>>(),
                "performed_by": format!("casebridge/{}", self.name),
            },
        });
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
        let mut root = match self.trigger {
            Trigger::ContactFlow => json!({
                "InstanceARN": INSTANCE,
                "ContactId": "0d8f4c1e-2b6a-4f39-8c57-1a9e6d3b7f20",
            }),
            Trigger::EventBridge => json!({
                "id": "d27b5e80-3f9c-4c61-8a4d-96e1f0b7c352",
                "source": "com.example.app",
                "detail-type": self.template_name,
            }),
        };
        for proposal in &self.required {
            proposal.path.put(&mut root, proposal.sample(self.trigger));
        }
        if self.trigger == Trigger::EventBridge {
            return root;
        }
        Path::new(["Parameters", "request"]).put(&mut root, json!(self.name));
        let parameters = root
            .as_object_mut()
            .and_then(|root| root.remove("Parameters"));
        json!({ "Details": { "ContactData": root, "Parameters": parameters } })
    }
}

impl Proposal<'_> {
    fn required(&self, lines: &mut Lines, template: &str) {
        let (key, reference) = (yaml::scalar(&self.key), self.path.reference());
        let note = format!("\trequired; {}", self.note());
        match self.field.id.as_str() {
            "customer_id" => {}
            "title" => {
                let default = if template.is_empty() {
                    "New case"
                } else {
                    truncate(template, self.field.limit())
                };
                let default = yaml::literal(default);
                lines.on(&format!(
                    "      {key}:{note}
        value: {reference}
        default: {default}\twhere the value is missing"
                ));
            }
            _ => lines.on(&format!("      {key}: {reference}{note}")),
        }
    }

    fn optional(&self, lines: &mut Lines) {
        lines.off(6, &format!("{}:", yaml::scalar(&self.key)), &self.note());
        lines.off(6, &format!("  value: {}", self.path.reference()), "");
        match self.field.kind {
            FieldType::Boolean => lines.off(6, "  default: false", ""),
            _ => lines.off(6, "  if_missing: skip", ""),
        }
    }

    /// Describes the field's values, after its name if the key is an id.
    fn note(&self) -> String {
        let Field {
            name,
            id,
            kind,
            multiline,
            ..
        } = &*self.field;
        let limit = self.field.limit();
        let takes = match (id.as_str(), kind) {
            ("assigned_queue", _) => "a queue ARN".to_owned(),
            ("customer_id", _) => "a Customer Profiles profile ARN".to_owned(),
            ("assigned_user", _) | (_, FieldType::User) => "a user ARN".to_owned(),
            (_, FieldType::Text) if *multiline => {
                format!("at most {limit} characters, on several lines")
            }
            (_, FieldType::Text) => format!("at most {limit} characters"),
            (_, FieldType::Number) => "a number, or text that is one".to_owned(),
            (_, FieldType::Boolean) => "true or false".to_owned(),
            (_, FieldType::DateTime) => {
                "RFC 3339 or RFC 2822, or seconds or milliseconds since 1970".to_owned()
            }
            (_, FieldType::Url) => "such as https://example.com".to_owned(),
            (_, FieldType::SingleSelect) => self.options(),
        };
        let note = format!("{}: {takes}", kind.name());
        if self.key == *name || Field::system(id).is_some() {
            note
        } else {
            format!("{}, {note}", yaml::comment(name))
        }
    }

    /// The labels of the active options, as many as have room.
    fn options(&self) -> String {
        let Some(options) = &self.field.options else {
            return "one of its options, by value".to_owned();
        };
        let labels: Vec<String> = options
            .iter()
            .filter(|option| option.active)
            .map(|option| yaml::comment(&option.name))
            .collect();
        let mut length = 0;
        let shown = labels.iter().take_while(|label| {
            length += label.chars().count() + 2;
            length <= OPTIONS_WIDTH
        });
        let shown: Vec<&str> = shown.map(String::as_str).collect();
        match labels.len() - shown.len() {
            0 if labels.is_empty() => "none of its options is active".to_owned(),
            0 => shown.join(", "),
            more => format!("{}, … ({more} more)", shown.join(", ")),
        }
    }

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
                Some(option) if self.has_own_label(option) => json!(option.name),
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

    /// Returns whether no other option has the label.
    fn has_own_label(&self, option: &FieldOption) -> bool {
        let found = self.field.option(&option.name);
        found.is_some_and(|found| found.value == option.value)
    }
}

/// A field's name, where it leads back to the field and a reader of YAML takes it for a key; else its id. System fields go by id: agents
/// never see their names.
fn key<'a>(domain: &Domain, field: &'a Field) -> &'a str {
    let alone = domain
        .field(&field.name)
        .is_some_and(|found| found.id == field.id);
    // `<<` merges objects whatever its context, and a key takes at most 1024 characters.
    let is_key = !["", "<<"].contains(&&*field.name) && field.name.chars().count() <= 100;
    if alone && is_key && Field::system(&field.id).is_none() {
        &field.name
    } else {
        &field.id
    }
}

/// A template's name as a case mapping's: `order-problem`.
fn slug(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return "new-case".to_owned();
    }
    truncate(&words.join("-"), mapping::limits::NAME).to_owned()
}

/// Writes an object's members as indented YAML.
fn write(text: &mut String, object: &Value, indent: usize) {
    for (name, value) in object.as_object().into_iter().flatten() {
        let key = format!("{:indent$}{}:", "", yaml::scalar(name));
        // Writing to a string cannot fail.
        let _ = match value {
            Value::Object(_) => writeln!(text, "{key}"),
            Value::String(value) => writeln!(text, "{key} {}", yaml::scalar(value)),
            other => writeln!(text, "{key} {other}"),
        };
        write(text, value, indent + 2);
    }
}
