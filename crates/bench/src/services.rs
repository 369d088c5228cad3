//! Amazon Connect Cases, Customer Profiles, Connect and the ledger's table on loopback: one emulator, and a host for each, as on AWS, so that
//! no connection serves two of them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use cases_emulator::{ConnectionClosed, Emulator};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use runtime_api::FunctionConfiguration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::proxy::Proxy;

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

/// The way to the services.
#[derive(Clone)]
pub struct Transport {
    /// With TLS, or over plain HTTP.
    pub tls: Option<TlsAcceptor>,
    /// The network's time, for a request and its answer; none where the function has no network before it.
    pub round_trip: Option<Duration>,
}

impl Transport {
    /// Plain HTTP without a network.
    pub const PLAIN: Self = Self {
        tls: None,
        round_trip: None,
    };

    /// TLS without a network.
    #[must_use]
    pub fn tls(acceptor: &TlsAcceptor) -> Self {
        Self {
            tls: Some(acceptor.clone()),
            ..Self::PLAIN
        }
    }
}

/// The services, running; they end when this is dropped.
pub struct Services {
    /// What they hold and have seen.
    pub emulator: Emulator,
    endpoints: Vec<(&'static str, String)>,
    /// Their own time so far, in nanoseconds.
    spent: Arc<AtomicU64>,
    _hosts: JoinSet<()>,
    _proxies: Vec<Proxy>,
}

impl Services {
    /// Starts them on ports of their own, with nothing but the seed in them.
    ///
    /// # Errors
    /// The seed is wrong, or a port cannot be bound.
    pub async fn start(seed: &Seed, transport: Transport) -> anyhow::Result<Self> {
        let emulator = Emulator::from_snapshot(&seed.domain).context("domain.json")?;
        emulator
            .set_profiles(&seed.profiles)
            .context("profiles.json")?;
        emulator.add_table(LEDGER_TABLE);
        let spent = Arc::new(AtomicU64::new(0));
        let host = Host {
            emulator: emulator.clone(),
            transport,
            spent: Arc::clone(&spent),
        };
        let (mut endpoints, mut hosts, mut proxies) = (Vec::new(), JoinSet::new(), Vec::new());
        for variable in ENDPOINTS {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .context("no port can be bound on 127.0.0.1")?;
            let mut address = listener.local_addr()?;
            if let Some(round_trip) = host.transport.round_trip {
                let proxy = Proxy::start(address, round_trip)
                    .context("no port can be bound on 127.0.0.1")?;
                address = proxy.address();
                proxies.push(proxy);
            }
            endpoints.push((variable, endpoint(host.transport.tls.is_some(), address)));
            hosts.spawn(host.clone().serve(listener));
        }
        Ok(Self {
            emulator,
            endpoints,
            spent,
            _hosts: hosts,
            _proxies: proxies,
        })
    }

    /// Leads a function's SDK here.
    #[must_use]
    pub fn lead(&self, function: FunctionConfiguration) -> FunctionConfiguration {
        let endpoints = self.endpoints.iter();
        endpoints.fold(function, |function, (variable, endpoint)| {
            function.env(variable, endpoint)
        })
    }

    /// Their own time so far: from a request that is there whole to its answer, without HTTP and TLS.
    #[must_use]
    pub fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent.load(Ordering::Relaxed))
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

/// A connection, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// What answers at one address.
#[derive(Clone)]
struct Host {
    emulator: Emulator,
    transport: Transport,
    spent: Arc<AtomicU64>,
}

impl Host {
    async fn serve(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                    connections.spawn(self.clone().connection(stream));
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn connection(self, stream: TcpStream) {
        // Without it, an answer in two segments waits for a delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        match &self.transport.tls {
            // A client that ends the handshake says why itself.
            Some(acceptor) => {
                if let Ok(stream) = acceptor.accept(stream).await {
                    self.clone().requests(stream).await;
                }
            }
            None => self.clone().requests(stream).await,
        }
    }

    async fn requests(self, stream: impl Stream) {
        let service = service_fn(move |request| self.clone().respond(request));
        // How a connection ends says nothing of the function.
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn respond(
        self,
        request: http::Request<Incoming>,
    ) -> Result<http::Response<Full<Bytes>>, ConnectionClosed> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| ConnectionClosed)?;
        let received = Instant::now();
        let request = http::Request::from_parts(head, body.to_bytes());
        let answer = self.emulator.respond(request).await;
        let spent = u64::try_from(received.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.spent.fetch_add(spent, Ordering::Relaxed);
        Ok(answer?.map(Full::new))
    }
}
