//! The connections that listeners accept, and how they are served.

use std::{
    convert::Infallible,
    io,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use hyper::{Request, body::Incoming, header::UPGRADE, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};
use tracing::{debug, warn};

use super::listener::{Listener, ListenerSocket, Listeners};
use crate::serve::{
    app::App,
    connection::{ClientAddress, Connection},
    descriptors::ConnectionLimits,
    error_body::ErrorBodyStream,
    host::ListenerPolicy,
    peer::{Peer, WatchedStream},
    sockets,
};

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
    let mut files = Vec::new();
    for Listener { socket, policy } in listeners.into_vec() {
        let gate = gate(policy);
        match socket {
            ListenerSocket::Tcp(listener) => {
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
            ListenerSocket::Unix(listener, file) => {
                let file = Arc::new(file);
                files.push(Arc::clone(&file));
                accepting.spawn(async move {
                    while let Some(room) = gate.room().await {
                        match listener.accept().await {
                            Ok((stream, _)) if policy.is_trusted() && !file.admits(&stream) => {
                                drop(stream);
                            }
                            Ok((stream, _)) => gate.open(stream, room, None),
                            Err(error) => gate.pause(&error).await,
                        }
                    }
                });
            }
        }
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
    files.iter().for_each(|file| file.remove());
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
        let peer = Arc::new(Peer::new(app.admission.decided()));
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
