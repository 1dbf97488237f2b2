//! Seeded policies of any size, as the text that an author would write.

#![allow(dead_code, unreachable_pub, reason = "each bench is a crate and uses a part of it")]
#![allow(clippy::indexing_slicing, reason = "a bench may stop at what it did not expect")]

pub mod social;

use std::fmt::Write as _;

use peerage::{
    compile,
    snapshot::View,
    source::{LoadedSources, Notation, Source, Sources},
};

/// How large a world is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub name: &'static str,
    pub users: u32,
    pub tags: u32,
    pub rules: u32,
}

pub const SMALL: Size = Size { name: "small", users: 1_000, tags: 50, rules: 50 };
pub const MEDIUM: Size = Size { name: "medium", users: 50_000, tags: 200, rules: 200 };
pub const LARGE: Size = Size { name: "large", users: 1_000_000, tags: 1_000, rules: 1_000 };

/// A repository of many files.
pub const REPOSITORY: Size = Size { name: "repository", users: 10_000, tags: 1_000, rules: 10_000 };

/// A generator of numbers that is the same on every machine (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(((self.next() >> 32) * u64::from(bound)) >> 32).unwrap()
    }

    /// A tag: few are worn by many, most by few, as in a company.
    pub fn tag(&mut self, size: Size) -> u32 {
        let uniform = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (f64::from(size.tags).powf(uniform) - 1.0) as u32
    }
}

pub fn user(number: u32) -> String {
    format!("user-{number:07}")
}

/// Each user's 1 to 5 tags.
fn tags_of(size: Size) -> impl Iterator<Item = Vec<String>> {
    let mut random = Random::new(7);
    (0..size.users).map(move |_| {
        let count = 1 + random.below(5);
        (0..count).map(|_| format!("tag-{}", random.tag(size))).collect()
    })
}

pub fn ndjson(size: Size) -> String {
    let mut text = String::new();
    for (number, tags) in (0..).zip(tags_of(size)) {
        writeln!(text, r#"{{"id":"{}","tags":["{}"]}}"#, user(number), tags.join(r#"",""#))
            .unwrap();
    }
    text
}

pub fn csv(size: Size) -> String {
    let mut text = "id,tags\n".to_owned();
    for (number, tags) in (0..).zip(tags_of(size)) {
        writeln!(text, "{},{}", user(number), tags.join(" ")).unwrap();
    }
    text
}

pub fn yaml_users(size: Size) -> String {
    let mut text = "users:\n".to_owned();
    for (number, tags) in (0..).zip(tags_of(size)) {
        writeln!(text, "  {}: {{ tags: [{}] }}", user(number), tags.join(", ")).unwrap();
    }
    text
}

/// Conditions of one to four tags under any, all and not; outcomes of one to three tags.
fn rules(size: Size, seed: u64) -> impl Iterator<Item = (String, String)> {
    let mut random = Random::new(seed);
    (0..size.rules).map(move |_| {
        let leaf = |random: &mut Random| format!("hasTag(tag-{})", random.tag(size));
        let count = 1 + random.below(4);
        let parts: Vec<String> = (0..count)
            .map(|at| match random.below(4) {
                0 if at > 0 => format!("not({})", leaf(&mut random)),
                _ => leaf(&mut random),
            })
            .collect();
        let condition = match (parts.as_slice(), random.below(2)) {
            ([only], _) => only.clone(),
            (_, 0) => format!("any({})", parts.join(", ")),
            _ => format!("all({})", parts.join(", ")),
        };
        let count = 1 + random.below(3);
        let outcome: Vec<String> =
            (0..count).map(|_| format!("tag-{}", random.tag(size))).collect();
        (condition, outcome.join(", "))
    })
}

pub fn dsl_rules(size: Size, seed: u64) -> String {
    let mut text = "rules: [];\n".to_owned();
    for (number, (condition, outcome)) in rules(size, seed).enumerate() {
        writeln!(text, "rule r{number}: {condition} -> [{outcome}];").unwrap();
    }
    text
}

pub fn yaml_rules(size: Size, seed: u64) -> String {
    let mut text = "rules:\n".to_owned();
    for (number, (condition, outcome)) in rules(size, seed).enumerate() {
        writeln!(text, "  - name: r{number}\n    condition: {condition}\n    outcome: [{outcome}]")
            .unwrap();
    }
    text
}

/// The rules and users of a size in as many files, every other one in YAML: the name of each and
/// its text.
pub fn files(size: Size, count: usize) -> Vec<(String, String)> {
    let mut texts = vec![(String::new(), "users:\n".to_owned()); count];
    for (number, (condition, outcome)) in rules(size, 11).enumerate() {
        let (rules, _) = &mut texts[number % count];
        match number % count % 2 {
            0 => writeln!(rules, "/// Says who.\nrule r{number}: {condition} -> [{outcome}];"),
            _ => writeln!(
                rules,
                "  - name: r{number}\n    description: Says who.\n    condition: {condition}\n    \
                 outcome: [{outcome}]"
            ),
        }
        .unwrap();
    }
    for (number, tags) in (0..).zip(tags_of(size)) {
        let (rules, users) = &mut texts[number as usize % count];
        let (id, tags) = (user(number), tags.join(", "));
        match number as usize % count % 2 {
            0 => writeln!(rules, "user {id} {{ tags: [{tags}]; }}"),
            _ => writeln!(users, "  {id}: {{ tags: [{tags}] }}"),
        }
        .unwrap();
    }
    let file = |(at, (rules, users)): (usize, (String, String))| match at % 2 {
        0 => (format!("team-{at}.peerage"), rules),
        _ => (format!("team-{at}.yaml"), format!("rules:\n{rules}{users}")),
    };
    texts.into_iter().enumerate().map(file).collect()
}

/// The policy of a size: its rules in the DSL, its users in NDJSON.
pub fn sources(size: Size) -> LoadedSources {
    loaded(vec![
        Source::new("rules.peerage", Notation::Dsl, dsl_rules(size, 11)),
        Source::new("users.ndjson", Notation::Ndjson, ndjson(size)),
    ])
}

pub fn loaded(files: Vec<Source>) -> LoadedSources {
    Sources::new(files).into()
}

/// The same files as if they were read again: nothing that was worked out about them is kept.
pub fn fresh(files: &LoadedSources) -> LoadedSources {
    let again =
        |source: &Source| Source::new(source.name.clone(), source.notation, source.bytes.clone());
    loaded(files.sources.iter().map(|(_, source)| again(source)).collect())
}

/// The same files and one more.
pub fn with(files: &LoadedSources, one: Source) -> LoadedSources {
    let files = files.sources.iter().map(|(_, source)| source.clone());
    loaded(files.chain([one]).collect())
}

/// Compiles, as a reload does if there is a view already.
pub fn view(files: &LoadedSources, previous: Option<&View>) -> View {
    let outcome = compile::build(files, previous);
    assert_eq!(outcome.report.errors, 0, "{:?}", outcome.report.diagnostics.first());
    outcome.view.unwrap()
}

/// Pairs of ids of users, at random.
pub fn pairs(size: Size, count: usize) -> Vec<(String, String)> {
    let mut random = Random::new(13);
    (0..count).map(|_| (user(random.below(size.users)), user(random.below(size.users)))).collect()
}
