//! `replay`: the difference that a new mapping makes for events of the past.
//!
//! Both mappings assemble the request of each event, as the function does before its first call. Nothing is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, anyhow, bail};
use casebridge::config::Config;
use casebridge::error::Failure;
use casebridge::event::Event;
use casebridge::request::CaseRequest;
use mapping::domain::Domain;
use mapping::{LoadContext, Mapping};
use serde_json::{Value, json};

use crate::outcome::{Function, Outcome};
use crate::sources::{self, Sources, read_input};
use crate::terminal::{self, BAD, FAINT, GOOD, NOTABLE, STRONG, counted, paint};

/// Compare two mappings over events: which cases, keys and fields would change
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge replay HEAD mapping.yaml events/*.json
  cargo casebridge replay v1.mapping.yaml mapping.yaml archive.jsonl --deny key-changes
  cargo casebridge replay main:mapping.yaml mapping.yaml archive.jsonl --markdown

A mapping is a file, or a git revision: REVISION:PATH, or REVISION for the path of the other one.
An event file holds one payload, or one on each line (.jsonl); a message of the failure queue
stands for its event. A key that changes makes a second case for an open one.

Exit status: 0 nothing that --deny names; 1 something; 2 the files could not be read.")]
pub(crate) struct Arguments {
    /// The mapping of now: a file or a git revision
    old: String,

    /// The mapping to compare: a file or a git revision
    new: String,

    /// The events: files, or `-` for standard input
    #[arg(required = true, value_name = "EVENTS")]
    events: Vec<String>,

    #[command(flatten)]
    sources: Sources,

    /// Exit with 1 if there is such a change
    #[arg(long, value_name = "CHANGE", value_delimiter = ',')]
    deny: Vec<Change>,

    /// One object: {"events", "unchanged", "changes": [{"change", "mapping", "detail", "count", "examples"}]}
    #[arg(long, conflicts_with = "markdown")]
    json: bool,

    /// A table for a pull request
    #[arg(long)]
    markdown: bool,
}

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
enum Change {
    /// The key is another: the event would create a second case
    #[value(name = "key-changes")]
    Key,
    /// There is no case any more
    #[value(name = "cases-vanish")]
    Vanishes,
    /// There is a case where there was none
    #[value(name = "cases-appear")]
    Appears,
    /// The reason for which there is no case is another
    #[value(name = "reason-changes")]
    Reason,
    /// A field, tag or another part of the request is another
    #[value(name = "request-changes")]
    Request,
}

impl Change {
    /// Returns the change in words.
    fn title(self) -> &'static str {
        match self {
            Self::Key => "keys change: a second case for an open one",
            Self::Vanishes => "cases vanish",
            Self::Appears => "cases appear",
            Self::Reason => "another reason for no case",
            Self::Request => "requests change",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Key => "key-changes",
            Self::Vanishes => "cases-vanish",
            Self::Appears => "cases-appear",
            Self::Reason => "reason-changes",
            Self::Request => "request-changes",
        }
    }
}

/// A group of equal changes: the kind, the case mapping, and the detail such as a field's name.
type Group = (Change, String, String);

/// The beginning of a detail about a field.
const FIELD: &str = "field ";

/// The number of examples that a group keeps.
const EXAMPLES: usize = 3;

/// The count of a group, and the names of its first events.
#[derive(Default)]
struct Tally {
    count: usize,
    examples: Vec<String>,
}

/// The result of a replay.
#[derive(Default)]
struct Report {
    events: usize,
    changed: usize,
    groups: BTreeMap<Group, Tally>,
}

/// # Errors
///
/// A file that cannot be read, or a mapping with errors.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let files = arguments.sources.read()?;
    let domain = Domain::from_json(&files.snapshot)
        .with_context(|| format!("{} is not a domain snapshot", files.domain.display()))?;
    let config = Config::read(&|name| files.variable(name), &[])?;
    let function = |argument: &str, other: &str| -> anyhow::Result<Function> {
        let (name, text) = mapping_text(argument, other)?;
        let context = LoadContext {
            domain: Some(&domain),
            entity_prefix: &config.entity_prefix,
        };
        let mapping = Mapping::load(&name, &text, context)
            .map_err(|errors| anyhow!("{argument} has errors\n{errors}"))?;
        Function::new(mapping, &config, &domain)
    };
    let old = function(&arguments.old, &arguments.new)?;
    let new = function(&arguments.new, &arguments.old)?;
    let payloads = payloads(&arguments.events)?;
    let report = replay(&old, &new, &payloads).with_names(&domain);
    let text = if arguments.json {
        format!("{}\n", report.json())
    } else if arguments.markdown {
        report.markdown()
    } else {
        report.text()
    };
    terminal::print(&text)?;
    let denied = |(change, ..): &Group| arguments.deny.contains(change);
    Ok(!report.groups.keys().any(denied))
}

/// Returns the name and the text of a mapping: of a file, or of a path in a git revision.
fn mapping_text(argument: &str, other: &str) -> anyhow::Result<(String, String)> {
    if Path::new(argument).is_file() {
        return Ok((argument.to_owned(), sources::read_text(argument)?));
    }
    let (revision, path) = match argument.split_once(':') {
        Some((revision, path)) => (revision, path),
        None if Path::new(other).is_file() => (argument, other),
        None => (argument, "mapping.yaml"),
    };
    // `REVISION:./NAME` is relative to the folder that git runs in.
    let folder = Path::new(path).parent().filter(|folder| folder.is_dir());
    let name = Path::new(path).file_name().unwrap_or_default();
    let mut git = Command::new("git");
    git.args(["show", &format!("{revision}:./{}", name.to_string_lossy())]);
    git.current_dir(folder.unwrap_or(Path::new(".")));
    let shown = git.output().context("git could not be run")?;
    if !shown.status.success() {
        bail!("{argument} is neither a file nor a git revision with {path}");
    }
    let text = String::from_utf8(shown.stdout).context("the mapping is not UTF-8")?;
    Ok((path.to_owned(), text))
}

/// Returns the payloads of the files, each with its name for examples.
fn payloads(files: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let mut payloads = Vec::new();
    for file in files {
        let text = read_input(file)?;
        let extension = Path::new(file).extension();
        let is_lines =
            extension.is_some_and(|extension| extension == "jsonl" || extension == "ndjson");
        if !is_lines && serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok() {
            payloads.push((file.clone(), text));
            continue;
        }
        for (number, line) in (1..).zip(text.lines()) {
            if !line.trim().is_empty() {
                payloads.push((format!("{file}:{number}"), line.to_owned()));
            }
        }
    }
    Ok(payloads)
}

/// Returns the events of a payload. A message of the failure queue stands for the event in it.
fn events(payload: &str) -> Vec<Result<Event, Failure>> {
    let events = sources::events(payload);
    if events.iter().any(Result::is_ok) {
        return events;
    }
    let message: Option<Value> = serde_json::from_str(payload).ok();
    match message.as_ref().and_then(|message| message.get("event")) {
        Some(Value::String(event)) => sources::events(event),
        Some(event) => sources::events(&event.to_string()),
        None => events,
    }
}

fn replay(old: &Function, new: &Function, payloads: &[(String, String)]) -> Report {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let size = payloads.len().div_ceil(threads).max(1);
    let done = AtomicUsize::new(0);
    let mut report = Report::default();
    thread::scope(|scope| {
        let workers: Vec<_> = payloads
            .chunks(size)
            .map(|chunk| scope.spawn(|| part(old, new, chunk, payloads.len(), &done)))
            .collect();
        for worker in workers {
            // A worker that panicked has printed its panic; its events are not counted.
            if let Ok(part) = worker.join() {
                report.add(part);
            }
        }
    });
    report
}

/// Replays a part of the payloads.
fn part(
    old: &Function,
    new: &Function,
    payloads: &[(String, String)],
    all: usize,
    done: &AtomicUsize,
) -> Report {
    /// The number of payloads between two notes of the progress.
    const STEP: usize = 10_000;
    let mut report = Report::default();
    for (name, payload) in payloads {
        for event in events(payload) {
            let changes = changes(&old.outcome(&event), &new.outcome(&event));
            report.events += 1;
            report.changed += usize::from(!changes.is_empty());
            for group in changes {
                let tally = report.groups.entry(group).or_default();
                tally.count += 1;
                if tally.examples.len() < EXAMPLES {
                    tally.examples.push(name.clone());
                }
            }
        }
        let number = done.fetch_add(1, Ordering::Relaxed) + 1;
        if number.is_multiple_of(STEP) && number < all {
            let _ = writeln!(anstream::stderr(), "{number} of {all}");
        }
    }
    report
}

impl Report {
    /// Returns the report with the names of fields in place of their ids.
    fn with_names(mut self, domain: &Domain) -> Self {
        let named = |detail: String| match detail.strip_prefix(FIELD) {
            Some(id) => domain
                .field(id)
                .map_or(detail.clone(), |field| format!("{FIELD}{}", field.name)),
            None => detail,
        };
        let groups = std::mem::take(&mut self.groups).into_iter();
        self.groups = groups
            .map(|((change, mapping, detail), tally)| ((change, mapping, named(detail)), tally))
            .collect();
        self
    }

    fn add(&mut self, part: Self) {
        self.events += part.events;
        self.changed += part.changed;
        for (group, tally) in part.groups {
            let sum = self.groups.entry(group).or_default();
            sum.count += tally.count;
            sum.examples.extend(tally.examples);
            sum.examples.truncate(EXAMPLES);
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut last = None;
        for ((change, mapping, detail), tally) in &self.groups {
            if last != Some(*change) {
                let style = match change {
                    Change::Key | Change::Vanishes => BAD,
                    Change::Appears | Change::Reason => NOTABLE,
                    Change::Request => STRONG,
                };
                let _ = writeln!(text, "{}", paint(style, change.title()));
                last = Some(*change);
            }
            let examples = paint(FAINT, tally.examples.join(", "));
            let _ = writeln!(
                text,
                "  {:>6}  {mapping}  {detail}  {examples}",
                tally.count
            );
        }
        if self.groups.is_empty() {
            let same = format!("{}: nothing changes", counted(self.events, "event"));
            return format!("{}\n", paint(GOOD, same));
        }
        let unchanged = self.events - self.changed;
        let _ = writeln!(
            text,
            "\n{}, {unchanged} unchanged",
            counted(self.events, "event")
        );
        text
    }

    fn markdown(&self) -> String {
        let unchanged = self.events - self.changed;
        let mut text = format!(
            "{}, {unchanged} unchanged.\n",
            counted(self.events, "event")
        );
        if self.groups.is_empty() {
            return text;
        }
        text.push_str("\n| change | events | case mapping | detail | examples |\n| --- | --: | --- | --- | --- |\n");
        for ((change, mapping, detail), tally) in &self.groups {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                change.title(),
                tally.count,
                cell(mapping),
                cell(detail),
                cell(&tally.examples.join(", "))
            );
        }
        text
    }

    fn json(&self) -> Value {
        let changes: Vec<Value> = self
            .groups
            .iter()
            .map(|((change, mapping, detail), tally)| {
                json!({
                    "change": change.name(),
                    "mapping": mapping,
                    "detail": detail,
                    "count": tally.count,
                    "examples": tally.examples,
                })
            })
            .collect();
        json!({
            "events": self.events,
            "unchanged": self.events - self.changed,
            "changes": changes,
        })
    }
}

/// Returns text for a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Returns the changes between two outcomes of one event.
fn changes(old: &Outcome<'_>, new: &Outcome<'_>) -> Vec<Group> {
    let group = |change, mapping: &str, detail: String| (change, mapping.to_owned(), detail);
    match (old, new) {
        (
            Outcome::Case {
                mapping: before,
                request: old,
            },
            Outcome::Case {
                mapping: after,
                request: new,
            },
        ) => {
            let mut changes = Vec::new();
            if old.client_token != new.client_token {
                let detail = if before == after {
                    "another key".to_owned()
                } else {
                    format!("taken by {after}")
                };
                changes.push(group(Change::Key, before, detail));
            }
            let parts = differences(old, new).into_iter();
            changes.extend(parts.map(|part| group(Change::Request, after, part)));
            changes
        }
        (Outcome::Case { mapping, .. }, other) => {
            vec![group(Change::Vanishes, mapping, reason(other))]
        }
        (other, Outcome::Case { mapping, .. }) => {
            vec![group(Change::Appears, mapping, reason(other))]
        }
        (old, new) if reason(old) != reason(new) => {
            let detail = format!("{} → {}", reason(old), reason(new));
            vec![group(Change::Reason, "", detail)]
        }
        _ => Vec::new(),
    }
}

/// Returns the reason for which there is no case. It names codes and fields, never a value.
fn reason(outcome: &Outcome<'_>) -> String {
    match outcome {
        Outcome::Case { .. } => String::new(),
        Outcome::Skipped(skip) => skip.name().to_owned(),
        Outcome::Refused { failure, .. } => match &failure.field {
            Some(field) => format!("{} at {field}", failure.code),
            None => failure.code.to_string(),
        },
    }
}

/// Returns the names, sorted, whose values differ between two lists.
fn different<'r, T: PartialEq>(old: &'r [(String, T)], new: &'r [(String, T)]) -> Vec<&'r str> {
    let names = old.iter().chain(new).map(|(name, _)| name.as_str());
    let names: BTreeSet<&str> = names.collect();
    let value = |list: &'r [(String, T)], name: &str| {
        let mut list = list.iter();
        list.find(|(known, _)| known == name)
            .map(|(_, value)| value)
    };
    names
        .into_iter()
        .filter(|name| value(old, name) != value(new, name))
        .collect()
}

/// Returns the names of the parts in which two requests differ.
fn differences(old: &CaseRequest, new: &CaseRequest) -> Vec<String> {
    let mut parts = Vec::new();
    if old.template_id != new.template_id {
        parts.push("template".to_owned());
    }
    let fields = different(&old.fields, &new.fields).into_iter();
    parts.extend(fields.map(|id| format!("{FIELD}{id}")));
    let tags = different(&old.tags, &new.tags).into_iter();
    let tags = tags.filter(|key| *key != mapping::limits::KEY_TAG);
    parts.extend(tags.map(|key| format!("tag {key}")));
    let others = [
        ("performed by", old.performed_by != new.performed_by),
        ("customer", old.customer != new.customer),
        ("contact", old.contact != new.contact),
        ("comments", old.comments != new.comments),
        (
            "return_reference",
            old.return_reference != new.return_reference,
        ),
        ("use of the ledger", old.ledger != new.ledger),
    ];
    let changed = others.into_iter().filter(|(_, changed)| *changed);
    parts.extend(changed.map(|(part, _)| part.to_owned()));
    parts
}
