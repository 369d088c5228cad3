//! Metrics: turns outcomes and calls into log lines in CloudWatch's embedded metric format.
//!
//! CloudWatch makes metrics of these lines, without a call:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use aws_smithy_async::time::SharedTimeSource;
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use crate::call::CallRecord;
use crate::error::Failure;
use crate::outcome::{Done, Outcome, Step};
use mapping::Trigger;

const FUNCTION: &str = "FunctionName";
const TRIGGER: &str = "Trigger";
const MAPPING: &str = "Mapping";
const ERROR_CODE: &str = "ErrorCode";
const OPERATION: &str = "Operation";

/// The value of `Mapping` for an event that no case mapping accepted.
const NO_MAPPING: &str = "none";

/// The maximum number of values of one metric in one line, as the specification allows.
const VALUES: usize = 100;

/// The metrics of one function.
///
/// | metric | unit | dimensions in addition to `FunctionName` |
/// | --- | --- | --- |
/// | `CasesCreated`, `CasesExisting`, `EventsSkipped` | Count | none; `Trigger` and `Mapping` |
/// | `Failures` | Count | none; `Trigger` and `Mapping`; `ErrorCode` |
/// | `PermanentFailures`, `ContactLinkFailures` | Count | none; `Trigger` and `Mapping` |
/// | `ServiceLatency` | Milliseconds | none; `Operation` |
/// | `ThrottledCalls` | Count | none; `Operation` |
/// | `MappingRejected` | Count | none |
///
/// A failure without a known event is not counted by `Trigger` and `Mapping`.
/// If only a part of a case is missing permanently, `Failures` is counted by `ErrorCode` alone.
#[derive(Clone)]
pub struct Metrics {
    namespace: String,
    function: String,
    clock: SharedTimeSource,
    sink: Arc<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("namespace", &self.namespace)
            .field("function", &self.function)
            .finish_non_exhaustive()
    }
}

impl Metrics {
    /// Creates the metrics of a function in a namespace. `sink` receives whole lines, each with its line break.
    pub fn new(
        namespace: String,
        function: String,
        clock: SharedTimeSource,
        sink: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        Self {
            namespace,
            function,
            clock,
            sink: Arc::new(sink),
        }
    }

    /// Counts the outcome of an event, and records the durations of its calls.
    pub fn event(&self, trigger: Trigger, outcome: &Outcome, calls: &[CallRecord]) {
        let mut lines = self.line(&counts(outcome), |members| {
            members.push((TRIGGER, trigger.name()));
            members.push((MAPPING, outcome.mapping.as_deref().unwrap_or(NO_MAPPING)));
            if let Some(failure) = outcome.named_failure() {
                members.push((ERROR_CODE, failure.code.name()));
            }
        });
        lines += &self.lines_of_calls(calls);
        (self.sink)(&lines);
    }

    /// Counts a failure outside an event. Its trigger and case mapping are not known.
    pub fn failure(&self, failure: &Failure) {
        let mut counts = vec![Metric::count(
            "Failures",
            &[&[FUNCTION], &[FUNCTION, ERROR_CODE]],
            1,
        )];
        if !failure.code.is_transient() {
            counts.push(Metric::count("PermanentFailures", &[&[FUNCTION]], 1));
        }
        let line = self.line(&counts, |members| {
            members.push((ERROR_CODE, failure.code.name()));
        });
        (self.sink)(&line);
    }

    /// Records calls that belong to no event.
    pub fn calls(&self, calls: &[CallRecord]) {
        (self.sink)(&self.lines_of_calls(calls));
    }

    /// Returns one line for each operation, with the durations of its calls.
    fn lines_of_calls(&self, calls: &[CallRecord]) -> String {
        let mut lines = String::new();
        for operation in operations(calls) {
            lines += &self.line(&latencies(calls, operation), |members| {
                members.push((OPERATION, operation));
            });
        }
        lines
    }

    /// Counts a mapping that was rejected.
    pub fn mapping_rejected(&self) {
        let rejected = Metric::count("MappingRejected", &[&[FUNCTION]], 1);
        (self.sink)(&self.line(&[rejected], |_| ()));
    }

    /// Returns one line. `add` adds the values of the dimensions.
    fn line<'a>(
        &'a self,
        metrics: &[Metric],
        add: impl FnOnce(&mut Vec<(&'static str, &'a str)>),
    ) -> String {
        let mut members = vec![(FUNCTION, self.function.as_str())];
        add(&mut members);
        let since = self.clock.now().duration_since(SystemTime::UNIX_EPOCH);
        let line = Line {
            namespace: &self.namespace,
            timestamp: u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX),
            members: &members,
            metrics,
        };
        // Text and finite numbers always serialize to JSON.
        let mut line = serde_json::to_string(&line).unwrap_or_default();
        line.push('\n');
        line
    }
}

/// One metric of a line.
struct Metric {
    name: &'static str,
    unit: &'static str,
    dimensions: &'static [&'static [&'static str]],
    values: Vec<f64>,
}

impl Metric {
    fn count(
        name: &'static str,
        dimensions: &'static [&'static [&'static str]],
        count: u32,
    ) -> Self {
        Self {
            name,
            unit: "Count",
            dimensions,
            values: vec![f64::from(count)],
        }
    }
}

/// Returns the counts of an event.
fn counts(outcome: &Outcome) -> Vec<Metric> {
    const BY_MAPPING: &[&[&str]] = &[&[FUNCTION], &[FUNCTION, TRIGGER, MAPPING]];
    const BY_CODE: &[&[&str]] = &[
        &[FUNCTION],
        &[FUNCTION, TRIGGER, MAPPING],
        &[FUNCTION, ERROR_CODE],
    ];
    let mut counts = Vec::new();
    match &outcome.result {
        Ok(Done::Created(_)) => counts.push(Metric::count("CasesCreated", BY_MAPPING, 1)),
        Ok(Done::Existing(_)) => counts.push(Metric::count("CasesExisting", BY_MAPPING, 1)),
        Ok(Done::Skipped(_)) => counts.push(Metric::count("EventsSkipped", BY_MAPPING, 1)),
        Err(failure) if !failure.code.is_transient() => {
            counts.push(Metric::count("PermanentFailures", BY_MAPPING, 1));
        }
        Err(_) => {}
    }
    if outcome.failure().is_some() {
        counts.push(Metric::count("Failures", BY_CODE, 1));
    } else if outcome.named_failure().is_some() {
        // The case exists, and no retry adds the missing part. Only the failure's code is counted, and no failed event.
        counts.push(Metric::count("Failures", &[&[FUNCTION, ERROR_CODE]], 1));
    }
    if let (Ok(Done::Created(_)), count @ 1..) = (&outcome.result, outcome.left_out.len()) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        counts.push(Metric::count("FieldsLeftOut", BY_MAPPING, count));
    }
    if matches!(outcome.contact, Step::Missed { .. }) {
        counts.push(Metric::count("ContactLinkFailures", BY_MAPPING, 1));
    }
    counts
}

/// Returns the operations that were called, each once.
fn operations(calls: &[CallRecord]) -> Vec<&'static str> {
    let mut operations: Vec<&'static str> = calls.iter().map(|call| call.operation).collect();
    operations.sort_unstable();
    operations.dedup();
    operations
}

/// Returns the durations of the calls of one operation, and the number of throttled attempts.
fn latencies(calls: &[CallRecord], operation: &str) -> Vec<Metric> {
    const BY_OPERATION: &[&[&str]] = &[&[FUNCTION], &[FUNCTION, OPERATION]];
    let calls = || calls.iter().filter(|call| call.operation == operation);
    let took = calls().take(VALUES);
    let mut metrics = vec![Metric {
        name: "ServiceLatency",
        unit: "Milliseconds",
        dimensions: BY_OPERATION,
        values: took.map(|call| call.took.as_secs_f64() * 1000.0).collect(),
    }];
    let throttled: usize = calls().map(|call| call.throttled).sum();
    if throttled > 0 {
        let throttled = u32::try_from(throttled).unwrap_or(u32::MAX);
        metrics.push(Metric::count("ThrottledCalls", BY_OPERATION, throttled));
    }
    metrics
}

/// A line in its output form.
struct Line<'a> {
    namespace: &'a str,
    timestamp: u64,
    members: &'a [(&'static str, &'a str)],
    metrics: &'a [Metric],
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry(
            "_aws",
            &Metadata {
                timestamp: self.timestamp,
                cloud_watch_metrics: self.directives(),
            },
        )?;
        for (name, value) in self.members {
            line.serialize_entry(name, value)?;
        }
        for metric in self.metrics {
            match metric.values.as_slice() {
                [value] => line.serialize_entry(metric.name, value)?,
                values => line.serialize_entry(metric.name, values)?,
            }
        }
        line.end()
    }
}

impl<'a> Line<'a> {
    /// Returns one directive for each metric, because the metrics differ in their dimensions.
    fn directives(&self) -> Vec<Directive<'a>> {
        let directives = self.metrics.iter().map(|metric| Directive {
            namespace: self.namespace,
            dimensions: metric.dimensions,
            metrics: [Definition {
                name: metric.name,
                unit: metric.unit,
            }],
        });
        directives.collect()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    timestamp: u64,
    cloud_watch_metrics: Vec<Directive<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    dimensions: &'static [&'static [&'static str]],
    metrics: [Definition; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    unit: &'static str,
}
