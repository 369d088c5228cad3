//! What the process holds in memory, as Linux counts it: the resident set.

use anyhow::Context as _;
use bytes::Bytes;
use cases_emulator::Emulator;
use serde::Serialize;
use serde_json::{Value, json};

/// The resident set at one point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// Events that were done by then.
    pub done: usize,
    /// In kilobytes.
    pub resident_kb: u64,
}

/// Memory over the run.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// From the first to the last point; none where the system does not tell.
    pub samples: Vec<Sample>,
    /// What as many cases take in the emulator alone, in kilobytes: it keeps them all, in the same process.
    pub of_the_emulator: Option<u64>,
}

impl Sample {
    /// Now, if the system tells.
    pub(super) fn take(done: usize) -> Option<Self> {
        let resident_kb = resident_kb()?;
        Some(Self { done, resident_kb })
    }
}

impl Memory {
    /// By how much the resident set grew between the first point and the last, in kilobytes.
    #[must_use]
    pub fn growth(&self) -> Option<u64> {
        let (first, last) = (self.samples.first()?, self.samples.last()?);
        Some(last.resident_kb.saturating_sub(first.resident_kb))
    }
}

/// An emulator with so many cases, stored without the function, and what they take in kilobytes. Measured before anything is given back to
/// the heap, and kept until the end, so that the run does not live on what it leaves.
pub(super) async fn of_cases(
    snapshot: &str,
    cases: usize,
) -> anyhow::Result<(Emulator, Option<u64>)> {
    let domain: Value = serde_json::from_str(snapshot)?;
    let text = |path: &str| domain.pointer(path).and_then(Value::as_str);
    let path = format!(
        "/domains/{}/cases",
        text("/domain/domainId").unwrap_or_default()
    );
    let templates = domain.get("templates").and_then(Value::as_array);
    let template = templates.into_iter().flatten().find(|template| {
        template
            .get("name")
            .is_some_and(|name| name == "Contact follow-up")
    });
    let template = template.and_then(|template| template.get("templateId"));
    let emulator =
        Emulator::from_snapshot(snapshot).context("the emulator does not take domain.json")?;
    let before = resident_kb();
    for number in 0..cases {
        let token = format!("{number:064x}");
        let body = json!({
            "templateId": template,
            "fields": [{ "id": "title", "value": { "stringValue": format!("B{number}") } }],
            "clientToken": token,
            "performedBy": { "customEntity": "casebridge/backlog" },
            "tags": { "release": "one", "casebridge:key": token },
        });
        let request = http::Request::post(&path).body(Bytes::from(body.to_string()))?;
        let stored = emulator.respond(request).await;
        let is_stored = stored.is_ok_and(|answer| answer.status().is_success());
        anyhow::ensure!(
            is_stored,
            "the emulator refuses the case of the measurement"
        );
        emulator.clear_requests();
    }
    let grown = resident_kb()
        .zip(before)
        .map(|(after, before)| after.saturating_sub(before));
    Ok((emulator, grown))
}

fn resident_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}
