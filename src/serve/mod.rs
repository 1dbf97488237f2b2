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
mod answer;
mod audit;
mod authzen;
mod bare;
mod body;
mod counts;
mod descriptors;
mod dialects;
mod dispatch;
mod door;
mod endpoint;
mod exposition;
mod facts;
mod host;
mod json;
mod line_writer;
mod listen;
mod listing;
mod metrics;
mod native;
mod payload;
mod peer;
mod query;
mod recent;
mod route;
mod status;
mod work;

pub use admin::{AdminToken, InvalidToken};
pub use allow::{AllowStatus, InvalidAllowStatus};
pub use audit::Audit;
pub use authzen::{InvalidUrl, PropertyNames, PublicUrl};
pub use descriptors::ConnectionLimits;
pub use dialects::{InvalidOrigin, Origin, SiteOrigin, Sockets};
pub use host::{HostName, InvalidHostName};
pub use line_writer::{Destination, LineWriter};
pub use listen::{ListenError, Listeners, serve};
pub use native::{Listed, explained};
pub use route::{App, Options};
pub use status::held_json;
