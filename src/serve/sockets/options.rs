//! The options of serving a dialect over WebSockets.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use super::origin::Origin;
use crate::dialects::SocketDialect;

/// The options of serving a dialect over WebSockets.
#[derive(Clone, Debug)]
pub struct SocketOptions {
    pub dialect: Arc<dyn SocketDialect>,
    /// The time that a caller has to authenticate, to answer a ping, and to take a frame if that is
    /// less than is given anyway.
    pub patience: Duration,
    /// The number of sockets of a user who does not manage others: a new one replaces their oldest.
    pub max_per_user: Option<NonZeroUsize>,
    /// The origins whose pages may open a socket; the requested host's own if there are none.
    pub origins: Vec<Origin>,
    /// The number of guests that are kept.
    pub max_guests: usize,
    /// The number of guests that one address may make a minute.
    pub new_guests: u32,
}
