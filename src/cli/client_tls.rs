//! TLS of the client: the authorities that it trusts, and the handshake.

use std::{fmt, fs, io, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result, anyhow, ensure};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        self, ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

/// The authorities that a client trusts, and the name of the daemon that it expects.
#[derive(Clone)]
pub(super) struct ClientTls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl ClientTls {
    /// For a daemon at `HOST:PORT`: with the authorities of a file, or else with those of the system.
    ///
    /// # Errors
    /// If there is no authority, or the host is no name.
    pub(super) fn new(address: &str, ca: Option<&PathBuf>) -> Result<Self> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| anyhow!("`{host}` is no name or address of a host"))?;
        let mut roots = RootCertStore::empty();
        if let Some(path) = ca {
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
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config), name })
    }

    /// Does the handshake.
    ///
    /// # Errors
    /// If the daemon's certificate is not trusted, or not that of its name.
    pub(super) async fn connect(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        connector.connect(self.name.clone(), stream).await.map_err(explain)
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
