use std::{
    sync::{
        Arc, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use tracing::debug;

use super::{
    Latest, Live, Outcome, ReloadGuard, Served,
    facts::{Facts, StoredFacts},
    state::StateDir,
};
use crate::{
    compile,
    diagnostic::{Code, Diagnostic, Diagnostics, Report},
    source::Loaded,
};

/// How reloads went since the start.
#[derive(Clone, Debug)]
pub struct Reloads {
    pub swapped: u64,
    pub refused: u64,
    /// Those of a policy that was not taken by itself.
    pub held: u64,
    pub latest: Latest,
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
    /// They could not be read before, or not be kept.
    Retry,
    /// The daemon began with the last good files.
    Start,
}

/// How long to wait before it is tried again to keep the last good files.
const RETRY_KEEPING: Duration = Duration::from_secs(60);

impl Live {
    /// Reloads whenever the channel says so, until all its senders are gone. What comes while a
    /// reload is under way makes one more, not one each: the newest files win.
    ///
    /// Files that can't be read are tried again after `retry`: what was in the way, a want of file
    /// descriptors say, may go without any change of theirs.
    ///
    /// Each is told of, with what came of it.
    pub fn follow(
        &self,
        triggers: &mpsc::Receiver<Trigger>,
        retry: Duration,
        tell: impl Fn(Trigger, Outcome),
    ) {
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
            if trigger == Trigger::Changed && !self.files.have_changed() {
                debug!("nothing but what was read already");
                continue;
            }
            debug!(?trigger, "reloading");
            tell(trigger, self.reload_for(trigger).latest.outcome);
        }
    }

    fn next(
        &self,
        triggers: &mpsc::Receiver<Trigger>,
        retry: Duration,
    ) -> Result<Trigger, RecvTimeoutError> {
        if self.reloads().latest.is_unread() {
            triggers.recv_timeout(retry)
        } else if self.state.as_ref().is_some_and(StateDir::has_failed) {
            triggers.recv_timeout(retry.max(RETRY_KEEPING))
        } else {
            triggers.recv().map_err(|_| RecvTimeoutError::Disconnected)
        }
    }

    /// Reads the files again and serves what they say, if it is right and something else than before.
    /// What the guard does not let through is held, unless it is `forced`. Takes as long as compiling
    /// takes, on this thread, and comparing where there is much to compare; readers are not disturbed,
    /// nor are those who write facts.
    pub fn reload(&self, forced: bool) -> Outcome {
        self.reload_and_report(forced).latest.outcome
    }

    /// The same, with how reloads went up to this one: its `latest` is of this reload, also where
    /// another follows at once.
    pub fn reload_and_report(&self, forced: bool) -> Arc<Reloads> {
        self.reload_for(if forced { Trigger::Forced } else { Trigger::Requested })
    }

    fn reload_for(&self, trigger: Trigger) -> Arc<Reloads> {
        let _one_at_a_time = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.take_loaded(self.files.load(), trigger)
    }

    /// The same of files that were read already.
    pub(super) fn take(&self, loaded: Loaded, trigger: Trigger) -> Outcome {
        let _one_at_a_time = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.take_loaded(loaded, trigger).latest.outcome
    }

    fn take_loaded(&self, loaded: Loaded, trigger: Trigger) -> Arc<Reloads> {
        let begun = Instant::now();
        let before = self.facts.as_ref().and_then(Facts::begin);
        let before = before.unwrap_or_else(|| self.served.load_full());
        let compiled = self.compile(&loaded, &before);
        let known = before.view.revision.policy;
        let changed = compiled.view.as_ref().filter(|it| it.revision.policy != known);
        let guard = if trigger == Trigger::Forced { ReloadGuard::OFF } else { self.guard };
        let held = changed.and_then(|view| guard.holds(&before.view, view, &loaded));
        let outcome = match &compiled.view {
            None => Outcome::Refused,
            Some(view) if view.revision.policy == known => Outcome::Unchanged,
            Some(_) if held.is_some() => Outcome::Held,
            Some(_) => Outcome::Swapped,
        };
        // Only where they are kept, their text stays in memory until they are served.
        let keep = self.state.as_ref().filter(|_| outcome.is_current()).map(|state| {
            let digest = compiled.view.as_ref().map(|view| view.revision.policy_hex());
            (state, loaded, digest.unwrap_or_default())
        });
        // Where files say the same elsewhere, facts that they state must be told of by the new place.
        let moves = self.facts.is_some() && outcome == Outcome::Unchanged;
        let swap = compiled.view.filter(|_| outcome == Outcome::Swapped || moves);
        let replaced = match &self.facts {
            Some(facts) if facts.is_writable() => facts.end(swap.zip(compiled.basis)),
            // Without a writer of facts, nobody else changes what is served.
            _ => swap.map(|view| self.served.swap(Served::new(view, compiled.basis))),
        };
        let latest = Latest {
            outcome,
            at: SystemTime::now(),
            took: begun.elapsed(),
            report: compiled.report,
            held,
        };
        let reloads = self.note(trigger, latest);
        drop(before);
        if let Some((state, loaded, digest)) = keep {
            state.save(&loaded, digest);
        }
        if let Some(replaced) = replaced {
            retire(&replaced);
        }
        reloads
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

    fn note(&self, trigger: Trigger, latest: Latest) -> Arc<Reloads> {
        let earlier = self.reloads.load();
        self.log_reload(trigger, &earlier.latest, &latest);
        let is = |outcome| u64::from(latest.outcome == outcome);
        let reloads = Arc::new(Reloads {
            swapped: earlier.swapped + is(Outcome::Swapped),
            refused: earlier.refused + is(Outcome::Refused),
            held: earlier.held + is(Outcome::Held),
            latest,
        });
        self.reloads.store(Arc::clone(&reloads));
        reloads
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
