//! Listeners: how their sockets are bound, and the connections that they accept.

mod accept;
mod error;
mod http;
mod listener;
mod protocol;
mod stall;
mod streams;
mod tls;
mod unix_socket;
mod validity;

pub use accept::serve;
pub use error::ListenError;
pub use listener::{ListenerRole, Listeners};
pub use tls::{ExpiryWarning, TlsError, TlsFiles, TlsIdentity};
pub use unix_socket::SocketAccess;
