//! Pulls from an emulator in this process, and the differences that they report.

use std::fmt::Write as _;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::config::retry::RetryConfig;
use aws_sdk_connectcases::config::{BehaviorVersion, Region};
use cases_emulator::{Emulator, ErrorAnswer, Fault, FaultKind};
use indicatif::ProgressBar;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::connection::retries;
use super::difference::{Difference, differences};
use super::only;
use super::reader::Reader;
use super::snapshot::Snapshot;
use super::usage::Usage;

const EXAMPLE: &str = include_str!("../../../../domain.json");
const MAPPING: &str = include_str!("../../../../mapping.yaml");

/// A reader of the emulator. It tries nothing twice, so that a throttled request fails.
fn reader(emulator: &Emulator) -> Reader {
    reader_with(RetryConfig::disabled(), emulator)
}

fn reader_with(retries: RetryConfig, emulator: &Emulator) -> Reader {
    let config = aws_sdk_connectcases::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::from_keys("key", "secret", None))
        .retry_config(retries)
        .http_client(emulator.http_client());
    let client = Client::from_conf(config.build());
    Reader::new(client, "in us-east-1".to_owned(), ProgressBar::hidden())
}

async fn pull(emulator: &Emulator) -> anyhow::Result<Snapshot> {
    super::pull(&reader(emulator), None, None).await
}

fn emulator(snapshot: &str) -> Emulator {
    Emulator::from_snapshot(snapshot).expect("a valid snapshot")
}

/// The shipped example, to change.
fn example() -> Value {
    serde_json::from_str(EXAMPLE).expect("JSON")
}

fn refused(status: u16, error_type: &str, message: &str) -> Fault {
    Fault::new(FaultKind::Status(ErrorAnswer {
        status,
        error_type: error_type.to_owned(),
        message: message.to_owned(),
        retry_after: None,
    }))
}

#[tokio::test(start_paused = true)]
async fn the_shipped_snapshot_comes_back_byte_for_byte() {
    let emulator = emulator(EXAMPLE);
    emulator.set_rate_limits(true);
    let pulled = pull(&emulator).await.expect("a domain");
    assert_eq!(pulled.text(), EXAMPLE);
}

#[tokio::test(start_paused = true)]
async fn the_order_of_the_answers_does_not_matter() {
    let mut shuffled = example();
    for list in ["templates", "fields", "rules"] {
        let items = shuffled.get_mut(list).and_then(|list| list.as_array_mut());
        items.expect("a list").reverse();
    }
    let pulled = pull(&emulator(&shuffled.to_string()))
        .await
        .expect("a domain");
    assert_eq!(pulled.text(), EXAMPLE);
}

#[tokio::test(start_paused = true)]
async fn members_that_the_sdk_does_not_know_are_kept() {
    let mut novel = example();
    novel["fields"][0]["attributes"]["text"]["isRich"] = json!(true);
    novel["templates"][0]["color"] = json!("blue");
    novel["rules"][0]["rule"] = json!({ "hidden": { "novel": [{ "b": 1.50, "a": {} }] } });
    let novel = Snapshot::parse(&novel.to_string()).expect("a snapshot");
    let pulled = pull(&emulator(&novel.text())).await.expect("a domain");
    assert_eq!(pulled.text(), novel.text());
}

#[tokio::test(start_paused = true)]
async fn a_domain_that_is_known_is_not_searched_for() {
    let emulator = emulator(EXAMPLE);
    let before = Snapshot::parse(EXAMPLE).expect("a snapshot");
    let reader = reader(&emulator);
    super::pull(&reader, None, Some(&before))
        .await
        .expect("the file's domain");
    let asked: Vec<String> = emulator
        .requests()
        .into_iter()
        .map(|request| request.operation)
        .collect();
    assert!(!asked.contains(&"ListDomains".to_owned()));

    let other = Some("another".to_owned());
    let refused = super::pull(&reader, other, Some(&before)).await;
    insta::assert_snapshot!(refused.expect_err("no such domain"));
}

#[test]
fn of_several_domains_one_must_be_named() {
    let several = [
        json!({ "domainId": "d-1", "name": "shop" }),
        json!({ "domainId": "d-2", "name": "shop-test" }),
    ];
    insta::assert_snapshot!(only(&several).expect_err("several"));
    assert_eq!(only(&several[..1]).expect("one"), "d-1");
    insta::assert_snapshot!(only(&[]).expect_err("none"));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_the_fix() {
    let mut said = String::new();
    let refusals = json!([
        [
            "ListFields",
            403,
            "AccessDeniedException",
            "User: arn:aws:iam::111122223333:user/ada is not authorized to perform: cases:ListFields"
        ],
        ["ListDomains", 403, "AccessDeniedException", "no"],
        [
            "GetDomain",
            403,
            "ExpiredTokenException",
            "The security token included in the request is expired"
        ],
        ["GetTemplate", 429, "ThrottlingException", "Rate exceeded"],
        ["BatchGetCaseRule", 500, "InternalServerException", "oops"],
        [
            "ListFieldOptions",
            404,
            "ResourceNotFoundException",
            "no field"
        ],
    ]);
    for refusal in refusals.as_array().expect("rows") {
        let word = |at: usize| refusal[at].as_str().expect("text");
        let status = refusal[1]
            .as_u64()
            .and_then(|status| status.try_into().ok());
        let fault = refused(status.expect("a status"), word(2), word(3));
        let emulator = emulator(EXAMPLE);
        emulator.inject(fault.on(word(0)));
        let error = pull(&emulator).await.expect_err("refused");
        let _ = writeln!(said, "{error:#}");
    }
    let emulator = emulator(EXAMPLE);
    emulator.inject(Fault::new(FaultKind::CloseBefore).on("ListTemplates"));
    let error = pull(&emulator).await.expect_err("closed");
    let _ = writeln!(said, "{error:#}");
    insta::assert_snapshot!(said);
}

/// The most that a domain holds, by the Connect administrator guide: 500 fields, 500 options a field, 100 templates.
fn large() -> Value {
    let arn = "arn:aws:cases:us-east-1:111122223333:domain/large";
    let options: Vec<Value> = (0..500)
        .map(|n| json!({ "name": format!("Option {n}"), "value": format!("option_{n:03}"), "active": n % 7 != 0 }))
        .collect();
    let field = |n: usize| {
        let id = format!("field-{n:03}");
        let mut field = json!({
            "fieldId": id, "name": format!("Field {n}"), "fieldArn": format!("{arn}/field/{id}"),
            "type": if n < 20 { "SingleSelect" } else { "Number" }, "namespace": "Custom",
        });
        if n < 20 {
            field["options"] = json!(options);
        }
        field
    };
    let title = json!({
        "fieldId": "title", "name": "Title", "fieldArn": format!("{arn}/field/title"), "type": "Text", "namespace": "System",
    });
    let template = |n: usize| {
        let id = format!("template-{n:03}");
        json!({
            "templateId": id, "templateArn": format!("{arn}/template/{id}"), "name": format!("Template {n}"),
            "requiredFields": [{ "fieldId": format!("field-{n:03}") }], "status": "Active",
        })
    };
    json!({
        "domain": { "domainId": "large", "domainArn": arn, "name": "large", "domainStatus": "Active" },
        "templates": (0..100).map(template).collect::<Vec<_>>(),
        "fields": (0..499).map(field).chain([title]).collect::<Vec<_>>(),
        "rules": [],
    })
}

fn throttled(emulator: &Emulator) -> usize {
    let requests = emulator.requests().into_iter();
    requests.filter(|request| request.status == 429).count()
}

#[tokio::test(start_paused = true)]
async fn a_large_domain_is_read_whole_at_the_published_quotas() {
    let large = large();
    let emulator = emulator(&large.to_string());
    emulator.set_rate_limits(true);
    let start = Instant::now();
    let reader = reader_with(retries(None), &emulator);
    let pulled = super::pull(&reader, None, None).await.expect("a domain");
    let took = start.elapsed();
    let throttled = throttled(&emulator);
    assert!(throttled > 0, "the quotas are too small for this domain");
    assert_eq!(pulled.text(), format!("{large:#}\n"));
    assert_eq!(
        emulator.requests().len() - throttled,
        1 + 1 + 1 + 100 + 5 + 10 + 20 * 5 + 1
    );
    assert!(took < Duration::from_mins(2), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_throttled_all_the_same_is_sent_again() {
    let emulator = emulator(EXAMPLE);
    let throttling = refused(429, "ThrottlingException", "Rate exceeded");
    emulator.inject(throttling.on("BatchGetField"));
    let reader = reader_with(retries(None), &emulator);
    let pulled = super::pull(&reader, None, None).await;
    assert_eq!(pulled.expect("a domain").text(), EXAMPLE);
    assert_eq!(throttled(&emulator), 1);
}

/// The example with each value put at its path.
fn example_with(changes: &Value) -> Value {
    let mut domain = example();
    for (path, value) in changes.as_object().expect("changes") {
        change(&mut domain, &path.split('/').collect::<Vec<_>>(), value);
    }
    domain
}

/// Puts a value at a path: null removes what is there, `+` adds to a list. Items of a list go by name, id or number.
fn change(within: &mut Value, path: &[&str], value: &Value) {
    let [step, rest @ ..] = path else {
        *within = value.clone();
        return;
    };
    let is_removed = rest.is_empty() && value.is_null();
    match within {
        Value::Array(items) if step.starts_with('+') => items.push(value.clone()),
        Value::Array(items) => {
            let named = |item: &Value| item["name"] == *step || item["fieldId"] == *step;
            let at = items.iter().position(named).or_else(|| step.parse().ok());
            let at = at.unwrap_or_else(|| panic!("{step}"));
            if is_removed {
                items.remove(at);
            } else {
                change(&mut items[at], rest, value);
            }
        }
        _ if is_removed => panic!("{step} is not an item of a list"),
        object => change(&mut object[*step], rest, value),
    }
}

/// The sentences for the shipped mapping after a change of the domain.
fn sentences(changes: &Value) -> Vec<String> {
    let found = differences_to(&example_with(changes));
    let sentence = |found: &Difference| found.json()["message"].as_str().map(str::to_owned);
    found.iter().filter_map(sentence).collect()
}

fn differences_to(changed: &Value) -> Vec<Difference> {
    let usage = Usage::of("mapping.yaml", MAPPING, EXAMPLE).expect("a valid mapping");
    let new = Snapshot::parse(&changed.to_string()).expect("a snapshot");
    differences(&Snapshot::parse(EXAMPLE).expect("a snapshot"), &new, &usage)
}

#[test]
fn every_kind_of_change_has_its_sentence() {
    let rows = json!([
        ["option lost, in a constant", { "fields/Priority/options/High": null }],
        ["option lost, in a table", { "fields/Channel/options/E-mail": null }],
        ["option lost, in a default", { "fields/Failure reason/options/Other": null }],
        ["option lost, unused", { "fields/Priority/options/Urgent": null }],
        ["option inactive", { "fields/Priority/options/Normal/active": false }],
        ["option active", { "fields/Priority/options/Urgent/active": true }],
        ["option renamed", { "fields/Priority/options/Low/name": "Lowest" }],
        ["option with another value", { "fields/Priority/options/Low/value": "low_2" }],
        ["option new", {
            "fields/Priority/options/+": { "name": "Now", "value": "now", "active": true },
            "fields/Priority/options/++": { "name": "Never", "value": "never", "active": false },
        }],
        ["options left out", { "fields/Priority/options": [] }],
        ["field gone", { "fields/Items": null }],
        ["field new", { "fields/+": { "fieldId": "new", "name": "Warehouse", "type": "Text" } }],
        ["field renamed", { "fields/Order total/name": "Total" }],
        ["field of another type", { "fields/Order total/type": "Text" }],
        ["field with several lines", { "fields/Bank note/attributes/text/isMultiline": true }],
        ["field with one line", { "fields/Items/attributes/text/isMultiline": false }],
        ["field otherwise changed", {
            "fields/Bank note/description": "Another",
            "fields/Bank note/tags": { "a": "b" },
            "fields/Bank note/novel": 1,
        }],
        ["template gone", { "templates/Order problem": null }],
        ["template new", { "templates/+": { "templateId": "new", "name": "Return", "status": "Active" } }],
        ["template renamed", { "templates/Order problem/name": "Order trouble" }],
        ["template inactive", { "templates/Order problem/status": "Inactive" }],
        ["template active", { "templates/Complaint (2025)/status": "Active" }],
        ["field required, and not set by one", {
            "templates/Order problem/requiredFields/+": { "fieldId": "78b7d0ac-8477-4ce0-8e4c-da11b43c589b" },
        }],
        ["field required, and set by all", {
            "templates/Order problem/requiredFields/+": { "fieldId": "6301bbfc-a0c5-454e-8ff9-bb510944fe0c" },
        }],
        ["field no longer required", {
            "templates/Order problem/requiredFields/9dfb369b-ab13-4fae-a276-55daa05f1119": null,
        }],
        ["template otherwise changed", {
            "templates/Order problem/layoutConfiguration/defaultLayout": "another",
            "templates/Order problem/rules": [],
        }],
        ["rule gone", { "rules/Resolution while open": null }],
        ["rule new", { "rules/+": { "caseRuleId": "new", "name": "Another", "rule": {} } }],
        ["rule renamed and changed", {
            "rules/0/name": "Bank note",
            "rules/0/rule/required/defaultValue": true,
            "rules/0/description": "Another",
        }],
        ["domain renamed and changed", { "domain/name": "shop", "domain/tags/environment": "test" }],
        ["another domain", { "domain/domainId": "another" }],
    ]);
    let mut lines = String::new();
    for row in rows.as_array().expect("rows") {
        let _ = writeln!(lines, "# {}", row[0].as_str().expect("a title"));
        for sentence in sentences(&row[1]) {
            let _ = writeln!(lines, "{sentence}");
        }
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn changes_that_touch_the_mapping_come_first() {
    let sentences = sentences(&json!({ "domain/name": "shop", "fields/Priority/options": [] }));
    let used = |sentence: &String| sentence.contains("case mapping");
    let first_unused = sentences.iter().position(|sentence| !used(sentence));
    let last_used = sentences.iter().rposition(used);
    assert!(last_used < first_unused, "{sentences:#?}");
}

#[test]
fn as_json_a_difference_has_code_and_ids() {
    let changed = example_with(&json!({ "fields/Priority/options/High/active": false }));
    insta::assert_snapshot!(format!("{:#}", differences_to(&changed)[0].json()));
}

#[test]
fn a_mapping_with_errors_has_no_known_use() {
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
    /// Snapshots that are not equal have differences, and equal ones have none.
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
