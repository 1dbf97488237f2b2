//! What it takes to compare two policies of 1000 rules, ten of which differ, over a million users with
//! relations and settings; prints its figures.

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

use std::time::Instant;

use peerage::{
    compile::versions,
    inspect::diff::{Detail, Diff},
    source::{Loaded, Notation, Source},
};
use world::{LARGE, dsl_rules, loaded, social};

/// The same files, in which the condition of every hundredth rule is another one's.
fn changed(files: &Loaded) -> Loaded {
    let others = dsl_rules(LARGE, 12);
    let others: Vec<&str> = others.lines().skip(1).collect();
    let sources = files.sources.iter().map(|(_, source)| {
        if source.name != "rules.peerage" {
            return source.clone();
        }
        let text = String::from_utf8(source.bytes.clone()).unwrap();
        let rules = text.lines().enumerate().map(|(at, line)| match at.checked_sub(1) {
            Some(rule) if rule % 100 == 50 => others[rule],
            _ => line,
        });
        Source::new("rules.peerage", Notation::Dsl, rules.collect::<Vec<_>>().join("\n"))
    });
    loaded(sources.collect())
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    peak.unwrap_or_default().to_owned()
}

fn main() {
    let old = social::sources(LARGE, 1000);
    let new = changed(&old);
    let begun = Instant::now();
    let views = versions(&old, &new, None).views.unwrap();
    println!("both policies compiled in {:.2?}", begun.elapsed());
    for (name, detail) in [("counts only", Detail::NONE), ("all", Detail::default())] {
        let begun = Instant::now();
        let diff = Diff::of(&views.old, &views.new, None, detail);
        println!("{name}: {:.2?}; {}", begun.elapsed(), diff.summary());
        println!("{} kinds of users, {}", views.new.population.directory.classes(), resident());
    }
}
