//! `kill -9` at any moment, and SIGTERM, while many write.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    durability::kept::Place,
    support::chance::Chance,
    support::writer::{Counts, Sent, Writer, decisions, is_allowed, users},
};

const WRITERS: usize = 12;

/// Each writes until the daemon is gone.
fn write(place: &Place, writers: &mut [Writer], done: &AtomicU64, end: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for writer in writers {
            let is_over = &is_over;
            scope.spawn(move || {
                let mut client = place.client();
                while !is_over.load(Ordering::Relaxed) {
                    let sent = writer.send(&mut client);
                    let Sent::Acknowledged { step, .. } = sent else { return };
                    done.fetch_add(1, Ordering::Relaxed);
                    for (blocker, blocked) in &step.blocks {
                        let requested = (blocked.as_str(), "send_message", blocker.as_str());
                        match is_allowed(&mut client, requested, None) {
                            Ok(allowed) => assert_eq!(allowed, Some(false), "{requested:?}"),
                            Err(_) => return,
                        }
                    }
                }
            });
        }
        end();
        is_over.store(true, Ordering::Relaxed);
    });
}

/// What is kept is what was acknowledged; half of what was not is to be sent again. How many of
/// those that nobody heard of were there.
fn settle(place: &Place, writers: &mut [Writer]) -> u64 {
    let held = place.held();
    let mut unheard = 0;
    for writer in writers {
        let applied = writer.is_applied(&held);
        unheard += u64::from(applied);
        let again = writer.script.chance.percent(50);
        writer.settle(applied, again);
    }
    unheard
}

fn rounds() -> u64 {
    std::env::var("PEERAGE_ROUNDS").ok().map_or(200, |rounds| rounds.parse().unwrap())
}

fn compare_with_fresh_start(place: &Place) {
    let users = users(&place.held());
    let before = {
        let _daemon = place.daemon();
        decisions(&place.socket, &users)
    };
    let copy = TempDir::new().unwrap();
    let copied = Place::in_folder(copy.path());
    std::fs::copy(&place.store, &copied.store).unwrap();
    let _daemon = copied.daemon();
    assert_eq!(decisions(&copied.socket, &users), before);
}

#[test]
fn nothing_is_lost_to_kills() {
    let folder = TempDir::new().unwrap();
    let place = Place::in_folder(folder.path());
    let mut writers: Vec<Writer> = (0..WRITERS).map(|number| Writer::new(number, 1)).collect();
    let mut chance = Chance(7);
    let mut unheard = 0;
    place.founded().kill();
    for round in 0..rounds() {
        let daemon = place.daemon();
        let done = AtomicU64::new(0);
        // By what was done, and somewhere between two of them.
        let (goal, more) = (chance.below(50), chance.below(3000));
        write(&place, &mut writers, &done, || {
            wait_for(&done, goal);
            thread::sleep(Duration::from_micros(more));
            daemon.kill();
        });
        unheard += settle(&place, &mut writers);
        if round % 20 == 19 {
            place.check();
            place.check_history();
        }
    }
    let counts = Counts::sum(writers.iter().map(|writer| writer.counts));
    println!("{} rounds: {counts:?}; {unheard} were there that nobody had heard of", rounds());
    assert!(counts.replayed > 0 && counts.acknowledged > 5 * rounds(), "{counts:?}");
    place.check();
    place.check_history();
    compare_with_fresh_start(&place);
}

/// The daemon that took the writes decides as one that starts with them.
#[test]
fn the_view_is_that_of_a_fresh_start() {
    let folder = TempDir::new().unwrap();
    let place = Place::in_folder(folder.path());
    let daemon = place.founded();
    let mut writers: Vec<Writer> = (0..WRITERS).map(|number| Writer::new(number, 2)).collect();
    let done = AtomicU64::new(0);
    write(&place, &mut writers, &done, || wait_for(&done, 1500));
    let copy = TempDir::new().unwrap();
    let users = users_of(&writers);
    let before = decisions(&place.socket, &users);
    daemon.kill();
    settle(&place, &mut writers);
    let copied = Place::in_folder(copy.path());
    std::fs::copy(&place.store, &copied.store).unwrap();
    let _daemon = copied.daemon();
    assert_eq!(decisions(&copied.socket, &users), before);
}

/// A daemon that is stopped answers what it took; a write that it did not answer is stored whole or not at all.
#[test]
fn nothing_is_lost_to_a_stop() {
    let folder = TempDir::new().unwrap();
    let place = Place::in_folder(folder.path());
    place.founded().kill();
    let mut writers: Vec<Writer> = (0..WRITERS).map(|number| Writer::new(number, 3)).collect();
    for _ in 0..10 {
        let daemon = place.daemon();
        let done = AtomicU64::new(0);
        write(&place, &mut writers, &done, || {
            wait_for(&done, 50);
            daemon.signal("TERM");
            let ended = daemon.ended();
            assert_eq!(ended.status.code(), Some(0), "{}", ended.errors);
        });
        settle(&place, &mut writers);
    }
    place.check();
}

fn wait_for(done: &AtomicU64, goal: u64) {
    while done.load(Ordering::Relaxed) < goal {
        thread::yield_now();
    }
}

fn users_of(writers: &[Writer]) -> std::collections::BTreeSet<String> {
    let atoms = writers.iter().flat_map(|writer| writer.script.now.iter());
    let user = |atom: &String| Some(atom.strip_prefix("user ")?.split(' ').next()?.to_owned());
    atoms.filter_map(user).chain(["star".to_owned(), "root".to_owned()]).collect()
}
