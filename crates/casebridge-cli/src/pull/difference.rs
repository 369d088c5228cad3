//! Compares two snapshots of a domain: each change is a sentence, with the case mappings that it touches. Equal snapshots
//! have no difference, and others at least one.

use serde_json::{Map, Value, json};

use super::snapshot::{Snapshot, text};
use super::usage::Usage;

/// One change of the domain.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    /// The kind of change: `option-lost`.
    code: String,
    /// A sentence about the change, with names.
    message: String,
    /// The consequence for the mapping; empty when there is none.
    consequence: String,
    /// The case mappings that are touched.
    case_mappings: Vec<String>,
    /// Ids of what changed, by the API's member names.
    ids: Vec<(&'static str, String)>,
}

impl Difference {
    fn new(code: impl Into<String>, message: String) -> Self {
        Self {
            code: code.into(),
            message,
            consequence: String::new(),
            case_mappings: Vec::new(),
            ids: Vec::new(),
        }
    }

    fn id(mut self, member: &'static str, id: &str) -> Self {
        self.ids.push((member, id.to_owned()));
        self
    }

    /// The case mappings that use what changed.
    fn used_by(self, case_mappings: Vec<String>) -> Self {
        let names = names(&case_mappings);
        self.touching(case_mappings, format!(", used by {names}"))
    }

    fn touching(self, case_mappings: Vec<String>, consequence: String) -> Self {
        if case_mappings.is_empty() {
            return self;
        }
        Self {
            consequence,
            case_mappings,
            ..self
        }
    }

    /// The sentence, and the consequence for the mapping.
    pub(super) fn sentence(&self) -> (&str, &str) {
        (&self.message, &self.consequence)
    }

    /// The difference as JSON: code, message, case mappings, ids.
    pub(super) fn json(&self) -> Value {
        let mut members = Map::new();
        members.insert("code".to_owned(), self.code.clone().into());
        let message = format!("{}{}", self.message, self.consequence);
        members.insert("message".to_owned(), message.into());
        members.insert("caseMappings".to_owned(), self.case_mappings.clone().into());
        for (member, id) in &self.ids {
            members.insert((*member).to_owned(), id.clone().into());
        }
        Value::Object(members)
    }
}

/// Returns the changes from the old snapshot to the new one; those that touch the mapping come first.
pub(super) fn differences(old: &Snapshot, new: &Snapshot, usage: &Usage) -> Vec<Difference> {
    if old.domain_id() != new.domain_id() {
        let (old_name, new_name) = (old.domain_name(), new.domain_name());
        let (old_id, new_id) = (old.domain_id(), new.domain_id());
        let message = format!(
            "the file is of domain {old_name} ({old_id}), and Cases was asked for domain {new_name} ({new_id})"
        );
        return vec![Difference::new("other-domain", message).id("domainId", new_id)];
    }
    let mut list = with_id(
        changed(
            &format!("domain {}", old.domain_name()),
            old.domain(),
            new.domain(),
            Default::default(),
        ),
        "domainId",
        new.domain_id(),
    );
    list.extend(fields(old, new, usage));
    list.extend(templates(old, new, usage));
    list.extend(rules(old, new));
    if list.is_empty() && old != new {
        let message = "the file has the same id twice, and the domain has not".to_owned();
        list.push(Difference::new("duplicate-id", message));
    }
    list.sort_by_key(|difference| difference.case_mappings.is_empty());
    list
}

fn with_id(list: Vec<Difference>, member: &'static str, id: &str) -> Vec<Difference> {
    list.into_iter().map(|found| found.id(member, id)).collect()
}

fn rules(old: &Snapshot, new: &Snapshot) -> Vec<Difference> {
    let pairs = pairs(old.list("rules"), new.list("rules"), "caseRuleId").into_iter();
    let found = pairs.flat_map(|pair| {
        let found = pair.differences("rule", |old, new| {
            let is_changed = old.get("rule") != new.get("rule");
            let message = format!("rule {} changed", text(old, "name"));
            let rule = is_changed.then(|| Difference::new("rule-changed", message));
            (rule.into_iter().collect(), vec!["rule"])
        });
        with_id(found, "caseRuleId", text(pair.either(), "caseRuleId"))
    });
    found.collect()
}

fn fields(old: &Snapshot, new: &Snapshot, usage: &Usage) -> Vec<Difference> {
    let mut list = Vec::new();
    for pair in pairs(old.list("fields"), new.list("fields"), "fieldId") {
        let id = text(pair.either(), "fieldId");
        let found = pair.differences("field", field_changes).into_iter();
        let used = found.map(|found| found.used_by(usage.of_field(id)));
        list.extend(with_id(used.collect(), "fieldId", id));
        if let Pair::Both(old, new) = pair {
            list.extend(options(old, new, id, usage));
        }
    }
    list
}

/// Returns the changes that have sentences of their own, and the members that they are about.
fn field_changes(old: &Value, new: &Value) -> (Vec<Difference>, Vec<&'static str>) {
    let who = format!("field {}", text(old, "name"));
    let mut list = Vec::new();
    let (old_type, new_type) = (text(old, "type"), text(new, "type"));
    if old_type != new_type {
        let message = format!("{who} changed its type from {old_type} to {new_type}");
        list.push(Difference::new("field-type", message));
    }
    let mut covered = vec!["type", "options"];
    if let (Some(old), Some(new)) = (multiline(old), multiline(new))
        && old != new
    {
        covered.push("attributes");
        let length = if new {
            "multi-line text now"
        } else {
            "single-line text now, of 500 characters at most"
        };
        list.push(Difference::new("field-lines", format!("{who} is {length}")));
    }
    let listed = |field: &Value| field.get("options").is_some();
    if listed(old) != listed(new) && options_of(old).is_empty() && options_of(new).is_empty() {
        covered.retain(|member| *member != "options");
    }
    (list, covered)
}

/// Returns whether a text field takes several lines, if its attributes say nothing else.
fn multiline(field: &Value) -> Option<bool> {
    let attributes = field.get("attributes")?;
    [true, false]
        .into_iter()
        .find(|lines| *attributes == json!({ "text": { "isMultiline": lines } }))
}

fn options(old: &Value, new: &Value, field: &str, usage: &Usage) -> Vec<Difference> {
    let name = text(old, "name");
    let (old, new) = (options_of(old), options_of(new));
    let mut list = Vec::new();
    for pair in pairs(old, new, "value") {
        let found = match pair {
            Pair::Gone(option) => {
                let message = format!("field {name} lost option {}", label(option, new));
                vec![Difference::new("option-lost", message)]
            }
            Pair::New(option) => {
                let inactive = option.get("active") == Some(&Value::Bool(false));
                let state = if inactive { "inactive " } else { "" };
                let label = label(option, old);
                let message = format!("field {name} has the new {state}option {label}");
                vec![Difference::new("option-new", message)]
            }
            Pair::Both(old, new) => {
                let who = format!("option {} of field {name}", text(old, "name"));
                let state = state(&who, "active", old, new, &json!(false));
                changed(&who, old, new, (state, vec!["active"]))
            }
        };
        let value = text(pair.either(), "value");
        let used = |found: Difference| found.used_by(usage.of_option(field, value));
        let found = found.into_iter().map(used);
        list.extend(found.map(|found| found.id("fieldId", field).id("value", value)));
    }
    list
}

fn options_of(field: &Value) -> &[Value] {
    let options = field.get("options").and_then(Value::as_array);
    options.map_or(&[], Vec::as_slice)
}

/// The option's name, and its value where the other list has another option of the same name.
fn label(option: &Value, others: &[Value]) -> String {
    let name = text(option, "name");
    if others.iter().any(|other| text(other, "name") == name) {
        format!("{name} (value {})", text(option, "value"))
    } else {
        name.to_owned()
    }
}

fn templates(old: &Snapshot, new: &Snapshot, usage: &Usage) -> Vec<Difference> {
    let mut list = Vec::new();
    for pair in pairs(old.list("templates"), new.list("templates"), "templateId") {
        let id = text(pair.either(), "templateId");
        let found = pair.differences("template", |old, new| {
            let who = format!("template {}", text(old, "name"));
            let state = state(&who, "status", old, new, &json!("Inactive"));
            let mut covered = vec!["status"];
            if required(old) != required(new) {
                covered.push("requiredFields");
            }
            (state, covered)
        });
        let used = |found: Difference| found.used_by(usage.of_template(id));
        let mut found: Vec<Difference> = found.into_iter().map(used).collect();
        if let Pair::Both(old_template, new_template) = pair {
            let name = |field: &str| name(new, field).or_else(|| name(old, field));
            let fields = (required(old_template), required(new_template));
            found.extend(required_fields(new_template, fields, name, usage));
        }
        list.extend(with_id(found, "templateId", id));
    }
    list
}

/// Ids of the fields that a case of the template must have.
fn required(template: &Value) -> Vec<&str> {
    let fields = template.get("requiredFields").and_then(Value::as_array);
    let fields = fields.into_iter().flatten();
    fields.map(|field| text(field, "fieldId")).collect()
}

fn required_fields<'a>(
    template: &Value,
    (old, new): (Vec<&'a str>, Vec<&'a str>),
    name: impl Fn(&str) -> Option<&'a str>,
    usage: &Usage,
) -> Vec<Difference> {
    let (id, who) = (text(template, "templateId"), text(template, "name"));
    let added = new
        .iter()
        .filter(|field| !old.contains(field))
        .map(|field| {
            let message = format!(
                "template {who} requires field {} now",
                name(field).unwrap_or(field)
            );
            let without = usage.without(id, field);
            let verb = if without.len() == 1 { "does" } else { "do" };
            let consequence = format!(", which {} {verb} not set", names(&without));
            let difference = Difference::new("field-required", message);
            difference
                .touching(without, consequence)
                .id("fieldId", field)
        });
    let removed = old
        .iter()
        .filter(|field| !new.contains(field))
        .map(|field| {
            let name = name(field).unwrap_or(field);
            let message = format!("template {who} no longer requires field {name}");
            Difference::new("field-not-required", message).id("fieldId", field)
        });
    added.chain(removed).collect()
}

/// The name of a field of the snapshot.
fn name<'a>(snapshot: &'a Snapshot, field: &str) -> Option<&'a str> {
    let fields = snapshot.list("fields").iter();
    let mut fields = fields.filter(|known| text(known, "fieldId") == field);
    fields.next().map(|known| text(known, "name"))
}

/// A thing that is in both lists, by its id, or in one of them only.
#[derive(Clone, Copy)]
enum Pair<'a> {
    Gone(&'a Value),
    Both(&'a Value, &'a Value),
    New(&'a Value),
}

impl<'a> Pair<'a> {
    fn either(self) -> &'a Value {
        match self {
            Self::Gone(value) | Self::Both(_, value) | Self::New(value) => value,
        }
    }

    /// The differences of a field, template or rule; `own` is as for [`changed`].
    fn differences<'o>(
        self,
        kind: &str,
        own: impl FnOnce(&Value, &Value) -> (Vec<Difference>, Vec<&'o str>),
    ) -> Vec<Difference> {
        let who = |thing| format!("{kind} {}", text(thing, "name"));
        let (code, message) = match self {
            Self::Both(old, new) => return changed(&who(old), old, new, own(old, new)),
            Self::New(thing) => ("new", format!("{} is new", who(thing))),
            Self::Gone(thing) => ("gone", format!("{} is gone", who(thing))),
        };
        vec![Difference::new(format!("{kind}-{code}"), message)]
    }
}

/// The things of both lists by their id: those of the old one in its order, then the new ones.
fn pairs<'a>(old: &'a [Value], new: &'a [Value], id: &str) -> Vec<Pair<'a>> {
    let find = |list: &'a [Value], wanted: &Value| {
        let wanted = text(wanted, id);
        list.iter().find(|thing| text(thing, id) == wanted)
    };
    let olds = old.iter().map(|old| match find(new, old) {
        Some(new) => Pair::Both(old, new),
        None => Pair::Gone(old),
    });
    let news = new.iter().filter(|new| find(old, new).is_none());
    olds.chain(news.map(Pair::New)).collect()
}

/// Returns whether a template or an option became active or inactive.
fn state(who: &str, member: &str, old: &Value, new: &Value, inactive: &Value) -> Vec<Difference> {
    let kind = who.split(' ').next().unwrap_or_default();
    if old.get(member) == new.get(member) {
        return Vec::new();
    }
    let is_inactive = new.get(member) == Some(inactive);
    let state = if is_inactive { "inactive" } else { "active" };
    let message = format!("{who} is {state} now");
    vec![Difference::new(format!("{kind}-{state}"), message)]
}

/// Returns all changes of a thing: its name, `own` (changes with sentences of their own, and the members that they
/// cover), and one difference for all other members.
fn changed(
    who: &str,
    old: &Value,
    new: &Value,
    (own, covered): (Vec<Difference>, Vec<&str>),
) -> Vec<Difference> {
    let kind = who.split(' ').next().unwrap_or_default();
    let mut list = Vec::new();
    if text(old, "name") != text(new, "name") {
        let message = format!("{who} was renamed to {}", text(new, "name"));
        list.push(Difference::new(format!("{kind}-renamed"), message));
    }
    list.extend(own);
    let members = |value: &'_ Value| -> Vec<String> {
        let members = value.as_object().into_iter().flat_map(Map::keys);
        members.cloned().collect()
    };
    let mut names = members(old);
    names.extend(
        members(new)
            .into_iter()
            .filter(|name| old.get(name).is_none()),
    );
    names.retain(|name| {
        name != "name" && !covered.contains(&name.as_str()) && old.get(name) != new.get(name)
    });
    if !names.is_empty() {
        let names: Vec<String> = names
            .iter()
            .map(|name| format!("its {}", word(name)))
            .collect();
        let message = format!("{who} changed {}", series(&names));
        list.push(Difference::new(format!("{kind}-changed"), message));
    }
    list
}

/// The word for a member in a sentence; a member without a word goes by its name.
fn word(member: &str) -> String {
    let word = match member {
        "attributes" | "description" | "namespace" | "rules" | "tags" => member,
        "domainStatus" => "status",
        "layoutConfiguration" => "layout",
        "tagPropagationConfigurations" => "tags for cases",
        "domainArn" | "templateArn" | "fieldArn" | "caseRuleArn" => "ARN",
        member => return format!("`{member}`"),
    };
    word.to_owned()
}

/// "case mapping a", "case mappings a, b and c".
fn names(case_mappings: &[String]) -> String {
    let plural = if case_mappings.len() == 1 { "" } else { "s" };
    format!("case mapping{plural} {}", series(case_mappings))
}

fn series(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
