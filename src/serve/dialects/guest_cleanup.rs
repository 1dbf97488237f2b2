//! The cleanup of Venueless' guests: those go who were not here for long, and the oldest where there is
//! no place.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{
    backend::ServedBackend,
    drive,
    hub::{Hub, VENUELESS},
};
use crate::{
    dialects::{
        Backend, BackendError,
        venueless::guest::{self, Guest},
    },
    facts::{BatchMode, UnixMillis, WriteOutcome},
    serve::{
        admission::{Cancellation, WorkClass},
        app::App,
        audit::Caller,
        peer::Peer,
    },
    wire::unix_millis,
};

/// How long after they were last here a guest is deleted of whom nothing is known but a profile, in
/// milliseconds; and how old the note of it may be of one who is here.
const GONE: UnixMillis = 24 * 60 * 60 * 1000;
const NOTED: UnixMillis = 60 * 60 * 1000;

/// How long apart all guests are looked at: so long, or so many times as long as it takes; and at
/// least, where there is no place.
const APART: Duration = Duration::from_secs(60);
const SHARE: u32 = 50;
const AT_LEAST: Duration = Duration::from_secs(1);

/// How many users are looked through at a time, and how many commands are carried out at once.
const PAGE: usize = 10_000;
const AT_ONCE: usize = 100;

/// What was found of guests.
#[derive(Debug, Default)]
struct GuestSurvey {
    count: usize,
    /// Those who are here, of whom that should be noted.
    here: Vec<String>,
    /// Those of whom only a profile is kept, and when they were last here: the oldest first.
    idle: Vec<(UnixMillis, String)>,
}

/// Deletes guests who have not been here for long, and the oldest where there is no place, for as long
/// as this goes on.
pub(in crate::serve) async fn clean_up(hub: &Arc<Hub>, app: &Arc<App>) {
    if app.live.facts().is_none() {
        return;
    }
    let started = unix_millis();
    loop {
        let begun = Instant::now();
        run_once(hub, app, started).await;
        let took = begun.elapsed();
        sleep(AT_LEAST.max(took * SHARE / 10)).await;
        hub.guests.filled(APART.max(took * SHARE)).await;
    }
}

async fn run_once(hub: &Arc<Hub>, app: &Arc<App>, started: UnixMillis) {
    let guests = &hub.guests;
    // Where look-ups for callers leave no room, it is tried again later.
    let nobody = Peer::default();
    let Some(permit) = app.admission.admit(WorkClass::Lookup, &nobody).await else { return };
    let left = guests.take_departed();
    guests.begin_count();
    let looking = {
        let (hub, app) = (Arc::clone(hub), Arc::clone(app));
        move || survey(&hub, &app, &left, started)
    };
    let Some(looking) = app.admission.run(&permit, looking).await else { return };
    let Ok(found) = looking.await else { return };
    drop(permit);
    touch(app, &found.here).await;
    let kept = found.count - delete(hub, app, &found).await;
    guests.end_count(kept);
}

fn survey(hub: &Hub, app: &App, left: &BTreeSet<String>, started: UnixMillis) -> GuestSurvey {
    let served = app.live.served();
    let house = ServedBackend { app, served: &served, cancellation: &Cancellation::NEVER };
    let (mut found, mut last, now) = (GuestSurvey::default(), None::<String>, unix_millis());
    loop {
        let page = house.user_page(last.as_deref(), PAGE);
        for id in page.iter().filter(|id| guest::is_guest_id(id)) {
            let guest = match house.user_record(id) {
                Ok(kept) => kept.and_then(|kept| Guest::from_record(&kept.record)),
                // It changes just now: it is looked at again later.
                Err(BackendError::ViewBehind | BackendError::Failed(_)) => {
                    found.count += 1;
                    continue;
                }
            };
            let Some(guest) = guest else { continue };
            found.count += 1;
            let seen = guest.last_seen.unwrap_or(started).min(now);
            if hub.is_connected(id) || left.contains(id) {
                if now - seen >= NOTED || guest.last_seen.is_none() {
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

/// Who cleans up.
fn cleanup_caller() -> Caller {
    Caller { api: VENUELESS, by: "daemon".to_owned() }
}

/// Notes that guests are here.
async fn touch(app: &App, here: &[String]) {
    for some in here.chunks(AT_ONCE / 2) {
        let at = unix_millis();
        let mut pairs: Vec<_> =
            some.iter().filter_map(|id| guest::record_visit(id, at).ok()).collect();
        // One who is gone keeps none of the others back.
        while !pairs.is_empty() {
            match drive::write_commands(app, &cleanup_caller(), pairs.concat(), BatchMode::Atomic)
                .await
            {
                Ok(WriteOutcome::Refused { index: at, .. }) if at / 2 < pairs.len() => {
                    drop(pairs.remove(at / 2))
                }
                _ => break,
            }
        }
    }
}

/// Deletes those whose time is over, and the oldest until there is place again; how many went. Who is
/// known for more than a profile is refused, and stays.
async fn delete(hub: &Hub, app: &App, found: &GuestSurvey) -> usize {
    let most = hub.guests.most();
    let wanted = if found.count < most { most } else { most - most.div_ceil(20) };
    let now = unix_millis();
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
        let away = some.iter().filter(|(_, id)| !hub.is_connected(id));
        let commands: Vec<_> = away.filter_map(|(_, id)| guest::delete_guest(id).ok()).collect();
        if commands.is_empty() {
            continue;
        }
        match drive::write_commands(app, &cleanup_caller(), commands, BatchMode::Independent).await
        {
            Ok(WriteOutcome::Applied { outcomes, .. }) => {
                gone += outcomes.iter().filter(|it| it.is_ok()).count()
            }
            Ok(WriteOutcome::Refused { .. }) | Err(_) => return gone,
        }
    }
}
