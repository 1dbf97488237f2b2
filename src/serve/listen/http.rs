//! HTTP on an accepted connection: the first version, or the second.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use hyper::{
    Request,
    body::Incoming,
    header::UPGRADE,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{OwnedSemaphorePermit, watch},
    time::{interval, timeout},
};
use tracing::debug;

use super::{
    protocol::{self, Protocol},
    stall::READ_PATIENCE,
    streams::{ConnectionFate, StreamLedger},
};
use crate::serve::{
    app::App,
    connection::{ClientAddress, Connection},
    early_shed::ShedStream,
    error_body::ErrorBodyStream,
    host::ListenerPolicy,
    peer::{Peer, WatchedStream},
};

/// The largest buffer of a connection for a request's head or a response, in bytes.
const MAX_BUFFERED: usize = 128 << 10;

/// The longest wait for a request's head.
const HEAD_PATIENCE: Duration = Duration::from_secs(60);

/// The most streams of an HTTP/2 connection at a time.
const MAX_STREAMS: u32 = 128;

/// The most streams that the client has reset and the daemon not looked at yet, and those that the daemon
/// resets for errors of the client. Beyond either, the connection is closed.
const MAX_PENDING_RESETS: usize = 20;
const MAX_ERROR_RESETS: usize = 100;

/// The largest headers of a request, in bytes.
const MAX_HEADERS: u32 = 64 << 10;

/// The windows of request bodies: that of a stream, and that of a connection.
const STREAM_WINDOW: u32 = 64 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// The time without a frame after which the client is asked whether it is there, and the wait for its answer.
const PING_AFTER: Duration = Duration::from_secs(30);
const PING_PATIENCE: Duration = Duration::from_secs(20);

/// The time between two looks at the streams of a connection.
const LOOK: Duration = Duration::from_secs(1);

/// An accepted connection.
pub(super) struct AcceptedConnection {
    pub(super) app: Arc<App>,
    pub(super) policy: ListenerPolicy,
    pub(super) address: Option<ClientAddress>,
    /// The permit for the connection.
    pub(super) room: OwnedSemaphorePermit,
    /// Draining ends when all receivers, one per connection, are dropped.
    pub(super) draining: watch::Receiver<bool>,
}

impl AcceptedConnection {
    /// Serves the version of HTTP that the first bytes show.
    pub(super) async fn detect_and_serve<S>(mut self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let detected = tokio::select! {
            detected = timeout(HEAD_PATIENCE, protocol::detect(stream)) => detected,
            _ = self.draining.wait_for(|&drains| drains) => return,
        };
        if let Ok(Ok(Some((protocol, stream)))) = detected {
            self.serve(protocol, stream).await;
        }
    }

    /// Serves a version of HTTP.
    pub(super) async fn serve<S>(self, protocol: Protocol, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let ended = match protocol {
            Protocol::Http1 => self.serve_http1(stream).await,
            Protocol::Http2 => self.serve_http2(stream).await,
        };
        if let Err(error) = ended {
            debug!(%error, "a connection ended with an error");
        }
    }

    async fn serve_http1<S>(self, stream: S) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { app, policy, address, room, mut draining } = self;
        let peer = Arc::new(Peer::new(app.admission.decided()));
        let stream =
            WatchedStream::new(stream, Arc::clone(&peer), app.waiting.clone(), READ_PATIENCE, room);
        let connection = Connection { listener: policy, peer };
        let stream = ShedStream::new(stream, Arc::clone(&app), connection.clone());
        let stream = ErrorBodyStream::new(stream, Arc::clone(&app));
        let context = Arc::new((app, connection));
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
            .header_read_timeout(HEAD_PATIENCE)
            // A client that has sent its last request still expects the response.
            .half_close(true)
            // This much of a response is buffered for a slow reader.
            .max_buf_size(MAX_BUFFERED)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return ended,
            _ = draining.wait_for(|&drains| drains) => {}
        }
        connection.as_mut().graceful_shutdown();
        connection.await
    }

    async fn serve_http2<S>(self, stream: S) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { app, policy, room, mut draining, .. } = self;
        let peer = Arc::new(Peer::multiplexed(app.admission.decided()));
        let stream =
            WatchedStream::new(stream, Arc::clone(&peer), app.waiting.clone(), READ_PATIENCE, room);
        let context = Arc::new((app, Connection { listener: policy, peer }));
        let ledger = Arc::new(StreamLedger::new());
        let streams = Arc::clone(&ledger);
        let service = service_fn(move |request: Request<Incoming>| {
            let (context, streams) = (Arc::clone(&context), Arc::clone(&streams));
            let guard = streams.begin();
            async move {
                let (app, connection) = &*context;
                let response = app.respond(request, connection).await;
                guard.complete();
                Ok::<_, Infallible>(response.map(|body| streams.body(body)))
            }
        });
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
            .max_local_error_reset_streams(MAX_ERROR_RESETS)
            .max_header_list_size(MAX_HEADERS)
            .max_send_buf_size(MAX_BUFFERED)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(PING_AFTER)
            .keep_alive_timeout(PING_PATIENCE)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let mut looks = interval(LOOK);
        let mut drains = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => return ended,
                _ = draining.wait_for(|&drains| drains), if !drains => {
                    connection.as_mut().graceful_shutdown();
                    drains = true;
                }
                _ = looks.tick() => match ledger.fate() {
                    ConnectionFate::Open => {}
                    ConnectionFate::Idle => connection.as_mut().graceful_shutdown(),
                    ConnectionFate::Stalled => {
                        debug!("a connection was closed: nothing was read for too long");
                        return Ok(());
                    }
                },
                () = ledger.wait_for_excess() => {
                    debug!("a connection was closed: too many requests were reset");
                    return Ok(());
                }
            }
        }
    }
}
