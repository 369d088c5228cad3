//! `test`: its output, and the diagnostics of a test file.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::{Ran, root, run};

fn run_tests(arguments: &[&str]) -> Ran {
    run(&[&["test"], arguments].concat(), "")
}

/// A test file in a folder with a copy of the events.
struct Written {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Written {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let events = root().join("events");
        for entry in fs::read_dir(events).expect("events") {
            let path = entry.expect("an event").path();
            let name = path.file_name().expect("a name");
            fs::copy(&path, folder.path().join(name)).expect("copied");
        }
        let path = folder.path().join("x.test.yaml");
        fs::write(&path, text).expect("written");
        Self { folder, path }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let path = self.path.display().to_string();
        run_tests(&[&[path.as_str()], arguments].concat())
    }

    /// Removes the folder's name from output.
    fn said(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

/// Tests that fail, each in its way.
const FAILING: &str = r#"
version: 1
tests:
  - name: everything about the case is otherwise
    event: order-failed.json
    expect:
      case: order-failed
      fields:
        Order total: 99
        Failure reason: Stock
        Items: "kettle-17, toaster-4 "
        Product page: null
        Failed at: 2026-11-22T08:41:10+01:00
        Language: en-US
      not_sent: [Bank note, Owner]
      tags: { team: service, colour: red }
      performed_by: casebridge/orders
      customer: [{ _phone: "+15550100142" }]
      contact: true
      comments: [Called twice]
  - name: what joins a case is otherwise
    event: contact-flow-voice.json
    expect:
      case: refund-request
      customer: [{ _email: jane.doe@example.com }]
      contact: false
      comments: false
  - name: another case mapping takes it
    event: order-failed.json
    expect: { case: contact-lens-rule }
  - name: it is refused
    event: order-failed-wrong-type.json
    expect: { case: order-failed }
  - name: it is refused for something else
    event: order-failed-wrong-type.json
    expect:
      refused: { code: FieldMissing, field: title }
  - name: it is skipped
    event: partner-ticket-updated.json
    expect:
      refused: { code: FieldMissing }
  - name: it is no event
    event: { detail: {} }
    expect: { skipped: NoCaseMapping }
  - name: this one is ok
    event: order-failed.json
    with: { detail: null, source: com.example.other }
    expect: { skipped: NoCaseMapping }
"#;

#[test]
fn the_shipped_tests_pass() {
    let output = run_tests(&[]);
    let said = &output.stdout;
    assert_eq!(output.status, 0, "{said}{}", output.stderr);
    assert!(said.ends_with("tests: all ok\n"), "{said}");
    assert!((10..=20).contains(&said.lines().filter(|line| line.starts_with("ok ")).count()));
}

#[test]
fn differences_show_expected_and_found() {
    let file = Written::new(FAILING);
    let output = file.run(&[]);
    assert_eq!(output.status, 1, "{}", output.stderr);
    insta::assert_snapshot!(file.said(&output.stdout), @r#"
    failed  everything about the case is otherwise
            by order-failed, x.test.yaml:4
            Order total     expected 99
                               found 629.9
            Failure reason  expected Stock
                               found Payment
            Items           expected "kettle-17, toaster-4 "
                               found kettle-17, toaster-4
            Product page    expected (sent empty)
                               found https://shop.example.com/products/kettle-17
            Failed at       expected 2026-11-22T07:41:10Z
                               found 2026-11-22T08:41:09Z
            Language        expected en-US
                               found (not sent)
            Bank note       expected (not sent)
                               found The bank declined 629.90 US dollars
            tags.team       expected service
                               found orders
            tags.colour     expected red
                               found (no such tag)
            performed_by    expected casebridge/orders
                               found casebridge/order-failed
            customer        expected by _phone +15550100142
                               found by _email jane.doe@example.com and _phone +15550100142, then by _phone +15550100142
            contact         expected (any)
                               found (none)
            comments[0]     expected Called twice
                               found (none)
    failed  what joins a case is otherwise
            by refund-request, x.test.yaml:21
            customer  expected by _email jane.doe@example.com
                         found arn:aws:profile:us-east-1:111122223333:domains/amazon-connect-example/profiles/4d1c7e09a5b84f2f9e63d0b7c28a516e
            contact   expected (none)
                         found arn:aws:connect:us-east-1:111122223333:instance/6b1f6f0e-3c2a-4a57-9a0c-5d1e2f7a8b90/contact/0d8f4c1e-2b6a-4f39-8c57-1a9e6d3b7f20
    failed  another case mapping takes it
            by order-failed, x.test.yaml:28
            outcome  expected a case by contact-lens-rule
                        found a case by order-failed
    failed  it is refused
            by order-failed, x.test.yaml:31
            outcome  expected a case by order-failed
                        found refused by order-failed: FieldInvalid at Order total
                              the field `Order total` (Number) takes a number or text that is exactly one, found other
                              text
    failed  it is refused for something else
            by order-failed, x.test.yaml:34
            outcome  expected refused: FieldMissing at Title
                        found refused by order-failed: FieldInvalid at Order total
                              the field `Order total` (Number) takes a number or text that is exactly one, found other
                              text
    failed  it is skipped
            x.test.yaml:38
            outcome  expected refused: FieldMissing
                        found skipped: NoCaseMapping
    failed  it is no event
            x.test.yaml:42
            outcome  expected skipped: NoCaseMapping
                        found refused: UnrecognizedPayload
                              expected a contact-flow event (`Details.ContactData`), an EventBridge event (`source`
                              and `detail-type` as text; an input transformer has to keep both), a list of such
                              events, or an SQS batch of EventBridge events; found an object with none of these
    ok      this one is ok

    8 tests: 1 ok, 7 failed
    "#);
}

#[test]
fn machines_get_a_line_for_each_test() {
    let file = Written::new(FAILING);
    let output = file.run(&["--json", "--filter", "REFUSED"]);
    assert_eq!(output.status, 1);
    let lines: Vec<Value> = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["test"], "it is refused");
    assert_eq!(lines[0]["ok"], false);
    assert_eq!(lines[0]["case"], "order-failed");
    let difference = &lines[0]["differences"][0];
    assert_eq!(difference["about"], "outcome");
    assert_eq!(
        difference["found"],
        "refused by order-failed: FieldInvalid at Order total"
    );
    assert!(
        difference["reason"]
            .as_str()
            .is_some_and(|reason| reason.starts_with("the field `Order total` (Number) takes"))
    );
}

#[test]
fn the_summary_of_a_filter_counts_all_tests() {
    let file = Written::new(FAILING);
    let output = file.run(&["--filter", "one is ok"]);
    assert_eq!(output.status, 0);
    insta::assert_snapshot!(output.stdout, @r#"
    ok      this one is ok

    1 of 8 tests: all ok
    "#);

    let output = file.run(&["--filter", "nothing of the kind"]);
    assert_eq!(output.status, 2);
    insta::assert_snapshot!(file.said(&output.stderr), @r#"error: no test of x.test.yaml has `nothing of the kind` in its name"#);
}

#[test]
fn a_test_file_has_diagnostics_like_a_mapping() {
    let file = Written::new(
        r"
version: 2
tests:
  - nam: a misspelt key
    event: order-faild.json
    expect: { case: order-faled }
  - name: values that no field takes
    event: order-failed.json
    with: [detail]
    expect:
      case: order-failed
      fields:
        Order totl: 1
        Order total: a lot
        Priority: Urgnt
        Failed at: yesterday
        Bank note:
      not_sent: [Owner, Ownr]
      tags: { team: null }
      customer: { _phone: 15550100142 }
      contact: [c-1]
      comments: []
  - name: values that no field takes
    event: sqs-batch-of-two.json
    expect:
      case: order-failed
      skipped: NoCaseMaping
      refused: { code: Throttled, field: Order numbr }
      fields: { Priority: Urgent }
  - name: nothing is expected
    event: order-failed.json
    expect: {}
  - name: only fields are
    event: [order-failed.json]
    expect: { fields: { Order total: 1 }, not_sent: [Order total] }
",
    );
    let output = file.run(&[]);
    assert_eq!((output.status, &*output.stdout), (2, ""));
    insta::assert_snapshot!(file.said(&output.stderr));
}

#[test]
fn tests_that_cannot_run_exit_with_2() {
    let file = Written::new("version: 1\ntests: []\n");
    insta::assert_snapshot!(file.said(&file.run(&[]).stderr), @r#"
    error: the tests cannot be used

    error: `tests` is empty: write at least one test
      --> x.test.yaml:2:8
      |
    2 | tests: []
      |        ^^

    x.test.yaml: 1 error
    "#);

    let output = run_tests(&["--mapping", "domain.json"]);
    assert_eq!(output.status, 2);
    assert!(
        output
            .stderr
            .starts_with("error: the mapping cannot be used\n\nerror: ")
    );

    let output = run_tests(&["nowhere.test.yaml"]);
    assert_eq!(output.status, 2);
    insta::assert_snapshot!(output.stderr, @r#"error: there are no tests in nowhere.test.yaml: write them (`cargo casebridge test --help` shows how), or name another file"#);
}

#[test]
fn a_test_file_can_be_json() {
    let file = Written::new("");
    let path = file.folder.path().join("x.test.json");
    let text = r#"{"version": 1, "tests": [{"name": "a", "event": "order-failed.json", "expect": {"case": "order-failed", "fields": {"Order total": 629.90}}}]}"#;
    fs::write(&path, text).expect("written");
    let output = run_tests(&[&path.display().to_string()]);
    assert_eq!(output.status, 0, "{}", output.stderr);
}
