//! `cargo simulate`: runs seeds, sums them up, and shows the first that broke a promise. Exit status: 0, 1 when one did, 2 when nothing
//! could be run.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use simulate::assumptions::Broken;
use simulate::report::Summary;
use simulate::soak::{Report, Soak};
use simulate::{Mode, Releases, Run};

/// Run the whole function through random deliveries, crashes and faults, and check that every key gets exactly one case
///
/// Each seed is a world of its own: the real handler and the real AWS SDK over the emulator, on a clock that does not wait. A seed always
/// gives the same world.
#[derive(Debug, clap::Parser)]
#[command(
    name = "cargo simulate",
    bin_name = "cargo simulate",
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  cargo simulate                              500 seeds, and what became of them
  cargo simulate --seeds 10000 --seed 500     the 10,000 seeds from 500 on
  cargo simulate --ledger                     the same with a ledger
  cargo simulate --seed 4711                  one seed: its schedule, and what happened
  cargo simulate --break token-forgotten      the doubles of a Cases that forgets tokens
  cargo simulate --json | jq .duplicates      for machines
  cargo simulate soak                         5,000 events through a queue, under the published quotas

Exit status: 0; 1 when a promise was broken (with --break: never); 2 when nothing could be run."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// How many seeds to run [default: 500; 1 with --seed]
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,

    /// The first seed; alone, its schedule and everything that happened are shown [default: 0]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,

    /// Give the function a ledger: then nothing may be there twice
    #[arg(long)]
    ledger: bool,

    /// Break an assumption that the promise rests on
    #[arg(long = "break", value_name = "ASSUMPTION")]
    broken: Option<Broken>,

    /// The summary as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Work a backlog off through a queue, under the published quotas, while a tenth of all requests meets a fault
    ///
    /// Two pollers with batches of five. Fails when an event has no case or two, when a message ends in the dead-letter queue, and when less
    /// than 90 % of the quota for creating cases is used.
    Soak {
        /// How many events wait at the beginning
        #[arg(long, value_name = "N", default_value_t = 5_000)]
        events: usize,

        /// What chance is drawn from
        #[arg(long, value_name = "S", default_value_t = 0)]
        seed: u64,

        /// Give the function a ledger
        #[arg(long)]
        ledger: bool,

        /// The report as JSON
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to tell of a standard error that cannot be written to.
            let _ = writeln!(anstream::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let releases = Releases::load()?;
    if let Some(Command::Soak {
        events,
        seed,
        ledger,
        json,
    }) = arguments.command
    {
        let soak = Soak {
            events,
            seed,
            ledger,
        };
        return soaked(&soak.run(&releases)?, json);
    }
    let mode = Mode {
        ledger: arguments.ledger,
        broken: arguments.broken,
    };
    if let Some(broken) = mode.broken
        && broken.needs_ledger()
        && !mode.ledger
    {
        anyhow::bail!(
            "--break {} is about the ledger: add --ledger",
            broken.name()
        );
    }
    let first = arguments.seed.unwrap_or(0);
    let alone = arguments.seed.is_some() && arguments.seeds.is_none();
    let seeds = arguments.seeds.unwrap_or(if alone { 1 } else { 500 });
    #[expect(
        clippy::disallowed_methods,
        reason = "how long all worlds took is real time"
    )]
    let begun = Instant::now();
    let mut summary = Summary::new(first, mode);
    let mut shown: Option<Run> = None;
    let progress = progress(seeds);
    for seed in first..first.saturating_add(seeds) {
        let run = simulate::run(seed, &releases, mode)?;
        progress.inc(1);
        summary.add(&run);
        if shown.is_none() && (alone || !run.verdict.breaches.is_empty()) {
            shown = Some(run);
        }
    }
    progress.finish_and_clear();
    let mut stdout = anstream::stdout();
    if arguments.json {
        serde_json::to_writer_pretty(&mut stdout, &summary)?;
        writeln!(stdout)?;
    } else {
        let show = alone || arguments.broken.is_none();
        if let Some(run) = shown.filter(|_| show) {
            writeln!(stdout, "{}", run.render(mode))?;
        }
        if !alone {
            write!(stdout, "{}", summary.render(begun.elapsed()))?;
        }
    }
    let promised = arguments.broken.is_none();
    Ok(if promised && !summary.holds() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// A bar on standard error, where that is a terminal and there is time to look at one.
fn soaked(report: &Report, json: bool) -> anyhow::Result<ExitCode> {
    let mut stdout = anstream::stdout();
    if json {
        serde_json::to_writer_pretty(&mut stdout, report)?;
        writeln!(stdout)?;
    } else {
        write!(stdout, "{}", report.render())?;
    }
    Ok(ExitCode::from(u8::from(!report.holds())))
}

fn progress(seeds: u64) -> ProgressBar {
    let target = if seeds > 1 {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(seeds), target);
    match ProgressStyle::with_template("[{bar:30}] {pos}/{len} seeds, {elapsed}") {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}
