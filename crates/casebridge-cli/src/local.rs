//! `local`: runs the function's binary between an emulated Lambda and emulated AWS services on loopback. It shows each event's
//! answer and case.

mod binary;
mod case;
mod events;
mod harness;
mod outcome;
mod report;
mod rows;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use self::harness::{Harness, listen};
use self::report::{Report, Summary};
use crate::sources::Sources;
use crate::terminal::{self, FAINT, STRONG, paint};

/// Run the function over events on this machine: no account, nothing to install
///
/// Builds the function, starts an emulator of Amazon Connect Cases and Customer Profiles and a Lambda Runtime API on
/// loopback, and sends it each event. Shows its answer, and the case with its customer and related items.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge local                                 every event of events/
  cargo casebridge local events/order-failed.json        one event
  cargo casebridge local --json | jq .answer             for machines
  cargo casebridge local --serve                         stay up for curl and the AWS CLI

Exit status: 0; 1 when an event's status is not the one in its folder's
expected.json; 2 when the function could not be run.")]
pub(crate) struct Arguments {
    /// Events to send, as JSON files [default: every *.json of events/ but expected.json]
    #[arg(value_name = "EVENT")]
    events: Vec<PathBuf>,

    /// One line of JSON per event: event, answer, requests, cases (each with `profile` and `relatedItems`, where it has them), failures
    /// (messages of a batch in the failure queue)
    #[arg(long, conflicts_with = "serve")]
    json: bool,

    /// Start everything, show how to send an event, and run until Ctrl-C
    #[arg(long, conflicts_with = "events")]
    serve: bool,

    #[command(flatten)]
    sources: Sources,

    /// Build the function as it is deployed, optimised
    #[arg(long)]
    release: bool,

    /// Run this binary instead of building one
    #[arg(long, value_name = "FILE", conflicts_with = "release")]
    binary: Option<PathBuf>,
}

/// The emulator's port with `--serve`, if it is free.
const EMULATOR_PORT: u16 = 4599;

/// The port of AWS's Runtime Interface Emulator, which people's commands use already.
const INVOCATIONS_PORT: u16 = 9000;

/// The interval at which `--serve` prints the function's log.
const LOG_INTERVAL: Duration = Duration::from_millis(100);

/// # Errors
///
/// When a file is missing or wrong, the build fails, or the function refuses to start.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let events = if arguments.serve {
        Vec::new()
    } else {
        events::find(&arguments.events)?
    };
    let binary = match &arguments.binary {
        // A bare file name would be looked for in the PATH.
        Some(path) if path.is_file() => std::path::absolute(path)?,
        Some(path) => bail!(
            "{} is not a file: expected the function's binary",
            path.display()
        ),
        None => binary::build(arguments.release)?,
    };
    let port = arguments.serve.then_some(EMULATOR_PORT);
    let harness = Harness::start(arguments.sources.read()?, binary, port).await?;
    if arguments.serve {
        serve(harness).await
    } else {
        send(&harness, &events, arguments.json).await
    }
}

async fn send(harness: &Harness, events: &[events::EventFile], json: bool) -> anyhow::Result<bool> {
    let started = Instant::now();
    let mut summary = Summary::default();
    for event in events {
        let run = harness.send(&event.path).await?;
        let report = Report::new(event, run);
        let text = if json {
            report.json_line()
        } else {
            report.human(&harness.domain)
        };
        terminal::print(&text)?;
        summary.add(&report);
    }
    if json {
        terminal::print_note(&summary.unexpected_lines());
    } else {
        terminal::print(&summary.human(started.elapsed()))?;
    }
    Ok(summary.is_as_expected())
}

/// Serves Lambda's Invoke operation and the emulator until Ctrl-C, and prints the function's log.
///
/// # Errors
///
/// When no port is free or standard output is closed.
async fn serve(harness: Harness) -> anyhow::Result<bool> {
    let listener = listen(Some(INVOCATIONS_PORT)).await?;
    let function = listener.local_addr()?;
    let emulator = harness.emulator_address;
    terminal::print(&format!(
        "\
{title}
  function   http://{function}/2015-03-31/functions/function/invocations
  Cases      http://{emulator}   {domain}

{send}
  curl http://{function}/2015-03-31/functions/function/invocations --data @events/order-failed.json
  aws lambda invoke --endpoint-url http://{function} --function-name function \\
      --cli-binary-format raw-in-base64-out --payload file://events/order-failed.json /dev/stdout

{look}
  aws connectcases search-cases --endpoint-url http://{emulator} --domain-id {id}
  aws connectcases search-related-items --endpoint-url http://{emulator} --domain-id {id} --case-id …
  aws customer-profiles search-profiles --endpoint-url http://{emulator} --domain-name {profiles} \\
      --key-name _phone --values +15550100142

{stop}
",
        title = paint(STRONG, "Casebridge is up"),
        domain = paint(
            FAINT,
            format!(
                "domain {}, {} customers",
                harness.emulator.domain_id(),
                harness.emulator.profiles().len()
            )
        ),
        id = harness.emulator.domain_id(),
        profiles = harness.profiles_domain,
        send = paint(STRONG, "Send an event"),
        look = paint(STRONG, "Look at cases and customers"),
        stop = paint(
            FAINT,
            "The function's log follows. Ctrl-C ends everything."
        ),
    ))?;
    let running = Arc::new(harness.function);
    let log = async {
        loop {
            for line in running.take_output() {
                terminal::print(&format!("{line}\n"))?;
            }
            tokio::time::sleep(LOG_INTERVAL).await;
        }
    };
    tokio::select! {
        () = runtime_api::serve_invocations(Arc::clone(&running), listener) => Ok(true),
        closed = log => closed,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.context("Ctrl-C could not be waited for")?;
            Ok(true)
        }
    }
}
