//! The start of a policy: the first read of its files, and the choice of what is served.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Instant, SystemTime},
};

use arc_swap::ArcSwap;
use thiserror::Error;
use tracing::warn;

use super::{
    Clock, HeldPolicy, LatestReload, Live, LogForm, PolicyFiles, ReloadGuard, ReloadHistory,
    ReloadOutcome, ServedPolicy, Staleness, StalenessOptions, StateError, SystemClock, Trigger,
    current_view::CurrentView,
    facts::{HistoryRetention, InitialLoad, Writer, WriterOptions},
    state::{LastGoodFiles, StateDir},
};
use crate::{
    compile,
    diagnostic::Report,
    source::LoadedSources,
    store::{Store, StoreError},
};

/// The options of a live policy.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// The policy's files.
    pub files: Arc<PolicyFiles>,
    pub guard: ReloadGuard,
    /// The folder of the last good files; `None` to keep none.
    pub state: Option<StateOptions>,
    /// When what is served counts as stale.
    pub staleness: StalenessOptions,
    /// How long the history of commands is kept.
    pub history: HistoryRetention,
    /// How diagnostics are logged.
    pub log: LogForm,
    /// The clock by which what ends or holds at times is judged.
    pub clock: Arc<dyn Clock>,
}

/// The folder of the last good files, and their use at the start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateOptions {
    pub folder: PathBuf,
    pub mode: StartMode,
}

/// The treatment, at the start, of a policy that a reload would not take.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum StartMode {
    /// Refuse to start.
    #[default]
    Refuse,
    /// Take it if it has no errors, without a comparison with the last good files.
    Fresh,
    /// Serve the last good files until a reload replaces them.
    LastGood,
}

/// The outcome of the start: a policy to serve, or the reason why there is none.
#[derive(Debug)]
pub enum StartOutcome {
    Serving(Arc<Live>),
    /// The policy holds errors.
    Refused(Report),
    /// The guard does not let the policy replace the last good one.
    Held(Box<HeldPolicy>),
}

/// The reason why the facts or the last good files can't be read at the start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    State(#[from] StateError),
}

impl LiveOptions {
    /// The default options: no reload is held, no files and no history are kept, nothing is ever stale, and
    /// the clock is that of the system.
    pub fn new(files: impl Into<PolicyFiles>) -> Self {
        Self {
            files: Arc::new(files.into()),
            guard: ReloadGuard::OFF,
            state: None,
            staleness: StalenessOptions::default(),
            history: HistoryRetention::Off,
            log: LogForm::Text,
            clock: Arc::new(SystemClock),
        }
    }

    /// Reads the files, as of the present moment.
    fn load(&self) -> LoadedSources {
        let loaded = self.files.load();
        loaded.at(self.clock.now().into())
    }
}

impl Live {
    /// Reads and compiles the files for the first time, without facts. A policy with errors is
    /// refused; a later one that the guard does not let through is held.
    pub fn start_guarded(
        files: impl Into<PolicyFiles>,
        guard: Option<ReloadGuard>,
    ) -> StartOutcome {
        let guard = guard.unwrap_or(ReloadGuard::OFF);
        let begun = Instant::now();
        let options = LiveOptions { guard, ..LiveOptions::new(files) };
        let outcome = compile::build(&options.load(), None);
        first_outcome(&options, begun, outcome)
    }

    /// Starts with the facts of a store, which change while they are served.
    ///
    /// # Errors
    /// If the facts can't be read.
    pub fn start_with(
        files: impl Into<PolicyFiles>,
        guard: Option<ReloadGuard>,
        store: Arc<dyn Store>,
    ) -> Result<StartOutcome, StartError> {
        let guard = guard.unwrap_or(ReloadGuard::OFF);
        Self::start(&LiveOptions { guard, ..LiveOptions::new(files) }, Some(store))
    }

    /// Starts by options. Where last good files were kept and the files now say something else, it begins
    /// with the former, and takes the latter as a reload would.
    ///
    /// # Errors
    /// If the facts or the last good files can't be read.
    pub fn start(
        options: &LiveOptions,
        store: Option<Arc<dyn Store>>,
    ) -> Result<StartOutcome, StartError> {
        let begun = Instant::now();
        let mut state = None;
        let mut last_good = None;
        if let Some(StateOptions { folder, mode }) = &options.state {
            let folder = StateDir::open(folder.clone())?;
            if *mode != StartMode::Fresh {
                last_good = folder.read()?;
            }
            state = Some(OpenedState { folder, mode: *mode });
        }
        let loaded = options.load();
        match (state, last_good) {
            (Some(state), Some(last_good)) if !last_good.has_same_files(&loaded) => {
                start_from_last_good(options, store, state, last_good, loaded)
            }
            (state, last_good) => {
                drop(last_good);
                let mut start = compile_loaded(options, store, begun, &loaded)?;
                if let (StartOutcome::Serving(live), Some(OpenedState { folder, .. })) =
                    (&mut start, state)
                    && let Some(live) = Arc::get_mut(live)
                {
                    folder.save(&loaded, live.served().view.revision.policy_hex());
                    live.state = Some(folder);
                }
                Ok(start)
            }
        }
    }
}

/// The state folder as the start opened it.
struct OpenedState {
    folder: StateDir,
    mode: StartMode,
}

/// Begins with the last good files, and adopts the present ones as a reload would.
fn start_from_last_good(
    options: &LiveOptions,
    store: Option<Arc<dyn Store>>,
    OpenedState { folder, mode }: OpenedState,
    last_good: LastGoodFiles,
    loaded: LoadedSources,
) -> Result<StartOutcome, StartError> {
    let begun = Instant::now();
    let policy = last_good.policy().to_owned();
    let sources = last_good.sources.at(options.clock.now().into());
    let mut start = compile_loaded(options, store, begun, &sources.into())?;
    let live = match &mut start {
        StartOutcome::Serving(live) => live,
        StartOutcome::Refused(report) => {
            return Err(StateError::unusable(folder.path(), report).into());
        }
        StartOutcome::Held(_) => return Ok(start),
    };
    if let Some(live) = Arc::get_mut(live) {
        live.state = Some(folder);
    }
    let outcome = live.adopt(loaded, Trigger::Start);
    let latest = live.reloads().latest.clone();
    if outcome.is_current() {
        // Nothing was served before: the first policy is no reload.
        live.reloads.store(Arc::new(ReloadHistory::at_start(latest)));
        return Ok(start);
    }
    match (mode, latest.held.clone()) {
        (StartMode::LastGood, _) => {
            let reloads = ReloadHistory::clone(&live.reloads());
            let saved = live.state().and_then(|state| state.saved).map(|(at, _)| at);
            let last_good = saved.unwrap_or(reloads.last_good);
            live.reloads.store(Arc::new(ReloadHistory { last_good, ..reloads }));
            let revision = &live.served.load().revision;
            live.log.log_reload(revision, Trigger::Requested, &latest, &latest);
            warn!(%policy, "serving the last good policy, not the one that the files hold");
            Ok(start)
        }
        (_, Some(held)) => Ok(StartOutcome::Held(Box::new(held))),
        (_, None) => Ok(StartOutcome::Refused(latest.report)),
    }
}

/// Compiles loaded files, with the facts of the store if there is one.
fn compile_loaded(
    options: &LiveOptions,
    store: Option<Arc<dyn Store>>,
    begun: Instant,
    loaded: &LoadedSources,
) -> Result<StartOutcome, StoreError> {
    let Some(store) = store else {
        return Ok(first_outcome(options, begun, compile::build(loaded, None)));
    };
    let loading = InitialLoad::new(&*store);
    let outcome = compile::build_with_records(loaded, &loading)?;
    let pending = loading.into_pending_requests();
    let Some(declarations) = outcome.declarations.clone() else {
        return Ok(StartOutcome::Refused(outcome.report));
    };
    let mut start = first_outcome(options, begun, outcome);
    if let StartOutcome::Serving(live) = &mut start
        && let Some(live) = Arc::get_mut(live)
    {
        let doing = "followed by a separate thread";
        let staleness = Arc::clone(&live.staleness);
        let clock = Arc::clone(&live.clock);
        let writer = WriterOptions { staleness, clock, history: options.history };
        let facts = Writer::start(store, &live.served, declarations, pending, writer)
            .map_err(|error| StoreError::Io { doing, why: error.to_string() })?;
        live.facts = Some(facts);
    }
    Ok(start)
}

fn first_outcome(
    options: &LiveOptions,
    begun: Instant,
    outcome: compile::BuildOutput,
) -> StartOutcome {
    let Some(view) = outcome.view else { return StartOutcome::Refused(outcome.report) };
    let latest = LatestReload {
        outcome: ReloadOutcome::Swapped,
        at: SystemTime::now(),
        took: begun.elapsed(),
        report: outcome.report,
        held: None,
    };
    StartOutcome::Serving(Arc::new(Live {
        files: Arc::clone(&options.files),
        facts: None,
        served: Arc::new(CurrentView::new(ServedPolicy::new(view, outcome.declarations))),
        reloads: ArcSwap::from_pointee(ReloadHistory::at_start(latest)),
        reload_lock: Mutex::new(()),
        guard: options.guard,
        state: None,
        log: options.log,
        staleness: Arc::new(Staleness::new(options.staleness)),
        clock: Arc::clone(&options.clock),
        turned_back: Mutex::default(),
    }))
}
