//! Disks that take no more: who writes is told why, decisions go on, and once there is room again,
//! so do writes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    daemon::{Daemon, serve},
    kept::Place,
    writer::{Sent, Writer, is_allowed},
};

/// Fills and makes room again, some times over; then nothing is lost.
fn survives(
    place: &Place,
    daemon: &Daemon,
    reason: &str,
    fill: &dyn Fn(&Daemon),
    make_room: &dyn Fn(&Daemon),
) {
    let mut writer = Writer::new(0, 4);
    let mut client = place.client();
    for _ in 0..3 {
        fill(daemon);
        let mut before = 0;
        let why = loop {
            match writer.send(&mut client) {
                Sent::Acknowledged { .. } => before += 1,
                Sent::NotNow(why) => break why,
                Sent::Gone => panic!("the daemon is gone"),
            }
            assert!(before < 20_000, "it never fills up");
        };
        assert!(why.contains(reason), "{why}");
        // It stays so, whoever asks; and what is known is answered from.
        let mut other = Writer::new(1, 4);
        for _ in 0..5 {
            let told = other.send(&mut client);
            assert!(matches!(&told, Sent::NotNow(why) if why.contains(reason)), "{told:?}");
            let asked = is_allowed(&mut client, ("root", "start_chat", "star"), None);
            assert_eq!(asked.unwrap(), Some(true));
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
    while !matches!(writer.send(&mut client), Sent::NotNow(_)) {}
    daemon.signal("KILL");
    println!("{:?}", writer.counts);
    make_room(daemon);
    let held = loop {
        // It is let go of only when the process is gone.
        match peerage::store::EmbeddedStore::open(&place.store) {
            Ok(store) => break crate::atoms::Held::by(&store),
            Err(peerage::store::StoreError::Locked(_)) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    };
    let applied = writer.is_applied(&held);
    assert!(!applied, "it was refused");
    place.check();
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
    let fill = |_: &Daemon| limit(format!("{}:unlimited", fs::metadata(&place.store).unwrap().len()));
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
