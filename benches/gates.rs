//! The cost of all gates together, with a million users and ten million relations between them.
//!
//! `cargo bench --bench gates` prints a table. Rounds of the things compared take turns, and each
//! figure is the median of its rounds, since machines are noisy.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench may stop at what it did not expect"
)]

mod world;

use std::{hint::black_box, time::Instant};

use peerage::{
    decide::{decide, reach, reached_by},
    request::{Action, Conversation, Relation, Request, User},
    snapshot::View,
};
use world::{LARGE, social};

const GROUPS: u32 = 20_000;

fn main() {
    let sources = social::sources(LARGE, GROUPS);
    let begun = Instant::now();
    let view = world::view(&sources, None);
    println!("compiled in {:.1} s", begun.elapsed().as_secs_f64());
    memory(&view);
    decisions(&view);
    lists(&view);
}

fn memory(view: &View) {
    let users = view.population.directory.len();
    let ties = &view.population.ties;
    let edges: u64 = Relation::ALL.iter().map(|&relation| ties.edges(relation)).sum();
    let ids: usize = view
        .population
        .directory
        .numbers()
        .map(|user| view.population.directory.id(user).len())
        .sum();
    let memberships = view.groups.membership_count();
    let of_ties = ties.memory();
    let rest = view.memory() - of_ties;
    println!(
        "{users} users, {edges} edges, {memberships} memberships in {} groups",
        view.groups.len()
    );
    println!(
        "  ties {:.1} bytes an edge; all else {:.0} bytes a user, of which {:.0} are the ids' text",
        of_ties as f64 / edges as f64,
        rest as f64 / f64::from(users),
        ids as f64 / f64::from(users),
    );
}

fn decisions(view: &View) {
    let pairs = social::pairs(LARGE, 200_000);
    let groups: Vec<String> = (0..GROUPS).map(social::group).collect();
    let each = |work: &dyn Fn(usize, &str, &str) -> bool| {
        let begun = Instant::now();
        let done =
            pairs.iter().enumerate().filter(|(at, (a, b))| black_box(work(*at, a, b))).count();
        black_box(done);
        begun.elapsed().as_nanos() as f64 / pairs.len() as f64
    };
    let directory = &view.population.directory;
    let look_ups =
        || each(&|_, a, b| directory.number(a).is_some() & directory.number(b).is_some());
    let between = |action: Action| {
        move |_: usize, a: &str, b: &str| {
            let conversation = Some(Conversation::New);
            decide(view, &Request { conversation, ..Request::new(a, action, b) }).allow
        }
    };
    let added = |at: usize, a: &str, b: &str| {
        let group = &groups[at % groups.len()];
        let member = Some(User::from(b));
        decide(view, &Request { member, ..Request::in_group(a, Action::AddMember, group) }).allow
    };
    let actions = [
        Action::StartChat,
        Action::SendMessage,
        Action::VideoCall,
        Action::FriendRequest,
        Action::Ban,
        Action::AddMember,
    ];
    let mut base = Vec::new();
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); actions.len()];
    for _ in 0..15 {
        base.push(look_ups());
        for (times, &action) in times.iter_mut().zip(&actions) {
            times.push(match action {
                Action::AddMember => each(&added),
                action => each(&between(action)),
            });
        }
    }
    let base = median(base);
    in_cache(view, &pairs);
    println!(
        "decide with all gates, pairs of which every other is related; two look-ups {base:.0} ns"
    );
    for (action, times) in actions.into_iter().zip(times) {
        let time = median(times);
        println!("  {action}: {time:.0} ns, ratio {:.2}", time / base);
    }
}

/// The cost when all data is in the cache.
fn in_cache(view: &View, pairs: &[(String, String)]) {
    let few = &pairs[..64];
    let each = |work: &dyn Fn(&str, &str) -> bool| {
        let begun = Instant::now();
        for _ in 0..2000 {
            few.iter().for_each(|(a, b)| _ = black_box(work(a, b)));
        }
        begun.elapsed().as_nanos() as f64 / (2000.0 * few.len() as f64)
    };
    let directory = &view.population.directory;
    let look_ups = each(&|a, b| directory.number(a).is_some() & directory.number(b).is_some());
    let send = each(&|a, b| decide(view, &Request::new(a, Action::SendMessage, b)).allow);
    println!("among 64 pairs, in the caches: look-ups {look_ups:.0} ns, send_message {send:.0} ns");
}

fn lists(view: &View) {
    let pairs = social::pairs(LARGE, 40);
    for action in [Action::StartChat, Action::SendMessage, Action::FriendRequest, Action::Ban] {
        let (mut there, mut back, mut count) = (Vec::new(), Vec::new(), 0);
        for (user, _) in &pairs {
            let begun = Instant::now();
            let list = reach(view, &Request::new(user, action, ""));
            count += black_box(list.total());
            there.push(begun.elapsed().as_secs_f64() * 1e3);
            let begun = Instant::now();
            black_box(reached_by(view, &Request::new("", action, user)).total());
            back.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let worst = |times: &[f64]| times.iter().copied().fold(0.0, f64::max);
        println!(
            "{action}: whom one reaches {:.2} ms (worst {:.2}), who reaches one {:.2} ms (worst \
             {:.2}); {} on average",
            median(there.clone()),
            worst(&there),
            median(back.clone()),
            worst(&back),
            count / pairs.len() as u64,
        );
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
