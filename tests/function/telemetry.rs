//! Per-event telemetry: the log line, and metrics in the embedded metric format.

use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use casebridge::handler::Invocation;

use casebridge::metrics::Metrics;
use cases_emulator::{Fault, FaultKind};
use serde_json::{Value, json};

use super::output::Output;
use super::{AMPLE, Function, batch, denied, down, in_test, message, read, read_json, throttled};

/// The shipped function, whose metrics go to the output.
fn measured() -> (Function, Output) {
    let mut function = Function::shipped();
    let output = Output::default();
    let mut writer = output.clone();
    let sink = Mutex::new(move |lines: &str| writer.write_all(lines.as_bytes()).expect("a string"));
    let clock = in_test(&aws_config::SdkConfig::builder().build())
        .time_source()
        .expect("the clock of the tests");
    function.casebridge.telemetry.metrics = Some(Metrics::new(
        "Casebridge".to_owned(),
        "flows".to_owned(),
        clock,
        move |lines| sink.lock().expect("no panic before")(lines),
    ));
    (function, output)
}

/// The rules of the specification, as a schema.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
fn rules() -> Value {
    let name = json!({ "type": "string", "minLength": 1, "maxLength": 1024 });
    let dimension = json!({ "type": "string", "minLength": 1, "maxLength": 250 });
    let directive = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["Namespace", "Dimensions", "Metrics"],
        "properties": {
            "Namespace": name,
            "Dimensions": {
                "type": "array",
                "minItems": 1,
                "items": { "type": "array", "maxItems": 30, "items": dimension },
            },
            "Metrics": {
                "type": "array",
                "minItems": 1,
                "maxItems": 100,
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["Name"],
                    "properties": {
                        "Name": name,
                        "Unit": { "enum": ["Count", "Milliseconds"] },
                        "StorageResolution": { "enum": [1, 60] },
                    },
                },
            },
        },
    });
    json!({
        "type": "object",
        "required": ["_aws"],
        "properties": {
            "_aws": {
                "type": "object",
                "additionalProperties": false,
                "required": ["Timestamp", "CloudWatchMetrics"],
                "properties": {
                    "Timestamp": { "type": "integer", "minimum": 0 },
                    "CloudWatchMetrics": { "type": "array", "minItems": 1, "items": directive },
                },
            },
        },
    })
}

/// Checks a rule that the schema cannot express: a directive names members of its line.
fn check_references(line: &Value) {
    for directive in line["_aws"]["CloudWatchMetrics"]
        .as_array()
        .expect("a list")
    {
        let sets = directive["Dimensions"].as_array().expect("a list");
        for dimension in sets.iter().flat_map(|set| set.as_array().expect("a list")) {
            let value = &line[dimension.as_str().expect("text")];
            let length = value.as_str().map_or(0, str::len);
            assert!((1..=1024).contains(&length), "{dimension} in {line}");
        }
        for metric in directive["Metrics"].as_array().expect("a list") {
            let value = &line[metric["Name"].as_str().expect("text")];
            let is_list = |values: &Vec<Value>| {
                (1..=100).contains(&values.len()) && values.iter().all(Value::is_number)
            };
            let is_value = value.is_number() || value.as_array().is_some_and(is_list);
            assert!(is_value, "{metric} in {line}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_line_keeps_to_the_embedded_metric_format() {
    // Jitter is drawn from it.
    fastrand::seed(1);
    let (function, output) = measured();
    function.inject(throttled("CreateCase").times(2));
    function.inject(denied("CreateRelatedItem"));
    for event in [
        "contact-flow-voice",
        "order-failed",
        "order-failed-wrong-type",
        "cases-change-own",
        "sqs-batch-of-two",
    ] {
        function.handle(&read(format!("events/{event}.json"))).await;
    }
    let schema = jsonschema::validator_for(&rules()).expect("a schema");
    let lines = output.lines();
    for line in &lines {
        let faults: Vec<_> = schema.iter_errors(line).map(|e| e.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?} in {line}");
        check_references(line);
    }
    let shown: Vec<String> = lines.iter().map(short).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

/// `tests/deployment` plays the lines of `metrics.jsonl` against the alarms. They are those that the function writes.
#[tokio::test(start_paused = true)]
async fn the_metrics_that_the_alarms_are_tested_with_are_those_of_the_function() {
    let other = "arn:aws:connect:us-east-1:111122223333:instance/other";
    let mut compared = 0;
    for recorded in read("tests/deployment/metrics.jsonl").lines() {
        let recorded: Value = serde_json::from_str(recorded).expect("JSON");
        let outcome = recorded["outcome"].as_str().expect("a text");
        let (mut function, output) = measured();
        let mut payload = read_json(match outcome.split_once(' ') {
            Some(("flow", _)) => "events/contact-flow-voice.json",
            Some((_, "permanent")) => "events/order-failed-wrong-type.json",
            _ => "events/order-failed.json",
        });
        match outcome {
            "flow skipped" => payload["Details"]["Parameters"] = json!({ "request": "none" }),
            "flow permanent" => {
                function.casebridge.guard.allowed_instances = vec![other.to_owned()];
            }
            "event refused" => payload = json!({}),
            "flow transient" | "event transient" => {
                function.inject(down("CreateCase").times(1_000));
            }
            _ => {}
        }
        function.handle(&payload.to_string()).await;
        let expected = recorded["lines"].as_array().expect("a list");
        assert_eq!(
            directives(&output.lines()),
            directives(expected),
            "{outcome}"
        );
        compared += 1;
    }
    assert_eq!(compared, 8);
}

/// The metrics of lines, each with its dimensions; in order, and each once.
fn directives(lines: &[Value]) -> Vec<String> {
    let of_line = |line: &Value| {
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().cloned();
        directives.unwrap_or_default().into_iter().map(|one| {
            format!(
                "{} {} {}",
                one["Namespace"], one["Metrics"], one["Dimensions"]
            )
        })
    };
    let mut found: Vec<String> = lines.iter().flat_map(of_line).collect();
    found.sort();
    found.dedup();
    found
}

/// A line of the log, member by member, without the time at which it was written.
fn story(line: &Value) -> String {
    let mut members: Vec<_> = line.as_object().expect("a group").iter().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    members.retain(|(name, _)| *name != "timestamp");
    let members = members
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"));
    members.collect()
}

/// A line's members but for its metadata.
fn short(line: &Value) -> String {
    let mut members: Vec<_> = line.as_object().expect("a group").iter().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    let members = members.iter().filter(|(name, _)| *name != "_aws");
    let members = members.map(|(name, value)| format!("{name}={value}"));
    members.collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn one_line_of_the_log_tells_the_story_of_an_event() {
    fastrand::seed(1);
    let (output, _guard) = Output::of_log();
    let function = Function::shipped();
    function.inject(throttled("CreateCase"));
    function.inject(denied("CreateRelatedItem"));
    let invocation = Invocation {
        remaining: AMPLE,
        request_id: "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned(),
        cold_start: true,
        ..Invocation::default()
    };
    let payload = read("events/contact-flow-voice.json");
    let _ = function.casebridge.handle(&payload, invocation).await;
    for event in ["order-failed-wrong-type", "cases-change-own"] {
        let payload = read(format!("events/{event}.json"));
        let _ = function
            .casebridge
            .handle(&payload, Duration::from_secs(3))
            .await;
    }
    let shown: Vec<String> = output.lines().iter().map(story).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn fields_left_out_and_invalid_variables_are_logged_and_counted() {
    let (log, _guard) = Output::of_log();
    let (measured, metrics) = measured();
    let mut function = Function::of(
        "version: 1
if_invalid: missing
if_missing: skip
cases:
  - name: order
    trigger: eventbridge
    variables: { total: $.detail.total | number }
    template: Contact follow-up
    tags: { team: $.detail.team }
    fields:
      title: Order
      Attempts: $.detail.attempts
      Priority:
        choose:
          - when: { $total: [{ numeric: ['>', 100] }] }
            value: High
          - value: Normal
",
    );
    function.casebridge.telemetry = measured.casebridge.telemetry;
    let event = json!({
        "source": "shop", "detail-type": "Order", "id": "1",
        "detail": { "total": "about 40", "attempts": "many", "team": "Café" },
    });
    function.handle(&event.to_string()).await;
    let fields = function.creations().remove(0)["fields"].clone();
    assert_eq!(fields.as_array().map(Vec::len), Some(2), "{fields}");
    let line = log.lines().pop().expect("a line");
    assert_eq!(line["level"], "WARN", "{line}");
    assert_eq!(line["outcome"], "created");
    assert_eq!(line["fields.left_out"], "Attempts, tags.team");
    assert_eq!(line["error.code"], "VariableInvalid");
    assert_eq!(line["error.field"], "variables.total");
    let left_out = metrics.lines().into_iter();
    let left_out: Vec<Value> = left_out.map(|line| line["FieldsLeftOut"].clone()).collect();
    assert!(left_out.contains(&json!(2.0)), "{left_out:?}");
}

/// The shipped function with a failure queue and a ledger, and what it writes: its log and its metrics.
fn on_call() -> (Function, Output, Output, tracing::subscriber::DefaultGuard) {
    let (function, metrics) = measured();
    let function = function.with_ledger().with_failure_queue();

    let (log, guard) = Output::of_log();
    (function, log, metrics, guard)
}

/// The codes of the lines that report a failure.
fn logged(log: &Output) -> Vec<String> {
    let lines = log.lines();
    let failed = lines.iter().filter(|line| line["outcome"] == "failed");
    let codes = failed.map(|line| line["error.code"].as_str().unwrap_or("none").to_owned());
    codes.collect()
}

/// The codes that `Failures` counts, and how many of them `PermanentFailures` counts too.
fn counted(metrics: &Output) -> (Vec<String>, usize) {
    let lines = metrics.lines();
    let with =
        |name: &str| -> Vec<&Value> { lines.iter().filter(|line| line[name] == 1.0).collect() };
    let codes = with("Failures").into_iter();
    let codes = codes.map(|line| line["ErrorCode"].as_str().unwrap_or("none").to_owned());
    (codes.collect(), with("PermanentFailures").len())
}

#[tokio::test(start_paused = true)]
async fn every_failure_is_logged_and_counted_by_one_code() {
    let wrong_type = read("events/order-failed-wrong-type.json");
    let wrong_type = message("wrong", "events", &wrong_type);
    let order = batch(&[message(
        "order",
        "events",
        &read("events/order-failed.json"),
    )]);
    let poison = message("poison", "events", "no event");
    let refused = Fault::status(403, "AccessDenied", "no").on("SQS.SendMessage");
    let down = down("CreateCase").times(1000);
    let unrecognized = "UnrecognizedPayload";
    for (name, payload, fault, seconds, failures, permanent, put_aside) in [
        (
            "a payload of no known kind",
            "{}",
            None,
            60,
            [unrecognized].as_slice(),
            1,
            0,
        ),
        (
            "a message that is no event, and an event that can never succeed",
            &batch(&[poison.clone(), wrong_type]),
            None,
            60,
            &[unrecognized, "FieldInvalid"],
            2,
            2,
        ),
        (
            "a failure queue that accepts nothing",
            &batch(&[poison]),
            Some(refused),
            60,
            &[unrecognized, "AccessDenied"],
            2,
            0,
        ),
        (
            "an event that no time is left for",
            &order,
            None,
            1,
            &["OutOfTime"],
            0,
            0,
        ),
        (
            "an event that a retry cures",
            &order,
            Some(down),
            60,
            &["OutcomeUnknown"],
            0,
            0,
        ),
    ] {
        let (function, log, metrics, _guard) = on_call();
        if let Some(fault) = fault {
            function.inject(fault);
        }
        function.handle_for(seconds, payload).await;
        assert_eq!(logged(&log), failures, "{name}");
        let (codes, number) = counted(&metrics);
        assert_eq!(codes, failures, "{name}");
        assert_eq!(number, permanent, "{name}");
        let reasons = function.put_aside();
        let reasons: Vec<_> = reasons.iter().map(|body| &body["errorCode"]).collect();
        assert_eq!(reasons, failures[..put_aside], "{name}");
        for line in metrics.lines() {
            check_references(&line);
        }
    }
}

/// An item that is missing for good counts by its code. It is no failed event, so the alarm on those stays silent.
#[tokio::test(start_paused = true)]
async fn a_contact_that_cannot_be_linked_counts_by_its_code() {
    let (function, metrics) = measured();
    function.inject(denied("CreateRelatedItem"));
    function
        .handle(&read("events/contact-flow-voice.json"))
        .await;
    assert_eq!(counted(&metrics), (vec!["ContactNotLinked".to_owned()], 0));
    let lines = metrics.lines();
    let directives = lines[0]["_aws"]["CloudWatchMetrics"].as_array();
    let failures = directives
        .expect("a list")
        .iter()
        .find(|directive| directive["Metrics"][0]["Name"] == "Failures");
    let by_code = json!([["FunctionName", "ErrorCode"]]);
    assert_eq!(failures.expect("it is counted")["Dimensions"], by_code);
}

/// The sum of `ThrottledCalls` of an operation.
fn throttled_calls(metrics: &Output, operation: &str) -> f64 {
    let lines = metrics.lines();
    let of_operation = lines.iter().filter(|line| line["Operation"] == operation);
    of_operation
        .filter_map(|line| line["ThrottledCalls"].as_f64())
        .sum()
}

/// DynamoDB and SQS throttle with a 400 or a 403, and with names of their own.
#[tokio::test(start_paused = true)]
async fn every_service_s_throttling_is_counted() {
    for name in [
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
    ] {
        let (function, _, metrics, _guard) = on_call();
        let fault = Fault::status(400, name, "slow down").on("DynamoDB.PutItem");
        function.inject(fault.times(2));
        let answer = function.handle(&read("events/order-failed.json")).await;
        assert_eq!(answer["status"], "created", "{answer}");
        assert_eq!(
            throttled_calls(&metrics, "PutItem").to_string(),
            "2",
            "{name}"
        );
    }
    for (status, name) in [
        (400, "ThrottlingException"),
        (403, "RequestThrottled"),
        (400, "KmsThrottled"),
        (403, "OverLimit"),
    ] {
        let (function, _, metrics, _guard) = on_call();
        let fault = Fault::status(status, name, "slow down").on("SQS.SendMessage");
        function.inject(fault.times(3));
        let answer = function
            .handle(&batch(&[message("poison", "events", "no event")]))
            .await;
        assert_eq!(answer, json!({ "batchItemFailures": [] }), "{name}");
        let counted = throttled_calls(&metrics, "SendMessage").to_string();
        assert_eq!(counted, "3", "{name}");
    }
}

/// The last code of an SQS queue that throttles until the time is up, and of one that is not there.
#[tokio::test(start_paused = true)]
async fn sqs_has_the_codes_of_all_services() {
    for (fault, code) in [
        (
            Fault::status(400, "KmsThrottled", "slow down").times(1000),
            "Throttled",
        ),
        (
            Fault::status(400, "QueueDoesNotExist", "gone"),
            "ResourceNotFound",
        ),
        (
            Fault::new(FaultKind::Hang).times(1000),
            "ServiceUnavailable",
        ),
    ] {
        let (function, log, _, _guard) = on_call();
        function.inject(fault.on("SQS.SendMessage"));
        let answer = function
            .handle(&batch(&[message("poison", "events", "no event")]))
            .await;
        let kept = json!({ "batchItemFailures": [{ "itemIdentifier": "poison" }] });
        assert_eq!(answer, kept);
        assert_eq!(logged(&log), ["UnrecognizedPayload", code]);
    }
}
