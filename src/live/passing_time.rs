//! The passing of time: what has ended leaves the served view, and windows open and close.

use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

use tracing::warn;

use super::{
    Live, ServedPolicy,
    facts::{FactsHandle, ReloadedView, StoreRecords},
    reload::retire,
};
use crate::{
    compile::{self, Advance},
    request::Moment,
    snapshot::Concerned,
};

/// The greatest step of the wall clock backwards that is passed over: clocks are slewed all the time.
const TOLERANCE: Duration = Duration::from_millis(500);

/// The wait before another attempt to build the view of an earlier moment.
const RETRY_TURNING_BACK: Duration = Duration::from_secs(60);

impl Live {
    /// Advances the served view to the present moment, if anything ended or an edge of a window passed since,
    /// as one change. Returns whether the view is as of now.
    pub(super) fn keep_time(&self) -> bool {
        let now = self.clock.now();
        let (next, last) = {
            let served = self.served.load();
            (served.view.next_change(), served.view.last_change())
        };
        if last.is_some_and(|last| now.after(TOLERANCE) < last) {
            return self.turn_back(now);
        }
        if next.is_none_or(|next| next > now) {
            // The store is swept of what ended long ago.
            return match &self.facts {
                Some(facts) if last.is_some() && facts.is_writable() => facts.advance(now),
                _ => true,
            };
        }
        self.advance(now)
    }

    /// Serves the view as of a moment, if anything is otherwise then.
    fn advance(&self, now: Moment) -> bool {
        match &self.facts {
            Some(facts) if facts.is_writable() => FactsHandle::advance(facts, now),
            // Without a writer of facts, only reloads and time change what is served.
            _ => {
                let _one_at_a_time =
                    self.reload_lock.lock().unwrap_or_else(PoisonError::into_inner);
                let served = self.served.load_full();
                let mut view = served.view.clone();
                let declarations = served.declarations.clone();
                drop(served);
                let Advance { has_changed, concerned } = compile::advance(&mut view, now);
                if has_changed {
                    let served = ServedPolicy::new(view, declarations);
                    retire(self.served.swap(served, concerned));
                }
                true
            }
        }
    }

    /// The time until the next end or edge of a window; `None` if there is none ahead or behind.
    pub(super) fn next_change(&self) -> Option<Duration> {
        let served = self.served.load();
        let wait = served.view.next_change().map(|next| next.since(self.clock.now()));
        // A step of the clock backwards would bring back what has ended.
        wait.or_else(|| served.view.last_change().map(|_| Duration::MAX))
    }

    /// Builds the view again, at an earlier moment, after a step of the clock backwards.
    ///
    /// Costs a whole build. If it fails, or the files say something else by now, which is for a reload to take, what
    /// has ended stays so, and another attempt follows after a while.
    fn turn_back(&self, now: Moment) -> bool {
        if self.served.load().view.last_end().is_none_or(|last| now.after(TOLERANCE) >= last) {
            // Windows alone are right at earlier moments too.
            return self.advance(now);
        }
        let _one_at_a_time = self.reload_lock.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_turned_back_lately() {
            return false;
        }
        // The digest depends on which ends were past when the files were read: the same files may have another.
        let are_same = !self.files.have_changed() && self.reloads().latest.outcome.is_current();
        let loaded = self.files.load().at(now.into());
        let writer = self.facts.as_ref().filter(|facts| facts.is_writable());
        let before = writer.and_then(FactsHandle::begin_reload);
        let before = before.unwrap_or_else(|| self.served.load_full());
        let built = match &self.facts {
            Some(facts) => compile::build_with_records(&loaded, &StoreRecords(&*facts.store)),
            None => Ok(compile::build(&loaded, None)),
        };
        let built = built.ok().and_then(|built| Some((built.view?, built.declarations)));
        let policy = before.view.revision.policy;
        let swap = built.filter(|(view, _)| are_same || view.revision.policy == policy);
        drop(before);
        let is_current = swap.is_some();
        if !is_current {
            warn!("the clock was set back, and the view of that time can't be built");
            *self.turned_back.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        let replaced = match writer {
            Some(facts) => facts.end_reload(swap.and_then(|(view, declarations)| {
                let (declarations, concerned) = (declarations?, Concerned::all());
                Some(ReloadedView { view, declarations, concerned })
            })),
            None => swap.map(|(view, of_files)| {
                self.served.swap(ServedPolicy::new(view, of_files), Concerned::all())
            }),
        };
        if let Some(replaced) = replaced {
            retire(replaced);
        }
        is_current
    }

    /// Whether an attempt to build the view of an earlier moment failed a short while ago.
    fn is_turned_back_lately(&self) -> bool {
        let last = *self.turned_back.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|at| at.elapsed() < RETRY_TURNING_BACK)
    }
}
