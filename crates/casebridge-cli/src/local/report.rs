//! The output of `local`: a block per event and a summary, or a line of JSON per event.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anstyle::Style;
use mapping::domain::Domain;
use serde_json::json;

use super::case;
use super::events::{EventFile, Expectation};
use super::harness::Run;
use super::outcome::{Outcome, Status};
use super::rows::{Rows, printable};
use crate::failures::MessageFailure;
use crate::sources::about_customers;
use crate::terminal::{BAD, FAINT, GOOD, NOTABLE, STRONG, paint};

/// One event, sent.
#[derive(Debug)]
pub(super) struct Report {
    path: PathBuf,
    expected: Option<Expectation>,
    run: Run,
}

impl Report {
    pub(super) fn new(event: &EventFile, run: Run) -> Self {
        Self {
            path: event.path.clone(),
            expected: event.expected.clone(),
            run,
        }
    }

    fn is_as_expected(&self) -> bool {
        self.expected
            .as_ref()
            .is_none_or(|expected| expected.is_met_by(&self.run.outcome))
    }

    /// The event's line for machines. The path is as named, or `events/NAME`.
    pub(super) fn json_line(&self) -> String {
        let requests: Vec<_> = self
            .run
            .requests
            .iter()
            .map(|request| json!({ "operation": request.operation, "body": request.body }))
            .collect();
        let line = json!({
            "event": self.path.to_string_lossy(),
            "answer": self.run.answer,
            "requests": requests,
            "cases": self.run.cases,
            "failures": self.run.failed_messages.iter().map(MessageFailure::json).collect::<Vec<_>>(),
        });
        format!("{line}\n")
    }

    /// The event's block: its file, what became of it, and each case that it made, by the names of its domain.
    pub(super) fn human(&self, domain: &Domain) -> String {
        let outcome = &self.run.outcome;
        let mut rows = Rows::default();
        let style = self.status_style();
        rows.styled(style, outcome.status.to_string(), self.headline());
        if let Some(message) = &outcome.error_message {
            rows.sentence(message);
        }
        for message in &self.run.failed_messages {
            let line = format!("message {}: {}", message.message_id, message.headline());
            rows.styled(Style::new(), "", printable(&line));
            rows.sentence(&message.sentence);
        }
        if let Some(hint) = outcome.error_code.as_deref().and_then(about_customers) {
            rows.styled(FAINT, "", paint(FAINT, hint));
        }
        for (index, case) in self.run.cases.iter().enumerate() {
            if index > 0 {
                rows.gap();
            }
            case::add(&mut rows, case, &self.run.requests, domain);
        }
        // Only the log has the reason why messages are delivered again.
        if !self.is_as_expected()
            || outcome.status == Status::Failed && outcome.error_code.is_none()
        {
            for line in &self.run.log {
                rows.styled(FAINT, "log", paint(FAINT, line));
            }
        }
        format!("{}\n{rows}\n", paint(STRONG, file_name(&self.path)))
    }

    /// For a batch, whose answer names neither mapping nor case.
    fn case_count(&self) -> Option<String> {
        match self.run.cases.len() {
            0 => None,
            1 => Some("1 case".to_owned()),
            count => Some(format!("{count} cases")),
        }
    }

    fn status_style(&self) -> anstyle::Style {
        match self.run.outcome.status {
            _ if !self.is_as_expected() => BAD,
            Status::Created | Status::Existing => GOOD,
            Status::Skipped => NOTABLE,
            Status::Failed if self.expected.is_some() => NOTABLE,
            Status::Failed => BAD,
        }
    }

    /// The rest of the status line: the case mapping, and the error with its field.
    fn headline(&self) -> String {
        let Outcome {
            mapping,
            error_code,
            error_field,
            ..
        } = &self.run.outcome;
        let mut parts: Vec<String> = mapping
            .iter()
            .map(|mapping| format!("by {mapping}"))
            .collect();
        match (error_code, error_field) {
            (Some(code), Some(field)) => parts.push(format!("{code} at {field}")),
            (Some(code), None) => parts.push(code.clone()),
            (None, _) if mapping.is_none() => parts.extend(self.case_count()),
            (None, _) => {}
        }
        if let (false, Some(expected)) = (self.is_as_expected(), &self.expected) {
            parts.push(paint(BAD, format!("expected {expected}")));
        }
        parts.join(" · ")
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// All events, counted.
#[derive(Debug, Default)]
pub(super) struct Summary {
    by_status: BTreeMap<Status, usize>,
    with_expectation: usize,
    /// A sentence for each event that went otherwise.
    unexpected: Vec<String>,
}

impl Summary {
    pub(super) fn add(&mut self, report: &Report) {
        let outcome = &report.run.outcome;
        *self.by_status.entry(outcome.status).or_default() += 1;
        let Some(expected) = &report.expected else {
            return;
        };
        self.with_expectation += 1;
        if !report.is_as_expected() {
            let code = outcome
                .error_code
                .iter()
                .fold(String::new(), |_, code| format!(" ({code})"));
            self.unexpected.push(format!(
                "{}: expected {expected}, found {}{code}",
                report.path.display(),
                outcome.status
            ));
        }
    }

    pub(super) fn is_as_expected(&self) -> bool {
        self.unexpected.is_empty()
    }

    /// The events that went otherwise than expected, a line each.
    pub(super) fn unexpected_lines(&self) -> String {
        let mut lines = self.unexpected.join("\n");
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines
    }

    /// The closing lines.
    pub(super) fn human(&self, elapsed: Duration) -> String {
        let events: usize = self.by_status.values().sum();
        let mut line = format!("{events} event{}: ", if events == 1 { "" } else { "s" });
        let counts: Vec<_> = self
            .by_status
            .iter()
            .map(|(status, count)| format!("{count} {status}"))
            .collect();
        line.push_str(&counts.join(", "));
        match self.unexpected.len() {
            0 if self.with_expectation == 0 => {}
            0 => line = format!("{line}, {}", paint(GOOD, "as expected")),
            count => line = format!("{line}, {}", paint(BAD, format!("{count} not as expected"))),
        }
        let _ = writeln!(
            line,
            "{}",
            paint(FAINT, format!(" · {:.1} s", elapsed.as_secs_f64()))
        );
        for unexpected in &self.unexpected {
            let _ = writeln!(line, "  {unexpected}");
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::local::rows::plain;

    fn report(name: &str, expected: Option<&str>, run: &Value) -> Report {
        let list = |member: &str| {
            run.get(member)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let answer = run.get("answer").cloned().unwrap_or_default();
        let bytes = answer.to_string();
        let response = Ok(runtime_api::Answer::Response(bytes.into()));
        Report {
            path: format!("events/{name}").into(),
            expected: expected.map(|json| serde_json::from_str(json).expect("an expectation")),
            run: Run {
                outcome: Outcome::read(&response, &answer),
                answer,
                requests: list("requests")
                    .into_iter()
                    .map(|body| cases_emulator::Request {
                        operation: "CreateCase".to_owned(),
                        body,
                        path: "/domains/d/cases".to_owned(),
                        status: 200,
                    })
                    .collect(),
                cases: list("cases"),
                failed_messages: Vec::new(),
                log: vec!["WARN no order number".to_owned()],
            },
        }
    }

    fn domain() -> Domain {
        let snapshot = json!({
            "domain": { "domainId": "d" },
            "templates": [{ "templateId": "t-1", "name": "Order problem", "status": "Active" }],
            "fields": [
                { "fieldId": "title", "name": "Title", "type": "Text" },
                { "fieldId": "reference_number", "name": "Reference number", "type": "Text" },
                { "fieldId": "status", "name": "Status", "type": "SingleSelect", "options": [{ "name": "Open", "value": "open", "active": true }] },
                { "fieldId": "f-1", "name": "Priority", "type": "SingleSelect", "options": [{ "name": "High", "value": "high_1", "active": true }] },
                { "fieldId": "f-2", "name": "Order total", "type": "Number" },
                { "fieldId": "f-3", "name": "Owner", "type": "User" },
                { "fieldId": "f-4", "name": "Resolution", "type": "Text" },
                { "fieldId": "f-5", "name": "Customer is VIP", "type": "Boolean" },
                { "fieldId": "summary", "name": "Summary", "type": "Text" },
                { "fieldId": "customer_id", "name": "Customer", "type": "Text" },
            ],
        });
        Domain::from_json(&snapshot.to_string()).expect("a snapshot")
    }

    fn created() -> Report {
        let fields = json!([
            { "id": "title", "value": { "stringValue": "Refund for order A-1042" } },
            { "id": "f-1", "value": { "stringValue": "high_1" } },
            { "id": "f-2", "value": { "doubleValue": 629.90 } },
            { "id": "f-5", "value": { "booleanValue": false } },
            { "id": "f-3", "value": { "userArnValue":
                "arn:aws:connect:us-east-1:111122223333:instance/4f1c6f3e/agent/9a1b5d77" } },
            { "id": "f-4", "value": { "emptyValue": {} } },
            { "id": "customer_id", "value": { "stringValue": "arn:aws:profile:us-east-1:111122223333:domains/d/profiles/4d1c7e09" } },
            { "id": "summary", "value": { "stringValue": format!("Two lines,\n\u{1b}[2Jand {}", "very ".repeat(80)) } },
        ]);
        let mut held = fields.as_array().cloned().unwrap_or_default();
        held.reverse();
        held.extend([
            json!({ "id": "case_id", "value": { "stringValue": "3ceaaf30" } }),
            json!({ "id": "status", "value": { "stringValue": "open" } }),
            json!({ "id": "reference_number", "value": { "stringValue": "10000001" } }),
        ]);
        report(
            "contact-flow-voice.json",
            Some(r#""created""#),
            &json!({
                "answer": { "status": "created", "caseId": "3ceaaf30", "mapping": "refund-request", "errorCode": "" },
                "requests": [{ "templateId": "t-1", "fields": fields }],
                "cases": [{
                    "caseId": "3ceaaf30",
                    "templateId": "t-1",
                    "fields": held,
                    "tags": { "casebridge:key": "8d5fd7a12c", "source": "flow", "team": "orders" },
                    "profile": { "ProfileId": "4d1c7e09", "FirstName": "Jane", "LastName": "Doe" },
                    "relatedItems": [
                        { "content": { "contact": { "contactArn": "arn:aws:connect:us-east-1:111122223333:instance/4f1c6f3e/contact/0d8f4c1e" } } },
                        { "content": { "comment": { "body": "Called twice" } } },
                    ],
                    "performedBy": {
                        "user": { "customEntity": "casebridge/refund-request" },
                        "iamPrincipalArn": "arn:aws:iam::111122223333:role/r",
                    },
                }],
            }),
        )
    }

    fn skipped() -> Report {
        report(
            "cases-change-own.json",
            Some(r#""skipped""#),
            &json!({ "answer": {
                "status": "skipped",
                "errorCode": "OwnCaseEvent",
                "errorMessage": "the event tells of a case that this function made: another case of it would go round for ever",
            }}),
        )
    }

    fn failed(expected: Option<&str>) -> Report {
        report(
            "no-title.json",
            expected,
            &json!({ "answer": {
                "status": "failed",
                "mapping": "order-failed",
                "errorCode": "MissingValue",
                "errorField": "title",
                "errorMessage": "the title has no value: $.detail.order.id is absent",
            }}),
        )
    }

    #[test]
    fn a_case_is_shown_by_name_in_the_order_of_the_request() {
        insta::assert_snapshot!(plain(&created().human(&domain())));
    }

    #[test]
    fn a_skipped_event_says_why() {
        insta::assert_snapshot!(plain(&skipped().human(&domain())));
    }

    #[test]
    fn a_failure_names_code_field_and_what_was_expected() {
        insta::assert_snapshot!(plain(&failed(Some(r#""created""#)).human(&domain())));
    }

    #[test]
    fn the_summary_counts_events_by_status_and_lists_the_unexpected() {
        let other = r#"{"status": "failed", "errorCode": "EvaluateError"}"#;
        for (reports, is_as_expected, text) in [
            (
                vec![created(), created(), skipped(), failed(Some(r#""failed""#))],
                true,
                "4 events: 2 created, 1 skipped, 1 failed, as expected · 1.2 s\n",
            ),
            (
                vec![created(), failed(Some(other))],
                false,
                "2 events: 1 created, 1 failed, 1 not as expected · 1.2 s\n  events/no-title.json: expected failed (EvaluateError), found failed (MissingValue)\n",
            ),
            (vec![failed(None)], true, "1 event: 1 failed · 1.2 s\n"),
        ] {
            let mut summary = Summary::default();
            for report in &reports {
                summary.add(report);
            }
            assert_eq!(summary.is_as_expected(), is_as_expected, "{text}");
            assert_eq!(plain(&summary.human(Duration::from_millis(1234))), text);
        }
    }

    #[test]
    fn the_line_for_machines_has_event_answer_requests_and_cases() {
        let line: Value = serde_json::from_str(&created().json_line()).expect("JSON");
        for (pointer, value) in [
            ("/event", "events/contact-flow-voice.json"),
            ("/answer/status", "created"),
            ("/requests/0/operation", "CreateCase"),
            ("/requests/0/body/templateId", "t-1"),
            (
                "/cases/0/performedBy/user/customEntity",
                "casebridge/refund-request",
            ),
        ] {
            assert_eq!(line.pointer(pointer), Some(&json!(value)), "{pointer}");
        }
    }
}
