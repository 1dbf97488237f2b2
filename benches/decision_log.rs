//! Requests per second of `/v1/decide` with the decision log and without: two daemons in turn, in one run.
//!
//! `cargo bench --bench decision_log` loads each over 64 keep-alive connections, and prints medians and the
//! share that is left with the log.

#![allow(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    missing_debug_implementations,
    unreachable_pub,
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    reason = "a bench may stop at what it did not expect"
)]

mod load;

use std::{fs, path::Path, process::Command, time::Duration};

use load::{Server, answer, load, median};

const REQUEST: &[u8] = b"GET /v1/decide?subject=3&action=start_chat&resource=2 HTTP/1.1\r\n\
    Host: localhost\r\n\r\n";

const CONNECTIONS: [usize; 2] = [1, 64];
const ROUND: Duration = Duration::from_millis(400);
const ROUNDS: usize = 21;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("decisions.ndjson");
    let start = |options: &[&str]| {
        let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/stores");
        let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).arg(policy).args(options);
        Server::start(command.env("RUST_LOG", "error"))
    };
    let hashed = folder.path().join("hashed.ndjson");
    let servers = [
        ("without", start(&[])),
        ("with", start(&["--decision-log", log.to_str().unwrap()])),
        (
            "with hashed ids",
            start(&["--decision-log", hashed.to_str().unwrap(), "--decision-log-ids", "hashed"]),
        ),
    ];
    let client = tokio::runtime::Runtime::new().unwrap();
    for connections in CONNECTIONS {
        let mut rates = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            for ((_, server), rates) in servers.iter().zip(&mut rates) {
                let (bytes, _) = client.block_on(answer(&server.address, REQUEST));
                let rate = load(&server.address, REQUEST, bytes, connections, ROUND);
                rates.push(client.block_on(rate));
            }
            // So that the disk does not fill; the daemon opens a new file.
            let _ = (fs::remove_file(&log), fs::remove_file(&hashed));
        }
        let medians = rates.map(median);
        println!("{connections} connections:");
        for ((name, _), rate) in servers.iter().zip(medians) {
            let share = 100.0 * rate / medians[0];
            println!("  {name}: {rate:.0} requests a second, {share:.1} %");
        }
    }
}
