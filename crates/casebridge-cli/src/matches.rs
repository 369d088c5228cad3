//! `match`: matches an event against an event pattern with the function's matcher.

use std::io::{self, BufRead as _};

use anyhow::{Context as _, anyhow, bail};
use mapping::pattern::Pattern;
use mapping::{json, tree::Node};
use serde::Deserialize;
use serde_json::Value;

use crate::sources::read_input;
use crate::terminal;

/// Test an event pattern against an event
///
/// The pattern is written as for EventBridge, or as under `when` in the mapping; the event is JSON.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge match '{\"source\": [{\"prefix\": \"com.example\"}]}' events/order-failed.json
  cargo casebridge match pattern.json - < event.json
  cargo casebridge match --jsonl < pairs.jsonl

Each line of pairs.jsonl is {\"pattern\": \"…\", \"event\": \"…\"}, both JSON as text.
The answer is a line: true, false, or error: and the reason.

Exit status: 0 it matches; 1 it does not; 2 pattern or event cannot be used.")]
pub(crate) struct Arguments {
    /// The pattern: a file, `-` for standard input, or JSON
    #[arg(required_unless_present = "jsonl")]
    pattern: Option<String>,

    /// The event: a file, `-` for standard input, or JSON
    #[arg(required_unless_present = "jsonl")]
    event: Option<String>,

    /// Answer pairs from standard input, line by line
    #[arg(long, conflicts_with_all = ["pattern", "event", "json"])]
    jsonl: bool,

    /// Answer as JSON: {"matches": true}
    #[arg(long)]
    json: bool,
}

/// # Errors
///
/// A file that cannot be read, a pattern that EventBridge would refuse, an event that is not JSON.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let (Some(pattern), Some(event)) = (&arguments.pattern, &arguments.event) else {
        return answer_lines();
    };
    if pattern == "-" && event == "-" {
        bail!(
            "pattern and event cannot both come from standard input: name a file for one of them"
        );
    }
    let pattern = Source::read(pattern)?.pattern()?;
    let event = Source::read(event)?.event()?;
    let matches = pattern.matches(&event);
    let answer = if arguments.json {
        format!("{{\"matches\": {matches}}}\n")
    } else {
        format!("{matches}\n")
    };
    terminal::print(&answer)?;
    Ok(matches)
}

/// A text, and its name in errors.
struct Source {
    name: String,
    text: String,
}

impl Source {
    fn read(argument: &str) -> anyhow::Result<Self> {
        let is_json = argument.trim_start().starts_with('{');
        let (name, text) = match argument {
            json if is_json => ("the command line", json.to_owned()),
            "-" => ("standard input", read_input(argument)?),
            file => (file, read_input(file)?),
        };
        let name = name.to_owned();
        Ok(Self { name, text })
    }

    /// The pattern, or every diagnostic of it with its place.
    fn pattern(self) -> anyhow::Result<Pattern> {
        Pattern::read(&self.name, &self.text)
            .map_err(|diagnostics| anyhow!("the pattern cannot be used\n\n{diagnostics}"))
    }

    fn event(self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.text)
            .with_context(|| format!("the event is not JSON ({})", self.name))
    }
}

/// One pair of `--jsonl`.
#[derive(Deserialize)]
struct Pair {
    pattern: String,
    event: String,
}

fn answer_lines() -> anyhow::Result<bool> {
    for line in io::stdin().lock().lines() {
        let line = line.context("standard input could not be read")?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = match answer(&line) {
            Ok(matches) => matches.to_string(),
            Err(reason) => format!("error: {reason}"),
        };
        terminal::print(&format!("{answer}\n"))?;
    }
    Ok(true)
}

/// Returns the answer to one line, or the reason for none, in one line.
fn answer(line: &str) -> Result<bool, String> {
    let pair: Pair = serde_json::from_str(line).map_err(|error| {
        format!("expected {{\"pattern\": …, \"event\": …}} with JSON as text: {error}")
    })?;
    let node: Node = json::parse(&pair.pattern).map_err(|diagnostic| diagnostic.message)?;
    let pattern = Pattern::compile(&node).map_err(|diagnostics| {
        let messages: Vec<_> = diagnostics
            .into_iter()
            .map(|diagnostic| diagnostic.message)
            .collect();
        messages.join("; ")
    })?;
    let event: Value = serde_json::from_str(&pair.event)
        .map_err(|error| format!("the event is not JSON: {error}"))?;
    Ok(pattern.matches(&event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_takes_one_line() {
        for line in [
            "not JSON",
            r#"{"pattern": "{\"n\": []}", "event": "{}"}"#,
            r#"{"pattern": "{\"n\": [1]}", "event": "{"}"#,
            r#"{"pattern": "{\"a\": 1, \"b\": []}", "event": "{}"}"#,
        ] {
            let reason = answer(line).expect_err(line);
            assert!(!reason.contains('\n'), "{reason}");
        }
    }

    #[test]
    fn a_pattern_that_cannot_be_used_shows_the_place() {
        let source = Source {
            name: "pattern.json".to_owned(),
            text: "{\"source\": \"aws.ec2\"}".to_owned(),
        };
        insta::assert_snapshot!(source.pattern().expect_err("not a list"));
    }
}
