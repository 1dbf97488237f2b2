//! The options of serving.

use std::{str::FromStr, sync::Arc, time::Duration};

use hyper::StatusCode;
use thiserror::Error;

use super::{
    allow_map::AllowMap, audit::Audit, decision_log::DecisionLog, descriptors::ConnectionLimits,
    host::HostName, line_writer::LineWriter, listen::TlsIdentity, public_url::PublicUrl,
    sockets::SocketOptions, spans::SpanExporter, tokens::TokenRegistry,
};
use crate::dialects::Dialect;

/// The options of serving.
#[derive(Debug)]
pub struct ServeOptions {
    /// The greatest length of a request's body, in bytes.
    pub body_limit: usize,
    /// The URL at which AuthZEN's clients find the daemon.
    pub public_url: PublicUrl,
    /// Whether AuthZEN's answers carry a `context`, which says why.
    pub authzen_context: bool,
    /// The properties of AuthZEN's requests that stand in for stored facts.
    pub properties: PropertyNames,
    /// The trail of changes and of refused credentials.
    pub audit: Arc<Audit>,
    /// The exporter of requests' spans, if they are exported.
    pub spans: Option<SpanExporter>,
    /// The log of decisions, if there is one.
    pub decision_log: Option<Arc<DecisionLog>>,
    /// The certificate for TCP connections; `None` if they are in clear text.
    pub tls: Option<Arc<TlsIdentity>>,
    /// The tokens of callers.
    pub tokens: Arc<TokenRegistry>,
    /// The names by which loopback listeners may be called, besides those of every machine and that of
    /// the public URL.
    pub hosts: Vec<HostName>,
    /// The status by which `/v1/allow` allows.
    pub allow_status: AllowStatus,
    /// Where the parts of the questions of `/v1/allow` stand; without any, in its query or headers.
    pub allow_maps: Vec<AllowMap>,
    /// The longest wait of a request for a later revision.
    pub patience: Duration,
    pub connections: ConnectionLimits,
    /// The number of decisions that may be in flight at a time.
    pub max_in_flight: usize,
    /// The writer of the log, if the lines that it drops are counted.
    pub log: Option<LineWriter>,
    /// The APIs of other systems over HTTP.
    pub dialects: Vec<Box<dyn Dialect>>,
    /// The APIs of other systems over WebSockets.
    pub sockets: Vec<SocketOptions>,
}

/// The status by which `/v1/allow` allows.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum AllowStatus {
    /// 200, for proxies that take no other for a yes.
    Ok,
    /// 204.
    #[default]
    NoContent,
}

/// The error for a text that is not a status by which `/v1/allow` allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("expected 200 or 204")]
pub struct AllowStatusError;

impl FromStr for AllowStatus {
    type Err = AllowStatusError;

    fn from_str(text: &str) -> Result<Self, AllowStatusError> {
        match text {
            "200" => Ok(Self::Ok),
            "204" => Ok(Self::NoContent),
            _ => Err(AllowStatusError),
        }
    }
}

impl From<AllowStatus> for StatusCode {
    fn from(status: AllowStatus) -> Self {
        match status {
            AllowStatus::Ok => Self::OK,
            AllowStatus::NoContent => Self::NO_CONTENT,
        }
    }
}

/// The properties of a request that stand in for stored facts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum PropertyNames {
    /// Those of our names and shapes, wherever they are.
    #[default]
    All,
    /// Those below `peerage` alone.
    Peerage,
}
