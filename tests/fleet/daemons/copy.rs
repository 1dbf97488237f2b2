//! A daemon that starts while etcd is down: from its copy of the facts if that is whole and of this
//! store, refusing writes, until etcd is back.

use std::{fs, path::PathBuf, process::Command, thread, time::Duration};

use peerage::source::checksum;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    support::chance::Chance,
    support::client::Client,
    support::cluster::Cluster,
    support::daemon::{Daemon, run, serve},
    support::writer::command,
};

const POLICY: &str = "
users: { ann: { tags: [a] }, bob: { tags: [b] }, cyd: { tags: [b] } }
rules: [{ condition: hasTag(a), outcome: [b] }]
";

const IMPATIENT: &str = "?connect_timeout=200ms&request_timeout=400ms";

struct Site {
    cluster: Cluster,
    folder: TempDir,
}

impl Site {
    fn start() -> Self {
        let site = Self { cluster: Cluster::start(1), folder: TempDir::new().unwrap() };
        fs::write(site.folder.path().join("policy.yaml"), POLICY).unwrap();
        site
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("admin")
    }

    fn copy(&self) -> PathBuf {
        self.folder.path().join("state/facts-copy")
    }

    fn confirmation(&self) -> PathBuf {
        self.folder.path().join("state/facts-current")
    }

    fn store(&self) -> String {
        self.cluster.store("facts") + IMPATIENT
    }

    /// A daemon that keeps a copy.
    fn command(&self, store: &str, more: &[&str]) -> Command {
        let mut command = serve();
        command.arg(self.folder.path().join("policy.yaml")).args(["--listen", "127.0.0.1:0"]);
        command.arg("--admin-uds").arg(self.socket()).args(["--store", store]);
        command.arg("--state-dir").arg(self.folder.path().join("state")).args(more);
        command
    }

    #[track_caller]
    fn daemon(&self, more: &[&str]) -> Daemon {
        Daemon::start(&mut self.command(&self.store(), more))
    }

    /// A start that is expected to fail; what it prints.
    #[track_caller]
    fn refused(&self, store: &str) -> String {
        let output = run(&mut self.command(store, &[]));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{text}");
        assert!(text.contains("the store can't be reached"), "{text}");
        text
    }

    /// Leaves a copy with these commands carried out, and etcd down.
    fn leave_copy(&mut self, commands: &Value) -> u64 {
        let daemon = self.daemon(&[]);
        let revision = command(&self.socket(), commands);
        daemon.signal("TERM");
        daemon.ended();
        self.cluster.kill(0);
        revision
    }

    fn restart_etcd(&mut self) {
        self.cluster.run(0);
        self.cluster.wait_until_healthy();
    }
}

fn status(daemon: &Daemon) -> Value {
    daemon.get("/v1/status").json()
}

/// The reason of a decision between ann and another user.
fn reason(daemon: &Daemon, resource: &str) -> String {
    let path = format!("/v1/decide?subject=ann&action=start_chat&resource={resource}");
    daemon.get(&path).json()["reason"].as_str().unwrap().to_owned()
}

fn wait_until_caught_up(daemon: &Daemon) {
    daemon.wait_for("etcd", |daemon| {
        let status = status(daemon);
        let is_current = status["store"]["copy"]["serving"] == false;
        (is_current && status["store"]["cut_off"].is_null()).then_some(())
    });
}

#[test]
fn a_start_without_etcd_serves_the_copy_and_catches_up() {
    let mut site = Site::start();
    let revision = site.leave_copy(&json!([{ "op": "block", "from": "bob", "to": "ann" }]));
    // What happened since the copy is not in it.
    site.restart_etcd();
    let mut other = serve();
    other.arg(site.folder.path().join("policy.yaml")).args(["--listen", "127.0.0.1:0"]);
    let socket = site.folder.path().join("other");
    let other = Daemon::start(
        other.arg("--admin-uds").arg(&socket).args(["--store", site.store().as_str()]),
    );
    command(&socket, &json!([{ "op": "block", "from": "cyd", "to": "ann" }]));
    other.kill();
    site.cluster.kill(0);

    let daemon = site.daemon(&["--max-stale", "1h"]);
    assert_eq!(reason(&daemon, "bob"), "blocked_by_resource");
    assert_eq!(reason(&daemon, "cyd"), "allowed");
    let reported = status(&daemon);
    assert_eq!(reported["facts"], revision, "{reported}");
    assert_eq!(reported["store"]["copy"]["serving"], true, "{reported}");
    assert!(reported["store"]["cut_off"]["seconds"].is_u64(), "{reported}");
    assert_eq!(reported["stale"], false, "{reported}");
    let ready = daemon.get("/readyz");
    assert_eq!(ready.status, 200);
    assert!(ready.text().contains("serving a copy of the facts"), "{}", ready.text());
    let body = json!({ "commands": [{ "op": "unblock", "from": "bob", "to": "ann" }] }).to_string();
    let refused = Client::unix(&site.socket()).post("/v1/facts", body.as_bytes());
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains("can't be reached"), "{}", refused.text());

    site.restart_etcd();
    wait_until_caught_up(&daemon);
    assert_eq!(reason(&daemon, "bob"), "blocked_by_resource");
    assert_eq!(reason(&daemon, "cyd"), "blocked_by_resource");
    assert_eq!(daemon.get("/readyz").text(), "ok\n");
    command(&site.socket(), &json!([{ "op": "unblock", "from": "bob", "to": "ann" }]));
    assert_eq!(reason(&daemon, "bob"), "allowed");
    // The next copy is of the facts as they are now.
    daemon.signal("TERM");
    daemon.ended();
    site.cluster.kill(0);
    let daemon = site.daemon(&[]);
    assert_eq!(reason(&daemon, "bob"), "allowed");
    assert_eq!(reason(&daemon, "cyd"), "blocked_by_resource");
}

#[test]
fn facts_without_etcd_become_stale() {
    let mut site = Site::start();
    let more = ["--max-stale", "2s", "--on-stale", "deny"];
    let daemon = site.daemon(&more);
    assert_eq!(reason(&daemon, "bob"), "allowed");
    site.cluster.kill(0);
    let stale = daemon.wait_for("stale", |daemon| {
        let status = status(daemon);
        (status["stale"] == true).then_some(status)
    });
    assert_eq!(stale["staleness"]["reasons"][0]["input"], "store", "{stale}");
    assert!(stale["staleness"]["reasons"][0]["seconds"].as_u64() >= Some(2), "{stale}");
    assert_eq!(reason(&daemon, "bob"), "stale");
    assert_eq!(daemon.get("/readyz").status, 503);
    site.restart_etcd();
    wait_until_caught_up(&daemon);
    assert_eq!(reason(&daemon, "bob"), "allowed");
    daemon.signal("TERM");
    daemon.ended();

    // The copy of a daemon that starts is as old as it is.
    site.cluster.kill(0);
    thread::sleep(Duration::from_secs(3));
    let daemon = site.daemon(&more);
    assert_eq!(reason(&daemon, "bob"), "stale");
    let reported = status(&daemon);
    assert!(reported["staleness"]["reasons"][0]["seconds"].as_u64() >= Some(3), "{reported}");
    site.restart_etcd();
    wait_until_caught_up(&daemon);
    assert_eq!(reason(&daemon, "bob"), "allowed");
    assert_eq!(status(&daemon)["stale"], false);
}

#[test]
fn only_a_whole_copy_of_this_store_is_used() {
    let mut site = Site::start();
    site.leave_copy(&json!([{ "op": "block", "from": "bob", "to": "ann" }]));
    let whole = fs::read(site.copy()).unwrap();
    site.daemon(&[]).kill();

    let unusable = |site: &Site, store: &str, says: &str| {
        let text = site.refused(store);
        assert!(text.contains("copy of the facts can't be used"), "{text}");
        assert!(text.contains(says), "{says}: {text}");
    };
    let address = site.store();
    unusable(&site, &address.replace("/facts", "/others"), "another prefix");
    let port = site.cluster.endpoint(0).rsplit_once(':').unwrap().1.to_owned();
    unusable(&site, &address.replace(&format!(":{port}"), ":1"), "other nodes");
    let mut chance = Chance(7);
    for _ in 0..12 {
        let mut damaged = whole.clone();
        let at = chance.place(damaged.len());
        damaged[at] ^= 1 << chance.below(8);
        fs::write(site.copy(), damaged).unwrap();
        unusable(&site, &address, "");
    }
    for length in [0, 10, whole.len() / 2] {
        fs::write(site.copy(), &whole[..length]).unwrap();
        unusable(&site, &address, "cut short");
    }
    for damaged in [whole[..whole.len() - 1].to_vec(), [&whole[..], b"x"].concat()] {
        fs::write(site.copy(), damaged).unwrap();
        unusable(&site, &address, "checksum");
    }
    let text = String::from_utf8_lossy(&whole).into_owned();
    let newer = |from: &str, to: &str| sealed(&replaced(&whole, from, to));
    assert!(text.contains(r#""format":1"#), "{text}");
    fs::write(site.copy(), newer("facts-copy 1", "facts-copy 2")).unwrap();
    unusable(&site, &address, "of this version");
    fs::write(site.copy(), newer(r#""format":1"#, r#""format":2"#)).unwrap();
    unusable(&site, &address, "another format");

    // A damaged confirmation makes the copy older at most.
    fs::write(site.copy(), &whole).unwrap();
    fs::write(site.confirmation(), "{}").unwrap();
    let daemon = site.daemon(&[]);
    assert_eq!(reason(&daemon, "bob"), "blocked_by_resource");
    daemon.kill();

    fs::remove_file(site.copy()).unwrap();
    let text = site.refused(&address);
    assert!(!text.contains("copy"), "{text}");

    // A cluster that lost everything does not replace the copy.
    fs::write(site.copy(), &whole).unwrap();
    site.restart_etcd();
    site.cluster.done(&["del", "--prefix", "facts/"]);
    site.cluster.kill(0);
    let daemon = site.daemon(&[]);
    site.restart_etcd();
    daemon.wait_for("the reason", |daemon| {
        let status = status(daemon);
        let why = status["store"]["cut_off"]["why"].as_str().unwrap_or_default().to_owned();
        why.contains("the store is empty").then_some(())
    });
    assert_eq!(reason(&daemon, "bob"), "blocked_by_resource");
}

#[test]
fn a_kill_while_the_copy_is_written_leaves_a_whole_one() {
    let mut site = Site::start();
    let daemon = site.daemon(&[]);
    let note = "x".repeat(2000);
    for batch in 0..20 {
        let user = |n: u32| json!({ "op": "put_user", "user": format!("u{batch}-{n}"), "attributes": { "note": note } });
        command(&site.socket(), &(0..100).map(user).collect());
    }
    daemon.kill();
    let mut chance = Chance(11);
    let mut copies = 0;
    for round in 0..12 {
        // A copy is begun with the start, and takes some of that time.
        let daemon = site.daemon(&[]);
        command(&site.socket(), &json!([{ "op": "put_user", "user": format!("r{round}") }]));
        thread::sleep(Duration::from_millis(chance.below(600)));
        daemon.kill();
        if let Ok(bytes) = fs::read(site.copy()) {
            copies += 1;
            assert_eq!(bytes, sealed(&bytes[..bytes.len() - 65]), "round {round}");
        }
    }
    let left: Vec<_> = fs::read_dir(site.copy().parent().unwrap()).unwrap().flatten().collect();
    assert!(left.len() <= 4, "{left:?}");
    println!("{copies} copies after 12 kills");
    site.cluster.kill(0);
    let daemon = site.daemon(&[]);
    let users = status(&daemon)["counts"]["users"].as_u64().unwrap();
    // That of the first start, or of a later one: never a part.
    assert!(users == 3 || users >= 2003, "{users}");
}

/// Some bytes with their checksum behind them.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    [bytes, checksum(bytes).as_bytes(), b"\n"].concat()
}

/// A copy without its checksum, and one text in it replaced.
fn replaced(copy: &[u8], from: &str, to: &str) -> Vec<u8> {
    let body = &copy[..copy.len() - 65];
    let at = body.windows(from.len()).position(|bytes| bytes == from.as_bytes()).unwrap();
    [&body[..at], to.as_bytes(), &body[at + from.len()..]].concat()
}
