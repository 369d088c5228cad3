//! `test`: runs a mapping's tests, each an event and its expected outcome, with the function's own code and no service.

mod decode;
mod expectation;
mod merge_patch;
pub(crate) mod schema;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use casebridge::config::Config;
use mapping::domain::Domain;
use mapping::{LoadContext, Mapping};
use serde_json::json;
use textwrap::core::display_width;

use self::decode::{Subject, Test};
use self::expectation::Difference;
use crate::outcome::{Function, Outcome};
use crate::sources::{Sources, read_text};
use crate::terminal::{self, BAD, FAINT, GOOD, STRONG, paint};

/// Run the tests of the mapping: events, each with its expected outcome
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge test
  cargo casebridge test --filter refund
  cargo casebridge test --mapping new.yaml mapping.test.yaml
  cargo casebridge test --json | jq 'select(.ok | not)'

A test names an event, what it changes in it, and what it expects:

  version: 1
  tests:
    - name: an order of more than 500 dollars is urgent
      event: events/order-failed.json       # a file, or the event itself
      with:                                 # merged over `$`, as the mapping sees it
        detail: { order: { amount: 500.01 } }
      expect:
        case: order-failed                  # or skipped: NoCaseMapping,
        fields:                             # or refused: { code: …, field: … }
          Priority: High
        not_sent: [Owner]
        tags: { team: orders }
        performed_by: casebridge/order-failed
        customer:                           # the searches for the customer,
          - _email: jane.doe@example.com    # or a profile's ARN or id, true or false
        contact: false                      # the contact that is linked, or true
        comments: [Called twice]            # or true or false

Exit status: 0 all tests are ok; 1 some failed; 2 they could not be run.")]
pub(crate) struct Arguments {
    /// The tests [default: the mapping's name with `.test` in it, mapping.test.yaml]
    file: Option<PathBuf>,

    #[command(flatten)]
    sources: Sources,

    /// Run only the tests whose name has this text in it
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,

    /// One line per test: {"test", "line", "ok", "case", "differences": [{"about", "expected", "found", "reason"}]}
    #[arg(long)]
    json: bool,
}

/// # Errors
///
/// When a file cannot be read, or has diagnostics.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let files = arguments.sources.read()?;
    let config = Config::read(&|name| files.variable(name), &[])?;
    let domain = Domain::from_json(&files.snapshot)
        .and_then(|domain| domain.expect_id(&config.domain_id).map(|()| domain))
        .map_err(|error| anyhow!("{}: {error}", files.domain.display()))?;
    let context = LoadContext {
        domain: Some(&domain),
        entity_prefix: &config.entity_prefix,
    };
    let mapping = Mapping::load(&config.mapping.name, &config.mapping.text, context)
        .map_err(|diagnostics| anyhow!("the mapping cannot be used\n\n{diagnostics}"))?;
    let function = Function::new(mapping, &config, &domain)?;

    let path = match &arguments.file {
        Some(path) => path.clone(),
        None => path_for(Path::new(&config.mapping.name)),
    };
    let file = path.display().to_string();
    let tests = read(&path, &function.mapping, &domain)?;
    let reports: Vec<Report<'_>> = tests
        .iter()
        .filter(|test| arguments.selects(test))
        .map(|test| Report::new(test, &function.outcome(&test.event)))
        .collect();
    if let (true, Some(filter)) = (reports.is_empty(), &arguments.filter) {
        bail!("no test of {file} has `{filter}` in its name");
    }
    let mut text: String = reports
        .iter()
        .map(|report| {
            if arguments.json {
                report.json_line()
            } else {
                report.human(&file)
            }
        })
        .collect();
    if !arguments.json {
        text += &summary(&reports, tests.len());
    }
    terminal::print(&text)?;
    Ok(reports.iter().all(Report::is_ok))
}

impl Arguments {
    fn selects(&self, test: &Test) -> bool {
        let filter = self.filter.as_deref().unwrap_or_default();
        test.name.to_lowercase().contains(&filter.to_lowercase())
    }
}

/// Returns the path of a mapping's tests: `orders.test.yaml` for `orders.yaml`.
pub(crate) fn path_for(mapping: &Path) -> PathBuf {
    let extension = mapping.extension().unwrap_or("yaml".as_ref());
    let mut suffix = std::ffi::OsString::from("test.");
    suffix.push(extension);
    mapping.with_extension(suffix)
}

fn read(path: &Path, mapping: &Mapping, domain: &Domain) -> anyhow::Result<Vec<Test>> {
    if !path.exists() {
        bail!(
            "there are no tests in {}: write them (`cargo casebridge test --help` shows how), or name another file",
            path.display()
        );
    }
    let text = read_text(path)?;
    let subject = Subject {
        mapping,
        domain,
        folder: path.parent().unwrap_or(Path::new("")),
    };
    decode::tests(&path.display().to_string(), &text, &subject)
        .map_err(|diagnostics| anyhow!("the tests cannot be used\n\n{diagnostics}"))
}

/// The width of a message's lines.
const SENTENCE_WIDTH: usize = 88;

/// One test, run.
struct Report<'a> {
    test: &'a Test,
    /// The case mapping that took the event.
    mapping: Option<&'a str>,
    differences: Vec<Difference>,
}

impl<'a> Report<'a> {
    fn new(test: &'a Test, outcome: &Outcome<'a>) -> Self {
        Self {
            test,
            mapping: match outcome {
                Outcome::Case { mapping, .. } => Some(mapping),
                Outcome::Refused { mapping, .. } => *mapping,
                Outcome::Skipped(_) => None,
            },
            differences: test.expected.differences(outcome),
        }
    }

    fn is_ok(&self) -> bool {
        self.differences.is_empty()
    }

    /// The test's line for machines.
    fn json_line(&self) -> String {
        let differences: Vec<_> = self
            .differences
            .iter()
            .map(|difference| {
                json!({
                    "about": difference.about,
                    "expected": difference.expected,
                    "found": difference.found,
                    "reason": difference.reason,
                })
            })
            .collect();
        let line = json!({
            "test": self.test.name,
            "line": self.test.line,
            "ok": self.is_ok(),
            "case": self.mapping,
            "differences": differences,
        });
        format!("{line}\n")
    }

    /// The test's line for people, and what differs below it.
    fn human(&self, file: &str) -> String {
        if self.is_ok() {
            return format!("{}      {}\n", paint(GOOD, "ok"), self.test.name);
        }
        let mut text = format!(
            "{}  {}\n",
            paint(BAD, "failed"),
            paint(STRONG, &self.test.name)
        );
        let by = self.mapping.map(|mapping| format!("by {mapping}, "));
        let place = format!("{}{file}:{}", by.unwrap_or_default(), self.test.line);
        let _ = writeln!(text, "        {}", paint(FAINT, place));
        let width = |difference: &Difference| display_width(&difference.about);
        let column = self.differences.iter().map(width).max().unwrap_or_default();
        for difference in &self.differences {
            let Difference {
                about,
                expected,
                found,
                reason,
            } = difference;
            let indent = " ".repeat(column - width(difference));
            let _ = writeln!(
                text,
                "        {about}{indent}  {} {}",
                paint(FAINT, "expected"),
                paint(GOOD, expected)
            );
            let below = format!("        {:column$}     ", "");
            let _ = writeln!(
                text,
                "{below}{} {}",
                paint(FAINT, "found"),
                paint(BAD, found)
            );
            for line in reason
                .iter()
                .flat_map(|reason| textwrap::wrap(reason, SENTENCE_WIDTH))
            {
                let _ = writeln!(text, "{below}      {line}");
            }
        }
        text
    }
}

/// The closing line: how many ran, of how many there are, and how they went.
fn summary(reports: &[Report<'_>], all: usize) -> String {
    let ran = reports.len();
    let failed = reports.iter().filter(|report| !report.is_ok()).count();
    let of = if ran == all {
        String::new()
    } else {
        format!(" of {all}")
    };
    let noun = if all == 1 { "test" } else { "tests" };
    let counts = match failed {
        0 => paint(GOOD, "all ok"),
        _ => format!(
            "{} ok, {}",
            ran - failed,
            paint(BAD, format!("{failed} failed"))
        ),
    };
    format!("\n{ran}{of} {noun}: {counts}\n")
}
