//! TLS of the client: the authorities that it trusts, the certificate that it shows, and the handshake.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::Args;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        self, ClientConfig, RootCertStore, SignatureScheme,
        client::ResolvesClientCert,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
        sign::CertifiedKey,
    },
};

use super::secret;

/// The options of TLS of a command that calls a daemon. The argument with its URL is in the group `daemon_url`.
#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct ClientTlsArgs {
    /// The authorities of the daemon's certificate, in PEM; without it, those of the system
    #[arg(long, value_name = "PATH", requires = "daemon_url")]
    ca: Option<PathBuf>,
    /// The certificate for a daemon that requires one of its clients (--tls-client-ca), in PEM, and those between it
    /// and the root
    #[arg(long, value_name = "PATH", requires_all = ["daemon_url", "client_key"])]
    client_cert: Option<PathBuf>,
    /// The private key of that certificate, in PEM
    #[arg(long, value_name = "PATH", requires = "client_cert")]
    client_key: Option<PathBuf>,
}

impl ClientTlsArgs {
    /// The first option that is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let certificate = self.client_cert.as_ref().map(|_| "--client-cert");
        self.ca.as_ref().map(|_| "--ca").or(certificate)
    }
}

/// The authorities that a client trusts, the certificate that it shows, and the name of the daemon that it expects.
#[derive(Clone)]
pub(super) struct ClientTls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    identity: Arc<ClientIdentity>,
}

/// The certificate that a client shows where a daemon requests one.
#[derive(Debug)]
struct ClientIdentity {
    shown: Option<(PathBuf, Arc<CertifiedKey>)>,
    /// Whether a daemon has requested one.
    is_requested: AtomicBool,
}

impl ClientTls {
    /// For a daemon at `HOST:PORT`: with the authorities of a file, or else with those of the system.
    ///
    /// # Errors
    /// If there is no authority, the host is no name, or a file can't be used.
    pub(super) fn new(address: &str, options: &ClientTlsArgs) -> Result<Self> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| anyhow!("`{host}` is no name or address of a host"))?;
        let mut roots = RootCertStore::empty();
        if let Some(path) = &options.ca {
            let pem = fs::read(path)
                .with_context(|| format!("can't read authorities in `{}`", path.display()))?;
            for authority in CertificateDer::pem_slice_iter(&pem) {
                let authority = authority.map_err(|error| anyhow!("{error}"));
                let added = authority.and_then(|it| Ok(roots.add(it)?));
                added.with_context(|| format!("`{}` is not usable", path.display()))?;
            }
            let path = path.display();
            ensure!(!roots.is_empty(), "`{path}` holds no certificate in PEM");
        } else {
            // Those that can't be read are left out, as other programs do.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            ensure!(!roots.is_empty(), "the system has no authorities; give --ca");
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let identity = Arc::new(ClientIdentity::read(options)?);
        let resolver: Arc<dyn ResolvesClientCert> = Arc::<ClientIdentity>::clone(&identity);
        let config = Arc::new(config.with_client_cert_resolver(resolver));
        Ok(Self { config, name, identity })
    }

    /// Does the handshake.
    ///
    /// # Errors
    /// If the daemon's certificate is not trusted, or not that of its name, or if it refuses that of the client.
    pub(super) async fn connect(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let connected = connector.connect(self.name.clone(), stream).await;
        connected.map_err(|error| match alert(&error) {
            Some(_) => self.explain_refusal(error.into()),
            None => explain(error),
        })
    }

    /// The error of a connection that ended before its first response, with what it means if the daemon requested a
    /// certificate: in TLS 1.3, it refuses one only after the handshake.
    pub(super) fn explain_refusal(&self, error: anyhow::Error) -> anyhow::Error {
        if !self.identity.is_requested.load(Ordering::Relaxed) {
            return error;
        }
        error.context(match &self.identity.shown {
            None => "the daemon requires a certificate of its clients; give --client-cert and --client-key".to_owned(),
            Some((path, _)) => format!(
                "the daemon does not accept the certificate in `{}`; it must be valid, and signed by an authority of the daemon's \
                 --tls-client-ca",
                path.display()
            ),
        })
    }
}

impl ClientIdentity {
    /// Reads the certificate and the key that options name, if they do.
    ///
    /// # Errors
    /// If they can't be read, or do not fit together.
    fn read(options: &ClientTlsArgs) -> Result<Self> {
        let shown = match (&options.client_cert, &options.client_key) {
            (Some(certificate), Some(key)) => {
                Some((certificate.clone(), Arc::new(certified_key(certificate, key)?)))
            }
            _ => None,
        };
        Ok(Self { shown, is_requested: AtomicBool::new(false) })
    }
}

impl ResolvesClientCert for ClientIdentity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.is_requested.store(true, Ordering::Relaxed);
        self.shown.as_ref().map(|(_, key)| Arc::clone(key))
    }

    fn has_certs(&self) -> bool {
        self.shown.is_some()
    }
}

/// The certificate of a file, with those behind it, and its key.
fn certified_key(certificate: &Path, key: &Path) -> Result<CertifiedKey> {
    let pem = fs::read(certificate)
        .with_context(|| format!("can't read the certificate in `{}`", certificate.display()))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|error| anyhow!("`{}`: {error}", certificate.display()))?;
    ensure!(!chain.is_empty(), "`{}` holds no certificate in PEM", certificate.display());
    let secret = secret::read_bytes(key, "the key of the certificate")?;
    let secret = PrivateKeyDer::from_pem_slice(&secret)
        .map_err(|_| anyhow!("`{}` holds no private key in PEM", key.display()))?;
    CertifiedKey::from_der(chain, secret, &ring::default_provider()).map_err(|error| {
        let (certificate, key) = (certificate.display(), key.display());
        anyhow!("`{certificate}` and `{key}` do not fit together: {error}")
    })
}

/// The alert by which the daemon ended a handshake, if it did.
fn alert(error: &io::Error) -> Option<rustls::AlertDescription> {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::AlertReceived(alert)) => Some(*alert),
        _ => None,
    }
}

/// The error of a handshake, with a hint where the library has no name for it: it refuses the certificate of an
/// authority as that of a server, which most self-signed ones are.
fn explain(error: io::Error) -> anyhow::Error {
    let refused = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let is_unnamed = matches!(
        refused,
        Some(rustls::Error::InvalidCertificate(rustls::CertificateError::Other(_)))
    );
    if is_unnamed {
        anyhow!(
            "the certificate is not usable for a server ({error}); a self-signed one must not be an authority: \
             make it with `-addext basicConstraints=critical,CA:FALSE`"
        )
    } else {
        error.into()
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").field("name", &self.name).finish_non_exhaustive()
    }
}
