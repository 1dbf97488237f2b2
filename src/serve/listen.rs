//! The listeners, and the connections that they accept.

use std::{
    convert::Infallible,
    fs::{self, Permissions},
    io,
    net::SocketAddr,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use hyper::{Request, body::Incoming, header::UPGRADE, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, SockAddr, Socket, Type};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};
use tracing::{debug, warn};

use super::{
    app::App,
    connection::{ClientAddress, Connection},
    descriptors::ConnectionLimits,
    error_body::ErrorBodyStream,
    host::{Audience, HostCheck, ListenerPolicy},
    peer::{Peer, WatchedStream},
    sockets,
};

/// The sockets that are served. Bound before anything is served, so that a taken port is an error
/// at the start.
#[derive(Debug, Default)]
pub struct Listeners {
    tcp: Vec<TcpListener>,
    unix: Vec<UnixSocket>,
}

/// A bound Unix socket.
#[derive(Debug)]
struct UnixSocket {
    listener: UnixListener,
    file: SocketFile,
    audience: Audience,
}

/// The most connections that wait to be accepted on a socket for administrators.
const BACKLOG: i32 = 1024;

/// The user id of the superuser.
const ROOT: u32 = 0;

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
}

fn tcp_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; another process has it, choose another with --listen",
        _ => "",
    }
}

impl Listeners {
    /// Binds a TCP address; port 0 takes any free one.
    ///
    /// # Errors
    /// When the address is taken or can't be had.
    pub async fn tcp(&mut self, address: SocketAddr) -> Result<SocketAddr, ListenError> {
        let error = |error| ListenError::Tcp { address, error };
        let listener = TcpListener::bind(address).await.map_err(error)?;
        let bound = listener.local_addr().map_err(error)?;
        self.tcp.push(listener);
        Ok(bound)
    }

    /// Binds a Unix socket. A socket that a killed process left behind is replaced.
    ///
    /// # Errors
    /// When another process listens there, or the path can't be had.
    pub async fn unix(&mut self, path: PathBuf) -> Result<(), ListenError> {
        self.bind(path, Audience::Anyone).await
    }

    /// The same for administrators: a process that can reach the socket needs no token. Only the user of this
    /// process can.
    ///
    /// # Errors
    /// As for others, and if others can't be kept from it.
    pub async fn admin(&mut self, path: PathBuf) -> Result<(), ListenError> {
        self.bind(path, Audience::Administrators).await
    }

    async fn bind(&mut self, path: PathBuf, audience: Audience) -> Result<(), ListenError> {
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
        let bound = match audience {
            Audience::Administrators => bind_privately(&path),
            Audience::Anyone => UnixListener::bind(&path),
        };
        match bound {
            Ok(listener) => {
                self.unix.push(UnixSocket { listener, file: SocketFile::new(path), audience });
            }
            Err(error) => return Err(ListenError::Unix { path, error }),
        }
        Ok(())
    }
}

/// Binds a socket that only the user of this process can reach: nothing can connect before its file has
/// the mode for that, since the socket listens only then.
fn bind_privately(path: &Path) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    UnixListener::from_std(socket.into())
}

/// The file of a Unix socket, removed when this is dropped.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// The device and the inode: another daemon may have replaced the file.
    identity: Option<(u64, u64)>,
    /// The user of this process.
    owner: Option<u32>,
}

impl SocketFile {
    fn new(path: PathBuf) -> Self {
        let owner = fs::symlink_metadata(&path).ok().map(|found| found.uid());
        Self { identity: identity(&path), owner, path }
    }
}

/// Whether the peer process belongs to the owner or root. The mode of the socket's file ensures that
/// already, but it can be changed.
fn is_admitted(stream: &UnixStream, owner: Option<u32>) -> bool {
    let peer = stream.peer_cred().map(|peer| peer.uid());
    let is_admitted = peer.as_ref().is_ok_and(|&uid| uid == ROOT || Some(uid) == owner);
    if !is_admitted {
        warn!(?peer, "another user's connection to a socket for administrators was closed");
    }
    is_admitted
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path) == self.identity {
            // The file may be removed already.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Serves until `stop` ends; then accepts no more connections, waits for the active ones until the future
/// that `stop` returned ends, and returns.
pub async fn serve<C: Future<Output = ()>>(
    listeners: Listeners,
    app: Arc<App>,
    stop: impl Future<Output = C>,
) {
    let draining = Arc::new(watch::Sender::new(false));
    let ConnectionLimits { ordinary, admin } = app.options.connections;
    // A semaphore has a maximum, which is as good as no limit.
    let room =
        |connections: usize| Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS)));
    let (ordinary, admin) = (room(ordinary), room(admin));
    let warned = Arc::new(Throttle::default());
    let gate = |policy: ListenerPolicy| Gate {
        app: Arc::clone(&app),
        draining: Arc::clone(&draining),
        policy,
        room: Arc::clone(if policy.is_trusted() { &admin } else { &ordinary }),
        warned: Arc::clone(&warned),
    };
    let mut accepting = JoinSet::new();
    for listener in listeners.tcp {
        let address = listener.local_addr();
        let host_check = match address {
            Ok(address) if !address.ip().to_canonical().is_loopback() => HostCheck::AnyHost,
            _ => HostCheck::KnownHosts,
        };
        let gate = gate(ListenerPolicy { audience: Audience::Anyone, host_check });
        accepting.spawn(async move {
            while let Some(room) = gate.room().await {
                match listener.accept().await {
                    Ok((stream, peer)) => {
                        // Responses are small and complete: waiting for more data only delays them.
                        let _ = stream.set_nodelay(true);
                        gate.open(stream, room, Some(ClientAddress(peer.ip())));
                    }
                    Err(error) => gate.pause(&error).await,
                }
            }
        });
    }
    let mut files = Vec::new();
    for UnixSocket { listener, file, audience } in listeners.unix {
        let owner = file.owner;
        files.push(file);
        let gate = gate(ListenerPolicy { audience, host_check: HostCheck::AnyHost });
        accepting.spawn(async move {
            while let Some(room) = gate.room().await {
                match listener.accept().await {
                    Ok((stream, _))
                        if audience == Audience::Administrators && !is_admitted(&stream, owner) =>
                    {
                        drop(stream);
                    }
                    Ok((stream, _)) => gate.open(stream, room, None),
                    Err(error) => gate.pause(&error).await,
                }
            }
        });
    }
    let mut following = JoinSet::new();
    for hub in &app.hubs {
        let (hub, app) = (Arc::clone(hub), Arc::clone(&app));
        following.spawn(async move {
            tokio::join!(hub.follow_changes(&app.live), sockets::clean_up(&hub, &app));
        });
    }
    let cut = stop.await;
    // Removed while it still listens, so that no other daemon can have replaced them.
    drop(files);
    accepting.shutdown().await;
    let finish = async {
        draining.send_replace(true);
        let sockets = async {
            for hub in &app.hubs {
                hub.begin_stop();
            }
            for hub in &app.hubs {
                hub.closed().await;
            }
        };
        // An active request may still become a socket.
        tokio::join!(draining.closed(), sockets);
    };
    tokio::select! {
        () = finish => {}
        () = cut => warn!("connections were still active at the end of the drain timeout and are cut off"),
    }
    following.shutdown().await;
}

/// The largest buffer of a connection for a request's head or a response, in bytes.
const MAX_BUFFERED: usize = 128 << 10;

/// The longest wait for the caller to read some of a response.
const READ_PATIENCE: Duration = Duration::from_secs(30);

/// The admission of one listener's connections.
struct Gate {
    app: Arc<App>,
    draining: Arc<watch::Sender<bool>>,
    policy: ListenerPolicy,
    /// A permit for each connection that may still be opened.
    room: Arc<Semaphore>,
    warned: Arc<Throttle>,
}

impl Gate {
    /// Waits for a permit for one more connection; later connections wait in the backlog.
    async fn room(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(room) = Arc::clone(&self.room).try_acquire_owned() {
            return Some(room);
        }
        if self.warned.may_warn() {
            warn!("the connection limit is reached; new connections wait until others are closed");
        }
        Arc::clone(&self.room).acquire_owned().await.ok()
    }

    /// Pauses after an error such as a lack of file descriptors: active connections go on, new ones wait.
    async fn pause(&self, error: &io::Error) {
        if self.warned.may_warn() {
            warn!(%error, "can't accept a connection");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    fn open(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        room: OwnedSemaphorePermit,
        address: Option<ClientAddress>,
    ) {
        let Self { app, draining, policy, .. } = self;
        let peer = Arc::new(Peer::default());
        let stream =
            WatchedStream::new(stream, Arc::clone(&peer), app.waiting.clone(), READ_PATIENCE, room);
        let stream = ErrorBodyStream::new(stream, Arc::clone(app));
        let context = Arc::new((Arc::clone(app), Connection { listener: *policy, peer }));
        let service = service_fn(move |mut request: Request<Incoming>| {
            let context = Arc::clone(&context);
            // Only WebSockets need the address; other requests don't pay for it.
            if let Some(address) = address.filter(|_| request.headers().contains_key(UPGRADE)) {
                request.extensions_mut().insert(address);
            }
            async move {
                let (app, connection) = &*context;
                Ok::<_, Infallible>(app.respond(request, connection).await)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(60))
            // A client that has sent its last request still expects the response.
            .half_close(true)
            // This much of a response is buffered for a slow reader.
            .max_buf_size(MAX_BUFFERED)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        // Draining ends when all receivers, one per connection, are dropped.
        let mut draining = draining.subscribe();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => Some(ended),
                _ = draining.wait_for(|&drains| drains) => None,
            };
            let ended = if let Some(ended) = ended {
                ended
            } else {
                connection.as_mut().graceful_shutdown();
                connection.await
            };
            if let Err(error) = ended {
                debug!(%error, "a connection ended with an error");
            }
        });
    }
}

/// A limit of one warning per second.
#[derive(Default)]
struct Throttle(Mutex<Option<Instant>>);

impl Throttle {
    fn may_warn(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let may = last.is_none_or(|last| last.elapsed() >= Duration::from_secs(1));
        if may {
            *last = Some(Instant::now());
        }
        may
    }
}
