//! The embedded engine: a policy that a program opens, queries, and follows as its files change.
//!
//! Invariant: it adds no semantics of its own to the rooms below it.

mod follower;

use std::{fmt, io, path::Path, sync::Arc};

use thiserror::Error;

use crate::{
    decide::{self, Explanation, Reach},
    diagnostic::{Report, render_text},
    live::{
        LatestReload, Live, LiveOptions, PolicyFiles, ReloadGuard, ServedPolicy, StartOutcome,
        Trigger, Watch, WatchOptions,
    },
    request::{Decision, Request, RequestedAction},
    source::Scope,
};
use follower::Follower;

/// A policy in memory, and the files it was compiled from.
///
/// Decisions take no lock and allocate nothing; any number of threads may decide while the files are
/// read again. A policy with errors never replaces a good one. A policy that drops a restricting section,
/// or more than ten users and more than a tenth of them, is [held](LatestReload::held) until
/// [`Engine::reload_forced`].
///
/// ```
/// use peerage::{Action, Engine, Request};
///
/// let engine = Engine::open(["policies/stores"])?;
/// let decision = engine.decide(&Request::new("5", Action::StartChat, "3"));
/// assert!(decision.allow, "{}", decision.reason);
/// # Ok::<(), peerage::EngineError>(())
/// ```
pub struct Engine {
    live: Arc<Live>,
    follower: Option<Follower>,
}

/// One version of a policy: all its decisions and lists come from the same files.
///
/// It does not change when the engine takes another version, and keeps the memory of its own version
/// until it is dropped.
#[derive(Clone, Debug)]
pub struct Snapshot {
    served: Arc<ServedPolicy>,
}

/// The error of opening an engine.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The policy holds errors; the report has all of them, with their places.
    #[error("the policy holds errors\n{}", render_text(.0, false))]
    Policy(Report),
    /// The files can't be watched, or no thread can be started.
    #[error("can't follow the policy's files: {0}")]
    Follow(#[from] io::Error),
    /// The engine can't start for another reason than its files.
    #[error("can't start: {0}")]
    Start(String),
}

// === impl Engine ===

impl Engine {
    /// Reads and compiles a policy: files, or folders of them. The files are read again only by
    /// [`Engine::reload`]. Costs some milliseconds for a policy without many users, some seconds for
    /// millions of them.
    ///
    /// # Errors
    /// If the policy holds errors or can't be read.
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, EngineError> {
        let live = start(PolicyFiles::new(scope(paths)))?;
        Ok(Self { live, follower: None })
    }

    /// Opens a policy and follows its files: a changed policy is compiled on a thread of its own, about
    /// 100 ms after the last change, and decides from then on. `on_reload` gets the result of each reload,
    /// on that thread; it must not drop the engine.
    ///
    /// # Errors
    /// As [`Engine::open`], and if the files can't be watched.
    pub fn follow<P: AsRef<Path>>(
        paths: impl IntoIterator<Item = P>,
        on_reload: impl Fn(&LatestReload) + Send + 'static,
    ) -> Result<Self, EngineError> {
        // The watch starts before the files are read, so that no change is missed between the two.
        let watch = Watch::start(scope(paths), WatchOptions::default())?;
        let live = start(watch.files())?;
        let follower = Follower::start(watch, Arc::clone(&live), on_reload)?;
        Ok(Self { live, follower: Some(follower) })
    }

    /// Decides one request. Costs some tens of nanoseconds, however many rules there are.
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        decide::decide(&self.live.served().view, request)
    }

    /// Explains a decision: every gate's verdict, and the rules that open it. Costs some microseconds.
    pub fn explain(&self, request: &Request<'_>) -> Explanation {
        decide::explain(&self.live.served().view, request)
    }

    /// The current version, for several requests that must see the same one, and for lists, which borrow
    /// from it.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { served: Arc::clone(&self.live.served()) }
    }

    /// Reads the files again, on this thread, and decides from them unless they have errors or the policy is
    /// held. Returns the result.
    pub fn reload(&self) -> LatestReload {
        self.live.reload_and_report(Trigger::Requested).latest.clone()
    }

    /// Reads the files again, and takes the policy even if it would be held. One with errors is refused.
    pub fn reload_forced(&self) -> LatestReload {
        self.live.reload_and_report(Trigger::Forced).latest.clone()
    }

    /// The result of the latest reload: its report holds the warnings about the policy that decides, or the
    /// errors of one that was refused.
    pub fn latest_reload(&self) -> LatestReload {
        self.live.reloads().latest.clone()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("revision", &self.live.served().revision)
            .field("follows", &self.follower.is_some())
            .finish_non_exhaustive()
    }
}

fn scope<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Scope {
    let paths: Vec<_> = paths.into_iter().map(|path| path.as_ref().to_owned()).collect();
    Scope::from(paths.as_slice())
}

fn start(files: PolicyFiles) -> Result<Arc<Live>, EngineError> {
    let guard = ReloadGuard::default();
    match Live::start(&LiveOptions { guard, ..LiveOptions::new(files) }, None) {
        Ok(StartOutcome::Serving(live)) => Ok(live),
        Ok(StartOutcome::Refused(report)) => Err(EngineError::Policy(report)),
        Ok(StartOutcome::Held(held)) => Err(EngineError::Start(held.summary)),
        Err(error) => Err(EngineError::Start(error.to_string())),
    }
}

// === impl Snapshot ===

impl Snapshot {
    /// The version: a digest of the meaning of its files.
    pub fn revision(&self) -> &str {
        &self.served.revision
    }

    /// Decides one request, as [`Engine::decide`].
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        decide::decide(&self.served.view, request)
    }

    /// Explains a decision, as [`Engine::explain`].
    pub fn explain(&self, request: &Request<'_>) -> Explanation {
        decide::explain(&self.served.view, request)
    }

    /// The action of a name, built in or declared by the policy, for
    /// [`Request::with_action`]; `None` if there is none. A declared one means nothing under another version of the
    /// policy: requests with it are for this snapshot.
    pub fn action(&self, name: &str) -> Option<RequestedAction> {
        self.served.view.requested_action(name).ok()
    }

    /// The users to whom the request's subject may do the action; its resource is ignored.
    /// Costs a pass over the sets involved, a bit per user each.
    ///
    /// ```
    /// use peerage::{Action, Engine, Request};
    ///
    /// let snapshot = Engine::open(["policies/stores"])?.snapshot();
    /// let reach = snapshot.reach(&Request::new("3", Action::StartChat, ""));
    /// assert_eq!(reach.ids().collect::<Vec<_>>(), ["2", "6"]);
    /// # Ok::<(), peerage::EngineError>(())
    /// ```
    pub fn reach(&self, request: &Request<'_>) -> Reach<'_> {
        decide::reach(&self.served.view, request)
    }

    /// The users who may do the action to the request's resource; its subject is ignored. Costs as much as
    /// [`Snapshot::reach`].
    pub fn reached_by(&self, request: &Request<'_>) -> Reach<'_> {
        decide::reached_by(&self.served.view, request)
    }
}
