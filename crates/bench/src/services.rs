//! Amazon Connect Cases, Customer Profiles, Connect and the ledger's table on loopback: one emulator, and a host for each. As on AWS, no
//! connection serves two of them.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
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
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    KeyUsagePurpose,
};
use runtime_api::FunctionConfiguration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::proxy::Proxy;
use crate::toolchain::Toolchain;

/// The ledger's table.
pub(crate) const LEDGER_TABLE: &str = "ledger";

/// The variables with which the SDKs find the emulator's services.
const ENDPOINTS: [&str; 4] = [
    "AWS_ENDPOINT_URL_CONNECTCASES",
    "AWS_ENDPOINT_URL_CUSTOMER_PROFILES",
    "AWS_ENDPOINT_URL_CONNECT",
    "AWS_ENDPOINT_URL_DYNAMODB",
];

/// The example domain and its customers.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    /// The text of `domain.json`.
    domain: String,
    /// The text of `profiles.json`.
    profiles: String,
}

impl Seed {
    pub(crate) fn read(toolchain: &Toolchain) -> anyhow::Result<Self> {
        let read = |name: &str| {
            std::fs::read_to_string(toolchain.source(name))
                .with_context(|| format!("{name} cannot be read"))
        };
        Ok(Self {
            domain: read("domain.json")?,
            profiles: read("profiles.json")?,
        })
    }
}

/// The way to the services.
#[derive(Clone, Default)]
pub(crate) struct Transport {
    /// TLS; without it, plain HTTP.
    pub(crate) tls: Option<TlsAcceptor>,
    /// The network's time for a request and its answer; without it, no network.
    pub(crate) round_trip: Option<Duration>,
}

/// The services, running; they end when this is dropped.
pub(crate) struct Services {
    pub(crate) emulator: Emulator,
    endpoints: Vec<(&'static str, String)>,
    /// Their own time so far, in nanoseconds.
    spent: Arc<AtomicU64>,
    _hosts: JoinSet<()>,
    _proxies: Vec<Proxy>,
}

impl Services {
    /// Starts them on ports of their own, with nothing but the seed in them.
    pub(crate) async fn start(seed: &Seed, transport: Transport) -> anyhow::Result<Self> {
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
            // `localhost` is the name in the certificate.
            let endpoint = match host.transport.tls {
                Some(_) => format!("https://localhost:{}", address.port()),
                None => format!("http://{address}"),
            };
            endpoints.push((variable, endpoint));
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

    /// Directs a function's SDK to these services.
    pub(crate) fn lead(&self, function: FunctionConfiguration) -> FunctionConfiguration {
        let endpoints = self.endpoints.iter();
        endpoints.fold(function, |function, (variable, endpoint)| {
            function.env(variable, endpoint)
        })
    }

    /// Their own time so far: from a request that is there whole to its answer, without HTTP and TLS.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent.load(Ordering::Relaxed))
    }
}

/// A connection, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// The server at one address.
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
            // A client that ends the handshake reports the reason itself.
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
        // The end of a connection is no fact about the function.
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

/// The roots of the platform in Linux distributions; the first is Amazon Linux's.
const PLATFORM_ROOTS: [&str; 2] = [
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
];

/// A certificate authority for the endpoint on `localhost`, and the files that make clients trust it.
///
/// A bundle holds the roots that its client would read in Lambda and one certificate more, so that reading it costs as much.
pub(crate) struct Authority {
    pub(crate) acceptor: TlsAcceptor,
    /// The authority alone.
    pub(crate) alone: PathBuf,
    /// With the roots that AWS uses, which Casebridge has compiled in.
    pub(crate) with_aws_roots: PathBuf,
    /// With the roots of the platform.
    pub(crate) with_platform_roots: PathBuf,
}

impl Authority {
    /// Makes keys and certificates for one run, and writes the bundles.
    pub(crate) fn new(toolchain: &Toolchain) -> anyhow::Result<Self> {
        let folder = toolchain.folder("trust")?;
        let aws_roots = toolchain.source("src/roots.pem");
        // Names of their own: OpenSSL takes a certificate for self-signed when issuer and subject are called the same.
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name("side-by-side authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(["localhost".to_owned()])?;
        params.distinguished_name = common_name("localhost");
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &authority)?;

        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];

        let pem = authority.pem();
        let bundle = |name: &str, roots: Option<&Path>| {
            let path = folder.join(name);
            let mut text = match roots {
                Some(roots) => std::fs::read_to_string(roots)
                    .with_context(|| format!("{} cannot be read", roots.display()))?,
                None => String::new(),
            };
            text.push_str(&pem);
            std::fs::write(&path, text)
                .with_context(|| format!("{} cannot be written", path.display()))?;
            anyhow::Ok(path)
        };
        let platform = PLATFORM_ROOTS.map(Path::new);
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            alone: bundle("authority.pem", None)?,
            with_aws_roots: bundle("aws-roots.pem", Some(&aws_roots))?,
            with_platform_roots: bundle(
                "platform-roots.pem",
                platform.into_iter().find(|path| path.is_file()),
            )?,
        })
    }
}

fn common_name(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}
