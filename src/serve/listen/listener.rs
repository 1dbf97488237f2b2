//! The listeners: their sockets and the callers that they serve.

use std::{net::SocketAddr, path::PathBuf};

use tokio::net::{TcpListener, UnixListener};

use super::{
    error::ListenError,
    unix_socket::{self, SocketAccess, SocketFile},
};
use crate::serve::host::{Audience, HostCheck, ListenerPolicy};

/// The sockets that are served. Bound before anything is served, so that a taken port is an error
/// at the start.
#[derive(Debug, Default)]
pub struct Listeners {
    all: Vec<Listener>,
    /// Whether there is a listener for administrators over TCP, so that the others serve decisions only.
    has_admin: bool,
}

/// A socket, and the callers that it serves.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) socket: ListenerSocket,
    pub(super) policy: ListenerPolicy,
}

#[derive(Debug)]
pub(super) enum ListenerSocket {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

/// The callers that a listener is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListenerRole {
    /// Those who request decisions; administrators too if they have no listener.
    Decision,
    /// Administrators. Their operations are served here, and no longer by other listeners.
    Admin,
}

impl Listeners {
    /// Binds a TCP address; port 0 takes any free one.
    ///
    /// # Errors
    /// If the address is taken or can't be bound.
    pub async fn tcp(
        &mut self,
        address: SocketAddr,
        role: ListenerRole,
    ) -> Result<SocketAddr, ListenError> {
        let error = |error| ListenError::Tcp { address, error };
        let listener = TcpListener::bind(address).await.map_err(error)?;
        let bound = listener.local_addr().map_err(error)?;
        let is_loopback = bound.ip().to_canonical().is_loopback();
        let host_check = if is_loopback { HostCheck::KnownHosts } else { HostCheck::AnyHost };
        let answers_admin = role == ListenerRole::Admin;
        self.has_admin |= answers_admin;
        let policy = ListenerPolicy {
            audience: Audience::Anyone,
            host_check,
            answers_admin,
            takes_tokens: true,
        };
        self.all.push(Listener { socket: ListenerSocket::Tcp(listener), policy });
        Ok(bound)
    }

    /// Binds a Unix socket. One that a process left behind when it was killed is replaced.
    ///
    /// # Errors
    /// If another process listens there, or the socket can't be created or given to the group.
    pub async fn unix(&mut self, path: PathBuf, access: SocketAccess) -> Result<(), ListenError> {
        self.bind_unix(path, access, Audience::Anyone).await
    }

    /// The same for administrators: a process that can reach the socket needs no token. Only the user of this
    /// process can.
    ///
    /// # Errors
    /// As for other Unix sockets, and if access can't be restricted.
    pub async fn admin(&mut self, path: PathBuf) -> Result<(), ListenError> {
        self.bind_unix(path, SocketAccess::PRIVATE, Audience::Administrators).await
    }

    async fn bind_unix(
        &mut self,
        path: PathBuf,
        access: SocketAccess,
        audience: Audience,
    ) -> Result<(), ListenError> {
        let (listener, file) = unix_socket::bind(path, access).await?;
        let answers_admin = audience == Audience::Administrators;
        let policy = ListenerPolicy {
            audience,
            host_check: HostCheck::AnyHost,
            answers_admin,
            takes_tokens: false,
        };
        self.all.push(Listener { socket: ListenerSocket::Unix(listener, file), policy });
        Ok(())
    }

    /// The listeners. Without one for administrators, all of them serve every operation.
    pub(super) fn into_vec(self) -> Vec<Listener> {
        let Self { mut all, has_admin } = self;
        for listener in &mut all {
            listener.policy.answers_admin |= !has_admin;
        }
        all
    }
}
