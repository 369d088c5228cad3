//! `local`: the real function binary between an emulated Lambda and emulated Amazon Connect Cases and Customer Profiles,
//! on loopback. Events go in; each answer and the case that came of it are shown.

mod binary;
mod bridge;
mod case;
mod events;
mod expectation;
mod names;
mod outcome;
mod report;
mod rows;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail};

use self::bridge::Bridge;
use self::report::{Report, Summary};
use crate::sources::Sources;
use crate::terminal;

/// Run the function over events on this machine: no account, nothing to install
///
/// Builds the function, starts an emulator of Amazon Connect Cases and Customer Profiles and a Lambda Runtime API on
/// loopback, and sends it each event. Shows its answer and the case as Cases now holds it, with its customer and what
/// joined it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge local                                 every event of events/
  cargo casebridge local events/order-failed.json        one event
  cargo casebridge local --json | jq .answer             for machines
  cargo casebridge local --serve                         stay up for curl and the AWS CLI

Exit status: 0; 1 when an event's status is not the one in the expected.json
beside it; 2 when the function could not be run.")]
pub(crate) struct Arguments {
    /// Events to send, as JSON files [default: every *.json of events/ but expected.json]
    #[arg(value_name = "EVENT")]
    events: Vec<PathBuf>,

    /// One line of JSON per event: event, answer, requests, cases (each with `profile` and `relatedItems`, where it has them), failures (the
    /// messages of a batch that were put aside)
    #[arg(long, conflicts_with = "serve")]
    json: bool,

    /// Start everything, say how to send an event, and stay up until Ctrl-C
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

/// # Errors
///
/// What kept the function from running: a file that is missing or wrong, a build that failed, the function's own words
/// when it refused to start.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
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
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the asynchronous runtime could not be started")?
        .block_on(async {
            let bridge = Bridge::start(arguments, binary).await?;
            if arguments.serve {
                return serve::until_interrupted(bridge).await;
            }
            send(&bridge, &events, arguments.json).await
        })
}

async fn send(
    bridge: &Bridge,
    events: &[events::EventFile],
    json: bool,
) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let mut summary = Summary::default();
    for event in events {
        let run = bridge.send(&event.path).await?;
        let report = Report::new(event, run);
        let text = if json {
            report.json_line()
        } else {
            report.human(&bridge.names)
        };
        terminal::print(&text)?;
        summary.add(&report);
    }
    if json {
        terminal::print_note(&summary.unexpected_lines());
    } else {
        terminal::print(&summary.human(started.elapsed()))?;
    }
    Ok(if summary.is_as_expected() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
