//! The Lambda function's entry point: turns the environment into a running function.
//!
//! It contains only wiring.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use casebridge::config::{Config, LogFormat, Logging};
use casebridge::deadline::Stopwatch;
use casebridge::error::Failure;
use casebridge::handler::Invocation;
use casebridge::live::{Live, Reply};
use casebridge::{client, deadline, log, panics};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use tokio::runtime::Builder;

/// True until the first invocation.
static COLD: AtomicBool = AtomicBool::new(true);

fn main() -> ExitCode {
    // Excludes the loading of the static binary, one or two milliseconds. `/proc` gives that time only in ticks of ten milliseconds.
    let since = Stopwatch::start();
    std::panic::set_hook(Box::new(panics::hook));
    let Logging { format, level } = Logging::from_env();
    // This cannot fail, because no code has set a subscriber before.
    let _ =
        tracing::subscriber::set_global_default(log::subscriber(format, level, std::io::stdout));
    let runtime = Builder::new_current_thread().enable_all().build();
    let ended = runtime.map_err(Into::into).and_then(|runtime| {
        let ended = runtime.block_on(run(since));
        // A name lookup may be in progress and cannot be stopped. Dropping the runtime would wait for it.
        runtime.shutdown_background();
        ended
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(format, error.as_ref());
            ExitCode::FAILURE
        }
    }
}

async fn run(since: Stopwatch) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let config = Config::from_env()?;
    let sdk = client::load(&config).await?;
    let live = Live::start(config, sdk, since).await?;
    // The workers of `AWS_LAMBDA_MAX_CONCURRENCY` need it as long as the process lives.
    let live: &'static Live = Box::leak(Box::new(live));
    let handler = service_fn(move |event: LambdaEvent<Box<RawValue>>| invoke(live, event));
    Box::pin(lambda_runtime::run_concurrent(handler)).await
}

async fn invoke(live: &Live, event: LambdaEvent<Box<RawValue>>) -> Result<Reply, Diagnostic> {
    #[expect(
        clippy::disallowed_methods,
        reason = "Lambda gives the deadline as a time of day"
    )]
    let remaining = deadline::until(event.context.deadline(), SystemTime::now());
    let invocation = Invocation {
        remaining,
        cold_start: COLD.swap(false, Ordering::Relaxed),
        request_id: event.context.request_id,
        ..Invocation::default()
    };
    let answered = live.handle(event.payload.get(), invocation).await;
    answered.map_err(|Failure { code, message, .. }| Diagnostic {
        error_type: code.name().to_owned(),
        error_message: message,
    })
}

/// Reports the reason why the function did not start. JSON logs get one line; text for a person keeps its line breaks.
fn report(format: LogFormat, error: &dyn std::error::Error) {
    match format {
        LogFormat::Json => tracing::error!("the function cannot start: {error}"),
        #[expect(
            clippy::print_stderr,
            reason = "a mapping's faults are a text of many lines"
        )]
        LogFormat::Text => eprintln!("the function cannot start\n\n{error}"),
    }
}
