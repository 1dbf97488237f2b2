use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::backend::ServedBackend;
use crate::{
    dialects::{Backend, BackendError, BlockingRead, CallError, Step, WriteStep},
    facts::{Authority, BatchMode, Command, WriteError, WriteOutcome, WriteResult},
    live::facts::{WriteBatch, WriteReply},
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
            Step::Write(WriteStep { commands, mode, then }) => {
                let wrote = write_commands(app, caller, commands, mode).await;
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

/// Writes commands. A batch of [independent](BatchMode::Independent) ones goes in several parts if it
/// is too large for the store.
pub(super) async fn write_commands(
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
        let authority = Authority::Dialect;
        let batch =
            WriteBatch { commands, authority, mode, if_revision: None, idempotency_key: None };
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
