//! `render`: an event into the exact `CreateCase` request. The function itself makes it, AWS's own SDK writes it, and
//! an emulator in this very process takes it in: nothing is sent anywhere.

mod explain;

use std::io::Read as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use aws_credential_types::Credentials;
use casebridge::client;
use casebridge::config::Config;
use casebridge::error::Failure;
use casebridge::handler::{Casebridge, Response};
use cases_emulator::Emulator;
use serde_json::{Value, json};

use crate::sources::Sources;
use crate::terminal::{self, NOTABLE, paint};

/// The longest that an event may take; the emulator takes no time.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Show the exact CreateCase request that an event makes, and send nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo casebridge render events/order-failed.json
  cargo casebridge render --explain events/order-failed.json
  cargo casebridge render --mapping new.yaml - < event.json

Standard output has the request's body as JSON, one for each event of a batch;
with --explain, the way to it in words before that.

Exit status: 0; 1 the event makes no request, or one that Cases would refuse;
2 it could not be tried.")]
pub(crate) struct Arguments {
    /// The event: a file, or `-` for standard input
    event: String,

    #[command(flatten)]
    sources: Sources,

    /// Say which route was taken and why the earlier ones were not, and what each expression gave
    #[arg(long)]
    explain: bool,

    /// One line: {"event": path, "answer": …, "requests": [{"operation": "CreateCase", "body": …}]}
    #[arg(long)]
    json: bool,
}

/// # Errors
///
/// A file that cannot be read, or a mapping or snapshot that the function would not start with.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let event = read(&arguments.event)?;
    let files = arguments.sources.read()?;
    let emulator = Emulator::from_snapshot(&files.snapshot)
        .with_context(|| format!("{} is not a domain snapshot", files.domain.display()))?;
    let config = Config::read(&|name| files.variable(name), &[])?;
    if arguments.explain {
        terminal::print(&explain::text(&config, &files, &event)?)?;
    }
    let answered = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the asynchronous runtime could not be started")?
        .block_on(handle(&config, &emulator, &event))?;

    let requests: Vec<_> = emulator
        .requests()
        .into_iter()
        .filter(|request| request.operation == "CreateCase")
        .collect();
    if arguments.json {
        let requests: Vec<_> = requests
            .iter()
            .map(|request| json!({ "operation": request.operation, "body": request.body }))
            .collect();
        let line =
            json!({ "event": arguments.event, "answer": answer(&answered), "requests": requests });
        terminal::print(&format!("{line}\n"))?;
    } else {
        for request in &requests {
            terminal::print(&format!("{:#}\n", request.body))?;
        }
    }
    let refused = refusal(&answered);
    if let Some(reason) = &refused {
        let what = if requests.is_empty() {
            "no request"
        } else {
            "Cases would refuse it"
        };
        terminal::print_note(&format!(
            "{} {reason}\n",
            paint(NOTABLE, format!("{what}:"))
        ));
    }
    Ok(if refused.is_none() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn read(event: &str) -> anyhow::Result<String> {
    if event != "-" {
        return std::fs::read_to_string(event)
            .with_context(|| format!("{event} could not be read"));
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .context("standard input could not be read")?;
    Ok(text)
}

async fn handle(
    config: &Config,
    emulator: &Emulator,
    event: &str,
) -> anyhow::Result<Result<Response, Failure>> {
    let sdk = client::defaults()
        .http_client(emulator.http_client())
        .credentials_provider(Credentials::from_keys("test", "test", None))
        .region(aws_config::Region::new(config.region.clone()))
        .load()
        .await;
    let casebridge = Casebridge::start(config, &sdk)
        .map_err(|error| anyhow!("the function cannot start\n\n{error}"))?;
    Ok(casebridge.handle(event, TIMEOUT).await)
}

/// What the function answers, as `local` shows it.
fn answer(answered: &Result<Response, Failure>) -> Value {
    match answered {
        Ok(response) => serde_json::to_value(response).unwrap_or_default(),
        Err(failure) => {
            json!({ "errorType": failure.code.name(), "errorMessage": failure.message })
        }
    }
}

/// Why there is no case, if there is none.
fn refusal(answered: &Result<Response, Failure>) -> Option<String> {
    match answered {
        Ok(Response::Answer(answer)) if answer.error_code.is_empty() => None,
        Ok(Response::Answer(answer)) => {
            Some(format!("{} ({})", answer.error_message, answer.error_code))
        }
        Ok(Response::Batch(batch)) => match batch.batch_item_failures.len() {
            0 => None,
            count => Some(format!(
                "{count} of the batch's events failed: render each by itself to see why"
            )),
        },
        Err(failure) => Some(format!("{failure} ({})", failure.code.name())),
    }
}
