use std::{
    collections::{HashMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use tokio::sync::{oneshot, watch};
use tracing::{error, warn};

use super::{
    Batch, Contact, Facts, Message, Meter, WriteError, Written,
    asked::Asked,
    effective::now,
    once,
    plan::{Attempt, Done},
    records::Pending,
};
use crate::{
    compile::{self, Basis, Changed},
    facts::{ChangeSet, Key, Outcome, Refusal},
    live::{Served, serving::Serving},
    snapshot::View,
    store::{Commit, Store, StoreError},
};

/// The one who changes what is served while there are facts.
pub(in crate::live) struct Writer {
    pub(super) store: Arc<dyn Store>,
    served: Arc<Serving>,
    pub(super) inbox: mpsc::Receiver<Message>,
    /// What came while something else was waited for.
    pub(super) waiting: VecDeque<Message>,
    pub(super) view: View,
    /// Since which revision the facts are what they are, as far as that is known.
    pub(super) changed: u64,
    pub(super) basis: Arc<Basis>,
    pub(super) asked: Asked,
    /// What changed since a reload began.
    pub(super) journal: Option<Journal>,
    seen: watch::Sender<u64>,
    /// When idempotency keys were last looked through, and up to which.
    swept: Instant,
    sweep_from: Option<Key>,
    pub(super) contact: Arc<ArcSwap<Contact>>,
    meter: Arc<Meter>,
}

/// What changed, in order.
pub type Journal = Vec<Changed>;

/// How many batches are committed together at most.
const MOST_TOGETHER: usize = 256;

/// How often a batch is planned again because others changed what it read.
const MOST_TRIES: usize = 20;

/// How often to look for idempotency keys whose time is over.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// A batch that was planned.
struct Planned {
    batch: Batch,
    reply: Reply,
    /// Where its set stands in the group; `None` if the store need not be asked.
    set: Option<usize>,
    answer: Answer,
}

/// What is to be answered once all that was planned before is durable.
enum Answer {
    Outcomes(Vec<Result<Outcome, Refusal>>),
    Ready(Written),
    Failed(WriteError),
}

type Reply = oneshot::Sender<Result<Written, WriteError>>;

/// Batches that are planned one on the other, to be committed together.
struct Group {
    working: View,
    sets: Vec<ChangeSet>,
    /// Whether nobody may have changed anything since.
    is_exact: bool,
    /// How many records they read and write.
    records: usize,
    changes: Vec<Changed>,
    planned: Vec<Planned>,
}

type Asking = (Batch, Reply);

impl Writer {
    /// Starts a thread that serves what changes of the facts from now on, beginning with what is
    /// served.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(in crate::live) fn start(
        store: Arc<dyn Store>,
        served: &Arc<Serving>,
        basis: Arc<Basis>,
        asked: Asked,
    ) -> std::io::Result<Facts> {
        let (send, inbox) = mpsc::channel();
        let view = served.load().view.clone();
        let revision = view.revision.facts;
        let (seen, watching) = watch::channel(revision);
        let contact = Arc::new(ArcSwap::from_pointee(Contact::default()));
        let facts = Facts {
            store: Arc::clone(&store),
            inbox: send.clone(),
            seen: watching,
            contact: Arc::clone(&contact),
            meter: Arc::default(),
        };
        if store.is_shared() {
            let store = Arc::clone(&store);
            thread::Builder::new().name("facts-watch".into()).spawn(move || {
                store.watch(revision, &mut |event| match send.send(Message::Event(event)) {
                    Ok(()) => std::ops::ControlFlow::Continue(()),
                    Err(_) => std::ops::ControlFlow::Break(()),
                });
            })?;
        }
        let mut writer = Self {
            store,
            served: Arc::clone(served),
            inbox,
            waiting: VecDeque::new(),
            view,
            changed: revision,
            basis,
            asked,
            journal: None,
            seen,
            swept: Instant::now(),
            sweep_from: None,
            contact,
            meter: Arc::clone(&facts.meter),
        };
        thread::Builder::new().name("facts".into()).spawn(move || {
            if catch_unwind(AssertUnwindSafe(|| writer.run())).is_err() {
                error!("the writer of facts has failed: from now on none are written");
                writer.meter.writer_is_gone();
            }
        })?;
        Ok(facts)
    }

    fn run(&mut self) {
        while let Some(message) = self.next() {
            match message {
                Message::Write { batch, reply } => {
                    let mut batches = vec![(batch, reply)];
                    self.gather(&mut batches);
                    self.write(batches);
                }
                Message::Event(event) => self.take(&event),
                Message::Begin { reply } => {
                    self.journal = Some(Journal::new());
                    // Who asked is gone only with the daemon.
                    let _ = reply.send(self.served.load_full());
                }
                Message::End { swap, reply } => {
                    let _ = reply.send(self.end(swap));
                }
                Message::Stop => return,
            }
        }
    }

    /// The other batches that wait already: they share one commit.
    fn gather(&mut self, batches: &mut Vec<Asking>) {
        while batches.len() < MOST_TOGETHER {
            match self.waiting.pop_front().or_else(|| self.inbox.try_recv().ok()) {
                Some(Message::Write { batch, reply }) => batches.push((batch, reply)),
                // None may wait here while later ones are taken in, after a commit.
                Some(Message::Event(event)) => self.take(&event),
                Some(other) => return self.waiting.push_front(other),
                None => return,
            }
        }
    }

    /// What was served before, if something else is now.
    fn end(&mut self, swap: Option<Box<(View, Arc<Basis>)>>) -> Option<Arc<Served>> {
        let journal = self.journal.take().unwrap_or_default();
        let (mut view, basis) = *swap?;
        compile::catch_up(&mut view, &basis, &journal);
        view.revision.facts = self.view.revision.facts;
        (self.view, self.basis) = (view, basis);
        Some(self.publish())
    }

    /// Serves the view as it is now; what was served before.
    pub(super) fn publish(&mut self) -> Arc<Served> {
        let served = Served::new(self.view.clone(), Some(Arc::clone(&self.basis)));
        let replaced = self.served.swap(served);
        self.seen.send_replace(self.view.revision.facts);
        replaced
    }

    /// Carries batches out, and answers each.
    fn write(&mut self, batches: Vec<Asking>) {
        let mut batches = batches;
        for _ in 0..MOST_TRIES {
            let Some(again) = self.attempt(batches) else { return };
            batches = again;
            if !self.catch_up() {
                return answer_all(batches, &WriteError::Behind);
            }
            // The more go together, the more often one of them has been overtaken.
            let fewer = batches.len().div_ceil(2);
            self.put_off(batches.split_off(fewer));
        }
        answer_all(batches, &WriteError::Contended);
    }

    /// They are the next to be carried out.
    fn put_off(&mut self, batches: Vec<Asking>) {
        for (batch, reply) in batches.into_iter().rev() {
            self.waiting.push_front(Message::Write { batch, reply });
        }
    }

    /// Plans batches one after the other, and commits them together. They come back if they must be
    /// planned again, since what they read has changed in the store.
    fn attempt(&mut self, batches: Vec<Asking>) -> Option<Vec<Asking>> {
        let store = Arc::clone(&self.store);
        let Group { working, sets, is_exact, changes, planned, .. } = self.plan(batches, &*store);
        let begun = Instant::now();
        let committed = if sets.is_empty() {
            Ok(Commit::Done(Vec::new()))
        } else if is_exact {
            store.commit_after(self.view.revision.facts, &sets)
        } else {
            store.commit(&sets)
        };
        if !sets.is_empty() {
            self.meter.committed(begun.elapsed());
        }
        match committed {
            Ok(Commit::Done(revisions)) => {
                if !revisions.is_empty() {
                    self.note_presence(None);
                }
                let is_served = self.adopt(working, changes, &revisions);
                let latest = self.view.revision.facts;
                for Planned { batch, reply, set, answer } in planned {
                    let revision = set.and_then(|at| revisions.get(at)).copied();
                    // Who asked may have gone meanwhile.
                    let _ = reply.send(match (answer, revision) {
                        (Answer::Failed(error), _) => Err(error),
                        (_, Some(revision)) if !is_served => Err(WriteError::NotServed(revision)),
                        (Answer::Outcomes(outcomes), revision) => {
                            Ok(written(&batch, revision.unwrap_or(latest), outcomes))
                        }
                        (Answer::Ready(written), _) => Ok(written),
                    });
                }
                self.sweep();
                None
            }
            Ok(Commit::Stale) => {
                self.forget(&changes);
                Some(planned.into_iter().map(|planned| (planned.batch, planned.reply)).collect())
            }
            Err(error) => {
                error!(%error, "facts could not be written");
                self.note_presence(Some(&error));
                self.forget(&changes);
                let error = WriteError::from(error);
                for Planned { reply, .. } in planned {
                    let _ = reply.send(Err(error.clone()));
                }
                None
            }
        }
    }

    fn plan(&mut self, batches: Vec<Asking>, store: &dyn Store) -> Group {
        let before = self.view.revision.facts;
        let mut pending = Pending::new(store);
        let mut group = Group {
            working: self.view.clone(),
            sets: Vec::new(),
            is_exact: false,
            records: 0,
            changes: Vec::new(),
            planned: Vec::new(),
        };
        let mut put_off: Vec<Asking> = Vec::new();
        for (batch, reply) in batches {
            // Which revision comes next, only a store that is ours alone can tell.
            let is_first = group.sets.is_empty();
            let is_exact = store.is_shared() && batch.if_revision.is_some();
            if !put_off.is_empty() || is_exact && !is_first {
                put_off.push((batch, reply));
                continue;
            }
            let revision = if store.is_shared() {
                self.changed..=before
            } else {
                let next = before + group.sets.len() as u64;
                next..=next
            };
            let mut attempt = Attempt {
                working: group.working.clone(),
                changes: Vec::new(),
                places: HashMap::new(),
                basis: &self.basis,
                asked: &mut self.asked,
            };
            let planning = AssertUnwindSafe(|| attempt.plan(&batch, &revision, &pending));
            let Ok(planned) = catch_unwind(planning) else {
                error!("a batch could not be planned");
                attempt.undo();
                let answer = Answer::Failed(WriteError::Panicked);
                group.planned.push(Planned { batch, reply, set: None, answer });
                continue;
            };
            let planned = match planned {
                Ok(Done::Answered(written)) => Ok((ChangeSet::default(), Answer::Ready(written))),
                Ok(Done::Refused(set, written)) => Ok((set, Answer::Ready(written))),
                Ok(Done::Planned(set, outcomes)) => Ok((set, Answer::Outcomes(outcomes))),
                Err(error) => Err(error),
            };
            let (set, answer) = match planned {
                // Where others write too, even that nothing need be changed must be so by now.
                Ok((set, answer))
                    if set.is_empty() && (set.reads.is_empty() || !store.is_shared()) =>
                {
                    (None, answer)
                }
                Ok((set, answer)) => {
                    let found = set.reads.len().max(set.writes.len());
                    let most = store.most_records().unwrap_or(usize::MAX);
                    if found > most {
                        attempt.undo();
                        let error = StoreError::TooLarge { found, most };
                        (None, Answer::Failed(error.into()))
                    } else if group.records + found > most {
                        attempt.undo();
                        put_off.push((batch, reply));
                        continue;
                    } else {
                        // Of one that was refused, the commands before that one show in it.
                        if !set.is_empty() {
                            group.working = attempt.working;
                            group.changes.extend(attempt.changes);
                        }
                        group.records += found;
                        group.is_exact |= is_exact;
                        pending.write(&set);
                        group.sets.push(set);
                        (Some(group.sets.len() - 1), answer)
                    }
                }
                Err(error) => (None, Answer::Failed(error.into())),
            };
            group.planned.push(Planned { batch, reply, set, answer });
        }
        self.put_off(put_off);
        group
    }

    /// Removes idempotency keys whose time is over, some at a time.
    fn sweep(&mut self) {
        if self.swept.elapsed() < SWEEP_EVERY {
            return;
        }
        self.swept = Instant::now();
        let removed = once::expired(&*self.store, &mut self.sweep_from, now()).and_then(|set| {
            if set.is_empty() { Ok(None) } else { self.store.commit(&[set]).map(Some) }
        });
        match removed {
            Ok(Some(Commit::Done(revisions))) => {
                let (working, last) = (self.view.clone(), revisions);
                self.adopt(working, Vec::new(), &last);
            }
            Ok(_) => {}
            Err(error) => warn!(%error, "idempotency keys whose time is over are kept"),
        }
    }

    /// Serves what was committed: as it was planned, or where others write too, as it comes back.
    /// Whether it is served.
    fn adopt(&mut self, working: View, changes: Vec<Changed>, revisions: &[u64]) -> bool {
        let Some(&last) = revisions.last() else { return true };
        if self.store.is_shared() {
            self.forget(&changes);
            return self.wait_for(last);
        }
        self.view = working;
        self.view.revision.facts = last;
        self.changed = last;
        if let Some(journal) = &mut self.journal {
            journal.extend(changes);
        }
        self.publish();
        true
    }

    /// Takes back what planning noted of friends who were asked.
    fn forget(&mut self, changes: &[Changed]) {
        for change in changes.iter().rev() {
            self.asked.follow(&change.key, change.new.as_deref(), change.old.as_deref());
        }
    }
}

fn written(batch: &Batch, revision: u64, outcomes: Vec<Result<Outcome, Refusal>>) -> Written {
    if batch.each {
        return Written::Each { revision, outcomes };
    }
    // Of a batch that is refused over one of them, there are no outcomes.
    let outcomes = outcomes.into_iter().flatten().collect();
    Written::Done { revision, outcomes }
}

fn answer_all(batches: Vec<Asking>, error: &WriteError) {
    for (_, reply) in batches {
        let _ = reply.send(Err(error.clone()));
    }
}
