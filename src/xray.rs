//! AWS X-Ray: one subsegment for each call of a service, below the segment that Lambda writes of the function.
//!
//! Subsegments are JSON documents that are sent to the daemon beside the function, over UDP.
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html>

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::call::CallRecord;

/// What the daemon wants before each document.
const HEADER: &[u8] = b"{\"format\":\"json\",\"version\":1}\n";

/// The daemon beside the function.
#[derive(Debug)]
pub struct Daemon {
    socket: UdpSocket,
    address: SocketAddr,
}

/// Where in a trace an invocation stands, by its `X-Amzn-Trace-Id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// `Root`: the trace.
    pub id: String,
    /// `Parent`: the segment of the function.
    pub parent: String,
}

impl Trace {
    /// Reads the header of a trace that is sampled. <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
    #[must_use]
    pub fn sampled(header: &str) -> Option<Self> {
        let member = |name: &str| {
            let mut members = header.split(';').filter_map(|part| part.split_once('='));
            members
                .find(|(key, _)| key.trim() == name)
                .map(|(_, value)| value.trim())
        };
        if member("Sampled") != Some("1") {
            return None;
        }
        Some(Self {
            id: member("Root")?.to_owned(),
            parent: member("Parent")?.to_owned(),
        })
    }
}

impl Daemon {
    /// A daemon at an address.
    ///
    /// # Errors
    /// There is no socket to be had.
    pub fn at(address: SocketAddr) -> std::io::Result<Self> {
        let local: SocketAddr = match address {
            SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
            SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
        };
        Ok(Self {
            socket: UdpSocket::bind(local)?,
            address,
        })
    }

    /// Sends the subsegments of an event's calls. What does not arrive is missing from a picture, and nothing else.
    pub fn send(&self, trace: &Trace, begun: SystemTime, calls: &[CallRecord]) {
        let begun = begun.duration_since(SystemTime::UNIX_EPOCH);
        let begun = begun.unwrap_or_default();
        for call in calls {
            let subsegment = Subsegment::of(call, trace, begun);
            let Ok(document) = serde_json::to_vec(&subsegment) else {
                continue;
            };
            let _ = self
                .socket
                .send_to(&[HEADER, &document].concat(), self.address);
        }
    }
}

#[derive(Serialize)]
struct Subsegment<'a> {
    id: String,
    trace_id: &'a str,
    parent_id: &'a str,
    r#type: &'static str,
    namespace: &'static str,
    name: &'static str,
    /// Seconds since 1970.
    start_time: f64,
    end_time: f64,
    aws: Aws,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<Http>,
    /// A status of 4xx.
    error: bool,
    /// The last answer was that the quota is used up.
    throttle: bool,
    /// A status of 5xx, or no answer at all.
    fault: bool,
}

#[derive(Serialize)]
struct Aws {
    operation: &'static str,
    retries: usize,
}

#[derive(Serialize)]
struct Http {
    response: Answer,
}

#[derive(Serialize)]
struct Answer {
    status: u16,
}

impl<'a> Subsegment<'a> {
    fn of(call: &CallRecord, trace: &'a Trace, begun: Duration) -> Self {
        let start = begun + call.begun;
        Self {
            id: format!("{:016x}", fastrand::u64(..)),
            trace_id: &trace.id,
            parent_id: &trace.parent,
            r#type: "subsegment",
            namespace: "aws",
            name: call.service,
            start_time: start.as_secs_f64(),
            end_time: (start + call.took).as_secs_f64(),
            aws: Aws {
                operation: call.operation,
                retries: call.attempts.saturating_sub(1),
            },
            http: call.status.map(|status| Http {
                response: Answer { status },
            }),
            error: call
                .status
                .is_some_and(|status| (400..500).contains(&status)),
            throttle: call.last_throttled,
            fault: call.status.is_none_or(|status| status >= 500),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::time::{Duration, SystemTime};

    use serde_json::{Value, json};

    use super::{Daemon, Trace};
    use crate::call::CallRecord;

    const HEADER: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a87bd80c:0";

    #[test]
    fn only_what_is_sampled_is_traced() {
        let trace = Trace::sampled(HEADER).expect("it is sampled");
        assert_eq!(trace.id, "1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(trace.parent, "53995c3f42cd8ad8");
        for header in [
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
            "",
        ] {
            assert_eq!(Trace::sampled(header), None, "{header}");
        }
    }

    #[test]
    fn the_daemon_gets_a_subsegment_for_each_call() {
        let listener = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let daemon = Daemon::at(listener.local_addr().expect("an address")).expect("a socket");
        let trace = Trace::sampled(HEADER).expect("it is sampled");
        let call = CallRecord {
            operation: "CreateCase",
            service: "cases",
            begun: Duration::from_millis(500),
            took: Duration::from_millis(250),
            attempts: 3,
            throttled: 2,
            status: Some(400),
            last_throttled: true,
        };
        let begun = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        daemon.send(&trace, begun, &[call]);
        let mut datagram = [0; 1024];
        let length = listener.recv(&mut datagram).expect("a datagram");
        let text = std::str::from_utf8(&datagram[..length]).expect("text");
        let (header, document) = text.split_once('\n').expect("two lines");
        assert_eq!(header, r#"{"format":"json","version":1}"#);
        let mut document: Value = serde_json::from_str(document).expect("JSON");
        let id = document["id"].take();
        assert_eq!(id.as_str().map(str::len), Some(16));
        let expected = json!({
            "id": null,
            "trace_id": "1-5759e988-bd862e3fe1be46a994272793",
            "parent_id": "53995c3f42cd8ad8",
            "type": "subsegment",
            "namespace": "aws",
            "name": "cases",
            "start_time": 1_795_000_000.5,
            "end_time": 1_795_000_000.75,
            "aws": { "operation": "CreateCase", "retries": 2 },
            "http": { "response": { "status": 400 } },
            "error": true,
            "throttle": true,
            "fault": false,
        });
        assert_eq!(document, expected);
    }
}
