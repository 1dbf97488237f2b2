//! What changes around the daemons while they serve: policies, logs, certificates, signals, and etcd.

use std::{collections::BTreeMap, fs, os::unix::net::UnixStream, time::Duration};

use crate::{
    place::{Place, rules},
    support::client::Client,
};

/// A kind of change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    Reload,
    Broken,
    Hangup,
    Rotation,
    Scrape,
    Certificate,
    EtcdKilled,
    EtcdStarted,
}

/// How often each kind of change is made, and after which time first, in seconds.
const SCHEDULE: [(Kind, u64, u64); 8] = [
    (Kind::Reload, 4, 1),
    (Kind::Broken, 16, 6),
    (Kind::Hangup, 20, 8),
    (Kind::Rotation, 10, 5),
    (Kind::Scrape, 1, 1),
    (Kind::Certificate, 12, 4),
    (Kind::EtcdKilled, 40, 20),
    (Kind::EtcdStarted, 40, 23),
];

/// A change that was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) at: Duration,
    pub(crate) kind: Kind,
}

impl Kind {
    /// Whether it is seen in the plot: frequent ones would cover it.
    pub(crate) fn is_drawn(self) -> bool {
        !matches!(self, Self::Scrape | Self::Reload | Self::Hangup)
    }

    pub(crate) fn color(self) -> &'static str {
        match self {
            Self::EtcdKilled => "#f4b6b6",
            Self::EtcdStarted => "#b6e3b6",
            Self::Broken => "#f0dfa8",
            _ => "#e4e4ee",
        }
    }
}

/// The changes, as they come due.
pub(crate) struct Changes<'p> {
    place: &'p Place,
    next: BTreeMap<Kind, u64>,
    events: Vec<Event>,
    version: usize,
}

impl<'p> Changes<'p> {
    pub(crate) fn new(place: &'p Place) -> Self {
        let next = SCHEDULE.iter().map(|&(kind, _, first)| (kind, first)).collect();
        Self { place, next, events: Vec::new(), version: 0 }
    }

    /// Makes all changes that are due after this time.
    pub(crate) fn make(&mut self, at: Duration) {
        for (kind, period, _) in SCHEDULE {
            if at.as_secs() >= self.next[&kind] {
                self.next.insert(kind, self.next[&kind].max(at.as_secs()) + period);
                self.make_one(kind);
                self.events.push(Event { at, kind });
            }
        }
    }

    fn make_one(&mut self, kind: Kind) {
        match kind {
            Kind::Reload => {
                self.version += 1;
                self.place.save_rules(&rules(self.version));
            }
            Kind::Broken => self.place.save_rules("rule all: hasTag(member) -> [;\n"),
            Kind::Hangup => self.place.daemons().iter().for_each(|daemon| daemon.signal("HUP")),
            Kind::Rotation => {
                for log in self.place.logs() {
                    // One that was moved a moment ago may not be there again.
                    let _ = fs::rename(&log, log.with_extension("ndjson.1"));
                }
            }
            Kind::Scrape => {
                for mut client in self.clients() {
                    for path in ["/metrics", "/v1/status", "/readyz"] {
                        client.get(path);
                    }
                }
            }
            Kind::Certificate => self.place.change_certificate(self.count(Kind::Certificate) + 1),
            Kind::EtcdKilled => self.place.etcd.lock().unwrap().kill(0),
            Kind::EtcdStarted => self.place.etcd.lock().unwrap().run(0),
        }
    }

    fn clients(&self) -> impl Iterator<Item = Client<UnixStream>> {
        self.place
            .subjects()
            .iter()
            .map(|subject| Client::unix(&self.place.admin_socket(subject.name)))
    }

    /// Leaves everything well, and waits until the daemons say so.
    pub(crate) fn finish(&mut self) {
        if self.count(Kind::EtcdKilled) > self.count(Kind::EtcdStarted) {
            self.make_one(Kind::EtcdStarted);
        }
        self.place.save_rules(&rules(0));
        for subject in self.place.subjects() {
            subject.daemon.wait_for(subject.name, |_| {
                let mut client = Client::unix(&self.place.admin_socket(subject.name));
                let (ready, status) = (client.get("/readyz"), client.get("/v1/status").json());
                let is_well = ready.status == 200 && status["last_reload"]["ok"] == true;
                is_well.then_some(())
            });
        }
    }

    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    fn count(&self, kind: Kind) -> usize {
        self.events.iter().filter(|event| event.kind == kind).count()
    }

    pub(crate) fn summary(&self) -> String {
        let count = |(kind, _, _)| format!("{} {kind:?}", self.count(kind));
        SCHEDULE.map(count).join(", ")
    }

    /// The changes that a run should have made and did not, and those that the daemons did not notice.
    pub(crate) fn missing(&self, span: Duration) -> Vec<String> {
        let mut missing = Vec::new();
        for (kind, period, first) in SCHEDULE {
            let due = (span.as_secs().saturating_sub(first) / period) as usize;
            if self.count(kind) < due / 2 {
                missing.push(format!("only {} of {due} {kind:?} were made", self.count(kind)));
            }
        }
        for (subject, mut client) in self.place.subjects().iter().zip(self.clients()) {
            let reloads = client.get("/v1/status").json()["reloads"].clone();
            let count = |name: &str| reloads[name].as_u64().unwrap_or(0) as usize;
            if count("swapped") < self.count(Kind::Reload) / 2
                || count("refused") < self.count(Kind::Broken) / 2
            {
                missing.push(format!("{}: reloads were missed: {reloads}", subject.name));
            }
        }
        missing
    }
}
