//! The TCP addresses that `--listen` names.

use std::{
    fmt, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use anyhow::{Result, ensure};
use tracing::warn;

use crate::serve::{ListenError, ListenerRole, Listeners};

/// The address of a daemon without `--listen` and `--uds`.
pub(in crate::cli) const DEFAULT_ADDRESS: &str = "127.0.0.1:7411";

/// The value of one `--listen`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ListenAddress {
    One(SocketAddr),
    /// `localhost:PORT`: the loopback addresses of this machine.
    Localhost(u16),
    /// `:PORT`: all addresses.
    All(u16),
}

/// Refuses addresses that other machines can reach, unless `is_meant`: decisions need no token, even if
/// an admin token is configured.
pub(super) fn check(
    addresses: impl IntoIterator<Item = ListenAddress>,
    is_meant: bool,
) -> Result<()> {
    let Some(open) = addresses.into_iter().find(|address| !address.is_loopback()) else {
        return Ok(());
    };
    ensure!(
        is_meant,
        "other machines can reach {open}, and decisions need no token; require certificates of \
         clients by --tls-client-ca or tokens with the scope `decide` by --tokens-file, listen on a loopback address or a Unix socket behind a proxy that \
         authenticates callers, or add --insecure-listen"
    );
    warn!("everyone who can reach {open} can request decisions and lists without a token");
    Ok(())
}

/// The error for a text that is not an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "expected ADDRESS:PORT, as 127.0.0.1:7411 or [::1]:7411, localhost:PORT, or :PORT for all addresses"
)]
pub(super) struct ListenAddressError;

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> std::result::Result<Self, ListenAddressError> {
        if let Ok(address) = text.parse() {
            return Ok(Self::One(address));
        }
        let (host, port) = text.rsplit_once(':').ok_or(ListenAddressError)?;
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|_| is_number).ok_or(ListenAddressError)?;
        match host {
            "" => Ok(Self::All(port)),
            _ if host.eq_ignore_ascii_case("localhost") => Ok(Self::Localhost(port)),
            _ => Err(ListenAddressError),
        }
    }
}

/// The address as it was given.
impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(address) => address.fmt(f),
            Self::Localhost(port) => write!(f, "localhost:{port}"),
            Self::All(port) => write!(f, ":{port}"),
        }
    }
}

impl ListenAddress {
    /// Whether only this machine can reach it.
    pub(super) fn is_loopback(self) -> bool {
        match self {
            Self::One(address) => address.ip().to_canonical().is_loopback(),
            Self::Localhost(_) => true,
            Self::All(_) => false,
        }
    }

    /// Binds the address, and returns the bound ones: for `localhost` two with one port if the machine has
    /// IPv6.
    ///
    /// # Errors
    /// If an address is in use or not available.
    pub(super) fn bind(
        self,
        listeners: &mut Listeners,
        role: ListenerRole,
    ) -> std::result::Result<Vec<SocketAddr>, ListenError> {
        match self {
            Self::One(address) => Ok(vec![listeners.tcp(address, role)?]),
            Self::Localhost(port) => {
                let first = listeners.tcp((Ipv4Addr::LOCALHOST, port).into(), role)?;
                match listeners.tcp((Ipv6Addr::LOCALHOST, first.port()).into(), role) {
                    Ok(second) => Ok(vec![first, second]),
                    Err(error) if lacks_ipv6(&error) => Ok(vec![first]),
                    Err(error) => Err(error),
                }
            }
            Self::All(port) => match listeners.tcp((Ipv6Addr::UNSPECIFIED, port).into(), role) {
                Err(error) if lacks_ipv6(&error) => {
                    Ok(vec![listeners.tcp((Ipv4Addr::UNSPECIFIED, port).into(), role)?])
                }
                bound => Ok(vec![bound?]),
            },
        }
    }
}

/// Linux' `EAFNOSUPPORT`, for which `io::ErrorKind` has no variant.
const NO_SUCH_FAMILY: i32 = 97;

fn lacks_ipv6(error: &ListenError) -> bool {
    let ListenError::Tcp { error, .. } = error else { return false };
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(NO_SUCH_FAMILY)
}
