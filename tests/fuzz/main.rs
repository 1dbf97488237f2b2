//! A short run of every target of fuzzing: its seeds, and mutations of them that are the same each time.
//!
//! `fuzz/run` has the long form, below libFuzzer. `PEERAGE_FUZZ_ROUNDS` is the number of mutations of
//! each target; `PEERAGE_FUZZ_SEEDS` names a folder into which the seeds are written instead.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "a test may fail by it"
)]

mod mutation;
mod seeds;

#[allow(unreachable_pub, reason = "the targets are a crate of their own elsewhere")]
#[path = "../../fuzz/targets/mod.rs"]
mod targets;

#[allow(dead_code, reason = "other tests take the rest of it")]
#[path = "../support/chance.rs"]
mod chance;

use std::{
    env, fs,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{Mutex, Once, PoisonError},
    time::Instant,
};

use chance::Chance;

/// The longest input.
const LONGEST: usize = 8 << 10;

/// The panics of all threads: the daemon catches some.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

static HOOK: Once = Once::new();

fn panics() -> Vec<String> {
    PANICS.lock().unwrap().drain(..).collect()
}

/// Runs a target with one input, and shows the input if it fails.
#[track_caller]
fn feed(name: &str, input: &[u8]) {
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| targets::run(name, input)));
    let panics = panics();
    if outcome.is_err() || !panics.is_empty() {
        let path = env::temp_dir().join(format!("peerage-fuzz-{name}"));
        let kept = fs::write(&path, input).map(|()| path.display().to_string());
        let shown = String::from_utf8_lossy(&input[..input.len().min(2000)]).into_owned();
        eprintln!("{name} fails: {panics:?}\ninput, kept at {kept:?}:\n{shown}");
        panic!("{name}: {}", panics.join("; "));
    }
}

/// Feeds a target with its seeds and with this many mutations of them.
#[track_caller]
fn run(name: &str, rounds: u64) {
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
            panics.push(info.to_string());
        }));
    });
    let seeds = seeds::of(name);
    assert!(!seeds.is_empty(), "{name} has no seeds");
    if let Some(folder) = env::var_os("PEERAGE_FUZZ_SEEDS") {
        return write_seeds(&Path::new(&folder).join(name), &seeds);
    }
    for seed in &seeds {
        feed(name, seed);
    }
    let rounds = env::var("PEERAGE_FUZZ_ROUNDS").map_or(rounds, |rounds| rounds.parse().unwrap());
    let mut chance = Chance(0x5eed ^ rounds);
    for _ in 0..rounds {
        let mut input = chance.pick(&seeds).clone();
        mutation::mutate(&mut input, &seeds, &mut chance);
        input.truncate(LONGEST);
        feed(name, &input);
    }
}

fn write_seeds(folder: &Path, seeds: &[Vec<u8>]) {
    fs::create_dir_all(folder).unwrap();
    for (at, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{at:04}")), seed).unwrap();
    }
}

/// The number of mutations of each target: as many as take about a second.
const ROUNDS: &[(&str, u64)] = &[
    ("dsl", 150),
    ("yaml", 150),
    ("json", 400),
    ("ndjson", 500),
    ("csv", 500),
    ("condition", 500),
    ("tests", 250),
    ("decision_log", 2000),
    ("config", 300),
    ("records", 300),
    ("facts_export", 250),
    ("store_file", 80),
    ("native", 600),
    ("authzen", 600),
    ("facts", 600),
    ("flip", 500),
    ("mesibo", 500),
    ("tencent", 500),
    ("xmtp", 400),
    ("matrix", 400),
    ("frames", 300),
    ("frame_bytes", 500),
    ("usersig", 500),
    ("jwt", 300),
];

/// One test: the daemon and the panics of its threads are those of all targets.
#[test]
fn no_target_finds_a_fault() {
    let named: Vec<&str> = ROUNDS.iter().map(|(name, _)| *name).collect();
    let known: Vec<&str> = targets::TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(named, known);
    let only = env::var("PEERAGE_FUZZ_TARGET").ok();
    for (name, rounds) in ROUNDS {
        if only.as_deref().is_none_or(|only| only == *name) {
            let begun = Instant::now();
            run(name, *rounds);
            eprintln!("{name}: {:?}", begun.elapsed());
        }
    }
    targets::clean_up();
}

/// libFuzzer has a program for each target.
#[test]
fn every_target_has_a_program() {
    let manifest = fs::read_to_string("fuzz/Cargo.toml").unwrap();
    for target in targets::TARGETS {
        let name = target.name;
        let program = fs::read_to_string(format!("fuzz/fuzz_targets/{name}.rs")).unwrap();
        assert!(program.contains(&format!("targets::run(\"{name}\", input)")), "{name}");
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
    }
}
