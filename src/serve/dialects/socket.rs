use std::{
    future::{pending, poll_fn},
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use hyper::body::Bytes;
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
    drive::{self, CallOrigin},
    guests::GuestAdmission,
    hub::{
        Hub, OpenGuard, SocketCommand, SocketInbox, SocketSender, VENUELESS, WORLDS, socket_channel,
    },
};
use crate::{
    dialects::{
        Backend,
        venueless::{FrameResponse, Notice, Venueless, VenuelessSession, guest::GuestLimit},
    },
    facts::UnixMillis,
    serve::{app::App, audit::Caller, peer::Peer},
    wire::unix_millis,
};

/// How long a caller may take to say that he has seen the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long a frame may take to be taken at most.
const STALLED: Duration = Duration::from_secs(10);

/// Why a socket ends.
enum SocketEnd {
    /// The other end is told why.
    Close(CloseCode, &'static str),
    /// He has gone, or does not listen.
    Cut,
}

/// What happens to a socket.
enum SocketEvent {
    Command(SocketCommand),
    Tick,
    /// Its token has ended.
    Expired,
    Received(Message),
}

/// A socket that is open.
struct Socket {
    app: Arc<App>,
    hub: Arc<Hub>,
    stream: HyperWebsocketStream,
    session: VenuelessSession,
    /// By which guests come in.
    door: Arc<GuestAdmission>,
    /// When the token ends by which its user came in.
    until: Option<UnixMillis>,
    caller: Caller,
    open: OpenGuard,
    /// By which others reach it.
    line: SocketSender,
    orders: SocketInbox,
    /// Told when more waits for it than may.
    cut: Arc<Notify>,
    stopping: watch::Receiver<bool>,
    clock: Interval,
    /// When anything came last.
    heard: Instant,
}

/// Speaks Venueless on a socket until it ends.
pub(super) async fn run(
    app: Arc<App>,
    hub: Arc<Hub>,
    websocket: HyperWebsocket,
    world: String,
    (open, door): (OpenGuard, Arc<GuestAdmission>),
) {
    let patience = hub.sockets.patience;
    let Ok(Ok(mut stream)) = timeout(patience, websocket).await else { return };
    let limit = Arc::clone(&door) as Arc<dyn GuestLimit>;
    let session = match hub.sockets.venueless.open(&world) {
        Ok(session) => session.with_limit(limit),
        Err(frame) => {
            let sent = stream.send(Message::Text(frame.into()));
            if matches!(timeout(patience, sent).await, Ok(Ok(()))) {
                farewell(stream, CloseCode::Policy, "unknown world").await;
            }
            return;
        }
    };
    let mut clock = interval_at(tokio::time::Instant::now() + patience, patience);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ((line, orders, cut), stopping) = (socket_channel(), hub.stopping());
    let heard = Instant::now();
    let caller = Caller { api: VENUELESS, by: VENUELESS.to_owned() };
    let mut socket = Socket {
        app,
        hub,
        stream,
        session,
        door,
        until: None,
        caller,
        open,
        line,
        orders,
        cut,
        stopping,
        clock,
        heard,
    };
    let Err(end) = socket.listen().await;
    if let Some(user) = &socket.session.user {
        socket.hub.leave(&socket.open, user);
    }
    if let SocketEnd::Close(code, why) = end {
        farewell(socket.stream, code, why).await;
    }
}

impl Socket {
    /// # Errors
    /// Why it ends, which it does at some time.
    async fn listen(&mut self) -> Result<std::convert::Infallible, SocketEnd> {
        loop {
            let event = select! {
                biased;
                () = self.cut.notified() => return Err(SocketEnd::Cut),
                _ = self.stopping.wait_for(|&stops| stops) => {
                    return Err(SocketEnd::Close(CloseCode::Away, "the daemon is stopping"));
                }
                () = wait_until(self.until) => SocketEvent::Expired,
                Some(order) = self.orders.next() => SocketEvent::Command(order),
                _ = self.clock.tick() => SocketEvent::Tick,
                came = self.stream.next() => {
                    SocketEvent::Received(came.ok_or(SocketEnd::Cut)?.map_err(|error| error_end(&error))?)
                }
            };
            match event {
                SocketEvent::Command(SocketCommand::Send(frame)) => {
                    self.send(Message::Text(frame)).await?
                }
                SocketEvent::Command(SocketCommand::Close(code, why)) => {
                    return Err(SocketEnd::Close(code, why));
                }
                SocketEvent::Tick => self.tick().await?,
                SocketEvent::Expired => {
                    self.send(Message::Text(Utf8Bytes::from_static(Notice::EXPIRED))).await?;
                    return Err(SocketEnd::Close(CloseCode::Policy, "the token has expired"));
                }
                SocketEvent::Received(message) => {
                    self.heard = Instant::now();
                    match message {
                        Message::Text(text) => self.answer(text).await?,
                        Message::Binary(_) => {
                            return Err(SocketEnd::Close(
                                CloseCode::Unsupported,
                                "frames are text",
                            ));
                        }
                        // Its answer must be taken before more is read: who sends only pings would
                        // otherwise have one of each wait for him.
                        Message::Ping(_) => self.flush().await?,
                        // A close is answered as more is read.
                        _ => {}
                    }
                }
            }
        }
    }

    /// Looks whether the other end is there.
    async fn tick(&mut self) -> Result<(), SocketEnd> {
        if self.session.user.is_none() {
            return Err(SocketEnd::Close(CloseCode::Policy, "authenticate sooner"));
        }
        // The ping before this one was not answered either.
        if self.heard.elapsed() > 2 * self.hub.sockets.patience {
            return Err(SocketEnd::Cut);
        }
        self.send(Message::Ping(Bytes::new())).await
    }

    async fn answer(&mut self, text: Utf8Bytes) -> Result<(), SocketEnd> {
        let venueless = Arc::clone(&self.hub.sockets.venueless);
        let begun = self.hub.now();
        let session = &self.session;
        let turn = |house: &dyn Backend| venueless.respond(session, &text, house);
        let origin = CallOrigin { dialect: VENUELESS, peer: &Peer::default() };
        let done = drive::drive(&self.app, (&self.caller, origin), turn).await;
        self.door.settle(matches!(&done, Ok(done) if done.answer.signed_in.is_some()));
        let FrameResponse { reply, notices, signed_in, closes: ends, refuses_credential } =
            match done {
                Ok(done) => done.answer,
                Err(failure) => {
                    let reply = Venueless::error_frame(&text, &failure);
                    return self.send(Message::Text(reply.into())).await;
                }
            };
        if refuses_credential {
            let (audit, served) = (&self.app.options.audit, self.app.live.served());
            let status = hyper::StatusCode::UNAUTHORIZED;
            audit.credential_rejected(VENUELESS, ("authenticate", WORLDS), &served, status);
        }
        if let Some(by) = signed_in {
            self.hub.join(&self.open, &self.line, &by, &self.app);
            self.until = by.expires;
            self.session.user = Some(by.user);
        }
        for notice in notices {
            self.hub.notify(&self.open, begun, notice);
        }
        self.send(Message::Text(reply.into())).await?;
        if ends { Err(SocketEnd::Close(CloseCode::Policy, "he may not be here")) } else { Ok(()) }
    }

    /// Sends a frame; nothing more is read meanwhile, so that who does not take what he asks for asks
    /// for no more.
    async fn send(&mut self, message: Message) -> Result<(), SocketEnd> {
        self.feed(Some(message)).await
    }

    /// Sends what waits.
    async fn flush(&mut self) -> Result<(), SocketEnd> {
        self.feed(None).await
    }

    async fn feed(&mut self, message: Option<Message>) -> Result<(), SocketEnd> {
        let patience = self.hub.sockets.patience.min(STALLED);
        let stop = async {
            // It ends only when the daemon does.
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

/// How often the clock is looked at that may have been set meanwhile.
const CLOCK: Duration = Duration::from_secs(5);

/// Waits until the clock shows a time, however it is set meanwhile.
async fn wait_until(until: Option<UnixMillis>) {
    let Some(until) = until else { return pending().await };
    while let Some(left) = until.checked_sub(unix_millis()).filter(|&left| left > 0) {
        sleep(Duration::from_millis(left).min(CLOCK)).await;
    }
}

fn error_end(error: &Error) -> SocketEnd {
    match error {
        Error::Capacity(_) => {
            SocketEnd::Close(CloseCode::Size, "a message has 65536 bytes at most")
        }
        Error::Utf8(_) => SocketEnd::Close(CloseCode::Invalid, "a text is UTF-8"),
        Error::Protocol(_) => SocketEnd::Close(CloseCode::Protocol, "this is no frame"),
        _ => SocketEnd::Cut,
    }
}

/// Says why a socket ends, and waits a moment for the other end: what is closed before all was read
/// that came may take the last frames with it.
async fn farewell(mut stream: HyperWebsocketStream, code: CloseCode, why: &'static str) {
    let last = async {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(why) };
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
    // Who says nothing more is left all the same.
    let _ = timeout(FAREWELL, last).await;
}
