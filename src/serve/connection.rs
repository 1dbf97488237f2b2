//! The connection by which a request came.

use std::{net::IpAddr, sync::Arc};

use super::{host::ListenerPolicy, peer::Peer};

/// The connection by which a request came.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) listener: ListenerPolicy,
    pub(super) peer: Arc<Peer>,
}

/// The address of a caller over TCP, noted for requests that ask for a WebSocket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ClientAddress(pub(super) IpAddr);
