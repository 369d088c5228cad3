//! The emulator behind a socket.

use std::time::Duration;

use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::config::retry::RetryConfig;
use cases_emulator::{Emulator, Fault, FaultKind};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::{config, emulator, make, plain_case};

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
        // A test that drops the sender serves until its own end.
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    }));
    let retries = RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(Duration::from_millis(1));
    let client = Client::from_conf(
        config()
            .retry_config(retries)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(format!("http://{address}"))
            .build(),
    );
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

/// As in process: a client that is gone when the delay is over had no effect.
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
        // The clock stands while the runtime is busy.
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
