//! Socket activation: sockets that another process has bound and hands over.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::{
        fd::OwnedFd,
        unix::{
            fs::PermissionsExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::{TempDir, tempdir};

use crate::support::{
    client::Client,
    daemon::{Daemon, NEVER, stores},
};

const DECIDE: &str = "/v1/decide?subject=3&action=start_chat&resource=2";

/// Standard input and standard error become the descriptors 3 and 4 of the daemon, whose log goes to a file.
const HAND_OVER: &str = "exec 3<&0 4<&2 0</dev/null 2>\"$LOG\"
    export LISTEN_PID=${OTHER_PID:-$$} LISTEN_FDS=$COUNT
    exec \"$0\" serve \"$@\"";

/// A daemon that is given sockets.
struct Activated {
    folder: TempDir,
    command: Command,
}

impl Activated {
    fn new(names: Option<&str>, sockets: Vec<OwnedFd>, options: &[&str]) -> Self {
        let folder = tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", HAND_OVER, env!("CARGO_BIN_EXE_peerage")]).arg(stores()).args(options);
        command.env("LOG", folder.path().join("log")).env("COUNT", sockets.len().to_string());
        if let Some(names) = names {
            command.env("LISTEN_FDNAMES", names);
        }
        command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::piped());
        let mut sockets = sockets.into_iter();
        if let Some(first) = sockets.next() {
            command.stdin(first);
        }
        if let Some(second) = sockets.next() {
            command.stderr(second);
        }
        assert!(sockets.next().is_none());
        Self { folder, command }
    }

    fn spawn(&mut self) -> Child {
        let child = self.command.spawn().unwrap();
        // The sockets are the daemon's alone from now on.
        self.command.stdin(Stdio::null()).stderr(Stdio::null());
        child
    }

    #[track_caller]
    fn start(&mut self, listens: usize) -> Daemon {
        Daemon::listening(self.spawn(), None, listens)
    }

    /// Ends by itself, and says why.
    #[track_caller]
    fn refused(mut self) -> String {
        let mut child = self.spawn();
        let deadline = Instant::now() + NEVER;
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                child.kill().unwrap();
                panic!("the daemon does not end: {:?}", child.wait_with_output());
            }
            thread::sleep(Duration::from_millis(2));
        }
        let Output { status, .. } = child.wait_with_output().unwrap();
        let log = self.log();
        assert_eq!(status.code(), Some(2), "{log}");
        log
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

fn tcp(address: &str) -> TcpListener {
    TcpListener::bind(address).unwrap()
}

#[test]
fn addresses_that_are_handed_over_are_served() {
    let sockets = [tcp("127.0.0.1:0"), tcp("127.0.0.1:0")];
    let [decisions, admin] = sockets.each_ref().map(|socket| socket.local_addr().unwrap());
    // One that connected before the daemon started is served as well.
    let mut early = Client::tcp(decisions);
    early.send(format!("GET {DECIDE} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    // Those that are named too are not bound twice.
    let (listen, admin_listen) = (decisions.to_string(), admin.to_string());
    let options = ["--listen", &listen, "--admin-listen", &admin_listen];
    let mut activated = Activated::new(
        Some("decisions:admin"),
        sockets.into_iter().map(OwnedFd::from).collect(),
        &options,
    );
    let daemon = activated.start(2);
    assert_eq!(daemon.addresses(), [decisions, admin]);
    assert_eq!(early.answer("GET").unwrap().status, 200);
    assert_eq!(Client::tcp(decisions).get("/v1/status").status, 404);
    assert_eq!(Client::tcp(admin).get("/v1/status").status, 200);
    assert_eq!(Client::tcp(admin).get(DECIDE).status, 200);
    // Names are checked as at every address of the loopback.
    let mut stranger = Client::tcp(decisions);
    stranger.send(format!("GET {DECIDE} HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
    assert_eq!(stranger.answer("GET").unwrap().status, 421);
    daemon.signal("TERM");
    assert!(daemon.ended().status.success());
    assert!(TcpStream::connect(decisions).is_err());
}

#[test]
fn unix_sockets_that_are_handed_over_are_served_and_their_files_stay() {
    let folder = tempdir().unwrap();
    let paths = ["decisions", "admin"].map(|name| folder.path().join(name));
    let sockets = paths.each_ref().map(|path| OwnedFd::from(UnixListener::bind(path).unwrap()));
    fs::set_permissions(&paths[1], fs::Permissions::from_mode(0o777)).unwrap();
    let [decisions, admin] = paths.each_ref().map(|path| path.to_str().unwrap());
    let store = folder.path().join("facts.redb");
    let options = ["--uds", decisions, "--admin-uds", admin, "--store", store.to_str().unwrap()];
    let mut activated = Activated::new(Some("decisions:admin"), sockets.into(), &options);
    let daemon = activated.start(2);
    assert!(daemon.addresses().is_empty());
    let write = br#"{"commands":[{"op":"put_user","user":"zoe"}]}"#;
    assert_eq!(Client::unix(&paths[0]).get(DECIDE).status, 200);
    assert_eq!(Client::unix(&paths[0]).post("/v1/facts", write).status, 403);
    assert_eq!(Client::unix(&paths[1]).post("/v1/facts", write).status, 200);
    daemon.signal("TERM");
    assert!(daemon.ended().status.success());
    assert!(paths.iter().all(|path| path.exists()));
}

#[test]
fn a_socket_without_a_use_of_its_own_is_for_decisions() {
    for names in [None, Some(""), Some("unknown"), Some("peerage.socket")] {
        let socket = tcp("127.0.0.1:0");
        let mut activated = Activated::new(names, vec![socket.into()], &[]);
        let daemon = activated.start(1);
        assert_eq!(daemon.get(DECIDE).status, 200, "{names:?}");
    }
}

#[test]
fn what_other_machines_reach_takes_tokens_or_tls() {
    let refused = |name| {
        let socket = vec![tcp("0.0.0.0:0").into()];
        Activated::new(Some(name), socket, &["--listen", "127.0.0.1:0"]).refused()
    };
    for name in ["decisions", "admin"] {
        let log = refused(name);
        assert!(log.contains("other machines can reach 0.0.0.0:"), "{log}");
    }
    let socket = tcp("0.0.0.0:0");
    let mut activated = Activated::new(None, vec![socket.into()], &["--insecure-listen"]);
    let daemon = activated.start(1);
    daemon.wait_for("a warning", |_| activated.log().contains("without a token").then_some(()));
}

#[test]
fn what_is_no_listener_is_refused() {
    let file = || OwnedFd::from(fs::File::open("/dev/null").unwrap());
    let (connected, _other) = UnixStream::pair().unwrap();
    let unbound = tcp("127.0.0.1:0");
    let stream = TcpStream::connect(unbound.local_addr().unwrap()).unwrap();
    for (name, socket, expected) in [
        ("admn", tcp("127.0.0.1:0").into(), "`decisions` or `admin`"),
        ("connection", stream.into(), "`decisions` or `admin`"),
        ("decisions", file(), "descriptor 3"),
        ("decisions", connected.into(), "Accept=no"),
    ] {
        let log = Activated::new(Some(name), vec![socket], &[]).refused();
        assert!(log.contains(expected), "{name}: {log}");
    }
    let mut odd = Activated::new(None, vec![tcp("127.0.0.1:0").into()], &[]);
    odd.command.env("COUNT", "many");
    let log = odd.refused();
    assert!(log.contains("LISTEN_FDS is `many`"), "{log}");
}

#[test]
fn the_sockets_of_another_process_are_left_alone() {
    let socket = tcp("127.0.0.1:0");
    let address = socket.local_addr().unwrap();
    let mut activated = Activated::new(None, vec![socket.into()], &["--listen", "127.0.0.1:0"]);
    activated.command.env("OTHER_PID", "1");
    let daemon = activated.start(1);
    assert_ne!(daemon.address(), address);
    assert_eq!(daemon.get(DECIDE).status, 200);
}

/// What systemd brings to try socket activation with: it starts the daemon when somebody connects.
#[test]
fn systemd_starts_the_daemon_when_somebody_connects() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("decisions");
    let mut command = Command::new("systemd-socket-activate");
    command.arg("--listen").arg(&path).args(["--fdname", "decisions"]);
    command.args([env!("CARGO_BIN_EXE_peerage"), "serve"]).arg(stores());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    let mut client = connect(&path);
    let daemon = Daemon::listening(child, None, 1);
    assert_eq!(client.get(DECIDE).status, 200);
    daemon.signal("TERM");
    assert!(daemon.ended().status.success());
}

/// Connects as soon as somebody listens.
fn connect(path: &Path) -> Client<UnixStream> {
    let deadline = Instant::now() + NEVER;
    loop {
        match Client::try_unix(path) {
            Ok(client) => return client,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        thread::sleep(Duration::from_millis(2));
    }
}
