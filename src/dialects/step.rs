//! Steps of a call: a reply, a long read, or commands to be written first.

use super::{Backend, BackendError};
use crate::facts::{BatchMode, Command, Op, WriteResult};

/// What a dialect does next about a call; `R` is what it answers with.
pub enum Step<R> {
    Done(R),
    /// To be asked on a thread of its own: it takes long, since it passes over much.
    Blocking(Box<BlockingRead<R>>),
    Write(WriteStep<R>),
}

/// Commands to be carried out, and what to do then.
pub struct WriteStep<R> {
    pub commands: Vec<Command>,
    pub mode: BatchMode,
    pub then: Box<WriteContinuation<R>>,
}

/// What to look up, and what comes of it. Called again from the start if what is served has not
/// followed what is kept yet.
pub type BlockingRead<R> = dyn Fn(&dyn Backend) -> Result<Step<R>, BackendError> + Send + Sync;

/// What to do about what came of commands. Called again from the start if what is served has not
/// followed what is kept yet.
pub type WriteContinuation<R> =
    dyn Fn(&WriteResult, &dyn Backend) -> Result<Step<R>, BackendError> + Send + Sync;

impl<R> Step<R> {
    /// Carries commands out, all or none.
    pub fn write_all(
        commands: Vec<Command>,
        then: impl Fn(&WriteResult, &dyn Backend) -> Result<Self, BackendError> + Send + Sync + 'static,
    ) -> Self {
        Self::Write(WriteStep { commands, mode: BatchMode::Atomic, then: Box::new(then) })
    }

    /// Carries out an administrator's operation.
    pub fn write_op(
        op: Op,
        then: impl Fn(&WriteResult, &dyn Backend) -> Result<Self, BackendError> + Send + Sync + 'static,
    ) -> Self {
        Self::write_all(vec![op.into()], then)
    }

    /// Carries commands out, each for itself.
    pub fn write_each(
        commands: Vec<Command>,
        then: impl Fn(&WriteResult, &dyn Backend) -> Result<Self, BackendError> + Send + Sync + 'static,
    ) -> Self {
        Self::Write(WriteStep { commands, mode: BatchMode::Independent, then: Box::new(then) })
    }

    pub fn blocking(
        read: impl Fn(&dyn Backend) -> Result<Self, BackendError> + Send + Sync + 'static,
    ) -> Self {
        Self::Blocking(Box::new(read))
    }
}

impl<R: std::fmt::Debug> std::fmt::Debug for Step<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done(answer) => f.debug_tuple("Done").field(answer).finish(),
            Self::Blocking(_) => f.write_str("Gather"),
            Self::Write(write) => write.fmt(f),
        }
    }
}

impl<R> std::fmt::Debug for WriteStep<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Write")
            .field("commands", &self.commands)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
