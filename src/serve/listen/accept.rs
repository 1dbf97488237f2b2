//! The connections that listeners accept, and how they are served.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};
use tracing::{debug, warn};

use super::{
    http::AcceptedConnection,
    listener::{Listener, ListenerSocket, Listeners},
    tls::TlsIdentity,
};
use crate::serve::{
    app::App, connection::ClientAddress, descriptors::ConnectionLimits, host::ListenerPolicy,
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
    // A quarter of the connections at most, so that slow handshakes leave room for others.
    let most = app.options.connections.ordinary / 4;
    let handshakes = room(most.clamp(1, MAX_HANDSHAKES));
    let mut accepting = JoinSet::new();
    let mut files = Vec::new();
    for Listener { socket, policy } in listeners.into_vec() {
        let gate = gate(policy);
        match socket {
            ListenerSocket::Tcp(listener) => {
                let tls = app.options.tls.clone();
                let handshakes = Arc::clone(&handshakes);
                accepting.spawn(async move {
                    while let Some(room) = gate.room().await {
                        let Ok(handshake) = Arc::clone(&handshakes).acquire_owned().await else {
                            return;
                        };
                        match listener.accept().await {
                            Ok((stream, peer)) => {
                                // Responses are small and complete: waiting for more data only delays them.
                                let _ = stream.set_nodelay(true);
                                let address = Some(ClientAddress(peer.ip()));
                                match &tls {
                                    Some(tls) => {
                                        gate.open_tls(tls, stream, (room, handshake), address);
                                    }
                                    None => gate.open(stream, room, address),
                                }
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
    let follower = Arc::clone(&app);
    following.spawn(async move { follower.feed.follow(&follower.live).await });
    let cut = stop.await;
    // Removed while it still listens, so that no other daemon can have replaced them.
    files.iter().for_each(|file| file.remove());
    accepting.shutdown().await;
    let finish = async {
        draining.send_replace(true);
        app.feed.begin_stop();
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

/// The most handshakes at a time.
const MAX_HANDSHAKES: usize = 512;

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

    /// Serves a connection in clear text.
    fn open(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        room: OwnedSemaphorePermit,
        address: Option<ClientAddress>,
    ) {
        tokio::spawn(self.accepted(room, address).detect_and_serve(stream));
    }

    /// Does the handshake of a connection, and serves it.
    fn open_tls(
        &self,
        tls: &Arc<TlsIdentity>,
        stream: TcpStream,
        (room, handshake): (OwnedSemaphorePermit, OwnedSemaphorePermit),
        address: Option<ClientAddress>,
    ) {
        let mut accepted = self.accepted(room, address);
        let tls = Arc::clone(tls);
        tokio::spawn(async move {
            let shaken = tokio::select! {
                shaken = tls.accept(stream) => shaken,
                _ = accepted.draining.wait_for(|&drains| drains) => return,
            };
            drop(handshake);
            match shaken {
                Ok((protocol, stream)) => accepted.serve(protocol, stream).await,
                Err(error) => debug!(%error, "a handshake failed"),
            }
        });
    }

    fn accepted(
        &self,
        room: OwnedSemaphorePermit,
        address: Option<ClientAddress>,
    ) -> AcceptedConnection {
        let (app, draining) = (Arc::clone(&self.app), self.draining.subscribe());
        AcceptedConnection { app, policy: self.policy, address, room, draining }
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
