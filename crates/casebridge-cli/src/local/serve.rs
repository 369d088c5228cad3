//! `local --serve`: Lambda's Invoke operation and the emulator stay reachable until Ctrl-C; what the function logs is
//! passed on.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::bridge::{self, Bridge};
use crate::terminal::{self, FAINT, STRONG, paint};

/// Where AWS's Runtime Interface Emulator listens, which people's commands already say.
const INVOCATIONS_PORT: u16 = 9000;

/// How often the function's log is passed on.
const LOG_INTERVAL: Duration = Duration::from_millis(100);

/// # Errors
///
/// When no port is free or standard output is closed.
pub(super) async fn until_interrupted(bridge: Bridge) -> anyhow::Result<ExitCode> {
    let listener = bridge::listen(Some(INVOCATIONS_PORT)).await?;
    let function = listener.local_addr()?;
    let emulator = bridge.emulator_address;
    terminal::print(&format!(
        "\
{title}
  function   http://{function}/2015-03-31/functions/function/invocations
  Cases      http://{emulator}   {domain}

{send}
  curl http://{function}/2015-03-31/functions/function/invocations --data @events/order-failed.json
  aws lambda invoke --endpoint-url http://{function} --function-name function \\
      --cli-binary-format raw-in-base64-out --payload file://events/order-failed.json /dev/stdout

{look}
  aws connectcases search-cases --endpoint-url http://{emulator} --domain-id {id}
  aws connectcases search-related-items --endpoint-url http://{emulator} --domain-id {id} --case-id …
  aws customer-profiles search-profiles --endpoint-url http://{emulator} --domain-name {profiles} \\
      --key-name _phone --values +15550100142

{stop}
",
        title = paint(STRONG, "Casebridge is up"),
        domain = paint(
            FAINT,
            format!(
                "domain {}, {} customers",
                bridge.emulator.domain_id(),
                bridge.emulator.profiles().len()
            )
        ),
        id = bridge.emulator.domain_id(),
        profiles = bridge.profiles_domain,
        send = paint(STRONG, "Send an event"),
        look = paint(STRONG, "Look at cases and customers"),
        stop = paint(
            FAINT,
            "What the function logs follows. Ctrl-C ends everything."
        ),
    ))?;
    let running = Arc::new(bridge.function);
    let log = async {
        loop {
            for line in running.take_output() {
                terminal::print(&format!("{line}\n"))?;
            }
            tokio::time::sleep(LOG_INTERVAL).await;
        }
    };
    tokio::select! {
        () = runtime_api::serve_invocations(Arc::clone(&running), listener) => Ok(ExitCode::SUCCESS),
        closed = log => closed,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.context("Ctrl-C could not be waited for")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
