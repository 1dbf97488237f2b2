use std::{
    convert::Infallible,
    future,
    hash::{BuildHasher, RandomState},
    ops::ControlFlow,
    time::Duration,
};

use etcd_client::{Client, EventType, KeyValue, WatchOptions, WatchResponse, WatchStream};
use tokio::{
    select,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

use super::{
    EtcdStore,
    link::{Failure, Link},
    listing::{CLOCK, Listing, MOST_BYTES, Place, known, unsigned},
};
use crate::{
    facts::{Key, Record, Version},
    store::{Entry, Event},
};

/// How often the clock is read.
const BEAT: Duration = Duration::from_secs(1);

/// The first and the longest wait before all nodes are tried again.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Follows what happens under the prefix, from one node to the next.
pub(super) struct Follower<'s> {
    store: &'s EtcdStore,
    /// Its own, so that a node that is slow to tell doesn't stop commits.
    link: Link,
    /// Everything up to this revision has been told.
    told: u64,
    /// When it last was known that everything had been told.
    contact: Instant,
    /// Of which cluster `told` is a revision.
    cluster: Option<u64>,
    each: &'s mut dyn FnMut(Event) -> ControlFlow<()>,
}

/// Why a watch is over.
enum Ended {
    /// Nobody listens any longer.
    Stopped,
    Failed(String),
    /// What happened since cannot be told any more.
    Gap,
}

/// When the clock was last written.
struct Beat {
    /// What had been told before it was asked.
    told: u64,
    /// When it had not been written since.
    revision: u64,
    written: u64,
    cluster: u64,
    asked: Instant,
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.why())
    }
}

impl<'s> Follower<'s> {
    pub(super) fn new(
        store: &'s EtcdStore,
        after: u64,
        each: &'s mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Self {
        let link = Link::new(&store.spec);
        Self { store, link, told: after, contact: Instant::now(), cluster: None, each }
    }

    /// Until nobody listens any longer.
    pub(super) async fn run(mut self) {
        let mut failures = 0;
        loop {
            let contact = self.contact;
            let why = match self.session().await {
                Ended::Stopped => return,
                Ended::Failed(why) => why,
                Ended::Gap => match self.relist().await {
                    Ok(()) => continue,
                    Err(Ended::Failed(why)) => why,
                    Err(Ended::Stopped | Ended::Gap) => return,
                },
            };
            self.link.leave();
            failures = if self.contact > contact { 1 } else { failures + 1 };
            let cut_off = Event::CutOff { since: self.contact.elapsed(), why };
            if (self.each)(cut_off).is_break() {
                return;
            }
            let nodes = self.store.spec.endpoints.len().max(1);
            if failures % nodes == 0 {
                sleep(wait(failures / nodes)).await;
            }
        }
    }

    /// One watch, to its end.
    async fn session(&mut self) -> Ended {
        match self.follow().await {
            Ok(never) => match never {},
            Err(ended) => ended,
        }
    }

    async fn follow(&mut self) -> Result<Infallible, Ended> {
        let patience = self.store.spec.request_timeout;
        let silent = || Ended::Failed(format!("no answer within {patience:?}"));
        let client = self.link.client().await?;
        let opening = open(client.clone(), self.store.spec.prefix.clone(), self.told + 1);
        let mut stream = timeout(patience, opening).await.map_err(|_| silent())??;

        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut asking: Option<JoinHandle<Result<Beat, Failure>>> = None;
        let mut due: Option<Beat> = None;
        let mut heard = Instant::now();
        loop {
            select! {
                message = stream.message() => {
                    let message = message.map_err(|error| Failure::of(&error, "watching"))?;
                    let ended = || Ended::Failed("the node ended the watch".to_owned());
                    self.take(&message.ok_or_else(ended)?)?;
                    heard = Instant::now();
                }
                beat = next(&mut asking) => {
                    asking = None;
                    due = Some(self.check(beat?)?);
                }
                _ = beats.tick() => {
                    let is_behind = due.as_ref().is_some_and(|beat| beat.asked.elapsed() > patience);
                    if is_behind && heard.elapsed() > patience {
                        return Err(Ended::Failed("the node does not tell what happened".to_owned()));
                    }
                    if asking.is_none() {
                        let clock = self.store.spec.key(CLOCK);
                        let asked = ask(client.clone(), clock, self.told, patience);
                        asking = Some(self.store.driver.handle().spawn(asked));
                    }
                }
            }
            if let Some(beat) = due.take_if(|beat| beat.written <= self.told) {
                self.told = self.told.max(beat.revision);
                self.tell(Event::Current { revision: self.told })?;
            }
        }
    }

    /// A beat, if it is of the cluster that is followed, and of no earlier time: a cluster that was
    /// restored from a backup begins anew.
    fn check(&mut self, beat: Beat) -> Result<Beat, Ended> {
        let is_other = self.cluster.is_some_and(|cluster| cluster != beat.cluster);
        self.cluster = Some(beat.cluster);
        if is_other || beat.revision < beat.told { Err(Ended::Gap) } else { Ok(beat) }
    }

    /// Tells what a node told, one commit at a time. A node tells each commit whole.
    fn take(&mut self, message: &WatchResponse) -> Result<(), Ended> {
        if message.compact_revision() > 0 {
            return Err(Ended::Gap);
        }
        if message.canceled() {
            return Err(Ended::Failed(message.cancel_reason().to_owned()));
        }
        let revision = |event: &etcd_client::Event| event.kv().map_or(0, KeyValue::mod_revision);
        for commit in message.events().chunk_by(|a, b| revision(a) == revision(b)) {
            let mut records = Vec::new();
            for event in commit {
                records.extend(self.record(event)?);
            }
            // Only what was written by others than daemons can be from before what was told.
            let committed = commit.first().map_or(0, revision);
            self.told = self.told.max(unsigned(committed));
            self.tell(Event::Changed { revision: self.told, records })?;
        }
        Ok(())
    }

    /// The record that an event is about, if it is about one that can be read.
    #[expect(clippy::type_complexity, reason = "an element of what an event holds")]
    fn record(
        &self,
        event: &etcd_client::Event,
    ) -> Result<Option<(Key, Option<(Version, Record)>)>, Ended> {
        let Some(kv) = event.kv() else { return Ok(None) };
        let is_gone = event.event_type() == EventType::Delete;
        let spec = &self.store.spec;
        let key = match Place::of(kv.key(), spec) {
            Place::Record(key) => key,
            // A listing finds out what the format is by now.
            Place::Marker if !is_gone => {
                let format = String::from_utf8_lossy(kv.value());
                return known(&format, spec).map(|()| None).map_err(|_| Ended::Gap);
            }
            Place::Stray(key) => {
                tracing::warn!(key, "under the prefix stands a key that is none of a record");
                return Ok(None);
            }
            Place::Marker | Place::Clock => return Ok(None),
        };
        if is_gone {
            self.store.damaged.forget(&key);
            return Ok(Some((key, None)));
        }
        match Record::decode(key.kind(), kv.value()) {
            Ok(record) => {
                self.store.damaged.forget(&key);
                Ok(Some((key, Some((unsigned(kv.mod_revision()), record)))))
            }
            Err(damaged) => {
                self.note(&key, damaged.to_string());
                Ok(None)
            }
        }
    }

    fn note(&self, key: &Key, why: String) {
        tracing::error!(%key, why, "a record can't be read; it stays as it was before");
        self.store.damaged.note(key.clone(), why);
    }

    /// Tells all there is, as after a gap. Records that can't be read are told as they were.
    async fn relist(&mut self) -> Result<(), Ended> {
        let failed = |error: crate::store::StoreError| Ended::Failed(error.to_string());
        let listing = Listing::read(&self.link, &self.store.spec).await.map_err(failed)?;
        listing.is_marked(&self.store.spec).map_err(failed)?;
        let mut records: Vec<Entry> = Vec::with_capacity(listing.kept.len());
        for entry in listing.decode() {
            match entry {
                Ok(entry) => {
                    self.store.damaged.forget(&entry.key);
                    records.push(entry);
                }
                Err((text, why)) => {
                    let Ok(key) = text.parse::<Key>() else { continue };
                    self.note(&key, why);
                    let last = self.store.mirror.get(&key);
                    records.extend(last.and_then(|raw| raw.decode(key).ok()));
                }
            }
        }
        self.told = listing.revision;
        self.cluster = None;
        self.tell(Event::Relisted { revision: listing.revision, records })
    }

    fn tell(&mut self, event: Event) -> Result<(), Ended> {
        self.contact = Instant::now();
        match (self.each)(event) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Ended::Stopped),
        }
    }
}

async fn open(client: Client, prefix: String, from: u64) -> Result<WatchStream, Failure> {
    let options = WatchOptions::new().with_prefix().with_start_revision(from.cast_signed());
    let mut client = client.watch_client().max_decoding_message_size(MOST_BYTES);
    client.watch(prefix, Some(options)).await.map_err(|error| Failure::of(&error, "watching"))
}

async fn ask(
    mut client: Client,
    clock: String,
    told: u64,
    patience: Duration,
) -> Result<Beat, Failure> {
    let asked = Instant::now();
    let lost = |_| Failure::Lost(format!("no answer within {patience:?}"));
    let got = timeout(patience, client.get(clock, None)).await.map_err(lost)?;
    let got = got.map_err(|error| Failure::of(&error, "watching"))?;
    let written = got.kvs().first().map_or(0, |kv| unsigned(kv.mod_revision()));
    let (revision, cluster) =
        got.header().map_or((0, 0), |header| (unsigned(header.revision()), header.cluster_id()));
    Ok(Beat { told, revision, written, cluster, asked })
}

/// What comes of the question, if one is asked.
async fn next(asking: &mut Option<JoinHandle<Result<Beat, Failure>>>) -> Result<Beat, Ended> {
    match asking {
        Some(asking) => match asking.await {
            Ok(beat) => Ok(beat?),
            Err(ended) => Err(Ended::Failed(ended.to_string())),
        },
        None => future::pending().await,
    }
}

/// Doubles with each round over all nodes, and is a little different for each daemon.
fn wait(round: usize) -> Duration {
    let doublings = u32::try_from(round.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    let longest = (FIRST_WAIT * 2_u32.pow(doublings)).min(LONGEST_WAIT);
    let chance = RandomState::new().hash_one(round) % 512;
    longest * u32::try_from(512 + chance).unwrap_or(1024) / 1024
}
