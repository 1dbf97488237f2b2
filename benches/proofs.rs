//! Lints and invariants for all possible users, over 1000 rules of up to 8 leaves over 200 tags.
//!
//! `cargo bench --bench proofs`

#![allow(clippy::unwrap_used, reason = "a bench may stop at what it did not expect")]

use std::{fmt::Write, hint::black_box};

use criterion::{Criterion, criterion_group, criterion_main};
use peerage::{
    compile,
    source::{LoadedSources, Notation, Sources},
};

/// Numbers that look random and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn condition(&mut self, leaves: u64) -> String {
        if leaves == 1 {
            return format!("hasTag(t{})", self.below(200));
        }
        let left = 1 + self.below(leaves - 1);
        let (one, other) = (self.condition(left), self.condition(leaves - left));
        match self.below(5) {
            0 => format!("not(all({one}, {other}))"),
            1 | 2 => format!("all({one}, {other})"),
            _ => format!("any({one}, {other})"),
        }
    }
}

/// The rules, with this number of different tags in outcomes: the fewer, the more pairs of rules may
/// imply each other.
fn policy(outcomes: u64) -> String {
    let mut chance = Chance(7);
    let mut text = String::new();
    for rule in 0..1000 {
        let leaves = 1 + chance.below(8);
        let condition = chance.condition(leaves);
        let tag = chance.below(outcomes);
        writeln!(text, "rule r{rule}: {condition} -> [t{tag}];").unwrap();
    }
    for (at, demand) in ["never", "always"].into_iter().cycle().take(20).enumerate() {
        let (from, to) = (chance.condition(3), chance.condition(3));
        writeln!(text, "{demand} start_chat i{at}: {from} -> {to};").unwrap();
    }
    text
}

fn proofs(c: &mut Criterion) {
    let mut group = c.benchmark_group("proofs");
    group.sample_size(10);
    for outcomes in [200, 1] {
        for (name, text) in [
            (
                "lints",
                policy(outcomes)
                    .lines()
                    .filter(|it| it.starts_with("rule"))
                    .collect::<Vec<_>>()
                    .join("\n"),
            ),
            ("invariants", policy(outcomes)),
        ] {
            let loaded = LoadedSources {
                sources: Sources::single("policy.peerage", Notation::Dsl, text),
                errors: Vec::new(),
            };
            group.bench_function(format!("{name}/{outcomes}"), |b| {
                b.iter(|| black_box(compile::build_with_lints(&loaded)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, proofs);
criterion_main!(benches);
