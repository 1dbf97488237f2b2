//! The soak: daemons under a steady load while everything around them changes, whose memory, descriptors and
//! times must stay flat.
//!
//! `tests/soak/run 30m` runs it for half an hour; as a test, it takes two minutes, or the time in `SOAK`. The
//! samples and a plot are kept in `target/soak/`, or where `SOAK_OUT` says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a test may fail by it"
)]

mod changes;
mod flat;
mod load;
mod place;
mod plot;
mod samples;

#[path = "../support/mod.rs"]
mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use changes::Changes;
use load::{Load, Traffic};
use place::Place;
use samples::{Sample, Sampler};

/// The time of a run, unless `SOAK` has another.
const SHORT: Duration = Duration::from_secs(120);

/// The time of a run as `90`, `90s`, `30m` or `2h`.
fn duration() -> Duration {
    let Ok(text) = std::env::var("SOAK") else { return SHORT };
    let number = text.trim_end_matches(['s', 'm', 'h']);
    let unit = match &text[number.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        unit => panic!("SOAK={text}: unknown unit {unit}"),
    };
    let number: u64 = number.parse().unwrap_or_else(|error| panic!("SOAK={text}: {error}"));
    Duration::from_secs(number * unit)
}

fn output() -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/soak");
    std::env::var_os("SOAK_OUT").map_or(default, PathBuf::from)
}

#[test]
fn a_steady_load_leaves_no_trace() {
    let span = duration();
    let place = Place::new();
    let idle: Vec<Sample> = place.daemons().iter().map(|it| Sample::of_process(it.id())).collect();

    let traffic = Arc::new(Traffic::default());
    let begun = Instant::now();
    let load = Load::start(&place, &traffic);
    let mut sampler = Sampler::new(&place, &traffic);
    let mut changes = Changes::new(&place);
    let mut second = begun;
    while begun.elapsed() < span {
        // The changes between two samples may take longer than a second, such as a start of etcd.
        changes.make(begun.elapsed());
        second += Duration::from_secs(1);
        if let Some(rest) = second.checked_duration_since(Instant::now()) {
            thread::sleep(rest);
        } else {
            second = Instant::now();
        }
        sampler.sample(begun.elapsed());
    }
    changes.finish();
    load.stop();

    let runs = sampler.finish();
    let out = output();
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("soak.csv"), samples::csv(&runs)).unwrap();
    let plot = plot::draw(&runs, changes.events(), span);
    fs::write(out.join("soak.svg"), plot).unwrap();
    println!("{}", traffic.summary());
    println!("{}", changes.summary());

    let mut faults = traffic.faults();
    faults.extend(changes.missing(span));
    for (at, run) in runs.iter().enumerate() {
        println!("{}: {}", run.name, flat::summary(run));
        faults.extend(flat::faults(run));
        faults.extend(flat::what_stays(run.name, place.daemons()[at], &idle[at]));
    }
    assert!(faults.is_empty(), "{}\nsee {}", faults.join("\n"), out.display());
}
