//! A mapping that AppConfig deploys while the function runs, through a stand-in of the extension on a socket.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use casebridge::config::{Config, Fallback};
use casebridge::deadline::Stopwatch;
use casebridge::error::ErrorCode;
use casebridge::handler::Invocation;
use casebridge::live::Live;
use cases_emulator::Emulator;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::function::{self, sdk};
use super::{AMPLE, emulator, hangs, read};

/// The extension: what it answers, and what it was asked for.
#[derive(Clone, Default)]
struct Extension(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    status: u16,
    document: String,
    asked: Vec<String>,
    silent: bool,
}

impl Extension {
    /// Deploys a document.
    fn deploy(&self, document: &str) {
        let mut state = self.0.lock().expect("no panic before");
        state.status = 200;
        document.clone_into(&mut state.document);
    }

    /// Has nothing to give from now on.
    fn withdraw(&self) {
        self.0.lock().expect("no panic before").status = 404;
    }

    fn asked(&self) -> Vec<String> {
        self.0.lock().expect("no panic before").asked.clone()
    }

    /// The port that it listens on.
    async fn listen(&self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let extension = self.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.expect("a request");
                let answer = extension.answer(&String::from_utf8_lossy(&request[..length]));
                if extension.0.lock().expect("no panic before").silent {
                    std::future::pending::<()>().await;
                }
                stream.write_all(answer.as_bytes()).await.expect("written");
            }
        });
        port
    }

    fn answer(&self, request: &str) -> String {
        let mut state = self.0.lock().expect("no panic before");
        let line = request.lines().next().unwrap_or_default();
        state.asked.push(line.to_owned());
        let State {
            status, document, ..
        } = &*state;
        let length = document.len();
        format!(
            "HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{document}"
        )
    }
}

/// The shipped mapping with another title, and the snapshot behind it.
fn document(title: &str) -> String {
    let mapping = read("mapping.yaml");
    let titled = mapping.replace(
        "Order {{ $.detail.order.id | upper }} failed:",
        &format!("{title}:"),
    );
    assert_ne!(titled, mapping);
    format!("{titled}\n---\n{}", read("domain.json"))
}

fn config(port: u16) -> Config {
    let mapping = "appconfig:cases/my production/mapping";
    let port = port.to_string();
    let variables = [
        ("CASEBRIDGE_MAPPING", mapping),
        ("AWS_APPCONFIG_EXTENSION_HTTP_PORT", &port),
    ];
    let mut config = function::config(&variables).expect("sound");
    // Every invocation looks.
    config.reload.as_mut().expect("AppConfig").poll = Duration::ZERO;
    config
}

async fn start(config: Config) -> Result<(Live, Emulator), String> {
    let emulator = emulator(&read("domain.json"));
    let live = Live::start(config, sdk(&emulator), Stopwatch::start()).await;
    live.map(|live| (live, emulator))
        .map_err(|error| error.to_string())
}

/// The function after a start with a deployed mapping, whose title is `One`.
async fn started() -> (Extension, Live, Emulator) {
    let extension = Extension::default();
    extension.deploy(&document("One"));
    let started = start(config(extension.listen().await)).await;
    let (live, emulator) = started.expect("the mapping is valid");
    (extension, live, emulator)
}

/// The titles of the cases that the emulator holds, after one more event.
async fn titles(live: &Live, emulator: &Emulator, order: &str) -> Vec<String> {
    let event = read("events/order-failed.json").replace("B-2207", order);
    let handled = live.handle(&event, Invocation::from(AMPLE)).await;
    handled.expect("a case");
    let title = |case: &Value| {
        let mut fields = case["fields"].as_array().expect("fields").iter();
        let title = fields
            .find(|field| field["id"] == "title")
            .expect("a title");
        let title = title["value"]["stringValue"].as_str().expect("text");
        title.split(':').next().unwrap_or_default().to_owned()
    };
    let mut titles: Vec<_> = emulator.cases().iter().map(title).collect();
    titles.sort_unstable();
    titles
}

#[tokio::test]
async fn a_mapping_that_is_deployed_is_in_use_with_the_next_invocation() {
    let (extension, live, emulator) = started().await;
    assert_eq!(titles(&live, &emulator, "b-1").await, ["One"]);
    extension.deploy(&document("Two"));
    assert_eq!(titles(&live, &emulator, "b-2").await, ["One", "Two"]);
    let path =
        "GET /applications/cases/environments/my%20production/configurations/mapping HTTP/1.1";
    assert_eq!(extension.asked(), [path; 3]);
}

#[tokio::test]
async fn what_cannot_be_used_leaves_the_mapping_as_it_is() {
    let (extension, live, emulator) = started().await;
    extension.deploy(&document("Two {{ $.detail.order.id | uper }}"));
    assert_eq!(titles(&live, &emulator, "b-1").await, ["One"]);
    extension.withdraw();
    assert_eq!(titles(&live, &emulator, "b-2").await, ["One", "One"]);
    extension.deploy(&document("Three"));
    assert_eq!(
        titles(&live, &emulator, "b-3").await,
        ["One", "One", "Three"]
    );
}

#[tokio::test]
async fn nobody_looks_again_before_the_last_look_is_old() {
    let extension = Extension::default();
    extension.deploy(&document("One"));
    let mut config = config(extension.listen().await);
    config.reload.as_mut().expect("AppConfig").poll = Duration::from_hours(1);
    let (live, emulator) = start(config).await.expect("sound");
    extension.deploy(&document("Two"));
    assert_eq!(titles(&live, &emulator, "b-1").await, ["One"]);
    assert_eq!(extension.asked().len(), 1);
}

#[tokio::test]
async fn a_start_that_meets_a_bad_mapping_stops_unless_it_may_fall_back() {
    let extension = Extension::default();
    extension.deploy(&document("{{ $.detail.order.id | uper }}"));
    let mut config = config(extension.listen().await);
    let error = start(config.clone()).await.expect_err("it stops");
    let place = "there is no filter `uper`\n  --> appconfig:cases/my production/mapping:";
    assert!(error.contains(place), "{error}");
    extension.withdraw();
    let error = start(config.clone()).await.expect_err("it stops");
    let sentence = "appconfig:cases/my production/mapping could not be read: ";
    assert!(
        error.starts_with(sentence) && error.contains("HTTP 404"),
        "{error}"
    );

    config.mapping = casebridge::config::Document {
        name: "mapping.yaml".to_owned(),
        text: read("mapping.yaml"),
    };
    config.reload.as_mut().expect("AppConfig").fallback = Fallback::Packaged;
    let (live, emulator) = start(config).await.expect("it falls back");
    assert_eq!(titles(&live, &emulator, "b-1").await, ["Order B-1 failed"]);
}

#[tokio::test]
async fn a_document_is_validated_before_it_is_deployed() {
    let (_, live, emulator) = started().await;
    let validate = async |document: &str| {
        let payload = json!({
            "applicationId": "abc1234",
            "configurationProfileId": "def5678",
            "configurationVersion": "2",
            "uri": "hosted",
            "content": aws_smithy_types::base64::encode(document),
        })
        .to_string();
        let handled = live.handle(&payload, Invocation::from(AMPLE));
        handled
            .await
            .map(|_| ())
            .map_err(|failure| failure.to_string())
    };
    validate(&document("Two")).await.expect("it is sound");
    let faults = validate(&document("{{ $.detail.order.id | uper }}"))
        .await
        .expect_err("it has a fault");
    assert!(faults.contains("did you mean `upper`?"), "{faults}");
    let other = document("Two").replace("3ceaaf30", "00000000");
    let fault = validate(&other).await.expect_err("it is of another domain");
    assert!(fault.contains("CASES_DOMAIN_ID"), "{fault}");
    assert!(emulator.cases().is_empty());
}

/// The time that a flow waits for its answer while Cases never gives one.
async fn answered_after(live: &Live, emulator: &Emulator, cold_start: bool) -> Duration {
    emulator.inject(hangs("CreateCase").times(100));
    let begun = Instant::now();
    let invocation = Invocation {
        cold_start,
        ..Invocation::from(AMPLE)
    };
    let payload = read("events/contact-flow-voice.json");
    let reply = live.handle(&payload, invocation).await.expect("an answer");
    let reply = serde_json::to_value(reply).expect("JSON");
    assert_eq!(reply["status"], "failed", "{reply}");
    begun.elapsed()
}

const BUDGET: Duration = Duration::from_millis(2500);

#[tokio::test]
async fn the_time_of_a_reload_is_taken_off_a_flows_budget() {
    let (extension, live, emulator) = started().await;
    // From now on the extension takes every connection, and answers on none.
    tokio::time::pause();
    extension.0.lock().expect("no panic before").silent = true;
    let took = answered_after(&live, &emulator, false).await;
    let tolerance = Duration::from_millis(10);
    assert!(
        took < BUDGET + tolerance && took + tolerance > BUDGET,
        "{took:?}"
    );
}

/// The function with the packaged mapping, whose start took so long.
async fn started_in(took: Duration, initialization: &str) -> (Live, Emulator) {
    let variables = [("AWS_LAMBDA_INITIALIZATION_TYPE", initialization)];
    let config = function::config(&variables).expect("sound");
    let emulator = emulator(&read("domain.json"));
    let since = Stopwatch::start();
    tokio::time::advance(took).await;
    let live = Live::start(config, sdk(&emulator), since).await;
    (live.expect("sound"), emulator)
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_start_is_taken_off_the_budget_of_a_flow_that_waited_for_it() {
    const START: Duration = Duration::from_millis(600);
    const LESS: Duration = Duration::from_millis(1900);
    const SHORTLY: Duration = Duration::from_millis(900);
    const LATER: Duration = Duration::from_millis(1100);
    for (initialization, waits, cold_start, expected) in [
        ("on-demand", Duration::ZERO, true, LESS),
        ("on-demand", SHORTLY, true, LESS),
        // The environment was made in advance.
        ("on-demand", LATER, true, BUDGET),
        ("provisioned-concurrency", Duration::ZERO, true, BUDGET),
        ("", Duration::ZERO, true, BUDGET),
        // A second invocation waited for no start.
        ("on-demand", Duration::ZERO, false, BUDGET),
    ] {
        let (live, emulator) = started_in(START, initialization).await;
        tokio::time::advance(waits).await;
        let took = answered_after(&live, &emulator, cold_start).await;
        let tolerance = Duration::from_millis(10);
        assert!(
            took < expected + tolerance && took + tolerance > expected,
            "{initialization} {waits:?} {cold_start}: {took:?}"
        );
    }
}

/// A start that took longer than the budget leaves time for one call.
#[tokio::test(start_paused = true)]
async fn a_slow_start_leaves_a_flow_half_a_second() {
    let (live, emulator) = started_in(Duration::from_secs(6), "on-demand").await;
    let took = answered_after(&live, &emulator, true).await;
    assert_eq!(took.as_millis(), 500);
}

/// A time that no clock can reach stands for everything that may panic outside an event.
#[tokio::test(start_paused = true)]
async fn a_panic_that_is_no_events_is_a_failure_of_the_invocation_alone() {
    let (live, emulator) = started_in(Duration::ZERO, "on-demand").await;
    let payload = read("events/contact-flow-voice.json");
    let handled = live.handle(&payload, Invocation::from(Duration::MAX)).await;
    let failure = handled.expect_err("it panics");
    assert_eq!(failure.code, ErrorCode::InternalError);
    assert!(
        failure.message.starts_with("the function panicked at "),
        "{failure}"
    );
    let handled = live.handle(&payload, Invocation::from(AMPLE)).await;
    handled.expect("the next invocation is answered");
    assert_eq!(emulator.cases().len(), 1);
}
