//! The limiter of guests: in total, and by address and minute.

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
    dialects::{GuestLimit, GuestLimitError},
    serve::connection::ClientAddress,
};

/// The number of addresses with a bucket each; all others share one.
const MAX_ADDRESSES: usize = 1 << 16;

/// The known number of guests and its limit, and the rate at which addresses create guests.
#[derive(Debug)]
pub(super) struct GuestLimiter {
    max: usize,
    per_minute: u32,
    count: Mutex<Count>,
    pace: Mutex<HashMap<Option<IpAddr>, Bucket>>,
    /// Guests whose last socket was closed since the last survey.
    departed: Mutex<BTreeSet<String>>,
    full: Notify,
}

/// The known number of guests: too many rather than too few.
#[derive(Clone, Copy, Default, Debug)]
struct Count {
    present: usize,
    /// The guests among them who signed in since the last survey began.
    new: usize,
    /// The guests who are about to sign in.
    pending: usize,
}

/// A token bucket: the number of guests that an address may make now.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    since: Instant,
}

/// The admission of guests on one socket.
#[derive(Debug)]
pub(super) struct GuestAdmission {
    guests: Arc<GuestLimiter>,
    address: Option<IpAddr>,
    holds_place: AtomicBool,
}

impl GuestLimiter {
    pub(super) fn new(max: usize, per_minute: u32) -> Self {
        Self {
            max,
            per_minute,
            count: Mutex::default(),
            pace: Mutex::default(),
            departed: Mutex::default(),
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
            holds_place: AtomicBool::new(false),
        })
    }

    /// Notes that a guest's last socket was closed.
    pub(super) fn note_departure(&self, guest: &str) {
        self.departed.lock().unwrap_or_else(PoisonError::into_inner).insert(guest.to_owned());
    }

    /// The guests whose last socket was closed since the last call.
    pub(super) fn take_departed(&self) -> BTreeSet<String> {
        mem::take(&mut *self.departed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The limit of guests.
    pub(super) const fn max(&self) -> usize {
        self.max
    }

    /// Begins a survey, which may miss guests who sign in from now on.
    pub(super) fn begin_count(&self) {
        self.count().new = 0;
    }

    /// Ends a survey that found so many guests.
    pub(super) fn end_count(&self, found: usize) {
        let mut count = self.count();
        count.present = found + count.new;
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is no place, or until a time is over.
    pub(super) async fn filled(&self, at_most: Duration) {
        let _ = timeout(at_most, self.full.notified()).await;
    }

    fn admit(&self, address: Option<IpAddr>) -> Result<(), GuestLimitError> {
        let mut count = self.count();
        let before = count.present + count.pending;
        if before >= self.max {
            self.full.notify_one();
            return Err(GuestLimitError::Full(self.max));
        }
        if !self.take_token(address) {
            return Err(GuestLimitError::TooFast(self.per_minute));
        }
        count.pending += 1;
        Ok(())
    }

    /// Takes a token of an address, if one is left.
    fn take_token(&self, address: Option<IpAddr>) -> bool {
        let (now, capacity) = (Instant::now(), f64::from(self.per_minute));
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if pace.len() >= MAX_ADDRESSES {
            pace.retain(|_, bucket| bucket.at(now, capacity).left < capacity);
        }
        let is_known = pace.len() < MAX_ADDRESSES || pace.contains_key(&address);
        let address = address.filter(|_| is_known);
        let bucket = pace.entry(address).or_insert(Bucket { left: capacity, since: now });
        *bucket = bucket.at(now, capacity);
        if bucket.left < 1.0 {
            return false;
        }
        bucket.left -= 1.0;
        true
    }

    /// Ends the login for which a place was taken.
    fn settle(&self, signed_in: bool) {
        let mut count = self.count();
        count.pending = count.pending.saturating_sub(1);
        if signed_in {
            count.present += 1;
            count.new += 1;
        }
        if count.present >= self.max {
            self.full.notify_one();
        }
    }
}

impl Bucket {
    fn at(self, now: Instant, capacity: f64) -> Self {
        let seconds = now.saturating_duration_since(self.since).as_secs_f64();
        Self { left: capacity.min(seconds.mul_add(capacity / 60.0, self.left)), since: now }
    }
}

impl GuestAdmission {
    /// Ends the login for which a place may have been taken: a guest has signed in, or not.
    pub(super) fn settle(&self, signed_in: bool) {
        if self.holds_place.swap(false, Ordering::Relaxed) {
            self.guests.settle(signed_in);
        }
    }
}

impl GuestLimit for GuestAdmission {
    fn admit(&self) -> Result<(), GuestLimitError> {
        if !self.holds_place.load(Ordering::Relaxed) {
            self.guests.admit(self.address)?;
            self.holds_place.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Drop for GuestAdmission {
    fn drop(&mut self) {
        self.settle(false);
    }
}

/// The network that counts as one address: of IPv6, a caller has all of a /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}
