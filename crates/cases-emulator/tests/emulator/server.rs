//! The emulator behind a socket, and as a program: one line when it is ready, one line when it fails.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::config::retry::RetryConfig;
use cases_emulator::{Emulator, Fault, FaultKind};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::{config, emulator, make, plain_case};

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emulator/domain.json");

struct Served {
    emulator: Emulator,
    client: Client,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

async fn serve(attempts: u32) -> Served {
    let emulator = emulator();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(emulator.clone().serve(listener, async {
        // Without a signal the server runs until the test ends.
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    }));
    let retries = RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(Duration::from_millis(1));
    let config = config()
        .retry_config(retries)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(format!("http://{address}"));
    let client = Client::new(&config.build());
    Served {
        emulator,
        client,
        stop,
        server,
    }
}

#[tokio::test]
async fn a_hundred_requests_use_one_connection() {
    let Served {
        emulator, client, ..
    } = serve(1).await;
    for _ in 0..100 {
        make(&client, "a").await;
    }
    assert_eq!(emulator.connections(), 1);
    assert_eq!(emulator.cases().len(), 100);
}

#[tokio::test]
async fn an_idle_connection_that_is_closed_is_replaced() {
    let Served {
        emulator, client, ..
    } = serve(2).await;
    for connections in 1..=3 {
        make(&client, "a").await;
        assert_eq!(emulator.connections(), connections);
        emulator.close_idle_connections();
    }
}

#[tokio::test]
async fn a_request_under_way_keeps_its_connection() {
    let Served {
        emulator, client, ..
    } = serve(1).await;
    emulator.inject(Fault::new(FaultKind::Delay(Duration::from_millis(100))));
    let request = tokio::spawn({
        let client = client.clone();
        async move { make(&client, "a").await }
    });
    while emulator.requests().is_empty() && !request.is_finished() {
        tokio::task::yield_now().await;
    }
    emulator.close_idle_connections();
    request.await.expect("an answer");
    make(&client, "b").await;
    assert_eq!(emulator.connections(), 1);
}

#[tokio::test]
async fn a_closed_connection_is_an_io_failure() {
    let Served {
        emulator, client, ..
    } = serve(1).await;
    for (kind, cases) in [(FaultKind::CloseBefore, 0), (FaultKind::CloseAfter, 1)] {
        emulator.inject(Fault::new(kind));
        let error = plain_case(&client, "a")
            .send()
            .await
            .expect_err("no answer");
        assert!(
            error.as_service_error().is_none() && error.raw_response().is_none(),
            "{error:?}"
        );
        assert_eq!(emulator.cases().len(), cases);
    }
    make(&client, "a").await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_ends_takes_its_delayed_request_with_it() {
    for (kind, cases) in [
        (FaultKind::Delay(Duration::from_hours(1)), 0),
        (FaultKind::DelayAfter(Duration::from_hours(1)), 1),
    ] {
        let Served {
            emulator, client, ..
        } = serve(1).await;
        emulator.inject(Fault::new(kind));
        let request = tokio::spawn(async move { make(&client, "a").await });
        // A paused clock does not move while the runtime is busy.
        while emulator.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        request.abort();
        for _ in 0..10_000 {
            tokio::task::yield_now().await;
        }
        tokio::time::advance(Duration::from_hours(2)).await;
        for _ in 0..10_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(emulator.cases().len(), cases);
        assert_eq!(emulator.requests()[0].status, 0);
    }
}

#[tokio::test]
async fn it_stops_when_asked_and_the_port_is_free_again() {
    let Served {
        client,
        stop,
        server,
        ..
    } = serve(1).await;
    make(&client, "a").await;
    stop.send(()).expect("a server");
    server.await.expect("an end");
    plain_case(&client, "a")
        .send()
        .await
        .expect_err("nobody listens");
}

fn program(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_cases-emulator"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs")
}

#[test]
fn it_prints_its_address_and_answers_there() {
    let mut program = program(&["--domain", SNAPSHOT, "--port", "0"]);
    let mut output = BufReader::new(program.stdout.take().expect("standard output"));
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    let (before, address, after) = line
        .split_once("http://")
        .and_then(|(before, rest)| {
            let (address, after) = rest.split_once(' ')?;
            Some((before, address, after))
        })
        .expect("an address");
    assert_eq!(before, "cases-emulator: ");
    assert!(address.starts_with("127.0.0.1:"));
    assert_eq!(after, "(domain d-1, 3 templates, 20 fields)\n");

    let mut stream = TcpStream::connect(address).expect("a connection");
    let request = "POST /domains-list HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"d-1\""),
        "{answer}"
    );

    let killed = Command::new("kill").arg(program.id().to_string()).status();
    assert!(killed.expect("a signal").success());
    assert!(
        program.wait().expect("an end").success(),
        "SIGTERM is a clean end"
    );
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("the rest");
    assert_eq!(rest, "", "one line is all");
}

#[test]
fn it_serves_seeds_tables_and_queues() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emulator");
    let profiles = format!("{seeds}/profiles.json");
    let contacts = format!("{seeds}/contacts.json");
    let url = "http://localhost/123456789012/failures.fifo";
    for (arguments, served) in [
        (
            [
                "--profiles",
                &profiles,
                "--contacts",
                &contacts,
                "--profile-lag-ms",
                "1000",
            ],
            ", 3 profiles)\n".to_owned(),
        ),
        (
            ["--table", "ledger", "--table", "other", "--queue", url],
            format!(", table ledger, table other, queue {url})\n"),
        ),
    ] {
        let mut program =
            program(&[&["--domain", SNAPSHOT, "--port", "0"], &arguments[..]].concat());
        let mut output = BufReader::new(program.stdout.take().expect("standard output"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let served = format!("(domain d-1, 3 templates, 20 fields{served}");
        assert!(line.ends_with(&served), "{line}");
        let killed = Command::new("kill").arg(program.id().to_string()).status();
        assert!(killed.expect("a signal").success());
        assert!(program.wait().expect("an end").success());
    }
}

#[test]
fn it_prints_why_it_cannot_start() {
    for (arguments, start, contains) in [
        (
            &["--domain", "no/such/domain.json"][..],
            "cases-emulator: cannot read the domain snapshot no/such/domain.json: ",
            "",
        ),
        (
            &["--domain", SNAPSHOT, "--profiles", SNAPSHOT],
            "cases-emulator: cannot serve ",
            "domain.json: the profiles seed is wrong at the top level: ",
        ),
    ] {
        let output = program(arguments).wait_with_output().expect("an end");
        assert_eq!(output.status.code(), Some(2));
        let line = String::from_utf8_lossy(&output.stderr);
        assert!(line.starts_with(start) && line.contains(contains), "{line}");
        assert_eq!(line.lines().count(), 1);
    }
}
