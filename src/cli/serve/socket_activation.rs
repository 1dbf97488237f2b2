//! Socket activation: the sockets that a service manager such as systemd hands over.

use std::{
    env,
    net::{SocketAddr, TcpListener},
    os::unix::net::UnixListener,
    process,
};

use anyhow::{Context as _, Result, bail};
use listenfd::ListenFd;

use super::listen_address::ListenAddress;
use crate::serve::{ListenerRole, Listeners};

/// More sockets than a service manager hands over; a greater number is a mistake in the environment.
const MAX_SOCKETS: usize = 256;

/// The descriptor of the first socket.
const FIRST: usize = 3;

/// The sockets that were handed over.
#[derive(Debug, Default)]
pub(super) struct InheritedSockets(Vec<InheritedSocket>);

#[derive(Debug)]
struct InheritedSocket {
    role: ListenerRole,
    socket: Socket,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixListener),
}

impl InheritedSockets {
    /// Takes the sockets that `LISTEN_FDS` counts, if `LISTEN_PID` is this process.
    ///
    /// # Errors
    /// If what is handed over is not a socket over TCP or a Unix one, or its name says no use.
    pub(super) fn take() -> Result<Self> {
        let own = process::id().to_string();
        if env::var_os("LISTEN_PID").is_none_or(|id| *id != *own) {
            return Ok(Self::default());
        }
        let Some(count) = env::var_os("LISTEN_FDS") else { return Ok(Self::default()) };
        let number = count.to_str().and_then(|count| count.parse().ok());
        let count = number.filter(|&number: &usize| number <= MAX_SOCKETS).with_context(|| {
            format!("LISTEN_FDS is `{}`: expected the number of sockets", count.display())
        })?;
        let names = env::var_os("LISTEN_FDNAMES").unwrap_or_default();
        let names = names.to_string_lossy();
        let mut names = names.split(':');
        let mut handed = ListenFd::from_env();
        let sockets = (0..count).map(|position| {
            let socket = InheritedSocket::take(&mut handed, position, names.next());
            socket.with_context(|| {
                let descriptor = FIRST + position;
                format!("can't use descriptor {descriptor}, which the service manager handed over")
            })
        });
        Ok(Self(sockets.collect::<Result<_>>()?))
    }

    /// Whether one of them is for decisions, so that the default address is not bound.
    pub(super) fn have_decisions(&self) -> bool {
        self.0.iter().any(|socket| socket.role == ListenerRole::Decision)
    }

    /// The addresses of those over TCP.
    pub(super) fn addresses(&self) -> impl Iterator<Item = ListenAddress> {
        self.0.iter().filter_map(|socket| match socket.socket {
            Socket::Tcp(_, address) => Some(ListenAddress::One(address)),
            Socket::Unix(_) => None,
        })
    }

    /// Adds all of them to the listeners, and returns where they listen.
    pub(super) fn listen(self, listeners: &mut Listeners, scheme: &str) -> Result<Vec<String>> {
        let places = self.0.into_iter().map(|InheritedSocket { role, socket }| {
            let place = match socket {
                Socket::Tcp(listener, _) => {
                    format!("{scheme}://{}", listeners.inherited_tcp(listener, role)?)
                }
                Socket::Unix(listener) => {
                    format!("unix:{}", listeners.inherited_unix(listener, role)?.display())
                }
            };
            Ok(match role {
                ListenerRole::Decision => place,
                ListenerRole::Admin => format!("{place} for administrators"),
            })
        });
        places.collect()
    }
}

impl InheritedSocket {
    fn take(handed: &mut ListenFd, position: usize, name: Option<&str>) -> Result<Self> {
        let role = role(name.unwrap_or_default())?;
        if let Ok(Some(listener)) = handed.take_tcp_listener(position) {
            let address = listener.local_addr()?;
            return Ok(Self { role, socket: Socket::Tcp(listener, address) });
        }
        match handed.take_unix_listener(position) {
            Ok(Some(listener)) => Ok(Self { role, socket: Socket::Unix(listener) }),
            _ => bail!("expected a socket over TCP or a Unix socket, of the kind of ListenStream="),
        }
    }
}

/// The use that a name says. systemd names a socket after its unit if the unit gives it no name.
fn role(name: &str) -> Result<ListenerRole> {
    match name {
        "decisions" | "" | "unknown" => Ok(ListenerRole::Decision),
        "admin" => Ok(ListenerRole::Admin),
        _ if name.ends_with(".socket") => Ok(ListenerRole::Decision),
        _ => bail!("its name is `{name}`: FileDescriptorName= must be `decisions` or `admin`"),
    }
}
