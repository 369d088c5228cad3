//! What is told of a domain that is not what the file says.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::difference::differences;
use super::super::snapshot::Snapshot;
use super::super::usage::Usage;
use super::{EXAMPLE, MAPPING, example};

/// The sentences for the shipped mapping, were the domain changed like this.
fn told(change: impl Fn(&mut Value)) -> Vec<String> {
    let mut changed = example();
    change(&mut changed);
    let usage = Usage::of("mapping.yaml", MAPPING, EXAMPLE).expect("a sound mapping");
    let new = Snapshot::parse(&changed.to_string()).expect("a snapshot");
    let old = Snapshot::parse(EXAMPLE).expect("a snapshot");
    let found = differences(&old, &new, &usage);
    found
        .iter()
        .map(|difference| {
            difference.json()["message"]
                .as_str()
                .expect("text")
                .to_owned()
        })
        .collect()
}

/// The field of that name.
fn field<'a>(domain: &'a mut Value, name: &str) -> &'a mut Value {
    named(domain, "fields", name)
}

fn template<'a>(domain: &'a mut Value, name: &str) -> &'a mut Value {
    named(domain, "templates", name)
}

fn named<'a>(domain: &'a mut Value, list: &str, name: &str) -> &'a mut Value {
    let things = domain[list].as_array_mut().expect("a list");
    things
        .iter_mut()
        .find(|thing| thing["name"] == name)
        .expect(name)
}

fn option<'a>(domain: &'a mut Value, of: &str, name: &str) -> &'a mut Value {
    named(field(domain, of), "options", name)
}

fn without(domain: &mut Value, list: &str, name: &str) {
    domain[list]
        .as_array_mut()
        .expect("a list")
        .retain(|thing| thing["name"] != name);
}

fn id(domain: &mut Value, name: &str) -> Value {
    field(domain, name)["fieldId"].clone()
}

type Change = fn(&mut Value);

/// Every kind of change, and what it is about.
const CHANGES: &[(&str, Change)] = &[
    ("option lost, in a constant", |d| {
        without(field(d, "Priority"), "options", "High");
    }),
    ("option lost, in a table", |d| {
        without(field(d, "Channel"), "options", "E-mail");
    }),
    ("option lost, in a default", |d| {
        without(field(d, "Failure reason"), "options", "Other");
    }),
    ("option lost, unused", |d| {
        without(field(d, "Priority"), "options", "Urgent");
    }),
    ("option inactive", |d| {
        option(d, "Priority", "Normal")["active"] = json!(false);
    }),
    ("option active", |d| {
        option(d, "Priority", "Urgent")["active"] = json!(true);
    }),
    ("option renamed", |d| {
        option(d, "Priority", "Low")["name"] = json!("Lowest");
    }),
    ("option with another value", |d| {
        option(d, "Priority", "Low")["value"] = json!("low_2");
    }),
    ("option new", |d| {
        let options = field(d, "Priority")["options"]
            .as_array_mut()
            .expect("a list");
        options.push(json!({ "name": "Now", "value": "now", "active": true }));
        options.push(json!({ "name": "Never", "value": "never", "active": false }));
    }),
    ("options left out", |d| {
        field(d, "Priority")["options"] = json!([]);
    }),
    ("field gone", |d| without(d, "fields", "Items")),
    ("field new", |d| {
        let mut new = field(d, "Items").clone();
        new["fieldId"] = json!("new");
        new["name"] = json!("Warehouse");
        d["fields"].as_array_mut().expect("a list").push(new);
    }),
    ("field renamed", |d| {
        field(d, "Order total")["name"] = json!("Total");
    }),
    ("field of another type", |d| {
        field(d, "Order total")["type"] = json!("Text");
    }),
    ("field with several lines", |d| {
        field(d, "Bank note")["attributes"]["text"]["isMultiline"] = json!(true);
    }),
    ("field with one line", |d| {
        field(d, "Items")["attributes"]["text"]["isMultiline"] = json!(false);
    }),
    ("field otherwise changed", |d| {
        let field = field(d, "Bank note");
        field["description"] = json!("Another");
        field["tags"] = json!({ "a": "b" });
        field["novel"] = json!(1);
    }),
    ("template gone", |d| {
        without(d, "templates", "Order problem");
    }),
    ("template new", |d| {
        let mut new = template(d, "Order problem").clone();
        new["templateId"] = json!("new");
        new["name"] = json!("Return");
        d["templates"].as_array_mut().expect("a list").push(new);
    }),
    ("template renamed", |d| {
        template(d, "Order problem")["name"] = json!("Order trouble");
    }),
    ("template inactive", |d| {
        template(d, "Order problem")["status"] = json!("Inactive");
    }),
    ("template active", |d| {
        template(d, "Complaint (2025)")["status"] = json!("Active");
    }),
    ("field required, and not set by one", |d| {
        let owner = id(d, "Owner");
        let required = template(d, "Order problem")["requiredFields"].as_array_mut();
        required.expect("a list").push(json!({ "fieldId": owner }));
    }),
    ("field required, and set by all", |d| {
        let total = id(d, "Order total");
        let required = template(d, "Order problem")["requiredFields"].as_array_mut();
        required.expect("a list").push(json!({ "fieldId": total }));
    }),
    ("field no longer required", |d| {
        let number = id(d, "Order number");
        let required = template(d, "Order problem")["requiredFields"].as_array_mut();
        required
            .expect("a list")
            .retain(|field| field["fieldId"] != number);
    }),
    ("template otherwise changed", |d| {
        let template = template(d, "Order problem");
        template["layoutConfiguration"]["defaultLayout"] = json!("another");
        template["rules"] = json!([]);
    }),
    ("rule gone", |d| {
        without(d, "rules", "Resolution while open");
    }),
    ("rule new", |d| {
        let mut new = d["rules"][0].clone();
        new["caseRuleId"] = json!("new");
        new["name"] = json!("Another");
        d["rules"].as_array_mut().expect("a list").push(new);
    }),
    ("rule renamed and changed", |d| {
        d["rules"][0]["name"] = json!("Bank note");
        d["rules"][0]["rule"]["required"]["defaultValue"] = json!(true);
        d["rules"][0]["description"] = json!("Another");
    }),
    ("domain renamed and changed", |d| {
        d["domain"]["name"] = json!("shop");
        d["domain"]["tags"]["environment"] = json!("test");
    }),
    ("another domain", |d| {
        d["domain"]["domainId"] = json!("another");
    }),
];

#[test]
fn every_kind_of_change_has_its_sentence() {
    let mut lines = String::new();
    for (what, change) in CHANGES {
        let _ = writeln!(lines, "# {what}");
        for sentence in told(change) {
            let _ = writeln!(lines, "{sentence}");
        }
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn what_touches_the_mapping_stands_first() {
    let sentences = told(|domain| {
        domain["domain"]["name"] = json!("shop");
        field(domain, "Priority")["options"] = json!([]);
    });
    let used = |sentence: &String| sentence.contains("case mapping");
    let first_unused = sentences.iter().position(|sentence| !used(sentence));
    let last_used = sentences.iter().rposition(used);
    assert!(last_used < first_unused, "{sentences:#?}");
}

#[test]
fn as_data_a_difference_has_code_and_ids() {
    let old = Snapshot::parse(EXAMPLE).expect("a snapshot");
    let mut changed = example();
    option(&mut changed, "Priority", "High")["active"] = json!(false);
    let new = Snapshot::parse(&changed.to_string()).expect("a snapshot");
    let usage = Usage::of("mapping.yaml", MAPPING, EXAMPLE).expect("a sound mapping");
    let found = differences(&old, &new, &usage);
    insta::assert_snapshot!(format!("{:#}", found[0].json()));
}

#[test]
fn a_mapping_with_faults_tells_nothing_of_its_use() {
    assert!(Usage::of("mapping.yaml", "version: 1\ncases: 3", EXAMPLE).is_none());
    assert!(Usage::of("mapping.yaml", MAPPING, "{}").is_none());
}

/// A place somewhere in the example, and what to do there.
fn anywhere() -> impl Strategy<Value = (Vec<usize>, u8)> {
    (
        prop::collection::vec(
            any::<prop::sample::Index>().prop_map(|index| index.index(1 << 16)),
            1..7,
        ),
        0..3u8,
    )
}

/// Goes down as far as the steps lead, and changes what is there.
fn disturb(value: &mut Value, steps: &[usize], how: u8) {
    let Some((step, rest)) = steps.split_first() else {
        *value = json!("disturbed");
        return;
    };
    match value {
        Value::Object(members) if !members.is_empty() => {
            let name = members
                .keys()
                .nth(step % members.len())
                .expect("a member")
                .clone();
            if rest.is_empty() && how == 1 {
                members.remove(&name);
            } else {
                disturb(&mut members[&name], rest, how);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let place = step % items.len();
            match how {
                1 if rest.is_empty() => drop(items.remove(place)),
                2 if rest.is_empty() => items.push(items[place].clone()),
                _ => disturb(&mut items[place], rest, how),
            }
        }
        scalar => *scalar = json!("disturbed"),
    }
}

proptest! {
    /// Whatever is not the same is told of, and what is the same is not.
    #[test]
    fn snapshots_differ_if_there_are_differences((steps, how) in anywhere()) {
        let mut changed = example();
        disturb(&mut changed, &steps, how);
        let old = Snapshot::parse(EXAMPLE).expect("a snapshot");
        let Ok(new) = Snapshot::parse(&changed.to_string()) else {
            return Ok(());
        };
        let found = differences(&old, &new, &Usage::default());
        prop_assert_eq!(found.is_empty(), old == new, "{:?}", found);
        prop_assert_eq!(differences(&new, &old, &Usage::default()).is_empty(), old == new);
        let again = Snapshot::parse(&new.text()).expect("what was written is read");
        prop_assert_eq!(again, new);
    }
}
