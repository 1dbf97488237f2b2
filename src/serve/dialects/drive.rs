use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::backend::ServedBackend;
use crate::{
    dialects::{
        Backend, BackendError, BlockingRead, CallError, Step, StepOutcome, StepWriteError,
        WriteStep,
    },
    facts::{Authority, Command},
    live::facts::{WriteBatch, WriteError, WriteOutcome},
    serve::{
        admission::{Cancellation, WorkClass},
        app::App,
        audit::Caller,
        metrics::DIALECT,
        peer::Peer,
    },
};

/// For how long it is tried to read what is served and kept as of one revision, and how long apart.
const PATIENCE: Duration = Duration::from_secs(2);
const APART: Duration = Duration::from_millis(2);

/// Where a call comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallOrigin<'o> {
    pub(super) dialect: &'static str,
    pub(super) peer: &'o Peer,
}

/// An answer, and the revision from which it was made.
pub(super) struct StepOutput<R> {
    pub(super) answer: R,
    pub(super) revision: String,
}

/// Takes one step after the other until there is an answer.
///
/// # Errors
/// If what is kept can't be read, or did not come to be served in time.
pub(super) async fn drive<R: Send + 'static>(
    app: &Arc<App>,
    (caller, origin): (&Caller, CallOrigin<'_>),
    first: impl Fn(&dyn Backend) -> Result<Step<R>, BackendError>,
) -> Result<StepOutput<R>, CallError> {
    let mut step = run_step(app, first).await?;
    loop {
        step = match step.answer {
            Step::Done(answer) => return Ok(StepOutput { answer, revision: step.revision }),
            Step::Blocking(look) => run_blocking_step(app, origin, look.into()).await?,
            Step::Write(WriteStep { commands, independent: each, then }) => {
                let wrote = write_commands(app, caller, commands, each).await;
                run_step(app, |house| then(&wrote, house)).await?
            }
        };
    }
}

/// What a step comes to, once what is served has followed what is kept.
async fn run_step<R>(
    app: &App,
    step: impl Fn(&dyn Backend) -> Result<R, BackendError>,
) -> Result<StepOutput<R>, CallError> {
    let mut until = None;
    loop {
        match try_step(app, &Cancellation::NEVER, &step) {
            Ok(done) => return Ok(done),
            Err(unread) => wait_for_view(unread, &mut until).await?,
        }
    }
}

/// The same on threads for what takes long, when it is its turn.
async fn run_blocking_step<R: Send + 'static>(
    app: &Arc<App>,
    CallOrigin { dialect, peer }: CallOrigin<'_>,
    look: Arc<BlockingRead<R>>,
) -> Result<StepOutput<Step<R>>, CallError> {
    let stopping = || BackendError::Failed("the daemon is stopping".to_owned());
    let mut until = None;
    let abandoned = Cancellation::new();
    let _abandon = abandoned.cancel_on_drop();
    loop {
        let Some(permit) = app.admission.admit(WorkClass::Lookup, peer).await else {
            app.metrics.count_shed(&format!("{DIALECT}{dialect}"));
            let why = "too many long look-ups are under way; try again after a moment";
            return Err(CallError::Unavailable(why.to_owned()));
        };
        let (house, look, abandoned) = (Arc::clone(app), Arc::clone(&look), abandoned.clone());
        let looking = move || try_step(&house, &abandoned, |house| look(house));
        let looked = match app.admission.run(&permit, looking).await {
            Some(looking) => looking.await.unwrap_or_else(|_| Err(stopping())),
            None => Err(stopping()),
        };
        drop(permit);
        match looked {
            Ok(done) => return Ok(done),
            Err(unread) => wait_for_view(unread, &mut until).await?,
        }
    }
}

/// Takes a step with what is served now.
fn try_step<R>(
    app: &App,
    abandoned: &Cancellation,
    step: impl Fn(&dyn Backend) -> Result<R, BackendError>,
) -> Result<StepOutput<R>, BackendError> {
    let served = app.live.served();
    let house = ServedBackend { app, served: &served, cancellation: abandoned };
    // A step only reads: where it breaks off, nothing is left half done.
    let answer = catch_unwind(AssertUnwindSafe(|| step(&house))).unwrap_or_else(|_| {
        tracing::error!("a call could not be answered");
        Err(BackendError::Failed("it could not be answered".to_owned()))
    })?;
    Ok(StepOutput { answer, revision: served.revision.clone() })
}

/// Waits a moment for what is served to follow. The first time sets until when.
///
/// # Errors
/// If that does not help, or took too long.
async fn wait_for_view(unread: BackendError, until: &mut Option<Instant>) -> Result<(), CallError> {
    let now = Instant::now();
    if unread != BackendError::ViewBehind || now >= *until.get_or_insert(now + PATIENCE) {
        return Err(CallError::Unavailable(unread.to_string()));
    }
    sleep(APART).await;
    Ok(())
}

/// Carries commands out. Those that are each for itself go in several batches if the store does not
/// take them at once.
pub(super) async fn write_commands(
    app: &App,
    caller: &Caller,
    commands: Vec<Command>,
    each: bool,
) -> StepOutcome {
    let audit = &app.options.audit;
    let Some(facts) = app.live.facts() else {
        let operations = audit.operations(&commands);
        audit.batch(caller, operations, &Err(WriteError::NoStore), &app.live.served());
        return StepOutcome::Failed(StepWriteError::NoStore(WriteError::NoStore.to_string()));
    };
    let mut waiting = vec![commands];
    let (mut revision, mut all) = (app.live.served().view.revision.facts, Vec::new());
    while let Some(commands) = waiting.pop() {
        let parts = (each && commands.len() > 1).then(|| commands.clone());
        let operations = audit.operations(&commands);
        let authority = Authority::Dialect;
        let batch =
            WriteBatch { commands, authority, each, if_revision: None, idempotency_key: None };
        let written = facts.write(batch).await;
        app.metrics.facts.count(&written);
        audit.batch(caller, operations, &written, &app.live.served());
        match (written, parts) {
            (Ok(WriteOutcome::Done { revision: at, outcomes }), _) => {
                revision = at;
                all.extend(outcomes.into_iter().map(Ok));
            }
            (Ok(WriteOutcome::Each { revision: at, outcomes }), _) => {
                revision = at;
                all.extend(outcomes);
            }
            (Ok(WriteOutcome::Refused { at, refusal, .. }), _) => {
                return StepOutcome::Refused { at, refusal };
            }
            // Nobody asks for a revision or a key here.
            (Ok(_), _) => return StepOutcome::Failed(unavailable("the facts changed; try again")),
            (Err(WriteError::TooLarge(_)), Some(mut commands)) => {
                let rest = commands.split_off(commands.len() / 2);
                waiting.extend([rest, commands]);
            }
            // Of several batches, those before took effect.
            (Err(error), _) if !all.is_empty() => {
                return StepOutcome::Failed(unavailable(&error.to_string()));
            }
            (Err(error), _) => return StepOutcome::Failed(not_written(&error)),
        }
    }
    StepOutcome::Done { revision, outcomes: all }
}

fn not_written(error: &WriteError) -> StepWriteError {
    let message = error.to_string();
    match error {
        WriteError::NoStore => StepWriteError::NoStore(message),
        WriteError::TooLarge(_) => StepWriteError::TooLarge(message),
        WriteError::Contended => StepWriteError::Contended(message),
        _ => StepWriteError::Unavailable(message),
    }
}

fn unavailable(message: &str) -> StepWriteError {
    StepWriteError::Unavailable(message.to_owned())
}
