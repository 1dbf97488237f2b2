//! The passing of time: what has ended leaves the served view, and windows open and close.

use std::{sync::PoisonError, time::Duration};

use super::{Live, ServedPolicy, facts::FactsHandle, reload::retire};
use crate::{compile, request::Moment};

/// The greatest step of the wall clock backwards that is passed over: clocks are slewed all the time.
const TOLERANCE: Duration = Duration::from_millis(500);

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
            return true;
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
                if compile::advance(&mut view, now) {
                    retire(self.served.swap(ServedPolicy::new(view, declarations)));
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
    fn turn_back(&self, now: Moment) -> bool {
        self.advance(now)
    }
}
