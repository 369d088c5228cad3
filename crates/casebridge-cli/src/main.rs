//! The operator's tool: `cargo casebridge COMMAND`. Each command is a module. The exit status is 0 for yes, 1 for no, and 2
//! when the command could not answer.

mod check;
mod failures;
mod init;
mod local;
mod matches;
mod outcome;
mod pull;
mod redact;
mod render;
mod replay;
mod schema;
mod sources;
mod terminal;
mod test;

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
    Init(init::Arguments),
    Test(test::Arguments),
    Render(render::Arguments),
    Replay(replay::Arguments),
    Redact(redact::Arguments),
    Match(matches::Arguments),
    Pull(pull::Arguments),
    Schema(schema::Arguments),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Local(arguments) => local::run(&arguments).await,
        Command::Check(arguments) => check::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Render(arguments) => render::run(&arguments).await,
        Command::Redact(arguments) => redact::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Match(arguments) => matches::run(&arguments),
        Command::Pull(arguments) => pull::run(&arguments).await,
        Command::Schema(arguments) => schema::run(&arguments),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if terminal::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::print_error(&error);
            ExitCode::from(2)
        }
    }
}
