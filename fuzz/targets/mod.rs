//! The targets of fuzzing: for each format that peerage reads, a function that takes any bytes.
//!
//! A target panics if an input breaks what must hold of its format. `fuzz/fuzz_targets/` runs them
//! below libFuzzer, `tests/fuzz/` with seeds and mutations that are the same in each run.

mod daemon;
mod policies;
mod records;
mod requests;
mod sockets;
mod tokens;

/// A target by its name.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
}

/// All targets, in the order in which a long run takes them.
pub const TARGETS: &[Target] = &[
    Target { name: "dsl", run: policies::dsl },
    Target { name: "yaml", run: policies::yaml },
    Target { name: "json", run: policies::json },
    Target { name: "ndjson", run: policies::ndjson },
    Target { name: "csv", run: policies::csv },
    Target { name: "condition", run: policies::condition },
    Target { name: "tests", run: policies::tests },
    Target { name: "decision_log", run: policies::decision_log },
    Target { name: "config", run: policies::config },
    Target { name: "records", run: records::records },
    Target { name: "facts_export", run: records::facts_export },
    Target { name: "store_file", run: records::store_file },
    Target { name: "native", run: requests::requests },
    Target { name: "authzen", run: requests::requests },
    Target { name: "facts", run: requests::requests },
    Target { name: "flip", run: requests::requests },
    Target { name: "mesibo", run: requests::requests },
    Target { name: "tencent", run: requests::requests },
    Target { name: "xmtp", run: requests::requests },
    Target { name: "matrix", run: requests::requests },
    Target { name: "frames", run: sockets::frames },
    Target { name: "frame_bytes", run: sockets::frame_bytes },
    Target { name: "usersig", run: tokens::usersig },
    Target { name: "jwt", run: tokens::jwt },
];

/// Runs a target by its name.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.unwrap_or_else(|| panic!("there is no target {name}")).run)(input);
}

/// Removes the files of all targets; the daemon can't be asked any longer.
pub fn clean_up() {
    let _ = std::fs::remove_dir_all(daemon::scratch_root());
}
