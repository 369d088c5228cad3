//! The emulator as a program on the loopback interface, for any AWS client.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use cases_emulator::{Emulator, SeedError};
use clap::Parser;
use tokio::net::TcpListener;

const EXAMPLE: &str = "\
Example:
  cases-emulator --domain domain.json --profiles profiles.json --port 4599
  AWS_ENDPOINT_URL=http://127.0.0.1:4599 \\
    AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=us-east-1 \\
    aws connectcases list-domains
  One address serves every service. Without --profiles there is no Customer Profiles domain,
  without --contacts no contact, without --table no DynamoDB table, without --queue no queue:
  each is answered as not found.";

/// Amazon Connect Cases on your own machine: the domain of a snapshot, its cases in memory, and the parts
/// of Customer Profiles, Connect, DynamoDB and SQS that Casebridge uses
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLE)]
struct Arguments {
    /// The domain snapshot to serve
    #[arg(long, value_name = "FILE")]
    domain: PathBuf,

    /// The port on 127.0.0.1; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 4599)]
    port: u16,

    /// Throttle beyond the published request quotas
    #[arg(long)]
    rate_limits: bool,

    /// The age from which on a search finds a case, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    search_lag_ms: u64,

    /// The customers' profiles to serve: a Customer Profiles domain
    #[arg(long, value_name = "FILE")]
    profiles: Option<PathBuf>,

    /// The age from which on a new profile is found and accepted as a customer, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    profile_lag_ms: u64,

    /// The contacts of a Connect instance to serve
    #[arg(long, value_name = "FILE")]
    contacts: Option<PathBuf>,

    /// The age from which on a search finds a related item, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    related_item_lag_ms: u64,

    /// A DynamoDB table to serve, with the partition key id; may be repeated
    #[arg(long = "table", value_name = "NAME")]
    tables: Vec<String>,

    /// An SQS queue to serve; a FIFO queue when the URL ends with .fifo; may be repeated
    #[arg(long = "queue", value_name = "URL")]
    queues: Vec<String>,

    /// The lifetime of a client token, in seconds
    #[arg(long, value_name = "S", default_value_t = 86_400)]
    token_lifetime_s: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut causes = String::new();
            let mut cause = error.source();
            while let Some(error) = cause {
                let _ = write!(causes, ": {error}");
                cause = error.source();
            }
            let _ = writeln!(std::io::stderr(), "cases-emulator: {error}{causes}");
            ExitCode::from(2)
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("cannot read the {what} {path}")]
    Read {
        what: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot serve {path}")]
    Seed { path: PathBuf, source: SeedError },
    #[error("cannot listen on 127.0.0.1:{port}; --port 0 picks a free port")]
    Listen { port: u16, source: std::io::Error },
    #[error("cannot wait for signals")]
    Signal(#[source] std::io::Error),
    #[error("cannot write the address to standard output")]
    Print(#[source] std::io::Error),
}

async fn run(arguments: &Arguments) -> Result<(), RunError> {
    #[expect(clippy::disallowed_methods, reason = "the program shows the real time")]
    let emulator = emulator(arguments)?.with_start_time(SystemTime::now());
    emulator.set_rate_limits(arguments.rate_limits);
    emulator.set_search_lag(Duration::from_millis(arguments.search_lag_ms));
    emulator.set_related_item_lag(Duration::from_millis(arguments.related_item_lag_ms));
    emulator.set_profile_lag(Duration::from_millis(arguments.profile_lag_ms));
    emulator.set_token_lifetime(Duration::from_secs(arguments.token_lifetime_s));

    for name in &arguments.tables {
        emulator.add_table(name);
    }
    for url in &arguments.queues {
        emulator.add_queue(url);
    }

    let port = arguments.port;
    let listen = |source| RunError::Listen { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let interrupted = interrupted().map_err(RunError::Signal)?;

    let mut served = format!(
        "domain {}, {} templates, {} fields",
        emulator.domain_id(),
        emulator.template_count(),
        emulator.field_count(),
    );
    if arguments.profiles.is_some() {
        let _ = write!(served, ", {} profiles", emulator.profiles().len());
    }
    for (what, names) in [("table", &arguments.tables), ("queue", &arguments.queues)] {
        for name in names {
            let _ = write!(served, ", {what} {name}");
        }
    }
    let mut output = std::io::stdout();
    writeln!(output, "cases-emulator: http://{address} ({served})")
        .and_then(|()| output.flush())
        .map_err(RunError::Print)?;
    emulator.serve(listener, interrupted).await;
    Ok(())
}

fn emulator(arguments: &Arguments) -> Result<Emulator, RunError> {
    let emulator = read("domain snapshot", &arguments.domain, |json| {
        Emulator::from_snapshot(json)
    })?;
    if let Some(path) = &arguments.profiles {
        read("profiles seed", path, |json| emulator.set_profiles(json))?;
    }
    if let Some(path) = &arguments.contacts {
        read("contacts seed", path, |json| emulator.set_contacts(json))?;
    }
    Ok(emulator)
}

fn read<T>(
    what: &'static str,
    path: &Path,
    seed: impl FnOnce(&str) -> Result<T, SeedError>,
) -> Result<T, RunError> {
    let json = std::fs::read_to_string(path).map_err(|source| RunError::Read {
        what,
        path: path.to_owned(),
        source,
    })?;
    seed(&json).map_err(|source| RunError::Seed {
        path: path.to_owned(),
        source,
    })
}

/// Returns a future that is ready when the process is asked to end. This call installs the handlers.
#[cfg(unix)]
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Returns a future that is ready when the process is asked to end.
#[cfg(not(unix))]
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
