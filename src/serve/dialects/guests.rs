//! The limit of Venueless' guests: how many there may be, and be made a minute from one address.

use std::{
    collections::{BTreeSet, HashMap},
    mem,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Notify, time::timeout};

use crate::{
    dialects::venueless::guest::{self, GuestLimit, GuestLimitError},
    serve::listen::ClientAddress,
};

/// How many addresses are told apart; others share one.
const MOST_ADDRESSES: usize = 1 << 16;

/// How many guests there are, and may be.
#[derive(Debug)]
pub(super) struct GuestLimiter {
    most: usize,
    per_minute: u32,
    count: Mutex<Count>,
    pace: Mutex<HashMap<Option<IpAddr>, Bucket>>,
    /// Guests whose last socket was closed since all were looked at.
    left: Mutex<BTreeSet<String>>,
    full: Notify,
}

/// How many guests there are, as far as is known: too many rather than too few.
#[derive(Clone, Copy, Default, Debug)]
struct Count {
    there: usize,
    /// Of them, those who came in since all were counted.
    new: usize,
    /// Those who are about to come in.
    pending: usize,
}

/// How many guests may be made now from an address.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    since: Instant,
}

/// What guests come in by on one socket.
#[derive(Debug)]
pub(super) struct GuestAdmission {
    guests: Arc<GuestLimiter>,
    address: Option<IpAddr>,
    has_place: AtomicBool,
}

impl GuestLimiter {
    pub(super) fn new(most: usize, per_minute: u32) -> Self {
        Self {
            most,
            per_minute,
            count: Mutex::default(),
            pace: Mutex::default(),
            left: Mutex::default(),
            full: Notify::new(),
        }
    }

    pub(super) fn admission(
        self: &Arc<Self>,
        address: Option<ClientAddress>,
    ) -> Arc<GuestAdmission> {
        let address = address.map(|ClientAddress(address)| network(address));
        Arc::new(GuestAdmission {
            guests: Arc::clone(self),
            address,
            has_place: AtomicBool::new(false),
        })
    }

    /// Notes that the last socket of a user was closed.
    pub(super) fn note_departure(&self, user: &str) {
        if guest::is_guest_id(user) {
            self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(user.to_owned());
        }
    }

    /// Those whose last socket was closed since this was asked last.
    pub(super) fn take_departed(&self) -> BTreeSet<String> {
        mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many there may be.
    pub(super) const fn most(&self) -> usize {
        self.most
    }

    /// Begins a count: those who come in from now on may not be found by it.
    pub(super) fn begin_count(&self) {
        self.count().new = 0;
    }

    /// Ends a count that found so many.
    pub(super) fn end_count(&self, found: usize) {
        let mut count = self.count();
        count.there = found + count.new;
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is no place, but not for longer than this.
    pub(super) async fn filled(&self, at_most: Duration) {
        let _ = timeout(at_most, self.full.notified()).await;
    }

    fn admit(&self, address: Option<IpAddr>) -> Result<(), GuestLimitError> {
        let mut count = self.count();
        let before = count.there + count.pending;
        if before >= self.most {
            self.full.notify_one();
            return Err(GuestLimitError::Full(self.most));
        }
        if !self.take_token(address) {
            return Err(GuestLimitError::TooFast(self.per_minute));
        }
        count.pending += 1;
        Ok(())
    }

    /// Takes one of those that an address may make a minute.
    fn take_token(&self, address: Option<IpAddr>) -> bool {
        let (now, most) = (Instant::now(), f64::from(self.per_minute));
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if pace.len() >= MOST_ADDRESSES {
            pace.retain(|_, bucket| bucket.at(now, most).left < most);
        }
        let is_known = pace.len() < MOST_ADDRESSES || pace.contains_key(&address);
        let address = address.filter(|_| is_known);
        let bucket = pace.entry(address).or_insert(Bucket { left: most, since: now });
        *bucket = bucket.at(now, most);
        if bucket.left < 1.0 {
            return false;
        }
        bucket.left -= 1.0;
        true
    }

    /// Ends what a place was taken for.
    fn settle(&self, came_in: bool) {
        let mut count = self.count();
        count.pending = count.pending.saturating_sub(1);
        if came_in {
            count.there += 1;
            count.new += 1;
        }
        if count.there >= self.most {
            self.full.notify_one();
        }
    }
}

impl Bucket {
    fn at(self, now: Instant, most: f64) -> Self {
        let seconds = now.saturating_duration_since(self.since).as_secs_f64();
        Self { left: most.min(seconds.mul_add(most / 60.0, self.left)), since: now }
    }
}

impl GuestAdmission {
    /// What a place was taken for has come to an end: a guest has come in, or not.
    pub(super) fn settle(&self, came_in: bool) {
        if self.has_place.swap(false, Ordering::Relaxed) {
            self.guests.settle(came_in);
        }
    }
}

impl GuestLimit for GuestAdmission {
    fn admit(&self) -> Result<(), GuestLimitError> {
        if !self.has_place.load(Ordering::Relaxed) {
            self.guests.admit(self.address)?;
            self.has_place.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Drop for GuestAdmission {
    fn drop(&mut self) {
        self.settle(false);
    }
}

/// What counts as one address: of IPv6, one has as many as there are in a network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}
