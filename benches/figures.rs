//! The figures that are promised, as ratios measured side by side in one run.
//!
//! `cargo bench --bench figures` prints a table. Rounds of the things compared take turns, and each
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

use std::{collections::HashMap, fs, hint::black_box, time::Instant};

use peerage::{
    decide::decide,
    request::{Action, Request},
    snapshot::View,
    source::{Notation, Source},
};
use world::{LARGE, Size};

fn main() {
    decisions();
    loading();
    reloading();
}

/// Nanoseconds of one call of each function, as medians of rounds that take turns.
fn side_by_side<const N: usize>(rounds: usize, work: [&dyn Fn() -> f64; N]) -> [f64; N] {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..rounds {
        for (times, work) in times.iter_mut().zip(work) {
            times.push(work());
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

fn decisions() {
    let pairs = world::pairs(LARGE, 200_000);
    let views: Vec<(u32, View)> = [10, 1_000, 10_000]
        .map(|rules| (rules, world::view(&world::sources(Size { rules, ..LARGE }), None)))
        .into();
    let each = |work: &dyn Fn(&str, &str) -> bool| {
        let begun = Instant::now();
        let done = pairs.iter().filter(|(a, b)| black_box(work(a, b))).count();
        black_box(done);
        begun.elapsed().as_nanos() as f64 / pairs.len() as f64
    };
    let look_ups = |view: &View| {
        let directory = &view.population.directory;
        each(&|a, b| directory.number(a).is_some() & directory.number(b).is_some())
    };
    let decisions =
        |view: &View| each(&|a, b| decide(view, &Request::new(a, Action::StartChat, b)).allow);
    let plain: HashMap<String, u32, foldhash::fast::RandomState> =
        (0..LARGE.users).map(|number| (world::user(number), number)).collect();
    let [few, some, many] = views.as_slice() else { return };
    let [plain_l, few_l, few_d, some_l, some_d, many_l, many_d] = side_by_side(
        15,
        [
            &|| each(&|a, b| plain.contains_key(a) & plain.contains_key(b)),
            &|| look_ups(&few.1),
            &|| decisions(&few.1),
            &|| look_ups(&some.1),
            &|| decisions(&some.1),
            &|| look_ups(&many.1),
            &|| decisions(&many.1),
        ],
    );
    println!("decide, 1,000,000 users, 1000 tags, random pairs");
    println!("  look-ups in a HashMap<String, u32>: {plain_l:.0} ns");
    for ((rules, view), l, d) in
        [(few, few_l, few_d), (some, some_l, some_d), (many, many_l, many_d)]
    {
        let allowed = pairs
            .iter()
            .filter(|(a, b)| decide(view, &Request::new(a, Action::StartChat, b)).allow)
            .count();
        println!(
            "  {rules:>6} rules: look-ups {l:.0} ns, decide {d:.0} ns, ratio {:.2} ({:.0}% allowed, {} tag sets, {} MB)",
            d / l,
            100.0 * allowed as f64 / pairs.len() as f64,
            view.population.directory.tag_set_count(),
            view.memory() >> 20,
        );
    }
    println!("  10,000 rules against 10: {:.2}", many_d / few_d);
}

fn loading() {
    let rules = Source::new("rules.peerage", Notation::Dsl, world::dsl_rules(LARGE, 11));
    let time = |notation: Notation, users: String| {
        let users = Source::new("users", notation, users);
        let files = world::loaded(vec![rules.clone(), users]);
        let begun = Instant::now();
        black_box(world::view(&files, None));
        begun.elapsed().as_secs_f64()
    };
    let ndjson = time(Notation::Ndjson, world::ndjson(LARGE));
    let resident = resident_peak();
    let csv = time(Notation::Csv, world::csv(LARGE));
    let yaml = time(Notation::Yaml, world::yaml_users(LARGE));
    println!("load and compile 1,000,000 users and 1000 rules");
    println!(
        "  NDJSON {ndjson:.2} s, CSV {csv:.2} s, YAML {yaml:.2} s ({:.1} times NDJSON)",
        yaml / ndjson
    );
    println!("  peak resident of this process so far, inputs included: {resident} MB");
}

fn reloading() {
    let before = world::view(&world::sources(LARGE), None);
    let change = "rule new: hasTag(tag-1) -> [tag-2];";
    let changed =
        world::with(&world::sources(LARGE), Source::new("new.peerage", Notation::Dsl, change));
    let [time] = side_by_side(
        5,
        [&|| {
            let files = world::fresh(&changed);
            let begun = Instant::now();
            black_box(world::view(&files, Some(&before)));
            begun.elapsed().as_millis() as f64
        }],
    );
    println!("compile again with one rule more, 1,000,000 users: {time:.0} ms");
}

fn resident_peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or_default() >> 10
}
