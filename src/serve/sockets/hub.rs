//! The hub of a dialect's sockets: all that are open, by the user who has authenticated on them.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hyper_tungstenite::tungstenite::{Utf8Bytes, protocol::frame::coding::CloseCode};
use tokio::{sync::watch, task::yield_now, time::sleep};

use super::{
    channel::{SocketCommand, SocketSender},
    guest_limiter::GuestLimiter,
    options::SocketOptions,
};
use crate::{
    dialects::{Notice, SignedIn},
    live::{Live, ServedPolicy},
    request::Moderation,
    serve::dialects::moderation,
};

/// The open sockets of a dialect.
#[derive(Debug)]
pub(in crate::serve) struct Hub {
    pub(super) options: SocketOptions,
    pub(super) guests: Arc<GuestLimiter>,
    users: Mutex<Users>,
    numbers: AtomicU64,
    open: watch::Sender<usize>,
    stopping: watch::Sender<bool>,
}

type Users = BTreeMap<String, Vec<Member>>;

/// A socket of a user.
#[derive(Debug)]
struct Member {
    number: u64,
    sender: SocketSender,
    since: Tick,
    /// The user's moderation state when it was last checked; `None` if they were not known.
    moderation: Option<Moderation>,
}

/// A point in the order of a hub's events.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Tick(u64);

/// The least time between two checks of all sockets, however often facts change, and the least
/// multiple of the time that a check takes.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);
const CHECK_SHARE: u32 = 10;

/// The number of users that are checked under one lock of the sockets.
const BATCH: usize = 500;

/// A socket that is counted as open until this is dropped.
#[derive(Debug)]
pub(super) struct OpenGuard {
    hub: Arc<Hub>,
    number: u64,
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.hub.open.send_modify(|open| *open = open.saturating_sub(1));
    }
}

impl Hub {
    pub(in crate::serve) fn new(options: SocketOptions) -> Self {
        let guests = Arc::new(GuestLimiter::new(options.max_guests, options.new_guests));
        Self {
            guests,
            options,
            users: Mutex::default(),
            numbers: AtomicU64::default(),
            open: watch::Sender::new(0),
            stopping: watch::Sender::new(false),
        }
    }

    /// The name of the dialect.
    pub(in crate::serve) fn name(&self) -> &'static str {
        self.options.dialect.name()
    }

    /// The endpoint that a path names, if it is one of the dialect's.
    pub(in crate::serve) fn endpoint(&self, path: &str) -> Option<String> {
        self.options.dialect.endpoint(path)
    }

    /// The number of open sockets.
    pub(in crate::serve) fn open_count(&self) -> usize {
        *self.open.borrow()
    }

    pub(super) fn open_socket(self: &Arc<Self>) -> OpenGuard {
        self.open.send_modify(|open| *open += 1);
        OpenGuard { hub: Arc::clone(self), number: self.numbers.fetch_add(1, Ordering::Relaxed) }
    }

    /// Whether the daemon is stopping.
    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Begins to close all sockets.
    pub(in crate::serve) fn begin_stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Waits until all sockets are closed.
    pub(in crate::serve) async fn closed(&self) {
        // The channel ends with the hub only.
        let _ = self.open.subscribe().wait_for(|&open| open == 0).await;
    }

    /// Adds a socket on which a user has authenticated.
    pub(super) fn join(
        &self,
        socket: &OpenGuard,
        sender: &SocketSender,
        signed_in: &SignedIn,
        live: &Live,
    ) {
        let mut users = self.users();
        let members = users.entry(signed_in.user.to_string()).or_default();
        let is_full = |max: NonZeroUsize| members.len() >= max.get();
        if !signed_in.is_unlimited && self.options.max_per_user.is_some_and(is_full) {
            let replaced = members.remove(0).sender;
            let frame = Utf8Bytes::from_static(self.options.dialect.frames().replaced);
            replaced.send(SocketCommand::Send(frame));
            replaced.send(SocketCommand::Close(CloseCode::Policy, "connection replaced"));
        }
        members.push(Member {
            number: socket.number,
            sender: sender.clone(),
            since: self.now(),
            moderation: signed_in.moderation,
        });
        // The user may have been banned since they were let in.
        self.check_user(&signed_in.user, members, &live.served());
    }

    pub(super) fn leave(&self, socket: &OpenGuard, user: &str) {
        let mut users = self.users();
        if let Some(members) = users.get_mut(user) {
            members.retain(|member| member.number != socket.number);
            if members.is_empty() {
                users.remove(user);
                if self.options.dialect.guests().is_some_and(|guests| guests.is_guest_id(user)) {
                    self.guests.note_departure(user);
                }
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

    /// Sends a notice to other sockets than its cause, about what began at a tick.
    pub(super) fn notify(&self, cause: &OpenGuard, begun: Tick, notice: Notice) {
        match notice {
            Notice::Updated { user, frame } => {
                let frame = Utf8Bytes::from(frame);
                if let Some(members) = self.users().get(&*user) {
                    for member in members.iter().filter(|member| member.number != cause.number) {
                        member.sender.send(SocketCommand::Send(frame.clone()));
                    }
                }
            }
            Notice::Reload { user } => {
                let mut users = self.users();
                let Some(members) = users.get_mut(&*user) else { return };
                // Sockets that connected since were checked, here or by `follow_changes`.
                for member in members.extract_if(.., |member| member.since < begun) {
                    self.reconnect(&member.sender);
                }
                if members.is_empty() {
                    users.remove(&*user);
                }
            }
        }
    }

    /// Reconnects the sockets of users who are banned, silenced or deleted by anyone, as long as this
    /// future is polled.
    pub(in crate::serve) async fn follow_changes(&self, live: &Live) {
        let mut changes = live.changes();
        while changes.changed().await.is_ok() {
            let begun = Instant::now();
            let mut last = None;
            loop {
                last = self.check_batch(last.as_deref(), &live.served());
                if last.is_none() {
                    break;
                }
                yield_now().await;
            }
            sleep(CHECK_INTERVAL.max(begun.elapsed() * CHECK_SHARE)).await;
        }
    }

    /// Checks a batch of users who come after one in order; the last of them, if there may be more.
    fn check_batch(&self, after: Option<&str>, served: &ServedPolicy) -> Option<String> {
        let mut users = self.users();
        let rest = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let mut last = None;
        for (user, members) in users.range_mut::<str, _>(rest).take(BATCH) {
            self.check_user(user, members, served);
            last = Some(user);
        }
        last.cloned()
    }

    /// Reconnects a user's sockets if the user may do less than before.
    fn check_user(&self, user: &str, members: &mut Vec<Member>, served: &ServedPolicy) {
        let now = moderation(served, user);
        members.retain_mut(|member| {
            let changed = member.moderation != now;
            member.moderation = now;
            let is_restricted = !matches!(now, Some(Moderation::None | Moderation::Shadowed));
            if changed && is_restricted {
                self.reconnect(&member.sender);
                return false;
            }
            true
        });
    }

    /// Makes the client of a socket reload: only then does it see its user's current permissions.
    fn reconnect(&self, sender: &SocketSender) {
        let frame = Utf8Bytes::from_static(self.options.dialect.frames().reload);
        sender.send(SocketCommand::Send(frame));
        sender.send(SocketCommand::Close(CloseCode::Policy, "connect again"));
    }

    fn users(&self) -> MutexGuard<'_, Users> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
