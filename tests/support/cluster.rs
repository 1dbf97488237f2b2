//! Clusters of real etcd nodes on the loopback, to be killed, stopped and cut off.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "each test takes a part of it, and may fail by it"
)]

use std::{
    fmt::Debug,
    fs::File,
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything here takes, so that only what never comes fails.
pub const NEVER: Duration = Duration::from_secs(120);

/// Nodes that run until this is dropped.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    nodes: Vec<Node>,
    /// Given to each node besides what it needs.
    more: Vec<String>,
    scheme: &'static str,
    /// What `etcdctl` needs to be let in.
    pub credentials: Vec<String>,
    /// What runs `etcdctl` where it reaches the nodes, if not from here.
    within: Vec<String>,
}

/// Where a node is, and what runs it there.
#[derive(Clone, Debug)]
pub struct Place {
    pub host: String,
    /// A command that runs another one; none runs it here.
    pub within: Vec<String>,
}

#[derive(Debug)]
struct Node {
    place: Place,
    client: u16,
    peer: u16,
    child: Option<Child>,
}

impl Cluster {
    /// So many nodes, once they have a leader.
    #[track_caller]
    pub fn start(nodes: usize) -> Self {
        let cluster = Self::launch(nodes, "http", &[], &[]);
        cluster.wait_until_healthy();
        cluster
    }

    /// Nodes that speak `scheme` and are given further arguments, and what `etcdctl` then needs.
    #[track_caller]
    pub fn launch(
        nodes: usize,
        scheme: &'static str,
        more: &[String],
        credentials: &[String],
    ) -> Self {
        // Held all at once, so that none is given twice.
        let sockets: Vec<TcpListener> =
            (0..nodes * 2).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
        let ports: Vec<u16> =
            sockets.iter().map(|socket| socket.local_addr().unwrap().port()).collect();
        drop(sockets);
        let here = Place { host: "127.0.0.1".to_owned(), within: Vec::new() };
        let node = |ports: &[u16]| Node {
            place: here.clone(),
            client: ports[0],
            peer: ports[1],
            child: None,
        };
        let mut cluster = Self {
            folder: TempDir::new().unwrap(),
            nodes: ports.chunks(2).map(node).collect(),
            more: more.to_vec(),
            scheme,
            credentials: credentials.to_vec(),
            within: Vec::new(),
        };
        for at in 0..nodes {
            cluster.run(at);
        }
        cluster
    }

    /// Nodes elsewhere, once they have a leader; `within` is what runs `etcdctl`.
    #[track_caller]
    pub fn placed(places: Vec<Place>, within: Vec<String>) -> Self {
        let node = |place| Node { place, client: 2379, peer: 2380, child: None };
        let mut cluster = Self {
            folder: TempDir::new().unwrap(),
            nodes: places.into_iter().map(node).collect(),
            more: Vec::new(),
            scheme: "http",
            credentials: Vec::new(),
            within,
        };
        for at in 0..cluster.len() {
            cluster.run(at);
        }
        cluster.wait_until_healthy();
        cluster
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// `host:port` for clients.
    pub fn endpoint(&self, at: usize) -> String {
        let Node { place, client, .. } = &self.nodes[at];
        format!("{}:{client}", place.host)
    }

    pub fn endpoints(&self) -> String {
        (0..self.len()).map(|at| self.endpoint(at)).collect::<Vec<_>>().join(",")
    }

    /// The address of a store on all nodes.
    pub fn store(&self, prefix: &str) -> String {
        format!("etcd://{}/{prefix}", self.endpoints())
    }

    /// Starts a node that does not run, with what it has kept.
    pub fn run(&mut self, at: usize) {
        let name = |at: usize| format!("n{at}");
        let peer = |node: &Node| format!("http://{}:{}", node.place.host, node.peer);
        let members: Vec<String> = self.nodes.iter().map(&peer).collect();
        let members: Vec<String> =
            members.iter().enumerate().map(|(at, url)| format!("{}={url}", name(at))).collect();
        let node = &self.nodes[at];
        assert!(node.child.is_none(), "node {at} runs");
        let client = format!("{}://{}", self.scheme, self.endpoint(at));
        let log = self.folder.path().join(format!("{at}.log"));
        let log = File::options().create(true).append(true).open(log).unwrap();
        let child = command(&node.place.within, "etcd")
            .args(["--name", &name(at)])
            .args(["--data-dir".as_ref(), self.folder.path().join(name(at)).as_os_str()])
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer(node)])
            .args(["--initial-advertise-peer-urls", &peer(node)])
            .args(["--initial-cluster", &members.join(",")])
            .args(&self.more)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("can't run etcd (Debian: etcd-server): {error}"));
        self.nodes[at].child = Some(child);
    }

    /// `kill -9`.
    pub fn kill(&mut self, at: usize) {
        let mut child = self.nodes[at].child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// It neither answers nor ends its connections, until it is [resumed](Self::resume).
    pub fn pause(&self, at: usize) {
        self.signal(at, "STOP");
    }

    pub fn resume(&self, at: usize) {
        self.signal(at, "CONT");
    }

    fn signal(&self, at: usize, name: &str) {
        let id = self.nodes[at].child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Runs `etcdctl` on all nodes.
    pub fn ctl<S: AsRef<std::ffi::OsStr>>(&self, args: &[S]) -> Output {
        self.ctl_at(&self.endpoints(), args)
    }

    fn ctl_at<S: AsRef<std::ffi::OsStr>>(&self, endpoints: &str, args: &[S]) -> Output {
        command(&self.within, "etcdctl")
            .env("ETCDCTL_API", "3")
            .args(["--endpoints", endpoints, "--dial-timeout=2s", "--command-timeout=5s"])
            .args(&self.credentials)
            .args(args)
            .output()
            .unwrap_or_else(|error| panic!("can't run etcdctl (Debian: etcd-client): {error}"))
    }

    /// What `etcdctl` says of what must succeed.
    #[track_caller]
    pub fn done<S: AsRef<std::ffi::OsStr> + Debug>(&self, args: &[S]) -> String {
        let output = self.ctl(args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// What a node says of itself, if it answers.
    fn status(&self, at: usize) -> Option<Value> {
        let output = self.ctl_at(&self.endpoint(at), &["endpoint", "status", "-w", "json"]);
        let reported: Value = serde_json::from_slice(&output.stdout).ok()?;
        reported.get(0)?.get("Status").cloned()
    }

    /// The node that leads, as soon as one does.
    #[track_caller]
    pub fn leader(&self) -> usize {
        let leads = |at: usize| {
            let status = self.status(at)?;
            let leader = status.get("leader")?;
            (leader == status.get("header")?.get("member_id")?).then_some(at)
        };
        wait_for("a leader", || (0..self.len()).find_map(leads))
    }

    /// The revision of the cluster.
    #[track_caller]
    pub fn revision(&self) -> u64 {
        let of = |at| self.status(at)?.get("header")?.get("revision")?.as_u64();
        wait_for("a revision", || (0..self.len()).filter_map(of).max())
    }

    /// Forgets what was before the revision.
    #[track_caller]
    pub fn compact(&self) {
        self.done(&["compact", "--physical", &self.revision().to_string()]);
    }

    /// Waits until every node that runs takes writes.
    #[track_caller]
    pub fn wait_until_healthy(&self) {
        for at in (0..self.len()).filter(|at| self.nodes[*at].child.is_some()) {
            let is_healthy =
                || self.ctl_at(&self.endpoint(at), &["endpoint", "health"]).status.success();
            wait_for(format!("node {at}: {}", self.log(at)), || is_healthy().then_some(()));
        }
    }

    /// The end of what a node logged.
    pub fn log(&self, at: usize) -> String {
        let path = self.folder.path().join(format!("{at}.log"));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

/// A command that runs where another one runs what it is given.
pub fn command(within: &[String], program: &str) -> Command {
    match within {
        [] => Command::new(program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.nodes.iter_mut().filter_map(|node| node.child.as_mut()) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What `look` finds, as soon as it finds anything.
#[track_caller]
pub fn wait_for<T>(what: impl Debug, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + NEVER;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what:?}");
        thread::sleep(Duration::from_millis(20));
    }
}
