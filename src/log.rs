//! Log lines: turns our own tracing events into lines, as Lambda's advanced logging controls require.
//!
//! The SDK traces whole requests, including field values. Therefore no log level lets another crate's events through.
//!
//! The subscriber is our own and small, because every cold start sets it up before anything else.
//! It does not support spans, layers or filters, because this function has none.

use std::fmt::{Debug, Write as _};
use std::io::Write;
use std::time::SystemTime;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::config::LogFormat;

/// The crate whose events are written.
const OURS: &str = "casebridge";

/// Returns a subscriber that writes our own events, each as one line in one write.
pub fn subscriber<F, W>(format: LogFormat, level: Level, writer: F) -> impl Subscriber + Send + Sync
where
    F: Fn() -> W + Send + Sync + 'static,
    W: Write,
{
    Lines {
        format,
        level,
        writer,
    }
}

struct Lines<F> {
    format: LogFormat,
    level: Level,
    writer: F,
}

impl<F, W> Subscriber for Lines<F>
where
    F: Fn() -> W + Send + Sync + 'static,
    W: Write,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        let is_ours = target
            .strip_prefix(OURS)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        is_ours && metadata.is_event() && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(self.level.into())
    }

    fn event(&self, event: &Event<'_>) {
        #[expect(
            clippy::disallowed_methods,
            reason = "a line of the log says when it was written"
        )]
        let now = SystemTime::now();
        let line = match self.format {
            LogFormat::Json => json(event, now),
            LogFormat::Text => text(event),
        };
        // A line that cannot be written cannot be reported anywhere.
        let _ = (self.writer)().write_all(line.as_bytes());
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Formats an event as one JSON object. Lambda reads its `timestamp` and `level`:
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>
fn json(event: &Event<'_>, now: SystemTime) -> String {
    let now = OffsetDateTime::from(now).format(&Rfc3339);
    let mut line = String::with_capacity(512);
    line.push_str("{\"timestamp\":\"");
    line.push_str(&now.unwrap_or_default());
    line.push_str("\",\"level\":\"");
    line.push_str(event.metadata().level().as_str());
    line.push('"');
    event.record(&mut Members(&mut line));
    line.push_str("}\n");
    line
}

/// Formats an event as its level, its message and its fields. CloudWatch adds the time to every line.
fn text(event: &Event<'_>) -> String {
    let mut words = Words::default();
    event.record(&mut words);
    let level = event.metadata().level();
    format!("{level:>5} {}{}\n", words.message, words.fields)
}

/// Writes fields as members of a JSON object.
struct Members<'a>(&'a mut String);

impl Members<'_> {
    fn member(&mut self, field: &Field, value: impl Into<Value>) {
        // A field's name contains no quotes, and writing to a string cannot fail.
        let _ = write!(self.0, ",\"{}\":{}", field.name(), value.into());
    }
}

impl Visit for Members<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.member(field, format!("{value:?}"));
    }
}

/// Writes fields as words.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing::Level;

    use super::subscriber;
    use crate::config::LogFormat;

    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic before").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat, level: Level) -> String {
        let output = Output::default();
        let writer = output.clone();
        tracing::subscriber::with_default(
            subscriber(format, level, move || writer.clone()),
            || {
                let missing: Option<&str> = None;
                tracing::warn!(
                    case.id = "c-1",
                    missing,
                    count = 3,
                    odd = true,
                    "it is \"so\"\n{}",
                    1
                );
                tracing::debug!("of no interest");
                tracing::error!(target: "aws_smithy_runtime", "a request with all its values");
                tracing::error!(target: "casebridge_of_another", "not ours");
                let _span = tracing::error_span!("a span").entered();
            },
        );
        let bytes = output.0.lock().expect("no panic before").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_line_is_one_json_object() {
        let written = written(LogFormat::Json, Level::INFO);
        let line = written.strip_suffix('\n').expect("a line");
        let (time, rest) = line.split_once("\",").expect("a member");
        assert!(
            time.starts_with("{\"timestamp\":\"2") && time.ends_with('Z'),
            "{time}"
        );
        assert_eq!(
            rest,
            r#""level":"WARN","message":"it is \"so\"\n1","case.id":"c-1","count":3,"odd":true}"#
        );
    }

    #[test]
    fn a_line_of_text_begins_with_its_sentence() {
        assert_eq!(
            written(LogFormat::Text, Level::INFO),
            " WARN it is \"so\"\n1 case.id=\"c-1\" count=3 odd=true\n"
        );
        assert_eq!(written(LogFormat::Text, Level::ERROR), "");
    }
}
