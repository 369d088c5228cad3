//! A certificate authority that lives for one run, and who trusts it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Where Linux distributions keep the roots of the platform; the first is Amazon Linux's.
const PLATFORM_ROOTS: [&str; 2] = [
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
];

/// The TLS side of the endpoint on `localhost`, and the files that make clients trust it.
///
/// A bundle holds what its client would read in Lambda and one certificate more, so that reading it costs what it costs there.
pub struct Authority {
    /// Gives each connection its TLS.
    pub acceptor: TlsAcceptor,
    /// The authority alone.
    pub alone: PathBuf,
    /// With the roots that AWS uses, which Casebridge has compiled in.
    pub with_aws_roots: PathBuf,
    /// With the roots of the platform.
    pub with_platform_roots: PathBuf,
}

impl Authority {
    /// Makes keys and certificates, and writes the bundles into a folder.
    ///
    /// # Errors
    /// The roots cannot be read, or the bundles cannot be written.
    pub fn new(folder: &Path, aws_roots: &Path) -> anyhow::Result<Self> {
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
            with_aws_roots: bundle("aws-roots.pem", Some(aws_roots))?,
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
