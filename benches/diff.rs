//! The cost of comparing two policies of 1000 rules over a million users: as a command, from files
//! to printed report, and stage by stage.
//!
//! Two worlds: users who have tags alone, and users with relations, settings and groups besides. Ten
//! rules differ; then all of them.
//!
//! `cargo bench --bench diff` prints the figures; with `-- write FOLDER`, it writes the worlds there
//! and measures nothing.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench may stop at what it did not expect"
)]

mod world;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use peerage::{
    compile::build_versions,
    inspect::diff::{Diff, DiffDetail},
    source,
};
use world::{LARGE, Size, social};

/// A world, which writes its files but those of the rules.
type World = (&'static str, fn(&Path));

const WORLDS: [World; 2] = [("tags", tags), ("relations", relations)];

/// How often a rule is another one.
const CHANGES: [(&str, usize); 2] = [("ten", 100), ("all", 1)];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let folder = tempfile::tempdir().unwrap();
    let place = match arguments.iter().position(|argument| argument == "write") {
        Some(at) => Path::new(&arguments[at + 1]),
        None => folder.path(),
    };
    for (name, write_world) in WORLDS {
        let old = place.join(name).join("old");
        fs::create_dir_all(&old).unwrap();
        write_world(&old);
        fs::write(old.join("rules.peerage"), world::dsl_rules(LARGE, 11)).unwrap();
        for (how_many, each) in CHANGES {
            write_changed(LARGE, &old, &place.join(name).join(how_many), each);
        }
    }
    if place != folder.path() {
        return;
    }
    for (name, _) in WORLDS {
        for (how_many, _) in CHANGES {
            let [old, new] = ["old", how_many].map(|side| place.join(name).join(side));
            println!("{name}, {how_many} rules differ");
            let (took, peak) = command(&old, &new);
            println!("  peerage diff: {took:.2?}, {peak} MB at the peak");
            stages(&old, &new);
        }
    }
}

fn tags(folder: &Path) {
    fs::write(folder.join("users.ndjson"), world::ndjson(LARGE)).unwrap();
}

fn relations(folder: &Path) {
    for (_, file) in social::sources(LARGE, 1000).sources.iter() {
        fs::write(folder.join(&file.name), &file.bytes).unwrap();
    }
}

/// The same files, in which some rules have another one's condition and outcome.
fn write_changed(size: Size, old: &Path, new: &Path, each: usize) {
    fs::create_dir_all(new).unwrap();
    for entry in fs::read_dir(old).unwrap() {
        let path = entry.unwrap().path();
        let to = new.join(path.file_name().unwrap());
        let _ = fs::remove_file(&to);
        if path.ends_with("rules.peerage") {
            let others = world::dsl_rules(size, 12);
            let others: Vec<&str> = others.lines().skip(1).collect();
            let text = fs::read_to_string(&path).unwrap();
            let rules = text.lines().enumerate().map(|(at, line)| match at.checked_sub(1) {
                Some(rule) if rule % each == each / 2 => others[rule],
                _ => line,
            });
            fs::write(to, rules.collect::<Vec<_>>().join("\n")).unwrap();
        } else {
            fs::hard_link(&path, to).unwrap();
        }
    }
}

/// How long the command takes, and how many MB at its peak.
fn command(old: &Path, new: &Path) -> (Duration, u64) {
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_peerage"))
        .arg("diff")
        .args([old, new])
        .stdout(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(peak_of(&child.id().to_string()));
        thread::sleep(Duration::from_millis(10));
    }
    (begun.elapsed(), peak)
}

/// The most memory that a process had, in MB.
fn peak_of(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    peak.unwrap_or(0) >> 10
}

fn stages(old: &Path, new: &Path) {
    let begun = Instant::now();
    let [old, new] = [old, new].map(|side| source::load(&[side]));
    println!("  both sides read in {:.2?}", begun.elapsed());
    let begun = Instant::now();
    let views = build_versions(&old, &new, None).views.unwrap();
    println!("  and compiled in {:.2?}", begun.elapsed());
    let kinds = DiffDetail { witnesses: 0, isolation: false, ..DiffDetail::default() };
    let witnesses = DiffDetail { isolation: false, ..DiffDetail::default() };
    let stages = [
        ("counts", DiffDetail::NONE),
        ("kinds", kinds),
        ("witnesses", witnesses),
        ("all", DiffDetail::default()),
    ];
    for (name, detail) in stages {
        let begun = Instant::now();
        let diff = Diff::compute(&views.old, &views.new, None, detail);
        println!("  {name}: {:.2?}, {} pairs differ", begun.elapsed(), diff.changed());
    }
    println!("  {} kinds of users", views.new.population.directory.tag_set_count());
}
