//! `cargo side-by-side`: the command line. Exit status: 0; 1 with `--assert` when a limit is broken; 2 when nothing could be measured.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bench::compare::Comparison;
use bench::contender::{Kind, Other};
use bench::toolchain::Toolchain;
use clap::Parser as _;

/// Run the function as it is deployed beside its peers, and say what each costs
///
/// Builds the function and every peer, and runs them in turns: each time a new process under Lambda's Runtime API, with Amazon Connect
/// Cases behind TLS, both on loopback. CPU time is what counts at 128 MB, and what a busy machine disturbs least.
#[derive(Debug, clap::Parser)]
#[command(
    name = "cargo side-by-side",
    bin_name = "cargo side-by-side",
    after_help = "\
Examples:
  cargo side-by-side                                    everything: 9 cold starts each, 500 invocations after each
  cargo side-by-side --runs 3 --invocations 50          a quick look
  cargo side-by-side --only casebridge --only tuned     these two
  cargo side-by-side --only casebridge --also musl=/tmp/bootstrap
                                                        two builds of the function against each other
  cargo side-by-side --svg docs/performance.svg         with the plot
  cargo side-by-side --json | jq '.functions[] | {name, cold: .cold_cpu_ms.median}'

Exit status: 0; 1 when a bar is not met and --assert is given; 2 when nothing could be measured."
)]
struct Arguments {
    /// Cold starts of each function
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = at_least_one)]
    runs: usize,

    /// Warm invocations after each cold start
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = at_least_one)]
    invocations: usize,

    /// Only this function; may be given again
    #[arg(long = "only", value_name = "NAME")]
    only: Vec<Kind>,

    /// A build of Casebridge to measure as well; may be given again
    #[arg(long = "also", value_name = "NAME=PATH")]
    also: Vec<Other>,

    /// Measure this binary as Casebridge instead of building one
    #[arg(long, value_name = "PATH")]
    bootstrap: Option<PathBuf>,

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

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("expected a number from 1 on".to_owned()),
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to tell of a standard error that cannot be written to.
            let _ = writeln!(anstream::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let toolchain = Toolchain::find()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the asynchronous runtime cannot be started")?;
    runtime.block_on(compare(arguments, &toolchain))
}

async fn compare(arguments: Arguments, toolchain: &Toolchain) -> anyhow::Result<ExitCode> {
    let kinds = if arguments.only.is_empty() {
        Kind::ALL.to_vec()
    } else {
        arguments.only
    };
    let comparison = Comparison {
        runs: arguments.runs,
        invocations: arguments.invocations,
        kinds,
        others: arguments.also,
        bootstrap: arguments.bootstrap,
    };
    let report = comparison.run(toolchain).await?;
    if let Some(file) = &arguments.svg {
        std::fs::write(file, report.svg())
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    let text = if arguments.json {
        report.json()?
    } else {
        report.markdown()
    };
    anstream::stdout()
        .write_all(text.as_bytes())
        .context("standard output cannot be written to")?;
    Ok(if arguments.assert && !report.meets_all_bars() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
