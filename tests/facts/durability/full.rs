//! Full disks: writers get the reason, decisions go on, and once there is room again, so do writes.

use std::{
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

use serde_json::json;
use tempfile::TempDir;

use crate::{
    durability::kept::Place,
    support::client::Client,
    support::daemon::{Daemon, serve},
    support::writer::{Sent, Writer, is_allowed},
};

/// Fills and makes room again, some times over; then nothing is lost.
fn survives(
    place: &Place,
    daemon: &Daemon,
    reason: &str,
    fill: &dyn Fn(&Daemon),
    make_room: &dyn Fn(&Daemon),
) {
    let [mut writer, mut other] = [0, 1].map(|number| Writer::new(number, 4));
    let mut client = place.client();
    for _ in 0..3 {
        fill(daemon);
        let why = until_refused(&mut writer, &mut client);
        assert!(why.contains(reason), "{why}");
        // It is so for every caller; and what is known is answered from.
        for _ in 0..5 {
            let why = until_refused(&mut other, &mut client);
            assert!(why.contains(reason), "{why}");
            let requested = is_allowed(&mut client, ("root", "start_chat", "star"), None);
            assert_eq!(requested.unwrap(), Some(true));
        }
        make_room(daemon);
        let again = writer.send(&mut client);
        assert!(matches!(again, Sent::Acknowledged { .. }), "{again:?}");
        for _ in 0..20 {
            let sent = writer.send(&mut client);
            assert!(matches!(sent, Sent::Acknowledged { .. }), "{sent:?}");
        }
    }
    fill(daemon);
    until_refused(&mut writer, &mut client);
    daemon.signal("KILL");
    println!("{:?}", writer.counts);
    make_room(daemon);
    let held = loop {
        // It is let go of only when the process is gone.
        match peerage::store::EmbeddedStore::open(&place.store) {
            Ok(store) => break crate::support::atoms::Held::by(&store),
            Err(peerage::store::StoreError::Locked(_)) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    };
    let applied = writer.is_applied(&held);
    assert!(!applied, "it was refused");
    place.check();
}

/// So that each fills it up more.
static FILLERS: AtomicU64 = AtomicU64::new(0);

/// Why it is full, at last. What fills it is nobody's.
fn until_refused(writer: &mut Writer, client: &mut Client<UnixStream>) -> String {
    for _ in 0..2000 {
        match writer.send(client) {
            Sent::Acknowledged { .. } => {}
            Sent::NotNow(why) => return why,
            Sent::Gone => panic!("the daemon is gone"),
        }
        let more = FILLERS.fetch_add(1, Ordering::Relaxed);
        let tags: Vec<String> = (0..200).map(|tag| format!("{tag}-{}", "x".repeat(40))).collect();
        let users = (0..10).map(|user| {
            json!({ "op": "put_user", "user": format!("filler{more}-{user}"), "tags": tags })
        });
        let body = json!({ "commands": users.collect::<Vec<_>>() }).to_string();
        let filled = client.post("/v1/facts", body.as_bytes()).status;
        assert!(filled == 200 || filled == 503, "{filled}");
    }
    panic!("it never fills up")
}

/// No file may grow beyond some size: whether it is the disk that is full makes no difference.
#[test]
fn a_file_that_may_not_grow() {
    let folder = TempDir::new().unwrap();
    let place = Place::in_folder(folder.path());
    place.founded().kill();
    let mut command = Command::new("sh");
    // The signal of that limit would end the daemon.
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    let plain = serve();
    command.arg(plain.get_program()).args(plain.get_args()).args(["--listen", "127.0.0.1:0"]);
    let daemon = Daemon::start(place.arguments(&mut command));
    let limit = |size: String| {
        let id = daemon.id().to_string();
        let set = Command::new("prlimit").args(["--pid", &id, &format!("--fsize={size}")]).status();
        assert!(set.unwrap().success());
    };
    let fill =
        |_: &Daemon| limit(format!("{}:unlimited", fs::metadata(&place.store).unwrap().len()));
    let make_room = |daemon: &Daemon| {
        if Path::new(&format!("/proc/{}/exe", daemon.id())).exists() {
            limit("unlimited:unlimited".to_owned());
        }
    };
    survives(&place, &daemon, "File too large", &fill, &make_room);
}

/// A small file system of its own, which goes with this.
struct Mounted(TempDir);

impl Mounted {
    /// `None` if the system lets nobody mount who is not root.
    fn tmpfs() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "peerage-test"])
            .arg(folder.path())
            .output();
        mount.is_ok_and(|mount| mount.status.success()).then(|| Self(folder))
    }

    fn ballast(&self) -> PathBuf {
        self.0.path().join("ballast")
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk() {
    let Some(disk) = Mounted::tmpfs() else {
        println!("only root may mount a small disk: the one with a limit stands for it");
        return;
    };
    let place = Place::in_folder(disk.0.path());
    let daemon = place.founded();
    let fill = |_: &Daemon| {
        // As much as there is room for.
        let _ = fs::write(disk.ballast(), vec![0; 16 << 20]);
    };
    let make_room = |_: &Daemon| fs::remove_file(disk.ballast()).unwrap();
    survives(&place, &daemon, "No space left on device", &fill, &make_room);
}
