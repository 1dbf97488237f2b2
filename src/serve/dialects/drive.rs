//! The driver of dialects' steps: each is run until there is an answer.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::{
    dialects::{Backend, BackendError, BlockingRead, CallError, Step, WriteStep},
    facts::{Authority, BatchMode, Command, CommandSender, WriteError, WriteOutcome, WriteResult},
    live::facts::{WriteBatch, WriteReply},
    serve::{
        admission::{Cancellation, WorkClass},
        app::App,
        audit::Caller,
        blocking::{WorkError, WorkPlace},
        decision_log::{DecisionOrigin, RequestTrace, Via},
        metrics::DIALECT,
        peer::Peer,
        view_wait::ViewWait,
    },
};

/// The origin of a call: who sent it by which dialect, and the connection's other end.
#[derive(Clone, Copy, Debug)]
pub(in crate::serve) struct CallOrigin<'o> {
    pub(in crate::serve) caller: &'o Caller,
    pub(in crate::serve) peer: &'o Peer,
    pub(in crate::serve) trace: &'o RequestTrace,
}

/// An answer, and the revision and the number of the view from which it was made.
pub(in crate::serve) struct StepOutput<R> {
    pub(in crate::serve) answer: R,
    pub(in crate::serve) revision: String,
    pub(in crate::serve) view: u64,
}

/// Runs one step after the other until there is an answer.
///
/// # Errors
/// If records can't be read, or the view does not follow them in time.
pub(in crate::serve) async fn drive<R: Send + 'static>(
    app: &Arc<App>,
    origin: CallOrigin<'_>,
    first: impl Fn(&dyn Backend) -> Result<Step<R>, BackendError>,
) -> Result<StepOutput<R>, CallError> {
    let decisions = origin.trace.origin(Via::Dialect(origin.caller.api));
    let mut step = run_step(app, decisions, first).await?;
    loop {
        step = match step.answer {
            Step::Done(answer) => {
                return Ok(StepOutput { answer, revision: step.revision, view: step.view });
            }
            Step::Blocking(read) => run_blocking_step(app, origin, read.into()).await?,
            Step::Write(WriteStep { commands, mode, then }) => {
                let outcome = write_commands(app, origin.caller, commands, mode).await;
                run_step(app, decisions, |backend| then(&outcome, backend)).await?
            }
        };
    }
}

/// Runs a step on this task, again while the view lags behind the store.
async fn run_step<R>(
    app: &App,
    origin: DecisionOrigin<'_>,
    step: impl Fn(&dyn Backend) -> Result<R, BackendError>,
) -> Result<StepOutput<R>, CallError> {
    let mut wait = ViewWait::default();
    loop {
        match try_step(app, &Cancellation::NEVER, origin, &step) {
            Ok(output) => return Ok(output),
            Err(error) => wait_for_view(app, &error, &mut wait).await?,
        }
    }
}

/// Runs a step on blocking threads, again while the view lags behind the store.
async fn run_blocking_step<R: Send + 'static>(
    app: &Arc<App>,
    CallOrigin { caller, peer, trace }: CallOrigin<'_>,
    read: Arc<BlockingRead<R>>,
) -> Result<StepOutput<Step<R>>, CallError> {
    let mut wait = ViewWait::default();
    let route = format!("{DIALECT}{}", caller.api);
    let place = WorkPlace { class: WorkClass::Lookup, route: &route, peer };
    loop {
        let read = Arc::clone(&read);
        let (trace, via) = (trace.clone(), Via::Dialect(caller.api));
        let work = move |app: &Arc<App>, cancellation: &Cancellation| {
            try_step(app, cancellation, trace.origin(via), |backend| read(backend))
        };
        match app.run_admitted(place, work).await {
            Ok((Ok(output), _)) => return Ok(output),
            Ok((Err(error), _)) => wait_for_view(app, &error, &mut wait).await?,
            Err(WorkError::Busy) => {
                let message = "too many long look-ups are under way; try again after a moment";
                return Err(CallError::Unavailable(message.to_owned()));
            }
            Err(error @ (WorkError::Stopping | WorkError::Panicked)) => {
                return Err(CallError::Unavailable(error.to_string()));
            }
        }
    }
}

/// Runs a step once, from what is served now.
fn try_step<R>(
    app: &App,
    cancellation: &Cancellation,
    origin: DecisionOrigin<'_>,
    step: impl Fn(&dyn Backend) -> Result<R, BackendError>,
) -> Result<StepOutput<R>, BackendError> {
    let served = app.live.served();
    let backend = app.recording_backend(&served, cancellation, origin);
    // A step only reads: where it panics, nothing is left half done.
    let answer = catch_unwind(AssertUnwindSafe(|| step(&backend))).unwrap_or_else(|_| {
        tracing::error!("a call failed by a panic");
        Err(BackendError::Failed("internal error".to_owned()))
    })?;
    if let Some(recorder) = backend.recorder {
        app.record_step(recorder.decisions.into_inner());
    }
    Ok(StepOutput { answer, revision: served.revision.clone(), view: served.number })
}

/// Waits for the view to follow the store.
///
/// # Errors
/// If that does not help, or takes too long.
async fn wait_for_view(
    app: &App,
    error: &BackendError,
    wait: &mut ViewWait,
) -> Result<(), CallError> {
    if *error == BackendError::ViewBehind && wait.retry(&app.live).await {
        return Ok(());
    }
    Err(CallError::Unavailable(error.to_string()))
}

/// Writes commands. A batch of [independent](BatchMode::Independent) ones goes in several parts if it
/// is too large for the store.
pub(in crate::serve) async fn write_commands(
    app: &App,
    caller: &Caller,
    commands: Vec<Command>,
    mode: BatchMode,
) -> WriteResult {
    let audit = &app.options.audit;
    let Some(facts) = app.live.facts() else {
        let operations = audit.operations(&commands);
        audit.batch(caller, operations, &Err(WriteError::NoStore), &app.live.served());
        return Err(WriteError::NoStore);
    };
    let is_divisible = mode == BatchMode::Independent;
    let mut waiting = vec![commands];
    let (mut last_revision, mut all) = (app.live.served().view.revision.facts, Vec::new());
    while let Some(commands) = waiting.pop() {
        let copy = (is_divisible && commands.len() > 1).then(|| commands.clone());
        let operations = audit.operations(&commands);
        let sender = CommandSender::new(Authority::Dialect, caller.by.as_str());
        let batch = WriteBatch {
            commands,
            sender,
            mode,
            if_revision: None,
            idempotency_key: None,
            history: Vec::new(),
        };
        let written = facts.write(batch).await;
        app.metrics.facts.count(&written);
        audit.batch(caller, operations, &written, &app.live.served());
        match (written, copy) {
            (Ok(WriteReply::New(WriteOutcome::Applied { revision, outcomes })), _) => {
                last_revision = revision;
                all.extend(outcomes);
            }
            (Ok(WriteReply::New(refused @ WriteOutcome::Refused { .. })), _) => return Ok(refused),
            // Only a batch with an idempotency key is ever replayed.
            (Ok(WriteReply::Replayed { .. }), _) => return Err(WriteError::Contended),
            (Err(WriteError::TooLarge(_)), Some(mut commands)) => {
                let rest = commands.split_off(commands.len() / 2);
                waiting.extend([rest, commands]);
            }
            (Err(error), _) if !all.is_empty() => {
                return Err(WriteError::Partial(Box::new(error)));
            }
            (Err(error), _) => return Err(error),
        }
    }
    Ok(WriteOutcome::Applied { revision: last_revision, outcomes: all })
}
