//! `cargo model`: searches every state of the models of the ledger's protocol. Exit status: 0, 1 for a broken promise or for an assumption whose
//! absence breaks none, 2 when nothing could be searched.

mod action;
mod assumption;
mod bounds;
mod choices;
mod explain;
mod machine;
mod properties;
mod state;
mod symmetry;
mod time;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser as _, ValueEnum as _};
use stateright::{Checker, HasDiscoveries, Model as _};

use crate::assumption::Assumption;
use crate::bounds::{Bounds, Size};
use crate::machine::Machine;

/// The states of all small models together, and the steps of one model, at most.
const SMALL: usize = 5_000_000;
const LARGE: usize = 100_000_000;

/// Search every order of steps, crashes and faults of the ledger's protocol, within bounds, for a broken promise
///
/// The models take the decisions and the writes of the function's own code. Without a broken promise every state was searched.
#[derive(Debug, clap::Parser)]
#[command(
    name = "cargo model",
    bin_name = "cargo model",
    after_help = "\
Examples:
  cargo model                              every model
  cargo model window                       one model
  cargo model --without token-forgotten    the shortest way to a broken promise without an assumption
  cargo model --without-each               the same for each assumption
  cargo model --large case                 wider bounds: up to 100 million steps

Exit status: 0; 1 when a promise was broken, or when an assumption that is taken away breaks none; 2 when nothing could be searched."
)]
struct Arguments {
    /// The models to search [default: every model]
    #[arg(value_name = "MODEL")]
    models: Vec<String>,

    /// Take an assumption away, and show the shortest schedule that breaks a promise
    #[arg(long, value_name = "ASSUMPTION")]
    without: Option<Assumption>,

    /// The same for each assumption in turn
    #[arg(long, conflicts_with = "without")]
    without_each: bool,

    /// Search within wider bounds
    #[arg(long)]
    large: bool,

    /// The number of threads
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // A failure to write to standard error cannot be reported anywhere.
            let _ = writeln!(anstream::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let size = if arguments.large {
        Size::Large
    } else {
        Size::Small
    };
    let all = Bounds::all(size);
    for name in &arguments.models {
        if !all.iter().any(|bounds| bounds.name == name) {
            let names: Vec<&str> = all.iter().map(|bounds| bounds.name).collect();
            let names = names.join(", ");
            anyhow::bail!("there is no model `{name}`: the models are {names}");
        }
    }
    let chosen = |bounds: &Bounds| {
        arguments.models.is_empty() || arguments.models.iter().any(|name| name == bounds.name)
    };
    let assumptions: Vec<Assumption> = match arguments.without {
        Some(assumption) => vec![assumption],
        None if arguments.without_each => Assumption::value_variants().to_vec(),
        None => return prove(all.into_iter().filter(chosen), arguments),
    };
    let mut is_each_needed = true;
    for assumption in assumptions {
        let mut bounds = all.iter().filter(|bounds| {
            if arguments.models.is_empty() {
                bounds.name == assumption.model()
            } else {
                chosen(bounds)
            }
        });
        is_each_needed &= bounds.try_fold(true, |needed, bounds| {
            Ok::<bool, anyhow::Error>(refute(bounds, assumption)? && needed)
        })?;
    }
    Ok(is_each_needed)
}

/// Searches every state, depth first. Returns true if no promise is broken.
fn prove(all: impl Iterator<Item = Bounds>, arguments: &Arguments) -> anyhow::Result<bool> {
    let mut stdout = anstream::stdout();
    let mut counts = Vec::new();
    let mut total = 0;
    let mut holds = true;
    for bounds in all {
        let (name, content) = (bounds.name, bounds.content);
        let machine = Machine {
            bounds,
            without: None,
        };
        let begun = Instant::now();
        let checker = machine
            .checker()
            .threads(arguments.threads)
            .symmetry_fn(symmetry::representative)
            .finish_when(HasDiscoveries::AnyFailures)
            .target_state_count(LARGE)
            .spawn_dfs()
            .join();
        let states = checker.unique_state_count();
        let seconds = begun.elapsed().as_secs_f64();
        let discoveries = checker.discoveries();
        let is_broken = discoveries.keys().any(|name| *name != properties::REACHED);
        let whole = if is_broken || checker.state_count() >= LARGE {
            "not every state"
        } else {
            "every state"
        };
        writeln!(
            stdout,
            "{name:13} {content}: {whole}, {} states, {} steps deep, in {seconds:.1} s",
            grouped(states),
            checker.max_depth()
        )?;
        for (property, path) in discoveries {
            if property == properties::REACHED {
                continue;
            }
            holds = false;
            writeln!(stdout, "\nthis does not hold: {property}")?;
            writeln!(stdout, "{}", explain::schedule(&path.into_vec()))?;
        }
        if checker.discovery(properties::REACHED).is_none() {
            holds = false;
            writeln!(stdout, "no path ends done")?;
        }
        total += states;
        counts.push(format!("{name} {}", grouped(states)));
    }
    if !arguments.large && total > SMALL {
        let (total, most) = (grouped(total), grouped(SMALL));
        anyhow::bail!("the models have {total} states, and {most} is the most for every test");
    }
    writeln!(stdout, "states: {}", counts.join(", "))?;
    Ok(holds)
}

/// Searches breadth first for a broken promise without an assumption. Returns true if there is one.
fn refute(bounds: &Bounds, assumption: Assumption) -> anyhow::Result<bool> {
    let mut stdout = anstream::stdout();
    let machine = Machine {
        bounds: bounds.clone(),
        without: Some(assumption),
    };
    // One thread: with several, a path need not be the shortest.
    let checker = machine
        .checker()
        .threads(1)
        .finish_when(HasDiscoveries::AnyFailures)
        .target_state_count(LARGE)
        .spawn_bfs()
        .join();
    writeln!(stdout, "{}: {}", assumption.name(), assumption.sentence())?;
    let discoveries = checker.discoveries();
    let mut broken = discoveries.into_iter();
    let Some((property, path)) = broken.find(|(property, _)| *property != properties::REACHED)
    else {
        writeln!(
            stdout,
            "no promise of the model `{}` is broken\n",
            bounds.name
        )?;
        return Ok(false);
    };
    writeln!(
        stdout,
        "model {}; this does not hold: {property}",
        bounds.name
    )?;
    writeln!(stdout, "{}", explain::schedule(&path.into_vec()))?;
    Ok(true)
}

/// Returns a number with a comma before each three digits.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
