//! TLS: certificates that are replaced without ending a connection.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use serde_json::Value;
use thiserror::Error;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
    server::TlsStream,
};

use super::{
    protocol::Protocol,
    stall::{READ_PATIENCE, StallStream},
    validity,
};
use crate::{live::Swap, serve::file_reading::FileReading, wire::unix_seconds};

/// The longest handshake.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// The name by which a client asks for HTTP/2 in a handshake, and that of the first version.
const H2: &[u8] = b"h2";
const HTTP11: &[u8] = b"http/1.1";

/// The contents of the files of TLS, in PEM.
#[derive(Clone, Copy, Debug)]
pub struct TlsFiles<'f> {
    /// The certificate, and those between it and the root.
    pub certificate: &'f [u8],
    pub key: &'f [u8],
    /// The authorities whose certificates clients must show; `None` if they need none.
    pub client_ca: Option<&'f [u8]>,
}

/// The error of certificates and keys that can't be used.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TlsError {
    #[error("the certificate file holds no certificate in PEM")]
    NoCertificate,
    #[error("the key file holds no private key in PEM")]
    NoKey,
    #[error("the file of clients' authorities holds no certificate in PEM")]
    NoAuthority,
    #[error("a certificate of clients' authorities is not usable: {0}")]
    Authority(String),
    #[error("a certificate of the certificate file can't be read: its validity has no end")]
    Validity,
    #[error("the certificate and the key do not fit together: {0}")]
    Pair(String),
}

/// The certificate that is shown to clients. New connections get the latest.
#[derive(Debug)]
pub struct TlsIdentity {
    config: Swap<ServerConfig>,
    state: Mutex<TlsState>,
}

/// The last reading of the files, and the certificate that is shown.
#[derive(Debug)]
struct TlsState {
    reading: FileReading,
    expires: SystemTime,
    /// The last warning of its end, and when it was given.
    warned: Option<(ExpiryWarning, SystemTime)>,
}

/// The warning of a certificate that clients refuse soon, or already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExpiryWarning {
    Soon,
    Expired,
}

/// The time before the end of a certificate from which warnings are due.
const EXPIRES_SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// The time after which a warning is due again.
const REMINDER: Duration = Duration::from_secs(24 * 3600);

impl TlsIdentity {
    /// # Errors
    /// If the files can't be used.
    pub fn new(files: TlsFiles<'_>) -> Result<Self, TlsError> {
        let (config, expires) = config(files)?;
        let state = Mutex::new(TlsState::new(expires));
        Ok(Self { config: Swap::new(config), state })
    }

    /// Replaces the certificate for connections from now on.
    ///
    /// # Errors
    /// If the files can't be used; then the certificate stays.
    pub fn replace(&self, files: TlsFiles<'_>) -> Result<(), TlsError> {
        let (config, expires) = config(files)?;
        self.config.store(config);
        *self.state() = TlsState::new(expires);
        Ok(())
    }

    /// Keeps the certificate, and says in the status why a later reading failed. Returns whether that is another
    /// reason than before.
    pub fn keep(&self, error: &str) -> bool {
        self.state().reading.fail(error)
    }

    /// Whether the last reading of the files was good.
    pub fn is_current(&self) -> bool {
        self.state().reading.is_good()
    }

    /// The time from which clients refuse the certificate: the end of it, or of one between it and the root.
    pub fn expires(&self) -> SystemTime {
        self.state().expires
    }

    /// The warning that is due if the certificate ends within 14 days, or has ended; `None` if there is none. It counts
    /// as given, and is due again a day later, when the certificate ends, and for each replacement.
    pub fn expiry_warning(&self, now: SystemTime) -> Option<ExpiryWarning> {
        let mut state = self.state();
        let warning = match state.expires.duration_since(now) {
            Err(_) => ExpiryWarning::Expired,
            Ok(left) if left < EXPIRES_SOON => ExpiryWarning::Soon,
            Ok(_) => return None,
        };
        // A clock that is set back must not silence it.
        let is_recent = |at: SystemTime| now.duration_since(at).is_ok_and(|age| age < REMINDER);
        if state.warned.is_some_and(|(last, at)| last == warning && is_recent(at)) {
            return None;
        }
        state.warned = Some((warning, now));
        Some(warning)
    }

    /// The state of the files, for the status.
    pub(in crate::serve) fn to_json(&self) -> Value {
        let state = self.state();
        let mut json = state.reading.to_json();
        if let Some(fields) = json.as_object_mut() {
            fields.insert("expires_at".to_owned(), unix_seconds(state.expires).into());
        }
        json
    }

    fn state(&self) -> MutexGuard<'_, TlsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the handshake of a connection.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<(Protocol, TlsStream<StallStream<TcpStream>>)> {
        let stream = StallStream::new(stream, READ_PATIENCE);
        let accepting = TlsAcceptor::from(self.config.load()).accept(stream);
        let stream = timeout(HANDSHAKE_PATIENCE, accepting).await??;
        let (_, session) = stream.get_ref();
        let is_h2 = session.alpn_protocol() == Some(H2);
        Ok((if is_h2 { Protocol::Http2 } else { Protocol::Http1 }, stream))
    }
}

impl TlsState {
    fn new(expires: SystemTime) -> Self {
        Self { reading: FileReading::default(), expires, warned: None }
    }
}

/// The configuration by some files, and the time at which the first of the certificates ends.
fn config(files: TlsFiles<'_>) -> Result<(ServerConfig, SystemTime), TlsError> {
    let chain = certificates(files.certificate).ok_or(TlsError::NoCertificate)?;
    let ends: Option<Vec<_>> = chain.iter().map(|it| validity::not_after(it)).collect();
    let expires = ends.and_then(|ends| ends.into_iter().min()).ok_or(TlsError::Validity)?;
    let key = PrivateKeyDer::from_pem_slice(files.key).map_err(|_| TlsError::NoKey)?;
    let provider = Arc::new(ring::default_provider());
    let pair = |error: rustls::Error| TlsError::Pair(error.to_string());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(pair)?;
    let config = match files.client_ca {
        None => config.with_no_client_auth(),
        Some(authorities) => {
            let unusable = |error: &dyn std::error::Error| TlsError::Authority(error.to_string());
            let mut roots = RootCertStore::empty();
            for authority in certificates(authorities).ok_or(TlsError::NoAuthority)? {
                roots.add(authority).map_err(|error| unusable(&error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            config.with_client_cert_verifier(verifier.build().map_err(|error| unusable(&error))?)
        }
    };
    let mut config = config.with_single_cert(chain, key).map_err(pair)?;
    config.alpn_protocols = vec![H2.to_vec(), HTTP11.to_vec()];
    Ok((config, expires))
}

/// All certificates of a file; `None` if there is none, or one can't be read.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.ok().filter(|all| !all.is_empty())
}
