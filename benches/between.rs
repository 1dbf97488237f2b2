//! The cost of what a policy says of two users together: an audience, a barrier and two rule sets over a million users
//! with ten million relations, beside the same policy without them.
//!
//! `cargo bench --bench between` prints the figures. Rounds of the two policies take turns, and each figure is the
//! median of its rounds, since machines are noisy. With `-- diff`, the command `diff` alone is measured.

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

use std::{
    fs,
    hint::black_box,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use peerage::{
    decide::{Reach, decide, reach, reached_by},
    request::{Action, Conversation, Request},
    snapshot::View,
    source::{LoadedSources, Notation, Source},
};
use world::{LARGE, social};

const GROUPS: u32 = 20_000;

const TEAMS: u32 = 3000;

/// Of the tags of the world, `tag-0` has a quarter of the users, `tag-11` and `tag-12` a few percent each.
const STATEMENTS: &str = "
audience close: any(friend, favorite, inverse(contact), sharesTag(team-9*));
accepts start_chat { hasTag(tag-5): close; default: everyone; otherwise: request; }
accepts send_message { asked: new; hasTag(tag-4): close locked; default: everyone; }
barrier apart: hasTag(tag-11) <-> any(hasTag(tag-12), hasTag(tag-20)) { unless: any(mutual(contact), sharesTag(team-3*)); }
rule_set staff {
  actions: [start_chat, send_message];
  rule known: hasTag(tag-0) -> everyone;
  rule named: everyone -> any(hasTag(tag-0), hasTag(tag-1));
  rule team: not(hasTag(tag-2)) -> not(hasTag(tag-2)) between sharesTag(team-*);
}
rule_set newcomers {
  asked: new;
  actions: [start_chat, send_message];
  rule old: not(hasTag(tag-6)) -> everyone;
  rule near: hasTag(tag-6) -> everyone between any(friend, contact, sharesGroup(team));
}
";

/// Ten statements of [`STATEMENTS`], each with something else.
const CHANGES: [(&str, &str); 10] = [
    ("any(friend, favorite, inverse(contact)", "any(friend, inverse(favorite)"),
    ("hasTag(tag-5): close;", "hasTag(tag-7): close;"),
    ("hasTag(tag-4): close locked;", "hasTag(tag-4): contacts;"),
    ("any(hasTag(tag-12), hasTag(tag-20))", "hasTag(tag-12)"),
    ("any(mutual(contact), sharesTag(team-3*))", "sharesTag(team-3*)"),
    ("known: hasTag(tag-0)", "known: any(hasTag(tag-0), hasTag(tag-8))"),
    ("any(hasTag(tag-0), hasTag(tag-1))", "hasTag(tag-0)"),
    ("between sharesTag(team-*)", "between sharesTag(team-1*)"),
    ("old: not(hasTag(tag-6))", "old: not(any(hasTag(tag-6), hasTag(tag-9)))"),
    ("any(friend, contact, sharesGroup(team))", "any(friend, sharesGroup(team))"),
];

fn main() {
    let plain = social::sources_with_teams(LARGE, GROUPS, TEAMS);
    let with = world::with(&plain, statements(STATEMENTS));
    if !std::env::args().any(|argument| argument == "diff") {
        let views = compiled([&plain, &with]);
        let [plain, with] = [&views[0], &views[1]];
        println!("memory {:.2} of the other's", with.memory() as f64 / plain.memory() as f64);
        decisions([plain, with]);
        lists([plain, with]);
    }
    if !std::env::args().any(|argument| argument == "decisions") {
        diff(&with);
    }
}

fn statements(text: &str) -> Source {
    Source::new("between.peerage", Notation::Dsl, text)
}

/// The views of policies; prints what compiling and reloading costs.
fn compiled(policies: [&LoadedSources; 2]) -> Vec<View> {
    let mut views = Vec::new();
    let (mut compiling, mut reloading) = ([vec![], vec![]], [vec![], vec![]]);
    for round in 0..3 {
        for (at, policy) in policies.into_iter().enumerate() {
            let begun = Instant::now();
            let view = world::view(&world::fresh(policy), None);
            compiling[at].push(begun.elapsed().as_secs_f64());
            let rule = format!("rule new: hasTag(tag-1) -> [tag-{round}];");
            let changed = world::with(policy, Source::new("new.peerage", Notation::Dsl, rule));
            let begun = Instant::now();
            black_box(world::view(&changed, Some(&view)));
            reloading[at].push(begun.elapsed().as_secs_f64());
            if round == 0 {
                views.push(view);
            }
        }
    }
    for (name, times) in [("compiling", compiling), ("a reload of one rule", reloading)] {
        let [plain, with] = times.map(median);
        println!("{name}: {plain:.3} s without, {with:.3} s with, ratio {:.2}", with / plain);
    }
    views
}

fn decisions(views: [&View; 2]) {
    let pairs = social::pairs(LARGE, 200_000);
    for action in [Action::StartChat, Action::SendMessage, Action::VoiceCall] {
        for conversation in [Conversation::New, Conversation::Existing] {
            let mut times = [vec![], vec![]];
            let mut allowed = [0; 2];
            for _ in 0..9 {
                for (at, view) in views.into_iter().enumerate() {
                    let begun = Instant::now();
                    allowed[at] = pairs
                        .iter()
                        .filter(|(from, to)| {
                            let conversation = Some(conversation);
                            let request =
                                Request { conversation, ..Request::new(from, action, to) };
                            black_box(decide(view, &request).allow)
                        })
                        .count();
                    times[at].push(begun.elapsed().as_nanos() as f64 / pairs.len() as f64);
                }
            }
            let [plain, with] = times.map(median);
            println!(
                "{action}, {conversation:?}: {plain:.0} ns without, {with:.0} ns with, ratio {:.2}; allowed {} and {} of {}",
                with / plain,
                allowed[0],
                allowed[1],
                pairs.len()
            );
        }
    }
}

/// The set, its count and the first thousand of it.
fn listed(list: &Reach<'_>) -> u64 {
    black_box(list.page(None, 1000).ids.len());
    list.total()
}

fn lists(views: [&View; 2]) {
    let pairs = social::pairs(LARGE, 60);
    for action in [Action::StartChat, Action::SendMessage] {
        for (name, forwards) in [("whom one reaches", true), ("who reaches one", false)] {
            let mut times = [vec![], vec![]];
            let mut count = 0;
            for (user, _) in &pairs {
                for (at, view) in views.into_iter().enumerate() {
                    let begun = Instant::now();
                    let total = if forwards {
                        listed(&reach(view, &Request::new(user, action, "")))
                    } else {
                        listed(&reached_by(view, &Request::new("", action, user)))
                    };
                    times[at].push(begun.elapsed().as_secs_f64() * 1e3);
                    count += if at == 1 { total } else { 0 };
                }
            }
            let worst = times.each_ref().map(|times| times.iter().copied().fold(0.0, f64::max));
            let [plain, with] = times.map(median);
            println!(
                "{action}, {name}: {plain:.2} ms without (worst {:.2}), {with:.2} ms with (worst {:.2}); {} users on average",
                worst[0],
                worst[1],
                count / pairs.len() as u64
            );
        }
    }
}

/// The whole command `diff`, from files to its report, where ten statements differ.
fn diff(policy: &LoadedSources) {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old", "new"].map(|side| folder.path().join(side));
    fs::create_dir_all(&old).unwrap();
    fs::create_dir_all(&new).unwrap();
    for (_, file) in policy.sources.iter() {
        fs::write(old.join(&file.name), &file.bytes).unwrap();
        fs::write(new.join(&file.name), &file.bytes).unwrap();
    }
    let changed = CHANGES.iter().fold(STATEMENTS.to_owned(), |text, (before, after)| {
        assert_eq!(text.matches(before).count(), 1, "{before}");
        text.replace(before, after)
    });
    fs::write(new.join("between.peerage"), changed).unwrap();
    let base = timed(&old, &old);
    println!("peerage diff of the policy and itself: {base:.1} s");
    println!("peerage diff of ten statements: {:.1} s", timed(&old, &new));
}

fn timed(old: &Path, new: &Path) -> f64 {
    let begun = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
    let status = command.arg("diff").args([old, new]).stdout(Stdio::null()).status().unwrap();
    assert!(status.code().is_some_and(|code| code < 2), "{status}");
    begun.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
