//! Changes of policy files are noticed, whatever program makes them.

#![allow(clippy::unwrap_used, reason = "a test may fail by it")]

use crate::support::files;

use std::{
    fs,
    io::Write as _,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use files::{save, swap, write};
use peerage::{
    live::{Watch, WatchOptions},
    source::load,
};
use tempfile::TempDir;
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

/// Longer than anything here takes, so that only what never comes fails.
const NEVER: Duration = Duration::from_secs(30);

const EVENTS: WatchOptions = WatchOptions {
    settle: Duration::from_millis(20),
    settle_at_most: Duration::from_millis(500),
    patience: Duration::from_millis(500),
    poll: Duration::from_secs(3600),
    events: true,
};

const POLL: WatchOptions =
    WatchOptions { poll: Duration::from_millis(20), events: false, ..EVENTS };

struct Watched {
    paths: Vec<PathBuf>,
    watch: Watch,
    runtime: Runtime,
}

impl Watched {
    fn new(paths: &[&Path], pace: WatchOptions) -> Self {
        let paths: Vec<_> = paths.iter().map(|&path| path.to_owned()).collect();
        let watch = Watch::start(paths.clone(), pace).unwrap();
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        Self { paths, watch, runtime }
    }

    /// Makes a change and waits until it was reported and the files read as they should.
    #[track_caller]
    fn sees(&mut self, change: impl FnOnce(), expected: &[&str]) {
        while self.is_reported(EVENTS.settle * 5) {}
        change();
        loop {
            assert!(self.is_reported(NEVER), "{expected:?} is never told");
            let loaded = load(&self.paths);
            let read: Vec<_> = loaded
                .sources
                .iter()
                .map(|(_, file)| String::from_utf8(file.bytes.clone()).unwrap())
                .collect();
            if read == expected {
                return;
            }
        }
    }

    fn is_reported(&mut self, within: Duration) -> bool {
        let Self { watch, runtime, .. } = self;
        runtime.block_on(async { timeout(within, watch.changed()).await.is_ok() })
    }
}

/// Each change is noticed by events alone as well as by polling alone.
fn with_each(test: impl Fn(&Path, WatchOptions)) {
    for pace in [EVENTS, POLL] {
        let temp = TempDir::new().unwrap();
        test(temp.path(), pace);
    }
}

#[test]
fn edits_of_files() {
    with_each(|root, pace| {
        let (a, b) = (root.join("a.yaml"), root.join("b.yaml"));
        write(&a, "1");
        let mut watched = Watched::new(&[root], pace);
        watched.sees(|| write(&a, "2"), &["2"]);
        watched.sees(|| save(&a, "3"), &["3"]);
        watched.sees(|| save(&a, "4"), &["4"]);
        watched.sees(|| write(&b, "b"), &["4", "b"]);
        watched.sees(|| fs::remove_file(&a).unwrap(), &["b"]);
        watched.sees(|| fs::rename(&b, &a).unwrap(), &["b"]);
    });
}

#[test]
fn a_file_given_by_name() {
    with_each(|root, pace| {
        let file = root.join("a.yaml");
        write(&file, "1");
        let mut watched = Watched::new(&[&file], pace);
        watched.sees(|| save(&file, "2"), &["2"]);
        watched.sees(|| fs::remove_file(&file).unwrap(), &[]);
        watched.sees(|| write(&file, "3"), &["3"]);
        watched.sees(|| write(&file, "4"), &["4"]);
    });
}

#[test]
fn folders_that_come_and_go() {
    with_each(|root, pace| {
        write(root.join("a.yaml"), "a");
        let mut watched = Watched::new(&[root], pace);
        watched.sees(|| write(root.join("x/y/b.yaml"), "b"), &["a", "b"]);
        watched.sees(|| write(root.join("x/y/b.yaml"), "c"), &["a", "c"]);
        watched.sees(|| fs::rename(root.join("x"), root.join("z")).unwrap(), &["a", "c"]);
        watched.sees(|| save(root.join("z/y/b.yaml"), "d"), &["a", "d"]);
        watched.sees(|| fs::remove_dir_all(root.join("z")).unwrap(), &["a"]);
        watched.sees(|| write(root.join("z/y/b.yaml"), "e"), &["a", "e"]);
        watched.sees(|| write(root.join("z/y/b.yaml"), "f"), &["a", "f"]);
    });
}

#[test]
fn the_folder_itself_goes_and_comes_back() {
    with_each(|root, pace| {
        let folder = root.join("above/policies");
        write(folder.join("a.yaml"), "1");
        let mut watched = Watched::new(&[&folder], pace);
        watched.sees(|| fs::remove_dir_all(&folder).unwrap(), &[]);
        watched.sees(|| write(folder.join("a.yaml"), "2"), &["2"]);
        watched.sees(|| save(folder.join("a.yaml"), "3"), &["3"]);
        watched.sees(|| fs::remove_dir_all(root.join("above")).unwrap(), &[]);
        watched.sees(|| write(folder.join("a.yaml"), "4"), &["4"]);
        let replace = || {
            fs::rename(&folder, root.join("old")).unwrap();
            write(folder.join("a.yaml"), "5");
        };
        watched.sees(replace, &["5"]);
        watched.sees(|| write(folder.join("a.yaml"), "6"), &["6"]);
        watched.sees(|| fs::remove_dir_all(root.join("above")).unwrap(), &[]);
    });
}

#[test]
fn a_path_that_is_not_there_yet() {
    with_each(|root, pace| {
        let folder = root.join("x/y/policies");
        let mut watched = Watched::new(&[&folder], pace);
        watched.sees(|| write(folder.join("a.yaml"), "1"), &["1"]);
        watched.sees(|| write(folder.join("a.yaml"), "2"), &["2"]);
    });
}

#[test]
fn a_config_map() {
    with_each(|root, pace| {
        let version = |name: &str, text: &str| write(root.join(name).join("a.yaml"), text);
        version("..1", "1");
        symlink("..1", root.join("..data")).unwrap();
        symlink("..data/a.yaml", root.join("a.yaml")).unwrap();
        let mut watched = Watched::new(&[root], pace);
        for (last, next) in [("1", "2"), ("2", "3"), ("3", "4")] {
            let update = || {
                version(&format!("..{next}"), next);
                swap(root.join("..data"), &format!("..{next}"));
                fs::remove_dir_all(root.join(format!("..{last}"))).unwrap();
            };
            watched.sees(update, &[next]);
        }
    });
}

#[test]
fn a_worktree() {
    with_each(|root, pace| {
        let version = |text: &str| write(root.join(".worktrees").join(text).join("p/a.yaml"), text);
        version("1");
        symlink(".worktrees/1", root.join("current")).unwrap();
        let below = root.join("current/p");
        let mut watched = [Watched::new(&[root], pace), Watched::new(&[&below], pace)];
        for (last, next) in [("1", "2"), ("2", "3"), ("3", "4")] {
            let [whole, part] = &mut watched;
            let update = || {
                version(next);
                swap(root.join("current"), &format!(".worktrees/{next}"));
                fs::remove_dir_all(root.join(".worktrees").join(last)).unwrap();
            };
            whole.sees(|| part.sees(update, &[next]), &[next]);
        }
    });
}

#[test]
fn a_busy_folder_is_reported_all_the_same() {
    let temp = TempDir::new().unwrap();
    let file = temp.path().join("a.yaml");
    write(&file, "0");
    let mut watched = Watched::new(&[temp.path()], EVENTS);
    let start = Instant::now();
    let mut number = 0;
    while !watched.is_reported(Duration::from_millis(1)) {
        number += 1;
        write(&file, &number.to_string());
        assert!(start.elapsed() < NEVER);
    }
}

#[test]
fn what_is_no_matter_is_not_reported() {
    let temp = TempDir::new().unwrap();
    let root = temp.path();
    write(root.join("policies/a.yaml"), "1");
    let mut watched = Watched::new(&[&root.join("policies")], EVENTS);
    write(root.join("other.yaml"), "x");
    write(root.join("policies/.a.yaml.swp"), "x");
    load(&watched.paths);
    assert!(!watched.is_reported(EVENTS.settle * 10));
    // A log that grows in the folder, as `serve . > serve.log` makes one.
    let mut log = fs::File::create(root.join("policies/serve.log")).unwrap();
    for line in 0..20 {
        writeln!(log, "{line}").unwrap();
        assert!(!watched.is_reported(EVENTS.settle), "of line {line}");
    }
    watched.sees(|| write(root.join("policies/a.yaml"), "2"), &["2"]);
}

#[test]
fn what_is_passed_over_is_watched_too() {
    with_each(|root, pace| {
        write(root.join("a.yaml"), "a");
        write(root.join("b.yaml"), "b");
        let mut watched = Watched::new(&[root], pace);
        watched.sees(|| write(root.join(".peerageignore"), "b.yaml"), &["a"]);
        watched.sees(|| save(root.join(".peerageignore"), "a.yaml"), &["b"]);
        watched.sees(|| fs::remove_file(root.join(".peerageignore")).unwrap(), &["a", "b"]);
    });
}

#[test]
fn dropping_ends_the_thread_at_once() {
    let temp = TempDir::new().unwrap();
    for _ in 0..20 {
        let slow = WatchOptions { poll: Duration::from_secs(3600), ..WatchOptions::default() };
        drop(Watched::new(&[temp.path()], slow));
    }
}
