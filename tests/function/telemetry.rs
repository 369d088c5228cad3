//! What is told of each event: the log line, and metrics in the embedded metric format.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use casebridge::config::LogFormat;
use casebridge::handler::Invocation;
use casebridge::log;
use casebridge::metrics::Metrics;
use cases_emulator::Fault;
use serde_json::{Value, json};

use super::{AMPLE, Function, in_test, read};

/// Everything that was written.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<String>>);

impl Output {
    fn lines(&self) -> Vec<Value> {
        let text = self.0.lock().expect("no panic before");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = std::str::from_utf8(bytes).expect("whole lines");
        self.0.lock().expect("no panic before").push_str(text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

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

/// What the schema cannot say: what a directive names is a member of the line.
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
    let throttled = Fault::status(429, "ThrottlingException", "slow down")
        .on("CreateCase")
        .times(2);
    function.emulator.inject(throttled);
    let denied = Fault::status(403, "AccessDeniedException", "no").on("CreateRelatedItem");
    function.emulator.inject(denied);
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
    let told: Vec<String> = lines.iter().map(short).collect();
    insta::assert_snapshot!(told.join("\n"));
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
    let output = Output::default();
    let writer = output.clone();
    let subscriber = log::subscriber(LogFormat::Json, tracing::Level::INFO, move || {
        writer.clone()
    });
    let _guard = tracing::subscriber::set_default(subscriber);
    let function = Function::shipped();
    let throttled = Fault::status(429, "ThrottlingException", "slow down")
        .on("CreateCase")
        .times(1);
    function.emulator.inject(throttled);
    let down = Fault::status(403, "AccessDeniedException", "no").on("CreateRelatedItem");
    function.emulator.inject(down);
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
    let told: Vec<String> = output.lines().iter().map(story).collect();
    insta::assert_snapshot!(told.join("\n"));
}
