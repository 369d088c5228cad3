//! The commands as processes: their output, their files and their exit status.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test ends by panicking"
)]

mod init;
mod pull;
mod tests;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// A run of the tool that has ended.
struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("one line of JSON")
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().expect("an exit status"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

fn tool(folder: &Path) -> Command {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_casebridge-cli"));
    tool.current_dir(folder).env("NO_COLOR", "1");
    tool
}

/// Runs the tool in a folder other than the repository's.
fn run_in(folder: &Path, arguments: &[&str]) -> Ran {
    let mut tool = tool(folder);
    tool.args(arguments).env_remove("CARGO_MANIFEST_DIR");
    tool.output().expect("the tool runs").into()
}

/// Runs the tool in the repository's root, with a text on its standard input.
fn run(arguments: &[&str], input: &str) -> Ran {
    let mut child = tool(&root())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tool runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A tool that reads nothing may have ended already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("the tool ends").into()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).expect(name)
}

/// A mapping in a file of its own.
fn written(mapping: &str) -> (tempfile::NamedTempFile, String) {
    let mut file = tempfile::Builder::new()
        .suffix(".yaml")
        .tempfile()
        .expect("a file");
    file.write_all(mapping.as_bytes()).expect("written");
    let path = file.path().display().to_string();
    (file, path)
}

#[test]
fn check_finds_nothing_in_what_is_shipped() {
    let output = run(&["check"], "");
    assert_eq!(output.status, 0);
    insta::assert_snapshot!(output.stdout, @r"
    mapping.yaml  6 case mappings
    domain.json   32 fields, 3 templates
    no errors
    ");
}

#[test]
fn check_reports_every_error_with_its_position() {
    let (_file, path) = written(
        "version: 1\ncases:\n  - name: a\n    trigger: eventbridge\n    template: Contact follow-up\n    fields:\n      title: $.detail | uper\n      Langauge: en\n",
    );
    let output = run(&["check", "--mapping", &path], "");
    assert_eq!(output.status, 1);
    insta::assert_snapshot!(output.stdout.replace(&path, "MAPPING"), @r"
    error: there is no filter `uper`
      --> MAPPING:7:25
      |
    7 |       title: $.detail | uper
      |                         ^^^^
      = help: did you mean `upper`?

    error: the domain has no field `Langauge`
      --> MAPPING:8:7
      |
    8 |       Langauge: en
      |       ^^^^^^^^
      = help: did you mean `Language`?

    MAPPING: 2 errors
    ");
    let diagnostics =
        run(&["check", "--mapping", &path, "--json"], "").json()["diagnostics"].clone();
    let places: Vec<_> = diagnostics
        .as_array()
        .expect("a list")
        .iter()
        .map(|diagnostic| (diagnostic["line"].as_u64(), diagnostic["column"].as_u64()))
        .collect();
    assert_eq!(places, [(Some(7), Some(25)), (Some(8), Some(7))]);
}

#[test]
fn check_exits_with_2_without_its_files() {
    let output = run(&["check", "--mapping", "nowhere.yaml"], "");
    assert_eq!((output.status, &*output.stdout), (2, ""));
    let said = output.stderr;
    assert!(said.contains("nowhere.yaml"), "{said}");
}

#[test]
fn render_shows_what_would_be_sent() {
    let output = run(&["render", "events/order-failed.json"], "");
    assert_eq!(output.status, 0);
    let body = output.json();
    assert_eq!(
        body["performedBy"]["customEntity"],
        "casebridge/order-failed"
    );
    assert_eq!(body["tags"]["casebridge:key"], body["clientToken"]);
    assert_eq!(body["clientToken"].as_str().map(str::len), Some(64));
}

#[test]
fn render_explains_routes_and_values() {
    let output = run(
        &["render", "--explain", "events/contact-lens-post-call.json"],
        "",
    );
    let said = output.stdout;
    let explained = said
        .split("\nrequest\n")
        .next()
        .expect("the way to the request");
    insta::assert_snapshot!(explained);
}

#[test]
fn check_renders_sample_events() {
    let mapping = read("mapping.yaml");
    let misspelt = mapping.replace("$.detail.failure.attempts |", "$.detail.failure.atempts |");
    let (_file, path) = written(&misspelt);
    let check = [
        "check",
        "--mapping",
        &path,
        "--event",
        "events/order-failed.json",
    ];
    let output = run(&check, "");
    assert_eq!(output.status, 0, "a warning stops nothing");
    let said = output.stdout;
    assert!(
        said.contains("`$.detail.failure.atempts` finds nothing in")
            && said.contains("did you mean `attempts`?"),
        "{said}"
    );
    let denied = run(&[check.as_slice(), &["--deny-warnings"]].concat(), "");
    assert_eq!(denied.status, 1);
}

/// `render` and the function give the same request for every golden case.
#[test]
fn render_agrees_with_the_golden_cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let mut compared = 0;
    for entry in std::fs::read_dir(root).expect("the cases") {
        let folder = entry.expect("a folder").path();
        let file = |name: &str| {
            let path = folder.join(name);
            path.is_file().then(|| path.to_string_lossy().into_owned())
        };
        let (Some(request), Some(event)) = (file("request.json"), file("event.json")) else {
            continue;
        };
        let mapping = file("mapping.yaml")
            .or_else(|| file("mapping.json"))
            .expect("a mapping");
        let mut arguments = vec!["render".to_owned(), "--mapping".to_owned(), mapping];
        for name in ["domain", "profiles", "contacts"] {
            if let Some(path) = file(&format!("{name}.json")) {
                arguments.extend([format!("--{name}"), path]);
            }
        }
        arguments.push(event);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run(&arguments, "");
        let expected = std::fs::read_to_string(request).expect("a request");
        let expected: Value = serde_json::from_str(&expected).expect("JSON");
        // Other requests follow the case's.
        let mut shown = serde_json::Deserializer::from_str(&output.stdout).into_iter::<Value>();
        let shown = shown.next().and_then(Result::ok);
        assert_eq!(shown, Some(expected), "{}", folder.display());
        compared += 1;
    }
    assert!(compared >= 80, "{compared}");
}

#[test]
fn a_warning_is_allowed_with_a_reason() {
    let mapping = read("mapping.yaml");
    let check = |comment: &str| {
        let right = "$.detail.failure.attempts | default(1)";
        let wrong = format!("$.detail.failure.atempts | default(1)  {comment}");
        let text = mapping.replacen(right, &wrong, 1);
        let (_file, path) = written(&text);
        run(
            &[
                "check",
                "--deny-warnings",
                "--mapping",
                &path,
                "--event",
                "events/order-failed.json",
            ],
            "",
        )
    };
    let output = check("# casebridge: allow event-member – the shop adds it next month");
    let found = check("").stdout;
    assert!(
        found.contains("warning[event-member]: `$.detail.failure.atempts`"),
        "{found}"
    );
    assert_eq!(output.status, 0, "{}", output.stdout);
    let unknown = check("# casebridge: allow event-members – x").stdout;
    assert!(
        unknown.contains("did you mean `event-member`?"),
        "{unknown}"
    );
    let reason = check("# casebridge: allow event-member").stdout;
    assert!(
        reason.contains("an allowed warning needs a reason"),
        "{reason}"
    );
    let explained = run(&["check", "--explain", "event-member"], "");
    assert!(
        explained.stdout.contains("casebridge: allow event-member"),
        "{}",
        explained.stdout
    );
    assert_eq!(run(&["check", "--explain", "event"], "").status, 2);
}

#[test]
fn replay_groups_what_changes() {
    let mapping = read("mapping.yaml");
    let changed = mapping
        .replacen(
            "- $.detail.order.id\n",
            "- $.detail.order.id\n      - $.source\n",
            1,
        )
        .replacen("| upper }} failed", "| lower }} failed", 1)
        .replacen("[com.example.orders]", "[com.example.shop]", 1);
    let (_file, path) = written(&changed);
    let folder = tempfile::tempdir().expect("a folder");
    let events = folder.path().join("archive.jsonl");
    let order = serde_json::from_str::<Value>(&read("events/order-failed.json")).expect("JSON");
    let failed = json!({ "event": order, "errorCode": "FieldInvalid" });
    std::fs::write(&events, format!("{order}\n{failed}\n\n{order}\n")).expect("a file");
    let archive = events.to_string_lossy();
    let replay = |more: &[&str]| {
        run(
            &[&["replay", "mapping.yaml", &path, &archive], more].concat(),
            "",
        )
    };
    let report: Value = serde_json::from_str(&replay(&["--json"]).stdout).expect("JSON");
    assert_eq!(
        (&report["events"], &report["unchanged"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(report["changes"][0]["change"], "cases-vanish");
    assert_eq!(report["changes"][0]["detail"], "NoCaseMapping");
    assert_eq!(replay(&[]).status, 0);
    assert_eq!(replay(&["--deny", "key-changes,cases-vanish"]).status, 1);

    let (_file, path) = written(&changed.replace("[com.example.shop]", "[com.example.orders]"));
    let output = run(
        &[
            "replay",
            "mapping.yaml",
            &path,
            &archive,
            "--markdown",
            "--deny",
            "key-changes",
        ],
        "",
    );
    assert_eq!(output.status, 1);
    let table = output.stdout.replace(&*archive, "archive.jsonl");
    insta::assert_snapshot!(table);
    let same = run(&["replay", "mapping.yaml", "mapping.yaml", &archive], "");
    assert_eq!(
        (same.status, &*same.stdout),
        (0, "3 events: nothing changes\n")
    );
    let unknown = run(
        &["replay", "no-such-revision", "mapping.yaml", &archive],
        "",
    );
    assert_eq!(unknown.status, 2);
    assert!(
        unknown.stderr.contains("neither a file nor a git revision"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn render_says_why_there_is_no_request() {
    let output = run(&["render", "events/order-failed-wrong-type.json"], "");
    assert_eq!((output.status, &*output.stdout), (1, ""));
    insta::assert_snapshot!(output.stderr, @"no request: the field `Order total` (Number) takes a number or text that is exactly one, found other text (FieldInvalid at Order total)");
}

#[test]
fn render_shows_every_request_of_a_batch() {
    let output = run(&["render", "--json", "events/sqs-batch-of-two.json"], "");
    assert_eq!(
        operations(&output),
        ["CreateCase", "CreateCase", "CreateRelatedItem"]
    );
}

#[test]
fn render_says_why_each_message_of_a_batch_makes_no_request() {
    let order = read("events/order-failed.json");
    let wrong = read("events/order-failed-wrong-type.json");
    let record =
        |id: &str, body: &str| json!({ "messageId": id, "eventSource": "aws:sqs", "body": body });
    let other = json!({ "source": "x", "detail-type": "y" }).to_string();
    let batch = json!({ "Records": [
        record("m-1", &order), record("m-2", &wrong), record("m-3", "no event"), record("m-4", &other),
        record("m-5", &json!([{ "source": "s", "detail-type": "t", "id": 1 }, 7]).to_string()),
    ] });
    let output = run(&["render", "-"], &batch.to_string());
    assert_eq!(output.status, 1);
    insta::assert_snapshot!(output.stderr, @r"
    no request of message m-2: the field `Order total` (Number) takes a number or text that is exactly one, found other text (FieldInvalid at Order total)
    no request of message m-3: expected an EventBridge event as JSON text in the message's body (`source` and `detail-type` as text), also in a list or in the `Message` of an SNS notification; found text that cannot be read as JSON: it breaks JSON's grammar at line 1 column 2 (UnrecognizedPayload)
    no request of message m-5.2: expected an EventBridge event as JSON text in the message's body (`source` and `detail-type` as text), also in a list or in the `Message` of an SNS notification; found a single value (UnrecognizedPayload)
    no request of message m-4: no case mapping takes this event: add one, or narrow what invokes the function (NoCaseMapping)
    no request of message m-5.1: no case mapping takes this event: add one, or narrow what invokes the function (NoCaseMapping)
    ");
    let output = run(&["render", "--json", "-"], &batch.to_string());
    assert_eq!(
        output.json()["failures"][0],
        json!({
            "messageId": "m-2",
            "errorCode": "FieldInvalid",
            "errorField": "Order total",
            "errorMessage": "the field `Order total` (Number) takes a number or text that is exactly one, found other text",
        })
    );
}

/// A mapping in a file of its own, and what `render` makes of an event of it.
fn rendered(customer: &str, arguments: &[&str], event: &str) -> Ran {
    let mapping = format!(
        "version: 1\ncases:\n  - name: a\n    trigger: eventbridge\n    template: Contact follow-up\n    customer: {customer}\n    comment: $.detail.note\n    fields: {{ title: A }}\n"
    );
    let (_file, path) = written(&mapping);
    let render = ["render", "--mapping", path.as_str(), "-"];
    run(&[&render, arguments].concat(), event)
}

fn operations(output: &Ran) -> Vec<String> {
    let requests = output
        .json()
        .get("requests")
        .and_then(Value::as_array)
        .cloned();
    let operation = |request: &Value| request["operation"].as_str().map(str::to_owned);
    requests
        .expect("a list")
        .iter()
        .filter_map(operation)
        .collect()
}

const NOTED: &str = r#"{ "source": "a", "detail-type": "b", "id": "1", "detail": { "phone": "+15550100999", "note": "Called twice",
    "arn": "arn:aws:profile:us-east-1:111122223333:domains/elsewhere/profiles/00000000000000000000000000000001" } }"#;

#[test]
fn render_names_the_other_requests_that_write() {
    let create = "{ find: [{ _phone: $.detail.phone }], if_none: { create: { PhoneNumber: $.detail.phone } } }";
    let output = rendered(create, &["--json"], NOTED);
    assert_eq!(
        operations(&output),
        ["CreateProfile", "CreateCase", "CreateRelatedItem"]
    );
    let output = rendered(create, &[], NOTED);
    assert_eq!(output.json()["performedBy"]["customEntity"], "casebridge/a");
    insta::assert_snapshot!(output.stderr, @r"
    first CreateProfile
    then CreateRelatedItem: Comment
    ");
}

#[test]
fn render_accepts_a_profile_that_the_event_names() {
    let output = rendered("$.detail.arn", &[], NOTED);
    assert_eq!(output.status, 0);
    assert_eq!(output.json()["fields"][1]["id"], "customer_id");
}

#[test]
fn render_reports_a_customer_that_is_not_found() {
    let find = "{ find: [{ _phone: $.detail.phone }] }";
    let output = rendered(find, &[], NOTED);
    assert_eq!(output.status, 1);
    insta::assert_snapshot!(output.stderr, @r"
    no request: no profile has the customer's keys; where that may be so, write `if_none: skip` or `create` (CustomerNotFound at customer)
    hint: the customers here are those of profiles.json, or of --profiles FILE
    ");
    let skip = "{ find: [{ _phone: $.detail.phone }], if_none: skip }";
    let output = rendered(skip, &[], NOTED);
    assert_eq!(output.status, 0);
    let said = output.stderr;
    assert!(
        said.contains("no customer: no profile of") && said.contains("--profiles FILE"),
        "{said}"
    );
}

#[test]
fn a_file_without_profiles_is_refused() {
    let output = run(
        &[
            "render",
            "events/order-failed.json",
            "--profiles",
            "domain.json",
        ],
        "",
    );
    assert_eq!(output.status, 2);
    let said = output.stderr;
    assert!(
        said.contains("domain.json does not hold customers"),
        "{said}"
    );
}

#[test]
fn match_answers_by_its_exit_status() {
    for (pattern, status, word) in [
        (r#"{"source":["com.example.orders"]}"#, 0, "true\n"),
        (r#"{"source":["aws.connect"]}"#, 1, "false\n"),
        (r#"{"source":"aws.connect"}"#, 2, ""),
    ] {
        let output = run(&["match", pattern, "events/order-failed.json"], "");
        assert_eq!(
            (output.status, &*output.stdout),
            (status, word),
            "{pattern}"
        );
    }
}

#[test]
fn match_takes_many_pairs_line_by_line() {
    let pairs = [
        (r#"{"a":[1]}"#, r#"{"a":1}"#),
        (r#"{"a":[1]}"#, r#"{"a":2}"#),
        (r#"{"a":1}"#, "{}"),
        ("nojson", "{}"),
    ];
    let lines: String = pairs
        .map(|(pattern, event)| {
            format!(
                "{}\n",
                serde_json::json!({ "pattern": pattern, "event": event })
            )
        })
        .concat();
    let output = run(&["match", "--jsonl"], &lines).stdout;
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 4, "{output}");
    assert_eq!(lines[..2], ["true", "false"]);
    assert!(
        lines[2..].iter().all(|line| line.starts_with("error: ")),
        "{output}"
    );
}
