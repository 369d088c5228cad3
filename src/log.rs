//! Log lines: our own targets only.
//!
//! The SDK traces whole requests, field values among them, so no level of configuration lets another crate's events through.

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

use crate::config::LogFormat;

/// A subscriber that writes our own events as Lambda's logging controls ask.
pub fn subscriber<W>(
    format: LogFormat,
    level: Level,
    writer: W,
) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let ours = Targets::new().with_target("casebridge", LevelFilter::from_level(level));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_target(false)
        .with_ansi(false);
    let lines = match format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        // CloudWatch writes the time beside every line.
        LogFormat::Text => lines.without_time().boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(ours))
}
