//! `cargo side-by-side`: the command line. Exit status: 0; 1 when a limit is broken that is to be kept; 2 when nothing could be measured.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use bench::compare::{self, Comparison};
use bench::contender::{Kind, Other};
use bench::guard::{self, Baseline};
use bench::toolchain::{self, Toolchain};
use clap::Parser as _;

/// Run the function as it is deployed beside its peers, and say what each costs
///
/// Builds the function and every peer, and runs them in turns: each time a new process under Lambda's Runtime API, with Amazon Connect
/// Cases behind TLS, both on loopback. CPU time is what counts at 128 MB, and what a busy machine disturbs least.
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
    comparison: ComparisonArguments,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Guard(GuardArguments),
}

#[derive(Debug, clap::Args)]
struct ComparisonArguments {
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

    /// Measure `casebridge` and `tuned` at these round trips as well; 0,1,5 unless there is an --only
    #[arg(long, value_name = "MS,…", value_delimiter = ',', value_parser = milliseconds)]
    round_trips: Vec<Duration>,

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

/// Count the instructions of a cold start and of a warm invocation, and hold them against what was accepted
///
/// The function runs under valgrind, with services that speak plain HTTP. What was accepted is in crates/bench/instructions.json, for each
/// compiler and target of the binary; a count may grow by 3 %. What is not in there has no baseline and passes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo side-by-side guard                    build the function as it is deployed, and count
  cargo side-by-side guard --bootstrap PATH   count a function that is built already
  cargo side-by-side guard --accept           take the counts as the new baseline

Exit status: 0; 1 when a count has grown too much; 2 when nothing could be counted.")]
struct GuardArguments {
    /// Count this binary instead of building one
    #[arg(long, value_name = "PATH")]
    bootstrap: Option<PathBuf>,

    /// Take what is counted as the baseline of this compiler and target
    #[arg(long)]
    accept: bool,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("expected a number from 1 on".to_owned()),
    }
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map(|number| number / 1e3);
    let seconds = seconds.map(Duration::try_from_secs_f64);
    match seconds {
        Ok(Ok(duration)) => Ok(duration),
        _ => Err("expected milliseconds, such as 0, 1 or 0.5".to_owned()),
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            note(&format!("error: {error:#}"));
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
    runtime.block_on(async {
        match arguments.command {
            None => compare(arguments.comparison, &toolchain).await,
            Some(Command::Guard(arguments)) => guard(arguments, &toolchain).await,
        }
    })
}

async fn compare(
    arguments: ComparisonArguments,
    toolchain: &Toolchain,
) -> anyhow::Result<ExitCode> {
    let (kinds, round_trips) = if arguments.only.is_empty() {
        (
            Kind::ALL.to_vec(),
            [0, 1, 5].map(Duration::from_millis).into(),
        )
    } else {
        (arguments.only, Vec::new())
    };
    let comparison = Comparison {
        runs: arguments.runs,
        invocations: arguments.invocations,
        kinds,
        others: arguments.also,
        bootstrap: arguments.bootstrap,
        round_trips: if arguments.round_trips.is_empty() {
            round_trips
        } else {
            arguments.round_trips
        },
    };
    let report = comparison.run(toolchain).await?;
    if let Some(file) = &arguments.svg {
        std::fs::write(file, report.svg())
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    let shown = show(arguments.json, &report, || report.markdown())?;
    Ok(if arguments.assert && !report.meets_all_bars() {
        ExitCode::FAILURE
    } else {
        shown
    })
}

async fn guard(arguments: GuardArguments, toolchain: &Toolchain) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        toolchain::is_installed("valgrind"),
        "nothing is counted: valgrind is not installed (Debian: `apt-get install valgrind`)"
    );
    let seed = compare::seed(toolchain)?;
    let (compiler, counts) = guard::count(toolchain, arguments.bootstrap.as_deref(), &seed).await?;
    let file = toolchain.source("crates/bench/instructions.json");
    let mut baseline = Baseline::read(&file)?;
    let verdict = guard::judge(&baseline, &compiler, &counts);
    print(&verdict.text)?;
    if arguments.accept {
        baseline.accept(&compiler, &counts, &file)?;
        note("accepted: commit crates/bench/instructions.json");
        return Ok(ExitCode::SUCCESS);
    }
    if verdict.grown {
        note(
            "the function takes more instructions than before, by more than 3 %; where that is worth it, `cargo side-by-side guard --accept` takes the counts as the new baseline",
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what was found, as JSON or as tables.
fn show(
    json: bool,
    found: &impl serde::Serialize,
    tables: impl FnOnce() -> String,
) -> anyhow::Result<ExitCode> {
    print(&if json {
        serde_json::to_string_pretty(found)? + "\n"
    } else {
        tables()
    })?;
    Ok(ExitCode::SUCCESS)
}

fn print(text: &str) -> anyhow::Result<()> {
    anstream::stdout()
        .write_all(text.as_bytes())
        .context("standard output cannot be written to")
}

/// A line on standard error; nothing is left to tell of one that cannot be written to.
fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}
