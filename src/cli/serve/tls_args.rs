//! The options of TLS: the certificate, its key, and the authorities of clients.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use anyhow::{Context as _, Result};
use clap::Args;
use tracing::{info, warn};

use super::watched_file::WatchedFiles;
use crate::{
    cli::secret,
    serve::{ExpiryWarning, TlsFiles, TlsIdentity},
    wire::rfc3339,
};

#[derive(Args, Debug)]
#[group(skip)]
#[expect(clippy::struct_field_names, reason = "the options are named after the fields")]
pub(super) struct TlsArgs {
    /// Serve TLS at all TCP addresses, with this certificate in PEM and those between it and the root
    ///
    /// The files are read again when they change; open connections go on.
    #[arg(long, value_name = "PATH", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "PATH", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Require a certificate of clients that one of these authorities has signed, in PEM
    #[arg(long, value_name = "PATH", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
}

/// The certificate that is served, and its files.
pub(super) struct ServedTls {
    pub(super) identity: Arc<TlsIdentity>,
    paths: TlsPaths,
    watched: WatchedFiles,
    last: TlsContents,
}

#[derive(Clone, Debug)]
struct TlsPaths {
    certificate: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
}

/// The bytes of the files.
#[derive(PartialEq, Eq)]
struct TlsContents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl TlsArgs {
    /// Whether clients must show a certificate.
    pub(super) fn checks_clients(&self) -> bool {
        self.tls_client_ca.is_some()
    }

    /// The certificate to serve, if there is one.
    ///
    /// # Errors
    /// If a file can't be read or used.
    pub(super) fn open(&self) -> Result<Option<ServedTls>> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            return Ok(None);
        };
        let paths = TlsPaths {
            certificate: certificate.clone(),
            key: key.clone(),
            client_ca: self.tls_client_ca.clone(),
        };
        let all = [Some(certificate), Some(key), self.tls_client_ca.as_ref()];
        let watched = WatchedFiles::new(all.into_iter().flatten().cloned().collect());
        // Warns where others can read the key.
        secret::read_bytes(key, "the TLS key")?;
        let last = paths.read()?;
        let identity = TlsIdentity::new(last.files()).with_context(|| paths.describe())?;
        let served = ServedTls { identity: Arc::new(identity), paths, watched, last };
        served.log_expiry();
        Ok(Some(served))
    }
}

impl TlsPaths {
    fn read(&self) -> Result<TlsContents> {
        let read = |path: &Path, what: &str| {
            fs::read(path).with_context(|| format!("can't read {what} in `{}`", path.display()))
        };
        let client_ca = self.client_ca.as_deref();
        Ok(TlsContents {
            certificate: read(&self.certificate, "the TLS certificate")?,
            key: read(&self.key, "the TLS key")?,
            client_ca: client_ca.map(|path| read(path, "clients' authorities")).transpose()?,
        })
    }

    fn describe(&self) -> String {
        format!("can't use `{}` and `{}`", self.certificate.display(), self.key.display())
    }
}

impl TlsContents {
    fn files(&self) -> TlsFiles<'_> {
        let Self { certificate, key, client_ca } = self;
        TlsFiles { certificate, key, client_ca: client_ca.as_deref() }
    }
}

impl ServedTls {
    /// Reads the files again if they have changed, and warns when that is due. Unusable files leave the certificate as it
    /// is.
    pub(super) fn refresh(&mut self) {
        if self.watched.have_changed() {
            self.read_again();
        }
        self.log_expiry();
    }

    fn read_again(&mut self) {
        let read = self.paths.read().and_then(|contents| {
            if contents != self.last || !self.identity.is_current() {
                self.identity.replace(contents.files()).with_context(|| self.paths.describe())?;
                self.last = contents;
                info!(file = %self.paths.certificate.display(), "the TLS certificate was read again");
            }
            Ok(())
        });
        if let Err(error) = read {
            let message = format!("{error:#}");
            if self.identity.keep(&message) {
                warn!("the TLS certificate stays as it was: {message}");
            }
        }
    }

    /// Warns of a certificate that ends soon, or has, if that is due.
    fn log_expiry(&self) {
        let Some(warning) = self.identity.expiry_warning(SystemTime::now()) else { return };
        let (file, at) = (self.paths.certificate.display(), rfc3339(self.identity.expires()));
        match warning {
            ExpiryWarning::Expired => {
                warn!(
                    "the TLS certificate in `{file}` expired at {at}: clients refuse it; renew it"
                );
            }
            ExpiryWarning::Soon => {
                warn!("the TLS certificate in `{file}` expires at {at}; renew it");
            }
        }
    }
}
