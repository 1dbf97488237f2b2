//! The error of a socket that can't be listened on.

use std::{io, net::SocketAddr, path::PathBuf};

use thiserror::Error;

/// The error of a socket that can't be listened on.
#[derive(Debug, Error)]
pub enum ListenError {
    #[error("can't listen on {address}: {error}{}", tcp_hint(error))]
    Tcp { address: SocketAddr, error: io::Error },
    #[error("can't listen on {}: {error}", path.display())]
    Unix { path: PathBuf, error: io::Error },
    #[error("can't listen on {}: another process listens there", .0.display())]
    UnixTaken(PathBuf),
    #[error("can't listen on {}: the path exists and is not a socket", .0.display())]
    NoSocket(PathBuf),
    #[error("can't listen on a socket that the service manager handed over: {0}")]
    Inherited(io::Error),
}

fn tcp_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; another process has it, choose another with --listen or --admin-listen"
        }
        _ => "",
    }
}
