//! Errors that stop the start, and their messages.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use aws_config::{BehaviorVersion, SdkConfig};
use casebridge::client;
use casebridge::config::Config;
use casebridge::handler::Casebridge;

use super::{read, read_json};

/// A function that makes a file.
type Make<'a> = &'a dyn Fn(&Path);

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
    casebridge::start::casebridge(&config, &sdk).map_err(|error| words(&error))
}

fn domain_id() -> String {
    read_json("domain.json")["domain"]["domainId"]
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
        [("AWS_REGION", "us east 1")],
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
        [("CASEBRIDGE_FAILURE_QUEUE", "https:///111122223333/failures")],
        [("ALLOWED_ACCOUNTS", ",")],
        [("ALLOWED_ACCOUNTS", "")],
        [("ALLOWED_ACCOUNTS", " ")],
        [("ALLOWED_ACCOUNTS", "111122223333,")],
        [("ALLOWED_ACCOUNTS", "111122223333, 12345")],
        [("ALLOWED_ACCOUNTS", "*")],
        [("ALLOWED_INSTANCES", ",")],
        [("ALLOWED_INSTANCES", "")],
        [("ALLOWED_INSTANCES", "12345678-1234-1234-1234-123456789012")],
        [(
            "ALLOWED_INSTANCES",
            "arn:aws:connect:us-east-1:111122223333:instance/*/contact-flow/f",
        )],
        [("HTTPS_PROXY", "http://proxy.example.com:99999")],
        [("https_proxy", "proxy.example.com:8080")],
        [("ALL_PROXY", "socks5://proxy.example.com:1080")],
        [("AWS_ENDPOINT_URL", "not an address")],
        [("AWS_ENDPOINT_URL_CONNECTCASES", "localhost:4599")],
        [("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:0")],
        [("AWS_ENDPOINT_URL_SQS", "http://[::1")],
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
    for variables in [[
        ("CASEBRIDGE_MAPPING", "appconfig:cases/production/mapping"),
        ("AWS_APPCONFIG_EXTENSION_HTTP_PORT", "27720000"),
    ]] {
        let words = start(root.path(), &variables)
            .await
            .err()
            .expect("it does not start");
        let [_, (name, value)] = variables;
        writeln!(said, "{name}={value}\n    {words}").expect("a string");
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn addresses_and_lists_of_every_form_are_taken() {
    let root = folder(&[
        ("mapping.yaml", read("mapping.yaml").as_bytes()),
        ("domain.json", read("domain.json").as_bytes()),
    ]);
    for (variable, value) in [
        ("ALLOWED_ACCOUNTS", "111122223333"),
        ("ALLOWED_ACCOUNTS", " 111122223333 , 444455556666"),
        (
            "ALLOWED_INSTANCES",
            "arn:aws-us-gov:connect:us-gov-west-1:111122223333:instance/0a1b",
        ),
        (
            "HTTPS_PROXY",
            "http://user:p%40ss:word@proxy.example.com:8080/",
        ),
        ("HTTPS_PROXY", "HTTPS://10.0.0.1"),
        ("AWS_ENDPOINT_URL", "http://[::1]:4599"),
        ("AWS_ENDPOINT_URL_SQS", "http://local_stack:4566/path?a=b"),
    ] {
        let variables = [
            ("AWS_ACCESS_KEY_ID", "test"),
            ("PROFILES_DOMAIN", "contact-centre"),
            (variable, value),
        ];
        let started = start(root.path(), &variables).await;
        assert_eq!(started.err(), None, "{variable}={value}");
    }
}

/// The process's own environment can hold bytes that are no text.
#[test]
fn a_variable_that_is_no_text_does_not_count_as_absent() {
    use std::os::unix::ffi::OsStrExt as _;
    let started = std::process::Command::new(env!("CARGO_BIN_EXE_casebridge"))
        .env_clear()
        .env("CASES_DOMAIN_ID", domain_id())
        .env("AWS_REGION", "us-east-1")
        .env("ALLOWED_ACCOUNTS", std::ffi::OsStr::from_bytes(b"\xFF"))
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&started.stderr);
    let expected = "ALLOWED_ACCOUNTS holds bytes that are not UTF-8 text: set it again";
    assert!(
        !started.status.success() && said.contains(expected),
        "{said}"
    );
}

/// A snapshot that is there is never passed over, in whichever folder it is. Permission bits do not bind a test that runs as root, so it is a
/// folder, a link to nowhere, and bytes that are no text.
#[tokio::test]
async fn a_file_that_cannot_be_read_does_not_count_as_absent() {
    let mapping = "version: 1\ncases:\n  - name: a\n    trigger: eventbridge\n    template: 8f0f8f0f-0000-4000-8000-000000000001\n    fields: { title: A case }\n";
    let sound = folder(&[("mapping.yaml", mapping.as_bytes())]);
    let started = start(sound.path(), &[]).await;
    assert_eq!(started.err(), None, "without a snapshot it starts");
    let directory = |path: &Path| std::fs::create_dir(path).expect("a folder");
    let link = |path: &Path| std::os::unix::fs::symlink("nowhere", path).expect("a link");
    let garbled = |path: &Path| std::fs::write(path, b"{\"\xE9\"}").expect("a file");
    let unreadable: [(&str, Make<'_>); 3] = [
        ("Is a directory", &directory),
        ("No such file", &link),
        ("it is not UTF-8 text", &garbled),
    ];
    for (reason, make) in unreadable {
        for name in ["domain.json", "mapping.yaml"] {
            let root = folder(&[]);
            if name == "domain.json" {
                std::fs::write(root.path().join("mapping.yaml"), mapping).expect("a file");
            }
            make(&root.path().join(name));
            let words = start(root.path(), &[]).await.err().unwrap_or_default();
            let begins = format!("TASK_ROOT/{name} cannot be read: {reason}");
            assert!(words.starts_with(&begins), "{words}");
        }
    }
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
