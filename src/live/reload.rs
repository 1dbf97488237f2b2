//! Reloads: the files are read again, compiled, and served if the guard lets them through.

use std::{
    sync::{
        Arc, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant, SystemTime},
};

use tracing::debug;

use super::{
    LatestReload, Live, ReloadGuard, ReloadHistory, ReloadOutcome, ServedPolicy, Trigger,
    facts::{FactsHandle, ReloadedView, StoreRecords},
    reload_changes,
    state::StateDir,
};
use crate::{
    compile,
    diagnostic::{Code, Diagnostic, Diagnostics, Report},
    snapshot::Concerned,
    source::LoadedSources,
};

/// The wait before another attempt to save the last good files.
const RETRY_KEEPING: Duration = Duration::from_secs(60);

impl Live {
    /// Reloads for each trigger of the channel, until all its senders are dropped. Triggers that arrive
    /// during a reload are merged into one: the newest files win.
    ///
    /// Files that can't be read are tried again after `retry`: the cause, such as a lack of file
    /// descriptors, may pass without a change of the files.
    ///
    /// `report` is called after each reload, with its outcome.
    pub fn run_reloads(
        &self,
        triggers: &mpsc::Receiver<Trigger>,
        retry: Duration,
        report: impl Fn(Trigger, ReloadOutcome),
    ) {
        loop {
            let mut trigger = match self.next_trigger(triggers, retry) {
                Ok(trigger) => trigger,
                Err(RecvTimeoutError::Timeout) => Trigger::Retry,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            while let Ok(newer) = triggers.try_recv() {
                // A forced reload stays forced, and a requested one is not skipped, when later triggers are
                // merged into it.
                trigger = match (trigger, newer) {
                    (Trigger::Forced, _) | (Trigger::Requested, Trigger::Changed) => trigger,
                    _ => newer,
                };
            }
            if trigger == Trigger::Changed && !self.files.have_changed() {
                debug!("no file has changed since it was read");
                continue;
            }
            debug!(?trigger, "reloading");
            report(trigger, self.reload(trigger));
        }
    }

    fn next_trigger(
        &self,
        triggers: &mpsc::Receiver<Trigger>,
        retry: Duration,
    ) -> Result<Trigger, RecvTimeoutError> {
        if self.reloads().latest.is_unreadable() {
            triggers.recv_timeout(retry)
        } else if self.state.as_ref().is_some_and(StateDir::has_failed) {
            triggers.recv_timeout(retry.max(RETRY_KEEPING))
        } else {
            triggers.recv().map_err(|_| RecvTimeoutError::Disconnected)
        }
    }

    /// Reads the files again and serves their policy, if it has no errors and differs from the served one. A
    /// policy that the guard does not let through is held, unless the reload is [forced](Trigger::Forced).
    ///
    /// Takes as long as compiling, on this thread, and comparing where there is much to compare; readers
    /// are not disturbed, nor are writers of facts.
    pub fn reload(&self, trigger: Trigger) -> ReloadOutcome {
        self.reload_and_report(trigger).latest.outcome
    }

    /// Reloads, and returns the history up to this reload, which is its `latest` even if another follows
    /// at once.
    pub fn reload_and_report(&self, trigger: Trigger) -> Arc<ReloadHistory> {
        let _one_at_a_time = self.reload_lock.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = self.files.load();
        self.adopt_loaded(loaded.at(self.clock.now().into()), trigger)
    }

    /// Reloads from files that were read already.
    pub(super) fn adopt(&self, loaded: LoadedSources, trigger: Trigger) -> ReloadOutcome {
        let _one_at_a_time = self.reload_lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.adopt_loaded(loaded, trigger).latest.outcome
    }

    fn adopt_loaded(&self, loaded: LoadedSources, trigger: Trigger) -> Arc<ReloadHistory> {
        let begun = Instant::now();
        let before = self.facts.as_ref().and_then(FactsHandle::begin_reload);
        let before = before.unwrap_or_else(|| self.served.load_full());
        let compiled = self.compile(&loaded, &before);
        let known = before.view.revision.policy;
        let changed = compiled.view.as_ref().filter(|it| it.revision.policy != known);
        let guard = if trigger == Trigger::Forced { ReloadGuard::OFF } else { self.guard };
        let held = changed.and_then(|view| guard.check(&before.view, view, &loaded));
        let outcome = match &compiled.view {
            None => ReloadOutcome::Refused,
            Some(view) if view.revision.policy == known => ReloadOutcome::Unchanged,
            Some(_) if held.is_some() => ReloadOutcome::Held,
            Some(_) => ReloadOutcome::Swapped,
        };
        // Without a state folder, the text of the files is dropped before the swap.
        let keep = self.state.as_ref().filter(|_| outcome.is_current()).map(|state| {
            let digest = compiled.view.as_ref().map(|view| view.revision.policy_hex());
            (state, loaded, digest.unwrap_or_default())
        });
        // Declarations that moved are reported at their new place.
        let moves = self.facts.is_some() && outcome == ReloadOutcome::Unchanged;
        let swap = compiled.view.filter(|_| outcome == ReloadOutcome::Swapped || moves);
        let concerned = if moves { Concerned::default() } else { Concerned::all() };
        let replaced = match &self.facts {
            Some(facts) if facts.is_writable() => {
                let swap = swap.zip(compiled.declarations);
                facts.end_reload(swap.map(|(view, declarations)| ReloadedView {
                    view,
                    declarations,
                    concerned,
                }))
            }
            // Without a writer of facts, only reloads change what is served.
            _ => swap.map(|view| {
                self.served.swap(ServedPolicy::new(view, compiled.declarations), concerned)
            }),
        };
        let latest = LatestReload {
            outcome,
            at: SystemTime::now(),
            took: begun.elapsed(),
            report: compiled.report,
            held,
        };
        let reloads = self.record_reload(trigger, latest);
        if outcome == ReloadOutcome::Swapped {
            reload_changes::log(before.view.clone(), self.served.load().view.clone());
        }
        drop(before);
        if let Some((state, loaded, digest)) = keep {
            state.save(&loaded, digest);
        }
        if let Some(replaced) = replaced {
            retire(replaced);
        }
        reloads
    }

    fn compile(&self, loaded: &LoadedSources, before: &ServedPolicy) -> compile::BuildOutput {
        let (Some(facts), Some(declarations)) = (&self.facts, &before.declarations) else {
            return compile::build(loaded, Some(&before.view));
        };
        let stored = StoreRecords(&*facts.store);
        compile::rebuild(loaded, &before.view, declarations, &stored).unwrap_or_else(|error| {
            let mut problems = Diagnostics::default();
            let message = format!("the facts can't be read: {error}");
            problems.push(Diagnostic::global(Code::Unreadable, message));
            let report = Report::new(problems, &loaded.sources);
            compile::BuildOutput { view: None, declarations: None, report }
        })
    }

    fn record_reload(&self, trigger: Trigger, latest: LatestReload) -> Arc<ReloadHistory> {
        let earlier = self.reloads.load();
        let revision = &self.served.load().revision;
        self.log.log_reload(revision, trigger, &earlier.latest, &latest);
        let is = |outcome| u64::from(latest.outcome == outcome);
        let reloads = Arc::new(ReloadHistory {
            swapped: earlier.swapped + is(ReloadOutcome::Swapped),
            refused: earlier.refused + is(ReloadOutcome::Refused),
            held: earlier.held + is(ReloadOutcome::Held),
            last_good: if latest.outcome.is_current() { latest.at } else { earlier.last_good },
            latest,
        });
        self.reloads.store(Arc::clone(&reloads));
        self.staleness.set_policy(reloads.latest.lapse());
        reloads
    }
}

/// The longest wait for the requests that still read a replaced policy.
const RETIRE_PATIENCE: Duration = Duration::from_secs(1);

/// Frees a replaced policy on this thread instead of within a request: keeps its parts until the last
/// request that reads it has dropped it, for [`RETIRE_PATIENCE`] at most.
pub(super) fn retire(replaced: Arc<ServedPolicy>) {
    let parts = (replaced.view.clone(), replaced.declarations.clone());
    let released = replaced.release_signal();
    drop(replaced);
    // The channel disconnects when the policy is dropped.
    let _ = released.recv_timeout(RETIRE_PATIENCE);
    drop(parts);
}
