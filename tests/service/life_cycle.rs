//! The life of a daemon as others see it: its start banner, its service manager, its health, and the log of
//! what reloads changed.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener, TcpStream},
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr as UnixAddress, UnixDatagram},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    client::Client,
    daemon::{Daemon, NEVER, run, serve, stores},
    files,
};

/// A daemon over a copy of the stores' policy, whose log is a file.
struct Logged {
    child: Child,
    folder: TempDir,
}

impl Logged {
    fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/stores");
        fs::create_dir(folder.path().join("policy")).unwrap();
        for file in fs::read_dir(policy).unwrap().map(Result::unwrap) {
            let copy = folder.path().join("policy").join(file.file_name());
            fs::copy(file.path(), copy).unwrap();
        }
        let mut command = serve();
        command.args(["policy", "--listen", "127.0.0.1:0", "--poll", "20"]).args(arguments);
        command.envs(environment.iter().copied()).current_dir(folder.path());
        let log = File::create(folder.path().join("log")).unwrap();
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Self { child, folder }
    }

    /// The first line of the log that contains all these texts.
    #[track_caller]
    fn line(&self, texts: &[&str]) -> String {
        let deadline = Instant::now() + NEVER;
        loop {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
            let found = log.lines().find(|line| texts.iter().all(|text| line.contains(text)));
            if let Some(found) = found {
                return found.to_owned();
            }
            assert!(Instant::now() < deadline, "no line has {texts:?}:\n{log}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn edit(&self, from: &str, to: &str) {
        let path = self.folder.path().join("policy/policy.yaml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        let new = self.folder.path().join("policy/.new");
        fs::write(&new, text.replace(from, to)).unwrap();
        fs::rename(new, path).unwrap();
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_banner_says_what_is_served_and_a_question_that_works() {
    let daemon = Logged::start(&[], &[]);
    let line = daemon.line(&["serving", "users=6", "rules=4", "version=", "commit=", "revision="]);
    assert!(line.contains("listening=http://127.0.0.1:"), "{line}");
    let line = daemon.line(&["try: curl 'http://"]);
    let url = line.split('\'').nth(1).unwrap().strip_prefix("http://").unwrap();
    let (address, path) = url.split_once('/').unwrap();
    let address: SocketAddr = address.parse().unwrap();
    let answer = Client::<TcpStream>::tcp(address).get(&format!("/{path}"));
    assert_eq!((answer.status, &answer.json()["decision"]), (200, &Value::Bool(true)));
}

#[test]
fn the_question_to_try_shows_a_token_where_one_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    for (scope, shows) in [("decide", true), ("read", false)] {
        let file = folder.path().join("tokens.yaml");
        let digest = "0".repeat(64);
        let text = format!("tokens: [{{ name: chat, sha256: {digest}, scopes: [{scope}] }}]\n");
        fs::write(&file, text).unwrap();
        let daemon = Logged::start(&["--tokens-file", file.to_str().unwrap()], &[]);
        let line = daemon.line(&["try: curl 'http://"]);
        assert_eq!(line.contains("' -H 'Authorization: Bearer TOKEN'"), shows, "{line}");
    }
}

#[test]
fn a_reload_logs_what_it_opened_and_closed() {
    let daemon = Logged::start(&[], &[]);
    daemon.line(&["try: curl"]);
    daemon.edit("outcome: [Munich]", "outcome: [Munich, Berlin]");
    daemon.line(&["the reload changed +5 -0 pairs, by rule within Munich", "revision="]);
    daemon.edit("outcome: [Munich, Berlin]", "outcome: [Munich]");
    daemon.line(&["the reload changed +0 -5 pairs, by rule within Munich"]);
}

/// A socket on which a service manager listens.
struct Manager {
    socket: UnixDatagram,
    name: String,
    _folder: TempDir,
}

impl Manager {
    fn new(is_abstract: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let path = path.to_str().unwrap();
        let (socket, name) = if is_abstract {
            let address = UnixAddress::from_abstract_name(path).unwrap();
            (UnixDatagram::bind_addr(&address).unwrap(), format!("@{path}"))
        } else {
            (UnixDatagram::bind(path).unwrap(), path.to_owned())
        };
        socket.set_read_timeout(Some(NEVER)).unwrap();
        Self { socket, name, _folder: folder }
    }

    fn next(&self) -> String {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// The next message that begins so.
    fn next_of(&self, start: &str) -> String {
        loop {
            let message = self.next();
            if message.starts_with(start) {
                return message;
            }
        }
    }
}

#[test]
fn the_service_manager_hears_of_each_state() {
    for is_abstract in [false, true] {
        let manager = Manager::new(is_abstract);
        let daemon = Logged::start(&[], &[("NOTIFY_SOCKET", &manager.name)]);
        let ready = manager.next();
        assert!(ready.starts_with("READY=1\nSTATUS=serving revision "), "{ready}");
        assert!(ready.ends_with(": 6 users, 4 rules"), "{ready}");
        daemon.signal("HUP");
        let reloading = manager.next();
        let micros = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        let micros: u64 = micros.split('\n').next().unwrap().parse().unwrap();
        assert!(micros > 0);
        assert!(manager.next().starts_with("READY=1\n"));
        // A bad policy is said, and the daemon is ready all the same.
        daemon.edit("outcome: [Munich]", "outcome: []");
        assert!(manager.next().ends_with("; the files have errors"));
        daemon.signal("TERM");
        assert!(manager.next().starts_with("STOPPING=1\n"));
    }
}

#[test]
fn the_watchdog_is_fed_while_the_daemon_works() {
    let manager = Manager::new(false);
    let environment = [("NOTIFY_SOCKET", &*manager.name), ("WATCHDOG_USEC", "100000")];
    let daemon = Logged::start(&[], &environment);
    for _ in 0..5 {
        assert_eq!(manager.next_of("WATCHDOG"), "WATCHDOG=1");
    }
    // A process that does not run is not alive to it.
    daemon.signal("STOP");
    manager.socket.set_read_timeout(Some(Duration::from_millis(600))).unwrap();
    let mut buffer = [0; 4096];
    while manager.socket.recv(&mut buffer).is_ok() {}
    daemon.signal("CONT");
    manager.socket.set_read_timeout(Some(NEVER)).unwrap();
    manager.next_of("WATCHDOG");
    drop(daemon);
    // The watchdog of another process is not its own.
    let environment =
        [("NOTIFY_SOCKET", &*manager.name), ("WATCHDOG_USEC", "20000"), ("WATCHDOG_PID", "1")];
    let daemon = Logged::start(&[], &environment);
    manager.next_of("READY=1");
    daemon.signal("HUP");
    manager.next_of("RELOADING=1");
    assert!(manager.next().starts_with("READY=1"));
}

#[test]
fn a_manager_that_is_gone_is_no_reason_not_to_serve() {
    let daemon = Logged::start(&[], &[("NOTIFY_SOCKET", "/nowhere/notify")]);
    daemon.line(&["can't reach NOTIFY_SOCKET `/nowhere/notify`"]);
    daemon.line(&["try: curl"]);
}

fn health(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
    let Output { status, stdout, stderr } = run(command.arg("health").args(arguments));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn health_is_ready_or_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let socket: PathBuf = folder.path().join("s.sock");
    let mut command = serve();
    command.arg(stores()).args(["--listen", "127.0.0.1:0", "--shutdown-wait", "60s"]);
    let daemon = Daemon::start(command.arg("--uds").arg(&socket));
    let url = format!("http://{}", daemon.address());
    let ready = (0, "ready\n".to_owned(), String::new());
    assert_eq!(health(&[&url]), ready);
    assert_eq!(health(&["--uds", socket.to_str().unwrap()]), ready);
    let (code, output, _) = health(&[&url, "--format", "json"]);
    let output: Value = serde_json::from_str(&output).unwrap();
    assert_eq!((code, &output["ready"]), (0, &Value::Bool(true)));
    daemon.signal("TERM");
    daemon.wait_for("the stop", |daemon| (daemon.get("/readyz").status == 503).then_some(()));
    let (code, output, errors) = health(&[&url]);
    assert_eq!((code, &*output), (1, ""));
    assert_eq!(errors, "not ready: the daemon is stopping\n");
    let (code, output, _) = health(&[&url, "--format", "json"]);
    let output: Value = serde_json::from_str(&output).unwrap();
    assert_eq!((code, &output["reason"]), (1, &Value::from("the daemon is stopping")));
}

#[test]
fn health_of_what_can_not_be_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // It takes connections, and never answers.
    let begun = Instant::now();
    let (code, _, errors) = health(&[&url, "--timeout", "300ms"]);
    assert_eq!((code, &*errors), (1, "not ready: no answer in 300ms\n"));
    assert!(begun.elapsed() < NEVER / 2);
    drop(listener);
    let (code, _, errors) = health(&[&url]);
    assert!(code == 1 && errors.starts_with("not ready: can't connect to "), "{errors}");
    let (code, _, errors) = health(&["--uds", "/nowhere.sock"]);
    assert!(code == 1 && errors.contains("/nowhere.sock"), "{errors}");
    assert_eq!(health(&["ftp://x"]).0, 2);
    assert_eq!(health(&[&url, "--uds", "/nowhere.sock"]).0, 2);
}

/// Huge pages make a small daemon several times larger, and look-ups in a large policy faster.
#[test]
fn small_policies_get_no_huge_pages() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let rules = "rule: hasTag(t) -> [t];\n";
    files::write(path("small/rules.peerage"), rules);
    files::write(path("large/rules.peerage"), rules);
    let user = |number: usize| format!("{{\"id\":\"user-{number}\",\"tags\":[\"t\"]}}\n");
    files::write(path("large/deeper/users.ndjson"), &(0..130_000).map(user).collect::<String>());
    let store = path("facts.redb");
    let with_store = ["--store", store.to_str().unwrap()];
    for (policy, more, expected) in
        [("small", &[][..], "0"), ("small", &with_store, "1"), ("large", &[], "1")]
    {
        let mut command = serve();
        command.arg(path(policy)).args(["--listen", "127.0.0.1:0"]).args(more);
        let daemon = Daemon::start(&mut command);
        let status = fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
        // Linux before 5.0 does not say.
        if let Some(found) = status.lines().find_map(|line| line.strip_prefix("THP_enabled:")) {
            assert_eq!(found.trim(), expected, "{policy} {more:?}");
        }
    }
}

/// A policy that grows gets them.
#[test]
fn a_policy_that_grows_gets_huge_pages() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    files::write(path("rules.peerage"), "rule: hasTag(t) -> [t];\n");
    let daemon = Daemon::serve(folder.path());
    let user = |number: usize| format!("{{\"id\":\"user-{number}\",\"tags\":[\"t\"]}}\n");
    files::save(path("users.ndjson"), &(0..300_000).map(user).collect::<String>());
    daemon.wait_for("huge pages", |daemon| {
        let status = fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
        let found = status.lines().find_map(|line| line.strip_prefix("THP_enabled:"));
        found.is_none_or(|found| found.trim() == "1").then_some(())
    });
}
