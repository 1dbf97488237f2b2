//! A client of etcd that fails over from node to node.

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use etcd_client::{Certificate, Client, ConnectOptions, Error, Identity, TlsOptions};
use tokio::time::{Instant, sleep, timeout};

use super::config::{EtcdConfig, EtcdPassword, EtcdTls, EtcdUser};
use crate::store::StoreError;

/// A client of one node of the cluster, and of another one if that fails.
#[derive(Clone, Debug)]
pub(super) struct FailoverClient {
    spec: Arc<EtcdConfig>,
    /// The counter that selects the next node to try.
    next: Arc<AtomicUsize>,
    current: Arc<Mutex<Option<NodeConnection>>>,
}

#[derive(Clone)]
struct NodeConnection {
    client: Client,
    endpoint: String,
}

impl std::fmt::Debug for NodeConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.endpoint)
    }
}

/// The error of a call.
#[derive(Debug)]
pub(super) enum EtcdCallError {
    /// The call was not carried out; another node may do it.
    Unreached(String),
    /// The call may have been carried out.
    Lost(String),
    /// The call was refused, as it would be by every node.
    Refused(String),
}

/// Whether a call that may have been carried out is tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Repetition {
    Allowed,
    Forbidden,
}

/// The pause between two attempts while the cluster has no leader.
const PAUSE: Duration = Duration::from_millis(30);

impl FailoverClient {
    pub(super) fn new(spec: &Arc<EtcdConfig>) -> Self {
        Self { spec: Arc::clone(spec), next: Arc::default(), current: Arc::default() }
    }

    /// Sends a call to one node after another until it is carried out or refused, or may have been
    /// carried out, or the time of a request is over.
    pub(super) async fn call<T, F>(
        &self,
        repetition: Repetition,
        call: impl Fn(Client) -> F,
    ) -> Result<T, EtcdCallError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let deadline = Instant::now() + self.spec.request_timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            // A silent node must not use up the time of those after it.
            let share = if repetition == Repetition::Allowed {
                left.min(self.spec.request_timeout / 2)
            } else {
                left
            };
            let failure = match self.once(share, &call).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if matches!(failure, EtcdCallError::Refused(_)) {
                return Err(failure);
            }
            self.leave();
            let is_over = Instant::now() + PAUSE >= deadline;
            if is_over
                || (matches!(failure, EtcdCallError::Lost(_))
                    && repetition == Repetition::Forbidden)
            {
                return Err(failure);
            }
            sleep(PAUSE).await;
        }
    }

    /// Sends a call to the connected node, within the given time.
    async fn once<T, F>(
        &self,
        within: Duration,
        call: impl FnOnce(Client) -> F,
    ) -> Result<T, EtcdCallError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let NodeConnection { client, endpoint } = self.connected().await?;
        match timeout(within, call(client)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(EtcdCallError::from_etcd(&error, &endpoint)),
            Err(_) => Err(EtcdCallError::Lost(format!("{endpoint}: no answer within {within:?}"))),
        }
    }

    /// A client of the connected node, or of the next one.
    pub(super) async fn client(&self) -> Result<Client, EtcdCallError> {
        Ok(self.connected().await?.client)
    }

    /// Disconnects, so that the next call goes to another node.
    pub(super) fn leave(&self) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn connected(&self) -> Result<NodeConnection, EtcdCallError> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(current) = current {
            return Ok(current);
        }
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.spec.endpoints.len().max(1);
        let endpoint = self.spec.endpoints.get(at).cloned().unwrap_or_default();
        let scheme = if self.spec.tls.is_some() { "https" } else { "http" };
        let unreached =
            |why: &dyn std::fmt::Display| EtcdCallError::Unreached(format!("{endpoint}: {why}"));
        let options = options(&self.spec).map_err(|why| EtcdCallError::Refused(why.to_string()))?;
        let connecting = Client::connect([format!("{scheme}://{endpoint}")], Some(options));
        let client = match timeout(self.spec.connect_timeout, connecting).await {
            Ok(Ok(client)) => client,
            // Signing in changes nothing, so that it may be repeated.
            Ok(Err(error)) => {
                return Err(match EtcdCallError::from_etcd(&error, &endpoint) {
                    EtcdCallError::Lost(why) => EtcdCallError::Unreached(why),
                    other => other,
                });
            }
            Err(_) => return Err(unreached(&"no connection in time")),
        };
        let connected = NodeConnection { client, endpoint: endpoint.clone() };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(current.insert(connected).clone())
    }
}

fn options(spec: &EtcdConfig) -> io::Result<ConnectOptions> {
    // A node that has lost its cluster fails instead of waiting for it.
    let mut options = ConnectOptions::new()
        .with_require_leader(true)
        .with_connect_timeout(spec.connect_timeout)
        .with_auto_token_refresh(true);
    if let Some(EtcdUser { name, password }) = &spec.user {
        let password = match password {
            EtcdPassword::Given(password) => password.clone(),
            EtcdPassword::File(path) => {
                let text = String::from_utf8(read(path)?).map_err(io::Error::other)?;
                text.trim_end_matches(['\r', '\n']).to_owned()
            }
        };
        options = options.with_user(name, password);
    }
    if let Some(EtcdTls { ca, identity }) = &spec.tls {
        let mut tls = TlsOptions::new();
        tls = match ca {
            Some(ca) => tls.ca_certificate(Certificate::from_pem(read(ca)?)),
            None => tls.with_native_roots(),
        };
        if let Some((certificate, key)) = identity {
            tls = tls.identity(Identity::from_pem(read(certificate)?, read(key)?));
        }
        options = options.with_tls(tls);
    }
    Ok(options)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path).map_err(|why| io::Error::new(why.kind(), format!("{}: {why}", path.display())))
}

/// Messages of nodes that have not passed a request on to the cluster.
const NOT_CARRIED_OUT: [&str; 6] = [
    "etcdserver: no leader",
    "etcdserver: too many requests",
    "etcdserver: invalid auth token",
    "etcdserver: revision of auth store is old",
    "etcdserver: not capable",
    "etcdserver: rpc not supported for learner",
];

/// Messages of the client about connections that failed to open.
const NOT_CONNECTED: [&str; 3] = ["tcp connect error", "dns error", "tls handshake"];

/// The statuses of gRPC that every node would answer: invalid argument, permission denied, resource
/// exhausted, failed precondition, out of range, unauthenticated.
const REFUSALS: [i32; 6] = [3, 7, 8, 9, 11, 16];

impl EtcdCallError {
    pub(super) fn from_etcd(error: &Error, endpoint: &str) -> Self {
        let Error::GRpcStatus(status) = error else {
            return Self::Lost(format!("{endpoint}: {error}"));
        };
        let mut why = format!("{endpoint}: {}", status.message());
        let mut source = std::error::Error::source(status);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !why.contains(&cause_text) {
                why = format!("{why}: {cause_text}");
            }
            source = cause.source();
        }
        let says = |texts: &[&str]| texts.iter().any(|text| why.contains(text));
        if says(&NOT_CARRIED_OUT) || says(&NOT_CONNECTED) {
            Self::Unreached(why)
        } else if REFUSALS.contains(&(status.code() as i32)) {
            Self::Refused(why)
        } else {
            Self::Lost(why)
        }
    }

    /// The error of a call that changes nothing.
    pub(super) fn into_read_error(self) -> StoreError {
        match self {
            Self::Unreached(why) | Self::Lost(why) => StoreError::Unreachable(why),
            Self::Refused(why) => StoreError::Io { doing: "read", why },
        }
    }

    pub(super) fn into_write_error(self) -> StoreError {
        match self {
            Self::Unreached(why) => StoreError::Unreachable(why),
            Self::Lost(why) => StoreError::InDoubt(why),
            Self::Refused(why) => StoreError::Io { doing: "written", why },
        }
    }

    pub(super) fn into_message(self) -> String {
        match self {
            Self::Unreached(why) | Self::Lost(why) | Self::Refused(why) => why,
        }
    }
}
