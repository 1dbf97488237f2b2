//! The listeners: their sockets and the callers that they serve.

use std::{
    ffi::OsString,
    io,
    net::{self, SocketAddr},
    os::{linux::net::SocketAddrExt as _, unix, unix::ffi::OsStringExt as _},
    path::{Path, PathBuf},
};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, UnixListener};

use super::{
    error::ListenError,
    unix_socket::{self, BACKLOG, SocketAccess, SocketFile},
};
use crate::serve::host::{HostCheck, ListenerAudience, ListenerPolicy};

/// The sockets that are served. Bound before anything is served, so that a taken port is an error
/// at the start.
#[derive(Debug, Default)]
pub struct Listeners {
    all: Vec<Listener>,
    /// Whether there is a listener for administrators over TCP, so that the others serve decisions only.
    has_admin: bool,
    /// The addresses of those that other processes have bound.
    inherited: Vec<(SocketAddr, ListenerRole)>,
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

impl ListenerRole {
    /// Those who may connect to a Unix socket of the role.
    fn unix_audience(self) -> ListenerAudience {
        match self {
            Self::Decision => ListenerAudience::Anyone,
            Self::Admin => ListenerAudience::Administrators,
        }
    }
}

impl Listeners {
    /// Binds a TCP address, within a runtime; port 0 takes any free one.
    ///
    /// # Errors
    /// If the address is taken or can't be bound.
    pub fn tcp(
        &mut self,
        address: SocketAddr,
        role: ListenerRole,
    ) -> Result<SocketAddr, ListenError> {
        if self.inherited.contains(&(address, role)) {
            return Ok(address);
        }
        let error = |error| ListenError::Tcp { address, error };
        let listener = bind_tcp(address).map_err(error)?;
        let bound = listener.local_addr().map_err(error)?;
        self.add_tcp(listener, bound, role);
        Ok(bound)
    }

    /// Takes a TCP socket that another process has bound. Returns its address, which [`tcp`](Self::tcp) does not
    /// bind again.
    ///
    /// # Errors
    /// If the socket does not listen.
    pub fn inherited_tcp(
        &mut self,
        listener: net::TcpListener,
        role: ListenerRole,
    ) -> Result<SocketAddr, ListenError> {
        let take = || {
            check_listens(&SockRef::from(&listener))?;
            listener.set_nonblocking(true)?;
            let bound = listener.local_addr()?;
            Ok((TcpListener::from_std(listener)?, bound))
        };
        let (listener, bound) = take().map_err(ListenError::Inherited)?;
        self.inherited.push((bound, role));
        self.add_tcp(listener, bound, role);
        Ok(bound)
    }

    /// Takes a Unix socket that another process has bound. Returns its path, which [`unix`](Self::unix) and
    /// [`admin`](Self::admin) do not bind again, or its name behind an `@`. One for administrators admits root and
    /// the user of this process alone, whatever the mode of its file.
    ///
    /// # Errors
    /// If the socket does not listen.
    pub fn inherited_unix(
        &mut self,
        listener: unix::net::UnixListener,
        role: ListenerRole,
    ) -> Result<PathBuf, ListenError> {
        let take = || {
            check_listens(&SockRef::from(&listener))?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok((UnixListener::from_std(listener)?, address))
        };
        let (listener, address) = take().map_err(ListenError::Inherited)?;
        let path = address.as_pathname().map(Path::to_owned);
        let place = path.clone().unwrap_or_else(|| {
            let name = address.as_abstract_name().unwrap_or_default();
            PathBuf::from(OsString::from_vec([b"@", name].concat()))
        });
        self.add_unix(listener, SocketFile::inherited(path), role.unix_audience());
        Ok(place)
    }

    fn add_tcp(&mut self, listener: TcpListener, bound: SocketAddr, role: ListenerRole) {
        let is_loopback = bound.ip().to_canonical().is_loopback();
        let host_check = if is_loopback { HostCheck::KnownHosts } else { HostCheck::AnyHost };
        let answers_admin = role == ListenerRole::Admin;
        self.has_admin |= answers_admin;
        let policy = ListenerPolicy {
            audience: ListenerAudience::Anyone,
            host_check,
            answers_admin,
            takes_tokens: true,
        };
        self.all.push(Listener { socket: ListenerSocket::Tcp(listener), policy });
    }

    /// Whether another process has bound a socket at a path, for the same callers.
    fn has_unix(&self, path: &Path, audience: ListenerAudience) -> bool {
        self.all.iter().any(|listener| match &listener.socket {
            ListenerSocket::Tcp(_) => false,
            ListenerSocket::Unix(_, file) => {
                file.is_inherited_at(path) && listener.policy.audience == audience
            }
        })
    }

    /// Binds a Unix socket. One that a process left behind when it was killed is replaced.
    ///
    /// # Errors
    /// If another process listens there, or the socket can't be created or given to the group.
    pub async fn unix(&mut self, path: PathBuf, access: SocketAccess) -> Result<(), ListenError> {
        self.bind_unix(path, access, ListenerAudience::Anyone).await
    }

    /// The same for administrators: a process that can reach the socket needs no token. Only the user of this
    /// process can.
    ///
    /// # Errors
    /// As for other Unix sockets, and if access can't be restricted.
    pub async fn admin(&mut self, path: PathBuf) -> Result<(), ListenError> {
        self.bind_unix(path, SocketAccess::PRIVATE, ListenerAudience::Administrators).await
    }

    async fn bind_unix(
        &mut self,
        path: PathBuf,
        access: SocketAccess,
        audience: ListenerAudience,
    ) -> Result<(), ListenError> {
        if self.has_unix(&path, audience) {
            return Ok(());
        }
        let (listener, file) = unix_socket::bind(path, access).await?;
        self.add_unix(listener, file, audience);
        Ok(())
    }

    fn add_unix(&mut self, listener: UnixListener, file: SocketFile, audience: ListenerAudience) {
        let answers_admin = audience == ListenerAudience::Administrators;
        let policy = ListenerPolicy {
            audience,
            host_check: HostCheck::AnyHost,
            answers_admin,
            takes_tokens: false,
        };
        self.all.push(Listener { socket: ListenerSocket::Unix(listener, file), policy });
    }

    /// The listeners. Without one for administrators, all of them serve every operation.
    pub(super) fn into_vec(self) -> Vec<Listener> {
        let Self { mut all, has_admin, .. } = self;
        for listener in &mut all {
            listener.policy.answers_admin |= !has_admin;
        }
        all
    }
}

/// Binds as tokio does by itself, but with a longer backlog: beyond it, a connection is delayed by a second.
fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG.into())
}

fn check_listens(socket: &SockRef<'_>) -> io::Result<()> {
    if socket.is_listener()? {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        "it does not listen; its unit must have Accept=no",
    ))
}
