//! The emulator as an HTTP/1.1 server with keep-alive and many connections at once.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::Emulator;
use crate::answer::ConnectionClosed;

/// A limit above the longest request that the service models allow.
const BODY_BYTES: usize = 8 * 1024 * 1024;

/// The time that requests under way get when the server stops.
const GRACE: Duration = Duration::from_secs(1);

impl Emulator {
    /// Answers the requests that reach `listener` until `shutdown` is ready, then lets those under
    /// way end within a second.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let (stopping, stopped) = watch::channel(());
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        self.shared.connections.fetch_add(1, Ordering::SeqCst);
                        connections.spawn(connection(self.clone(), stream, stopped.clone()));
                    }
                    // Probably no file descriptor is left; an open connection may end meanwhile.
                    Err(_) => sleep(Duration::from_millis(10)).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
        drop((listener, stopping));
        let ended = async { while connections.join_next().await.is_some() {} };
        // After the grace period, dropping the set ends the rest.
        let _ = timeout(GRACE, ended).await;
    }
}

async fn connection(emulator: Emulator, stream: TcpStream, mut stopped: watch::Receiver<()>) {
    // Without the option an answer in two segments waits for a delayed acknowledgement. A socket that
    // refuses the option still works.
    let _ = stream.set_nodelay(true);
    let mut close_idle = emulator.shared.close_idle.subscribe();
    let under_way = Arc::new(AtomicUsize::new(0));
    let served = Arc::new(AtomicUsize::new(0));
    let service = service_fn(|request| {
        under_way.fetch_add(1, Ordering::SeqCst);
        let (emulator, under_way) = (emulator.clone(), Arc::clone(&under_way));
        let served = Arc::clone(&served);
        async move {
            let response = respond(&emulator, request).await;
            under_way.fetch_sub(1, Ordering::SeqCst);
            served.fetch_add(1, Ordering::SeqCst);
            response
        }
    });
    let mut connection =
        pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    let mut stopping = false;
    loop {
        tokio::select! {
            // An error of the peer, or a fault that closes the connection, ends it.
            _ = connection.as_mut() => return,
            Ok(()) = close_idle.changed() => if under_way.load(Ordering::SeqCst) > 0 {
                continue;
            },
            _ = stopped.changed(), if !stopping => stopping = true,
        }
        // A graceful shutdown would wait for the first request.
        if served.load(Ordering::SeqCst) + under_way.load(Ordering::SeqCst) == 0 {
            return;
        }
        connection.as_mut().graceful_shutdown();
    }
}

async fn respond(
    emulator: &Emulator,
    request: http::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, ConnectionClosed> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Ok(too_large()),
    };
    let request = http::Request::from_parts(head, body);
    Ok(emulator.respond(request).await?.map(Full::new))
}

fn too_large() -> http::Response<Full<Bytes>> {
    let mut response = http::Response::new(Full::new(Bytes::from_static(
        br#"{"message":"the body has more than 8 MiB"}"#,
    )));
    *response.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE;
    response
}
