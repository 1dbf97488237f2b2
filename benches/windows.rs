//! The time that an edge of a window takes, with a million users and a thousand rules that depend on it.
//!
//! `cargo bench --bench windows` prints a table: what a policy without a window takes to advance, and what edges take
//! on which a rule set, a switch or a barrier depends.

#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a bench may stop at what it did not expect"
)]

use std::{
    fmt::Write as _,
    time::{Duration, Instant, SystemTime},
};

use peerage::{
    compile,
    request::Moment,
    snapshot::View,
    source::{LoadedSources, Notation, Source, Sources},
};

const USERS: usize = 1_000_000;
const TAGS: usize = 50;
const RULES: usize = 1_000;
const ROUNDS: usize = 11;

const WINDOW: &str = "window work { from: \"08:00\"; to: \"16:00\"; zone: \"Europe/Berlin\"; }\n";

fn main() {
    let mut users = String::from("id,tags\n");
    for user in 0..USERS {
        let tags = (0..=user % 5).map(|nth| format!("t{}", (user * 7 + nth * 13) % TAGS));
        writeln!(users, "u{user},{}", tags.collect::<Vec<_>>().join(" ")).unwrap();
    }
    let rules = |condition: &dyn Fn(usize) -> String| -> String {
        let rules = (0..RULES).map(|rule| {
            let to = rule % TAGS;
            format!("  rule r{rule}: {} -> [t{to}];\n", condition(rule))
        });
        format!("rule_set s {{\n{}}}\n", rules.collect::<String>())
    };
    let tags = |rule: usize| {
        let [one, other] = [rule % TAGS, (rule * 3 + rule / TAGS + 1) % TAGS];
        format!("hasTag(t{one}), not(hasTag(t{other}))")
    };
    let none = rules(&|rule| format!("all({})", tags(rule)));
    let all = rules(&|rule| format!("all({}, during(work))", tags(rule)));
    let cases = [
        ("no window", none.clone()),
        (
            "1 of 1,000 rules",
            format!("{WINDOW}{}", none.replacen(")) -> ", "), during(work)) -> ", 1)),
        ),
        ("1,000 rules", format!("{WINDOW}{all}")),
        (
            "a switch",
            format!("{WINDOW}permissions {{ outgoing: any(hasTag(t1), during(work)); }}\n"),
        ),
        (
            "a barrier",
            format!("{WINDOW}barrier x: all(hasTag(t1), during(work)) <-> hasTag(t2);\n"),
        ),
    ];
    println!("{USERS} users; the new view, median of {ROUNDS} edges");
    for (name, policy) in cases {
        println!("  {name:<18}{:>8.1} ms", edge(&policy, &users).as_secs_f64() * 1e3);
    }
}

/// The median time of an edge.
fn edge(policy: &str, users: &str) -> Duration {
    let at = |text: &str| -> Moment { text.parse().unwrap() };
    let moments = [at("2026-11-30T06:59:00Z"), at("2026-11-30T07:00:00Z")];
    let sources = Sources::new(vec![
        Source::new("policy.peerage", Notation::Dsl, policy),
        Source::new("users.csv", Notation::Csv, users),
    ]);
    let loaded = LoadedSources::from(sources.at(SystemTime::from(moments[0])));
    let served: View = compile::build(&loaded, None).view.unwrap();
    let mut view = served;
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|round| {
            // The view before stays, as readers hold it.
            let mut next = view.clone();
            let begun = Instant::now();
            compile::advance(&mut next, moments[(round + 1) % 2]);
            let took = begun.elapsed();
            view = next;
            took
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}
