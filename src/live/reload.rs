use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use arc_swap::ArcSwap;
use tracing::{debug, info, warn};

use super::{
    ChangeGuard, Held, Latest, Live, Outcome, Served,
    facts::{Facts, Loading, StoredFacts, Writer},
    serving::Serving,
};
use crate::{
    compile,
    diagnostic::{Code, Diagnostic, Diagnostics, Report},
    source::{self, Loaded},
    store::{Store, StoreError},
};

/// How reloads went since the start.
#[derive(Clone, Debug)]
pub struct Reloads {
    pub swapped: u64,
    pub refused: u64,
    /// Those that would have changed more than a reload may.
    pub held: u64,
    pub latest: Latest,
}

/// What a first reading came to: a policy to serve, or why there is none.
#[derive(Debug)]
pub enum Start {
    Serving(Arc<Live>),
    Refused(Report),
}

/// Why to look at the files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trigger {
    /// Something changed where they are.
    Changed,
    /// Someone asked for it.
    Requested,
    /// Someone asked for it, however much it changes.
    Forced,
    /// They could not be read before.
    Retry,
}

impl Live {
    /// Reloads whenever the channel says so, until all its senders are gone. What comes while a
    /// reload is under way makes one more, not one each: the newest files win.
    ///
    /// Files that can't be read are tried again after `retry`: what was in the way, a want of file
    /// descriptors say, may go without any change of theirs.
    pub fn follow(&self, triggers: &mpsc::Receiver<Trigger>, retry: Duration) {
        loop {
            let mut trigger = match self.next(triggers, retry) {
                Ok(trigger) => trigger,
                Err(RecvTimeoutError::Timeout) => Trigger::Retry,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            while let Ok(newer) = triggers.try_recv() {
                // Who insisted is heard, whatever comes after.
                trigger = if trigger == Trigger::Forced { trigger } else { newer };
            }
            debug!(?trigger, "reloading");
            self.reload(trigger == Trigger::Forced);
        }
    }

    fn next(
        &self,
        triggers: &mpsc::Receiver<Trigger>,
        retry: Duration,
    ) -> Result<Trigger, RecvTimeoutError> {
        if self.reloads().latest.is_unread() {
            triggers.recv_timeout(retry)
        } else {
            triggers.recv().map_err(|_| RecvTimeoutError::Disconnected)
        }
    }

    /// Reads and compiles the files for the first time. A policy with errors is refused.
    pub fn start(paths: Vec<PathBuf>) -> Start {
        Self::start_guarded(paths, None)
    }

    /// The same; a later policy that changes more than the guard lets through is held back.
    pub fn start_guarded(paths: Vec<PathBuf>, guard: Option<ChangeGuard>) -> Start {
        let begun = Instant::now();
        let outcome = compile::build(&source::load(&paths), None);
        Self::begin(paths, guard, begun, outcome)
    }

    /// The same with the facts of a store, which change while they are served.
    ///
    /// # Errors
    /// If the facts can't be read.
    pub fn start_with(
        paths: Vec<PathBuf>,
        guard: Option<ChangeGuard>,
        store: Arc<dyn Store>,
    ) -> Result<Start, StoreError> {
        let begun = Instant::now();
        let loading = Loading::new(&*store);
        let outcome = compile::start(&source::load(&paths), &loading)?;
        let asked = loading.into_asked();
        let Some(basis) = outcome.basis.clone() else {
            return Ok(Start::Refused(outcome.report));
        };
        let mut start = Self::begin(paths, guard, begun, outcome);
        if let Start::Serving(live) = &mut start
            && let Some(live) = Arc::get_mut(live)
        {
            let doing = "followed by a thread of its own";
            let facts = Writer::start(store, &live.served, basis, asked)
                .map_err(|error| StoreError::Io { doing, why: error.to_string() })?;
            live.facts = Some(facts);
        }
        Ok(start)
    }

    fn begin(
        paths: Vec<PathBuf>,
        guard: Option<ChangeGuard>,
        begun: Instant,
        outcome: compile::Outcome,
    ) -> Start {
        let Some(view) = outcome.view else { return Start::Refused(outcome.report) };
        let latest = Latest {
            outcome: Outcome::Swapped,
            at: SystemTime::now(),
            took: begun.elapsed(),
            report: outcome.report,
            held: None,
        };
        Start::Serving(Arc::new(Self {
            paths,
            facts: None,
            served: Arc::new(Serving::new(Served::new(view, outcome.basis))),
            reloads: ArcSwap::from_pointee(Reloads { swapped: 0, refused: 0, held: 0, latest }),
            writer: Mutex::new(()),
            guard,
        }))
    }

    /// Reads the files anew and serves what they say, if it is right and something else than
    /// before. What changes more than the guard lets through is held back, unless it is `forced`.
    /// Takes as long as compiling takes, on this thread, and comparing if there is a guard; readers
    /// are not disturbed, nor are those who write facts.
    pub fn reload(&self, forced: bool) -> Outcome {
        let _one_at_a_time = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = Instant::now();
        let before = self.facts.as_ref().and_then(Facts::begin);
        let before = before.unwrap_or_else(|| self.served.load_full());
        let loaded = source::load(&self.paths);
        let compiled = self.compile(&loaded, &before);
        let known = before.view.revision.policy;
        let changed = compiled.view.as_ref().filter(|it| it.revision.policy != known);
        let guard = self.guard.filter(|_| !forced);
        let held = if let (Some(view), Some(guard)) = (changed, guard) {
            guard.holds(&before.view, view, loaded)
        } else {
            drop(loaded);
            None
        };
        let outcome = match &compiled.view {
            None => Outcome::Refused,
            Some(view) if view.revision.policy == known => Outcome::Unchanged,
            Some(_) if held.is_some() => Outcome::Held,
            Some(_) => Outcome::Swapped,
        };
        // Where files say the same elsewhere, facts that they state must be told of by the new place.
        let moves = self.facts.is_some() && outcome == Outcome::Unchanged;
        let swap = compiled.view.filter(|_| outcome == Outcome::Swapped || moves);
        let replaced = match &self.facts {
            Some(facts) if facts.is_writable() => facts.end(swap.zip(compiled.basis)),
            // Without a writer of facts, nobody else changes what is served.
            _ => swap.map(|view| self.served.swap(Served::new(view, compiled.basis))),
        };
        self.note(outcome, begun, compiled.report, held);
        drop(before);
        if let Some(replaced) = replaced {
            retire(&replaced);
        }
        outcome
    }

    fn compile(&self, loaded: &Loaded, before: &Served) -> compile::Outcome {
        let (Some(facts), Some(basis)) = (&self.facts, &before.basis) else {
            return compile::build(loaded, Some(&before.view));
        };
        let stored = StoredFacts(&*facts.store);
        compile::rebuild(loaded, &before.view, basis, &stored).unwrap_or_else(|error| {
            let mut problems = Diagnostics::default();
            let message = format!("the facts can't be read: {error}");
            problems.push(Diagnostic::global(Code::Unreadable, message));
            let report = Report::new(problems, &loaded.sources);
            compile::Outcome { view: None, basis: None, report }
        })
    }

    fn note(&self, outcome: Outcome, begun: Instant, report: Report, held: Option<Held>) {
        let took = begun.elapsed();
        let revision = self.served.load().revision.clone();
        match outcome {
            Outcome::Swapped => info!(%revision, ?took, "serving the new policy"),
            Outcome::Unchanged => info!(%revision, "the policy says what it said before"),
            Outcome::Refused => warn!(
                %revision,
                errors = report.errors,
                "the policy has errors; the last good one goes on being served"
            ),
            Outcome::Held => warn!(
                %revision,
                change = held.as_ref().map_or("", |held| &held.summary),
                "the policy changes more than --max-changed; the last one goes on being served"
            ),
        }
        let earlier = self.reloads.load();
        let reloads = Reloads {
            swapped: earlier.swapped + u64::from(outcome == Outcome::Swapped),
            refused: earlier.refused + u64::from(outcome == Outcome::Refused),
            held: earlier.held + u64::from(outcome == Outcome::Held),
            latest: Latest { outcome, at: SystemTime::now(), took, report, held },
        };
        self.reloads.store(Arc::new(reloads));
    }
}

/// Frees what is no longer served here and not in the middle of a request: waits a moment for the
/// requests that still read it.
fn retire(served: &Arc<Served>) {
    let patience = Instant::now() + Duration::from_secs(1);
    while Arc::strong_count(served) > 1 && Instant::now() < patience {
        thread::sleep(Duration::from_millis(1));
    }
}
