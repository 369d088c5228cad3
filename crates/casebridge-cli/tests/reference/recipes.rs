//! The recipes of `docs/mapping-reference.md`, run as they stand there.
//!
//! A recipe is a heading, a mapping (`yaml`), and one or more events (`json`), each with its outcome: the `expect` of a test
//! (`yaml`). The event of a contact flow is the contact with its `Parameters`, as `$`. A comment `the same case` or `another case`
//! in the outcome compares the key with the key of the event before.

use std::fs;
use std::process::Command;

use casebridge::event::Payload;
use casebridge::request::CaseRequest;
use serde_json::{Value, json};

use super::{context, load, read, root};

/// A heading with its code blocks, each with its language.
struct Recipe {
    title: String,
    blocks: Vec<(String, String)>,
}

#[test]
fn every_recipe_does_what_it_says() {
    let recipes = recipes(&read("docs/mapping-reference.md"));
    assert!(recipes.len() >= 10, "{} recipes", recipes.len());
    let folder = tempfile::tempdir().expect("a folder");
    for recipe in &recipes {
        let (mapping, events) = parts(recipe);
        let (mapping_file, test_file) = (
            folder.path().join("mapping.yaml"),
            folder.path().join("mapping.test.yaml"),
        );
        fs::write(&mapping_file, &mapping).expect("a mapping");
        fs::write(&test_file, tests(&events)).expect("tests");
        let output = Command::new(env!("CARGO_BIN_EXE_casebridge-cli"))
            .arg("test")
            .arg(&test_file)
            .arg("--mapping")
            .arg(&mapping_file)
            .arg("--domain")
            .arg(root().join("domain.json"))
            .output()
            .expect("the tool runs");
        assert!(
            output.status.success(),
            "{}\n{}{}",
            recipe.title,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        compare_keys(recipe, &mapping, &events);
    }
}

/// The mapping, and each event with its outcome.
fn parts(recipe: &Recipe) -> (String, Vec<(String, &str)>) {
    let title = &recipe.title;
    let [(language, mapping), rest @ ..] = recipe.blocks.as_slice() else {
        panic!("{title}: a mapping");
    };
    assert_eq!(language, "yaml", "{title}: a mapping");
    let mapping = if mapping.starts_with("- ") {
        format!("version: 1\ncases:\n{}", indented(mapping, 2))
    } else {
        mapping.clone()
    };
    let events: Vec<(String, &str)> = rest
        .chunks(2)
        .map(|pair| match pair {
            [(json, event), (yaml, expected)] if json == "json" && yaml == "yaml" => {
                (payload(event).to_string(), expected.as_str())
            }
            _ => panic!("{title}: an event, then its outcome"),
        })
        .collect();
    assert!(!events.is_empty(), "{title}: an event");
    (mapping, events)
}

/// The payload that the function gets: an event, or what Connect sends for a contact.
fn payload(event: &str) -> Value {
    let mut event: Value = serde_json::from_str(event).expect("the event is JSON");
    if event.get("source").is_some() {
        return event;
    }
    let contact = event.as_object_mut().expect("a contact");
    let parameters = contact.remove("Parameters").unwrap_or_else(|| json!({}));
    contact.insert(
        "InstanceARN".to_owned(),
        json!("arn:aws:connect:us-east-1:111122223333:instance/I"),
    );
    json!({ "Details": { "ContactData": event, "Parameters": parameters } })
}

/// The file that `cargo casebridge test` reads.
fn tests(events: &[(String, &str)]) -> String {
    let tests = events
        .iter()
        .enumerate()
        .map(|(number, (event, expected))| {
            let expected = indented(expected, 4);
            format!("  - name: event {number}\n    event: {event}\n{expected}")
        });
    format!("version: 1\ntests:\n{}", tests.collect::<Vec<_>>().concat())
}

fn compare_keys(recipe: &Recipe, mapping: &str, events: &[(String, &str)]) {
    let mapping = load(mapping).expect("it has been used");
    let mut before = None;
    for (payload, expected) in events {
        let Ok(Payload::Event(event)) = Payload::parse(payload) else {
            panic!("{}: one event", recipe.title);
        };
        let case = event.route(&mapping, "");
        let request = case.and_then(|case| CaseRequest::assemble(case, &event, &context()).ok());
        let token = request.map(|request| request.client_token);
        if expected.contains("# the same case") {
            assert!(token == before, "{}: another case", recipe.title);
        } else if expected.contains("# another case") {
            assert!(token != before, "{}: the same case", recipe.title);
        } else {
            assert!(
                before.is_none(),
                "{}: the same case or another?",
                recipe.title
            );
        }
        before = token;
    }
}

/// The lines, each so many spaces further in.
pub(crate) fn indented(text: &str, by: usize) -> String {
    let margin = " ".repeat(by);
    let lines: Vec<String> = text
        .lines()
        .map(|line| format!("{margin}{line}\n"))
        .collect();
    lines.concat()
}

/// The sections below the heading `Recipes`.
fn recipes(document: &str) -> Vec<Recipe> {
    let (_, section) = document.split_once("\n## Recipes\n").expect("recipes");
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut recipes: Vec<Recipe> = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in section.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => {
                let recipe = recipes.last_mut().expect("a heading before a block");
                recipe.blocks.extend(open.take());
            }
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {
                if let Some(title) = line.strip_prefix("### ") {
                    recipes.push(Recipe {
                        title: title.to_owned(),
                        blocks: Vec::new(),
                    });
                }
            }
        }
    }
    recipes
}
