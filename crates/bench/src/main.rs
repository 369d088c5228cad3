//! The benchmark: `cargo side-by-side` runs the deployed function and its peers as Lambda runs them.
//!
//! | module | contents |
//! | --- | --- |
//! | `toolchain` | builds of the function and its peers, below Cargo's target folder |
//! | `contender` | each function that is measured: how to run it, and its events |
//! | `services` | Cases and the services around it, over TLS or plain HTTP |
//! | `proxy` | the network between function and services |
//! | `sample` | one cold start and the invocations after it |
//! | `figures` | medians and quartiles of many samples |
//! | `compare` | all contenders in turns |
//! | `guard` | instruction counts, held against a baseline |
//! | `report`, `plot` | the figures as Markdown and JSON, with the bars, and as a plot |
//!
//! Exit status: 0; 1 when a bar or the baseline is not met; 2 when nothing could be measured.

mod compare;
mod contender;
mod figures;
mod guard;
mod plot;
mod proxy;
mod report;
mod sample;
mod services;
mod toolchain;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use crate::compare::Comparison;
use crate::guard::Guard;
use crate::toolchain::Toolchain;

/// Run the function as it is deployed and its peers, and show what each costs
///
/// Builds the function and every peer, and runs them in turns: each time a new process under Lambda's Runtime API, with Amazon Connect
/// Cases behind TLS, both on loopback. CPU time counts most at 128 MB, and a busy machine disturbs it least.
#[derive(Debug, clap::Parser)]
#[command(
    name = "cargo side-by-side",
    bin_name = "cargo side-by-side",
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  cargo side-by-side                                    everything: 9 cold starts each, 500 invocations after each
  cargo side-by-side --runs 3 --invocations 50          a quick look
  cargo side-by-side --only casebridge --only tuned     these two
  cargo side-by-side --only casebridge --also musl=/tmp/bootstrap
                                                        two builds of the function against each other
  cargo side-by-side --only casebridge --round-trips 0,1,5
                                                        the function with a network before the services
  cargo side-by-side --svg docs/performance.svg         with the plot
  cargo side-by-side guard                              instruction counts, held against a baseline
  cargo side-by-side --json | jq '.functions[] | {name, cold: .cold_cpu_ms.median}'

Exit status: 0; 1 when a bar is not met and --assert is given; 2 when nothing could be measured."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    comparison: Comparison,

    /// JSON instead of tables
    #[arg(long)]
    json: bool,

    /// Write the plot to this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Exit with status 1 when a bar is not met
    #[arg(long = "assert")]
    assert: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Guard(Guard),
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            note(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Returns false when a bar or the baseline is not met.
fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let toolchain = Toolchain::find()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the asynchronous runtime cannot be started")?;
    if let Some(Command::Guard(guard)) = &arguments.command {
        return runtime.block_on(guard.run(&toolchain));
    }
    let report = runtime.block_on(arguments.comparison.run(&toolchain))?;
    if let Some(file) = &arguments.svg {
        std::fs::write(file, plot::render(&report))
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    print(&if arguments.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.markdown()
    })?;
    Ok(!arguments.assert || report.meets_all_bars())
}

fn print(text: &str) -> anyhow::Result<()> {
    anstream::stdout()
        .write_all(text.as_bytes())
        .context("standard output cannot be written to")
}

/// Writes a line to standard error; a failure to write there cannot be reported anywhere.
fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}
