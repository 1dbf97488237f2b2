//! APIs of other systems over WebSockets: the sockets that are open, and the messages on them.

mod channel;
mod guest_cleanup;
mod guest_limiter;
mod hub;
mod options;
mod origin;
mod socket;
mod upgrade;

pub(super) use guest_cleanup::clean_up;
pub(super) use hub::Hub;
pub use options::SocketOptions;
pub use origin::{Origin, OriginError, SiteOrigin};
pub(super) use upgrade::upgrade;
