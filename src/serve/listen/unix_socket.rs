//! Unix sockets: their files, and who may connect.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, fchmod},
    process::geteuid,
};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::{UnixListener, UnixStream};
use tracing::warn;

use super::error::ListenError;

/// The greatest number of connections that wait to be accepted.
pub(super) const BACKLOG: u16 = 1024;

/// The user id of the superuser.
const ROOT: u32 = 0;

/// The mode of a file that only its owner reaches.
const PRIVATE: u32 = 0o600;

/// The access to a Unix socket: the mode and the group of its file, which are in place before it
/// listens.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SocketAccess {
    /// The mode, as `0o660`; `None` for that of the process's umask.
    pub mode: Option<u32>,
    /// The number of the group; `None` for that of the process.
    pub group: Option<u32>,
}

impl SocketAccess {
    /// The access of the user of this process alone.
    pub(super) const PRIVATE: Self = Self { mode: Some(PRIVATE), group: None };
}

/// Binds a socket, and replaces one that a process left behind when it was killed.
pub(super) async fn bind(
    path: PathBuf,
    access: SocketAccess,
) -> Result<(UnixListener, SocketFile), ListenError> {
    if let Ok(found) = fs::symlink_metadata(&path) {
        if !found.file_type().is_socket() {
            return Err(ListenError::NoSocket(path));
        }
        // A listener that is too busy to accept is alive.
        let is_left_behind = match UnixStream::connect(&path).await {
            Err(error) => error.kind() == io::ErrorKind::ConnectionRefused,
            Ok(_) => false,
        };
        if !is_left_behind {
            return Err(ListenError::UnixTaken(path));
        }
        if let Err(error) = fs::remove_file(&path) {
            return Err(ListenError::Unix { path, error });
        }
    }
    match listen(&path, access) {
        Ok(listener) => Ok((listener, SocketFile::new(path))),
        Err(error) => Err(ListenError::Unix { path, error }),
    }
}

/// Listens at a path. Until its file has the mode and the group, nobody listens, so that nobody can connect.
fn listen(path: &Path, SocketAccess { mode, group }: SocketAccess) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    if mode.is_some() {
        // On Linux, the file is made with this mode.
        fchmod(&socket, Mode::from_bits_truncate(PRIVATE))?;
    }
    socket.bind(&SockAddr::unix(path)?)?;
    let restricted = restrict(path, mode, group);
    if restricted.is_err() {
        // No later code removes it.
        let _ = fs::remove_file(path);
    }
    restricted?;
    socket.listen(BACKLOG.into())?;
    socket.set_nonblocking(true)?;
    UnixListener::from_std(socket.into())
}

fn restrict(path: &Path, mode: Option<u32>, group: Option<u32>) -> io::Result<()> {
    if group.is_some() {
        chown(path, None, group)?;
    }
    match mode {
        Some(mode) => fs::set_permissions(path, Permissions::from_mode(mode)),
        None => Ok(()),
    }
}

/// The file of a Unix socket, removed when this is dropped.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// The device and the inode, as another daemon may have replaced the file; `None` if it is not to be removed.
    identity: Option<(u64, u64)>,
    /// The user of this process.
    owner: Option<u32>,
}

impl SocketFile {
    fn new(path: PathBuf) -> Self {
        let owner = fs::symlink_metadata(&path).ok().map(|found| found.uid());
        Self { identity: identity(&path), owner, path }
    }

    /// The file of a socket that another process has bound, which is not ours to remove. It may have none.
    pub(super) fn inherited(path: Option<PathBuf>) -> Self {
        Self { path: path.unwrap_or_default(), identity: None, owner: Some(geteuid().as_raw()) }
    }

    /// Whether another process has bound a socket at that path.
    pub(super) fn is_inherited_at(&self, path: &Path) -> bool {
        self.identity.is_none() && self.path == path
    }

    /// Whether the peer process belongs to the owner or root. The mode of the file ensures that already, but
    /// it can be changed.
    pub(super) fn admits(&self, stream: &UnixStream) -> bool {
        let peer = stream.peer_cred().map(|peer| peer.uid());
        let is_admitted = peer.as_ref().is_ok_and(|&uid| uid == ROOT || Some(uid) == self.owner);
        if !is_admitted {
            warn!(?peer, "another user's connection to a socket for administrators was closed");
        }
        is_admitted
    }

    /// Removes the file, unless another daemon has replaced it.
    pub(super) fn remove(&self) {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            // The file may be removed already.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        self.remove();
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}
