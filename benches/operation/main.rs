//! The figures of operation: memory without load, the time until the daemon is ready, and overload.
//!
//! `cargo bench --bench operation` starts the daemon on `policies/stores`; `PEERAGE=PATH` takes another build,
//! such as a packaged one. For overload the daemon has processor 0, and an open loop on the others sends
//! decisions at a fixed rate, whether or not earlier ones are answered: first as many as can be carried, then half
//! of that, then twice, with `--max-in-flight` from `MAX_IN_FLIGHT`, 256 without it, and 2 for batches of
//! `BATCH` evaluations, 500 without it. `-- idle`, `-- watching`, `-- pipelined`, `-- pool` and `-- batches` choose a part.
//!
//! `-- watching` sends `RATE` decisions a second for `SECONDS`, while ten callers have 100,000 standing questions each.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::format_push_string,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench may stop at what it did not expect"
)]

mod daemon;
mod open_loop;
mod watching;

use std::time::Duration;

use daemon::Daemon;
use open_loop::{Load, Outcome, run};

/// The number of starts that are timed.
const STARTS: usize = 20;

/// The time of each round of load.
const ROUND: Duration = Duration::from_secs(3);

/// A rate is carried if no more than one request in a thousand is left unanswered, and the 99th percentile is
/// below this.
const CARRIED: Duration = Duration::from_millis(10);

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let is_chosen = |name: &str| chosen.is_empty() || chosen.iter().any(|it| it == name);
    if is_chosen("idle") {
        idle();
    }
    if is_chosen("watching") {
        watching::watching();
    }
    for load in [Load::pipelined(), Load::pool(), Load::batches(number("BATCH", 500))] {
        if is_chosen(load.name) {
            overload(&load);
        }
    }
}

fn idle() {
    let (mut ready, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let daemon = Daemon::start(&[], None);
        ready.push(daemon.until_ready());
        std::thread::sleep(Duration::from_millis(300));
        resident.push(daemon.resident_kib());
    }
    ready.sort_unstable();
    resident.sort_unstable();
    println!(
        "ready after {:.1} ms (median of {STARTS}; {:.1} to {:.1})",
        milliseconds(ready[STARTS / 2]),
        milliseconds(ready[0]),
        milliseconds(ready[STARTS - 1])
    );
    println!(
        "idle: {:.1} MB resident (median; {:.1} at most)",
        resident[STARTS / 2] as f64 * 1024.0 / 1e6,
        resident[STARTS - 1] as f64 * 1024.0 / 1e6
    );
}

fn overload(load: &Load) {
    let unlimited = Daemon::start(&["--max-in-flight", "1000000000"], Some(0));
    run(&unlimited, load.start, ROUND, load);
    let carried = |rate: f64| {
        let outcome = run(&unlimited, rate, ROUND, load);
        let is_carried = outcome.share_accepted() > 0.999 && outcome.p99() < CARRIED;
        println!("  {rate:.0}/s: {outcome}{}", if is_carried { "" } else { " (too much)" });
        is_carried
    };
    let name = load.name;
    println!("{name}: the load that can be carried");
    let (mut low, mut high) = (load.start, 2.0 * load.start);
    while carried(high) {
        (low, high) = (high, high * 1.5);
    }
    while high / low > 1.06 {
        let middle = f64::midpoint(low, high);
        if carried(middle) { low = middle } else { high = middle }
    }
    drop(unlimited);
    let limit = number("MAX_IN_FLIGHT", load.max_in_flight).to_string();
    let limited = Daemon::start(&["--max-in-flight", &limit], Some(0));
    run(&limited, load.start, ROUND, load);
    println!("{name}: {low:.0}/s can be carried; --max-in-flight {limit}");
    let half = run(&limited, low / 2.0, ROUND, load);
    println!("  half: {half}");
    let twice = run(&limited, low * 2.0, ROUND, load);
    println!("  twice: {twice}");
    let ratio =
        |time: fn(&Outcome) -> Duration| time(&twice).as_secs_f64() / time(&half).as_secs_f64();
    println!(
        "  99th percentile of what is accepted: {:.1} times that at half load; from the sending {:.1} times",
        ratio(Outcome::p99),
        ratio(Outcome::served_p99)
    );
}

/// A number of the environment.
fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
