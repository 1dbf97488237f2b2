use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::house::Inside;
use crate::{
    dialects::{Failure, House, Look, NotWritten, Step, Unread, Write, Wrote},
    facts::{Authority, Command},
    live::facts::{Batch, WriteError, Written},
    serve::{
        admission::{Abandoned, Class},
        audit::Caller,
        metrics::DIALECT,
        peer::Peer,
        route::App,
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
pub(super) struct Done<R> {
    pub(super) answer: R,
    pub(super) revision: String,
}

/// Takes one step after the other until there is an answer.
///
/// # Errors
/// If what is kept can't be read, or did not come to be served in time.
pub(super) async fn carry<R: Send + 'static>(
    app: &Arc<App>,
    (caller, origin): (&Caller, CallOrigin<'_>),
    first: impl Fn(&dyn House) -> Result<Step<R>, Unread>,
) -> Result<Done<R>, Failure> {
    let mut step = taken(app, first).await?;
    loop {
        step = match step.answer {
            Step::Done(answer) => return Ok(Done { answer, revision: step.revision }),
            Step::Gather(look) => looked(app, origin, look.into()).await?,
            Step::Write(Write { commands, each, then }) => {
                let wrote = write(app, caller, commands, each).await;
                taken(app, |house| then(&wrote, house)).await?
            }
        };
    }
}

/// What a step comes to, once what is served has followed what is kept.
async fn taken<R>(
    app: &App,
    step: impl Fn(&dyn House) -> Result<R, Unread>,
) -> Result<Done<R>, Failure> {
    let mut until = None;
    loop {
        match tried(app, &Abandoned::NEVER, &step) {
            Ok(done) => return Ok(done),
            Err(unread) => follow(unread, &mut until).await?,
        }
    }
}

/// The same on threads for what takes long, when it is its turn.
async fn looked<R: Send + 'static>(
    app: &Arc<App>,
    CallOrigin { dialect, peer }: CallOrigin<'_>,
    look: Arc<Look<R>>,
) -> Result<Done<Step<R>>, Failure> {
    let stopping = || Unread::Failed("the daemon is stopping".to_owned());
    let mut until = None;
    let abandoned = Abandoned::new();
    let _abandon = abandoned.on_drop();
    loop {
        let Some(permit) = app.admission.admit(Class::Lookup, peer).await else {
            app.metrics.count_shed(&format!("{DIALECT}{dialect}"));
            let why = "too many long look-ups are under way; try again after a moment";
            return Err(Failure::Unavailable(why.to_owned()));
        };
        let (house, look, abandoned) = (Arc::clone(app), Arc::clone(&look), abandoned.clone());
        let looking = move || tried(&house, &abandoned, |house| look(house));
        let looked = match app.admission.run(&permit, looking).await {
            Some(looking) => looking.await.unwrap_or_else(|_| Err(stopping())),
            None => Err(stopping()),
        };
        drop(permit);
        match looked {
            Ok(done) => return Ok(done),
            Err(unread) => follow(unread, &mut until).await?,
        }
    }
}

/// Takes a step with what is served now.
fn tried<R>(
    app: &App,
    abandoned: &Abandoned,
    step: impl Fn(&dyn House) -> Result<R, Unread>,
) -> Result<Done<R>, Unread> {
    let served = app.live.served();
    let house = Inside { app, served: &served, abandoned };
    // A step only reads: where it breaks off, nothing is left half done.
    let answer = catch_unwind(AssertUnwindSafe(|| step(&house))).unwrap_or_else(|_| {
        tracing::error!("a call could not be answered");
        Err(Unread::Failed("it could not be answered".to_owned()))
    })?;
    Ok(Done { answer, revision: served.revision.clone() })
}

/// Waits a moment for what is served to follow. The first time sets until when.
///
/// # Errors
/// If that does not help, or took too long.
async fn follow(unread: Unread, until: &mut Option<Instant>) -> Result<(), Failure> {
    let now = Instant::now();
    if unread != Unread::Early || now >= *until.get_or_insert(now + PATIENCE) {
        return Err(Failure::Unavailable(unread.to_string()));
    }
    sleep(APART).await;
    Ok(())
}

/// Carries commands out. Those that are each for itself go in several batches if the store does not
/// take them at once.
pub(super) async fn write(app: &App, caller: &Caller, commands: Vec<Command>, each: bool) -> Wrote {
    let audit = &app.options.audit;
    let Some(facts) = app.live.facts() else {
        let operations = audit.operations(&commands);
        audit.batch(caller, operations, &Err(WriteError::NoStore), &app.live.served());
        return Wrote::Failed(NotWritten::NoStore(WriteError::NoStore.to_string()));
    };
    let mut waiting = vec![commands];
    let (mut revision, mut all) = (app.live.served().view.revision.facts, Vec::new());
    while let Some(commands) = waiting.pop() {
        let parts = (each && commands.len() > 1).then(|| commands.clone());
        let operations = audit.operations(&commands);
        let authority = Authority::Dialect;
        let batch = Batch { commands, authority, each, if_revision: None, once: None };
        let written = facts.write(batch).await;
        app.metrics.facts.count(&written);
        audit.batch(caller, operations, &written, &app.live.served());
        match (written, parts) {
            (Ok(Written::Done { revision: at, outcomes }), _) => {
                revision = at;
                all.extend(outcomes.into_iter().map(Ok));
            }
            (Ok(Written::Each { revision: at, outcomes }), _) => {
                revision = at;
                all.extend(outcomes);
            }
            (Ok(Written::Refused { at, refusal, .. }), _) => return Wrote::Refused { at, refusal },
            // Nobody asks for a revision or a key here.
            (Ok(_), _) => return Wrote::Failed(unavailable("the facts changed; try again")),
            (Err(WriteError::TooLarge(_)), Some(mut commands)) => {
                let rest = commands.split_off(commands.len() / 2);
                waiting.extend([rest, commands]);
            }
            // Of several batches, those before took effect.
            (Err(error), _) if !all.is_empty() => {
                return Wrote::Failed(unavailable(&error.to_string()));
            }
            (Err(error), _) => return Wrote::Failed(not_written(&error)),
        }
    }
    Wrote::Done { revision, outcomes: all }
}

fn not_written(error: &WriteError) -> NotWritten {
    let message = error.to_string();
    match error {
        WriteError::NoStore => NotWritten::NoStore(message),
        WriteError::TooLarge(_) => NotWritten::TooLarge(message),
        WriteError::Contended => NotWritten::Contended(message),
        _ => NotWritten::Unavailable(message),
    }
}

fn unavailable(message: &str) -> NotWritten {
    NotWritten::Unavailable(message.to_owned())
}
