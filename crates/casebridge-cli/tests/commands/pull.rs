//! `pull` against an emulator on loopback.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use cases_emulator::Emulator;
use tempfile::TempDir;

use super::{Ran, tool};

const EXAMPLE: &str = include_str!("../../../../domain.json");
const MAPPING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../mapping.yaml");

/// Serves a domain until the test's process ends.
fn serve(snapshot: &str) -> SocketAddr {
    let emulator = Emulator::from_snapshot(snapshot).expect("a valid snapshot");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    listener.set_nonblocking(true).expect("for tokio");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            emulator.serve(listener, std::future::pending()).await;
        });
    });
    address
}

/// A folder with nothing of AWS or of this repository around it.
struct Place {
    folder: TempDir,
    endpoint: String,
}

impl Place {
    fn new(snapshot: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let endpoint = format!("http://{}", serve(snapshot));
        Self { folder, endpoint }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("domain.json")
    }

    fn command(&self) -> Command {
        let mut command = tool(self.folder.path());
        command
            .arg("pull")
            .env_clear()
            .env("HOME", self.folder.path())
            .env("AWS_MAX_ATTEMPTS", "1")
            .env("NO_COLOR", "1");
        command
    }

    fn pull(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command();
        command
            .args(arguments)
            .args(["--endpoint-url", &self.endpoint]);
        command.output().expect("the tool runs").into()
    }
}

/// The example domain, after someone took an option of a field away that the shipped mapping uses.
fn changed() -> String {
    let mut domain: serde_json::Value = serde_json::from_str(EXAMPLE).expect("JSON");
    for field in domain["fields"].as_array_mut().expect("a list") {
        if field["name"] == "Priority" {
            field["options"].as_array_mut().expect("a list").remove(0);
        }
    }
    domain.to_string()
}

#[test]
fn a_written_snapshot_equals_the_domain() {
    let place = Place::new(EXAMPLE);
    let output = place.pull(&[]);
    assert_eq!((output.status, &*output.stderr), (0, ""));
    insta::assert_snapshot!(output.stdout, @r"
    domain.json  domain example-shop: 32 fields, 3 templates, 2 rules
    written
    ");
    assert_eq!(
        std::fs::read_to_string(place.file()).expect("a file"),
        EXAMPLE
    );

    let output = place.pull(&["--check"]);
    assert_eq!(output.status, 0);
    insta::assert_snapshot!(output.stdout, @r"
    domain.json  domain example-shop: 32 fields, 3 templates, 2 rules
    no differences
    ");

    let output = place.pull(&[]);
    assert_eq!(output.status, 0);
    insta::assert_snapshot!(output.stdout, @r"
    domain.json  domain example-shop: 32 fields, 3 templates, 2 rules
    unchanged
    ");
}

#[test]
fn a_check_lists_the_changes_and_writes_nothing() {
    let place = Place::new(&changed());
    std::fs::write(place.file(), EXAMPLE).expect("written");
    let output = place.pull(&["--check", "--mapping", MAPPING]);
    assert_eq!(output.status, 1);
    insta::assert_snapshot!(output.stdout, @r"
    field Priority lost option High, used by case mappings refund-request and order-failed

    domain.json  domain example-shop: 32 fields, 3 templates, 2 rules
    1 difference: run `pull` without --check to update the file
    ");
    assert_eq!(
        std::fs::read_to_string(place.file()).expect("a file"),
        EXAMPLE
    );

    let output = place.pull(&["--check", "--json"]);
    assert_eq!(output.status, 1);
    insta::assert_snapshot!(output.stdout, @r#"{"file":"domain.json","domain":{"domainId":"3ceaaf30-8142-48ea-91d9-3080f9b439fc","name":"example-shop"},"written":false,"differences":[{"code":"option-lost","message":"field Priority lost option High","caseMappings":[],"fieldId":"9ad9b9a2-5e78-454d-b065-a1c284cc4549","value":"high"}]}"#);

    let output = place.pull(&[]);
    assert_eq!(output.status, 0);
    insta::assert_snapshot!(output.stdout, @r"
    field Priority lost option High

    domain.json  domain example-shop: 32 fields, 3 templates, 2 rules
    written, with 1 difference
    ");
    assert_eq!(place.pull(&["--check"]).status, 0);
}

#[test]
fn each_failure_has_its_own_message() {
    let place = Place::new(EXAMPLE);
    let mut said = String::new();
    let mut refused = |output: Ran| {
        assert_eq!((output.status, &*output.stdout), (2, ""));
        let message = output.stderr.replace(&place.endpoint, "ENDPOINT");
        said.push_str(&message);
    };
    refused(place.pull(&["--check"]));
    refused(place.pull(&["--domain-id", "another"]));
    refused(place.pull(&["--output", "no/such/folder/domain.json"]));
    std::fs::write(place.file(), "{\"domain\": 1}").expect("written");
    refused(place.pull(&[]));
    std::fs::write(place.file(), "not JSON").expect("written");
    refused(place.pull(&["--check"]));
    std::fs::write(place.file(), changed()).expect("written");
    refused(place.pull(&["--check", "--mapping", "nowhere.yaml"]));
    insta::assert_snapshot!(said, @r#"
    error: domain.json does not exist: run `pull` without --check to write it
    error: Cases refused GetDomain (ResourceNotFoundException, HTTP 404: there is no Domain with id 'another'): there is no such domain at ENDPOINT; see --domain-id, CASES_DOMAIN_ID and --region (`aws connectcases list-domains` shows the domains)
    error: no/such/folder/domain.json cannot be written: its folder does not exist
    error: domain.json is not a domain snapshot: move it away, or name another file with --output: expected {"domain": {"domainId": …}, "templates": […], "fields": […], "rules": […]}
    error: domain.json is not a domain snapshot: move it away, or name another file with --output: expected ident at line 1 column 2
    error: nowhere.yaml could not be read: No such file or directory (os error 2)
    "#);
}

#[test]
fn without_aws_the_message_names_the_setting() {
    let place = Place::new(EXAMPLE);
    let run = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = place.command();
        command
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .args(arguments);
        let output = command.envs(variables.iter().copied()).output();
        let output = Ran::from(output.expect("the tool runs"));
        assert_eq!(output.status, 2);
        output.stderr
    };
    // With a bundle, the machine needs no roots.
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/roots.pem");
    let bundle = ("AWS_CA_BUNDLE", bundle.to_str().expect("text"));
    let key = [("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x")];
    let said = [
        run(&[bundle], &[]),
        run(&[bundle, ("AWS_REGION", "us-east-1")], &[]),
        run(&[bundle], &["--region", "us-east-1", "--profile", "prod"]),
        run(
            &[("AWS_CA_BUNDLE", "nowhere.pem")],
            &["--region", "us-east-1"],
        ),
        run(&[("AWS_CA_BUNDLE", MAPPING)], &["--region", "us-east-1"])
            .replace(MAPPING, "mapping.yaml"),
        run(&[], &["--endpoint-url", "127.0.0.1:4599"]),
        run(&[], &["--endpoint-url", "http://127.0.0.1:1"]),
        run(
            &[
                ("HTTPS_PROXY", "http://127.0.0.1:1"),
                bundle,
                key[0],
                key[1],
            ],
            &["--region", "us-east-1"],
        ),
    ];
    insta::assert_snapshot!(said.concat(), @r"
    error: no AWS Region is set: name the domain's with --region, in AWS_REGION or in the profile
    error: no AWS credentials were found: sign in with `aws sso login`, name a profile with --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
    error: profile prod has no AWS credentials: is it in ~/.aws/config? Sign in with `aws sso login --profile prod`
    error: AWS_CA_BUNDLE names nowhere.pem, which could not be read: No such file or directory (os error 2)
    error: AWS_CA_BUNDLE names mapping.yaml, which is no list of certificates in PEM form
    error: the endpoint 127.0.0.1:4599 is no URL: expected one such as http://127.0.0.1:4599
    error: Cases at http://127.0.0.1:1 could not be reached (io error: client error (Connect): tcp connect error: Connection refused (os error 111)): is the address right, and the network up?
    error: Cases in us-east-1 could not be reached (io error: client error (Connect): tunnel error: failed to create underlying connection: tcp connect error: Connection refused (os error 111)): is the address right, and the network up?
    ");
}
