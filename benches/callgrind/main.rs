//! Decisions of each kind, so that callgrind counts the instructions of each apart.
//!
//! `benches/callgrind/run` runs this below valgrind and compares the counts with `counts.txt`. Counts
//! are the same on a busy machine as on an idle one, unlike times. The program prints the name of each
//! kind in the order in which it calls `measured`, the one function whose instructions are counted.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench may stop at what it did not expect"
)]

#[path = "../world/mod.rs"]
mod world;

use std::hint::black_box;

use peerage::{
    decide::{decide, explain, reach, reached_by},
    request::{Action, Properties, Request, Resource, ResourceKind, User},
};
use world::social;

/// How many requests of a kind are counted together: one decision's count is a thousandth.
const REQUESTS: usize = 1_000;

const GROUPS: u32 = 200;

fn main() {
    let small = world::SMALL;
    let social = world::view(&social::sources(small, GROUPS), None);
    let plain = world::view(&world::sources(small), None);
    let pairs = social::pairs(small, REQUESTS);
    let groups: Vec<String> = (0..GROUPS).map(social::group).collect();
    for &action in Action::ALL {
        for &kind in action.takes() {
            let requests = requests(&pairs, &groups, action, kind);
            count(&format!("{action}{}", suffix(kind)), &requests, |request| {
                decide(&social, request).allow
            });
        }
    }
    let chats = requests(&pairs, &groups, Action::StartChat, ResourceKind::User);
    count("start_chat/user, rules alone", &chats, |request| decide(&plain, request).allow);
    // Each id is another one, as how long the search for one takes depends on its hash.
    let ids: Vec<String> = (0..REQUESTS).map(|number| format!("nobody-{number}")).collect();
    let unknown: Vec<Request<'_>> = pairs
        .iter()
        .zip(&ids)
        .map(|((one, _), id)| Request::new(one, Action::StartChat, id))
        .collect();
    count("start_chat/user, unknown", &unknown, |request| decide(&social, request).allow);
    let with_tags: Vec<Request<'_>> = chats.iter().map(with_tags).collect();
    count("start_chat/user, with tags", &with_tags, |request| decide(&social, request).allow);
    count("explain start_chat/user", &chats[..100], |request| {
        explain(&social, request).decision.allow
    });
    count("reach start_chat/user", &chats[..100], |request| reach(&social, request).total() > 0);
    count("reached_by start_chat/user", &chats[..100], |request| {
        reached_by(&social, request).total() > 0
    });
}

fn suffix(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::None => "",
        ResourceKind::User => "/user",
        ResourceKind::Group => "/group",
    }
}

/// A request of each pair: about the other user, or about one of the groups.
fn requests<'w>(
    pairs: &'w [(String, String)],
    groups: &'w [String],
    action: Action,
    kind: ResourceKind,
) -> Vec<Request<'w>> {
    let request = |(at, (one, other)): (usize, &'w (String, String))| match kind {
        ResourceKind::None => Request::with_resource(one, action, Resource::None),
        ResourceKind::User => Request::new(one, action, other),
        ResourceKind::Group => {
            let member = action.takes_member().then(|| User::from(other.as_str()));
            Request { member, ..Request::in_group(one, action, &groups[at % groups.len()]) }
        }
    };
    pairs.iter().enumerate().map(request).collect()
}

/// The same request with tags of the subject, which replace the stored ones.
fn with_tags<'w>(request: &Request<'w>) -> Request<'w> {
    let tags = Some(vec!["tag-1", "tag-20"]);
    let properties = Some(Box::new(Properties { tags, ..Properties::default() }));
    Request { subject: User { properties, ..request.subject.clone() }, ..request.clone() }
}

/// Prints the name of a kind, and has its requests decided where callgrind counts.
fn count(name: &str, requests: &[Request<'_>], decide: impl Fn(&Request<'_>) -> bool) {
    println!("{} {name}", requests.len());
    // Lazy initialization happens before the count.
    requests.iter().for_each(|request| _ = black_box(decide(request)));
    measured(requests, &decide);
}

#[inline(never)]
fn measured(requests: &[Request<'_>], decide: &dyn Fn(&Request<'_>) -> bool) {
    for request in requests {
        black_box(decide(black_box(request)));
    }
}
