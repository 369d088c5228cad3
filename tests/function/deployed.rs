//! Over sockets, with the HTTP client that the deployed function has.

use std::time::Duration;

use aws_config::SdkConfig;
use casebridge::client;
use casebridge::config::Config;
use casebridge::deadline::Stopwatch;
use casebridge::handler::{Casebridge, Invocation};
use casebridge::live::Live;
use cases_emulator::{Emulator, Fault, FaultKind};
use tokio::net::{TcpListener, TcpSocket};

use super::{AMPLE, emulator, function, members, read};

/// An emulator behind a socket, and its address.
async fn listening() -> (Emulator, String) {
    let emulator = emulator(&read("domain.json"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(emulator.clone().serve(listener, std::future::pending()));
    (emulator, address)
}

/// The shipped configuration with the function's own HTTP client, and an emulator behind a socket.
async fn over_a_socket() -> (Config, SdkConfig, Emulator) {
    let (emulator, endpoint) = listening().await;
    let config = function::config(&[]).expect("sound");
    let sdk = client::load(&config)
        .await
        .expect("sound")
        .into_builder()
        .endpoint_url(endpoint)
        .build();
    (config, super::in_test(&sdk), emulator)
}

/// The function before its start has opened anything.
async fn not_connected() -> (Casebridge, Emulator) {
    let (config, sdk, emulator) = over_a_socket().await;
    let casebridge = casebridge::start::casebridge(&config, &sdk).expect("sound");
    (casebridge, emulator)
}

/// The function as it starts.
async fn started() -> (Live, Emulator) {
    let (config, sdk, emulator) = over_a_socket().await;
    let live = Live::start(config, sdk, Stopwatch::start()).await;
    (live.expect("sound"), emulator)
}

/// Time-outs differ from call to call, and must not cost a connection each.
#[tokio::test]
async fn a_hundred_invocations_share_one_connection() {
    let (casebridge, emulator) = not_connected().await;
    let payload = read("events/order-failed.json");
    for extra in 0..100 {
        casebridge
            .handle(&payload, AMPLE + Duration::from_millis(extra))
            .await
            .expect("a case");
    }
    assert_eq!(emulator.connections(), 1);
}

/// Between two invocations the environment freezes, and Cases closes what is idle.
#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_costs_a_new_one_and_no_error() {
    let (casebridge, emulator) = not_connected().await;
    let payload = read("events/contact-flow-voice.json");
    for expected in 1..=5 {
        casebridge.handle(&payload, AMPLE).await.expect("a case");
        assert_eq!(emulator.connections(), expected);
        emulator.close_idle_connections();
    }
    assert_eq!(emulator.cases().len(), 1);
}

/// The endpoint is a name that nobody knows but the proxy.
#[tokio::test]
async fn services_are_reached_through_the_proxy_that_is_configured() {
    let (emulator, proxy) = listening().await;
    let start = async |proxy: &str, except: &str| {
        let variables = [("HTTPS_PROXY", proxy), ("NO_PROXY", except)];
        let config = function::config(&variables).map_err(|error| error.to_string())?;
        let sdk = client::load(&config)
            .await
            .map_err(|error| error.to_string())?;
        let sdk = super::in_test(&sdk)
            .into_builder()
            .endpoint_url("http://cases.invalid")
            .build();
        Ok::<_, String>(casebridge::start::casebridge(&config, &sdk).expect("sound"))
    };
    let payload = read("events/contact-flow-voice.json");
    let through = start(&proxy, "localhost").await.expect("sound");
    through.handle(&payload, AMPLE).await.expect("an answer");
    assert_eq!(emulator.cases().len(), 1);

    let past = start(&proxy, "cases.invalid").await.expect("sound");
    past.handle(&payload, Duration::from_secs(1))
        .await
        .expect("an answer");
    assert_eq!(emulator.cases().len(), 1);

    let refused = start("secret:/", "").await.err().expect("it is refused");
    assert!(
        refused.starts_with("HTTPS_PROXY takes") && !refused.contains("secret"),
        "{refused}"
    );
}

#[tokio::test]
async fn the_first_event_finds_the_connection_that_the_start_opened() {
    let (live, emulator) = started().await;
    let opened = emulator.connections();
    assert_eq!((opened > 0, emulator.cases().len()), (true, 0));
    let payload = read("events/contact-flow-voice.json");
    let handled = live.handle(&payload, Invocation::from(AMPLE)).await;
    handled.expect("a case");
    assert_eq!(
        (emulator.connections(), emulator.cases().len()),
        (opened, 1)
    );
}

/// The first event may come minutes after the start.
#[tokio::test]
async fn a_connection_that_died_before_the_first_event_costs_a_new_one_and_no_error() {
    let (live, emulator) = started().await;
    let opened = emulator.connections();
    emulator.close_idle_connections();
    let payload = read("events/contact-flow-voice.json");
    let handled = live.handle(&payload, Invocation::from(AMPLE)).await;
    handled.expect("a case");
    assert_eq!(
        (emulator.connections() > opened, emulator.cases().len()),
        (true, 1)
    );
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_is_no_error_either() {
    let (casebridge, emulator) = not_connected().await;
    for kind in [FaultKind::CloseBefore, FaultKind::CloseAfter] {
        emulator.inject(Fault::new(kind).on("CreateCase"));
        casebridge
            .handle(&read("events/order-failed.json"), AMPLE)
            .await
            .expect("a case");
    }
    assert_eq!(emulator.cases().len(), 1);
}

/// Nothing listens: nothing can have been created, and that is what the flow hears.
#[tokio::test]
async fn a_service_out_of_reach_is_not_an_unknown_outcome() {
    let (casebridge, _) = not_connected().await;
    // Held, so that no other test listens there.
    let socket = TcpSocket::new_v4().expect("a socket");
    let any = "127.0.0.1:0".parse().expect("an address");
    socket.bind(any).expect("a port");
    let closed = socket.local_addr().expect("an address");
    let sdk = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(format!("http://{closed}"))
        .build();
    let unreachable = super::casebridge(casebridge.mapping, "any", &sdk);
    let response = unreachable
        .handle(&read("events/contact-flow-voice.json"), AMPLE)
        .await
        .expect("an answer");
    let answer = serde_json::to_value(response).expect("JSON");
    let found = members(&answer, ["status", "errorCode"]);
    assert_eq!(found, ["failed", "ServiceUnavailable"], "{answer}");
}
