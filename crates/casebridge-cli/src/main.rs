//! The operator's tool: `cargo casebridge COMMAND`. One module per command; this file reads the arguments and turns
//! what a command returns into an exit status: 0, 1 when the answer is no, 2 when it could not be given.

mod check;
mod local;
mod matches;
mod render;
mod sources;
mod terminal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Turns Amazon Connect flow and EventBridge events into cases, on this machine
#[derive(Parser)]
#[command(name = "cargo casebridge", bin_name = "cargo casebridge", version, styles = terminal::HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Local(local::Arguments),
    Check(check::Arguments),
    Render(render::Arguments),
    Match(matches::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Local(arguments) => local::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Render(arguments) => render::run(&arguments),
        Command::Match(arguments) => matches::run(&arguments),
    };
    match result {
        Ok(code) => code,
        Err(error) if terminal::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::print_error(&error);
            ExitCode::from(2)
        }
    }
}
