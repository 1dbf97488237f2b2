//! A socket: its frames are answered by its dialect until it ends.

use std::{
    future::{pending, poll_fn},
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use hyper::{StatusCode, body::Bytes};
use hyper_tungstenite::{
    HyperWebsocket, HyperWebsocketStream,
    tungstenite::{
        Error, Message, Utf8Bytes,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    select,
    sync::{Notify, watch},
    time::{Interval, MissedTickBehavior, interval_at, sleep, timeout},
};

use super::{
    channel::{SocketCommand, SocketInbox, SocketSender, socket_channel},
    guest_limiter::GuestAdmission,
    hub::{Hub, OpenGuard},
};
use crate::{
    dialects::{Backend, EndpointError, FrameResponse, GuestLimit, SocketSession},
    facts::UnixMillis,
    serve::{
        app::App,
        audit::{Caller, CredentialFailure},
        decision_log::RequestTrace,
        dialects::{CallOrigin, drive},
        peer::Peer,
    },
    wire::unix_millis,
};

/// The time that a caller has to confirm the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// The longest time in which a frame is taken.
const STALLED: Duration = Duration::from_secs(10);

/// The end of a socket.
enum SocketEnd {
    /// The socket is closed with a reason.
    Close(CloseCode, &'static str),
    /// The other end has gone, or does not read.
    Cut,
}

/// An event on a socket.
enum SocketEvent {
    Command(SocketCommand),
    Tick,
    /// The user's token has expired.
    Expired,
    Received(Message),
}

/// An open socket.
struct Socket {
    app: Arc<App>,
    hub: Arc<Hub>,
    stream: HyperWebsocketStream,
    session: SocketSession,
    admission: Arc<GuestAdmission>,
    /// The time at which the user's token expires.
    expires: Option<UnixMillis>,
    caller: Caller,
    open: OpenGuard,
    /// The sending end by which others reach this socket.
    sender: SocketSender,
    inbox: SocketInbox,
    /// Notified when the channel is over its limits.
    cut: Arc<Notify>,
    stopping: watch::Receiver<bool>,
    clock: Interval,
    /// The time of the last message.
    last_heard: Instant,
}

/// A socket whose upgrade was accepted.
pub(super) struct AcceptedSocket {
    pub(super) websocket: HyperWebsocket,
    pub(super) endpoint: String,
    pub(super) open: OpenGuard,
    pub(super) admission: Arc<GuestAdmission>,
}

/// Serves a socket at its endpoint until it ends.
pub(super) async fn run(app: Arc<App>, hub: Arc<Hub>, accepted: AcceptedSocket) {
    let AcceptedSocket { websocket, endpoint, open, admission } = accepted;
    let patience = hub.options.patience;
    let Ok(Ok(mut stream)) = timeout(patience, websocket).await else { return };
    let limit = Arc::clone(&admission) as Arc<dyn GuestLimit>;
    let session = match hub.options.dialect.open(&endpoint, limit) {
        Ok(session) => session,
        Err(EndpointError { frame, reason }) => {
            let sent = stream.send(Message::Text(frame.into()));
            if matches!(timeout(patience, sent).await, Ok(Ok(()))) {
                farewell(stream, CloseCode::Policy, reason).await;
            }
            return;
        }
    };
    let mut clock = interval_at(tokio::time::Instant::now() + patience, patience);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ((sender, inbox, cut), stopping) = (socket_channel(), hub.stopping());
    let caller = Caller { api: hub.name(), by: hub.name().to_owned() };
    let mut socket = Socket {
        app,
        hub,
        stream,
        session,
        admission,
        expires: None,
        caller,
        open,
        sender,
        inbox,
        cut,
        stopping,
        clock,
        last_heard: Instant::now(),
    };
    let Err(end) = socket.listen().await;
    if let Some(user) = &socket.session.user {
        socket.hub.leave(&socket.open, user);
    }
    if let SocketEnd::Close(code, reason) = end {
        farewell(socket.stream, code, reason).await;
    }
}

impl Socket {
    /// Handles events until the socket ends.
    ///
    /// # Errors
    /// Always: the end.
    async fn listen(&mut self) -> Result<std::convert::Infallible, SocketEnd> {
        loop {
            let event = select! {
                biased;
                () = self.cut.notified() => return Err(SocketEnd::Cut),
                _ = self.stopping.wait_for(|&stops| stops) => {
                    return Err(SocketEnd::Close(CloseCode::Away, "the daemon is stopping"));
                }
                () = wait_until(self.expires) => SocketEvent::Expired,
                Some(command) = self.inbox.next() => SocketEvent::Command(command),
                _ = self.clock.tick() => SocketEvent::Tick,
                message = self.stream.next() => {
                    let message = message.ok_or(SocketEnd::Cut)?;
                    SocketEvent::Received(message.map_err(|error| error_end(&error))?)
                }
            };
            match event {
                SocketEvent::Command(SocketCommand::Send(frame)) => {
                    self.send(Message::Text(frame)).await?;
                }
                SocketEvent::Command(SocketCommand::Close(code, reason)) => {
                    return Err(SocketEnd::Close(code, reason));
                }
                SocketEvent::Tick => self.tick().await?,
                SocketEvent::Expired => {
                    let frame = Utf8Bytes::from_static(self.hub.options.dialect.frames().expired);
                    self.send(Message::Text(frame)).await?;
                    return Err(SocketEnd::Close(CloseCode::Policy, "the token has expired"));
                }
                SocketEvent::Received(message) => {
                    self.last_heard = Instant::now();
                    match message {
                        Message::Text(text) => self.answer(text).await?,
                        Message::Binary(_) => {
                            return Err(SocketEnd::Close(
                                CloseCode::Unsupported,
                                "frames are text",
                            ));
                        }
                        // The pong must be taken before more is read: a caller who sends only pings
                        // would otherwise have one wait for each.
                        Message::Ping(_) => self.flush().await?,
                        // A close is answered as more is read.
                        _ => {}
                    }
                }
            }
        }
    }

    /// Checks that the other end is there.
    async fn tick(&mut self) -> Result<(), SocketEnd> {
        if self.session.user.is_none() {
            return Err(SocketEnd::Close(CloseCode::Policy, "authenticate sooner"));
        }
        // The ping before this one was not answered either.
        if self.last_heard.elapsed() > 2 * self.hub.options.patience {
            return Err(SocketEnd::Cut);
        }
        self.send(Message::Ping(Bytes::new())).await
    }

    async fn answer(&mut self, text: Utf8Bytes) -> Result<(), SocketEnd> {
        let dialect = Arc::clone(&self.hub.options.dialect);
        let begun = self.hub.now();
        let session = &self.session;
        let respond = |backend: &dyn Backend| dialect.respond(session, &text, backend);
        let trace = RequestTrace::begin(self.app.options.decision_log.as_deref());
        let origin = CallOrigin { caller: &self.caller, peer: &Peer::default(), trace: &trace };
        let output = drive(&self.app, origin, respond).await;
        let signed_in = matches!(&output, Ok(output) if output.answer.signed_in.is_some());
        self.admission.settle(signed_in);
        let FrameResponse { reply, notices, signed_in, closes, refuses_credential } = match output {
            Ok(output) => output.answer,
            Err(error) => {
                let reply = dialect.error_frame(&text, &error);
                return self.send(Message::Text(reply.into())).await;
            }
        };
        if refuses_credential {
            let (audit, served) = (&self.app.options.audit, self.app.live.served());
            let request = CredentialFailure {
                api: dialect.name(),
                token: None,
                method: "authenticate",
                path: dialect.root(),
                status: StatusCode::UNAUTHORIZED,
            };
            audit.credential_rejected(request, &served);
        }
        if let Some(signed_in) = signed_in {
            self.hub.join(&self.open, &self.sender, &signed_in, &self.app.live);
            self.expires = signed_in.expires;
            self.session.user = Some(signed_in.user);
        }
        for notice in notices {
            self.hub.notify(&self.open, begun, notice);
        }
        self.send(Message::Text(reply.into())).await?;
        if closes { Err(SocketEnd::Close(CloseCode::Policy, "access denied")) } else { Ok(()) }
    }

    /// Sends a frame; nothing more is read meanwhile, so that a caller who reads no responses can't
    /// send more requests.
    async fn send(&mut self, message: Message) -> Result<(), SocketEnd> {
        self.feed(Some(message)).await
    }

    /// Flushes the frames that wait.
    async fn flush(&mut self) -> Result<(), SocketEnd> {
        self.feed(None).await
    }

    async fn feed(&mut self, message: Option<Message>) -> Result<(), SocketEnd> {
        let patience = self.hub.options.patience.min(STALLED);
        let stop = async {
            // The channel ends only with the daemon.
            let _ = self.stopping.wait_for(|&stops| stops).await;
            sleep(FAREWELL).await;
        };
        let stream = &mut self.stream;
        let sent = async {
            match message {
                Some(message) => stream.send(message).await,
                None => stream.flush().await,
            }
        };
        select! {
            biased;
            () = self.cut.notified() => Err(SocketEnd::Cut),
            sent = timeout(patience, sent) => match sent {
                Ok(Ok(())) => Ok(()),
                _ => Err(SocketEnd::Cut),
            },
            () = stop => Err(SocketEnd::Cut),
        }
    }
}

/// The time between two looks at the clock, which may be set meanwhile.
const CLOCK_INTERVAL: Duration = Duration::from_secs(5);

/// Waits until the clock shows a time, even if it is set meanwhile.
async fn wait_until(until: Option<UnixMillis>) {
    let Some(until) = until else { return pending().await };
    while let Some(left) = until.checked_sub(unix_millis()).filter(|&left| left > 0) {
        sleep(Duration::from_millis(left).min(CLOCK_INTERVAL)).await;
    }
}

fn error_end(error: &Error) -> SocketEnd {
    match error {
        Error::Capacity(_) => SocketEnd::Close(CloseCode::Size, "message exceeds 65536 bytes"),
        Error::Utf8(_) => SocketEnd::Close(CloseCode::Invalid, "text is not UTF-8"),
        Error::Protocol(_) => SocketEnd::Close(CloseCode::Protocol, "invalid frame"),
        _ => SocketEnd::Cut,
    }
}

/// Closes a socket with a reason, and waits a moment for the other end: a connection that is closed
/// before all was read from it may lose the last frames.
async fn farewell(mut stream: HyperWebsocketStream, code: CloseCode, reason: &'static str) {
    let last = async {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        if stream.close(Some(frame)).await.is_err() {
            return;
        }
        while let Some(Ok(_)) = stream.next().await {}
        let stream = stream.get_mut();
        if poll_fn(|cx| Pin::new(&mut *stream).poll_shutdown(cx)).await.is_err() {
            return;
        }
        let mut bytes = [0; 4096];
        loop {
            let mut rest = ReadBuf::new(&mut bytes);
            let read = poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, &mut rest)).await;
            if read.is_err() || rest.filled().is_empty() {
                return;
            }
        }
    };
    // A caller who does not confirm in time is disconnected.
    let _ = timeout(FAREWELL, last).await;
}
