//! Files that are being written are not read, whether events tell of it or looks.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by it"
)]

use crate::support::files;

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::symlink,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use files::{save, swap, write};
use peerage::{
    diagnostic::Code,
    live::{Live, PolicyFiles, ReloadOutcome, StartOutcome, Trigger, Watch, WatchOptions},
    source::{LoadError, LoadedSources},
};
use tempfile::TempDir;
use tokio::{runtime::Builder, time::timeout};

/// Events alone: the poll never comes.
const EVENTS: WatchOptions = WatchOptions {
    settle: Duration::from_millis(50),
    settle_at_most: Duration::from_millis(500),
    patience: Duration::from_secs(30),
    poll: Duration::from_secs(3600),
    events: true,
};

/// Looks alone, as on a network file system.
const POLL: WatchOptions =
    WatchOptions { poll: Duration::from_millis(300), events: false, ..EVENTS };

/// Longer than a file that is open is waited for here.
const SHORT: Duration = Duration::from_millis(400);

struct Watched {
    files: PolicyFiles,
    _watch: Watch,
}

impl Watched {
    /// Watches a folder that was read once.
    fn new(root: &Path, pace: WatchOptions) -> Self {
        let watch = Watch::start(vec![root.to_owned()], pace).unwrap();
        let files = watch.files();
        assert!(files.load().errors.is_empty());
        Self { files, _watch: watch }
    }

    #[track_caller]
    fn reads(&self, expected: &[&str]) {
        assert_eq!(texts(&self.files.load()), expected);
        assert!(!self.files.have_changed());
    }

    #[track_caller]
    fn waits_for(&self, file: &Path) {
        match &self.files.load().errors[..] {
            [LoadError::StillWritten { paths, .. }] => assert_eq!(paths, &[file]),
            other => panic!("{other:?}"),
        }
    }
}

#[track_caller]
fn texts(loaded: &LoadedSources) -> Vec<String> {
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    loaded.sources.iter().map(|(_, file)| text(&file.bytes)).collect()
}

/// Writes the parts one by one into a file that is open all the time.
fn slowly(file: &Path, parts: &[&str], pause: Duration) {
    let mut file = File::create(file).unwrap();
    for part in parts {
        file.write_all(part.as_bytes()).unwrap();
        thread::sleep(pause);
    }
}

/// Reads again and again while the file is written in three parts, and holds that nothing but the
/// whole is ever read after it was begun.
fn never_a_part(pace: WatchOptions, pause: Duration) {
    let temp = TempDir::new().unwrap();
    let file = temp.path().join("a.yaml");
    write(&file, "before");
    let watched = Watched::new(temp.path(), pace);
    thread::scope(|scope| {
        let writer = scope.spawn(|| slowly(&file, &["one,", "two,", "three"], pause));
        loop {
            let is_over = writer.is_finished();
            let read = texts(&watched.files.load());
            assert!(read == ["before"] || read == ["one,two,three"], "{read:?}");
            if is_over {
                assert_eq!(read, ["one,two,three"]);
                break;
            }
        }
    });
}

#[test]
fn a_file_that_is_open_is_not_read() {
    never_a_part(EVENTS, Duration::from_millis(300));
}

#[test]
fn without_events_only_what_two_looks_agree_on_is_read() {
    never_a_part(POLL, Duration::from_millis(100));
}

#[test]
fn an_open_file_is_waited_for_within_a_bound() {
    let temp = TempDir::new().unwrap();
    let (a, b) = (temp.path().join("a.yaml"), temp.path().join("b.yaml"));
    write(&a, "1");
    let watched = Watched::new(temp.path(), WatchOptions { patience: SHORT, ..EVENTS });
    let mut open = File::create(&a).unwrap();
    open.write_all(b"2").unwrap();
    watched.waits_for(&a);
    // Its name may change meanwhile, and others may be written.
    fs::rename(&a, &b).unwrap();
    write(&a, "whole");
    watched.waits_for(&b);
    drop(open);
    watched.reads(&["whole", "2"]);
    // What is open without a name is nobody's concern.
    let mut open = File::create(&b).unwrap();
    open.write_all(b"3").unwrap();
    fs::remove_file(&b).unwrap();
    watched.reads(&["whole"]);
    // Nor is what is only read, or no policy.
    let _reader = File::open(&a).unwrap();
    let mut log = File::create(temp.path().join("serve.log")).unwrap();
    log.write_all(b"line").unwrap();
    watched.reads(&["whole"]);
}

#[test]
fn what_never_keeps_still_is_refused() {
    let temp = TempDir::new().unwrap();
    let file = temp.path().join("a.csv");
    write(&file, "id,tags\n");
    let watched = Watched::new(temp.path(), WatchOptions { patience: SHORT, ..POLL });
    let mut open = File::options().append(true).open(&file).unwrap();
    thread::scope(|scope| {
        let reader = scope.spawn(|| watched.waits_for(&file));
        while !reader.is_finished() {
            writeln!(open, "a,").unwrap();
            thread::sleep(Duration::from_millis(5));
        }
        reader.join().unwrap();
    });
}

#[test]
fn a_file_that_was_begun_before_the_watch_is_looked_at_twice() {
    let temp = TempDir::new().unwrap();
    let file = temp.path().join("a.yaml");
    let (pause, parts) = (EVENTS.settle / 5, ["part,"; 20]);
    thread::scope(|scope| {
        let writer = scope.spawn(|| slowly(&temp.path().join("a.yaml"), &parts, pause));
        while fs::metadata(&file).map_or(0, |found| found.len()) == 0 {
            thread::yield_now();
        }
        let watch = Watch::start(vec![temp.path().to_owned()], EVENTS).unwrap();
        assert_eq!(texts(&watch.files().load()), [parts.concat()]);
        writer.join().unwrap();
    });
    // What is old is not.
    let past = std::time::SystemTime::now() - Duration::from_secs(60);
    File::options().append(true).open(&file).unwrap().set_modified(past).unwrap();
    thread::sleep(Duration::from_millis(2100));
    let slow = WatchOptions { settle: Duration::from_secs(20), ..EVENTS };
    let watch = Watch::start(vec![temp.path().to_owned()], slow).unwrap();
    let begun = Instant::now();
    assert!(watch.files().load().errors.is_empty());
    assert!(begun.elapsed() < slow.settle);
}

/// The last good policy stays while a file is open for longer than is waited, and the next one is
/// served when it is closed, though that leaves no trace on the file.
#[test]
fn a_reload_is_refused_until_the_file_is_closed() {
    let temp = TempDir::new().unwrap();
    let file = temp.path().join("a.yaml");
    write(&file, "peers: { default: contacts }\n");
    let pace = WatchOptions { patience: SHORT, ..EVENTS };
    let mut watch = Watch::start(vec![temp.path().to_owned()], pace).unwrap();
    let StartOutcome::Serving(live) = Live::start_guarded(watch.files(), None) else {
        panic!("refused")
    };
    let first = live.served().revision.clone();
    let mut open = File::create(&file).unwrap();
    open.write_all(b"peers: { default: all }\n").unwrap();
    assert_eq!(live.reload(Trigger::Requested), ReloadOutcome::Refused);
    let latest = live.reloads().latest.clone();
    assert_eq!(latest.report.diagnostics[0].code, Code::StillWritten);
    assert_eq!(live.served().revision, first);
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let mut is_reported = |within: Duration| {
        runtime.block_on(async { timeout(within, watch.changed()).await.is_ok() })
    };
    while is_reported(EVENTS.settle * 5) {}
    drop(open);
    assert!(is_reported(EVENTS.patience), "the closing is never told");
    assert_eq!(live.reload(Trigger::Requested), ReloadOutcome::Swapped);
    assert_ne!(live.served().revision, first);
}

/// Each way to replace files as a whole is read without waiting for more than it takes to settle.
#[test]
fn what_is_swapped_in_is_read() {
    for pace in [EVENTS, POLL] {
        let temp = TempDir::new().unwrap();
        let root = temp.path();
        let version = |text: &str| write(root.join(format!("..{text}/a.yaml")), text);
        version("1");
        symlink("..1", root.join("..data")).unwrap();
        symlink("..data/a.yaml", root.join("a.yaml")).unwrap();
        write(root.join("b.yaml"), "b");
        let watched = Watched::new(root, pace);
        version("2");
        swap(root.join("..data"), "..2");
        watched.reads(&["2", "b"]);
        save(root.join("b.yaml"), "c");
        watched.reads(&["2", "c"]);
        fs::remove_file(root.join("b.yaml")).unwrap();
        watched.reads(&["2"]);
        write(root.join("b.yaml"), "d");
        watched.reads(&["2", "d"]);
    }
}

/// What is read between two looks of the watch, and gone at the second, is no longer there: that is
/// told, though both looks have shown the same.
#[test]
fn what_was_there_only_when_it_was_read_is_reported_to_be_gone() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("policies");
    let pace =
        WatchOptions { poll: Duration::from_secs(2), patience: Duration::from_millis(200), ..POLL };
    let mut watch = Watch::start(vec![root.clone()], pace).unwrap();
    let files = watch.files();
    assert_eq!(files.load().errors.len(), 1);
    write(root.join("a.yaml"), "tags: [A]\n");
    assert_eq!(texts(&files.load()), ["tags: [A]\n"]);
    fs::remove_dir_all(&root).unwrap();
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let reported =
        runtime.block_on(async { timeout(EVENTS.patience, watch.changed()).await.is_ok() });
    assert!(reported, "what is read last is not there any more");
    assert_eq!(files.load().errors.len(), 1);
}
