//! The watch on the keys of a store, from node to node.

use std::{
    convert::Infallible,
    future,
    hash::{BuildHasher, RandomState},
    ops::ControlFlow,
    sync::Arc,
    time::Duration,
};

use etcd_client::{Client, EventType, KeyValue, WatchOptions, WatchResponse, WatchStream};
use tokio::{
    select,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

use super::{
    config::EtcdConfig,
    damaged_keys::DamagedKeys,
    driver::Driver,
    failover_client::{EtcdCallError, FailoverClient},
    listing::{CLOCK, EtcdKey, EtcdListing, MOST_BYTES, check_format, unsigned},
    mirror::Mirror,
};
use crate::{
    facts::{Record, RecordKey, Version},
    store::{StoreEvent, StoredRecord},
};

/// The interval at which the clock is read.
const CLOCK_INTERVAL: Duration = Duration::from_secs(1);

/// The shortest and the longest delay before all nodes are tried again.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The parts of a store that its watcher uses.
#[derive(Clone, Copy)]
pub(super) struct WatchedStore<'s> {
    pub(super) config: &'s Arc<EtcdConfig>,
    pub(super) driver: &'s Driver,
    pub(super) mirror: &'s Mirror,
    pub(super) damaged: &'s DamagedKeys,
}

/// The watcher of the keys under the prefix, with failover from node to node.
pub(super) struct EtcdWatcher<'s> {
    store: WatchedStore<'s>,
    /// Its own client, so that a node that is slow to deliver doesn't delay commits.
    link: FailoverClient,
    /// The last revision that was delivered to the listener.
    delivered: u64,
    /// The last time at which everything was known to be delivered.
    contact: Instant,
    /// The cluster of which `delivered` is a revision.
    cluster: Option<u64>,
    each: &'s mut dyn FnMut(StoreEvent) -> ControlFlow<()>,
}

/// Why a watch ended.
enum WatchEnd {
    /// The listener is gone.
    Stopped,
    Failed(String),
    /// The events since then are compacted.
    Gap,
}

/// A read of the clock.
struct ClockRead {
    /// The revision that had been delivered before the read.
    delivered: u64,
    /// The revision of the cluster at the read.
    revision: u64,
    /// The revision of the last write to the clock.
    written: u64,
    cluster: u64,
    /// When the read began.
    started: Instant,
}

impl From<EtcdCallError> for WatchEnd {
    fn from(failure: EtcdCallError) -> Self {
        Self::Failed(failure.into_message())
    }
}

impl<'s> EtcdWatcher<'s> {
    pub(super) fn new(
        store: WatchedStore<'s>,
        after: u64,
        each: &'s mut dyn FnMut(StoreEvent) -> ControlFlow<()>,
    ) -> Self {
        let link = FailoverClient::new(store.config);
        Self { store, link, delivered: after, contact: Instant::now(), cluster: None, each }
    }

    /// Runs until the listener is gone.
    pub(super) async fn run(mut self) {
        let mut failures = 0;
        // What a copy lacks is not known to any event.
        let mut begins_with_listing = self.store.mirror.is_from_copy();
        loop {
            let contact = self.contact;
            let ended = if begins_with_listing { WatchEnd::Gap } else { self.session().await };
            let why = match ended {
                WatchEnd::Stopped => return,
                WatchEnd::Failed(why) => why,
                WatchEnd::Gap => match self.relist(begins_with_listing).await {
                    Ok(()) => {
                        begins_with_listing = false;
                        continue;
                    }
                    Err(WatchEnd::Failed(why)) => why,
                    Err(WatchEnd::Stopped | WatchEnd::Gap) => return,
                },
            };
            self.link.leave();
            failures = if self.contact > contact { 1 } else { failures + 1 };
            let cut_off = StoreEvent::Disconnected { since: self.contact.elapsed(), why };
            if (self.each)(cut_off).is_break() {
                return;
            }
            let nodes = self.store.config.endpoints.len().max(1);
            if failures % nodes == 0 {
                sleep(retry_delay(failures / nodes)).await;
            }
        }
    }

    /// Runs one watch to its end.
    async fn session(&mut self) -> WatchEnd {
        match self.follow().await {
            Ok(never) => match never {},
            Err(ended) => ended,
        }
    }

    async fn follow(&mut self) -> Result<Infallible, WatchEnd> {
        let patience = self.store.config.request_timeout;
        let silent = || WatchEnd::Failed(format!("no answer within {patience:?}"));
        let client = self.link.client().await?;
        let opening = open(client.clone(), self.store.config, self.delivered + 1);
        let mut stream = timeout(patience, opening).await.map_err(|_| silent())??;

        let mut beats = interval(CLOCK_INTERVAL);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut reading: Option<JoinHandle<Result<ClockRead, EtcdCallError>>> = None;
        let mut due: Option<ClockRead> = None;
        let mut heard = Instant::now();
        loop {
            select! {
                message = stream.message() => {
                    let message = message.map_err(|error| EtcdCallError::from_etcd(&error, "watching"))?;
                    let ended = || WatchEnd::Failed("the node ended the watch".to_owned());
                    self.deliver_response(&message.ok_or_else(ended)?)?;
                    heard = Instant::now();
                }
                beat = pending_clock_read(&mut reading) => {
                    reading = None;
                    due = Some(self.check_clock(beat?)?);
                }
                _ = beats.tick() => {
                    let is_behind = due.as_ref().is_some_and(|beat| beat.started.elapsed() > patience);
                    if is_behind && heard.elapsed() > patience {
                        return Err(WatchEnd::Failed("the node delivers no events".to_owned()));
                    }
                    if reading.is_none() {
                        let clock = self.store.config.key(CLOCK);
                        let read = read_clock(client.clone(), clock, self.delivered, patience);
                        reading = Some(self.store.driver.handle().spawn(read));
                    }
                }
            }
            if let Some(beat) = due.take_if(|beat| beat.written <= self.delivered) {
                self.delivered = self.delivered.max(beat.revision);
                self.deliver(StoreEvent::Current { revision: self.delivered })?;
            }
        }
    }

    /// Checks that a read of the clock is of the watched cluster, and not of an earlier revision: a
    /// cluster that was restored from a backup starts over.
    fn check_clock(&mut self, beat: ClockRead) -> Result<ClockRead, WatchEnd> {
        let is_other = self.cluster.is_some_and(|cluster| cluster != beat.cluster);
        self.cluster = Some(beat.cluster);
        if is_other || beat.revision < beat.delivered { Err(WatchEnd::Gap) } else { Ok(beat) }
    }

    /// Delivers the events of a response, one commit at a time. A node sends each commit whole.
    fn deliver_response(&mut self, message: &WatchResponse) -> Result<(), WatchEnd> {
        if message.compact_revision() > 0 {
            return Err(WatchEnd::Gap);
        }
        if message.canceled() {
            return Err(WatchEnd::Failed(message.cancel_reason().to_owned()));
        }
        let revision = |event: &etcd_client::Event| event.kv().map_or(0, KeyValue::mod_revision);
        for commit in message.events().chunk_by(|a, b| revision(a) == revision(b)) {
            let mut records = Vec::new();
            for event in commit {
                records.extend(self.record(event)?);
            }
            // Only a write of another program can be older than what was delivered.
            let committed = commit.first().map_or(0, revision);
            self.delivered = self.delivered.max(unsigned(committed));
            self.deliver(StoreEvent::Changed { revision: self.delivered, records })?;
        }
        Ok(())
    }

    /// The record of an event, if it is of one that can be read.
    #[expect(clippy::type_complexity, reason = "an element of what an event holds")]
    fn record(
        &self,
        event: &etcd_client::Event,
    ) -> Result<Option<(RecordKey, Option<(Version, Record)>)>, WatchEnd> {
        let Some(kv) = event.kv() else { return Ok(None) };
        let is_gone = event.event_type() == EventType::Delete;
        let spec = self.store.config;
        let key = match EtcdKey::parse(kv.key(), spec) {
            EtcdKey::Record(key) => key,
            // A listing reads the format again.
            EtcdKey::Marker if !is_gone => {
                let format = String::from_utf8_lossy(kv.value());
                return check_format(&format, spec).map(|_| None).map_err(|_| WatchEnd::Gap);
            }
            EtcdKey::Stray(key) => {
                tracing::warn!(key, "ignoring a key under the prefix that is not of a record");
                return Ok(None);
            }
            EtcdKey::Marker | EtcdKey::Clock => return Ok(None),
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

    fn note(&self, key: &RecordKey, why: String) {
        tracing::error!(%key, why, "a record can't be read; its last good version stays in force");
        self.store.damaged.note(key.clone(), why);
    }

    /// Delivers all records, as after a gap. Records that can't be read are delivered as they were.
    /// A copy is not replaced by a store that holds nothing.
    async fn relist(&mut self, is_after_copy: bool) -> Result<(), WatchEnd> {
        let failed = |error: crate::store::StoreError| WatchEnd::Failed(error.to_string());
        let listing = EtcdListing::read(&self.link, self.store.config).await.map_err(failed)?;
        let is_marked = listing.is_marked(self.store.config).map_err(failed)?;
        if is_after_copy && !is_marked {
            let why = "the store is empty, and the copy of its facts is not; restore it, or start without the copy";
            return Err(WatchEnd::Failed(why.to_owned()));
        }
        let mut records: Vec<StoredRecord> = Vec::with_capacity(listing.kept.len());
        for entry in listing.decode() {
            match entry {
                Ok(entry) => {
                    self.store.damaged.forget(&entry.key);
                    records.push(entry);
                }
                Err((text, why)) => {
                    let Ok(key) = text.parse::<RecordKey>() else { continue };
                    self.note(&key, why);
                    let last = self.store.mirror.get(&key);
                    records.extend(last.and_then(|raw| raw.decode(key).ok()));
                }
            }
        }
        let before = self.store.mirror.expect_listing(listing.cluster);
        if before.is_some_and(|before| before != listing.cluster) {
            tracing::warn!(
                "the store is of another cluster: its records replace those that were known"
            );
        }
        self.delivered = listing.revision;
        self.cluster = None;
        self.deliver(StoreEvent::Relisted { revision: listing.revision, records })
    }

    fn deliver(&mut self, event: StoreEvent) -> Result<(), WatchEnd> {
        self.contact = Instant::now();
        match (self.each)(event) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(WatchEnd::Stopped),
        }
    }
}

async fn open(
    client: Client,
    config: &EtcdConfig,
    from: u64,
) -> Result<WatchStream, EtcdCallError> {
    let options = WatchOptions::new();
    let options = options.with_range(config.end()).with_start_revision(from.cast_signed());
    let mut client = client.watch_client().max_decoding_message_size(MOST_BYTES);
    client
        .watch(config.prefix.as_str(), Some(options))
        .await
        .map_err(|error| EtcdCallError::from_etcd(&error, "watching"))
}

async fn read_clock(
    mut client: Client,
    clock: String,
    delivered: u64,
    patience: Duration,
) -> Result<ClockRead, EtcdCallError> {
    let started = Instant::now();
    let lost = |_| EtcdCallError::Lost(format!("no answer within {patience:?}"));
    let got = timeout(patience, client.get(clock, None)).await.map_err(lost)?;
    let got = got.map_err(|error| EtcdCallError::from_etcd(&error, "watching"))?;
    let written = got.kvs().first().map_or(0, |kv| unsigned(kv.mod_revision()));
    let (revision, cluster) =
        got.header().map_or((0, 0), |header| (unsigned(header.revision()), header.cluster_id()));
    Ok(ClockRead { delivered, revision, written, cluster, started })
}

/// The result of the pending read of the clock, if there is one.
async fn pending_clock_read(
    asking: &mut Option<JoinHandle<Result<ClockRead, EtcdCallError>>>,
) -> Result<ClockRead, WatchEnd> {
    match asking {
        Some(asking) => match asking.await {
            Ok(beat) => Ok(beat?),
            Err(ended) => Err(WatchEnd::Failed(ended.to_string())),
        },
        None => future::pending().await,
    }
}

/// The delay before a retry: doubles with each round over all nodes, with some jitter.
fn retry_delay(round: usize) -> Duration {
    let doublings = u32::try_from(round.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    let longest = (FIRST_WAIT * 2_u32.pow(doublings)).min(LONGEST_WAIT);
    let chance = RandomState::new().hash_one(round) % 512;
    longest * u32::try_from(512 + chance).unwrap_or(1024) / 1024
}
