use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use hyper_tungstenite::tungstenite::{Utf8Bytes, protocol::frame::coding::CloseCode};
use tokio::{
    sync::{Notify, mpsc, watch},
    task::yield_now,
    time::sleep,
};

use super::{backend::ServedBackend, guests::GuestLimiter, origin::Origin};
use crate::{
    dialects::{
        Backend,
        venueless::{Notice, SignedIn, Venueless},
    },
    request::Moderation,
    serve::{admission::Cancellation, app::App},
};

/// What Venueless is called where APIs are told apart.
pub(in crate::serve) const VENUELESS: &str = "venueless";

/// Below which there are the worlds of Venueless.
pub(super) const WORLDS: &str = "/ws/world";

/// The sockets on which Venueless is spoken, and how.
#[derive(Clone, Debug)]
pub struct SocketOptions {
    pub venueless: Arc<Venueless>,
    /// How long one may take to authenticate, to answer a ping, and, if it is less than is given
    /// anyway, to take a frame.
    pub patience: Duration,
    /// How many a user may have who does not manage others: a new one replaces their oldest.
    pub most_per_user: Option<NonZeroUsize>,
    /// Whose pages may open one; those of the host that is asked if none is named.
    pub origins: Vec<Origin>,
    /// How many guests are kept at most, and how many may be made a minute from one address.
    pub most_guests: usize,
    pub new_guests: u32,
}

/// All sockets that are open, by who has authenticated on them.
#[derive(Debug)]
pub(in crate::serve) struct Hub {
    pub(super) sockets: SocketOptions,
    users: Mutex<Users>,
    numbers: AtomicU64,
    open: watch::Sender<usize>,
    stopping: watch::Sender<bool>,
    pub(super) guests: Arc<GuestLimiter>,
}

type Users = BTreeMap<String, Vec<Member>>;

/// A socket of a user.
#[derive(Debug)]
struct Member {
    number: u64,
    line: SocketSender,
    since: Tick,
    /// The state of its user when that was last looked at; `None` if he was not known.
    moderation: Option<Moderation>,
}

/// When something happened, among all that happens to sockets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Tick(u64);

/// To a socket, from others.
#[derive(Clone, Debug)]
pub(super) struct SocketSender {
    orders: mpsc::Sender<SocketCommand>,
    waiting: Arc<AtomicUsize>,
    cut: Arc<Notify>,
}

/// From others, at a socket.
#[derive(Debug)]
pub(super) struct SocketInbox {
    orders: mpsc::Receiver<SocketCommand>,
    waiting: Arc<AtomicUsize>,
}

/// What a socket is told to do.
#[derive(Debug)]
pub(super) enum SocketCommand {
    Send(Utf8Bytes),
    Close(CloseCode, &'static str),
}

/// How much may wait to be sent to a socket: in frames, and in their bytes.
const MOST_WAITING: usize = 256;
const MOST_BYTES: usize = 512 << 10;

/// How long apart all sockets are looked through, however often facts change: so long at least, and
/// so many times as long as it takes.
const APART: Duration = Duration::from_millis(20);
const SHARE: u32 = 10;

/// How many users are looked at while others wait for the sockets.
const AT_ONCE: usize = 500;

/// What is told a socket until it has read it; more than fits cuts it.
pub(super) fn socket_channel() -> (SocketSender, SocketInbox, Arc<Notify>) {
    let (sender, receiver) = mpsc::channel(MOST_WAITING);
    let (waiting, cut) = (Arc::default(), Arc::default());
    let line =
        SocketSender { orders: sender, waiting: Arc::clone(&waiting), cut: Arc::clone(&cut) };
    (line, SocketInbox { orders: receiver, waiting }, cut)
}

impl SocketCommand {
    fn bytes(&self) -> usize {
        match self {
            Self::Send(text) => text.len(),
            Self::Close(..) => 0,
        }
    }
}

impl SocketSender {
    fn send(&self, order: SocketCommand) {
        let bytes = order.bytes();
        let before = self.waiting.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > MOST_BYTES || self.orders.try_send(order).is_err() {
            // Who does not read what he is sent is left.
            self.cut.notify_one();
        }
    }
}

impl SocketInbox {
    pub(super) async fn next(&mut self) -> Option<SocketCommand> {
        let order = self.orders.recv().await?;
        self.waiting.fetch_sub(order.bytes(), Ordering::Relaxed);
        Some(order)
    }
}

/// That a socket is open.
#[derive(Debug)]
pub(super) struct OpenGuard {
    hub: Arc<Hub>,
    pub(super) number: u64,
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.hub.open.send_modify(|open| *open = open.saturating_sub(1));
    }
}

impl Hub {
    pub(in crate::serve) fn new(sockets: SocketOptions) -> Self {
        let guests = Arc::new(GuestLimiter::new(sockets.most_guests, sockets.new_guests));
        Self {
            guests,
            sockets,
            users: Mutex::default(),
            numbers: AtomicU64::default(),
            open: watch::Sender::new(0),
            stopping: watch::Sender::new(false),
        }
    }

    /// How many sockets are open.
    pub(in crate::serve) fn open_count(&self) -> usize {
        *self.open.borrow()
    }

    pub(super) fn open_socket(self: &Arc<Self>) -> OpenGuard {
        self.open.send_modify(|open| *open += 1);
        OpenGuard { hub: Arc::clone(self), number: self.numbers.fetch_add(1, Ordering::Relaxed) }
    }

    /// Whether the daemon stops.
    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Has all sockets closed, and waits until they are.
    pub(in crate::serve) async fn stop(&self) {
        self.stopping.send_replace(true);
        // It ends only when this does.
        let _ = self.open.subscribe().wait_for(|&open| open == 0).await;
    }

    /// Adds a socket of one who has authenticated on it.
    pub(super) fn join(&self, socket: &OpenGuard, line: &SocketSender, by: &SignedIn, app: &App) {
        let mut users = self.users();
        let all = users.entry(by.user.to_string()).or_default();
        let is_full = |most: NonZeroUsize| all.len() >= most.get();
        if !by.is_unlimited && self.sockets.most_per_user.is_some_and(is_full) {
            let replaced = all.remove(0).line;
            replaced.send(SocketCommand::Send(Utf8Bytes::from_static(Notice::REPLACED)));
            replaced.send(SocketCommand::Close(CloseCode::Policy, "connection replaced"));
        }
        all.push(Member {
            number: socket.number,
            line: line.clone(),
            since: self.now(),
            moderation: by.moderation,
        });
        // He may have been banned since he was let in.
        check_user(
            &by.user,
            all,
            &ServedBackend { app, served: &app.live.served(), cancellation: &Cancellation::NEVER },
        );
    }

    pub(super) fn leave(&self, socket: &OpenGuard, user: &str) {
        let mut users = self.users();
        if let Some(all) = users.get_mut(user) {
            all.retain(|member| member.number != socket.number);
            if all.is_empty() {
                users.remove(user);
                self.guests.note_departure(user);
            }
        }
    }

    /// Whether a user has a socket open.
    pub(super) fn is_connected(&self, user: &str) -> bool {
        self.users().contains_key(user)
    }

    pub(super) fn now(&self) -> Tick {
        Tick(self.numbers.fetch_add(1, Ordering::Relaxed))
    }

    /// Tells other sockets than the one whose user caused it by what began then.
    pub(super) fn notify(&self, cause: &OpenGuard, begun: Tick, notice: Notice) {
        match notice {
            Notice::Updated { user, frame } => {
                let frame = Utf8Bytes::from(frame);
                if let Some(all) = self.users().get(&*user) {
                    for member in all.iter().filter(|member| member.number != cause.number) {
                        member.line.send(SocketCommand::Send(frame.clone()));
                    }
                }
            }
            Notice::Reload { user } => {
                let mut users = self.users();
                let Some(all) = users.get_mut(&*user) else { return };
                // Who has connected anew since was seen as he is, here or by `follow`.
                for member in all.extract_if(.., |member| member.since < begun) {
                    reconnect(&member.line);
                }
                if all.is_empty() {
                    users.remove(&*user);
                }
            }
        }
    }

    /// Has those connect again who are banned, silenced or deleted, by anyone, for as long as this
    /// goes on.
    pub(in crate::serve) async fn follow_changes(&self, app: &App) {
        let mut changes = app.live.changes();
        while changes.changed().await.is_ok() {
            let begun = Instant::now();
            let mut last = None;
            loop {
                last = self.check_batch(last.as_deref(), app);
                if last.is_none() {
                    break;
                }
                yield_now().await;
            }
            sleep(APART.max(begun.elapsed() * SHARE)).await;
        }
    }

    /// Looks at some users who come after one, in order; the last of them, if there may be more.
    fn check_batch(&self, after: Option<&str>, app: &App) -> Option<String> {
        let mut users = self.users();
        let served = app.live.served();
        let house = ServedBackend { app, served: &served, cancellation: &Cancellation::NEVER };
        let rest = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let mut last = None;
        for (user, all) in users.range_mut::<str, _>(rest).take(AT_ONCE) {
            check_user(user, all, &house);
            last = Some(user);
        }
        last.cloned()
    }

    fn users(&self) -> MutexGuard<'_, Users> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has a user's sockets connect anew if he may do less than before.
fn check_user(user: &str, all: &mut Vec<Member>, house: &dyn Backend) {
    let now = house.moderation(user);
    all.retain_mut(|member| {
        let changed = member.moderation != now;
        member.moderation = now;
        if changed && now != Some(Moderation::None) {
            reconnect(&member.line);
            return false;
        }
        true
    });
}

/// The page behind a socket is loaded again: only then does it see what its user may still do.
fn reconnect(line: &SocketSender) {
    line.send(SocketCommand::Send(Utf8Bytes::from_static(Notice::RELOAD)));
    line.send(SocketCommand::Close(CloseCode::Policy, "connect again"));
}
