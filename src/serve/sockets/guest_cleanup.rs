//! The cleanup of guests: those who have been away for long are deleted, and the oldest where there is
//! no place.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::hub::Hub;
use crate::{
    dialects::{Backend as _, BackendError, GuestAccounts},
    facts::{BatchMode, UnixMillis, WriteOutcome},
    serve::{
        admission::{Cancellation, WorkClass},
        app::App,
        audit::Caller,
        dialects::write_commands,
        peer::Peer,
    },
    wire::unix_millis,
};

/// The time after a guest's last visit at which a bare one is deleted, in milliseconds; and the age at
/// which the recorded visit of a guest who is connected is renewed.
const EXPIRY: UnixMillis = 24 * 60 * 60 * 1000;
const RENEWAL: UnixMillis = 60 * 60 * 1000;

/// The time between two surveys: so long, or so many times as long as a survey takes; and the least,
/// where there is no place.
const INTERVAL: Duration = Duration::from_secs(60);
const SHARE: u32 = 50;
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// The number of users that are read at a time, and of commands in a batch.
const PAGE: usize = 10_000;
const BATCH: usize = 100;

/// The guests that a survey found.
#[derive(Debug, Default)]
struct GuestSurvey {
    count: usize,
    /// Connected guests whose visit is to be recorded.
    connected: Vec<String>,
    /// Bare guests who are away, each with the time of the last visit: the oldest first.
    idle: Vec<(UnixMillis, String)>,
}

/// Deletes guests who have been away for long, and the oldest where there is no place, as long as this
/// future is polled.
pub(in crate::serve) async fn clean_up(hub: &Arc<Hub>, app: &Arc<App>) {
    if app.live.facts().is_none() || hub.options.dialect.guests().is_none() {
        return;
    }
    let started = unix_millis();
    loop {
        let begun = Instant::now();
        run_once(hub, app, started).await;
        let took = begun.elapsed();
        sleep(MIN_INTERVAL.max(took * SHARE / 10)).await;
        hub.guests.filled(INTERVAL.max(took * SHARE)).await;
    }
}

async fn run_once(hub: &Arc<Hub>, app: &Arc<App>, started: UnixMillis) {
    let limiter = &hub.guests;
    // Where look-ups for callers leave no room, it is tried again later.
    let nobody = Peer::default();
    let Some(permit) = app.admission.admit(WorkClass::Lookup, &nobody).await else { return };
    let departed = limiter.take_departed();
    limiter.begin_count();
    let work = {
        let (hub, app) = (Arc::clone(hub), Arc::clone(app));
        move || survey(&hub, &app, &departed, started)
    };
    let Ok(Some(found)) = app.run(&permit, work).await else { return };
    drop(permit);
    let Some(accounts) = hub.options.dialect.guests() else { return };
    record_visits(app, hub, accounts, &found.connected).await;
    let kept = found.count - delete(app, hub, accounts, &found).await;
    limiter.end_count(kept);
}

fn survey(
    hub: &Hub,
    app: &App,
    departed: &BTreeSet<String>,
    started: UnixMillis,
) -> Option<GuestSurvey> {
    let accounts = hub.options.dialect.guests()?;
    let served = app.live.served();
    let backend = app.backend(&served, &Cancellation::NEVER);
    let (mut found, mut last, now) = (GuestSurvey::default(), None::<String>, unix_millis());
    loop {
        let page = backend.user_page(last.as_deref(), PAGE);
        for id in page.iter().filter(|id| accounts.is_guest_id(id)) {
            let guest = match backend.user_record(id) {
                Ok(stored) => stored.and_then(|stored| accounts.guest(&stored.record)),
                // The record is changing: the next survey reads it.
                Err(BackendError::ViewBehind | BackendError::Failed(_)) => {
                    found.count += 1;
                    continue;
                }
            };
            let Some(guest) = guest else { continue };
            found.count += 1;
            let last_seen = guest.last_seen.unwrap_or(started).min(now);
            if hub.is_connected(id) || departed.contains(id) {
                if now - last_seen >= RENEWAL || guest.last_seen.is_none() {
                    found.connected.push(id.clone());
                }
            } else if guest.is_bare {
                found.idle.push((last_seen, id.clone()));
            }
        }
        match page.last() {
            Some(id) if page.len() == PAGE => last = Some(id.clone()),
            _ => break,
        }
    }
    found.idle.sort_unstable();
    Some(found)
}

/// The caller in whose name guests are cleaned up.
fn cleanup_caller(hub: &Hub) -> Caller {
    Caller { api: hub.name(), by: "daemon".to_owned() }
}

/// Records that guests are connected.
async fn record_visits(app: &App, hub: &Hub, accounts: &dyn GuestAccounts, guests: &[String]) {
    let caller = cleanup_caller(hub);
    for some in guests.chunks(BATCH / 2) {
        let now = unix_millis();
        let mut pairs: Vec<_> =
            some.iter().filter_map(|id| accounts.record_visit(id, now).ok()).collect();
        // One guest who is gone holds none of the others back.
        while !pairs.is_empty() {
            match write_commands(app, &caller, pairs.concat(), BatchMode::Atomic).await {
                Ok(WriteOutcome::Refused { index: at, .. }) if at / 2 < pairs.len() => {
                    drop(pairs.remove(at / 2));
                }
                _ => break,
            }
        }
    }
}

/// Deletes expired guests, then the oldest until there is room again; returns the number deleted. A
/// guest with more facts than a profile is refused, and stays.
async fn delete(app: &App, hub: &Hub, accounts: &dyn GuestAccounts, found: &GuestSurvey) -> usize {
    let max = hub.guests.max();
    let target = if found.count < max { max } else { max - max.div_ceil(20) };
    let now = unix_millis();
    let expired = found.idle.partition_point(|(last_seen, _)| now - last_seen >= EXPIRY);
    let (caller, mut deleted, mut at) = (cleanup_caller(hub), 0, 0);
    loop {
        let surplus = (found.count - deleted).saturating_sub(target);
        let end = if at < expired { expired } else { at + surplus }.min(at + BATCH);
        let some = found.idle.get(at..end.min(found.idle.len())).unwrap_or_default();
        if some.is_empty() {
            return deleted;
        }
        at += some.len();
        let away = some.iter().filter(|(_, id)| !hub.is_connected(id));
        let commands: Vec<_> = away.filter_map(|(_, id)| accounts.delete_guest(id).ok()).collect();
        if commands.is_empty() {
            continue;
        }
        match write_commands(app, &caller, commands, BatchMode::Independent).await {
            Ok(WriteOutcome::Applied { outcomes, .. }) => {
                deleted += outcomes.iter().filter(|outcome| outcome.is_ok()).count();
            }
            Ok(WriteOutcome::Refused { .. }) | Err(_) => return deleted,
        }
    }
}
