//! Daemons that share a cluster, and writers at all of them.

use std::{
    fs, io,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use peerage::store::etcd::EtcdStore;
use tempfile::TempDir;

use crate::{
    support::atoms::Held,
    support::client::Client,
    support::cluster::{self, Cluster, wait_for},
    support::daemon::{Daemon, serve},
    support::road::Road,
    support::script,
    support::writer::{self, Counts, Sent, Writer, decisions, is_allowed, users},
};

pub(crate) const DAEMONS: usize = 3;

/// Writers at each daemon; each goes on elsewhere when its daemon is gone.
const WRITERS: usize = 3;

/// A second of patience where there are three unless told: what is slow here is dead.
const HURRY: &str = "?connect_timeout=500ms&request_timeout=1s";

pub(crate) struct Fleet {
    pub(crate) cluster: Mutex<Cluster>,
    /// Where a store of the test's own reaches the nodes, and what runs the daemons: by number.
    places: Vec<Vec<String>>,
    stores: Vec<String>,
    roads: Vec<Vec<Road>>,
    folder: TempDir,
    pub(crate) daemons: Vec<Mutex<Option<Daemon>>>,
}

impl Fleet {
    /// Three nodes and three daemons on the loopback, with a road from each to each.
    pub(crate) fn start(policy: &str) -> Self {
        let cluster = Cluster::start(3);
        let road = |at: usize| Road::to(&cluster.endpoint(at));
        let roads: Vec<Vec<Road>> =
            (0..DAEMONS).map(|_| (0..cluster.len()).map(road).collect()).collect();
        let store = |roads: &Vec<Road>| {
            let all: Vec<String> = roads.iter().map(Road::endpoint).collect();
            format!("etcd://{}/facts{HURRY}", all.join(","))
        };
        let stores = roads.iter().map(store).collect();
        Self::with(policy, cluster, vec![Vec::new(); DAEMONS], stores, roads)
    }

    /// A daemon within each of some places, which all reach the nodes by their addresses.
    pub(crate) fn placed(policy: &str, cluster: Cluster, places: Vec<Vec<String>>) -> Self {
        let stores = vec![format!("{}{HURRY}", cluster.store("facts")); places.len()];
        Self::with(policy, cluster, places, stores, Vec::new())
    }

    fn with(
        policy: &str,
        cluster: Cluster,
        places: Vec<Vec<String>>,
        stores: Vec<String>,
        roads: Vec<Vec<Road>>,
    ) -> Self {
        let daemons = places.iter().map(|_| Mutex::new(None)).collect();
        let folder = TempDir::new().unwrap();
        let cluster = Mutex::new(cluster);
        let fleet = Self { cluster, places, stores, roads, folder, daemons };
        fleet.write_policy(policy);
        (0..fleet.daemons.len()).for_each(|at| fleet.run(at));
        fleet
    }

    pub(crate) fn write_policy(&self, policy: &str) {
        let folder = self.folder.path().join("policy");
        fs::create_dir_all(&folder).unwrap();
        let new = self.folder.path().join("new.yaml");
        fs::write(&new, policy).unwrap();
        fs::rename(new, folder.join("policy.yaml")).unwrap();
    }

    pub(crate) fn socket(&self, at: usize) -> PathBuf {
        self.folder.path().join(format!("admin{at}"))
    }

    pub(crate) fn client(&self, at: usize) -> Client<UnixStream> {
        Client::unix(&self.socket(at))
    }

    /// Starts a daemon that does not run.
    pub(crate) fn run(&self, at: usize) {
        let daemon = self.daemon(&self.places[at], &self.stores[at], &self.socket(at));
        *self.daemons[at].lock().unwrap() = Some(daemon);
    }

    fn daemon(&self, within: &[String], store: &str, socket: &Path) -> Daemon {
        let plain = serve();
        let mut command = cluster::command(within, plain.get_program().to_str().unwrap());
        command.args(plain.get_args()).args(["--listen", "127.0.0.1:0", "--at-least-wait", "300"]);
        command.arg("--admin-uds").arg(socket).args(["--store", store]);
        Daemon::start(command.arg(self.folder.path().join("policy")).env("RUST_LOG", "info"))
    }

    pub(crate) fn kill(&self, at: usize) {
        self.daemons[at].lock().unwrap().take().unwrap().kill();
    }

    pub(crate) fn cut(&self, at: usize) {
        self.roads[at].iter().for_each(Road::close);
    }

    pub(crate) fn mend(&self, at: usize) {
        self.roads[at].iter().for_each(Road::open);
    }

    /// Waits until a daemon serves facts of a revision.
    #[track_caller]
    pub(crate) fn reaches(&self, at: usize, revision: u64) {
        let requested = ("root", "start_chat", "star");
        wait_for(format!("daemon {at} at {revision}"), || {
            is_allowed(&mut self.client(at), requested, Some(revision)).ok().flatten()
        });
    }

    /// What there is, read by one that has just come.
    #[track_caller]
    pub(crate) fn held(&self) -> Held {
        if self.roads.is_empty() {
            // Their network is not reached from here: a daemon there makes a list of it instead.
            return self.listed();
        }
        let address = self.cluster.lock().unwrap().store("facts");
        Held::by(&EtcdStore::open(&address).unwrap())
    }

    #[track_caller]
    fn listed(&self) -> Held {
        let text = self.cluster.lock().unwrap().done(&["get", "--prefix", "facts/", "-w", "json"]);
        Held::listed(&serde_json::from_str(&text).unwrap(), "facts/")
    }

    /// All daemons, and one that has just started, decide the same.
    #[track_caller]
    pub(crate) fn agrees(&self, held: &Held) {
        let users = users(held);
        let at = |at: usize| {
            self.reaches(at, held.revision);
            decisions(&self.socket(at), &users)
        };
        let first = at(0);
        let fresh = self.folder.path().join("fresh");
        // A daemon that starts while there is no leader says so and ends.
        self.cluster.lock().unwrap().wait_until_healthy();
        let daemon = self.daemon(&self.places[0], &self.stores[0], &fresh);
        assert!(decisions(&fresh, &users) == first, "daemon 0 does not decide as a fresh one");
        drop(daemon);
        for other in 1..self.daemons.len() {
            assert!(at(other) == first, "daemon {other} does not decide as daemon 0");
        }
    }
}

/// How writers are getting on.
#[derive(Default)]
pub(crate) struct Progress {
    acknowledged: AtomicU64,
    /// How often a block was asked for elsewhere, and answered from its revision.
    witnessed: AtomicU64,
    is_over: AtomicBool,
}

impl Progress {
    /// Waits until so many more were acknowledged.
    #[track_caller]
    pub(crate) fn wait_for_more(&self, more: u64) {
        let goal = self.acknowledged.load(Ordering::Relaxed) + more;
        wait_for("writes", || (self.acknowledged.load(Ordering::Relaxed) >= goal).then_some(()));
    }

    /// Writes at one daemon after another, each batch until it is acknowledged.
    fn write(&self, fleet: &Fleet, writer: &mut Writer, home: usize) {
        let mut at = home;
        let mut client: Option<Client<UnixStream>> = None;
        while !self.is_over.load(Ordering::Relaxed) || writer.pending.is_some() {
            let Some(connected) = connected(&mut client, fleet, at) else {
                thread::sleep(Duration::from_millis(1));
                at = (at + 1) % fleet.daemons.len();
                continue;
            };
            match writer.send(connected) {
                Sent::Acknowledged { revision, step } => {
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                    for (blocker, blocked) in step.blocks.iter().take(1) {
                        let requested = (blocked.as_str(), "send_message", blocker.as_str());
                        // Where it was written, it is seen without a word of it.
                        let allowed = is_allowed(connected, requested, None);
                        assert!(!matches!(allowed, Ok(Some(true))), "{requested:?} at {at}");
                        self.witness(fleet, (blocked, blocker), revision);
                    }
                }
                Sent::NotNow(_) | Sent::Gone => {
                    client = None;
                    if writer.script.chance.percent(50) {
                        at = (at + 1) % fleet.daemons.len();
                    }
                }
            }
        }
    }

    /// No daemon that is asked for this revision or a later one lets a blocked user through.
    fn witness(&self, fleet: &Fleet, (whom, by): (&str, &str), revision: u64) {
        for at in 0..fleet.daemons.len() {
            let Ok(mut client) = Client::try_unix(&fleet.socket(at)) else { continue };
            let requested = (whom, "send_message", by);
            let allowed: io::Result<_> = is_allowed(&mut client, requested, Some(revision));
            if let Ok(allowed) = allowed {
                assert_ne!(allowed, Some(true), "{requested:?} at {revision}, daemon {at}");
                self.witnessed.fetch_add(u64::from(allowed.is_some()), Ordering::Relaxed);
            }
        }
    }
}

fn connected<'c>(
    client: &'c mut Option<Client<UnixStream>>,
    fleet: &Fleet,
    at: usize,
) -> Option<&'c mut Client<UnixStream>> {
    if client.is_none() {
        *client = Client::try_unix(&fleet.socket(at)).ok();
    }
    client.as_mut()
}

/// Lets many write at all daemons while something fails, and holds what is there after to what was
/// acknowledged.
pub(crate) fn survives(name: &str, fleet: &Fleet, fail: impl FnOnce(&Progress)) {
    writer::command(&fleet.socket(0), &script::foundations());
    let progress = Progress::default();
    let count = fleet.daemons.len() * WRITERS;
    let mut writers: Vec<Writer> = (0..count).map(|number| Writer::new(number, 5)).collect();
    thread::scope(|scope| {
        for (number, writer) in writers.iter_mut().enumerate() {
            let progress = &progress;
            scope.spawn(move || {
                // If one fails, the others must not wait for more.
                let over = OnDrop(progress);
                progress.write(fleet, writer, number % fleet.daemons.len());
                std::mem::forget(over);
            });
        }
        let over = OnDrop(&progress);
        progress.wait_for_more(40);
        fail(&progress);
        progress.wait_for_more(40);
        drop(over);
    });
    let held = fleet.held();
    for writer in &writers {
        writer.is_applied(&held);
    }
    fleet.agrees(&held);
    let counts = Counts::sum(writers.iter().map(|writer| writer.counts));
    println!("{name}: {counts:?}; {} blocks witnessed", progress.witnessed.into_inner());
}

struct OnDrop<'p>(&'p Progress);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}
