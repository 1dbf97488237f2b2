//! HTTP: the native endpoints, AuthZEN, and the APIs of other systems, on hyper directly.
//!
//! A request is answered from one view, taken once; nothing on its way locks or waits. What callers
//! send is turned into a [`Request`](crate::request::Request) at the door, and refused there with a
//! 400 that says what is wrong and where.
//!
//! Invariant: knows of `live`, `decide`, `request`, the commands of `facts`, and `dialects`.

mod admin;
mod admission;
mod allow;
mod allow_map;
mod app;
mod at_least;
mod audit;
mod authzen;
mod blocking;
mod body;
mod connection;
mod counts;
mod decision_count;
mod decision_log;
mod descriptors;
mod dialects;
mod early_shed;
mod error_body;
mod exposition;
mod facts;
mod file_reading;
mod following;
mod freshness;
mod handler;
mod host;
mod json;
mod line_writer;
mod list_stream;
mod listen;
mod metrics;
mod openapi;
mod options;
mod original_uri;
mod peer;
mod plain_head;
mod process_metrics;
mod public_url;
mod query;
mod question;
mod record;
mod request_metrics;
mod response;
mod response_body;
mod router;
mod routes;
mod sockets;
mod spans;
mod status;
mod tokens;
mod trace_context;
mod v1;
mod view_wait;

pub use allow_map::{AllowMap, AllowMapError};
pub use app::App;
pub use audit::Audit;
pub use decision_log::{DecisionFilter, DecisionFilterError, DecisionLog};
pub use descriptors::ConnectionLimits;
pub use host::{HostName, HostNameError};
pub use line_writer::{Destination, LineWriter};
pub use listen::{
    ExpiryWarning, ListenError, ListenerRole, Listeners, SocketAccess, TlsError, TlsFiles,
    TlsIdentity, serve,
};
pub use options::{AllowStatus, AllowStatusError, PropertyNames, ServeOptions};
pub use public_url::{PublicUrl, PublicUrlError};
pub use request_metrics::{RequestMetrics, RouteIndex};
pub use sockets::{Origin, OriginError, SiteOrigin, SocketOptions};
pub use spans::{SpanExportError, SpanExporter};
pub use tokens::{AccessToken, TokenRegistry};
