use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::house::Inside;
use crate::{
    dialects::{Failure, House, NotWritten, Step, Unread, Write, Wrote},
    facts::Command,
    live::facts::{Batch, WriteError, Written},
    serve::route::App,
};

/// How often it is tried to read what is served and kept as of one revision, and how long apart.
const MOST_TRIES: usize = 500;
const APART: Duration = Duration::from_millis(2);

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
    first: impl Fn(&dyn House) -> Result<Step<R>, Unread>,
) -> Result<Done<R>, Failure> {
    let mut step = taken(app, first).await?;
    loop {
        step = match step.answer {
            Step::Done(answer) => return Ok(Done { answer, revision: step.revision }),
            Step::Gather(read) => {
                let (app, runtime) = (Arc::clone(app), tokio::runtime::Handle::current());
                let gathering = tokio::task::spawn_blocking(move || {
                    runtime.block_on(taken(&app, |house| read(house)))
                });
                gathering.await.map_err(|error| {
                    if error.is_panic() {
                        tracing::error!(%error, "a call could not be answered");
                    }
                    Failure::Unavailable("it could not be answered".to_owned())
                })??
            }
            Step::Write(Write { commands, each, then }) => {
                let wrote = write(app, commands, each).await;
                taken(app, |house| then(&wrote, house)).await?
            }
        };
    }
}

/// What a step comes to, once what is served has followed what is kept.
async fn taken<R>(
    app: &Arc<App>,
    step: impl Fn(&dyn House) -> Result<R, Unread>,
) -> Result<Done<R>, Failure> {
    for _ in 0..MOST_TRIES {
        // What is served must not be held while this waits.
        let taken = {
            let served = app.live.served();
            let house = Inside { app, served: &served };
            step(&house).map(|answer| Done { answer, revision: served.revision.clone() })
        };
        match taken {
            Ok(done) => return Ok(done),
            Err(Unread::Early) => sleep(APART).await,
            Err(Unread::Failed(why)) => return Err(Failure::Unavailable(why)),
        }
    }
    Err(Failure::Unavailable(Unread::Early.to_string()))
}

/// Carries commands out. Those that are each for itself go in several batches if the store does not
/// take them at once.
async fn write(app: &App, commands: Vec<Command>, each: bool) -> Wrote {
    let Some(facts) = app.live.facts() else {
        return Wrote::Failed(NotWritten::NoStore(WriteError::NoStore.to_string()));
    };
    let mut waiting = vec![commands];
    let (mut revision, mut all) = (app.live.served().view.revision.facts, Vec::new());
    while let Some(commands) = waiting.pop() {
        let parts = (each && commands.len() > 1).then(|| commands.clone());
        let written = facts.write(Batch { commands, each, if_revision: None, once: None }).await;
        app.metrics.facts.count(&written);
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
