//! Amazon Connect Cases, Customer Profiles, Connect and the ledger's table, behind one endpoint on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use cases_emulator::{ConnectionClosed, Emulator};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// The ledger's table.
pub const LEDGER_TABLE: &str = "ledger";

/// Where the SDKs look for the services that the emulator stands for.
const ENDPOINTS: [&str; 4] = [
    "AWS_ENDPOINT_URL_CONNECTCASES",
    "AWS_ENDPOINT_URL_CUSTOMER_PROFILES",
    "AWS_ENDPOINT_URL_CONNECT",
    "AWS_ENDPOINT_URL_DYNAMODB",
];

/// What the services hold when they start.
#[derive(Clone, Debug)]
pub struct Seed {
    /// The text of `domain.json`.
    pub domain: String,
    /// The text of `profiles.json`.
    pub profiles: String,
}

/// How the services are reached, and how long each answer takes them.
#[derive(Clone)]
pub struct Transport {
    /// With TLS, or over plain HTTP.
    pub tls: Option<TlsAcceptor>,
    /// The services' own time for each request.
    pub latency: Duration,
}

/// The services, running; they end when this is dropped.
pub struct Services {
    /// What they hold and have seen.
    pub emulator: Emulator,
    endpoint: String,
    task: AbortHandle,
}

impl Drop for Services {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Services {
    /// Starts them on a port of their own, with nothing but the seed in them.
    ///
    /// # Errors
    /// The seed is wrong, or no port can be bound.
    pub async fn start(seed: &Seed, transport: Transport) -> anyhow::Result<Self> {
        let emulator = Emulator::from_snapshot(&seed.domain).context("domain.json")?;
        emulator
            .set_profiles(&seed.profiles)
            .context("profiles.json")?;
        emulator.add_table(LEDGER_TABLE);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("no port can be bound on 127.0.0.1")?;
        let address = listener.local_addr()?;
        let endpoint = endpoint(transport.tls.is_some(), address);
        let task = tokio::spawn(serve(emulator.clone(), listener, transport));
        Ok(Self {
            emulator,
            endpoint,
            task: task.abort_handle(),
        })
    }

    /// The variables that lead an SDK here.
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        ENDPOINTS
            .map(|name| (name, self.endpoint.as_str()))
            .into_iter()
    }
}

fn endpoint(tls: bool, address: SocketAddr) -> String {
    if tls {
        // The name in the certificate.
        format!("https://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

async fn serve(emulator: Emulator, listener: TcpListener, transport: Transport) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(connection(emulator.clone(), stream, transport.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(emulator: Emulator, stream: TcpStream, transport: Transport) {
    // Without it, an answer in two segments waits for a delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    match &transport.tls {
        // A client that ends the handshake says why itself.
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                requests(&emulator, stream, transport.latency).await;
            }
        }
        None => requests(&emulator, stream, transport.latency).await,
    }
}

async fn requests(
    emulator: &Emulator,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    latency: Duration,
) {
    let service = service_fn(|request| respond(emulator, request, latency));
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    emulator: &Emulator,
    request: http::Request<Incoming>,
    latency: Duration,
) -> Result<http::Response<Full<Bytes>>, ConnectionClosed> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| ConnectionClosed)?;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let request = http::Request::from_parts(head, body.to_bytes());
    Ok(emulator.respond(request).await?.map(Full::new))
}
