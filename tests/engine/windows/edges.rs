//! The edges of windows in a policy that is served: each changes the view, whole, within a second.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use peerage::{
    decide::decide,
    live::{Clock, Live, LiveOptions, StartOutcome, Timekeeper, Trigger},
    request::{Action, Moment, Request},
    store::{EmbeddedStore, Store},
};
use tempfile::TempDir;

use super::{WINDOWS, moment};

/// A clock that the test sets.
#[derive(Default, Debug)]
struct TestClock(AtomicU64);

impl TestClock {
    fn set(&self, at: &str) {
        self.0.store(moment(at).millis(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        Moment::from_millis(self.0.load(Ordering::SeqCst))
    }
}

struct Served {
    live: Arc<Live>,
    clock: Arc<TestClock>,
    /// The number of the first view, less one: views are counted from 1 here.
    before: u64,
    folder: TempDir,
    _time: Timekeeper,
}

impl Served {
    fn start(policy: &str, at: &str, with_facts: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.peerage");
        fs::write(&file, policy).unwrap();
        let clock = Arc::new(TestClock::default());
        clock.set(at);
        let store = with_facts.then(|| {
            let store = EmbeddedStore::open(folder.path().join("facts.redb")).unwrap();
            Arc::new(store) as Arc<dyn Store>
        });
        let options = LiveOptions { clock: clock.clone(), ..LiveOptions::new(vec![file]) };
        let start = Live::start(&options, store).unwrap();
        let StartOutcome::Serving(live) = start else { panic!("{start:?}") };
        let before = live.served().number - 1;
        let time = Timekeeper::start(&live).unwrap();
        Self { live, clock, before, folder, _time: time }
    }

    fn allows(&self) -> bool {
        decide(&self.live.served().view, &Request::new("a", Action::StartChat, "b")).allow
    }

    fn number(&self) -> u64 {
        self.live.served().number - self.before
    }

    #[track_caller]
    fn wait_for_number(&self, number: u64) {
        let begun = Instant::now();
        while self.number() < number {
            assert!(begun.elapsed() < Duration::from_secs(10), "view {}", self.number());
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(self.number(), number);
    }
}

#[test]
fn the_served_view_changes_at_each_edge_once() {
    for with_facts in [false, true] {
        let policy = format!("{WINDOWS}rule: all(hasTag(a), during(work)) -> [b];\n");
        let served = Served::start(&policy, "2026-11-30T06:59:00Z", with_facts);
        let revision = served.live.served().revision.clone();
        assert_eq!((served.number(), served.allows()), (1, false));
        served.clock.set("2026-11-30T07:00:00Z");
        served.wait_for_number(2);
        assert!(served.allows());
        served.clock.set("2026-11-30T15:00:00Z");
        served.wait_for_number(3);
        assert!(!served.allows());
        // Several edges that are due are one change.
        served.clock.set("2026-12-01T09:00:00Z");
        served.wait_for_number(4);
        assert!(served.allows());
        // The clock steps back.
        served.clock.set("2026-11-30T06:00:00Z");
        served.wait_for_number(5);
        assert!(!served.allows());
        served.clock.set("2026-11-30T07:00:01Z");
        served.wait_for_number(6);
        assert!(served.allows());
        assert_eq!(served.live.served().revision, revision, "the policy is the same");
    }
}

#[test]
fn a_reload_is_as_of_the_present_moment() {
    for with_facts in [false, true] {
        let policy = format!("{WINDOWS}rule: all(hasTag(a), during(night)) -> [b];\n");
        let served = Served::start(&policy, "2026-11-30T12:00:00Z", with_facts);
        assert!(!served.allows());
        let file = served.folder.path().join("policy.peerage");
        fs::write(&file, policy.replace("22:00", "11:00")).unwrap();
        served.live.reload(Trigger::Requested);
        assert!(served.allows());
        assert_eq!(served.number(), 2);
        served.clock.set("2026-12-01T06:00:00Z");
        served.wait_for_number(3);
        assert!(!served.allows());
    }
}

#[test]
fn a_policy_without_windows_is_never_changed_by_time() {
    let served =
        Served::start("rule: everyone -> everyone;\nuser a {}\n", "2026-11-30T12:00:00Z", false);
    served.clock.set("2027-11-30T12:00:00Z");
    thread::sleep(Duration::from_millis(20));
    assert_eq!(served.number(), 1);
    assert_eq!(served.live.served().view.next_change(), None);
}
