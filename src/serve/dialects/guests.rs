//! The guests of Venueless: how many there may be, and which of them go.

use std::{
    collections::{BTreeSet, HashMap},
    mem,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::{
    carry,
    house::{Inside, now},
    hub::Hub,
};
use crate::{
    dialects::{
        House, Unread, Wrote,
        venueless::guest::{self, Guest, GuestLimit, NoPlace},
    },
    facts::Since,
    serve::{listen::ClientAddress, route::App},
};

/// How long after they were last here a guest is deleted of whom nothing is known but a profile, in
/// milliseconds; and how old the note of it may be of one who is here.
const GONE: Since = 24 * 60 * 60 * 1000;
const NOTED: Since = 60 * 60 * 1000;

/// How long apart all guests are looked at: so long, or so many times as long as it takes; and at
/// least, where there is no place.
const APART: Duration = Duration::from_secs(60);
const SHARE: u32 = 50;
const AT_LEAST: Duration = Duration::from_secs(1);

/// How many users are looked through at a time, and how many commands are carried out at once.
const PAGE: usize = 10_000;
const AT_ONCE: usize = 100;

/// How many addresses are told apart; others share one.
const MOST_ADDRESSES: usize = 1 << 16;

/// How many guests there are, and may be.
#[derive(Debug)]
pub(super) struct Guests {
    most: usize,
    per_minute: u32,
    count: AtomicUsize,
    pace: Mutex<HashMap<Option<IpAddr>, Bucket>>,
    /// Guests whose last socket was closed since all were looked at.
    left: Mutex<BTreeSet<String>>,
    full: Notify,
}

/// How many guests may be made now from an address.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    since: Instant,
}

/// What guests come in by on one socket.
#[derive(Debug)]
pub(super) struct Door {
    guests: Arc<Guests>,
    address: Option<IpAddr>,
    has_place: AtomicBool,
}

/// What was found of guests.
#[derive(Debug, Default)]
struct Found {
    count: usize,
    /// Those who are here, of whom that should be noted.
    here: Vec<String>,
    /// Those of whom only a profile is kept, and when they were last here: the oldest first.
    idle: Vec<(Since, String)>,
}

impl Guests {
    pub(super) fn new(most: usize, per_minute: u32) -> Self {
        Self {
            most,
            per_minute,
            count: AtomicUsize::new(0),
            pace: Mutex::default(),
            left: Mutex::default(),
            full: Notify::new(),
        }
    }

    pub(super) fn door(self: &Arc<Self>, address: Option<ClientAddress>) -> Arc<Door> {
        let address = address.map(|ClientAddress(address)| network(address));
        Arc::new(Door { guests: Arc::clone(self), address, has_place: AtomicBool::new(false) })
    }

    /// Notes that the last socket of a user was closed.
    pub(super) fn left(&self, user: &str) {
        if guest::has_form(user) {
            self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(user.to_owned());
        }
    }

    fn admit(&self, address: Option<IpAddr>) -> Result<(), NoPlace> {
        let before = self.count.fetch_add(1, Ordering::Relaxed);
        if before + 1 >= self.most {
            self.full.notify_one();
        }
        let refused = if before >= self.most {
            NoPlace::Full(self.most)
        } else if self.is_slow_enough(address) {
            return Ok(());
        } else {
            NoPlace::TooFast(self.per_minute)
        };
        self.count.fetch_sub(1, Ordering::Relaxed);
        Err(refused)
    }

    /// Takes one of those that an address may make a minute.
    fn is_slow_enough(&self, address: Option<IpAddr>) -> bool {
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

    /// Gives a place back.
    fn give_back(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Bucket {
    fn at(self, now: Instant, most: f64) -> Self {
        let seconds = now.saturating_duration_since(self.since).as_secs_f64();
        Self { left: most.min(seconds.mul_add(most / 60.0, self.left)), since: now }
    }
}

impl Door {
    /// What a place was taken for has come to an end: a guest has come in, or not.
    pub(super) fn settle(&self, came_in: bool) {
        if self.has_place.swap(false, Ordering::Relaxed) && !came_in {
            self.guests.give_back();
        }
    }
}

impl GuestLimit for Door {
    fn admit(&self) -> Result<(), NoPlace> {
        if !self.has_place.load(Ordering::Relaxed) {
            self.guests.admit(self.address)?;
            self.has_place.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Drop for Door {
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

/// Deletes guests who have not been here for long, and the oldest where there is no place, for as long
/// as this goes on.
pub(super) async fn keep(hub: &Arc<Hub>, app: &Arc<App>) {
    if app.live.facts().is_none() {
        return;
    }
    let started = now();
    loop {
        let begun = Instant::now();
        look_through(hub, app, started).await;
        let took = begun.elapsed();
        sleep(AT_LEAST.max(took * SHARE / 10)).await;
        let apart = APART.max(took * SHARE);
        let _ = timeout(apart, hub.guests.full.notified()).await;
    }
}

async fn look_through(hub: &Arc<Hub>, app: &Arc<App>, started: Since) {
    let guests = &hub.guests;
    let before = guests.count.load(Ordering::Relaxed);
    let left = mem::take(&mut *guests.left.lock().unwrap_or_else(PoisonError::into_inner));
    let Ok(turn) = Arc::clone(&app.looking).acquire_owned().await else { return };
    let looking = {
        let (hub, app) = (Arc::clone(hub), Arc::clone(app));
        tokio::task::spawn_blocking(move || {
            let found = find(&hub, &app, &left, started);
            drop(turn);
            found
        })
    };
    let Ok(found) = looking.await else { return };
    note(app, &found.here).await;
    let kept = found.count - delete(hub, app, &found).await;
    // Those who were made meanwhile are counted already.
    let update = |count: usize| Some((count + kept).saturating_sub(before));
    let _ = guests.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, update);
}

fn find(hub: &Hub, app: &App, left: &BTreeSet<String>, started: Since) -> Found {
    let served = app.live.served();
    let house = Inside { app, served: &served };
    let (mut found, mut last, now) = (Found::default(), None::<String>, now());
    loop {
        let page = house.users(last.as_deref(), PAGE);
        for id in page.iter().filter(|id| guest::has_form(id)) {
            let guest = match house.kept(id) {
                Ok(kept) => kept.and_then(|kept| Guest::of(&kept.user)),
                // It changes just now: it is looked at again later.
                Err(Unread::Early | Unread::Failed(_)) => {
                    found.count += 1;
                    continue;
                }
            };
            let Some(guest) = guest else { continue };
            found.count += 1;
            let seen = guest.seen.unwrap_or(started).min(now);
            if hub.is_here(id) || left.contains(id) {
                if now - seen >= NOTED || guest.seen.is_none() {
                    found.here.push(id.clone());
                }
            } else if guest.is_bare {
                found.idle.push((seen, id.clone()));
            }
        }
        match page.last() {
            Some(id) if page.len() == PAGE => last = Some(id.clone()),
            _ => break,
        }
    }
    found.idle.sort_unstable();
    found
}

/// Notes that guests are here.
async fn note(app: &App, here: &[String]) {
    for some in here.chunks(AT_ONCE / 2) {
        let at = now();
        let mut pairs: Vec<_> = some.iter().filter_map(|id| guest::note(id, at).ok()).collect();
        // One who is gone keeps none of the others back.
        while !pairs.is_empty() {
            match carry::write(app, pairs.concat(), false).await {
                Wrote::Refused { at, .. } if at / 2 < pairs.len() => drop(pairs.remove(at / 2)),
                _ => break,
            }
        }
    }
}

/// Deletes those whose time is over, and the oldest until there is place again; how many went. Who is
/// known for more than a profile is refused, and stays.
async fn delete(hub: &Hub, app: &App, found: &Found) -> usize {
    let most = hub.guests.most;
    let wanted = if found.count < most { most } else { most - most.div_ceil(20) };
    let now = now();
    let over = found.idle.partition_point(|(seen, _)| now - seen >= GONE);
    let (mut gone, mut at) = (0, 0);
    loop {
        let surplus = (found.count - gone).saturating_sub(wanted);
        let end = if at < over { over } else { at + surplus }.min(at + AT_ONCE);
        let some = found.idle.get(at..end.min(found.idle.len())).unwrap_or_default();
        if some.is_empty() {
            return gone;
        }
        at += some.len();
        let away = some.iter().filter(|(_, id)| !hub.is_here(id));
        let commands: Vec<_> = away.filter_map(|(_, id)| guest::forget(id).ok()).collect();
        if commands.is_empty() {
            continue;
        }
        match carry::write(app, commands, true).await {
            Wrote::Done { outcomes, .. } => gone += outcomes.iter().filter(|it| it.is_ok()).count(),
            Wrote::Refused { .. } | Wrote::Failed(_) => return gone,
        }
    }
}
