//! Two snapshots of a domain into what changed between them, a sentence each, with the case mappings that it touches.
//! Equal snapshots have no difference, and others at least one.

mod field;
mod template;

use serde_json::{Map, Value};

use super::snapshot::{Snapshot, text};
use super::usage::Usage;

/// One change of the domain.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    /// What kind of change: `option-lost`.
    code: String,
    /// What changed: a sentence with names.
    message: String,
    /// How the mapping is touched; empty when it is not.
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

    /// The sentence, and behind it how the mapping is touched.
    pub(super) fn sentence(&self) -> (&str, &str) {
        (&self.message, &self.consequence)
    }

    /// The same as data: code, message, case mappings, ids.
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

/// What changed from the old snapshot to the new one; what touches the mapping stands first.
pub(super) fn differences(old: &Snapshot, new: &Snapshot, usage: &Usage) -> Vec<Difference> {
    if old.domain_id() != new.domain_id() {
        let (old_name, new_name) = (old.domain_name(), new.domain_name());
        let (old_id, new_id) = (old.domain_id(), new.domain_id());
        let message = format!(
            "the file is of domain {old_name} ({old_id}), and Cases was asked for domain {new_name} ({new_id})"
        );
        return vec![Difference::new("other-domain", message).id("domainId", new_id)];
    }
    let mut list = domain(old, new);
    list.extend(field::differences(old, new, usage));
    list.extend(template::differences(old, new, usage));
    list.extend(rules(old, new));
    if list.is_empty() && old != new {
        let message = "the file has the same id twice, and the domain has not".to_owned();
        list.push(Difference::new("duplicate-id", message));
    }
    list.sort_by_key(|difference| difference.case_mappings.is_empty());
    list
}

fn domain(old: &Snapshot, new: &Snapshot) -> Vec<Difference> {
    let who = format!("domain {}", old.domain_name());
    let mut list = renamed("domain", old.domain(), new.domain());
    list.extend(changed(
        "domain",
        &who,
        old.domain(),
        new.domain(),
        &["name"],
    ));
    let id = |difference: Difference| difference.id("domainId", new.domain_id());
    list.into_iter().map(id).collect()
}

fn rules(old: &Snapshot, new: &Snapshot) -> Vec<Difference> {
    let mut list = Vec::new();
    for pair in pairs(old.list("rules"), new.list("rules"), "caseRuleId") {
        let found = match pair {
            Pair::New(rule) => vec![is_new("rule", rule)],
            Pair::Gone(rule) => vec![is_gone("rule", rule)],
            Pair::Both(old, new) => {
                let who = format!("rule {}", text(old, "name"));
                let mut found = renamed("rule", old, new);
                if old.get("rule") != new.get("rule") {
                    found.push(Difference::new("rule-changed", format!("{who} changed")));
                }
                found.extend(changed("rule", &who, old, new, &["name", "rule"]));
                found
            }
        };
        let id = text(pair.either(), "caseRuleId");
        list.extend(found.into_iter().map(|found| found.id("caseRuleId", id)));
    }
    list
}

/// What has the same id in both lists, or is in one of them only.
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

fn is_new(what: &str, thing: &Value) -> Difference {
    let message = format!("{what} {} is new", text(thing, "name"));
    Difference::new(format!("{what}-new"), message)
}

fn is_gone(what: &str, thing: &Value) -> Difference {
    let message = format!("{what} {} is gone", text(thing, "name"));
    Difference::new(format!("{what}-gone"), message)
}

fn renamed(what: &str, old: &Value, new: &Value) -> Vec<Difference> {
    let (old, new) = (text(old, "name"), text(new, "name"));
    if old == new {
        return Vec::new();
    }
    let message = format!("{what} {old} was renamed to {new}");
    vec![Difference::new(format!("{what}-renamed"), message)]
}

/// One difference for all members that are not the same, but for those told of elsewhere.
fn changed(what: &str, who: &str, old: &Value, new: &Value, told: &[&str]) -> Option<Difference> {
    let members = |value: &Value| {
        let members = value.as_object().into_iter().flat_map(Map::keys);
        members.cloned().collect::<Vec<String>>()
    };
    let mut names = members(old);
    names.extend(
        members(new)
            .into_iter()
            .filter(|name| old.get(name).is_none()),
    );
    names.retain(|name| !told.contains(&name.as_str()) && old.get(name) != new.get(name));
    if names.is_empty() {
        return None;
    }
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("its {}", word(name)))
        .collect();
    let message = format!("{who} changed {}", series(&names));
    Some(Difference::new(format!("{what}-changed"), message))
}

/// What people call a member; one that they have no word for goes by its name.
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
