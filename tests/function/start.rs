//! What stops the start, and the sentence that says so.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use aws_config::{BehaviorVersion, SdkConfig};
use casebridge::client;
use casebridge::config::Config;
use casebridge::handler::Casebridge;

use super::read;

/// Files by name.
type Files<'a> = Vec<(&'a str, &'a [u8])>;

/// A fresh folder with files, deleted when the test ends.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("a file");
    }
    folder
}

/// Starts with the variables, in a task root; the words of the failure, if there is one, without the folder's random name.
async fn start(root: &Path, variables: &[(&str, &str)]) -> Result<Casebridge, String> {
    let mut environment: HashMap<&str, String> = HashMap::from([
        ("AWS_REGION", "us-east-1".to_owned()),
        ("CASES_DOMAIN_ID", domain_id()),
    ]);
    environment.extend(
        variables
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    let words = |error: &dyn std::error::Error| {
        error
            .to_string()
            .replace(&root.display().to_string(), "TASK_ROOT")
    };
    let config = Config::read(
        &|name| environment.get(name).cloned(),
        &[root.to_path_buf()],
    )
    .map_err(|error| words(&error))?;
    client::load(&config).await.map_err(|error| words(&error))?;
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .build();
    Casebridge::start(&config, &sdk).map_err(|error| words(&error))
}

fn domain_id() -> String {
    super::json("domain.json")["domain"]["domainId"]
        .as_str()
        .expect("an id")
        .to_owned()
}

#[tokio::test]
async fn a_task_root_with_mapping_and_snapshot_is_all_it_needs() {
    let root = folder(&[
        ("mapping.yaml", read("mapping.yaml").as_bytes()),
        ("domain.json", read("domain.json").as_bytes()),
    ]);
    let casebridge = start(
        root.path(),
        &[
            ("AWS_ACCESS_KEY_ID", "test"),
            ("PROFILES_DOMAIN", "contact-centre"),
        ],
    )
    .await
    .expect("it starts");
    assert_eq!(casebridge.guard.entity_prefix, "casebridge/");
}

#[tokio::test]
async fn every_bad_variable_is_named_in_a_sentence() {
    let mapping = read("mapping.yaml");
    let snapshot = read("domain.json");
    let root = folder(&[
        ("mapping.yaml", mapping.as_bytes()),
        ("domain.json", snapshot.as_bytes()),
        ("empty.pem", b"nothing"),
    ]);
    let missing = root.path().join("nowhere.yaml").display().to_string();
    let empty = root.path().join("empty.pem").display().to_string();
    let mut said = String::new();
    for variables in [
        [("CASES_DOMAIN_ID", "")],
        [("CASES_DOMAIN_ID", "another-domain")],
        [("AWS_REGION", "")],
        [("CASEBRIDGE_MAPPING", missing.as_str())],
        [("CASEBRIDGE_DOMAIN", missing.as_str())],
        [("CASEBRIDGE_ENTITY_PREFIX", "cb/")],
        [("CASEBRIDGE_ENTITY_PREFIX", "fälle/")],
        [("CASEBRIDGE_FLOW_BUDGET_MS", "soon")],
        [("CASEBRIDGE_FLOW_BUDGET_MS", "5")],
        [(
            "CASEBRIDGE_FAILURE_QUEUE",
            "arn:aws:sqs:us-east-1:111122223333:failures",
        )],
        [("AWS_CA_BUNDLE", empty.as_str())],
        [("SSL_CERT_FILE", missing.as_str())],
    ] {
        let [(name, value)] = variables;
        let words = start(root.path(), &variables)
            .await
            .err()
            .expect("it does not start");
        let value = value.replace(&root.path().display().to_string(), "TASK_ROOT");
        writeln!(
            said,
            "{name}={value}\n    {}",
            words.replace('\n', "\n    ")
        )
        .expect("a string");
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn every_bad_file_is_named_in_a_sentence() {
    let mapping = read("mapping.yaml");
    let snapshot = read("domain.json");
    let profile = "version: 1\ncases:\n  - name: a\n    trigger: eventbridge\n    template: Contact follow-up\n    customer: { profile_id: $.detail.profile }\n    fields: { title: A case }\n";
    let untyped = "version: 1\ncases:\n  - name: a\n    trigger: eventbridge\n    template: Contact follow-up\n    fields:\n      title: A case\n      Order number: $.detail.order\n";
    let latin = b"version: 1\n# caf\xE9\n".to_vec();
    let window = "version: 1\ncases:\n  - name: a\n    trigger: eventbridge\n    template: Contact follow-up\n    window: 30d\n    fields: { title: A case }\n";
    let folders: [(&str, Files<'_>); 8] = [
        ("no mapping", vec![("domain.json", snapshot.as_bytes())]),
        (
            "an empty mapping",
            vec![("mapping.yaml", b""), ("domain.json", snapshot.as_bytes())],
        ),
        (
            "a mapping that is not UTF-8",
            vec![
                ("mapping.yaml", &latin),
                ("domain.json", snapshot.as_bytes()),
            ],
        ),
        (
            "a mapping with names and no snapshot",
            vec![("mapping.yaml", untyped.as_bytes())],
        ),
        (
            "a snapshot that is not JSON",
            vec![
                ("mapping.yaml", mapping.as_bytes()),
                ("domain.json", b"fields: []"),
            ],
        ),
        (
            "a snapshot of another shape",
            vec![
                ("mapping.yaml", mapping.as_bytes()),
                ("domain.json", b"{\"fields\":[]}"),
            ],
        ),
        (
            "a profile id without a profiles domain",
            vec![
                ("mapping.yaml", profile.as_bytes()),
                ("domain.json", snapshot.as_bytes()),
            ],
        ),
        (
            "a window without a ledger",
            vec![
                ("mapping.yaml", window.as_bytes()),
                ("domain.json", snapshot.as_bytes()),
            ],
        ),
    ];
    let mut said = String::new();
    for (name, files) in folders {
        let root = folder(&files);
        let words = start(root.path(), &[])
            .await
            .err()
            .expect("it does not start");
        writeln!(said, "{name}\n    {}\n", words.replace('\n', "\n    ")).expect("a string");
    }
    insta::assert_snapshot!(said);
}
