//! `cargo simulate`: runs seeds, sums them up, and shows the first with a breach. Exit status: 0, 1 for a breach, 2 when nothing could be run.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use simulate::assumptions::Broken;
use simulate::report::Summary;
use simulate::{Mode, Releases};

/// Run the whole function through random deliveries, crashes and faults, and check that every key gets exactly one case
///
/// Each seed is a world of its own: the real handler and the real AWS SDK over the emulator, on a clock that does not wait. A seed always
/// gives the same world.
#[derive(Debug, clap::Parser)]
#[command(
    name = "cargo simulate",
    bin_name = "cargo simulate",
    after_help = "\
Examples:
  cargo simulate                              500 seeds, summed up
  cargo simulate --seeds 10000 --seed 500     the 10,000 seeds from 500 on
  cargo simulate --ledger                     the same with a ledger
  cargo simulate --seed 4711                  one seed: its schedule, and its events
  cargo simulate --break token-forgotten      the doubles of a Cases that forgets tokens
  cargo simulate --json | jq .duplicates      for machines
  cargo simulate --backlog 5000               5,000 events in a queue, under the published quotas

Exit status: 0; 1 when a promise was broken (with --break: never); 2 when nothing could be run."
)]
struct Arguments {
    /// The number of seeds [default: 500; 1 with --seed or --backlog]
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,

    /// The first seed; alone, its schedule and all of its events are shown [default: 0]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,

    /// Give the function a ledger: then nothing may be there twice
    #[arg(long)]
    ledger: bool,

    /// Break an assumption behind the promise
    #[arg(long = "break", value_name = "ASSUMPTION")]
    broken: Option<Broken>,

    /// Work off a backlog of N events in a queue, under the published quotas, while a tenth of all requests meets a fault
    ///
    /// Two pollers with batches of five. Beside the promises of every world: no message becomes a dead letter, and 90 % of the quota for
    /// creating cases is used.
    #[arg(long, value_name = "N")]
    backlog: Option<usize>,

    /// The summary as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            // A failure to write to standard error cannot be reported anywhere.
            let _ = writeln!(anstream::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mode = Mode {
        ledger: arguments.ledger,
        broken: arguments.broken,
        backlog: arguments.backlog,
    };
    let needs_ledger = mode.broken.filter(|broken| broken.needs_ledger());
    if let Some(broken) = needs_ledger.filter(|_| !mode.ledger) {
        let name = broken.name();
        anyhow::bail!("--break {name} is about the ledger: add --ledger");
    }
    let first = arguments.seed.unwrap_or(0);
    let alone = arguments.seed.is_some() && arguments.seeds.is_none() && mode.backlog.is_none();
    let seeds = if alone || mode.backlog.is_some() {
        1
    } else {
        500
    };
    let seeds = arguments.seeds.unwrap_or(seeds);
    #[expect(
        clippy::disallowed_methods,
        reason = "the duration of all worlds is real time"
    )]
    let begun = Instant::now();
    let releases = Releases::load()?;
    let mut summary = Summary::new(first, mode);
    let mut shown = None;
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
    let promised = mode.broken.is_none();
    if arguments.json {
        serde_json::to_writer_pretty(&mut stdout, &summary)?;
        writeln!(stdout)?;
    } else {
        if let Some(run) = shown.filter(|_| alone || promised) {
            writeln!(stdout, "{}", run.render(mode))?;
        }
        if !alone {
            write!(stdout, "{}", summary.render(begun.elapsed()))?;
        }
    }
    let is_broken = promised && !summary.holds();
    Ok(ExitCode::from(u8::from(is_broken)))
}

/// A bar on standard error, on a terminal and for more than one seed.
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
